"""Each published export fixture alone, in a fresh instance, without a mapping: every figure and every sentence holds."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.river import assess, results, table, take_in

from groundswell.core.tables.identity import own_id
from groundswell.engine.home import Home
from groundswell.records.loads import Load

DAY = "2026-11-21"
PROVED = {
    "generic_partners.csv": {
        "partners",
        "country NO must not become false",
        "2020-02-29 is valid",
        "a partner with no facts scores unknown, not zero",
    },
    "generic_deals.csv": {"rows", "deals", "won_amount", "sourced_amount", "shared_amount"},
    "generic_people_credentials.csv": {
        "rows",
        "people",
        "active_on_2026_11_21",
        "people_with_an_active_credential",
        "e-mail compare is case-insensitive",
        "CERT-A of ben expired on 2025-01-10 although its status column still says active",
    },
    "generic_activities.csv": {
        "rows",
        "activities",
        "same source_id twice is one event",
        "23:30 -05:00 is 2026-11-21 UTC",
        "a bare date is a day, not midnight UTC",
    },
    "sf_report_opps_with_partners.csv": {
        "encoding",
        "data_rows",
        "footer_lines_ignored",
        "deals",
        "touches",
        "sum_amount_home_usd_won",
        "id18",
        "two partner rows of one deal must not double its amount",
        "0065g00000AbCdE, 0065g00000abCdE and 0065g00000ABcDe are three DIFFERENT deals (case-sensitive ids); "
        "so are partners 0015g00000XyZaB and 0015g00000xyZaB",
        "100.000,00 is one hundred thousand: locale is inferred per column; 05/03/2026 is 5 March because 31/12/2025 "
        "proves day-first",
        "blank amount stays unknown, not 0",
        "Q4-2026 is the fiscal period of 31/12/2025 under a 31 January year end: never derive the calendar quarter from it",
    },
    "hubspot_deals_export.csv": {
        "encoding",
        "deals",
        "won",
        "sum_won_usd",
        'the BOM must not become part of "Record ID"',
        "501;777 is a list: 501 is the customer (Primary), 777 a partner because its company Type is Partner",
        "stage may be a label with the pipeline in brackets or an internal id",
        "times carry no zone: they are in the portal zone, so 2026-03-31 23:30 stays in March",
        "empty close date and amount stay unknown",
        "amount 0 of deal 9003 is a real zero",
    },
    "hubspot_companies_export.csv": {"organisations", "partners", "merged_ids"},
}  # fmt: skip


@pytest.fixture(scope="module")
def expected(specs: Path) -> dict[str, Any]:
    return tomllib.loads((specs / "imports" / "expected.toml").read_text("utf-8"), parse_float=Decimal)


def loaded(home: Home, specs: Path, name: str, rows: int) -> Load:
    """Take in one fixture: all its rows, nothing set aside, the equation closed."""
    load = take_in(home, specs / "imports" / name, DAY)
    assert (load.rows_in, load.quarantined) == (rows, 0)
    assert load.loaded + load.unchanged == rows
    return load


def by_id(home: Home, name: str) -> dict[str, dict[str, str]]:
    rows = table(home, name, DAY)
    found = {row["external_id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_every_figure_and_sentence_has_its_test(expected: dict[str, Any], specs: Path) -> None:
    said = {name: (set(facts) - {"checks"}) | set(facts.get("checks", [])) for name, facts in expected.items()}
    assert said == PROVED
    assert {path.name for path in (specs / "imports").glob("*.csv")} == set(PROVED)


# ------------------------------------------------------------------------------------------------ generic files


def test_partners_with_their_countries_and_days(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    load = loaded(home, specs, "generic_partners.csv", 3)
    assert (load.loaded, load.format, load.source) == (3, "generic_partners", "generic")
    partners = by_id(home, "partners")
    assert len(partners) == expected["generic_partners.csv"]["partners"] == 3
    assert {key: row["country"] for key, row in partners.items()} == {"P1": "DE", "P2": "FI", "P3": "NO"}
    assert {key: row["joined_on"] for key, row in partners.items()} == {
        "P1": "2019-04-02",
        "P2": "",
        "P3": "2020-02-29",
    }
    assert {key: row["tier"] for key, row in partners.items()} == {"P1": "silver", "P2": "", "P3": "gold"}
    assert by_id(home, "organisations")["P3"]["parent_id"] == partners["P1"]["partner_id"]
    assert by_id(home, "people")["cam@vendor.example"]["side"] == "ours"


def test_a_partner_without_facts_is_unknown_and_not_zero(home: Home, specs: Path) -> None:
    loaded(home, specs, "generic_partners.csv", 3)
    run = assess(home, DAY)
    nobody = results(home, run)["P2"]
    readiness = nobody["readiness"]
    assert (readiness["total"], readiness["coverage"], readiness["state"]) == (None, "0", "too little known")
    # Every line is open, so a line that takes points off at its worst is the only floor: the range is whole.
    assert (readiness["low"], readiness["high"]) == ("0", "100")
    assert {value["state"] for value in nobody["signals"].values()} <= {"unavailable", "unknown", "not applicable"}


def test_deals_are_counted_once_and_shared_by_their_touches(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["generic_deals.csv"]
    loaded(home, specs, "generic_deals.csv", said["rows"])
    deals = {row["deal_id"]: row for row in table(home, "deals", DAY)}
    assert len(deals) == said["deals"] == 2
    won = [row for row in deals.values() if row["stage_class"] == "won"]
    assert sum(Decimal(row["amount"]) for row in won) == said["won_amount"] == 120000
    assert {row["external_id"]: row["amount"] for row in deals.values()} == {"D1": "120000.0000", "D2": ""}
    partner = {row["partner_id"]: row["external_id"] for row in table(home, "partners", DAY)}
    touches = [
        (partner[row["partner_id"]], row["role"], row["share_pct"], deals[row["subject_id"]])
        for row in table(home, "touches", DAY)
    ]
    assert sorted((who, role, deal["external_id"]) for who, role, _, deal in touches) == [
        ("P1", "resold", "D2"), ("P1", "sourced", "D1"), ("P3", "influenced", "D1"),
    ]  # fmt: skip
    sourced: dict[str, Decimal] = {}
    shared: dict[str, Decimal] = {}
    for who, role, share, deal in touches:
        if deal["amount"] and role == "sourced":
            sourced[who] = sourced.get(who, Decimal(0)) + Decimal(deal["amount"])
        if deal["amount"] and share:
            shared[who] = shared.get(who, Decimal(0)) + Decimal(deal["amount"]) * Decimal(share) / 100
    assert sourced == said["sourced_amount"] == {"P1": 120000}
    assert shared == said["shared_amount"] == {"P1": 72000, "P3": 48000}


def test_people_are_one_whatever_the_case_of_their_mail(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["generic_people_credentials.csv"]
    loaded(home, specs, "generic_people_credentials.csv", said["rows"])
    people = by_id(home, "people")
    assert len(people) == said["people"] == 2
    assert {key: row["email"] for key, row in people.items()} == {
        "anna@nordwind.example": "anna@nordwind.example", "ben@nordwind.example": "ben@nordwind.example",
    }  # fmt: skip
    assert people["anna@nordwind.example"]["full_name"] == "Anna Kühn"
    held = sorted((row["person_id"], row["code"]) for row in table(home, "credentials", DAY))
    anna, ben = people["anna@nordwind.example"]["person_id"], people["ben@nordwind.example"]["person_id"]
    assert held == sorted([(anna, "CERT-A"), (anna, "CERT-B"), (ben, "CERT-A")])


def test_dates_decide_whether_a_credential_lives(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["generic_people_credentials.csv"]
    loaded(home, specs, "generic_people_credentials.csv", said["rows"])
    people = {row["person_id"]: row["email"] for row in table(home, "people", DAY)}
    rows = table(home, "credentials", DAY)
    live = [(people[row["person_id"]], row["code"]) for row in rows if row["live"] == "true"]
    assert len(live) == said["active_on_2026_11_21"] == 2
    assert len({who for who, _ in live}) == said["people_with_an_active_credential"] == 1
    (ben,) = [row for row in rows if people[row["person_id"]] == "ben@nordwind.example"]
    assert (ben["status"], ben["expires_on"], ben["live"]) == ("active", "2025-01-10", "false")
    run = assess(home, DAY)
    assert results(home, run)["P1"]["signals"]["people_certified"]["low"] == "1"


def test_the_same_event_twice_is_one(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["generic_activities.csv"]
    load = loaded(home, specs, "generic_activities.csv", said["rows"])
    assert (load.loaded, load.unchanged) == (2, 1)
    activities = by_id(home, "activities")
    assert len(activities) == said["activities"] == 2
    login, training = activities["a1"], activities["a2"]
    assert (login["occurred_on"], login["occurred_at"]) == ("2026-11-21", "2026-11-21T04:30:00Z")
    assert (training["occurred_on"], training["occurred_at"], training["value"]) == ("2026-11-01", "", "0.92000000")


# ---------------------------------------------------------------------------------------------------- Salesforce


def test_a_salesforce_report_without_its_footer(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["sf_report_opps_with_partners.csv"]
    load = loaded(home, specs, "sf_report_opps_with_partners.csv", said["data_rows"])
    assert load.report["encoding"] == said["encoding"] == "iso-8859-1"
    assert len(load.report["footers"]) == said["footer_lines_ignored"] == 5
    assert load.report["blank_lines"] == 3
    assert load.report["read_as"] == {
        "Amount": ",", "Amount (converted)": ",", "Close Date": "dmy", "Created Date": "dmy",
    }  # fmt: skip
    assert len(table(home, "deals", DAY)) == said["deals"] == 3
    assert len(table(home, "touches", DAY)) == said["touches"] == 3


def test_salesforce_ids_that_differ_only_in_case_stay_apart(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["sf_report_opps_with_partners.csv"]["id18"]
    loaded(home, specs, "sf_report_opps_with_partners.csv", 4)
    deals, partners = by_id(home, "deals"), by_id(home, "partners")
    assert {*deals, *partners} == set(said.values())
    assert {deals[said[short]]["name"] for short in ("0065g00000AbCdE", "0065g00000abCdE", "0065g00000ABcDe")} == {
        "Müller - Rollout", 'Acme "Phase 2", EMEA', "Null amount",
    }  # fmt: skip
    assert partners[said["0015g00000XyZaB"]]["name"] == "Nordwind Beratung"
    assert partners[said["0015g00000xyZaB"]]["name"] == "Südwind Distribution"


def test_two_partner_rows_do_not_double_the_amount(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["sf_report_opps_with_partners.csv"]
    loaded(home, specs, "sf_report_opps_with_partners.csv", 4)
    deals = table(home, "deals", DAY)
    won = [row for row in deals if row["stage_class"] == "won"]
    assert sum(Decimal(row["amount_home"]) for row in won) == said["sum_amount_home_usd_won"] == 108000
    assert sum(Decimal(row["amount_home"] or 0) for row in deals) == 163000


def test_salesforce_cells_are_read_by_their_columns(home: Home, specs: Path) -> None:
    loaded(home, specs, "sf_report_opps_with_partners.csv", 4)
    deals = {row["name"]: row for row in table(home, "deals", DAY)}
    rollout, phase, null = deals["Müller - Rollout"], deals['Acme "Phase 2", EMEA'], deals["Null amount"]
    assert (rollout["amount"], rollout["currency"], rollout["amount_home"]) == ("100000.0000", "EUR", "108000.0000")
    assert (rollout["close_on"], rollout["created_on"]) == ("2025-12-31", "2025-09-03")
    assert (phase["close_on"], phase["created_on"], phase["amount"]) == ("2026-03-05", "2025-11-11", "55000.0000")
    assert (null["amount"], null["amount_home"], null["created_on"]) == ("", "", "2026-02-01")
    assert [row["fiscal_label"] for row in (rollout, phase, null)] == ["Q4-2026", "Q1-2027", "Q1-2027"]
    assert (rollout["type"], phase["type"], rollout["stage_class"], phase["stage_class"]) == (
        "new",
        "expansion",
        "won",
        "open",
    )
    accounts = {row["organisation_id"]: row["name"] for row in table(home, "accounts", DAY)}
    assert accounts[rollout["account_id"]] == "Müller & Söhne GmbH"
    partner = {row["partner_id"]: row["external_id"] for row in table(home, "partners", DAY)}
    roles = {(partner[row["partner_id"]], row["role"], row["is_primary"]) for row in table(home, "touches", DAY)}
    assert roles == {
        ("0015g00000XyZaBAAV", "implemented", "true"), ("0015g00000xyZaBAAU", "distributed", "false"),
        ("0015g00000XyZaBAAV", "sourced", "true"),
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------- HubSpot


def test_hubspot_deals_with_their_stages_and_zeros(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["hubspot_deals_export.csv"]
    load = loaded(home, specs, "hubspot_deals_export.csv", 3)
    assert load.report["encoding"] == said["encoding"] == "utf-8-sig"
    assert (load.report["columns_unmapped"], load.report["columns_missing"]) == ([], [])
    deals = by_id(home, "deals")
    assert sorted(deals) == ["9001", "9002", "9003"]
    assert len(deals) == said["deals"]
    won = [row for row in deals.values() if row["stage_class"] == "won"]
    assert len(won) == said["won"] == 1
    assert sum(Decimal(row["amount"]) for row in won) == said["sum_won_usd"] == 12000
    assert {key: row["stage_class"] for key, row in deals.items()} == {"9001": "won", "9002": "open", "9003": "lost"}
    assert deals["9002"]["stage"] == "contractsent"
    assert {key: row["close_on"] for key, row in deals.items()} == {
        "9001": "2026-03-31",
        "9002": "",
        "9003": "2026-04-01",
    }
    assert {key: row["amount"] for key, row in deals.items()} == {"9001": "12000.0000", "9002": "", "9003": "0.0000"}


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo"])
def test_a_closing_time_stays_in_its_month_whatever_the_portal_zone(home: Home, specs: Path, zone: str) -> None:
    take_in(home, specs / "imports" / "hubspot_deals_export.csv", DAY, answers={"zone": zone})
    assert by_id(home, "deals")["9001"]["closed_on"] == "2026-03-31"
    assert by_id(home, "deals")["9003"]["closed_on"] == "2026-04-01"


def test_hubspot_companies_and_the_ids_merged_into_them(home: Home, specs: Path, expected: dict[str, Any]) -> None:
    said = expected["hubspot_companies_export.csv"]
    loaded(home, specs, "hubspot_companies_export.csv", 2)
    organisations = by_id(home, "organisations")
    assert len(organisations) == said["organisations"] == 2
    assert sorted(by_id(home, "partners")) == ["777"]
    assert said["partners"] == 1
    ours = {key: row["organisation_id"] for key, row in organisations.items()}
    links = {row["external_id"]: row for row in table(home, "links", DAY)}
    assert set(links) == set(said["merged_ids"])
    for gone, stays in said["merged_ids"].items():
        assert links[gone]["from_id"] == own_id("o", "hubspot", "organisations", gone)
        assert links[gone]["into_id"] == ours[stays]


@pytest.mark.parametrize("order", [("deals", "companies"), ("companies", "deals")])
def test_hubspot_deals_and_companies_together(home: Home, specs: Path, order: tuple[str, str]) -> None:
    for name in order:
        take_in(home, specs / "imports" / f"hubspot_{name}_export.csv", DAY)
    organisations = by_id(home, "organisations")
    assert sorted(by_id(home, "partners")) == ["777"]
    assert organisations["501"]["name"] == "Acme, Inc."
    assert (organisations["501"]["is_customer"], organisations["501"]["is_partner"]) == ("true", "false")
    assert (organisations["777"]["is_partner"], organisations["777"]["country"]) == ("true", "DE")
    deal = by_id(home, "deals")["9001"]
    assert deal["account_id"] == organisations["501"]["organisation_id"]
    (touch,) = table(home, "touches", DAY)
    assert (touch["partner_id"], touch["role"]) == (organisations["777"]["organisation_id"], "association:company")
    run = assess(home, DAY)
    assert sorted(results(home, run)) == ["777"]
    # An association says no part in the deal: what it sourced or resold is not known, and not zero.
    assert results(home, run)["777"]["signals"]["won_revenue"]["state"] in ("unavailable", "unknown")


def test_what_names_a_merged_company_means_the_one_it_became(home: Home, specs: Path, tmp_path: Path) -> None:
    """Deals that still name 499 and 500 are deals of 501; no company 499 or 500 stands beside it."""
    text = (specs / "imports" / "hubspot_deals_export.csv").read_bytes().decode("utf-8-sig")
    head, _, _, dup = text.splitlines()
    old = tmp_path / "hubspot_deals_old.csv"
    rows = [
        head,
        dup.replace('"","","",""', '"Acme old;Nordwind Beratung","499;777","499",""'),
        dup.replace('"9003"', '"9004"').replace('"","","",""', '"Acme older","500","500",""'),
    ]
    old.write_bytes("\r\n".join(rows).encode("utf-8-sig"))
    take_in(home, old, "2026-11-20")
    before = {row["external_id"] for row in table(home, "organisations", "2026-11-20")}
    take_in(home, specs / "imports" / "hubspot_companies_export.csv", DAY)
    assert before == {"499", "500", "777"}
    organisations = by_id(home, "organisations")
    assert sorted(organisations) == ["501", "777"]
    deals = by_id(home, "deals")
    assert {deals[key]["account_id"] for key in ("9003", "9004")} == {organisations["501"]["organisation_id"]}
    assert sorted(by_id(home, "accounts")) == ["501"]
    # As of the day before the merge was known, they were still apart.
    assert {row["external_id"] for row in table(home, "organisations", "2026-11-20")} == {"499", "500", "777"}
