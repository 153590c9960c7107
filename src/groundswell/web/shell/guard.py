"""What holds for every answer: pages that nobody declared open are closed, and nobody keeps a copy of what is private."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

_OUTSIDE = ("allauth.",)
"""Views of libraries that guard themselves."""
_WITHOUT_FACTOR = ("account_", "mfa_", "usersessions_")
"""Names of pages that people without a second factor can open: those on which they get one."""


class Headers:
    """Middleware around everything, files included: headers that no answer goes without."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer with its headers; nobody keeps a copy, unless the answer itself says who may."""
        answer = self.get_response(request)
        answer["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        answer["Cross-Origin-Resource-Policy"] = "same-origin"
        if "Cache-Control" not in answer:
            answer["Cache-Control"] = "no-store"
        return answer


class Guard:
    """Middleware around every view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer of the view."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Refuse what nobody declared; lead who has no second factor yet to where one is set up."""
        outside = view.__module__.startswith(_OUTSIDE)
        if not outside and not hasattr(view, "right"):
            raise PermissionDenied("This page says of nobody that they may open it.")
        if request.user.is_authenticated and not request.user.is_active:
            logout(request)  # whoever was let go is out at once, whatever sessions they have
        name = request.resolver_match.view_name if request.resolver_match else ""
        signed_in = request.user.is_authenticated
        if not signed_in or settings.DEMO or name.startswith(_WITHOUT_FACTOR) or getattr(view, "right", "") is None:
            return None
        from allauth.mfa.utils import is_mfa_enabled  # its models are there only once the apps are

        return None if is_mfa_enabled(request.user) else redirect(reverse("mfa_index"))
