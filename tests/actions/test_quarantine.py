"""Rows in quarantine are exported, corrected and taken in again: what goes in is put right, and reverting takes it back."""

import csv
import datetime as dt
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.river import NOW, assess, table, take_in, take_in_text

from groundswell.actions.loads import revert
from groundswell.actions.quarantine import export, retry
from groundswell.connectors.files.read import Refused
from groundswell.core.tables.guard import guarded, unguarded
from groundswell.engine import durable
from groundswell.engine.home import Home
from groundswell.reads.explain import explain
from groundswell.reads.quarantine import LEADING, rows_aside
from groundswell.records.loads import Load, RetriedRow
from groundswell.runs.rebuild import health, rebuild

DAY = "2026-11-30"
LATER = NOW + dt.timedelta(days=1)
HEADER = "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on,close_on"
DEALS = f"""{HEADER}
D1,P1,sourced,Acme,Open,open,5,USD,13/04/2026,
D2,P1,sourced,Acme,Open,open,many,USD,04/05/2026,
D3,P1,sourced,Acme,Open,open,7,USD,30/02/2026,
D4,P1,sourced,"Acme, Inc.",Open,open,8
"""
Rows = list[dict[str, str]]


def told(load: Load) -> tuple[int, int, int, int]:
    assert load.state == "committed"
    assert load.rows_in == load.loaded + load.unchanged + load.quarantined
    return load.rows_in, load.loaded, load.unchanged, load.quarantined


