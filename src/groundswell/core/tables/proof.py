"""Putting together what the cells of a file prove about its columns, and asking where they prove nothing.

Source of the rule: a column is typed as a whole; proof in one column decides the columns of the same shape in that
file; two proofs that conflict ask; if nothing decides, the source's locale; if there is none, ask.
"""

import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from babel import Locale, UnknownLocaleError

from groundswell.core.tables.cells import date_proof, decimal_proof, floats

_SAMPLES = 3


@dataclass
class Proof:
    """What the cells of one column have shown so far. `asks` keeps the first cell that can be read two ways.

    For a column of moments (`moments`), `floating` keeps the first time that names no zone.
    """

    kind: str
    moments: bool = False
    floating: str = ""
    orders: dict[str, str] = field(default_factory=dict)
    """order -> the cell that proves it, for dates; decimal sign -> the cell, for numbers."""
    shape: str = ""
    asks: str = ""
    samples: list[str] = field(default_factory=list)
    """The first distinct cells that can be read two ways, to be shown with the question."""

    def look(self, cells: Iterable[str]) -> None:
        """Take in the cells of a batch; give distinct ones, the answer is the same."""
        for cell in cells:
            if self.moments and not self.floating and floats(cell):
                self.floating = cell
            if self.kind == "date":
                if found := date_proof(cell):
                    self.shape = found[0]
                    self._keep(cell, found[1], asks=not found[1])
            else:
                asks, proves = decimal_proof(cell)
                self._keep(cell, proves, asks)

    def _keep(self, cell: str, order: str, asks: bool) -> None:
        if order:
            self.orders.setdefault(order, cell)
        if asks and not self.asks:
            self.asks = cell
        if asks and len(self.samples) < _SAMPLES and cell not in self.samples:
            self.samples.append(cell)


@dataclass(frozen=True)
class Question:
    """What only a person can say, with the answers that are possible and why it is asked."""

    column: str
    text: str
    answers: tuple[str, ...]
    samples: tuple[str, ...] = ()
    """Cells that it is about."""


def settle(
    proofs: Mapping[str, Proof], answers: Mapping[str, str], locale: str
) -> tuple[dict[str, str], list[Question]]:
    """The reading of every column that needs one ("dmy", "mdy", ".", ","), and the questions that stay open."""
    settled: dict[str, str] = {}
    open_: list[Question] = []
    for header, proof in proofs.items():
        possible = ("dmy", "mdy") if proof.kind == "date" else (".", ",")
        if header in answers:
            settled[header] = answers[header]
        elif len(proof.orders) == 1:
            settled[header] = next(iter(proof.orders))
        elif len(proof.orders) == 2:
            pair = " but ".join(f"'{cell}' reads only as {order}" for order, cell in proof.orders.items())
            open_.append(
                Question(header, f"{pair}: the column contradicts itself", possible, (*proof.orders.values(),))
            )
    for header, proof in proofs.items():
        if header in settled or len(proof.orders) == 2 or not proof.asks:
            continue
        alike = {
            settled[other]
            for other, its in proofs.items()
            if other in settled and its.kind == proof.kind and its.shape == proof.shape and its.orders
        }
        reading = alike.pop() if len(alike) == 1 else _of_locale(locale, proof.kind)
        if reading:
            settled[header] = reading
        else:
            possible = ("dmy", "mdy") if proof.kind == "date" else (".", ",")
            open_.append(
                Question(
                    header, f"'{proof.asks}' can be read two ways and no cell decides", possible, (*proof.samples,)
                )
            )
    return settled, open_


def disproved(proofs: Mapping[str, Proof], answers: Mapping[str, str]) -> dict[str, tuple[str, str, str]]:
    """Answers that cells speak against: column -> (column of such a cell, the cell, the only way it can be read).

    A cell of the column itself does, and where the column proves nothing, one of a column of the same shape whose own
    answer does not stand against it.
    """
    found: dict[str, tuple[str, str, str]] = {}
    for header, proof in proofs.items():
        for order, cell in proof.orders.items():
            if header in answers and order != answers[header]:
                found[header] = (header, cell, order)
    for header, proof in proofs.items():
        if header in answers and proof.asks and not proof.orders:
            alike = [
                (other, cell, order)
                for other, its in proofs.items()
                if its.kind == proof.kind and its.shape == proof.shape and (other not in answers or other in found)
                for order, cell in its.orders.items()
            ]
            if alike and answers[header] not in {order for _, _, order in alike}:
                found[header] = alike[0]
    return found


def _of_locale(name: str, kind: str) -> str:
    if not name:
        return ""
    locale = Locale.parse(name)
    if kind != "date":
        return str(locale.number_symbols["latn"]["decimal"])
    pattern = str(locale.date_formats["short"].pattern).casefold()
    return {"dm": "dmy", "md": "mdy"}.get("".join(sorted("dm", key=pattern.find)) if pattern.find("y") else "", "")


def known_zone(name: str) -> bool:
    """Whether the name is a time zone of the tz database; `localtime` and `Factory`, which name none, are not."""
    return name in zoneinfo.available_timezones() - {"localtime", "Factory"}


def known_locale(name: str) -> bool:
    """Whether the name is a locale of CLDR, such as en_US."""
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return False
    return True
