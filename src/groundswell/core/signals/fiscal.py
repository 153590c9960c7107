"""The fiscal calendar: which quarter and year a day lies in, from loaded periods or from the month that years begin with.

Source of the rules: docs/explain/facts.md. A fiscal year is named after the calendar year in which it ends; a loaded
calendar names its own. Salesforce's own year begins on 1 February: 31 December 2025 is in quarter 4 of 2026.
"""

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Quarter:
    """A fiscal quarter: the name of its year, its number from 1, its first and its last day."""

    year: int
    number: int
    first: dt.date
    last: dt.date


@dataclass(frozen=True)
class Calendar:
    """Years that begin with `first_month`, but where `loaded` quarters (4-4-5, 52 or 53 weeks) cover a day: those."""

    first_month: int = 1
    loaded: tuple[Quarter, ...] = ()
    told: bool = False
    """Whether any periods are loaded, be they of this calendar and whole or not."""

    def covers(self, day: dt.date) -> bool:
        """Whether a loaded quarter holds the day."""
        return self._loaded(day) is not None

    def quarter(self, day: dt.date) -> Quarter:
        """The fiscal quarter of a day. Raises ValueError or OverflowError at the ends of the calendar."""
        return self._loaded(day) or _by_months(day, self.first_month)

    def year(self, day: dt.date) -> tuple[dt.date, dt.date]:
        """First and last day of the fiscal year of a day. Raises as `quarter` does."""
        if found := self._loaded(day):
            quarters = [one for one in self.loaded if one.year == found.year]
            return quarters[0].first, quarters[-1].last
        found = _by_months(day, self.first_month)
        first = _months_on(found.first, -3 * (found.number - 1))
        return first, _months_on(first, 12) - _DAY

    def _loaded(self, day: dt.date) -> Quarter | None:
        return next((one for one in self.loaded if one.first <= day <= one.last), None)


def calendar(first_month: int, name: str, periods: Sequence[Mapping[str, object]]) -> Calendar:
    """The calendar of that name of the loaded periods: rows of fiscal_periods, months of a quarter or whole quarters.

    A year counts where its periods follow one another day by day and make up quarters 1 to 4; a year with a hole, an
    overlap or a quarter missing is left out whole, so that no quarter of it is taken for complete.
    """
    mine = [row for row in periods if str(row["calendar"]).casefold() == name.casefold()]
    ordered = sorted(mine, key=lambda row: (cast(int, row["year"]), cast(dt.date, row["starts_on"])))
    years = itertools.groupby(ordered, key=lambda row: cast(int, row["year"]))
    found = [quarter for year, rows in years for quarter in _quarters(year, list(rows))]
    return Calendar(first_month, tuple(sorted(found, key=lambda one: one.first)), bool(periods))


def _quarters(year: int, rows: list[Mapping[str, object]]) -> Iterator[Quarter]:
    days = [(cast(dt.date, row["starts_on"]), cast(dt.date, row["ends_on"])) for row in rows]
    follow = all(before[1] + _DAY == after[0] for before, after in itertools.pairwise(days))
    numbers = [cast(int, row["quarter"]) for row in rows]
    if not follow or numbers != sorted(numbers) or not {1, 2, 3, 4} <= set(numbers):
        return
    for number in sorted(set(numbers)):
        mine = [one for one, of in zip(days, numbers, strict=True) if of == number]
        yield Quarter(year, number, mine[0][0], mine[-1][1])


def _by_months(day: dt.date, first_month: int) -> Quarter:
    months = (day.month - first_month) % 12
    first = _months_on(day.replace(day=1), -(months % 3))
    ends = _months_on(first, 12 - 3 * (months // 3)) - _DAY
    return Quarter(ends.year, months // 3 + 1, first, _months_on(first, 3) - _DAY)


def _months_on(first: dt.date, months: int) -> dt.date:
    """The first of a month that many months later, or earlier."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return dt.date(year, month + 1, 1)
