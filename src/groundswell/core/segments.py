"""Segments: where a partner stands, which rule says so, and what would move it.

Source of the rules: docs/explain/segments.md. A table of rows; the first that holds places the partner.
Where none holds too little is known, and the partner is not placed: unknown is not a verdict.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from sqlglot import exp

from groundswell.core.conditions import Lookup, every, holds, parsed, some
from groundswell.core.declare import Review, Segment, Segments, Value
from groundswell.core.points.score import Scored
from groundswell.core.readiness import NAME
from groundswell.core.replay import Standing, in_a_row, is_quarter_end, step
from groundswell.core.signals.fiscal import Calendar

TOTAL, COVERAGE = f"{NAME}.total", f"{NAME}.coverage"
FIGURES = {TOTAL: "points", COVERAGE: "percent"}
"""The figures of readiness that conditions read beside signals, with their units; all are numbers."""


@dataclass(frozen=True)
class Unmet:
    """A condition that keeps a partner out of a row. `short` is what is missing in `unit`; None where no number says it."""

    segment: str
    condition: str
    said: str
    short: Fraction | None = None
    unit: str = ""
    either: bool = False
    """One of those of which one is enough."""


@dataclass(frozen=True)
class Placement:
    """Where a partner stands and why. `standing.segment` is "" where it is not placed."""

    standing: Standing
    rule: str
    """The conditions that placed it, as policy writes them; "" where none holds, also where it stays without them."""
    facts: tuple[str, ...]
    """What those conditions found: "readiness 72.5 points"."""
    stays: str
    """Why it is still there, where it stays without coming in anew."""
    undecided: tuple[str, ...]
    """Rows before this one that may hold: "may be active: won revenue is not known"."""
    moves: tuple[Unmet, ...]
    """What keeps it out of the rows above, in their order."""
    would_place: tuple[Unmet, ...]
    """Of a partner that is not placed: what the row that is nearest lacks."""


def looking_up(values: Mapping[str, Value], scored: Scored) -> Lookup:
    """The signals of a partner, and its readiness: the known points over the known weight, never a shrunk figure."""
    total = (
        Value.of(scored.total)
        if scored.total is not None
        else Value(scored.low, scored.high, why="no line of readiness is known")
    )
    mine = {**values, TOTAL: total, COVERAGE: Value.of(scored.coverage * 100)}
    return lambda name: mine.get(name, Value.unavailable("not measured"))


def truths(segments: Segments, lookup: Lookup) -> tuple[tuple[bool | None, ...], tuple[bool | None, ...]]:
    """Whether each row's conditions hold, and those to stay in it: what the replay is made of."""
    return _truths(segments, _answers(segments, lookup))


def place(
    segments: Segments, lookup: Lookup, before: Standing | None, day: dt.date, month_end: bool = True
) -> Placement:
    """Place one partner on a day. `before` is what it held at the month-end before, None where it was not there.

    Misleads: a row holds or does not; 59.9 and 60.1 points are the same partner. Read the shortfall, not the word.
    """
    answers = _answers(segments, lookup)
    enter, stay = _truths(segments, answers)
    standing = step(segments, enter, stay, before, day, month_end)
    names = [row.name for row in segments.rows]
    at = names.index(standing.segment) if standing.segment else len(names)
    row = segments.rows[at] if standing.segment else None
    above = segments.rows[:at]
    anew = row is not None and enter[at] is True
    inside = row is not None and (anew or stay[at] is True)
    rule = (_spelled(row.all, row.any) if anew else _spelled(row.stay, ())) if row and inside else ""
    met = tuple(_met(segments, row, anew, answers, lookup)) if row and inside else ()
    may_be = [one for one, holds_ in zip(above, enter, strict=False) if holds_ is None]
    return Placement(
        standing=standing,
        rule=rule,
        facts=met,
        stays=_stays(row, stay[at], standing) if row and not anew else "",
        undecided=tuple(f"may be {one.name}: {_unknown(segments, one, answers, lookup)}" for one in may_be),
        moves=tuple(unmet for one in above for unmet in _unmet(segments, one, answers, lookup)),
        would_place=() if row else _nearest(segments, answers, lookup),
    )


Answers = Mapping[str, bool | None]
"""Whether each condition of the table holds, worked out once for a partner."""


