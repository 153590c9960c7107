"""The middle half of a partner's peers: what the page of one partner lays each dimension of readiness over.

Peers are the partners of the same type of the same run of whom the dimension is known; where they are fewer than policy
asks for, all partners of whom it is known. Worked out once a run, since a page would read every partner for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from groundswell.core.points.score import Scored

ALL = ""
"""The type that stands for every partner."""


@dataclass(frozen=True)
class Peers:
    """Of so many partners of a type, the points of a dimension between which the middle half lies, out of 100."""

    count: int
    low: Fraction
    high: Fraction


def peers(partners: Iterable[tuple[str, Scored]], least: int) -> dict[str, dict[str, Peers]]:
    """{dimension: {partner type: peers}} of (type, readiness); types with fewer than `least` known stand in `ALL` only.

    The quartiles are the inclusive ones: of n sorted values those at the places (n - 1) / 4 and 3 (n - 1) / 4,
    proportionately between two. A dimension that is known of nobody is not there.
    """
    points: dict[str, dict[str, list[Fraction]]] = {}
    for kind, scored in partners:
        for part in scored.parts:
            if part.points is not None:
                for of in {kind, ALL}:
                    points.setdefault(part.name, {}).setdefault(of, []).append(part.points)
    return {
        part: {of: _middle(found) for of, found in sorted(types.items()) if of == ALL or len(found) >= least}
        for part, types in sorted(points.items())
    }


def _middle(points: list[Fraction]) -> Peers:
    ordered = sorted(points)
    return Peers(len(ordered), _at(ordered, Fraction(1, 4)), _at(ordered, Fraction(3, 4)))


def _at(ordered: list[Fraction], share: Fraction) -> Fraction:
    place = share * (len(ordered) - 1)
    below = place.numerator // place.denominator
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def peers_of(said: Mapping[str, Mapping[str, Mapping[str, object]]], part: str, kind: str) -> tuple[Peers, str] | None:
    """The peers of a partner of that type in a dimension as a run stores them, and of which type they are."""
    types = said.get(part, {})
    of = kind if kind in types else ALL
    if of not in types:
        return None
    found = types[of]
    return Peers(int(str(found["count"])), Fraction(str(found["low"])), Fraction(str(found["high"]))), of
