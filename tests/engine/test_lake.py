"""The lake: a commit counts once, and what no committed load names is not seen."""

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.river import NOW, assess, results, table, take_in_text
from tests.stories.instances import differing, facts, lake_files

from groundswell.core.tables.contract import TABLES
from groundswell.engine import lake
from groundswell.engine.home import Damaged, Home
from groundswell.records.loads import Load
from groundswell.runs.rebuild import health, rebuild

DAY = "2026-09-30"
PARTNERS = "partner_id,partner_name,country\nP1,Nordwind,DE\nP2,Ostwind,DE\n"


def rows_in_log(root: Path, name: str) -> int:
    """The rows that other readers of the Delta table see."""
    paths = [
        str(root / name / path) for path in DeltaTable(str(root / name)).get_add_actions().column("path").to_pylist()
    ]
    return sum(pq.read_metadata(path).num_rows for path in paths)


def stray(root: Path, name: str, load_id: str) -> Path:
    """A file of a table beside those of the loads, with a partner that nobody took in."""
    (first, *_) = sorted((root / name).glob("L*.parquet"))
    rows = pq.read_table(first).slice(0, 1)
    for column, value in (("own_id", "o_stray"), ("external_id", "P9"), ("name", "Stray"), ("load_id", load_id)):
        place = rows.schema.get_field_index(column)
        rows = rows.set_column(place, rows.schema.field(place), pa.array([value], rows.schema.field(place).type))
    path = lake.file_of(root, name, load_id)
    pq.write_table(rows, path)
    return path


def test_committing_a_load_twice_does_not_double_it(tmp_path: Path) -> None:
    lake.open_table(tmp_path, "organisations")
    path = lake.file_of(tmp_path, "organisations", "L000001")
    empty = lake.schema("organisations").empty_table()
    pq.write_table(pa.concat_tables([empty, one_row()]), path)
    for _ in range(3):
        lake.commit(tmp_path, "organisations", "L000001", 1)
    found = DeltaTable(str(tmp_path / "organisations"))
    assert found.version() == 1
    assert rows_in_log(tmp_path, "organisations") == 1
    assert found.transaction_version("L000001") == 1
    assert found.transaction_version("L000002") is None
    other = lake.file_of(tmp_path, "organisations", "L000002")
    pq.write_table(one_row(), other)
    lake.commit(tmp_path, "organisations", "L000002", 1)
    lake.commit(tmp_path, "organisations", "L000001", 1)
    assert rows_in_log(tmp_path, "organisations") == 2


def one_row() -> pa.Table:
    schema = lake.schema("organisations")
    values = {
        "own_id": "o_1", "known_at": dt.datetime(2026, 9, 1, tzinfo=dt.UTC), "known_by": "arrival", "source": "generic",
        "object": "organisations", "external_id": "P1", "row_hash": "x", "load_id": "L000001", "landing": "y", "line": 2,
        "deleted": False, "mention": False, "name": "Nordwind", "is_partner": True, "is_customer": False,
    }  # fmt: skip
    return pa.Table.from_pylist([values], schema=schema)


def given_up(number: int) -> Load:
    """A load whose writer was killed before it committed."""
    return Load.objects.create(
        number=number, file_name="dead.csv", landing="0" * 64, source="generic", format="generic_partners", arrived_at=NOW,
        known_at=NOW, dated=False, request={"beside": {}}, state="abandoned",
    )  # fmt: skip


def test_an_orphan_commit_is_invisible(home: Home) -> None:
    """Committed to Delta, then killed before the ledger row: nobody reads it, and the next load does not mind it."""
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    before, ready = facts(home, DAY), results(home, assess(home, DAY))
    stray(home.lake, "organisations", given_up(77).name)
    lake.commit(home.lake, "organisations", "L000077", 1)
    assert rows_in_log(home.lake, "organisations") == 3
    assert differing(facts(home, DAY), before) == {}
    assert results(home, assess(home, DAY)) == ready
    assert health(home).faults == []
    load = take_in_text(home, "more.csv", PARTNERS + "P3,Westwind,DE\n", "2026-09-02")
    assert (load.loaded, load.unchanged) == (1, 2)
    assert {row["external_id"] for row in table(home, "organisations", DAY)} == {"P1", "P2", "P3"}
    assert rebuild(home, NOW) == []
    assert rows_in_log(home.lake, "organisations") == 3  # the orphan is gone with the old lake


