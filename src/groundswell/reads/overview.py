"""What a partner leader looks at first: how many stand where, who is ready and idle, who went quiet, what is not known."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.db.models import Count, Q, QuerySet

from groundswell.core.concentration import Concentration, concentration
from groundswell.core.rights import SEES_ALL
from groundswell.reads.partners import Ranked, Standing, published, standing_of
from groundswell.reads.rights import mine
from groundswell.records.runs import PublishedPartner, Run
from groundswell.records.staff import Staff

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
    spread: Concentration | None
    """How won revenue of 12 months is spread over those of whom it is known; None where there is none."""
    unknown: int
    """Of how many partners that is not known."""

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
    run = published()
    return _overview(run, run.partners.all(), at_most)


def overview_for(run: Run, staff: Staff, at_most: int) -> Overview:
    """A run as far as one of our people sees it. Of one that everybody reads nothing changes: it is read once a process."""
    if staff.role in SEES_ALL:
        return _of_all(run.run_id, at_most)
    return _overview(run, mine(staff, run.partners.all()), at_most)


@lru_cache(maxsize=2)
def _of_all(run_id: str, at_most: int) -> Overview:
    run = Run.objects.get(run_id=run_id)
    return _overview(run, run.partners.all(), at_most)


def forget() -> None:
    """Read anew what was read once a process: for whoever changes a published run by hand."""
    _of_all.cache_clear()


def _overview(run: Run, partners: QuerySet[PublishedPartner], at_most: int) -> Overview:
    quiet = partners.filter(quiet__in=QUIET)
    placed = (
        partners.order_by()
        .values_list("segment")
        .annotate(n=Count("pk"), silent=Count("pk", filter=Q(quiet__in=QUIET)))
    )
    counted = {segment: (count, silent) for segment, count, silent in placed}
    spread, unknown = _concentration(partners)
    return Overview(
        run=Ranked(run.run_id, run.as_of, (), run.manifest),
        segments={name: counted.get(name, (0, 0))[0] for name in (*SEGMENTS, *(set(counted) - set(SEGMENTS)))},
        idle=_first(partners.filter(segment="ready"), at_most),
        quiet=_first(quiet, at_most),
        quiet_count=sum(silent for _, silent in counted.values()),
        look_at=_first(partners.filter(look_at__gt=0), at_most),
        wanted=_wanted(partners.filter(segment="").values_list("result__standing__would_place", flat=True)),
        spread=spread,
        unknown=unknown,
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


@dataclass(frozen=True)
class Flows:
    """How partners moved since the last quarter-end. Who joined was not there then; who left is not there now."""

    since: dt.date
    segments: tuple[Flow, ...]
    joined: int
    left: int
    moved: int
    """From one segment to another."""

    @property
    def whole(self) -> Flow:
        """All partners: those who came and went are those who joined and left."""
        opening, now = (sum(getattr(one, end) for one in self.segments) for end in ("opening", "now"))
        return Flow("", opening, self.joined, self.left, now)


def flows(run: Ranked) -> Flows | None:
    """How partners moved since the last quarter-end, by segment; None where no earlier month is known."""
    standing = run.manifest["standing"]
    if not standing["since"]:
        return None
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
    return Flows(
        since=dt.date.fromisoformat(standing["since"]),
        segments=tuple(found),
        joined=sum(n for start, _, n in pairs if start == _NOT_THERE),
        left=sum(n for _, end, n in pairs if end == _NOT_THERE),
        moved=sum(n for start, end, n in pairs if start != end and _NOT_THERE not in (start, end)),
    )


def _concentration(partners: QuerySet[PublishedPartner]) -> tuple[Concentration | None, int]:
    """How won revenue of 12 months is spread, and of how many it is not known: those are left out, they are no zeros."""
    won = list(partners.order_by().values_list("won", flat=True))
    known = [one for one in won if one is not None]
    return concentration(Fraction(one) if one else Fraction(0) for one in known if one >= 0), len(won) - len(known)
