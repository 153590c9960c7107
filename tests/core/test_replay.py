"""Segments over time: one partner and all of them at once agree, a replay continues where it stopped, nothing flips."""

import calendar
import datetime as dt
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core import catalog
from groundswell.core.declare import Segment, Segments
from groundswell.core.replay import (
    NOT_PLACED,
    NOT_THERE,
    Standing,
    flows,
    in_a_row,
    is_quarter_end,
    replay,
    step,
)
from groundswell.core.signals.fiscal import Calendar, Quarter
from groundswell.policy import read

SHIPPED = catalog.policy(read.texts()).segments
assert SHIPPED is not None
NAMES = [row.name for row in SHIPPED.rows]
READY = NAMES.index("ready")


def month_ends(count: int, first: int = 2024 * 12) -> list[dt.date]:
    found = []
    for index in range(first, first + count):
        year, month = divmod(index, 12)
        found.append(dt.date(year, month + 1, calendar.monthrange(year, month + 1)[1]))
    return found


def said(code: int) -> bool | None:
    return None if code == -1 else bool(code)


def one_by_one(
    segments: Segments, enter: np.ndarray, stay: np.ndarray, days: list[dt.date], there: np.ndarray
) -> list[list[Standing | None]]:
    """Every partner's standing at every month-end, told by the rule for one partner."""
    found = []
    for partner in range(enter.shape[2]):
        standing: Standing | None = None
        mine = []
        for month, day in enumerate(days):
            if not there[month, partner]:
                standing = None
            else:
                truths = ([said(int(c)) for c in array[:, month, partner]] for array in (enter, stay))
                standing = step(segments, *truths, standing, day)
            mine.append(standing)
        found.append(mine)
    return found


def tables() -> st.SearchStrategy[Segments]:
    """The shipped table, or another with rows that can be stayed in anywhere."""
    made = st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=1, max_size=5).map(
        lambda rows: replace(
            SHIPPED,
            rows=tuple(
                Segment(f"s{i}", all=("won_revenue > 0",), stay=("won_revenue > 0",) if stays else (), stay_reviews=n)
                for i, (stays, n) in enumerate(rows)
            ),
        )
    )
    return st.one_of(st.just(SHIPPED), made)


@settings(max_examples=150, deadline=None)
@given(tables(), st.integers(1, 14), st.integers(1, 9), st.integers(0, 2**32 - 1), st.data())
def test_all_at_once_one_by_one_and_month_by_month_agree_and_flows_balance(
    segments: Segments, months: int, partners: int, seed: int, data: st.DataObject
) -> None:
    chance = np.random.default_rng(seed)
    shape = (len(segments.rows), months, partners)
    enter, stay = (chance.choice(np.array([-1, 0, 1], np.int8), shape, p=[0.2, 0.5, 0.3]) for _ in range(2))
    there = chance.random((months, partners)) > 0.1
    days = month_ends(months)
    whole = replay(segments, enter, stay, days, there)
    names = {i: row.name for i, row in enumerate(segments.rows)} | {NOT_PLACED: ""}

    for partner, mine in enumerate(one_by_one(segments, enter, stay, days, there)):
        for month, standing in enumerate(mine):
            placed = int(whole.placed[month, partner])
            if standing is None:
                assert placed == NOT_THERE
            else:
                assert (names[placed], whole.since[month, partner].item()) == (standing.segment, standing.since)
        if mine[-1] is not None:
            assert int(whole.held.outside[partner]) == mine[-1].outside

    cut = data.draw(st.integers(0, months))
    first = replay(segments, enter[:, :cut], stay[:, :cut], days[:cut], there[:cut])
    rest = replay(segments, enter[:, cut:], stay[:, cut:], days[cut:], there[cut:], first.held)
    assert np.array_equal(np.concatenate([first.placed, rest.placed]), whole.placed)
    assert np.array_equal(np.concatenate([first.since, rest.since]), whole.since, equal_nan=True)
    assert np.array_equal(rest.held.outside, whole.held.outside)

    for before, after in zip(whole.placed, whole.placed[1:], strict=False):
        moved = flows(segments, before, after)
        for state, name in (*names.items(), (NOT_THERE, "not there")):
            if state == NOT_THERE:
                continue
            start, end = int((before == state).sum()), int((after == state).sum())
            came = sum(n for (a, b), n in moved.items() if b == name and a != name)
            went = sum(n for (a, b), n in moved.items() if a == name and b != name)
            assert start + came - went == end
        assert sum(moved.values()) == int(((before != NOT_THERE) | (after != NOT_THERE)).sum())


def ready(totals: list[int]) -> list[str]:
    """Where one partner of full coverage and no revenue stands, month by month, with these readiness totals."""
    enter = np.array([[0] * len(totals), [t >= 60 for t in totals], [t < 40 for t in totals], [1] * len(totals)])
    stay = np.zeros_like(enter)
    stay[READY] = [t >= 55 for t in totals]
    shape = (len(NAMES), len(totals), 1)
    found = replay(
        SHIPPED, enter.reshape(shape).astype(np.int8), stay.reshape(shape).astype(np.int8), month_ends(len(totals))
    )
    return [NAMES[i] for i in found.placed[:, 0]]


