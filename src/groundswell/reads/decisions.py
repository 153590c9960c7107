"""What waits for a person: each with how many it is about, why it waits, and the page where it is done."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Min

from groundswell.core.rights import may
from groundswell.core.words import many
from groundswell.reads.listing import LISTS, Facts
from groundswell.reads.rights import mine
from groundswell.reads.sources import Fresh
from groundswell.records.disputes import Dispute
from groundswell.records.loads import QuarantinedRow
from groundswell.records.runs import Run
from groundswell.records.staff import Book, Staff

_SHOWN = 3
"""Decisions that are named at once: more than that is a list, which the screens behind them are."""


@dataclass(frozen=True)
class Decision:
    """Something that waits for a person. `one` and `more` are what is to be done for one and for several, `{n}`."""

    count: int
    one: str
    more: str
    why: str
    page: str
    query: str = ""

    @property
    def what(self) -> str:
        """What is to be done, in words."""
        return self.one if self.count == 1 else self.more.format(n=f"{self.count:,}")


def decisions(run: Run, staff: Staff, seen: Facts, fresh: Sequence[Fresh], now: dt.datetime) -> list[Decision]:
    """The three that wait for one of our people before all others. `seen` counts the partners that this person sees.

    People who wait come first, then what makes figures untrue, then what could be won: partners that are ready before
    those that nearly are, and those before the ones to win back.
    """
    found = [*_for_people(staff, now), *_for_figures(staff, fresh), *_for_partners(run, staff, seen.lists)]
    return [one for one in found if one.count][:_SHOWN]


def _for_people(staff: Staff, now: dt.datetime) -> list[Decision]:
    if not may(staff.role, "answer disputes"):
        return []
    said = Dispute.objects.filter(verdict="").aggregate(n=Count("pk"), first=Min("asked_at"))
    days = (now - said["first"]).days if said["first"] else 0
    waits = f"; the oldest waits {many(days, 'day')}" if days else ""
    why = f"somebody says that a figure is wrong{waits}"
    return [Decision(said["n"], "Answer a dispute", "Answer {n} disputes", why, "disputes")]


def _for_figures(staff: Staff, fresh: Sequence[Fresh]) -> list[Decision]:
    found = []
    if may(staff.role, "see data"):
        late = [one for one in fresh if one.late or one.stopped]
        why = f"{', '.join(one.name for one in late)}: what it says may not hold any more"
        found.append(
            Decision(len(late), "Ask for newer data of a source", "Ask for newer data of {n} sources", why, "sources")
        )
    if may(staff.role, "take in data"):
        aside = QuarantinedRow.objects.filter(load__voided_at=None).exclude(retries__put_right=True).count()
        why = "set aside at take-in; nothing was guessed, nothing dropped"
        found.append(Decision(aside, "Put a row right", "Put {n} rows right", why, "quarantine"))
    return found


def _for_partners(run: Run, staff: Staff, lists: Mapping[str, int]) -> list[Decision]:
    alone = 0
    if may(staff.role, "assign partners"):
        ready = mine(staff, run.partners.order_by()).filter(LISTS["ready"])
        alone = ready.exclude(partner_id__in=Book.objects.values("partner_id")).count()
    return [
        Decision(
            alone, "Give a ready and idle partner a manager", "Give {n} ready and idle partners a manager",
            "able and engaged, and in nobody's book", "partners", "list=ready&manager=nobody",
        ),
        Decision(
            0 if alone else lists["ready"], "Agree a first deal with a ready partner", "Agree a first deal with {n} ready partners",
            "able and engaged, and no deal won in 12 months", "partners", "list=ready",
        ),
        Decision(
            lists["look"], "Look at the rows of a partner", "Look at the rows of {n} partners",
            "their figures may not mean what they say", "partners", "list=look",
        ),
        Decision(
            lists["review"], "Decide about a partner on a review list", "Decide about {n} partners on a review list",
            "low for several quarters though enough was known", "partners", "list=review",
        ),
        Decision(
            lists["short"], "Bring a partner over the line", "Choose which of {n} partners to bring over the line",
            "one or two conditions keep each out of ready", "partners", "list=short",
        ),
        Decision(
            lists["dormant"], "Decide whether to win a partner back", "Choose which of {n} quiet partners to win back",
            "silent beyond its own bound, and there is a way back in", "partners", "list=dormant",
        ),
    ]  # fmt: skip
