"""What a partner leader looks at first: how many stand where, who is ready and idle, who went quiet, what is not known."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from groundswell.reads.partners import Ranked, Standing, published, ranked_partners, standing_of
from groundswell.records.runs import PublishedPartner

QUIET = ("gone quiet", "unlikely")


@dataclass(frozen=True)
class Overview:
    """The published run on one screen. Lists are cut; the manifest has the counts."""

    run: Ranked
    idle: tuple[Standing, ...]
    """In segment ready: able and engaged, and nothing won in 12 months. Most ready first."""
    quiet: tuple[Standing, ...]
    """Who went quiet by its own rhythm, those with the most to lose first."""
    look_at: tuple[Standing, ...]
    """Whose figures a person should look at."""
    wanted: tuple[tuple[str, int], ...]
    """The conditions that would place partners, with how many."""


def overview(at_most: int) -> Overview:
    """The published run. Raises NothingPublished."""
    run = published()
    partners = run.partners.all()
    return Overview(
        run=Ranked(run.run_id, run.as_of, (), run.manifest),
        idle=ranked_partners(at_most, "ready").partners,
        quiet=_first(partners.filter(result__standing__quiet__state__in=QUIET), at_most),
        look_at=_first(partners.exclude(result__standing__look_at=[]), at_most),
        wanted=_wanted(one.result["standing"] for one in ranked_partners(segment="").partners),
    )


def _first(partners: QuerySet[PublishedPartner], at_most: int) -> tuple[Standing, ...]:
    return tuple(standing_of(row) for row in partners[:at_most])


def needed(unmet: Iterable[dict[str, Any]], what: str, joined: str) -> str:
    """What is missing, in one text: all that must hold, and of those of which one is enough, one or another."""
    found = list(unmet)
    of_all = [str(one[what]) for one in found if not one["either"]]
    either = " or ".join(str(one[what]) for one in found if one["either"])
    return joined.join([*of_all, *([either] if either else [])])


def _wanted(standings: Iterable[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for one in standings:
        wants = needed(one["would_place"], "condition", " and ")
        found[wants] = found.get(wants, 0) + 1
    return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0])))
