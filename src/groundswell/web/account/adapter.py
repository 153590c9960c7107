"""How sign-in behaves here: nobody lets himself in, and one who comes from outside must have been invited."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest
from django.shortcuts import render

from groundswell.records.staff import Staff


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts: by invitation only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an administrator invites."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: pages say what happened themselves."""


class Outside(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Sign-in by OIDC or SAML. A person is known by the provider's subject; the first time, by an open invitation."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never: whoever comes must be one of us."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Join a first sign-in to the invited person of the same verified address; nobody else gets in by an address.

        Somebody who has joined already is found by the subject alone: an address claimed elsewhere opens no account.
        """
        if sociallogin.is_existing:
            return
        verified = {address.email.lower() for address in sociallogin.email_addresses if address.verified}
        staff = Staff.objects.filter(
            email__in=verified, joined_at=None, is_active=True, invitation__isnull=False
        ).first()
        if staff is None:
            raise ImmediateHttpResponse(render(request, "account/not_invited.html", status=403))
        from groundswell.actions.staff import accept_from_outside
        from groundswell.web.shell.page import actor_of

        accept_from_outside(actor_of(staff), staff)
        sociallogin.connect(request, staff)
