"""The kinds of file that hold rows: text, Parquet, workbook, JSON. One way to what each of them holds.

A layout's `encoding` names the kind: "parquet", "xlsx", "json", or the encoding of a delimited text.
"""

from collections.abc import Iterator
from pathlib import Path

from groundswell.connectors.files import archive, jsonlines, read, workbook
from groundswell.connectors.files.read import Batch, Layout, Refused, Tail

PARQUET, WORKBOOK, JSON = "parquet", "xlsx", "json"
NO_TEXT = frozenset({PARQUET, WORKBOOK, JSON})
"""Kinds whose bytes have no code page to be asked for."""


def kind_of(path: Path, limits: dict[str, int]) -> str:
    """What a file is by its bytes, whatever its name says; "" for text. Raises Refused for what holds no rows."""
    if read.is_parquet(path):
        read.check_parquet(path, limits)
        return PARQUET
    if workbook.is_workbook(path):
        workbook.check(path, limits)
        return WORKBOOK
    if archive.is_archive(path):
        raise Refused("an archive is taken in by its own name, not as rows")
    return JSON if jsonlines.is_json_lines(path) else ""


def layouts(path: Path, kind: str, sheet: str, limits: dict[str, int]) -> Iterator[Layout]:
    """Every row of a file that is no text which could be its header; of one sheet where it is named."""
    if kind == PARQUET:
        yield Layout(PARQUET, "", 0, read.parquet_headers(path))
    elif kind == JSON:
        yield Layout(JSON, "", 0, jsonlines.headers(path, limits))
    else:
        for name in [sheet] if sheet else [found.name for found in workbook.sheets(path)]:
            for record in workbook.sample(path, name, limits["header_lines"], limits):
                if not record.fault:
                    headers = tuple(cell.strip() for cell in record.cells)
                    yield Layout(WORKBOOK, "", record.line, headers, sheet=name)


def batches(
    path: Path, layout: Layout, limits: dict[str, int], tail: Tail, only: frozenset[str] | None = None
) -> Iterator[Batch]:
    """All rows below the header, in batches; what stood around them is counted in `tail`."""
    if layout.encoding == PARQUET:
        return read.parquet_batches(path, limits)
    if layout.encoding == JSON:
        return jsonlines.batches(path, layout.headers, limits, tail)
    if layout.encoding == WORKBOOK:
        return workbook.batches(path, layout.sheet, layout.header_line, layout.headers, limits, tail)
    return read.batches(path, layout, limits["cell_characters"], tail, only)


def lines_of(path: Path, encoding: str, sheet: str, wanted: set[int], limits: dict[str, int]) -> dict[int, str]:
    """The text of rows of a kept file by their line or number: what `explain` shows as evidence."""
    if encoding == PARQUET:
        return read.parquet_rows(path, wanted, limits)
    if encoding == JSON:
        return jsonlines.rows_of(path, wanted, limits)
    if encoding == WORKBOOK:
        return workbook.rows_of(path, sheet, wanted, limits)
    return read.lines_of(path, encoding, wanted)
