"""From lines to a score: coverage, range, and contributions that add up to the total exactly.

Source: OECD/JRC, Handbook on Constructing Composite Indicators, 2008 (additive aggregation, missing data). With
S = sum W_k D_k over the parts that are known and D_k the mean of the known lines of part k, an unknown line is left
out of S; because that can raise S, the range with every unknown line at its ends stands beside it, and below
`enough_known` the range stands alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from groundswell.core.conditions import Lookup, holds
from groundswell.core.declare import Line, Part, Score, Value
from groundswell.core.points.lines import FULL, ZERO, Earned, banded, condition, earned


@dataclass(frozen=True, slots=True)
class LineResult:
    """One line of a score. `contribution` is in points of the score; contributions add up to the total exactly."""

    part: str
    line: Line
    value: Value
    earned: Earned
    share: Fraction
    """Weight of this line in the whole score when everything is known, from 0 to 1."""
    contribution: Fraction = ZERO


@dataclass(frozen=True, slots=True)
class PartResult:
    """One part: its points out of 100 from the known lines (None: nothing known), and its range."""

    name: str
    share: Fraction
    points: Fraction | None
    low: Fraction
    high: Fraction
    undecided: bool = False
    """True where it is not known whether any line of the part applies."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A score of one partner. `total` is None while nothing is known. All figures are out of `out_of`."""

    edition: Score
    total: Fraction | None
    low: Fraction
    high: Fraction
    coverage: Fraction
    """Known weight over weight, from 0 to 1."""
    state: str
    """scored, provisional, or too little known."""
    band: str
    """Name of the band; "" while the range spans several."""
    lines: tuple[LineResult, ...]
    parts: tuple[PartResult, ...]
    deductions: tuple[tuple[str, Fraction], ...]
    """(what, points) after the parts are combined: penalties, and the floor at 0 where it was reached."""

    @property
    def ranks_by(self) -> Fraction:
        """What orders partners: the total, or the low end while too little is known."""
        return self.low if self.state == "too little known" or self.total is None else self.total


def score(edition: Score, values: Mapping[str, Value], kinds: dict[str, str]) -> Scored:
    """The score of one partner from the values of its signals (a signal that was not measured is unavailable)."""

    def lookup(name: str) -> Value:
        return values.get(name, Value.unavailable("not measured"))

    provisional = bool(edition.provisional_when) and holds(condition(edition.provisional_when, kinds), lookup) is True
    counted = [p for p in edition.parts if not provisional or p.name in edition.provisional_parts]
    results = {part.name: [(line, earned(line, lookup, kinds)) for line in part.lines] for part in counted}
    applying = [part for part in counted if any(given.applies for _, given in results[part.name])]
    scale = edition.out_of / FULL
    whole = sum((part.weight for part in applying), ZERO)
    parts = tuple(_part(part, results[part.name], part.weight / whole) for part in applying)
    known = sum((part.share for part in parts if part.points is not None), ZERO)
    lines = tuple(
        line
        for part, result in zip(applying, parts, strict=True)
        for line in _lines(part, result, results[part.name], known, scale, lookup)
    )
    coverage = sum((line.share for line in lines if line.earned.known), ZERO)
    low = _mean([(part.share, part.low, part.undecided) for part in parts], least=True) * scale
    high = _mean([(part.share, part.high, part.undecided) for part in parts], least=False) * scale
    return _finish(edition, provisional, lines, parts, coverage, (low, high), lookup)


def _part(part: Part, results: list[tuple[Line, Earned]], share: Fraction) -> PartResult:
    rows = [(line.weight, given) for line, given in results if given.applies]
    known = [(w, given) for w, given in rows if given.known]
    known_weight = sum((w for w, _ in known), ZERO)
    points = sum((w * given.low for w, given in known), ZERO) / known_weight if known_weight else None
    if points is not None and len(known) == len(rows):
        low = high = points
    else:
        low = _mean([(w, given.low, given.undecided) for w, given in rows], least=True)
        high = _mean([(w, given.high, given.undecided) for w, given in rows], least=False)
    most = part.most
    known_points = min(points, most) if points is not None else None
    undecided = all(given.undecided for _, given in rows)
    return PartResult(part.name, share, known_points, min(low, most), min(high, most), undecided)


