"""Signals at month-ends: each as it could be known then, from the declarations of today.

What can be told from the rows of all month-ends at once comes from one pass over them; everything else is measured
month-end by month-end, by the statements of a day. Facts that were known later change no month-end before.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from groundswell.core.assess import halves_of
from groundswell.core.coverage import Ask, Coverage, Told, days_asked
from groundswell.core.declare import Measure, Policy
from groundswell.core.signals import history, shapes
from groundswell.core.signals.columns import Columns, PieceColumns, columns
from groundswell.core.signals.compile import Half, columns_read, compile_halves
from groundswell.core.signals.fiscal import Calendar
from groundswell.core.signals.history import AskNumbers, Grid, MonthEnds, Rows, Series
from groundswell.core.signals.values import Covered
from groundswell.core.signals.windows import Window


class Days(Protocol):
    """Who lays out the tables of a month-end, and answers from them."""

    @property
    def ask(self) -> Ask:
        """Rows as dicts."""

    @property
    def numbers(self) -> AskNumbers:
        """Columns as arrays, some of the rows at a time."""

    @property
    def ends(self) -> MonthEnds:
        """The month-ends."""

    @property
    def calendars(self) -> Sequence[Calendar]:
        """The fiscal calendar as each month-end knew it."""

    def once(self, table: str, columns: Collection[str]) -> Rows | None:
        """Lay the rows of a table that reach a partner at any month-end, with these columns; None where that cannot be."""

    def lay(self, at: int, only: Mapping[str, Collection[str]]) -> None:
        """Lay out `partners` of a month-end, and of these tables the rows that reach a partner, with these columns."""


@dataclass(frozen=True)
class Measured:
    """Every signal of every partner at one month-end. `partners` are sorted; columns are in their order."""

    day: dt.date
    partners: tuple[str, ...]
    values: Mapping[str, Columns]


def measured(policy: Policy, days: Days) -> Iterator[Measured]:
    """The signals of every partner at every month-end, oldest first."""
    halves = [
        {name: halves_of(name, signal, day, fiscal) for name, signal in policy.signals.items()}
        for day, fiscal in zip(days.ends.days, days.calendars, strict=True)
    ]
    read = _read(halves[0], policy)
    passes = _OnePass(policy, halves, read, days)
    for at, day in enumerate(days.ends.days):
        asked = (part for parts in halves[at].values() for part in parts)
        tables = {
            h.measure.table for h in asked if h.measure.table not in passes.told[at] or h.name not in passes.names
        }
        days.lay(at, {table: read[table] for table in tables})
        partners = tuple(sorted(str(row["partner_id"]) for row in days.ask("select partner_id from partners", {})))
        yield Measured(day, partners, _values(policy, halves[at], partners, at, passes, days))


def _read(halves: Mapping[str, list[Half]], policy: Policy) -> dict[str, set[str]]:
    """The tables and columns that the statements of any month-end read."""
    found: dict[str, set[str]] = {}
    for part in (part for parts in halves.values() for part in parts):
        found.setdefault(part.measure.table, set()).update(columns_read(part, policy.lists))
    return found


def one_pass(policy: Policy, halves: Sequence[Mapping[str, list[Half]]], table: str) -> list[Series]:
    """The halves over a table that one pass can measure at all month-ends."""
    found = []
    for name in policy.signals:
        for series in (Series(tuple(parts)) for parts in zip(*(month[name] for month in halves), strict=True)):
            first = series.halves[0]
            if first.measure.table == table and history.in_one_pass(first, policy.lists) and history.rises(series):
                found.append(series)
    return found


class _OnePass:
    """What one pass over each of the larger tables gave, asked for by month-end."""

    def __init__(
        self,
        policy: Policy,
        halves: Sequence[Mapping[str, list[Half]]],
        read: Mapping[str, Collection[str]],
        days: Days,
    ) -> None:
        self.names: set[str] = set()
        self.told: list[dict[str, Told]] = [{} for _ in days.ends.days]
        self.grids: list[Grid] = []
        for table in history.LAID:
            every = [part for parts in halves[0].values() for part in parts if part.measure.table == table]
            series = one_pass(policy, halves, table)
            if not series or (rows := days.once(table, read[table])) is None:
                continue
            columns_ = {name for part in every for name in shapes.columns(part.measure, dict(policy.lists))}
            told = _told(table, days_asked(every)[table], columns_, days)
            for mine, one in zip(self.told, told, strict=True):
                mine |= {table: one} if one else {}
            full = frozenset(columns_).intersection(*(one.full for one in told if one))
            series = [Series(tuple(replace(part, full=full) for part in one.halves)) for one in series]
            self.names |= {one.name for one in series}
            self.grids.append(history.grid(series, policy.lists, rows, days.ends, days.numbers))

    def pieces(self, at: int, partners: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
        """Pieces of every half at a month-end, in the order of these partners."""
        found = {}
        for grid in self.grids:
            order = _Order.of(np.array(grid.partners, dtype=str), np.array(partners, dtype=str))
            for half, pieces in grid.pieces.items():
                found[half] = {label: order.placed(what[:, at]) for label, what in pieces.items()}
        return found


def _told(table: str, asked: Collection[str], read: Collection[str], days: Days) -> list[Told | None]:
    """What is known of a table at each month-end; None where there is nothing, and the day itself must be asked."""
    kind, months = shapes.WORDS.get(table, ""), len(days.ends)
    counts, firsts = history.covered(table, kind, asked, read, months, days.numbers)
    found: list[Told | None] = []
    for at in range(months):
        filled: dict[str, object] = {name: int(what[at]) for name, what in counts.items()}
        rows: list[dict[str, object]] = [
            {"word": word, **{f"first_{day}": what[at].astype(dt.date) for day, what in of_word.items()}}
            for word, of_word in firsts.items()
        ]
        found.append(Told({**filled, "own_rows_": filled["rows_"]}, rows) if filled["rows_"] else None)
    return found


_NOTHING = {"f": np.nan, "M": np.datetime64("NaT"), "O": None}


@dataclass(frozen=True)
class _Order:
    """From rows of some partners to the order of others: worked out once, however many figures the rows have."""

    places: np.ndarray
    """Of each wanted partner, the row that it has; 0 where it has none."""
    there: np.ndarray

    @classmethod
    def of(cls, have: np.ndarray, want: np.ndarray) -> "_Order":
        """Both are texts; the rows that are there may be in any order."""
        if not len(have):
            return cls(np.zeros(len(want), dtype=np.int64), np.zeros(len(want), dtype=bool))
        order = np.argsort(have)
        places = order[np.searchsorted(have, want, sorter=order).clip(max=len(have) - 1)]
        return cls(places, have[places] == want)

    def placed(self, what: np.ndarray) -> np.ndarray:
        """Figures in that order; nothing (nan, NaT, None) for those who have none."""
        if not len(what):
            return np.full(len(self.places), _NOTHING[what.dtype.kind], dtype=what.dtype)
        found: np.ndarray = what[self.places]
        found[~self.there] = _NOTHING[what.dtype.kind]
        return found


def _values(
    policy: Policy, halves: Mapping[str, list[Half]], partners: tuple[str, ...], at: int, passes: _OnePass, days: Days
) -> dict[str, Columns]:
    every = [part for parts in halves.values() for part in parts]
    coverage = Coverage(every, policy.lists, days.ask, passes.told[at])
    covers = {name: [coverage.of(part) for part in parts] for name, parts in halves.items()}
    available = {name: not any(one.missing for one in found) for name, found in covers.items()}
    asked = [
        coverage.filled(h)
        for name, parts in halves.items()
        if available[name]
        for h in parts
        if h.name not in passes.names
    ]
    pieces, names = passes.pieces(at, partners), np.array(partners, dtype=str)
    for query in compile_halves(asked, policy.lists):
        rows = history.whole(days.numbers(query.sql, query.parameters))
        order = _Order.of(rows["partner_id"].astype(str), names)
        for name in query.halves:
            prefix = f"{name}__"
            mine = {label.removeprefix(prefix): what for label, what in rows.items() if label.startswith(prefix)}
            pieces.setdefault(name, {}).update({label: order.placed(what) for label, what in mine.items()})
    found = {}
    for name, signal in policy.signals.items():
        parts: list[tuple[Measure, Window, PieceColumns, Covered]] = [
            (h.measure, h.window, pieces.get(h.name, {}), c) for h, c in zip(halves[name], covers[name], strict=True)
        ]
        found[name] = columns(signal, parts, len(partners))
    return found
