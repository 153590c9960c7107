"""The lake made anew: all of it as the program and the settings of today read it, or nothing of it."""

import shutil
from pathlib import Path

import pytest
from tests.river import NOW, command, table, take_in, take_in_text
from tests.stories.instances import beside, differing, facts, lake_files

from groundswell.connectors.files.read import Refused
from groundswell.engine import landings
from groundswell.engine.home import Damaged, Home
from groundswell.records.loads import Load, LoadFile, QuarantinedRow
from groundswell.runs.rebuild import health, rebuild
from groundswell.runs.take_in import Unsettled

DAYS = ("2026-09-01", "2026-09-02", "2026-09-03", "2026-09-04", "2026-09-30")
PARTNERS = "partner_id,partner_name\n"


def settings(home: Home, name: str, text: str) -> Home:
    """The instance with a policy file of its own, as a command of its own would see it."""
    (home.path / "policy").mkdir(exist_ok=True)
    (home.path / "policy" / f"{name}.toml").write_text(f'follows = "default"\n{text}\n', "utf-8")
    return Home(home.path)


def ledger() -> list[object]:
    """Everything that the records hold of loads."""
    rows = [list(model.objects.order_by("pk").values()) for model in (Load, LoadFile, QuarantinedRow)]
    return [[{name: value for name, value in row.items() if name != "id"} for row in table_] for table_ in rows]


def lakes(home: Home) -> list[str]:
    return sorted(path.name for path in home.path.iterdir() if path.name.startswith("lake"))


# ------------------------------------------------------------------------------------------ a load that is refused


def test_a_load_that_would_be_refused_today_stops_the_rebuild_and_loses_nothing(home: Home) -> None:
    take_in_text(home, "short.csv", PARTNERS + "P1,Nord\n", "2026-09-01")
    take_in_text(home, "long.csv", PARTNERS + "P2,Nordwind Gesellschaft\n", "2026-09-02")
    files, before, said = lake_files(home), facts(home, "2026-09-30"), ledger()
    strict = settings(home, "limits", "[bounds]\ncell_characters = 12")
    with pytest.raises(
        Refused, match=r"stays as it was. L000002 \(long.csv\) cannot be read anew: all 1 rows would be"
    ):
        rebuild(strict, NOW)
    assert (ledger(), lake_files(home), lakes(home)) == (said, files, ["lake"])
    assert differing(facts(home, "2026-09-30"), before) == {}
    found = command(home.path, "doctor", "--rebuild")
    assert (found.returncode, found.stdout) == (4, "")
    assert "long.csv" in found.stderr
    shutil.rmtree(home.path / "policy")
    assert rebuild(Home(home.path), NOW) == []
    assert (ledger(), lake_files(home), health(home).faults) == (said, files, [])


def test_a_stricter_limit_that_sets_rows_aside_is_told_and_stands_in_the_ledger(home: Home) -> None:
    load = take_in_text(home, "partners.csv", PARTNERS + "P1,Nord\nP2,Nordwind Gesellschaft\n", "2026-09-01")
    strict = settings(home, "limits", "[bounds]\ncell_characters = 12")
    said = rebuild(strict, NOW)
    assert said[-1] == (
        "L000001: 2 loaded + 0 unchanged + 0 quarantined in the ledger, 1 loaded + 0 unchanged + 1 quarantined rebuilt"
    )
    load.refresh_from_db()
    assert (load.loaded, load.quarantined, [row.line for row in load.quarantine.all()]) == (1, 1, [3])
    assert [row["external_id"] for row in table(home, "organisations", "2026-09-30")] == ["P1"]
    assert rebuild(strict, NOW) == []
    assert health(strict).faults == []


# ------------------------------------------------------------------------------------------- another home currency

DEALS = "Opportunity ID,Opportunity Name,Stage,Amount,Amount Currency,Amount (converted),Amount (converted) Currency\n"


def deal(key: str, amount: int, currency: str) -> str:
    return f"006000000000{key}AAA,{key},Open,5,GBP,{amount},{currency}\n"


HISTORY = (
    # exported, file: of deal 001 dollars are known first, of 002 euros only, of 003 both change what stood before.
    ("2026-09-01", "a.csv", DEALS + deal("001", 1, "USD") + deal("002", 1, "EUR") + deal("003", 1, "EUR")),
    ("2026-09-03", "c.csv", DEALS + deal("001", 2, "USD") + deal("002", 1, "EUR")),
    ("2026-09-02", "b.csv", DEALS + deal("002", 7, "EUR")),  # late: only in euros does c have to be compared anew
    ("2026-09-04", "d.csv", DEALS + deal("003", 9, "EUR")),  # only in euros does it say anything new
    ("2026-09-04", "d.csv", DEALS + deal("003", 9, "EUR")),
)


def fed(home: Home) -> None:
    for exported_at, name, text in HISTORY:
        take_in_text(home, name, text, exported_at)


@pytest.mark.parametrize(("before", "after"), [("USD", "EUR"), ("EUR", "USD")])
def test_a_home_whose_currency_changed_and_one_that_always_had_it_hold_the_same(
    home: Home, before: str, after: str
) -> None:
    with beside(home, "always") as always:
        fed(settings(always, "instance", f'home_currency = "{after}"'))
        wanted = [facts(always, day) for day in DAYS]
    fed(settings(home, "instance", f'home_currency = "{before}"'))
    changed = settings(home, "instance", f'home_currency = "{after}"')
    assert any("another home zone or currency" in fault for fault in health(changed).faults)
    differs = rebuild(changed, NOW)
    assert differs != []
    assert [differing(facts(changed, day), them) for day, them in zip(DAYS, wanted, strict=True)] == [{}] * len(DAYS)
    assert health(changed).faults == []
    files = lake_files(changed)
    assert rebuild(changed, NOW) == []
    assert lake_files(changed) == files
    back = settings(home, "instance", f'home_currency = "{before}"')  # and there and back again, without an end
    rebuild(back, NOW)
    assert health(back).faults == []


