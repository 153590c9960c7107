"""From bytes to rows of text: encoding, dialect, header, records. Every cell stays text; nothing is dropped.

The order is fixed: byte-order mark, strict UTF-8, the code page that the format or the source declares, else a
question. A record that cannot be taken apart (a quote that never closes, too many or too few cells) becomes a Broken
row with its line, so the equation rows in = loaded + unchanged + quarantined holds for damaged files too.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from groundswell.core.tables.guard import unguarded

DELIMITERS = (",", ";", "\t", "|")
BATCH = 20_000
CELLS = 2_000_000
"""Rows and cells of a batch at most: it is held whole in memory."""
_CHUNK = 1 << 20
_BLOCK = 64 << 20
"""Bytes of a delimited text that are taken apart at once: large enough that columns repeat themselves."""
_HEAD = 1 << 16
_HEAD_LINES = 100
"""Lines that are read first: a header is found without reading a block."""
_LONGEST_LINE = 64 << 20
"""Bytes of a line that are read. A line is held whole in memory, in several forms."""
_LINE_ENDS, _CR = re.compile(rb"\r\n|\r|\n"), ord("\r")
_BLANKS = "".join(mark for mark in map(chr, range(0x3001)) if mark.isspace())
"""What `str.strip` takes off; the functions of Arrow know fewer or more."""
_FILLED = "[^" + "".join(rf"\x{{{ord(mark):x}}}" for mark in _BLANKS) + "]"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = {b"%PDF": "a PDF document", b"SQLite format 3": "a SQLite database"}


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
    """Rows of text by column, empty cells as "". `lines` are the lines of the file on which the rows begin."""

    headers: list[str]
    lines: Sequence[int] = field(default_factory=list)
    columns: dict[str, pa.Array] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    share: float = 0.0
    """How much of the file lies behind the batch, 0 to 1; 0 where nobody knows."""

    @property
    def size(self) -> int:
        """Number of whole rows."""
        return len(self.lines)

    def text(self, place: int) -> str:
        """A row as it is shown to people: its cells side by side."""
        return " | ".join(self.columns[header][place].as_py() for header in self.headers)


@dataclass(frozen=True)
class Layout:
    """How a file of rows is taken apart: encoding, delimiter, the line of its header, its headers."""

    encoding: str
    delimiter: str
    header_line: int
    headers: tuple[str, ...]
    sheet: str = ""
    """The sheet of a workbook."""
    footer: bool = False
    """True where the format ends with lines of one cell that are no rows (titles, copyright)."""


@dataclass
class Tail:
    """What stood around the rows: blank lines, footer lines with their text, and cells with a guard, which was taken off."""

    blank: int = 0
    footers: list[tuple[int, str]] = field(default_factory=list)
    guarded: int = 0


# ------------------------------------------------------------------------------------------------------- encoding

_PAGES = (b"<!doctype html", b"<html", b"<table", b"<head", b"<meta")
WEB_PAGE = "this is a web page, not a workbook and no CSV; open it in a spreadsheet and save it as .xlsx or CSV (UTF-8)"


def is_web_page(path: Path) -> bool:
    """Whether the text begins as HTML does: some systems call such a table .xls."""
    with path.open("rb") as file:
        return file.read(1024).removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(_PAGES)


_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1a\x1b")


def is_binary(path: Path) -> bool:
    """Whether the start holds bytes that stand in no text of any code page."""
    with path.open("rb") as file:
        head = file.read(4096)
    return not head.startswith(tuple(mark for mark, _ in _BOMS)) and not _CONTROLS.isdisjoint(head)


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
    if head.count(0) * 3 > len(head):
        raise Refused("the file is UTF-16 without the mark that says so, or no text; save it as CSV (UTF-8)")
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
    """The physical lines of a text, a block at a time, which can be gone back over when a record turns out broken.

    A block is UTF-8 and ends with a line; only a record that is still open goes on into the next one.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        self.raw = path.open("rb") if encoding.startswith("utf-8") else None
        self.text = None if self.raw else opened(path, encoding)
        self.rest, self.size = b"", path.stat().st_size
        if self.raw and self.raw.read(3) != codecs.BOM_UTF8:
            self.raw.seek(0)
        self.block = io.TextIOWrapper(io.BytesIO())
        self.again: list[str] = []
        self.taken: list[str] = []

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *error: object) -> None:
        (self.raw or self.text).close()  # type: ignore[union-attr]

    @property
    def share(self) -> float:
        """How much of the file has been read, 0 to 1; 0 for texts that are recoded on the way."""
        return self.raw.tell() / self.size if self.raw and self.size else 0.0

    def _read(self, size: int) -> bytes:
        return self.raw.read(size) if self.raw else self.text.read(size).encode()  # type: ignore[union-attr]

    def next_block(self) -> bytes:
        """The next block of whole lines, to be taken apart as it is or after `lay`; nothing at the end."""
        while more := self._read(_BLOCK):
            ends = [found for found in map(more.find, (b"\n", b"\r")) if found >= 0]
            first = len(self.rest) + min(ends, default=len(more))
            self.rest += more
            _check_line(self.rest, 0, first)
            end = self.rest.rfind(b"\n") + 1 or self.rest.rfind(b"\r", 0, -1) + 1
            if end:
                block, self.rest = self.rest[:end], self.rest[end:]
                return block
        block, self.rest = self.rest, b""
        return block

    def lay(self, block: bytes) -> None:
        """Read on in this block."""
        self.block = io.TextIOWrapper(io.BytesIO(block), "utf-8", newline="")

    def head(self, count: int) -> bytes:
        """The first lines of the text, as a block; no more is read of it than they need, and than a block may hold."""
        held, ends = bytearray(), [0]
        while len(ends) <= count and (len(held) < _BLOCK or len(ends) == 1) and (more := self._read(_HEAD)):
            begun = max(ends[-1], len(held) - 1)
            held += more
            # Most of a very long line ends nothing, which is found a hundred times as fast by the byte.
            looked = _LINE_ENDS.finditer(held, begun) if b"\n" in more or b"\r" in more or held[begun] == _CR else ()
            for found in looked:
                if found.end() < len(held) or found[0] != b"\r":  # it may be half of a line end
                    ends.append(found.end())
            _check_line(held, ends[-1], len(held))
        end = ends[count] if len(ends) > count else ends[-1] if len(held) >= _BLOCK and ends[-1] else len(held)
        self.rest = bytes(held[end:])
        return bytes(held[:end])

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.again.pop() if self.again else self.block.readline()
        if not line and self.taken:
            self.lay(self.next_block())
            line = self.block.readline()
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


