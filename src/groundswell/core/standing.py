"""Where every partner stands on a day, with the memory of its month-ends: segment, attention, silence, what to look at.

The month-ends are scored and judged as arrays; whoever lies so close to a bound that floats do not decide is worked out
exactly. The day itself is exact throughout.
"""

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from groundswell.core.assess import Assessment, fiscal_of
from groundswell.core.attention import Attended, attention
from groundswell.core.conditions import Lookup, every, parsed
from groundswell.core.conditions_columns import holds
from groundswell.core.coverage import Ask
from groundswell.core.declare import Dormancy, Gaming, Policy, Review, Segments, Value
from groundswell.core.dormancy import Quiet, dormancy
from groundswell.core.gaming import Reason, gaming
from groundswell.core.history import Measured
from groundswell.core.points.columns import score_columns
from groundswell.core.readiness import NAME, readiness
from groundswell.core.replay import (
    NOT_PLACED,
    NOT_THERE,
    Replayed,
    Standing,
    every_of,
    in_a_row,
    is_quarter_end,
    replay,
    truths_of_all,
)
from groundswell.core.segments import COVERAGE, TOTAL, Placement, Reviewed, looking_up, place, reviewed, truths
from groundswell.core.segments import asked as asked_of_one
from groundswell.core.signals import shapes
from groundswell.core.signals.columns import Columns, Floats

Codes = np.ndarray
_FINEST = 10_000_000
"""Denominators up to here are told apart in a float: cents, and shares of counts."""


@dataclass(frozen=True)
class MonthEnd:
    """The readiness of every partner at one month-end, and what the rules of segments say of it, in one order."""

    day: dt.date
    """The last day of the month."""
    partners: tuple[str, ...]
    read: Callable[[], Measured]
    """The signals, read anew: of all month-ends together they are more than memory should hold."""
    edition: dt.date
    """Since when the edition of readiness held that was in force."""
    total: Floats
    """nan while nothing is known."""
    low: Floats
    high: Floats
    coverage: Floats
    """From 0 to 1."""
    parts: Mapping[str, Floats]
    enter: Codes
    stay: Codes
    """Of each row of the table, whether its conditions hold: 1, 0 and -1 (unknown)."""
    reviews: Mapping[str, tuple[Codes, Codes]]
    """Of each review list, `when` and `counts`."""

    policy: Policy


def month_end(policy: Policy, segments: Segments, read: Callable[[], Measured]) -> MonthEnd:
    """Score a month-end and ask the rules of segments of everybody at once."""
    measured = read()
    count, kinds = len(measured.partners), shapes.signal_kinds(policy.signals)
    edition = policy.edition(NAME, measured.day)
    scored = score_columns(edition, measured.values, kinds, count)
    total, low, high = scored.total.copy(), scored.low.copy(), scored.high.copy()
    coverage = scored.coverage
    unknown = np.isnan(total)
    figures = {
        TOTAL: Columns.of(np.where(unknown, low, total), np.where(unknown, high, total)),
        COVERAGE: Columns.of(coverage * 100, coverage * 100),
    }
    nothing = Columns.open(count, available=False)
    unsure = np.zeros(count, dtype=bool)
    unsure[scored.near()] = True

    def asked(text: str) -> Codes:
        held = holds(
            parsed(text, segments.kinds), lambda name: figures.get(name) or measured.values.get(name, nothing), count
        )
        unsure[held.unsure] = True
        return np.where(held.yes, 1, np.where(held.no, 0, -1)).astype(np.int8)

    enter, stay = truths_of_all(segments, asked, count)
    reviews = {
        one.name: (every_of([*map(asked, one.when)]), every_of([*map(asked, one.counts)])) for one in segments.reviews
    }
    for at in np.flatnonzero(unsure):
        values = {name: exact(columns, int(at)) for name, columns in measured.values.items()}
        one = readiness(policy, values, kinds, measured.day)
        total[at] = np.nan if one.total is None else float(one.total)
        low[at], high[at] = float(one.low), float(one.high)
        lookup = looking_up(values, one)
        comes_in, stays = truths(segments, lookup)
        enter[:, at], stay[:, at] = [_code(said) for said in comes_in], [_code(said) for said in stays]
        for review in segments.reviews:
            when, counts = reviews[review.name]
            when[at], counts[at] = (_said(segments, texts, lookup) for texts in (review.when, review.counts))
    parts = {part.name: part.points for part in scored.parts}
    return MonthEnd(
        measured.day, measured.partners, read, edition.origin.since, total, low, high, coverage, parts, enter, stay,
        reviews, policy,
    )  # fmt: skip


