"""The text of what a row map says: which input rows it takes, and what its expressions read from them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from groundswell.connectors.files.mapping import Expr, RowMap, folded
from groundswell.connectors.files.read import Batch
from groundswell.core.conditions import Condition, holds
from groundswell.core.declare import Value
from groundswell.core.tables.identity import name_key, salesforce_18

Texts = list[str | None]
Lookups = Mapping[tuple[str, str, str], Mapping[str, str]]
"""(file, on, take) -> {key: value} of the files that lookups name."""


@dataclass
class Sight:
    """What one row map sees of a batch: the input row behind each of its rows (`places`), and its cells by header.

    Empty cells are None. `notes` counts what is worth reporting: lookups without a hit, words that were assumed.
    """

    row: RowMap
    batch: Batch
    header_of: Mapping[str, str]
    lookups: Lookups
    notes: Counter[str]
    places: list[int] = field(init=False)
    _seen: dict[str, Texts] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.places = list(range(self.batch.size))
        if self.row.each:
            self._by_item()
        if self.row.only_if is not None:
            keep = self._kept(self.row.only_if)
            self.places = [self.places[i] for i in keep]
            items = {name: self._seen[name] for name in self.row.each}
            self._seen = {name: [texts[i] for i in keep] for name, texts in items.items()}

    def cells(self, name: str) -> Texts:
        """The cells of a header (or list item), one for each row of the row map."""
        if name not in self._seen:
            header = self.header_of.get(name)
            column = self.batch.columns[header] if header else None
            self._seen[name] = [(column[place].strip() or None) if column else None for place in self.places]
        return self._seen[name]

    def of(self, expr: Expr) -> Texts:
        """The text of an expression, one for each row of the row map."""
        return self._texts(expr, list(range(len(self.places))))

    # ------------------------------------------------------------------------------------------------ which rows

    def _by_item(self) -> None:
        """One row for each item of a list; further lists go beside the first where they are as long as it."""
        names = list(self.row.each)
        headers = [self.header_of.get(self.row.each[name], "") for name in names]
        columns = [self.batch.columns.get(header, [""] * self.batch.size) for header in headers]
        self.places = []
        self._seen = {name: [] for name in names}
        for place in range(self.batch.size):
            lists = [[item.strip() for item in column[place].split(";")] for column in columns]
            for i, item in enumerate(lists[0]):
                if item:
                    self.places.append(place)
                    for name, found in zip(names, lists, strict=True):
                        self._seen[name].append(found[i] or None if len(found) == len(lists[0]) else None)

    def _kept(self, condition: Condition) -> list[int]:
        """The rows for which the condition holds; each combination of cells is asked once."""
        names = sorted(condition.names)
        answers: dict[tuple[str | None, ...], bool] = {}
        keep = []
        for i, key in enumerate(zip(*(self.cells(name) for name in names), strict=True)):
            if key not in answers:
                said = {
                    n: Value.not_applicable("empty") if t is None else Value.of(t)
                    for n, t in zip(names, key, strict=True)
                }
                answers[key] = holds(condition, said.__getitem__) is True
            if answers[key]:
                keep.append(i)
        return keep

    # ----------------------------------------------------------------------------------------------- expressions

    def _texts(self, expr: Expr, at: list[int]) -> Texts:
        if expr.const is not None:
            return [expr.const] * len(at)
        if expr.first_of:
            return self._first(expr, at)
        if expr.lookup:
            return self._looked_up(expr, at)
        found = self._filled(expr.template, at) if expr.template else self._at(expr.header, at)
        if expr.first:
            found = [text.split(";")[0].strip() or None if text else None for text in found]
        if expr.without:
            tails = self._filled(expr.without, at)
            found = [
                text.removesuffix(tail) if text and tail else text for text, tail in zip(found, tails, strict=True)
            ]
        if expr.mapped:
            found = self._mapped(expr, found)
        return _spelled(expr.key, found)

    def _at(self, name: str, at: list[int]) -> Texts:
        column = self.cells(name)
        return column if len(at) == len(column) else [column[i] for i in at]

    def _first(self, expr: Expr, at: list[int]) -> Texts:
        """The first alternative that says something; later ones are asked only of the rows still empty."""
        found: dict[int, str | None] = dict.fromkeys(at)
        for other in expr.first_of:
            open_ = [i for i, text in found.items() if text is None]
            if open_:
                found |= zip(open_, self._texts(other, open_), strict=True)
        return list(found.values())

    def _looked_up(self, expr: Expr, at: list[int]) -> Texts:
        lookup = expr.lookup
        assert lookup is not None  # noqa: S101 - the caller asks only where there is one
        table = self.lookups[lookup.file, lookup.on, lookup.take]
        keys = self._at(lookup.on, at)
        for key in keys:
            if key is not None and key not in table:
                self.notes[f"{lookup.on} '{key}' is not in {lookup.file}; {lookup.take} stays empty"] += 1
        return [table.get(key) or None if key is not None else None for key in keys]

    def _filled(self, template: tuple[str, ...], at: list[int]) -> Texts:
        columns: list[Texts] = [self._at(part, at) if i % 2 else [part] * len(at) for i, part in enumerate(template)]
        return [None if None in row else "".join(map(str, row)) for row in zip(*columns, strict=True)]

    def _mapped(self, expr: Expr, found: Texts) -> Texts:
        answers: dict[str | None, str | None] = {None: None}
        counts = Counter(found)
        for text in counts.keys() - {None}:
            word = expr.values.get(folded(str(text)))
            if word is None and expr.otherwise is not None:
                word = expr.otherwise or None
                if word and expr.assumed:
                    self.notes[f"{expr.header} '{text}' assumed {word}"] += counts[text]
            answers[text] = word if word is not None or expr.otherwise is not None else text
        return [answers[text] for text in found]


def _spelled(key: str, found: Texts) -> Texts:
    if not key:
        return found
    spell = {"name": name_key, "email": lambda text: text.strip().casefold(), "salesforce": salesforce_18}[key]
    known = {text: spell(str(text)) for text in set(found) if text is not None}
    return [known[text] if text is not None else None for text in found]
