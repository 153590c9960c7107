"""JSON lines: an object a line, or one array of objects, to rows of text.

Text is what the file says: numbers keep every digit (1.10 stays 1.10), true and false are words, null is empty. Objects
within objects become columns with dotted names (`customer.email`); lists of plain values are joined by `;` as other
exports write them; any other list stays JSON text. The line of a row is its line in the file. An array may stand on one
line, so there it is the number of the item.
"""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from groundswell.connectors.files import read
from groundswell.connectors.files.fill import Filling
from groundswell.connectors.files.read import Batch, Broken, Record, Refused, Tail, plainly

_REMEDY = "export it again as JSON lines: one whole object a line"
_BLANK = b" \t\r\n\x00\xef\xbb\xbf\xfe\xff"
"""White space, byte-order marks, and the zeros of UTF-16."""
_CHUNK = 1 << 18


class _Fault(Exception):  # noqa: N818 - becomes a Broken row
    """Why an object cannot be read as a row."""


class _Number(str):
    """A number as it is written."""


def is_json_lines(path: Path) -> bool:
    """Whether the file begins as an object or as an array of objects does; by its bytes, whatever its name says."""
    with path.open("rb") as file:
        head = file.read(4096).translate(None, _BLANK)
    return head.startswith((b"{", b"[{")) or head == b"[]"


def headers(path: Path, limits: dict[str, int]) -> tuple[str, ...]:
    """The names of all columns, in the order in which the file first uses them. Reads the whole file.

    Raises Refused when it holds no object, is not Unicode, or names more than `columns`.
    """
    found: dict[str, None] = {}
    objects = 0
    for _, row in _rows(path, limits, Tail()):
        if not isinstance(row, Broken):
            objects += 1
            found |= dict.fromkeys(row)
            if len(found) > limits["columns"]:
                raise Refused(f"the objects have more than {limits['columns']:,} different keys; export fewer columns")
    if not objects:
        raise Refused(f"the file holds no object with something in it; {_REMEDY}")
    return tuple(found)


def batches(path: Path, headers: tuple[str, ...], limits: dict[str, int], tail: Tail) -> Iterator[Batch]:
    """All objects as rows. Blank lines and empty objects are counted in `tail`; what is no object is Broken."""
    filling = Filling(list(headers))
    known = frozenset(headers)
    for record, row in _rows(path, limits, tail):
        if isinstance(row, Broken):
            filling.add_broken(row)
        elif row.keys() <= known:
            filling.add(record.line, [row.get(header, "") for header in headers])
        else:
            new = ", ".join(repr(key) for key in row if key not in known)
            filling.add_broken(Broken(record.line, "", f"no header for {new}", _REMEDY, record.cells[0]))
        if filling.full:
            yield filling.taken()
    if not filling.empty:
        yield filling.taken()


def rows_of(path: Path, wanted: set[int], limits: dict[str, int]) -> dict[int, str]:
    """The text of objects as they stand, by line or number: what `explain` shows as evidence. Read to the last one."""
    found: dict[int, str] = {}
    for record in _records(path, limits["cell_characters"]):
        if record.line in wanted:
            found[record.line] = record.cells[0].strip()
            if len(found) == len(wanted):
                break
    return found


# ------------------------------------------------------------------------------------------------- file to objects


