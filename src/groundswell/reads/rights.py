"""Whose rows somebody sees. Every read for a person goes through `visible_to`; nothing else narrows rows by person."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from groundswell.core.rights import MANAGER, SEES_ALL
from groundswell.records.runs import PublishedPartner
from groundswell.records.staff import Book, Staff


@dataclass(frozen=True)
class Sight:
    """What decides whose rows somebody sees. People of one sight see the same rows, as long as no book changes."""

    all: bool
    territory: tuple[str, ...] = ()
    """Countries, ISO 3166 alpha-2."""
    book_of: int | None = None
    """Key of the manager whose book it is."""


def sight(staff: Staff) -> Sight:
    """What somebody sees by role, territory and book."""
    if staff.role in SEES_ALL:
        return Sight(all=True)
    return Sight(False, tuple(staff.territory), staff.pk if staff.role == MANAGER else None)


def visible_to(staff: Staff) -> Q:
    """The published partners that one of our people sees, as a condition on `PublishedPartner`.

    Leaders, operations and administrators see all; a manager the partners of the own book and of the own territory; a
    seller those of the own territory. Who has neither sees none.
    """
    seen = sight(staff)
    if seen.all:
        return Q()
    found = Q(country__in=seen.territory)
    if seen.book_of is not None:
        found |= Q(partner_id__in=Book.objects.filter(manager_id=seen.book_of).values("partner_id"))
    return found


def mine(staff: Staff, rows: QuerySet[PublishedPartner]) -> QuerySet[PublishedPartner]:
    """Of these published partners those that one of our people sees."""
    return rows.filter(visible_to(staff))
