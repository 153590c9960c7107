"""From rows of text to typed rows of the canonical tables, by a file's row maps. One pass, column by column.

Distinct cells of a column are read once. A cell that cannot be read spoils its whole input row, with the reason; what
was read differently from how it stands (a word outside its list) is counted and reported.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.connectors.files.mapping import MINOR_UNITS, Expr, FileMap, RowMap
from groundswell.connectors.files.read import Batch, Broken
from groundswell.connectors.files.texts import Cells, Lookups, Sight
from groundswell.connectors.files.words import Texts, all_match, coded, combined, of_one
from groundswell.core.tables.cells import (
    CUT_ID,
    EMPTY,
    FORMS,
    Fault,
    Noted,
    Reading,
    When,
    currency_of,
    cut_id,
    minor_units,
    read_when,
    reader,
)
from groundswell.core.tables.contract import ANY_OF, DECIMALS, TABLES, Column, Table
from groundswell.core.tables.identity import OUR_COMPANY, own_id
from groundswell.core.tables.proof import Proof
from groundswell.core.tables.typed import arrow_type

EXCLUDED = "excluded by rule"
"""How the reason begins where a row could be read and is not wanted."""
SAID_LIMIT = 1_000_000
"""Mentions that are remembered so as not to be made again; beyond it they are compared like any other row."""


Found = tuple[int, Fault]
"""The place of a word, and why it cannot be read."""


@dataclass(frozen=True)
class Load:
    """What a load says of all its rows: source, defaults, and the files beside it."""

    source: str
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
    repeated: int = 0
    """Input rows that only mention what earlier rows of the file have mentioned."""
    covered: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    """(table, object, column) -> ids of the things of which the file says all rows of the table."""
    unsure: set[str] = field(default_factory=set)
    """The same of things of which a row was set aside: nobody knows what it would have said."""
    said: dict[int, set[tuple[str | None, ...]]] = field(default_factory=dict)
    ids: dict[tuple[str, str, str], dict[str | None, str | None]] = field(default_factory=dict)

    def stage(self, batch: Batch) -> tuple[dict[str, pa.Table], list[Broken]]:
        """Staged rows by table, and the rows that are set aside with their reasons.

        A staged row has `line`, `object`, `external_id`, `deleted`, `mention`, its times and the columns of its table
        that the file fills. A row that is spoiled in one table is in none of them; a row that no row map takes is
        excluded by rule.
        """
        cells, spoiled = Cells(batch), dict[int, Broken]()
        taken = np.zeros(batch.size, bool)
        typed: list[tuple[int, RowMap, Sight, pa.Table]] = []
        for number, row in enumerate(self.file.rows):
            sight = Sight(row, cells, self.header_of, self.load.lookups, self.notes)
            taken[sight.every] = True
            if len(sight.places):
                typed.append((number, row, sight, _Typing(self, row, sight, spoiled).rows()))
        for place in set(np.flatnonzero(~taken).tolist()) - set(spoiled):
            reason = f"{EXCLUDED}: no row map of this format takes the row"
            spoiled[place] = Broken(batch.lines[place], "", reason, "nothing to do", batch.text(place))
        gone = np.zeros(batch.size, bool)
        gone[list(spoiled)] = True
        covered, lines = gone.copy(), np.asarray(batch.lines, np.int64)
        made: dict[str, list[pa.Table]] = {}
        for number, row, sight, table in typed:
            rows, places = self._kept(number, sight, gone)
            covered[places] = True
            if len(rows):
                part = table if len(rows) == len(table) else table.take(pa.array(rows))
                made.setdefault(row.table, []).append(part.append_column("line", pa.array(lines[places])))
        self.repeated += int(np.count_nonzero(~covered))
        self._cover(cells, gone)
        return {name: pa.concat_tables(parts, promote_options="default") for name, parts in made.items()}, list(
            spoiled.values()
        )

    def _cover(self, cells: Cells, gone: np.ndarray) -> None:
        """Note of which things the batch says all that belongs to them, rows that `only_if` leaves out included."""
        for row in self.file.rows:
            if row.within:
                whole = replace(row, only_if=None, each={}, mention=False)
                sight = Sight(whole, cells, self.header_of, self.load.lookups, Counter())
                expr, column = row.columns[row.within], TABLES[row.table].column(row.within)
                key = (row.table, row.object or row.table, row.within)
                for one, bad in zip(self.ids_of(row, column, expr, sight).to_pylist(), gone, strict=True):
                    if one is not None:
                        (self.unsure if bad else self.covered.setdefault(key, set())).add(one)

    def _kept(self, number: int, sight: Sight, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows of a row map that stay, and the input row of each: of what is only mentioned, the first good one."""
        if sight.once is None:
            rows = np.flatnonzero(~gone[sight.places])
            return rows, sight.places[rows]
        said = self.said.setdefault(number, set())
        first = np.full(len(sight.once.first), -1, np.int64)
        good = np.flatnonzero(~gone[sight.every])[::-1]
        first[sight.once.codes[good]] = sight.every[good]
        new = {words: row for row, words in enumerate(sight.once.said) if words not in said}
        rows = np.array([row for row in new.values() if first[row] >= 0], np.int64)
        if len(said) < SAID_LIMIT:
            said.update(sight.once.said[row] for row in rows)
        return rows, first[rows]

    def ids_of(self, row: RowMap, column: Column, expr: Expr, sight: Sight) -> pa.Array:
        """Our ids of the things that a column refers to, row by row; each alternative names its own source."""
        parts, places = [], []
        for other, rows, texts in sight.pieces(expr):
            parts.append(self._ids(row, column, other, texts))
            places.append(rows)
        if len(parts) == 1:
            return parts[0]
        return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(places))))

    def _ids(self, row: RowMap, column: Column, expr: Expr, texts: Texts) -> pa.Array:
        table = column.refers
        if table == "*":  # a touch names what it touches
            table = _SUBJECTS[row.columns["subject_kind"].const or "deal"]
        kind, source = expr.object or table, expr.source or self.load.source
        prefix = TABLES[kind if kind in TABLES else table].prefix
        known = self.ids.setdefault((source, prefix, kind), {None: None, OUR_COMPANY: OUR_COMPANY})
        if len(known) > SAID_LIMIT:
            known = {None: None, OUR_COMPANY: OUR_COMPANY}
        words = texts.words.to_pylist()
        for text in set(words) - known.keys():
            known[text] = own_id(prefix, source, kind, str(text))
        return texts.spread(pa.array(list(map(known.__getitem__, words)), pa.string()))

    def reading(self, expr: Expr) -> Reading:
        """How the cells of an expression are read: as its headers are settled, else as the mapping declares."""
        order, decimal = expr.format if expr.format in ("dmy", "mdy") else "", ""
        for header in expr.headers():
            settled = self.orders.get(self.header_of.get(header, ""), "")
            order = settled if settled in ("dmy", "mdy") else order
            decimal = settled if settled in (".", ",") else decimal
        form = expr.format if expr.format in FORMS else ""
        load = self.load
        return Reading(order, decimal, load.zone, load.home, load.free_mail, load.longest, form)

    def headers(self, expr: Expr) -> str:
        """The headers of the file that an expression reads, for messages."""
        return ", ".join(sorted(self.header_of.get(header, header) for header in expr.headers()))


