"""`groundswell serve`, killed; and tables that are brought up to date, ended half way."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
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


def test_nothing_outlives_a_serve_that_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as (process, _):
        begun = below(process.pid)
        assert len(begun) >= 4, "web, its two workers, and the worker of jobs"
        os.kill(process.pid, signal.SIGKILL)
        until = time.monotonic() + 40
        while (left := alive(begun)) and time.monotonic() < until:
            time.sleep(0.2)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left


@pytest.mark.parametrize("which", [1, 4, 9, 20])
def test_tables_are_brought_up_to_date_whole_or_not_at_all(which: int, tmp_path: Path) -> None:
    def run(which: int) -> int:
        around = {**os.environ, "GROUNDSWELL_HOME": str(tmp_path)}
        return subprocess.run([sys.executable, "-c", _ENDED_AT, str(which)], env=around, check=False).returncode

    assert run(which) == -signal.SIGKILL
    with sqlite3.connect(tmp_path / "records.sqlite3") as records:
        assert records.execute("select name from sqlite_master").fetchall() == []
    assert run(0) == 0
