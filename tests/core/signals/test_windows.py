"""A window names the days it means as of a day: clipped to months, month-end to month-end, both ends exact."""

import calendar
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core.signals.fiscal import Calendar
from groundswell.core.signals.fiscal import calendar as calendar_of
from groundswell.core.signals.windows import Window, months_before, window
from tests.core.signals.test_fiscal import YEAR_2026, YEAR_2027

D = dt.date
DAYS = st.dates(D(1990, 1, 1), D(2090, 12, 31))


def days(text: str, as_of: dt.date, shift: str = "", first_month: int = 1) -> tuple[dt.date | None, dt.date]:
    found = window(text, shift, as_of, Calendar(first_month))
    return found.after, found.until


@pytest.mark.parametrize(
    ("text", "as_of", "after"),
    [
        ("12 months", D(2026, 6, 15), D(2025, 6, 15)),
        ("12 months", D(2026, 6, 30), D(2025, 6, 30)),
        ("1 month", D(2026, 3, 30), D(2026, 2, 28)),
        ("1 month", D(2026, 3, 31), D(2026, 2, 28)),
        ("3 months", D(2026, 2, 28), D(2025, 11, 30)),
        ("6 months", D(2026, 4, 30), D(2025, 10, 31)),
        ("12 months", D(2024, 2, 29), D(2023, 2, 28)),
        ("12 months", D(2025, 2, 28), D(2024, 2, 29)),
        ("12 months", D(2024, 2, 28), D(2023, 2, 28)),
        ("24 months", D(2026, 2, 28), D(2024, 2, 29)),
        ("2 quarters", D(2026, 8, 31), D(2026, 2, 28)),
        ("1 year", D(2026, 6, 15), D(2025, 6, 15)),
        ("2 years", D(2024, 2, 29), D(2022, 2, 28)),
    ],
)
def test_months_are_clipped_and_month_ends_stay_month_ends(text: str, as_of: dt.date, after: dt.date) -> None:
    assert days(text, as_of) == (after, as_of)


def test_thirteen_weeks_are_ninety_one_days() -> None:
    assert days("13 weeks", D(2026, 6, 30)) == days("91 days", D(2026, 6, 30)) == (D(2026, 3, 31), D(2026, 6, 30))


def test_one_day_is_the_day_itself() -> None:
    assert days("1 day", D(2026, 6, 30)) == (D(2026, 6, 29), D(2026, 6, 30))


def test_no_window_is_ever_up_to_the_day() -> None:
    assert window("", "", D(2026, 6, 30), Calendar()) == Window(None, D(2026, 6, 30))


@pytest.mark.parametrize(
    ("text", "as_of", "expected"),
    [
        ("complete 2 months", D(2026, 6, 15), (D(2026, 3, 31), D(2026, 5, 31))),
        ("complete 2 months", D(2026, 6, 30), (D(2026, 4, 30), D(2026, 6, 30))),
        ("complete 1 month", D(2026, 3, 1), (D(2026, 1, 31), D(2026, 2, 28))),
        ("complete 12 months", D(2026, 1, 30), (D(2024, 12, 31), D(2025, 12, 31))),
        ("complete 1 quarter", D(2026, 6, 29), (D(2025, 12, 31), D(2026, 3, 31))),
        ("complete 1 quarter", D(2026, 6, 30), (D(2026, 3, 31), D(2026, 6, 30))),
        ("complete 2 quarters", D(2026, 2, 14), (D(2025, 6, 30), D(2025, 12, 31))),
    ],
)
def test_complete_months_and_quarters_end_at_the_last_month_end_on_or_before_the_day(
    text: str, as_of: dt.date, expected: tuple[dt.date, dt.date]
) -> None:
    assert days(text, as_of) == expected


@pytest.mark.parametrize(
    ("text", "as_of", "first_month", "begins"),
    [
        ("fiscal year", D(2025, 12, 31), 2, D(2025, 2, 1)),
        ("fiscal year", D(2026, 1, 31), 2, D(2025, 2, 1)),
        ("fiscal year", D(2026, 2, 1), 2, D(2026, 2, 1)),
        ("fiscal year", D(2026, 6, 30), 1, D(2026, 1, 1)),
        ("fiscal year", D(2026, 6, 30), 7, D(2025, 7, 1)),
        ("calendar year", D(2026, 1, 31), 2, D(2026, 1, 1)),
        ("current and previous fiscal year", D(2026, 1, 31), 2, D(2024, 2, 1)),
        ("current and previous fiscal year", D(2026, 6, 30), 1, D(2025, 1, 1)),
    ],
)
def test_years_begin_on_the_first_of_their_first_month(
    text: str, as_of: dt.date, first_month: int, begins: dt.date
) -> None:
    assert days(text, as_of, first_month=first_month) == (begins - dt.timedelta(days=1), as_of)