class _Typing:
    """One row map over one batch: its texts typed by the contract of its table, and their envelope."""

    def __init__(self, stager: Stager, row: RowMap, sight: Sight, spoiled: dict[int, Broken]) -> None:
        self.stager, self.load = stager, stager.load
        self.row, self.table = row, TABLES[row.table]
        self.sight, self.count = sight, len(sight.places)
        self.spoiled = spoiled
        self.typed: dict[str, pa.Array] = {}

    def rows(self) -> pa.Table:
        """The staged rows, spoiled ones included: the whole input row is taken out once all row maps have seen it."""
        self.typed = {
            column.name: self._column(column)
            for column in self.table.columns
            if column.name in self.row.columns or column.fallback
        }
        self._home_money()
        self._whole_units()
        self._rates_of_home()
        self._require()
        return pa.table(self._identity() | self._times() | self.typed)

    def _spoil(self, faults: Mapping[int, Fault], header: str) -> None:
        """Set input rows aside, by row, unless they are already: the first reason stands."""
        sight, batch = self.sight, self.sight.batch.batch
        if faults and sight.once is not None:  # what a combination does wrong, every row with it does wrong
            faults = _of_words(sight.once.codes, faults)
        for row, fault in faults.items():
            place = int(sight.every[row])
            if place not in self.spoiled:
                self.spoiled[place] = Broken(batch.lines[place], header, fault.reason, fault.remedy, batch.text(place))

    def _typed(
        self, expr: Expr, kind: pa.DataType, typed: Callable[[Texts, Expr], tuple[pa.Array, list[Found]]]
    ) -> pa.Array:
        """An expression as a column of rows, each alternative by itself; the rows of faulty words are set aside."""
        parts, places = [], []
        for other, rows, texts in self.sight.pieces(expr):
            values, faults = typed(texts, other)
            spoiled = {int(rows[row]): fault for row, fault in _of_words(texts.places(), dict(faults)).items()}
            self._spoil(spoiled, self.stager.headers(other) or self.table.name)
            parts.append(texts.spread(values))
            places.append(rows)
        if len(parts) == 1:
            return parts[0]
        return pa.concat_arrays([part.cast(kind) for part in parts]).take(pa.array(np.argsort(np.concatenate(places))))

    # ----------------------------------------------------------------------------------------------- own columns

    def _column(self, column: Column) -> pa.Array:
        expr, kind = self.row.columns.get(column.name), arrow_type(column)
        if expr is None:
            return of_one(column.fallback, self.count).spread(pa.array([column.fallback], kind))
        if column.refers:
            texts = self.sight.of(expr)
            self._spoil_cut(texts.spread(texts.words), self.stager.headers(expr) or column.name)
            return self.stager.ids_of(self.row, column, expr, self.sight)
        found = self._typed(expr, kind, lambda texts, other: self._read(texts, column, other))
        return pc.fill_null(found, column.fallback) if column.fallback else found

    def _read(self, texts: Texts, column: Column, expr: Expr) -> tuple[pa.Array, list[Found]]:
        """The value of each word, and the words that cannot be read."""
        reading, kind = self.stager.reading(expr), arrow_type(column)
        minor = expr.format == MINOR_UNITS
        if not minor and (plainly := _plainly(texts, column, reading)) is not None:
            return plainly, []
        read, counts = reader(column, reading), texts.counts()
        answers: list[object] = []
        faults: list[Found] = []
        for place, text in enumerate(texts.words.to_pylist()):
            value = read(text) if text is not None else None
            if minor and isinstance(value, Decimal) and value % 1:
                value = Fault(f"'{text}' is not a whole number of its currency's smallest unit", "write it as 1234")
            if isinstance(value, Fault):
                faults.append((place, value))
                value = None
            if isinstance(value, Noted):
                self.stager.notes[value.note] += int(counts[place])
                value = value.value
            answers.append(value)
        return pa.array(answers, kind), faults

    def _home_money(self) -> None:
        """The currency of amounts, and home amounts only where they are in our home currency."""
        for amount, currency in _MONEY.get(self.table.name, ()):
            if amount in self.typed and amount in self.row.columns:
                self._currency(amount, currency)
        if self.table.name != "deals" or "amount_home" not in self.typed:
            return
        home, amounts = self.load.home_currency, self.typed["amount_home"]
        of = self.row.columns["amount_home"].currency
        currencies = of_one(of, self.count) if of else self.sight.cells("home_currency")
        written = self.sight.of(self.row.columns["amount_home"])
        pairs = combined([written, currencies])
        wrong: dict[int, Fault] = {}
        for place, (text, code) in enumerate(pairs.said):
            answer = currency_of(text, code.upper() if code else None, home) if text is not None else None
            if isinstance(answer, Fault):
                wrong[place] = answer
        self._spoil(_of_words(pairs.codes, wrong), self.stager.headers(self.row.columns["amount_home"]))
        words = currencies.words.to_pylist()
        others = [place for place, word in enumerate(words) if word is not None and word.upper() != home]
        lost = np.isin(currencies.places(), others) & amounts.is_valid().to_numpy(zero_copy_only=False)
        for place, count in enumerate(np.bincount(currencies.places()[lost])):
            if count:
                note = f"converted amounts are in {words[place]}, home currency is {home}; left out"
                self.stager.notes[note] += int(count)
        amounts = pc.if_else(pa.array(lost), pa.scalar(None, amounts.type), amounts)
        self.typed["amount_home"] = amounts
        if "home_basis" in self.typed:
            basis = self.typed["home_basis"]
            self.typed["home_basis"] = pc.if_else(pc.is_null(amounts), pa.scalar(None, basis.type), basis)

    def _currency(self, amount: str, currency: str) -> None:
        """The currency of amounts: what the row says, a mark in the cell, the source's default; they must agree."""
        written = self.sight.of(self.row.columns[amount])
        said = self.typed.get(currency, pa.nulls(self.count, pa.string()))
        pairs = combined([written, Texts(said)])
        found: list[str | None] = []
        wrong: dict[int, Fault] = {}
        for place, (text, code) in enumerate(pairs.said):
            default = self.row.columns[amount].currency or self.load.currency
            answer = currency_of(text, code, default) if text is not None else code
            if isinstance(answer, Fault):
                wrong[place] = answer
                answer = code
            found.append(answer)
        self._spoil(_of_words(pairs.codes, wrong), self.stager.headers(self.row.columns[amount]) or amount)
        if currency in self.table.names and (currency in self.typed or any(found)):
            self.typed[currency] = pc.if_else(
                pc.is_valid(self.typed[amount]), pa.array(found, pa.string()).take(pa.array(pairs.codes)), said
            )

    def _whole_units(self) -> None:
        """Amounts that count the smallest unit of their currency, in the currency: 1234 is 12.34 USD, 1234 JPY, 1.234 KWD."""
        for name, expr in self.row.columns.items():
            if expr.format != MINOR_UNITS or name not in self.typed:
                continue
            counted, kind = self.typed[name], self.typed[name].type
            said = pa.repeat(expr.currency, self.count) if expr.currency else self._currency_of(name)
            found = pa.nulls(self.count, kind)
            for currency in pc.unique(said.drop_null()).to_pylist():
                unit = pa.scalar(Decimal(1).scaleb(-minor_units(currency)), pa.decimal128(5, 4))
                amounts = pc.multiply(counted, unit).cast(kind)
                found = pc.if_else(pc.fill_null(pc.equal(said, currency), False), amounts, found)
            self.typed[name] = found
            if unsaid := pc.sum(pc.and_(pc.is_valid(counted), pc.is_null(said))).as_py():
                note = f"{name} counts the smallest unit of a currency that is not said; it stays empty"
                self.stager.notes[note] += unsaid

    def _currency_of(self, name: str) -> pa.Array:
        """The currencies of an amount: the column that belongs together with it."""
        group = self.table.column(name).together
        beside = next(
            (c.name for c in self.table.columns if group and c.together == group and c.kind == "currency"), ""
        )
        return self.typed.get(beside, pa.nulls(self.count, pa.string()))

    def _rates_of_home(self) -> None:
        """Rates that their file says are against another currency than ours convert nothing of ours."""
        if self.table.name != "fx_rates":
            return
        home, said = self.load.home_currency, self.sight.cells("home_currency")
        remedy = f"bring rates for one {home}, or set home_currency in policy/instance.toml"
        wrong = {
            place: Fault(f"the rate is for one {currency}, home currency is {home}", remedy)
            for place, currency in enumerate(said.words.to_pylist())
            if currency is not None and currency.upper() != home
        }
        self._spoil(_of_words(said.places(), wrong), "home_currency")

    def _require(self) -> None:
        for column in self.table.columns:
            typed = self.typed.get(column.name)
            if column.required and (typed is None or typed.null_count):
                expr = self.row.columns.get(column.name)
                header = self.stager.headers(expr) if expr else column.name
                fault = Fault(f"{column.name} of {self.table.name} is empty", "fill it in the source")
                self._spoil(dict.fromkeys(_nulls(typed, self.count).tolist(), fault), header or column.name)
        if any_of := ANY_OF.get(self.table.name):
            none = np.ones(self.count, bool)
            for name in any_of:
                kept = np.zeros(self.count, bool)
                kept[_nulls(self.typed.get(name), self.count)] = True
                none &= kept
            fault = Fault(f"one of {', '.join(any_of)} must be given", "fill it in the source")
            self._spoil(dict.fromkeys(np.flatnonzero(none).tolist(), fault), any_of[0])

    # --------------------------------------------------------------------------------------------------- envelope

    def _identity(self) -> dict[str, pa.Array]:
        deleted = self.row.columns.get("deleted")
        marks = self.sight.of(deleted) if deleted else of_one(None, self.count)
        gone = [(mark or "").casefold() in ("true", "1") for mark in marks.words.to_pylist()]
        kind = of_one(self.row.object or self.table.name, self.count)
        return {
            "external_id": self._external(),
            "object": kind.spread(kind.words),
            "deleted": marks.spread(pa.array(gone)),
            "mention": of_one("", self.count).spread(pa.array([self.row.mention])),
        }

    def _external(self) -> pa.Array:
        expr = self.row.columns.get("external_id")
        if expr is not None and expr.template[1::2]:
            parts = [self._key_part(header) for header in expr.template[1::2]]
            texts = [pa.scalar(text, pa.string()) for text in expr.template[::2]]
            found = pc.binary_join_element_wise(*_in_turn(texts, parts), "")
        elif expr is not None:
            cells = self.sight.of(expr)
            found = cells.spread(cells.words)
        elif self.table.key:
            named = [name for name in self.table.key if name in self.row.columns]
            columns = [pc.fill_null(self._key_column(name), "") for name in named]
            found = pc.binary_join_element_wise(*columns, "|") if len(columns) > 1 else columns[0]
        else:
            found = pa.nulls(self.count, pa.string())
        self._spoil_cut(found, self.stager.headers(expr) if expr else "external_id")
        if self.table.name != "activities" and found.null_count:  # an activity without id is known by its hash
            header = self.stager.headers(expr) if expr else "external_id"
            fault = Fault("the id of the row is empty", "fill it in the source")
            self._spoil(dict.fromkeys(_nulls(found, self.count).tolist(), fault), header)
        return found

    def _spoil_cut(self, ids: pa.Array, header: str) -> None:
        """Set rows aside whose id a spreadsheet has cut: several things would become one."""
        if pc.any(pc.match_substring(ids, "E+")).as_py():
            cut = pc.fill_null(pc.match_substring_regex(ids, CUT_ID), False).to_numpy(zero_copy_only=False)
            self._spoil({row: cut_id(ids[row].as_py()) for row in np.flatnonzero(cut).tolist()}, header)

    def _key_part(self, header: str) -> pa.Array:
        """A cell as part of an id. A day is the day it means, however it is written: another export writes it otherwise."""
        for name, expr in self.row.columns.items():
            if expr.header == header and name in self.typed and pa.types.is_temporal(self.typed[name].type):
                return self.typed[name].cast(pa.string())
        texts = self.sight.cells(header)
        return texts.spread(texts.words)

    def _key_column(self, name: str) -> pa.Array:
        """The same for a column that names a row of its table."""
        expr = self.row.columns[name]
        if name in self.typed and pa.types.is_temporal(self.typed[name].type):
            return self.typed[name].cast(pa.string())
        texts = self.sight.of(expr)
        return texts.spread(texts.words)

    def _times(self) -> dict[str, pa.Array]:
        known = self.row.columns.get("known_at") or self.stager.file.known_at
        changed = self.row.columns.get("changed_at")
        stamps = {"known_at": known, "changed_at": changed}
        return self._occurred() | {name: self._instants(expr) for name, expr in stamps.items() if expr is not None}

    def _occurred(self) -> dict[str, pa.Array]:
        """Day and moment: as the row map says, else of the column that the contract names, else unknown."""
        expr = self.row.columns.get("occurred_on")
        if expr is None:
            named = self.typed.get(self.table.occurred)
            if named is None:
                return {}
            if pa.types.is_date(named.type):
                return {"occurred_on": named}
            return {"occurred_on": _days(named, self.load.home), "occurred_at": named}

        found: list[pa.Array] = []

        def day(texts: Texts, other: Expr) -> tuple[pa.Array, list[Found]]:
            days, moments, faults = _whens(texts.words, self.stager.reading(other), self.load.home)
            found.append(moments)
            return days, faults

        on = self._typed(expr, pa.date32(), day)
        return {
            "occurred_on": on,
            "occurred_at": self._typed(expr, arrow_type(_STAMP), lambda texts, other: (found.pop(0), [])),
        }

    def _instants(self, expr: Expr) -> pa.Array:
        return self._typed(expr, arrow_type(_STAMP), lambda texts, other: self._read(texts, _STAMP, other))


