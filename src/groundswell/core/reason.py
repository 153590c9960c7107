"""One line about a partner, out of its result: what keeps it from ready where that is told in points, and what to do next."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Any

from groundswell.core.words import many

TOO_LITTLE = "too little known"
"""The state of readiness of a partner of which no point can be told."""


def next_act(result: Mapping[str, Any]) -> str:
    """What would help it most: of the gaps that are known, or else what to find out."""
    gaps = result["gaps"]
    known = [gap for gap in gaps if gap["known"] and gap["remedy"] and result["readiness"]["state"] != TOO_LITTLE]
    return str((known or gaps)[0]["remedy"]) if gaps else ""


def reason(result: Mapping[str, Any]) -> str:
    """How many points it is short of ready, where that is told in points, and its next act; of one not placed, what lacks."""
    standing = result["standing"]
    if not standing["segment"]:
        return "; ".join(dict.fromkeys(unmet["said"] for unmet in standing["would_place"])) or next_act(result)
    points = [
        ceil(Fraction(unmet["short"]))
        for unmet in standing["moves"]
        if unmet["segment"] == "ready" and unmet["unit"] == "points" and unmet["short"]
    ]
    said = f"{many(points[0], 'point')} short. " if points else ""
    return said + next_act(result)
