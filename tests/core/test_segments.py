"""Where a partner stands: the rule that placed it, what would move it, and what nobody can say."""

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core import catalog
from groundswell.core.conditions import Lookup, holds, parsed
from groundswell.core.declare import Value
from groundswell.core.readiness import readiness
from groundswell.core.replay import Standing, truths_of_all
from groundswell.core.segments import looking_up, place, reviewed, truths
from groundswell.core.signals.fiscal import Calendar
from groundswell.core.signals.shapes import signal_kinds
from groundswell.policy import read

F = Fraction
POLICY = catalog.policy(read.texts())
SEGMENTS = POLICY.segments
assert SEGMENTS is not None
DAY, BEFORE = dt.date(2026, 6, 30), dt.date(2026, 5, 31)


def partner(total: object = 50, coverage: object = 100, won: object = 0, joined: object = 1000) -> Lookup:
    """A partner of these figures; None is not known."""
    named = {"readiness.total": total, "readiness.coverage": coverage, "won_revenue": won, "days_since_joined": joined}
    values = {
        name: it if isinstance(it, Value) else Value.unknown("nobody told us") if it is None else Value.of(F(str(it)))
        for name, it in named.items()
    }
    return lambda name: values.get(name, Value.unavailable("not measured"))


@pytest.mark.parametrize(
    ("figures", "segment"),
    [
        ({"won": "0.01", "total": 5, "coverage": 10}, "active"),
        ({"total": 60, "coverage": 60}, "ready"),
        ({"total": "59.99", "coverage": 60}, "developing"),
        ({"total": 60, "coverage": "59.9"}, "developing"),
        ({"total": "39.99", "coverage": 50}, "inactive"),
        ({"total": 40, "coverage": 50}, "developing"),
        ({"total": 80, "coverage": 49, "joined": 179}, "developing"),
        ({"total": 80, "coverage": 49, "joined": 180}, ""),
        ({"total": 10, "coverage": 49, "joined": None}, ""),
    ],
)
def test_the_first_row_that_holds_places_the_partner(figures: dict[str, object], segment: str) -> None:
    assert place(SEGMENTS, partner(**figures), None, DAY).standing == Standing(segment, DAY)


def test_it_is_said_which_rule_placed_it_and_what_would_move_it() -> None:
    found = place(SEGMENTS, partner(total="57.2", coverage=82), None, DAY)
    assert found.standing.segment == "developing"
    assert found.rule == "readiness.coverage >= 50 or days_since_joined < 180"
    assert found.facts == ("known of readiness 82 percent",)
    assert [(one.segment, one.said, one.short, one.unit) for one in found.moves] == [
        ("active", "won revenue 0 home currency, must be above 0", 0, "home currency"),
        ("ready", "readiness 57.2 of 60 points", F("2.8"), "points"),
        ("inactive", "readiness 57.2 points, must be below 40", F("17.2"), "points"),
    ]
    assert (found.undecided, found.stays, found.would_place) == ((), "", ())


def test_what_is_not_known_is_said_and_decides_nothing() -> None:
    found = place(SEGMENTS, partner(total=70, won=None), None, DAY)
    assert found.standing.segment == "ready"
    assert found.undecided == ("may be active: won revenue is not known (nobody told us)",)
    assert [(one.said, one.short) for one in found.moves] == [("won revenue is not known (nobody told us)", None)]
    at_least = place(SEGMENTS, partner(total=70, won=Value.unknown("2 amounts are empty", F(0))), None, DAY)
    assert at_least.undecided == ("may be active: won revenue is at least 0 (2 amounts are empty)",)
    assert (
        place(SEGMENTS, partner(won=Value.unknown("2 amounts are empty", F(1))), None, DAY).standing.segment == "active"
    )


def test_one_that_is_not_placed_is_told_the_fact_that_would_place_it() -> None:
    found = place(SEGMENTS, partner(total=70, coverage=34), None, DAY)
    assert (found.standing.segment, found.rule) == ("", "")
    assert [(one.segment, one.said) for one in found.would_place] == [
        ("developing", "known of readiness 34 of 50 percent"),
        ("developing", "days since joined 1000 days, must be below 180"),
    ]
    assert {one.either for one in found.would_place} == {True}
    assert {one.either for one in found.moves if one.segment != "developing"} == {False}


def test_staying_is_said_apart_from_coming_in() -> None:
    before = Standing("ready", BEFORE)
    inside = place(SEGMENTS, partner(total=56), before, DAY)
    assert (inside.standing, inside.stays) == (before, "stays in ready: inside its bounds for staying")
    assert inside.rule == "readiness.total >= 55 and readiness.coverage >= 60"
    once = place(SEGMENTS, partner(total=54), before, DAY)
    assert once.standing == Standing("ready", BEFORE, 1)
    assert once.stays == "stays in ready: outside its bounds at 1 of 2 month-ends in a row"
    assert (once.rule, once.facts) == ("", ())  # none of the conditions holds
    assert place(SEGMENTS, partner(total=54), once.standing, dt.date(2026, 7, 31)).standing.segment == "developing"
    back = place(SEGMENTS, partner(total=61), once.standing, dt.date(2026, 7, 31))
    assert (back.standing, back.stays) == (Standing("ready", BEFORE), "")


