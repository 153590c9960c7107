"""Scores of many partners at once: of each the figures of the exact score but for rounding, and the same decisions."""

import datetime as dt
from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core import catalog
from groundswell.core.declare import Line, Origin, Part, Penalty, Score, Value
from groundswell.core.points.columns import STATES, ScoreColumns, score_columns
from groundswell.core.points.score import Scored, score
from groundswell.core.signals import shapes
from groundswell.core.signals.columns import Columns
from groundswell.policy import read
from tests.core.columns import alike, gathered

F = Fraction
BANDS = (("none", F(0)), ("minimal", F(40)), ("moderate", F(60)), ("high", F(80)))
ORIGIN = Origin("scores/readiness/2026-01-01.toml", "a test", "a test", dt.date(2026, 1, 1))
LATE = Penalty("late", ((F(0), F(0)), (F(3), F(3)), (F(6), F(6))))
KINDS = {"gate": "number", "flag": "bool", "tier": "text", "joined": "number", "late": "number"}
Partner = Mapping[str, Value]


def edition(*parts: Part, **said: Any) -> Score:
    given_ = {"out_of": F(100), "enough_known": F(60), "penalties": ()} | said
    return Score(name="readiness", question="?", parts=parts, bands=BANDS, origin=ORIGIN, **given_)


def line(signal: str, weight: F | int = 1, **said: Any) -> Line:
    how = said if said.keys() & {"bars", "bands", "yes"} else {"bars": (F(0), F(100))} | said
    return Line(signal, signal, F(weight), **how)


def part(name: str, weight: F | int, *lines: Line, most: int = 100) -> Part:
    return Part(name, F(weight), lines or (line(name),), F(most))


def kinds_of(what: Score) -> dict[str, str]:
    return KINDS | {one.signal: "number" for each in what.parts for one in each.lines if one.signal not in KINDS}


def both(
    what: Score, partners: Sequence[Partner], kinds: dict[str, str] | None = None
) -> tuple[ScoreColumns, list[Scored]]:
    """The score of the partners as columns, and of each exactly."""
    kinds = kinds or kinds_of(what)
    names = sorted({name for partner in partners for name in partner})
    values = {name: gathered([partner.get(name, Value.unknown("?")) for partner in partners]) for name in names}
    return score_columns(what, values, kinds, len(partners)), [score(what, partner, kinds) for partner in partners]


def assert_same(said: ScoreColumns, exact: Sequence[Scored]) -> int:
    """Of every partner the same, but for those that are near a bound; how many those are."""
    near, unsure = set(said.near().tolist()), set(np.flatnonzero(said.unsure).tolist())
    for place, one in enumerate(exact):
        if place in unsure:
            continue
        assert said.coverages[said.pattern[place]] == one.coverage
        assert said.coverage[place] == float(one.coverage)
        assert STATES[said.state[place]] == one.state
        for mine, theirs in (
            (said.total, one.total),
            (said.low, one.low),
            (said.high, one.high),
            (said.ranks_by, one.ranks_by),
        ):
            assert alike(float(mine[place]), theirs)
        _assert_same_parts(said, one, place)
        if place not in near:
            index = said.band[place]
            assert (said.edition.bands[index][0] if index >= 0 else "") == one.band
    return len(near)


def _assert_same_parts(said: ScoreColumns, one: Scored, place: int) -> None:
    shown = {each.name: each for each in one.parts}
    for mine in said.parts:
        theirs = shown.get(mine.name)
        assert alike(float(mine.share[place]), theirs.share if theirs else F(0))
        for figures, figure in (("points", "points"), ("low", "low"), ("high", "high")):
            assert alike(float(getattr(mine, figures)[place]), getattr(theirs, figure) if theirs else None)


# ------------------------------------------------------------------------------------------------------ properties

_POINTS = st.integers(-20, 120).map(F) | st.fractions(-20, 120, max_denominator=7)
_VALUES = (
    _POINTS.map(Value.of)
    | st.tuples(_POINTS, _POINTS).map(lambda two: Value(min(two), max(two)))
    | _POINTS.map(lambda low: Value.unknown("at least", low))
    | _POINTS.map(lambda high: Value(None, high))
    | st.sampled_from([Value.unknown("?"), Value.not_applicable("none"), Value.unavailable("no source")])
)
_FLAGS = st.sampled_from([Value.of(True), Value.of(False), Value(False, True), Value.unknown("?")])
_TIERS = st.sampled_from([Value.of("gold"), Value.of("silver"), Value.unknown("?"), Value.not_applicable("none")])
_WEIGHTS = st.integers(1, 9).map(F) | st.sampled_from([F(15, 7), F(1, 3)])
_HOW: list[dict[str, Any]] = [
    {"bars": (F(0), F(100))}, {"bars": (F(90), F(7))}, {"bars": (F(-3), F(11))}, {"yes": F(60)}, {"yes": F(250)},
    {"bands": ((F(0), F(10)), (F(20), F(40)), (F(50), F(100)))}, {"bands": ((F(3), F(80)), (F(9), F(20)))},
]  # fmt: skip
_WHEN = ["gate > 3", "flag", "tier = 'gold'", "gate is null or flag", "not flag", "gate between 1 and 5"]