def _of_words(codes: np.ndarray, faults: Mapping[int, Fault]) -> dict[int, Fault]:
    """The faults of words as faults of the rows that have them, in one look at the rows however many words there are."""
    rows = np.flatnonzero(np.isin(codes, list(faults))) if faults else np.array([], np.int64)
    return {row: faults[code] for row, code in zip(rows.tolist(), codes[rows].tolist(), strict=True)}


def _nulls(column: pa.Array | None, count: int) -> np.ndarray:
    """The rows in which a column is empty; all of them where there is no column."""
    if column is None:
        return np.arange(count)
    return np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))


def _when(text: str, reading: Reading, home: dt.tzinfo) -> When | Fault:
    """When something happened: a moment counts for its day in the home zone, a bare day stays itself."""
    when = read_when(text, reading)
    if isinstance(when, Fault):
        return when
    if when.floating is not None:
        return Fault(f"'{text}' names no time zone", "name the zone of the source: --answer FILE:zone=Europe/Berlin")
    return replace(when, day=when.moment.astimezone(home).date()) if when.moment else when


def _whens(words: pa.Array, reading: Reading, home: dt.tzinfo) -> tuple[pa.Array, pa.Array, list[Found]]:
    """Day and moment of each word, and the words that name neither; an empty one does not either."""
    if not words.null_count and not reading.form:
        if (days := _iso_days(words)) is not None:
            return days, pa.nulls(len(words), arrow_type(_STAMP)), []
        if (moments := _iso_moments(words)) is not None:
            return _days(moments, home), moments, []
    found = [
        _when(text, reading, home) if text is not None else Fault("it is empty", "fill it in the source")
        for text in words.to_pylist()
    ]
    return (
        pa.array([when.day if isinstance(when, When) else None for when in found], pa.date32()),
        pa.array([when.moment if isinstance(when, When) else None for when in found], arrow_type(_STAMP)),
        [(place, when) for place, when in enumerate(found) if isinstance(when, Fault)],
    )


