"""The river in words that tests share: take in, assess, read; and the command line as its users run it."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

from groundswell.engine.home import Home
from groundswell.reads.tables import rows_of
from groundswell.records.loads import Load
from groundswell.records.runs import Run
from groundswell.runs import assess as runs
from groundswell.runs.prepare import Request
from groundswell.runs.take_in import take_in as _take_in

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
EXAMPLES = Path(__file__).parents[1] / "examples"


def take_in(home: Home, path: Path, exported_at: str = "", now: dt.datetime = NOW, **asked: object) -> Load:
    """Take in one file; `exported_at` is a day or an instant in UTC."""
    moment = dt.datetime.fromisoformat(exported_at).replace(tzinfo=dt.UTC) if exported_at else None
    return _take_in(home, path, Request(exported_at=moment, **asked), now)  # type: ignore[arg-type]


def take_in_text(
    home: Home, name: str, text: str, exported_at: str = "", now: dt.datetime = NOW, **asked: object
) -> Load:
    """Take in a file of this name with this text."""
    folder = home.path.parent / "files"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode())
    return take_in(home, folder / name, exported_at, now, **asked)


def assess(home: Home, as_of: str, now: dt.datetime = NOW) -> Run:
    """Assess as of a day and publish."""
    return runs.run(home, dt.date.fromisoformat(as_of), now)


def table(home: Home, name: str, as_of: str) -> list[dict[str, str]]:
    """A canonical table as of a day; every cell is text, unknown is the empty one."""
    headers, rows = rows_of(home, name, dt.date.fromisoformat(as_of))
    return [dict(zip(headers, row, strict=True)) for row in rows]


def results(home: Home, run: Run) -> dict[str, dict[str, object]]:
    """What was published of each partner, by its source's id."""
    return {row.external_id: row.result for row in run.partners.all()}


def command(home: Path, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run `groundswell` in a process of its own, as a user does."""
    environment = {**os.environ, "GROUNDSWELL_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "groundswell", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
