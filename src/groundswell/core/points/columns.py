"""The score of many partners at once, in floats: case by case what `points.score` works out exactly of each.

Coverage is a ratio of weights and is worked out exactly, once for each pattern of what is known. Totals and ranges
differ from the exact ones by rounding; `ScoreColumns.near` names the partners whose decisions floats cannot make.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from groundswell.core.conditions_columns import Held, holds
from groundswell.core.declare import Line, Part, Score
from groundswell.core.points.lines import FULL, ZERO, Bands, condition
from groundswell.core.signals.columns import NEAR, Columns, Flags, Floats, near

Codes = npt.NDArray[np.int64]

STATES = ("scored", "provisional", "too little known")
"""What the codes of `ScoreColumns.state` stand for."""
_SCORED, _PROVISIONAL, _TOO_LITTLE = range(len(STATES))


@dataclass(frozen=True)
class PartColumns:
    """One part: its share (0: it does not count), its points from known lines (nan: nothing known), and its range."""

    name: str
    share: Floats
    points: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class ScoreColumns:
    """A score of many partners; see Scored. All figures are out of `out_of` of the edition."""

    edition: Score
    total: Floats
    """nan while nothing is known."""
    low: Floats
    high: Floats
    coverages: tuple[Fraction, ...]
    """Every coverage that occurs, exact: known weight over weight, from 0 to 1."""
    pattern: Codes
    """Which of `coverages` each partner has."""
    state: Codes
    """Index in STATES."""
    provisional: Flags
    """Of whom only the provisional parts count, however much of them is known."""
    band: Codes
    """Index in the bands of the edition; -1 while the range spans several."""
    parts: tuple[PartColumns, ...]
    unsure: Flags
    """Whose points hang on a rounded value so close to a bound that floats do not decide."""

    @property
    def coverage(self) -> Floats:
        """Known weight over weight, from 0 to 1."""
        return np.array([float(one) for one in self.coverages])[self.pattern]

    @property
    def ranks_by(self) -> Floats:
        """What orders partners: the total, or the low end while too little is known."""
        return np.where((self.state == _TOO_LITTLE) | np.isnan(self.total), self.low, self.total)

    def covers(self, share: Fraction) -> Flags:
        """Whose coverage is at least this share, from 0 to 1: exact, so that none of it needs to be redone."""
        return np.array([one >= share for one in self.coverages], dtype=bool)[self.pattern]

    def near(self, bounds: Iterable[Fraction | float] = ()) -> npt.NDArray[np.intp]:
        """The partners that the exact path must decide, by index.

        They are those whose total, low or high lies within NEAR of one of the bounds or of the start of a band, and
        the `unsure`. Nothing lies below 0, and a 0 is exact. Of coverage see `covers`.
        """
        found = self.unsure.copy()
        for bound in {float(one) for one in (*bounds, *(start for _, start in self.edition.bands))}:
            for figures in (self.total, self.low, self.high):
                found |= (np.abs(figures - bound) <= NEAR) & ~((bound == 0) & (figures == 0))
        return np.flatnonzero(found)


def score_columns(edition: Score, values: Mapping[str, Columns], kinds: Mapping[str, str], count: int) -> ScoreColumns:
    """The scores of `count` partners from the values of their signals (one that was not measured is unavailable).

    Lines and penalties are over numbers and yes/no, as the check of editions has seen to.
    """
    nothing = Columns.open(count, available=False)

    def lookup(name: str) -> Columns:
        return values.get(name, nothing)

    def asked(text: str) -> Held:
        return holds(condition(text, kinds), lookup, count)

    early = asked(edition.provisional_when or "false")
    parts = []
    for part in edition.parts:
        lines = [_earned(line, lookup(line.signal), asked) for line in part.lines]
        counted = ~early.yes | (part.name in edition.provisional_parts)
        parts.append(_part(part, lines, counted))
    taken = [_Taken.of(penalty.bands, lookup(penalty.signal)) for penalty in edition.penalties]
    return _finish(edition, early, parts, taken)


# --------------------------------------------------------------------------------------------------------- a line


@dataclass(frozen=True)
class _Given:
    """What one line gives to many; see Earned."""

    weight: Fraction
    low: Floats
    high: Floats
    applies: Flags
    undecided: Flags
    unsure: Flags

    @property
    def known(self) -> Flags:
        found: Flags = self.applies & ~self.undecided & (self.low == self.high)
        return found


def _earned(line: Line, value: Columns, asked: Callable[[str], Held]) -> _Given:
    """Points of a line, in the order of work of `lines.earned`: applies_if, only_if, value, bounds."""
    applies, gate = asked(line.applies_if or "true"), asked(line.only_if or "true")
    low, high, unsure = _ends(line, value)
    valued = value.applies
    zeroed = valued & ~applies.no & ~gate.no & (low != high) & (line.missing == "zero")
    given = valued & gate.yes & ~applies.no & ~zeroed
    up_to = valued & gate.unknown & ~applies.no & ~zeroed
    return _Given(
        line.weight,
        np.where(given, low, 0.0),
        np.where(given | up_to, high, 0.0),
        ~applies.no & ~(gate.yes & ~valued),
        (applies.unknown & ~zeroed & ~(gate.yes & ~valued)) | (~applies.no & gate.unknown & ~valued),
        unsure | applies.unsure | gate.unsure,
    )


def _ends(line: Line, value: Columns) -> tuple[Floats, Floats, Flags]:
    """Both ends out of 100, and where floats do not decide between one answer and a range, or one band and the next."""
    if line.yes is not None:
        points = float(min(line.yes, FULL))
        low = np.where(value.low > 0, points, 0.0)
        return low, np.where(np.isnan(value.high) | (value.high > 0), points, 0.0), near(value, 0)
    if line.bars:
        nothing, full = (float(bar) for bar in line.bars)
        low, high = ((np.clip((end - nothing) / (full - nothing), 0, 1) * 100) for end in (value.low, value.high))
        low, high = (low, high) if nothing < full else (high, low)
        unsure = near(value, (nothing, full)) & ~value.known
        return np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), 100.0, high), unsure
    return _banded(line.bands, value)


def _banded(bands: Bands, value: Columns) -> tuple[Floats, Floats, Flags]:
    """Lowest and highest points of the half-open bands that each range touches; below the first band: 0."""
    starts = np.array([float(start) for start, _ in bands])
    points = np.array([0.0, *(float(points) for _, points in bands)])
    many = len(points)
    first = np.where(np.isnan(value.low), 0, np.searchsorted(starts, value.low, side="right"))
    last = np.where(np.isnan(value.high), many - 1, np.searchsorted(starts, value.high, side="right"))
    reached = [[points[i : max(i, j) + 1] for j in range(many)] for i in range(many)]
    least = np.array([[found.min() for found in row] for row in reached])
    most = np.array([[found.max() for found in row] for row in reached])
    return least[first, last], most[first, last], near(value, starts)


# --------------------------------------------------------------------------------------------------------- a part


@dataclass(frozen=True)
class _PartGiven:
    """What one part gives to many. `weight` is 0 where the part does not count."""

    part: Part
    weight: Floats
    points: Floats
    low: Floats
    high: Floats
    undecided: Flags
    covers: tuple[Fraction | None, ...]
    """Every share of its weight that is known, as it occurs, exact; None: the part does not count."""
    pattern: Codes
    unsure: Flags


def _part(part: Part, lines: Sequence[_Given], counted: Flags) -> _PartGiven:
    weights = [float(line.weight) for line in lines]
    known = [line.known for line in lines]
    known_weight = _sum(zip(weights, known, strict=True))
    raw = _sum((w, is_known * line.low) for w, is_known, line in zip(weights, known, lines, strict=True))
    points = np.divide(raw, known_weight, out=np.full(len(counted), np.nan), where=known_weight > 0)
    low, high = (
        _mean(
            [
                (np.where(line.applies, w, 0.0), end, line.undecided)
                for w, end, line in zip(weights, ends, lines, strict=True)
            ],
            least,
        )
        for ends, least in (([line.low for line in lines], True), ([line.high for line in lines], False))
    )
    applies = counted & np.any([line.applies for line in lines], axis=0)
    covers, pattern = _shares(lines, known, applies)
    most = float(part.most)
    return _PartGiven(
        part,
        np.where(applies, float(part.weight), 0.0),
        np.where(applies, np.minimum(points, most), np.nan),
        np.minimum(low, most),
        np.minimum(high, most),
        np.all([line.undecided | ~line.applies for line in lines], axis=0),
        covers,
        pattern,
        np.any([line.unsure for line in lines], axis=0),
    )


def _sum(rows: Iterable[tuple[float, npt.NDArray[np.generic]]]) -> Floats:
    """A weighted sum."""
    found: Floats = sum(weight * np.asarray(row, dtype=float) for weight, row in rows)  # type: ignore[assignment]
    return found


def _mean(rows: Sequence[tuple[Floats, Floats, Flags]], least: bool) -> Floats:
    """The least or the most that a weighted mean can be, where rows marked undecided may be left out.

    A row is (weights, points, undecided); 0 where there is no weight. As `score._mean`: what is undecided is taken in
    from the best side for as long as it moves the mean.
    """
    weight, total = (
        _sum((1.0, np.where(undecided, 0.0, amount)) for amount, undecided in amounts)
        for amounts in ([(w, u) for w, _, u in rows], [(w * points, u) for w, points, u in rows])
    )
    maybe = np.flatnonzero(np.any([(w > 0) & undecided for w, _, undecided in rows], axis=0))
    if len(maybe):
        worst = np.inf if least else -np.inf
        open_ = [(w > 0)[maybe] & undecided[maybe] for w, _, undecided in rows]
        points = np.array([np.where(o, p[maybe], worst) for o, (_, p, _) in zip(open_, rows, strict=True)])
        weights = np.array([np.where(o, w[maybe], 0.0) for o, (w, _, _) in zip(open_, rows, strict=True)])
        order = np.argsort(points if least else -points, axis=0)
        points, weights = np.take_along_axis(points, order, 0), np.take_along_axis(weights, order, 0)
        weight[maybe], total[maybe] = _taken_in(weight[maybe], total[maybe], points, weights, least)
    return np.divide(total, weight, out=np.zeros(len(weight)), where=weight > 0)


def _taken_in(weight: Floats, total: Floats, points: Floats, weights: Floats, least: bool) -> tuple[Floats, Floats]:
    """Weight and total with the undecided rows taken in, in their order, that move the mean."""
    for point, more in zip(points, weights, strict=True):
        at = np.divide(total, weight, out=np.full(len(weight), np.inf if least else -np.inf), where=weight > 0)
        moves = (more > 0) & (point < at if least else point > at)
        weight = weight + np.where(moves, more, 0.0)
        total = total + np.where(moves, more * np.where(moves, point, 0.0), 0.0)
    return weight, total


# ------------------------------------------------------------------------------------------------------- coverage


def _shares(
    lines: Sequence[_Given], known: Sequence[Flags], applies: Flags
) -> tuple[tuple[Fraction | None, ...], Codes]:
    """Every share of a part's weight that is known, exact, and which of them each partner has."""
    codes, size = (~applies).astype(np.int64), 2
    for line, is_known in zip(lines, known, strict=True):
        codes, size = _squeezed(codes * 4 + np.where(line.applies & applies, 1 + is_known, 0), size * 4)
    firsts, pattern = _patterns(codes)
    shares: list[Fraction | None] = []
    for first in firsts.tolist():
        weight = sum((line.weight for line in lines if line.applies[first]), ZERO)
        told = sum((line.weight for line, is_known in zip(lines, known, strict=True) if is_known[first]), ZERO)
        shares.append(told / weight if applies[first] else None)
    return tuple(shares), pattern


