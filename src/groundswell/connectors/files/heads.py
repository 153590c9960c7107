"""The row of a file that looks most like its header, where no format says which one it is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from groundswell.connectors.files import read
from groundswell.connectors.files.read import Layout
from groundswell.core.tables.guard import unguarded


def text_layouts(path: Path, encoding: str, limits: dict[str, int]) -> Iterator[Layout]:
    """Every line at the start of a text which could be its header, over every delimiter."""
    for delimiter in read.DELIMITERS:
        for record in read.sample(path, encoding, delimiter, limits["header_lines"], limits["cell_characters"]):
            if not record.fault:
                cells = tuple(unguarded(cell.strip()) for cell in record.cells)
                yield Layout(encoding, delimiter, record.line, cells)


def head(layouts: Sequence[Layout]) -> Layout | None:
    """Of the rows at the start, the first that is nearly as wide as the table: titles above it are narrower."""
    widths = [sum(map(bool, one.headers)) for one in layouts]
    widest = max(widths, default=0)
    wide = (one for one, width in zip(layouts, widths, strict=True) if width * 5 >= widest * 4)
    return next(wide, None) if widest > 1 else None


def text_head(layouts: Sequence[Layout]) -> Layout | None:
    """The delimiter by which most lines at the start are of one width, and the first line of that width."""
    best: tuple[int, int, list[Layout]] = (0, 0, [])
    for delimiter in read.DELIMITERS:
        split = [one for one in layouts if one.delimiter == delimiter and len(one.headers) > 1]
        for width, times in Counter(len(one.headers) for one in split).items():
            best = max(best, (times, width, [one for one in split if len(one.headers) == width]), key=lambda b: b[:2])
    return head(best[2])
