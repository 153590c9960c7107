"""XLSX workbooks: the rows of a sheet as exact text, read in a stream.

A workbook stores numbers and the way to show them; what a cell says is worked out here, as Excel would:

- Numbers are rounded to 15 significant digits, which is what Excel keeps, shows and compares by. It writes 17, so the
  sum of 0.1 and 0.2 stands in the file as 0.30000000000000004. A number of more than 15 digits before the point is
  no longer what was typed: its row is broken.
- Dates, times and percentages are numbers with a format. They become 2025-01-05, 2025-01-05T10:00:00, 10:00:00 and 25%;
  spans of time (`[h]:mm`) become 37:30:00. Dates have no zone. A cell that says it holds ISO text stays as it is.
- Formulas count by their stored value. Where none is stored, or the program that wrote the workbook asks Excel to work
  all of them out on opening it (its own values are then placeholders), the row is broken.

openpyxl reads neither: it drops the difference between an empty cell and a formula without a value, gives 60 and 61 of
the 1900 calendar near the same day, and builds an object for every cell. So only the parts that matter are read, by
defusedxml, with every document type declaration refused.
"""

import datetime as dt
import posixpath
import re
import zipfile
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from groundswell.connectors.files import zipped
from groundswell.connectors.files.fill import Filling
from groundswell.connectors.files.read import Batch, Broken, Record, Refused, Tail, plainly

_OLE = b"\xd0\xcf\x11\xe0"
_MAIN = ("http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main")
_WIDEST = 16_384
_LOWEST = 1_048_576
"""Columns and rows of a sheet, by the format."""
_LONGEST_TOKEN = 1 << 20
_DEEPEST = 64
"""Bytes of one tag or comment, and elements within each other: expat keeps both in memory."""
_RESAVE = "open the workbook in Excel and save it"


@dataclass(frozen=True)
class Sheet:
    """A sheet that holds something. `hidden` ones are not seen in Excel."""

    name: str
    hidden: bool


def is_workbook(path: Path) -> bool:
    """Whether the file is a workbook of any kind, by its bytes; `check` refuses the kinds that are not read."""
    with path.open("rb") as file:
        head = file.read(4)
    if head == _OLE:
        return True
    if head not in zipped.MAGIC:
        return False
    try:
        with zipped.opened(path) as archive:
            return _main_part(archive) is not None
    except Refused:
        return False


def check(path: Path, limits: dict[str, int]) -> None:
    """Raises Refused for a workbook that is not read: old, binary or encrypted ones, and those beyond the limits.

    To be called before anything below; nothing is unpacked yet.
    """
    with path.open("rb") as file:
        if file.read(4) == _OLE:
            raise Refused(_ole(path))
    zipped.check(path, limits)
    with zipped.opened(path) as archive:
        if (_main_part(archive) or "").endswith(".bin"):
            raise Refused("the file is a binary workbook (.xlsb); save it in Excel as .xlsx")
        texts = _Book(archive).texts
        if texts is not None and texts.file_size > limits["shared_bytes"]:
            raise Refused(
                f"the texts of the workbook are {texts.file_size:,} bytes, more than {limits['shared_bytes']:,}; "
                "export it as CSV (UTF-8)"
            )


def sheets(path: Path) -> list[Sheet]:
    """The sheets of a workbook that hold a cell with something in it, in their order. Charts are no sheets."""
    with zipped.opened(path) as archive:
        book = _Book(archive)
        return [
            Sheet(name, hidden)
            for name, (part, hidden) in book.sheets.items()
            if any(tag in ("v", "is", "f") for tag, _ in _starts(archive, part))
        ]


def sample(path: Path, sheet: str, lines: int, limits: dict[str, int]) -> list[Record]:
    """The rows of a sheet down to a line that hold something, for finding its header.

    A row with a cell that cannot be read has a fault, as it cannot be one.
    """
    found = []
    with _rows(path, sheet, limits) as rows:
        for row in rows:
            if row.line > lines:
                break
            found.append(Record(row.line, row.cells, next((f.reason for f in row.faults.values()), "")))
    return found


