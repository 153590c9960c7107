"""From bytes to rows of text: encoding, dialect, header, records. Every cell stays text; nothing is dropped.

The order is fixed: byte-order mark, strict UTF-8, the code page that the format or the source declares, else a
question. A record that cannot be taken apart (a quote that never closes, too many or too few cells) becomes a Broken
row with its line, so the equation rows in = loaded + unchanged + quarantined holds for damaged files too.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DELIMITERS = (",", ";", "\t", "|")
BATCH = 20_000
_CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "a SQLite database",
}


class Refused(Exception):  # noqa: N818 - what happened, in the glossary's words
    """A file that is not taken in, with the reason and the remedy."""


@dataclass(frozen=True)
class Broken:
    """A row that cannot be read: its line, why, what to do, and its text as it stands."""

    line: int
    column: str
    reason: str
    remedy: str
    text: str


@dataclass
class Batch:
    """Rows of text by column. `lines` are the lines of the file on which the rows begin."""

    headers: list[str]
    lines: list[int] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Number of whole rows."""
        return len(self.lines)


@dataclass(frozen=True)
class Layout:
    """How a file of rows is taken apart: encoding, delimiter, the line of its header, its headers."""

    encoding: str
    delimiter: str
    header_line: int
    headers: tuple[str, ...]
    footer: bool = False
    """True where the format ends with lines of one cell that are no rows (titles, copyright)."""


@dataclass
class Tail:
    """What stood around the rows: blank lines, footer lines with their text, and cells with a guard, which was taken off."""

    blank: int = 0
    footers: list[tuple[int, str]] = field(default_factory=list)
    guarded: int = 0


# ------------------------------------------------------------------------------------------------------- encoding


def encoding(path: Path, declared: str = "") -> str:
    """The encoding of a text file; "" when only a person can say. Raises Refused for files that hold no text."""
    with path.open("rb") as file:
        head = file.read(64)
    for mark, what in _NOT_TEXT.items():
        if head.startswith(mark):
            raise Refused(f"the file is {what}, not a CSV; export it as CSV (UTF-8)")
    if not head:
        raise Refused("the file is empty: 0 bytes; export it again")
    for mark, name in _BOMS:
        if head.startswith(mark):
            _check(path, name)
            return name
    if _first_bad(path, "utf-8") is None:
        return "utf-8"
    if declared:
        _check(path, declared)
    return declared


def _check(path: Path, name: str) -> None:
    if (bad := _first_bad(path, name)) is not None:
        raise Refused(f"the file is not {name}: byte {bad:,} does not fit; name its code page with --answer")


def _first_bad(path: Path, name: str) -> int | None:
    """Offset of the first byte that the encoding cannot read; None when all can be read."""
    decoder = codecs.getincrementaldecoder(name)("strict")
    before = 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                return max(0, before - pending + error.start)
            before += len(piece)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return before
    return None


def has_control_marks(path: Path, name: str) -> bool:
    """Whether a text read as ISO-8859-1 holds C1 control characters: it is then cp1252 or something else."""
    with path.open(encoding=name, newline="") as file:
        while piece := file.read(_CHUNK):
            if any("\x80" <= mark <= "\x9f" for mark in set(piece)):
                return True
    return False


# --------------------------------------------------------------------------------------------------------- records


class _Lines:
    """The physical lines of a text, which can be gone back over when a record turns out to be broken."""

    def __init__(self, file: io.TextIOBase) -> None:
        self.file = file
        self.again: list[str] = []
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.again.pop() if self.again else self.file.readline()
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def back(self) -> str:
        """Put all but the first of the taken lines back, and give that first line."""
        first, rest = self.taken[0], self.taken[1:]
        self.again += reversed(rest)
        self.taken = []
        return first


@dataclass(frozen=True)
class Record:
    """One record of a delimited text; `fault` says why it could not be taken apart."""

    line: int
    cells: list[str]
    fault: str = ""


def records(file: io.TextIOBase, delimiter: str, longest: int) -> Iterator[Record]:
    """The records of a delimited text with the line on which each begins.

    A quote that never closes spoils one line, not the rest of the file: the reader goes on with the line after it.
    """
    csv.field_size_limit(longest)
    lines = _Lines(file)
    number = 0
    while True:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        begun = number
        try:
            for cells in reader:
                line = begun + 1
                begun = number + reader.line_num
                lines.taken.clear()
                yield Record(line, cells)
            return
        except csv.Error as error:
            first = lines.back()
            number = begun + 1
            yield Record(number, [first.rstrip("\r\n")], _words(str(error)))


