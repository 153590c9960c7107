"""Segments over time: what a partner holds at one month-end, from what it held at the month-end before.

Source of the rules: docs/explain/segments.md. A row holds where its conditions do, or where the partner is in it
and stays: inside `stay`, or outside it at fewer than `stay_reviews` month-ends in a row. The first row that holds
places the partner. An undecided `stay` keeps it and counts for nothing: unknown moves nobody.

`step` says it of one partner, `replay` of all of them at once; both give the same. Truths are 1, 0 and -1 (unknown).
"""

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.core.declare import Segment, Segments
from groundswell.core.signals.fiscal import Calendar

Truths = NDArray[np.int8]
Days = NDArray[np.datetime64]
NOT_PLACED, NOT_THERE = -1, -2
"""What stands in place of a row: too little is known; or the partner was not there on the day."""


@dataclass(frozen=True)
class Standing:
    """What a partner holds: its segment ("" while it is not placed), since which month-end, and how often outside."""

    segment: str
    since: dt.date
    outside: int = 0
    """Month-ends in a row at which it was outside `stay`."""


def step(
    segments: Segments,
    enter: Sequence[bool | None],
    stay: Sequence[bool | None],
    before: Standing | None,
    day: dt.date,
    month_end: bool = True,
) -> Standing:
    """The standing of one partner on a day; `enter` and `stay` say of each row whether its conditions hold.

    Between month-ends (`month_end` False) nothing is counted: outside `stay` a partner keeps what it has.
    """
    name, outside = "", 0
    for row, comes_in, stays in zip(segments.rows, enter, stay, strict=True):
        count = _outside(row, comes_in, stays, before, month_end)
        if comes_in or (count is not None and count < row.stay_reviews):
            name, outside = row.name, count or 0
            break
    kept = before is not None and before.segment == name
    return Standing(name, before.since if before and kept else day, outside)


def _outside(
    row: Segment, comes_in: bool | None, stays: bool | None, before: Standing | None, month_end: bool
) -> int | None:
    """How many month-ends in a row the partner has been outside the row it is in; None where it is not in it."""
    if not row.stay or before is None or before.segment != row.name:
        return None
    if comes_in or stays:
        return 0
    return before.outside + (1 if stays is False and month_end else 0)


@dataclass(frozen=True)
class Held:
    """What every partner holds after a month-end: where the next replay begins."""

    placed: NDArray[np.int8]
    """Index of the row, NOT_PLACED or NOT_THERE."""
    since: Days
    outside: NDArray[np.int16]


@dataclass(frozen=True)
class Replayed:
    """Every month-end of every partner, oldest first: which row, since when; and what is held at the end."""

    placed: NDArray[np.int8]
    since: Days
    held: Held


def replay(
    segments: Segments,
    enter: Truths,
    stay: Truths,
    days: Sequence[dt.date],
    there: NDArray[np.bool_] | None = None,
    before: Held | None = None,
) -> Replayed:
    """Replay the month-ends `days`, oldest first. `enter` and `stay` have the shape (rows, months, partners).

    `there` (months, partners) says who was a partner on the day; one who comes back begins anew. `before` is what was
    held after the month-end before the first. Raises ValueError for truths of another shape.
    """
    shape = (len(segments.rows), len(days), enter.shape[-1])
    if enter.shape != shape or stay.shape != shape:
        raise ValueError(f"truths have the shapes {enter.shape} and {stay.shape}; rows, months, partners are {shape}")
    held = before or _nobody(shape[2])
    placed, since = np.empty(shape[1:], np.int8), np.empty(shape[1:], "datetime64[D]")
    for month, day in enumerate(days):
        here = np.ones(shape[2], np.bool_) if there is None else there[month]
        held = _month(segments, enter[:, month], stay[:, month], held, np.datetime64(day, "D"), here)
        placed[month], since[month] = held.placed, held.since
    return Replayed(placed, since, held)