def batches(
    path: Path, sheet: str, header_line: int, headers: tuple[str, ...], limits: dict[str, int], tail: Tail
) -> Iterator[Batch]:
    """All rows below the header; the line is the row's number in the sheet.

    Rows that say nothing are counted in `tail` as far as rows follow them. Missing cells are empty, since a sheet has
    no others; a row is Broken when a cell cannot be read or stands beyond the header. Raises Refused for a sheet that
    is damaged, which may show only after some batches.
    """
    filling = Filling(list(headers))
    before = header_line
    with _rows(path, sheet, limits) as rows:
        for row in rows:
            if row.line <= header_line:
                continue
            tail.blank += row.line - before - 1
            before = row.line
            if fault := _fault(row, headers):
                filling.add_broken(fault)
            else:
                filling.add(row.line, row.cells + [""] * (len(headers) - len(row.cells)))
            if filling.full:
                yield filling.taken()
    if not filling.empty:
        yield filling.taken()


def rows_of(path: Path, sheet: str, wanted: set[int], limits: dict[str, int]) -> dict[int, str]:
    """The text of rows by their number in the sheet: what `explain` shows as evidence. Read once, to the last one."""
    found: dict[int, str] = {}
    with _rows(path, sheet, limits) as rows:
        for row in rows:
            if row.line in wanted:
                found[row.line] = " | ".join(row.cells)
                if len(found) == len(wanted):
                    break
    return found


# ---------------------------------------------------------------------------------------------------- kinds of file


def _ole(path: Path) -> str:
    """Old workbooks and encrypted ones are files of the same kind, told apart by the names of what is in them."""
    kinds = {
        "EncryptedPackage": "the workbook is encrypted; save it in Excel without a password",
        "Workbook": "the file is an old Excel workbook (.xls); save it in Excel as .xlsx",
        "Book": "the file is a workbook of Excel 95 or older; save it in Excel as .xlsx",
    }
    found: set[str] = set()
    kept = b""
    with path.open("rb") as file:
        while piece := file.read(zipped.PIECE):
            found |= {name for name in kinds if name.encode("utf-16-le") in kept + piece}
            kept = piece[-64:]
    return next((kinds[name] for name in kinds if name in found), "the file is no workbook; save it in Excel as .xlsx")


def _main_part(archive: zipfile.ZipFile) -> str | None:
    """Name of the part that describes the workbook, as the package's relations state it."""
    for attrs in _relations(archive, ""):
        if attrs.get("Type", "").endswith("/officeDocument") and "Target" in attrs:
            part = attrs["Target"].lstrip("/")
            if re.match(r"xl/workbook\w*\.(xml|bin)$", part, re.IGNORECASE):
                return part
    names = set(archive.namelist())
    return next((name for name in ("xl/workbook.xml", "xl/workbook.bin") if name in names), None)


