"""What a partner leader looks at first: how many stand where, who is ready and idle, who went quiet, what is not known."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import Count, QuerySet

from groundswell.core.concentration import Concentration, concentration
from groundswell.core.rights import may
from groundswell.reads.partners import Ranked, Standing, published, standing_of
from groundswell.reads.rights import mine
from groundswell.records.disputes import Dispute
from groundswell.records.loads import QuarantinedRow
from groundswell.records.runs import PublishedPartner
from groundswell.records.staff import Book, Staff

QUIET = ("gone quiet", "unlikely")
SEGMENTS = ("active", "ready", "developing", "inactive", "")
"""The segments, those of most worth first; "" is where partners are that nothing could place."""
_NOT_THERE = "not there"


@dataclass(frozen=True)
class Overview:
    """The published run on one screen. Lists are cut; counts are not."""

    run: Ranked
    segments: dict[str, int]
    """How many partners stand in each segment."""
    idle: tuple[Standing, ...]
    """In segment ready: able and engaged, and nothing won in 12 months. Most ready first."""
    quiet: tuple[Standing, ...]
    """Who went quiet by its own rhythm, those with the most to lose first."""
    quiet_count: int
    look_at: tuple[Standing, ...]
    """Whose figures a person should look at."""
    wanted: tuple[tuple[str, int], ...]
    """The conditions that would place partners, with how many."""

    @property
    def unplaced(self) -> int:
        """How many nothing could place."""
        return self.segments.get("", 0)

    @property
    def partners(self) -> int:
        """How many partners these are."""
        return sum(self.segments.values())


def overview(at_most: int) -> Overview:
    """The published run, whole. Raises NothingPublished."""
    return _overview(published().partners.all(), at_most)


def overview_for(staff: Staff, at_most: int) -> Overview:
    """The published run as far as one of our people sees it. Raises NothingPublished."""
    return _overview(mine(staff, published().partners.all()), at_most)


def _overview(partners: QuerySet[PublishedPartner], at_most: int) -> Overview:
    run = published()
    counted = dict(partners.order_by().values_list("segment").annotate(Count("pk")))
    quiet = partners.filter(quiet__in=QUIET)
    return Overview(
        run=Ranked(run.run_id, run.as_of, (), run.manifest),
        segments={name: counted.get(name, 0) for name in (*SEGMENTS, *(set(counted) - set(SEGMENTS)))},
        idle=_first(partners.filter(segment="ready"), at_most),
        quiet=_first(quiet, at_most),
        quiet_count=quiet.count(),
        look_at=_first(partners.filter(look_at__gt=0), at_most),
        wanted=_wanted(partners.filter(segment="").values_list("result__standing__would_place", flat=True)),
    )


def _first(partners: QuerySet[PublishedPartner], at_most: int) -> tuple[Standing, ...]:
    return tuple(standing_of(row) for row in partners[:at_most])


def needed(unmet: Iterable[dict[str, Any]], what: str, joined: str) -> str:
    """What is missing, in one text: all that must hold, and of those of which one is enough, one or another."""
    found = list(unmet)
    of_all = [str(one[what]) for one in found if not one["either"]]
    either = " or ".join(str(one[what]) for one in found if one["either"])
    return joined.join([*of_all, *([either] if either else [])])


def _wanted(unmet: Iterable[list[dict[str, Any]]]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for ones in unmet:
        wants = needed(ones, "condition", " and ")
        found[wants] = found.get(wants, 0) + 1
    return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class Flow:
    """A segment since the last quarter-end: opening + came - went = now."""

    segment: str
    opening: int
    came: int
    went: int
    now: int


def flows(run: Ranked) -> tuple[dt.date | None, tuple[Flow, ...]]:
    """How partners moved since the last quarter-end, by segment, and that day; nothing where there is no earlier month."""
    standing = run.manifest["standing"]
    if not standing["since"]:
        return None, ()
    pairs = [(start, end, n) for start, end, n in standing["flows"]]
    named = [*SEGMENTS, *sorted({one for start, end, _ in pairs for one in (start, end)} - {*SEGMENTS, _NOT_THERE})]
    found = [
        Flow(
            segment=name,
            opening=sum(n for start, _, n in pairs if start == name),
            came=sum(n for start, end, n in pairs if end == name != start),
            went=sum(n for start, end, n in pairs if start == name != end),
            now=sum(n for _, end, n in pairs if end == name),
        )
        for name in named
    ]
    return dt.date.fromisoformat(standing["since"]), tuple(found)


def concentration_of(staff: Staff) -> tuple[Concentration | None, int]:
    """How won revenue of 12 months is spread over the partners that somebody sees; and of how many it is not known.

    Those of whom it is not known are left out, and counted: they are no zeros.
    """
    partners = mine(staff, published().partners.order_by())
    known = partners.filter(won__isnull=False, won__gte=0).values_list("won", flat=True)
    return concentration(Fraction(one) for one in known if one is not None), partners.filter(won=None).count()


@dataclass(frozen=True)
class Decision:
    """Something that waits for a person: what, why it waits, and the page where it is done."""

    what: str
    why: str
    page: str
    query: str = ""


def decisions(staff: Staff) -> list[Decision]:
    """What waits for one of our people, the most urgent first."""
    partners = mine(staff, published().partners.order_by())
    found = []
    if may(staff.role, "assign partners"):
        alone = partners.filter(segment="ready").exclude(partner_id__in=Book.objects.values("partner_id")).count()
        if alone:
            what = (
                f"Give {alone} ready and idle partners a manager"
                if alone > 1
                else "Give a ready and idle partner a manager"
            )
            found.append(
                Decision(what, "able and engaged, and in nobody's book", "partners", "segment=ready&manager=nobody")
            )
    reviewed = partners.filter(reviews__gt=0).count()
    if reviewed:
        what = (
            f"Decide about {reviewed} partners on a review list"
            if reviewed > 1
            else "Decide about a partner on a review list"
        )
        found.append(Decision(what, "low for several quarters though enough was known", "partners", "list=review"))
    odd = partners.filter(look_at__gt=0).count()
    if odd:
        what = f"Look at the rows of {odd} partners" if odd > 1 else "Look at the rows of a partner"
        found.append(Decision(what, "their figures may not mean what they say", "partners", "list=look"))
    if may(staff.role, "answer disputes"):
        disputed = Dispute.objects.filter(verdict="").count()
        if disputed:
            what = f"Answer {disputed} disputes" if disputed > 1 else "Answer a dispute"
            found.append(Decision(what, "somebody says that a figure is wrong", "disputes"))
    if may(staff.role, "take in data"):
        aside = QuarantinedRow.objects.filter(load__voided_at=None).exclude(retries__put_right=True).count()
        if aside:
            what = f"Put {aside} rows right" if aside > 1 else "Put a row right"
            found.append(Decision(what, "set aside at take-in; nothing was guessed, nothing dropped", "quarantine"))
    return found[:3]
