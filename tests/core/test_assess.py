"""The whole sum: every partner once, best first, the same to the last digit, and what the data could not say."""

import datetime as dt
from collections.abc import Iterator

import pytest

from groundswell.core import catalog
from groundswell.core.assess import assess, availability
from groundswell.core.signals import shapes
from groundswell.engine.duckdb import Engine
from groundswell.policy import read
from tests.core import day

AS_OF = dt.date(2026, 6, 30)
OLD = dt.date(2020, 1, 1)
POLICY = catalog.policy(read.texts())


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = day.engine()
    yield made
    made.close()


def activity(partner: str, kind: str, on: dt.date) -> dict[str, object]:
    return {"partner_id": partner, "type": kind, "occurred_on": on, "person_id": f"p_{partner}"}


def deal(partner: str, **cells: object) -> dict[str, object]:
    base: dict[str, object] = {"partner_id": partner, "occurred_on": OLD, "stage_class": "open", "amount_home": 1000}
    return base | {"sourced": True} | cells


def test_every_partner_is_assessed_once_best_first_and_equals_by_id(engine: Engine) -> None:
    rows = [activity("z", kind, OLD) for kind in ("portal_login", "email_replied", "meeting")]
    rows += [activity("b", kind, AS_OF) for kind in ("portal_login", "email_replied", "meeting", "meeting", "call")]
    rows += [activity("stranger", "meeting", AS_OF)]
    day.lay(engine, ["a", "b", "c", "z"], {"activities": rows})
    found = assess(POLICY, AS_OF, engine.ask)
    assert [one.partner_id for one in found.partners] == ["b", "a", "c", "z"]
    ranks = [one.readiness.ranks_by for one in found.partners]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] > ranks[1] == ranks[2]


def test_a_partner_without_any_fact_is_unknown_and_not_zero(engine: Engine) -> None:
    day.lay(engine, ["a"], {})
    only = assess(POLICY, AS_OF, engine.ask).partners[0]
    assert {value.state for value in only.values.values()} == {"unavailable"}
    assert (only.readiness.total, only.readiness.coverage, only.readiness.state) == (None, 0, "too little known")
    assert (only.readiness.low, only.readiness.high, only.readiness.band) == (0, 100, "")


def test_without_partners_there_is_nothing_to_assess(engine: Engine) -> None:
    day.lay(engine, [], {"deals": [deal("a")]})
    assert assess(POLICY, AS_OF, engine.ask).partners == ()


def test_what_is_missing_is_named_and_what_each_table_would_add_is_counted(engine: Engine) -> None:
    day.lay(engine, ["a"], {"deals": [deal("a", closed_on=OLD, close_on=OLD, account_id="o", product="p", type="new",
                                           account_country="NO", stage_class="won")]})  # fmt: skip
    found = assess(POLICY, AS_OF, engine.ask)
    missing = {what for parts in found.unavailable.values() for what in parts}
    absent = {
        "activities",
        "credentials",
        "memberships",
        "people",
        "readings",
        "registrations",
        "subscriptions",
        "funds",
    }
    assert missing >= absent - {"people"}

    def reading_only(table: str) -> int:
        tables = [{half.table for half in shapes.halves(signal.measure)} for signal in POLICY.signals.values()]
        return tables.count({table})

    told = dict(found.would_add)
    assert {table: told.get(table, 0) for table in absent} == {table: reading_only(table) for table in absent}
    assert list(told) == sorted(told, key=lambda table: (-told[table], table))
    assert availability(POLICY, AS_OF, engine.ask) == (found.unavailable, found.would_add)


def test_a_column_that_no_row_fills_is_named_with_its_table(engine: Engine) -> None:
    day.lay(engine, ["a"], {"deals": [deal("a", amount_home="")]})
    found = assess(POLICY, AS_OF, engine.ask).unavailable
    assert found["open_pipeline"] == ("deals.amount_home",)
    assert found["customer_countries"] == ("deals.closed_on", "organisations.country")
    assert "open_deals" not in found


def test_a_kind_of_activity_that_nobody_brings_is_named(engine: Engine) -> None:
    day.lay(engine, ["a"], {"activities": [activity("a", "portal_login", OLD)]})
    found = assess(POLICY, AS_OF, engine.ask).unavailable
    assert found["courses_completed"] == ("activities of type training_completed",)
    assert found["meetings_last_quarter"] == ("activities of type call or meeting",)
    assert "weeks_with_sign_in" not in found


def test_the_order_of_the_rows_changes_nothing(engine: Engine) -> None:
    kinds = [
        ("a", "meeting"),
        ("b", "meeting"),
        ("a", "portal_login"),
        ("b", "email_replied"),
        ("c", "portal_login"),
    ] * 4
    rows = [activity(partner, kind, AS_OF - dt.timedelta(days=n)) for n, (partner, kind) in enumerate(kinds)]
    deals = [deal("a", amount_home=1), deal("b", amount_home=7), deal("c", amount_home="")]
    day.lay(engine, ["a", "b", "c"], {"activities": rows, "deals": deals})
    one = assess(POLICY, AS_OF, engine.ask)
    day.lay(engine, ["c", "b", "a"], {"activities": rows[::-1], "deals": deals[::-1]})
    assert assess(POLICY, AS_OF, engine.ask) == one


def test_a_partner_never_changes_the_score_of_another(engine: Engine) -> None:
    rows = [activity("z", "meeting", OLD), activity("a", "meeting", AS_OF)]
    day.lay(engine, ["a", "z"], {"activities": rows, "deals": [deal("a"), deal("z")]})
    alone = next(one for one in assess(POLICY, AS_OF, engine.ask).partners if one.partner_id == "a")
    more = [*rows, activity("b", "meeting", AS_OF), activity("b", "meeting", AS_OF)]
    day.lay(engine, ["a", "b", "z"], {"activities": more, "deals": [deal("a"), deal("b"), deal("z")]})
    beside = next(one for one in assess(POLICY, AS_OF, engine.ask).partners if one.partner_id == "a")
    assert (beside.values, beside.readiness) == (alone.values, alone.readiness)


def test_the_run_says_that_weights_are_priors_and_when_no_edition_covers_the_day(engine: Engine) -> None:
    day.lay(engine, ["a"], {})
    assert [("unvalidated priors" in remark) for remark in assess(POLICY, AS_OF, engine.ask).remarks] == [True]
    early = assess(POLICY, dt.date(2025, 12, 31), engine.ask).remarks
    assert early[1] == "No edition of readiness covers 2025-12-31; its first, of 2026-01-01, is applied."
