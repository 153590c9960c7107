"""The text of a draft: a mapping file in which every column of the files stands, mapped or not, with what its cells show."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch

from groundswell.connectors.files.about import Said
from groundswell.connectors.files.mapping import UNDECIDED
from groundswell.connectors.files.propose import ProposedFile, ProposedRow
from groundswell.connectors.files.seen import SeenColumn, SeenFile
from groundswell.connectors.files.suggest import Enough, doubts
from groundswell.core.tables.contract import DECIMALS, TABLES
from groundswell.core.words import many

_LONGEST = 40
"""Characters of a sample cell that are shown."""


def draft(files: Sequence[ProposedFile], source: str, enough: Enough) -> str:
    """A mapping file for what is proposed, to be edited. TOML, whatever stands in headers and cells."""
    lines = [*_source([one for one in files if one.rows], source)]
    for one in files:
        lines += ["", *(_file(one, enough) if one.rows else _left_out(one))]
    return "\n".join(lines) + "\n"


def _source(files: Sequence[ProposedFile], source: str) -> Iterator[str]:
    yield f"# A draft of a mapping. Edit it: {UNDECIDED} stands where only you can decide, with what is asked behind it."
    yield "# Then: groundswell take-in --mapping THIS --try 2,3 FILE shows what rows become; without --try it takes them in."
    yield "[source]"
    yield f"name = {_text(source)}   # guessed. Part of every id: choose it once, before the first load"
    if floating := _floating(files):
        yield f'zone = "{UNDECIDED}"   # the time zone of times that name none, {_plain(floating)}: such as Europe/Berlin'
    if asking := _asking(files):
        yield f'locale = "{UNDECIDED}"   # no cell decides how numbers are read, {_plain(asking)}: such as en_US or de_DE'
    if money := _without_currency(files):
        yield f'currency = "{UNDECIDED}"   # no column names the currency of {_plain(money)}: such as USD'


def _floating(files: Sequence[ProposedFile]) -> str:
    columns = (file.seen.columns[header] for file in files for header in sorted(file.of_kinds("instant")))
    return next((f"{seen.header} '{seen.floating}'" for seen in columns if seen.floating), "")


def _asking(files: Sequence[ProposedFile]) -> str:
    for file in files:
        for header in sorted(file.seen.open("number", file.of_kinds(*DECIMALS, "int"))):
            return f"{header} '{file.seen.columns[header].proofs['number'].asks}'"
    return ""


def _without_currency(files: Sequence[ProposedFile]) -> str:
    for row in (row for file in files for row in file.rows):
        named = {one.column: one for one in row.said}
        if "amount" in named and "currency" in TABLES[row.table].names and "currency" not in named:
            return ", ".join(named["amount"].headers)
    return ""


def pattern(seen: SeenFile) -> str:
    """The names of files of one kind: what is a day, a number or a wildcard in this name may be anything."""
    stem = re.sub(r"[^\w.-]|[-_.]?\d[\d._-]*$", "*", seen.path.stem)
    found = re.sub(r"\*+", "*", f"{stem}*") + seen.path.suffix
    return found if fnmatch(seen.path.name, found) else seen.path.name


def _file(one: ProposedFile, enough: Enough) -> Iterator[str]:
    seen = one.seen
    many = f"{seen.rows:,} rows" if seen.whole else f"its first {seen.rows:,} rows were looked at"
    yield f"# {'-' * 4} {_plain(seen.name)}: {many}"
    yield "[[file]]"
    yield f"match = {_text(pattern(seen))}"
    if seen.code_page:
        yield f"code_page = {_text(seen.code_page)}   # guessed: the file is not UTF-8. Do its letters read right below?"
    for row in one.rows:
        yield ""
        yield from _row(row, seen)
    left = [
        (column, _why_left(one, column, enough)) for column in seen.columns.values() if column.header not in one.used
    ]
    if left or seen.unnamed:
        yield ""
        yield "# Not mapped:"
        for column, why in left:
            yield f"#   {_plain(column.header)}: {_plain(shown(column))}{'. ' + _plain(why) if why else ''}"
        for header in seen.unnamed:
            yield f"#   {_plain(header)}: stands twice, or holds a brace: give it a name of its own in the file to map it"


def _why_left(one: ProposedFile, column: SeenColumn, enough: Enough) -> str:
    said = [doubt for row in one.rows if not row.mention for doubt in doubts(row.table, column, enough)]
    return "; ".join(dict.fromkeys(said))


def _left_out(one: ProposedFile) -> Iterator[str]:
    seen = one.seen
    why = (
        f"{', '.join(one.looked_up_by)} looks up in it"
        if one.looked_up_by
        else "no table is recognised in it; it is left out"
    )
    yield f"# {'-' * 4} {_plain(seen.name)}: {why}. Its columns:"
    for column in seen.columns.values():
        yield f"#   {_plain(column.header)}: {_plain(shown(column))}"


def _row(row: ProposedRow, seen: SeenFile) -> Iterator[str]:
    yield "[[file.row]]"
    yield f"table = {_text(row.table)}"
    if row.mention:
        yield "mention = true   # merely named here: fills, never overwrites"
    if row.only_if:
        yield f"only_if = '{row.only_if}'"
    for one in row.said:
        if not row.mention and (one.why or one.headers):
            facts = "; ".join(f"{header}: {shown(seen.columns[header])}" for header in one.headers)
            yield from (f"# {_plain(line)}" for line in (facts, one.why) if line)
        yield from _said(one, row.table)


def _said(one: Said, table: str) -> Iterator[str]:
    asks = f"   # {_plain(one.asks)}" if one.asks else ""
    if not one.words or not isinstance(one.value, Mapping):
        yield f"{one.column} = {_value(one.value)}{asks}"
        return
    yield from (f"{one.column}.{key} = {_value(value)}" for key, value in one.value.items())
    for label, word, rows in one.words:
        asked = f": one of {', '.join(TABLES[table].column(one.column).words)}" if word == UNDECIDED else ""
        yield f"{one.column}.values.{_text(label)} = {_text(word)}   # {many(rows, 'row')}{asked}"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(said)}" for key, said in value.items()) + " }"
    return ("true" if value else "false") if isinstance(value, bool) else _text(str(value))


def _text(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """Text for a comment: one line, nothing that a terminal would obey."""
    return "".join(c if c.isprintable() else "·" for c in text)


def shown(seen: SeenColumn) -> str:
    """What the cells of a column show: samples, how many are empty, whether they name rows, what they prove."""
    if not seen.filled:
        return "all cells are empty"
    samples = ", ".join(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…" for text in seen.samples)
    empty = seen.rows - seen.filled
    said = [samples, f"{empty:,} of {seen.rows:,} empty" if empty else "none empty"]
    said.append("no two equal" if seen.differ else f"{len(seen.words):,} different")
    said += _proven(seen)
    return "; ".join(said)


_ORDERS = {"dmy": "day first", "mdy": "month first", "?": "ASKED: no cell decides whether day or month is first"}
_SIGNS = {".": "decimal point", ",": "decimal comma", "?": "ASKED: point or comma can be the decimal sign"}


def _proven(seen: SeenColumn) -> Iterator[str]:
    """What all filled cells are: a date, with its order, or a number, with its sign."""
    if seen.are("date") == seen.filled and seen.are("number") != seen.filled:
        order = seen.reading("date")
        cell = seen.proofs["date"].orders.get(order, "")
        yield f"dates, {_ORDERS.get(order, 'one way to read them')}{f', as {cell} proves' if cell else ''}"
    elif seen.are("number") == seen.filled:
        yield f"numbers, {_SIGNS[seen.reading('number')]}" if seen.reading("number") else "whole numbers"