def _rows(path: Path, limits: dict[str, int], tail: Tail) -> Iterator[tuple[Record, dict[str, str] | Broken]]:
    """Every object as cells by header; those that cannot be read as Broken, blank ones counted."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_once, parse_float=_Number, parse_int=_Number, parse_constant=_no_constant
    )
    for record in _records(path, limits["cell_characters"]):
        text = record.cells[0]
        if not record.fault and not text.strip():
            tail.blank += 1
            continue
        try:
            row = _row(record, decoder, limits["depth"])
        except _Fault as fault:
            yield record, Broken(record.line, "", str(fault), _REMEDY, text)
            continue
        if any(map(str.strip, row.values())):
            yield record, row
        else:
            tail.blank += 1


def _row(record: Record, decoder: json.JSONDecoder, depth: int) -> dict[str, str]:
    """The cells of one object. Raises _Fault."""
    if record.fault:
        raise _Fault(record.fault)
    text = record.cells[0]
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise _Fault(f"it is no JSON: {error.msg} at character {error.pos + 1:,}") from error
    except RecursionError as error:
        raise _Fault(f"objects lie deeper within each other than {depth}") from error
    if not isinstance(value, dict):
        raise _Fault("it is no object in curly brackets")
    row: dict[str, str] = {}
    _flatten(value, "", row, depth)
    if "\\u" in text and not _is_unicode(row):
        raise _Fault("it holds half of a character (a surrogate without its pair)")
    return row


def _records(path: Path, longest: int) -> Iterator[Record]:
    """The text of every object with its line, or of every item of an array with its number."""
    encoding = read.encoding(path)
    if not encoding:
        raise Refused("the file is not UTF-8, as JSON must be; export it again")
    with read.opened(path, encoding) as file:
        first = file.read(1)
        while first.isspace():
            first = file.read(1)
        file.seek(0)
        yield from _items(file, longest) if first == "[" else _lines(file, longest)


def _lines(file: io.TextIOBase, longest: int) -> Iterator[Record]:
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) <= longest or line.endswith("\n"):
            yield Record(number, [line.rstrip("\r\n")])
            continue
        while (rest := file.readline(_CHUNK)) and not rest.endswith("\n"):
            pass
        yield Record(number, [line[:longest]], f"the line is longer than {longest:,} characters")


_OUTSIDE = re.compile(r'["\[\]{},]')
_INSIDE = re.compile(r'["\\]')


def _items(file: io.TextIOBase, longest: int) -> Iterator[Record]:
    """The items of an array, parted at the commas that lie in no quotes and no brackets but the outer ones.

    Raises Refused where the array cannot be followed any more, as no later item can be told apart then.
    """
    text, at, begun, number, depth, quoted = "", 0, 0, 0, 0, False
    while piece := file.read(_CHUNK):
        text, at, begun = text[begun:] + piece, at - begun, 0
        while mark := (_INSIDE if quoted else _OUTSIDE).search(text, at):
            at = mark.end()
            sign = mark[0]
            if sign == '"':
                quoted = not quoted
            elif sign == "\\":
                at += 1
            elif sign in "[{":
                depth += 1
                begun = at if depth == 1 else begun
            elif sign in "]}":
                depth -= 1
            if depth == 0 or (depth == 1 and sign == ","):
                item = text[begun : mark.start()]
                begun = at
                if depth or number or item.strip():
                    number += 1
                    yield Record(number, [item], "" if item.strip() else "a comma stands without an item")
            if depth == 0:
                _check_end(file, text[at:])
                return
        at = max(at, len(text))
        if at - begun > longest:
            raise Refused(
                f"item {number + 1:,} of the array is longer than {longest:,} characters, or a quote or bracket in it "
                f"is never closed; {_REMEDY}"
            )
    yield Record(number + 1, [text[begun:]], "the file ends within the array")


def _check_end(file: io.TextIOBase, rest: str) -> None:
    while not rest.strip():
        rest = file.read(_CHUNK)
        if not rest:
            return
    raise Refused(f"after the end of the array the file goes on with '{rest.strip()[:40]}'; {_REMEDY}")


# ------------------------------------------------------------------------------------------------ objects to cells


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Fault(f"the key '{next(key for key in keys if keys.count(key) > 1)}' stands twice in an object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise _Fault(f"{name} is no JSON number")


def _flatten(value: dict[str, Any], before: str, row: dict[str, str], depth: int) -> None:
    """Puts the cells of an object into a row, those of objects within it under dotted names."""
    if depth < 1:
        raise _Fault("objects lie too deep within each other")
    for key, inner in value.items():
        header = before + key
        if isinstance(inner, dict):
            _flatten(inner, f"{header}.", row, depth - 1)
            continue
        if header in row:
            raise _Fault(f"two keys say '{header}'")
        row[header] = _listed(header, inner, depth - 1) if isinstance(inner, list) else _scalar(inner)


def _scalar(value: str | bool | None) -> str:
    if isinstance(value, _Number):
        return plainly(value)
    return value if isinstance(value, str) else "" if value is None else "true" if value else "false"


def _listed(header: str, items: list[Any], depth: int) -> str:
    if any(isinstance(item, dict | list) for item in items):
        return _json(items, depth)
    texts = [_scalar(item) for item in items]
    if any(";" in text for text in texts):
        raise _Fault(f"an item of the list '{header}' holds a semicolon, which parts items")
    return ";".join(texts)


def _json(value: Any, depth: int) -> str:
    """A list or object as JSON text, numbers as they were written."""
    if isinstance(value, dict | list) and depth < 1:
        raise _Fault("objects lie too deep within each other")
    if isinstance(value, dict):
        inner = (f"{json.dumps(key, ensure_ascii=False)}: {_json(item, depth - 1)}" for key, item in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_json(item, depth - 1) for item in value)}]"
    return str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _is_unicode(row: dict[str, str]) -> bool:
    try:
        "\n".join((*row, *row.values())).encode()
    except UnicodeEncodeError:
        return False
    return True
