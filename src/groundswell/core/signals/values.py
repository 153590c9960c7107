"""From the pieces that the engine counted to the value of a signal: exact, and a range where something is unknown."""

import datetime as dt
from collections.abc import Mapping
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


def value(signal: Signal, halves: list[tuple[Measure, Window, Pieces | None, Covered]]) -> Value:
    """The value of a signal for one partner, from the pieces of its half or halves (None: no rows).

    Unavailable, unknown, not applicable and zero are kept apart: see docs/explain/unknown.md.
    """
    missing = sorted({name for _, _, _, covered in halves for name in covered.missing})
    if missing:
        return Value.unavailable("no source brings " + ", ".join(missing))
    found = [_half(signal, measure, days, pieces or {}, covered) for measure, days, pieces, covered in halves]
    if len(found) == 1:
        return found[0]
    return _joined(signal, halves[0][0].how or "minus", found[0], found[1])


def _number(pieces: Pieces, label: str) -> Fraction:
    return Fraction(cast(Decimal | int, pieces.get(label) or 0))


def _half(signal: Signal, measure: Measure, days: Window, pieces: Pieces, covered: Covered) -> Value:
    n = _number(pieces, "n")
    partly = _partly(days, covered)
    if measure.take == "days since latest":
        return _since(measure, pieces, days, covered)
    if n == 0 and not pieces.get("unclear"):
        if partly:
            low = signal.absent if signal.absent is not None and measure.take != "average" else None
            return Value.unknown(partly, low)
        if signal.absent is None:
            return Value.unknown("no rows, and no rows does not mean zero here")
        return Value.of(signal.absent)
    return _from_rows(measure, pieces, partly)


def _partly(days: Window, covered: Covered) -> str:
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
        return Value.of(Fraction((days.until - last).days))
    if measure.table in STATES or covered.first is None or pieces.get("unclear"):
        return Value.unknown("its day is not known")
    return Value.unknown(
        f"never seen since the first fact of this kind, of {covered.first}", Fraction((days.until - covered.first).days)
    )


def _from_rows(measure: Measure, pieces: Pieces, partly: str) -> Value:
    n, unclear, empty = (_number(pieces, label) for label in ("n", "unclear", "empty"))
    doubts = [partly] if partly else []
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
        if measure.take == "count" and "found" not in pieces and unclear and not partly and not empty:
            return Value(n, n + unclear, why="; ".join(doubts))
        return Value.unknown("; ".join(doubts), total) if doubts else Value.of(total)
    return _middle(measure, pieces, n - empty, doubts)


def _last(pieces: Pieces, doubts: list[str]) -> Value:
    found = pieces.get("found")
    if doubts or found is None:
        return Value.unknown("; ".join(doubts) or "every row leaves it empty")
    return Value.of(_scalar(found))


def _middle(measure: Measure, pieces: Pieces, n: Fraction, doubts: list[str]) -> Value:
    """Averages, medians and extremes: an unseen row could move them anywhere, so any doubt leaves them unknown."""
    if n == 0:
        return Value.not_applicable("no row to take it from")
    if doubts:
        return Value.unknown("; ".join(doubts))
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
    low = _ratio(first.low, second.high, times, less)
    high = _ratio(first.high, second.low, times, less)
    if how == "over" and signal.unit == "percent" and not (first.known and second.known):
        low, high = low if low is not None else Fraction(0), None
    return Value(low, high, why=why)


def _minus(left: object, right: object) -> Fraction | None:
    return left - right if isinstance(left, Fraction) and isinstance(right, Fraction) else None


def _ratio(top: object, bottom: object, times: Fraction, less: Fraction) -> Fraction | None:
    if not (isinstance(top, Fraction) and isinstance(bottom, Fraction)) or bottom <= 0:
        return None
    return (top / bottom - less) * times
