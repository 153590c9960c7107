"""Mappings: those that are kept with their sources."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from groundswell.runs.kept import checked
from groundswell.web.shell.page import home, page


@page("see data")
def mappings(request: HttpRequest) -> HttpResponse:
    """The kept mappings, and what is wrong with those that cannot be read."""
    kept, faults = checked(home().path)
    return render(request, "data/mappings.html", {"mappings": kept, "faults": faults})
