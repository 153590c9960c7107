"""Jobs: one for one piece of work, a lease, a fence, tries that come later each time, and schedules."""

import datetime as dt
import os
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connections, transaction
from django_tasks_db.models import DBTaskResult

from groundswell.actions import jobs as asking
from groundswell.actions import uploads
from groundswell.actions.act import Actor, NotAllowed
from groundswell.engine.home import Home
from groundswell.records import jobs as records
from groundswell.records.jobs import Effect, Fenced, Job, Schedule, hold_fence, made
from groundswell.records.loads import Load
from groundswell.records.staff import Staff
from groundswell.records.trail import Entry
from groundswell.runs import jobs

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
PARTNERS = "partner_id,partner_name\nP1,Nord\nP2,Süd\n"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, home: Home) -> Iterator[None]:
    """Workers of this process are quick, and work in the instance of the test."""
    monkeypatch.setattr(jobs, "pace", jobs.Pace(lease=30, beat=0.05))
    monkeypatch.setenv("GROUNDSWELL_HOME", str(home.path))
    jobs.stopping.clear()
    yield
    jobs.stopping.clear()


def actor(home: Home, staff: Staff | None = None) -> Actor:
    return Actor(home.path, staff, dt.datetime.now(dt.UTC))


def upload(home: Home, text: str = PARTNERS, name: str = "partners.csv") -> uploads.Upload:
    arrived = home.path / "uploads" / f"arriving-{threading.get_ident()}"
    arrived.parent.mkdir(exist_ok=True)
    arrived.write_text(text, "utf-8")
    return uploads.keep(actor(home), arrived, name)


