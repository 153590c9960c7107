"""Trying how a file would be read on a few of its rows: nothing is loaded, nothing is kept, no lock is held."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from groundswell.connectors.files import archive
from groundswell.connectors.files.read import Batch, Broken, Refused, Tail
from groundswell.connectors.files.stage import Stager
from groundswell.core.tables.contract import TABLES
from groundswell.engine.home import Home
from groundswell.runs.prepare import Request, batches_of, named_mappings, prepare
from groundswell.runs.take_in import stager_of


@dataclass(frozen=True)
class Made:
    """A row of a canonical table, in words: `id` is that of the source, refers to others are their ids there."""

    table: str
    mention: bool
    id: str
    columns: dict[str, str]
    """Column -> value, "" where it is unknown; only columns that the file fills."""


@dataclass(frozen=True)
class Tried:
    """One row of the file: its cells, and what it becomes, or why it would be set aside."""

    line: int
    cells: dict[str, str]
    rows: tuple[Made, ...] = ()
    aside: Broken | None = None
    notes: tuple[str, ...] = ()
    """What was read otherwise than it stands: a word outside its list, a lookup without a hit."""


@dataclass(frozen=True)
class Trial:
    """Some rows of a file as a mapping or format reads them. `absent`: lines on which no row begins."""

    source: str
    format: str
    tried: tuple[Tried, ...]
    absent: tuple[int, ...]


def trial(home: Home, path: Path, request: Request, lines: frozenset[int]) -> Trial:
    """What the rows on these lines would become. The whole file is looked at, since it decides how columns are read.

    Rows that must agree with others of the file are not compared with them. Raises Refused, Asked, BadPolicy as
    `take_in` does.
    """
    if not path.is_file():
        raise Refused("there is no such file")
    if archive.is_archive(path):
        raise Refused("it is an archive; unpack it and try a file of it")
    work = prepare(home, path, path.name, path.parent, named_mappings(home, request), request, trial=True)
    tried: list[Tried] = []
    for batch in batches_of(work.found, path, dict(home.policy.instance.limits), Tail()):
        tried += [Tried(row.line, {"": row.text}, aside=row) for row in batch.broken if row.line in lines]
        tried += [_tried(stager_of(work), one) for one in _single(batch, lines)]
    tried.sort(key=lambda one: one.line)
    return Trial(work.source, work.found.file.name, tuple(tried), tuple(sorted(lines - {one.line for one in tried})))


def _single(batch: Batch, lines: frozenset[int]) -> Iterator[Batch]:
    """Each of the wanted rows as a batch of its own: a row that repeats what another mentions is shown in full."""
    for place, line in enumerate(batch.lines):
        if line in lines:
            yield Batch(batch.headers, [line], {name: cells.slice(place, 1) for name, cells in batch.columns.items()})


def _tried(stager: Stager, batch: Batch) -> Tried:
    tables, broken = stager.stage(batch)
    cells = {header: batch.columns[header][0].as_py() for header in batch.headers}
    said = {own: text for known in stager.ids.values() for text, own in known.items() if text is not None and own}
    made = tuple(_made(name, row, said) for name, table in tables.items() for row in _rows(table))
    return Tried(batch.lines[0], cells, made, next(iter(broken), None), tuple(stager.notes))


def _rows(table: pa.Table) -> list[dict[str, object]]:
    return list(table.to_pylist())


_TIMES = ("occurred_on", "occurred_at", "known_at", "changed_at")


def _made(name: str, row: dict[str, object], said: dict[str, str]) -> Made:
    contract = TABLES[name]
    columns = {}
    for column in (*contract.names, *_TIMES):
        if column in row:
            value = row[column]
            refers = column in contract.names and contract.column(column).refers
            columns[column] = said.get(str(value), str(value)) if refers and value is not None else _text(value)
    if row["deleted"]:
        columns["deleted"] = "true"
    return Made(name, bool(row["mention"]), str(row["external_id"] or ""), columns)


def _text(value: object) -> str:
    """A typed value as people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)
