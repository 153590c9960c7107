"""Removing what pages left behind: files that were handed over and nobody needs any more, and sheets that were written.

Nothing of the instance is among them: bytes that were taken in are landings, and a sheet can be written again.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from groundswell.engine.home import Home
from groundswell.records import jobs as states
from groundswell.records.jobs import Job
from groundswell.runs.jobs import sheets, uploads


@dataclass(frozen=True)
class Swept:
    """How many files were removed, and their bytes."""

    uploads: int
    sheets: int
    size: int


def sweep(home: Home, now: dt.datetime) -> Swept:
    """Remove files older than `kept_days`. Those that a job waits for, works on or asks about stay, however old."""
    before = now - dt.timedelta(days=home.policy.instance.limits["kept_days"])
    needed = _needed()
    handed, written = (list(_removed(folder, before, needed)) for folder in (uploads(home.path), sheets(home.path)))
    return Swept(len(handed), len(written), sum(handed) + sum(written))


def _needed() -> set[str]:
    """The digests of files that a job may still want: none has an answer to a question that is open."""
    answered = Job.objects.filter(request__has_key="answers").values_list("request__answers", flat=True)
    wants = Job.objects.filter(state__in=(*states.OPEN, states.ASKS)).exclude(state=states.ASKS, pk__in=list(answered))
    return {str(request.get("digest", "")) for request in wants.values_list("request", flat=True)}


def _removed(folder: Path, before: dt.datetime, needed: set[str]) -> Iterator[int]:
    """Remove old files of a folder and of those in it; the size of each. A folder goes once nothing is in it.

    File by file, so that one that arrives meanwhile under the same digest stays.
    """
    for path in sorted(folder.glob("*")):
        if path.name in needed:
            continue
        for file in sorted(path.glob("*")) if path.is_dir() else [path]:
            with suppress(FileNotFoundError):  # a request that ends removes its own
                told = file.stat()
                if told.st_mtime < before.timestamp():
                    file.unlink()
                    yield told.st_size
        with suppress(OSError):  # not empty, or no folder
            path.rmdir()
