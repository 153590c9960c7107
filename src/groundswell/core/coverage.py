"""What sources can say by a day: which columns and kinds of rows any of them brings, and since when."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

from groundswell.core.declare import Measure
from groundswell.core.signals import shapes
from groundswell.core.signals.compile import Half, Lists
from groundswell.core.signals.values import Covered
from groundswell.core.tables import views

Ask = Callable[[str, Mapping[str, object]], list[dict[str, object]]]
"""Runs one SQL statement with named parameters over the tables of the day; rows as dicts."""


def _read(halves: Iterable[Half], lists: Lists) -> dict[str, set[str]]:
    """The columns that halves read, by table."""
    read: dict[str, set[str]] = {}
    for part in halves:
        read.setdefault(part.measure.table, set()).update(shapes.columns(part.measure, dict(lists)))
    return read


def days_asked(halves: Iterable[Half]) -> dict[str, set[str]]:
    """The date columns that halves look at, by table."""
    days: dict[str, set[str]] = {}
    for part in halves:
        days.setdefault(part.measure.table, set()).add(part.measure.on)
    return days


@dataclass(frozen=True)
class Told:
    """What is known of a table by a day: filled cells by column with `rows_` and `own_rows_`; first days by kind of row."""

    counts: Mapping[str, object]
    firsts: Sequence[Mapping[str, object]]
    """For each kind of rows, that kind as `word` and the first day of each date column, `first_<column>`."""

    @cached_property
    def full(self) -> frozenset[str]:
        """The columns, of those that are read, that every row fills."""
        return frozenset(name for name, count in self.counts.items() if count == self.counts["rows_"])


class Coverage:
    """Which columns and kinds of rows any source brings by the day; each table is asked once for all its halves.

    `told` is the answer for tables that need not be asked.
    """

    def __init__(self, halves: list[Half], lists: Lists, ask: Ask, told: Mapping[str, Told] | None = None) -> None:
        self.lists = dict(lists)
        self.told = dict(told or {})
        read = _read(halves, lists)
        for table, ons in days_asked(halves).items():
            if table not in self.told:
                self.told[table] = self._asked(table, sorted(read[table]), sorted(ons), ask)

    def _words(self, measure: Measure) -> tuple[frozenset[str], ...]:
        """The kinds of rows that a measure counts, none where it counts every row; then those of what must follow."""
        where, column = shapes.condition(measure, self.lists), shapes.WORDS.get(measure.table, "")
        counted = where.words(column) if where and column else frozenset()
        if not (measure.followed_by and column):
            return (counted,)
        return counted, shapes.following(measure, self.lists).words(column)

    def _asked(self, table: str, read: list[str], days: list[str], ask: Ask) -> Told:
        """One statement a table: rows, filled cells of each column that is read, first days; by kind where it has kinds."""
        said = [f"count({name}) as {name}" for name in read] + [f"min({day}) as first_{day}" for day in days]
        kind = shapes.WORDS.get(table)
        grouped = f" group by {kind}" if kind else ""
        word = kind or "cast(null as varchar)"
        found = ask(
            f"select {word} as word, count(*) as rows_, {', '.join(said)} from {table}_of_partners{grouped}", {}
        )
        counts: dict[str, object] = {name: sum(cast(int, row[name]) for row in found) for name in ("rows_", *read)}
        own = counts["rows_"] or ask(f"select count(*) as n from {table}_now", {})[0]["n"]
        return Told(counts | {"own_rows_": own}, found)

    def _first(self, table: str, day: str, words: frozenset[str]) -> dt.date | None:
        found = [row[f"first_{day}"] for row in self.told[table].firsts if not words or row["word"] in words]
        return min((first for first in found if isinstance(first, dt.date)), default=None)

    def filled(self, part: Half) -> Half:
        """A half that knows which columns no row leaves empty."""
        return replace(part, full=self.told[part.measure.table].full)

    def of(self, part: Half) -> Covered:
        """What can be said about one half: its first day with a fact, or what no source brings."""
        measure = part.measure
        counts = self.told[measure.table].counts
        if not counts["rows_"]:
            reached = [name for name in views.REACH[measure.table] if counts["own_rows_"]]
            return Covered(None, tuple(reached) or (measure.table,))
        derived = views.DERIVED.get(measure.table, {})
        empty = [name for name in sorted(shapes.columns(measure, self.lists)) if not counts[name]]
        missing = sorted(
            {c for name in empty for c in (derived[name][1] if name in derived else [f"{measure.table}.{name}"])}
        )
        if missing:
            return Covered(None, tuple(missing))
        firsts = []
        for words in self._words(measure):
            first = self._first(measure.table, measure.on, words)
            if first is None and words:
                kind = shapes.WORDS[measure.table]
                return Covered(None, (f"{measure.table} of {kind} {' or '.join(sorted(words))}",))
            firsts.append(first)
        known = [first for first in firsts if first]
        return Covered(max(known) if len(known) == len(firsts) else None)