@st.composite
def _lines(draw: st.DrawFn, name: str) -> Line:
    said = dict(draw(st.sampled_from(_HOW)))
    if draw(st.integers(0, 4)) == 0:
        said["missing"] = "zero"
    for key in ("only_if", "applies_if"):
        if draw(st.integers(0, 3)) == 0:
            said[key] = draw(st.sampled_from(_WHEN))
    return line(name, draw(_WEIGHTS), **said)


@st.composite
def _editions(draw: st.DrawFn) -> Score:
    parts = []
    for number in range(draw(st.integers(1, 3))):
        lines = [draw(_lines(f"s{number}{place}")) for place in range(draw(st.integers(1, 4)))]
        parts.append(part(f"p{number}", draw(_WEIGHTS), *lines, most=draw(st.sampled_from([100, 100, 40]))))
    said: dict[str, Any] = {
        "out_of": F(draw(st.sampled_from([100, 500]))),
        "penalties": draw(st.sampled_from([(), (LATE,)])),
    }
    said["enough_known"] = F(draw(st.sampled_from([0, 50, 60])))
    if draw(st.booleans()):
        said |= {"provisional_when": "joined < 180", "provisional_parts": ("p0",)}
    return edition(*parts, **said)


@st.composite
def _scored(draw: st.DrawFn) -> tuple[Score, list[Partner]]:
    what = draw(_editions())
    numbers = [one.signal for each in what.parts for one in each.lines] + ["gate", "late"]
    partner = st.fixed_dictionaries(
        dict.fromkeys(numbers, _VALUES)
        | {"flag": _FLAGS, "tier": _TIERS, "joined": st.sampled_from([F(20), F(179), F(180), F(999)]).map(Value.of)}
    )
    return what, draw(st.lists(partner, min_size=1, max_size=8))


@given(_scored())
@settings(max_examples=300, deadline=None)
def test_of_every_partner_columns_score_as_the_exact_rule_does(drawn: tuple[Score, list[Partner]]) -> None:
    assert_same(*both(*drawn))


SHIPPED = catalog.policy(read.texts())
READINESS = SHIPPED.edition("readiness", dt.date(2026, 6, 30))


def _any(chance: Random, unit: str) -> Value:
    """A value as sources leave them: mostly known and whole, sometimes a range, open, or not applicable."""
    top = {"percent": 100, "home currency": 600_000, "days": 400}.get(unit, 12)
    number = F(chance.randrange(top * 4), chance.choice([1, 1, 1, 3, 4])) / 4
    number = F(round(number)) if chance.random() < 0.7 else number
    kind = chance.random()
    if kind < 0.6:
        return Value.of(number)
    if kind < 0.7:
        return Value.unknown("some are empty", number)
    if kind < 0.8:
        return Value(number, number + chance.randrange(3))
    return chance.choice([Value.unknown("?"), Value.unavailable("no source"), Value.not_applicable("none")])


def test_two_thousand_partners_score_by_the_shipped_edition_as_the_exact_rule_says() -> None:
    chance = Random(3)
    partners = [{name: _any(chance, one.unit) for name, one in SHIPPED.signals.items()} for _ in range(2000)]
    said, exact = both(READINESS, partners, shapes.signal_kinds(SHIPPED.signals))
    assert assert_same(said, exact) < 20
    assert set(said.state.tolist()) == {0, 1, 2}
    assert len(set(said.band.tolist())) == len(READINESS.bands) + 1


# ---------------------------------------------------------------------------------------------------- little tables

FOUR = edition(part("e", 35), part("r", 30), part("m", 25), part("c", 10))


def of(*numbers: float) -> Columns:
    ends = np.array(numbers, dtype=float)
    return Columns.of(ends, ends)


def test_eighty_sixty_seventy_ninety_is_seventy_two_and_a_half_and_without_the_second_it_is_a_range() -> None:
    values = {"e": of(80, 80), "r": of(60, np.nan), "m": of(70, 70), "c": of(90, 90)}
    found = score_columns(FOUR, values, kinds_of(FOUR), 2)
    assert found.total == pytest.approx([72.5, 77.857], abs=1e-3)
    assert found.low == pytest.approx([72.5, 54.5])
    assert found.high == pytest.approx([72.5, 84.5])
    assert found.coverages == (F(7, 10), F(1)) or found.coverages == (F(1), F(7, 10))
    assert [STATES[code] for code in found.state] == ["scored", "scored"]
    assert found.band.tolist() == [2, 2]


def test_coverage_is_decided_exactly_and_needs_no_second_look() -> None:
    what = edition(*(part(name, 1) for name in "abcdefghij"))
    values = {name: of(50 if name in "abcdef" else np.nan, 50 if name in "abcde" else np.nan) for name in "abcdefghij"}
    found = score_columns(what, values, kinds_of(what), 2)
    assert [STATES[code] for code in found.state] == ["scored", "too little known"]
    assert found.covers(F(6, 10)).tolist() == [True, False]
    assert found.ranks_by == pytest.approx([50, 25])


