"""Tables for spreadsheets, CSV and XLSX: the only writer of both.

Cells are written by their type. Text stays text whatever it begins with; numbers, days and yes/no stay what they are, a
negative amount included. What is written reads back unchanged: take-in takes the guard of a CSV off again, and XLSX has
typed cells, so it needs none.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from groundswell.core.tables.guard import guarded
from groundswell.engine import durable

Cell = str | bool | int | Decimal | dt.date | list[str] | None
"""What stands in a cell; a moment is a datetime, which is a date. None is unknown."""
Rows = Iterable[Sequence[Cell]]

# What a workbook can hold. Source: Microsoft, "Excel specifications and limits"; ECMA-376 part 1, 22.9.2.19 (ST_Xstring).
_ROWS, _CHARACTERS, _DIGITS = 1_048_576, 32_767, 15
_FIRST_DAY = dt.date(1900, 3, 1)
"""Spreadsheets count a 29 February 1900 that never was; earlier days would be read as others."""
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class DoesNotFit(Exception):  # noqa: N818 - what happened, in the glossary's words
    """A table that a workbook cannot hold; nothing was written."""


def plain(cell: Cell) -> str:
    """A cell as text: ISO days, instants in UTC, exact decimals, lists joined by `;`, unknown the empty text."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dt.datetime):
        return cell.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return ";".join(cell) if isinstance(cell, list) else str(cell)


def write_csv(out: TextIO, headers: Sequence[str], rows: Rows) -> None:
    """Write a table as CSV: comma, quotes where they are needed, texts guarded, everything else as it is."""
    writer = csv.writer(_Lines(out), lineterminator="\r\n")
    for row in chain([headers], rows):
        writer.writerow([guarded(plain(cell)) if isinstance(cell, str | list) else plain(cell) for cell in row])


class _Lines:
    """Ends each line of a csv.writer with a line feed alone; csv quotes cells with CR only where its own end holds one."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def write(self, line: str) -> None:
        self.out.write(line.removesuffix("\r\n") + "\n")


def save(path: Path, form: str, headers: Sequence[str], rows: Rows) -> None:
    """Write a table to a file, as "csv" in UTF-8 or as "xlsx", whole or not at all. The folder must be there.

    Raises DoesNotFit for a table that a workbook cannot hold.
    """
    with durable.whole(path) as part:
        if form == "xlsx":
            _workbook(headers, rows).save(part)
        else:
            with part.open("w", encoding="utf-8", newline="") as out:
                write_csv(out, headers, rows)


def _workbook(headers: Sequence[str], rows: Rows) -> Any:
    from openpyxl import Workbook  # a tenth of a second, which only workbooks should cost
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    try:
        for number, row in enumerate(chain([headers], rows), start=1):
            if number > _ROWS:
                raise DoesNotFit(
                    f"the table has more than {_ROWS - 1:,} rows, a workbook holds no more; write it as CSV"
                )
            cells = [_typed(cell, f"row {number}, {headers[place]}") for place, cell in enumerate(row)]
            made = [WriteOnlyCell(sheet, cell) for cell in cells]
            for each in made:
                if isinstance(each.value, str):
                    each.data_type = "s"  # openpyxl makes a formula of what begins with "=", and an error of "#N/A"
            sheet.append(made)
    except DoesNotFit:
        sheet.close()
        raise
    return book


def _typed(cell: Cell, where: str) -> Cell:
    """A cell as a workbook holds it: what a double or a spreadsheet's day cannot hold becomes text."""
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, int | Decimal) and len(Decimal(cell).normalize().as_tuple().digits) <= _DIGITS:
        return cell
    if isinstance(cell, dt.date) and not isinstance(cell, dt.datetime) and cell >= _FIRST_DAY:
        return cell
    text = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", plain(cell))
    if len(text) > _CHARACTERS:
        raise DoesNotFit(
            f"{where}: {len(text):,} characters, a cell of a workbook holds {_CHARACTERS:,}; write it as CSV"
        )
    return text
