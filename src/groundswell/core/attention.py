"""Layers of attention: top, middle and long tail, by what partners bring and can do. A facet beside the segment.

Source of the rules: docs/explain/segments.md, attention. The largest partners need nobody to find them; between them and the
long tail are those that are capable and with whom nothing is run together yet. A layer is relative: what a partner
brings is a share of what all bring, so it may change because others joined.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from groundswell.core.conditions import Lookup
from groundswell.core.declare import Attention, Segments, Value
from groundswell.core.points.score import band
from groundswell.core.segments import COVERAGE, asked, figure, number

TOP, MIDDLE, LONG_TAIL, NO_LAYER = "top", "middle", "long tail", ""


@dataclass(frozen=True)
class Attended:
    """How much attention a partner has earned: a facet beside its segment, with the figures behind it."""

    layer: str
    """top, middle, long tail, or "" where that cannot be said."""
    why: str
    """Why it is in no layer; "" where it is in one."""
    share: Fraction | None
    """Of the revenue that is known of all partners, in percent; None where nothing is known of its own, or nobody has any."""
    has: tuple[str, ...]
    lacks: tuple[str, ...]
    """What is not run together with it yet: a middle partner that lacks some is worth a roadmap."""
    undecided: tuple[str, ...]
    """What is not known and could lift a partner that is neither top nor middle."""
    band: str = ""
    """Of a partner of the long tail, the band of its revenue; "" for others, and where that is not known."""


def attention(segments: Segments, lookups: Mapping[str, Lookup]) -> dict[str, Attended]:
    """The layer of every partner, from its own figures and its share of the revenue of all.

    Top: the largest partners that together bring `top_percent` of the revenue that is known; the one that reaches it is
    among them, and so is whoever equals it. Middle: others that surely have enough of what makes a partner capable. The
    rest are the long tail, where enough is known of them to say so. Among fewer than `least_partners` there are no
    layers.

    Misleads: it looks back 12 months and says nothing of what a partner could bring.
    """
    rule = segments.attention
    revenue = {partner: _known(lookup(rule.share_by)) for partner, lookup in lookups.items()}
    whole = sum(revenue.values(), Fraction(0))
    least = _least_of_top(sorted(revenue.values(), reverse=True), whole * rule.top_percent / 100)
    count, needed = len(lookups), rule.least_partners
    few = f"too few partners for layers: {count} of {needed}" if count < needed else ""
    return {partner: _attended(segments, lookup, whole, least, few) for partner, lookup in lookups.items()}


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


def _attended(segments: Segments, lookup: Lookup, whole: Fraction, least: Fraction | None, few: str) -> Attended:
    rule, revenue = segments.attention, lookup(segments.attention.share_by)
    has = dict(zip(rule.has, asked(segments, tuple(rule.has.values()), lookup), strict=True))
    roadmap = dict(zip(rule.roadmap, asked(segments, tuple(rule.roadmap.values()), lookup), strict=True))
    sure = tuple(name for name, said in has.items() if said is True)
    maybe = tuple(name for name, said in has.items() if said is None)
    layer, why = (NO_LAYER, few) if few else _layer(segments, lookup, least, len(sure))
    lifts = maybe if len(sure) + len(maybe) >= rule.has_at_least else ()
    more = (rule.share_by,) if _may_be_top(revenue, least) else ()
    return Attended(
        layer=layer,
        why=why,
        share=_known(revenue) / whole * 100 if whole and revenue.low is not None else None,
        has=sure,
        lacks=tuple(name for name, said in roadmap.items() if said is False),
        undecided=() if few or layer in (TOP, MIDDLE) else (*more, *lifts),
        band=_band(rule, revenue) if layer == LONG_TAIL else "",
    )


def _layer(segments: Segments, lookup: Lookup, least: Fraction | None, sure: int) -> tuple[str, str]:
    """(layer, why there is none)."""
    rule, revenue, coverage = segments.attention, lookup(segments.attention.share_by), lookup(COVERAGE)
    if least is not None and _known(revenue) >= least:
        return TOP, ""
    if sure >= rule.has_at_least:
        return MIDDLE, ""
    if revenue.applies and revenue.low is None:
        return NO_LAYER, figure(segments, rule.share_by, revenue)
    if _known(coverage) < rule.enough_known:
        return NO_LAYER, f"known of readiness {number(_known(coverage))} of {number(rule.enough_known)} percent"
    return LONG_TAIL, ""


def _may_be_top(revenue: Value, least: Fraction | None) -> bool:
    if revenue.known or not revenue.applies:
        return False
    return least is None or not isinstance(revenue.high, Fraction) or revenue.high >= least


def _band(rule: Attention, revenue: Value) -> str:
    if not (revenue.applies and isinstance(revenue.low, Fraction) and isinstance(revenue.high, Fraction)):
        return ""
    low, high = (band(rule.tail_bands, max(end, Fraction(0))) for end in (revenue.low, revenue.high))
    return low if low == high else ""
