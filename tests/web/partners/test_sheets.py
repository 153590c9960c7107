"""Sheets too long to wait for: a job writes them, whoever asked takes them away, and rights are asked again then."""

import csv
import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.test import Client

from groundswell.engine.home import Home
from groundswell.records.jobs import Job
from groundswell.records.runs import Published, PublishedPartner
from groundswell.records.staff import Book, Staff
from groundswell.records.trail import Entry
from groundswell.runs import jobs
from tests.web.conftest import keep
from tests.web.partners.test_acts import last, read

SignedIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _short(instance: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page waits for ten rows at most, and this process works in the instance."""
    own = instance.path / "policy" / "limits.toml"
    own.parent.mkdir(exist_ok=True)
    said = 'follows = "default"\nwhy = "Short lists, so that a test is quick."\nsource = "tests"\nsince = 2026-01-01\n'
    own.write_text(f"{said}[bounds]\nexport_rows = 10\n")
    monkeypatch.setenv("GROUNDSWELL_HOME", str(instance.path))


def asked(browser: Client, query: str = "", form: str = "csv") -> Job:
    answer = browser.post(f"/partners/export/?{query}", {"form": form})
    assert answer.status_code == 302
    found = re.fullmatch(r"/partners/sheets/(\d+)/", answer["Location"])
    assert found
    return Job.objects.get(pk=found[1])


def test_a_long_list_is_written_by_a_job_and_taken_away_by_who_asked(instance: Home, signed_in: SignedIn) -> None:
    rows, browser = keep(36), signed_in("leader")
    job = asked(browser, "order=-name")
    page = browser.get(f"/partners/sheets/{job.pk}/").content.decode()
    assert "36 partners are being written" in page
    assert 'hx-trigger="every 2s"' in page
    assert "Download" not in page
    assert (last().verb, last().about, last().said["partners"], last().said["job"]) == (
        "asked to export partners", "order=-name", 36, job.pk,
    )  # fmt: skip
    assert browser.post(f"/partners/sheets/{job.pk}/file/").status_code == 422
    assert jobs.work.func(job.pk) == "done", Job.objects.get(pk=job.pk).log
    assert (last().verb, last().who, last().said["partners"]) == (
        "wrote a sheet of partners",
        Staff.objects.get(role="leader").email,
        36,
    )
    page = browser.get(f"/partners/sheets/{job.pk}/").content.decode()
    assert f"Download {job.request['name']}" in page
    assert "hx-trigger" not in page.partition('id="sheet"')[2].partition("</section>")[0]
    assert f'href="/partners/sheets/{job.pk}/"' in browser.get(f"/data/jobs/{job.pk}/").content.decode()
    answer = browser.post(f"/partners/sheets/{job.pk}/file/")
    assert job.request["name"] in answer["Content-Disposition"]
    found = [row["partner_id"] for row in csv.DictReader(io.StringIO(read(answer).decode()))]
    assert found == [row.partner_id for row in sorted(rows, key=lambda row: (row.name, row.rank), reverse=True)]
    assert (last().verb, last().about, last().said["partners"]) == (
        "took away a sheet of partners",
        f"job {job.pk}",
        36,
    )


def test_a_workbook_is_written_by_a_job_too(signed_in: SignedIn) -> None:
    keep(36)
    browser = signed_in("leader")
    job = asked(browser, form="xlsx")
    jobs.work.func(job.pk)
    book = openpyxl.load_workbook(io.BytesIO(read(browser.post(f"/partners/sheets/{job.pk}/file/"))))
    assert book.active.max_row == 37


def test_a_short_list_is_not_waited_for_elsewhere(signed_in: SignedIn) -> None:
    keep(10)
    assert signed_in("leader").post("/partners/export/", {"form": "csv"})["Content-Type"] == "text/csv"
    assert not Job.objects.exists()


def test_the_same_list_asked_for_twice_is_one_job(signed_in: SignedIn) -> None:
    keep(36)
    browser, before = signed_in("leader"), Entry.objects.count()
    assert asked(browser, "order=won") == asked(browser, "order=won")
    assert asked(browser, "order=won") != asked(browser, "order=-won")
    assert asked(signed_in("operations"), "order=won").asked_by != asked(browser, "order=won").asked_by
    assert Entry.objects.count() - before == Job.objects.count() == 3


def test_a_job_that_is_tried_again_writes_no_second_sheet_and_no_second_entry(signed_in: SignedIn) -> None:
    keep(36)
    job = asked(signed_in("leader"))
    jobs.work.func(job.pk)
    entries, effects = Entry.objects.count(), list(job.effects.values_list("made", flat=True))
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert jobs.work.func(job.pk) == "done"
    assert (Entry.objects.count(), list(job.effects.values_list("made", flat=True))) == (entries, effects)


def test_to_everybody_else_there_is_no_such_sheet(signed_in: SignedIn) -> None:
    keep(36)
    job = asked(signed_in("leader"))
    jobs.work.func(job.pk)
    for role in ("operations", "manager", "administrator"):
        assert signed_in(role).get(f"/partners/sheets/{job.pk}/").status_code == 404
        assert signed_in(role).post(f"/partners/sheets/{job.pk}/file/").status_code == 404
    page = signed_in("operations").get(f"/data/jobs/{job.pk}/").content.decode()
    assert "who asked for it, can take it away" in page
    assert f"/partners/sheets/{job.pk}/" not in page


def test_rights_are_asked_again_when_it_is_taken(signed_in: SignedIn) -> None:
    rows, manager = keep(36), Staff.objects.get(role="manager")
    Book.objects.all().delete()
    for row in rows[:12]:
        Book.objects.create(partner_id=row.partner_id, manager=manager, since=last().at)
    browser = signed_in("manager")
    job = asked(browser, "manager=me")
    jobs.work.func(job.pk)
    found = list(csv.DictReader(io.StringIO(read(browser.post(f"/partners/sheets/{job.pk}/file/")).decode())))
    assert {row["partner_id"] for row in found} == {row.partner_id for row in rows[:12]}
    entries = Entry.objects.count()
    Book.objects.filter(partner_id=rows[3].partner_id).delete()
    PublishedPartner.objects.filter(partner_id=rows[3].partner_id).update(country="XX")
    answer = browser.post(f"/partners/sheets/{job.pk}/file/")
    assert answer.status_code == 403
    assert "not yours any more" in answer.content.decode()
    assert Entry.objects.count() == entries
    Staff.objects.filter(pk=manager.pk).update(role="seller")
    assert browser.post(f"/partners/sheets/{job.pk}/file/").status_code == 403


def test_what_somebody_lost_before_it_is_written_is_not_in_it(signed_in: SignedIn) -> None:
    keep(36)
    job = asked(signed_in("leader"))
    Staff.objects.filter(role="leader").update(is_active=False)
    assert jobs.work.func(job.pk) == "failed"
    assert "not one of us any more" in Job.objects.get(pk=job.pk).log
    assert not job.effects.exists()


def test_a_sheet_that_is_not_kept_any_more_says_so_and_how_to_get_another(instance: Home, signed_in: SignedIn) -> None:
    keep(36)
    browser = signed_in("leader")
    job = asked(browser, "order=-name")
    jobs.work.func(job.pk)
    sheet = jobs.sheets(instance.path) / job.effects.get().made
    sheet.unlink()
    page = browser.get(f"/partners/sheets/{job.pk}/").content.decode()
    assert "It is not kept any more" in page
    assert 'href="/partners/?order=-name"' in page
    assert browser.post(f"/partners/sheets/{job.pk}/file/").status_code == 422


def test_a_sheet_lies_where_nobody_else_reads_it(instance: Home, signed_in: SignedIn) -> None:
    keep(36)
    job = asked(signed_in("leader"))
    jobs.work.func(job.pk)
    assert os.stat(jobs.sheets(instance.path)).st_mode & 0o077 == 0
    assert Path(job.effects.get().made).name == job.request["name"]
    assert Published.current() is not None
