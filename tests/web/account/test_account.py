"""Signing in: by invitation, with a password that cannot be guessed at, a second factor, sessions that one can end."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.cache import cache
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from groundswell.actions.act import Actor
from groundswell.actions.staff import invite
from groundswell.engine.home import Home
from groundswell.records.staff import Staff
from groundswell.records.trail import Entry
from groundswell.web.account.adapter import Outside

PASSWORD = "nine green elephants"  # noqa: S105
SignedIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _nothing_counted_yet(instance: Home) -> None:
    cache.clear()


def browser() -> Client:
    return Client(SERVER_NAME="127.0.0.1")


def with_password(role: str) -> Staff:
    staff = Staff.objects.get(role=role)
    staff.set_password(PASSWORD)
    staff.save()
    return staff


def sign_in(one: Client, email: str, password: str) -> Any:
    return one.post("/account/login/", {"login": email, "password": password})


def word(home: Home, email: str, role: str) -> str:
    return invite(Actor(home.path, None, dt.datetime.now(dt.UTC)), email, email, role)


def test_a_link_a_password_and_one_is_in(instance: Home) -> None:
    address = reverse("invitation", args=[word(instance, "new@larkfield.example", "manager")])
    one = browser()
    assert "invited as manager" in one.get(address).content.decode()
    weak = one.post(address, {"password": "password123"})
    assert (weak.status_code, "too" in weak.content.decode()) == (422, True)
    assert one.post(address, {"password": PASSWORD}).headers["Location"] == "/account/login/"
    assert one.post(address, {"password": PASSWORD}).status_code == 404
    assert sign_in(one, "new@larkfield.example", PASSWORD).headers["Location"] == "/"
    assert one.get("/overview/").status_code == 200


def test_nobody_lets_himself_in(instance: Home) -> None:
    before = Staff.objects.count()
    said = {"email": "me@evil.example", "password1": PASSWORD, "password2": PASSWORD}
    browser().post("/account/signup/", said)
    assert Staff.objects.count() == before


def test_whoever_was_let_go_cannot_sign_in_and_is_out_at_once(signed_in: SignedIn) -> None:
    staff, one = with_password("leader"), browser()
    sign_in(one, staff.email, PASSWORD)
    assert one.get("/overview/").status_code == 200
    with_password("administrator")
    administrator = signed_in("administrator")
    let_go = (reverse("person-changed", args=[staff.pk]), {"role": "leader", "territory": ""})
    assert administrator.post(*let_go).headers["Location"].startswith("/account/reauthenticate/")
    assert one.get("/overview/").status_code == 200
    administrator.post("/account/reauthenticate/", {"password": PASSWORD})
    assert administrator.post(*let_go).headers["Location"] == "/people/"
    assert one.get("/overview/").status_code == 302
    assert "/account/inactive" in sign_in(browser(), staff.email, PASSWORD).headers["Location"]


def test_a_password_is_guessed_ten_times_and_no_more_whoever_it_is(instance: Home) -> None:
    staff = with_password("leader")
    answers: dict[str, list[str]] = {}
    for email in (staff.email, "nobody@larkfield.example"):
        one = browser()
        for _ in range(11):
            found = sign_in(one, email, "wrong words every time").content.decode()
            answers.setdefault(email, []).append(re.sub(r'value="[^"]*"|"X-CSRFToken": "\w+"', "", found))
    assert answers[staff.email] == answers["nobody@larkfield.example"]
    assert answers[staff.email][9] != answers[staff.email][10]
    assert sign_in(browser(), staff.email, PASSWORD).status_code == 200  # the right one too, until the time is over


def test_a_second_factor_is_set_up_and_then_asked_for(instance: Home) -> None:
    staff, one = with_password("leader"), browser()
    sign_in(one, staff.email, PASSWORD)
    assert one.get(reverse("mfa_activate_totp")).status_code == 302
    one.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    one.get(reverse("mfa_activate_totp"))
    secret = one.session["mfa.totp.secret"]
    code = _code(secret)
    assert one.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 302
    other = browser()
    assert sign_in(other, staff.email, PASSWORD).headers["Location"] == reverse("mfa_authenticate")
    assert other.get("/overview/").status_code == 302
    assert other.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert other.get("/overview/").status_code == 302


def _code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


def test_ones_sessions_are_listed_and_ended(instance: Home) -> None:
    staff = with_password("manager")
    here, elsewhere = browser(), browser()
    for one in (here, elsewhere):
        sign_in(one, staff.email, PASSWORD)
        assert one.get("/partners/").status_code == 200
    assert here.get(reverse("usersessions_list")).content.decode().count("127.0.0.1") >= 2
    here.post(reverse("usersessions_list"))
    assert elsewhere.get("/partners/").status_code == 302
    assert here.get("/partners/").status_code == 200


def test_a_new_session_stands_after_signing_in_and_none_after_signing_out(instance: Home) -> None:
    staff, one = with_password("leader"), browser()
    one.get("/account/login/")
    before = one.session.session_key
    sign_in(one, staff.email, PASSWORD)
    key = one.session.session_key
    assert key != before
    one.post("/account/logout/")
    thief = browser()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert thief.get("/overview/").status_code == 302


def test_another_password_ends_the_other_sessions(instance: Home) -> None:
    staff = with_password("leader")
    here, elsewhere = browser(), browser()
    for one in (here, elsewhere):
        sign_in(one, staff.email, PASSWORD)
    staff.refresh_from_db()
    staff.set_password("another long password")
    staff.save()
    assert elsewhere.get("/overview/").status_code == 302


# ------------------------------------------------------------------------------------------------- from outside


@pytest.fixture
def _provider() -> Iterator[None]:
    app = {"provider_id": "example", "name": "Example", "client_id": "c", "secret": "s",
           "settings": {"server_url": "https://id.example"}}  # fmt: skip
    with override_settings(SOCIALACCOUNT_PROVIDERS={"openid_connect": {"APPS": [app]}}):
        yield


def _comes(email: str, *, verified: bool, uid: str = "subject-1") -> tuple[Any, SocialLogin]:
    request = RequestFactory().get("/account/oidc/example/login/callback/", SERVER_NAME="127.0.0.1")
    for middleware in (SessionMiddleware, MessageMiddleware):
        middleware(lambda _: None).process_request(request)  # type: ignore[arg-type, return-value]
    login = SocialLogin(
        provider=get_adapter().get_provider(request, "example"),
        user=Staff(email=email),
        account=SocialAccount(provider="example", uid=uid),
        email_addresses=[EmailAddress(email=email, verified=verified, primary=True)],
    )
    return request, login


@pytest.mark.usefixtures("_provider")
def test_one_who_was_invited_comes_in_by_a_provider_that_vouches_for_the_address(instance: Home) -> None:
    word(instance, "new@larkfield.example", "manager")
    request, login = _comes("new@larkfield.example", verified=True)
    Outside(request).pre_social_login(request, login)
    staff = Staff.objects.get(email="new@larkfield.example")
    assert staff.joined_at is not None
    assert SocialAccount.objects.get().user_id == staff.pk
    assert Entry.objects.order_by("number").last().said == {"by": "provider"}  # type: ignore[union-attr]


@pytest.mark.usefixtures("_provider")
@pytest.mark.parametrize(
    ("email", "verified"),
    [("stranger@evil.example", True), ("new@larkfield.example", False), ("administrator@larkfield.example", True)],
)
def test_nobody_else_gets_in_by_an_address(email: str, verified: bool, instance: Home) -> None:
    """A stranger, an address that nobody vouched for, and the address of one who has joined already."""
    word(instance, "new@larkfield.example", "manager")
    request, login = _comes(email, verified=verified, uid="subject-of-a-thief")
    with pytest.raises(ImmediateHttpResponse) as refused:
        Outside(request).pre_social_login(request, login)
    assert refused.value.response.status_code == 403
    assert not SocialAccount.objects.exists()


@pytest.mark.usefixtures("_provider")
def test_providers_of_the_operator_stand_on_the_page(instance: Home) -> None:
    assert "Sign in with Example" in browser().get("/account/login/").content.decode()


def test_nobody_changes_the_address_by_which_the_trail_names_them(signed_in: Callable[[str], Client]) -> None:
    browser = signed_in("seller")
    before = Staff.objects.get(role="seller").email
    asked = {"email": "board@vendor.example"}
    for address in ("/account/email/", "/account/confirm-email/", "/account/confirm-email/k/"):
        assert browser.get(address).status_code == 404
        for act in ("action_add", "action_primary", "action_remove"):
            assert browser.post(address, {**asked, act: ""}).status_code == 404
    assert Staff.objects.get(role="seller").email == before
