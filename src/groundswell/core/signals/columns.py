"""The value of one signal for many partners at once, in floats: the cases are those of `values`, as arrays.

Floats differ from the exact values by rounding only. Where a rounded value may fall on the wrong side of a bound, the
decision is left to the exact path: `rounded` says whose ends are no exact floats, and `near` which of them lie so close
to a bound that it matters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from groundswell.core.declare import Measure, Signal
from groundswell.core.signals.values import Covered, partly, since_when
from groundswell.core.signals.windows import Window

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ends = npt.NDArray[Any]
"""float64, nan where open; objects for words and days, None where open."""
PieceColumns = Mapping[str, npt.NDArray[Any]]
"""The pieces of one half for many partners, by label; a label that is missing is of nobody.

Numbers are float64, nan where a partner has none; `last`, and `found` where it is a day, are datetime64, NaT where there
is none; `found` where it is a word is an array of objects, None where there is none.
"""

NEAR = 1e-6
"""How close a rounded figure may come to a bound and still be decided in floats, relative to bounds above 1."""
_WHOLE = 2.0**53
"""Below it every whole number is an exact float."""


@dataclass(frozen=True)
class Columns:
    """The value of one signal for many partners: both ends (nan or None: open), whether it applies; see Value.

    Yes and no are 1 and 0. Words and days are arrays of objects. `available` is that of all partners of the day.
    """

    low: Ends
    high: Ends
    applies: Flags
    available: bool = True
    rounded: tuple[Flags | None, Flags | None] = (None, None)
    """Whose low ends, and whose high ends, may be no exact floats; None: nobody's."""

    @property
    def known(self) -> Flags:
        """For whom there is exactly one thing it can be."""
        same: Flags = self.applies & told(self.low) & np.equal(self.low, self.high).astype(bool)
        return same

    @classmethod
    def of(cls, low: Ends, high: Ends, applies: Flags | None = None) -> Self:
        """Ends as they are, of a signal that is available; numbers that are not whole are taken as rounded."""
        counts = np.ones(len(low), dtype=bool) if applies is None else applies
        return cls(low, high, counts, rounded=(_broken(low), _broken(high)))

    @classmethod
    def open(cls, count: int, available: bool = True) -> Self:
        """A signal of which nothing is known of anybody."""
        nothing = np.full(count, np.nan)
        return cls(nothing, nothing, np.ones(count, dtype=bool), available)


def columns(signal: Signal, halves: Sequence[tuple[Measure, Window, PieceColumns, Covered]], count: int) -> Columns:
    """The values of a signal for `count` partners as of one day, from the pieces of its half or halves.

    What a source covers is the same for all partners of a day. Case by case what `values.value` says of each partner.
    """
    if any(covered.missing for *_, covered in halves):
        return Columns.open(count, available=False)
    found = [_half(signal, measure, days, pieces, covered, count) for measure, days, pieces, covered in halves]
    if len(found) == 1:
        return found[0]
    numbers = [_numbers(half, measure, pieces) for half, (measure, _, pieces, _) in zip(found, halves, strict=True)]
    how = halves[0][0].how or "minus"
    if how == "minus":
        return _difference(numbers[0], numbers[1])
    nothing = found[1].known & np.equal(found[1].low, 0).astype(bool)
    return _ratio(numbers[0], numbers[1], nothing, less=how == "grown_from", percent=signal.unit == "percent")


def told(ends: Ends) -> Flags:
    """Where an end is not open."""
    found: Flags = (ends != open_end(ends)).astype(bool) if ends.dtype == object else ~np.isnan(ends)
    return found


def open_end(ends: Ends) -> Any:
    """What stands for an open end in such an array."""
    return None if ends.dtype == object else np.nan


def either(one: Flags | None, other: Flags | None) -> Flags | None:
    """Where one or the other holds; None holds nowhere."""
    return other if one is None else one if other is None else one | other


def near(value: Columns, bounds: npt.ArrayLike) -> Flags:
    """Whose rounded ends lie within NEAR of any of these numbers: on which side they lie is not certain in floats."""
    found = np.zeros(len(value.low), dtype=bool)
    for end, rounded in zip((value.low, value.high), value.rounded, strict=True):
        if rounded is not None:
            for bound in np.atleast_1d(np.asarray(bounds, dtype=float)):
                found |= rounded & (np.abs(end - bound) <= NEAR * max(1.0, abs(bound)))
    return found


