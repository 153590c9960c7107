"""Signals at month-ends: measured once, kept, and taken from there while nothing that they rest on changes.

What a month-end knew rests on the versions known by then and on the declarations of signals. Both are hashed into the
name of the file that keeps it, so a late export that dates itself, a load taken back or a changed signal measures again
just the months that it touches; a new month costs one month.
"""

import datetime as dt
import hashlib
import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from groundswell import __version__
from groundswell.core import history
from groundswell.core.coverage import Ask
from groundswell.core.declare import Policy
from groundswell.core.history import Measured
from groundswell.core.signals import laid_once
from groundswell.core.signals.columns import Columns
from groundswell.core.signals.fiscal import Calendar, calendar
from groundswell.core.signals.history import TABLE, AskNumbers, MonthEnds, Rows, month_ends
from groundswell.core.tables import views
from groundswell.engine import durable
from groundswell.engine.duckdb import AtOnce, Engine
from groundswell.engine.home import Home
from groundswell.engine.lake import known_between
from groundswell.records.loads import once


@dataclass(frozen=True)
class _Laid:
    """The tables of month-ends, laid out by the engine one after the other."""

    ask: Ask
    numbers: AskNumbers
    ends: MonthEnds
    calendars: Sequence[Calendar]
    shared: AtOnce
    engine: Engine
    policy: Policy
    paths: Sequence[Mapping[str, list[Path]]]
    repeated: Sequence[Collection[str]]
    """Of each month-end, the tables of which no key comes twice in the files."""
    at_once: dict[str, Rows | None] = field(default_factory=dict)
    """The rows of a table that was laid once for all month-ends; None: it could not be."""

    def once(self, table: str, columns: Collection[str]) -> Rows | None:
        """Lay the rows of a table that reach a partner at any month-end, with these columns; None where that cannot be, and
        for a month-end alone: as a day it costs a third less.
        """
        if len(self.ends) == 1:
            return None
        if table not in self.at_once:
            single = self._laid_once(table, columns)
            parts = self.shared.parts if table == TABLE else ()
            self.at_once[table] = None if single is None else Rows(table, self.shared.partners, single, parts)
        return self.at_once[table]

    def _laid_once(self, table: str, columns: Collection[str]) -> bool | None:
        """Whether each thing is one row; None where the table cannot be read at once: a load taken back may stand at some."""
        if table == TABLE:
            return None if len({tuple(one.get(TABLE, ())) for one in self.paths}) > 1 else False
        if not laid_once.columns_laid(table).issuperset(columns):
            return None
        return self.engine.lay_once(table, self.ends, self.policy.instance, self.paths, self.repeated, columns)

    def lay(self, at: int, only: Mapping[str, Collection[str]]) -> None:
        """Lay out `partners` of a month-end, and of these tables the rows that reach a partner, with these columns."""
        day, instance, files = self.ends.days[at], self.policy.instance, self.paths[at]
        for name in only:
            if name in laid_once.NEEDED:
                self.once(name, only[name])
        standing = {name for name in laid_once.NEEDED if self.at_once.get(name)}
        for name in standing:
            self.engine.stand(name, only.get(name, ()), at, day, instance)
        asked = {name: only[name] for name in only if name not in standing}
        behind = views.tables_behind(map(views.REACHING.__getitem__, asked), standing)[1]
        if self.shared.alone and "organisations" not in behind:
            files = {**files, "organisations": [self.shared.alone]}
        self.engine.day(day, instance, files, self.repeated[at], asked, standing)


def kept(home: Home, as_of: dt.date) -> dict[dt.date, Path]:
    """Where each month-end before a day is kept, oldest first; those at which nothing was known are left out."""
    count = home.policy.instance.limits["history_months"]
    days = month_ends(as_of - dt.timedelta(days=1), count)
    return {day: _path(home, day, known) for day in days if (known := _known(home, day))}


