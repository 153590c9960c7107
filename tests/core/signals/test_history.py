"""How many bounds a day has passed, as SQL says it: all that is folded over many month-ends rests on it."""

import datetime as dt

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from groundswell.core.signals.history import passed

FIRST = dt.date(2026, 1, 1)
_DAYS = st.integers(0, 12).map(lambda ago: FIRST + dt.timedelta(days=ago))


@given(st.lists(_DAYS).map(sorted), st.lists(_DAYS, min_size=1))
def test_as_many_bounds_are_passed_as_lie_before_the_day(bounds: list[dt.date], days: list[dt.date]) -> None:
    rows = ", ".join(f"(date '{day}')" for day in days)
    for within in (None, (min(days), max(days)), (FIRST, FIRST + dt.timedelta(days=12))):
        said = duckdb.sql(f"select day, {passed('day', bounds, within)} from (values {rows}) as d (day)").fetchall()
        assert said == [(day, sum(bound < day for bound in bounds)) for day in days]
