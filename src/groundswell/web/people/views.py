"""Our own people: who is let in, what they may do, which countries are theirs."""

from collections.abc import Callable

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from groundswell.actions.act import NotAllowed
from groundswell.actions.staff import CannotInvite, change, invite
from groundswell.core.rights import ROLES
from groundswell.records.staff import Staff
from groundswell.web.shell.page import View, actor, page

_asks_again: Callable[[View], View] = reauthentication_required(app="groundswell.people")
"""Rights are given by somebody who has said the password in the last minutes, not by whoever sits at an open page."""


class _Rights(forms.Form):
    role = forms.ChoiceField(choices=[(role, role) for role in ROLES])
    territory = forms.RegexField(
        r"^\s*([A-Za-z]{2}(\s*,\s*[A-Za-z]{2})*)?\s*$",
        required=False,
        help_text="countries, as in DE, AT",
        error_messages={"invalid": "Write countries as two letters each, as in DE, AT."},
    )

    def clean_territory(self) -> list[str]:
        """The countries, in capitals."""
        return sorted({one.strip().upper() for one in self.cleaned_data["territory"].split(",") if one.strip()})


class _Invited(_Rights):
    email = forms.EmailField(label="E-mail")
    name = forms.CharField(max_length=200)
    field_order = ("email", "name", "role", "territory")


@page("see people")
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who is or was let in, and a form to invite."""
    return _shown(request, _Invited())


def _shown(request: HttpRequest, form: forms.Form, status: int = 200, link: str = "") -> HttpResponse:
    said = {
        "people": Staff.objects.select_related("invitation").order_by("name"),
        "form": form,
        "roles": ROLES,
        "link": link,
    }
    return render(request, "people/people.html", said, status=status)


@page("invite people")
@_asks_again
@require_POST
def invited(request: HttpRequest) -> HttpResponse:
    """Invite somebody: the link is shown once, and is nowhere kept."""
    form = _Invited(request.POST)
    if not form.is_valid():
        return _shown(request, form, 422)
    said = form.cleaned_data
    try:
        word = invite(actor(request), said["email"], said["name"], said["role"], said["territory"])
    except CannotInvite as error:
        form.add_error("email", str(error))
        return _shown(request, form, 422)
    return _shown(request, _Invited(), link=request.build_absolute_uri(reverse("invitation", args=[word])))


@page("invite people")
@_asks_again
@require_POST
def changed(request: HttpRequest, number: int) -> HttpResponse:
    """Change somebody's role and territory, or let them go."""
    one = get_object_or_404(Staff, pk=number)
    form = _Rights(request.POST)
    if not form.is_valid():
        messages.error(
            request,
            f"{one}: {' '.join(str(text) for texts in form.errors.values() for text in texts)}",
            extra_tags="risk",
        )
        return redirect("people")
    try:
        change(actor(request), one, form.cleaned_data["role"], form.cleaned_data["territory"], "active" in request.POST)
    except NotAllowed as error:
        messages.error(request, str(error), extra_tags="risk")
    else:
        messages.success(request, f"{one} is {one.role}{'' if one.is_active else ', and cannot sign in any more'}.")
    return redirect("people")
