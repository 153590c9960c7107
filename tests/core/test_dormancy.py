"""Silence is told by a partner's own rhythm: literal acts laid over a day, and what is said of each partner."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from groundswell.core import catalog
from groundswell.core.dormancy import Quiet, dormancy
from groundswell.core.outage import Outage
from groundswell.engine.duckdb import Engine
from groundswell.policy import read
from tests.core import day

Rows = list[dict[str, object]]
POLICY = catalog.policy(read.texts()).dormancy
assert POLICY is not None
AS_OF = dt.date(2026, 6, 30)
LONG_AGO = dt.date(2024, 1, 1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = day.engine()
    yield made
    made.close()


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def signed_in(partner: str, *days: int, **cells: object) -> Rows:
    return [{"partner_id": partner, "type": "portal_login", "occurred_on": ago(one), **cells} for one in days]


def did(partner: str, kind: str, *days: int) -> Rows:
    return [{"partner_id": partner, "type": kind, "occurred_on": ago(one)} for one in days]


def won(partner: str, *days: int) -> Rows:
    return [
        {"partner_id": partner, "stage_class": "won", "closed_on": ago(one), "occurred_on": ago(one)} for one in days
    ]


def registered(partner: str, *days: int, state: str = "submitted") -> Rows:
    return [{"partner_id": partner, "occurred_on": ago(one), "state": state} for one in days]


KNOWN = [*signed_in("who left", 800), *did("who left", "email_replied", 800)]
"""So that sign-ins and answers are known for long."""


def judged(
    engine: Engine, stopped: Sequence[Outage] = (), partners: Sequence[str] = ("a", "b", "c", "d"), **tables: Rows
) -> Mapping[str, Quiet]:
    day.lay(engine, partners, tables)
    return dormancy(POLICY, AS_OF, partners, stopped, engine.ask)


def test_the_sentence_of_a_partner(engine: Engine) -> None:
    steps = [21] * 8 + [40, 20]
    days = [74 + sum(steps[:i]) for i in range(len(steps) + 1)]
    found = judged(engine, activities=signed_in("a", *days))["a"]
    assert (found.silent, found.gaps, found.usual_gap, found.most_gap, found.bound) == (74, 10, 21, 21, 63)
    assert (found.state, found.last_on, found.last_act) == ("gone quiet", ago(74), "sign-in")
    assert found.said == "silent 74 days; usual gap 21, nine in ten within 21; beyond its bound of 63 days"
    even = judged(engine, activities=signed_in("a", 5, 15, 35, 65, 105))["a"]
    assert (even.usual_gap, even.most_gap) == (25, 40)
    wider = judged(engine, activities=signed_in("a", *days, days[-1] + 40))["a"]
    assert wider.said.startswith("silent 74 days; usual gap 21, nine in ten within 40; ")


def test_quarterly_buyers_are_not_asleep_and_weekly_ones_are(engine: Engine) -> None:
    found = judged(
        engine,
        deals=[*won("a", 100, 191, 282, 373, 465), *won("b", 274, 365, 456, 547)],
        activities=[
            *signed_in("c", *range(70, 170, 7)),
            *signed_in("d", *range(59, 170, 7)),
            *signed_in("who left", 800),
        ],
    )
    assert {name: one.state for name, one in found.items()} == {
        "a": "cooling", "b": "gone quiet", "c": "gone quiet", "d": "cooling",
    }  # fmt: skip
    assert found["a"].said == "silent 100 days; usual gap 91, nine in ten within 92; quiet after 273 days"
    assert (found["b"].bound, found["c"].bound) == (273, 60)
    inside = judged(engine, deals=won("a", 92, 183, 274, 366))["a"]
    assert (inside.state, inside.said) == ("active", "silent 92 days; usual gap 91, nine in ten within 92")


@pytest.mark.parametrize(("silent", "state"), [(30, "active"), (31, "cooling"), (60, "cooling"), (61, "gone quiet")])
def test_the_bounds_are_outside(engine: Engine, silent: int, state: str) -> None:
    assert judged(engine, activities=signed_in("a", *range(silent, silent + 30, 2)))["a"].state == state


def test_fewer_than_three_gaps_cannot_tell_unless_the_silence_is_short(engine: Engine) -> None:
    found = judged(
        engine, activities=[*signed_in("a", 61, 71, 81), *signed_in("b", 60), *signed_in("c", 61, 71, 81, 91)]
    )
    assert [found[name].state for name in "abc"] == ["cannot tell", "active", "gone quiet"]
    assert found["a"].said == (
        "silent 61 days; usual gap 10, nine in ten within 10; fewer than 3 gaps: too few to know its rhythm"
    )
    assert found["b"].said == "silent 60 days; no gap yet; too few gaps to know its rhythm"


def test_many_acts_of_one_day_are_one_and_acts_of_all_kinds_are_one_rhythm(engine: Engine) -> None:
    found = judged(
        engine,
        activities=[*signed_in("a", 90, 90, 90, 80, 80), *did("a", "email_sent", 1), *did("a", "asset_opened", 2)],
        registrations=[*registered("a", 70), *registered("a", 5, state="draft")],
        deals=[*won("a", 70, 65), {"partner_id": "a", "stage_class": "open", "occurred_on": ago(1)}],
    )["a"]
    assert (found.gaps, found.usual_gap, found.last_act, found.silent) == (3, 10, "won deal", 65)


def test_a_deal_won_today_is_an_act_of_today(engine: Engine) -> None:
    found = judged(engine, deals=won("a", 0), memberships=[{"partner_id": "b", "joined_on": LONG_AGO}])
    assert (found["a"].silent, found["a"].last_act, found["a"].state) == (0, "won deal", "active")
    assert (found["b"].state, found["b"].pattern) == ("never acted", "enrolled, never started")


def test_what_comes_after_the_day_is_not_seen(engine: Engine) -> None:
    found = judged(engine, deals=won("a", -5, 200, 230, 260, 290))["a"]
    assert (found.silent, found.state) == (200, "gone quiet")


def test_before_sign_ins_are_known_silence_may_have_been_broken_unseen(engine: Engine) -> None:
    sales = [*won("a", 531, 561, 591, 621), *won("b", 190, 220, 250, 280), *won("c", 186, 1000, 1800, 2600)]
    found = judged(engine, deals=sales, activities=signed_in("d", 186))
    assert [(found[name].state, found[name].silent_at_least, found[name].silent) for name in "abc"] == [
        ("gone quiet", 186, 531), ("gone quiet", 186, 190), ("active", 186, 186),
    ]  # fmt: skip
    assert found["a"].said.startswith("silent 186 to 531 days; usual gap 30, ")
    late = judged(engine, deals=sales, activities=signed_in("d", 50))
    assert [late[name].state for name in "abc"] == ["cannot tell", "cannot tell", "active"]
    assert late["a"].said.endswith(f"; sign-ins are known only since {ago(50)}")
    without = judged(engine, deals=sales)
    assert [without[name].state for name in "abc"] == ["gone quiet", "gone quiet", "active"]


def test_a_year_without_an_answer_is_said_only_where_a_year_of_answers_is_known(engine: Engine) -> None:
    acts = [*signed_in("a", 200, 210, 220, 230), *signed_in("b", 800)]
    assert judged(engine, activities=[*acts, *did("b", "email_replied", 364)])["a"].state == "gone quiet"
    assert judged(engine, activities=[*acts, *did("b", "email_replied", 365)])["a"].state == "unlikely"


# ------------------------------------------------------------------------------------------------------- patterns


def test_patterns_tell_those_apart_who_sell_nothing(engine: Engine) -> None:
    names = ["sold", "registered", "signs", "trained", "certified", "engaged", "enrolled", "new", "fresh", "busy"]
    quiet = (200, 210, 220, 230)
    found = judged(
        engine,
        partners=names,
        deals=won("sold", *quiet),
        registrations=registered("registered", *quiet),
        activities=[
            *signed_in("signs", *quiet),
            *did("trained", "training_completed", 120, 300),
            *did("engaged", "webinar_attended", 120),
            *did("engaged", "email_replied", 20),
            *did("fresh", "training_completed", 20),
            *signed_in("busy", 1, 4, 8, 11),
            *did("busy", "training_completed", 100),
            *did("sold", "training_completed", 300),
            *did("enrolled", "email_sent", 300, 200),
            *KNOWN,
        ],
        credentials=[{"partner_id": "certified", "issued_on": ago(91), "code": "x"}],
        memberships=[
            {"partner_id": name, "joined_on": ago(30 if name == "new" else 400), "valid_from": LONG_AGO}
            for name in names
        ],
    )
    assert {name: (one.state, one.pattern) for name, one in found.items()} == {
        "sold": ("unlikely", "sold and gone quiet"),
        "registered": ("unlikely", "registered and gone quiet"),
        "signs": ("unlikely", "signed in and gone quiet"),
        "trained": ("never acted", "trained, never sold"),
        "certified": ("never acted", "trained, never sold"),
        "engaged": ("never acted", "engaged, never registered"),
        "enrolled": ("never acted", "enrolled, never started"),
        "new": ("never acted", ""),
        "fresh": ("never acted", ""),
        "busy": ("active", "trained, never sold"),
    }
    assert found["trained"].said == "no won deal, registration or sign-in yet; joined 400 days ago; 2 trainings"


@pytest.mark.parametrize(
    ("stage", "close_on", "pattern"),
    [
        ("open", ago(0), ""),
        ("open", None, ""),
        ("open", ago(1), "trained, never sold"),  # overdue: nobody works it
        ("lost", ago(-30), "trained, never sold"),
    ],
)
@pytest.mark.parametrize("signs", [(), (1, 4, 8)])
def test_a_deal_on_its_way_is_no_want_of_a_first_deal(
    engine: Engine, stage: str, close_on: dt.date | None, pattern: str, signs: tuple[int, ...]
) -> None:
    deal = {"partner_id": "a", "stage_class": stage, "occurred_on": ago(60), "close_on": close_on}
    trained = [*did("a", "training_completed", 300), *signed_in("a", *signs)]
    found = judged(engine, deals=[deal, *won("b", 10)], activities=trained)
    assert found["a"].pattern == pattern


def test_who_went_quiet_over_an_open_deal_is_told_what_it_did_before(engine: Engine) -> None:
    deal = {"partner_id": "a", "stage_class": "open", "occurred_on": ago(200), "close_on": ago(-30)}
    trained = [*did("a", "training_completed", 300), *signed_in("a", 200, 210, 220, 230)]
    found = judged(engine, deals=[deal, *won("b", 10)], activities=trained)["a"]
    assert (found.state, found.pattern) == ("gone quiet", "trained, never sold")


def test_what_no_source_brings_makes_nobody_a_never(engine: Engine) -> None:
    found = judged(
        engine,
        activities=[*did("a", "training_completed", 300), *did("b", "email_replied", 300)],
        memberships=[{"partner_id": "c", "joined_on": LONG_AGO, "valid_from": LONG_AGO}],
    )
    assert {(one.state, one.pattern) for one in found.values()} == {("cannot tell", "")}
    signing = judged(
        engine, activities=[*did("a", "training_completed", 300), *signed_in("a", 1), *did("b", "call", 300)]
    )
    assert {one.pattern for one in signing.values()} == {""}
    sold = judged(engine, activities=did("b", "email_replied", 300), deals=won("a", 10))
    assert sold["b"].pattern == "engaged, never sold"


# -------------------------------------------------------------------------------- a way back in, back again, outages


def test_a_way_back_in_is_somebody_known_and_an_answer_within_a_year(engine: Engine) -> None:
    quiet = (400, 410, 420, 430)
    rows: dict[str, Rows] = {
        "deals": [row for name in "abcd" for row in won(name, *quiet)],
        "activities": [*did("a", "email_replied", 365), *did("b", "email_replied", 366), *did("c", "meeting", 10)],
        "people": [
            {"partner_id": "a", "email": "ann@a.example"},
            {"partner_id": "b", "email": "bo@b.example"},
            {"partner_id": "c", "email": "cy@c.example", "left_on": ago(1)},
        ],
    }
    found = judged(engine, **rows)
    assert {name: (one.state, one.reachable) for name, one in found.items()} == {
        "a": ("gone quiet", True), "b": ("unlikely", False), "c": ("unlikely", False), "d": ("unlikely", False),
    }  # fmt: skip
    unsaid = judged(engine, deals=rows["deals"])
    assert {(one.state, one.reachable) for one in unsaid.values()} == {("gone quiet", None)}


def test_back_after_a_silence_beyond_its_bound(engine: Engine) -> None:
    before = (200, 210, 220, 230)
    found = judged(
        engine,
        activities=[
            *signed_in("a", 10, *before), *signed_in("b", 40, *before), *signed_in("c", *range(10, 90, 10)),
            *signed_in("d", 10, 200, 210, 220),
        ],
    )  # fmt: skip
    assert {name: one.returned_after for name, one in found.items()} == {"a": 190, "b": None, "c": None, "d": None}
    assert found["a"].state == "active"


def test_a_source_that_stopped_says_nothing_of_partners(engine: Engine) -> None:
    stopped = [Outage("portal", ago(100), 30, 31)]
    weekly = tuple(range(102, 200, 7))
    found = judged(
        engine,
        stopped,
        activities=[
            *signed_in("a", *weekly, source="portal"),
            *signed_in("b", *weekly, source="app"),
            *signed_in("c", *(one + 70 for one in weekly), source="portal"),
            *signed_in("d", *weekly, source="portal"),
            *signed_in("d", 3, source="app"),
            *signed_in("e", *weekly, source="portal"),
            *signed_in("e", 101, source="app"),
        ],
        partners="abcde",
    )
    assert {name: one.state for name, one in found.items()} == {
        "a": "cannot tell", "b": "gone quiet", "c": "gone quiet", "d": "active", "e": "cannot tell",
    }  # fmt: skip
    assert found["a"].said == (
        "silent 102 days; usual gap 7, nine in ten within 7; portal stopped bringing activity about 2026-03-22"
    )


def test_the_numbers_are_those_of_policy(engine: Engine) -> None:
    day.lay(engine, ["a"], {"activities": signed_in("a", 45, 55, 65, 75)})
    strict = replace(POLICY, least_silence=20, cooling_silence=20, gap_factor=4)
    found = dormancy(strict, AS_OF, ["a"], (), engine.ask)["a"]
    assert (found.state, found.bound) == ("gone quiet", Fraction(40))
