"""The pieces of all partners, by column, and the values that they make: equal pieces of one signal make one value."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import cast

from groundswell.core.coverage import Ask
from groundswell.core.declare import Signal, Value
from groundswell.core.signals.compile import Half, Lists, compile_halves
from groundswell.core.signals.values import Covered, value


@dataclass(frozen=True)
class _Asked:
    """What one statement gave of one half."""

    places: Sequence[int]
    """Of each partner the place of its row; -1 where it has none."""
    labels: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    """Of each row the pieces, in the order of `labels`."""

    def each(self) -> Iterator[tuple[object, ...] | None]:
        """The pieces of every partner; None where it has no row."""
        rows = self.rows
        return (rows[place] if place >= 0 else None for place in self.places)


class Pieces:
    """The pieces of halves from as few statements as read least, kept by column: as dicts they would take ten times the room."""

    def __init__(self, halves: Iterable[Half], lists: Lists, partners: Sequence[str], ask: Ask) -> None:
        self._count = len(partners)
        self._found: dict[str, list[_Asked]] = {}
        at = {partner: place for place, partner in enumerate(partners)}
        for query in compile_halves(halves, lists):
            rows = ask(query.sql, query.parameters)
            places = array("l", [-1]) * len(partners)
            for place, row in enumerate(rows):
                if (one := at.get(str(row["partner_id"]))) is not None:
                    places[one] = place
            for half in query.halves if rows else ():
                names = [name for name in rows[0] if name.startswith(f"{half}__")]
                labels = tuple(name.rpartition("__")[2] for name in names)
                cells = list(zip(*([row[name] for row in rows] for name in names), strict=True))
                self._found.setdefault(half, []).append(_Asked(places, labels, cells))

    def values(self, signal: Signal, halves: Sequence[Half], covers: Sequence[Covered]) -> list[Value]:
        """The value of a signal for every partner, in their order."""
        asked = [(place, one) for place, half in enumerate(halves) for one in self._found.get(half.name, ())]

        def of(cells: tuple[tuple[object, ...] | None, ...]) -> Value:
            pieces: list[dict[str, object]] = [{} for _ in halves]
            for (place, one), row in zip(asked, cells, strict=True):
                pieces[place].update(zip(one.labels, row, strict=True) if row is not None else ())
            parts = zip(halves, pieces, covers, strict=True)
            return value(signal, [(half.measure, half.window, mine or None, covered) for half, mine, covered in parts])

        made: dict[tuple[tuple[object, ...] | None, ...], Value] = {}
        found = []
        for cells in zip(*(one.each() for _, one in asked), strict=True) if asked else repeat((), self._count):
            if (one_ := made.get(cells)) is None:
                one_ = made[cells] = of(cells)
            found.append(one_)
        return found


class Values(Mapping[str, Value]):
    """The signals of one partner, by name. As a dict each partner would hold the names anew."""

    __slots__ = ("_cells", "_places")

    def __init__(self, places: Mapping[str, int], cells: Sequence[Value]) -> None:
        self._places, self._cells = places, cells

    def __getitem__(self, name: str) -> Value:
        return self._cells[self._places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def of_each(columns: Mapping[str, Sequence[Value]], count: int) -> list[Mapping[str, Value]]:
    """The signals of each of so many partners, of what each signal is for all of them."""
    places = {name: at for at, name in enumerate(columns)}
    rows = zip(*columns.values(), strict=True) if columns else cast("Iterable[tuple[Value, ...]]", repeat((), count))
    return [Values(places, row) for row in rows]
