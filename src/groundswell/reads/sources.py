"""Sources as the ledger knows them: what came of their rows, how old they are, and what was loaded when."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum

from groundswell.connectors.files.mapping import shipped
from groundswell.reads.quarantine import Aside
from groundswell.records.loads import Load

_STANDS = Q(state="committed", voided_at=None)


@dataclass(frozen=True)
class Rows:
    """What became of rows: `rows_in` = loaded + unchanged + quarantined, of files that stand."""

    rows_in: int
    loaded: int
    unchanged: int
    quarantined: int

    @property
    def balanced(self) -> bool:
        """Whether the equation holds: no row is lost on the way."""
        return self.rows_in == self.loaded + self.unchanged + self.quarantined


@dataclass(frozen=True)
class Source:
    """One kind of file of one source. `known_at` is when its latest load was true; `days` is how long ago that is."""

    name: str
    format: str
    loads: int
    known_at: dt.datetime
    days: int
    limit: int
    rows: Rows
    waiting: int
    """Rows that stand in quarantine now; those put right since do not."""

    @property
    def kind(self) -> str:
        """What people call such files."""
        return kind_of(self.format)

    @property
    def late(self) -> int:
        """Days beyond the agreed limit; 0 while it is fresh."""
        return max(0, self.days - self.limit)


def sources(now: dt.datetime, fresh_days: int, aside: Iterable[Aside]) -> list[Source]:
    """Every kind of file that stands, by source and format. `aside`: every row set aside, with what became of it.

    A landing that was compared anew is counted once, as it came.
    """
    waiting = Counter((one.row.load.source, one.row.load.format) for one in aside if not one.since)
    found = (
        Load.objects.filter(_STANDS, again_of=None)
        .values("source", "format")
        .annotate(
            loads=Count("pk"), latest=Max("known_at"), came=Sum("rows_in"), went=Sum("loaded"), same=Sum("unchanged"),
            out=Sum("quarantined"),
        )
        .order_by("source", "format")
    )  # fmt: skip
    return [
        Source(
            name=one["source"],
            format=one["format"],
            loads=one["loads"],
            known_at=one["latest"],
            days=max(0, (now - one["latest"]).days),
            limit=fresh_days,
            rows=Rows(one["came"], one["went"], one["same"], one["out"]),
            waiting=waiting[one["source"], one["format"]],
        )
        for one in found
    ]


@dataclass(frozen=True)
class Stopped:
    """A run found that so many of the partners regularly active at a source fell silent together, about a day."""

    last_on: dt.date
    partners: int
    regulars: int


@dataclass(frozen=True)
class Fresh:
    """One source: its newest export, how many days ago it was true, and what of it is late or has stopped."""

    name: str
    kinds: tuple[str, ...]
    known_at: dt.datetime
    days: int
    late: tuple[Source, ...]
    """Its kinds of files beyond the agreed age, the latest first."""
    stopped: Stopped | None


def freshness(found: Iterable[Source], manifest: Mapping[str, Any]) -> list[Fresh]:
    """Every source; those that stopped by a run first, then those that are late, then by age.

    `manifest` is the run's; one made before it held what stopped says it in its remarks alone.
    """
    by_name: dict[str, list[Source]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append(one)
    stopped = manifest.get("stopped", {})
    fresh = [
        Fresh(
            name=name,
            kinds=tuple(one.kind for one in ones),
            known_at=max(one.known_at for one in ones),
            days=min(one.days for one in ones),
            late=tuple(sorted((one for one in ones if one.late), key=lambda one: -one.late)),
            stopped=_stopped(stopped[name]) if name in stopped else None,
        )
        for name, ones in by_name.items()
    ]
    return sorted(fresh, key=lambda one: (one.stopped is None, not one.late, -one.days, one.name))


def _stopped(said: Mapping[str, Any]) -> Stopped:
    return Stopped(dt.date.fromisoformat(said["last_on"]), said["partners"], said["regulars"])


def kind_of(format_: str) -> str:
    """What people call files of a format: its title without the system, or the name of files that a mapping gives."""
    titles = {file.name: file.title for mapping in shipped() for file in mapping.files}
    return titles.get(format_, "").rpartition(": ")[2] or format_.replace("_", " ")


def together(found: Iterable[Source]) -> Rows:
    """The rows of all of them."""
    rows = [one.rows for one in found]
    return Rows(
        sum(one.rows_in for one in rows), sum(one.loaded for one in rows), sum(one.unchanged for one in rows),
        sum(one.quarantined for one in rows),
    )  # fmt: skip


def loads_of(source: str = "", format_: str = "") -> QuerySet[Load]:
    """Loads, the newest first; those of a source and a kind of file where they are named. Abandoned ones made nothing."""
    found = Load.objects.exclude(state="abandoned").select_related("again_of", "retry_of").order_by("-number")
    found = found.filter(source=source) if source else found
    return found.filter(format=format_) if format_ else found


def since(moved_at: dt.datetime | None) -> int:
    """How many loads came in, or were taken back, since the published run was published."""
    if moved_at is None:
        return Load.objects.filter(_STANDS).count()
    return Load.objects.filter(Q(_STANDS, committed_at__gt=moved_at, loaded__gt=0) | Q(voided_at__gt=moved_at)).count()
