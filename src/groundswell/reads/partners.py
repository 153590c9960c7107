"""Partners of the published run: the ranked list, and one partner found by what people call it."""

import datetime as dt
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from django.db.models import Q

from groundswell.core.reason import next_act
from groundswell.core.tables.identity import plain_name
from groundswell.reads.rights import mine
from groundswell.records.loads import Load
from groundswell.records.runs import Published, PublishedPartner, Run
from groundswell.records.staff import Staff


class NothingPublished(Exception):  # noqa: N818 - what happened, in the glossary's words
    """No run has been published yet."""


class Ambiguous(Exception):  # noqa: N818 - what happened, in the glossary's words
    """A name that several partners bear; the message lists them."""


class Unknown(Exception):  # noqa: N818 - what happened, in the glossary's words
    """No partner of the published run is called so."""


@dataclass(frozen=True)
class Standing:
    """One partner in the ranked list. Figures are exact; rounding is for display."""

    rank: int
    partner_id: str
    name: str
    external_id: str
    source: str
    total: Fraction | None
    low: Fraction
    high: Fraction
    coverage: Fraction
    state: str
    band: str
    result: dict[str, Any]

    @property
    def next_act(self) -> str:
        """What would help it most: of the gaps that are known, or else what to find out."""
        return next_act(self.result)

    @property
    def strongest(self) -> tuple[str, ...]:
        """The two signals that give it most points, in words; of one that is below its bounds, that it stays for now."""
        standing = self.result["standing"]
        if standing["segment"] and not standing["rule"]:
            return ("stays for now, outside its bounds",)
        lines = sorted(self.result["readiness"]["lines"], key=lambda line: -Fraction(line["contribution"]))
        return tuple(line["signal"].replace("_", " ") for line in lines[:2])


@dataclass(frozen=True)
class Ranked:
    """The ranked list of a run, and what the run could not say."""

    run_id: str
    as_of: dt.date
    partners: tuple[Standing, ...]
    manifest: dict[str, Any]


def published() -> Run:
    """The published run. Raises NothingPublished."""
    return _pointer().run


def _pointer() -> Published:
    pointer = Published.pointer()
    if pointer is None:
        raise NothingPublished("nothing is published yet. Take in a file, then run: groundswell assess")
    return pointer


def ranked_partners(limit: int | None = None, segment: str | None = None) -> Ranked:
    """The partners of the published run, best first; all of them without a limit. `segment` "": those not placed."""
    run = published()
    rows = run.partners.all() if segment is None else run.partners.filter(result__standing__segment=segment)
    return Ranked(run.run_id, run.as_of, tuple(standing_of(row) for row in rows[:limit]), run.manifest)


def since(policy_version: str, found: Ranked) -> list[str]:
    """What has changed since the published run, so that nobody takes an old list for today's."""
    moved_at = _pointer().moved_at
    loaded = Load.objects.filter(state="committed", loaded__gt=0, committed_at__gt=moved_at)
    said = []
    if policy_version != found.manifest["policy_version"]:
        said.append("The policy has changed since this run. Run: groundswell assess\n")
    if loaded.exists() or Load.objects.filter(voided_at__gt=moved_at).exists():
        said.append("Data have been loaded or reverted since this run. Run: groundswell assess\n")
    return said


_LISTED = 20
"""Partners that are listed where several bear a name."""
_OFFERED = 3
"""Names that are offered where none is the one that was asked for."""


def partner(called: str) -> Standing:
    """The partner of the published run with that id, source id or name.

    A name is found in any case and without its accents, by a part of it where none is the whole. Raises Ambiguous,
    Unknown, NothingPublished.
    """
    rows = published().partners
    wanted, names = plain_name(called), list[tuple[int, str, str]]()
    found = list(rows.filter(Q(partner_id=called) | Q(external_id=called)).values_list("pk", flat=True))
    found = found or list(rows.filter(name=called).values_list("pk", flat=True))
    if not found:
        names = [(pk, plain_name(name), name) for pk, name in rows.values_list("pk", "name")]
        found = [pk for pk, plain, _ in names if plain == wanted]
        found = found or [pk for pk, plain, _ in names if wanted and wanted in plain]
    named = list(rows.filter(pk__in=found[:_LISTED]))
    if len(found) > 1:
        said = "\n".join(f"  {row.partner_id}  {row.name}  ({row.source} {row.external_id})" for row in named)
        more = f"\n  and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise Ambiguous(f"'{called}' is the name of {len(found)} partners. Name one by its id:\n{said}{more}")
    if not named:
        close = get_close_matches(wanted, [plain for _, plain, _ in names], _OFFERED)
        alike = [name for near in dict.fromkeys(close) for _, plain, name in names if plain == near][:_OFFERED]
        meant = f" Did you mean {' or '.join(repr(name) for name in alike)}?" if alike else ""
        raise Unknown(f"no partner of the published run is called '{called}'.{meant} See: groundswell partners")
    return standing_of(named[0])


def named_like(staff: Staff, text: str, at_most: int) -> list[PublishedPartner]:
    """Partners that somebody sees whose name has that text, those that begin with it first. Raises NothingPublished."""
    rows = mine(staff, published().partners.filter(name__icontains=text))
    begins = list(rows.filter(name__istartswith=text)[:at_most])
    return [*begins, *rows.exclude(name__istartswith=text)[: at_most - len(begins)]]


def standing_of(row: PublishedPartner) -> Standing:
    """A published row as it is read."""
    said = row.result["readiness"]
    return Standing(
        rank=row.rank,
        partner_id=row.partner_id,
        name=row.name,
        external_id=row.external_id,
        source=row.source,
        total=Fraction(said["total"]) if said["total"] is not None else None,
        low=Fraction(said["low"]),
        high=Fraction(said["high"]),
        coverage=Fraction(said["coverage"]),
        state=said["state"],
        band=said["band"],
        result=row.result,
    )
