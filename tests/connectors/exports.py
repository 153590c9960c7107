"""Valid exports for tests to damage: of every shipped format, made from its own declaration, in every kind of file."""

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.connectors.files.mapping import FileMap
from groundswell.core.tables.contract import TABLES, Column

Rows = list[list[str]]
"""The header, then the rows; every cell is text."""
PLAIN: Mapping[str, Callable[[int], str]] = {
    "text": lambda i: f"Acme {i}", "id": lambda i: f"K{i:05}", "email": lambda i: f"p{i}@firm.example",
    "domain": lambda i: f"firm{i}.example", "country": lambda i: "DE", "currency": lambda i: "USD",
    "bool": lambda i: ("true", "false")[i % 2], "date": lambda i: f"2026-{1 + i % 12:02}-{1 + i % 28:02}",
    "instant": lambda i: f"2026-{1 + i % 12:02}-{1 + i % 28:02}T10:{i % 60:02}:00Z", "int": lambda i: str(i),
    "money": lambda i: f"{i * 7}.50", "number": lambda i: f"{1 + i}.25", "share": lambda i: "50", "list": lambda i: "a;b",
    "word": lambda i: "other",
}  # fmt: skip

FORMATTED: Mapping[str, Callable[[int], str]] = {
    "epoch_ms": lambda i: str(1_767_225_600_000 + i * 86_400_000),
    "minor units": lambda i: str(i * 750),
}
"""Cells of columns whose row map names a format."""


def made(file: FileMap, count: int) -> Rows:
    """An export of a format that is taken in whole, with a column for every field that the format knows."""
    fields = {name: aliases[0] for name, aliases in file.aliases.items()}
    says = {name: _says(file, name) for name in fields}
    return [list(fields.values()), *([says[name](i) for name in fields] for i in range(1, count + 1))]


def _says(file: FileMap, name: str) -> Callable[[int], str]:
    """What the cells of a field say: labels that the format maps, else by the narrowest kind of column that it fills."""
    if name.endswith("currency"):
        return PLAIN["currency"]
    found = [PLAIN["id"]]
    for row in file.rows:
        for column_name, expr in row.columns.items():
            for one in (expr, *expr.first_of):
                if name in one.headers() and (labels := list(one.values)):
                    return lambda i, labels=labels: labels[i % len(labels)]  # type: ignore[misc]
                if name in one.headers() and one.format in FORMATTED:
                    return FORMATTED[one.format]
                if name in one.headers():
                    found.append(
                        _of(next((c for c in TABLES[row.table].columns if c.name == column_name), None), column_name)
                    )
    return next((says for says in found if says not in (PLAIN["id"], PLAIN["text"])), found[-1])


def _of(column: Column | None, name: str) -> Callable[[int], str]:
    if column is None:
        return PLAIN["instant" if name in ("occurred_on", "known_at", "changed_at") else "id"]
    words = column.words
    return (lambda i: words[i % len(words)]) if column.kind == "word" else PLAIN[column.kind]


# ------------------------------------------------------------------------------------------------------ as a file


def as_csv(rows: Rows, delimiter: str = ",", end: str = "\n", encoding: str = "utf-8", quoting: int = 0) -> bytes:
    """Rows as a delimited text."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode(encoding, "replace")


def as_jsonl(rows: Rows) -> bytes:
    """Rows as objects, one a line."""
    return "".join(json.dumps(dict(zip(rows[0], row, strict=False))) + "\n" for row in rows[1:]).encode(
        "utf-8", "replace"
    )


def as_json(rows: Rows) -> bytes:
    """Rows as one array of objects."""
    return json.dumps([dict(zip(rows[0], row, strict=False)) for row in rows[1:]]).encode()


def as_workbook(rows: Rows) -> bytes:
    """Rows as the only sheet of a workbook, every cell a text."""
    book = openpyxl.Workbook()
    book.calculation.fullCalcOnLoad = False
    for number, row in enumerate(rows, start=1):
        for place, cell in enumerate(row, start=1):
            one = book.active.cell(number, place)
            one.value = "".join(mark for mark in cell if mark >= " " or mark in "\t\n\r")[:30_000]
            one.data_type = "s"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_parquet(rows: Rows) -> bytes:
    """Rows as a Parquet file of texts."""
    out = io.BytesIO()
    wide = [(row + [""] * len(rows[0]))[: len(rows[0])] for row in rows]
    columns = [pa.array(column, pa.string()) for column in zip(*wide[1:], strict=True)] or [
        pa.array([], pa.string())
    ] * len(rows[0])
    pq.write_table(pa.table(columns, names=rows[0]), out)
    return out.getvalue()


def as_gzip(rows: Rows) -> bytes:
    """Rows as a packed CSV."""
    return gzip.compress(as_csv(rows), mtime=0)


def as_zip(rows: Rows) -> bytes:
    """Rows as the CSV in an archive."""
    return zipped({"export.csv": as_csv(rows)})


def zipped(members: Mapping[str, bytes]) -> bytes:
    """An archive of some members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


KINDS: Mapping[str, Callable[[Rows], bytes]] = {
    "csv": as_csv, "jsonl": as_jsonl, "json": as_json, "xlsx": as_workbook, "parquet": as_parquet, "csv.gz": as_gzip,
    "zip": as_zip,
}  # fmt: skip


def remade(workbook: bytes, chance: random.Random, damage: Callable[[bytearray, random.Random], bytearray]) -> bytes:
    """A workbook, one of its parts damaged before it is packed again: what its XML can say, and not only its zip."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(sorted(parts))
    return zipped(parts | {name: bytes(damage(bytearray(parts[name]), chance))})