@pytest.mark.parametrize(
    ("text", "as_of", "first_month", "expected"),
    [
        ("fiscal quarter", D(2025, 12, 31), 2, (D(2025, 10, 31), D(2025, 12, 31))),
        ("fiscal quarter", D(2025, 11, 1), 2, (D(2025, 10, 31), D(2025, 11, 1))),
        ("fiscal quarter", D(2024, 2, 29), 3, (D(2023, 11, 30), D(2024, 2, 29))),
        ("current and previous fiscal quarter", D(2025, 12, 31), 2, (D(2025, 7, 31), D(2025, 12, 31))),
        ("current and previous fiscal quarter", D(2026, 2, 1), 1, (D(2025, 9, 30), D(2026, 2, 1))),
        ("complete 1 fiscal quarter", D(2025, 12, 31), 2, (D(2025, 7, 31), D(2025, 10, 31))),
        ("complete 1 fiscal quarter", D(2026, 1, 30), 2, (D(2025, 7, 31), D(2025, 10, 31))),
        ("complete 1 fiscal quarter", D(2026, 1, 31), 2, (D(2025, 10, 31), D(2026, 1, 31))),
        ("complete 4 fiscal quarters", D(2024, 2, 29), 3, (D(2023, 2, 28), D(2024, 2, 29))),
        ("complete 1 fiscal year", D(2026, 1, 30), 2, (D(2024, 1, 31), D(2025, 1, 31))),
        ("complete 1 fiscal year", D(2026, 1, 31), 2, (D(2025, 1, 31), D(2026, 1, 31))),
        ("complete 2 fiscal years", D(2026, 6, 30), 7, (D(2024, 6, 30), D(2026, 6, 30))),
        ("year from 1 July", D(2026, 6, 30), 2, (D(2025, 6, 30), D(2026, 6, 30))),
        ("year from 1 July", D(2026, 7, 1), 2, (D(2026, 6, 30), D(2026, 7, 1))),
        ("year from 1 March", D(2024, 2, 29), 2, (D(2023, 2, 28), D(2024, 2, 29))),
        ("year from 1 March", D(2025, 1, 1), 2, (D(2024, 2, 29), D(2025, 1, 1))),
        ("complete 2 quarters", D(2026, 2, 14), 2, (D(2025, 6, 30), D(2025, 12, 31))),
    ],
)
def test_quarters_and_years_of_their_own_begin_on_their_first_day(
    text: str, as_of: dt.date, first_month: int, expected: tuple[dt.date, dt.date]
) -> None:
    assert days(text, as_of, first_month=first_month) == expected


@pytest.mark.parametrize(
    ("text", "as_of", "expected"),
    [
        ("fiscal quarter", D(2026, 3, 29), (D(2025, 12, 28), D(2026, 3, 29))),
        ("fiscal quarter", D(2026, 3, 30), (D(2026, 3, 29), D(2026, 3, 30))),
        ("complete 1 fiscal quarter", D(2026, 6, 27), (D(2025, 12, 28), D(2026, 3, 29))),
        ("complete 1 fiscal quarter", D(2026, 6, 28), (D(2026, 3, 29), D(2026, 6, 28))),
        ("fiscal year", D(2028, 1, 2), (D(2026, 12, 27), D(2028, 1, 2))),
        ("complete 1 fiscal year", D(2028, 1, 1), (D(2025, 12, 28), D(2026, 12, 27))),
        ("complete 1 fiscal year", D(2028, 1, 2), (D(2026, 12, 27), D(2028, 1, 2))),
        ("complete 2 fiscal years", D(2028, 1, 2), (D(2025, 12, 28), D(2028, 1, 2))),
        ("current and previous fiscal year", D(2027, 1, 1), (D(2025, 12, 28), D(2027, 1, 1))),
        ("fiscal year", D(2028, 1, 3), (D(2027, 12, 31), D(2028, 1, 3))),
        ("calendar year", D(2026, 3, 29), (D(2025, 12, 31), D(2026, 3, 29))),
        ("year from 1 July", D(2026, 3, 29), (D(2025, 6, 30), D(2026, 3, 29))),
    ],
)
def test_loaded_periods_give_the_edges_of_fiscal_quarters_and_years_where_they_cover_the_day(
    text: str, as_of: dt.date, expected: tuple[dt.date, dt.date]
) -> None:
    found = window(text, "", as_of, calendar_of(1, "default", [*YEAR_2026, *YEAR_2027]))
    assert (found.after, found.until) == expected


