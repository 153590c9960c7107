"""Readiness: how ready a partner is to sell with us, and what is missing, in the partner's own units."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from groundswell.core.declare import Policy, Signal, Value
from groundswell.core.points.lines import FULL
from groundswell.core.points.score import LineResult, Scored, score

NAME = "readiness"


@dataclass(frozen=True)
class Gap:
    """What keeps a partner from more points: the line, what it could still give, and what to do about it."""

    signal: str
    gain: Fraction
    """Points of the score that the line would add at its best, all else equal."""
    remedy: str
    known: bool


def readiness(policy: Policy, values: Mapping[str, Value], kinds: dict[str, str], as_of: dt.date) -> Scored:
    """The readiness of one partner as of a day.

    Misleads: the default weights are priors, unvalidated on this vendor's data; a weight is a trade-off rate, not an
    importance.
    """
    return score(policy.edition(NAME, as_of), values, kinds)


def gaps(scored: Scored, signals: Mapping[str, Signal], at_most: int = 3) -> tuple[Gap, ...]:
    """The lines that would add most, dearest first: what to do (known), or what to find out (unknown)."""
    scale = scored.edition.out_of / FULL
    found = [
        _gap(line, signals[line.line.signal], scale)
        for line in scored.lines
        if line.earned.applies and line.earned.low < FULL
    ]
    return tuple(sorted(found, key=lambda gap: (-gap.gain, gap.signal))[:at_most])


def _gap(line: LineResult, signal: Signal, scale: Fraction) -> Gap:
    gain = line.share * (FULL - line.earned.low) * scale
    remedy = signal.remedy if line.earned.known else f"Find out: {line.value.why or 'not known'}."
    return Gap(signal.name, gain, remedy, line.earned.known)
