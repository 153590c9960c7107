"""From rows of text to typed rows of the canonical tables, by a file's row maps. One pass, column by column.

Distinct cells of a column are read once. A cell that cannot be read spoils its whole input row, with the reason; what
was read differently from how it stands (a word outside its list) is counted and reported.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.connectors.files.mapping import Expr, FileMap, RowMap, folded
from groundswell.connectors.files.read import Batch, Broken
from groundswell.core.conditions import holds
from groundswell.core.declare import Value
from groundswell.core.tables.cells import EMPTY, Fault, Noted, Reading, When, read_when, reader
from groundswell.core.tables.contract import ANY_OF, TABLES, Column, Table
from groundswell.core.tables.identity import OUR_COMPANY, name_key, own_id, salesforce_18
from groundswell.core.tables.proof import Proof

Texts = list[str | None]
STAGED = ("staged_row", "row_no", "line", "own_id", "occurred_on", "occurred_at", "known_at", "known_by", "changed_at",
          "source", "object", "external_id", "deleted", "mention")  # fmt: skip
"""Columns of a staged row before its own: the envelope as far as a file decides it."""


@dataclass(frozen=True)
class Load:
    """What a load says of all its rows: source, when it was known and by whom, defaults, and the files beside it."""

    source: str
    known_at: dt.datetime
    known_by: str
    home: dt.tzinfo
    zone: dt.tzinfo | None
    currency: str = ""
    home_currency: str = "USD"
    free_mail: frozenset[str] = frozenset()
    longest: int = 1_000_000
    lookups: Mapping[tuple[str, str, str], Mapping[str, str]] = field(default_factory=dict)
    """(file, on, take) -> {key: value} of the files that lookups name."""


@dataclass
class Report:
    """What was noticed while reading: notes with how often, and the columns of text that got a fallback."""

    notes: Counter[str] = field(default_factory=Counter)


@dataclass
class Stager:
    """Turns batches of one file into staged rows. `orders` holds how ambiguous columns are read, by header."""

    file: FileMap
    header_of: Mapping[str, str]
    load: Load
    orders: Mapping[str, str]
    report: Report = field(default_factory=Report)
    rows_before: int = 0
    staged_before: int = 0

    def stage(self, batch: Batch) -> tuple[dict[str, pa.Table], list[Broken], set[int]]:
        """Staged rows by table, broken rows with reasons, and the numbers of rows that no row map took."""
        first = self.rows_before
        self.rows_before += batch.size
        spoiled: dict[int, Broken] = {}
        taken = [False] * batch.size
        made: dict[str, list[pa.Table]] = {}
        for row in self.file.rows:
            table = self._row(row, batch, first, spoiled, taken)
            if table is not None and table.num_rows:
                made.setdefault(row.table, []).append(table)
        excluded = {i for i, done in enumerate(taken) if not done and i not in spoiled}
        broken = list(spoiled.values())
        broken += [
            Broken(
                batch.lines[i],
                "",
                "excluded by rule: no row map of this format takes the row",
                "nothing to do",
                _text(batch, i),
            )
            for i in sorted(excluded)
        ]
        gone = pa.array([first + i + 1 for i in (*spoiled, *excluded)], pa.int64())
        return (
            {name: _without(pa.concat_tables(parts), gone) for name, parts in made.items()},
            broken,
            set(gone.to_pylist()),
        )

    # ------------------------------------------------------------------------------------------------- one row map

    def _row(
        self, row: RowMap, batch: Batch, first: int, spoiled: dict[int, Broken], taken: list[bool]
    ) -> pa.Table | None:
        table = TABLES[row.table]
        cells, places = self._rows_of(row, batch)
        for place in places:
            taken[place] = True
        if not places:
            return None
        typed: dict[str, list[object]] = {}

        def spoil(place: int, header: str, fault: Fault) -> None:
            if place not in spoiled:
                spoiled[place] = Broken(batch.lines[place], header, fault.reason, fault.remedy, _text(batch, place))

        for column in table.columns:
            typed[column.name] = self._typed(row, column, cells, places, spoil)
        self._home_money(table, typed, cells)
        self._require(row, table, typed, places, spoil)
        envelope = self._envelope(row, table, typed, cells, places, spoil)
        numbers = range(self.staged_before + 1, self.staged_before + len(places) + 1)
        self.staged_before += len(places)
        envelope |= {
            "staged_row": list(numbers),
            "row_no": [first + place + 1 for place in places],
            "line": [batch.lines[place] for place in places],
            "mention": [row.mention] * len(places),
        }
        return _arrow(table, envelope, typed)

    def _rows_of(self, row: RowMap, batch: Batch) -> tuple[Callable[[str], Texts], list[int]]:
        """The cells that a row map sees, by header or list item, and the input row behind each of them."""
        places = list(range(batch.size))
        items: dict[str, Texts] = {}
        if row.each:
            places, items = self._items(row, batch)
        seen: dict[str, Texts] = {}

        def cells(name: str) -> Texts:
            if name not in seen:
                if name in items:
                    seen[name] = items[name]
                else:
                    header = self.header_of.get(name)
                    column = batch.columns[header] if header else None
                    seen[name] = [(column[place].strip() or None) if column else None for place in places]
            return seen[name]

        if row.only_if is None:
            return cells, places
        keep = self._kept(row, cells, len(places))
        kept = [places[i] for i in keep]
        return (lambda name: [cells(name)[i] for i in keep]), kept

    def _kept(self, row: RowMap, cells: Callable[[str], Texts], count: int) -> list[int]:
        condition = row.only_if
        assert condition is not None  # noqa: S101 - the caller asks only where there is one
        names = sorted(condition.names)
        columns = [cells(name) for name in names]
        answers: dict[tuple[str | None, ...], bool] = {}
        keep = []
        for i in range(count):
            key = tuple(column[i] for column in columns)
            if key not in answers:
                said = {
                    n: Value.of(t) if t is not None else Value.not_applicable("empty")
                    for n, t in zip(names, key, strict=True)
                }
                answers[key] = holds(condition, said.__getitem__) is True
            if answers[key]:
                keep.append(i)
        return keep

    def _items(self, row: RowMap, batch: Batch) -> tuple[list[int], dict[str, Texts]]:
        """One row for each item of a list; further lists go beside the first where they are as long as it."""
        names = list(row.each)
        columns = [batch.columns.get(self.header_of.get(row.each[name], ""), [""] * batch.size) for name in names]
        places: list[int] = []
        items: dict[str, Texts] = {name: [] for name in names}
        for place in range(batch.size):
            lists = [[item.strip() for item in column[place].split(";")] for column in columns]
            for i, item in enumerate(lists[0]):
                if not item:
                    continue
                places.append(place)
                for name, found in zip(names, lists, strict=True):
                    items[name].append(found[i] or None if len(found) == len(lists[0]) else None)
        return places, items

    # ------------------------------------------------------------------------------------------------ expressions

    def _texts(self, expr: Expr, cells: Callable[[str], Texts], count: int) -> Texts:
        if expr.const is not None:
            return [expr.const] * count
        if expr.first_of:
            return self._first(expr, cells, count)
        if expr.lookup:
            return self._looked_up(expr, cells)
        found = self._filled(expr.template, cells, count) if expr.template else cells(expr.header)
        if expr.first:
            found = [text.split(";")[0].strip() or None if text else None for text in found]
        if expr.without:
            tails = self._filled(expr.without, cells, count)
            found = [t.removesuffix(tail) if t and tail else t for t, tail in zip(found, tails, strict=True)]
        if expr.mapped:
            found = self._mapped(expr, found)
        return _spelled(expr.key, found)

    def _first(self, expr: Expr, cells: Callable[[str], Texts], count: int) -> Texts:
        """The first alternative that says something; later ones are asked only of the rows still empty."""
        found: Texts = [None] * count
        for other in expr.first_of:
            open_ = [i for i, text in enumerate(found) if text is None]
            if not open_:
                break

            def some(name: str, places: list[int] = open_) -> Texts:
                column = cells(name)
                return [column[i] for i in places]

            for i, text in zip(open_, self._texts(other, some, len(open_)), strict=True):
                found[i] = text
        return found

    def _looked_up(self, expr: Expr, cells: Callable[[str], Texts]) -> Texts:
        lookup = expr.lookup
        assert lookup is not None  # noqa: S101 - the caller asks only where there is one
        table = self.load.lookups[lookup.file, lookup.on, lookup.take]
        found: Texts = []
        for key in cells(lookup.on):
            hit = table.get(key) if key is not None else None
            if hit is None and key is not None:
                self.report.notes[f"{lookup.on} '{key}' is not in {lookup.file}; {lookup.take} stays empty"] += 1
            found.append(hit or None)
        return found

    def _filled(self, template: tuple[str, ...], cells: Callable[[str], Texts], count: int) -> Texts:
        columns: list[Texts] = [cells(part) if i % 2 else [part] * count for i, part in enumerate(template)]
        return [None if None in row else "".join(map(str, row)) for row in zip(*columns, strict=True)]

    def _mapped(self, expr: Expr, found: Texts) -> Texts:
        answers: dict[str | None, str | None] = {None: None}
        for text in set(found) - {None}:
            word = expr.values.get(folded(str(text)))
            if word is None and expr.otherwise is not None:
                word = expr.otherwise or None
                if word and expr.assumed:
                    self.report.notes[f"{expr.header} '{text}' assumed {word}"] += found.count(text)
            answers[text] = word if word is not None or expr.otherwise is not None else text
        return [answers[text] for text in found]

    # ----------------------------------------------------------------------------------------------------- typing

    def _reading(self, expr: Expr) -> Reading:
        order = expr.format if expr.format in ("dmy", "mdy") else ""
        decimal = ""
        for header in expr.headers():
            settled = self.orders.get(self.header_of.get(header, ""), "")
            order, decimal = (
                (settled if settled in ("dmy", "mdy") else order),
                (settled if settled in (".", ",") else decimal),
            )
        return Reading(order, decimal, self.load.zone, self.load.home, self.load.free_mail, self.load.longest)

    def _typed(
        self,
        row: RowMap,
        column: Column,
        cells: Callable[[str], Texts],
        places: list[int],
        spoil: Callable[[int, str, Fault], None],
    ) -> list[object]:
        expr = row.columns.get(column.name)
        if expr is None:
            return [column.fallback or None] * len(places)
        texts = self._texts(expr, cells, len(places))
        if column.refers:
            return self._ids(row, column, expr, texts)
        read = reader(column, self._reading(expr))
        header = self._said(expr) or column.name
        answers: dict[str | None, object] = {None: column.fallback or None}
        for text in set(texts) - {None}:
            answers[text] = self._cell(read, str(text), column, texts)
        values = [answers[text] for text in texts]
        if any(isinstance(answer, Fault) for answer in answers.values()):
            for i, value in enumerate(values):
                if isinstance(value, Fault):
                    spoil(places[i], header, value)
                    values[i] = None
        return values

    def _cell(self, read: Callable[[str], object], text: str, column: Column, texts: Texts) -> object:
        value = read(text)
        if isinstance(value, Noted):
            self.report.notes[value.note] += texts.count(text)
            value = value.value
        return (column.fallback or None) if value is None else value

    def _ids(self, row: RowMap, column: Column, expr: Expr, texts: Texts) -> list[object]:
        tables = [column.refers] * len(texts)
        if column.refers == "*":  # a touch names what it touches
            kind = row.columns["subject_kind"].const or "deal"
            tables = [
                {"deal": "deals", "subscription": "subscriptions", "activity": "activities"}.get(kind, "organisations")
            ] * len(texts)
        known: dict[str | None, str | None] = {None: None, OUR_COMPANY: OUR_COMPANY}
        for text, table in zip(texts, tables, strict=True):
            if text not in known:
                known[text] = own_id(TABLES[table].prefix, self.load.source, expr.object or table, str(text))
        return [known[text] for text in texts]

    def _home_money(self, table: Table, typed: dict[str, list[object]], cells: Callable[[str], Texts]) -> None:
        """The source's default currency, and home amounts only where they are in our home currency."""
        if "currency" in typed and self.load.currency and "amount" in typed:
            typed["currency"] = [
                c or (self.load.currency if a is not None else None)
                for c, a in zip(typed["currency"], typed["amount"], strict=True)
            ]
        if table.name != "deals":
            return
        declared = cells("home_currency") if "home_currency" in self.header_of else [None] * len(typed["amount_home"])
        for i, (amount, currency) in enumerate(zip(typed["amount_home"], declared, strict=True)):
            if amount is not None and currency and currency.strip().upper() != self.load.home_currency:
                self.report.notes[
                    f"converted amounts are in {currency}, home currency is {self.load.home_currency}; left out"
                ] += 1
                typed["amount_home"][i] = None
            if typed["amount_home"][i] is None:
                typed["home_basis"][i] = None

    # --------------------------------------------------------------------------------------------------- envelope

    def _envelope(
        self, row: RowMap, table: Table, typed: dict[str, list[object]], cells: Callable[[str], Texts], places: list[int],
        spoil: Callable[[int, str, Fault], None],
    ) -> dict[str, list[object]]:  # fmt: skip
        count = len(places)
        external = self._external(row, table, cells, places, spoil)
        kind = row.object or table.name
        days, moments = self._occurred(row, table, typed, cells, places, spoil)
        known = self._instants(row, "known_at", self.file.known_at, cells, places, spoil)
        deleted = self._texts(row.columns["deleted"], cells, count) if "deleted" in row.columns else [None] * count
        return {
            "own_id": [own_id(table.prefix, self.load.source, kind, e) if e is not None else None for e in external],
            "occurred_on": days,
            "occurred_at": moments,
            "known_at": [stamp or self.load.known_at for stamp in known],
            "known_by": ["source" if stamp else self.load.known_by for stamp in known],
            "changed_at": self._instants(row, "changed_at", None, cells, places, spoil),
            "source": [self.load.source] * count,
            "object": [kind] * count,
            "external_id": list(external),
            "deleted": [(text or "").casefold() in ("true", "1") for text in deleted],
        }

    def _external(
        self,
        row: RowMap,
        table: Table,
        cells: Callable[[str], Texts],
        places: list[int],
        spoil: Callable[[int, str, Fault], None],
    ) -> Texts:
        expr = row.columns.get("external_id")
        if expr is not None:
            found = self._texts(expr, cells, len(places))
        elif table.name == "touches":
            parts = [
                self._texts(row.columns[name], cells, len(places))
                for name in ("subject_id", "partner_id", "role")
                if name in row.columns
            ]
            found = ["|".join(text or "" for text in row_) for row_ in zip(*parts, strict=True)]
        else:
            found = [None] * len(places)
        if table.name == "activities":
            return found  # without an id the row hash stands in; the engine fills it
        header = self._said(expr) if expr else "external_id"
        for place, text in zip(places, found, strict=True):
            if text is None:
                spoil(place, header, Fault("the id of the row is empty", "fill it in the source"))
        return found

    def _occurred(
        self, row: RowMap, table: Table, typed: dict[str, list[object]], cells: Callable[[str], Texts], places: list[int],
        spoil: Callable[[int, str, Fault], None],
    ) -> tuple[list[object], list[object]]:  # fmt: skip
        expr = row.columns.get("occurred_on")
        if expr is None:
            named = typed.get(table.occurred, [None] * len(places))
            moments = [v if isinstance(v, dt.datetime) else None for v in named]
            return [v.astimezone(self.load.home).date() if isinstance(v, dt.datetime) else v for v in named], list(
                moments
            )
        reading = self._reading(expr)
        header = self._said(expr)
        texts = self._texts(expr, cells, len(places))
        answers = {text: self._when(str(text), reading) for text in set(texts) if text is not None}
        days: list[object] = []
        instants: list[object] = []
        for place, text in zip(places, texts, strict=True):
            answer = answers[text] if text is not None else Fault("it is empty", "fill it in the source")
            if isinstance(answer, Fault):
                spoil(place, header, answer)
                answer = When(dt.date.min)
            days.append(answer.day)
            instants.append(answer.moment)
        return days, instants

    def _when(self, text: str, reading: Reading) -> When | Fault:
        """When something happened: a moment counts for its day in the home zone, a bare day stays itself."""
        when = read_when(text, reading)
        if isinstance(when, Fault):
            return when
        if when.floating is not None:
            return Fault(
                f"'{text}' names no time zone", "name the zone of the source: --answer FILE:zone=Europe/Berlin"
            )
        return replace(when, day=when.moment.astimezone(self.load.home).date()) if when.moment else when

    def _instants(
        self, row: RowMap, name: str, common: Expr | None, cells: Callable[[str], Texts], places: list[int],
        spoil: Callable[[int, str, Fault], None],
    ) -> list[object]:  # fmt: skip
        expr = row.columns.get(name) or common
        if expr is None:
            return [None] * len(places)
        read = reader(_STAMP, self._reading(expr))
        texts = self._texts(expr, cells, len(places))
        answers = {text: read(str(text)) for text in set(texts) if text is not None}
        found: list[object] = []
        for place, text in zip(places, texts, strict=True):
            answer = answers[text] if text is not None else None
            if isinstance(answer, Fault):
                spoil(place, self._said(expr), answer)
                answer = None
            found.append(answer)
        return found

    def _require(
        self, row: RowMap, table: Table, typed: dict[str, list[object]], places: list[int],
        spoil: Callable[[int, str, Fault], None],
    ) -> None:  # fmt: skip
        for column in table.columns:
            if column.required and None in typed[column.name]:
                expr = row.columns.get(column.name)
                header = self._said(expr) if expr else column.name
                for place, value in zip(places, typed[column.name], strict=True):
                    if value is None:
                        spoil(place, header, Fault(f"{column.name} of {table.name} is empty", "fill it in the source"))
        if any_of := ANY_OF.get(table.name):
            for i, place in enumerate(places):
                if all(typed[name][i] is None for name in any_of):
                    spoil(place, any_of[0], Fault(f"one of {', '.join(any_of)} must be given", "fill it in the source"))

    def _said(self, expr: Expr) -> str:
        """The headers of the file that an expression reads, for messages."""
        return ", ".join(sorted(self.header_of.get(header, header) for header in expr.headers()))


