"""A source that changes: columns, words, readings; and damage that a spreadsheet did, refused with its proof."""

from pathlib import Path

import pytest
from tests.river import table, take_in_text

from groundswell.connectors.files.read import Refused
from groundswell.engine.home import Home
from groundswell.records.loads import Load

MAPPING = """[source]
name = "crm"
drift = "{}"
owner = "data@vendor.example"
currency = "USD"
[[file]]
[[file.row]]
table = "deals"
external_id = "{{id}}"
name = "id"
stage = "stage"
stage_class = {{ header = "stage", values = {{ "Closed Won" = "won", "Won" = "won" }}, else = "open" }}
amount = "amount"
"""


def mapping(tmp_path: Path, drift: str = "evolve") -> Path:
    path = tmp_path / f"{drift}.toml"
    path.write_text(MAPPING.format(drift))
    return path


def deals(rows: list[tuple[str, str, str]], more: str = "") -> str:
    return f"id;stage;amount{';' + more if more else ''}\n" + "".join(
        ";".join(row) + (";x\n" if more else "\n") for row in rows
    )


ROWS = [(f"D{n}", "Closed Won" if n % 2 else "Open", f"{n + 1}234.50") for n in range(8)]


def notes(load: Load) -> list[str]:
    return [note for note in load.report["notes"] if note.startswith("otherwise")]


def test_a_new_column_and_a_renamed_stage_are_told(home: Home, tmp_path: Path) -> None:
    first = take_in_text(home, "d1.csv", deals(ROWS), "2026-01-20", mapping=mapping(tmp_path))
    assert notes(first) == []
    renamed = [(key, stage.replace("Closed Won", "Won"), amount) for key, stage, amount in ROWS]
    load = take_in_text(home, "d2.csv", deals(renamed, "region"), "2026-02-20", mapping=mapping(tmp_path))
    assert notes(load) == [
        "otherwise than in L000001: new columns region",
        "otherwise than in L000001: deals.stage says Won for the first time, while Closed Won does not come any more: renamed?",
    ]
    again = take_in_text(home, "d3.csv", deals(ROWS[:3]), "2026-03-20", mapping=mapping(tmp_path))
    assert notes(again)[0] == "otherwise than in L000002: columns region are gone"


def test_frozen_sources_stop_and_name_whom_to_tell(home: Home, tmp_path: Path) -> None:
    take_in_text(home, "d1.csv", deals(ROWS), "2026-01-20", mapping=mapping(tmp_path, "freeze"))
    with pytest.raises(Refused, match=r"new columns region\. Tell data@vendor\.example"):
        take_in_text(home, "d2.csv", deals(ROWS, "region"), "2026-02-20", mapping=mapping(tmp_path, "freeze"))
    with pytest.raises(Refused, match=r"deals\.stage says Stalled for the first time"):
        take_in_text(
            home, "d2.csv", deals([*ROWS, ("D9", "Stalled", "1")]), "2026-02-20", mapping=mapping(tmp_path, "freeze")
        )
    assert Load.objects.count() == 1
    assert len(table(home, "deals", "2026-03-01")) == 8
    take_in_text(home, "d2.csv", deals(ROWS[:4]), "2026-02-20", mapping=mapping(tmp_path, "freeze"))


def test_a_reading_that_turns_round_is_told(home: Home, tmp_path: Path) -> None:
    take_in_text(home, "d1.csv", deals(ROWS), "2026-01-20", mapping=mapping(tmp_path))
    load = take_in_text(home, "d2.csv", deals([("D9", "Open", "9.876,25")]), "2026-02-20", mapping=mapping(tmp_path))
    assert notes(load) == ["otherwise than in L000001: amount was read as . and now proves ,"]


# ------------------------------------------------------------------------------------------------- proven damage


