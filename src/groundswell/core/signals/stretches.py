"""Figures at month-ends of rows that stand over stretches of them: sums, latest and earliest days, middles.

A stretch is [first, last) of the places of month-ends; figures come by partner, as the place of each.
"""

import numpy as np

Size = tuple[int, int]
"""How many partners, how many month-ends."""
Stretches = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of each row the place of its partner, and its stretch: first, last."""

_HELD = 2.0**53
"""Below it a float holds every whole number."""


def _step(steps: np.ndarray, stretches: Stretches, what: np.ndarray) -> None:
    """Add figures where their stretches begin, and take them off where they end."""
    place, first, last = stretches
    np.add.at(steps, (place, first), what)
    np.subtract.at(steps, (place, last), what)


class Sums:
    """The sum at each month-end of what stands at it."""

    def __init__(self, shape: Size) -> None:
        self.steps = np.zeros((shape[0], shape[1] + 1))
        self.most = np.zeros(shape[0])
        """Of each place, the sum of what was added, whatever its sign."""

    @property
    def exact(self) -> bool:
        """Whether no sum of whole numbers can have reached beyond what a float holds."""
        return bool(self.most.max(initial=0.0) < _HELD)

    def add(self, stretches: Stretches, what: np.ndarray) -> None:
        """Figures of rows, nan where there is none."""
        kept = np.flatnonzero(~np.isnan(what) & (what != 0))
        place, first, last = (one[kept] for one in stretches)
        what = what[kept]
        _step(self.steps, (place, first, last), what)
        np.add.at(self.most, place, np.abs(what))

    def at_each(self) -> np.ndarray:
        """By place and month-end."""
        found: np.ndarray = self.steps[:, :-1].cumsum(axis=1)
        return found


class WholeSums:
    """The same of whole numbers of any size, rounded once, to the nearest float."""

    def __init__(self, shape: Size) -> None:
        self.steps = np.zeros((shape[0], shape[1] + 1), dtype=object)

    def add(self, stretches: Stretches, what: np.ndarray) -> None:
        """Python's whole numbers."""
        _step(self.steps, stretches, what)

    def at_each(self) -> np.ndarray:
        """By place and month-end."""
        return np.asarray(self.steps[:, :-1].cumsum(axis=1), dtype=np.float64)


class Latest:
    """The latest day at each month-end of those that stand at it."""

    def __init__(self, shape: Size) -> None:
        self.from_ = np.full(shape, np.iinfo(np.int64).min)  # as whole numbers NaT is the least
        """What stands to the end, where its stretch begins."""
        self.found = self.from_.copy()

    def add(self, stretches: Stretches, what: np.ndarray) -> None:
        """Days of rows, NaT where there is none."""
        kept = ~np.isnat(what)
        (place, first, last), months = (one[kept] for one in stretches), self.found.shape[1]
        days = what[kept].astype("datetime64[D]").astype(np.int64)
        stays = last == months
        np.maximum.at(self.from_, (place[stays], first[stays]), days[stays])
        place, first, last, days = place[~stays], first[~stays], last[~stays], days[~stays]
        for at in range(months if len(place) else 0):
            here = (first <= at) & (at < last)
            np.maximum.at(self.found[:, at], place[here], days[here])

    def at_each(self) -> np.ndarray:
        """By place and month-end; NaT where none stands."""
        found: np.ndarray = np.maximum(self.found, np.maximum.accumulate(self.from_, axis=1))
        return found.astype("datetime64[D]")


def earliest(months: int, first: np.ndarray, last: np.ndarray, what: np.ndarray) -> np.ndarray:
    """The earliest day at each of so many month-ends of rows with these stretches; NaT where none stands."""
    standing = [what[(first <= at) & (at < last) & ~np.isnat(what)] for at in range(months)]
    return np.array([days.min() if len(days) else np.datetime64("NaT") for days in standing], dtype="datetime64[D]")


def middles(stretches: Stretches, what: np.ndarray, shape: Size) -> tuple[np.ndarray, np.ndarray]:
    """The two middle figures at each month-end, by place: the same where there is an odd number; nan where none stands."""
    order = np.lexsort((what, stretches[0]))
    place, first, last = (one[order] for one in stretches)
    what = what[order]
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    for at in range(shape[1]):
        standing = (first <= at) & (at < last)
        many = np.bincount(place[standing], minlength=shape[0])
        begins, some = np.cumsum(many) - many, many > 0
        for found, middle in ((low, (many - 1) // 2), (high, many // 2)):
            found[some, at] = what[standing][(begins + middle)[some]]
    return low, high
