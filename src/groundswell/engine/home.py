"""An instance: its folder, what lies in it, and the policy in force there."""

import datetime as dt
import os
import shutil
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from groundswell.core import catalog
from groundswell.core.declare import Policy
from groundswell.engine import lake
from groundswell.engine.duckdb import Engine, start_of_next_day
from groundswell.policy.read import texts
from groundswell.records.loads import LoadFile, once, visible


class Damaged(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Something that an instance promised to keep is not there or not as it was; the message says what to do."""


def lake_path(root: Path, table: str, load: str) -> Path:
    """A lake file that must be there. Raises Damaged."""
    path = lake.file_of(root, table, load)
    if not path.is_file():
        raise Damaged(f"{path.relative_to(root.parent)} is missing. Run: groundswell doctor --rebuild")
    return path


@dataclass(frozen=True)
class Home:
    """The folder of an instance. Landings, lake, runs and records lie below it."""

    path: Path
    lake_name: str = "lake"

    @cached_property
    def policy(self) -> Policy:
        """The policy in force: the shipped files with the instance's own laid over them. Raises BadPolicy."""
        return catalog.policy(texts(self.path))

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
