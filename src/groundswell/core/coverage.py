"""What sources can say by a day: which columns and kinds of rows any of them brings, and since when."""

from collections.abc import Callable, Mapping

from groundswell.core.declare import Measure
from groundswell.core.signals import shapes
from groundswell.core.signals.compile import Half, Lists
from groundswell.core.signals.values import Covered
from groundswell.core.tables import views

Ask = Callable[[str, Mapping[str, object]], list[dict[str, object]]]
"""Runs one SQL statement with named parameters over the tables of the day; rows as dicts."""
Firsts = dict[str, dict[tuple[str, frozenset[str]], str]]
"""Table -> day column and types of rows -> name of their first day in the answer."""


def firsts(halves: list[Half], lists: Lists) -> Firsts:
    """The first days that the halves want to know of each table."""
    found: Firsts = {}
    for part in halves:
        keys = found.setdefault(part.measure.table, {})
        keys.setdefault((part.measure.on, words_of(part.measure, lists)), f"first_{len(keys)}")
    return found


def words_of(measure: Measure, lists: Lists) -> frozenset[str]:
    """The types of activity that a measure counts; none where it counts every row."""
    where = shapes.condition(measure, dict(lists))
    return where.words("type") if where and measure.table == "activities" else frozenset()


class Coverage:
    """Which columns and kinds of rows any source brings by the day; each table is asked once for all its halves.

    `told` is the answer for tables that need not be asked: {table: columns of the one row that `_asked` gives}.
    """

    def __init__(
        self, halves: list[Half], lists: Lists, ask: Ask, told: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        self.lists = dict(lists)
        self.firsts = firsts(halves, lists)
        told = told or {}
        self.counts = {
            table: dict(told[table]) if table in told else self._asked(table, keys, ask)
            for table, keys in self.firsts.items()
        }

    @staticmethod
    def _asked(table: str, keys: Mapping[tuple[str, frozenset[str]], str], ask: Ask) -> dict[str, object]:
        readable = [name for name in shapes.kinds(table) if name not in shapes.personal(table)]
        names: dict[str, object] = {}
        said = [f"count({name}) as {name}" for name in readable]
        for (on, words), first in keys.items():
            listed = {f"{first}_{i}": word for i, word in enumerate(sorted(words))}
            names |= listed
            kept = f"case when type in ({', '.join('$' + name for name in listed)}) then {on} end" if words else on
            said.append(f"min({kept}) as {first}")
        found = ask(f"select count(*) as rows_, {', '.join(said)} from {table}_of_partners", names)[0]
        own = found["rows_"] or ask(f"select count(*) as n from {table}_now", {})[0]["n"]
        return found | {"own_rows_": own}

    def of(self, part: Half) -> Covered:
        """What can be said about one half: its first day with a fact, or what no source brings."""
        measure = part.measure
        counts = self.counts[measure.table]
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
        words = words_of(measure, self.lists)
        first = counts[self.firsts[measure.table][measure.on, words]]
        if first is None and words:
            return Covered(None, (f"activities of type {' or '.join(sorted(words))}",))
        return Covered(first)  # type: ignore[arg-type]