def test_a_part_that_does_not_count_has_no_share_and_no_figures() -> None:
    new = edition(part("e", 35), part("m", 25), provisional_when="joined < 180", provisional_parts=("m",))
    found = score_columns(new, {"e": of(10, 10), "m": of(70, 70), "joined": of(179, 180)}, kinds_of(new), 2)
    assert found.total == pytest.approx([70, 35])
    assert found.provisional.tolist() == [True, False]
    assert found.parts[0].share == pytest.approx([0, 7 / 12])
    assert np.isnan(found.parts[0].points).tolist() == [True, False]
    assert np.isnan(found.parts[0].high).tolist() == [True, False]


def test_more_parts_and_lines_than_fit_one_code_are_still_told_apart() -> None:
    names = [f"s{number}" for number in range(90)]
    what = edition(
        part("p", 1, *(line(name) for name in names[:45])), part("q", 2, *(line(name) for name in names[45:]))
    )
    chance = Random(5)
    partners = [{name: Value.of(F(50)) for name in names if chance.random() < 0.6} for _ in range(40)]
    partners += [{"s0": Value.of(F(50))}, {"s44": Value.of(F(50))}, {}]
    assert_same(*both(what, partners))


# ------------------------------------------------------------------------------------------------------------ near


def test_near_are_those_within_a_millionth_of_a_bound_or_of_the_start_of_a_band() -> None:
    what = edition(part("a", 1))
    found = score_columns(what, {"a": of(60 - 2e-6, 60 - 5e-7, 60, 60 + 5e-7, 75, 0)}, kinds_of(what), 6)
    assert found.near().tolist() == [1, 2, 3]
    assert found.near([F(75)]).tolist() == [1, 2, 3, 4]


def test_a_score_that_meets_a_band_but_for_rounding_is_near_it() -> None:
    what = edition(part("a", 1), part("b", 1), part("c", 1))  # 3 x 1/3 of 60 is 60, and 59.999 or 60.001 in floats
    partners = [{"a": Value.of(F(1, 3)), "b": Value.of(F(239, 3)), "c": Value.of(F(100))}]
    found, (exact,) = both(what, partners)
    assert exact.band == "moderate"
    assert found.near().tolist() == [0]


@pytest.mark.parametrize(
    "where",
    [
        edition(part("p", 1, line("x", bands=((F(0), F(0)), (F(29), F(100)))))),
        edition(part("p", 1, line("y", only_if="x >= 29"))),
        edition(part("p", 1, line("y"), line("z", applies_if="x >= 29"))),
        edition(part("p", 1, line("y")), penalties=(Penalty("x", ((F(0), F(0)), (F(29), F(9)))),)),
        edition(part("p", 1, line("y")), part("q", 1), provisional_when="x >= 29", provisional_parts=("p",)),
    ],
)
def test_a_rounded_value_that_is_close_to_a_bound_of_points_is_left_to_the_exact_path(where: Score) -> None:
    values = {"x": of(28.999999999999996, 28.5, 29), "y": of(50, 50, 50), "z": of(5, 5, 5), "q": of(70, 70, 70)}
    kinds = kinds_of(where) | {"x": "number"}
    assert score_columns(where, values, kinds, 3).unsure.tolist() == [True, False, False]


def test_whether_a_range_is_beyond_a_bar_is_left_to_the_exact_path_where_it_was_rounded() -> None:
    what = edition(part("p", 1, line("x", bars=(F(0), F(29)))))
    low = np.array([28.999999999999996, 28.999999999999996, 29.0])
    ranges = Columns.of(low, np.array([40.0, low[1], 40.0]))
    assert score_columns(what, {"x": ranges}, kinds_of(what), 3).unsure.tolist() == [True, False, False]


def test_a_penalty_that_takes_all_but_for_rounding_is_left_to_the_exact_path() -> None:
    what = edition(part("a", 1), part("b", 1), part("c", 1), penalties=(LATE,))
    third = 18 / 7
    values = {"a": of(third, 0), "b": of(third, 0), "c": of(18 - 2 * third, 0), "late": of(9, 9)}
    found = score_columns(what, values, kinds_of(what), 2)
    assert found.unsure.tolist() == [True, False]


def test_the_order_of_partners_changes_nothing() -> None:
    chance = Random(9)
    partners = [{name: _any(chance, one.unit) for name, one in SHIPPED.signals.items()} for _ in range(60)]
    kinds = shapes.signal_kinds(SHIPPED.signals)
    one, _ = both(READINESS, partners, kinds)
    other, _ = both(READINESS, partners[::-1], kinds)
    assert np.array_equal(one.total, other.total[::-1], equal_nan=True)
    assert np.array_equal(one.coverage, other.coverage[::-1])