def _words(error: str) -> str:
    if "field larger" in error:
        return "a cell is longer than the limit, or a quote never closes"
    if "unexpected end" in error:
        return "a quote is opened and never closed"
    return f"quotes do not fit ({error})"


def opened(path: Path, name: str) -> io.TextIOWrapper:
    """The file as text, line ends as they are."""
    return path.open(encoding=name, newline="")


def sample(path: Path, name: str, delimiter: str, lines: int, longest: int) -> list[Record]:
    """The first records of a file, for finding its header."""
    found: list[Record] = []
    with opened(path, name) as file:
        for record in records(file, delimiter, longest):
            if record.line > lines:
                break
            found.append(record)
    return found


def batches(path: Path, layout: Layout, longest: int, tail: Tail) -> Iterator[Batch]:
    """All rows below the header, in batches. Blank lines and footers are counted in `tail`; bad rows are Broken."""
    width = len(layout.headers)
    batch, rows = Batch(list(layout.headers)), []
    held: list[Record] = []
    with opened(path, layout.encoding) as file:
        for record in records(file, layout.delimiter, longest):
            if record.line <= layout.header_line:
                continue
            if not record.fault and not any(map(str.strip, record.cells)):
                tail.blank += 1
                continue
            if layout.footer and not record.fault and len(record.cells) == 1 and width > 1:
                held.append(record)
                continue
            for short in held:  # a row follows, so these lines of one cell were no footer
                batch.broken.append(_ragged(short, width))
            held = []
            if record.fault or len(record.cells) != width:
                batch.broken.append(_ragged(record, width))
            else:
                batch.lines.append(record.line)
                rows.append(record.cells)
            if len(rows) + len(batch.broken) >= BATCH:
                yield _turned(batch, rows)
                batch, rows = Batch(list(layout.headers)), []
    tail.footers += [(short.line, short.cells[0]) for short in held]
    if rows or batch.broken:
        yield _turned(batch, rows)


def _ragged(record: Record, width: int) -> Broken:
    text = "".join(record.cells) if record.fault else " | ".join(record.cells)
    if record.fault:
        return Broken(record.line, "", record.fault, "close the quote or double it inside a cell", text)
    reason = f"the row has {len(record.cells)} cells, the header has {width}"
    return Broken(record.line, "", reason, "quote cells that hold the delimiter, or fill the missing cells", text)


def _turned(batch: Batch, rows: list[list[str]]) -> Batch:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in batch.headers]
    batch.columns = dict(zip(batch.headers, columns, strict=True))
    return batch


def lines_of(path: Path, encoding: str, wanted: set[int]) -> dict[int, str]:
    """The text of lines of a kept file, as they stand: what `explain` shows as evidence. Read once, to the last one."""
    if encoding == "parquet":
        return _parquet_rows(path, wanted)
    found: dict[int, str] = {}
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            if number in wanted:
                found[number] = line.rstrip("\r\n")
                if len(found) == len(wanted):
                    break
    return found


# --------------------------------------------------------------------------------------------------------- parquet


def is_parquet(path: Path) -> bool:
    """Whether the file begins as a Parquet file does."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def parquet_headers(path: Path) -> tuple[str, ...]:
    """Column names of a Parquet file. Raises Refused when it cannot be opened."""
    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise Refused(f"the Parquet file cannot be opened: {error}; export it again") from error


def parquet_batches(path: Path) -> Iterator[Batch]:
    """All rows of a Parquet file as text, decimals exact; the "line" is the number of the row."""
    number = 0
    with pq.ParquetFile(path) as file:
        for part in file.iter_batches(batch_size=BATCH):
            names = part.schema.names
            columns = {name: _texts(part.column(i)) for i, name in enumerate(names)}
            yield Batch(names, list(range(number + 1, number + part.num_rows + 1)), columns)
            number += part.num_rows


def _texts(column: pa.Array) -> list[str]:
    said: Callable[[object], str] = str
    if pa.types.is_boolean(column.type):
        said = lambda value: "true" if value else "false"  # noqa: E731
    elif pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        said = lambda value: value.isoformat()  # type: ignore[attr-defined]  # noqa: E731
    return ["" if value is None else said(value) for value in column.to_pylist()]


def _parquet_rows(path: Path, wanted: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for batch in parquet_batches(path):
        for number in wanted & set(batch.lines):
            place = number - batch.lines[0]
            found[number] = " | ".join(batch.columns[header][place] for header in batch.headers)
        if len(found) == len(wanted):
            break
    return found
