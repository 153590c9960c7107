"""`groundswell serve`, killed; and tables that are brought up to date, ended half way."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.served import serving

pytestmark = pytest.mark.kills

_ENDED_AT = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "groundswell.server.web"
django.setup()
from django.db.migrations.recorder import MigrationRecorder
from groundswell.records.upgrade import behind, catch_up
recorded, left = MigrationRecorder.record_applied, int(sys.argv[1])

def record(self, app, name):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), 9)
    recorded(self, app, name)

MigrationRecorder.record_applied = record
assert behind()
catch_up()
assert not behind()
"""
"""Brings an instance up to date, and kills itself where the nth migration would be noted."""


def below(pid: int) -> set[int]:
    """Every process that a process began, and those that they began."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    """Those of them that still run."""
    found = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
        except OSError:
            continue
    return found


_DEAF = """
import os, signal, sys
if "granian" in sys.orig_argv:
    deafen = lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.register_at_fork(after_in_child=deafen)
"""
"""Makes the workers of the web process not hear that they are to end. (One that is stopped would: when the process that
began its group dies, the kernel wakes what is stopped in it.)"""


@pytest.mark.parametrize("deaf", [False, True])
def test_nothing_outlives_a_serve_that_was_killed(tmp_path: Path, deaf: bool) -> None:
    """Also where web workers do not hear that they are to end, as one that is just starting."""
    if deaf:
        (tmp_path / "sitecustomize.py").write_text(_DEAF)
    with serving(tmp_path / "home", {"PYTHONPATH": str(tmp_path)} if deaf else None) as (process, _):
        begun = below(process.pid)
        assert len(begun) >= 4, "web, its two workers, and the worker of jobs"
        os.kill(process.pid, signal.SIGKILL)
        until = time.monotonic() + 40
        while (left := alive(begun)) and time.monotonic() < until:
            time.sleep(0.2)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left


def _running(serve: int, words: bytes) -> set[int]:
    found = set()
    for pid in below(serve):
        with suppress(OSError):
            if words in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


def _workers(serve: int) -> set[int]:
    """The process of a `serve` that does its jobs; none while it is started again."""
    return _running(serve, b"groundswell.server.worker")


def _web(serve: int) -> set[int]:
    """The web process of a `serve`, and its workers."""
    return {pid for found in _running(serve, b"granian\0--interface") for pid in (found, *below(found))}


def _until(true: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/account/login/", timeout=5) as page:  # noqa: S310 - loopback
            return bool(page.status == 200)
    except OSError:
        return False


def _look(home: Path) -> int:
    """Have a job done that is quick; its number."""
    script = (
        "import datetime as dt, django; django.setup()\n"
        "from groundswell.runs.jobs import ask\n"
        "print(ask('sweep', {}, 'look', dt.datetime.now(dt.UTC), None)[0].pk)"
    )
    around = {**os.environ, "GROUNDSWELL_HOME": str(home), "DJANGO_SETTINGS_MODULE": "groundswell.server.web"}
    return int(subprocess.run([sys.executable, "-c", script], env=around, check=True, capture_output=True).stdout)


def _state(home: Path, job: int) -> str:
    with sqlite3.connect(home / "records.sqlite3", timeout=30) as records:
        return str(records.execute("select state from records_job where id = ?", [job]).fetchone()[0])


def test_records_that_are_locked_for_long_end_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(home) as (process, address):
        parts = _workers(process.pid) | _web(process.pid)
        records = sqlite3.connect(home / "records.sqlite3", isolation_level=None)
        records.execute("BEGIN IMMEDIATE")
        time.sleep(25)
        records.execute("ROLLBACK")
        records.close()
        assert process.poll() is None
        assert alive(parts) == parts, "none of them had to be started again"
        assert _answers(address)
        job = _look(home)
        _until(lambda: _state(home, job) == "done")


def test_whatever_part_of_a_serve_is_killed_comes_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(home) as (process, address):
        [worker] = _workers(process.pid)
        os.kill(worker, signal.SIGKILL)
        job = _look(home)
        _until(lambda: _state(home, job) == "done")
        assert worker not in _workers(process.pid)
        web = _web(process.pid)
        os.kill(max(web), signal.SIGKILL)  # one of its workers
        _until(lambda: len(_web(process.pid)) == len(web) and _web(process.pid) != web)
        assert _answers(address)
        web = _web(process.pid)
        os.kill(min(web), signal.SIGKILL)  # and the one that began them
        _until(lambda: not alive(web))
        _until(lambda: _answers(address))
        assert process.poll() is None


def test_a_part_that_dies_again_and_again_ends_a_serve(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as (process, _):
        begun = below(process.pid)
        killed: set[int] = set()
        for _ in range(4):
            _until(lambda: bool(_workers(process.pid) - killed))
            for worker in _workers(process.pid) - killed:
                os.kill(worker, signal.SIGKILL)
                killed.add(worker)
        assert process.wait(40) == 1
        assert not alive(begun)


def _open_to_others(home: Path) -> list[str]:
    """What of the secrets, letters, records and lists of an instance others on the machine could read."""
    named = ("mail", "uploads", "sheets", "jobs", "trail", "secrets", "records.sqlite3*", "secrets/*", "site.json")
    found = [path for name in named for path in home.glob(name)]
    return [path.name for path in found if path.stat().st_mode & 0o077]


def test_what_an_instance_keeps_to_itself_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(home):
        assert {"mail", "uploads", "secrets", "records.sqlite3", "records.sqlite3-wal"} <= {
            one.name for one in home.iterdir()
        }
        assert _open_to_others(home) == []
    for name in ("mail", "uploads", "sheets"):
        (home / name).mkdir(exist_ok=True)
        (home / name).chmod(0o755)
    (home / "site.json").write_text("{}")
    for name in ("site.json", "records.sqlite3"):
        (home / name).chmod(0o644)
    with serving(home):
        assert _open_to_others(home) == []


def test_the_command_line_makes_records_for_their_owner_alone(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "groundswell",
        "invite",
        "a@example.com",
        "--role",
        "leader",
        "--home",
        str(tmp_path),
    ]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "records.sqlite3").is_file()
    assert _open_to_others(tmp_path) == []


@pytest.mark.parametrize("which", [1, 4, 9, 20])
def test_tables_are_brought_up_to_date_whole_or_not_at_all(which: int, tmp_path: Path) -> None:
    def run(which: int) -> int:
        around = {**os.environ, "GROUNDSWELL_HOME": str(tmp_path)}
        return subprocess.run([sys.executable, "-c", _ENDED_AT, str(which)], env=around, check=False).returncode

    assert run(which) == -signal.SIGKILL
    with sqlite3.connect(tmp_path / "records.sqlite3") as records:
        assert records.execute("select name from sqlite_master").fetchall() == []
    assert run(0) == 0