def truths_of_all(segments: Segments, asked: Callable[[str], Truths], partners: int) -> tuple[Truths, Truths]:
    """`enter` and `stay` of many partners on a day, of the shape (rows, partners); `asked` answers one condition of all."""
    nobody = np.zeros(partners, np.int8)
    enter = [
        every_of([*map(asked, row.all), *([_some([*map(asked, row.any)])] if row.any else [])]) for row in segments.rows
    ]
    return np.stack(enter), np.stack(
        [every_of([*map(asked, row.stay)]) if row.stay else nobody for row in segments.rows]
    )


def every_of(said: Sequence[Truths]) -> Truths:
    """As `conditions.every`, of arrays."""
    found = np.stack(said)
    return np.where((found == 0).any(axis=0), 0, np.where((found == -1).any(axis=0), -1, 1)).astype(np.int8)


def _some(said: Sequence[Truths]) -> Truths:
    """As `conditions.some`, of arrays."""
    found = np.stack(said)
    return np.where((found == 1).any(axis=0), 1, np.where((found == -1).any(axis=0), -1, 0)).astype(np.int8)


def _nobody(partners: int) -> Held:
    return Held(
        np.full(partners, NOT_THERE, np.int8),
        np.full(partners, np.datetime64("NaT", "D")),
        np.zeros(partners, np.int16),
    )


def _month(
    segments: Segments, enter: Truths, stay: Truths, held: Held, day: np.datetime64, here: NDArray[np.bool_]
) -> Held:
    placed = np.full(held.placed.shape, NOT_PLACED, np.int8)
    outside = np.zeros_like(held.outside)
    for number, row in reversed(list(enumerate(segments.rows))):  # the first row that holds is written last
        comes_in = enter[number] == 1
        holds = comes_in.copy()
        count = np.zeros_like(held.outside)
        if row.stay:
            mine = held.placed == number
            inside = comes_in | (stay[number] == 1)
            count = np.where(mine & ~inside, held.outside + (stay[number] == 0), 0).astype(np.int16)
            holds |= mine & (count < row.stay_reviews)
        placed[holds] = number
        outside[holds] = count[holds]
    placed[~here] = NOT_THERE
    since = np.where(placed == held.placed, held.since, day)
    return Held(placed, np.where(here, since, np.datetime64("NaT", "D")), outside)


def flows(segments: Segments, before: NDArray[np.int8], after: NDArray[np.int8]) -> dict[tuple[str, str], int]:
    """How many partners went from where to where, {(from, to): partners}; "" is not placed, "not there" is outside.

    Of every segment: those in it before + those who came - those who went = those in it after.
    """
    names = {NOT_PLACED: "", NOT_THERE: "not there"} | {i: row.name for i, row in enumerate(segments.rows)}
    pairs, counts = np.unique(np.stack([before, after]), axis=1, return_counts=True)
    return {
        (names[int(start)], names[int(end)]): int(count)
        for (start, end), count in zip(pairs.T, counts, strict=True)
        if (start, end) != (NOT_THERE, NOT_THERE)
    }


# -------------------------------------------------------------------------------------------------- quarter-ends


def is_quarter_end(day: dt.date, calendar: Calendar) -> bool:
    """Whether a month-end stands for the end of a fiscal quarter: it is the one nearest to the quarter's last day.

    Quarters of weeks (4-4-5) end some days beside a month-end. Of two that are as near the earlier one stands for it.
    """
    now = calendar.quarter(day)
    return day in (_month_end_by(now.last), _month_end_by(now.first - dt.timedelta(days=1)))


def _month_end_by(day: dt.date) -> dt.date:
    before = day.replace(day=1) - dt.timedelta(days=1)
    after = day.replace(day=monthrange(day.year, day.month)[1])
    return before if day - before <= after - day else after


def in_a_row(when: Truths, counts: Truths) -> NDArray[np.int16]:
    """At how many quarter-ends in a row, up to the last, `when` held. Both have the shape (quarter-ends, partners).

    One at which `counts` does not surely hold, or `when` is not known, neither counts nor breaks the row.
    """
    run = np.zeros(when.shape[-1], np.int16)
    for holds, counted in zip(when, counts, strict=True):
        run = np.where(counted == 1, np.where(holds == 1, run + 1, np.where(holds == 0, 0, run)), run).astype(np.int16)
    return run
