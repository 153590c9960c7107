"""One partner of a run as it is stored, published and read. Figures are exact fractions as text."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from groundswell.core.assess import Assessed
from groundswell.core.declare import Policy, Value
from groundswell.core.points.score import Scored
from groundswell.core.readiness import gaps
from groundswell.core.segments import Unmet
from groundswell.core.standing import Stands


def result(policy: Policy, one: Assessed, stands: Stands, rank: int) -> dict[str, Any]:
    """One partner of a run."""
    who = {name: text(one.partner.get(name)) for name in _WHO}
    signals = {name: value_of(value) for name, value in sorted(one.values.items())}
    return {
        **who,
        "rank": rank,
        "readiness": _scored(one.readiness, signals),
        "standing": _stands(stands),
        "gaps": [
            {"signal": gap.signal, "gain": exact(gap.gain), "remedy": gap.remedy, "known": gap.known}
            for gap in gaps(one.readiness, policy.signals)
        ],
        "signals": signals,
    }


_WHO = ("partner_id", "name", "country", "partner_type", "region", "tier", "status", "joined_on", "source",
        "external_id", "landing", "line", "load_id")  # fmt: skip


def _scored(scored: Scored, signals: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "edition": scored.edition.origin.since.isoformat(),
        "out_of": exact(scored.edition.out_of),
        "total": exact(scored.total),
        "low": exact(scored.low),
        "high": exact(scored.high),
        "coverage": exact(scored.coverage),
        "state": scored.state,
        "band": scored.band,
        "parts": [
            {
                "part": p.name,
                "share": exact(p.share),
                "points": exact(p.points),
                "low": exact(p.low),
                "high": exact(p.high),
            }
            for p in scored.parts
        ],
        "lines": [
            {
                "part": line.part,
                "line": line.line.name,
                "signal": line.line.signal,
                "value": signals.get(line.line.signal) or value_of(line.value),
                "points": [exact(line.earned.low), exact(line.earned.high)],
                "applies": line.earned.applies,
                "share": exact(line.share),
                "contribution": exact(line.contribution),
                "why": line.earned.why,
            }
            for line in scored.lines
        ],
        "deductions": [[what, exact(points)] for what, points in scored.deductions],
    }


def value_of(value: Value) -> dict[str, str | None]:
    """A value of a signal."""
    return {"state": value.state, "low": text(value.low), "high": text(value.high), "why": value.why}


def exact(number: Fraction | None) -> str | None:
    """A figure as text."""
    return None if number is None else str(number)


def text(value: object) -> str | None:
    """A cell as text."""
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _stands(one: Stands) -> dict[str, Any]:
    """What is stored of where one partner stands. Figures are exact fractions as text; momentum is rounded."""
    placed, quiet = one.placement, one.quiet
    return {
        "segment": placed.standing.segment,
        "since": text(placed.standing.since),
        "or_before": one.or_before,
        "rule": placed.rule,
        "facts": list(placed.facts),
        "stays": placed.stays,
        "undecided": list(placed.undecided),
        "moves": [_unmet(unmet) for unmet in placed.moves],
        "would_place": [_unmet(unmet) for unmet in placed.would_place],
        "attention": {
            "layer": one.attention.layer,
            "why": one.attention.why,
            "share": exact(one.attention.share),
            "band": one.attention.band,
            "has": list(one.attention.has),
            "lacks": list(one.attention.lacks),
            "undecided": list(one.attention.undecided),
        },
        "quiet": {
            "state": quiet.state,
            "pattern": quiet.pattern,
            "said": quiet.said,
            "last_on": text(quiet.last_on),
            "last_act": quiet.last_act,
            "silent": quiet.silent,
            "silent_at_least": quiet.silent_at_least,
            "gaps": quiet.gaps,
            "usual_gap": exact(quiet.usual_gap),
            "most_gap": quiet.most_gap,
            "bound": exact(quiet.bound),
            "reachable": quiet.reachable,
            "returned_after": quiet.returned_after,
        },
        "reviews": [
            {
                "name": found.review.name,
                "quarter_ends": [str(day) for day in found.quarter_ends],
                "said": found.said,
                "proposes": found.review.proposes,
            }
            for found in one.reviews
        ],
        "look_at": [
            {"kind": reason.kind, "said": reason.said, "figure": exact(reason.figure), "rows": reason.rows}
            for reason in one.look_at
        ],
        "momentum": None if one.momentum is None else round(one.momentum, 6),
    }


def _unmet(unmet: Unmet) -> dict[str, str | bool | None]:
    return {
        "segment": unmet.segment,
        "condition": unmet.condition,
        "said": unmet.said,
        "short": exact(unmet.short),
        "unit": unmet.unit,
        "either": unmet.either,
    }
