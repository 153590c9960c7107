"""The text of what a row map says: which input rows it takes, and what its expressions read from them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.connectors.files.mapping import Expr, RowMap, folded
from groundswell.connectors.files.read import Batch
from groundswell.connectors.files.words import Combined, Texts, coded, combined, of_one
from groundswell.core.conditions import Condition, holds
from groundswell.core.declare import Value
from groundswell.core.tables.identity import name_key, salesforce_18

Lookups = Mapping[tuple[str, str, str], Mapping[str, str]]
"""(file, on, take) -> {key: value} of the files that lookups name."""


class Cells:
    """The columns of a batch by header, each encoded once."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._coded: dict[str, Texts] = {}

    def of(self, header: str | None) -> Texts:
        """The cells under a header; empty ones where there is no such header."""
        if header is None or header not in self.batch.columns:
            return of_one(None, self.batch.size)
        if header not in self._coded:
            self._coded[header] = coded(self.batch.columns[header])
        return self._coded[header]


@dataclass
class Sight:
    """What one row map sees of a batch: the input row behind each of its rows (`places`), and its cells by header.

    `notes` counts what is worth reporting: lookups without a hit, words that were assumed.
    """

    row: RowMap
    batch: Cells
    header_of: Mapping[str, str]
    lookups: Lookups
    notes: Counter[str]
    places: np.ndarray = field(init=False)
    once: Combined | None = field(init=False, default=None)
    """For a row map that only mentions: the combinations of what it reads. Its rows are then one for each."""
    every: np.ndarray = field(init=False)
    """The places before they were narrowed to one for each combination."""
    _seen: dict[str, Texts] = field(init=False, default_factory=dict)
    _whole: bool = field(init=False, default=True)
    """Whether its rows are the rows of the batch, one for one."""

    def __post_init__(self) -> None:
        self.places = np.arange(self.batch.batch.size)
        if self.row.each:
            self._by_item()
        if self.row.only_if is not None:
            self._narrow(self._kept(self.row.only_if))
        self.every = self.places
        if self.row.mention and len(self.places):
            self._say_once()

    def cells(self, name: str) -> Texts:
        """The cells of a header (or list item), one for each row of the row map."""
        if name not in self._seen:
            column = self.batch.of(self.header_of.get(name))
            self._seen[name] = column if self._whole else column.take(self.places)
        return self._seen[name]

    def of(self, expr: Expr) -> Texts:
        """The text of an expression, one for each row of the row map."""
        return self._texts(expr, None)

    def pieces(self, expr: Expr) -> list[tuple[Expr, np.ndarray, Texts]]:
        """The same by alternative, since each is read as its own columns were proven: rows that it answers, their text."""
        rows = np.arange(len(self.places))
        if not expr.first_of:
            return [(expr, rows, self._texts(expr, None))]
        return self._alternatives(expr, rows)

    # ------------------------------------------------------------------------------------------------ which rows

    def _narrow(self, rows: np.ndarray) -> None:
        """Keep some of the rows."""
        if len(rows) < len(self.places):
            items = {name: self._seen[name].take(rows) for name in self.row.each}
            self.places, self._seen, self._whole = self.places[rows], items, False

    def _by_item(self) -> None:
        """One row for each item of a list; further lists go beside the first where they are as long as it."""
        names = list(self.row.each)
        lists = combined([self.batch.of(self.header_of.get(self.row.each[name])) for name in names])
        items: list[tuple[str | None, ...]] = []
        of_combination: list[list[int]] = []
        for cells in lists.said:
            split = [[item.strip() for item in (cell or "").split(";")] for cell in cells]
            numbers = []
            for i, item in enumerate(split[0]):
                if item:
                    numbers.append(len(items))
                    items.append(tuple(found[i] or None if len(found) == len(split[0]) else None for found in split))
            of_combination.append(numbers)
        counts = np.array([len(numbers) for numbers in of_combination], np.int64)[lists.codes]
        self.places, self._whole = np.repeat(np.arange(len(lists.codes)), counts), False
        codes = np.array([number for code in lists.codes for number in of_combination[code]], np.int32)
        columns = zip(*items, strict=True) if items else [()] * len(names)
        self._seen = {
            name: Texts(pa.array(words, pa.string()), codes) for name, words in zip(names, columns, strict=True)
        }

    def _kept(self, condition: Condition) -> np.ndarray:
        """The rows for which the condition holds; each combination of cells is asked once."""
        if condition.wants:
            return np.flatnonzero(~self.cells(condition.wants).empty())
        names = sorted(condition.names)
        if not len(self.places):
            return self.places
        found = combined([self.cells(name) for name in names])
        answers = []
        for words in found.said:
            said = {
                n: Value.not_applicable("empty") if t is None else Value.of(t)
                for n, t in zip(names, words, strict=True)
            }
            answers.append(holds(condition, said.__getitem__) is True)
        return np.flatnonzero(np.array(answers, bool)[found.codes])

    def _say_once(self) -> None:
        """Narrow to one row for each combination of what is read: saying it again would change nothing."""
        names = sorted({header for expr in self.row.columns.values() for header in expr.headers()})
        if names:
            self.once = combined([self.cells(name) for name in names])
            self._narrow(self.once.first)

    # ----------------------------------------------------------------------------------------------- expressions

    def _texts(self, expr: Expr, at: np.ndarray | None) -> Texts:
        """The text of an expression for all rows, or for some."""
        if expr.const is not None:
            return of_one(expr.const, len(self.places) if at is None else len(at))
        if expr.first_of:
            return self._first(expr, np.arange(len(self.places)) if at is None else at)
        if expr.lookup:
            return self._looked_up(expr, at)
        found = self._filled(expr.template, at) if expr.template else self._at(expr.header, at)
        if expr.first:
            found = found.map(lambda text: text.split(";")[0].strip() or None)
        if expr.without:
            both = combined([found, self._filled(expr.without, at)])
            found = both.spread([text.removesuffix(tail) if text and tail else text for text, tail in both.said])
        if expr.foremost:
            found = found.map(lambda text: _foremost(text, expr.values))
        if expr.mapped:
            found = self._mapped(expr, found)
        return _spelled(expr.key, found) if expr.key else found

    def _at(self, name: str, at: np.ndarray | None) -> Texts:
        column = self.cells(name)
        return column if at is None else column.take(at)

    def _alternatives(self, expr: Expr, at: np.ndarray) -> list[tuple[Expr, np.ndarray, Texts]]:
        """Each alternative with the rows that it answers; later ones are asked only of the rows still empty.

        The last one has the rows that nobody answers too.
        """
        found: list[tuple[Expr, np.ndarray, Texts]] = []
        for number, other in enumerate(expr.first_of, start=1):
            texts = self._texts(other, at)
            says = ~texts.empty() if number < len(expr.first_of) else np.ones(len(at), bool)
            found.append((other, at[says], texts.take(np.flatnonzero(says))))
            at = at[~says]
        return found

    def _first(self, expr: Expr, at: np.ndarray) -> Texts:
        """The first alternative that says something."""
        codes, words, before = np.zeros(len(self.places), np.int32), [], 0
        pieces = self._alternatives(expr, at)
        for _, rows, texts in pieces:
            codes[rows] = texts.places() + before
            words.append(texts.words)
            before += len(texts.words)
        return Texts(pa.concat_arrays(words), codes[at], all(texts.plain for _, _, texts in pieces))

    def _looked_up(self, expr: Expr, at: np.ndarray | None) -> Texts:
        lookup = expr.lookup
        assert lookup is not None  # noqa: S101 - the caller asks only where there is one
        table = self.lookups[lookup.file, lookup.on, lookup.take]
        keys = self._at(lookup.on, at)
        for key, count in zip(keys.words.to_pylist(), keys.counts(), strict=True):
            if key is not None and key not in table and count:
                self.notes[f"{lookup.on} '{key}' is not in {lookup.file}; no {lookup.take} is taken from there"] += int(
                    count
                )
        return keys.map(lambda key: table.get(key) or None)

    def _filled(self, template: tuple[str, ...], at: np.ndarray | None) -> Texts:
        headers = template[1::2]
        if not headers:
            return of_one("".join(template), len(self.places) if at is None else len(at))
        if len(headers) == 1:
            return self._at(headers[0], at).map(lambda text: template[0] + text + template[2])
        both = combined([self._at(header, at) for header in headers])
        return both.spread([None if None in words else _fill(template, words) for words in both.said])

    def _mapped(self, expr: Expr, found: Texts) -> Texts:
        counts = found.counts()
        words: list[str | None] = []
        for text, count in zip(found.words.to_pylist(), counts, strict=True):
            word = expr.values.get(folded(text)) if text is not None else None
            if text is not None and word is None and expr.otherwise is not None:
                word = expr.otherwise or None
                if word and expr.assumed and count:
                    self.notes[f"{expr.header} '{text}' assumed {word}"] += int(count)
            words.append(word if word is not None or expr.otherwise is not None else text)
        return Texts(pa.array(words, pa.string()), found.codes)


