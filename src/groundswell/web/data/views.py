"""Sources, quarantine, mappings and jobs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from groundswell.records.jobs import Job
from groundswell.web.shell.page import page


@page("see data")
def sources(request: HttpRequest) -> HttpResponse:
    """Every source with its loads."""
    return render(request, "data/sources.html")


@page("see data")
def quarantine(request: HttpRequest) -> HttpResponse:
    """The rows that were set aside."""
    return render(request, "data/sources.html")


@page("see data")
def mappings(request: HttpRequest) -> HttpResponse:
    """The mappings in force."""
    return render(request, "data/sources.html")


@page("see data")
def jobs(request: HttpRequest) -> HttpResponse:
    """The work that was asked for."""
    return render(request, "data/sources.html", {"jobs": Job.objects.all()[:50]})
