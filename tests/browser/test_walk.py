"""One walk through the product, in a browser: from a file to a partner, to a line of that file, to a dispute and its answer."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

from groundswell.demo.exports import make
from tests.browser.conftest import Tab
from tests.web.conftest import MONTHS, PARTNERS

UNTIL = dt.date(2026, 11, 15)
"""Half a month after the exports that the instance has taken in: the same world, going on."""
WHY = "Two of these deals are ours alone"
_WORK = 180_000
"""Milliseconds that a job may take on a machine that does other things too."""


def test_from_a_file_to_an_answered_dispute(tab: Callable[..., Tab], tmp_path: Path) -> None:
    make(tmp_path, partners=PARTNERS, until=UNTIL, months=MONTHS + 1)
    [export] = (tmp_path / "exports" / "2026-11").glob("crm_opportunities*")

    works = tab("operations")
    works.open("/data/")
    works.page.fill("#id_exported_at", str(UNTIL))
    works.page.set_input_files("#id_file", export)
    works.page.click("text=Take it in")
    works.page.wait_for_url("**/data/jobs/*/")
    assess = works.page.wait_for_selector("text=Assess now", timeout=_WORK)
    rows_in, loaded, unchanged, aside = (
        int(found.inner_text().replace(",", "")) for found in works.page.query_selector_all(".equation dd")[:4]
    )
    assert rows_in == loaded + unchanged + aside > 0
    works.page.fill("input[name=as_of]", str(UNTIL)) if works.page.is_visible("input[name=as_of]") else None
    assess.click()
    works.page.wait_for_selector("text=Open the overview", timeout=_WORK)
    works.page.click("text=Open the overview")
    assert re.search(r"ready partners? wins? nothing yet", works.page.inner_text(".answer"))

    leads = tab("leader")
    leads.open("/partners/?segment=ready")
    leads.page.click("tr[data-row] th a")
    leads.page.wait_for_selector("#drawer >> text=Open full page")
    name = leads.page.inner_text("#drawer h2")
    leads.page.click("#drawer >> text=Open full page")
    leads.page.wait_for_url("**/partners/o_*/**")
    assert leads.page.inner_text("h1").startswith(name)
    leads.page.click("nav >> text=Evidence")
    leads.page.click("tr[data-row] a:has-text('Open pipeline')")
    line = leads.page.wait_for_selector("a:has-text('line')")
    number = int(re.search(r"line (\d+)", line.inner_text())[1])  # type: ignore[index]
    line.click()
    leads.page.wait_for_selector("pre.sent")
    sent = leads.page.inner_text("pre.sent")
    kept = [one.read_text("cp1252").splitlines() for one in (tmp_path / "exports").glob("*/crm_opportunities*")]
    assert any(len(lines) >= number and sent.strip() in lines[number - 1] for lines in kept)
    leads.page.click("summary:has-text('This is wrong')")
    leads.page.fill("textarea[name=why]", WHY)
    leads.page.click("text=Dispute it")
    leads.page.wait_for_selector(f"text={WHY}")

    works.open("/disputes/")
    asked = works.page.locator("li", has_text=WHY)
    asked.locator("textarea").fill("Put right in the CRM; the next export brings it")
    asked.locator("text=It is wrong").click()
    works.page.wait_for_selector("text=upheld")
    leads.page.reload()
    leads.page.wait_for_selector("text=Put right in the CRM")

    sees = tab("administrator")
    sees.open("/trail/?verify")
    trail = sees.page.inner_text("main")
    assert "none changed, cut out or cut off" in trail
    for verb in ("asked to take in", "asked to assess", "disputed", "answered a dispute"):
        assert verb in trail
    for one in (works, leads, sees):
        assert one.faults() == []
