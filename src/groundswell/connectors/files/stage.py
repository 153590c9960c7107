"""From rows of text to typed rows of the canonical tables, by a file's row maps. One pass, column by column.

Distinct cells of a column are read once. A cell that cannot be read spoils its whole input row, with the reason; what
was read differently from how it stands (a word outside its list) is counted and reported.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.connectors.files.mapping import Expr, FileMap, RowMap
from groundswell.connectors.files.read import Batch, Broken
from groundswell.connectors.files.texts import Lookups, Sight, Texts
from groundswell.core.tables.cells import EMPTY, Fault, Noted, Read, Reading, When, read_when, reader
from groundswell.core.tables.contract import ANY_OF, DECIMALS, ENVELOPE, TABLES, Column, Table
from groundswell.core.tables.identity import OUR_COMPANY, own_id
from groundswell.core.tables.proof import Proof
from groundswell.core.tables.typed import arrow_type

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
    lookups: Lookups = field(default_factory=dict)


@dataclass
class Stager:
    """Turns the batches of one file into staged rows. `orders` holds how ambiguous columns are read, by header."""

    file: FileMap
    header_of: Mapping[str, str]
    load: Load
    orders: Mapping[str, str]
    notes: Counter[str] = field(default_factory=Counter)
    rows_before: int = 0
    staged_before: int = 0

    def stage(self, batch: Batch) -> tuple[dict[str, pa.Table], list[Broken]]:
        """Staged rows by table, and the rows that are set aside with their reasons.

        A row that is spoiled in one table is in none of them; a row that no row map takes is excluded by rule.
        """
        spoiled: dict[int, Broken] = {}
        taken: set[int] = set()
        made: dict[str, list[pa.Table]] = {}
        for row in self.file.rows:
            sight = Sight(row, batch, self.header_of, self.load.lookups, self.notes)
            taken.update(sight.places)
            if sight.places:
                rows = _Typing(self, row, sight, spoiled).rows(self.rows_before, self.staged_before)
                self.staged_before += len(sight.places)
                made.setdefault(row.table, []).append(rows)
        for place in set(range(batch.size)) - taken - set(spoiled):
            reason = "excluded by rule: no row map of this format takes the row"
            spoiled[place] = Broken(batch.lines[place], "", reason, "nothing to do", _text(batch, place))
        gone = pa.array([self.rows_before + place + 1 for place in spoiled], pa.int64())
        self.rows_before += batch.size
        return {name: _without(pa.concat_tables(parts), gone) for name, parts in made.items()}, list(spoiled.values())

    def reading(self, expr: Expr) -> Reading:
        """How the cells of an expression are read: as its headers are settled, else as the mapping declares."""
        order, decimal = expr.format if expr.format in ("dmy", "mdy") else "", ""
        for header in expr.headers():
            settled = self.orders.get(self.header_of.get(header, ""), "")
            order = settled if settled in ("dmy", "mdy") else order
            decimal = settled if settled in (".", ",") else decimal
        return Reading(order, decimal, self.load.zone, self.load.home, self.load.free_mail, self.load.longest)

    def said(self, expr: Expr) -> str:
        """The headers of the file that an expression reads, for messages."""
        return ", ".join(sorted(self.header_of.get(header, header) for header in expr.headers()))


class _Typing:
    """One row map over one batch: its texts typed by the contract of its table, and their envelope."""

    def __init__(self, stager: Stager, row: RowMap, sight: Sight, spoiled: dict[int, Broken]) -> None:
        self.stager, self.load = stager, stager.load
        self.row, self.table = row, TABLES[row.table]
        self.sight, self.places = sight, sight.places
        self.spoiled = spoiled
        self.typed: dict[str, list[object]] = {}

    def rows(self, rows_before: int, staged_before: int) -> pa.Table:
        """The staged rows, spoiled ones included: the whole input row is taken out once all row maps have seen it."""
        self.typed = {column.name: self._column(column) for column in self.table.columns}
        self._home_money()
        self._rates_of_home()
        self._require()
        count = len(self.places)
        envelope = self._identity() | self._times() | {
            "staged_row": list(range(staged_before + 1, staged_before + count + 1)),
            "row_no": [rows_before + place + 1 for place in self.places],
            "line": [self.sight.batch.lines[place] for place in self.places],
            "mention": [self.row.mention] * count,
        }  # fmt: skip
        arrays = {name: pa.array(envelope[name], _ARROW_OF[name]) for name in STAGED}
        arrays |= {c.name: pa.array(self.typed[c.name], arrow_type(c)) for c in self.table.columns}
        return pa.table(arrays)

    def _spoil(self, place: int, header: str, fault: Fault) -> None:
        batch = self.sight.batch
        if place not in self.spoiled:
            self.spoiled[place] = Broken(batch.lines[place], header, fault.reason, fault.remedy, _text(batch, place))

    def _answered(self, texts: Texts, answers: Mapping[str | None, object], header: str) -> list[object]:
        """The answers in the order of the texts; a Fault spoils its row and leaves an empty cell."""
        values = [answers[text] for text in texts]
        if any(isinstance(answer, Fault) for answer in answers.values()):
            for i, value in enumerate(values):
                if isinstance(value, Fault):
                    self._spoil(self.places[i], header, value)
                    values[i] = None
        return values

    # ----------------------------------------------------------------------------------------------- own columns

    def _column(self, column: Column) -> list[object]:
        expr = self.row.columns.get(column.name)
        if expr is None:
            return [column.fallback or None] * len(self.places)
        texts = self.sight.of(expr)
        if column.refers:
            return self._ids(column, expr, texts)
        read, counts = reader(column, self.stager.reading(expr)), Counter(texts)
        answers: dict[str | None, object] = {None: column.fallback or None}
        for text in counts.keys() - {None}:
            answers[text] = self._cell(read, str(text), column, counts[text])
        return self._answered(texts, answers, self.stager.said(expr) or column.name)

    def _cell(self, read: Read, text: str, column: Column, count: int) -> object:
        value = read(text)
        if isinstance(value, Noted):
            self.stager.notes[value.note] += count
            value = value.value
        return (column.fallback or None) if value is None else value

    def _ids(self, column: Column, expr: Expr, texts: Texts) -> list[object]:
        table = column.refers
        if table == "*":  # a touch names what it touches
            table = _SUBJECTS[self.row.columns["subject_kind"].const or "deal"]
        known: dict[str | None, str | None] = {None: None, OUR_COMPANY: OUR_COMPANY}
        for text in set(texts) - known.keys():
            known[text] = own_id(TABLES[table].prefix, self.load.source, expr.object or table, str(text))
        return [known[text] for text in texts]

    def _home_money(self) -> None:
        """The source's default currency, and home amounts only where they are in our home currency."""
        if self.load.currency and "amount" in self.typed and "currency" in self.typed:
            pairs = zip(self.typed["currency"], self.typed["amount"], strict=True)
            self.typed["currency"] = [c or (self.load.currency if amount is not None else None) for c, amount in pairs]
        if self.table.name != "deals":
            return
        home = self.load.home_currency
        amounts, basis = self.typed["amount_home"], self.typed["home_basis"]
        for i, currency in enumerate(self.sight.cells("home_currency")):
            if amounts[i] is not None and currency and currency.upper() != home:
                self.stager.notes[f"converted amounts are in {currency}, home currency is {home}; left out"] += 1
                amounts[i] = None
            if amounts[i] is None:
                basis[i] = None

    def _rates_of_home(self) -> None:
        """Rates that their file says are against another currency than ours convert nothing of ours."""
        if self.table.name != "fx_rates":
            return
        home = self.load.home_currency
        for place, currency in zip(self.places, self.sight.cells("home_currency"), strict=True):
            if currency and currency.upper() != home:
                reason = f"the rate is for one {currency}, home currency is {home}"
                remedy = f"bring rates for one {home}, or set home_currency in policy/instance.toml"
                self._spoil(place, "home_currency", Fault(reason, remedy))

    def _require(self) -> None:
        for column in self.table.columns:
            if column.required and None in self.typed[column.name]:
                expr = self.row.columns.get(column.name)
                header = self.stager.said(expr) if expr else column.name
                for place, value in zip(self.places, self.typed[column.name], strict=True):
                    if value is None:
                        fault = Fault(f"{column.name} of {self.table.name} is empty", "fill it in the source")
                        self._spoil(place, header or column.name, fault)
        if any_of := ANY_OF.get(self.table.name):
            for i, place in enumerate(self.places):
                if all(self.typed[name][i] is None for name in any_of):
                    fault = Fault(f"one of {', '.join(any_of)} must be given", "fill it in the source")
                    self._spoil(place, any_of[0], fault)

    # --------------------------------------------------------------------------------------------------- envelope

    def _identity(self) -> dict[str, list[object]]:
        kind, source = self.row.object or self.table.name, self.load.source
        external = self._external()
        made = {e: own_id(self.table.prefix, source, kind, e) for e in set(external) if e is not None}
        deleted = self.row.columns.get("deleted")
        marks = self.sight.of(deleted) if deleted else [None] * len(external)
        return {
            "own_id": [made[e] if e is not None else None for e in external],
            "external_id": list(external),
            "object": [kind] * len(external),
            "source": [source] * len(external),
            "deleted": [(mark or "").casefold() in ("true", "1") for mark in marks],
        }

    def _external(self) -> Texts:
        expr = self.row.columns.get("external_id")
        if expr is not None:
            found = self.sight.of(expr)
        elif self.table.key:
            named = [self.row.columns[name] for name in self.table.key if name in self.row.columns]
            found = ["|".join(text or "" for text in row) for row in zip(*map(self.sight.of, named), strict=True)]
        else:
            found = [None] * len(self.places)
        if self.table.name != "activities":  # an activity without id is known by its hash, which the engine fills in
            header = self.stager.said(expr) if expr else "external_id"
            for place, text in zip(self.places, found, strict=True):
                if text is None:
                    self._spoil(place, header, Fault("the id of the row is empty", "fill it in the source"))
        return found

    def _times(self) -> dict[str, list[object]]:
        days, moments = self._occurred()
        known = self._instants(self.row.columns.get("known_at") or self.stager.file.known_at)
        return {
            "occurred_on": days,
            "occurred_at": moments,
            "known_at": [stamp or self.load.known_at for stamp in known],
            "known_by": ["source" if stamp else self.load.known_by for stamp in known],
            "changed_at": self._instants(self.row.columns.get("changed_at")),
        }

    def _occurred(self) -> tuple[list[object], list[object]]:
        """Day and moment: as the row map says, else of the column that the contract names, else unknown."""
        home = self.load.home
        expr = self.row.columns.get("occurred_on")
        if expr is None:
            named = self.typed.get(self.table.occurred, [None] * len(self.places))
            moments = [value if isinstance(value, dt.datetime) else None for value in named]
            return [v.astimezone(home).date() if isinstance(v, dt.datetime) else v for v in named], list(moments)
        texts, reading = self.sight.of(expr), self.stager.reading(expr)
        answers: dict[str | None, object] = {None: Fault("it is empty", "fill it in the source")}
        answers |= {text: _when(str(text), reading, home) for text in set(texts) - {None}}
        found = self._answered(texts, answers, self.stager.said(expr))
        whens = [when if isinstance(when, When) else When(dt.date.min) for when in found]
        return [when.day for when in whens], [when.moment for when in whens]

    def _instants(self, expr: Expr | None) -> list[object]:
        if expr is None:
            return [None] * len(self.places)
        texts, read = self.sight.of(expr), reader(_STAMP, self.stager.reading(expr))
        answers: dict[str | None, object] = {None: None}
        answers |= {text: read(str(text)) for text in set(texts) - {None}}
        return self._answered(texts, answers, self.stager.said(expr))


