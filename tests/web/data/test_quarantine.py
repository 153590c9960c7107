"""The quarantine in pages: filters, the file to correct, rows put right here or in a file."""

import csv
import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from groundswell.reads.quarantine import rows_aside, standing
from groundswell.records.jobs import Job
from groundswell.records.loads import Load
from groundswell.records.trail import Entry
from groundswell.runs import jobs

Browser = Callable[[str], Client]


@pytest.fixture
def load(signed_in: Browser) -> Load:
    """A load of a file of its own, of which two rows stand in quarantine."""
    text = (
        b'partner_id,partner_name,joined_on\nX1,Nord,2026-02-30\nX2,"S\xc3\xbc\r\nd",2026-02-31\nX3,West,2026-02-03\n'
    )
    signed_in("operations").post("/data/upload/", {"file": SimpleUploadedFile("aside.csv", text), "source": "shop"})
    job = Job.objects.get()
    assert jobs.work.func(job.pk) == "done", Job.objects.get().log
    found = Load.objects.order_by("-number")[0]
    assert len(standing(found)) == 2
    return found


def fields(browser: Client, load: Load) -> dict[str, str]:
    """The form of its rows as it is shown: name of each cell -> what stands in it."""
    page = browser.get(f"/data/quarantine/{load.pk}/fix/")
    return {name: cell for row in page.context["rows"] for name, _, cell in [*row["told"], *row["rest"]]}


def test_rows_are_found_by_load_and_reason(signed_in: Browser, load: Load) -> None:
    browser = signed_in("leader")
    page = browser.get("/data/quarantine/")
    assert page.context["count"] == sum(not one.since for one in rows_aside())
    only = browser.get(f"/data/quarantine/?load={load.name}").context["rows"]
    assert {(one.row.load_id, one.row.line) for one in only} == {(load.pk, 2), (load.pk, 3)}
    reason = only[0].row.reason
    found = browser.get("/data/quarantine/", {"load": load.name, "reason": reason}).context["rows"]
    assert [one.row.reason for one in found] == [reason]
    assert "Nothing stands in quarantine of L999" in browser.get("/data/quarantine/?load=L999").content.decode()


def test_rows_leave_in_a_file_and_come_back_corrected(signed_in: Browser, load: Load) -> None:
    browser = signed_in("operations")
    answer = browser.get(f"/data/quarantine/{load.pk}/export/")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="quarantine-{load.name}.csv"'
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["_line"] for row in rows] == ["2", "3"]
    corrected = SimpleUploadedFile("back.csv", text.replace("2026-02-30", "2026-02-28").encode())
    assert browser.post("/data/quarantine/retry/", {"file": corrected}).status_code == 302
    job = Job.objects.order_by("-pk")[0]
    assert jobs.work.func(job.pk) == "done", Job.objects.get(pk=job.pk).log
    fresh = Load.objects.order_by("-number")[0]
    assert (fresh.retry_of, fresh.loaded, fresh.quarantined) == (load, 1, 1)
    assert [one.made for one in job.effects.all()] == [fresh.name]
    entry = Entry.objects.get(verb="retried")
    assert (entry.about, entry.said, entry.who) == (fresh.name, {"of": load.name, "rows": 2}, job.asked_by.email)
    assert f"/data/loads/{fresh.pk}/" in browser.get(f"/data/jobs/{job.pk}/").content.decode()


def test_a_row_is_put_right_in_its_cells_and_the_others_stay(signed_in: Browser, load: Load) -> None:
    browser = signed_in("operations")
    cells = fields(browser, load)
    wrong = next(name for name, cell in cells.items() if cell == "2026-02-30")
    same = {name: cell.replace("\n", "\r\n").replace("\r\r", "\r") for name, cell in cells.items()}
    refused = browser.post(f"/data/quarantine/{load.pk}/fix/", same)
    assert refused.status_code == 422
    assert "nothing was corrected" in refused.content.decode()
    answer = browser.post(f"/data/quarantine/{load.pk}/fix/", {**same, wrong: "2026-02-28", "cell:99:0": "x"})
    job = Job.objects.order_by("-pk")[0]
    assert answer.url == f"/data/jobs/{job.pk}/"
    assert jobs.work.func(job.pk) == "done", Job.objects.get(pk=job.pk).log
    assert [row.line for row in standing(load)] == [3]
    fresh = Load.objects.order_by("-number")[0]
    assert (fresh.rows_in, fresh.loaded) == (1, 1)
    again = browser.post(f"/data/quarantine/{load.pk}/fix/", {wrong: "2026-02-27"})
    assert again.status_code == 422


def test_a_file_that_no_export_wrote_is_refused_with_its_reason(signed_in: Browser) -> None:
    browser = signed_in("operations")
    browser.post("/data/quarantine/retry/", {"file": SimpleUploadedFile("x.csv", b"a,b\n1,2\n")})
    job = Job.objects.get()
    assert jobs.work.func(job.pk) == "failed"
    assert "correct a file of: groundswell quarantine export" in browser.get(f"/data/jobs/{job.pk}/").content.decode()
    assert browser.post("/data/quarantine/retry/").status_code == 422


def test_only_operations_puts_rows_right(signed_in: Browser, load: Load) -> None:
    browser = signed_in("leader")
    assert browser.get(f"/data/quarantine/{load.pk}/export/").status_code == 200
    assert browser.get(f"/data/quarantine/{load.pk}/fix/").status_code == 403
    assert browser.post("/data/quarantine/retry/").status_code == 403
    assert signed_in("operations").get("/data/quarantine/999/fix/").status_code == 404
