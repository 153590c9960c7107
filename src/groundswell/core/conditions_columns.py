"""Conditions asked of many partners at once: the walk is that of `conditions`, the answers are arrays."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt

from groundswell.core import conditions
from groundswell.core.conditions import UNMET, Condition, Said
from groundswell.core.declare import Value
from groundswell.core.signals.columns import NEAR, Columns, Ends, Flags, Floats, either, told

Lookup = Callable[[str], Columns]
Codes = npt.NDArray[np.int8]

_NO, _UNMET, _UNKNOWN, _YES = range(4)
"""Answers, from the one that `or` takes last to the one that decides it."""
_AND = np.array([3, 1, 2, 0], dtype=np.int8)
"""The same order for `and`: what decides it is 3. Applied twice, it gives the answer back."""
_NOT = np.array([_YES, _UNMET, _UNKNOWN, _NO], dtype=np.int8)


@dataclass(frozen=True)
class Held:
    """For whom a condition holds (`yes`), for whom it does not (`no`); for all others that is unknown.

    `unsure`: a rounded value lies so close to what it is compared with that floats do not decide.
    """

    yes: Flags
    no: Flags
    unsure: Flags

    @property
    def unknown(self) -> Flags:
        """For whom it is not known."""
        return ~(self.yes | self.no)


def holds(condition: Condition, lookup: Lookup, count: int) -> Held:
    """For whom of `count` partners a condition holds; case by case what `conditions.holds` says of each."""
    asked = _OfMany(lookup)
    codes = np.broadcast_to(conditions.answer(condition, asked), (count,))
    unsure = np.zeros(count, dtype=bool)
    for doubt in asked.doubts:
        unsure |= doubt
    return Held(codes == _YES, (codes == _NO) | (codes == _UNMET), unsure)


@dataclass(frozen=True)
class _OfMany:
    """Answers over columns; an array of one stands for all partners. `doubts`: where floats do not decide."""

    lookup: Lookup
    doubts: list[Flags] = field(default_factory=list)

    def value(self, name: str) -> Columns:
        return self.lookup(name)

    def literal(self, value: Value) -> Columns:
        if isinstance(value.low, (bool, Fraction)):
            end = float(value.low)
            broken = None if end == value.low else np.ones(1, dtype=bool)
            return Columns(np.array([end]), np.array([end]), np.ones(1, dtype=bool), rounded=(broken, broken))
        word = np.array([value.low], dtype=object)
        return Columns(word, word, np.ones(1, dtype=bool))

    def lowered(self, value: Columns) -> Columns:
        return _each(conditions.lowered, value)

    def compared(self, operator: str, left: Columns, right: Columns) -> Codes:
        if left.low.dtype == object or right.low.dtype == object:
            return _by_case(lambda one, other: conditions.compared(operator, one, other), left, right)
        self._doubt(left, right)
        if operator in (">", ">="):
            left, right, operator = right, left, "<" if operator == ">" else "<="
        answers = _equal(left, right) if operator in ("=", "<>") else _below(left, right, strict=operator == "<")
        answers = _NOT[answers] if operator == "<>" else answers
        return np.where(left.applies & right.applies, answers, _UNMET).astype(np.int8)

    def alike(self, value: Columns, pattern: str) -> Codes:
        return _by_case(lambda one, _: conditions.alike(one, pattern), value, value)

    def lacking(self, value: Columns) -> Codes:
        return np.where(value.applies, _NO, _YES).astype(np.int8)

    def plain(self, truth: bool) -> Codes:
        return np.array([_YES if truth else _NO], dtype=np.int8)

    def negated(self, answer: Codes) -> Codes:
        return _NOT[answer]

    def joined(self, decisive: bool, answers: list[Codes]) -> Codes:
        found = answers[0] if decisive else _AND[answers[0]]
        for one in answers[1:]:
            found = np.maximum(found, one if decisive else _AND[one])
        return found if decisive else _AND[found]

    def _doubt(self, left: Columns, right: Columns) -> None:
        """Note where a rounded end lies close to an end that it is compared with."""
        for mine, theirs in ((0, 0), (1, 0), (0, 1)):
            one, other = (left.low, left.high)[mine], (right.low, right.high)[theirs]
            rounded = either(left.rounded[mine], right.rounded[theirs])
            if rounded is not None:
                self.doubts.append(rounded & (np.abs(one - other) <= NEAR * np.maximum(1.0, np.abs(other))))


def _surely(high: Floats, low: Floats, strict: bool) -> Flags:
    """Where everything up to `high` lies below everything from `low`; an open end proves nothing."""
    found: Flags = high < low if strict else high <= low
    return found


def _equal(left: Columns, right: Columns) -> Codes:
    apart = _surely(left.high, right.low, strict=True) | _surely(right.high, left.low, strict=True)
    ranges = np.where(apart, _NO, _UNKNOWN)
    same = np.where(left.low == right.low, _YES, _NO)
    return np.where(left.known & right.known, same, ranges).astype(np.int8)


def _below(left: Columns, right: Columns, strict: bool) -> Codes:
    never = np.where(_surely(right.high, left.low, not strict), _NO, _UNKNOWN)
    return np.where(_surely(left.high, right.low, strict), _YES, never).astype(np.int8)


# -------------------------------------------------------------------------------------------------- words and days

Case = tuple[object, object, bool]


def _cases(columns: Columns) -> list[Case]:
    """Low, high and applies of each partner, with None for what is open."""
    ends = [_listed(end) for end in (columns.low, columns.high)]
    return list(zip(*ends, columns.applies.tolist(), strict=True))


def _listed(ends: Ends) -> list[object]:
    """Ends as objects, with None for what is open."""
    found = ends.astype(object)
    found[~told(ends)] = None
    return list(found)


def _alone(case: Case) -> Value:
    low, high, applies = case
    return Value(low, high, applies)  # type: ignore[arg-type]


def _by_case(ask: Callable[[Value, Value], Said], left: Columns, right: Columns) -> Codes:
    """The answers of the exact rule, asked once for each pair of values that occurs: words and days are few."""

    @cache
    def code(one: Case, other: Case) -> int:
        said = ask(_alone(one), _alone(other))
        return _UNMET if said is UNMET else _UNKNOWN if said is None else _YES if said else _NO

    sides = _cases(left), _cases(right)
    many = max(map(len, sides))
    one, other = (side * many if len(side) < many else side for side in sides)
    return np.array([code(*pair) for pair in zip(one, other, strict=True)], dtype=np.int8)


def _each(change: Callable[[Value], Value], columns: Columns) -> Columns:
    """Every value changed, once for each that occurs."""
    changed = cache(lambda case: change(_alone(case)))
    found = [changed(case) for case in _cases(columns)]
    ends = [np.array([getattr(one, end) for one in found], dtype=object) for end in ("low", "high")]
    return Columns(ends[0], ends[1], np.array([one.applies for one in found], dtype=bool))