def _coverage(parts: Sequence[_PartGiven]) -> tuple[tuple[Fraction, ...], Codes]:
    """Every coverage that occurs, exact, and which of them each partner has."""
    codes, size = np.zeros(len(parts[0].pattern), dtype=np.int64), 1
    for part in parts:
        codes, size = _squeezed(codes * len(part.covers) + part.pattern, size * len(part.covers))
    firsts, pattern = _patterns(codes)
    found = []
    for first in firsts.tolist():
        shares = [(part.part.weight, part.covers[part.pattern[first]]) for part in parts]
        whole = sum((weight for weight, share in shares if share is not None), ZERO)
        known = sum((weight * share for weight, share in shares if share is not None), ZERO)
        found.append(known / whole if whole else ZERO)
    return tuple(found), pattern


def _squeezed(codes: Codes, size: int) -> tuple[Codes, int]:
    """Codes below `size`, numbered anew before they outgrow their integers."""
    if size < 2**48:
        return codes, size
    firsts, pattern = _patterns(codes)
    return pattern, len(firsts)


def _patterns(codes: Codes) -> tuple[npt.NDArray[np.intp], Codes]:
    """The first place of every code that occurs, and which of them stands at each place."""
    _, firsts, pattern = np.unique(codes, return_index=True, return_inverse=True)
    return firsts, pattern