def _broken(ends: Ends) -> Flags | None:
    """Where a number is not surely an exact float: it is not whole, or too large to say. None: nowhere."""
    if ends.dtype == object:
        return None
    found: Flags = ~np.isnan(ends) & ((ends != np.rint(ends)) | (np.abs(ends) >= _WHOLE))
    return found if found.any() else None


# ---------------------------------------------------------------------------------------------------------- a half


@dataclass(frozen=True)
class _Counted:
    """The pieces of one half that say how many rows there are."""

    n: Floats
    unclear: Floats
    empty: Floats
    rows: Floats

    @property
    def silent(self) -> Flags:
        """For whom no row counts, and none might."""
        found: Flags = (self.n == 0) & (self.unclear == 0)
        return found


def _number(pieces: PieceColumns, label: str, count: int) -> Floats:
    """A piece that is 0 where it is missing or empty."""
    if label not in pieces:
        return np.zeros(count)
    found = np.asarray(pieces[label], dtype=float)
    return np.where(np.isnan(found), 0.0, found)


def _maybe(pieces: PieceColumns, label: str, count: int) -> Ends:
    """A piece that is open where it is missing or empty; days as dates."""
    if label not in pieces:
        return np.full(count, np.nan)
    found = np.asarray(pieces[label])
    if found.dtype.kind == "M":
        return found.astype("datetime64[D]").astype(object)
    return found if found.dtype == object else found.astype(float)


def _counts(pieces: PieceColumns, count: int) -> _Counted:
    return _Counted(*(_number(pieces, label, count) for label in ("n", "unclear", "empty", "rows")))


def _half(
    signal: Signal, measure: Measure, days: Window, pieces: PieceColumns, covered: Covered, count: int
) -> Columns:
    if measure.take == "days since latest":
        return _since(measure, pieces, days, covered, count)
    partial = bool(partly(days, covered))
    counted = _counts(pieces, count)
    low, high = _from_rows(measure, pieces, counted, partial, count)
    silent = counted.silent
    least, most = _of_none(signal, measure, partial, low)
    low, high = np.where(silent, least, low), np.where(silent, most, high)
    if measure.take.startswith("count"):
        none_kept = silent & (counted.rows > 0)  # things there were, none was kept
        low, high = np.where(none_kept, 0.0, low), np.where(none_kept, np.nan if partial else 0.0, high)
    return Columns.of(low, high)


def _of_none(signal: Signal, measure: Measure, partial: bool, like: Ends) -> tuple[Any, Any]:
    """Both ends where no row counts: what the absence of rows is worth, and at least that in part of a window."""
    if signal.absent is None:
        return open_end(like), open_end(like)
    absent = signal.absent if like.dtype == object else float(signal.absent)
    if partial:
        return (open_end(like) if measure.take == "average" else absent), open_end(like)
    return absent, absent


def _since(measure: Measure, pieces: PieceColumns, days: Window, covered: Covered, count: int) -> Columns:
    unclear = _number(pieces, "unclear", count) > 0
    begun = since_when(measure, covered)
    last = pieces.get("last", np.full(count, np.datetime64("NaT"))).astype("datetime64[D]")
    seen = ~np.isnat(last)
    ago = np.where(seen, (np.datetime64(days.until) - last).astype(float), np.nan)
    never = np.nan if begun is None else float((days.until - begun).days)
    return Columns.of(np.where(seen, np.where(unclear, 0.0, ago), np.where(unclear, np.nan, never)), ago)


def _from_rows(
    measure: Measure, pieces: PieceColumns, counted: _Counted, partial: bool, count: int
) -> tuple[Ends, Ends]:
    """Both ends where rows count, or might."""
    n, doubtful = counted.n, (counted.unclear > 0) | partial
    if measure.take == "any":
        return (n > 0).astype(float), np.ones(count)
    if measure.take == "latest":
        return _only(_maybe(pieces, "found", count), ~doubtful)
    doubtful |= counted.empty > 0
    if measure.take == "sum":
        total = _number(pieces, "total", count)
        return total, np.where(doubtful, np.nan, total)
    if measure.take in ("count", "count distinct"):
        distinct = _maybe(pieces, "found", count)
        total = np.where(np.isnan(distinct), n, distinct)
        high = np.where(doubtful, np.nan, total)
        if measure.take == "count" and not partial:
            widened = np.isnan(distinct) & (counted.empty == 0)  # each unclear row may be one more
            high = np.where(widened, n + counted.unclear, high)
        return total, high
    return _only(_middle(measure, pieces, n, count), ~doubtful)


