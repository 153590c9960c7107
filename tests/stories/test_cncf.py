"""Six years of real partner programmes, known month by month: every figure as plain Python counts it in the file."""

import calendar
import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.river import EXAMPLES, table, take_in, take_in_text
from tests.stories.instances import become, beside, differing, facts, instance

from groundswell.engine.home import Home

MAPPING = EXAMPLES / "cncf" / "mapping.toml"
SPELLS, DIRECTORY = "program_spells_to_2024-08.csv", "directory_2024-08.csv"
MONTHS = ["2018-03", "2019-06", "2019-07", "2020-06", "2021-12", "2022-09", "2023-12", "2024-07", "2024-08"]
TIERS = ("platinum", "gold", "silver", "academic", "nonprofit")
HIGHEST = {"member_platinum": 0, "member_gold": 1, "member_silver": 2}

Spell = dict[str, str]


@pytest.fixture(scope="module")
def spells(cncf: Path) -> list[Spell]:
    """The file as the csv module reads it."""
    with (cncf / SPELLS).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def taken_in(cncf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("cncf") / "home"
    with instance(path) as home:
        for name, rows in ((SPELLS, 2_150), (DIRECTORY, 1_363)):
            load = take_in(home, cncf / name, mapping=MAPPING)
            assert (load.rows_in, load.loaded, load.unchanged, load.quarantined) == (rows, rows, 0, 0)
    return path


@pytest.fixture
def foundation(home: Home, taken_in: Path) -> Home:
    """An instance that has taken in both files."""
    return become(home, taken_in)


def last_day(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{month}-{calendar.monthrange(year, number)[1]}"


def month_before(month: str) -> str:
    return f"{dt.date(int(month[:4]), int(month[5:]), 1) - dt.timedelta(days=1):%Y-%m}"


def listed(spells: list[Spell], month: str) -> list[Spell]:
    return [spell for spell in spells if spell["first_month"] <= month <= spell["last_month"]]


def partners(home: Home, month: str) -> dict[str, dict[str, str]]:
    return {row["external_id"]: row for row in table(home, "partners", last_day(month))}


def held(home: Home, month: str) -> Counter[tuple[str, str]]:
    """(programme, tier) of the memberships that have not ended by the last day of a month -> how many."""
    day = last_day(month)
    rows = table(home, "memberships", day)
    return Counter((row["program"], row["tier"]) for row in rows if not row["valid_to"] or row["valid_to"] >= day)


def test_739_partners_are_listed_in_the_last_month(foundation: Home) -> None:
    assert len(partners(foundation, "2024-08")) == 739


@pytest.mark.parametrize("month", MONTHS)
def test_partners_tiers_and_certificates_of_a_month_are_those_of_the_file(
    foundation: Home, spells: list[Spell], month: str
) -> None:
    then = listed(spells, month)
    assert set(partners(foundation, month)) == {spell["partner_id"] for spell in then}
    wanted = Counter(spell["program"] for spell in then)
    found = held(foundation, month)
    for tier in TIERS:
        assert found["member", tier] == wanted[f"member_{tier}"], tier
    for program in (
        "cert_kcsp",
        "cert_ktp",
        "cert_k8s_distribution",
        "cert_k8s_hosted",
        "cert_k8s_installer",
        "enduser",
    ):
        assert found[program, ""] == wanted[program], program
    assert sum(found.values()) == len(then)


def test_the_figures_of_three_months(foundation: Home) -> None:
    """Counted in the file by hand, so that a fault shared with the count above shows."""
    said = {
        month: (len(partners(foundation, month)), held(foundation, month))
        for month in ("2018-03", "2020-06", "2023-12")
    }
    figures = {
        month: (count, *(found["member", tier] for tier in TIERS[:3]), found["cert_kcsp", ""])
        for month, (count, found) in said.items()
    }
    assert figures == {
        "2018-03": (53, 0, 0, 0, 34),
        "2020-06": (561, 19, 21, 409, 149),
        "2023-12": (814, 24, 25, 654, 245),
    }


@pytest.mark.parametrize("month", MONTHS)
def test_of_several_memberships_the_highest_tier_shows(foundation: Home, spells: list[Spell], month: str) -> None:
    shown: dict[str, tuple[int, str]] = {}
    for spell in listed(spells, month):
        if spell["program"].startswith("member_"):
            one = HIGHEST.get(spell["program"], 3), spell["program"].removeprefix("member_")
            shown[spell["partner_id"]] = min(one, shown.get(spell["partner_id"], one))
    found = {key: row["tier"] for key, row in partners(foundation, month).items() if row["tier"]}
    assert found == {key: tier for key, (_, tier) in shown.items()}


def test_a_membership_that_ended_is_not_listed_afterwards(foundation: Home, spells: list[Spell]) -> None:
    last = {spell["partner_id"]: "" for spell in spells}
    for spell in spells:
        last[spell["partner_id"]] = max(last[spell["partner_id"]], spell["last_month"])
    gone = {key for key, month in last.items() if month == "2020-06"}
    assert gone
    assert gone <= set(partners(foundation, "2020-06"))
    assert not gone & set(partners(foundation, "2020-07"))
    # On the last day nobody knew yet that it was the last.
    before = [row for row in table(foundation, "memberships", "2020-06-30") if row["valid_to"]]
    assert max(row["valid_to"] for row in before) == "2020-05-31"


def test_a_partner_that_came_back_is_listed_again(foundation: Home, spells: list[Spell]) -> None:
    months = {spell["partner_id"]: set[tuple[str, str]]() for spell in spells}
    for spell in spells:
        months[spell["partner_id"]].add((spell["first_month"], spell["last_month"]))
    back = {}
    for key, found in months.items():
        ends = max(last for _, last in found if last < "2023-01") if any(last < "2023-01" for _, last in found) else ""
        later = min((first for first, _ in found if first > ends), default="")
        if ends and later > ends and not any(first <= month_before(later) <= last for first, last in found):
            back[key] = (ends, later)
    assert len(back) > 10
    key, (ends, later) = min(back.items())
    assert key in partners(foundation, ends)
    assert key not in partners(foundation, month_before(later))
    assert key in partners(foundation, later)


@pytest.mark.parametrize("month", ["2018-03", "2020-06", "2023-12"])
def test_what_was_known_later_changes_no_earlier_month(
    foundation: Home, home: Home, cncf: Path, spells: list[Spell], month: str
) -> None:
    whole = facts(foundation, last_day(month))
    known = [spell for spell in spells if spell["first_month"] <= month]
    head = list(known[0])
    lines = [head] + [
        [*(spell[name] for name in head[:3]), "", "", "0", ""] if spell["last_month"] >= month else list(spell.values())
        for spell in known
    ]
    (home.path.parent / "files").mkdir()
    (home.path.parent / "files" / DIRECTORY).symlink_to(cncf / DIRECTORY)
    with beside(home, "then") as then:
        text = "".join(",".join(line) + "\n" for line in lines)
        assert take_in_text(then, SPELLS, text, mapping=MAPPING).quarantined == 0
        assert differing(facts(then, last_day(month)), whole) == {}
