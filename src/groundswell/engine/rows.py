"""The rows that reach the partners of a run, laid out once, so that a page reads those of one partner in milliseconds.

Laying out a day costs seconds, and at five million rows a minute; of what it gives, one file a table is kept, in the
order of partners, so that a reader of one partner skips all others. They lie in `cache/<run>`: whatever is there can be
worked out anew from what the run has pinned, so nothing backs it up and anybody may remove it. Tables of another
company's data are not among them.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundswell.core.declare import Instance
from groundswell.core.signals.shapes import personal
from groundswell.core.tables.contract import WITHHELD
from groundswell.core.tables.views import REACHING
from groundswell.engine import landings
from groundswell.engine.duckdb import Engine, Unreadable, quoted
from groundswell.engine.home import Damaged, Home, lake_path
from groundswell.records.runs import Run

_KEPT = {
    **{f"{name}_of_partners": "partner_id" for name in sorted(REACHING) if name not in WITHHELD},
    "fiscal_periods_now": "starts_on",
}
"""What is kept, with its order; the calendar, because windows of signals rest on it."""
_GROUP = 20_480
"""Rows that are read or skipped together."""


def lay(home: Home, run_id: str, engine: Engine) -> None:
    """Keep the rows of a run from an engine that has its day laid out: whole or not at all."""
    final = _folder(home, run_id)
    if final.is_dir():
        return
    part = final.with_name(f".{run_id}-{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name, order in _KEPT.items():
        there = engine.arrow(f"select * from {name} limit 0").column_names
        columns = ", ".join(column for column in there if column not in _left_out(name))
        path = quoted(str(part / f"{name}.parquet"))
        engine.do(
            f"copy (select {columns} from {name} order by {order}) to {path} "
            f"(format parquet, compression zstd, row_group_size {_GROUP})"
        )
    try:
        part.rename(final)
    except OSError:  # another process was faster, and laid out the same
        shutil.rmtree(part, ignore_errors=True)


def _left_out(name: str) -> frozenset[str]:
    """Columns that nothing shows: the hash of a row, half the bytes; names of people, but for those of people itself."""
    table = name.removesuffix("_of_partners")
    return frozenset({"row_hash"}) | (personal(table) if table in REACHING and table != "people" else frozenset())


def forget(home: Home, but: str) -> None:
    """Remove what is kept of every other run."""
    for folder in (home.path / "cache").glob("*"):
        if folder.name != but:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def opened(home: Home, run: Run, instance: Instance) -> Iterator[Engine]:
    """An engine with `<table>_of_partners` of a run, laid out now where nothing is kept of it.

    Raises Damaged where a file that the run has pinned is not there or not as it was, as far as it is read: with rows
    kept, a lake file must be there; without, its content is compared too.
    """
    paths = {(table, load): lake_path(home.lake, table, load) for table, load, _ in run.manifest["files"]}
    if not _folder(home, run.run_id).is_dir():
        _lay_anew(home, run, instance, paths)
    engine = Engine(threads=1)
    try:
        for name in _KEPT:
            path = quoted(str(_folder(home, run.run_id) / f"{name}.parquet"))
            engine.do(f"create temp view {name} as select * from read_parquet({path})")
        yield engine
    except Unreadable as error:
        raise Damaged(f"cache/{run.run_id} cannot be read. Remove the folder; it is made anew.") from error
    finally:
        engine.close()


def _lay_anew(home: Home, run: Run, instance: Instance, paths: dict[tuple[str, str], Path]) -> None:
    for table, load, digest in run.manifest["files"]:
        if landings.digest(paths[table, load]) != digest:
            raise Damaged(f"lake/{table}/{load}.parquet is changed. Run: groundswell doctor --rebuild")
    by_table: dict[str, list[Path]] = {}
    for (table, _), path in paths.items():
        by_table.setdefault(table, []).append(path)
    with home.engine() as engine:
        engine.day(run.as_of, instance, by_table)
        lay(home, run.run_id, engine)


def _folder(home: Home, run_id: str) -> Path:
    return home.path / "cache" / run_id
