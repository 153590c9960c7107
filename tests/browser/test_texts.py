"""Texts that others wrote stay texts: sixty scripts through every text of a partner and of people, none of which runs."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse

from groundswell.records.disputes import Dispute
from groundswell.records.runs import Published, PublishedPartner
from groundswell.records.staff import Staff
from tests.browser.conftest import Served, Tab
from tests.browser.payloads import PAYLOADS
from tests.conftest import connect

_TEXTS = ("name", "external_id", "source", "partner_type", "tier")


def poison(served: Served) -> list[str]:
    """Put each text everywhere where an export or a person could; the ids of the partners."""
    connect(served.path / "records.sqlite3")
    run = Published.current()
    assert run is not None
    rows, asked_by = list(run.partners.all()), Staff.objects.get(role="leader")
    for number, text in enumerate(PAYLOADS):
        row = rows[number % len(rows)]
        result: dict[str, Any] = {**row.result, **dict.fromkeys((*_TEXTS, "region", "status"), text)}
        result["standing"] = {**result["standing"], "rule": text, "facts": [text]}
        result["gaps"] = [{**gap, "remedy": text} for gap in result["gaps"]]
        texts = dict.fromkeys(_TEXTS, text)
        if number < len(rows):
            PublishedPartner.objects.filter(pk=row.pk).update(result=result, **texts)
        else:
            named = {**texts, "partner_id": f"o_text{number}", "rank": 1000 + number}
            PublishedPartner.objects.create(run=run, result={**result, **named}, **named)
        Dispute.objects.create(
            partner_id=row.partner_id, partner_name=text, signal=text, row=text, run_id=run.run_id, why=text,
            asked_by=asked_by, asked_at=dt.datetime.now(dt.UTC),
        )  # fmt: skip
    Staff.objects.filter(role="seller").update(name=PAYLOADS[0])
    found = list(run.partners.values_list("partner_id", flat=True))
    connections["default"].close()
    return found


@pytest.fixture
def poisoned(served: Served) -> Iterator[list[str]]:
    """The instance with those texts in it; put right afterwards, since other tests open it too."""
    records = served.path / "records.sqlite3"
    kept = records.with_name("kept.sqlite3")
    with closing(sqlite3.connect(records)) as now, closing(sqlite3.connect(kept)) as then:
        now.backup(then)
    yield poison(served)
    with closing(sqlite3.connect(records, timeout=20)) as now, closing(sqlite3.connect(kept)) as then:
        then.backup(now)


def test_no_text_runs(served: Served, poisoned: list[str], tab: Callable[..., Tab]) -> None:
    assert len(set(PAYLOADS)) >= 60
    one = tab("administrator")
    asked: list[str] = []
    one.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    pages = ["/overview/", "/partners/", "/disputes/", "/people/"]
    for address in [*pages, *(reverse("partner", args=[partner]) for partner in poisoned)]:
        one.open(address)
        assert one.page.evaluate("window.pwned === undefined"), address
    one.page.keyboard.press("Control+k")
    one.page.fill("#find", "script")
    one.page.wait_for_selector("#found a")
    assert one.page.evaluate("window.pwned === undefined")
    assert asked == []
    assert one.faults() == []
