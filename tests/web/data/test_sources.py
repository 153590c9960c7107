"""Sources, uploads and loads in pages."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from groundswell.engine import landings
from groundswell.engine.home import Home
from groundswell.records.jobs import Job
from groundswell.records.loads import Load
from groundswell.records.trail import Entry
from groundswell.runs import jobs

Browser = Callable[[str], Client]
PARTNERS = b"partner_id,partner_name\nP1,Nord\n"


def limits(home: Home, **bounds: int) -> None:
    """Lay bounds of the instance over those that ship."""
    (home.path / "policy").mkdir(exist_ok=True)
    said = "".join(f"{name} = {value}\n" for name, value in bounds.items())
    head = 'follows = "default"\nwhy = "test"\nsource = "test"\nsince = 2026-01-01\n'
    (home.path / "policy" / "limits.toml").write_text(f"{head}[bounds]\n{said}")


def send(browser: Client, content: bytes = PARTNERS, name: str = "partners.csv", **fields: str):
    return browser.post("/data/upload/", {**fields, "file": SimpleUploadedFile(name, content)})


# --------------------------------------------------------------------------------------------------------------- sources


def test_every_row_is_accounted_for(signed_in: Browser) -> None:
    page = signed_in("operations").get("/data/")
    found = page.context["together"]
    stands = Load.objects.filter(state="committed", voided_at=None, again_of=None)
    assert found.rows_in == sum(stands.values_list("rows_in", flat=True)) > 0
    assert found.rows_in == found.loaded + found.unchanged + found.quarantined
    for one in page.context["sources"]:
        assert one.rows.balanced
        mine = stands.filter(source=one.name, format=one.format)
        assert (one.rows.rows_in, one.loads) == (sum(mine.values_list("rows_in", flat=True)), mine.count())
    assert f"{found.rows_in:,}" in page.content.decode()
    signals = page.context["signals"]
    assert f"{signals['computable']} of {signals['declared']} signals can be computed" in page.content.decode()


def test_a_reverted_load_counts_no_more(signed_in: Browser) -> None:
    browser = signed_in("operations")
    before = browser.get("/data/").context["together"].rows_in
    load = Load.objects.filter(again_of=None).first()
    assert load is not None
    Load.objects.filter(pk=load.pk).update(voided_at=dt.datetime.now(dt.UTC))
    page = browser.get("/data/")
    assert page.context["together"].rows_in == before - load.rows_in
    assert page.context["since"] == 1


def test_a_source_beyond_its_agreed_age_is_named_and_grey(instance: Home, signed_in: Browser) -> None:
    now = dt.datetime.now(dt.UTC)
    Load.objects.update(known_at=now - dt.timedelta(days=7, hours=1))
    Load.objects.filter(source="generic").update(known_at=now - dt.timedelta(days=8, hours=1))
    limits(instance, fresh_days=7)
    page = signed_in("leader").get("/data/")
    assert {(one.name, one.days, one.late) for one in page.context["stale"]} == {("generic", 8, 1)}
    text = page.content.decode()
    assert "is 8 days old" in text
    assert "(agreed: 7)" in text
    assert text.count('class="stale"') == len(page.context["stale"])
    assert text.count("1 day late") == len(page.context["stale"])


def test_an_empty_instance_says_what_fills_the_page(signed_in: Browser) -> None:
    browser = signed_in("operations")
    Load.objects.all().update(again_of=None, retry_of=None)
    Load.objects.all().delete()
    text = browser.get("/data/").content.decode()
    assert "Nothing is loaded yet" in text
    assert "All sources" not in text


@pytest.mark.parametrize("path", ["/data/", "/data/loads/", "/data/quarantine/", "/data/jobs/", "/data/mappings/"])
def test_who_sees_data(path: str, signed_in: Browser) -> None:
    told = {
        role: signed_in(role).get(path).status_code
        for role in ("leader", "operations", "administrator", "manager", "seller")
    }
    assert told == {"leader": 200, "operations": 200, "administrator": 200, "manager": 403, "seller": 403}


def test_a_leader_sees_no_way_to_change_anything(signed_in: Browser) -> None:
    browser = signed_in("leader")
    load = Load.objects.filter(quarantined__gt=0).first()
    assert load is not None
    for path in ("/data/", f"/data/loads/{load.pk}/", "/data/quarantine/", "/data/jobs/"):
        main = browser.get(path).content.decode().partition("<main")[2]
        assert 'method="post"' not in main, path


# --------------------------------------------------------------------------------------------------------------- uploads


def test_a_file_is_kept_and_a_job_asked_for(instance: Home, signed_in: Browser) -> None:
    answer = send(signed_in("operations"), name="../../partners.csv", source="portal", exported_at="2026-10-31")
    job = Job.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/data/jobs/{job.pk}/")
    assert job.request["words"] == ["./partners.csv", "--source=portal", "--exported-at=2026-10-31"]
    kept = instance.path / "uploads" / job.request["digest"] / "partners.csv"
    assert kept.read_bytes() == PARTNERS
    assert landings.digest(kept) == job.request["digest"]
    assert [(one.verb, one.about) for one in Entry.objects.filter(verb__startswith="asked")] == [
        ("asked to take in", "partners.csv")
    ]
    assert [one.name for one in (instance.path / "uploads").glob("*.upload*")] == []


def test_a_form_sent_twice_is_one_job(signed_in: Browser) -> None:
    browser = signed_in("operations")
    once = browser.get("/data/").context["once"]
    first, second = (send(browser, once=once).url for _ in range(2))
    assert first == second
    assert Job.objects.count() == 1


def test_a_file_larger_than_policy_allows_is_left_out(instance: Home, signed_in: Browser) -> None:
    limits(instance, upload_bytes=1 << 20)
    answer = send(signed_in("operations"), b"x" * ((1 << 20) + 1))
    assert answer.status_code == 422
    assert "It is larger than 1 MB" in answer.content.decode()
    assert not Job.objects.exists()
    assert [one for one in (instance.path / "uploads").rglob("*") if one.is_file()] == []
    assert send(signed_in("operations"), b"x" * (1 << 20)).status_code == 302


@pytest.mark.parametrize("role", ["leader", "manager", "seller"])
def test_nobody_else_writes_a_byte(instance: Home, signed_in: Browser, role: str) -> None:
    assert send(signed_in(role)).status_code == 403
    assert [one for one in (instance.path / "uploads").rglob("*") if one.is_file()] == []
    assert not Job.objects.exists()


def test_a_stranger_writes_no_byte(instance: Home) -> None:
    browser = Client(SERVER_NAME="127.0.0.1", enforce_csrf_checks=True)
    browser.get("/account/login/")
    token = browser.cookies["csrf"].value
    assert send(browser, csrfmiddlewaretoken=token).status_code == 403
    assert [one for one in (instance.path / "uploads").rglob("*") if one.is_file()] == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"exported_at": "31.31.2026"}, "write 2026-10-31"),
        ({"exported_at": "2999-01-01"}, "That lies in the future."),
        ({"source": "a\x07b"}, "in one line"),
    ],
)
def test_what_is_said_of_a_file_is_checked_and_kept(signed_in: Browser, fields: dict[str, str], said: str) -> None:
    answer = send(signed_in("operations"), **fields)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Job.objects.exists()


def test_a_form_without_a_file_says_so(signed_in: Browser) -> None:
    answer = signed_in("operations").post("/data/upload/", {"source": "portal"})
    assert answer.status_code == 422
    assert "Choose a file, or drop one here." in answer.content.decode()
    assert 'value="portal"' in answer.content.decode()


# ----------------------------------------------------------------------------------------------------------------- loads


def test_loads_are_listed_newest_first_and_by_source(signed_in: Browser) -> None:
    browser = signed_in("leader")
    numbers = [one.number for one in browser.get("/data/loads/").context["loads"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == min(50, Load.objects.exclude(state="abandoned").count())
    only = browser.get("/data/loads/?source=salesforce").context["loads"]
    assert {one.source for one in only} == {"salesforce"}
    before = browser.get(f"/data/loads/?before={numbers[2]}").context["loads"]
    assert [one.number for one in before] == numbers[3:]
    assert "No load of nobody stands here" in browser.get("/data/loads/?source=nobody").content.decode()
    assert browser.get("/data/loads/999999/").status_code == 404


def test_a_load_is_taken_back_by_a_job_that_leaves_its_entry(signed_in: Browser) -> None:
    browser = signed_in("operations")
    load = Load.objects.filter(again_of=None).last()
    assert load is not None
    assert browser.post(f"/data/loads/{load.pk}/revert/", {"why": "  "}).status_code == 422
    assert not Job.objects.exists()
    answer = browser.post(f"/data/loads/{load.pk}/revert/", {"why": "--wrong month"})
    job = Job.objects.get()
    assert answer.url == f"/data/jobs/{job.pk}/"
    assert jobs.work.func(job.pk) == "done", job.log
    load.refresh_from_db()
    assert load.voided_at is not None
    assert load.voided_why == "--wrong month"
    entry = Entry.objects.get(verb="reverted")
    assert (entry.about, entry.who) == (load.name, str(job.asked_by.email))
    assert "Taken back" in browser.get(f"/data/loads/{load.pk}/").content.decode()
    assert browser.post(f"/data/loads/{load.pk}/revert/", {"why": "again"}).status_code == 422


@pytest.mark.parametrize(
    ("path", "queries"), [("/data/", 9), ("/data/loads/", 4), ("/data/jobs/", 6), ("/data/quarantine/", 5)]
)
def test_pages_ask_as_much_of_one_row_as_of_three(signed_in: Browser, path: str, queries: int) -> None:
    browser, now = signed_in("operations"), dt.datetime.now(dt.UTC)
    kinds = list(Load.objects.values_list("source", "format").distinct().order_by("source", "format"))
    Load.objects.filter(again_of=None).exclude(source=kinds[0][0], format=kinds[0][1]).update(state="abandoned")
    browser.get(path)
    told = []
    for rows in (1, 3):
        for number in range(rows):
            named = {"kind": "assess", "as_of": f"2026-01-0{number + 1}", "input_hash": "x"}
            Job.objects.get_or_create(**named, defaults={"asked_at": now, "state": "done"})
            Load.objects.filter(source=kinds[number][0], format=kinds[number][1]).update(state="committed")
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(path).status_code == 200
        told.append(len(captured))
    assert told == [queries, queries], [one["sql"][:90] for one in captured]