def months(home: Home, places: Mapping[dt.date, Path]) -> list[Callable[[], Measured]]:
    """What reads the signals of every partner at each of these month-ends: those that are not kept are measured first."""
    if missing := [day for day, path in places.items() if not path.is_file()]:
        for one in _measure(home, missing):
            _keep(one, places[one.day])
    return [partial(_read, home.policy, day, path) for day, path in places.items()]


def _known(home: Home, day: dt.date) -> list[list[object]]:
    """The lake files that hold anything known by the end of a day: what its month-end rests on."""
    cut = home.cut(day)
    files = [(file, home.paths([file])[file.table][0]) for file in home.files(cut)]
    return [
        [file.table, file.load.name, file.sha256]
        for file, path in files
        if (first := known_between(path)[0]) is None or first < cut
    ]


def _path(home: Home, day: dt.date, known: list[list[object]]) -> Path:
    declared = {path: text for path, text in home.policy.files.items() if _decides(path)}
    rests_on = [day.isoformat(), __version__, sorted(declared.items()), known]
    name = hashlib.sha256(json.dumps(rests_on).encode()).hexdigest()
    return home.path / "history" / f"{day}-{name[:24]}.parquet"


def _decides(path: str) -> bool:
    """Whether a file of policy decides what signals measure; scores, segments and bounds do not."""
    return path.split("/", 1)[-1].split("/")[0] in ("signals", "lists", "instance.toml", "sources.toml")


def _measure(home: Home, days: Sequence[dt.date]) -> Iterator[Measured]:
    policy = home.policy
    ends = MonthEnds(tuple(days), tuple(home.cut(day) for day in days))
    files = [home.files(cut) for cut in ends.cuts]
    paths, repeated = [home.paths(one) for one in files], [once(one) for one in files]
    with home.engine() as engine:
        shared = engine.stretches(ends, policy.instance, paths, repeated)
        own = policy.instance
        calendars = [calendar(own.fiscal_first_month, own.fiscal_calendar, one) for one in shared.periods]
        laid = _Laid(engine.ask, engine.numbers, ends, calendars, shared, engine, policy, paths, repeated)
        yield from history.measured(policy, laid)


def _keep(month: Measured, path: Path) -> None:
    """Write what a month-end knew, and take away what it was before."""
    columns: dict[str, pa.Array] = {"partner_id": pa.array(month.partners, pa.string())}
    for name, what in month.values.items():
        if not what.available:
            continue
        columns[f"{name}__applies"] = pa.array(what.applies)
        for end, ends, rounded in zip(("low", "high"), (what.low, what.high), what.rounded, strict=True):
            columns[f"{name}__{end}"] = _stored(ends)
            if rounded is not None:
                columns[f"{name}__{end}_rounded"] = pa.array(rounded)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    for old in path.parent.glob(f"{month.day}-*.parquet"):
        old.unlink()
    durable.write(path, sink.getvalue().to_pybytes())


def _stored(ends: np.ndarray) -> pa.Array:
    return pa.array(ends.tolist() if ends.dtype == object else ends, from_pandas=ends.dtype != object)


def _read(policy: Policy, day: dt.date, path: Path) -> Measured:
    rows = pq.read_table(path)
    partners = tuple(map(sys.intern, rows.column("partner_id").to_pylist()))  # the same ones at every month-end
    values = {}
    for name in policy.signals:
        if f"{name}__low" not in rows.column_names:
            values[name] = Columns.open(len(partners), available=False)
            continue
        low, high = (_ends(rows.column(f"{name}__{end}")) for end in ("low", "high"))
        rounded = [f"{name}__{end}_rounded" for end in ("low", "high")]
        kept = [np.asarray(rows.column(one), dtype=bool) if one in rows.column_names else None for one in rounded]
        applies = np.asarray(rows.column(f"{name}__applies"), dtype=bool)
        values[name] = Columns(low, high, applies, rounded=(kept[0], kept[1]))
    return Measured(day, partners, values)


def _ends(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_floating(column.type):
        return np.array(column.to_numpy())
    return np.array(column.to_pylist(), dtype=object)