# ---------------------------------------------------------------------------------------------------------- total


@dataclass(frozen=True)
class _Taken:
    """What one penalty takes off, at least and at most; nothing where it does not apply."""

    least: Floats
    most: Floats
    unsure: Flags

    @classmethod
    def of(cls, bands: Bands, value: Columns) -> "_Taken":
        least, most, unsure = _banded(bands, value)
        return cls(np.where(value.applies, least, 0.0), np.where(value.applies, most, 0.0), unsure)


def _finish(edition: Score, early: Held, parts: Sequence[_PartGiven], taken: Sequence[_Taken]) -> ScoreColumns:
    """Parts combined, then penalties, floor, state and band."""
    scale = float(edition.out_of / FULL)
    known = [(~np.isnan(part.points)) * part.weight for part in parts]
    known_weight = _sum((1.0, weight) for weight in known)
    points = _sum((1.0, w * np.where(w > 0, part.points, 0.0)) for w, part in zip(known, parts, strict=True))
    total = np.divide(points, known_weight, out=np.full(len(points), np.nan), where=known_weight > 0) * scale
    low = _mean([(part.weight, part.low, part.undecided) for part in parts], least=True) * scale
    high = _mean([(part.weight, part.high, part.undecided) for part in parts], least=False) * scale
    unsure = np.any([early.unsure, *(part.unsure for part in parts), *(one.unsure for one in taken)], axis=0)
    if taken:
        least, most = _sum((1.0, one.least) for one in taken), _sum((1.0, one.most) for one in taken)
        sure = _sum((1.0, np.where(one.least == one.most, one.most, 0.0)) for one in taken)
        for figures, off in ((total, sure), (low, most), (high, least)):  # a 0 that is none within rounding
            unsure |= (np.abs(figures - off) <= NEAR) & (figures != 0)
        total, low, high = total - sure, low - most, high - least
    low, high = np.maximum(low, 0.0), np.maximum(high, 0.0)
    total = np.clip(total, low, high)
    coverages, pattern = _coverage(parts)
    enough = np.array([one * 100 >= edition.enough_known for one in coverages], dtype=bool)[pattern]
    band = np.where(enough & ~np.isnan(total), _bands(edition, total), _band_of_range(edition, low, high))
    return ScoreColumns(
        edition, total, low, high, coverages, pattern,
        np.where(enough, np.where(early.yes, _PROVISIONAL, _SCORED), _TOO_LITTLE),
        early.yes, band, _shown(parts), unsure,
    )  # fmt: skip


def _shown(parts: Sequence[_PartGiven]) -> tuple[PartColumns, ...]:
    whole = _sum((1.0, part.weight) for part in parts)
    found = []
    for part in parts:
        counts = part.weight > 0
        share = np.divide(part.weight, whole, out=np.zeros(len(whole)), where=whole > 0)
        low, high = np.where(counts, part.low, np.nan), np.where(counts, part.high, np.nan)
        found.append(PartColumns(part.part.name, share, part.points, low, high))
    return tuple(found)


def _bands(edition: Score, points: Floats) -> Codes:
    """Index of the half-open band [from, next from) that holds the points."""
    return np.searchsorted([float(start) for _, start in edition.bands], points, side="right") - 1


def _band_of_range(edition: Score, low: Floats, high: Floats) -> Codes:
    """The band of both ends; -1 where they lie in several."""
    first, last = _bands(edition, low), _bands(edition, high)
    return np.where(first == last, first, -1)
