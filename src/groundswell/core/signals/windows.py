"""Windows of time: which days a measure looks at, as of a day. Both ends are days; the first is outside the window.

Source of the rules: docs/explain/facts.md. A window of months is `(same day k months before, D]`, clipped to month
ends; at a month-end it counts month-end to month-end. 13 weeks are 91 days. A fiscal quarter or year is that of the
fiscal calendar; a window that names its own year (`calendar year`, `year from 1 July`) is the same for everyone.
"""

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from groundswell.core.signals.fiscal import Calendar

EXAMPLES = (
    '"12 months", "13 weeks", "90 days", "complete 2 months", "fiscal quarter", "fiscal year", '
    '"complete 2 fiscal quarters", "calendar year", "year from 1 July"'
)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_FISCAL = re.compile(r"(current and previous )?fiscal (quarter|year)")
_COMPLETE_FISCAL = re.compile(r"complete (?:(1) fiscal (quarter|year)|([2-9]|[1-9]\d+) fiscal (quarter|year)s)")
_OWN_YEAR = re.compile(rf"year from 1 ({'|'.join(_MONTHS)})")
FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(9998, 12, 31)
"""The days as of which anything can be asked: windows before and the cut after them still lie in the calendar."""
_UNITS = "(day|week|month|quarter|year)"
_LENGTH = re.compile(rf"(?:(1) {_UNITS}s?|([2-9]|[1-9]\d+) {_UNITS}s)")


@dataclass(frozen=True)
class Window:
    """Days after `after` (None: ever) up to and including `until`."""

    after: dt.date | None
    until: dt.date


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day that many months earlier, clipped to the month; the end of a month stays the end of a month.

    So 3 months before 28 February is 30 November, and a window of 3 months begins after it.
    """
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    ends = day.day == calendar.monthrange(day.year, day.month)[1]
    return dt.date(year, month + 1, last if ends else min(day.day, last))


def window(text: str, shift: str, as_of: dt.date, fiscal: Calendar) -> Window:
    """The days that a window means as of a day. `shift` moves the whole window earlier.

    Raises ValueError for a text that is not a window, naming examples.
    """
    until = _earlier(as_of, shift) if shift else as_of
    if not text:
        return Window(None, until)
    try:
        if found := _of_years(text, until, fiscal):
            return found
    except (OverflowError, ValueError) as error:
        raise ValueError(f"'{text}' leads out of the calendar.") from error
    length = text.removeprefix("complete ")
    if not (parsed := _length(length)):
        raise ValueError(f"'{text}' is not a window. Examples: {EXAMPLES}.")
    if length != text:
        if parsed[1] not in ("month", "quarter"):
            raise ValueError(f"'{text}': only months and quarters can be complete.")
        until = _last_complete(until, 3 if parsed[1] == "quarter" else 1)
    return Window(_earlier(until, length), until)


def _of_years(text: str, until: dt.date, fiscal: Calendar) -> Window | None:
    """A window that begins with a quarter or a year; None for any other."""
    if text == "calendar year":
        return Window(_day_before(Calendar(1).year(until)[0]), until)
    if named := _OWN_YEAR.fullmatch(text):
        return Window(_day_before(Calendar(_MONTHS.index(named[1]) + 1).year(until)[0]), until)
    if match := _FISCAL.fullmatch(text):
        return Window(_before_fiscal(match[2], 2 if match[1] else 1, until, fiscal), until)
    if match := _COMPLETE_FISCAL.fullmatch(text):
        count, unit = int(match[1] or match[3]), match[2] or match[4]
        first, last = _fiscal(unit, until, fiscal)
        until = until if last == until else _day_before(first)
        return Window(_before_fiscal(unit, count, until, fiscal), until)
    return None


def _before_fiscal(unit: str, count: int, day: dt.date, fiscal: Calendar) -> dt.date:
    """The day before that many fiscal quarters or years, of which the last is that of the day."""
    for _ in range(count):
        day = _day_before(_fiscal(unit, day, fiscal)[0])
    return day


def _fiscal(unit: str, day: dt.date, fiscal: Calendar) -> tuple[dt.date, dt.date]:
    if unit == "year":
        return fiscal.year(day)
    found = fiscal.quarter(day)
    return found.first, found.last


def _day_before(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=1)


def _length(text: str) -> tuple[int, str] | None:
    """(count, unit) of "1 day", "13 weeks"; None for anything else."""
    match = _LENGTH.fullmatch(text)
    return (int(match[1] or match[3]), match[2] or match[4]) if match else None


def _earlier(day: dt.date, length: str) -> dt.date:
    parsed = _length(length)
    if not parsed:
        raise ValueError(f'\'{length}\' is not a length of time. Examples: "12 months", "13 weeks".')
    count, unit = parsed
    try:
        if unit in ("day", "week"):
            return day - dt.timedelta(days=count * (7 if unit == "week" else 1))
        return months_before(day, count * {"month": 1, "quarter": 3, "year": 12}[unit])
    except (OverflowError, ValueError) as error:
        raise ValueError(f"'{length}' leads out of the calendar.") from error


def _last_complete(day: dt.date, months: int) -> dt.date:
    following = day + dt.timedelta(days=1)
    if following.day == 1 and (following.month - 1) % months == 0:
        return day
    first = day.replace(day=1)
    return first.replace(month=first.month - (first.month - 1) % months) - dt.timedelta(days=1)