def test_one_point_moves_nobody_out_and_in_again() -> None:
    assert ready([60, 59, 60, 59, 60, 59, 58, 57]) == ["ready"] * 8
    assert ready([59, 58, 59]) == ["developing"] * 3


def test_ready_is_left_after_two_month_ends_in_a_row_below_fifty_five() -> None:
    assert ready([60, 54, 55, 54, 54, 59, 60]) == ["ready"] * 4 + ["developing"] * 2 + ["ready"]
    assert ready([60, 30, 30]) == ["ready", "ready", "inactive"]


def test_between_month_ends_nothing_is_counted() -> None:
    day = dt.date(2026, 4, 15)
    before = Standing("ready", dt.date(2026, 1, 31), 1)
    outside = [False, False, False, True]
    held = step(SHIPPED, outside, [False] * 4, before, day, month_end=False)
    assert held == before
    assert step(SHIPPED, outside, [False] * 4, before, dt.date(2026, 4, 30)).segment == "developing"
    assert step(SHIPPED, [False, True, False, True], [False] * 4, None, day, month_end=False).segment == "ready"


def test_unknown_keeps_a_partner_where_it_is_and_counts_for_nothing() -> None:
    days = month_ends(4)
    standing = step(SHIPPED, [False, True, False, True], [False, True, False, False], None, days[0])
    for day, stays, outside in ((days[1], False, 1), (days[2], None, 1)):
        standing = step(SHIPPED, [False, False, False, True], [False, stays, False, False], standing, day)
        assert standing == Standing("ready", days[0], outside)
    assert step(SHIPPED, [False, False, False, True], [False] * 4, standing, days[3]) == Standing("developing", days[3])


def test_a_row_above_comes_before_staying() -> None:
    before = Standing("ready", dt.date(2026, 1, 31))
    assert (
        step(SHIPPED, [True, True, False, True], [False, True, False, False], before, dt.date(2026, 2, 28)).segment
        == "active"
    )


def test_one_who_comes_back_begins_anew() -> None:
    enter = np.array([[[0], [0], [0]], [[1], [0], [0]], [[0], [0], [0]], [[1], [1], [1]]], np.int8)
    stay = np.array([[[0]] * 3, [[1], [0], [1]], [[0]] * 3, [[0]] * 3], np.int8)
    there = np.array([[True], [False], [True]])
    found = replay(SHIPPED, enter, stay, month_ends(3), there)
    assert [int(i) for i in found.placed[:, 0]] == [READY, NOT_THERE, NAMES.index("developing")]
    assert flows(SHIPPED, found.placed[0], found.placed[1]) == {("ready", "not there"): 1}


def test_truths_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="rows, months, partners"):
        replay(SHIPPED, np.zeros((3, 2, 1), np.int8), np.zeros((3, 2, 1), np.int8), month_ends(2))


# ---------------------------------------------------------------------------------------------------- quarter-ends


@pytest.mark.parametrize(("first_month", "months"), [(1, [3, 6, 9, 12]), (2, [1, 4, 7, 10]), (7, [3, 6, 9, 12])])
def test_four_month_ends_a_year_stand_for_the_fiscal_quarters(first_month: int, months: list[int]) -> None:
    found = [day for day in month_ends(36) if is_quarter_end(day, Calendar(first_month))]
    assert sorted({day.month for day in found}) == months
    assert Counter(day.year for day in found) == {2024: 4, 2025: 4, 2026: 4}


def test_a_quarter_of_weeks_has_the_month_end_that_is_nearest() -> None:
    edges = [dt.date(2025, 12, 28), *(dt.date(2025, 12, 27) + dt.timedelta(weeks=13 * i) for i in range(1, 5))]
    loaded = tuple(Quarter(2026, i + 1, edges[i] + dt.timedelta(days=bool(i)), edges[i + 1]) for i in range(4))
    assert [one.last for one in loaded] == [
        dt.date(2026, 3, 28),
        dt.date(2026, 6, 27),
        dt.date(2026, 9, 26),
        dt.date(2026, 12, 26),
    ]
    found = [day for day in month_ends(12, 2026 * 12) if is_quarter_end(day, Calendar(1, loaded, told=True))]
    assert [day.month for day in found] == [3, 6, 9, 12]


@pytest.mark.parametrize(("last", "month"), [(10, 2), (15, 2), (16, 3), (28, 3), (31, 3)])
def test_every_quarter_has_one_month_end_wherever_it_ends(last: int, month: int) -> None:
    ends = dt.date(2026, 3, last)
    loaded = (
        Quarter(2026, 1, dt.date(2026, 1, 1), ends),
        Quarter(2026, 2, ends + dt.timedelta(days=1), dt.date(2026, 6, 30)),
    )
    found = [day.month for day in month_ends(6, 2026 * 12) if is_quarter_end(day, Calendar(1, loaded, told=True))]
    assert found == [month, 6]


def test_a_row_of_quarter_ends_skips_those_that_do_not_count() -> None:
    when = np.array([[1, 1, 1], [1, 0, -1], [1, 1, 1], [1, 1, 1]], np.int8)
    counts = np.array([[1, 1, 1], [0, 1, 1], [1, 1, 1], [1, -1, 1]], np.int8)
    assert list(in_a_row(when, counts)) == [3, 1, 3]