def test_amounts_that_all_moved_by_one_power_of_ten_are_refused_with_the_proof(home: Home, tmp_path: Path) -> None:
    take_in_text(home, "d1.csv", deals(ROWS), "2026-01-20", mapping=mapping(tmp_path))
    moved = [(key, stage, amount.replace(".", "")) for key, stage, amount in ROWS]
    with pytest.raises(Refused) as refused:
        take_in_text(home, "d2.csv", deals(moved), "2026-02-20", mapping=mapping(tmp_path))
    assert "deals.amount: 8 of 8 amounts that changed are those of before times 100" in str(refused.value)
    assert "D0 (line 2) was 1234.5000, is 123450.0000" in str(refused.value)
    assert {row["amount"] for row in table(home, "deals", "2026-03-01")} == {f"{n + 1}234.5000" for n in range(8)}
    load = take_in_text(home, "d2.csv", deals(moved), "2026-02-20", mapping=mapping(tmp_path), answers={"moved": "yes"})
    assert load.loaded == 8


def test_real_changes_are_no_damage(home: Home, tmp_path: Path) -> None:
    take_in_text(home, "d1.csv", deals(ROWS), "2026-01-20", mapping=mapping(tmp_path))
    some = [(key, stage, "10" if n < 4 else amount) for n, (key, stage, amount) in enumerate(ROWS)]
    assert take_in_text(home, "d2.csv", deals(some), "2026-02-20", mapping=mapping(tmp_path)).loaded == 4
    ten = [(key, stage, "100" if n < 4 else amount) for n, (key, stage, amount) in enumerate(ROWS)]
    assert take_in_text(home, "d3.csv", deals(ten), "2026-03-20", mapping=mapping(tmp_path)).loaded == 4


HEAD = "deal_id,partner_id,role,stage_class,amount,currency,created_on,close_on\n"


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("D1,P1,sourced,open,1,USD,45123,", "created_on", "'45123' is a spreadsheet's number for a day (2023-07-16)"),
        ("D1,P1,sourced,open,1,USD,30:00.0,", "created_on", "'30:00.0' has lost its day in a spreadsheet"),
        ("D1,P1,sourced,open,1,USD,########,", "created_on", "'########' has lost its day in a spreadsheet"),
        (
            "1.23457E+17,P1,sourced,open,1,USD,2026-01-05,",
            "deal_id",
            "'1.23457E+17' is an id that a spreadsheet has cut",
        ),
        (
            "D1,1.23457E+17,sourced,open,1,USD,2026-01-05,",
            "partner_id",
            "'1.23457E+17' is an id that a spreadsheet has cut",
        ),
    ],
)
def test_what_a_spreadsheet_did_to_a_cell_is_named(home: Home, row: str, column: str, said: str) -> None:
    load = take_in_text(home, "deals.csv", HEAD + "1E5,P2,sourced,open,1,USD,2026-01-05,\n" + row + "\n", "2026-01-20")
    (aside,) = load.quarantine.all()
    assert (aside.line, aside.column, aside.reason) == (3, column, said)
    assert {row["external_id"] for row in table(home, "deals", "2026-02-01")} == {"1E5"}


@pytest.mark.parametrize(("way", "said"), [("right", "to the right"), ("left", "to the left")])
def test_cells_one_column_beside_their_headers_are_refused_with_the_proof(home: Home, way: str, said: str) -> None:
    rows = [f"D{n},P{n},sourced,open,{n}.50,USD,2026-01-05,2026-03-01" for n in range(9)]
    moved = [",".join([row.split(",")[-1], *row.split(",")[:-1]] if way == "right" else [*row.split(",")[1:], row.split(",")[0]])
             for row in rows]  # fmt: skip
    with pytest.raises(Refused) as refused:
        take_in_text(home, "deals.csv", HEAD + "\n".join(moved) + "\n", "2026-01-20")
    assert f"one column {said} of their headers: in line 2, 'D0' belongs under deal_id. 9 of 9 rows" in str(
        refused.value
    )