def _only(found: Ends, where: Flags) -> tuple[Ends, Ends]:
    """A value that is known in some places and open in all others."""
    kept = np.where(where, found, open_end(found))
    return kept, kept


def _middle(measure: Measure, pieces: PieceColumns, n: Floats, count: int) -> Ends:
    """Averages, medians and extremes of the rows that count, of which none is empty."""
    if measure.take == "average":
        total = _number(pieces, "total", count)
        mean: Ends = np.divide(total, n, out=np.full(count, np.nan), where=n > 0)
        return mean
    if measure.take == "median":
        ends: Floats = _number(pieces, "low", count) + _number(pieces, "high", count)
        return ends / 2
    return _maybe(pieces, "found", count)


# ------------------------------------------------------------------------------------------------------ two halves


def _numbers(half: Columns, measure: Measure, pieces: PieceColumns) -> Columns:
    """A half as far as it can be counted with: words, days, and the yes or no of rows cannot."""
    if half.low.dtype == object:  # only what the absence of rows is worth is a number
        low, high = (
            np.array([float(e) if isinstance(e, Fraction) else np.nan for e in ends]) for ends in (half.low, half.high)
        )
        return Columns.of(low, high)
    if measure.take != "any":
        return half
    silent = _counts(pieces, len(half.low)).silent
    return Columns.of(np.where(silent, half.low, np.nan), np.where(silent, half.high, np.nan))


def _difference(first: Columns, second: Columns) -> Columns:
    low, high = first.low - second.high, first.high - second.low
    inexact = either(first.rounded[0], second.rounded[1]), either(first.rounded[1], second.rounded[0])
    rounded = either(inexact[0], _broken(low)), either(inexact[1], _broken(high))
    return Columns(low, high, first.applies, rounded=rounded)


def _ratio(first: Columns, second: Columns, nothing: Flags, less: bool, percent: bool) -> Columns:
    """A share, or a growth (`less`); not applicable where there is `nothing` to divide by.

    Where it may divide by 0 there is no most. An open divisor makes the quotient 0.
    """
    least, most, under, over = first.low, first.high, second.low, second.high
    times = 100.0 if less or percent else 1.0
    divisors = either(*second.rounded)
    low, low_rounded = _quotient(least, np.where(least >= 0, over, under), times, less, (first.rounded[0], divisors))
    high, high_rounded = _quotient(most, np.where(most >= 0, under, over), times, less, (first.rounded[1], divisors))
    by_zero = ~(under > 0)
    at_least = np.where((least >= 0) & (under == 0), -times if less else 0.0, np.nan)
    return Columns(
        np.where(nothing, np.nan, np.where(by_zero, at_least, low)),
        np.where(nothing | by_zero, np.nan, high),
        ~nothing,
        rounded=(low_rounded & ~by_zero, high_rounded & ~by_zero),
    )


def _quotient(
    number: Floats, below: Floats, times: float, less: bool, rounded: tuple[Flags | None, Flags | None]
) -> tuple[Floats, Flags]:
    """(number / below - less) * times, and where that may be no exact float.

    Of whole numbers below 2^53 a quotient that comes out whole is exact: one that is not lies further from a whole
    number than rounding reaches.
    """
    top = (number - below if less else number) * times
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = top / below
        exact = (found == np.rint(found)) & (np.abs(top) < _WHOLE)
    without_end = np.isnan(below) & ~np.isnan(number)
    sure = without_end if less else without_end | (number == 0)  # nothing of whatever there is is 0
    inexact = (~exact if rounded[1] is None else ~exact | rounded[1]) & ~sure
    ends = np.where(without_end, -times if less else 0.0, found)
    return ends, inexact if rounded[0] is None else inexact | (rounded[0] & ~without_end)
