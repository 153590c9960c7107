"""Jobs: from the record to the process that does the work. Heavy work is a process of its own, the command line itself.

A worker that is killed leaves its job running: after its lease another takes it, with a new token, and whatever the first
one still writes is refused. What a job made visible is noted in the transaction that made it so (records.jobs), so that
another try finds it done.
"""

import datetime as dt
import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django_tasks import task

from groundswell.engine.home import Home
from groundswell.records import jobs
from groundswell.records.jobs import Job, Schedule
from groundswell.records.staff import Staff


@dataclass
class Pace:
    """How quick a worker is, in seconds: `lease` without a word takes it for dead; it says a word every `beat`."""

    lease: float = 30.0
    beat: float = 2.0


pace = Pace()
_TRIES = 5
_LOG = 200_000
"""Characters of what a command prints that its job keeps: the last ones."""
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "take-in": ("take-in",),
    "assess": ("assess",),
    "retry": ("quarantine", "retry"),
    "revert": ("loads", "revert"),
    "export": ("export",),
    "sweep": ("sweep",),
}
"""Kind of job -> the command that does it."""
stopping = Event()
"""Set when this worker is told to end: it stops its command and gives the job back."""


def ask(
    kind: str, request: Mapping[str, Any], inputs: str, now: dt.datetime, staff: Staff | None, as_of: str = "",
    once: str = "",
) -> tuple[Job, bool]:  # fmt: skip
    """Ask for work; the job, and whether it is new. What was asked for already and is not over is the same job.

    `inputs` is what the work depends on, such as the digest of a file: with kind and day it names the job. `once` is the
    key of the form: sent twice with the same inputs, it is one job, also when that is over.
    """
    named = {"kind": kind, "as_of": as_of, "input_hash": hashlib.sha256(inputs.encode()).hexdigest()}
    key = f"{staff.pk if staff else 0}:{once}:{named['input_hash'][:16]}" if once else None
    for _ in range(_TRIES):  # the job that stands in the way may end before it is looked up
        if key and (sent := Job.objects.filter(once=key).first()):
            return sent, False
        try:
            with transaction.atomic():
                job = Job.objects.create(**named, request=dict(request), asked_by=staff, asked_at=now, once=key)
                work.enqueue(job.pk)
        except IntegrityError:
            if there := Job.objects.filter(**named, state__in=jobs.OPEN).first():
                return there, False
        else:
            return job, True
    raise RuntimeError(f"a job of kind {kind} is asked for and ended again and again")


def cancel(job: Job) -> bool:
    """Ask for a job to end: at once where nobody has begun, else as soon as its worker looks. Whether it can still end."""
    waiting = Job.objects.filter(pk=job.pk, state=jobs.QUEUED)
    if waiting.update(state=jobs.CANCELLED, cancel_asked=True, finished_at=_now()):
        return True
    return bool(Job.objects.filter(pk=job.pk, state=jobs.RUNNING, cancel_asked=False).update(cancel_asked=True))


def reap() -> int:
    """Take back the jobs of workers that have said nothing for a lease; how many. After five tries a job has failed.

    A job that waits and that no worker was told of, since the one that was told died first, is told of again.
    """
    from django_tasks_db.models import DBTaskResult  # its models are there only once the apps are

    found = 0
    for job in Job.objects.filter(state=jobs.RUNNING, lease_until__lt=_now()):
        found += _give_back(job, job.log, "its worker said nothing any more", job.attempts < _TRIES)
    for job in Job.objects.filter(state=jobs.QUEUED):
        with transaction.atomic():
            told = DBTaskResult.objects.filter(status="READY", args_kwargs={"args": [job.pk], "kwargs": {}})
            if not told.exists() and Job.objects.filter(pk=job.pk, state=jobs.QUEUED).exists():
                work.enqueue(job.pk)
                found += 1
    return found


def tick(home: Home, now: dt.datetime) -> list[Job]:
    """Ask for the scheduled work whose time has come today and that was not asked for yet: once, whatever was missed."""
    asked: list[Job] = []
    schedules = list(Schedule.objects.all())
    if not schedules:
        return asked
    local = now.astimezone(home.zone)
    for schedule in schedules:
        if local.time() < schedule.at or (schedule.last_for and schedule.last_for >= local.date()):
            continue
        with transaction.atomic():
            due = Schedule.objects.filter(pk=schedule.pk, last_for=schedule.last_for)
            if due.update(last_for=local.date()):
                asked.append(ask(schedule.kind, {}, f"schedule {local.date()}", now, None, str(local.date()))[0])
    return asked


@task()
def work(number: int) -> str:
    """Do a job that nobody has begun; its state then."""
    job = _claim(number)
    return _run(job) if job else "not waiting"


def _claim(number: int) -> Job | None:
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=number, state=jobs.QUEUED).first()
        if job is None:
            return None
        job.state, job.token, job.attempts = jobs.RUNNING, job.token + 1, job.attempts + 1
        job.started_at, job.lease_until = _now(), _lease()
        job.save()
    return job


def folder(home: Path) -> Path:
    """Where the commands of jobs write what they print and report while they run."""
    return home / "jobs"


def uploads(home: Path) -> Path:
    """Where files lie that were handed over in a page: each in a folder called by its digest."""
    return home / "uploads"


def sheets(home: Path) -> Path:
    """Where sheets lie that jobs have written: each in a folder called by its job and the token it was written under."""
    return home / "sheets"


