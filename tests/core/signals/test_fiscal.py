"""A day lies in one fiscal quarter: by the month that years begin with, or by loaded periods down to the day."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core.signals.fiscal import Calendar, Quarter, calendar

D = dt.date
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "first_month", "year", "number", "first", "last"),
    [
        (D(2025, 12, 31), 2, 2026, 4, D(2025, 11, 1), D(2026, 1, 31)),
        (D(2026, 1, 31), 2, 2026, 4, D(2025, 11, 1), D(2026, 1, 31)),
        (D(2026, 2, 1), 2, 2027, 1, D(2026, 2, 1), D(2026, 4, 30)),
        (D(2026, 1, 1), 1, 2026, 1, D(2026, 1, 1), D(2026, 3, 31)),
        (D(2026, 12, 31), 1, 2026, 4, D(2026, 10, 1), D(2026, 12, 31)),
        (D(2026, 6, 30), 7, 2026, 4, D(2026, 4, 1), D(2026, 6, 30)),
        (D(2026, 7, 1), 7, 2027, 1, D(2026, 7, 1), D(2026, 9, 30)),
        (D(2024, 2, 29), 3, 2024, 4, D(2023, 12, 1), D(2024, 2, 29)),
        (D(2025, 2, 28), 3, 2025, 4, D(2024, 12, 1), D(2025, 2, 28)),
        (D(2024, 2, 29), 12, 2024, 1, D(2023, 12, 1), D(2024, 2, 29)),
    ],
)
def test_a_year_is_named_after_the_one_in_which_it_ends(
    day: dt.date, first_month: int, year: int, number: int, first: dt.date, last: dt.date
) -> None:
    assert Calendar(first_month).quarter(day) == Quarter(year, number, first, last)


@given(st.dates(D(1990, 1, 1), D(2090, 12, 31)), st.integers(1, 12))
@settings(max_examples=300, deadline=None)
def test_four_quarters_follow_one_another_and_make_up_the_year(day: dt.date, first_month: int) -> None:
    fiscal = Calendar(first_month)
    first, last = fiscal.year(day)
    assert first <= day <= last
    assert (first.month, first.day, (last + DAY).month, (last + DAY).day) == (first_month, 1, first_month, 1)
    begins = first
    for number in (1, 2, 3, 4):
        found = fiscal.quarter(begins)
        assert found == Quarter(last.year, number, begins, found.last)
        begins = found.last + DAY
    assert begins == last + DAY


def weeks(year: int, first: dt.date, *lengths: int, name: str = "default") -> list[dict[str, object]]:
    """Months of so many weeks, three to a quarter."""
    rows: list[dict[str, object]] = []
    for month, length in enumerate(lengths):
        last = first + dt.timedelta(weeks=length) - DAY
        rows.append({"calendar": name, "starts_on": first, "ends_on": last, "year": year, "quarter": month // 3 + 1})
        first = last + DAY
    return rows


FOUR_FOUR_FIVE = (4, 4, 5) * 4
YEAR_2026 = weeks(2026, D(2025, 12, 29), *FOUR_FOUR_FIVE)
"""52 weeks from Monday 29 December 2025 to Sunday 27 December 2026."""
YEAR_2027 = weeks(2027, D(2026, 12, 28), *(*FOUR_FOUR_FIVE[:-1], 6))
"""53 weeks to Sunday 2 January 2028: the last month has a sixth week."""


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (D(2025, 12, 29), Quarter(2026, 1, D(2025, 12, 29), D(2026, 3, 29))),
        (D(2026, 3, 29), Quarter(2026, 1, D(2025, 12, 29), D(2026, 3, 29))),
        (D(2026, 3, 30), Quarter(2026, 2, D(2026, 3, 30), D(2026, 6, 28))),
        (D(2026, 12, 27), Quarter(2026, 4, D(2026, 9, 28), D(2026, 12, 27))),
        (D(2026, 12, 28), Quarter(2027, 1, D(2026, 12, 28), D(2027, 3, 28))),
        (D(2028, 1, 2), Quarter(2027, 4, D(2027, 9, 27), D(2028, 1, 2))),
        (D(2028, 1, 3), Quarter(2028, 1, D(2028, 1, 1), D(2028, 3, 31))),
        (D(2025, 12, 28), Quarter(2025, 4, D(2025, 10, 1), D(2025, 12, 31))),
    ],
)
def test_loaded_periods_hold_to_the_day_and_months_where_they_end(day: dt.date, expected: Quarter) -> None:
    assert calendar(1, "default", [*YEAR_2027, *reversed(YEAR_2026)]).quarter(day) == expected


def test_a_year_of_53_weeks_ends_a_week_later() -> None:
    fiscal = calendar(1, "Default", [*YEAR_2026, *YEAR_2027])
    assert fiscal.year(D(2026, 7, 1)) == (D(2025, 12, 29), D(2026, 12, 27))
    assert fiscal.year(D(2028, 1, 2)) == (D(2026, 12, 28), D(2028, 1, 2))
    assert (D(2028, 1, 2) - D(2026, 12, 28)).days + 1 == 53 * 7


def test_quarters_may_be_loaded_whole() -> None:
    months = calendar(1, "default", YEAR_2026)
    quarters = [
        {"calendar": "default", "starts_on": one.first, "ends_on": one.last, "year": 2026, "quarter": one.number}
        for one in months.loaded
    ]
    assert calendar(1, "default", quarters) == months


def swapped(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [row | {"quarter": {1: 2, 2: 1}.get(int(str(row["quarter"])), row["quarter"])} for row in rows]


@pytest.mark.parametrize(
    "rows",
    [
        YEAR_2026[3:],
        YEAR_2026[:-3],
        [*YEAR_2026[:4], *YEAR_2026[5:]],
        [*YEAR_2026, YEAR_2026[0] | {"starts_on": D(2025, 12, 30)}],
        swapped(YEAR_2026),
        weeks(2026, D(2025, 12, 29), *FOUR_FOUR_FIVE, name="other"),
    ],
    ids=["no first quarter", "no last quarter", "a hole", "an overlap", "out of order", "another calendar"],
)
def test_a_year_that_is_not_whole_is_left_out(rows: list[dict[str, object]]) -> None:
    found = calendar(2, "default", rows)
    assert not found.loaded
    assert found.told
    assert found.quarter(D(2026, 6, 30)) == Calendar(2).quarter(D(2026, 6, 30))
