"""PartnerStack records as they are exported: moments, smallest units, ids of the CRM, and what is left out by rule."""

import json
from decimal import Decimal

import pytest
from tests.river import table, take_in_text

from groundswell.engine.home import Home
from groundswell.records.loads import Load

DAY = "2026-03-31"
JOINED, SOLD, LATER = 1735689600000, 1772323200000, 1772409600000  # 2025-01-01, 2026-03-01 and 2026-03-02, each 00:00Z

PARTNERSHIPS = [
    {"key": "part_1", "partner_key": "acorn", "email": "Ada@Acorn.example", "first_name": "Ada", "last_name": "Oak",
     "group": {"key": "g1", "name": "Gold", "slug": "gold"}, "team": {"name": "Acorn Consulting"}, "tags": [],
     "manager": {"email": "mia@vendor.example"}, "joined_at": JOINED, "created_at": JOINED, "updated_at": SOLD},
    {"key": "part_2", "partner_key": "birch", "email": "bo@birch.example", "first_name": "Bo", "last_name": "Birk",
     "group": {"key": "g1", "name": "Gold", "slug": "gold"}, "team": None, "tags": [], "manager": None,
     "joined_at": SOLD, "created_at": SOLD, "updated_at": SOLD},
]  # fmt: skip
CUSTOMERS = [
    {"key": "cus_1", "customer_key": "0015g00000XyZaB", "name": "Kelp Works", "email": "buy@kelp.example",
     "partner_key": "acorn", "partnership_key": "part_1", "test": False, "created_at": JOINED, "updated_at": JOINED},
    {"key": "cus_2", "customer_key": "tester", "name": "Test", "email": "t@vendor.example", "partner_key": "acorn",
     "partnership_key": "part_1", "test": True, "created_at": JOINED, "updated_at": JOINED},
]  # fmt: skip


def transaction(key: str, amount: int | None, currency: str | None, **more: object) -> dict[str, object]:
    return {
        "key": key, "customer_key": "0015g00000XyZaB", "customer": {"key": "cus_1", "partner_key": "acorn"},
        "category_key": "annual", "amount": amount, "amount_usd": None, "currency": currency, "approved": True,
        "archived": False, "test": False, "created_at": SOLD, "updated_at": SOLD,
    } | more  # fmt: skip


TRANSACTIONS = [
    transaction("t_usd", 1234567, "USD"),
    transaction("t_jpy", 50000, "JPY", amount_usd=33401),
    transaction("t_kwd", 1234567, "KWD"),
    transaction("t_refund", -5000, "USD"),
    transaction("t_waiting", 100000, "USD", approved=False),
    transaction("t_archived", 100000, "USD", archived=True),
    transaction("t_test", 100000, "USD", test=True),
    transaction("t_unsaid", 100000, None),
]


def records(home: Home, name: str, rows: list[dict[str, object]]) -> Load:
    return take_in_text(home, name, "".join(json.dumps(row) + "\n" for row in rows), "2026-03-15")


def told(load: Load) -> tuple[str, int, int, list[tuple[int, str]]]:
    aside = [(row.line, row.reason) for row in load.quarantine.order_by("line")]
    return load.format, load.rows_in, load.loaded, aside


LEFT_OUT = "excluded by rule: no row map of this format takes the row"


def test_partnerships_are_partners_with_a_membership_since_they_joined(home: Home) -> None:
    assert told(records(home, "partnerships.jsonl", PARTNERSHIPS)) == ("partnerstack_partnerships", 2, 2, [])
    partners = {row["external_id"]: row for row in table(home, "partners", DAY)}
    assert {key: (row["name"], row["tier"], row["joined_on"]) for key, row in partners.items()} == {
        "acorn": ("Acorn Consulting", "Gold", "2025-01-01"),
        "birch": ("birch", "Gold", "2026-03-01"),
    }
    people = {row["email"]: (row["side"], row["full_name"], row["is_manager"]) for row in table(home, "people", DAY)}
    assert people == {
        "ada@acorn.example": ("partner", "Ada Oak", ""),
        "bo@birch.example": ("partner", "Bo Birk", ""),
        "mia@vendor.example": ("ours", "", "true"),
    }
    assert len(table(home, "tiers", DAY)) == 1


def test_transactions_are_won_deals_in_exact_money(home: Home) -> None:
    records(home, "partnerships.jsonl", PARTNERSHIPS)
    load = records(home, "transactions.jsonl", TRANSACTIONS)
    assert told(load) == ("partnerstack_transactions", 8, 7, [(7, LEFT_OUT)])
    note = "amount counts the smallest unit of a currency that is not said; it stays empty (1 rows)"
    assert note in load.report["notes"]
    deals = {row["name"]: row for row in table(home, "deals", DAY)}
    assert {key: (row["amount"], row["currency"], row["amount_home"]) for key, row in deals.items()} == {
        "t_usd": ("12345.6700", "USD", "12345.6700"),
        "t_jpy": ("50000.0000", "JPY", "334.0100"),
        "t_kwd": ("1234.5670", "KWD", ""),
        "t_refund": ("-50.0000", "USD", "-50.0000"),
        "t_unsaid": ("", "", ""),
    }
    assert {(row["stage_class"], row["created_on"], row["closed_on"]) for row in deals.values()} == {
        ("won", "2026-03-01", "2026-03-01")
    }
    touched = {(row["subject_id"], row["role"]) for row in table(home, "touches", DAY)}
    assert {(row["deal_id"], "referred") for row in deals.values()} <= touched


