"""What the frame around every page shows: where one can go, as of when, who one is."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from groundswell.records.disputes import Dispute
from groundswell.records.runs import Published, Run
from groundswell.web.shell.page import allowed, staff

THEMES = ("light", "dark", "system")


@dataclass(frozen=True)
class Way:
    """One entry of the navigation: its word, the name of its page, the verb it takes, its key after `g`."""

    word: str
    name: str
    right: str
    key: str
    waits: str = ""


WAYS: tuple[tuple[str, tuple[Way, ...]], ...] = (
    ("Today", (Way("Overview", "overview", "see the overview", "o"),)),
    ("Partners", (Way("Partners", "partners", "see partners", "p"),)),
    (
        "Data",
        (
            Way("Sources", "sources", "see data", "d"),
            Way("Quarantine", "quarantine", "see data", "n"),
            Way("Mappings", "mappings", "see data", "m"),
            Way("Jobs", "jobs", "see data", "j"),
            Way("Disputes", "disputes", "dispute a figure", "i", waits="disputes"),
        ),
    ),
    (
        "People",
        (
            Way("People", "people", "see people", "w"),
            Way("Trail", "trail", "read the trail", "t"),
        ),
    ),
)
"""The navigation, by job. A way that a role cannot go is absent."""

_BELOW = {"partner": "partners"}
"""Pages that no way leads to -> the way below which they lie."""


def frame(request: HttpRequest) -> dict[str, Any]:
    """For every template: the navigation of this person, the theme, and the day of the published run."""
    theme = request.COOKIES.get("theme", "system")
    found: dict[str, Any] = {
        "theme": theme if theme in THEMES else "system", "themes": THEMES, "demo": settings.DEMO
    }  # fmt: skip
    person = getattr(request, "user", None)  # absent where a request was refused before anybody was looked up
    if person is None or not person.is_authenticated:
        return found
    jobs: dict[str, list[dict[str, Any]]] = {}
    for way in ways(request):
        jobs.setdefault(way["job"], []).append(way)
    return found | {
        "navigation": [{"job": job, "ways": mine} for job, mine in jobs.items()],
        "run": SimpleLazyObject(_run),  # a page that has read the run itself hands it over, and it is not read again
        "can_load": allowed(staff(request), "take in data"),
    }


def _run() -> Run | None:
    """The published run for a page that only says as of when; without its manifest, by far the largest part."""
    pointer = Published.objects.select_related("run").defer("run__manifest").filter(only=1).first()
    return pointer.run if pointer else None


def ways(request: HttpRequest) -> list[dict[str, Any]]:
    """The ways that this person can go, with what waits on each."""
    here = request.resolver_match.view_name if request.resolver_match else ""
    answers = allowed(staff(request), "answer disputes")
    waits = {"disputes": Dispute.objects.filter(verdict="").count()} if answers else {}
    return [
        {
            "job": job,
            "way": way,
            "url": reverse(way.name),
            "here": _BELOW.get(here.split("-")[0], here.split("-")[0]) == way.name,
            "waits": waits.get(way.waits),
        }
        for job, all_ways in WAYS
        for way in all_ways
        if allowed(staff(request), way.right)
    ]
