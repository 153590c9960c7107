"""Figures over stretches of month-ends, against what each month-end gives by itself."""

from collections.abc import Callable
from datetime import date
from statistics import median_high, median_low

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundswell.core.signals.stretches import Latest, Stretches, Sums, WholeSums, earliest, middles

PLACES, MONTHS = 3, 5
Row = tuple[int, int, int, int]
_rows = st.lists(
    st.tuples(
        st.integers(0, PLACES - 1), st.integers(0, MONTHS - 1), st.integers(1, MONTHS), st.integers(0, 900)
    ).filter(lambda row: row[1] < row[2]),
    max_size=12,
)


def _stretches(rows: list[Row]) -> Stretches:
    place, first, last = (np.array([row[at] for row in rows], dtype=np.int64) for at in range(3))
    return place, first, last


def _naive(rows: list[Row], taken: Callable[[list[int]], object]) -> list[list[object]]:
    return [
        [taken([what for p, first, last, what in rows if p == place and first <= at < last]) for at in range(MONTHS)]
        for place in range(PLACES)
    ]


@given(_rows)
def test_sums_are_those_of_what_stands_at_each_month_end(rows: list[Row]) -> None:
    floats, whole = Sums((PLACES, MONTHS)), WholeSums((PLACES, MONTHS))
    floats.add(_stretches(rows), np.array([row[3] for row in rows], dtype=np.float64))
    whole.add(_stretches(rows), np.array([row[3] * 10**30 for row in rows], dtype=object))
    assert floats.at_each().tolist() == _naive(rows, sum)
    assert whole.at_each().tolist() == _naive(rows, lambda found: float(sum(found) * 10**30))
    assert floats.exact


def test_a_sum_that_passed_what_a_float_holds_says_so() -> None:
    sums = Sums((1, 2))
    sums.add(_stretches([(0, 0, 1, 0), (0, 0, 1, 0)]), np.array([2.0**53, -(2.0**53)]))
    assert sums.at_each().tolist() == [[0.0, 0.0]]
    assert not sums.exact


def test_figures_that_are_empty_add_nothing() -> None:
    sums, latest = Sums((1, 2)), Latest((1, 2))
    sums.add(_stretches([(0, 0, 2, 0)]), np.array([np.nan]))
    latest.add(_stretches([(0, 0, 2, 0)]), np.array(["NaT"], dtype="datetime64[D]"))
    assert sums.at_each().tolist() == [[0.0, 0.0]]
    assert np.isnat(latest.at_each()).all()


@given(_rows)
def test_latest_and_earliest_days_are_those_of_what_stands(rows: list[Row]) -> None:
    days, latest = np.array([row[3] for row in rows], dtype="datetime64[D]"), Latest((PLACES, MONTHS))
    latest.add(_stretches(rows), days)

    def day(found: int | None) -> date | None:
        return None if found is None else np.datetime64(found, "D").astype(date)

    assert latest.at_each().tolist() == _naive(rows, lambda found: day(max(found, default=None)))
    of_all = [(0, *row[1:]) for row in rows]
    expected = _naive(of_all, lambda found: day(min(found, default=None)))[0]
    assert earliest(MONTHS, *_stretches(rows)[1:], days).tolist() == expected


@given(_rows)
def test_middles_are_those_of_what_stands(rows: list[Row]) -> None:
    low, high = middles(_stretches(rows), np.array([row[3] for row in rows], dtype=np.float64), (PLACES, MONTHS))
    for found, of in ((low, median_low), (high, median_high)):
        expected = _naive(rows, lambda standing, of=of: of(standing) if standing else None)  # type: ignore[misc]
        assert [[None if np.isnan(one) else one for one in line] for line in found.tolist()] == expected