def _in_turn(texts: list[pa.Scalar], columns: list[pa.Array]) -> list[pa.Scalar | pa.Array]:
    """The parts of a template as they stand in it."""
    found: list[pa.Scalar | pa.Array] = [texts[0]]
    for column, text in zip(columns, texts[1:], strict=True):
        found += [column, text]
    return found


_MONEY = {
    "deals": (("amount", "currency"), ("recurring_month", "currency")),
    "subscriptions": (("recurring_month", "currency"),),
    "registrations": (("amount", "currency"),),
    "funds": (("amount", "currency"),),
}
"""Columns of money with the column of their currency."""
_SUBJECTS = {"deal": "deals", "subscription": "subscriptions", "activity": "activities", "account": "organisations"}
_STAMP = Column("instant", "instant", "a moment")


# ------------------------------------------------------------------------------------------- whole columns at once

_ISO_DAY = r"^[12]\d{3}-\d{2}-\d{2}$"
_ISO_MOMENT = r"^[12]\d{3}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$"
"""Years far from the ends of the calendar, where Arrow has days that are none."""
_PLAIN_NUMBER = r"^-?(0|[1-9]\d{0,14})(\.(\d{1,2}|\d{4}))?$"
"""Numbers that read one way only: no groups, and not three decimals."""
_PLAIN_EMAIL = r"^[!-?\[-~]+@[!-?\[-~]+$"
"""An address in small letters, of printable ASCII."""