def exported(home: Home, load: Load) -> Rows:
    path = home.path.parent / "fix.csv"
    assert export(home, load.name, path).rows == load.quarantined
    return read(path)


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [[unguarded(cell) for cell in row] for row in csv.reader(file, strict=True)]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def write(home: Home, rows: Rows, name: str = "fix.csv", delimiter: str = ",") -> Path:
    """A corrected file as a spreadsheet saves it: guards as they were exported."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([[guarded(cell) for cell in row] for row in [list(rows[0]), *(row.values() for row in rows)]])
    path = home.path.parent / name
    path.write_bytes(out.getvalue().encode())
    return path


def correct(rows: Rows, **cells: dict[str, str]) -> Rows:
    """The rows with other cells, by line: correct(rows, _3={"amount": "6"})."""
    return [{**row, **cells.get(f"_{row['_line']}", {})} for row in rows]


def standing(load: Load | None = None) -> list[tuple[str, int]]:
    return [(one.row.load.name, one.row.line) for one in rows_aside() if not one.since and load in (None, one.row.load)]


def since() -> dict[tuple[str, int], str]:
    return {(one.row.load.name, one.row.line): one.since for one in rows_aside()}


def deals(home: Home, as_of: str = DAY) -> dict[str, tuple[str, str]]:
    return {row["external_id"]: (row["amount"], row["created_on"]) for row in table(home, "deals", as_of)}


D4 = ["D4", "P1", "sourced", "Acme, Inc.", "Open", "open", "8", "USD", "01/06/2026", ""]
SPREAD = dict(zip(HEADER.split(","), D4, strict=True))


@pytest.fixture
def first(home: Home) -> Load:
    """A load of which three rows are set aside: an amount, a day, and one that has too few cells."""
    load = take_in_text(home, "deals.csv", DEALS, "2026-09-01")
    assert told(load) == (4, 1, 0, 3)
    return load


# ----------------------------------------------------------------------------------------------------- the whole cycle


def test_exported_rows_are_those_of_the_file_with_what_is_wrong_before_them(home: Home, first: Load) -> None:
    path = home.path.parent / "fix.csv"
    assert (export(home, first.name, path).whole, export(home, first.name, path).whole_in) == (1, "deal_id")
    rows = read(path)
    assert list(rows[0]) == [*LEADING, *HEADER.split(",")]
    assert [tuple(row[name] for name in LEADING) for row in rows] == [
        ("L000001", "3", "amount", "'many' is not a number", "write it as 1234.50"),
        ("L000001", "4", "created_on", "'30/02/2026' is not a day of the calendar",
         "correct the date in the source, or empty the cell"),
        ("L000001", "5", "", "the row has 7 cells, the header has 10",
         "quote cells that hold the delimiter, or fill the missing cells"),
    ]  # fmt: skip
    assert [list(row.values())[5:] for row in rows[:2]] == [line.split(",") for line in DEALS.splitlines()[2:4]]
    assert list(rows[2].values())[5:] == ["D4 | P1 | sourced | Acme, Inc. | Open | open | 8", *[""] * 9]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_corrected_rows_go_in_as_their_load_would_have_read_them(home: Home, first: Load, delimiter: str) -> None:
    rows = correct(exported(home, first), _3={"amount": "6"}, _4={"created_on": "01/03/2026"}, _5=SPREAD)
    load = retry(home, write(home, rows, delimiter=delimiter), LATER)
    assert told(load) == (3, 3, 0, 0)
    assert (load.source, load.format, load.known_at, load.dated) == ("generic", "generic_deals", first.known_at, True)
    # 04/05/2026 is the fourth of May, as the first load proved: nothing in the corrected file does.
    assert deals(home, "2026-09-02") == {
        "D1": ("5.0000", "2026-04-13"), "D2": ("6.0000", "2026-05-04"), "D3": ("7.0000", "2026-03-01"),
        "D4": ("8.0000", "2026-06-01"),
    }  # fmt: skip
    assert deals(home, "2026-08-30") == {}
    (row,) = [row for row in table(home, "deals", DAY) if row["external_id"] == "D3"]
    assert (row["load_id"], row["line"], row["landing"]) == (load.name, "3", load.landing)
    assert standing() == []
    assert since() == {("L000001", line): "put right by L000002" for line in (3, 4, 5)}
    assert not set(LEADING) & set(load.report["columns_unmapped"])
    assert not [note for note in load.report["notes"] if note.startswith("otherwise than")]


def test_a_load_without_a_date_is_retried_as_known_now(home: Home) -> None:
    first = take_in_text(home, "deals.csv", DEALS)
    load = retry(home, write(home, correct(exported(home, first)[:1], _3={"amount": "6"})), LATER)
    assert (load.known_at, load.dated, load.loaded) == (LATER, False, 1)
    assert standing() == [("L000001", 4), ("L000001", 5)]


def test_rows_that_fail_again_are_set_aside_again_and_can_be_retried_from_there(home: Home, first: Load) -> None:
    rows = correct(exported(home, first)[:2], _3={"amount": "6"}, _4={"created_on": "31/02/2026"})
    second = retry(home, write(home, rows), LATER)
    assert told(second) == (2, 1, 0, 1)
    assert since() == {
        ("L000001", 3): "put right by L000002", ("L000001", 4): "tried again in L000002", ("L000001", 5): "",
        ("L000002", 3): "",
    }  # fmt: skip
    again = exported(home, second)
    assert list(again[0]) == [*LEADING, *HEADER.split(",")]
    assert (again[0]["_load"], again[0]["_line"], again[0]["created_on"]) == ("L000002", "3", "31/02/2026")
    third = retry(home, write(home, correct(again, _3={"created_on": "28/02/2026"}), "fix2.csv"), LATER)
    assert told(third) == (1, 1, 0, 0)
    assert deals(home)["D3"] == ("7.0000", "2026-02-28")
    assert standing() == [("L000001", 5)]
    assert since()["L000001", 4] == since()["L000002", 3] == "put right by L000003"


def test_the_first_file_can_be_corrected_further_and_retried_again(home: Home, first: Load) -> None:
    rows = correct(exported(home, first)[:2], _3={"amount": "6"}, _4={"created_on": "31/02/2026"})
    retry(home, write(home, rows), LATER)
    third = retry(home, write(home, correct(rows, _4={"created_on": "28/02/2026"})), LATER)
    assert told(third) == (2, 1, 1, 0)
    assert standing() == [("L000001", 5)]


def test_one_row_that_becomes_two_is_put_right_when_both_go_in(home: Home, first: Load) -> None:
    (row,) = exported(home, first)[:1]
    pair = [{**row, "amount": "6"}, {**row, "deal_id": "D20", "amount": "some"}]
    second = retry(home, write(home, pair), LATER)
    assert told(second) == (2, 1, 0, 1)
    assert ("L000002", 3) in standing()
    pair[1]["amount"] = "6"
    retry(home, write(home, pair), LATER)
    assert standing() == [("L000001", 4), ("L000001", 5)]


def test_a_file_of_which_no_row_goes_in_is_refused_and_changes_nothing(home: Home, first: Load) -> None:
    path = write(home, exported(home, first)[:2])
    with pytest.raises(Refused, match=r"all 2 rows would be quarantined.*line 2; most often"):
        retry(home, path, LATER)
    assert standing() == [("L000001", line) for line in (3, 4, 5)]
    assert Load.objects.count() == 1


# --------------------------------------------------------------------------------------------------------- revert


def test_reverting_a_retry_puts_its_rows_back_into_quarantine(home: Home, first: Load) -> None:
    rows = correct(exported(home, first)[:2], _3={"amount": "6"}, _4={"created_on": "31/02/2026"})
    second = retry(home, write(home, rows), LATER)
    third = retry(home, write(home, correct(exported(home, second), _3={"created_on": "28/02/2026"}), "b.csv"), LATER)
    revert(home, third.name, "wrong day", LATER)
    assert standing() == [("L000001", 5), ("L000002", 3)]
    assert set(deals(home)) == {"D1", "D2"}
    revert(home, second.name, "wrong amount", LATER)
    assert standing() == [("L000001", line) for line in (3, 4, 5)]
    assert set(deals(home)) == {"D1"}
    retry(home, write(home, correct(rows, _4={"created_on": "27/02/2026"})), LATER)
    assert standing() == [("L000001", 5)]


def test_what_a_later_retry_put_right_stays_right_when_a_failed_one_between_is_reverted(
    home: Home, first: Load
) -> None:
    rows = correct(exported(home, first)[:2], _3={"amount": "6"}, _4={"created_on": "31/02/2026"})
    second = retry(home, write(home, rows), LATER)
    retry(home, write(home, correct(exported(home, second), _3={"created_on": "28/02/2026"}), "b.csv"), LATER)
    revert(home, second.name, "wrong amount", LATER)
    assert standing() == [("L000001", 3), ("L000001", 5)]


def test_rows_of_a_reverted_load_stand_no_more_and_cannot_be_retried(home: Home, first: Load) -> None:
    path = write(home, correct(exported(home, first)[:1], _3={"amount": "6"}))
    revert(home, first.name, "wrong month", LATER)
    assert standing() == []
    for act in (lambda: retry(home, path, LATER), lambda: export(home, first.name, path)):
        with pytest.raises(Refused, match="L000001 was reverted; take its file in again instead"):
            act()


def test_the_same_file_again_does_not_bring_back_what_was_put_right(home: Home, first: Load) -> None:
    again = take_in_text(home, "deals.csv", DEALS, "2026-09-01")
    assert standing() == [(again.name, line) for line in (3, 4, 5)]
    assert since()["L000001", 3] == "again in L000002"
    retry(home, write(home, correct(exported(home, again)[:1], _3={"amount": "6"})), LATER)
    take_in_text(home, "deals.csv", DEALS, "2026-09-01")
    assert standing() == [("L000004", 4), ("L000004", 5)]


# ------------------------------------------------------------------------------------- mappings, hostile texts, rebuild

MAPPING = """[source]
name = "stock"
locale = "de_DE"