def test_readiness_is_that_of_the_known_lines_and_not_its_range() -> None:
    values = {name: Value.unknown("not told") for name in POLICY.signals} | {"people_met": Value.of(F(3))}
    scored = readiness(POLICY, values, signal_kinds(POLICY.signals), DAY)
    lookup = looking_up(values, scored)
    assert lookup("readiness.total") == Value.of(F(80))
    assert lookup("readiness.coverage") == Value.of(F(15))
    nothing = looking_up({}, readiness(POLICY, {}, signal_kinds(POLICY.signals), DAY))
    assert (nothing("readiness.total").state, nothing("readiness.coverage").low) == ("between", 0)
    enter, stay = truths(SEGMENTS, nothing)
    assert enter == (None, False, False, None)
    assert stay == (False, False, False, False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.one_of(st.none(), st.integers(0, 100))] * 4), min_size=1, max_size=6))
def test_truths_of_many_are_those_of_each(figures: list[tuple[int | None, ...]]) -> None:
    either = 'follows = "default"\n[segment.ready]\nany = ["won_revenue > 3", "days_since_joined < 50"]\n'
    segments = catalog.policy({**read.texts(), "own/segments.toml": either}).segments
    assert segments is not None
    lookups = [partner(*one) for one in figures]

    def asked(text: str) -> np.ndarray:
        found = [holds(parsed(text, segments.kinds), lookup) for lookup in lookups]
        return np.array([-1 if said is None else int(said) for said in found], np.int8)

    many = truths_of_all(segments, asked, len(lookups))
    for at, lookup in enumerate(lookups):
        for array, each in zip(many, truths(segments, lookup), strict=True):
            assert [{1: True, 0: False, -1: None}[int(code)] for code in array[:, at]] == list(each)


def test_another_condition_says_its_figures() -> None:
    own = (
        'follows = "default"\n[segment.ready]\nall = ["won_revenue between 5 and 9", "days_since_joined <> 10"]\n'
        "stay = []\nstay_reviews = 1\n"
    )
    segments, faults = catalog.check({**read.texts(), "own/segments.toml": own.replace("stay_reviews = 1\n", "")})
    assert faults == ["segments.toml:2 stay_reviews: counts month-ends outside `stay`; write stay too, or leave it out"]
    assert segments.segments is not None
    found = place(segments.segments, partner(total=30, won=0, joined=10), None, DAY)
    assert [one.said for one in found.moves if one.segment == "ready"] == [
        "won revenue 0 home currency: not won_revenue between 5 and 9",
        "days since joined 10 days, must not be 10",
    ]


# --------------------------------------------------------------------------------------------------------- reviews

LOW = SEGMENTS.reviews[0]
MONTHS = [dt.date(2025, 9, 30), dt.date(2025, 10, 31), dt.date(2025, 12, 31), dt.date(2026, 3, 31), DAY]


def test_three_quarter_ends_below_thirty_open_a_review() -> None:
    low = [(day, partner(total=20)) for day in MONTHS[:1] + MONTHS[2:]]
    assert reviewed(SEGMENTS, LOW, low[:2], Calendar()) is None
    found = reviewed(SEGMENTS, LOW, low, Calendar())
    assert found is not None
    assert found.quarter_ends == (MONTHS[0], *MONTHS[2:])
    assert (
        found.said
        == "2025-12-31: readiness 20 points; 2026-03-31: readiness 20 points; 2026-06-30: readiness 20 points"
    )


def test_other_month_ends_and_quarters_too_little_known_do_not_count() -> None:
    months = [(day, partner(total=90 if day.month == 10 else 20)) for day in MONTHS]
    assert reviewed(SEGMENTS, LOW, months[:4], Calendar()) is not None
    hidden = [(day, partner(total=90, coverage=40) if day.year == 2026 else look) for day, look in months]
    assert reviewed(SEGMENTS, LOW, hidden, Calendar()) is None
    once = [(day, partner(total=90, coverage=40) if day.month == 3 else look) for day, look in months]
    found = reviewed(SEGMENTS, LOW, once, Calendar())
    assert found is not None
    assert found.quarter_ends == (MONTHS[0], MONTHS[2], DAY)
    better = [(day, partner(total=30) if day.month == 3 else look) for day, look in months]
    assert reviewed(SEGMENTS, LOW, better, Calendar()) is None