def _plainly(texts: Texts, column: Column, reading: Reading) -> pa.Array | None:
    """A column whose words all have the plain form of its kind, read at once; None where cells must be looked at.

    What this reads it reads as `reader` does; tests hold the two together.
    """
    words = texts.words
    if column.kind in ("text", "id"):
        longest = pc.max(pc.binary_length(words)).as_py() or 0
        return words if texts.plain and longest <= reading.longest else None
    if column.kind == "email":
        return words if all_match(words, _PLAIN_EMAIL) else None
    if reading.form:
        return None
    if column.kind == "instant":
        return _iso_moments(words)
    if column.kind == "date":
        return _iso_days(words)
    if column.kind in DECIMALS and not column.positive and reading.decimal != "," and all_match(words, _PLAIN_NUMBER):
        try:
            return pc.cast(words, arrow_type(column))
        except pa.ArrowInvalid:
            return None
    return None


def _iso_days(words: pa.Array) -> pa.Array | None:
    return _cast(words, pa.date32()) if all_match(words, _ISO_DAY) else None


def _iso_moments(words: pa.Array) -> pa.Array | None:
    return _cast(words, arrow_type(_STAMP)) if all_match(words, _ISO_MOMENT) else None


def _cast(words: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(words, kind)
    except pa.ArrowInvalid:  # 30 February, a leap second: the cells are looked at one by one
        return None


_SUMMERS_END = dt.datetime(2037, 1, 1, tzinfo=dt.UTC)
"""Arrow reads the table of a zone and not the rule after it, so it knows no summer time of later years."""


def _days(moments: pa.Array, home: dt.tzinfo) -> pa.Array:
    """The days of moments in the home zone."""
    latest = pc.max(moments).as_py()
    if latest is not None and latest >= _SUMMERS_END:
        return pa.array([moment and moment.astimezone(home).date() for moment in moments.to_pylist()], pa.date32())
    local = pc.local_timestamp(pc.cast(moments, pa.timestamp("us", str(home))))
    return pc.cast(pc.floor_temporal(local, unit="day"), pa.date32())


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
    """Show every cell of the columns in question to their proofs; those that say nothing about them are passed over."""
    for batch in batches:
        for header, proof in asked.items():
            words = coded(batch.columns[header]).words
            says_nothing = pc.match_substring_regex(words, _SAYS_NOTHING[proof.kind])
            for word in words.filter(pc.invert(pc.fill_null(says_nothing, True))).to_pylist():
                if word.casefold() not in EMPTY:
                    proof.look([word])


_SAYS_NOTHING = {
    "date": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z)?$",
    "number": r"^-?\d+$",
}
"""Cells that read one way only, name their zone and prove nothing about others."""
