"""Who did what, and whether the trail is whole."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from groundswell.actions.act import heads
from groundswell.engine.secrets import Secrets
from groundswell.reads.trail import verify
from groundswell.records.trail import Entry
from groundswell.web.shell.page import home, page

_PAGE = 50


@page("read the trail")
def trail(request: HttpRequest) -> HttpResponse:
    """The entries, the newest first; with ?verify the whole chain is worked out anew."""
    said: dict[str, Any] = {
        "entries": Paginator(Entry.objects.order_by("-number"), _PAGE).get_page(request.GET.get("page"))
    }
    if "verify" in request.GET:
        path = home().path
        said["verified"] = verify(Secrets.of(path).trail, heads(path))
    return render(request, "trail/trail.html", said)
