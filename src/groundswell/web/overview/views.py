"""The overview: one sentence, how the programme stands and moved, who is ready and idle, what the data cannot say."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from groundswell.core.readiness import NAME
from groundswell.core.rights import SEES_ALL
from groundswell.reads.overview import Overview, concentration_of, decisions, flows, overview_for
from groundswell.reads.partners import NothingPublished, published
from groundswell.reads.policy import policy_of
from groundswell.reads.quality import computable_of
from groundswell.web.shell import charts
from groundswell.web.shell.page import home, page, staff

_LISTED = 8


@page("see the overview")
def overview(request: HttpRequest) -> HttpResponse:
    """The published run on one page, of the partners that this person sees."""
    try:
        found = overview_for(staff(request), _LISTED)
    except NothingPublished:
        return render(request, "overview/empty.html")
    since, moved = flows(found.run)
    spread, unknown = concentration_of(staff(request))
    said: dict[str, Any] = {
        "found": found,
        "manifest": found.run.manifest,
        "since": since,
        "flows": moved if staff(request).role in SEES_ALL else (),
        "spread": spread,
        "unknown": unknown,
        "tops": [(count, spread.top(count)) for count in (1, 3, 10, 50) if count <= spread.producing] if spread else (),
        "curve": charts.lorenz(spread) if spread else None,
        "known": _known(found),
        "decisions": decisions(staff(request)),
        "currency": policy_of(home(), published()).instance.home_currency,
    }
    return render(request, "overview/overview.html", said)


def _known(found: Overview) -> list[str]:
    """What the data can and cannot say, a sentence each."""
    cannot_tell = found.run.manifest["standing"]["quiet"].get("cannot tell", 0)
    lines = [computable_of(found.run.manifest)]
    lines += [f"{count} partners would be placed by {condition}." for condition, count in found.wanted[:3]]
    if cannot_tell:
        lines.append(
            f"Of {cannot_tell} partners nobody can tell whether they are quiet: too few gaps, or no source says."
        )
    return lines


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