class _Book:
    """What the parts of a workbook say about its sheets: where they are, and how their cells are to be read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        main = _main_part(archive)
        if main is None:
            raise Refused(f"the file is no workbook, or damaged; {_RESAVE}")
        related = list(_relations(archive, main))
        by_id = {attrs.get("Id", ""): attrs for attrs in related}
        self._folder = posixpath.dirname(main)
        self.sheets: dict[str, tuple[zipfile.ZipInfo, bool]] = {}
        self.epoch_1904 = self.unworked = False
        for tag, attrs in _starts(archive, _part(archive, main)):
            if tag == "workbookPr":
                self.epoch_1904 = attrs.get("date1904") in ("1", "true")
            elif tag == "calcPr":
                self.unworked = attrs.get("fullCalcOnLoad") in ("1", "true")
            elif tag == "sheet":
                target = by_id.get(next((text for name, text in attrs.items() if name.endswith("}id")), ""), {})
                if target.get("Type", "").endswith("/worksheet"):
                    part, name = _part(archive, self._path(target)), attrs.get("name", "")
                    if name in self.sheets or any(part is other for other, _ in self.sheets.values()):
                        raise Refused(f"the workbook names its sheet '{name}' twice; {_RESAVE}")
                    self.sheets[name] = part, attrs.get("state", "visible") != "visible"
        self.texts = self._named(archive, related, "/sharedStrings")
        self._styles = self._named(archive, related, "/styles")

    def _path(self, relation: Mapping[str, str]) -> str:
        return posixpath.normpath(posixpath.join("/", self._folder, relation.get("Target", ""))).lstrip("/")

    def _named(self, archive: zipfile.ZipFile, related: list[dict[str, str]], ending: str) -> zipfile.ZipInfo | None:
        """The part of a kind that there is at most one of."""
        paths = [self._path(attrs) for attrs in related if attrs.get("Type", "").endswith(ending)]
        return _part(archive, paths[0]) if paths else None

    def styles(self, archive: zipfile.ZipFile) -> list[str]:
        """How the numbers of each style are shown: one of the keys of `_SHOWN`, or "" for plain numbers."""
        if self._styles is None:
            return []
        shown = dict(_BUILT_IN)
        found: list[str] = []
        of_cells = False
        for tag, attrs in _starts(archive, self._styles):
            if tag.startswith("cell"):  # cellStyleXfs, cellXfs, cellStyles
                of_cells = tag == "cellXfs"
            elif tag == "numFmt":
                shown[attrs.get("numFmtId", "")] = _shown_as(attrs.get("formatCode", ""))
            elif tag == "xf" and of_cells:
                found.append(shown.get(attrs.get("numFmtId", ""), ""))
        return found


def _relations(archive: zipfile.ZipFile, part: str) -> Iterator[dict[str, str]]:
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path in archive.namelist():
        for tag, attrs in _starts(archive, _part(archive, path)):
            if tag == "Relationship" and attrs.get("TargetMode") != "External":
                yield attrs


def _part(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """A part by its name; the format does not tell cases apart, and some programs write two."""
    for member in archive.infolist():
        if member.filename.casefold() == name.casefold():
            return member
    raise Refused(f"the workbook lacks its part {name}; {_RESAVE}")


# ------------------------------------------------------------------------------------------------------------- XML


class _Target:
    """What expat tells of a part: `open` is the number of elements that are not closed yet."""

    def __init__(self) -> None:
        self.open = 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        """An element begins."""
        self.open += 1

    def end(self, tag: str) -> None:
        """An element ends."""
        self.open -= 1

    def data(self, text: str) -> None:
        """A piece of text."""

    def close(self) -> None:
        """The part has ended."""


def _parsed(archive: zipfile.ZipFile, part: zipfile.ZipInfo, target: _Target) -> Iterator[None]:
    """Feeds a part to a target, piece by piece. Raises Refused for XML that is damaged or made to do harm."""
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    expat: Any = vars(parser)["parser"]  # kept by the standard library's parser without being declared
    expat.StartElementHandler, expat.EndElementHandler = target.start, target.end  # a quarter faster than through it
    expat.ordered_attributes = False
    fed = 0
    try:
        for piece in zipped.pieces(archive, part):
            parser.feed(piece)
            fed += len(piece)
            if target.open > _DEEPEST or fed - expat.CurrentByteIndex > _LONGEST_TOKEN:
                raise Refused(f"{part.filename} of the workbook is not laid out as Excel does; {_RESAVE}")
            yield
        parser.close()
    except DefusedXmlException as error:
        raise Refused(f"{part.filename} of the workbook declares a document type, as no export does") from error
    except ParseError as error:
        raise Refused(f"{part.filename} of the workbook is damaged ({error}); {_RESAVE}") from error
    yield


class _Starts(_Target):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, dict[str, str]]] = []

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        self.open += 1
        self.told.append((tag.rpartition("}")[2], attrs))


def _starts(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[tuple[str, dict[str, str]]]:
    """The elements of a part as they begin, by their names without the namespace."""
    target = _Starts()
    for _ in _parsed(archive, part, target):
        yield from target.told
        target.told.clear()


_TAGS = {f"{space}}}{tag}": tag for space in _MAIN for tag in ("row", "c", "v", "f", "is", "t", "si", "rPh")}


# ----------------------------------------------------------------------------------------------------------- texts

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _unescaped(text: str) -> str:
    """Text as typed: characters that XML cannot hold stand as `_x000D_`. Halves of a pair alone stay as they are."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    try:
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return text