def exact(columns: Columns, at: int) -> Value:
    """One partner's value out of arrays. A rounded end becomes the plainest fraction that it can stand for."""
    if not columns.applies[at]:
        return Value.not_applicable("")
    low, high = (_end(ends[at]) for ends in (columns.low, columns.high))
    return Value(low, high, available=columns.available)


def _end(end: object) -> Fraction | str | dt.date | None:
    if end is None or end != end:
        return None
    return Fraction(float(end)).limit_denominator(_FINEST) if isinstance(end, (float, np.floating)) else end  # type: ignore[return-value]


def _code(said: bool | None) -> int:
    return -1 if said is None else int(said)


def _said(segments: Segments, texts: Sequence[str], lookup: Lookup) -> int:
    return _code(every(asked_of_one(segments, texts, lookup)))


# --------------------------------------------------------------------------------------------------------- over time


@dataclass(frozen=True)
class Past:
    """The month-ends before a day, oldest first, and what everybody held after each of them.

    `partners` are all who were there at any of them, sorted; `place` is (months, partners): the place of a partner in
    the arrays of a month-end, -1 where it was not there.
    """

    months: tuple[MonthEnd, ...]
    partners: tuple[str, ...]
    place: Codes
    replayed: Replayed | None
    segments: tuple[str, ...]
    """Names of the rows of the table, which `replayed` has as numbers."""

    def index(self, partner: str) -> int:
        """The place of a partner in `partners`; -1 where it was never there."""
        at = bisect_left(self.partners, partner)
        return at if at < len(self.partners) and self.partners[at] == partner else -1

    def before(self, partner: str) -> Standing | None:
        """What a partner held after the last month-end; None where it was not there."""
        at = self.index(partner)
        if at < 0 or self.replayed is None:
            return None
        held = self.replayed.held
        code = int(held.placed[at])
        if code == NOT_THERE:
            return None
        name = "" if code == NOT_PLACED else self.segments[code]
        return Standing(name, held.since[at].astype(dt.date), int(held.outside[at]))

    def totals(self, partner: str) -> list[tuple[dt.date, float]]:
        """The totals of a partner at the month-ends that knew one."""
        at = self.index(partner)
        found = [(month, int(self.place[row, at])) for row, month in enumerate(self.months)] if at >= 0 else []
        return [
            (month.day, float(month.total[place]))
            for month, place in found
            if place >= 0 and not np.isnan(month.total[place])
        ]


def past(segments: Segments, months: Sequence[MonthEnd]) -> Past:
    """Put month-ends side by side and replay them."""
    partners = tuple(sorted({one for month in months for one in month.partners}))
    rows = tuple(row.name for row in segments.rows)
    place = np.full((len(months), len(partners)), -1, dtype=np.int64)
    names = {name: at for at, name in enumerate(partners)}
    for row, month in enumerate(months):
        mine = [names[one] for one in month.partners]
        place[row, mine] = np.arange(len(mine))
    if not months or not partners:
        return Past(tuple(months), partners, place, None, rows)
    enter, stay = (
        np.stack([_spread(getattr(month, what), place[row]) for row, month in enumerate(months)], axis=1)
        for what in ("enter", "stay")
    )
    replayed = replay(segments, enter, stay, [month.day for month in months], there=place >= 0)
    return Past(tuple(months), partners, place, replayed, rows)


def _spread(said: Codes, place: Codes) -> Codes:
    """Truths (rows, partners of a month-end) in the order of all partners; 0 for those who were not there."""
    found: Codes = np.where(place >= 0, said[:, place.clip(min=0)] if said.shape[1] else 0, 0).astype(np.int8)
    return found


# ----------------------------------------------------------------------------------------------------------- the day


@dataclass(frozen=True)
class Stands:
    """Where one partner stands on the day, and what a person may want to look at."""

    placement: Placement
    attention: Attended
    quiet: Quiet
    reviews: tuple[Reviewed, ...]
    look_at: tuple[Reason, ...]
    or_before: bool
    """Whether it may have been in its segment before `since`, which is the first day that is looked at."""
    momentum: float | None
    """Points of readiness against the mean of the three month-ends before; None where any of these is not known."""


MOMENTUM_MONTHS = 3


@dataclass(frozen=True)
class Stood:
    """Where everybody stands on the day, and who went from where to where since the last quarter-end that is known."""

    partners: Mapping[str, Stands]
    since: dt.date | None
    flows: Mapping[tuple[str, str], int]
    """{(from, to): partners}; "" is not placed, "not there" outside the programme."""