def test_what_is_archived_or_not_approved_any_more_is_gone(home: Home) -> None:
    records(
        home,
        "before.jsonl",
        [transaction("t_1", 100, "USD"), transaction("t_2", 200, "USD"), transaction("t_3", 300, "USD")],
    )
    assert len(table(home, "deals", DAY)) == 3
    records(home, "after.jsonl", [
        transaction("t_1", 100, "USD", archived=True, updated_at=LATER),
        transaction("t_2", 200, "USD", approved=False, updated_at=LATER),
    ])  # fmt: skip
    assert [(row["name"], Decimal(row["amount"])) for row in table(home, "deals", DAY)] == [("t_3", Decimal(3))]


def test_a_fraction_of_the_smallest_unit_is_set_aside(home: Home) -> None:
    header = "key,customer_key,amount,currency,approved,created_at"
    text = f"{header}\nt_1,c,12.50,USD,true,{SOLD}\nt_2,c,1250,USD,true,{SOLD}\nt_3,c,1250,USD,true,2026-03-01\n"
    load = take_in_text(home, "transactions.csv", text, "2026-03-15")
    assert told(load) == (
        "partnerstack_transactions", 3, 1,
        [(2, "'12.50' is not a whole number of its currency's smallest unit"),
         (4, "'2026-03-01' is not a number of milliseconds since 1970")],
    )  # fmt: skip


def test_test_customers_are_left_out_by_rule_and_a_salesforce_id_is_the_account_there(home: Home) -> None:
    records(home, "partnerships.jsonl", PARTNERSHIPS)
    assert told(records(home, "customers.jsonl", CUSTOMERS)) == ("partnerstack_customers", 2, 1, [(2, LEFT_OUT)])
    records(home, "transactions.jsonl", TRANSACTIONS[:1])
    accounts = "Id,Name,IsPartner,CreatedDate\n0015g00000XyZaB,Kelp Works Ltd,false,2024-01-01\n"
    take_in_text(home, "account.csv", accounts, "2026-03-15")
    (account,) = table(home, "accounts", DAY)
    assert (account["name"], account["source"]) == ("Kelp Works Ltd", "salesforce")
    assert {row["account_id"] for row in table(home, "deals", DAY)} == {account["organisation_id"]}
    touched = {row["subject_id"] for row in table(home, "touches", DAY) if row["subject_kind"] == "account"}
    assert touched == {account["organisation_id"]}


@pytest.mark.parametrize("crm_first", [True, False])
def test_a_deal_with_the_id_of_an_opportunity_is_that_opportunity(home: Home, crm_first: bool) -> None:
    deal = {"key": "deal_1", "external_key": "0065g00000AbCdE", "partner_key": "acorn", "amount": 999900, "stage": "Won",
            "source": "partner", "lost_reason": None, "close_date": "2026-03-10", "account_name": {}, "created_at": SOLD,
            "updated_at": SOLD}  # fmt: skip
    opportunity = (
        "Id,Name,StageName,IsWon,IsClosed,Amount,CurrencyIsoCode,CloseDate\n"
        "0065g00000AbCdE,Kelp,Closed Won,true,true,9999,USD,2026-03-10\n"
    )
    if crm_first:
        take_in_text(home, "opportunity.csv", opportunity, "2026-03-15")
    records(home, "deals.jsonl", [deal])
    if not crm_first:
        take_in_text(home, "opportunity.csv", opportunity, "2026-03-15")
    (found,) = table(home, "deals", DAY)
    assert (found["name"], found["amount"], found["source"]) == ("Kelp", "9999.0000", "salesforce")
    (touch,) = table(home, "touches", DAY)
    assert (touch["subject_id"], touch["role"]) == (found["deal_id"], "referred")


def test_rewards_are_payments_where_their_currency_is_said(home: Home) -> None:
    rows = [
        {"key": f"r_{status}", "amount": 2550, "currency": "EUR", "payment_status": status, "description": "10 %",
         "partnership": {"key": "part_1", "partner_key": "acorn"}, "created_at": SOLD}
        for status in ("available", "in_transit", "withdrawn", "paid_externally", "expired", "failed", "merging")
    ]  # fmt: skip
    assert told(records(home, "rewards.jsonl", rows)) == ("partnerstack_rewards", 7, 7, [])
    funds = {row["external_id"]: row for row in table(home, "funds", DAY)}
    assert {key: row["status"] for key, row in funds.items()} == {
        "r_available": "approved", "r_in_transit": "approved", "r_merging": "approved", "r_withdrawn": "paid",
        "r_paid_externally": "paid", "r_expired": "expired", "r_failed": "failed",
    }  # fmt: skip
    assert {(row["kind"], row["amount"], row["currency"], row["created_on"]) for row in funds.values()} == {
        ("payment", "25.5000", "EUR", "2026-03-01")
    }
