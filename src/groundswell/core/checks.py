"""Taking a policy document apart key by key, and collecting everything that is wrong with it.

All faults of all files are told at once, each with file, line, key, what is wrong and what to write instead.
"""

import datetime as dt
from collections.abc import Mapping
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from groundswell.core.declare import Origin, fraction
from groundswell.policy.read import Document


class Keys:
    """One table of a document. What is asked for is taken; what is left over is a fault.

    Every `take` answers with something of the right type even when the file is wrong, and notes the fault, so that one
    pass finds all faults.
    """

    def __init__(
        self, document: Document, faults: list[str], data: Mapping[str, Any] | None = None, *path: str
    ) -> None:
        self.document = document
        self.faults = faults
        self.data = dict(document.data if data is None else data)
        self.path = path
        self.asked: list[str] = []

    def fault(self, key: str, what: str) -> None:
        """Note a fault of a key of this table."""
        self.fault_at((*self.path, key), what)

    def fault_at(self, place: tuple[str, ...], what: str) -> None:
        """Note a fault of a key anywhere in the document."""
        self.faults.append(f"{self.document.path}:{self.document.line(*place)} {place[-1]}: {what}")

    def has(self, key: str) -> bool:
        """Whether the file gives the key."""
        return key in self.data

    def text(self, key: str, default: str | None = None, words: tuple[str, ...] = ()) -> str:
        """A text; required without a default; one of `words` when they are given."""
        value = self._take(key, default)
        if not isinstance(value, str):
            if value is not None:
                self.fault(key, f"{value!r} is not a text")
            return default or ""
        if words and value not in words and value != default:
            self.fault(key, f"'{value}' is not one of {', '.join(words)}{_meant(value, words)}")
        return value

    def number(self, key: str, default: Fraction | int | None = None) -> Fraction:
        """An exact number; required without a default."""
        value = self._take(key, default)
        try:
            return value if isinstance(value, Fraction) else fraction(value)
        except (ValueError, ZeroDivisionError):
            if value is not None:
                self.fault(key, f"{value!r} is not a number")
            return Fraction(default or 0)

    def whole(self, key: str, least: int, most: int) -> int:
        """A whole number, both ends included; required."""
        before = len(self.faults)
        number = self.number(key)
        if len(self.faults) == before and (number.denominator != 1 or not least <= number <= most):
            self.fault(key, f"{self.data[key]} is not a whole number from {least} to {most}")
        return int(number)

    def day(self, key: str) -> dt.date:
        """A day; required."""
        value = self._take(key, None)
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        if value is not None:
            self.fault(key, f"{value!r} is not a day; write 2026-01-31 without quotes")
        return dt.date.min

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty when it is left out."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(key, "is a list of texts in quotes")
            return ()
        return tuple(value)

    def pairs(self, key: str) -> tuple[tuple[Any, Any], ...]:
        """A list of pairs, empty when it is left out."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, list) and len(item) == 2 for item in value):
            self.fault(key, "is a list of pairs: [[0, 0], [1, 40]]")
            return ()
        return tuple((first, second) for first, second in value)

    def bands(self, key: str) -> tuple[tuple[str, Fraction], ...]:
        """Names of half-open bands, each with the number it begins at, in rising order from 0; required."""
        before = len(self.faults)
        found = []
        for name, start in self.pairs(key):
            try:
                found.append((str(name), fraction(start)))
            except ValueError as error:
                self.fault(key, str(error))
        starts = [start for _, start in found]
        if len(self.faults) == before and (not starts or starts[0] != 0 or starts != sorted(set(starts))):
            self.fault(key, 'write the names of the bands in rising order from 0: [["none", 0], ["high", 80]]')
        return tuple(found) or (("none", Fraction(0)),)

    def table(self, key: str) -> "Keys | None":
        """A table below this one, or None when it is left out."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            self.fault(key, "is a table")
            return None
        return Keys(self.document, self.faults, value, *self.path, key) if value else None

    def tables(self, key: str) -> list["Keys"]:
        """A list of tables, empty when it is left out."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(key, f"is a list of tables: [[{key}]]")
            return []
        return [Keys(self.document, self.faults, v, *self.path, key, str(i)) for i, v in enumerate(value)]

    def rest(self) -> dict[str, Any]:
        """Every key not yet asked for."""
        left = {key: value for key, value in self.data.items() if key not in self.asked}
        self.asked += left
        return left

    def done(self) -> None:
        """Say that nothing else may stand in this table."""
        for key in self.data:
            if key not in self.asked:
                self.fault(key, f"key '{key}' is not known here{_meant(key, tuple(self.asked)) or '.'}")

    def origin(self) -> Origin:
        """why, source and since, which every file of policy must give."""
        return Origin(self.document.path, self.text("why"), self.text("source"), self.day("since"), self.document.own)

    def _take(self, key: str, default: Any) -> Any:
        self.asked.append(key)
        if key not in self.data and default is None:
            self.fault(key, "is required")
        return self.data.get(key, default)


def _meant(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    return f". Did you mean '{close[0]}'?" if close else ""
