"""What rules read of a day: derived columns, one row a partner and deal, credentials through holders, partners."""

import datetime as dt
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.core import catalog
from groundswell.core.tables.contract import ROLES, TABLES
from groundswell.core.tables.fold import versions_columns
from groundswell.core.tables.typed import arrow_type
from groundswell.engine.duckdb import Engine
from groundswell.policy import read

D = dt.date
OLD = D(2026, 1, 1)
AS_OF = D(2026, 6, 30)
KNOWN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
INSTANCE = replace(catalog.policy(read.texts()).instance, home_currency="EUR")


class World:
    """Facts of several tables, written as the lake holds them, and the tables of a day that the engine lays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, list[dict[str, object]]] = {}
        self.engine = Engine(threads=1)

    def add(self, table: str, own_id: str, **cells: object) -> None:
        """One version, known since the beginning of 2026 unless said otherwise."""
        envelope = {
            "own_id": own_id, "known_at": KNOWN, "known_by": "source", "source": "salesforce", "object": table,
            "external_id": own_id, "row_hash": repr(sorted(cells.items())), "load_id": "load-1", "landing": "landing-1",
            "line": 2, "deleted": False, "mention": False, "occurred_on": OLD,
        }  # fmt: skip
        self.rows.setdefault(table, []).append(envelope | cells)

    def organisation(self, own_id: str, **cells: object) -> None:
        self.add("organisations", own_id, **{"name": own_id, "is_partner": False, "is_customer": False} | cells)

    def touch(self, deal: str, partner: str, role: str, **cells: object) -> None:
        said = {"subject_kind": "deal", "subject_id": deal, "partner_id": partner, "role": role, "evidence": "manual"}
        self.add("touches", f"h_{deal}_{partner}_{role}", **said | cells)

    def rate(self, currency: str, day: dt.date, per_home: str, rates: str = "spot", **cells: object) -> None:
        said = {"rates": rates, "currency": currency, "day": day, "per_home": Decimal(per_home), "occurred_on": day}
        self.add("fx_rates", f"x_{rates}_{currency}_{day}", **said | cells)

    def converted(self, as_of: dt.date = AS_OF, **settings: object) -> dict[str, tuple[object, object, object]]:
        """(amount_home, home_rate_on, home_basis) of every deal, under these settings of the instance."""
        found = rows(self.day(as_of, **settings), "deals_now", "deal_id", "amount_home", "home_rate_on", "home_basis")
        assert len(found) == len(self.rows["deals"])
        return {str(deal): (amount, day, basis) for deal, amount, day, basis in found}

    def day(
        self, as_of: dt.date = AS_OF, only: Mapping[str, Collection[str]] | None = None, **settings: object
    ) -> Engine:
        """The engine with the tables of a day laid, or with `only` some of them."""
        files = {}
        for table, rows in self.rows.items():
            columns = versions_columns(TABLES[table])
            arrays = {c.name: pa.array([row.get(c.name) for row in rows], arrow_type(c)) for c in columns}
            files[table] = [self.folder / f"{table}.parquet"]
            pq.write_table(pa.table(arrays), files[table][0])
        self.engine.day(as_of, replace(INSTANCE, **settings), files, only=only)  # type: ignore[arg-type]
        return self.engine


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.engine.close()


def rows(engine: Engine, table: str, *names: str) -> list[tuple[object, ...]]:
    found = engine.ask(f"select {', '.join(names)} from {table}")
    return sorted((tuple(row[name] for name in names) for row in found), key=repr)


def test_where_only_some_tables_are_asked_for_nothing_else_is_laid_and_their_rows_are_the_same(world: World) -> None:
    world.organisation("o_1", is_partner=True)
    world.organisation("o_8", country="DE")
    world.add("deals", "d_1", name="D", stage_class="won", account_id="o_8", amount_home=100)
    world.touch("d_1", "o_1", "sourced")
    columns = ("partner_id", "account_country", "amount_home", "sourced")
    engine = world.day(only={"deals": columns})
    some = rows(engine, "deals_of_partners", *columns)
    names = {row["table_name"] for row in engine.ask("select table_name from information_schema.tables")}
    assert not names & {"credentials_of_partners", "registrations_of_partners", "accounts", "people_fold"}
    assert rows(engine, "partners", "partner_id") == [("o_1",)]
    assert some == rows(world.day(), "deals_of_partners", *columns) == [("o_1", "DE", 100, True)]


# ----------------------------------------------------------------------------------------------------------- deals


def test_a_touch_reaches_the_deal_from_its_first_to_its_last_day(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="open")
    world.touch("d_1", "o_1", "sourced", starts_on=D(2026, 2, 1), occurred_on=D(2026, 2, 1), ends_on=D(2026, 6, 30))
    found = {
        day: rows(world.day(day), "deals_of_partners", "partner_id")
        for day in (D(2026, 1, 31), D(2026, 2, 1), D(2026, 6, 30), D(2026, 7, 1))
    }
    assert list(found.values()) == [[], [("o_1",)], [("o_1",)], []]


def test_a_deal_with_two_touches_of_one_partner_is_one_row_with_both_roles(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="won", amount_home=100)
    world.touch("d_1", "o_1", "sourced", share_pct=60)
    world.touch("d_1", "o_1", "resold")
    world.touch("d_1", "o_2", "influenced", share_pct=40)
    found = rows(world.day(), "deals_of_partners", "partner_id", *ROLES, "share_pct")
    yes = {"o_1": {"sourced", "resold"}, "o_2": {"influenced"}}
    assert [row[:-1] for row in found] == [(p, *(role in yes[p] for role in ROLES)) for p in ("o_1", "o_2")]
    assert [row[-1] for row in found] == [60, 40]


def test_where_only_an_association_is_known_every_role_is_unknown_and_not_false(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="open")
    world.touch("d_1", "o_1", "association:company")
    world.touch("d_1", "o_2", "association:company")
    world.touch("d_1", "o_2", "resold")
    assert rows(world.day(), "deals_of_partners", "partner_id", "sourced", "resold") == [
        ("o_1", None, None),
        ("o_2", False, True),
    ]


def test_a_part_that_begins_after_the_day_or_touches_something_else_does_not_reach(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="open")
    world.touch("d_1", "o_1", "sourced", starts_on=D(2026, 7, 1), occurred_on=D(2026, 7, 1))
    world.touch("d_1", "o_2", "sourced", subject_kind="account")
    world.touch("d_1", "o_3", "sourced", starts_on=D(2026, 6, 30), ends_on=D(2026, 6, 30))
    world.touch("d_9", "o_4", "sourced")
    assert rows(world.day(), "deals_of_partners", "partner_id") == [("o_3",)]


def test_a_touch_reaches_the_partner_into_which_its_partner_was_merged(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="open")
    world.touch("d_1", "o_1", "sourced")
    world.touch("d_1", "o_3", "resold")
    world.add("links", "l_1", from_id="o_1", into_id="o_2", how="source")
    world.add("links", "l_2", from_id="o_2", into_id="o_3", how="source")
    assert rows(world.day(), "deals_of_partners", "partner_id", "sourced", "resold") == [("o_3", True, True)]


def test_an_amount_in_home_currency_is_home_money_and_any_other_without_a_rate_is_unknown(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="open", amount=100, currency="EUR")
    world.add("deals", "d_2", name="D", stage_class="open", amount=100, currency="USD")
    world.add(
        "deals", "d_3", name="D", stage_class="open", amount=100, currency="USD", amount_home=90, home_basis="source"
    )
    world.add("deals", "d_4", name="D", stage_class="open", amount=100)
    world.add("deals", "d_5", name="D", stage_class="open", amount=0, currency="EUR")
    assert rows(world.day(), "deals_now", "deal_id", "amount_home", "home_basis") == [
        ("d_1", 100, "source"),
        ("d_2", None, None),
        ("d_3", 90, "source"),
        ("d_4", None, None),
        ("d_5", 0, "source"),
    ]


MARCH = D(2026, 3, 2)


@pytest.mark.parametrize(
    ("home", "currency", "amount", "per_home", "home_amount"),
    [
        ("USD", "EUR", "100", "0.92", "108.70"),
        ("USD", "EUR", "-100", "0.92", "-108.70"),
        ("USD", "EUR", "0", "0.92", "0"),
        ("USD", "JPY", "1000000", "149.5", "6688.96"),
        ("EUR", "USD", "0.25", "2", "0.12"),
        ("EUR", "USD", "0.75", "2", "0.38"),
        ("EUR", "USD", "-0.25", "2", "-0.12"),
        ("EUR", "USD", "0.0051", "1", "0.01"),
        ("JPY", "EUR", "1", "0.4", "2"),
        ("JPY", "EUR", "1.4", "0.4", "4"),
        ("JPY", "EUR", "10.01", "0.00625", "1602"),
        ("KWD", "USD", "100", "3.25", "30.769"),
        ("KWD", "USD", "0.0025", "1", "0.002"),
        ("KWD", "USD", "0.0035", "1", "0.004"),
        ("CLF", "USD", "1", "32", "0.0312"),
        ("USD", "EUR", "9999999999999999.9999", "1.00000001", "9999999900000001.00"),
        ("USD", "EUR", "0.0001", "99999999999999999999.99999999", "0"),
        ("USD", "EUR", "9999999999999999.9999", "0.5", None),
        ("USD", "EUR", "9999999999999999.9999", "0.00000001", None),
    ],
)
def test_an_amount_is_divided_by_the_rate_and_rounded_once_half_even_to_the_smallest_unit(
    world: World, home: str, currency: str, amount: str, per_home: str, home_amount: str | None
) -> None:
    world.add("deals", "d_1", name="D", stage_class="won", amount=Decimal(amount), currency=currency, closed_on=MARCH)
    world.rate(currency, MARCH, per_home)
    expected = (None, None) if home_amount is None else (Decimal(home_amount), "rate")
    amount_home, day, basis = world.converted(home_currency=home)["d_1"]
    assert (amount_home, basis) == expected
    assert home_amount is None or day == MARCH


def test_conversion_is_exact_to_the_last_digit(world: World) -> None:
    chance = random.Random(20260302)
    written = {}
    for number in range(400):
        rate = Decimal(chance.randrange(1, 10 ** chance.randrange(1, 14))).scaleb(-8)
        amount = Decimal(chance.randrange(10 ** chance.randrange(1, 17))).scaleb(-4)
        day = D(2020, 1, 1) + dt.timedelta(days=number)
        world.add("deals", f"d_{number}", name="D", stage_class="won", amount=amount, currency="USD", closed_on=day)
        world.rate("USD", day, str(rate))
        written[f"d_{number}"] = Fraction(amount) / Fraction(rate)
    found = {deal: amount for deal, (amount, _, _) in world.converted(home_currency="EUR").items()}
    cents = {deal: Fraction(round(exact * 100), 100) for deal, exact in written.items()}  # round is half-even
    assert found == {deal: amount if amount < 10**16 else None for deal, amount in cents.items()}


RATE_ON = {"created_on": D(2026, 1, 5), "close_on": D(2026, 2, 2), "closed_on": D(2026, 3, 2)}


@pytest.mark.parametrize(
    ("stage_class", "dated_by", "converted_on"),
    [
        ("won", ("created_on", "close_on", "closed_on"), "closed_on"),
        ("won", ("created_on", "close_on"), "close_on"),
        ("open", ("created_on", "close_on"), "close_on"),
        ("open", ("created_on",), "created_on"),
        ("open", (), None),
    ],
)
def test_the_day_of_the_rate_is_that_of_closing_else_the_planned_one_else_of_creation(
    world: World, stage_class: str, dated_by: tuple[str, ...], converted_on: str | None
) -> None:
    dates = {name: RATE_ON[name] for name in dated_by}
    world.add("deals", "d_1", name="D", stage_class=stage_class, amount=8, currency="USD", **dates)
    for per_home, day in enumerate(RATE_ON.values(), start=1):
        world.rate("USD", day, str(2**per_home))
    worth = {"created_on": 4, "close_on": 2, "closed_on": 1}
    expected = (worth[converted_on], RATE_ON[converted_on], "rate") if converted_on else (None, None, None)
    assert world.converted()["d_1"] == expected


@pytest.mark.parametrize(
    ("closed_on", "rate_days", "rate_on"),
    [
        (D(2024, 2, 28), 10, None),
        (D(2024, 2, 29), 10, D(2024, 2, 29)),
        (D(2024, 2, 29), 0, D(2024, 2, 29)),
        (D(2024, 3, 1), 0, None),
        (D(2024, 3, 10), 10, D(2024, 2, 29)),
        (D(2024, 3, 11), 10, None),
        (D(2024, 3, 30), 31, D(2024, 2, 29)),
        (D(2024, 3, 31), 31, D(2024, 3, 31)),
        (D(2024, 4, 30), 10, None),
    ],
)
def test_the_last_rate_on_or_before_the_day_holds_for_the_days_of_policy_and_no_longer(
    world: World, closed_on: dt.date, rate_days: int, rate_on: dt.date | None
) -> None:
    world.add("deals", "d_1", name="D", stage_class="won", amount=1, currency="USD", closed_on=closed_on)
    world.rate("USD", D(2024, 2, 29), "2")
    world.rate("USD", D(2024, 3, 31), "2")
    world.rate("GBP", closed_on, "2")
    found = world.converted(rate_days=rate_days)["d_1"]
    assert found == ((Decimal("0.50"), rate_on, "rate") if rate_on else (None, None, None))


def test_a_plan_that_lies_ahead_is_converted_at_the_rate_of_the_day_of_the_view(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="open", amount=6, currency="USD", close_on=D(2026, 12, 31))
    world.rate("USD", D(2026, 6, 26), "2")
    world.rate("USD", D(2026, 7, 1), "3")
    assert world.converted()["d_1"] == (3, D(2026, 6, 26), "rate")
    assert world.converted(D(2026, 7, 5))["d_1"] == (2, D(2026, 7, 1), "rate")


def test_a_rate_that_was_known_later_is_not_seen_before(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="won", amount=6, currency="USD", closed_on=MARCH)
    world.rate("USD", MARCH, "2", known_at=dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC))
    world.rate("USD", MARCH, "3", known_at=dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC))
    assert world.converted(D(2026, 3, 31))["d_1"] == (None, None, None)
    assert world.converted(D(2026, 4, 30))["d_1"] == (3, MARCH, "rate")
    assert world.converted(D(2026, 5, 1))["d_1"] == (2, MARCH, "rate")


def test_of_two_sources_of_a_rate_the_first_is_taken_and_tables_of_programmes_convert_nothing(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="won", amount=6, currency="USD", closed_on=MARCH)
    world.add("deals", "d_2", name="D", stage_class="won", amount=6, currency="GBP", closed_on=MARCH)
    world.rate("USD", MARCH, "3", "Spot", source="generic")
    world.rate("USD", MARCH, "2")
    world.rate("GBP", MARCH, "2", "hubspot 2024-25")
    assert world.converted() == {"d_1": (3, MARCH, "rate"), "d_2": (None, None, None)}


def test_a_rate_changes_neither_what_is_home_money_nor_what_the_source_converted(world: World) -> None:
    said = {"name": "D", "stage_class": "won", "amount": 100, "closed_on": MARCH}
    world.add("deals", "d_1", currency="EUR", **said)
    world.add("deals", "d_2", currency="USD", amount_home=90, home_basis="source", home_rate_on=D(2026, 3, 1), **said)
    world.add("deals", "d_3", **said)
    world.rate("USD", MARCH, "2")
    world.rate("EUR", MARCH, "2")
    assert world.converted() == {
        "d_1": (100, None, "source"),
        "d_2": (90, D(2026, 3, 1), "source"),
        "d_3": (None, None, None),
    }


def test_a_deal_closed_on_its_close_date_once_it_is_won_or_lost(world: World) -> None:
    march = D(2026, 3, 31)
    world.add("deals", "d_1", name="D", stage_class="won", close_on=march)
    world.add("deals", "d_2", name="D", stage_class="lost", close_on=march)
    world.add("deals", "d_3", name="D", stage_class="open", close_on=march)
    world.add("deals", "d_4", name="D", stage_class="won", close_on=march, closed_on=D(2026, 3, 1))
    assert rows(world.day(), "deals_now", "deal_id", "closed_on", "group_key") == [
        ("d_1", march, "d_1"),
        ("d_2", march, "d_2"),
        ("d_3", None, "d_3"),
        ("d_4", D(2026, 3, 1), "d_4"),
    ]


def test_a_deal_knows_country_and_labels_of_its_customer(world: World) -> None:
    world.organisation("o_9", country="NO", tags=["growth_market"])
    world.add("deals", "d_1", name="D", stage_class="open", account_id="o_9")
    world.add("deals", "d_2", name="D", stage_class="open")
    world.touch("d_1", "o_1", "sourced")
    world.touch("d_2", "o_1", "sourced")
    assert rows(world.day(), "deals_of_partners", "deal_id", "account_country", "account_tags") == [
        ("d_1", "NO", ["growth_market"]),
        ("d_2", None, None),
    ]


def test_a_deal_knows_the_industry_of_its_customer_and_the_days_from_beginning_to_closing(world: World) -> None:
    world.organisation("o_9", industry="retail")
    begun = {"name": "D", "account_id": "o_9", "created_on": D(2026, 1, 1)}
    world.add("deals", "d_1", stage_class="won", close_on=D(2026, 3, 1), **begun)
    world.add("deals", "d_2", stage_class="open", close_on=D(2026, 3, 1), **begun)
    world.add("deals", "d_3", stage_class="lost", closed_on=D(2025, 12, 31), **begun)
    for deal in ("d_1", "d_2", "d_3"):
        world.touch(deal, "o_1", "sourced")
    assert rows(world.day(), "deals_of_partners", "deal_id", "account_industry", "cycle_days") == [
        ("d_1", "retail", 59),
        ("d_2", "retail", None),
        ("d_3", "retail", -1),
    ]


def test_changes_of_stage_reach_the_partners_of_their_deal(world: World) -> None:
    world.add("deals", "d_1", name="D", stage_class="open")
    world.touch("d_1", "o_1", "sourced")
    world.touch("d_1", "o_2", "assisted")
    for number, day in enumerate((D(2026, 2, 1), D(2026, 7, 1)), start=1):
        at = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
        cells = {"deal_id": "d_1", "entered_at": at, "stage": "Demo", "stage_class": "open", "occurred_on": day}
        world.add("deal_stages", f"g_{number}", **cells)
    names = ("partner_id", "deal_id", "stage", "occurred_on", "sourced", "assisted")
    assert rows(world.day(), "deal_stages_of_partners", *names) == [
        ("o_1", "d_1", "Demo", D(2026, 2, 1), True, False),
        ("o_2", "d_1", "Demo", D(2026, 2, 1), False, True),
    ]


def test_subscriptions_and_marketing_money_are_home_money_at_the_rate_of_their_first_day(world: World) -> None:
    world.rate("USD", D(2026, 1, 1), "2")
    world.rate("USD", D(2026, 3, 1), "4")
    for number, (currency, started) in enumerate([("EUR", OLD), ("USD", OLD), ("USD", D(2026, 3, 1)), ("GBP", OLD)]):
        money = {"currency": currency, "occurred_on": started}
        said = {"account_id": "o_9", "product": "P", "started_on": started, "status": "active"}
        world.add("subscriptions", f"s_{number}", recurring_month=Decimal(100), **said, **money)
        part = {"subject_kind": "subscription", "subject_id": f"s_{number}", "partner_id": "o_1", "role": "resold"}
        world.add("touches", f"h_{number}", evidence="manual", **part)
        fund = {"partner_id": "o_1", "kind": "claim", "status": "paid", "created_on": started}
        world.add("funds", f"f_{number}", amount=Decimal(100), **fund, **money)
    engine = world.day()
    home = [Decimal(100), Decimal(50), Decimal(25), None]
    found = rows(engine, "subscriptions_of_partners", "subscription_id", "recurring_month_home", "resold", "sourced")
    assert found == [(f"s_{number}", amount, True, False) for number, amount in enumerate(home)]
    found = rows(engine, "funds_of_partners", "fund_id", "amount_home")
    assert found == [(f"f_{number}", amount) for number, amount in enumerate(home)]


def test_a_registration_knows_its_customer_by_its_deal_and_the_first_day_of_a_deal_with_it(world: World) -> None:
    world.organisation("o_8", tags=["target"], country="NO", industry="retail")
    world.organisation("o_9")
    world.add("deals", "d_1", name="D", stage_class="open", account_id="o_8", created_on=D(2026, 3, 1))
    world.add("deals", "d_2", name="D", stage_class="won", account_id="o_8", created_on=D(2026, 2, 1))
    for own_id, cells in {"r_1": {"deal_id": "d_1"}, "r_2": {"account_id": "o_9"}, "r_3": {}}.items():
        said = {"partner_id": "o_1", "customer_name": "C", "state": "approved", "submitted_at": KNOWN}
        world.add("registrations", own_id, **said, **cells)
    names = ("registration_id", "account_id", "account_tags", "account_industry", "first_deal_on")
    assert rows(world.day(), "registrations_of_partners", *names) == [
        ("r_1", "o_8", ["target"], "retail", D(2026, 2, 1)),
        ("r_2", "o_9", None, None, None),
        ("r_3", None, None, None, None),
    ]


# ------------------------------------------------------------------------------------- credentials, people, activities


@pytest.mark.parametrize(
    ("cells", "left_on", "live"),
    [
        ({}, None, True),
        ({"status": "maintenance_due"}, None, True),
        ({"status": "revoked"}, None, False),
        ({"status": "expired"}, None, False),
        ({"expires_on": D(2026, 6, 30)}, None, True),
        ({"expires_on": D(2026, 6, 29)}, None, False),
        ({"issued_on": D(2026, 6, 30)}, None, True),
        ({"issued_on": D(2026, 7, 1)}, None, False),
        ({}, D(2026, 6, 30), True),
        ({}, D(2026, 6, 29), False),
    ],
)
def test_a_credential_is_live_by_status_dates_and_holder(
    world: World, cells: dict[str, object], left_on: dt.date | None, live: bool
) -> None:
    world.add("people", "p_1", organisation_id="o_1", side="partner", left_on=left_on)
    said = {"person_id": "p_1", "code": "A", "kind": "certificate", "status": "active", "issued_on": OLD}
    world.add("credentials", "c_1", **said | cells)
    assert rows(world.day(), "credentials_of_partners", "partner_id", "live") == [("o_1", live)]


def test_an_activity_reaches_the_partner_it_names_or_else_that_of_its_person(world: World) -> None:
    world.add("people", "p_1", organisation_id="o_1", side="partner")
    world.add("activities", "a_1", type="call", partner_id="o_2", person_id="p_1")
    world.add("activities", "a_2", type="meeting", person_id="p_1")
    world.add("activities", "a_3", type="asset_opened", account_id="o_9")
    assert rows(world.day(), "activities_of_partners", "type", "partner_id") == [
        ("asset_opened", None),
        ("call", "o_2"),
        ("meeting", "o_1"),
    ]


def test_our_own_people_reach_no_partner_and_people_of_partners_are_on_their_side(world: World) -> None:
    world.organisation("o_1", is_partner=True)
    world.add("people", "p_1", organisation_id="o_1", side="account")
    world.add("people", "p_2", organisation_id="vendor:self", side="ours")
    world.add("people", "p_3", organisation_id="o_8", side="account")
    assert rows(world.day(), "people_of_partners", "partner_id", "side") == [("o_1", "partner"), ("o_8", "account")]


# ---------------------------------------------------------------------------------------------- partners and accounts


def test_partners_are_those_with_a_membership_that_has_not_ended_or_with_the_role_alone(world: World) -> None:
    for name in ("member", "left", "left_today", "joins_later", "role", "nobody", "back"):
        world.organisation(name, is_partner=name in ("left", "role", "joins_later"))
    world.add("memberships", "m_1", partner_id="member", valid_from=OLD)
    world.add("memberships", "m_2", partner_id="left", valid_from=OLD, valid_to=D(2026, 6, 29))
    world.add("memberships", "m_3", partner_id="left_today", valid_from=OLD, valid_to=AS_OF)
    world.add("memberships", "m_4", partner_id="joins_later", valid_from=D(2026, 7, 1), occurred_on=D(2026, 7, 1))
    world.add("memberships", "m_5", partner_id="back", valid_from=OLD, valid_to=D(2026, 3, 31), tier="gold")
    world.add(
        "memberships", "m_6", partner_id="back", valid_from=D(2026, 5, 1), occurred_on=D(2026, 5, 1), tier="silver"
    )
    assert rows(world.day(), "partners", "partner_id", "tier") == [
        ("back", "silver"),
        ("joins_later", None),
        ("left_today", None),
        ("member", None),
        ("role", None),
    ]


@pytest.mark.parametrize("of_loser", ["m_0", "m_9"])
@pytest.mark.parametrize("loser", [{"status": "terminated"}, {"status": "active", "valid_to": D(2026, 6, 29)}])
@pytest.mark.parametrize("since", [OLD, D(2026, 2, 1)])
def test_a_membership_that_stands_outranks_others_whatever_their_ids_and_days(
    world: World, of_loser: str, loser: dict[str, object], since: dt.date
) -> None:
    world.organisation("o_1", is_partner=True)
    world.organisation("o_2", is_partner=True)
    world.add("links", "l_1", from_id="o_1", into_id="o_2", how="source")
    world.add("memberships", of_loser, partner_id="o_1", valid_from=since, occurred_on=since, tier="gold", **loser)
    world.add("memberships", "m_5", partner_id="o_2", valid_from=OLD, status="active", tier="silver")
    assert rows(world.day(), "partners", "partner_id", "tier", "status") == [("o_2", "silver", "active")]


def test_a_partner_of_which_no_membership_stands_is_not_in_the_list(world: World) -> None:
    world.organisation("o_1", is_partner=True)
    world.add("memberships", "m_1", partner_id="o_1", valid_from=OLD, valid_to=D(2026, 3, 31), status="active")
    world.add("memberships", "m_2", partner_id="o_1", valid_from=OLD, program="other", status="terminated")
    assert rows(world.day(), "partners", "partner_id") == []


def test_an_undated_membership_begins_on_the_day_it_was_first_known(world: World) -> None:
    world.organisation("o_1")
    world.add(
        "memberships", "m_1", partner_id="o_1", occurred_on=None, known_at=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    )
    assert rows(world.day(D(2026, 2, 28)), "partners", "partner_id") == []
    assert rows(world.day(), "memberships_now", "partner_id", "valid_from") == [("o_1", D(2026, 3, 1))]


def test_a_merged_partner_is_one_partner_with_the_history_of_both(world: World) -> None:
    world.organisation("o_1", is_partner=True, domain="acme.example")
    world.organisation("o_2", is_partner=True)
    world.add("links", "l_1", from_id="o_1", into_id="o_2", how="person", occurred_on=D(2026, 4, 1))
    world.add("activities", "a_1", type="call", partner_id="o_1")
    assert rows(world.day(D(2026, 3, 31)), "partners", "partner_id") == [("o_1",), ("o_2",)]
    assert rows(world.day(), "partners", "partner_id", "domain") == [("o_2", "acme.example")]
    assert rows(world.engine, "activities_of_partners", "partner_id") == [("o_2",)]


def test_the_customer_of_a_deal_is_an_account_whatever_its_own_row_says(world: World) -> None:
    for name in ("buys", "says_so", "neither"):
        world.organisation(name, is_customer=name == "says_so")
    world.add("deals", "d_1", name="D", stage_class="open", account_id="buys")
    assert rows(world.day(), "accounts", "organisation_id") == [("buys",), ("says_so",)]
    assert rows(world.engine, "organisations_now", "organisation_id", "is_customer") == [
        ("buys", True),
        ("neither", False),
        ("says_so", True),
    ]


def test_nothing_known_after_the_day_reaches_any_table_of_it(world: World) -> None:
    later = {"known_at": dt.datetime(2026, 7, 1, tzinfo=dt.UTC)}
    world.organisation("o_1", is_partner=True)
    world.organisation("o_2", is_partner=True, **later)
    world.add("deals", "d_1", name="D", stage_class="open", **later)
    world.touch("d_1", "o_1", "sourced")
    world.add("activities", "a_1", type="call", partner_id="o_1", **later)
    engine = world.day()
    assert rows(engine, "partners", "partner_id") == [("o_1",)]
    assert rows(engine, "deals_of_partners", "deal_id") == []
    assert rows(engine, "activities_of_partners", "own_id") == []
    assert len(rows(world.day(D(2026, 7, 1)), "deals_of_partners", "deal_id")) == 1
