"""What a source does not say any more: gone where the file says all of something, and nothing at all elsewhere."""

import itertools
from pathlib import Path

import pytest
from tests.river import NOW, table, take_in_text

from groundswell.actions.loads import revert
from groundswell.engine.home import Home
from groundswell.records.loads import Load
from groundswell.runs.prepare import Asked
from groundswell.runs.rebuild import rebuild

DEALS = "deal_id,partner_id,role,stage_class,amount,currency,created_on,close_on\n"
DAYS = ("2026-01-20", "2026-02-20", "2026-03-20")


def touches(home: Home, as_of: str) -> set[tuple[str, str, str]]:
    """(deal, partner, role) of every touch that stands."""
    deals = {row["deal_id"]: row["external_id"] for row in table(home, "deals", as_of)}
    partners = {row["organisation_id"]: row["external_id"] for row in table(home, "organisations", as_of)}
    found = table(home, "touches", as_of)
    return {(deals[row["subject_id"]], partners[row["partner_id"]], row["role"]) for row in found}


def deal(key: str, partner: str, role: str = "sourced", amount: str = "1000") -> str:
    return f"{key},{partner},{role},open,{amount},USD,2026-01-01,2026-12-01\n"


def notes(load: Load) -> str:
    return "; ".join(load.report["notes"])


SAID = {
    "2026-01-20": DEALS + deal("D1", "P1") + deal("D2", "P1"),
    "2026-02-20": DEALS + deal("D1", "P2"),
    "2026-03-20": DEALS + deal("D1", "P1") + deal("D1", "P2", "assisted"),
}
STANDS = {
    "2026-01-20": {("D1", "P1", "sourced"), ("D2", "P1", "sourced")},
    "2026-02-20": {("D1", "P2", "sourced"), ("D2", "P1", "sourced")},
    "2026-03-20": {("D1", "P1", "sourced"), ("D1", "P2", "assisted"), ("D2", "P1", "sourced")},
}


@pytest.mark.parametrize("order", list(itertools.permutations(DAYS)), ids=" ".join)
def test_a_deal_that_is_given_to_another_partner_is_his_in_any_order_of_arrival(
    home: Home, order: tuple[str, ...]
) -> None:
    for day in order:
        take_in_text(home, f"deals{day}.csv", SAID[day], day)
    assert {day: touches(home, day) for day in DAYS} == STANDS


def test_the_load_says_what_ends(home: Home) -> None:
    take_in_text(home, "d1.csv", SAID["2026-01-20"], "2026-01-20")
    load = take_in_text(home, "d2.csv", SAID["2026-02-20"], "2026-02-20")
    assert "1 touches stood before and are not in the file, which says all of them: they end with it" in notes(load)
    assert load.report["gone"] == {"touches": 1}
    assert (load.rows_in, load.loaded, load.unchanged, load.quarantined) == (1, 1, 0, 0)


@pytest.mark.parametrize("parts", list(itertools.permutations(["D1,P1", "D1,P2", "D2,P1"])), ids=" ".join)
def test_an_export_that_comes_in_parts_ends_nothing_that_another_part_says(home: Home, parts: tuple[str, ...]) -> None:
    """All parts are of one moment; the rows were there before."""
    rows = {"D1,P1": deal("D1", "P1"), "D1,P2": deal("D1", "P2"), "D2,P1": deal("D2", "P1")}
    take_in_text(home, "all.csv", DEALS + "".join(rows.values()), "2026-01-20")
    for number, part in enumerate(parts):
        take_in_text(home, f"part{number}.csv", DEALS + rows[part], "2026-02-20")
    assert touches(home, "2026-02-20") == {(*part.split(","), "sourced") for part in rows}


def test_a_row_that_was_set_aside_may_have_said_anything(home: Home) -> None:
    take_in_text(home, "d1.csv", DEALS + deal("D1", "P1") + deal("D2", "P1"), "2026-01-20")
    spoiled = DEALS + deal("D1", "P2", amount="a lot") + deal("D2", "P2") + deal("D1", "P3")
    take_in_text(home, "d2.csv", spoiled, "2026-02-20")
    assert touches(home, "2026-02-20") == {("D1", "P1", "sourced"), ("D1", "P3", "sourced"), ("D2", "P2", "sourced")}
    ragged = DEALS + deal("D2", "P3") + "D2,P4\n"
    take_in_text(home, "d3.csv", ragged, "2026-03-20")
    assert ("D2", "P2", "sourced") in touches(home, "2026-03-20")


