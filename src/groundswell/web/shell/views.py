"""What any page leads to: finding a screen or a partner."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from groundswell.reads.partners import NothingPublished, named_like
from groundswell.web.shell.frame import ways
from groundswell.web.shell.page import page, staff

_AT_MOST = 8
_LONGEST = 100
"""Characters of what is looked for: as many as a filter of the list takes."""


@page("see partners")
def find(request: HttpRequest) -> HttpResponse:
    """Screens and partners whose name has what was typed."""
    asked = request.GET.get("q", "").strip()[:_LONGEST]
    screens = [way for way in ways(request) if asked.lower() in way["way"].word.lower()]
    try:
        partners = named_like(staff(request), asked, _AT_MOST) if asked else []
    except NothingPublished:
        partners = []
    return render(request, "shell/found.html", {"screens": screens, "partners": partners, "asked": asked})
