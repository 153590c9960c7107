"""Archives of exports: a zip of files, or one file packed by gzip. Nothing in one is trusted: no name, no size."""

import gzip
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from groundswell.connectors.files import zipped
from groundswell.connectors.files.read import Refused
from groundswell.connectors.files.workbook import is_workbook

_GZIP = b"\x1f\x8b"
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What systems leave in an archive beside the files that were put in."""
_LONGEST_NAME = 255
"""Bytes of a name that file systems keep."""


def is_archive(path: Path) -> bool:
    """Whether the file is a zip that is no workbook, or packed by gzip; by its bytes, whatever its name says."""
    with path.open("rb") as file:
        head = file.read(4)
    return head.startswith(_GZIP) or (head in zipped.MAGIC and not is_workbook(path))


def members(path: Path, limits: dict[str, int]) -> list[str]:
    """Names of the files in an archive, as they stand in it. Litter of the system is left out.

    Raises Refused when the archive is one that no export is: see `unpack`.
    """
    if _is_gzip(path):
        return [_gzipped_name(path)]
    return [member.filename for member in _checked(path, limits)]


def unpack(path: Path, into: Path, limits: dict[str, int]) -> list[Path]:
    """Writes the files of an archive into an empty folder, under their names and folders; gives their paths.

    Raises Refused when the archive unpacks to more than `unpacked_bytes` or more than `ratio` times its size, holds
    more than `members` files, an archive, an encrypted file, a name that leads elsewhere or stands twice, or is
    damaged. Files written before that stay in `into`, which is the caller's to throw away.
    """
    if _is_gzip(path):
        target = into / _gzipped_name(path)
        _write(target, _gunzipped(path, limits))
        if is_archive(target):
            raise Refused(_nested(target.name))
        return [target]
    found = []
    checked = _checked(path, limits)
    with zipped.opened(path) as archive:
        for member in checked:
            target = into / member.filename
            _write(target, zipped.pieces(archive, member))
            found.append(target)
    return found


def _write(target: Path, pieces: Iterator[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        for piece in pieces:
            file.write(piece)


def _nested(name: str) -> str:
    return f"'{name}' is an archive within the archive; unpack it first"


# ------------------------------------------------------------------------------------------------------------- zip


def _checked(path: Path, limits: dict[str, int]) -> list[zipfile.ZipInfo]:
    zipped.check(path, limits)
    with zipped.opened(path) as archive:
        found = [member for member in archive.infolist() if not member.is_dir() and not _is_litter(member)]
        if not found:
            raise Refused("the zip holds no files; export it again")
        _check_names(found)
        for member in found:
            _check_not_nested(archive, member)
    return found


def _is_litter(member: zipfile.ZipInfo) -> bool:
    return any(part in _LITTER for part in PurePosixPath(member.filename).parts)


def _check_names(found: list[zipfile.ZipInfo]) -> None:
    """Every name leads to a place of its own below the folder, also where a disk does not tell cases apart."""
    taken: set[str] = set()
    folders: set[str] = set()
    for member in found:
        name = member.orig_filename  # `filename` is cut at a NUL
        parts = name.split("/")
        if not all(map(_is_plain, parts)):
            raise Refused(f"the zip names a file {name!r}, which leads out of the zip or is no name; pack it again")
        spelled = [unicodedata.normalize("NFC", part).casefold() for part in parts]
        place = "/".join(spelled)
        above = {"/".join(spelled[:depth]) for depth in range(1, len(spelled))}
        if place in taken or place in folders or above & taken:
            raise Refused(f"the zip names '{name}' twice; pack it again with each file once")
        taken.add(place)
        folders |= above


def _is_plain(part: str) -> bool:
    if part in ("", ".", "..") or "\\" in part or (len(part) == 2 and part[1] == ":"):
        return False
    return part.isprintable() and len(part.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME


def _check_not_nested(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """A workbook is a zip, too, and only its own directory tells: such a member is unpacked to be looked at."""
    pieces = zipped.pieces(archive, member)
    first = next(pieces, b"")
    if not first.startswith((_GZIP, *zipped.MAGIC)):
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "member"
        copy.write_bytes(first)
        with copy.open("ab") as file:
            for piece in pieces:
                file.write(piece)
        if is_archive(copy):
            raise Refused(_nested(member.filename))


# ------------------------------------------------------------------------------------------------------------ gzip


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _gzipped_name(path: Path) -> str:
    """The name of the packed file is that of the archive without its ending."""
    return path.name.removesuffix(".gz")


def _gunzipped(path: Path, limits: dict[str, int]) -> Iterator[bytes]:
    """gzip states no size that could be trusted, so what comes out is counted."""
    size, whole = path.stat().st_size, 0
    try:
        with gzip.open(path) as file:
            while piece := file.read(zipped.PIECE):
                whole += len(piece)
                if whole > limits["unpacked_bytes"]:
                    raise Refused(
                        f"the file unpacks to more than {limits['unpacked_bytes']:,} bytes; export it in smaller parts"
                    )
                zipped.check_ratio("the file", whole, size, limits)
                yield piece
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Refused(f"the gzip file is damaged ({error}); export or download it again") from error
