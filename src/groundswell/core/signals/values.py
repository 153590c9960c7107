"""From the pieces that the engine counted to the value of a signal: exact, and a range where something is unknown."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import cast

from groundswell.core.declare import Measure, Signal, Value
from groundswell.core.signals.windows import Window

Pieces = Mapping[str, object]


@dataclass(frozen=True)
class Covered:
    """What sources can say about one half: the first day with a fact of its kind, or what is missing altogether."""

    first: dt.date | None
    missing: tuple[str, ...] = ()


def value(signal: Signal, halves: Sequence[tuple[Measure, Window, Pieces | None, Covered]]) -> Value:
    """The value of a signal for one partner, from the pieces of its half or halves (None: no rows).

    Unavailable, unknown, not applicable and zero are kept apart: see docs/explain/unknown.md.
    """
    if any(covered.missing for _, _, _, covered in halves):
        missing = sorted({name for _, _, _, covered in halves for name in covered.missing})
        return Value.unavailable("no source brings " + ", ".join(missing))
    found = [_half(signal, measure, days, pieces or {}, covered) for measure, days, pieces, covered in halves]
    if len(found) == 1:
        return found[0]
    return _joined(signal, halves[0][0].how or "minus", found[0], found[1])


def _number(pieces: Pieces, label: str) -> Fraction:
    return Fraction(cast(Decimal | int, pieces.get(label) or 0))


def _count(pieces: Pieces, label: str) -> int:
    return cast(int, pieces.get(label) or 0)


def _half(signal: Signal, measure: Measure, days: Window, pieces: Pieces, covered: Covered) -> Value:
    n = _count(pieces, "n")
    partial = partly(days, covered)
    if measure.take == "days since latest":
        return _since(measure, pieces, days, covered)
    if n == 0 and not pieces.get("unclear") and pieces.get("rows") and measure.take.startswith("count"):
        return (
            Value.unknown(partial, Fraction(0)) if partial else Value.of(Fraction(0))
        )  # things there were, none was kept
    if n == 0 and not pieces.get("unclear"):
        if partial:
            low = signal.absent if signal.absent is not None and measure.take != "average" else None
            return Value.unknown(partial, low)
        if signal.absent is None:
            return Value.unknown("no rows, and no rows does not mean zero here")
        return Value.of(signal.absent)
    return _from_rows(measure, pieces, partial)


def partly(days: Window, covered: Covered) -> str:
    """Why the window is only partly covered; "" when it is covered. A source covers partners from its first fact on."""
    if covered.first is None:
        return "nothing of this kind was known by then"
    if days.after is not None and covered.first > days.after + dt.timedelta(days=1):
        return f"the first fact of this kind is of {covered.first}; the window begins after {days.after}"
    return ""


STATES = frozenset({"organisations", "people", "memberships"})
"""Tables of what is, not of what happens: an empty date in them says nothing about how long ago."""


def _since(measure: Measure, pieces: Pieces, days: Window, covered: Covered) -> Value:
    last = pieces.get("last")
    if isinstance(last, dt.date):
        ago = Fraction((days.until - last).days)
        unclear = pieces.get("unclear")
        return Value(Fraction(0), ago, why=f"{unclear} rows are unclear") if unclear else Value.of(ago)
    begun = since_when(measure, covered)
    if begun is None or pieces.get("unclear"):
        return Value.unknown("its day is not known")
    return Value.unknown(
        f"never seen since the first fact of this kind, of {begun}", Fraction((days.until - begun).days)
    )


def since_when(measure: Measure, covered: Covered) -> dt.date | None:
    """The first day since when a partner that was never seen was surely not seen; None: that cannot be said."""
    return None if measure.table in STATES else covered.first


def _from_rows(measure: Measure, pieces: Pieces, partial: str) -> Value:
    n, unclear, empty = (_count(pieces, label) for label in ("n", "unclear", "empty"))
    doubts = [partial] if partial else []
    doubts += [f"{unclear} rows are unclear"] if unclear else []
    if measure.take == "any":
        return Value.of(True) if n else Value(False, True, why="; ".join(doubts)) if doubts else Value.of(False)
    if measure.take == "latest":
        return _last(pieces, doubts)
    if empty:
        doubts.append(f"{empty} of {n} rows leave {measure.of or 'it'} empty")
    if measure.take in ("count", "count distinct", "sum"):
        label = {"sum": "total"}.get(measure.take, "found" if "found" in pieces else "n")
        total = _number(pieces, label)
        if measure.take == "count" and "found" not in pieces and unclear and not partial and not empty:
            return Value(Fraction(n), Fraction(n + unclear), why="; ".join(doubts))
        return Value.unknown("; ".join(doubts), total) if doubts else Value.of(total)
    return _middle(measure, pieces, n - empty, doubts)


def _last(pieces: Pieces, doubts: list[str]) -> Value:
    found = pieces.get("found")
    if doubts or found is None:
        return Value.unknown("; ".join(doubts) or "every row leaves it empty")
    return Value.of(_scalar(found))


def _middle(measure: Measure, pieces: Pieces, n: int, doubts: list[str]) -> Value:
    """Averages, medians and extremes: an unseen row could move them anywhere, so any doubt leaves them unknown."""
    if doubts:
        return Value.unknown("; ".join(doubts))
    if n == 0:
        return Value.not_applicable("no row to take it from")
    if measure.take == "average":
        return Value.of(_number(pieces, "total") / n)
    if measure.take == "median":
        return Value.of((_number(pieces, "low") + _number(pieces, "high")) / 2)
    return Value.of(_scalar(pieces["found"]))


def _scalar(found: object) -> Fraction | str | dt.date:
    return Fraction(found) if isinstance(found, (Decimal, int)) else cast(str | dt.date, found)


def _joined(signal: Signal, how: str, first: Value, second: Value) -> Value:
    """Two halves as one value: a difference, a share or a growth. A range divides to a range."""
    why = "; ".join(part.why for part in (first, second) if part.why)
    for part in (first, second):
        if not part.applies:
            return part
    if how == "minus":
        return Value(_minus(first.low, second.high), _minus(first.high, second.low), why=why)
    if second.known and second.low == 0:
        return Value.not_applicable("nothing to divide by" if how == "over" else "nothing to grow from")
    times = Fraction(100) if how == "grown_from" or signal.unit == "percent" else Fraction(1)
    less = Fraction(1) if how == "grown_from" else Fraction(0)
    low, high = _ratio(first, second)
    return Value(_scaled(low, times, less), _scaled(high, times, less), why=why)


def _minus(left: object, right: object) -> Fraction | None:
    return left - right if isinstance(left, Fraction) and isinstance(right, Fraction) else None


def _ratio(top: Value, bottom: Value) -> tuple[Fraction | None, Fraction | None]:
    """The least and the most that one range divided by another can be; where it may divide by 0, there is no most."""
    ends = [end if isinstance(end, Fraction) else None for end in (top.low, top.high, bottom.low, bottom.high)]
    least, most, under, over = ends
    if under is None or under <= 0:
        positive = least is not None and least >= 0 and under == 0
        return (Fraction(0) if positive else None), None

    def by(number: Fraction | None, below: Fraction | None) -> Fraction | None:
        return None if number is None else Fraction(0) if below is None else number / below

    low = by(least, over if least is not None and least >= 0 else under)
    return low, by(most, under if most is not None and most >= 0 else over)


def _scaled(ratio: Fraction | None, times: Fraction, less: Fraction) -> Fraction | None:
    return None if ratio is None else (ratio - less) * times
