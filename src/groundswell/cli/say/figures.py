"""How the command line writes figures, texts and tables."""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from textwrap import wrap

from groundswell.reads.partners import Standing

NOT_PLACED = "not placed"


def number(value: Fraction | str | None, places: int = 2) -> str:
    """A figure for reading: half-even, no trailing zeros; "?" where it is open."""
    if value is None:
        return "?"
    exact = round(Fraction(value), places)
    said = f"{Decimal(exact.numerator) / Decimal(exact.denominator):.{places}f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], widest: int = 44) -> str:
    """Rows in columns; numbers to the right, texts cut at `widest`."""
    shown = [[cut_to(cell, widest) for cell in row] for row in rows]
    widths = [max([len(h), *(len(row[i]) for row in shown)]) for i, h in enumerate(headers)]
    right = [bool(shown) and all(_is_figure(row[i]) for row in shown) for i in range(len(headers))]

    def line(cells: Sequence[str]) -> str:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(headers), line(["-" * width for width in widths]), *map(line, shown)])


def _is_figure(cell: str) -> bool:
    return cell.replace(".", "").replace("-", "").replace("%", "").replace("–", "").replace(
        ",", ""
    ).isdigit() or cell in ("", "?")


def plain(text: str) -> str:
    """A text without what would move the cursor or colour the screen."""
    return "".join(c if c.isprintable() else "·" for c in text)


def capital(text: str) -> str:
    """A text that begins with a capital; the rest as it is."""
    return text[:1].upper() + text[1:]


def rows_are(count: int) -> str:
    """So many rows, and the verb."""
    return "1 row is" if count == 1 else f"{count} rows are"


def score(one: Standing) -> str:
    """Readiness for reading; "?" while too little is known to say it."""
    return number(one.total) if one.state != "too little known" and one.total is not None else "?"


def span(one: Standing) -> str:
    """The range in whole points, rounded outwards so that the figure beside it lies in it."""
    return f"{math.floor(one.low)}–{math.ceil(one.high)}"


def whole(said: str, lead: str, width: int) -> list[str]:
    """A sentence that is never cut: on as many lines as the terminal's columns ask for."""
    return wrap(plain(said), width, initial_indent=lead, subsequent_indent=" " * len(lead)) if said else []


def cut_to(text: str, width: int) -> str:
    """A text of at most so many signs, the last a mark where something is left out."""
    said = plain(text)
    return said if len(said) <= width else said[: width - 1] + "…"
