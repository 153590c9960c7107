"""What files of unknown shape are about: the table of each, its own ids, and what its columns refer to in the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from groundswell.connectors.files.mapping import UNDECIDED
from groundswell.connectors.files.relate import Relation, relations
from groundswell.connectors.files.seen import SeenColumn, SeenFile
from groundswell.connectors.files.suggest import (
    NAME_PARTS,
    Enough,
    Suggestion,
    is_named,
    named_thing,
    phrase,
    suggest,
    thing_of,
)
from groundswell.core.tables.contract import TABLES

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


@dataclass(frozen=True)
class _Kind:
    """A table that a file may be about, and what it must bring for it: one column of each group."""

    table: str
    needs: tuple[tuple[str, ...], ...]


ID = "external_id"
_KINDS = (
    _Kind("organisations", (("name",),)),
    _Kind(
        "deals",
        (("amount", "amount_home", "stage", "stage_class"), ("created_on", "close_on", "closed_on"), (ID, "name")),
    ),
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
_MANY = {"partner": "partners", "account": "customers", "owner": "our own people"}
"""What tells whose the organisations or people of a file are."""
_OWN = {"organisations": ("partner", "account"), "deals": ("deal",), "people": ("person", "owner")}


class About:
    """All the files at once, each judged in the light of the others."""

    def __init__(self, files: Sequence[SeenFile], limits: Mapping[str, int]) -> None:
        self.files = files
        self.percent, self.listed = limits["draft_percent"], limits["draft_words"]
        self.enough = Enough.of(limits)
        self.relations = relations(files, self.percent)
        self.columns: dict[SeenFile, dict[str, dict[str, Suggestion]]] = {
            file: {kind.table: self._suggested(file, kind.table) for kind in _KINDS} for file in files
        }
        self.tables: dict[SeenFile, str] = {}
        self.things: dict[SeenFile, str] = {}
        self.things_why: dict[SeenFile, str] = {}
        self.named: dict[SeenFile, Said | None] = {}
        for file in files:
            self.tables[file] = self._table(file)
        for file in files:
            self.things[file], self.things_why[file] = self._thing(file)
            self.named[file] = self._own_id(file, self.tables[file])

    def _suggested(self, file: SeenFile, table: str) -> dict[str, Suggestion]:
        """The best column of the file for each column of a table; no column of the file stands for two."""
        names = [column.name for column in TABLES[table].columns if not column.refers]
        names += {"people": list(NAME_PARTS), "activities": ["occurred_on"], "organisations": []}.get(table, [])
        hits = [
            (suggestion, name)
            for name in names
            for seen in file.columns.values()
            if (suggestion := suggest(table, name, seen, self.enough)) and self._listable(table, name, seen)
        ]
        found: dict[str, Suggestion] = {}
        for suggestion, name in sorted(hits, key=lambda hit: -hit[0].score):
            if name not in found and all(one.header != suggestion.header for one in found.values()):
                found[name] = suggestion
        return found

    def _listable(self, table: str, name: str, seen: SeenColumn) -> bool:
        column = next((one for one in TABLES[table].columns if one.name == name), None)
        return column is None or not column.words or len(seen.words) <= self.listed

    def _table(self, file: SeenFile) -> str:
        """The table that most of a file speaks of; "" where it has what none of them needs."""
        ranked = [(self._score(file, kind), kind.table) for kind in _KINDS]
        best, table = max(ranked, key=lambda one: one[0])
        return table if best > 0 else ""

    def _score(self, file: SeenFile, kind: _Kind) -> float:
        found = self.columns[file][kind.table]
        scores = {name: one.score for name, one in found.items()}
        for column in (*TABLES[kind.table].names, ID):
            if column == ID and self._own_headers(file, kind.table):
                scores[ID] = 1.0
            elif column != ID and self.referring(file, kind.table, column):
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

    def _own_id(self, file: SeenFile, table: str) -> Said | None:
        """The id of a file's rows: a column of ids, two that are one together, or the name that stands in for it."""
        contract = TABLES.get(table)
        if contract is None or contract.key:
            return None
        for header in self._own_headers(file, table):
            seen = file.columns[header]
            if seen.differ:
                return _own(f"{{{header}}}", "the header names its id, and no two cells are equal", header)
            if pair := _pair(file, header):
                return _own(f"{{{header}}}#{{{pair}}}", f"only with {pair} no two rows are equal", header, pair)
            return _own(
                f"{{{header}}}",
                "the header names its id, but cells repeat: such rows say the same or are versions",
                header,
            )
        found = self.columns[file][table]
        for name, key in (("email", "email"), ("name", "name"), ("full_name", "name")):
            if table in _OWN and (one := found.get(name)) and (table != "deals" or file.columns[one.header].differ):
                return _own(
                    {"header": one.header, "key": key},
                    f"no column holds an id; the {key} stands in for it",
                    one.header,
                )
        if table == "activities":
            return None
        if table == "credentials":
            parts = (self.referring(file, table, "person_id"), found["code"].header, found["issued_on"].header)
            value = {"header": "|".join(f"{{{part}}}" for part in parts), **self._key_of(file, parts[0])}
            return _own(value, "no column holds an id; person, code and day are one together", *parts)
        differing = [header for header, seen in file.columns.items() if seen.differ]
        asks = f"which column holds the id of the row? No two cells are equal in: {', '.join(differing) or 'none'}"
        return Said(ID, UNDECIDED, asks=asks)

    def referring(self, file: SeenFile, table: str, column: str) -> str:
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
        thing = "deal" if self.tables.get(one.to) == "deals" else self.things.get(one.to, "")
        return bool(named and one.key in named.headers and thing in things and not thing_of(one.header)[0])

    def id_of(self, file: SeenFile, header: str, column: str) -> tuple[Value, str]:
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

    def names(self, file: SeenFile, header: str, thing: str) -> bool:
        """Whether a header refers to such a thing; one that leads to the ids of another file does by that."""
        named = thing_of(header)[0]
        return named == thing or (
            not named and any(one.file is file and one.header == header for one in self.relations)
        )

    def told(self, file: SeenFile, header: str) -> bool:
        """Whether another file is about what a column refers to, and has all of it."""
        return any(
            one.file is file and one.header == header and one.hits == one.of and self.tables[one.to] in _OWN
            for one in self.relations
        )


def _own(value: Value, why: str, *headers: str) -> Said:
    return Said(ID, value, why, headers=headers)


_WITHIN = {"line", "item", "position", "pos"}


def _pair(file: SeenFile, header: str) -> str:
    """The header of a column of numbers within a thing that together with its id tells all rows apart."""
    others = (other for other in file.columns if other != header and (_WITHIN & {*phrase(other)} or thing_of(other)[1]))
    return next((other for other in others if file.apart(header, other)), "")