_STAMP = Column("instant", "instant", "a moment")


def _spelled(key: str, found: Texts) -> Texts:
    if not key:
        return found
    spell = {"name": name_key, "email": lambda text: text.strip().casefold(), "salesforce": salesforce_18}[key]
    known = {text: spell(str(text)) for text in set(found) if text is not None}
    return [known[text] if text is not None else None for text in found]


def _text(batch: Batch, place: int) -> str:
    return " | ".join(batch.columns[header][place] for header in batch.headers)


def _without(rows: pa.Table, gone: pa.Array) -> pa.Table:
    if not len(gone):
        return rows
    return rows.filter(pc.invert(pc.is_in(rows.column("row_no"), value_set=gone)))


def _arrow(table: Table, envelope: dict[str, list[object]], typed: dict[str, list[object]]) -> pa.Table:
    from_contract = {c.name: c for c in table.columns}
    arrays: dict[str, pa.Array] = {}
    for name in STAGED:
        arrays[name] = pa.array(envelope[name], _ENVELOPE_TYPES.get(name, pa.string()))
    for name, values in typed.items():
        arrays[name] = pa.array(values, _TYPES.get(from_contract[name].kind, pa.string()))
    return pa.table(arrays)


_INSTANT = pa.timestamp("us", tz="UTC")
_ENVELOPE_TYPES = {
    "staged_row": pa.int64(), "row_no": pa.int64(), "line": pa.int64(), "occurred_on": pa.date32(), "occurred_at": _INSTANT,
    "known_at": _INSTANT, "changed_at": _INSTANT, "deleted": pa.bool_(), "mention": pa.bool_(),
}  # fmt: skip
_TYPES = {
    "bool": pa.bool_(), "date": pa.date32(), "instant": _INSTANT, "int": pa.int64(), "list": pa.list_(pa.string()),
    "money": pa.decimal128(20, 4), "number": pa.decimal128(28, 8), "share": pa.decimal128(9, 2),
}  # fmt: skip