# ------------------------------------------------------------------------------------------------ damaged landings


def late(home: Home) -> tuple[Load, Path]:
    """A of day 1 and C of day 3 stand, and C's landing is lost; B of day 2, which wants C compared anew, is to come."""
    take_in_text(home, "a.csv", PARTNERS + "P1,Nordwind\n", "2026-09-01")
    load = take_in_text(home, "c.csv", PARTNERS + "P1,Nordwind\nP2,Ostwind\n", "2026-09-03")
    b = home.path.parent / "files" / "b.csv"
    b.write_text(PARTNERS + "P1,Nordwind GmbH\n", "utf-8")
    return load, b


def name_of(home: Home) -> str:
    return next(row["name"] for row in table(home, "organisations", "2026-09-30") if row["external_id"] == "P1")


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_load_whose_later_landing_is_damaged_is_accepted_and_says_what_is_open(home: Home, damage: str) -> None:
    load, b = late(home)
    c, landing = b.with_name("c.csv"), landings.at(home.path, load.landing)
    if damage == "missing":
        landing.unlink()
    else:
        landing.write_text(landing.read_text("utf-8").replace("Nordwind", "Suedwind"), "utf-8")
    found = command(home.path, "take-in", "--exported-at", "2026-09-02", str(b))
    assert (found.returncode, found.stdout) == (1, "")
    assert f"accepted  {b}  as L000003" in found.stderr
    assert f"fault: L000002 (c.csv) cannot be compared anew with L000003: landing {load.landing[:12]}" in found.stderr
    assert f"is {damage}. Restore it from a backup, take the file in again, or revert L000002." in found.stderr
    for words in (["take-in", str(b)], ["assess", "--as-of", "2026-09-30"]):  # no writer goes on, none leaves a trace
        again = command(home.path, *words)
        assert (again.returncode, again.stdout) == (1, "")
        assert "take the file in again" in again.stderr
        assert "Traceback" not in again.stderr
    assert [each.name for each in Load.objects.order_by("number")] == ["L000001", "L000002", "L000003"]
    assert name_of(home) == "Nordwind GmbH"
    healed = take_in(home, c, "2026-09-03")
    assert (healed.loaded, name_of(home), health(home).faults) == (0, "Nordwind", [])
    (again_,) = Load.objects.filter(again_of__isnull=False)
    assert again_.again_of == load
    assert rebuild(home, NOW) == []


def test_a_load_whose_landing_is_lost_for_good_is_reverted(home: Home) -> None:
    load, b = late(home)
    landings.at(home.path, load.landing).unlink()
    assert command(home.path, "take-in", "--exported-at", "2026-09-02", str(b)).returncode == 1
    found = command(home.path, "loads", "revert", "L000002")
    assert (found.returncode, found.stderr) == (0, "")
    assert name_of(home) == "Nordwind GmbH"
    assert command(home.path, "take-in", str(b)).returncode == 0


def test_a_revert_says_what_it_could_not_compare_anew(home: Home) -> None:
    load, _ = late(home)
    landings.at(home.path, load.landing).unlink()
    found = command(home.path, "loads", "revert", "L000001")
    assert found.returncode == 1
    assert "L000001 is reverted" in found.stdout
    assert "L000002 (c.csv) cannot be compared anew with L000001" in found.stderr


def test_a_later_landing_that_would_be_refused_today_leaves_no_pile_of_loads(home: Home) -> None:
    long = PARTNERS + "P1,Nordwind Gesellschaft\n"
    take_in_text(home, "a.csv", long, "2026-09-01")
    take_in_text(home, "c.csv", long, "2026-09-03")
    strict = settings(home, "limits", "[bounds]\ncell_characters = 12")
    for _ in range(3):
        with pytest.raises(Unsettled, match=r"L000002 \(c.csv\) cannot be compared anew with L000003: all 1 rows"):
            take_in_text(strict, "b.csv", PARTNERS + "P1,Nord\n", "2026-09-02")
    assert Load.objects.count() == 3
    shutil.rmtree(home.path / "policy")
    take_in_text(Home(home.path), "b.csv", PARTNERS + "P1,Nord\n", "2026-09-02")
    assert name_of(home) == "Nordwind Gesellschaft"


def test_a_rebuild_hashes_every_landing_before_it_begins(home: Home) -> None:
    load, _ = late(home)
    landings.at(home.path, load.landing).unlink()
    with pytest.raises(Damaged, match=f"landing {load.landing[:12]} is missing"):
        rebuild(home, NOW)
    assert lakes(home) == ["lake"]


# ------------------------------------------------------------------------------------------- what nothing names


def test_doctor_counts_landings_and_lake_files_that_nothing_names(home: Home) -> None:
    take_in_text(home, "a.csv", PARTNERS + "P1,Nordwind\n", "2026-09-01")
    with pytest.raises(Refused):
        take_in_text(home, "odd.csv", "colour,mood\nred,good\n")
    assert health(home).remarks == ["1 landings are of no load: of files that were asked about or refused"]
    assert health(home).faults == []