def _check_line(text: bytes | bytearray, begun: int, end: int) -> None:
    """Raises Refused where a line of a text is too long: from the byte at which it begins, as far as it is read."""
    if end - begun > _LONGEST_LINE:
        start = bytes(text[begun : begun + 40]).decode(errors="ignore")
        raise Refused(f"a line is longer than {_LONGEST_LINE:,} bytes, as no export has; it begins with '{start}'")


@dataclass(frozen=True)
class Record:
    """One record of a delimited text; `fault` says why it could not be taken apart."""

    line: int
    cells: list[str]
    fault: str = ""


def records(path: Path, encoding: str, delimiter: str, longest: int) -> Iterator[Record]:
    """The records of a delimited text with the line on which each begins.

    A quote that never closes spoils one line, not the rest of the file: the reader goes on with the line after it.
    """
    with _Lines(path, encoding) as lines:
        number, block = 0, lines.head(_HEAD_LINES)
        while block:
            lines.lay(block)
            number = yield from _records(lines, number, delimiter, longest)
            block = lines.next_block()


def _records(lines: _Lines, number: int, delimiter: str, longest: int) -> Generator[Record, None, int]:
    """The records of the block in hand, `number` lines into the file; returns the number of its last line."""
    while True:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        begun = number
        try:
            while (cells := _next(reader, longest)) is not None:
                line = begun + 1
                begun = number + reader.line_num
                lines.taken.clear()
                yield Record(line, cells)
            return begun
        except csv.Error as error:
            first = lines.back()
            number = begun + 1
            yield Record(number, [first.rstrip("\r\n")[:longest]], _words(str(error)))


def _next(reader: Iterator[list[str]], longest: int) -> list[str] | None:
    """The next record, None at the end. The limit belongs to the whole process, so it is lent for one record only."""
    before = csv.field_size_limit(longest)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(before)


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
    for record in records(path, name, delimiter, longest):
        if record.line > lines:
            break
        found.append(record)
    return found


def batches(
    path: Path, layout: Layout, longest: int, tail: Tail, only: frozenset[str] | None = None
) -> Iterator[Batch]:
    """All rows below the header, in batches. Blank lines and footers are counted in `tail`; bad rows are Broken.

    A block without quotes, whose lines all fit the header, is taken apart as columns; any other one record by record.
    Both give the same rows. `only` names the columns that the caller looks at; others may be left out.
    """
    held: list[Record] = []
    with _Lines(path, layout.encoding) as lines:
        lines.lay(lines.head(layout.header_line))
        number = yield from _by_record(lines, 0, layout, longest, tail, held)
        while block := lines.next_block():
            plain = not held and number >= layout.header_line
            batch = _by_column(block, number, layout, longest, only) if plain else None
            if batch is None:
                lines.lay(block)
                number = yield from _by_record(lines, number, layout, longest, tail, held)
            else:
                number += batch.size
                batch.share = lines.share
                yield batch if only else _without_blank(batch, tail)
    tail.footers += [(short.line, short.cells[0]) for short in held]