[[file]]
match = "stock*.csv"

[[file.row]]
table = "organisations"
external_id = "{Nr}"
name = "=Firma"
is_partner = { const = true }
is_customer = { const = false }
industry = { lookup = "words.csv", on = "Typ", take = "Wort" }
created_on = "Seit"
"""


def stock(home: Home, text: str, encoding: str = "utf-8") -> Load:
    folder = home.path.parent / "exports"
    folder.mkdir()
    (folder / "stock.toml").write_text(MAPPING, "utf-8")
    (folder / "words.csv").write_text("Typ,Wort\nH,Händler\n", "utf-8")
    (folder / "stock-1.csv").write_bytes(text.encode(encoding))
    answers = {"encoding": encoding}
    load = take_in(home, folder / "stock-1.csv", "2026-09-01", mapping=folder / "stock.toml", answers=answers)
    shutil.rmtree(folder)  # whatever a retry needs was kept
    return load


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_load_with_a_mapping_is_retried_with_it(home: Home, encoding: str) -> None:
    text = "Übersicht;;;\nNr;=Firma;Typ;Seit;\n1;Süd;H;01.02.2020;\n2;Ost;H;31.02.2020;\n".replace(";\n", "\n")
    first = stock(home, text, encoding)
    assert told(first) == (2, 1, 0, 1)
    load = retry(home, write(home, correct(exported(home, first), _4={"Seit": "01.03.2020", "=Firma": "Öst"})), LATER)
    assert (told(load), load.source, load.format) == ((1, 1, 0, 0), "stock", "stock*.csv")
    found = {
        row["external_id"]: (row["name"], row["industry"], row["created_on"])
        for row in table(home, "organisations", DAY)
    }
    assert found == {"1": ("Süd", "Händler", "2020-02-01"), "2": ("Öst", "Händler", "2020-03-01")}
    assert standing() == []


def test_rows_of_a_parquet_file_are_retried_as_csv(home: Home) -> None:
    folder = home.path.parent / "files"
    folder.mkdir()
    columns = {"Nr": [1, 2], "=Firma": ["Süd", None], "Typ": ["H", "H"], "Seit": [dt.date(2020, 2, 1)] * 2}
    pq.write_table(pa.table(columns), folder / "stock.parquet")
    (folder / "words.csv").write_text("Typ,Wort\nH,Händler\n", "utf-8")
    (folder / "stock.toml").write_text(MAPPING.replace("stock*.csv", "stock*"), "utf-8")
    first = take_in(home, folder / "stock.parquet", "2026-09-01", mapping=folder / "stock.toml")
    rows = exported(home, first)
    assert [list(row.values())[5:] for row in rows] == [["2", "", "H", "2020-02-01"]]
    assert told(retry(home, write(home, correct(rows, _2={"=Firma": "Ost"})), LATER)) == (1, 1, 0, 0)
    assert {row["name"] for row in table(home, "organisations", DAY)} == {"Süd", "Ost"}


HOSTILE = ["=cmd|'/c calc'!A0", '=HYPERLINK("http://x","y")', "'=1", "''", "@a", "-1+2", "a;b,c|d\te", "two\nlines", "a\r\nb",
           "cr\ralone", 'quo"te', '"', "＝1", "_x000D_", "<b>", "' =1"]  # fmt: skip


def test_hostile_cells_come_through_export_and_retry_as_they_were(home: Home) -> None:
    lines = ["partner_id,partner_name,country,joined_on"]
    for number, text in enumerate(HOSTILE):
        cell = guarded(text).replace('"', '""')
        lines.append(f'"{cell}","{cell}",DE,{"2026-01-01" if number == 0 else "2026-02-30"}')
    first = take_in_text(home, "partners.csv", "\n".join(lines), "2026-09-01")
    assert told(first) == (len(HOSTILE), 1, 0, len(HOSTILE) - 1)
    rows = exported(home, first)
    assert [row["partner_name"] for row in rows] == HOSTILE[1:]
    lines_of = (home.path.parent / "fix.csv").read_text("utf-8")
    assert not any(
        cell.lstrip()[:1] in tuple("=+-@＝") for row in csv.reader(io.StringIO(lines_of)) for cell in row if cell
    )
    load = retry(home, write(home, [{**row, "joined_on": "2026-02-28"} for row in rows]), LATER)
    assert told(load) == (len(HOSTILE) - 1, len(HOSTILE) - 1, 0, 0)
    names = {row["external_id"]: row["name"] for row in table(home, "organisations", DAY)}
    assert names == {text: text for text in HOSTILE}


def test_the_lake_made_anew_after_a_retry_equals_the_ledger(home: Home, first: Load) -> None:
    rows = correct(exported(home, first), _3={"amount": "6"}, _4={"created_on": "31/02/2026"}, _5=SPREAD)
    second = retry(home, write(home, rows), LATER)
    mapped = stock(home, "Nr;=Firma;Typ;Seit\n1;Süd;H;01.02.2020\n2;Ost;H;31.02.2020\n")
    retry(home, write(home, correct(exported(home, mapped), _3={"Seit": "01.03.2020"})), LATER)
    # Something older arrives, so the retries are compared anew from their own landings.
    take_in_text(home, "deals.csv", DEALS.replace(",5,", ",4,").replace("many", "3"), "2026-08-01")
    before = {path.relative_to(home.lake): path.read_bytes() for path in home.lake.rglob("*.parquet")}
    assert any(second.name in str(path) for path in before)
    shutil.rmtree(home.lake)
    assert rebuild(home, LATER) == []
    assert {path.relative_to(home.lake): path.read_bytes() for path in home.lake.rglob("*.parquet")} == before
    assert health(home).faults == []


def test_a_retry_that_is_compared_anew_is_read_with_its_mapping(home: Home) -> None:
    first = stock(home, "Nr;=Firma;Typ;Seit\n1;Süd;H;01.02.2020\n2;Ost;H;31.02.2020\n")
    fixed = write(home, correct(exported(home, first), _3={"Seit": "01.03.2020"}))
    retry(home, fixed, LATER)
    third = retry(home, fixed, LATER + dt.timedelta(hours=1))
    assert told(third) == (1, 0, 1, 0)
    added = revert(home, "L000002", "by mistake", LATER + dt.timedelta(hours=2))
    assert [(load.again_of_id, load.loaded) for load in added] == [(3, 1)]
    assert {row["external_id"] for row in table(home, "organisations", DAY)} == {"1", "2"}
    assert standing() == []


def test_what_fails_before_the_commit_marks_nothing(home: Home, first: Load) -> None:
    def stop(what: str, path: Path) -> None:
        if what == "commit":
            raise OSError("no more")

    path = write(home, correct(exported(home, first)[:1], _3={"amount": "6"}))
    durable.hook = stop
    try:
        with pytest.raises(OSError, match="no more"):
            retry(home, path, LATER)
    finally:
        durable.hook = None
    assert not RetriedRow.objects.exists()
    assert ("L000001", 3) in standing()
    assert told(retry(home, path, LATER)) == (1, 1, 0, 0)


# -------------------------------------------------------------------------------------------------------- what is refused


def _without(name: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{k: v for k, v in row.items() if k != name} for row in rows]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without("_line"), "its first line does not name _load, _line, _column, _reason, _remedy"),
        (lambda rows: correct(rows, _3={"_line": "77"}), "line 2, _line: L000001 set no row of line '77' aside"),
        (lambda rows: correct(rows, _3={"_line": ""}), "line 2, _line: L000001 set no row of line '' aside"),
        (lambda rows: correct(rows, _3={"_load": "L000009"}), "its rows are of L000001, L000009"),
        (lambda rows: [{**row, "_load": "L000009"} for row in rows], "there is no load 'L000009'"),
        (lambda rows: rows, "line 4: the whole text of the row still stands in its first cell"),
        (lambda rows: [{**row, "deal_id": "\x00"} for row in rows[:1]], "the cell holds a NUL character"),
        (_without("deal_id"), "which also needs deal_id"),
    ],
)
def test_a_file_that_can_only_be_guessed_is_refused(
    home: Home, first: Load, change: Callable[[Rows], Rows], said: str
) -> None:
    path = write(home, change(exported(home, first)))
    with pytest.raises(Refused) as error:
        retry(home, path, LATER)
    assert said in str(error.value)
    assert (Load.objects.count(), len(standing())) == (1, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 bytes"),
        ("_load,_line,_column,_reason,_remedy,a\n", "it has no rows"),
        ("_load,_line,_column,_reason,_remedy,a\nL000001,3,,,\n", "line 2: the row has 5 cells, the header has 6"),
        ('_load,_line,_column,_reason,_remedy,a\nL000001,3,,,,"x\n', "line 2: a quote is opened and never closed"),
        ("_load,_line,_column,_reason,_remedy,M\xfcller\n", "it is not UTF-8; save it as CSV (UTF-8)"),
    ],
)
def test_a_damaged_file_is_refused(home: Home, first: Load, text: str, said: str) -> None:
    path = home.path.parent / "fix.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Refused) as error:
        retry(home, path, LATER)
    assert said in str(error.value)


def test_nothing_to_export_is_refused_and_writes_nothing(home: Home) -> None:
    load = take_in_text(home, "partners.csv", "partner_id,partner_name\nP1,Nordwind\n", "2026-09-01")
    path = home.path.parent / "fix.csv"
    with pytest.raises(Refused, match="nothing stands in the quarantine of L000001"):
        export(home, load.name, path)
    assert not path.exists()


def test_a_remedy_that_is_followed_to_the_letter_puts_the_row_right(home: Home) -> None:
    text = "deal_id;partner_id;role;customer_name;stage;stage_class;amount;currency;created_on\n" + "".join(
        f"{deal};P1;sourced;Acme;Open;open;{amount};EUR;2026-04-13\n"
        for deal, amount in {"D1": "1.234,50", "D2": "many", "D3": "7,1,2"}.items()
    )
    load = take_in_text(home, "deals.csv", text, "2026-09-01")
    rows = exported(home, load)
    assert {row["_remedy"] for row in rows} == {"write it as 1234,50"}
    fixed = [{**row, "amount": row["_remedy"].removeprefix("write it as ")} for row in rows]
    assert told(retry(home, write(home, fixed), LATER)) == (2, 2, 0, 0)


def test_evidence_of_a_row_put_right_is_the_row_alone_with_where_it_stood(home: Home, first: Load) -> None:
    load = retry(home, write(home, correct(exported(home, first)[:1], _3={"amount": "6"})), LATER)
    assess(home, "2026-09-30")
    found = {
        row.line: row for one in explain(home, "P1", 9).evidence.values() for row in one.rows if row.load == load.name
    }
    assert found[2].text == "D2,P1,sourced,Acme,Open,open,6,USD,04/05/2026,"
    assert (found[2].file_name, found[2].corrects) == ("fix.csv", "deals.csv line 3 (L000001)")