@pytest.mark.parametrize(
    ("text", "shift", "as_of", "expected"),
    [
        ("12 months", "12 months", D(2026, 6, 15), (D(2024, 6, 15), D(2025, 6, 15))),
        ("12 months", "12 months", D(2026, 2, 28), (D(2024, 2, 29), D(2025, 2, 28))),
        ("12 months", "12 months", D(2024, 2, 29), (D(2022, 2, 28), D(2023, 2, 28))),
        ("13 weeks", "13 weeks", D(2026, 6, 30), (D(2025, 12, 30), D(2026, 3, 31))),
        ("", "1 year", D(2026, 6, 30), (None, D(2025, 6, 30))),
        ("complete 2 months", "12 months", D(2026, 6, 15), (D(2025, 3, 31), D(2025, 5, 31))),
        ("fiscal year", "1 year", D(2026, 6, 30), (D(2024, 12, 31), D(2025, 6, 30))),
        ("fiscal quarter", "1 year", D(2026, 5, 15), (D(2025, 3, 31), D(2025, 5, 15))),
        ("year from 1 July", "12 months", D(2026, 6, 30), (D(2024, 6, 30), D(2025, 6, 30))),
    ],
)
def test_a_shift_moves_the_whole_window_earlier(
    text: str, shift: str, as_of: dt.date, expected: tuple[dt.date | None, dt.date]
) -> None:
    assert days(text, as_of, shift) == expected


@given(DAYS, st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_a_shifted_window_of_months_ends_where_the_unshifted_begins(as_of: dt.date, months: int) -> None:
    text = f"{months} months" if months > 1 else "1 month"
    assert days(text, as_of, text)[1] == days(text, as_of)[0]


@given(DAYS, st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_from_month_ends_months_add_up(as_of: dt.date, one: int, other: int) -> None:
    end = as_of.replace(day=calendar.monthrange(as_of.year, as_of.month)[1])
    assert months_before(months_before(end, one), other) == months_before(end, one + other)
    back = months_before(end, one)
    assert back.day == calendar.monthrange(back.year, back.month)[1]


@given(DAYS, st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_a_window_never_begins_later_for_an_earlier_day(as_of: dt.date, months: int) -> None:
    before = as_of - dt.timedelta(days=1)
    assert months_before(before, months) <= months_before(as_of, months) < as_of


@pytest.mark.parametrize(
    "text",
    ["12", "months", "0 days", "-3 months", "1.5 years", "12 months ", "12  months", "a year", "12 mnths", "fortnight",
     "quarter", "complete", "fiscal years", "2 fiscal quarters", "complete fiscal year", "complete 2 fiscal year",
     "complete 0 fiscal years", "year from 2 July", "year from 1 july", "year from July"],
)  # fmt: skip
def test_what_is_no_window_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r'is not a window\. Examples: "12 months", "13 weeks"'):
        window(text, "", D(2026, 6, 30), Calendar())


def test_a_number_of_months_is_written_in_the_plural() -> None:
    with pytest.raises(ValueError, match="'12 month' is not a window"):
        window("12 month", "", D(2026, 6, 30), Calendar())


@pytest.mark.parametrize("text", ["complete 2 weeks", "complete 90 days", "complete 1 year"])
def test_only_months_and_quarters_can_be_complete(text: str) -> None:
    with pytest.raises(ValueError, match="only months and quarters can be complete"):
        window(text, "", D(2026, 6, 30), Calendar())


@pytest.mark.parametrize("shift", ["complete 1 month", "fiscal year", "a while", "12"])
def test_a_shift_is_a_length_of_time(shift: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time"):
        window("12 months", shift, D(2026, 6, 30), Calendar())


@pytest.mark.parametrize("text", ["10000 years", "99999999999 days", "complete 9000 fiscal quarters"])
def test_a_window_that_leaves_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"year|window|calendar"):
        window(text, "", D(2026, 6, 30), Calendar())
