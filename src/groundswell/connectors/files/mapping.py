"""The mapping language: how the columns of a file become rows of the canonical tables.

One language serves the shipped formats (`aliases.toml` of a connector folder: headers have aliases, rows name fields)
and a customer's own mapping file (rows name headers). docs/reference/mapping.md lists its keys.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from groundswell.core import conditions
from groundswell.core.checks import Keys
from groundswell.core.conditions import BadCondition, Condition
from groundswell.core.tables.cells import FORMS, is_currency, is_word
from groundswell.core.tables.contract import TABLES, Table
from groundswell.core.tables.proof import known_locale, known_zone
from groundswell.policy.read import BadPolicy, Document, key_lines

ENVELOPE_KEYS = ("external_id", "occurred_on", "known_at", "changed_at", "deleted")
"""Columns of the envelope that a row map may state; the others follow from the load."""
MINOR_UNITS = "minor units"
"""The format of amounts that count the smallest unit of their currency: cents of a dollar, whole yen."""

UNDECIDED = "TODO"
"""What stands in a draft where only a person can decide; a mapping in which it is left is not taken."""


@dataclass(frozen=True)
class Lookup:
    """Another file of the same load, a column to find a row by, and the column to take."""

    file: str
    on: str
    take: str


@dataclass(frozen=True)
class Expr:
    """Where the text of a column comes from. At most one of header, template, const, lookup, first_of is given."""

    header: str = ""
    template: tuple[str, ...] = ()
    """Alternating literal text and header: "{A}#{B}" is ("", "A", "#", "B", "")."""
    const: str | None = None
    lookup: Lookup | None = None
    first_of: tuple["Expr", ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    """Label (folded) -> word; labels that are not named pass on, or become `otherwise`."""
    mapped: bool = False
    otherwise: str | None = None
    assumed: bool = False
    """True where the fallback is a guess to be reported: a stage that no table explains."""
    without: tuple[str, ...] = ()
    """A template whose text is cut off the end of the cell: the pipeline in brackets behind a stage."""
    key: str = ""
    """How an id is spelled: "" as it is, "name" (a name instead of an id), "email", "salesforce" (18 characters)."""
    format: str = ""
    """What the cells hold, where the mapping declares it: ymd, dmy or mdy, one of FORMS, or MINOR_UNITS."""
    currency: str = ""
    """The currency of an amount that no column names."""
    object: str = ""
    source: str = ""
    """The system whose id it is, where that is not the file's own."""
    first: bool = False
    """The first item of a list."""
    foremost: bool = False
    """Of the words that the items of a list mean, the one that `values` names first."""

    def headers(self) -> set[str]:
        """Every header that the expression reads."""
        found = {self.header} if self.header else set()
        found |= set(self.template[1::2]) | set(self.without[1::2])
        if self.lookup:
            found.add(self.lookup.on)
        for other in self.first_of:
            found |= other.headers()
        return found

    def lookups(self) -> list[Lookup]:
        """Every lookup of the expression, those of its alternatives included."""
        own = [self.lookup] if self.lookup else []
        return own + [lookup for other in self.first_of for lookup in other.lookups()]


@dataclass(frozen=True)
class RowMap:
    """How one input row becomes a row of one table (or several, one for each item of lists)."""

    table: str
    columns: Mapping[str, Expr]
    object: str = ""
    only_if: Condition | None = None
    each: Mapping[str, str] = field(default_factory=dict)
    """{name: header of a list}: the row is made once for each item; lists of one length go side by side."""
    mention: bool = False
    within: str = ""
    """A column that refers: the file says of each thing that stands there all rows of this table that belong to it."""
    no_history: tuple[str, ...] = ()

    def headers(self) -> set[str]:
        """Every header that the row map reads."""
        found = {header for expr in self.columns.values() for header in expr.headers()}
        found |= set(self.only_if.names) if self.only_if else set()
        return (found - set(self.each)) | set(self.each.values())