def _when(text: str, reading: Reading, home: dt.tzinfo) -> When | Fault:
    """When something happened: a moment counts for its day in the home zone, a bare day stays itself."""
    when = read_when(text, reading)
    if isinstance(when, Fault):
        return when
    if when.floating is not None:
        return Fault(f"'{text}' names no time zone", "name the zone of the source: --answer FILE:zone=Europe/Berlin")
    return replace(when, day=when.moment.astimezone(home).date()) if when.moment else when


_SUBJECTS = {"deal": "deals", "subscription": "subscriptions", "activity": "activities", "account": "organisations"}
_STAMP = Column("instant", "instant", "a moment")

_ARROW_OF = {column.name: arrow_type(column) for column in ENVELOPE} | {"staged_row": pa.int64(), "row_no": pa.int64()}


def _text(batch: Batch, place: int) -> str:
    return " | ".join(batch.columns[header][place] for header in batch.headers)


def _without(rows: pa.Table, gone: pa.Array) -> pa.Table:
    if not len(gone):
        return rows
    return rows.filter(pc.invert(pc.is_in(rows.column("row_no"), value_set=gone)))


# --------------------------------------------------------------------------------------------------------- proving


def proofs(file: FileMap, header_of: Mapping[str, str]) -> dict[str, Proof]:
    """The columns of a file whose cells can be read in more than one way, with nothing proven yet."""
    found: dict[str, Proof] = {}
    for row in file.rows:
        named = {**row.columns, **({"known_at": file.known_at} if file.known_at else {})}
        for name, expr in named.items():
            kind = _kind(TABLES[row.table], name)
            asks = "date" if kind in ("date", "instant") else "number" if kind in (*DECIMALS, "int") else ""
            if asks and not expr.format:
                for header in expr.headers() & set(header_of):
                    proof = found.setdefault(header_of[header], Proof(asks))
                    proof.moments = proof.moments or kind == "instant"
    return found


def _kind(table: Table, name: str) -> str:
    """Kind of a column of a row map; a day of `occurred_on` may be a moment."""
    if name in ("occurred_on", "known_at", "changed_at"):
        return "instant"
    return next((column.kind for column in table.columns if column.name == name), "text")


def look(asked: Mapping[str, Proof], batches: Iterator[Batch]) -> None:
    """Show every cell of the columns in question to their proofs."""
    for batch in batches:
        for header, proof in asked.items():
            proof.look(cell for cell in dict.fromkeys(batch.columns[header]) if cell.strip().casefold() not in EMPTY)
