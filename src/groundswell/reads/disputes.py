"""Disputes, as those see them who see the partner."""

from django.db.models import Case, QuerySet, Value, When

from groundswell.reads.partners import published
from groundswell.reads.rights import mine
from groundswell.records.disputes import Dispute
from groundswell.records.staff import Staff


def disputes_for(staff: Staff) -> QuerySet[Dispute]:
    """Disputes about partners that somebody sees, or that are one's own; open ones first, then the newest.

    Raises NothingPublished.
    """
    seen = mine(staff, published().partners.order_by()).values("partner_id")
    found = Dispute.objects.filter(partner_id__in=seen) | Dispute.objects.filter(asked_by=staff)
    opened = Case(When(verdict="", then=Value(0)), default=Value(1))
    return found.select_related("asked_by", "answered_by").order_by(opened, "-asked_at")


def disputes_about(partner_id: str) -> QuerySet[Dispute]:
    """Disputes about one partner, which whoever asks must see; the newest first."""
    return Dispute.objects.filter(partner_id=partner_id).select_related("asked_by", "answered_by")