@dataclass(frozen=True)
class FileMap:
    """How one kind of file is recognised and read."""

    name: str
    rows: tuple[RowMap, ...]
    title: str = ""
    match: str = ""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> headers it may stand under; empty for mapping files, whose rows name headers."""
    required: frozenset[str] = frozenset()
    known_at: Expr | None = None
    code_page: str = ""
    footer: bool = False
    agree: str = ""
    """Table whose rows repeat in the file and must then agree ("deals" where rows are deal x partner)."""

    def headers(self) -> set[str]:
        """Every header, or field, that the rows read."""
        found = {header for row in self.rows for header in row.headers()}
        return found | (self.known_at.headers() if self.known_at else set())


@dataclass(frozen=True)
class Mapping_:  # noqa: N801 - Mapping is the word of collections.abc
    """A source with its defaults, and the kinds of file it brings."""

    source: str
    files: tuple[FileMap, ...]
    zone: str = ""
    locale: str = ""
    currency: str = ""
    calendar: str = ""
    snapshot: str = "part"
    """"full": a key that the file does not hold any more is gone; "part": absence says nothing."""
    drift: str = "evolve"
    """What a new or missing column does: "evolve" says so, "freeze" stops the load."""
    owner: str = ""
    """Who is told when the shape of the source changes."""
    text: str = ""
    name: str = ""
    """The file of a mapping of one's own; empty for what ships."""
    kept: bool = False
    """True where it was confirmed by an earlier load and is kept with its source."""


@cache
def shipped() -> tuple[Mapping_, ...]:
    """The formats of every connector folder that has an `aliases.toml`, by folder name."""
    found = []
    for folder in sorted(files("groundswell.connectors").iterdir(), key=lambda entry: entry.name):
        if folder.is_dir() and (aliases := folder / "aliases.toml").is_file():
            found.append(
                _formats(_document(f"connectors/{folder.name}/aliases.toml", aliases.read_text("utf-8")), folder.name)
            )
    return tuple(found)


