"""Whose rows somebody sees. Every read for a person goes through `visible_to`; nothing else narrows rows by person."""

from django.db.models import Q, QuerySet

from groundswell.core.rights import MANAGER, SEES_ALL
from groundswell.records.runs import PublishedPartner
from groundswell.records.staff import Book, Staff


def visible_to(staff: Staff) -> Q:
    """The published partners that one of our people sees, as a condition on `PublishedPartner`.

    Leaders, operations and administrators see all; a manager the partners of the own book and of the own territory; a
    seller those of the own territory. Who has neither sees none.
    """
    if staff.role in SEES_ALL:
        return Q()
    found = Q(country__in=staff.territory)
    if staff.role == MANAGER:
        found |= Q(partner_id__in=Book.objects.filter(manager=staff).values("partner_id"))
    return found


def mine(staff: Staff, rows: QuerySet[PublishedPartner]) -> QuerySet[PublishedPartner]:
    """Of these published partners those that one of our people sees."""
    return rows.filter(visible_to(staff))
