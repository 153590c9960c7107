"""Registrations and readings of a spreadsheet, and generic files whose ids are those of a Salesforce beside them."""

from decimal import Decimal

from tests.river import assess, results, table, take_in_text

from groundswell.core.tables.identity import own_id
from groundswell.engine.home import Home

DAY = "2026-03-31"
PARTNERS = """partner_id,partner_name,country,joined_on,salesforce_account_id
P-1,Alder GmbH,DE,2024-05-01,0015g00000AbCdE
P-2,Birch Ltd,GB,2024-06-01,
P-3,Cedar AS,NO,2024-07-01,see the list
"""
REPORT = """Opportunity ID,Opportunity Name,Account Name,Billing Country,Industry,Stage,Amount Currency,Amount,Close Date,Created Date,Type,Product Line,Partner Account ID,Partner Account,Partner Role
0065g00000AbCdE,Acorn - Flow,Acorn,GB,Insurance,Closed Won,USD,"1,200.50",2026-02-13,2026-01-14,New Business,Flow,0015g00000AbCdE,Alder,Referral
0065g00000abCdE,Kelp - Lens,Kelp,,,Negotiation,USD,,2026-05-01,2026-02-01,Renewal,,0015g00000AbCdE,Alder,Reseller
"""  # noqa: E501 - a line is a line of the file


def test_registrations_keep_their_state_and_the_deal_they_led_to(home: Home) -> None:
    text = """registration_id,partner_id,customer_name,customer_domain,state,closure,submitted_at,decided_at,expires_on,deal_id,amount,currency
R-1,P-1,Acorn,acorn.example,approved,,2026-01-10T09:00:00Z,2026-01-12T15:00:00Z,2026-04-12,D-1,1200.50,USD
R-2,P-1,ACORN Inc,,closed,duplicate,2026-01-11T09:00:00Z,2026-01-12T15:05:00Z,,,,
R-3,P-2,Kelp,,submitted,,2026-03-30T09:00:00Z,,,,900,USD
R-4,P-2,Moor,,pondering,,2026-03-30T09:00:00Z,,,,900,USD
"""  # noqa: E501 - a line is a line of the file
    load = take_in_text(home, "registrations.csv", text, DAY)
    assert (load.format, load.rows_in, load.loaded, load.quarantined) == ("generic_registrations", 4, 3, 1)
    assert load.quarantine.get().column == "state"
    found = {row["external_id"]: row for row in table(home, "registrations", DAY)}
    one, two, three = found["R-1"], found["R-2"], found["R-3"]
    assert (one["state"], one["decided_at"], one["expires_on"]) == ("approved", "2026-01-12T15:00:00Z", "2026-04-12")
    assert (one["deal_id"], one["amount"]) == (own_id("d", "generic", "deals", "D-1"), "1200.5000")
    assert (two["closure"], two["deal_id"], two["amount"]) == ("duplicate", "", "")
    assert (three["state"], three["occurred_on"], three["closure"]) == ("submitted", "2026-03-30", "")
    assert {row["external_id"] for row in table(home, "partners", DAY)} == {"P-1", "P-2"}


def test_a_reading_is_known_by_partner_kind_and_period(home: Home) -> None:
    head = "partner_id,kind,value,unit,period_from,period_to\n"
    rows = "P-1,csat,87.5,0 to 100,2025-10-01,2025-12-31\nP-1,use_cases_documented,4,use cases,2025-10-01,2025-12-31\n"
    load = take_in_text(home, "readings.csv", head + rows, "2026-01-31")
    assert (load.format, load.loaded) == ("generic_readings", 2)
    take_in_text(home, "again.csv", head + rows.replace("87.5", "88"), "2026-02-28")
    found = {row["kind"]: Decimal(row["value"]) for row in table(home, "readings", DAY)}
    assert found == {"csat": 88, "use_cases_documented": 4}


def test_generic_files_and_a_salesforce_report_are_of_the_same_partners_and_deals(home: Home) -> None:
    take_in_text(home, "report.csv", REPORT, DAY)
    take_in_text(home, "partners.csv", PARTNERS, DAY)
    activities = """partner_id,occurred_at,type,person_email,salesforce_opportunity_id,deal_id,source_id
P-1,2026-03-02T09:00:00Z,meeting,ann@alder.example,0065g00000AbCdEAAV,,a1
P-1,2026-03-03T09:00:00Z,call,ann@alder.example,,D-9,a2
"""
    take_in_text(home, "activities.csv", activities, DAY)
    partners = {row["name"]: row["external_id"] for row in table(home, "partners", DAY)}
    assert partners == {"Alder GmbH": "P-1", "Birch Ltd": "P-2", "Cedar AS": "P-3"}
    deals = {row["name"]: row for row in table(home, "deals", DAY)}
    met = {row["type"]: row["deal_id"] for row in table(home, "activities", DAY)}
    assert met["call"] == own_id("d", "generic", "deals", "D-9")
    assert met["meeting"] == deals["Acorn - Flow"]["deal_id"]
    assert deals["Acorn - Flow"]["product"] == "Flow"
    assert deals["Kelp - Lens"]["product"] == ""
    accounts = {row["name"]: (row["country"], row["industry"]) for row in table(home, "accounts", DAY)}
    assert accounts == {"Acorn": ("GB", "Insurance"), "Kelp": ("", "")}
    signals = results(home, assess(home, DAY))["P-1"]["signals"]
    assert signals["won_revenue"]["low"] == "2401/2"
    assert signals["meetings_last_quarter"]["low"] == "2"
    assert signals["customer_countries"]["low"] == "1"


def test_who_has_left_holds_nothing_live(home: Home) -> None:
    text = """partner_id,person_email,credential_code,status,issued_on,left_on
P-1,ann@alder.example,KD-1,active,2025-05-13,
P-1,bob@alder.example,KD-1,active,2025-05-13,2026-01-31
"""
    take_in_text(home, "people.csv", text, DAY)
    people = {row["person_id"]: row["email"] for row in table(home, "people", DAY)}
    live = {people[row["person_id"]]: row["live"] for row in table(home, "credentials", DAY)}
    assert live == {"ann@alder.example": "true", "bob@alder.example": "false"}