def _answers(segments: Segments, lookup: Lookup) -> Answers:
    texts = dict.fromkeys(text for row in segments.rows for text in (*row.all, *row.any, *row.stay))
    return dict(zip(texts, asked(segments, tuple(texts), lookup), strict=True))


def _truths(segments: Segments, answers: Answers) -> tuple[tuple[bool | None, ...], tuple[bool | None, ...]]:
    enter = tuple(_comes_in(row, answers) for row in segments.rows)
    return enter, tuple(every(map(answers.__getitem__, row.stay)) if row.stay else False for row in segments.rows)


def _comes_in(row: Segment, answers: Answers) -> bool | None:
    of_all = every(map(answers.__getitem__, row.all))
    return every((of_all, some(map(answers.__getitem__, row.any)))) if row.any else of_all


def asked(segments: Segments, texts: Sequence[str], lookup: Lookup) -> list[bool | None]:
    """Whether each of these conditions holds; None where it cannot be decided."""
    return [holds(parsed(text, segments.kinds), lookup) for text in texts]


def _spelled(all_: Sequence[str], any_: Sequence[str]) -> str:
    either = " or ".join(any_)
    return " and ".join([*all_, f"({either})" if all_ and len(any_) > 1 else either] if any_ else all_)


def _stays(row: Segment, inside: bool | None, standing: Standing) -> str:
    """In words, why a partner stays in a row that it could not come into."""
    if inside:
        return f"stays in {row.name}: inside its bounds for staying"
    if inside is None:
        return f"stays in {row.name}: whether it is inside the bounds for staying is not known"
    return f"stays in {row.name}: outside its bounds at {standing.outside} of {row.stay_reviews} month-ends in a row"


def _met(segments: Segments, row: Segment, anew: bool, answers: Answers, lookup: Lookup) -> Iterator[str]:
    """What the conditions that hold found, one figure once."""
    texts = (*row.all, *row.any) if anew else row.stay
    names = dict.fromkeys(
        name for text in texts if answers[text] is not False for name in sorted(parsed(text, segments.kinds).names)
    )
    yield from (figure(segments, name, lookup(name)) for name in names)


def _unknown(segments: Segments, row: Segment, answers: Answers, lookup: Lookup) -> str:
    undecided = [text for text in (*row.all, *row.any) if answers[text] is None]
    return "; ".join(_unmet_one(segments, row, text, lookup).said for text in undecided)


def _unmet(segments: Segments, row: Segment, answers: Answers, lookup: Lookup) -> list[Unmet]:
    """The conditions of a row that do not surely hold; of `any` none, where one of them does."""
    either = row.any if some(map(answers.__getitem__, row.any)) is not True else ()
    wanting = [_unmet_one(segments, row, text, lookup) for text in row.all if answers[text] is not True]
    return wanting + [replace(_unmet_one(segments, row, text, lookup), either=True) for text in either]


def _nearest(segments: Segments, answers: Answers, lookup: Lookup) -> tuple[Unmet, ...]:
    """What the row lacks that lacks least; of equal ones the last, which asks least."""
    lacking = [(_steps(found), found) for row in segments.rows for found in [_unmet(segments, row, answers, lookup)]]
    least = min((steps for steps, _ in lacking), default=0)
    return next((tuple(found) for steps, found in reversed(lacking) if steps == least), ())


def _steps(unmet: Sequence[Unmet]) -> int:
    """How many conditions must come true: of those in `any` one is enough."""
    of_all = sum(1 for one in unmet if not one.either)
    return of_all + (1 if of_all < len(unmet) else 0)


# ------------------------------------------------------------------------------------------------------------ words

_SIGNS: dict[type[exp.Expr], str] = {
    exp.LT: "must be below",
    exp.LTE: "must be at most",
    exp.GT: "must be above",
    exp.GTE: "of",
    exp.EQ: "must be",
    exp.NEQ: "must not be",
}


