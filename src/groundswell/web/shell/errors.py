"""What is said where a page is not: no trace, what was kept, a way back."""

import logging
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_log = logging.getLogger("groundswell.web")


def said(request: HttpRequest, status: int, head: str, text: str) -> HttpResponse:
    """A page that says what is not, and a way back."""
    return render(request, "shell/error.html", {"head": head, "text": text}, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Absent, or somebody else's: the same words, so that nobody learns which."""
    return said(request, 404, "There is nothing here", "The address is mistyped, or what it named is not yours to see.")


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An act that one's role does not have, with who may."""
    return said(request, 403, "Not for your role", str(exception) or "Ask an administrator.")


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from our pages, or from one left open for long."""
    return said(request, 403, "This form is too old", "Nothing was changed. Open the page again and repeat it.")


def bad(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that cannot be read."""
    return said(request, 400, "This request cannot be read", "Nothing was changed.")


def broken(request: HttpRequest, *args: Any) -> HttpResponse:
    """Something failed: an id to tell us, none of the trace."""
    number = secrets.token_hex(4)
    _log.error("page failed, %s", number)
    return said(
        request, 500, "Something failed here", f"What was accepted before is kept. Tell an administrator: {number}."
    )
