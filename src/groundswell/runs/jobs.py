"""Jobs: from the record to the process that does the work. Heavy work is a process of its own, the command line itself.

A worker that is killed leaves its job running: after its lease another takes it, with a new token, and whatever the first
one still writes is refused (records.jobs). What a command does is done once however often it is run: a file of the same
bytes is taken in once, a run of the same inputs is the same run.
"""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django_tasks import task

from groundswell.engine.home import Home
from groundswell.records import jobs
from groundswell.records.jobs import Job, Schedule
from groundswell.records.staff import Staff

LEASE = dt.timedelta(seconds=30)
"""How long a worker may say nothing before it is taken for dead."""
_BEAT = 2.0
_TRIES = 5
_LOG = 200_000
"""Characters of what a command prints that its job keeps: the last ones."""
_COMMANDS = ("take-in", "assess", "export")
stopping = threading.Event()
"""Set when this worker is told to end: it stops its command and gives the job back."""


def ask(
    kind: str, request: Mapping[str, Any], inputs: str, now: dt.datetime, staff: Staff | None, as_of: str = ""
) -> tuple[Job, bool]:
    """Ask for work; the job, and whether it is new. What was asked for already and is not over is the same job.

    `inputs` is what the work depends on, such as the digest of a file: with kind and day it names the job.
    """
    named = {"kind": kind, "as_of": as_of, "input_hash": hashlib.sha256(inputs.encode()).hexdigest()}
    try:
        with transaction.atomic():
            job = Job.objects.create(**named, request=dict(request), asked_by=staff, asked_at=now)
            work.enqueue(job.pk)
    except IntegrityError:
        return Job.objects.get(**named, state__in=(jobs.QUEUED, jobs.RUNNING)), False
    return job, True


def cancel(job: Job) -> None:
    """Ask for a job to end: at once where nobody has begun, else as soon as its worker looks."""
    waiting = Job.objects.filter(pk=job.pk, state=jobs.QUEUED)
    if not waiting.update(state=jobs.CANCELLED, cancel_asked=True, finished_at=_now()):
        Job.objects.filter(pk=job.pk, state=jobs.RUNNING).update(cancel_asked=True)


def reap() -> int:
    """Take back the jobs of workers that have said nothing for a lease; how many. After five tries a job has failed."""
    found = 0
    for job in Job.objects.filter(state=jobs.RUNNING, lease_until__lt=_now()):
        again = job.attempts < _TRIES
        said = "its worker said nothing any more; " + ("it is tried again" if again else "it was tried five times")
        found += _give_back(job, job.token, said, again)
    return found


def tick(home: Home) -> list[Job]:
    """Ask for the scheduled work whose time has come today and that was not asked for yet: once, whatever was missed."""
    now, asked = _now(), []
    local = now.astimezone(home.zone)
    for schedule in Schedule.objects.all():
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
        job.started_at, job.lease_until = _now(), _now() + LEASE
        job.save()
    return job


def _run(job: Job) -> str:
    home = Path(os.environ["GROUNDSWELL_HOME"])
    words = command(job, home)
    held = {**os.environ, jobs.FENCE: f"{job.pk}:{job.token}"}
    log = home / "uploads" / f"job-{job.pk}-{job.token}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, env=held, stdin=subprocess.DEVNULL)  # noqa: S603
        try:
            state = _watched(job, process, log)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    log.unlink(missing_ok=True)
    return state


def command(job: Job, home: Path) -> list[str]:
    """The command line that does a job. Raises ValueError for a kind that none does."""
    if job.kind not in _COMMANDS:
        raise ValueError(f"no command does a job of kind '{job.kind}'")
    day = ["--as-of", job.as_of] if job.kind == "assess" and job.as_of else []
    return [
        sys.executable, "-m", "groundswell", job.kind, "--home", str(home), *day, *job.request.get("words", ())
    ]  # fmt: skip


def _watched(job: Job, process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for a command, saying every other second that it lives, and what it has printed."""
    while True:
        try:
            code: int | None = process.wait(_BEAT)
        except subprocess.TimeoutExpired:
            code = None
        mine = Job.objects.filter(pk=job.pk, token=job.token, state=jobs.RUNNING)
        if code is not None:
            return _ended(job, code, _tail(log))
        if not mine.update(lease_until=_now() + LEASE, log=_tail(log)):
            return "taken over"
        if stopping.is_set():
            _end(process)
            _give_back(job, job.token, "its worker was told to end; it is tried again", True)
            return jobs.QUEUED
        if mine.filter(cancel_asked=True).exists():
            _end(process)
            mine.update(state=jobs.CANCELLED, finished_at=_now(), log=_tail(log))
            return jobs.CANCELLED


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command: whatever it was doing, nothing half done is ever seen."""
    process.kill()
    process.wait()


def _ended(job: Job, code: int, said: str) -> str:
    state = {0: jobs.DONE, 3: jobs.ASKS}.get(code, jobs.FAILED)
    if code == 5:  # another writer has the instance: nothing was done, and it is tried again
        time.sleep(_BEAT)
        _give_back(job, job.token, said, True)
        return jobs.QUEUED
    outcome = {"code": code, "said": _json(said)}
    Job.objects.filter(pk=job.pk, token=job.token, state=jobs.RUNNING).update(
        state=state, finished_at=_now(), log=said, outcome=outcome
    )
    return state


def _give_back(job: Job, token: int, said: str, again: bool) -> int:
    with transaction.atomic():
        mine = Job.objects.filter(pk=job.pk, token=token, state=jobs.RUNNING)
        done: dict[str, object] = {} if again else {"finished_at": _now()}
        changed = mine.update(
            state=jobs.QUEUED if again else jobs.FAILED,
            token=token + 1,
            lease_until=None,
            log=f"{job.log}\n{said}",
            **done,
        )
        if changed and again:
            work.enqueue(job.pk)
    return changed


def _tail(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-_LOG:]


def _json(said: str) -> object:
    try:
        return json.loads(said)
    except ValueError:
        return None


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
