"""What a line gives for a value: bars, bands and yes, exact at their bounds, and a range where the value is one."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core.declare import Line, Value
from groundswell.core.points.lines import Earned, banded, bars, earned

F = Fraction

KINDS = {"x": "number", "gate": "number", "flag": "bool"}
UNKNOWN = Value.unknown("not told")
NOTHING = Value.not_applicable("nothing to divide by")
RISING = (F(0), F(10))
FALLING = (F(90), F(7))
STEPS = ((F(0), F(0)), (F(1), F(40)), (F(2), F(70)), (F(5), F(100)))


def known(number: float | str) -> Value:
    return Value.of(F(str(number)))


def between(low: int, high: int) -> Value:
    return Value(F(low), F(high))


def at_least(low: int) -> Value:
    return Value.unknown("some are empty", F(low))


def line(**said: object) -> Line:
    return Line("x", "x", F(1), **said)  # type: ignore[arg-type]


def gives(one: Line, value: Value, **others: Value) -> Earned:
    return earned(one, ({"x": value} | others).__getitem__, KINDS)


def ends(one: Line, value: Value, **others: Value) -> tuple[F, F]:
    given_ = gives(one, value, **others)
    assert given_.applies
    return given_.low, given_.high


# ----------------------------------------------------------------------------------------------------------- bars


@pytest.mark.parametrize(
    ("value", "points"),
    [(-1, 0), (0, 0), (1, 10), (5, 50), ("9.99", F("99.9")), (10, 100), (11, 100), ("0.3333", F("3.333"))],
)
def test_more_is_better_straight_between_two_bars(value: float | str, points: F) -> None:
    assert ends(line(bars=RISING), known(value)) == (points, points)


@pytest.mark.parametrize(("value", "points"), [(91, 0), (90, 0), (7, 100), (6, 100), (0, 100), ("48.5", 50)])
def test_fewer_is_better_with_the_first_bar_above_the_second(value: float | str, points: F) -> None:
    assert ends(line(bars=FALLING), known(value)) == (points, points)


def test_points_are_exact_and_not_rounded() -> None:
    assert gives(line(bars=(F(0), F(3))), known(1)).low == F(100, 3)


@pytest.mark.parametrize(
    ("at", "value", "expected"),
    [
        (RISING, UNKNOWN, (0, 100)),
        (RISING, at_least(4), (40, 100)),
        (RISING, at_least(10), (100, 100)),
        (RISING, between(4, 6), (40, 60)),
        (RISING, Value(None, F(4)), (0, 40)),
        (FALLING, UNKNOWN, (0, 100)),
        (FALLING, at_least(90), (0, 0)),
        (FALLING, Value.unknown("never seen", F("48.5")), (0, 50)),
        (FALLING, between(7, 90), (0, 100)),
        (FALLING, Value(None, F(7)), (100, 100)),
        (RISING, Value.unavailable("no source"), (0, 100)),
    ],
)
def test_both_ends_of_a_value_move(at: tuple[F, F], value: Value, expected: tuple[int, int]) -> None:
    assert ends(line(bars=at), value) == expected


# ---------------------------------------------------------------------------------------------------------- bands


@pytest.mark.parametrize(
    ("value", "points"), [(-1, 0), (0, 0), ("0.99", 0), (1, 40), ("1.99", 40), (2, 70), (4, 70), (5, 100), (99, 100)]
)
def test_a_band_counts_from_its_from_up_to_the_next(value: float | str, points: int) -> None:
    assert ends(line(bands=STEPS), known(value)) == (points, points)


def test_below_the_first_from_nothing_is_given() -> None:
    assert ends(line(bands=((F(3), F(50)),)), known(2)) == (0, 0)
    assert ends(line(bands=((F(3), F(50)),)), known(3)) == (50, 50)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (UNKNOWN, (0, 100)),
        (at_least(1), (40, 100)),
        (at_least(5), (100, 100)),
        (between(1, 2), (40, 70)),
        (Value(F(1), F("1.99")), (40, 40)),
        (Value(None, F(1)), (0, 40)),
        (Value(None, F("0.5")), (0, 0)),
    ],
)
def test_a_range_reaches_the_lowest_and_the_highest_band_that_it_touches(
    value: Value, expected: tuple[int, int]
) -> None:
    assert ends(line(bands=STEPS), value) == expected


def test_bands_that_fall_again_are_reached_inside_the_range_too() -> None:
    hill = ((F(0), F(0)), (F(1), F(80)), (F(2), F(20)))
    assert ends(line(bands=hill), between(0, 5)) == (0, 80)


# ------------------------------------------------------------------------------------------------------------ yes


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (Value.of(True), 10),
        (Value.of(False), 0),
        (known(2), 10),
        (known("0.1"), 10),
        (known(0), 0),
        (known(-1), 0),
        (Value.of("word"), 0),
        (Value.of(dt.date(2026, 1, 1)), 0),
    ],
)
def test_yes_gives_its_points_when_true_or_above_zero(value: Value, points: int) -> None:
    assert ends(line(yes=F(10)), value) == (points, points)


@pytest.mark.parametrize("value", [UNKNOWN, Value(False, True), at_least(0), between(0, 4)])
def test_yes_is_a_range_where_both_answers_are_possible(value: Value) -> None:
    assert ends(line(yes=F(10)), value) == (0, 10)


@pytest.mark.parametrize("value", [at_least(1), between(1, 4)])
def test_yes_is_certain_where_the_whole_range_is_above_zero(value: Value) -> None:
    assert ends(line(yes=F(10)), value) == (10, 10)


def test_a_line_gives_at_most_a_hundred() -> None:
    assert ends(line(yes=F(150)), Value.of(True)) == (100, 100)


# ------------------------------------------------------------------------------------------------------ conditions


def test_only_if_false_gives_nothing_whatever_the_value() -> None:
    gated = line(bars=RISING, only_if="gate >= 1")
    assert ends(gated, known(10), gate=known(0)) == (0, 0)
    assert ends(gated, UNKNOWN, gate=known(0)) == (0, 0)
    assert ends(gated, known(10), gate=known(1)) == (100, 100)
    assert gives(gated, known(10), gate=known(0)).why == "0 unless gate >= 1"


def test_only_if_false_gives_nothing_even_where_the_value_does_not_apply() -> None:
    assert ends(line(bars=RISING, only_if="gate >= 1"), NOTHING, gate=known(0)) == (0, 0)


def test_only_if_undecided_gives_the_range_from_nothing_to_what_the_line_would_give() -> None:
    gated = line(bars=RISING, only_if="gate >= 1")
    assert ends(gated, known(6), gate=UNKNOWN) == (0, 60)
    assert ends(gated, between(4, 6), gate=UNKNOWN) == (0, 60)
    assert ends(gated, known(0), gate=UNKNOWN) == (0, 0)
    assert "not known whether gate >= 1" in gives(gated, known(6), gate=UNKNOWN).why


def test_applies_if_false_removes_the_line() -> None:
    limited = line(bars=RISING, applies_if="flag")
    assert gives(limited, known(10), flag=Value.of(False)).applies is False
    assert ends(limited, known(10), flag=Value.of(True)) == (100, 100)


def test_a_value_that_does_not_apply_removes_the_line_and_says_why() -> None:
    given_ = gives(line(bars=RISING), NOTHING)
    assert (given_.applies, given_.known, given_.why) == (False, False, "nothing to divide by")


def test_applies_if_undecided_is_no_known_result() -> None:
    assert not gives(line(bars=RISING, applies_if="flag"), known(5), flag=UNKNOWN).known


def test_applies_if_comes_before_only_if() -> None:
    both = line(bars=RISING, applies_if="flag", only_if="gate >= 1")
    assert gives(both, known(5), flag=Value.of(False), gate=known(0)).applies is False


# -------------------------------------------------------------------------------------------------------- missing


@pytest.mark.parametrize("missing", ["unknown", "leave out"])
def test_an_unknown_value_keeps_its_range_unless_it_counts_as_zero(missing: str) -> None:
    assert ends(line(bars=RISING, missing=missing), UNKNOWN) == (0, 100)


@pytest.mark.parametrize("value", [UNKNOWN, at_least(4), between(4, 6), Value.unavailable("no source")])
def test_missing_zero_counts_what_is_not_known_as_zero_and_says_so(value: Value) -> None:
    given_ = gives(line(bars=RISING, missing="zero"), value)
    assert (given_.low, given_.high, given_.known) == (0, 0, True)
    assert given_.why.startswith("counted as zero")


def test_missing_zero_touches_neither_known_values_nor_what_does_not_apply() -> None:
    zeroed = line(bars=RISING, missing="zero")
    assert ends(zeroed, known(5)) == (50, 50)
    assert ends(zeroed, at_least(10)) == (100, 100)
    assert gives(zeroed, NOTHING).applies is False


# ------------------------------------------------------------------------------------------------------ properties

_NUMBERS = st.fractions(min_value=-50, max_value=50, max_denominator=12)
_BARS = st.tuples(_NUMBERS, _NUMBERS).filter(lambda at: at[0] != at[1])
_BANDS = st.lists(st.tuples(_NUMBERS, st.fractions(0, 100, max_denominator=4)), min_size=1, max_size=5).map(
    lambda steps: tuple(sorted(dict(steps).items()))
)


@given(at=_BARS, one=_NUMBERS, other=_NUMBERS)
@settings(max_examples=150, deadline=None)
def test_points_by_bars_lie_in_bounds_and_never_fall_towards_the_second_bar(at: tuple[F, F], one: F, other: F) -> None:
    less, more = sorted((one, other), reverse=at[0] > at[1])
    assert F(0) <= bars(less, less, at)[0] <= bars(more, more, at)[0] <= F(100)


@given(at=_BARS, value=_NUMBERS, scale=st.fractions(F(1, 9), 9), move=_NUMBERS)
@settings(max_examples=100, deadline=None)
def test_points_by_bars_do_not_depend_on_the_unit(at: tuple[F, F], value: F, scale: F, move: F) -> None:
    there = (at[0] * scale + move, at[1] * scale + move)
    assert bars(value, value, at) == bars(value * scale + move, value * scale + move, there)


@given(at=_BARS, steps=_BANDS, one=_NUMBERS, other=_NUMBERS, share=st.fractions(0, 1))
@settings(max_examples=150, deadline=None)
def test_the_points_of_every_value_in_a_range_lie_in_the_points_of_the_range(
    at: tuple[F, F], steps: tuple[tuple[F, F], ...], one: F, other: F, share: F
) -> None:
    low, high = sorted((one, other))
    value = low + (high - low) * share
    for give, how in ((bars, at), (banded, steps)):
        least, most = give(low, high, how)  # type: ignore[operator]
        assert least <= give(value, value, how)[0] <= most  # type: ignore[operator]
        open_low, open_high = give(low, None, how), give(None, high, how)  # type: ignore[operator]
        assert open_low[0] <= least <= most <= open_low[1]
        assert open_high[0] <= least <= most <= open_high[1]


@given(steps=_BANDS, value=_NUMBERS)
@settings(max_examples=150, deadline=None)
def test_every_value_falls_in_exactly_one_band(steps: tuple[tuple[F, F], ...], value: F) -> None:
    begun = [points for start, points in steps if start <= value]
    expected = begun[-1] if begun else F(0)
    assert banded(value, value, steps) == (expected, expected)