def _by_column(block: bytes, number: int, layout: Layout, longest: int, only: frozenset[str] | None) -> Batch | None:
    """A block of plain lines as columns; None where a record must be looked at on its own."""
    if b'"' in block or b"\x00" in block or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n")):
        return None
    if block.startswith(codecs.BOM_UTF8):  # a mark in the middle of the text, which Arrow would take for none of it
        return None
    names = [str(place) for place in range(len(layout.headers))]
    wanted = {n: header for n, header in zip(names, layout.headers, strict=True) if only is None or header in only}
    try:
        found = pyarrow.csv.read_csv(
            pa.py_buffer(block),
            pyarrow.csv.ReadOptions(column_names=names, use_threads=False, block_size=4 * _BLOCK),
            pyarrow.csv.ParseOptions(delimiter=layout.delimiter, quote_char=False, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, include_columns=list(wanted)
            ),
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None
    if any(pc.max(pc.binary_length(column)).as_py() > longest for column in found.columns):
        return None
    for name, header in wanted.items():
        if header:  # a line that repeats all headers repeats this one
            if pc.any(pc.equal(pc.utf8_trim(found.column(name), characters=_BLANKS), header)).as_py():
                return None
            break
    columns = {header: found.column(name).chunk(0) for name, header in wanted.items()}
    return Batch(list(layout.headers), range(number + 1, number + found.num_rows + 1), columns)


def _without_blank(batch: Batch, tail: Tail) -> Batch:
    """The batch without rows of which every cell is blank."""
    filled = np.zeros(batch.size, bool)
    for column in batch.columns.values():
        filled |= pc.match_substring_regex(column, _FILLED).to_numpy(zero_copy_only=False)
        if filled.all():
            return batch
    tail.blank += int(np.count_nonzero(~filled))
    columns = {header: column.filter(pa.array(filled)) for header, column in batch.columns.items()}
    lines = [line for line, kept in zip(batch.lines, filled, strict=True) if kept]
    return Batch(batch.headers, lines, columns, share=batch.share)


def _by_record(
    lines: _Lines, number: int, layout: Layout, longest: int, tail: Tail, held: list[Record]
) -> Generator[Batch, None, int]:
    """The block in hand, record by record; returns the number of its last line."""
    width, block = len(layout.headers), _records(lines, number, layout.delimiter, longest)
    most = max(1, min(BATCH, CELLS // max(1, width)))
    rows: list[Record] = []
    broken: list[Broken] = []
    while True:
        try:
            record = next(block)
        except StopIteration as end:
            if rows or broken:
                yield _turned(layout, rows, broken)
            return int(end.value)
        if record.line <= layout.header_line:
            continue
        if not record.fault and not any(map(str.strip, record.cells)):
            tail.blank += 1
            continue
        if layout.footer and not record.fault and len(record.cells) == 1 and width > 1:
            held.append(record)
            continue
        broken += [_ragged(short, width) for short in held]  # a row follows, so these lines were no footer
        held.clear()
        if record.fault or len(record.cells) != width:
            broken.append(_ragged(record, width))
        elif width > 1 and _is_header(record, layout):
            broken.append(_again(record))
        else:
            rows.append(record)
        if len(rows) + len(broken) >= most:
            yield _turned(layout, rows, broken)
            rows, broken = [], []


def _is_header(record: Record, layout: Layout) -> bool:
    return tuple(unguarded(cell.strip()) for cell in record.cells) == layout.headers


def _again(record: Record) -> Broken:
    remedy = "remove it; the file seems to be two exports joined"
    return Broken(record.line, "", "the header line stands here again", remedy, " | ".join(record.cells))


def _ragged(record: Record, width: int) -> Broken:
    text = "".join(record.cells) if record.fault else " | ".join(record.cells)
    if record.fault:
        return Broken(record.line, "", record.fault, "close the quote or double it inside a cell", text)
    reason = f"the row has {len(record.cells)} cells, the header has {width}"
    return Broken(record.line, "", reason, "quote cells that hold the delimiter, or fill the missing cells", text)


def _turned(layout: Layout, rows: list[Record], broken: list[Broken]) -> Batch:
    columns = zip(*(row.cells for row in rows), strict=True) if rows else [()] * len(layout.headers)
    named = zip(layout.headers, columns, strict=True)
    texts = {header: pa.array(column, pa.string()) for header, column in named}
    return Batch(list(layout.headers), [row.line for row in rows], texts, broken)


def lines_of(path: Path, encoding: str, wanted: set[int]) -> dict[int, str]:
    """The text of lines of a kept file, as they stand: what `explain` shows as evidence. Read once, to the last one."""
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


@contextmanager
def _parquet() -> Iterator[None]:
    """Raises Refused for whatever Arrow says of bytes that are not as they should be."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = str(error).split("\n")[0][:200]
        raise Refused(f"the Parquet file is damaged: {said}; export it again") from error


def check_parquet(path: Path, limits: Mapping[str, int]) -> None:
    """Raises Refused for a Parquet file that is damaged, or whose rows as text are more than `unpacked_bytes`."""
    with _parquet():
        found = pq.read_metadata(path)
        bytes_ = sum(found.row_group(number).total_byte_size for number in range(found.num_row_groups))
    if max(bytes_, found.num_rows * found.num_columns) > limits["unpacked_bytes"]:
        raise Refused(
            f"the Parquet file holds {found.num_rows:,} rows in {bytes_:,} bytes, more than "
            f"{limits['unpacked_bytes']:,} bytes as text; export it in smaller parts"
        )


def parquet_headers(path: Path) -> tuple[str, ...]:
    """Column names of a Parquet file. Raises Refused when it cannot be opened."""
    with _parquet():
        return tuple(pq.read_schema(path).names)


def parquet_batches(path: Path, limits: Mapping[str, int]) -> Iterator[Batch]:
    """All rows of a Parquet file as text, decimals exact; the "line" is the number of the row.

    Raises Refused for what is damaged, and once the texts are more than `unpacked_bytes`, which may show only after
    some batches.
    """
    number = laid_out = 0
    with _parquet():
        texts = [field.name for field in pq.read_schema(path) if _is_bytes(field.type)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for whole in file.iter_batches(batch_size=max(1, min(BATCH, CELLS // max(1, file.metadata.num_columns)))):
                for part in _short(whole):
                    names = part.schema.names
                    columns = {
                        name: pa.array(_typed_texts(name, part.column(i)), pa.string()) for i, name in enumerate(names)
                    }
                    laid_out += sum(column.nbytes for column in columns.values())
                    if laid_out > limits["unpacked_bytes"]:
                        raise Refused(
                            f"the rows hold more than {limits['unpacked_bytes']:,} bytes of text; export fewer rows"
                        )
                    lines = range(number + 1, number + part.num_rows + 1)
                    number += part.num_rows
                    yield Batch(names, lines, columns, share=number / file.metadata.num_rows)


def _is_bytes(kind: pa.DataType) -> bool:
    return any(is_(kind) for is_ in (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string))


def _short(part: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in pieces whose texts can be laid out: one long text may stand in every row, and in the file once."""
    size = 0
    for column in part.columns:
        if pa.types.is_dictionary(column.type):
            size += pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0
    if size > _BLOCK and part.num_rows > 1:
        yield from _short(part.slice(0, part.num_rows // 2))
        yield from _short(part.slice(part.num_rows // 2))
    else:
        yield part


def _typed_texts(name: str, column: pa.Array) -> list[str]:
    try:
        return _texts(column)
    except (pa.ArrowInvalid, ValueError, OverflowError) as error:
        raise Refused(
            f"column '{name}' of the Parquet file cannot be read as text: {error}; export it as text"
        ) from error


def _texts(column: pa.Array) -> list[str]:
    kind, said = column.type, cast(Callable[[object], str], str)
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_boolean(kind):
        said = lambda value: "true" if value else "false"  # noqa: E731
    elif pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = pc.cast(column, pa.string())
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        said = lambda value: value.isoformat()  # type: ignore[attr-defined]  # noqa: E731
    elif pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        said = number_text
    elif pa.types.is_list(kind):
        return _lists(column)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        column = column.cast(pa.string())
    return ["" if value is None else said(value) for value in column.to_pylist()]


def _lists(column: pa.Array) -> list[str]:
    """The items of each list side by side. ValueError for one that holds the mark that parts them."""
    items = _texts(column.flatten())
    if any(";" in item for item in items):
        raise ValueError("an item of a list holds a semicolon, which parts items")
    rest = iter(items)
    return [";".join(islice(rest, length)) for length in pc.fill_null(pc.list_value_length(column), 0).to_pylist()]


def number_text(value: object) -> str:
    """A number that has a type of its own as text that reads one way: never with exactly three decimals."""
    return plainly(format(Decimal(str(value)), "f") if isinstance(value, float) else format(cast(Decimal, value), "f"))


def plainly(number: str) -> str:
    """A number that its file stores as one, so that its point cannot be taken for a mark of thousands."""
    return number + "0" if len(number.partition(".")[2]) == 3 else number


def parquet_rows(path: Path, wanted: set[int], limits: Mapping[str, int]) -> dict[int, str]:
    """The text of rows of a Parquet file by their number."""
    found: dict[int, str] = {}
    for batch in parquet_batches(path, limits):
        for number in wanted & set(batch.lines):
            place = number - batch.lines[0]
            found[number] = batch.text(place)
        if len(found) == len(wanted):
            break
    return found