class _Shared(_Target):
    """The texts that cells share, by number; read no further than the last one asked for, and kept as bytes."""

    def __init__(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo | None, longest: int) -> None:
        super().__init__()
        self._more = _parsed(archive, part, self) if part else iter(())
        self._longest = longest
        self._kept, self._ends = bytearray(), array("Q", [0])
        self._parts: list[str] = []
        self._length = 0
        self._taking = self._aside = False

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        self.open += 1
        kind = _TAGS.get(tag)
        if kind == "si":
            self._parts, self._length = [], 0
        elif kind == "t":
            self._taking = not self._aside
        elif kind == "rPh":  # how the text is pronounced
            self._aside = True

    def end(self, tag: str) -> None:
        self.open -= 1
        kind = _TAGS.get(tag)
        if kind == "t":
            self._taking = False
        elif kind == "rPh":
            self._aside = False
        elif kind == "si":
            self._kept += _unescaped("".join(self._parts)).encode()
            self._ends.append(len(self._kept))

    def data(self, text: str) -> None:
        if self._taking and self._length <= self._longest:
            self._parts.append(text)
            self._length += len(text)

    def at(self, number: int) -> str | None:
        """The text of a number; None when the workbook lacks it."""
        while number + 1 >= len(self._ends):
            if next(self._more, self) is self:
                return None
        return self._kept[self._ends[number] : self._ends[number + 1]].decode()


# --------------------------------------------------------------------------------------------------------- numbers