def proofs(file: FileMap, header_of: Mapping[str, str]) -> dict[str, Proof]:
    """The columns of a file whose cells can be read in more than one way, with nothing proven yet."""
    found: dict[str, Proof] = {}
    for row in file.rows:
        for name, expr in (*row.columns.items(), *([("known_at", file.known_at)] if file.known_at else [])):
            column = next((c for c in TABLES[row.table].columns if c.name == name), None)
            kind = column.kind if column else "date" if name in ("occurred_on", "known_at", "changed_at") else "text"
            asks = (
                "date"
                if kind in ("date", "instant")
                else "number"
                if kind in ("money", "number", "share", "int")
                else ""
            )
            if asks and not expr.format:
                moments = name in ("occurred_on", "known_at", "changed_at") or (
                    column is not None and column.kind == "instant"
                )
                for header in expr.headers() & set(header_of):
                    proof = found.setdefault(header_of[header], Proof(asks))
                    proof.moments = proof.moments or moments
    return found


def look(proofs_: Mapping[str, Proof], batches: Iterator[Batch]) -> None:
    """Show every cell of the columns in question to their proofs."""
    for batch in batches:
        for header, proof in proofs_.items():
            proof.look({c for c in batch.columns[header] if c.strip().casefold() not in EMPTY})
