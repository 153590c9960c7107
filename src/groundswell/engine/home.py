"""An instance: its folder, what lies in it, and the policy in force there."""

import datetime as dt
import json
import os
import re
import shutil
import zoneinfo
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from django.db import connection

from groundswell.core import catalog
from groundswell.core.declare import Policy
from groundswell.engine import lake, landings
from groundswell.engine.duckdb import Engine, start_of_next_day
from groundswell.policy.read import texts
from groundswell.records.loads import Load, LoadFile, once, visible
from groundswell.records.runs import Run

_LOAD = re.compile(r"L[0-9]{6,}")  # other names are of other programs; no load writes or reads them


class Damaged(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Something that an instance promised to keep is not there or not as it was; the message says what to do."""


def lake_path(root: Path, table: str, load: str) -> Path:
    """A lake file that must be there. Raises Damaged."""
    path = lake.file_of(root, table, load)
    if not path.is_file():
        raise Damaged(f"{path.relative_to(root.parent)} is missing. Run: groundswell doctor --rebuild")
    return path


def landing_path(home: Path, name: str, load: Load) -> Path:
    """A landing of a load, its bytes those that arrived: every use reads it whole, so it is hashed first. Raises Damaged."""
    if damage := landings.damaged(home, name):
        raise Damaged(
            f"landing {name[:12]} of {load.name} ({load.file_name}) is {damage}. Restore it from a backup, take the "
            f"file in again, or revert {load.name}."
        )
    return landings.at(home, name)


def _as_written(path: Path, name: str, run: Run) -> bool:
    """Whether a file of a run is as it was written; the manifest, which cannot hold its own hash, as the records have it."""
    if name != "manifest.json":
        return landings.digest(path) == str(run.manifest["outputs"][name])
    try:
        return bool(json.loads(path.read_bytes()) == run.manifest)
    except ValueError:
        return False


@lru_cache(maxsize=4)
def checked(found: tuple[tuple[str, str], ...]) -> Policy:
    """The policy of these texts. Checking takes a third of a second, and most runs have the texts of the run before."""
    return catalog.policy(dict(found))


@dataclass(frozen=True)
class Home:
    """The folder of an instance. Landings, lake, runs and records lie below it."""

    path: Path
    lake_name: str = "lake"

    @cached_property
    def policy(self) -> Policy:
        """The policy in force: the shipped files with the instance's own laid over them. Raises BadPolicy."""
        return checked(tuple(texts(self.path).items()))

    @property
    def lake(self) -> Path:
        """Folder of the Delta tables."""
        return self.path / self.lake_name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The home zone, which decides days."""
        return zoneinfo.ZoneInfo(self.policy.instance.home_zone)

    def today(self, now: dt.datetime) -> dt.date:
        """The day it is in the home zone."""
        return now.astimezone(self.zone).date()

    def check_ledger(self) -> None:
        """Raises Damaged where data lie here and their ledger is gone: taken for a new instance, they would be lost."""
        records = self.path / "records.sqlite3"
        written = any(self.lake.glob("*/*.parquet"))
        if not written and not any((self.path / "landings").glob("*/*")):
            return
        made = records.is_file() and Load._meta.db_table in connection.introspection.table_names()
        if made and (Load.objects.exists() or not written):  # a first file that is asked about leaves only its landing
            return
        raise Damaged(
            f"{records} is missing or empty, and landings or lake hold data that only it can name. "
            "Restore records.sqlite3 from a backup; or, to start over, name another --home."
        )

    def unknown(self) -> list[Path]:
        """Lake files of loads that the ledger has never had: it is older than the lake."""
        files = sorted(self.lake.glob("*/*.parquet"))  # before the ledger is read: a load stands there before its files
        known = {load.name for load in Load.objects.only("number")}
        return [path for path in files if _LOAD.fullmatch(path.stem) and path.stem not in known]

    def run_folder(self, run_id: str) -> Path:
        """The folder of a run."""
        return self.path / "runs" / run_id

    def damaged_outputs(self, run: Run, names: Iterable[str]) -> list[str]:
        """What is wrong with files that a run has written: path, "is missing" or "is changed", and the remedy."""
        found = []
        for name in names:
            path = self.run_folder(run.run_id) / name
            if not path.is_file():
                found.append(f"{name} is missing")
            elif not _as_written(path, name, run):
                found.append(f"{name} is changed")
        remedy = f"Remove the folder and run: groundswell assess --as-of {run.as_of}"
        return [f"runs/{run.run_id}/{one}. {remedy}" for one in found]

    def files(self, cut: dt.datetime | None = None) -> list[LoadFile]:
        """The lake files that a cut sees."""
        return visible(cut)

    def paths(self, files: list[LoadFile]) -> dict[str, list[Path]]:
        """The paths of lake files, by table."""
        found: dict[str, list[Path]] = {}
        for file in files:
            found.setdefault(file.table, []).append(lake_path(self.lake, file.table, file.load.name))
        return found

    def cut(self, as_of: dt.date) -> dt.datetime:
        """The cut of a day in the home zone."""
        return start_of_next_day(as_of, self.policy.instance.home_zone)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """An engine that spills into this instance and cleans up after itself."""
        spill = self.path / "spill" / str(os.getpid())
        spill.mkdir(parents=True, exist_ok=True)
        engine = Engine(spill)
        try:
            yield engine
        finally:
            engine.close()
            shutil.rmtree(spill, ignore_errors=True)

    @contextmanager
    def day(self, as_of: dt.date) -> Iterator[Engine]:
        """An engine with the tables of a day laid out."""
        with self.engine() as engine:
            files = self.files(self.cut(as_of))
            engine.day(as_of, self.policy.instance, self.paths(files), once(files))
            yield engine
