"""One partner."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from groundswell.reads.partners import published, standing_of
from groundswell.reads.rights import mine
from groundswell.web.shell.page import page, staff


@page("see partners")
def partner(request: HttpRequest, partner_id: str) -> HttpResponse:
    """One partner that this person sees."""
    row = get_object_or_404(mine(staff(request), published().partners.all()), partner_id=partner_id)
    return render(request, "partner/partner.html", {"one": standing_of(row)})
