"""Reading policy: the shipped TOML files, with those of the instance laid over them.

A file at the same path under `$GROUNDSWELL_HOME/policy/` replaces the shipped one; with `follows = "default"` it names
only what differs: tables are merged key by key, lists of tables by their `name` (or `signal`). Numbers are read as
exact decimals. tomllib gives no line numbers, so an index of keys is kept beside the data for messages.
"""

import re
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

_TABLE = re.compile(r"\s*\[(\[)?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+')
_KEY = re.compile(rf"\s*((?:{_WORD.pattern})(?:\s*\.\s*(?:{_WORD.pattern}))*)\s*=")


class BadPolicy(Exception):  # noqa: N818 - the glossary's word for it
    """All faults of the policy at once, one a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Document:
    """One policy file: its path below policy/, its text, its data and the lines of its keys."""

    path: str
    text: str
    data: dict[str, Any]
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    own: bool = False

    def line(self, *keys: str) -> int:
        """Line of a key, or of the nearest table above it that has one; 1 when nothing is known."""
        while keys:
            if keys in self.lines:
                return self.lines[keys]
            keys = keys[:-1]
        return 1


def read(home: Path | None = None) -> dict[str, Document]:
    """Every policy document in force, by path. Raises BadPolicy for files that are no TOML or no UTF-8."""
    return documents(texts(home))


def texts(home: Path | None = None) -> dict[str, str]:
    """The texts in force: `shipped/PATH`, and `own/PATH` of the instance. What a run stores to be run again."""
    faults: list[str] = []
    found = _walk(files("groundswell.policy"), "shipped/", faults)
    if home and (home / "policy").is_dir():
        found |= _walk(home / "policy", "own/", faults)
    if faults:
        raise BadPolicy(faults)
    return dict(sorted(found.items()))


def documents(found: dict[str, str]) -> dict[str, Document]:
    """Policy documents out of the texts in force, the instance's own laid over the shipped ones."""
    faults: list[str] = []
    laid: dict[str, Document] = {}
    for key, text in sorted(found.items(), key=lambda item: (item[0].startswith("own/"), item[0])):
        root, _, path = key.partition("/")
        try:
            data = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            faults.append(f"{path}: {error}")
            continue
        if data.pop("follows", "") == "default":
            if path not in laid:
                faults.append(f'{path}: follows = "default", but no shipped file has this path')
                continue
            own = key_lines(text)
            places: dict[tuple[str, ...], tuple[str, ...]] = {}
            data = _merge(laid[path].data, data, (), (), places)
            lines = {merged: line for merged, place in places.items() if (line := own.get(place))}
            laid[path] = Document(path, text, data, lines, own=True)
            continue
        laid[path] = Document(path, text, data, key_lines(text), own=root == "own")
    if faults:
        raise BadPolicy(faults)
    return dict(sorted(laid.items()))


def _walk(folder: Traversable, prefix: str, faults: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found |= _walk(entry, f"{prefix}{entry.name}/", faults)
        elif entry.name.endswith(".toml"):
            try:
                found[prefix + entry.name] = entry.read_bytes().decode("utf-8")
            except UnicodeDecodeError as error:
                faults.append(f"{prefix}{entry.name}: {error}")
    return found


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Line of every key and table; lists of tables are numbered: ("part", "0", "line", "1", "low")."""
    found: dict[tuple[str, ...], int] = {}
    counts: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if depth == 0 and (head := _TABLE.match(line)):
            table = _numbered(tuple(head[2].replace('"', "").split(".")), bool(head[1]), counts)
            found.setdefault(table, number)
        elif depth == 0 and (key := _KEY.match(line)):
            words = tuple(
                tomllib.loads(f"x = {word}")["x"] if word[0] in "\"'" else word for word in _WORD.findall(key[1])
            )
            for end in range(1, len(words) + 1):
                found.setdefault((*table, *words[:end]), number)
        if not head_line(line):
            bare = re.sub(r'"[^"]*"|\'[^\']*\'|#.*', "", line)
            depth = max(0, depth + bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}"))
    return found


def head_line(line: str) -> bool:
    """Whether a line is the head of a table."""
    return bool(_TABLE.match(line))


def _numbered(path: tuple[str, ...], listed: bool, counts: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    full: tuple[str, ...] = ()
    for index, word in enumerate(path):
        full = (*full, word)
        last = index == len(path) - 1
        if last and listed:
            counts[full] = counts.get(full, -1) + 1
            for inner in [key for key in counts if key[: len(full)] == full and key != full]:
                del counts[inner]
        if full in counts:
            full = (*full, str(counts[full]))
    return full


_Path = tuple[str, ...]


def _merge(below: Any, above: Any, at: _Path, own: _Path, places: dict[_Path, _Path]) -> Any:
    """`above` laid over `below`. `places` learns where in the own file each merged key stands, for messages."""
    places[at] = own
    if isinstance(above, dict) and (below is None or isinstance(below, dict)):
        kept = below or {}
        return {**kept, **{k: _merge(kept.get(k), v, (*at, k), (*own, k), places) for k, v in above.items()}}
    if _tables(above) and (below is None or _tables(below)):
        merged = list(below or [])
        names = [_name(entry) for entry in merged]
        for number, entry in enumerate(above):
            index = names.index(_name(entry)) if _name(entry) in names else len(merged)
            merged[index:index + 1] = [
                _merge(merged[index] if index < len(merged) else None, entry, (*at, str(index)), (*own, str(number)), places)
            ]  # fmt: skip
        return merged
    return above


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _name(entry: dict[str, Any]) -> Any:
    return entry.get("name", entry.get("signal"))


def write_needs(home: Path, path: str, own: bool, needs: tuple[str, ...]) -> bool:
    """Write `needs` of a signal file as its measure uses them; whether anything changed."""
    file = home / "policy" / path if own else Path(str(files("groundswell.policy"))) / path
    text = file.read_text("utf-8")
    said = ", ".join(f'"{name}"' for name in needs)
    line = f"needs     = [{said}]"
    fixed = re.sub(r"^needs\s*=\s*\[[^\]]*\]", lambda _: line, text, count=1, flags=re.MULTILINE)
    if fixed == text and not re.search(r"^needs\s*=", text, re.MULTILINE):
        fixed = re.sub(r"^better\b.*$", lambda match: f"{match[0]}\n{line}", text, count=1, flags=re.MULTILINE)
    if fixed != text:
        file.write_text(fixed, "utf-8")
    return fixed != text