def test_a_pending_load_with_all_its_files_is_invisible_and_given_up(home: Home) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    before = facts(home, DAY)
    dead = Load.objects.create(
        file_name="dead.csv", landing="0" * 64, source="generic", format="generic_partners", arrived_at=NOW, known_at=NOW,
        dated=False, request={},
    )  # fmt: skip
    stray(home.lake, "organisations", dead.name)
    lake.commit(home.lake, "organisations", dead.name, 1)
    assert differing(facts(home, DAY), before) == {}
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-02")
    dead.refresh_from_db()
    assert dead.state == "abandoned"
    assert differing(facts(home, DAY), before) == {}


@pytest.mark.parametrize("name", ["L000077", "part-00000"])
def test_a_file_that_was_written_and_not_committed_is_invisible(home: Home, name: str) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    before = facts(home, DAY)
    given_up(77)
    stray(home.lake, "organisations", name)
    assert rows_in_log(home.lake, "organisations") == 2
    assert differing(facts(home, DAY), before) == {}
    assert health(home).faults == []
    assert "1 lake files are named by no committed load; nothing of them is seen" in health(home).remarks
    assert {row["external_id"] for row in table(home, "organisations", DAY)} == {"P1", "P2"}


def test_a_file_of_the_lake_is_never_written_over(home: Home) -> None:
    """A file under the name of a load to come: the ledger is older than the lake, as after a restore of one of them."""
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    path = stray(home.lake, "organisations", "L000002")
    content, more = path.read_bytes(), PARTNERS.replace("Ostwind", "Westwind")
    for _ in range(3):  # a number that was spent on a refusal does not open the way
        with pytest.raises(Damaged, match=r"lake/organisations/L000002.parquet .* does not know.*doctor --rebuild"):
            take_in_text(home, "more.csv", more, "2026-09-02")
    with pytest.raises(Damaged, match="does not know"):
        assess(home, DAY)
    (fault,) = health(home).faults
    assert "lake/organisations/L000002.parquet" in fault
    with pytest.raises(FileExistsError, match="is not written over"):
        lake.new_file(home.lake, "organisations", "L000002")
    assert path.read_bytes() == content
    assert rebuild(home, NOW) == []
    load = take_in_text(home, "more.csv", more, "2026-09-02")
    assert (load.name, load.loaded) == ("L000002", 1)
    assert {row["name"] for row in table(home, "organisations", DAY)} == {"Nordwind", "Westwind"}
    assert health(home).faults == []


def test_every_load_is_one_commit_a_table_for_every_reader(home: Home) -> None:
    """Other engines read the Delta table itself: the rows of its log are those of the ledger."""
    for number in (1, 2, 3):
        take_in_text(home, "partners.csv", PARTNERS + f"P{number + 2},Partner,DE\n", f"2026-09-0{number}")
    for name in ("organisations", "memberships"):
        found = DeltaTable(str(home.lake / name))
        assert found.version() == 3
        assert [found.transaction_version(f"L00000{number}") for number in (1, 2, 3)] == [1, 1, 1]
        assert rows_in_log(home.lake, name) == sum(
            file.rows for load in Load.objects.all() for file in load.files.filter(table=name)
        )
        stats = [
            json.loads(line)["add"]["stats"]
            for entry in sorted((home.lake / name / "_delta_log").glob("*.json"))
            for line in entry.read_text("utf-8").splitlines()
            if "add" in json.loads(line)
        ]
        assert [json.loads(one)["numRecords"] for one in stats] == [3, 1, 1]


def test_files_of_a_run_are_pinned_by_their_hash(home: Home) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    run = assess(home, DAY)
    take_in_text(home, "more.csv", PARTNERS.replace("Ostwind", "Westwind"), "2026-09-02")
    pinned = {(load, name): digest for name, load, digest in run.manifest["files"]}
    files = lake_files(home)
    assert pinned == {key: files[key] for key in pinned}
    assert {load for load, _ in pinned} == {"L000001"}


def test_tables_are_written_as_the_contract_says(home: Home) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    for (load, name), _ in lake_files(home).items():
        found = pq.read_schema(lake.file_of(home.lake, name, load))
        wanted = lake.schema(name)
        # Parquet calls the items of a list "element", Arrow "item".
        kinds = [
            {field.name: str(field.type).replace("element:", "item:") for field in side} for side in (found, wanted)
        ]
        assert kinds[0] == kinds[1]
        assert set(TABLES[name].names) < set(found.names)
