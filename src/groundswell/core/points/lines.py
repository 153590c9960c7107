"""What one line gives for the value of its signal: 0 to 100, as a range where the value is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from groundswell.core.conditions import Condition, Lookup, holds, parse
from groundswell.core.declare import Line, Value

ZERO, FULL = Fraction(0), Fraction(100)
Bands = tuple[tuple[Fraction, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Earned:
    """Points of a line, low and high end, out of 100. `applies` False: the line neither counts nor is required.

    `undecided`: it is not known whether the line applies, so both cases are open.
    """

    low: Fraction
    high: Fraction
    applies: bool = True
    why: str = ""
    undecided: bool = False

    @property
    def known(self) -> bool:
        """Whether there is one answer."""
        return self.applies and not self.undecided and (self.low is self.high or self.low == self.high)


def condition(text: str, kinds: Mapping[str, str]) -> Condition:
    """The condition of a line, parsed once and not once a partner."""
    return _parsed(text, frozenset(kinds.items()))


@lru_cache(maxsize=256)
def _parsed(text: str, kinds: frozenset[tuple[str, str]]) -> Condition:
    return parse(text, dict(kinds))


def earned(line: Line, lookup: Lookup, kinds: dict[str, str]) -> Earned:
    """Points of a line. Order of work: applies_if, only_if (false gives 0, whatever the value), value, bounds.

    An undecided only_if gives the range from 0 to what the line would give; an undecided applies_if covers both cases.
    """
    value = lookup(line.signal)
    applies = holds(condition(line.applies_if, kinds), lookup) if line.applies_if else True
    if applies is False:
        return Earned(ZERO, ZERO, applies=False, why=f"does not apply: {line.applies_if}")
    gate = holds(condition(line.only_if, kinds), lookup) if line.only_if else True
    if gate is False:
        return Earned(ZERO, ZERO, why=f"0 unless {line.only_if}", undecided=applies is None)
    if not value.applies and gate is None:  # nothing given, or the line removed
        return Earned(ZERO, ZERO, why=f"not known whether {line.only_if}", undecided=True)
    if not value.applies:
        return Earned(ZERO, ZERO, applies=False, why=value.why)
    low, high = _ends(line, value)
    if low != high and line.missing == "zero":
        return Earned(ZERO, ZERO, why=f"counted as zero: {value.why}")
    if gate is None:
        return Earned(ZERO, high, why=f"not known whether {line.only_if}", undecided=applies is None)
    why = value.why if applies else f"not known whether {line.applies_if}"
    return Earned(low, high, why=why, undecided=applies is None)


def _ends(line: Line, value: Value) -> tuple[Fraction, Fraction]:
    if line.yes is not None:
        points = min(line.yes, FULL)
        return (points if _is_yes(value.low) else ZERO), (points if value.high is None or _is_yes(value.high) else ZERO)
    low = value.low if isinstance(value.low, Fraction) else None
    high = value.high if isinstance(value.high, Fraction) else None
    if line.bars:
        return bars(low, high, line.bars)
    return banded(low, high, line.bands)


def _is_yes(value: object) -> bool:
    return value is True or (isinstance(value, Fraction) and value > 0)


def bars(low: Fraction | None, high: Fraction | None, at: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
    """Straight between two bars: nothing at or beyond the first, full at or beyond the second; an end may be open.

    With the first bar above the second, fewer is better, and the ends change places.
    """
    nothing, full = at

    def give(value: Fraction) -> Fraction:
        way = (value - nothing) / (full - nothing)
        return ZERO if way.numerator <= 0 else FULL if way.numerator >= way.denominator else way * FULL

    if low is not None and low is high:  # known: one end is the other
        points = give(low)
        return points, points
    if nothing < full:
        return (give(low) if low is not None else ZERO), (give(high) if high is not None else FULL)
    return (give(high) if high is not None else ZERO), (give(low) if low is not None else FULL)


def banded(low: Fraction | None, high: Fraction | None, bands: Bands) -> tuple[Fraction, Fraction]:
    """Lowest and highest points of the half-open bands that the range touches; below the first band: 0."""
    starts: list[tuple[Fraction | None, Fraction]] = [(None, ZERO), *bands]
    reached = []
    for index, (start, points) in enumerate(starts):
        following = starts[index + 1][0] if index + 1 < len(starts) else None
        begins_after = high is not None and start is not None and start > high
        ends_before = low is not None and following is not None and following <= low
        if not begins_after and not ends_before:
            reached.append(points)
    return min(reached), max(reached)
