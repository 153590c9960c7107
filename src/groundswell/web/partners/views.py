"""The list of partners."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from groundswell.reads.partners import published, standing_of
from groundswell.reads.rights import mine
from groundswell.web.shell.page import page, staff


@page("see partners")
def partners(request: HttpRequest) -> HttpResponse:
    """The partners that this person sees."""
    rows = [standing_of(row) for row in mine(staff(request), published().partners.all())[:50]]
    return render(request, "partners/partners.html", {"rows": rows})