def stands(policy: Policy, found: Assessment, before: Past, ask: Ask) -> Stood:
    """Where every partner of the day stands. `ask` reads the tables of the day."""
    segments, rhythm, bounds = _declared(policy)
    lookups = {one.partner_id: looking_up(one.values, one.readiness) for one in found.partners}
    attended = attention(segments, lookups)
    silences = dormancy(rhythm, found.as_of, lookups, found.stopped, ask)
    reasons = gaming(bounds, found.as_of, ask)
    calendar = fiscal_of(policy, ask)
    quarter = [row for row, month in enumerate(before.months) if is_quarter_end(month.day, calendar)]
    listed = {one for review in segments.reviews for one in _listed(review, before, quarter)}
    signals = {row: before.months[row].read().values for row in quarter} if listed else {}
    following = found.as_of + dt.timedelta(days=1)
    first = before.months[0].day if before.months else found.as_of
    stood = {}
    for one in found.partners:
        lookup = lookups[one.partner_id]
        history = _lookups(before, one.partner_id, quarter, signals) if one.partner_id in listed else []
        if one.partner_id in listed and following.day == 1:
            history.append((found.as_of, lookup))
        reviews = (reviewed(segments, review, history, calendar) for review in segments.reviews) if history else ()
        held = before.before(one.partner_id)
        placed = place(segments, lookup, held, found.as_of, month_end=following.day == 1)
        stood[one.partner_id] = Stands(
            placement=placed,
            attention=attended[one.partner_id],
            quiet=silences[one.partner_id],
            reviews=tuple(one_ for one_ in reviews if one_ is not None),
            look_at=reasons.get(one.partner_id, ()),
            or_before=placed.standing.since == first,
            momentum=_momentum(one.readiness.total, before.totals(one.partner_id)[-MOMENTUM_MONTHS:]),
        )
    earlier = [row for row in quarter if before.months[row].day < found.as_of]
    moved = _flows(before, earlier[-1], stood) if earlier else {}
    return Stood(stood, before.months[earlier[-1]].day if earlier else None, moved)


def _flows(before: Past, row: int, stood: Mapping[str, Stands]) -> dict[tuple[str, str], int]:
    """Of every segment: those in it then + those who came - those who went = those in it on the day."""
    if before.replayed is None:
        return {}
    names = dict(enumerate(before.segments)) | {NOT_PLACED: "", NOT_THERE: "not there"}
    then = {one: names[int(code)] for one, code in zip(before.partners, before.replayed.placed[row], strict=True)}
    now = {one: stands_.placement.standing.segment for one, stands_ in stood.items()}
    pairs = Counter((then.get(one, "not there"), now.get(one, "not there")) for one in {*then, *now})
    return {pair: pairs[pair] for pair in sorted(pairs) if pair != ("not there", "not there")}


def _declared(policy: Policy) -> tuple[Segments, Dormancy, Gaming]:
    if policy.segments is None or policy.dormancy is None or policy.gaming is None:
        raise ValueError("the policy has no segments, dormancy or gaming")  # a run of an older version is only read
    return policy.segments, policy.dormancy, policy.gaming


def _listed(review: Review, before: Past, quarter: Sequence[int]) -> set[str]:
    """Partners that were on a review list one quarter-end before it can show them, and so may be on it today."""
    if not quarter:
        return set()
    when, counts = (
        np.stack(
            [_spread(before.months[row].reviews[review.name][what][None], before.place[row])[0] for row in quarter]
        )
        for what in (0, 1)
    )
    run = in_a_row(when, counts)
    return {before.partners[at] for at in np.flatnonzero(run >= review.quarter_ends - 1)}


def _lookups(
    before: Past, partner: str, rows: Sequence[int], signals: Mapping[int, Mapping[str, Columns]]
) -> list[tuple[dt.date, Lookup]]:
    """The signals and readiness of a partner at some month-ends, exactly, line by line."""
    at = before.index(partner)
    found: list[tuple[dt.date, Lookup]] = []
    for row in rows if at >= 0 else ():
        month, place_ = before.months[row], int(before.place[row, at])
        if place_ >= 0:
            values = {name: exact(columns, place_) for name, columns in signals[row].items()}
            scored = readiness(month.policy, values, shapes.signal_kinds(month.policy.signals), month.day)
            found.append((month.day, looking_up(values, scored)))
    return found


def _momentum(total: Fraction | None, earlier: Sequence[tuple[dt.date, float]]) -> float | None:
    if total is None or len(earlier) < MOMENTUM_MONTHS:
        return None
    return float(total) - sum(figure for _, figure in earlier) / len(earlier)
