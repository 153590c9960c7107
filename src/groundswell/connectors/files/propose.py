"""From files of unknown shape to rows of canonical tables that they seem to feed: a proposal for a person to edit.

Nothing is decided in silence. Each column says why it is proposed; what the files do not tell is left UNDECIDED, and a
mapping in which that stands is not taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from groundswell.connectors.files.mapping import UNDECIDED
from groundswell.connectors.files.relate import Relation, relations
from groundswell.connectors.files.seen import SeenColumn, SeenFile
from groundswell.connectors.files.suggest import (
    NAME_PARTS,
    Suggestion,
    is_named,
    named_thing,
    phrase,
    suggest,
    thing_of,
    word_of,
)
from groundswell.core.tables.contract import TABLES, Column

Value = str | Mapping[str, object]
"""What a mapping file says of a column: a header or template, or a table of keys."""


@dataclass(frozen=True)
class Said:
    """One line of a row map: a column, where its text comes from, and why. `asks` says what is left to decide."""

    column: str
    value: Value
    why: str = ""
    asks: str = ""
    words: tuple[tuple[str, str, int], ...] = ()
    """(label, word or UNDECIDED, rows), for closed lists."""
    headers: tuple[str, ...] = ()


@dataclass
class ProposedRow:
    """A row map."""

    table: str
    said: list[Said] = field(default_factory=list)
    only_if: str = ""
    mention: bool = False


@dataclass
class ProposedFile:
    """A file with the row maps that it seems to feed; none where nothing of it is recognised."""

    seen: SeenFile
    rows: list[ProposedRow] = field(default_factory=list)
    looked_up_by: list[str] = field(default_factory=list)
    """Names of files that look something up in it."""

    @property
    def used(self) -> set[str]:
        """The headers that its rows read."""
        return {header for row in self.rows for one in row.said for header in one.headers}


@dataclass(frozen=True)
class _Kind:
    """A table that a file may be about, and what it must bring for it: one column of each group."""

    table: str
    needs: tuple[tuple[str, ...], ...]


_ID = "external_id"
_KINDS = (
    _Kind("organisations", (("name",),)),
    _Kind("deals", (("amount", "stage", "stage_class"), ("created_on", "close_on", "closed_on"), (_ID, "name"))),
    _Kind("credentials", (("code",), ("issued_on",), ("person_id",))),
    _Kind("activities", (("type",), ("occurred_on",), ("partner_id", "person_id", "account_id", "deal_id"))),
    _Kind("registrations", (("partner_id",), ("customer_name",), ("submitted_at", "state"))),
    _Kind("subscriptions", (("account_id",), ("product", "sku"), ("started_on",))),
    _Kind("memberships", (("partner_id",), ("program", "tier", "partner_type", "status", "joined_on", "valid_from"))),
    _Kind("touches", (("subject_id",), ("partner_id",))),
    _Kind("deal_stages", (("deal_id",), ("stage",), ("entered_at",))),
    _Kind("funds", (("amount",), ("partner_id",), ("kind", "status", "campaign"))),
    _Kind("readings", (("partner_id", "account_id"), ("kind",), ("value",))),
    _Kind("people", (("email", "full_name", "last_name"),)),
    _Kind("fx_rates", (("currency",), ("day",), ("per_home",))),
    _Kind("fiscal_periods", (("starts_on",), ("ends_on",), ("year",))),
    _Kind("tiers", (("tier",), ("rank",))),
)
_REFERS = {
    "partner_id": ("partner",), "account_id": ("account",), "deal_id": ("deal",), "subject_id": ("deal",),
    "person_id": ("person",), "owner_id": ("owner",), "manager_id": ("manager",), "parent_id": ("parent",),
    "organisation_id": ("partner", "account"),
}  # fmt: skip
"""Column that refers to another thing -> the things that its header may name."""
_PLACES = {("deals", "partner_id"): "touches", ("credentials", "organisation_id"): "people"}
"""Where a file of a table refers to an organisation by way of another table."""
_MENTIONED = (("partner_id", "partner"), ("account_id", "account"), ("organisation_id", "partner"),
              ("organisation_id", "account"), ("organisation_id", ""), ("owner_id", "owner"))  # fmt: skip
"""Columns that name organisations and our own people, and which; "" where nobody can say."""
_MANY = {"partner": "partners", "account": "customers", "owner": "our own people"}
"""What tells whose the organisations or people of a file are."""
_OWN = {"organisations": ("partner", "account"), "deals": ("deal",), "people": ("person", "owner")}


def propose(files: Sequence[SeenFile], limits: Mapping[str, int]) -> list[ProposedFile]:
    """The rows that some files seem to feed, each file in the light of the others."""
    return _Proposing(files, limits).found()


class _Proposing:
    """All the files at once: what each is about, and what its columns refer to."""

    def __init__(self, files: Sequence[SeenFile], limits: Mapping[str, int]) -> None:
        self.files = files
        self.percent, self.listed = limits["draft_percent"], limits["draft_words"]
        self.relations = relations(files, self.percent)
        self.columns: dict[SeenFile, dict[str, dict[str, Suggestion]]] = {
            file: {kind.table: self._suggested(file, kind.table) for kind in _KINDS} for file in files
        }
        self.about: dict[SeenFile, str] = {}
        self.things: dict[SeenFile, str] = {}
        self.things_why: dict[SeenFile, str] = {}
        self.named: dict[SeenFile, Said | None] = {}
        for file in files:
            self.about[file] = self._table(file)
        for file in files:
            self.things[file], self.things_why[file] = self._thing(file)
            self.named[file] = self._own_id(file, self.about[file])

    def found(self) -> list[ProposedFile]:
        """The proposal of each file."""
        proposed = [ProposedFile(file, list(self._rows(file))) for file in self.files]
        for one in proposed:
            names = {
                said.value["lookup"]
                for row in one.rows
                for said in row.said
                if isinstance(said.value, dict) and "lookup" in said.value
            }
            for other in proposed:
                if other.seen.path.name in names:
                    other.looked_up_by.append(one.seen.name)
        return proposed

    # --------------------------------------------------------------------------------------- what a file is about

    def _suggested(self, file: SeenFile, table: str) -> dict[str, Suggestion]:
        """The best column of the file for each column of a table; no column of the file stands for two."""
        names = [column.name for column in TABLES[table].columns if not column.refers]
        names += {"people": list(NAME_PARTS), "activities": ["occurred_on"], "organisations": []}.get(table, [])
        hits = [
            (suggestion, name)
            for name in names
            for seen in file.columns.values()
            if (suggestion := suggest(table, name, seen, self.percent)) and self._listable(table, name, seen)
        ]
        found: dict[str, Suggestion] = {}
        for suggestion, name in sorted(hits, key=lambda hit: -hit[0].score):
            if name not in found and all(one.header != suggestion.header for one in found.values()):
                found[name] = suggestion
        return found

    def _listable(self, table: str, name: str, seen: SeenColumn) -> bool:
        column = _column(table, name)
        return column is None or not column.words or len(seen.words) <= self.listed

    def _table(self, file: SeenFile) -> str:
        """The table that most of a file speaks of; "" where it has what none of them needs."""
        ranked = [(self._score(file, kind), kind.table) for kind in _KINDS]
        best, table = max(ranked, key=lambda one: one[0])
        return table if best > 0 else ""

    def _score(self, file: SeenFile, kind: _Kind) -> float:
        found = self.columns[file][kind.table]
        scores = {name: one.score for name, one in found.items()}
        for column in (*TABLES[kind.table].names, _ID):
            if column == _ID and self._own_headers(file, kind.table):
                scores[_ID] = 1.0
            elif column != _ID and self._referring(file, kind.table, column):
                scores[column] = 0.8
        if not all(any(name in scores for name in group) for group in kind.needs):
            return 0
        bonus = 0.5 if is_named(kind.table, file.path.stem) else 0.0
        repeats = kind.table == "organisations" and any(
            not file.columns[header].differ for header in self._own_headers(file, kind.table)[:1]
        )
        return sum(scores.values()) + bonus - (2 if repeats else 0)

    def _thing(self, file: SeenFile) -> tuple[str, str]:
        """Whether organisations are partners or accounts, and people ours; and what says so.

        Headers do, else the name of the file, else the columns of other files that refer to it.
        """
        said = [(thing_of(header)[0], f"the header {header} names") for header in file.columns]
        said += [(named_thing(file.path.stem), "the name of the file speaks of")]
        said += [
            (thing_of(one.header)[0], f"{one.header} of {one.file.name} refers to it as")
            for one in self.relations
            if one.to is file
        ]
        return next(((thing, f"{why} {_MANY[thing]}") for thing, why in said if thing in _MANY), ("", ""))

    def _own_headers(self, file: SeenFile, table: str) -> list[str]:
        """Columns that may hold the id of a file's own rows, best first."""
        things = _OWN.get(table, ())
        ids = [(header, *thing_of(header)) for header in file.columns]
        own = [header for header, thing, by_id in ids if by_id and thing in things]
        own += [header for header, thing, by_id in ids if by_id and not thing]
        own += [
            h
            for h, thing, by_id in ids
            if table == "deals" and not by_id and thing in things and file.columns[h].differ
        ]
        return sorted(own, key=lambda header: not file.columns[header].differ)

    # --------------------------------------------------------------------------------------------------- the rows

    def _rows(self, file: SeenFile) -> Iterator[ProposedRow]:
        table = self.about[file]
        if not table:
            return
        row = ProposedRow(table, [one for one in [self.named[file]] if one])
        row.said += self._columns(file, table)
        yield row
        if table == "organisations":
            yield from self._membership(file, row)
        if table == "deals":
            yield from self._touch(file, row)
        if table == "credentials":
            yield from self._holder(file)
        yield from self._mentions(file, table)

    def _own_id(self, file: SeenFile, table: str) -> Said | None:
        """The id of a file's rows: a column of ids, two that are one together, or the name that stands in for it."""
        contract = TABLES.get(table)
        if contract is None or contract.key:
            return None
        for header in self._own_headers(file, table):
            seen = file.columns[header]
            if seen.differ:
                return _said(_ID, f"{{{header}}}", "the header names its id, and no two cells are equal", header)
            if pair := _pair(file, header):
                return _said(_ID, f"{{{header}}}#{{{pair}}}", f"only with {pair} no two rows are equal", header, pair)
            return _said(
                _ID,
                f"{{{header}}}",
                "the header names its id, but cells repeat: such rows say the same or are versions",
                header,
            )
        found = self.columns[file][table]
        for name, key in (("email", "email"), ("name", "name"), ("full_name", "name")):
            if table in _OWN and (one := found.get(name)) and (table != "deals" or file.columns[one.header].differ):
                return _said(
                    _ID,
                    {"header": one.header, "key": key},
                    f"no column holds an id; the {key} stands in for it",
                    one.header,
                )
        if table == "activities":
            return None
        if table == "credentials":
            parts = (self._referring(file, table, "person_id"), found["code"].header, found["issued_on"].header)
            value = {"header": "|".join(f"{{{part}}}" for part in parts), **self._key_of(file, parts[0])}
            return _said(_ID, value, "no column holds an id; person, code and day are one together", *parts)
        differing = [header for header, seen in file.columns.items() if seen.differ]
        asks = f"which column holds the id of the row? No two cells are equal in: {', '.join(differing) or 'none'}"
        return Said(_ID, UNDECIDED, asks=asks)

    def _columns(self, file: SeenFile, table: str, only: Sequence[str] = ()) -> Iterator[Said]:
        """The columns of a table that the file brings, and those that it must and does not say."""
        found = self.columns[file][table]
        if "occurred_on" in found:
            yield self._of(file, table, "occurred_on", found["occurred_on"])
        for column in TABLES[table].columns:
            if only and column.name not in only:
                continue
            if column.name == "side":
                yield self._side(file)
            elif column.name in ("is_partner", "is_customer"):
                yield self._plays(file, column.name)
            elif column.refers:
                yield from self._reference(file, table, column)
            elif one := found.get(column.name):
                yield self._of(file, table, column.name, one)
                if column.name == "stage" and "stage_class" not in found:
                    yield self._stage_class(file, table, one)
            elif column.name == "stage_class" and "stage" in found:
                continue
            elif said := self._looked_up(file, table, column) or self._instead(file, table, column, found):
                yield said

    def _of(self, file: SeenFile, table: str, name: str, one: Suggestion) -> Said:
        """A column as it stands; its order of dates, or its words, where they are to be told."""
        seen, column = file.columns[one.header], _column(table, name)
        if column is not None and column.words:
            return Said(
                name, {"header": one.header}, one.why, words=self._words(table, column, seen), headers=(one.header,)
            )
        kind = column.kind if column else "instant"
        if kind in ("date", "instant") and seen.reading("date") == "?":
            proof = seen.proofs["date"]
            asks = f"dmy or mdy: no cell decides how '{proof.asks or next(iter(proof.orders.values()))}' is read"
            return Said(name, {"header": one.header, "format": UNDECIDED}, one.why, asks, headers=(one.header,))
        return _said(name, one.header, one.why, one.header)

    def _words(self, table: str, column: Column, seen: SeenColumn) -> tuple[tuple[str, str, int], ...]:
        """The labels of a closed list that are not its words already."""
        said = [(label, word_of(table, column, label), rows) for label, rows in seen.words.most_common()]
        return tuple((label, word or UNDECIDED, rows) for label, word, rows in said)

    def _stage_class(self, file: SeenFile, table: str, one: Suggestion) -> Said:
        column, seen = TABLES[table].column("stage_class"), file.columns[one.header]
        if len(seen.words) > self.listed:
            asks = f"{one.header} has {len(seen.words):,} different cells; give values = {{ ... }}"
            return Said("stage_class", UNDECIDED, asks=asks)
        words = self._words(table, column, seen)
        return Said(
            "stage_class", {"header": one.header}, f"what each {one.header} means", words=words, headers=(one.header,)
        )

    def _instead(self, file: SeenFile, table: str, column: Column, found: Mapping[str, Suggestion]) -> Said | None:
        """What stands for a column that no header names: another column, or what only a person can say."""
        if column.name == "full_name" and set(NAME_PARTS) <= found.keys():
            first, last = (found[name].header for name in NAME_PARTS)
            return _said("full_name", f"{{{first}}} {{{last}}}", "first name and last name", first, last)
        if column.name == "employees_high" and (low := found.get("employees_low")):
            return _said(column.name, low.header, "one figure is both ends of the band", low.header)
        if not column.required or column.fallback:
            return None
        own = self.named[file]
        if column.name == "name" and own and own.headers:
            return _said("name", own.headers[0], "no column names it; its id stands in", own.headers[0])
        meant = f"one of {', '.join(column.words)}" if column.words else column.meaning
        return Said(column.name, {"const": UNDECIDED}, asks=f"no column says it: {meant}")

    def _looked_up(self, file: SeenFile, table: str, column: Column) -> Said | None:
        """A column that another file, beside this one, has for the same key."""
        for one in self.relations if table == "organisations" and column.kind in ("country", "domain") else ():
            if one.file is not file or one.key != one.header or not one.to.layout.delimiter or one.to.code_page:
                continue
            hits = [suggest(table, column.name, seen, self.percent) for seen in one.to.columns.values()]
            best = max((hit for hit in hits if hit), key=lambda hit: (hit.score, -len(hit.header)), default=None)
            if best:
                value = {"lookup": one.to.path.name, "on": one.header, "take": best.header}
                return Said(column.name, value, f"{one.said}; there: {best.why}", headers=(one.header,))
        return None

    def _plays(self, file: SeenFile, name: str) -> Said:
        thing = self.things[file]
        if thing in ("partner", "account"):
            said = (thing == "partner") == (name == "is_partner")
            return Said(name, {"const": said}, self.things_why[file])
        return Said(
            name, {"const": UNDECIDED}, asks="nothing tells whether these are partners or customers: true or false"
        )

    def _side(self, file: SeenFile) -> Said:
        thing = self.things[file]
        side = {"partner": "partner", "account": "account", "owner": "ours"}.get(thing, "")
        if side:
            return Said("side", {"const": side}, self.things_why[file])
        return Said("side", {"const": UNDECIDED}, asks="whom do these people work for: partner, account or ours?")

    # ------------------------------------------------------------------------------------------------- references

    def _referring(self, file: SeenFile, table: str, column: str) -> str:
        """The header that refers to the thing of a column; "" where none does."""
        things = _REFERS.get(column, ()) if column in TABLES[table].names else ()
        own = set(self._own_headers(file, table)[:1]) if table in _OWN else set()
        for thing in things:
            hits = [
                (not by_id, h)
                for h in file.columns
                for named, by_id in [thing_of(h)]
                if named == thing and h not in own
            ]
            if hits:
                return min(hits)[1]
        if column == "person_id":
            email = self.columns[file]["people"].get("email")
            return email.header if email else ""
        if column == "organisation_id" and (name := self.columns[file]["organisations"].get("name")):
            return name.header if name.header not in own and phrase(name.header) != ("name",) else ""
        leads = (one for one in self.relations if one.file is file and one.header not in own)
        return next((one.header for one in leads if self._points(one, things)), "")

    def _key_of(self, file: SeenFile, header: str) -> dict[str, object]:
        """How a column of people is spelled, as further keys of an expression."""
        return {"key": "email"} if file.columns[header].proves("email", self.percent) else {}

    def _points(self, one: Relation, things: Sequence[str]) -> bool:
        """Whether a relation leads to the ids of a file about such things."""
        named = self.named.get(one.to)
        thing = "deal" if self.about.get(one.to) == "deals" else self.things.get(one.to, "")
        return bool(named and one.key in named.headers and thing in things and not thing_of(one.header)[0])

    def _reference(self, file: SeenFile, table: str, column: Column) -> Iterator[Said]:
        header = self._referring(file, table, column.name)
        if not header:
            if column.name == "organisation_id" and self.things[file] == "owner":
                yield Said(column.name, {"const": "vendor:self"}, "our own people")
            elif column.required:
                yield Said(column.name, UNDECIDED, asks=f"no column says it: {column.meaning}. Name its header")
            return
        value, why = self._id_of(file, header, column.name)
        yield Said(column.name, value, why, headers=(header,))

    def _id_of(self, file: SeenFile, header: str, column: str) -> tuple[Value, str]:
        """How a column refers: spelled as the file spells its ids that it leads to, else as it looks."""
        thing, by_id = thing_of(header)
        leads = [one for one in self.relations if one.file is file and one.header == header]
        why = f"the header names the {thing or column.removesuffix('_id')}"
        for one in leads:
            if (named := self.named[one.to]) is None:
                continue
            key = named.value.get("key", "") if isinstance(named.value, Mapping) else ""
            said = f"{why}; {one.said}" if thing else one.said
            if one.key in named.headers:
                return ({"header": header, "key": key} if key else header), said
            if one.key == header and len(named.headers) == 1 and one.to.layout.delimiter:
                return {"lookup": one.to.path.name, "on": header, "take": named.headers[0]}, said
        seen = file.columns[header]
        if seen.proves("email", self.percent):
            return {"header": header, "key": "email"}, f"{why}; its cells are e-mail addresses"
        if column == "parent_id" or by_id:
            own = self.named[file] if column == "parent_id" else None
            key = own.value.get("key", "") if own and isinstance(own.value, Mapping) else ""
            return ({"header": header, "key": key} if key else header), why
        return {"header": header, "key": "name"}, f"{why} and holds names, which stand in for ids"

    # --------------------------------------------------------------------------------------------- further tables

    def _membership(self, file: SeenFile, row: ProposedRow) -> Iterator[ProposedRow]:
        """What an organisations file says of the programme, unless it is of customers."""
        own, taken = self.named[file], {header for one in row.said for header in one.headers}
        found = {n: s for n, s in self.columns[file]["memberships"].items() if s.header not in taken}
        if self.things[file] == "account" or not found or own is None:
            return
        value = own.value if isinstance(own.value, Mapping) else own.headers[0]
        made = ProposedRow("memberships", [Said("partner_id", value, "the partner of this row", headers=own.headers)])
        for column in TABLES["memberships"].columns:
            if column.name in found:
                made.said.append(self._of(file, "memberships", column.name, found[column.name]))
            elif column.name == "manager_id":
                made.said += self._reference(file, "memberships", column)
        yield made

    def _touch(self, file: SeenFile, deal: ProposedRow) -> Iterator[ProposedRow]:
        """The part of the partner that a deal names."""
        header, own = self._referring(file, "touches", "partner_id"), deal.said[0]
        if not header:
            return
        value, why = self._id_of(file, header, "partner_id")
        created = next((one for one in deal.said if one.column == "created_on"), None)
        role = self.columns[file].get("touches", {}).get("role")
        asks = "which part had the partner: sourced, resold, assisted, ...? Only deals sourced or resold count for it"
        made = ProposedRow("touches", only_if=_there(header), said=[
            Said("subject_kind", {"const": "deal"}),
            Said("subject_id", own.value, asks=own.asks and "the same as external_id of deals", headers=own.headers),
            Said("partner_id", value, why, headers=(header,)),
            self._of(file, "touches", "role", role) if role else Said("role", {"const": UNDECIDED}, asks=asks),
            Said("evidence", {"const": "crm_field"}),
        ])  # fmt: skip
        if created:
            made.said.append(Said("starts_on", created.value, asks=created.asks, headers=created.headers))
        yield made

    def _holder(self, file: SeenFile) -> Iterator[ProposedRow]:
        """The person who holds a credential, where the file says whom the person works for."""
        person = self._referring(file, "credentials", "person_id")
        employer = self._referring(file, "people", "organisation_id")
        if not person or not employer:
            return
        value, why = self._id_of(file, person, "person_id")
        made = ProposedRow("people", only_if=_there(person), said=[Said(_ID, value, why, headers=(person,))])
        made.said += self._columns(file, "people", ("organisation_id", "side", "email", "full_name"))
        yield made

    def _mentions(self, file: SeenFile, table: str) -> Iterator[ProposedRow]:
        """The organisations and sellers that the file merely names, where no other file tells more of them."""
        done: set[str] = set()
        for column, thing in _MENTIONED:
            place = _PLACES.get((table, column), table)
            if column not in TABLES[place].names:
                continue
            header = self._referring(file, place, column)
            if not header or header in done or self._told(file, header) or not self._is(file, header, thing):
                continue
            done.add(header)
            value, _ = self._id_of(file, header, column)
            own = Said(_ID, value, headers=(header,))
            if thing == "owner":
                said = [Said("organisation_id", {"const": "vendor:self"}), Said("side", {"const": "ours"})]
                yield ProposedRow(
                    "people", [own, *said, Said("full_name", header, headers=(header,))], _there(header), True
                )
            else:
                said = [Said("name", named := self._name_beside(file, table, header), headers=(named,))]
                said += [self._mentioned(thing, name) for name in ("is_partner", "is_customer")]
                yield ProposedRow("organisations", [own, *said], _there(header), True)

    def _is(self, file: SeenFile, header: str, thing: str) -> bool:
        """Whether a header refers to such a thing; one that leads to the ids of another file does by that."""
        named = thing_of(header)[0]
        return named == thing or (
            not named and any(one.file is file and one.header == header for one in self.relations)
        )

    @staticmethod
    def _mentioned(thing: str, name: str) -> Said:
        if not thing:
            return Said(
                name, {"const": UNDECIDED}, asks="nothing tells whether these are partners or customers: true or false"
            )
        return Said(name, {"const": (thing == "partner") == (name == "is_partner")})

    def _name_beside(self, file: SeenFile, table: str, header: str) -> str:
        """The column that names what another one refers to; the id itself where there is none."""
        name = self.columns[file]["organisations"].get("name")
        return name.header if name and table == "memberships" else header

    def _told(self, file: SeenFile, header: str) -> bool:
        """Whether another file is about what a column refers to, and has all of it."""
        return any(
            one.file is file and one.header == header and one.hits == one.of and self.about[one.to] in _OWN
            for one in self.relations
        )


def _column(table: str, name: str) -> Column | None:
    return next((one for one in TABLES[table].columns if one.name == name), None)


def _said(column: str, value: Value, why: str, *headers: str) -> Said:
    return Said(column, value, why, headers=headers)


def _there(header: str) -> str:
    """The condition that a cell is filled; "" for a header that no condition can name."""
    return "" if {'"', "'"} & {*header} or not header.isprintable() else f'"{header}" is not null'


_WITHIN = {"line", "item", "position", "pos"}


def _pair(file: SeenFile, header: str) -> str:
    """The header of a column of numbers within a thing that together with its id tells all rows apart."""
    others = (other for other in file.columns if other != header and (_WITHIN & {*phrase(other)} or thing_of(other)[1]))
    return next((other for other in others if file.apart(header, other)), "")