def test_a_company_that_is_no_partner_any_more_leaves_the_list(home: Home) -> None:
    text = "Record ID,Company name,Type\n1,Acorn,Partner\n2,Birch,Partner\n"
    take_in_text(home, "c1.csv", text, "2026-01-20")
    take_in_text(home, "c2.csv", text.replace("Acorn,Partner", "Acorn,Customer"), "2026-03-20")
    assert {row["name"] for row in table(home, "partners", "2026-02-20")} == {"Acorn", "Birch"}
    assert {row["name"] for row in table(home, "partners", "2026-03-20")} == {"Birch"}


# ------------------------------------------------------------------------------------------------- full snapshots

HEAD = "id,nm\n"


def mapping(tmp_path: Path, snapshot: str = "full") -> Path:
    path = tmp_path / "m.toml"
    path.write_text(
        f'[source]\nname="dwh"\nsnapshot="{snapshot}"\n[[file]]\n[[file.row]]\ntable="organisations"\nexternal_id="{{id}}"\n'
        'name="nm"\nis_partner={const=true}\nis_customer={const=false}\n'
    )
    return path


def names(home: Home, as_of: str) -> set[str]:
    return {row["external_id"] for row in table(home, "organisations", as_of)}


def listed(*keys: str) -> str:
    return HEAD + "".join(f"{key},Firm {key}\n" for key in keys)


MANY = tuple(f"K{n:02}" for n in range(40))
FULL = {"2026-01-20": MANY, "2026-02-20": MANY[1:], "2026-03-20": (*MANY[2:], MANY[0])}


@pytest.mark.parametrize("order", list(itertools.permutations(DAYS)), ids=" ".join)
def test_a_key_that_a_full_snapshot_lacks_is_gone_and_may_come_back(
    home: Home, tmp_path: Path, order: tuple[str, ...]
) -> None:
    for day in order:
        take_in_text(home, f"f{day}.csv", listed(*FULL[day]), day, mapping=mapping(tmp_path))
    assert {day: names(home, day) for day in DAYS} == {day: set(keys) for day, keys in FULL.items()}


def test_a_partial_source_ends_nothing(home: Home, tmp_path: Path) -> None:
    for day in DAYS:
        take_in_text(home, f"f{day}.csv", listed(*FULL[day]), day, mapping=mapping(tmp_path, "part"))
    assert names(home, DAYS[-1]) == set(MANY)


def test_a_snapshot_that_lacks_more_than_five_percent_asks_first(home: Home, tmp_path: Path) -> None:
    take_in_text(home, "f.csv", listed(*MANY), DAYS[0], mapping=mapping(tmp_path))
    with pytest.raises(Asked) as asked:
        take_in_text(home, "f.csv", listed(*MANY[3:]), DAYS[1], mapping=mapping(tmp_path))
    (question,) = asked.value.questions
    assert question.column == "gone"
    assert "3 of 40 organisations that stood are not in the file" in question.text
    assert names(home, DAYS[1]) == set(MANY)
    assert Load.objects.count() == 1
    take_in_text(home, "f.csv", listed(*MANY[3:]), DAYS[1], mapping=mapping(tmp_path), answers={"gone": "yes"})
    assert names(home, DAYS[1]) == set(MANY[3:])
    with pytest.raises(Asked):  # the answer was about one file
        take_in_text(home, "f.csv", listed(*MANY[9:]), DAYS[2], mapping=mapping(tmp_path))


def test_a_snapshot_with_rows_set_aside_ends_nothing(home: Home, tmp_path: Path) -> None:
    take_in_text(home, "f.csv", listed(*MANY), DAYS[0], mapping=mapping(tmp_path))
    load = take_in_text(home, "f.csv", listed(*MANY[1:39]) + "K39\n", DAYS[1], mapping=mapping(tmp_path))
    assert names(home, DAYS[1]) == set(MANY)
    assert "rows were set aside: nothing is read as gone" in notes(load)


def test_the_snapshot_reverted_brings_back_what_it_ended_and_the_lake_can_be_rebuilt(
    home: Home, tmp_path: Path
) -> None:
    for day in DAYS:
        take_in_text(home, f"f{day}.csv", listed(*FULL[day]), day, mapping=mapping(tmp_path))
    assert rebuild(home, NOW) == []
    assert names(home, DAYS[2]) == set(FULL[DAYS[2]])
    (load,) = Load.objects.filter(file_name=f"f{DAYS[1]}.csv", again_of=None)
    revert(home, load.name, "", NOW)
    assert names(home, DAYS[1]) == set(MANY)
    assert names(home, DAYS[2]) == set(FULL[DAYS[2]])