def _unmet_one(segments: Segments, row: Segment, text: str, lookup: Lookup) -> Unmet:
    condition = parsed(text, segments.kinds)
    unclear = [name for name in sorted(condition.names) if not lookup(name).known and lookup(name).applies]
    if unclear:
        said = "; ".join(f"{_label(name)} is {_vague(lookup(name))}" for name in unclear)
        return Unmet(row.name, text, said)
    tree = condition.tree
    if type(tree) in _SIGNS and isinstance(tree.this, exp.Column) and isinstance(tree.expression, exp.Literal):
        name = next(iter(condition.names))
        have, bound = lookup(name), tree.expression.name
        if isinstance(have.low, Fraction):
            return _short(segments, row, text, name, have.low, type(tree), Fraction(bound))
    figures = ", ".join(figure(segments, name, lookup(name)) for name in sorted(condition.names))
    return Unmet(row.name, text, f"{figures}: not {text}")


def _short(
    segments: Segments, row: Segment, text: str, name: str, have: Fraction, sign: type[exp.Expr], bound: Fraction
) -> Unmet:
    unit = segments.units.get(name, "")
    if sign is exp.GTE:
        said = f"{_label(name)} {number(have)} of {number(bound)} {unit}".rstrip()
    else:
        said = f"{figure(segments, name, Value.of(have))}, {_SIGNS[sign]} {number(bound)}"
    short = None if sign in (exp.EQ, exp.NEQ) else abs(bound - have)
    return Unmet(row.name, text, said, short, unit)


def _label(name: str) -> str:
    return {TOTAL: NAME, COVERAGE: f"known of {NAME}"}.get(name, name.replace("_", " "))


def _vague(value: Value) -> str:
    """What is not known, with the end of the range that is."""
    low, high = (number(end) if isinstance(end, Fraction) else None for end in (value.low, value.high))
    ends = f"between {low} and {high}" if low and high else f"at least {low}" if low else "not known"
    return f"{ends} ({value.why})" if value.why else ends


def figure(segments: Segments, name: str, value: Value) -> str:
    """A figure that a condition reads, in words: "readiness 72.5 points", "won revenue not known (why)"."""
    if not value.applies:
        return f"{_label(name)} does not apply ({value.why})"
    if not value.known:
        return f"{_label(name)} {_vague(value)}"
    said = number(value.low) if isinstance(value.low, Fraction) else str(value.low)
    unit = segments.units.get(name, "")
    return f"{_label(name)} {said} {unit}".rstrip() if isinstance(value.low, Fraction) else f"{_label(name)} {said}"


def number(value: Fraction) -> str:
    """A figure for reading: two decimals at most, half-even."""
    cents = round(value * 100)
    sign, whole = ("-", -cents) if cents < 0 else ("", cents)
    decimals = f"{whole % 100:02d}".rstrip("0")
    return f"{sign}{whole // 100}{'.' if decimals else ''}{decimals}"


# ---------------------------------------------------------------------------------------------------------- reviews


@dataclass(frozen=True)
class Reviewed:
    """A partner that a review list holds: since how many quarter-ends, and the figures at the last of them."""

    review: Review
    quarter_ends: tuple[dt.date, ...]
    said: str


def reviewed(
    segments: Segments, review: Review, history: Sequence[tuple[dt.date, Lookup]], calendar: Calendar
) -> Reviewed | None:
    """Whether a partner's history, month-ends oldest first, puts it on a review list; None where it does not.

    Only month-ends that stand for fiscal quarter-ends are looked at. Nothing follows by itself: a person decides.
    """
    ends = [(day, lookup) for day, lookup in history if is_quarter_end(day, calendar)]
    when = [every(asked(segments, review.when, lookup)) for _, lookup in ends]
    counts = [every(asked(segments, review.counts, lookup)) for _, lookup in ends]
    arrays = (np.array([[_code(said)] for said in found], np.int8).reshape(-1, 1) for found in (when, counts))
    run = int(in_a_row(*arrays)[0])
    if run < review.quarter_ends:
        return None
    counted = [i for i in range(len(ends)) if counts[i] is True and when[i] is not None][-run:]
    names = sorted({name for text in review.when for name in parsed(text, segments.kinds).names})
    figures = "; ".join(
        f"{ends[i][0]}: {', '.join(figure(segments, name, ends[i][1](name)) for name in names)}"
        for i in counted[-review.quarter_ends :]
    )
    return Reviewed(review, tuple(ends[i][0] for i in counted), figures)


def _code(said: bool | None) -> int:
    return -1 if said is None else int(said)