def _foremost(text: str, values: Mapping[str, str]) -> str:
    """Of the items of a list the one whose word `values` names first; the list itself where it names none."""
    places = {word: place for place, word in enumerate(dict.fromkeys(values.values()))}
    known = [item for item in _items(text) if folded(item) in values]
    return min(known, key=lambda item: places[values[folded(item)]], default=text)


def _items(text: str) -> list[str]:
    """The items of a list, as exports join them by `;` and as JSON: objects by their `standard_type`, else their `name`."""
    if not text.startswith("["):
        return text.split(";")
    try:
        listed = json.loads(text)
    except ValueError:
        return [text]
    objects = [item if isinstance(item, dict) else {"name": item} for item in listed]
    return [str(item.get("standard_type") or item.get("name") or "") for item in objects]


def _fill(template: tuple[str, ...], words: tuple[str | None, ...]) -> str:
    parts = list(template)
    parts[1::2] = map(str, words)
    return "".join(parts)


def _spelled(key: str, found: Texts) -> Texts:
    if key == "email" and found.plain:
        return replace(found, words=pc.ascii_lower(found.words))
    return found.map(_SPELLINGS[key])


_SPELLINGS = {"name": name_key, "email": lambda text: text.strip().casefold(), "salesforce": salesforce_18}
