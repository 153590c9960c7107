"""Whatever holds rows is taken in as what its bytes are: workbooks, archives, JSON, under any name."""

import datetime as dt
import gzip
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.river import assess, command, table, take_in

from groundswell.engine.home import Home

PARTNERS = [
    ["partner_id", "partner_name", "joined_on"],
    ["P1", "Nordwind", "2024-02-29"],
    ["P2", "=Ostwind", "2025-01-31"],
]
DEALS = [
    ["deal_id", "partner_id", "role", "stage_class", "amount", "currency", "created_on", "close_on"],
    ["D1", "P1", "sourced", "won", 1234.5, "USD", dt.date(2026, 1, 5), dt.date(2026, 3, 1)],
    ["D2", "P2", "sourced", "open", 1.234, "USD", dt.date(2026, 1, 5), None],
]
DAY = "2026-11-22"


def csv(rows: list[list[object]]) -> str:
    return "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)


def book(path: Path, **sheets: list[list[object]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row, start=1):
                sheet.cell(number, column).value = cell
                if isinstance(cell, str):
                    sheet.cell(number, column).data_type = "s"
    made.calculation.fullCalcOnLoad = False
    made.save(path)
    return path


def deals(home: Home) -> dict[str, tuple[str, str, str]]:
    return {
        row["external_id"]: (row["amount"], row["created_on"], row["close_on"]) for row in table(home, "deals", DAY)
    }


SAID = {"D1": ("1234.5000", "2026-01-05", "2026-03-01"), "D2": ("1.2340", "2026-01-05", "")}


def test_a_workbook_gives_each_of_its_known_sheets(home: Home, tmp_path: Path) -> None:
    path = book(tmp_path / "programme.xlsx", Partners=PARTNERS, Notes=[["to do"], ["call them"]], Deals=DEALS)
    done = command(home.path, "take-in", str(path), "--exported-at", "2026-09-01")
    assert done.returncode == 0, done.stderr
    assert "sheet Partners" in done.stdout
    assert "sheet Deals" in done.stdout
    assert "sheets left alone: Notes" in done.stdout
    assert deals(home) == SAID
    assert {row["name"] for row in table(home, "partners", DAY)} == {"Nordwind", "=Ostwind"}
    run = assess(home, DAY)
    assert run.manifest["partners"] == 2
    shown = command(home.path, "explain", "P1")
    assert "D1 | P1 | sourced | won | 1234.5" in shown.stdout


def test_one_sheet_can_be_named(home: Home, tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", Old=PARTNERS[:2], New=PARTNERS)
    done = command(home.path, "take-in", str(path), "--answer", "b.xlsx:sheet=New")
    assert done.returncode == 0, done.stderr
    assert "2 rows in = 2 loaded" in done.stdout
    assert "sheet Old" not in done.stdout


def test_a_workbook_called_csv_is_what_it_is(home: Home, tmp_path: Path) -> None:
    load = take_in(home, book(tmp_path / "deals.csv", Sheet1=DEALS), "2026-09-01")
    assert (load.rows_in, load.loaded, load.report["encoding"], load.report["sheet"]) == (2, 2, "xlsx", "Sheet1")
    assert deals(home) == SAID


def test_an_archive_gives_each_of_its_files(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/partners.csv", csv(PARTNERS))
        archive.writestr("a/deals.csv", csv(DEALS).replace(",1.234,", ",1.2340,"))
        archive.writestr("readme.txt", "nothing\n")
    done = command(home.path, "take-in", str(path), "--exported-at", "2026-09-01")
    assert done.returncode == 4  # the text is refused, the others are taken in
    assert "readme.txt" in done.stderr
    assert deals(home) == SAID
    assert not (home.path / "arriving").exists() or not list((home.path / "arriving").iterdir())


def test_a_packed_file_is_unpacked(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "partners.csv.gz"
    path.write_bytes(gzip.compress(csv(PARTNERS).encode()))
    done = command(home.path, "take-in", str(path))
    assert "2 rows in = 2 loaded" in done.stdout


@pytest.mark.parametrize("form", ["lines", "array"])
def test_json_objects_are_rows(home: Home, tmp_path: Path, form: str) -> None:
    rows = [dict(zip(DEALS[0], row, strict=True)) for row in DEALS[1:]]
    texts = [json.dumps(row, default=str) for row in rows]
    path = tmp_path / "deals.json"
    path.write_text("\n".join(texts) if form == "lines" else f"[{','.join(texts)}]", "utf-8")
    load = take_in(home, path, "2026-09-01")
    assert (load.rows_in, load.loaded, load.report["encoding"]) == (2, 2, "json")
    assert deals(home) == SAID


def test_typed_numbers_keep_their_point_in_any_locale(home: Home, tmp_path: Path) -> None:
    amounts = pa.array([Decimal("1.234"), Decimal("12.500")], pa.decimal128(12, 3))
    pq.write_table(pa.table({"id": ["1", "2"], "nm": [b"Acorn", b"Birch"], "st": ["open"] * 2, "amt": amounts}),
                   tmp_path / "d1.parquet")  # fmt: skip
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        '[source]\nname="dwh"\nlocale="de_DE"\ncurrency="USD"\n[[file]]\n[[file.row]]\ntable="deals"\nexternal_id="{id}"\n'
        'name="nm"\nstage="st"\nstage_class="st"\namount="amt"\n'
    )
    take_in(home, tmp_path / "d1.parquet", "2026-09-01", mapping=mapping)
    found = table(home, "deals", DAY)
    assert sorted((row["name"], row["amount"]) for row in found) == [("Acorn", "1.2340"), ("Birch", "12.5000")]
