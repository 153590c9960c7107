"""Every screen, light and dark, wide and on a phone: no error, no breach of policy, nothing that keeps anybody out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from groundswell.records.runs import Published
from tests.browser.conftest import Served, Tab
from tests.conftest import connect
from tests.web.routes import ROUTES

AS = "administrator"
"""The role that opens every screen."""


def screens(served: Served) -> list[str]:
    """The address of every page that can be opened."""
    connect(served.path / "records.sqlite3")
    partner = Published.current().partners.first()  # type: ignore[union-attr]
    found = []
    for name, route in ROUTES.items():
        if not route.acts and name not in ("start", "find", "quarantine-exported"):  # the last one is a file
            given: dict[str, Any] = dict(route.others)
            if route.partner:
                given[route.partner] = partner.partner_id
            found.append(reverse(name, kwargs=given))
    return [*found, "/account/2fa/", "/account/sessions/", "/account/password/change/", "/nowhere/"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_screens_have_no_fault_and_keep_nobody_out(
    theme: str, width: int, served: Served, tab: Callable[..., Tab]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    one, axe, wrong = tab(AS, theme, width), Axe(), []
    for address in screens(served):
        answer = one.open(address)
        found = axe.run(one.page)
        wrong += [f"{address}: {each['id']}: {each['nodes'][0]['html'][:160]}" for each in found.response["violations"]]
        wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        wrong += [f"{address} is {wide} px too wide"] if wide > 0 else []
        if answer.status >= 400:  # the browser itself reports the code of the page as an error
            one.wrong = [said for said in one.wrong if f"{answer.status}" not in said]
        wrong += [f"{address}: {said}" for said in one.faults()]
        one.wrong.clear()
    assert wrong == []
