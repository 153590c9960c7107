"""Where partners stand, as a run stores it: beside the score of each, and as a table of its month-ends."""

import datetime as dt
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.core.assess import Assessment
from groundswell.core.attention import LONG_TAIL, Attended
from groundswell.core.replay import NOT_PLACED, NOT_THERE
from groundswell.core.standing import MonthEnd, Past, Stands, Stood, month_end, past
from groundswell.engine.home import Home
from groundswell.runs import history
from groundswell.runs.result import exact


def before(home: Home, places: Mapping[dt.date, Path]) -> Past:
    """The month-ends before a day, replayed."""
    policy = home.policy
    assert policy.segments is not None  # noqa: S101 - the policy in force has them; only stored ones of old may not
    return past(policy.segments, [month_end(policy, policy.segments, read) for read in history.months(home, places)])


def counts(stood: Stood) -> dict[str, Any]:
    """How many partners are where, for the manifest: by segment, by what their silence says, on lists to look at."""
    every = stood.partners.values()
    return {
        "segments": dict(sorted(Counter(one.placement.standing.segment for one in every).items())),
        "quiet": dict(sorted(Counter(one.quiet.state for one in every).items())),
        "patterns": dict(sorted(Counter(one.quiet.pattern for one in every if one.quiet.pattern).items())),
        "reviews": dict(sorted(Counter(found.review.name for one in every for found in one.reviews).items())),
        "attention": _layers([one.attention for one in every]),
        "look_at": sum(1 for one in every if one.look_at),
        "since": str(stood.since) if stood.since else None,
        "flows": [[start, end, n] for (start, end), n in sorted(stood.flows.items())],
    }


def _layers(every: Sequence[Attended]) -> dict[str, Any]:
    """Of each layer its partners and, in percent, what they bring of the revenue that is known; the long tail by band.

    `why` is the reason, where one keeps everybody out of all layers.
    """
    share: dict[str, Fraction] = {}
    whys = {one.why for one in every}
    for one in every:
        if one.share is not None:
            share[one.layer] = share.get(one.layer, Fraction(0)) + one.share
    return {
        "partners": dict(sorted(Counter(one.layer for one in every).items())),
        "share": {layer: exact(percent) for layer, percent in sorted(share.items())},
        "why": whys.pop() if len(whys) == 1 else "",
        "bands": dict(sorted(Counter(one.band for one in every if one.layer == LONG_TAIL).items())),
    }


# ------------------------------------------------------------------------------------------------------- month-ends

_FIGURES = ("total", "low", "high", "coverage")
_GROUP = 20_480
"""Rows that a reader of one partner reads or skips together."""


def history_file(found: Assessment, stood: Mapping[str, Stands], earlier: Past) -> bytes:
    """Every partner of the day at every month-end before it, and on the day: figures of readiness, and the segment.

    Points are rounded to six decimals.
    """
    there = {one.partner_id for one in found.partners}
    tables = [_of_month(month, row, earlier, there) for row, month in enumerate(earlier.months)]
    day = {
        "partner_id": [one.partner_id for one in found.partners],
        "day": [found.as_of] * len(found.partners),
        **{name: [_rounded(getattr(one.readiness, name)) for one in found.partners] for name in _FIGURES},
        "segment": [stood[one.partner_id].placement.standing.segment for one in found.partners],
    }
    for part in sorted({part.name for one in found.partners for part in one.readiness.parts}):
        points = [{p.name: p.points for p in one.readiness.parts}.get(part) for one in found.partners]
        day[f"part_{part}"] = [_rounded(one) for one in points]
    whole = pa.concat_tables([*tables, pa.table(day)], promote_options="permissive")
    stream = io.BytesIO()
    ordered = whole.sort_by([("partner_id", "ascending"), ("day", "ascending")])
    pq.write_table(ordered, stream, compression="zstd", row_group_size=_GROUP)
    return stream.getvalue()


def _rounded(figure: Any) -> float | None:
    return None if figure is None else round(float(figure), 6)


def _of_month(month: MonthEnd, row: int, earlier: Past, there: set[str]) -> pa.Table:
    placed = earlier.replayed.placed[row] if earlier.replayed is not None else np.array([])
    said = dict(enumerate(earlier.segments)) | {NOT_PLACED: "", NOT_THERE: ""}
    kept = [at for at, partner in enumerate(month.partners) if partner in there]
    partners = [month.partners[at] for at in kept]
    figures = {name: getattr(month, name) for name in _FIGURES} | {f"part_{n}": p for n, p in month.parts.items()}
    return pa.table(
        {
            "partner_id": pa.array(partners, pa.string()),
            "day": pa.array([month.day] * len(kept), pa.date32()),
            **{name: pa.array(np.round(what[kept], 6), from_pandas=True) for name, what in figures.items()},
            "segment": pa.array([said[int(placed[earlier.index(one)])] for one in partners], pa.string()),
        }
    )
