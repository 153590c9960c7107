"""Who may open a page. A view without `page` or `public` is refused: nothing is open because it was forgotten."""

import datetime as dt
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

import rules
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from groundswell.actions.act import Actor, NotAllowed
from groundswell.core.rights import VERBS, may
from groundswell.engine.home import Home
from groundswell.policy.read import BadPolicy
from groundswell.reads.partners import NothingPublished
from groundswell.reads.sheets import DoesNotFit
from groundswell.records.loads import Load
from groundswell.records.staff import Staff
from groundswell.web.shell.errors import said

View = Callable[..., HttpResponseBase]


def _has_role(verb: str, one: Staff) -> bool:
    return may(one.role, verb)


for _verb in VERBS:
    rules.add_perm(_verb, rules.predicate(partial(_has_role, _verb)))


def allowed(one: Staff, verb: str) -> bool:
    """Whether one of our people may do that."""
    return bool(rules.has_perm(verb, one))


def page(right: str) -> Callable[[View], View]:
    """A page that takes a verb of core.rights: whoever is not signed in signs in first, other roles are refused."""
    if right not in VERBS:
        raise ValueError(f"no verb '{right}' in core.rights")

    def guarded(view: View) -> View:
        @wraps(view)
        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            if not allowed(staff(request), right):
                roles = " and ".join(sorted(VERBS[right]))
                raise PermissionDenied(f"To {right} is for {roles}.")
            try:
                return view(request, *args, **kwargs)
            except NotAllowed as error:
                raise PermissionDenied(str(error)) from error
            except NothingPublished:
                return _nothing(request)
            except BadPolicy as error:
                return said(request, 500, "The policy of this instance has a fault", f"{error}. Tell whoever keeps it.")
            except DoesNotFit as error:
                return said(request, 422, "This does not fit into that form", str(error))

        vars(opened)["right"] = right
        return opened

    return guarded


def public(view: View) -> View:
    """A page that anybody opens, signed in or not."""
    vars(view)["right"] = None
    return view


def _nothing(request: HttpRequest) -> HttpResponseBase:
    """A page of the published run where there is none: what fills it, for whoever asks."""
    one = staff(request)
    said = {
        "loaded": Load.objects.filter(state="committed", voided_at=None).exists(),
        "loads": allowed(one, "take in data"),
        "assesses": allowed(one, "assess"),
    }
    return render(request, "shell/nothing.html", said)


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    """The way to sign in: for a part of a page, which cannot show it, the address to go to."""
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=401)
        answer["HX-Redirect"] = redirect_to_login(request.headers.get("HX-Current-URL", "/")).url
        return answer
    return redirect_to_login(request.get_full_path())


def staff(request: HttpRequest) -> Staff:
    """Who asks: a page that is open has one."""
    return cast(Staff, request.user)


def asked_number(request: HttpRequest, name: str) -> int | None:
    """The whole number that a question of the address names; None for anything else, and for more digits than a row has."""
    said = request.GET.get(name, "")
    return int(said) if said.isdecimal() and len(said) < 19 else None


def home() -> Home:
    """The instance that this process serves."""
    return Home(settings.HOME)


def actor(request: HttpRequest) -> Actor:
    """Who acts, now."""
    return actor_of(staff(request))


def actor_of(one: Staff) -> Actor:
    """One of our people, acting now."""
    return Actor(home().path, one, dt.datetime.now(dt.UTC))
