"""One's own: password, second factor, sessions, theme; and the way in by an invitation."""

import datetime as dt

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from groundswell.actions.act import Actor
from groundswell.actions.staff import CannotInvite, accept, invited
from groundswell.web.shell.frame import THEMES
from groundswell.web.shell.page import home, page, public

_YEAR = 365 * 24 * 3600


@page("see partners")
def account(request: HttpRequest) -> HttpResponse:
    """Who one is here, and where to change how one signs in."""
    return render(request, "account/account.html")


@public
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the system has it: a cookie of this browser."""
    back = request.headers.get("Referer", "/")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()})
    answer: HttpResponse = HttpResponseRedirect(back if safe else "/")
    if (chosen := request.POST.get("theme", "")) in THEMES:
        answer.set_cookie("theme", chosen, max_age=_YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    return answer


class _Come(forms.Form):
    password = forms.CharField(
        label="Your password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters, and no common one. A second factor is asked for after the first sign-in.",
    )


@public
def not_there(request: HttpRequest, key: str = "") -> HttpResponse:
    """Nothing, where the library has pages to change one's address: the trail names people by theirs.

    Whoever has another address is invited anew.
    """
    raise Http404(key)


@public
def invitation(request: HttpRequest, word: str) -> HttpResponse:
    """Come in by the link of an invitation, with a password of one's own."""
    now = dt.datetime.now(dt.UTC)
    form = _Come(request.POST or None)
    try:
        staff = invited(word, now)
        if request.method == "POST" and form.is_valid():
            accept(Actor(home().path, staff, now), word, form.cleaned_data["password"])
            return redirect("account_login")
    except CannotInvite as error:
        return render(request, "account/not_invited.html", {"why": str(error)}, status=404)
    except ValidationError as error:
        form.add_error("password", error)
    return render(
        request, "account/invitation.html", {"form": form, "staff": staff}, status=422 if form.errors else 200
    )
