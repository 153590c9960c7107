"""A CRM without partners: every deal is there to the last dollar, and it is said that nobody can be assessed."""

import csv
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.river import EXAMPLES, command, table, take_in
from tests.stories.instances import become, instance

from groundswell.engine.home import Home
from groundswell.records.loads import Load

MAPPING = EXAMPLES / "crm_opportunities" / "mapping.toml"
DAY = "2017-12-31"
FILES = {"accounts.csv": 85, "sales_teams.csv": 35, "sales_pipeline.csv": 8_800}


@pytest.fixture(scope="module")
def taken_in(crm_opportunities: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("crm") / "home"
    with instance(path) as home:
        for name, rows in FILES.items():
            load = take_in(home, crm_opportunities / name, exported_at=DAY, mapping=MAPPING)
            assert (load.rows_in, load.loaded, load.unchanged, load.quarantined) == (rows, rows, 0, 0)
    return path


@pytest.fixture
def crm(home: Home, taken_in: Path) -> Home:
    """An instance that has taken in the three files."""
    return become(home, taken_in)


def test_every_deal_is_there_and_the_won_ones_to_the_last_dollar(crm: Home, crm_opportunities: Path) -> None:
    with (crm_opportunities / "sales_pipeline.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["opportunity_id"]: row for row in csv.DictReader(file)}
    deals = {row["external_id"]: row for row in table(crm, "deals", DAY)}
    assert set(deals) == set(rows)
    assert Counter(row["stage_class"] for row in deals.values()) == {"won": 4_238, "lost": 2_473, "open": 2_089}
    won = [row for row in deals.values() if row["stage_class"] == "won"]
    assert sum(Decimal(row["amount_home"]) for row in won) == Decimal(10_005_534)
    for key, row in rows.items():
        deal = deals[key]
        assert (deal["created_on"], deal["closed_on"]) == (row["engage_date"], row["close_date"])
        assert deal["stage"] == row["deal_stage"]
        assert (deal["amount"] == "") == (row["close_value"] == "")
        assert (deal["account_id"] == "") == (row["account"] == "")


def test_deals_without_account_are_kept_and_reported(crm: Home) -> None:
    assert sum(not row["account_id"] for row in table(crm, "deals", DAY)) == 1_425
    assert Load.objects.get(file_name="sales_pipeline.csv").report["unknown"]["deals.account_id"] == [1_425, 8_800]


def test_what_is_misspelled_stays_as_written_and_what_has_no_match_is_reported(crm: Home) -> None:
    assert Counter(row["product"] for row in table(crm, "deals", DAY))["GTXPro"] == 1_480
    notes = Load.objects.get(file_name="sales_pipeline.csv").report["notes"]
    assert notes == ["product 'GTXPro' is not in products.csv; no product is taken from there (1480 rows)"]
    industries = Counter(row["industry"] for row in table(crm, "organisations", DAY))
    assert (industries["technolgy"], industries["technology"]) == (12, 0)
    notes = Load.objects.get(file_name="accounts.csv").report["notes"]
    assert notes == ["country 'Philipines' is not known; the cell stays empty (1 rows)"]


def test_sellers_and_their_managers_are_our_people(crm: Home) -> None:
    people = {row["person_id"]: row for row in table(crm, "people", DAY)}
    assert {(row["side"], row["organisation_id"], row["is_manager"]) for row in people.values()} == {
        ("ours", "vendor:self", "")
    }
    owners = Counter(people[row["owner_id"]]["full_name"] for row in table(crm, "deals", DAY))
    assert (len(people), len(owners)) == (35 + 6, 30)
    assert owners.most_common(1) == [("Darcel Schlecht", 747)]


def test_parents_are_accounts_of_the_file(crm: Home) -> None:
    names = {row["organisation_id"]: row["name"] for row in table(crm, "organisations", DAY)}
    parents = [row["parent_id"] for row in table(crm, "organisations", DAY) if row["parent_id"]]
    assert len(names) == 85
    assert len(parents) == 15
    assert names.keys() >= set(parents)


def test_that_there_is_no_partner_is_said_plainly(crm_opportunities: Path, tmp_path: Path) -> None:
    paths = [str(crm_opportunities / name) for name in FILES]
    taken = command(tmp_path / "home", "take-in", "--exported-at", DAY, "--mapping", str(MAPPING), *paths)
    assert taken.returncode == 0
    assert ": 0 partners, 85 accounts, 8800 deals\nNo loaded row says who is a partner" in taken.stdout
    assert "empty: deals.account_id in 1425 of 8800" in taken.stdout
    assessed = command(tmp_path / "home", "assess", "--as-of", DAY)
    assert (assessed.returncode, assessed.stdout) == (4, "")
    assert assessed.stderr.startswith(f"0 partners: none was known on {DAY}, so nothing is published.\n")
    for said in (taken.stdout, assessed.stderr):
        assert "a column that names its partner (touches with partner_id)" in said
    assert "--exported-at" not in assessed.stderr
