"""A served instance, and a browser in it: Debian's Chromium, which reports whatever a page does wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

from groundswell.records.staff import Staff
from tests.conftest import connect
from tests.served import serving
from tests.web.conftest import BACKEND, made_once  # noqa: F401 - the fixture that makes the instance

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]  # fmt: skip
_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


@dataclass
class Served:
    """A running instance: its folder and its address."""

    path: Path
    origin: str

    def session(self, role: str) -> str:
        """The key of a session of the person of a role, as signing in would make it."""
        connect(self.path / "records.sqlite3")
        staff = Staff.objects.get(role=role)
        store = SessionStore()
        store["_auth_user_id"], store["_auth_user_backend"] = str(staff.pk), BACKEND
        store["_auth_user_hash"] = staff.get_session_auth_hash()
        store.save()
        connections["default"].close()
        return str(store.session_key)


@pytest.fixture(scope="session")
def served(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:  # noqa: F811
    """A copy of the made instance, served by the command line as people serve it."""
    path = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(made_once, path)
    with serving(path) as (_, origin):
        # Sessions made here are signed by the secret of that instance.
        settings.SECRET_KEY = (path / "secrets" / "sessions").read_text()
        yield Served(path, origin)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; tests in it skip where it is absent."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("chromium is absent; script/chromium installs it")
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # its loop runs in this thread, and so do our records
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Tab:
    """One page of the browser, and what went wrong in it."""

    page: Any
    origin: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        """Go to a path of the instance; the answer."""
        return self.page.goto(self.origin + path)

    def faults(self) -> list[str]:
        """Errors of the console and of scripts, requests elsewhere, and breaches of the content security policy."""
        return [*self.wrong, *self.page.evaluate("window.violations")]


@pytest.fixture
def tab(served: Served, chromium: Any) -> Iterator[Callable[..., Tab]]:
    """Opens a page for the person of a role, in a theme, at a width."""
    contexts = []

    def opened(role: str = "", theme: str = "light", width: int = 1280) -> Tab:
        context = chromium.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
        contexts.append(context)
        context.add_init_script(_WATCH)
        cookies = [{"name": "theme", "value": theme, "url": served.origin}]
        if role:
            cookies.append({"name": settings.SESSION_COOKIE_NAME, "value": served.session(role), "url": served.origin})
        context.add_cookies(cookies)
        one = Tab(context.new_page(), served.origin)
        one.page.on("console", lambda said: one.wrong.append(said.text) if said.type == "error" else None)
        one.page.on("pageerror", lambda error: one.wrong.append(str(error)))
        one.page.on(
            "request",
            lambda sent: one.wrong.append(sent.url) if not sent.url.startswith((served.origin, "data:")) else None,
        )
        return one

    yield opened
    for context in contexts:
        context.close()