def _mean(rows: list[tuple[Fraction, Fraction, bool]], least: bool) -> Fraction:
    """The least or the most that a weighted mean can be, where rows marked undecided may be left out."""
    sure = [(w, points) for w, points, undecided in rows if not undecided]
    maybe = sorted(((points, w) for w, points, undecided in rows if undecided), reverse=not least)
    weight, total = sum((w for w, _ in sure), ZERO), sum((w * points for w, points in sure if points), ZERO)
    for points, w in maybe:
        mean = total / weight if weight else None
        if mean is None or (points < mean if least else points > mean):
            weight, total = weight + w, total + w * points
    return total / weight if weight else ZERO


def _lines(
    part: Part, result: PartResult, results: list[tuple[Line, Earned]], known: Fraction, scale: Fraction, lookup: Lookup
) -> list[LineResult]:
    weight = sum((line.weight for line, given in results if given.applies), ZERO)
    unit = result.share / weight
    gives = _gives(part, result, results) * scale / known if known else ZERO
    return [
        LineResult(
            part.name,
            line,
            lookup(line.signal),
            given,
            _times(unit, line.weight) if given.applies else ZERO,
            gives * line.weight * given.low if given.low and given.known else ZERO,
        )
        for line, given in results
    ]


@lru_cache(maxsize=4096)
def _times(one: Fraction, other: Fraction) -> Fraction:
    """A product, of equal factors the same one: the shares of lines are few, and every partner holds them."""
    return one * other


def _gives(part: Part, result: PartResult, results: list[tuple[Line, Earned]]) -> Fraction:
    """What a point of a known line of weight 1 adds to the whole, as long as all parts are known; 0 where none is.

    A part at its cap gives less than its lines would: each line gives its proportion of the cap.
    """
    known = [(line.weight, given.low) for line, given in results if given.known]
    if result.points is None:
        return ZERO
    if part.most < FULL and (raw := sum((w * points for w, points in known), ZERO)):
        return result.share * result.points / raw
    return result.share / sum((w for w, _ in known), ZERO)


def _finish(
    edition: Score,
    provisional: bool,
    lines: tuple[LineResult, ...],
    parts: tuple[PartResult, ...],
    coverage: Fraction,
    ends: tuple[Fraction, Fraction],
    lookup: Lookup,
) -> Scored:
    """Penalties, floor, state and band."""
    low, high = ends
    total = sum((line.contribution for line in lines), ZERO) if any(line.earned.known for line in lines) else None
    deductions: list[tuple[str, Fraction]] = []
    for penalty in edition.penalties:
        value = lookup(penalty.signal)
        if not value.applies:
            continue
        ends_ = [end if isinstance(end, Fraction) else None for end in (value.low, value.high)]
        least, most = banded(ends_[0], ends_[1], penalty.bands)
        low, high = low - most, high - least
        if least == most and total is not None:
            total -= most
            deductions.append((penalty.signal, -most))
    if total is not None and total < 0:
        deductions.append(("floor at 0", -total))
        total = ZERO
    low, high = max(low, ZERO), max(high, ZERO)
    if total is not None and not low <= total <= high:  # what is partly known may rule out what the known lines say
        within = min(max(total, low), high)
        deductions.append(("kept within its range", within - total))
        total = within
    enough = coverage * 100 >= edition.enough_known
    state = "too little known" if not enough else "provisional" if provisional else "scored"
    bands = {band(edition.bands, end) for end in ((low, high) if not enough or total is None else (total,))}
    named = bands.pop() if len(bands) == 1 else ""
    return Scored(edition, total, low, high, coverage, state, named, lines, parts, tuple(deductions))


def band(bands: Sequence[tuple[str, Fraction]], figure: Fraction) -> str:
    """Name of the half-open band [from, next from) that holds a figure of 0 or more."""
    return [name for name, start in bands if figure >= start][-1]


def rounded(parts: Mapping[str, Fraction], places: int = 2) -> dict[str, Fraction]:
    """Parts rounded for display so that they still add up to the rounded total, by largest remainder."""
    unit = Fraction(1, 10**places)
    target = round(sum(parts.values(), ZERO) / unit)
    floors = {name: part // unit for name, part in parts.items()}
    short = target - sum(floors.values())
    order = sorted(parts, key=lambda name: (-(parts[name] / unit - floors[name]), name))
    up = set(order[: int(short)])
    return {name: (floors[name] + (name in up)) * unit for name in parts}
