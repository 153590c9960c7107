"""A draft of a mapping taken apart for a form, column by column, and written again as it was decided there."""

import datetime as dt
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from groundswell.connectors.files.mapping import ENVELOPE_KEYS, UNDECIDED
from groundswell.core.tables.contract import TABLES

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ONE = re.compile(r"\{([^{}]+)\}")
"""A template that is one header and nothing else, as ids are written."""
_NOT_COLUMNS = ("table", "mention", "only_if", "each", "object", "within", "no_history")
_SOURCE = ("name", "zone", "locale", "currency")


@dataclass(frozen=True)
class Line:
    """One canonical column of a row map. `name` is that of its field: file, row and column by place.

    `header` is the column of the file that fills it, "" where none does; a column of closed words that no header fills
    has `word` instead. What is neither is `fixed`: it is edited in the text. `words`: what cells mean, label by label.
    """

    name: str
    column: str
    header: str = ""
    word: str = ""
    choices: tuple[str, ...] = ()
    fixed: str = ""
    words: tuple[tuple[str, str, str], ...] = ()
    """(name of the field, label in the file, word of ours)."""

    @property
    def undecided(self) -> bool:
        """Whether something is left to decide here."""
        return UNDECIDED in (self.header, self.word) or any(word == UNDECIDED for _, _, word in self.words)


@dataclass(frozen=True)
class Rows:
    """One row map: its table, the columns that it fills, and those that it could."""

    table: str
    mention: bool
    lines: tuple[Line, ...]
    left: tuple[Line, ...]


def source(text: str) -> dict[str, str]:
    """What a mapping says of its source as a whole: its name, and what is said or asked beside."""
    said = tomllib.loads(text).get("source", {})
    return {key: str(said[key]) for key in _SOURCE if key in said}


def rows(text: str) -> list[Rows]:
    """The row maps of a mapping, in their order. Raises TOMLDecodeError for a text that is none."""
    found = []
    for place, row in _row_maps(tomllib.loads(text)):
        table = str(row.get("table", ""))
        lines = tuple(_line(f"{place}.{name}", name, table, row[name]) for name in row if name not in _NOT_COLUMNS)
        named = (*ENVELOPE_KEYS, *TABLES[table].names) if table in TABLES else ()
        left = tuple(Line(f"{place}.{name}", name) for name in named if name not in row)
        found.append(Rows(table, bool(row.get("mention")), lines, left))
    return found


def edited(text: str, said: Mapping[str, str]) -> str:
    """The mapping with the fields of a form laid over it: an empty one takes its column out. Comments go.

    Raises TOMLDecodeError for a text that is none.
    """
    data = tomllib.loads(text)
    own = data.setdefault("source", {})
    own |= {key: said[f"source.{key}"] for key in _SOURCE if key in own and f"source.{key}" in said}
    for place, row in _row_maps(data):
        for one in [name for name in row if name not in _NOT_COLUMNS]:
            _lay(row, one, _line(f"{place}.{one}", one, str(row.get("table", "")), row[one]), said)
        table = TABLES.get(str(row.get("table", "")))
        for one in (*ENVELOPE_KEYS, *table.names) if table else ():
            if one not in row and (header := said.get(f"{place}.{one}")):
                row[one] = _headed(one, header)
    return _written(data)


def _row_maps(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, file in enumerate(data.get("file", [])):
        for place, row in enumerate(file.get("row", [])):
            yield f"{number}.{place}", row


def _line(name: str, column: str, table: str, value: Any) -> Line:
    words = _words_of(table, column)
    if isinstance(value, str):
        one = _ONE.fullmatch(value)
        if one or "{" not in value:
            return Line(name, column, one[1] if one else value)
    elif isinstance(value, Mapping) and isinstance(value.get("header"), str):
        told = tuple(
            (f"{name}.{n}", label, str(word)) for n, (label, word) in enumerate(value.get("values", {}).items())
        )
        return Line(name, column, value["header"], choices=words, words=told)
    elif isinstance(value, Mapping) and set(value) == {"const"} and (words or value["const"] == UNDECIDED):
        return Line(name, column, word=str(value["const"]), choices=words)
    return Line(name, column, fixed=_value(value))


def _words_of(table: str, column: str) -> tuple[str, ...]:
    there = table in TABLES and column in TABLES[table].names
    return tuple(TABLES[table].column(column).words) if there else ()


def _lay(row: dict[str, Any], column: str, line: Line, said: Mapping[str, str]) -> None:
    """Lay what a form says of one column over it."""
    if line.fixed or line.name not in said:
        return
    told = said[line.name]
    if line.word:
        row[column] = {"const": told or UNDECIDED}
        return
    if not told:
        del row[column]
        return
    if isinstance(row[column], str):
        row[column] = _headed(column, told) if told != line.header else row[column]
        return
    row[column]["header"] = told
    for name, label, _ in line.words:
        if said.get(name):
            row[column]["values"][label] = said[name]


def _headed(column: str, header: str) -> str:
    """A column filled by a header; an id of one's own is a template."""
    return f"{{{header}}}" if column == "external_id" else header


def _written(data: Mapping[str, Any]) -> str:
    """A mapping as TOML."""
    lines = ["[source]", *(f"{_key(key)} = {_value(value)}" for key, value in data["source"].items())]
    for file in data.get("file", []):
        lines += ["", "[[file]]", *(f"{_key(key)} = {_value(value)}" for key, value in file.items() if key != "row")]
        for row in file.get("row", []):
            lines += ["", "[[file.row]]", *(f"{_key(key)} = {_value(value)}" for key, value in row.items())]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    """A value of TOML in one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
