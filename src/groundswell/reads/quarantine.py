"""The quarantine: every row that was set aside, and what became of it since."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from groundswell.records.loads import Load, QuarantinedRow, RetriedRow

LEADING = ("_load", "_line", "_column", "_reason", "_remedy")
"""Columns of an exported quarantine before those of the file: which row it is, and why it was set aside."""


@dataclass(frozen=True)
class Aside:
    """A row that was set aside. `since` says what became of it; empty while it stands in the quarantine."""

    row: QuarantinedRow
    since: str


_Key = tuple[str, str, str, int]
"""What makes a row the same one in another load: source, format, landing and line."""


def rows_aside() -> list[Aside]:
    """Every row that a committed load set aside, by load and line.

    The last word counts, of loads that were not reverted: a row is put right when the last retry of it went in, and
    stands for itself in that retry's load when it failed again. The same file taken in again sets the same rows aside.
    """
    tries = RetriedRow.objects.filter(load__state="committed").select_related("load", "row__load").order_by("load")
    first = {(one.load_id, one.line): one.row for one in tries}
    last: dict[_Key, list[RetriedRow]] = {}
    for one in tries:
        if one.load.voided_at is None:
            before = last.get(_key(one.row), [])
            last[_key(one.row)] = [*(before if before and before[0].load_id == one.load_id else []), one]
    found = list(
        QuarantinedRow.objects.filter(load__state="committed")
        .select_related("load")
        .defer("load__report", "load__request")
        .order_by("load", "line", "id")
    )
    newest = {
        _key(row): row.load for row in found if row.load.voided_at is None and (row.load_id, row.line) not in first
    }
    return [Aside(row, _since(row, first.get((row.load_id, row.line), row), last, newest)) for row in found]


def _key(row: QuarantinedRow) -> _Key:
    return row.load.source, row.load.format, row.load.landing, row.line


def _since(
    row: QuarantinedRow, first: QuarantinedRow, last: dict[_Key, list[RetriedRow]], newest: dict[_Key, Load]
) -> str:
    if row.load.voided_at is not None:
        return "its load was reverted"
    if tries := last.get(_key(first)):
        if tries[0].load_id == row.load_id:
            return ""
        right = all(one.put_right for one in tries)
        return f"put right by {tries[0].load.name}" if right else f"tried again in {tries[0].load.name}"
    if (later := newest.get(_key(row), row.load)).number > row.load_id:
        return f"again in {later.name}"
    return ""


def standing(load: Load) -> list[QuarantinedRow]:
    """The rows that stand in the quarantine of a load, one a line."""
    rows: Iterable[QuarantinedRow] = (
        one.row for one in rows_aside() if one.row.load_id == load.number and not one.since
    )
    return list({row.line: row for row in rows}.values())


def corrected(load: Load, text: str) -> str:
    """A line of a corrected file as its own file would have it: without the columns that say why it was set aside."""
    delimiter, headers = load.report["delimiter"], load.report["headers"]
    cells = next(csv.reader([text], delimiter=delimiter), [])
    if len(cells) != len(headers):
        return text
    out = io.StringIO(newline="")
    own = [cell for header, cell in zip(headers, cells, strict=True) if header not in LEADING]
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(own)
    return out.getvalue()


def first_of(load: Load, line: int) -> QuarantinedRow | None:
    """The row that was set aside first, of one that a line of a corrected file put right."""
    tried = RetriedRow.objects.filter(load=load, line=line).select_related("row__load").first()
    return tried.row if tried else None
