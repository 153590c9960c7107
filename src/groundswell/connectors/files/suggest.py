"""What a header may mean: by the aliases of the formats that ship, the canonical names, and `synonyms.toml`.

A suggestion says why it is made. Where the kind of a canonical column can be seen in its cells, they must prove it.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from groundswell.connectors.files.mapping import FileMap, folded, shipped
from groundswell.connectors.files.recognise import normal
from groundswell.connectors.files.seen import SeenColumn
from groundswell.core.tables.contract import KINDS, TABLES, Column

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SAID = {
    "email": "e-mail addresses", "domain": "web domains", "country": "countries", "currency": "currency codes",
    "bool": "yes or no", "date": "dates", "instant": "dates", "int": "whole numbers", "money": "numbers",
    "number": "numbers", "share": "numbers",
}  # fmt: skip
"""What cells of a kind are called; kinds of which any text is one are not there."""
NAME_PARTS = ("first_name", "last_name")
"""Columns that no table has: together they are a full name."""
Phrase = tuple[str, ...]


_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")


def phrase(text: str) -> Phrase:
    """The words of a header, in small letters and the singular: "Close_Dates" and "CloseDate" are close, date."""
    parts = re.findall(r"[^\W_]+", _CAMEL.sub(" ", unicodedata.normalize("NFKC", text)))
    return tuple(_singular(part.casefold()) for part in parts)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] not in "sui" else word


@dataclass(frozen=True)
class Suggestion:
    """A column of a file for a canonical column: how sure (0 to 1), and why."""

    header: str
    score: float
    why: str


@dataclass(frozen=True)
class Knowledge:
    """What is known of headers and words, by (table, column)."""

    aliases: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """Header as it is compared -> "field in format"."""
    whole: dict[tuple[str, str], set[Phrase]] = field(default_factory=dict)
    within: dict[tuple[str, str], set[Phrase]] = field(default_factory=dict)
    words: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    things: dict[str, set[Phrase]] = field(default_factory=dict)


@cache
def knowledge() -> Knowledge:
    """All of it, read once."""
    found = Knowledge()
    for mapping in shipped():
        for file in mapping.files:
            _learn(found, file)
    data = tomllib.loads((files("groundswell.connectors.files") / "synonyms.toml").read_text("utf-8"))
    for how, into in (("whole", found.whole), ("within", found.within)):
        for table, columns in data[how].items():
            for column, phrases in columns.items():
                into.setdefault((table, column), set()).update(map(phrase, phrases))
    for table, columns in data["words"].items():
        for column, words in columns.items():
            labels = {folded(label): word for word, said in words.items() for label in said}
            found.words.setdefault((table, column), {}).update(labels)
    found.things.update({thing: set(map(phrase, phrases)) for thing, phrases in data["things"].items()})
    return found


def _learn(found: Knowledge, file: FileMap) -> None:
    for row in file.rows:
        own = row.columns.get("external_id")
        for column, expr in row.columns.items():
            if column == "name" and own and not own.key and expr.headers() == own.headers():
                continue  # an id that stands in for a name
            labels = [expr, *expr.first_of]
            for one in labels:
                found.words.setdefault((row.table, column), {}).update(one.values)
            if column in TABLES[row.table].names and TABLES[row.table].column(column).kind == "bool":
                continue  # headers of kinds of company stand for whether it is a partner
            for name in expr.headers() - (own.headers() if own and column == "name" else set()):
                for alias in file.aliases.get(name, ()):
                    said = found.aliases.setdefault((row.table, column), {})
                    said.setdefault(normal(alias), f"{name} in {file.name}")


@dataclass(frozen=True)
class Enough:
    """Percent of the filled cells that must be of a kind: `named` where the header means the column, `cells` elsewhere."""

    cells: int
    named: int

    @classmethod
    def of(cls, limits: Mapping[str, int]) -> "Enough":
        return cls(limits["draft_percent"], limits["draft_named_percent"])


def _means(header: str, table: str, column: str) -> bool:
    """Whether a header, or what stands outside its brackets, means a column: "Deal Value (EUR)" is a deal value."""
    meant = {phrase(column), *knowledge().whole.get((table, column), ())}
    return not meant.isdisjoint({phrase(header), phrase(_BRACKETS.sub(" ", header))})


def suggest(table: str, column: str, seen: SeenColumn, enough: Enough) -> Suggestion | None:
    """Whether a column of a file may be a canonical column: by its header, and by its cells where they can tell."""
    known, at, words = knowledge(), (table, column), phrase(seen.header)
    kind, percent = _kind(table, column), enough.cells
    if alias := known.aliases.get(at, {}).get(normal(seen.header)):
        score, why, percent = 1.0, f"the header is an alias of {alias}", enough.named
    elif _means(seen.header, table, column):
        score, why, percent = 0.9, f"the header means {table}.{column}", enough.named
    elif hit := max((p for p in known.within.get(at, ()) if _within(p, words)), key=len, default=()):
        score, why = 0.4 + 0.3 * len(hit) / len(words), f"the header holds '{' '.join(hit)}'"
    elif kind in ("email", "domain", "country", "currency") and seen.proves(kind, percent):
        return Suggestion(seen.header, 0.5, proof(seen, kind))
    else:
        return None
    if kind in _SAID and seen.filled:
        return Suggestion(seen.header, score, f"{why}; {proof(seen, kind)}") if seen.proves(kind, percent) else None
    return Suggestion(seen.header, score, why)


def doubts(table: str, seen: SeenColumn, enough: Enough) -> Iterator[str]:
    """Columns of a table that the header means and the cells are not."""
    for column in TABLES[table].columns:
        named = _means(seen.header, table, column.name)
        if named and column.kind in _SAID and seen.filled and not seen.proves(column.kind, enough.named):
            yield f"the header means {table}.{column.name}, but only {proof(seen, column.kind)}"


def proof(seen: SeenColumn, kind: str) -> str:
    """How many of the filled cells are of a kind, in words."""
    some, all_ = seen.are(kind), seen.filled
    return f"{'all' if some == all_ else f'{some:,} of'} {all_:,} filled cells are {_SAID[kind]}"


def _kind(table: str, column: str) -> str:
    if column == "occurred_on":
        return "instant"
    return next((one.kind for one in TABLES[table].columns if one.name == column), "text")


def _within(short: Phrase, long: Phrase) -> bool:
    return any(long[i : i + len(short)] == short for i in range(len(long)))


def thing_of(header: str) -> tuple[str, bool]:
    """The thing that a header refers to and whether by its id: "Reseller Key" is (partner, True); "" where none."""
    words, known = phrase(header), knowledge().things
    ids = known["id"]
    if words in ids or words == ("record", "id"):
        return "", True
    by_id = len(words) > 1 and words[-1:] in ids
    for thing in ("parent", "manager", "deal", "owner", "partner", "account", "person"):
        if words in known[thing] or (by_id and words[:-1] in known[thing]):
            return thing, by_id
    return "", False


def named_thing(text: str) -> str:
    """The thing that the name of a file speaks of."""
    words, known = phrase(text), knowledge().things
    found = [t for t in ("owner", "partner", "account", "person", "deal") if any(_within(p, words) for p in known[t])]
    return found[0] if found else ""


def is_named(table: str, text: str) -> bool:
    """Whether the name of a file speaks of a table."""
    return _within(phrase(table), phrase(text))


def word_of(table: str, column: Column, label: str) -> str:
    """The word of a closed list that a label is known to mean; "" where nobody knows."""
    plain = "_".join(label.casefold().split())
    return plain if plain in column.words else knowledge().words.get((table, column.name), {}).get(folded(label), "")


assert _SAID.keys() <= KINDS  # noqa: S101 - names of kinds, which the contract owns
