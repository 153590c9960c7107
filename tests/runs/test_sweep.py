"""What pages left behind is removed once it is old and nobody needs it: and nothing else."""

import datetime as dt
import os
from pathlib import Path

import pytest

from groundswell.actions import jobs as asking
from groundswell.actions import uploads
from groundswell.actions.act import Actor
from groundswell.cli.arguments import parser
from groundswell.cli.commands import run
from groundswell.engine.home import Home
from groundswell.records.jobs import Job, Schedule
from groundswell.runs import jobs
from groundswell.runs.sweep import sweep

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
KEPT = 7


def left(home: Home, name: str, days: float, text: str = "x") -> Path:
    """A file below the home that was last written so many days ago."""
    path = home.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    when = (NOW - dt.timedelta(days=days)).timestamp()
    os.utime(path, (when, when))
    return path


def handed(home: Home, text: str, days: float) -> uploads.Upload:
    kept = uploads.keep(Actor(home.path, None, NOW), left(home, "uploads/arriving", days, text), "partners.csv")
    when = (NOW - dt.timedelta(days=days)).timestamp()
    os.utime(kept.path, (when, when))
    return kept


def test_old_files_go_with_their_folders_and_young_ones_stay(home: Home) -> None:
    gone = [left(home, name, KEPT + 1) for name in ("uploads/tmp1.upload", "uploads/export-1.csv", "sheets/3-1/a.csv")]
    gone += [handed(home, "old", KEPT + 1).path]
    stay = [left(home, name, KEPT - 1) for name in ("uploads/tmp2.upload", "sheets/4-1/a.csv")]
    stay += [handed(home, "young", KEPT - 1).path]
    found = sweep(home, NOW)
    assert (found.uploads, found.sheets, found.size) == (3, 1, 6)
    assert [path.exists() for path in gone] == [False] * 4
    assert not gone[2].parent.exists()
    assert not gone[3].parent.exists()
    assert [path.exists() for path in stay] == [True] * 3
    assert sweep(home, NOW).size == 0


@pytest.mark.parametrize("state", ["queued", "running", "asks", "done", "failed", "cancelled"])
def test_what_a_job_still_wants_stays_however_old(state: str, home: Home) -> None:
    kept = handed(home, "partner_id,partner_name\nP1,Nord\n", KEPT + 100)
    job = asking.take_in(Actor(home.path, None, NOW), kept)
    Job.objects.filter(pk=job.pk).update(state=state)
    sweep(home, NOW)
    assert kept.path.exists() == (state in ("queued", "running", "asks"))


def test_a_question_that_was_answered_keeps_no_file(home: Home) -> None:
    kept = handed(home, "x", KEPT + 1)
    job = asking.take_in(Actor(home.path, None, NOW), kept)
    Job.objects.filter(pk=job.pk).update(state="asks")
    job.refresh_from_db()
    answer = asking.answer(Actor(home.path, None, NOW), job, {"partners.csv": {"c": "dmy"}})
    sweep(home, NOW)
    assert kept.path.exists()
    Job.objects.filter(pk=answer.pk).update(state="done")
    sweep(home, NOW)
    assert not kept.path.exists()


def test_what_is_gone_cannot_be_tried_again_and_says_what_to_do(home: Home) -> None:
    kept = handed(home, "x", KEPT + 1)
    job = asking.take_in(Actor(home.path, None, NOW), kept)
    Job.objects.filter(pk=job.pk).update(state="failed")
    job.refresh_from_db()
    sweep(home, NOW)
    with pytest.raises(asking.CannotAsk, match="Hand it over again"):
        asking.again(Actor(home.path, None, NOW), job)


def test_how_long_is_policy(home: Home) -> None:
    own = home.path / "policy" / "limits.toml"
    own.parent.mkdir()
    own.write_text(
        'follows = "default"\nwhy = "Disk is dear where this stands."\nsource = "tests"\nsince = 2026-01-01\n'
        "[bounds]\nkept_days = 1\n"
    )
    path = left(home, "uploads/tmp", 2)
    sweep(Home(home.path), NOW)
    assert not path.exists()


def test_it_is_scheduled_every_night_and_done_by_the_command(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(home.path))
    Schedule.objects.create(kind="sweep", at=dt.time(3))
    now = dt.datetime.now(dt.UTC)
    early = now.replace(hour=2)
    assert jobs.tick(home, early) == []
    [job] = jobs.tick(home, early.replace(hour=4))
    assert jobs.tick(home, early.replace(hour=5)) == []
    path = home.path / "uploads" / "tmp"
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    os.utime(path, (now.timestamp() - 86400 * (KEPT + 1),) * 2)
    assert jobs.work.func(job.pk) == "done", Job.objects.get(pk=job.pk).log
    assert not path.exists()
    assert "1 uploads and 0 files of sheets removed, 1 bytes" in Job.objects.get(pk=job.pk).log


def test_the_command_says_what_it_removed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    path = left(home, "sheets/1-1/a.csv", 10_000)
    assert run(parser().parse_args(["sweep"]), home.path) == 0
    assert capsys.readouterr().out == "0 uploads and 1 files of sheets removed, 1 bytes\n"
    assert not path.exists()
