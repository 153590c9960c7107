"""Archives: what is in them comes out as it went in, and nothing that a name or a size claims is believed."""

import gzip
import random
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from time import process_time

import pytest
from tests.connectors.test_workbook import cells, number
from tests.connectors.test_workbook import packed as workbook_at
from tests.connectors.test_workbook import parts as workbook_of

from groundswell.connectors.files import archive
from groundswell.connectors.files.read import Refused

LIMITS = {"unpacked_bytes": 1 << 31, "ratio": 100, "members": 50}
CSV = "deal_id,amount\nD1,100\n"


def packed(path: Path, files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def renamed(path: Path, name: bytes, other: bytes) -> Path:
    """Names of a length, in the directory and before the file itself, which zipfile would not write."""
    assert len(name) == len(other)
    path.write_bytes(path.read_bytes().replace(name, other))
    return path


def claiming(
    path: Path, name: str, *, unpacked: int | None = None, flags: int | None = None, packed: int | None = None
) -> Path:
    """The zip with something else in its directory about a member."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(name.encode()) - 46
    for place, size, value in ((24, "<I", unpacked), (8, "<H", flags), (20, "<I", packed)):
        if value is not None:
            struct.pack_into(size, content, entry + place, value)
    path.write_bytes(content)
    return path


def refused(tmp_path: Path, path: Path, limits: dict[str, int] = LIMITS) -> str:
    """The words in which an archive is refused, at latest on unpacking it."""
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(Refused) as found:
        archive.unpack(path, into, limits)
    return str(found.value)


# -------------------------------------------------------------------------------------------------------- what is in


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_come_out_as_they_went_in(tmp_path: Path, method: int) -> None:
    book = workbook_at(tmp_path / "book", workbook_of(cells(number("1")))).read_bytes()
    files = {
        "deals.csv": CSV,
        "2026/Müller & Söhne.csv": "ü\n" * 9,
        "book.dat": book,
        "2026/lines.json": "{}",
        "empty.csv": "",
    }
    litter = {"__MACOSX/._deals.csv": "x", "2026/.DS_Store": "x", "Thumbs.db": "x", "2026/": ""}
    path = packed(tmp_path / "exports.csv", {**files, **litter}, method)
    assert archive.is_archive(path)
    assert archive.members(path, LIMITS) == list(files)
    into = tmp_path / "into"
    into.mkdir()
    found = archive.unpack(path, into, LIMITS)
    assert found == [into / name for name in files]
    assert [one.read_bytes() for one in found] == [c if isinstance(c, bytes) else c.encode() for c in files.values()]
    assert {one for one in into.rglob("*") if one.is_file()} == set(found)


def test_a_file_packed_by_gzip(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode()) + gzip.compress(b"D2,200\n"))
    assert archive.is_archive(path)
    assert archive.members(path, LIMITS) == ["deals.csv"]
    (found,) = archive.unpack(path, tmp_path / "into", LIMITS)
    assert (found.name, found.read_text()) == ("deals.csv", CSV + "D2,200\n")


def test_a_workbook_is_no_archive_and_neither_is_a_text(tmp_path: Path) -> None:
    assert not archive.is_archive(workbook_at(tmp_path / "deals.zip", workbook_of(cells())))
    (tmp_path / "deals.zip").write_text(CSV)
    assert not archive.is_archive(tmp_path / "deals.zip")


@pytest.mark.parametrize("files", [{}, {"2026/": ""}, {"__MACOSX/x": "x"}])
def test_an_archive_of_nothing_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    path = packed(tmp_path / "a.zip", files)
    assert archive.is_archive(path)
    assert "holds no files" in refused(tmp_path, path)


# ---------------------------------------------------------------------------------------------------------- sizes


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("deals.csv", "w") as member,
    ):
        for _ in range(200):
            member.write(b"\0" * 1_000_000)
    begun = process_time()
    assert "deals.csv unpacks to 200,000,000 bytes" in refused(tmp_path, path)
    with pytest.raises(Refused, match="more than 100,000,000; export it in smaller parts"):
        archive.members(path, LIMITS | {"unpacked_bytes": 100_000_000})
    took, begun = process_time() - begun, process_time()
    with zipfile.ZipFile(path) as file, file.open("deals.csv") as member:
        while member.read(1_000_000):
            pass
    assert took < (process_time() - begun) / 4
    assert list((tmp_path / "into").iterdir()) == []


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """Forty names for the same bytes, each of them within the ratio."""
    text = "".join(random.Random(1).choices("ab", k=100_000))
    content = packed(tmp_path / "a.zip", {"a00.csv": text}).read_bytes()
    at = content.rindex(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    entries = b"".join(content[at:end].replace(b"a00", b"a%02d" % i) for i in range(40))
    tail = bytearray(content[end:])
    struct.pack_into("<HHI", tail, 8, 40, 40, len(entries))
    (tmp_path / "a.zip").write_bytes(content[:at] + entries + tail)
    assert "the zip is damaged (it claims" in refused(tmp_path, tmp_path / "a.zip")


@pytest.mark.parametrize("claim", [0, 10, 1_999_999, 2_000_001, 9_000_000])
def test_a_size_that_is_not_true_is_found_while_reading(tmp_path: Path, claim: int) -> None:
    text = "".join(random.Random(1).choices("abcdefgh", k=2_000_000))
    path = claiming(packed(tmp_path / "a.zip", {"deals.csv": text}), "deals.csv", unpacked=claim)
    assert "deals.csv is damaged" in refused(tmp_path, path)
    written = list((tmp_path / "into").iterdir())
    assert all(one.stat().st_size <= claim for one in written)


def test_a_packed_size_beyond_the_file_is_refused(tmp_path: Path) -> None:
    path = claiming(packed(tmp_path / "a.zip", {"deals.csv": CSV}), "deals.csv", packed=0xFFFFFFF0)
    assert "it claims 4,294,967,280 packed bytes" in refused(tmp_path, path)


def test_a_directory_of_millions_is_refused(tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path / "a.zip", {"a.csv": CSV}).read_bytes())
    end = content.rindex(b"PK\x05\x06")
    at = content.rindex(b"PK\x01\x02")
    entries = bytes(content[at:end]) * 400_000
    struct.pack_into("<HHI", content, end + 8, 1, 1, len(entries))
    (tmp_path / "a.zip").write_bytes(content[:at] + entries + content[end:])
    begun = process_time()
    assert archive.is_archive(tmp_path / "a.zip")
    assert "damaged" in refused(tmp_path, tmp_path / "a.zip")
    took, begun = process_time() - begun, process_time()
    with zipfile.ZipFile(tmp_path / "a.zip") as file:  # which reads and believes them all
        assert len(file.infolist()) == 400_000
    assert took < (process_time() - begun) / 4


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {f"{i}.csv": CSV for i in range(51)})
    assert "holds 51 files, more than 50" in refused(tmp_path, path)


def test_gzip_states_no_size_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(200):
            file.write(b"\0" * 1_000_000)
    begun = process_time()
    assert "more than 100 times its size" in refused(tmp_path, path)
    took, begun = process_time() - begun, process_time()
    assert gzip.decompress(path.read_bytes()) == b"\0" * 200_000_000
    assert took < 2 * (process_time() - begun)
    noise = random.Random(1).randbytes(3_000_000)
    path.write_bytes(gzip.compress(noise, 1))
    with pytest.raises(Refused, match=r"more than 1,000,000 bytes; export it in smaller parts"):
        archive.unpack(path, tmp_path / "other", LIMITS | {"unpacked_bytes": 1_000_000})
    assert (tmp_path / "other" / "deals.csv").stat().st_size <= 1_000_000


# ---------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    ["../x.csv", "a/../../x.csv", "/etc/x.csv", "//x.csv", "a//x.csv", "./x.csv", "C:/x.csv", "a\\x.csv", "..\\x.csv", "a\nb.csv",
     "x" * 256 + ".csv", "a\u202egpj.csv"],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / "a.zip", {"good.csv": CSV, name: CSV})
    assert "leads out of the zip or is no name" in refused(tmp_path, path)
    assert list((tmp_path / "into").iterdir()) == []
    assert {one.name for one in tmp_path.iterdir()} == {"a.zip", "into"}


def test_a_name_with_nul_is_refused(tmp_path: Path) -> None:
    path = renamed(packed(tmp_path / "a.zip", {"deals_csv.exe": CSV}), b"deals_csv.exe", b"deals.csv\0exe")
    assert "is no name" in refused(tmp_path, path)


@pytest.mark.parametrize(
    "names",
    [
        ("a1.csv", "a1.csv"),
        ("a1.csv", "A1.CSV"),
        ("Mu\u0308ller.csv", "M\u00fcller.csv"),
        ("a", "a/x.csv"),
        ("a/x.csv", "A"),
    ],
)
def test_names_that_stand_twice_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in names:
            if name in file.namelist():
                with pytest.warns(UserWarning, match="Duplicate"):
                    file.writestr(name, CSV)
            else:
                file.writestr(name, CSV)
    assert "twice" in refused(tmp_path, tmp_path / "a.zip")


def test_a_link_comes_out_as_the_text_it_is(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.csv")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    (found,) = archive.unpack(tmp_path / "a.zip", tmp_path / "into", LIMITS)
    assert not found.is_symlink()
    assert found.read_text() == "/etc/passwd"


# -------------------------------------------------------------------------------------------------------- contents


@pytest.mark.parametrize("name", ["inner.zip", "deals.csv"])
def test_an_archive_within_an_archive_is_refused(tmp_path: Path, name: str) -> None:
    inner = packed(tmp_path / "inner.zip", {"deals.csv": CSV}).read_bytes()
    for content in (inner, gzip.compress(CSV.encode())):
        path = packed(tmp_path / "a.zip", {"good.csv": CSV, name: content})
        with pytest.raises(Refused, match=f"'{name}' is an archive within the archive; unpack it first"):
            archive.members(path, LIMITS)
    (tmp_path / "inner.csv.gz").write_bytes(gzip.compress(inner))
    assert "an archive within the archive" in refused(tmp_path, tmp_path / "inner.csv.gz")


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    path = claiming(packed(tmp_path / "a.zip", {"deals.csv": CSV}), "deals.csv", flags=1)
    assert "deals.csv is encrypted; pack it again without a password" in refused(tmp_path, path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_refused(tmp_path: Path, method: int) -> None:
    assert "pack it again as a plain zip" in refused(tmp_path, packed(tmp_path / "a.zip", {"deals.csv": CSV}, method))


def test_other_bytes_than_the_checksum_says_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"deals.csv": CSV}, zipfile.ZIP_STORED)
    assert "deals.csv is damaged" in refused(tmp_path, renamed(path, b"D1,100", b"D1,900"))


@pytest.mark.parametrize("kept", [5, 40, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("pack", ["zip", "gz"])
def test_cut_archives_are_refused(tmp_path: Path, kept: float, pack: str) -> None:
    text = "".join(random.Random(1).choices("abcdefgh", k=100_000))
    path = tmp_path / f"deals.csv.{pack}"
    if pack == "zip":
        packed(path, {"deals.csv": text})
    else:
        path.write_bytes(gzip.compress(text.encode()))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    assert archive.is_archive(path)
    assert "damaged" in refused(tmp_path, path)


@pytest.mark.parametrize("seed", range(3))
def test_mutated_archives_are_refused_or_whole(tmp_path: Path, seed: int) -> None:
    """Bytes changed anywhere: never another error, never a file outside the folder, never other text."""
    chance = random.Random(seed)
    whole = packed(tmp_path / "whole.zip", {"a.csv": CSV, "b/c.csv": CSV * 20}).read_bytes()
    ends = {"read": 0, "refused": 0}
    for number_ in range(300):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path, into = tmp_path / "a.zip", tmp_path / f"into{number_}"
        path.write_bytes(content)
        try:
            found = archive.unpack(path, into, LIMITS)
        except Refused:
            ends["refused"] += 1
        else:
            ends["read"] += 1
            assert all(
                one.is_relative_to(into) and set(one.read_text().splitlines()) <= set(CSV.splitlines()) for one in found
            )
    assert ends["read"] > 10
    assert ends["refused"] > 100
