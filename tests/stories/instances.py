"""Further instances beside a test's own, and what two instances that know the same must have in common."""

import datetime as dt
import functools
import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pyarrow as pa
from django.core.management import call_command
from django.db import connections
from tests.river import results

from groundswell.core.tables.contract import TABLES
from groundswell.engine import lake
from groundswell.engine.home import Home
from groundswell.records.loads import Load
from groundswell.records.runs import Run

ARRIVAL = frozenset({"known_at", "load_id", "landing", "line", "known_by"})
"""Columns that say how and when a fact came, not what it is."""


@contextmanager
def instance(path: Path) -> Iterator[Home]:
    """A new, empty instance in this folder; inside the block the records of this process are its own."""
    path.mkdir(parents=True)
    (path / "records.sqlite3").write_bytes(_empty())
    before = connections["default"].settings_dict["NAME"]
    _connect(path / "records.sqlite3")
    try:
        yield Home(path)
    finally:
        _connect(before)


def beside(home: Home, name: str) -> AbstractContextManager[Home]:
    """A second, empty instance beside this one."""
    return instance(home.path.parent / name)


def become(home: Home, other: Path) -> Home:
    """Make an instance a copy of another one's folder."""
    connections["default"].close()
    shutil.rmtree(home.path)
    shutil.copytree(other, home.path)
    return Home(home.path)


def _connect(path: object) -> None:
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = str(path)


@functools.cache
def _empty() -> bytes:
    """A migrated, empty database."""
    with tempfile.TemporaryDirectory() as folder:
        before = connections["default"].settings_dict["NAME"]
        _connect(Path(folder) / "records.sqlite3")
        try:
            for first in (["records"], []):  # tables of libraries refer to our people
                call_command("migrate", *first, verbosity=0, interactive=False)
        finally:
            _connect(before)
        with sqlite3.connect(Path(folder) / "records.sqlite3") as records:
            records.execute("pragma wal_checkpoint(truncate)")
        return (Path(folder) / "records.sqlite3").read_bytes()


def facts(home: Home, as_of: str) -> dict[str, pa.Table]:
    """Every canonical table as of a day, business columns only, in an order of its own."""
    left_out = ", ".join(sorted(ARRIVAL))
    with home.day(dt.date.fromisoformat(as_of)) as engine:
        return {name: engine.arrow(f"select * exclude ({left_out}) from {name}_now order by all") for name in TABLES}


def differing(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> dict[str, tuple[list[str], list[str]]]:
    """The tables that are not equal, each with the rows that only the one and only the other has."""
    found = {}
    for name in one.keys() | other.keys():
        if not one[name].equals(other[name]):
            ours, theirs = ([str(row) for row in side[name].to_pylist()] for side in (one, other))
            only = ([row for row in ours if row not in theirs][:5], [row for row in theirs if row not in ours][:5])
            found[name] = only if any(only) else (ours[:5], theirs[:5])
    return found


def judged(home: Home, run: Run) -> dict[str, dict[str, object]]:
    """What a run says of every partner, apart from which load and line brought it."""
    return {
        partner: {name: said for name, said in result.items() if name not in ARRIVAL}
        for partner, result in results(home, run).items()
    }


def run_files(home: Home, run: Run) -> dict[str, str]:
    """The hash of every file in the folder of a run."""
    folder = home.path / "runs" / run.run_id
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lake_files(home: Home) -> dict[tuple[str, str], str]:
    """(load, table) -> hash of the lake file that the committed loads of the ledger name, as it lies on the disk."""
    return {
        (load.name, file.table): hashlib.sha256(lake.file_of(home.lake, file.table, load.name).read_bytes()).hexdigest()
        for load in Load.objects.filter(state="committed")
        for file in load.files.all()
    }
