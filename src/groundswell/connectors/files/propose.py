"""From files of unknown shape to rows of canonical tables that they seem to feed: a proposal for a person to edit.

Nothing is decided in silence. Each column says why it is proposed; what the files do not tell is left UNDECIDED, and a
mapping in which that stands is not taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from groundswell.connectors.files.about import ID, About, Said, Value
from groundswell.connectors.files.mapping import UNDECIDED
from groundswell.connectors.files.seen import SeenColumn, SeenFile
from groundswell.connectors.files.suggest import NAME_PARTS, Enough, Suggestion, suggest, word_of
from groundswell.core.tables.contract import TABLES, Column


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

    def of_kinds(self, *kinds: str) -> set[str]:
        """The headers that stand for columns of some kinds."""
        return {
            header
            for row in self.rows
            for one in row.said
            if one.column != ID and _kind(row.table, one.column) in kinds
            for header in one.headers
        }

    @property
    def used(self) -> set[str]:
        """The headers that its rows read."""
        return {header for row in self.rows for one in row.said for header in one.headers}


_PLACES = {("deals", "partner_id"): "touches", ("credentials", "organisation_id"): "people"}
"""Where a file of a table refers to an organisation by way of another table."""
_MENTIONED = (("partner_id", "partner"), ("account_id", "account"), ("organisation_id", "partner"),
              ("organisation_id", "account"), ("organisation_id", ""), ("owner_id", "owner"))  # fmt: skip
"""Columns that name organisations and our own people, and which; "" where nobody can say."""


def propose(files: Sequence[SeenFile], limits: Mapping[str, int]) -> list[ProposedFile]:
    """The rows that some files seem to feed, each file in the light of the others."""
    return _Proposing(files, limits).found()


class _Proposing:
    """The rows of each file, by what the files are about."""

    def __init__(self, files: Sequence[SeenFile], limits: Mapping[str, int]) -> None:
        self.files, self.about = files, About(files, limits)
        self.percent, self.listed = limits["draft_percent"], limits["draft_words"]
        self.enough = Enough.of(limits)

    def found(self) -> list[ProposedFile]:
        """The proposal of each file."""
        proposed = [ProposedFile(file, list(self._rows(file))) for file in self.files]
        for one in proposed:
            _settle(one)
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

    def _rows(self, file: SeenFile) -> Iterator[ProposedRow]:
        table = self.about.tables[file]
        if not table:
            return
        row = ProposedRow(table, [one for one in [self.about.named[file]] if one])
        row.said += self._columns(file, table)
        yield row
        if table == "organisations":
            yield from self._membership(file, row)
        if table == "deals":
            yield from self._touch(file, row)
        if table == "credentials":
            yield from self._holder(file)
        yield from self._mentions(file, table)

    def _columns(self, file: SeenFile, table: str, only: Sequence[str] = ()) -> Iterator[Said]:
        """The columns of a table that the file brings, and those that it must and does not say."""
        found = self.about.columns[file][table]
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
        own = self.about.named[file]
        if column.name == "name" and own and own.headers:
            return _said("name", own.headers[0], "no column names it; its id stands in", own.headers[0])
        meant = f"one of {', '.join(column.words)}" if column.words else column.meaning
        return Said(column.name, {"const": UNDECIDED}, asks=f"no column says it: {meant}")

    def _looked_up(self, file: SeenFile, table: str, column: Column) -> Said | None:
        """A column that another file, beside this one, has for the same key."""
        for one in self.about.relations if table == "organisations" and column.kind in ("country", "domain") else ():
            if one.file is not file or one.key != one.header or not one.to.layout.delimiter or one.to.code_page:
                continue
            hits = [suggest(table, column.name, seen, self.enough) for seen in one.to.columns.values()]
            best = max((hit for hit in hits if hit), key=lambda hit: (hit.score, -len(hit.header)), default=None)
            if best:
                value = {"lookup": one.to.path.name, "on": one.header, "take": best.header}
                return Said(column.name, value, f"{one.said}; there: {best.why}", headers=(one.header,))
        return None

    def _plays(self, file: SeenFile, name: str) -> Said:
        thing = self.about.things[file]
        if thing in ("partner", "account"):
            said = (thing == "partner") == (name == "is_partner")
            return Said(name, {"const": said}, self.about.things_why[file])
        return Said(
            name, {"const": UNDECIDED}, asks="nothing tells whether these are partners or customers: true or false"
        )

    def _side(self, file: SeenFile) -> Said:
        thing = self.about.things[file]
        side = {"partner": "partner", "account": "account", "owner": "ours"}.get(thing, "")
        if side:
            return Said("side", {"const": side}, self.about.things_why[file])
        return Said("side", {"const": UNDECIDED}, asks="whom do these people work for: partner, account or ours?")

    def _reference(self, file: SeenFile, table: str, column: Column) -> Iterator[Said]:
        header = self.about.referring(file, table, column.name)
        if not header:
            if column.name == "organisation_id" and self.about.things[file] == "owner":
                yield Said(column.name, {"const": "vendor:self"}, "our own people")
            elif column.required:
                yield Said(column.name, UNDECIDED, asks=f"no column says it: {column.meaning}. Name its header")
            return
        value, why = self.about.id_of(file, header, column.name)
        yield Said(column.name, value, why, headers=(header,))

    def _membership(self, file: SeenFile, row: ProposedRow) -> Iterator[ProposedRow]:
        """What an organisations file says of the programme, unless it is of customers."""
        own, taken = self.about.named[file], {header for one in row.said for header in one.headers}
        found = {n: s for n, s in self.about.columns[file]["memberships"].items() if s.header not in taken}
        if self.about.things[file] == "account" or not found or own is None:
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
        header, own = self.about.referring(file, "touches", "partner_id"), deal.said[0]
        if not header:
            return
        value, why = self.about.id_of(file, header, "partner_id")
        created = next((one for one in deal.said if one.column == "created_on"), None)
        role = self.about.columns[file].get("touches", {}).get("role")
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
        person = self.about.referring(file, "credentials", "person_id")
        employer = self.about.referring(file, "people", "organisation_id")
        if not person or not employer:
            return
        value, why = self.about.id_of(file, person, "person_id")
        made = ProposedRow("people", only_if=_there(person), said=[Said(ID, value, why, headers=(person,))])
        made.said += self._columns(file, "people", ("organisation_id", "side", "email", "full_name"))
        yield made

    def _mentions(self, file: SeenFile, table: str) -> Iterator[ProposedRow]:
        """The organisations and sellers that the file merely names, where no other file tells more of them."""
        done: set[str] = set()
        for column, thing in _MENTIONED:
            place = _PLACES.get((table, column), table)
            if column not in TABLES[place].names:
                continue
            header = self.about.referring(file, place, column)
            if (
                not header
                or header in done
                or self.about.told(file, header)
                or not self.about.names(file, header, thing)
            ):
                continue
            done.add(header)
            value, _ = self.about.id_of(file, header, column)
            own = Said(ID, value, headers=(header,))
            if thing == "owner":
                said = [Said("organisation_id", {"const": "vendor:self"}), Said("side", {"const": "ours"})]
                yield ProposedRow(
                    "people", [own, *said, Said("full_name", header, headers=(header,))], _there(header), True
                )
            else:
                said = [Said("name", named := self._name_beside(file, table, header), headers=(named,))]
                said += [self._mentioned(thing, name) for name in ("is_partner", "is_customer")]
                yield ProposedRow("organisations", [own, *said], _there(header), True)

    @staticmethod
    def _mentioned(thing: str, name: str) -> Said:
        if not thing:
            return Said(
                name, {"const": UNDECIDED}, asks="nothing tells whether these are partners or customers: true or false"
            )
        return Said(name, {"const": (thing == "partner") == (name == "is_partner")})

    def _name_beside(self, file: SeenFile, table: str, header: str) -> str:
        """The column that names what another one refers to; the id itself where there is none."""
        name = self.about.columns[file]["organisations"].get("name")
        return name.header if name and table == "memberships" else header


def _column(table: str, name: str) -> Column | None:
    return next((one for one in TABLES[table].columns if one.name == name), None)


def _kind(table: str, name: str) -> str:
    column = _column(table, name)
    return column.kind if column else "instant"


def _settle(file: ProposedFile) -> None:
    """Ask for the order of no date that another date of the file decides, since both are written by one system."""
    asked = file.seen.open("date", file.of_kinds("date", "instant"))
    for row in file.rows:
        for place, one in enumerate(row.said):
            if isinstance(one.value, Mapping) and one.value.get("format") == UNDECIDED and one.headers[0] not in asked:
                why = f"{one.why}; another date of the file decides the order of its days and months"
                row.said[place] = replace(one, value=one.headers[0], asks="", why=why)


def _said(column: str, value: Value, why: str, *headers: str) -> Said:
    return Said(column, value, why, headers=headers)


def _there(header: str) -> str:
    """The condition that a cell is filled; "" for a header that no condition can name."""
    return "" if {'"', "'"} & {*header} or not header.isprintable() else f'"{header}" is not null'
