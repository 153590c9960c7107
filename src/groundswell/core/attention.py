"""Tiers of attention: top, middle and long tail, by what partners bring and can do. A facet beside the segment.

Source of the rules: behaviours.md B-111 and B-112. The largest partners need nobody to find them; between them and the
long tail are those that are capable and with whom nothing is run together yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from groundswell.core.conditions import Lookup
from groundswell.core.declare import Segments, Value
from groundswell.core.segments import asked


@dataclass(frozen=True)
class Attended:
    """How much attention a partner has earned: a facet beside its segment, with the figures behind it."""

    tier: str
    """top, middle or long tail."""
    share: Fraction
    """Of the revenue of all partners, in percent."""
    has: tuple[str, ...]
    lacks: tuple[str, ...]
    """What is not run together with it yet: a middle partner that lacks some is worth a roadmap (B-112)."""
    undecided: tuple[str, ...]
    """What is not known and could lift a partner of the long tail into the middle."""


def attention(segments: Segments, lookups: Mapping[str, Lookup]) -> dict[str, Attended]:
    """The tier of attention of every partner, from its own figures and its share of the revenue of all.

    Top: the largest partners that together bring `top_percent` of the revenue that is known; the one that reaches it is
    among them, and so is whoever equals it. Middle: those that have enough of what makes a partner capable. The others
    are the long tail.
    """
    rule = segments.attention
    revenue = {partner: _known(lookup(rule.share_by)) for partner, lookup in lookups.items()}
    whole = sum(revenue.values(), Fraction(0))
    least = _least_of_top(sorted(revenue.values(), reverse=True), whole * rule.top_percent / 100)
    return {partner: _attended(segments, lookup, revenue[partner], whole, least) for partner, lookup in lookups.items()}


def _known(value: Value) -> Fraction:
    return max(value.low, Fraction(0)) if isinstance(value.low, Fraction) else Fraction(0)


def _least_of_top(revenues: Sequence[Fraction], wanted: Fraction) -> Fraction | None:
    """The revenue of the smallest partner of the top; None where nobody has any."""
    reached = Fraction(0)
    for revenue in revenues:
        reached += revenue
        if revenue > 0 and reached >= wanted:
            return revenue
    return None


def _attended(
    segments: Segments, lookup: Lookup, revenue: Fraction, whole: Fraction, least: Fraction | None
) -> Attended:
    rule = segments.attention
    has = dict(zip(rule.has, asked(segments, tuple(rule.has.values()), lookup), strict=True))
    roadmap = dict(zip(rule.roadmap, asked(segments, tuple(rule.roadmap.values()), lookup), strict=True))
    sure = tuple(name for name, said in has.items() if said is True)
    top = least is not None and revenue >= least
    tier = "top" if top else "middle" if len(sure) >= rule.has_at_least else "long tail"
    maybe = tuple(name for name, said in has.items() if said is None)
    lifts = tier == "long tail" and len(sure) + len(maybe) >= rule.has_at_least
    return Attended(
        tier=tier,
        share=revenue / whole * 100 if whole else Fraction(0),
        has=sure,
        lacks=tuple(name for name, said in roadmap.items() if said is False),
        undecided=maybe if lifts else (),
    )
