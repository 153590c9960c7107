"""Values of many partners at once: for every partner what the exact rule says, whatever the pieces are."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core.declare import Measure, Origin, Signal, Value
from groundswell.core.signals.columns import Columns, columns, near
from groundswell.core.signals.shapes import TAKES
from groundswell.core.signals.values import Covered, Pieces, value
from groundswell.core.signals.windows import Window
from tests.core.columns import alike, gathered, one_of

F = Fraction
D = dt.date
UNTIL = D(2026, 6, 30)
ORIGIN = Origin("signals/market/mine.toml", "a test", "a test", D(2026, 1, 1))
WORDS = ("gold", "silver")
Half = tuple[Measure, Window, Sequence[Pieces | None], Covered]


def signal(measure: Measure, unit: str = "things", absent: F | None = None) -> Signal:
    return Signal("mine", "market", "?", unit, "higher", "lagging", "A test.", measure, ORIGIN, absent=absent)


def laid(pieces: Sequence[Pieces | None]) -> dict[str, npt.NDArray[Any]]:
    """The pieces of partners as columns; a label that no partner has is left out."""
    rows = [row or {} for row in pieces]
    return {
        label: _column([row.get(label) for row in rows]) for label in sorted({label for row in rows for label in row})
    }


def _column(cells: list[object]) -> npt.NDArray[Any]:
    told = [cell for cell in cells if cell is not None]
    if told and isinstance(told[0], str):
        return np.array(cells, dtype=object)
    if told and isinstance(told[0], dt.date):
        return np.array(cells, dtype="datetime64[D]")
    return np.array([np.nan if cell is None else float(cell) for cell in cells])  # type: ignore[arg-type]


def found(what: Signal, *halves: Half) -> Columns:
    count = len(halves[0][2])
    return columns(what, [(measure, days, laid(rows), covered) for measure, days, rows, covered in halves], count)


def exact(what: Signal, *halves: Half) -> list[Value]:
    return [
        value(what, [(measure, days, rows[place], covered) for measure, days, rows, covered in halves])
        for place in range(len(halves[0][2]))
    ]


def assert_same(said: Columns, values: Sequence[Value]) -> None:
    for place, one in enumerate(values):
        mine = one_of(said, place)
        assert mine.state == one.state
        assert alike(mine.low, one.low)
        assert alike(mine.high, one.high)
        assert bool(said.known[place]) == one.known


# ------------------------------------------------------------------------------------------------------ properties

_MONEY = st.decimals(-1000, 100_000, places=2) | st.integers(0, 50).map(Decimal)
_DAYS = st.dates(D(2025, 1, 1), UNTIL)


@st.composite
def _pieces(draw: st.DrawFn, take: str, shape: Mapping[str, Any]) -> Pieces | None:
    """What the engine can count of one partner: consistent with the take, with or without where, per and of."""
    if draw(st.integers(0, 4)) == 0:
        return None
    n = draw(st.integers(0, 4))
    row: dict[str, object] = {"rows": n + draw(st.integers(0, 2))} if shape["per"] else {"n": n}
    if shape["where"]:
        row["unclear"] = draw(st.sampled_from([0, 0, 0, 1, 2]))
    if take == "days since latest":
        return row | {"last": draw(_DAYS) if n else None}
    if shape["per"] and not n:
        return row
    row["n"] = n
    empty = draw(st.sampled_from([0, 0, 0, 1])) if n and shape["of"] and not shape["per"] else 0
    if shape["of"] and not shape["per"]:
        row["empty"] = empty
    return row | _folded(draw, take, shape, n - empty)


def _folded(draw: st.DrawFn, take: str, shape: Mapping[str, Any], filled: int) -> dict[str, object]:
    if take in ("count", "count distinct") and shape["of"]:
        return {"found": draw(st.integers(1, filled)) if filled else 0}
    if take in ("sum", "average"):
        return {"total": draw(_MONEY) if filled else None}
    if take == "median":
        low = draw(_MONEY)
        return {"low": low, "high": low + draw(st.integers(0, 3))} if filled else {}
    if take in ("lowest", "highest", "latest"):
        return {"found": draw(shape["kind"]) if filled else None}
    return {}


@st.composite
def _halves(draw: st.DrawFn, count: int) -> Half:
    take = draw(st.sampled_from(TAKES))
    shape = {
        "where": draw(st.booleans()),
        "of": take not in ("count", "any", "days since latest") or draw(st.booleans()),
        "per": take not in ("any", "latest", "days since latest") and draw(st.integers(0, 3)) == 0,
        "kind": draw(st.sampled_from([_MONEY, _MONEY, st.sampled_from(WORDS), _DAYS])),
    }
    measure = Measure(draw(st.sampled_from(["deals", "people"])), take)
    days = Window(draw(st.none() | st.sampled_from([D(2025, 6, 30), D(2026, 3, 31)])), UNTIL)
    covered = Covered(draw(st.none() | st.sampled_from([D(2024, 1, 1), D(2026, 1, 1), D(2026, 5, 1)])))
    if draw(st.integers(0, 15)) == 0:
        covered = replace(covered, missing=("deals.amount",))
    return measure, days, [draw(_pieces(take, shape)) for _ in range(count)], covered


@st.composite
def _measured(draw: st.DrawFn) -> tuple[Signal, list[Half]]:
    count = draw(st.integers(1, 8))
    halves = [draw(_halves(count))]
    if draw(st.booleans()):
        halves.append(draw(_halves(count)))
        how = draw(st.sampled_from(["minus", "over", "grown_from"]))
        halves[0] = (replace(halves[0][0], how=how), *halves[0][1:])
    absent = draw(st.sampled_from([None, None, F(0), F(0), F(1), F(-3, 2)]))
    return signal(halves[0][0], draw(st.sampled_from(["things", "percent"])), absent), halves


@given(_measured())
@settings(max_examples=600, deadline=None)
def test_of_every_partner_columns_say_what_the_exact_rule_says(drawn: tuple[Signal, list[Half]]) -> None:
    what, halves = drawn
    assert_same(found(what, *halves), exact(what, *halves))


_ENDS = st.none() | st.sampled_from([F(0), F(0), F(1), F(-1)]) | st.fractions(-50, 50, max_denominator=4)


@st.composite
def _ranges(draw: st.DrawFn) -> Pieces:
    """Pieces of a count that is known, at least, or between."""
    n, unclear = draw(st.integers(0, 3)), draw(st.sampled_from([0, 0, 1, 3]))
    return {"n": n, "unclear": unclear, "empty": draw(st.sampled_from([0, 0, 1]))}


@given(
    st.lists(st.tuples(_ranges(), _ranges()), min_size=1, max_size=20), st.sampled_from(["minus", "over", "grown_from"])
)
@settings(max_examples=150, deadline=None)
def test_ranges_are_subtracted_and_divided_as_the_exact_rule_does(pairs: list[tuple[Pieces, Pieces]], how: str) -> None:
    measure, always = Measure("deals", "count", how=how), Window(None, UNTIL)
    covered = Covered(D(2020, 1, 1))
    halves = [(measure, always, [pair[side] for pair in pairs], covered) for side in (0, 1)]
    what = signal(measure, absent=F(0))
    assert_same(found(what, *halves), exact(what, *halves))


# ---------------------------------------------------------------------------------------------------- little tables


def counted(how: str, *pairs: tuple[object, object], unit: str = "percent", take: str = "sum") -> Columns:
    """Sums of two halves of which everything is known, joined."""
    measure, covered = Measure("deals", take, how=how), Covered(D(2020, 1, 1))
    rows = [[{"n": 1, "total": pair[side]} for pair in pairs] for side in (0, 1)]
    return found(signal(measure, unit, F(0)), *((measure, Window(None, UNTIL), row, covered) for row in rows))


def test_a_label_that_nobody_has_is_as_if_it_were_empty() -> None:
    half = (Measure("deals", "sum"), Window(None, UNTIL), {}, Covered(D(2020, 1, 1)))
    said = columns(signal(half[0], absent=F(0)), [half], 2)
    assert (said.low.tolist(), said.high.tolist(), said.known.tolist()) == ([0, 0], [0, 0], [True, True])


def test_days_and_words_keep_their_kind() -> None:
    rows: list[Pieces | None] = [{"n": 1, "found": D(2026, 1, 31)}, None]
    half = (Measure("deals", "highest"), Window(None, UNTIL), rows, Covered(D(2020, 1, 1)))
    assert found(signal(half[0], "date"), half).low.tolist() == [D(2026, 1, 31), None]


def test_a_count_and_a_share_that_comes_out_whole_are_exact_and_never_near_a_bound() -> None:
    shares = counted("over", (29, 100), (7, 25), (1, 2))
    assert shares.low.tolist() == [29, 28, 50]
    assert near(shares, [28, 29, 50]).tolist() == [False, False, False]


def test_nothing_of_a_sum_with_cents_is_exactly_nothing() -> None:
    assert near(counted("over", (0, Decimal("0.3")), (Decimal("1e-9"), 1)), 0).tolist() == [False, True]


def test_what_was_rounded_is_near_a_bound_that_it_should_meet() -> None:
    growths = counted("grown_from", (Decimal("0.3"), Decimal("0.1")), (Decimal("0.3"), Decimal("0.2")))
    assert near(growths, 200).tolist() == [True, False]
    assert near(growths, [50, 200]).tolist() == [True, True]
    thirds = counted("over", (1, 3), unit="deals")
    assert near(thirds, float(F(1, 3))).tolist() == [True]


@pytest.mark.parametrize(("values", "kinds"), [(WORDS, object), ((F(1), F(1, 2)), float)])
def test_the_columns_of_values_are_known_where_both_ends_are_one(values: tuple[Any, Any], kinds: type) -> None:
    said = gathered([Value.of(values[0]), Value(values[1], None), Value.not_applicable("none"), Value.unknown("?")])
    assert said.low.dtype == kinds
    assert said.known.tolist() == [True, False, False, False]
