"""The overview: one sentence, how the programme stands and moved, who is ready and idle, what waits, what data can say."""

import datetime as dt
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from groundswell.core.readiness import NAME
from groundswell.core.rights import SEES_ALL
from groundswell.reads.decisions import decisions
from groundswell.reads.listing import facts
from groundswell.reads.overview import Flow, flows, overview_for
from groundswell.reads.partners import published
from groundswell.reads.policy import policy_of
from groundswell.reads.quality import more_of
from groundswell.reads.sources import freshness, sources
from groundswell.web.shell import charts
from groundswell.web.shell.page import allowed, home, page, staff

_LISTED = 5
_MORE = 3
"""Tables that are named of those that would add signals."""
_FRESH = 6
"""Sources whose age is shown: those that stopped or are late come first, and the screen of sources has them all."""
_MEANS = {
    "active": "won in 12 months",
    "ready": "able, nothing won yet",
    "developing": "short of something",
    "inactive": "unlikely soon",
    "": "too little is known",
}


@page("see the overview")
def overview(request: HttpRequest) -> HttpResponse:
    """The published run on one page, of the partners that this person sees."""
    one, now = staff(request), dt.datetime.now(dt.UTC)
    run = published()
    found = overview_for(run, one, _LISTED)
    manifest, spread, policy = run.manifest, found.spread, policy_of(home(), run)
    limit = home().policy.instance.limits["fresh_days"]
    fresh = freshness(sources(now, limit, ()), manifest)
    seen = facts(run, one)
    moved = flows(found.run) if one.role in SEES_ALL else None  # a run counts the flows of everybody
    could, more = manifest["signals"], more_of(manifest)
    said: dict[str, Any] = {
        "found": found,
        "manifest": manifest,
        "flows": moved,
        "segments": [_row(flow) for flow in moved.segments] if moved else [],
        "counts": [(name, _means(name), count) for name, count in found.segments.items()],
        "spread": spread,
        "unknown": found.unknown,
        "tops": [(count, spread.top(count)) for count in (1, 3, 10, 50) if count <= spread.producing] if spread else (),
        "curve": charts.lorenz(spread) if spread and spread.producing > 1 else None,
        "bar": charts.shares(could["computable"], [len(each.signals) for each in more], could["declared"]),
        "more": more[:_MORE],
        "wanted": [(_plain(condition), count) for condition, count in found.wanted[:1]],
        "thin": seen.thin,
        "cannot_tell": manifest["standing"]["quiet"].get("cannot tell", 0) if one.role in SEES_ALL else 0,
        "fresh": fresh[:_FRESH],
        "others": max(len(fresh) - _FRESH, 0),
        "limit": limit,
        "decisions": decisions(run, one, seen, fresh, now),
        "currency": policy.instance.home_currency,
        "sees_data": allowed(one, "see data"),
    }
    return render(request, "overview/overview.html", said)


def _row(flow: Flow) -> dict[str, Any]:
    """A segment's flow with its change in words."""
    change = flow.now - flow.opening
    said = f"↑ up {change:,}" if change > 0 else f"↓ down {-change:,}" if change < 0 else "the same"
    return {"flow": flow, "means": _means(flow.segment), "change": said}


def _means(segment: str) -> str:
    """A segment in three words; one of the customer's own has its name alone."""
    return _MEANS.get(segment, "")


_WORDS = {
    "readiness.coverage": "percent known of readiness",
    "readiness.total": "points of readiness",
    ">=": "≥",
    "<=": "≤",
}


def _plain(condition: str) -> str:
    """A condition of the policy as people read it."""
    for text, said in _WORDS.items():
        condition = condition.replace(text, said)
    return re.sub(r"(?<=[a-z])_(?=[a-z])", " ", condition)


@page("see the overview")
def counted(request: HttpRequest) -> HttpResponse:
    """How the figures of the overview are counted."""
    policy = policy_of(home(), published())
    rows = policy.segments.rows if policy.segments else ()
    edition = policy.edition(NAME, home().today(dt.datetime.now(dt.UTC)))
    said = {
        "segments": [(row.name, " and ".join(row.all) or " or ".join(row.any)) for row in rows],
        "parts": [(part.name, part.weight) for part in edition.parts],
        "edition": edition.origin.since,
    }
    return render(request, "overview/counted.html", said)
