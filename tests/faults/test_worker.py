"""Workers and their commands ended, paused and told to end: every job has exactly one effect, and readers see one run."""

import datetime as dt
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import connections
from tests.faults.test_kills import DAY, exports, sound
from tests.river import NOW, assess, take_in
from tests.stories.instances import beside, differing, facts, judged

from groundswell.actions import jobs as asking
from groundswell.actions import uploads
from groundswell.actions.act import Actor
from groundswell.engine.home import Home
from groundswell.reads.partners import ranked_partners
from groundswell.records.jobs import OPEN, QUEUED, RUNNING, Effect, Job
from groundswell.records.loads import Load
from groundswell.records.runs import Published, Run
from groundswell.records.trail import Entry
from groundswell.runs.publish import publish

LEASE, BEAT = 2.0, 0.2
_LIMIT = 600.0


@dataclass
class Workers:
    """Worker processes of an instance, quick to be taken for dead."""

    home: Home
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        words = ["-m", "groundswell.server.worker", "--lease", str(LEASE), "--beat", str(BEAT)]
        around = {
            **os.environ,
            "GROUNDSWELL_HOME": str(self.home.path),
            "DJANGO_SETTINGS_MODULE": "groundswell.server.web",
        }
        self.running.append(subprocess.Popen([sys.executable, *words], env=around, stderr=subprocess.DEVNULL))
        return self.running[-1]

    def end(self) -> None:
        for one in self.running:
            for number in (*commands_of(one), one.pid):
                send(number, signal.SIGKILL)
            one.wait()


def commands_of(worker: subprocess.Popen[bytes]) -> list[int]:
    """The processes that a worker has started."""
    try:
        return [int(one) for one in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()]
    except OSError:
        return []