def _run(job: Job) -> str:
    home = Path(os.environ["GROUNDSWELL_HOME"])
    lies = folder(home)
    for needed in (lies, uploads(home), sheets(home)):
        needed.mkdir(mode=0o700, exist_ok=True)
    for old in lies.glob(f"{job.pk}-*"):  # of a try whose worker was killed
        old.unlink(missing_ok=True)
    log, report = lies / f"{job.pk}-{job.token}.log", lies / f"{job.pk}-{job.token}.json"
    held = {**os.environ, jobs.FENCE: f"{job.pk}:{job.token}", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own command, its words checked by whoever asked
            command(job, home, report), stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=held,
            cwd=uploads(home) / str(job.request.get("digest", "")),  # so that what is said names files as people do
            start_new_session=True,  # Ctrl-C at `serve` is for the worker, which ends its command itself
        )  # fmt: skip
        try:
            state = _watched(job, process, log, report)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    log.unlink(missing_ok=True)
    report.unlink(missing_ok=True)
    return state


def command(job: Job, home: Path, report: Path) -> list[str]:
    """The command line that does a job. Raises ValueError for a kind that none does."""
    if job.kind not in _COMMANDS:
        raise ValueError(f"no command does a job of kind '{job.kind}'")
    own = {
        "take-in": [f"--report={report}"],
        "assess": [f"--as-of={job.as_of}"],
        "export": [f"--out={sheets(home) / f'{job.pk}-{job.token}' / str(job.request.get('name'))}"],
    }
    first, *verb = _COMMANDS[job.kind]
    options = ["--home", str(home), *own.get(job.kind, ())]  # before the words: between two of them no option may stand
    return [sys.executable, "-m", "groundswell", first, *options, *verb, *job.request.get("words", ())]


def _watched(job: Job, process: subprocess.Popen[bytes], log: Path, report: Path) -> str:
    """Wait for a command, saying every other second that it lives, and what it has printed."""
    while True:
        try:
            code: int | None = process.wait(pace.beat)
        except subprocess.TimeoutExpired:
            code = None
        if code is not None:
            return _ended(job, code, _said(job, log), report)
        mine = Job.objects.filter(pk=job.pk, token=job.token, state=jobs.RUNNING)
        try:
            if not mine.update(lease_until=_lease(), log=_said(job, log)):
                return "taken over"
            called_off = mine.filter(cancel_asked=True).exists()
        except OperationalError:
            continue  # the records are busy; the lease is longer than they may be
        if called_off or stopping.is_set():
            process.kill()  # whatever it was doing, nothing half done is ever seen
            process.wait()
            _give_back(job, _said(job, log), "its worker was told to end", again=True, counts=False)
            return "given back"


_ASKS, _FAULT, _LOCKED = 3, 1, 5
"""Exit codes of the command line (cli.exits), which are its contract: a question; a fault; another writer is at work."""


def _ended(job: Job, code: int, said: str, report: Path) -> str:
    """What came of a command. A fault, or an end by the machine, is tried again; a refusal is not."""
    if code == _LOCKED:
        _give_back(job, said, "another writer was at work", again=True, counts=False)
        return "given back"
    if code < 0 or code == _FAULT:
        how = f"it was ended by signal {-code}" if code < 0 else "it met a fault"
        if job.attempts < _TRIES:
            _give_back(job, said, how, again=True)
            return "given back"
    state = {0: jobs.DONE, _ASKS: jobs.ASKS}.get(code, jobs.FAILED)
    outcome = {"code": code, **_reported(report)}
    mine = Job.objects.filter(pk=job.pk, token=job.token, state=jobs.RUNNING)
    return state if mine.update(state=state, finished_at=_now(), log=said, outcome=outcome) else "taken over"


def _give_back(job: Job, log: str, why: str, again: bool, counts: bool = True) -> int:
    """Let another worker try, later each time; or let it have failed. Whether the job was still held by this token."""
    with transaction.atomic():
        mine = Job.objects.select_for_update().filter(pk=job.pk, token=job.token, state=jobs.RUNNING)
        now = mine.first()
        if now is None:
            return 0
        now.token, now.lease_until = job.token + 1, None
        if now.cancel_asked:
            now.state, now.finished_at, said = jobs.CANCELLED, _now(), "it was called off"
        elif again:
            now.state, said = jobs.QUEUED, f"{why}; it is tried again"
            now.attempts -= not counts
            later = _now() + dt.timedelta(seconds=_pause(now.attempts))
            work.using(run_after=later).enqueue(job.pk)
        else:
            now.state, now.finished_at, said = jobs.FAILED, _now(), f"{why}; it was tried {_TRIES} times"
        now.log = f"{log}{'' if not log or log.endswith(chr(10)) else chr(10)}-- {said}\n"
        now.save()
    return 1


def _pause(attempts: int) -> float:
    """Seconds before the next try: twice as long each time, and up to half as much again, so that tries do not meet."""
    return pace.beat * 2.0 ** max(attempts - 1, 0) * (1 + secrets.randbelow(500) / 1000)


def _said(job: Job, log: Path) -> str:
    """What the command has printed, below what earlier tries of the job did."""
    return (job.log + log.read_text("utf-8", "replace"))[-_LOG:]


def _reported(report: Path) -> dict[str, Any]:
    try:
        found = json.loads(report.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    loads = found.get("loads", []) if isinstance(found, dict) else []
    kept = ("file", "load", "refused", "format", "questions", "faults", "sheets_left")
    return {"files": [{name: one[name] for name in kept if name in one} for one in loads]}


def _lease() -> dt.datetime:
    return _now() + dt.timedelta(seconds=pace.lease)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
