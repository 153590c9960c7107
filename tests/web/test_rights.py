"""Every address by every role, with rows of one's own and of others: generated from the URLs, so that none is forgotten."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from groundswell.core.rights import ROLES, VERBS, may
from groundswell.engine.home import Home
from groundswell.records.runs import Published, PublishedPartner
from groundswell.records.staff import Book, Staff
from tests.web.routes import OURS, ROUTES, Route, addresses

SignedIn = Callable[[str], Client]
CANARY = "Kanarienvogel"
OWN = [name for name, route in ROUTES.items() if not route.public]


def _own(pattern: URLPattern) -> bool:
    return pattern.callback.__module__.startswith(OURS)


def test_every_address_of_ours_has_a_row_and_every_row_an_address() -> None:
    named = {pattern.name for pattern in addresses() if _own(pattern)}
    assert named == set(ROUTES)


def test_rows_and_declared_verbs_say_the_same() -> None:
    for pattern in addresses():
        if _own(pattern):
            right = vars(pattern.callback)["right"]
            roles = set(ROLES) if right is None else {role for role in ROLES if may(role, right)}
            assert roles == set(ROUTES[str(pattern.name)].roles), pattern.name


def test_a_verb_that_no_role_has_or_nobody_declared_opens_nothing() -> None:
    assert all(roles and roles <= set(ROLES) for roles in VERBS.values())
    with pytest.raises(KeyError):
        may("leader", "rule the world")


def _address(name: str, route: Route, partner: PublishedPartner | None = None) -> str:
    given: dict[str, Any] = dict(route.others)
    if route.partner:
        assert partner is not None
        given[route.partner] = partner.partner_id
    return reverse(name, kwargs=given)


def _asked(browser: Client, name: str, route: Route, partner: PublishedPartner | None = None) -> Any:
    address = _address(name, route, partner)
    return browser.post(address) if route.acts else browser.get(address)


def _partner_of(role: str) -> PublishedPartner:
    rows = Published.current().partners  # type: ignore[union-attr]
    if role == "manager":
        return rows.filter(partner_id__in=Book.objects.values("partner_id")).first()
    territory = Staff.objects.get(role=role).territory
    return (rows.filter(country__in=territory) if territory else rows.all()).first()


def _foreign_to(role: str) -> PublishedPartner:
    staff = Staff.objects.get(role=role)
    rows = Published.current().partners.exclude(country__in=staff.territory)  # type: ignore[union-attr]
    return rows.exclude(partner_id__in=Book.objects.filter(manager=staff).values("partner_id")).last()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_is_its_own_and_no_more(role: str, signed_in: SignedIn) -> None:
    browser = signed_in(role)
    mine = _partner_of(role)
    for name in OWN:
        route = ROUTES[name]
        answer = _asked(browser, name, route, mine)
        if role not in route.roles:
            assert answer.status_code == 403, name
        else:
            assert answer.status_code in ((200, 302, 400, 404, 422) if route.acts or route.others else (200, 302)), name


@pytest.mark.parametrize("role", ["manager", "seller"])
def test_what_is_somebody_elses_answers_as_what_is_not_there(role: str, signed_in: SignedIn) -> None:
    browser = signed_in(role)
    foreign = _foreign_to(role)
    absent = PublishedPartner(partner_id="o_" + "0" * 26)
    about = [name for name in OWN if ROUTES[name].partner and role in ROUTES[name].roles]
    assert about
    for name in about:
        theirs, nowhere = (_asked(browser, name, ROUTES[name], one) for one in (foreign, absent))
        assert (theirs.status_code, nowhere.status_code) == (404, 404), name
        assert _without_tokens(theirs.content) == _without_tokens(nowhere.content), name


def _without_tokens(content: bytes) -> str:
    return re.sub(r'(X-CSRFToken": "|csrfmiddlewaretoken" value=")[A-Za-z0-9]+', r"\1", content.decode())


def test_nobody_gets_in_without_signing_in(instance: Home) -> None:
    browser, anyone = Client(SERVER_NAME="127.0.0.1"), PublishedPartner(partner_id="o_1")
    for name in OWN:
        answer = _asked(browser, name, ROUTES[name], anyone)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/account/login/"), name
        part = browser.get(_address(name, ROUTES[name], anyone), headers={"HX-Request": "true"})
        assert (part.status_code, "/account/login/" in part.headers["HX-Redirect"]) == (401, True), name


def test_every_unsafe_method_takes_a_token(instance: Home) -> None:
    for role in ROLES:
        browser = Client(SERVER_NAME="127.0.0.1", enforce_csrf_checks=True)
        browser.force_login(Staff.objects.get(role=role), backend="allauth.account.auth_backends.AuthenticationBackend")
        for pattern in addresses():
            address = _any_address(pattern)
            for method in ("post", "put", "patch", "delete"):
                assert getattr(browser, method)(address).status_code in (403, 405), (role, method, address)


EXEMPT = {"saml_acs", "saml_sls"}
"""Where a provider posts to: what it brings is signed by it. There is none unless site.json names one."""


def _any_address(pattern: URLPattern) -> str:
    if pattern.name is None or pattern.name in EXEMPT:
        return "/account/login/"
    [[_, names]] = get_resolver().reverse_dict.getlist(pattern.name)[0][0]
    return reverse(pattern.name, kwargs=dict.fromkeys(names, "1"))


def test_opening_pages_changes_nothing(signed_in: SignedIn, instance: Home) -> None:
    browser = signed_in("administrator")
    mine = _partner_of("administrator")
    browser.get("/overview/")
    before = _records()
    for name in OWN:
        if not ROUTES[name].acts:
            browser.get(_address(name, ROUTES[name], mine))
            browser.head(_address(name, ROUTES[name], mine))
    assert _records() == before


def _records() -> dict[str, list[tuple[Any, ...]]]:
    from django.apps import apps

    return {
        model._meta.db_table: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_app_config("records").get_models()
    }


@pytest.mark.parametrize("role", ["manager", "seller"])
def test_no_text_of_a_partner_that_is_not_ones_own_is_found_anywhere(role: str, signed_in: SignedIn) -> None:
    """Every page that they reach by links, from the start and from every list."""
    staff = Staff.objects.get(role=role)
    rows = Published.current().partners.exclude(country__in=staff.territory)  # type: ignore[union-attr]
    theirs = rows.exclude(partner_id__in=Book.objects.filter(manager=staff).values("partner_id"))
    assert theirs
    for row in theirs:
        result = {**row.result, "name": f"{CANARY} {row.rank}"}
        PublishedPartner.objects.filter(pk=row.pk).update(name=f"{CANARY} {row.rank}", result=result)
    canary = re.compile(f"{CANARY} [0-9]")  # the word alone is also what was searched for
    seen = _crawled(signed_in(role), "/")
    assert len(seen) > 5
    assert [address for address, text in seen.items() if canary.search(text)] == []
    assert any(canary.search(text) for text in _crawled(signed_in("leader"), "/").values())


_MOST = 120


def _crawled(browser: Client, start: str) -> dict[str, str]:
    waiting, seen = [start, "/find/?q=a", f"/find/?q={CANARY}"], {}
    while waiting and len(seen) < _MOST:
        address = waiting.pop(0)
        if address in seen:
            continue
        answer = browser.get(address, follow=True)
        text = (
            b"".join(answer.streaming_content).decode("utf-8", "replace")
            if answer.streaming
            else answer.content.decode()
        )
        seen[address] = text
        for link in re.findall(r'(?:href|hx-get)="(/[^"#]*|\?[^"]*)"', text):
            found = html.unescape(link)
            waiting.append(address.split("?")[0] + found if found.startswith("?") else found)
    return seen


def test_headers_stand_on_every_answer_errors_too(signed_in: SignedIn) -> None:
    browser = signed_in("seller")
    for address in ("/partners/", "/people/", "/nowhere/", "/account/login/", "/static/nothing.css"):
        answer = browser.get(address)
        policy = answer.headers["Content-Security-Policy"]
        for said in (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ):
            assert said in policy, address
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] in (
            "no-store",
            "max-age=0, no-cache, no-store, must-revalidate, private",
        )


def test_a_host_that_is_not_ours_and_a_way_back_elsewhere_are_refused(instance: Home) -> None:
    assert Client(SERVER_NAME="evil.example").get("/account/login/").status_code == 400
    browser = Client(SERVER_NAME="127.0.0.1")
    answer = browser.post("/theme/", {"theme": "dark"}, headers={"Referer": "https://evil.example/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert answer.cookies["theme"]["httponly"]
    staff = Staff.objects.get(role="leader")
    staff.set_password("a long enough word")
    staff.save()
    said = {"login": staff.email, "password": "a long enough word", "next": "https://evil.example/"}
    assert browser.post("/account/login/", said).headers["Location"] == "/"


def test_pages_need_a_second_factor_where_the_data_are_real(signed_in: SignedIn) -> None:
    browser = signed_in("leader")
    settings.DEMO = False
    assert browser.get("/overview/").headers["Location"] == reverse("mfa_index")
    assert browser.get(reverse("mfa_index")).status_code == 200