def own(path: Path) -> Mapping_:
    """A customer's mapping file. Raises BadPolicy with every fault, each with its line."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise BadPolicy([f"{path}: there is no such mapping file"]) from error
    except UnicodeDecodeError as error:
        raise BadPolicy(
            [f"{path}: a mapping is a text file in UTF-8 (docs/reference/mapping.md), this is none"]
        ) from error
    except OSError as error:
        raise BadPolicy([f"{path}: the mapping cannot be read: {error.strerror}"]) from error
    return parse_text(str(path), text)


def parse_text(name: str, text: str) -> Mapping_:
    """A mapping out of the text of its file. Raises BadPolicy with every fault."""
    try:
        document = _document(name, text)
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy([f"{name}: {error}"]) from error
    if left := _undecided(document):
        raise BadPolicy(left)
    faults: list[str] = []
    keys = Keys(document, faults)
    source = keys.table("source") or Keys(document, faults, {}, "source")
    found = Mapping_(
        source=source.text("name"),
        zone=source.text("zone", ""),
        locale=source.text("locale", ""),
        currency=source.text("currency", ""),
        calendar=source.text("calendar", ""),
        snapshot=source.text("snapshot", "part", ("part", "full")),
        drift=source.text("drift", "evolve", ("evolve", "freeze")),
        owner=source.text("owner", ""),
        files=tuple(
            _file(entry, str(entry.data.get("match") or f"file {i + 1}"), {})
            for i, entry in enumerate(keys.tables("file"))
        ),
        text=document.text,
        name=name,
    )
    if found.locale and not known_locale(found.locale):
        source.fault("locale", f"'{found.locale}' is not a locale; write one such as en_US or de_DE")
    if found.zone and not known_zone(found.zone):
        source.fault("zone", f"'{found.zone}' is not a time zone; write one such as Europe/Berlin")
    if found.currency and not is_currency(found.currency):
        source.fault("currency", f"'{found.currency}' is not a currency; write its ISO 4217 code in capitals, as EUR")
    source.done()
    keys.done()
    if not found.files:
        keys.fault("file", "a mapping needs at least one [[file]]")
    if faults:
        raise BadPolicy(faults)
    return found


def _undecided(document: Document) -> list[str]:
    """Every place that a draft leaves to a person; what its comment asks is the remedy."""
    lines = document.text.splitlines()

    def walk(value: Any, *path: str) -> Iterator[str]:
        inner = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        for key, below in inner:
            yield from walk(below, *path, str(key))
        if value == UNDECIDED:
            line = document.line(*path)
            asked = lines[line - 1].partition(f'"{UNDECIDED}"')[2].partition("# ")[2].strip() or "write what it is"
            place = ".".join(path[path.index("row") + 2 :] if "row" in path else path)
            yield f"{document.path}:{line} {place}: {UNDECIDED} is left to decide: {asked}"

    return list(walk(document.data))


def _document(path: str, text: str) -> Document:
    return Document(path, text, tomllib.loads(text, parse_float=Decimal), key_lines(text))


def _formats(document: Document, source: str) -> Mapping_:
    faults: list[str] = []
    keys = Keys(document, faults)
    found = []
    for name in list(keys.rest()):
        entry = Keys(document, faults, keys.data[name], name)
        labels = entry.table("values")
        values = {field: _labels(labels.data[field]) for field in labels.data} if labels else {}
        columns = entry.table("columns")
        aliases = {field: columns.texts(field) for field in columns.data} if columns else {}
        found.append(_file(entry, name, values, aliases))
    if faults:
        raise BadPolicy(faults)
    return Mapping_(source, tuple(found), text=document.text)


def _labels(words: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {folded(label): word for word, labels in words.items() for label in labels}


def folded(label: str) -> str:
    """A label as value maps compare it: trimmed, spaces collapsed, case folded."""
    return " ".join(label.split()).casefold()


def _file(
    keys: Keys, name: str, values: Mapping[str, Mapping[str, str]], aliases: Mapping[str, tuple[str, ...]] | None = None
) -> FileMap:
    starred = {f for f, heads in (aliases or {}).items() if any(head.endswith("*") for head in heads)}
    found = FileMap(
        name=name,
        title=keys.text("title", ""),
        match=keys.text("match", ""),
        aliases={f: tuple(head.removesuffix("*") for head in heads) for f, heads in (aliases or {}).items()},
        required=frozenset(starred),
        known_at=_expr(keys, "known_at", values) if keys.has("known_at") else None,
        code_page=keys.text("code_page", ""),
        footer=keys.text("footer", "no", ("yes", "no")) == "yes",
        agree=keys.text("agree", "", tuple(TABLES)),
        rows=tuple(_row(row, values) for row in keys.tables("row")),
    )
    if not found.rows:
        keys.fault("row", "a file needs at least one [[file.row]]")
    if found.code_page and not _is_code_page(found.code_page):
        keys.fault("code_page", f"'{found.code_page}' is not a code page; write one such as cp1252 or iso-8859-1")
    keys.done()
    if aliases and (unknown := sorted(found.headers() - set(aliases))):
        keys.fault("row", f"fields without a column: {', '.join(unknown)}")
    return found


def _is_code_page(name: str) -> bool:
    try:
        " ".encode(name)
    except (LookupError, ValueError):  # not known at all, or known and not of text, as base64
        return False
    return True


def _row(keys: Keys, values: Mapping[str, Mapping[str, str]]) -> RowMap:
    table = keys.text("table", words=tuple(TABLES))
    each = keys.table("each")
    lists = {name: each.text(name) for name in each.data} if each else {}
    only_if = keys.text("only_if", "")
    mention = keys.has("mention") and keys.data["mention"] is True
    keys.asked.append("mention")
    object_, no_history, within = keys.text("object", ""), keys.texts("no_history"), keys.text("within", "")
    columns = {name: _expr(keys, name, values) for name in list(keys.rest())}
    if table in TABLES:
        known = {*TABLES[table].names, *ENVELOPE_KEYS}
        for name in columns:
            if name not in known:
                near = conditions.nearest(name, known, " Did you mean '{}'?")
                keys.fault(name, f"table {table} has no column '{name}'.{near}")
        _check_whole(keys, TABLES[table], columns)
        _check_words(keys, TABLES[table], columns)
        _check_formats(keys, TABLES[table], columns)
        refers = [column.name for column in TABLES[table].columns if column.refers and column.name in columns]
        if within and within not in refers:
            keys.fault("within", f"'{within}' is no column of this row that refers; one of {', '.join(refers)}")
    row = RowMap(table, columns, object_, None, lists, mention, within, no_history)
    if only_if:
        names = dict.fromkeys(row.headers() | set(lists) | conditions.names_in(only_if), "text")
        try:
            row = replace(row, only_if=conditions.parse(only_if, names))
        except BadCondition as error:
            keys.fault("only_if", str(error))
    return row


def _check_whole(keys: Keys, table: Table, columns: Mapping[str, Expr]) -> None:
    """What every row of a table needs must come from somewhere, or the whole file would be quarantined."""
    if "external_id" not in columns and not table.key and table.name != "activities":
        keys.fault("external_id", f"is required for {table.name}: which column holds the id of the row?")
    for column in table.columns:
        if column.required and not column.fallback and column.name not in columns:
            keys.fault(column.name, f"is required for {table.name} ({column.meaning})")


def _check_words(keys: Keys, table: Table, columns: Mapping[str, Expr]) -> None:
    """The words that the mapping itself writes into a closed list must be in that list."""
    for column in table.columns:
        expr = columns.get(column.name)
        if expr is None or column.kind != "word":
            continue
        if column.name == "subject_kind" and expr.const not in column.words:
            words = ", ".join(column.words)
            keys.fault(column.name, f'is one word for all rows of a row map: {{ const = "deal" }}; one of {words}')
            continue
        for word in dict.fromkeys(_words(expr)):
            if word and not is_word(word, column):
                near = conditions.nearest(word, column.words, ". Did you mean '{}'?")
                keys.fault(column.name, f"'{word}' is not one of {', '.join(column.words)}{near}")


def _words(expr: Expr) -> Iterator[str]:
    """The words that an expression writes by itself, whatever the cells say."""
    yield from (word for word in (expr.const, expr.otherwise, *expr.values.values()) if word is not None)
    for other in expr.first_of:
        yield from _words(other)


_DATES = ("date", "instant")


def _check_formats(keys: Keys, table: Table, columns: Mapping[str, Expr]) -> None:
    """A declared format must be one that the kind of its column can have, or it would be passed over in silence."""
    kinds = {**dict.fromkeys(ENVELOPE_KEYS, "instant"), **{column.name: column.kind for column in table.columns}}
    for name, expr in columns.items():
        if MINOR_UNITS in {one.format for one in expr.first_of}:
            keys.fault(name, f"format '{MINOR_UNITS}' stands outside of first_of")
        for one in (expr, *expr.first_of):
            if one.format in FORMS and kinds.get(name) not in _DATES:
                keys.fault(name, f"format '{one.format}' is for dates; {name} holds {kinds.get(name)}")
            if (one.format == MINOR_UNITS or one.currency) and kinds.get(name) != "money":
                keys.fault(name, f"format '{MINOR_UNITS}' and currency are for amounts; {name} holds {kinds.get(name)}")


def _template(text: str) -> tuple[str, ...]:
    parts: list[str] = []
    rest = text
    while "{" in rest:
        before, _, after = rest.partition("{")
        header, _, rest = after.partition("}")
        parts += [before, header]
    return (*parts, rest)


def _expr(keys: Keys, name: str, values: Mapping[str, Mapping[str, str]]) -> Expr:
    raw = keys.data[name]
    keys.asked.append(name)
    return _expression(raw, keys, name, values)


def _expression(raw: Any, keys: Keys, name: str, values: Mapping[str, Mapping[str, str]]) -> Expr:
    if isinstance(raw, str):
        return Expr(template=_template(raw)) if "{" in raw else Expr(header=raw)
    if not isinstance(raw, dict):
        keys.fault(name, f"{raw!r} is not a header, a template or a table")
        return Expr(const="")
    inner = Keys(keys.document, keys.faults, raw, *keys.path, name)
    if inner.has("lookup"):
        found = Expr(lookup=Lookup(inner.text("lookup"), inner.text("on"), inner.text("take")))
    elif inner.has("first_of"):
        listed = inner.rest().get("first_of")
        found = Expr(first_of=tuple(_expression(one, keys, name, values) for one in listed or []))
    elif inner.has("const"):
        found = Expr(const=_const(inner.data["const"]))
        inner.asked.append("const")
    else:
        found = _cell(inner, values)
    inner.done()
    return found


def _cell(keys: Keys, values: Mapping[str, Mapping[str, str]]) -> Expr:
    header = keys.text("header")
    labels: Mapping[str, str] = {}
    mapped = keys.has("values")
    if mapped and isinstance(keys.data["values"], dict):
        labels = {folded(label): str(word) for label, word in keys.data["values"].items()}
    elif mapped:
        labels = values.get(str(keys.data["values"]), {})
        if not labels:
            keys.fault("values", f"there is no value list '{keys.data['values']}' in this format")
    keys.asked.append("values")
    return Expr(
        header="" if "{" in header else header,
        template=_template(header) if "{" in header else (),
        values=labels,
        mapped=mapped,
        otherwise=next((keys.text(name) for name in ("else", "assumed") if keys.has(name)), None),
        assumed=keys.has("assumed"),
        without=_template(keys.text("without")) if keys.has("without") else (),
        key=keys.text("key", "", ("", "name", "email", "salesforce")),
        format=keys.text("format", "", ("", "ymd", "dmy", "mdy", *FORMS, MINOR_UNITS)),
        currency=_currency(keys),
        object=keys.text("object", ""),
        source=keys.text("source", ""),
        first=keys.has("first") and bool(keys.rest().get("first")),
        foremost=keys.has("foremost") and bool(keys.rest().get("foremost")),
    )


def _currency(keys: Keys) -> str:
    code = keys.text("currency", "")
    if code and not is_currency(code):
        keys.fault("currency", f"'{code}' is not a currency code; write the ISO 4217 code, such as USD")
    return code


def _const(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
