"""What the cells of a file of unknown shape show: where its header is, and what the cells of each column prove."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import pyarrow as pa

from groundswell.connectors.files import heads, kinds, read
from groundswell.connectors.files.read import Layout, Refused, Tail
from groundswell.connectors.files.recognise import normal
from groundswell.core.tables.cells import EMPTY, Fault, Noted, Reading, floats, reader
from groundswell.core.tables.contract import DECIMALS, Column
from groundswell.core.tables.guard import unguarded
from groundswell.core.tables.proof import Proof, settle

_PROVEN_BY = {"instant": "date", "money": "number", "share": "number", "int": "number"}
"""Kind of a column -> the kind that its cells are looked at as: how many decimals there may be is for the load."""
SAMPLES = 3


@dataclass(frozen=True)
class SeenColumn:
    """One column: its distinct filled cells in order, each with its number of rows."""

    header: str
    words: Counter[str]
    rows: int

    @cached_property
    def filled(self) -> int:
        """How many cells say something."""
        return self.words.total()

    @property
    def differ(self) -> bool:
        """Whether it could name its rows: every cell is filled and none comes twice."""
        return self.rows > 1 and len(self.words) == self.filled == self.rows

    @property
    def samples(self) -> list[str]:
        """Its first distinct cells."""
        return list(self.words)[:SAMPLES]

    @cached_property
    def proofs(self) -> dict[str, Proof]:
        """What its cells prove of the order of dates, and of the sign of decimals."""
        found = {"date": Proof("date"), "number": Proof("number")}
        for proof in found.values():
            proof.look(self.words)
        return found

    def reading(self, kind: str) -> str:
        """How dates or numbers of this column are read: dmy, mdy, "." or ","; "?" where no cell decides; "" no matter."""
        proof = self.proofs[kind]
        if len(proof.orders) == 1:
            return next(iter(proof.orders))
        return "?" if proof.orders or proof.asks else ""

    @cached_property
    def floating(self) -> str:
        """A time that names no zone."""
        return next(filter(floats, self.words), "")

    def are(self, kind: str) -> int:
        """How many of the filled cells can be read as a kind of column."""
        return _are(self, _PROVEN_BY.get(kind, kind))

    def proves(self, kind: str, percent: int) -> bool:
        """Whether so many of its cells are of a kind that no other text would be."""
        return bool(self.filled) and self.are(kind) * 100 >= percent * self.filled


@lru_cache(maxsize=65_536)
def _readable(kind: str, order: str, decimal: str, word: str) -> bool:
    read_ = reader(Column(kind, kind, ""), Reading(order, decimal, dt.UTC))
    value = read_(word)
    if kind == "domain":  # a number with a point is none, though it could be read as one
        return isinstance(value, str) and value.rsplit(".", 1)[-1].replace("xn--", "").isalpha()
    return not isinstance(value, (Fault, Noted, type(None)))


def _are(column: SeenColumn, kind: str) -> int:
    if kind in ("text", "id", "word", "list"):
        return column.filled
    ways = [("", "")]
    if kind == "date":
        ways = [(column.reading("date"), "")] if column.reading("date") != "?" else [("dmy", ""), ("mdy", "")]
    if kind in DECIMALS:
        ways = [("", column.reading("number"))] if column.reading("number") != "?" else [("", "."), ("", ",")]
    return max(sum(rows for word, rows in column.words.items() if _readable(kind, *way, word)) for way in ways)


@dataclass(frozen=True, eq=False)
class SeenFile:
    """One file, or sheet: how it is laid out and what its columns hold. `cells` are texts, empty ones ""."""

    path: Path
    layout: Layout
    cells: pa.Table
    whole: bool
    """False where the file has more rows than were looked at."""
    code_page: str = ""
    """A guess, for text that is no UTF-8."""

    @property
    def name(self) -> str:
        """How it is called to people."""
        return f"{self.path.name}: {self.layout.sheet}" if self.layout.sheet else self.path.name

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return int(self.cells.num_rows)

    @cached_property
    def columns(self) -> dict[str, SeenColumn]:
        """What each column shows, by header."""
        return {
            header: SeenColumn(header, Counter(_filled(self.cells.column(header).to_pylist())), self.rows)
            for header in self.cells.column_names
        }

    @property
    def unnamed(self) -> tuple[str, ...]:
        """Headers by which nothing can be mapped: they stand more than once, or hold a brace."""
        return tuple(dict.fromkeys(header for header in self.layout.headers if header and header not in self.columns))

    def open(self, kind: str, headers: set[str]) -> set[str]:
        """Which of some columns of dates or numbers can still be read two ways when they are read together."""
        proofs = {header: self.columns[header].proofs[kind] for header in self.columns if header in headers}
        return {question.column for question in settle(proofs, {}, "")[1]}

    def apart(self, one: str, other: str) -> bool:
        """Whether no two rows are equal in two columns."""
        return bool(self.cells.group_by([one, other]).aggregate([]).num_rows == self.rows)


def look(path: Path, limits: dict[str, int]) -> list[SeenFile]:
    """What a file holds; one for each sheet of a workbook that has a header and rows. Raises Refused."""
    if not path.is_file():
        raise Refused("there is no such file")
    kind = kinds.kind_of(path, limits)
    if kind:
        layouts = list(kinds.layouts(path, kind, "", limits))
        sheets = dict.fromkeys(layout.sheet for layout in layouts)
        found_heads = [heads.head([one for one in layouts if one.sheet == sheet]) for sheet in sheets]
        found = [_seen(path, head, limits, "") for head in found_heads if head]
    else:
        if read.is_web_page(path):
            raise Refused(read.WEB_PAGE)
        encoding = read.encoding(path)
        page = "" if encoding else "cp1252"
        head = heads.text_head(list(heads.text_layouts(path, encoding or page, limits)))
        if head is None:
            raise Refused("no header with two columns or more is found in it")
        found = [_seen(path, head, limits, page)]
    found = [one for one in found if one.rows]
    if not found:
        raise Refused("no header with rows below it is found in it")
    return found


def _seen(path: Path, layout: Layout, limits: dict[str, int], page: str) -> SeenFile:
    if sum(map(_is_data, layout.headers)) * 2 > len(layout.headers):
        raise Refused(
            f"line {layout.header_line or 1} holds no headers but data: {', '.join(layout.headers[:5])}. Add a header row."
        )
    times = Counter(map(normal, layout.headers))
    named = [header for header in layout.headers if header and "{" not in header and times[normal(header)] == 1]
    parts: list[pa.Table] = []
    left = limits["draft_rows"]
    for batch in kinds.batches(path, layout, limits, Tail()):
        parts.append(pa.table({header: batch.columns[header] for header in named}).slice(0, max(left, 0)))
        left -= batch.size
        if left < 0:
            break
    cells = pa.concat_tables(parts) if parts else pa.table({header: pa.array([], pa.string()) for header in named})
    return SeenFile(path, layout, cells, left >= 0, page)


def _filled(cells: list[str]) -> Iterator[str]:
    for cell in cells:
        text = unguarded(cell.strip())
        if text.casefold() not in EMPTY:
            yield text


def _is_data(header: str) -> bool:
    return any(_readable(kind, "dmy", ".", header) for kind in ("number", "email", "date"))