class _Unreadable(Exception):  # noqa: N818 - becomes a Broken row
    """Why a cell says nothing, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_LONGEST_NUMBER = 400
_MS_OF_DAY = 86_400_000
_DATE, _MOMENT, _TIME, _SPAN, _PERCENT = "date", "moment", "time", "span", "percent"
_BUILT_IN = {
    **dict.fromkeys(map(str, (*range(14, 18), *range(27, 32), *range(34, 37), *range(50, 59))), _DATE),
    **dict.fromkeys(("18", "19", "20", "21", "32", "33", "45", "47"), _TIME),
    "22": _MOMENT,
    "46": _SPAN,
    "9": _PERCENT,
    "10": _PERCENT,
}
"""Formats that have a number and no code; 27 to 36 and 50 to 58 are those of East Asian languages."""
_LITERAL = re.compile(r'"[^"]*"|[\\_*].|general|standard', re.IGNORECASE)


def _shown_as(code: str) -> str:
    """What a number format shows, by its first section: positive numbers."""
    code = _LITERAL.sub("", code).split(";")[0].lower()
    if re.search(r"\[(h+|m+|s+)\]", code):
        return _SPAN
    code = re.sub(r"\[[^\]]*\]", "", code).replace("am/pm", "h").replace("a/p", "h")
    time = "h" in code or "s" in code
    if "y" in code or "d" in code or ("m" in code and not time):
        return _MOMENT if time else _DATE
    if time:
        return _TIME
    return _PERCENT if "%" in code else ""


@lru_cache(maxsize=1 << 14)
def _number(raw: str, shown: str, epoch_1904: bool) -> str:
    """The text of a stored number. Raises _Unreadable."""
    if len(raw) > _LONGEST_NUMBER or not _NUMBER.fullmatch(raw):
        raise _Unreadable(f"'{raw[:40]}' is stored as a number and is none", _RESAVE)
    exact = Decimal(f"{float(raw):.15g}")
    if abs(exact) >= 10**15:
        raise _Unreadable(
            f"{raw[:40]} has more than 15 digits, and Excel keeps no more of a number; the rest is lost",
            "format the column as text before export",
        )
    if shown in (_DATE, _MOMENT, _TIME):
        return _day(float(raw), raw, shown, epoch_1904)
    if shown == _SPAN:
        sign, ms = ("-" if exact < 0 else ""), round(abs(exact) * _MS_OF_DAY)
        return f"{sign}{ms // 3_600_000}:{_clock(ms % 3_600_000)[3:]}"
    return f"{_plain(exact * 100)}%" if shown == _PERCENT else plainly(_plain(exact))


def _plain(number: Decimal) -> str:
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _day(serial: float, raw: str, shown: str, epoch_1904: bool) -> str:
    """A day, moment or time of day. The 1900 calendar has a day 60, 29 February, that never was."""
    days, ms = divmod(round(serial * _MS_OF_DAY), _MS_OF_DAY)
    if shown == _TIME and days == 0:
        return _clock(ms)
    first = dt.date(1904, 1, 1) if epoch_1904 else dt.date(1899, 12, 31 if days < 60 else 30)
    try:
        if days < (0 if epoch_1904 else 1) or (days == 60 and not epoch_1904):
            raise OverflowError
        day = (first + dt.timedelta(days)).isoformat()
    except OverflowError:
        reason = f"{raw[:40]} is shown as a date and is no day of Excel's calendar"
        raise _Unreadable(reason, "correct or clear the cell") from None
    return f"{day}T{_clock(ms)}" if ms or shown != _DATE else day


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{ms:03}".rstrip("0") if ms else text


# ------------------------------------------------------------------------------------------------------------ rows


@dataclass
class _Row:
    """A row that holds something, up to its last cell that does; what cannot be read is kept as it stands."""

    line: int
    cells: list[str] = field(default_factory=list)
    faults: dict[int, _Unreadable] = field(default_factory=dict)


class _Rows(_Target):
    """The rows of a sheet, as expat tells of them. `done` holds those that have ended."""

    def __init__(self, book: _Book, styles: list[str], shared: _Shared, longest: int) -> None:
        super().__init__()
        self.done: list[_Row] = []
        self._book, self._styles, self._shared, self._longest = book, styles, shared, longest
        self._row = _Row(0)
        self._columns: dict[str, int] = {}
        self._within = self._kind = self._style = ""
        self._parts: list[str] = []
        self._length = self._at = 0
        self._taking = self._aside = self._formula = self._said = False

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        self.open += 1
        kind = _TAGS.get(tag)
        if kind == "c":
            self._enter("row", "c")
            self._kind, self._style = attrs.get("t", "n"), attrs.get("s", "")
            self._at = self._column(attrs.get("r"))
            self._parts, self._length, self._formula, self._said = [], 0, False, False
        elif kind in ("v", "t"):
            self._taking = not self._aside
            self._said = True
        elif kind == "f":
            self._formula = True
        elif kind == "rPh":
            self._aside = True
        elif kind == "row":
            self._enter("", "row")
            self._row = _Row(self._line(attrs.get("r")))

    def end(self, tag: str) -> None:
        self.open -= 1
        kind = _TAGS.get(tag)
        if kind in ("v", "t"):
            self._taking = False
        elif kind == "c":
            self._end_cell()
            self._within = "row"
        elif kind == "rPh":
            self._aside = False
        elif kind == "row":
            self._within = ""
            cells, faults = self._row.cells, self._row.faults
            while cells and not cells[-1].strip() and len(cells) - 1 not in faults:
                cells.pop()
            if cells:
                self.done.append(self._row)

    def data(self, text: str) -> None:
        if self._taking and self._length <= self._longest:
            self._parts.append(text)
            self._length += len(text)

    def _enter(self, outer: str, inner: str) -> None:
        if self._within != outer:
            raise Refused(f"the sheet is damaged at row {self._row.line:,}; {_RESAVE}")
        self._within = inner

    def _line(self, raw: str | None) -> int:
        """Number of a row, which may be left out."""
        line = self._row.line + 1 if raw is None else int(raw) if raw.isdecimal() and len(raw) < 9 else 0
        if not self._row.line < line <= _LOWEST:
            raise Refused(f"row {raw} of the sheet stands after row {self._row.line:,}; {_RESAVE}")
        return line

    def _column(self, place: str | None) -> int:
        """Place of a cell in its row, from 0; without a name it is the one after the last."""
        cells = self._row.cells
        if place is None:
            at = len(cells)
        else:
            letters = place.rstrip("0123456789")
            if letters not in self._columns:
                self._columns[letters] = _column_of(letters)
            at = self._columns[letters]
            if place[len(letters) :] != str(self._row.line):
                at = -1
        if not len(cells) <= at < _WIDEST:
            raise Refused(
                f"cell {place} in row {self._row.line:,} of the sheet is out of its order, or beyond the {_WIDEST:,} "
                f"columns that a sheet has; {_RESAVE}"
            )
        return at

    def _end_cell(self) -> None:
        raw = "".join(self._parts)
        cells = self._row.cells
        cells += [""] * (self._at - len(cells))
        try:
            text = self._text(raw)
        except _Unreadable as unreadable:
            self._row.faults[self._at] = unreadable
            text = raw[: self._longest]
        cells.append(text)

    def _text(self, raw: str) -> str:
        """What the cell says. Raises _Unreadable."""
        kind = self._kind
        if self._formula and (self._book.unworked or not (raw or (self._said and kind == "str"))):
            raise _Unreadable("the value of the formula is not stored", _RESAVE)
        if kind == "n":
            raw = raw.strip()
            if not raw:
                return ""
            shown = self._shown()
            if not shown and raw.isdecimal() and raw.isascii() and len(raw) <= 15 and raw[0] != "0":
                return raw
            return _number(raw, shown, self._book.epoch_1904)
        if kind == "s":
            text = self._shared.at(int(raw)) if raw.isdecimal() and len(raw) < 12 else None
            if raw and text is None:
                raise _Unreadable(f"the workbook lacks text {raw[:40]}, which the cell refers to", _RESAVE)
            raw = text or ""
        elif kind == "b":
            return {"1": "true", "0": "false"}.get(raw, raw)
        elif kind in ("str", "inlineStr"):
            raw = _unescaped(raw)
        if len(raw) > self._longest:
            raise _Unreadable(f"the cell is longer than {self._longest:,} characters", "shorten it")
        return raw

    def _shown(self) -> str:
        if not self._style.isdecimal() or len(self._style) > 6:
            return ""
        number = int(self._style)
        return self._styles[number] if number < len(self._styles) else ""


def _column_of(letters: str) -> int:
    if not re.fullmatch(r"[A-Z]{1,3}", letters):
        return _WIDEST
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - ord("A") + 1
    return at - 1


def _letters(at: int) -> str:
    letters, at = "", at + 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@contextmanager
def _rows(path: Path, sheet: str, limits: dict[str, int]) -> Iterator[Iterator[_Row]]:
    with zipped.opened(path) as archive:
        book = _Book(archive)
        if sheet not in book.sheets:
            raise Refused(f"the workbook has no sheet '{sheet}'; it has {', '.join(map(repr, book.sheets))}")
        longest = limits["cell_characters"]
        shared = _Shared(archive, book.texts, longest)
        target = _Rows(book, book.styles(archive), shared, longest)
        yield _counted(_parsed(archive, book.sheets[sheet][0], target), target, limits["unpacked_bytes"])


def _counted(parsed: Iterator[None], target: _Rows, most: int) -> Iterator[_Row]:
    """The rows; a text that many cells share counts each time, or a small file could lay out without end."""
    whole = 0
    for _ in parsed:
        for row in target.done:
            whole += sum(map(len, row.cells))
            if whole > most:
                raise Refused(f"the rows of the sheet hold more than {most:,} characters; export fewer rows")
            yield row
        target.done.clear()


def _fault(row: _Row, headers: tuple[str, ...]) -> Broken | None:
    text = " | ".join(row.cells)
    if row.faults:
        at, unreadable = min(row.faults.items())
        column = headers[at] if at < len(headers) else _letters(at)
        return Broken(row.line, column, f"cell {_letters(at)}{row.line}: {unreadable.reason}", unreadable.remedy, text)
    if len(row.cells) > len(headers):
        beyond = f"the row reaches to column {_letters(len(row.cells) - 1)}, the header to {_letters(len(headers) - 1)}"
        return Broken(row.line, "", beyond, "give the columns a header, or clear the cells beyond it", text)
    return None