def send(number: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(number, what)


def wait(what: Callable[[], object], pause: float = 0.1) -> None:
    until = time.monotonic() + _LIMIT
    while not what():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(pause)


@pytest.fixture
def workers(home: Home) -> Iterator[Workers]:
    found = Workers(home)
    yield found
    found.end()


def ask(home: Home, path: Path, exported_at: str) -> Job:
    """Ask for a copy of a file to be taken in."""
    actor = Actor(home.path, None, dt.datetime.now(dt.UTC))
    arrived = home.path / "uploads" / "arriving"
    arrived.parent.mkdir(exist_ok=True)
    arrived.write_bytes(path.read_bytes())
    return asking.take_in(actor, uploads.keep(actor, arrived, path.name), exported_at=exported_at)


@pytest.mark.kills
def test_every_job_has_exactly_one_effect(
    home: Home, workers: Workers, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    wanted = max(3, int(request.config.getoption("--kills")) // 4)
    chance = random.Random(7)
    waiting = exports(tmp_path / "exports", chance, 4 * wanted)
    fed: list[tuple[Path, str]] = []
    asked: list[Job] = []
    hit: Counter[int] = Counter()
    struck: Counter[str] = Counter()
    begun = time.monotonic()
    while sum(hit.values()) < wanted or Job.objects.filter(state__in=OPEN).exists():
        assert time.monotonic() - begun < _LIMIT
        if not Job.objects.filter(state__in=OPEN).exists() and waiting:
            fed.append(waiting.pop(0))
            asked.append(ask(home, *fed[-1]))
            if len(fed) % 2 == 0:
                asked.append(
                    asking.assess(Actor(home.path, None, dt.datetime.now(dt.UTC)), dt.date.fromisoformat(fed[-1][1]))
                )
        worker = workers.running[-1] if workers.running and workers.running[-1].poll() is None else workers.start()
        time.sleep(chance.uniform(0.1, 1.0))
        job = Job.objects.filter(state=RUNNING).first()
        there = commands_of(worker)
        if job and there and hit[job.pk] < 2 and sum(hit.values()) < wanted:
            whom = ("worker", "command", "both")[sum(hit.values()) % 3]
            for number in {"worker": [worker.pid], "command": there, "both": [worker.pid, *there]}[whom]:
                send(number, signal.SIGKILL)
            hit[job.pk] += 1
            struck[whom] += 1
    done = list(Job.objects.all())
    assert {job.state for job in done} == {"done"}, [(job.pk, job.log) for job in done if job.state != "done"]
    assert Counter(Effect.objects.values_list("job", flat=True)) == {job.pk: 1 for job in asked}
    assert Counter(Load.objects.filter(state="committed", again_of=None).values_list("file_name", flat=True)) == {
        path.name: 1 for path, _ in fed
    }
    assert Entry.objects.count() == len(asked)
    sound(home)
    mine = facts(home, DAY)
    ready = judged(home, assess(home, DAY))
    with beside(home, "clean") as clean:
        for path, exported_at in fed:
            take_in(clean, path, exported_at)
        assert differing(mine, facts(clean, DAY)) == {}
        assert judged(clean, assess(clean, DAY)) == ready
    injected = sum(hit.values())
    print(f"jobs: injected {injected} / survived {injected} / lost 0 / duplicated 0; {len(asked)} jobs, {dict(struck)}")
    assert injected >= wanted > 0


def long(folder: Path, rows: int) -> Path:
    path = folder / "partners.csv"
    path.write_text("partner_id,partner_name\n" + "".join(f"P{i},Partner {i}\n" for i in range(rows)), "utf-8")
    return path


def test_a_worker_that_was_paused_past_its_lease_is_refused_by_the_fence(
    home: Home, workers: Workers, tmp_path: Path
) -> None:
    """It is paused, with its command, while that has an open load; whoever takes over waits for its lock, then works."""
    job = ask(home, long(tmp_path, 40_000), "2025-01-01")
    slow = workers.start()
    wait(lambda: Load.objects.filter(state="pending").exists(), 0.005)
    paused = [slow.pid, *commands_of(slow)]
    for number in paused:
        send(number, signal.SIGSTOP)
    assert len(paused) == 2
    assert Load.objects.get().state == "pending"
    workers.start()
    wait(lambda: Job.objects.get().token > 1)
    wait(lambda: "another writer was at work" in Job.objects.get().log)
    assert not Effect.objects.exists()
    for number in paused:
        send(number, signal.SIGCONT)
    wait(lambda: Job.objects.get().state not in OPEN)
    job.refresh_from_db()
    assert (job.state, job.effects.get().made) == ("done", "L000002")
    assert dict(Load.objects.values_list("number", "state")) == {1: "abandoned", 2: "committed"}
    assert Load.objects.get(number=2).loaded == 40_000
    sound(home)
    print("fence: injected 1 / survived 1 / lost 0 / duplicated 0")


def test_a_worker_told_to_end_is_gone_within_its_drain_and_its_job_is_not_stranded(
    home: Home, workers: Workers, tmp_path: Path
) -> None:
    job = ask(home, long(tmp_path, 40_000), "2025-01-01")
    first = workers.start()
    wait(lambda: Load.objects.filter(state="pending").exists(), 0.005)
    first.terminate()
    assert first.wait(20) == 0
    job.refresh_from_db()
    assert (job.state, job.attempts) == (QUEUED, 0)
    workers.start()
    wait(lambda: Job.objects.get().state not in OPEN)
    assert Job.objects.get().state == "done"
    assert Load.objects.filter(state="committed").count() == 1


def test_readers_see_one_run_each_while_runs_are_published(home: Home, tmp_path: Path) -> None:
    reads, publishes = 10_000, 100
    ((path, exported_at),) = exports(tmp_path / "exports", random.Random(1), 1)
    take_in(home, path, exported_at)
    old = assess(home, "2025-02-01")
    lines = [
        json.loads(one) for one in (home.run_folder(old.run_id) / "assessment.jsonl").read_text("utf-8").splitlines()
    ]
    done, faults = [0], []

    def publishing() -> None:
        try:
            for number in range(publishes):
                while done[0] < number * reads / publishes:
                    time.sleep(0.001)
                run_id = hashlib.sha256(str(number).encode()).hexdigest()
                home.run_folder(run_id).mkdir(parents=True)
                marked = "".join(json.dumps({**one, "name": run_id}) + "\n" for one in lines)
                (home.run_folder(run_id) / "assessment.jsonl").write_text(marked, "utf-8")
                publish(home, run_id, {**old.manifest, "run_id": run_id}, NOW)
        except BaseException as error:
            faults.append(error)
            raise
        finally:
            connections.close_all()

    writer = threading.Thread(target=publishing)
    writer.start()
    seen: Counter[str] = Counter()
    while done[0] < reads and not faults:
        found = ranked_partners()
        names = {one.name for one in found.partners}
        assert len(found.partners) == len(lines)
        assert found.run_id == old.run_id or names == {found.run_id}
        seen[found.run_id] += 1
        done[0] += 1
    writer.join()
    assert faults == []
    assert Run.objects.filter(complete=True).count() == publishes + 1
    assert len(seen) > publishes / 2
    pointer = Published.pointer()
    assert pointer is not None
    assert pointer.run_id == hashlib.sha256(str(publishes - 1).encode()).hexdigest()
    print(f"publish: injected {publishes} / survived {publishes}; {reads} reads of {len(seen)} runs, 0 mixed")
