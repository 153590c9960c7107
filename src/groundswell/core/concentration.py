"""How much of a sum lies with how few: shares, Herfindahl-Hirschman index, Gini coefficient, and the curve of both."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

_NONE = Fraction(0)


@dataclass(frozen=True)
class Concentration:
    """Amounts of the whole programme, those without any included: the denominator is every partner.

    `hhi` is 10,000 times the sum of squared shares; the US merger guidelines of 2023 call more than 1,800 highly
    concentrated, a yardstick borrowed from markets. `effective` is how many equal partners would be as concentrated.
    `gini` runs from 0, all equal, to almost 1. It misleads in small programmes, where `gini_unbiased`, n/(n-1) times it,
    is the one to read.
    """

    amounts: tuple[Fraction, ...]
    """The largest first."""
    hhi: Fraction
    effective: Fraction
    gini: Fraction
    gini_unbiased: Fraction | None

    def top(self, count: int) -> Fraction:
        """The share of the largest so many, from 0 to 1."""
        return sum(self.amounts[:count], Fraction(0)) / self.whole

    @cached_property
    def whole(self) -> Fraction:
        """The sum of all."""
        return sum(self.amounts, Fraction(0))

    @property
    def idle(self) -> int:
        """How many have none."""
        return len(self.amounts) - self.producing

    @cached_property
    def producing(self) -> int:
        """How many have any."""
        return sum(1 for one in self.amounts if one)


def concentration(amounts: Iterable[Fraction]) -> Concentration | None:
    """Of these amounts, none of them negative; None where there is nothing to share. Raises ValueError for a negative one.

    Source: O. Herfindahl, A. Hirschman; Gini by the mean difference.
    """
    given = tuple(amounts)
    scale = lcm(*(one.denominator for one in given))
    # as whole numbers: exact, and quick
    units = sorted((one.numerator * (scale // one.denominator) for one in given), reverse=True)
    if units and units[-1] < 0:
        raise ValueError("an amount is negative; net credits against sales first")
    whole, n = sum(units), len(units)
    if not whole:
        return None
    hhi = Fraction(10_000 * sum(one * one for one in units), whole * whole)
    ranked = sum(place * one for place, one in enumerate(reversed(units), 1))
    gini = Fraction(2 * ranked, n * whole) - Fraction(n + 1, n)
    ordered = tuple(Fraction(one, scale) if one else _NONE for one in units)
    return Concentration(ordered, hhi, 10_000 / hhi, gini, gini * n / (n - 1) if n > 1 else None)