def does(home: Home, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Make every job run a shell script instead of its command."""
    monkeypatch.setattr(
        jobs, "command", lambda job, where, report: ["/bin/sh", "-c", script.replace("REPORT", str(report))]
    )


def again(job: Job) -> str:
    """Do the job now, whatever it waits for."""
    return jobs.work.func(job.pk)


def test_a_file_is_taken_in_by_the_command_and_its_load_is_noted(home: Home) -> None:
    job = asking.take_in(actor(home), upload(home), source="portal", exported_at="2026-01-31")
    assert (job.state, job.what) == ("queued", "Take in partners.csv")
    assert again(job) == "done"
    job.refresh_from_db()
    load = Load.objects.get()
    assert (load.file_name, load.source, load.loaded, str(load.known_at.date())) == (
        "partners.csv",
        "portal",
        2,
        "2026-01-31",
    )
    assert [one.made for one in job.effects.all()] == [load.name]
    assert "2 rows in = 2 loaded + 0 unchanged + 0 quarantined" in job.log
    assert str(home.path) not in job.log
    assert job.outcome["files"] == [{"file": "partners.csv", "load": load.name, "format": "generic_partners"}]
    assert list(jobs.folder(home.path).iterdir()) == []


def test_a_question_is_kept_and_its_answer_is_another_job(home: Home) -> None:
    text = "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on\n"
    text += "D1,P1,sourced,C1,Open,open,5,USD,03/04/2026\nD2,P1,sourced,C2,Open,open,5,USD,05/04/2026\n"
    job = asking.take_in(actor(home), upload(home, text, "deals.csv"))
    assert again(job) == "asks"
    job.refresh_from_db()
    (asked,) = job.outcome["files"][0]["questions"]
    assert asked["answers"] == ["dmy", "mdy"]
    assert asked["samples"] == ["03/04/2026", "05/04/2026"]
    assert not Load.objects.exists()
    fresh = asking.answer(actor(home), job, {"deals.csv": {asked["column"]: "dmy"}})
    assert fresh.pk != job.pk
    assert again(fresh) == "done"
    assert Load.objects.get().loaded == 2
    with pytest.raises(asking.CannotAsk):
        asking.answer(actor(home), fresh, {})


def test_what_was_done_before_a_worker_died_is_not_done_again(home: Home) -> None:
    job = asking.take_in(actor(home), upload(home))
    again(job)
    Job.objects.filter(pk=job.pk).update(state="running", lease_until=NOW)
    assert jobs.reap() == 1
    assert again(job) == "done"
    job.refresh_from_db()
    assert (job.attempts, job.token) == (2, 3)
    assert Load.objects.count() == 1
    assert list(Effect.objects.values_list("made", flat=True)) == ["L000001"]


def test_an_assessment_is_published_once_by_a_job(home: Home) -> None:
    again(asking.take_in(actor(home), upload(home), exported_at="2026-01-31"))
    job = asking.assess(actor(home), dt.date(2026, 2, 1))
    assert again(job) == "done"
    (run,) = job.effects.values_list("made", flat=True)
    Job.objects.filter(pk=job.pk).update(state="queued")
    again(asking.take_in(actor(home), upload(home, PARTNERS + "P3,Ost\n"), exported_at="2026-01-31"))
    assert again(job) == "done"
    assert list(job.effects.values_list("made", flat=True)) == [run]


@pytest.mark.parametrize("times", [20])
def test_the_same_upload_sent_many_times_at_once_is_one_job(home: Home, times: int) -> None:
    kept, gate, found, faults = upload(home), threading.Barrier(times), [], []

    def send() -> None:
        try:
            gate.wait()
            found.append(asking.take_in(actor(home), kept, once="0" * 32).pk)
        except Exception as error:
            faults.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(times)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert faults == []
    assert len(found) == times
    assert set(found) == {Job.objects.get().pk}
    assert DBTaskResult.objects.count() == 1
    assert Entry.objects.filter(verb="asked to take in").count() == 1


def test_a_form_sent_again_after_the_job_is_over_is_the_same_job(home: Home) -> None:
    job = asking.take_in(actor(home), upload(home), once="a" * 32)
    again(job)
    assert asking.take_in(actor(home), upload(home), once="a" * 32) == job
    assert asking.take_in(actor(home), upload(home, PARTNERS + "P3,Ost\n"), once="a" * 32) != job
    assert asking.take_in(actor(home), upload(home), once="b" * 32) != job


def test_nobody_asks_without_the_right(home: Home) -> None:
    leader = Staff.objects.create(email="l@example.com", role="leader")
    for act in (
        lambda: asking.take_in(actor(home, leader), upload(home)),
        lambda: asking.assess(actor(home, leader), dt.date(2026, 1, 1)),
        lambda: asking.daily(actor(home, leader), dt.time(6)),
        lambda: asking.cancel(actor(home, leader), Job(pk=1)),
        lambda: uploads.keep(actor(home, leader), Path("x"), "x"),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert not Job.objects.exists()
    assert not Entry.objects.exists()


# ------------------------------------------------------------------------------------------------ leases and the fence


def test_a_worker_that_says_nothing_loses_its_job_to_the_next_with_a_new_token(home: Home) -> None:
    job = asking.take_in(actor(home), upload(home))
    held = jobs._claim(job.pk)
    assert held is not None
    assert jobs._claim(job.pk) is None
    assert jobs.reap() == 0
    Job.objects.filter(pk=job.pk).update(lease_until=NOW)
    assert jobs.reap() == 1
    job.refresh_from_db()
    assert (job.state, job.token, job.attempts) == ("queued", held.token + 1, 1)
    assert "its worker said nothing any more; it is tried again" in job.log


def test_the_fence_refuses_whoever_was_taken_for_dead(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    job = asking.take_in(actor(home), upload(home))
    held = jobs._claim(job.pk)
    assert held is not None
    monkeypatch.setenv(records.FENCE, f"{held.pk}:{held.token}")
    with transaction.atomic():
        hold_fence("part", "L000009")
    assert made("part") == "L000009"
    Job.objects.filter(pk=job.pk).update(lease_until=NOW)
    jobs.reap()
    with pytest.raises(Fenced, match="was taken over"), transaction.atomic():
        hold_fence("other", "L000010")
    assert [one.key for one in job.effects.all()] == ["part"]
    fresh = jobs._claim(job.pk)
    assert fresh is not None
    with pytest.raises(Fenced), transaction.atomic():
        hold_fence()
    monkeypatch.setenv(records.FENCE, f"{fresh.pk}:{fresh.token}")
    hold_fence()


def test_a_job_that_nobody_was_told_of_is_told_of_again(home: Home) -> None:
    job = asking.take_in(actor(home), upload(home))
    assert jobs.reap() == 0
    DBTaskResult.objects.update(status="RUNNING")  # its worker died before it began the job
    assert jobs.reap() == 1
    assert jobs.reap() == 0
    assert DBTaskResult.objects.filter(status="READY").count() == 1
    assert again(job) == "done"


# ------------------------------------------------------------------------------------------------- ends and later tries


def test_a_command_ended_by_the_machine_is_tried_five_times_each_later_than_the_last(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    does(home, monkeypatch, "echo almost; kill -9 $$")
    job = asking.take_in(actor(home), upload(home))
    waits = []
    for _ in range(4):
        DBTaskResult.objects.all().delete()
        assert again(job) == "given back"
        waits.append((DBTaskResult.objects.get().run_after - dt.datetime.now(dt.UTC)).total_seconds())
    assert again(job) == "failed"
    job.refresh_from_db()
    assert (job.state, job.attempts, job.outcome["code"]) == ("failed", 5, -9)
    assert job.log.count("almost") == 5
    assert all(later > 1.2 * sooner for sooner, later in pairwise(waits))
    fresh = asking.again(actor(home), job)
    assert (fresh.state, fresh.request) == ("queued", job.request)


@pytest.mark.parametrize(("code", "state"), [(0, "done"), (2, "failed"), (3, "asks"), (4, "failed"), (6, "failed")])
def test_what_an_exit_code_means(home: Home, monkeypatch: pytest.MonkeyPatch, code: int, state: str) -> None:
    does(home, monkeypatch, f"exit {code}")
    job = asking.take_in(actor(home), upload(home))
    assert again(job) == state
    job.refresh_from_db()
    assert (job.state, job.attempts, job.outcome) == (state, 1, {"code": code})
    assert job.finished_at is not None


def test_waiting_for_another_writer_is_no_try(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    does(home, monkeypatch, "echo another writer is at work; exit 5")
    job = asking.take_in(actor(home), upload(home))
    for _ in range(7):
        assert again(job) == "given back"
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 0)
    assert DBTaskResult.objects.filter(run_after__gt=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)).exists()


def test_a_job_is_called_off_before_and_while_it_runs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = asking.take_in(actor(home), upload(home))
    assert asking.cancel(actor(home), waiting)
    assert again(waiting) == "not waiting"
    does(home, monkeypatch, "sleep 60")
    running = asking.take_in(actor(home), upload(home, PARTNERS + "P3,Ost\n"))
    timer = threading.Timer(0.3, lambda: (asking.cancel(actor(home), running), connections.close_all()))
    timer.start()
    begun = dt.datetime.now(dt.UTC)
    again(running)
    timer.join()
    assert dt.datetime.now(dt.UTC) - begun < dt.timedelta(seconds=20)
    for job in (waiting, running):
        job.refresh_from_db()
        assert job.state == "cancelled"
    entries = Entry.objects.filter(verb="called off").count()
    assert not asking.cancel(actor(home), running)
    assert Entry.objects.filter(verb="called off").count() == entries == 2


def test_a_job_called_off_whose_worker_died_is_called_off(home: Home) -> None:
    job = asking.take_in(actor(home), upload(home))
    jobs._claim(job.pk)
    asking.cancel(actor(home), job)
    Job.objects.filter(pk=job.pk).update(lease_until=NOW)
    jobs.reap()
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_worker_told_to_end_gives_its_job_back(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    does(home, monkeypatch, "sleep 60")
    job = asking.take_in(actor(home), upload(home))
    jobs.stopping.set()
    assert again(job) == "given back"
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 0)


# ------------------------------------------------------------------------------------------------------------ schedules


def zone(home: Home, name: str) -> Home:
    (home.path / "policy").mkdir(exist_ok=True)
    (home.path / "policy" / "instance.toml").write_text(
        f'follows = "default"\nhome_zone = "{name}"\nwhy = "test"\nsource = "test"\nsince = 2026-01-01\n'
    )
    return Home(home.path)


def test_a_schedule_asks_once_a_day_in_the_home_zone_and_makes_up_for_a_missed_day_once(home: Home) -> None:
    home = zone(home, "America/New_York")
    early = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)  # 05:00 there
    asking.daily(Actor(home.path, None, early), dt.time(6, 30))
    assert jobs.tick(home, early + dt.timedelta(minutes=89)) == []
    (job,) = jobs.tick(home, early + dt.timedelta(minutes=91))
    assert (job.kind, job.as_of, job.asked_by) == ("assess", "2026-11-20", None)
    assert jobs.tick(home, early + dt.timedelta(hours=10)) == []
    Job.objects.update(state="done")
    later = early + dt.timedelta(days=3, hours=5)
    assert [one.as_of for one in jobs.tick(home, later)] == ["2026-11-23"]
    assert jobs.tick(home, later) == []


@pytest.mark.parametrize(
    ("day", "at"),
    [(dt.date(2026, 3, 29), dt.time(2, 30)), (dt.date(2026, 10, 25), dt.time(2, 30))],
    ids=["gap", "overlap"],
)
def test_a_schedule_survives_the_change_of_the_clock(home: Home, day: dt.date, at: dt.time) -> None:
    home = zone(home, "Europe/Berlin")
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC) - dt.timedelta(hours=2)
    asking.daily(Actor(home.path, None, midnight - dt.timedelta(days=1)), at)
    Schedule.objects.update(last_for=day - dt.timedelta(days=1))
    asked = []
    for step in range(24 * 6):
        asked += [one.as_of for one in jobs.tick(home, midnight + dt.timedelta(minutes=10 * step))]
        Job.objects.update(state="done")
    assert asked == [str(day)]


def test_a_time_that_is_over_today_begins_tomorrow_and_a_schedule_can_end(home: Home) -> None:
    asking.daily(Actor(home.path, None, NOW), dt.time(6))
    assert jobs.tick(home, NOW) == []
    assert [one.as_of for one in jobs.tick(home, NOW + dt.timedelta(days=1))] == ["2026-11-23"]
    asking.daily(Actor(home.path, None, NOW), None)
    assert jobs.tick(home, NOW + dt.timedelta(days=2)) == []
    assert [entry.about for entry in Entry.objects.filter(verb="set the daily assessment")] == ["06:00", "off"]


# ---------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("partners.csv", "partners.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\exports\\Umsätze März.xlsx", "Umsätze März.xlsx"),
        ("a:b\x00c\nd.csv", "a_b_c_d.csv"),
        (".hidden", "hidden"),
        ("--strict", "--strict"),
        ("..", "file"),
        ("", "file"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_names_of_files_are_made_safe(sent: str, kept: str) -> None:
    assert uploads.safe(sent) == kept


def test_a_file_whose_name_looks_like_an_option_is_taken_in(home: Home) -> None:
    job = asking.take_in(actor(home), upload(home, name="--strict.csv"))
    assert again(job) == "done"
    assert Load.objects.get().file_name == "--strict.csv"


def test_only_digests_are_looked_up(home: Home) -> None:
    kept = upload(home)
    assert uploads.kept(home.path, kept.digest) == kept
    assert uploads.kept(home.path, "../" + kept.digest) is None
    assert uploads.kept(home.path, "0" * 64) is None
    assert os.path.commonpath([kept.path, home.path]) == str(home.path)
