"""Jobs in pages: state, log, questions, next steps, calling off, schedules."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from groundswell.records.jobs import Job, Schedule
from groundswell.records.loads import Load
from groundswell.records.runs import Published
from groundswell.records.trail import Entry
from groundswell.runs import jobs

Browser = Callable[[str], Client]
DEALS = b"""deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on
D1,P-0001,sourced,C1,Open,open,5,USD,03/04/2026
D2,P-0001,sourced,C2,Open,open,6,USD,05/04/2026
"""


def upload(browser: Client, content: bytes = DEALS, name: str = "deals.csv", **fields: str) -> Job:
    assert browser.post("/data/upload/", {**fields, "file": SimpleUploadedFile(name, content)}).status_code == 302
    return Job.objects.order_by("-pk")[0]


def test_from_a_file_over_its_question_to_a_published_run(signed_in: Browser) -> None:
    browser = signed_in("operations")
    job = upload(browser, source="shop")
    page = browser.get(f"/data/jobs/{job.pk}/").content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert "waits for the worker" in page
    part = browser.get(f"/data/jobs/{job.pk}/", headers={"HX-Request": "true"})
    assert part.headers["Vary"].find("HX-Request") >= 0
    assert "<main" not in part.content.decode()

    assert jobs.work.func(job.pk) == "asks"
    page = browser.get(f"/data/jobs/{job.pk}/").content.decode()
    assert "hx-trigger" not in page.partition("<main")[2].partition("</main>")[0]
    assert "A question is open; nothing was loaded" in page
    assert "<code>03/04/2026</code>" in page
    assert "day first" in page
    column = job_question(job)
    assert browser.post(f"/data/jobs/{job.pk}/answer/", {}).status_code == 422
    answer = browser.post(f"/data/jobs/{job.pk}/answer/", {f"answer:deals.csv:{column}": "dmy"})
    fresh = Job.objects.order_by("-pk")[0]
    assert answer.url == f"/data/jobs/{fresh.pk}/"

    assert jobs.work.func(fresh.pk) == "done", Job.objects.get(pk=fresh.pk).log
    load = Load.objects.order_by("-number")[0]
    page = browser.get(f"/data/jobs/{fresh.pk}/").content.decode()
    assert (load.source, load.rows_in, load.loaded) == ("shop", 2, 2)
    assert f"/data/loads/{load.pk}/" in page
    assert "Assess now" in page

    browser.post("/data/jobs/assess/", {"as_of": str(load.known_at.date())})
    last = Job.objects.order_by("-pk")[0]
    before = Published.pointer()
    assert jobs.work.func(last.pk) == "done", Job.objects.get(pk=last.pk).log
    pointer = Published.pointer()
    assert before is not None
    assert pointer is not None
    assert pointer.run_id != before.run_id
    page = browser.get(f"/data/jobs/{last.pk}/").content.decode()
    assert pointer.run_id[:12] in page
    assert "It is the run that everybody reads now." in page
    verbs = Entry.objects.values_list("verb", flat=True).order_by("number")
    assert list(verbs)[-3:] == ["asked to take in", "answered and asked to take in", "asked to assess"]


def job_question(job: Job) -> str:
    job.refresh_from_db()
    return str(job.outcome["files"][0]["questions"][0]["column"])


def test_only_what_was_asked_is_answered(signed_in: Browser) -> None:
    browser = signed_in("operations")
    job = upload(browser)
    jobs.work.func(job.pk)
    column = job_question(job)
    browser.post(
        f"/data/jobs/{job.pk}/answer/",
        {f"answer:deals.csv:{column}": "dmy", "answer:deals.csv:zone": "UTC", "answer:--strict:x": "y"},
    )
    fresh = Job.objects.order_by("-pk")[0]
    assert fresh.request["words"] == ["./deals.csv", f"--answer=deals.csv:{column}=dmy"]


def test_a_refused_file_says_why_and_offers_no_assessment(signed_in: Browser) -> None:
    browser = signed_in("operations")
    job = upload(browser, b"a,b\n1,2\n", "unknown.csv")
    assert jobs.work.func(job.pk) == "failed"
    page = browser.get(f"/data/jobs/{job.pk}/").content.decode()
    assert "<strong>unknown.csv</strong> was refused" in page
    assert "Assess now" not in page
    assert "Try it again" in page
    browser.post(f"/data/jobs/{job.pk}/again/")
    assert Job.objects.count() == 2


def test_what_a_file_says_is_text_in_the_page(signed_in: Browser) -> None:
    browser = signed_in("operations")
    job = upload(browser, b"<script>alert(1)</script>,b\n1,2\n", "<img src=x>.csv")
    jobs.work.func(job.pk)
    page = browser.get(f"/data/jobs/{job.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page


def test_a_job_is_called_off(signed_in: Browser) -> None:
    browser = signed_in("operations")
    job = upload(browser)
    assert signed_in("leader").post(f"/data/jobs/{job.pk}/cancel/").status_code == 403
    browser.post(f"/data/jobs/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == "cancelled"
    page = browser.post(f"/data/jobs/{job.pk}/cancel/", follow=True).content.decode()
    assert "It is over already" in page
    assert Entry.objects.filter(verb="called off").count() == 1


@pytest.mark.parametrize("day", ["", "yesterday", "0001-01-01", "2999-01-01", "2999-01-01x"])
def test_a_day_that_nobody_can_assess_is_refused(signed_in: Browser, day: str) -> None:
    assert signed_in("operations").post("/data/jobs/assess/", {"as_of": day}).status_code == 422
    assert not Job.objects.exists()


def test_a_daily_assessment_is_set_and_ended(signed_in: Browser) -> None:
    browser = signed_in("operations")
    browser.post("/data/jobs/daily/", {"at": "06:30"})
    assert Schedule.objects.get().at == dt.time(6, 30)
    assert 'value="06:30"' in browser.get("/data/jobs/").content.decode()
    assert browser.post("/data/jobs/daily/", {"at": "26:30"}).status_code == 422
    browser.post("/data/jobs/daily/", {"at": ""})
    assert not Schedule.objects.exists()
    assert signed_in("leader").post("/data/jobs/daily/", {"at": "06:30"}).status_code == 403


def test_no_job_is_404(signed_in: Browser) -> None:
    browser = signed_in("operations")
    assert browser.get("/data/jobs/99/").status_code == 404
    for verb in ("answer", "cancel", "again"):
        assert browser.post(f"/data/jobs/99/{verb}/").status_code == 404
        assert browser.get(f"/data/jobs/99/{verb}/").status_code == 405
