"""Concentration against the golden values of the method: Herfindahl-Hirschman, Gini, and shares of the top."""

from fractions import Fraction

import pytest

from groundswell.core.concentration import concentration


def of(*amounts: int):
    found = concentration(Fraction(one) for one in amounts)
    assert found is not None
    return found


def test_shares_of_30_30_20_20_are_as_concentrated_as_almost_four() -> None:
    found = of(30, 20, 30, 20)
    assert found.hhi == 2600
    assert round(float(found.effective), 3) == 3.846
    assert found.top(2) == Fraction(6, 10)


@pytest.mark.parametrize(
    ("amounts", "gini"),
    [
        ((1, 2, 3, 4, 5), Fraction(4, 15)),
        ((0, 0, 0, 1), Fraction(3, 4)),
        ((7, 7, 7), Fraction(0)),
        ((*[0] * 80, *[1] * 20), Fraction(4, 5)),
    ],
)
def test_gini_is_that_of_the_whole_programme(amounts: tuple[int, ...], gini: Fraction) -> None:
    found = of(*amounts)
    assert found.gini == gini
    assert found.gini_unbiased == gini * len(amounts) / (len(amounts) - 1)
    assert (found.producing, found.idle) == (sum(1 for one in amounts if one), sum(1 for one in amounts if not one))


def test_scale_and_order_change_nothing_and_giving_to_the_poorer_lowers_both() -> None:
    one, scaled, fairer = of(1, 5, 3), of(300, 100, 500), of(2, 4, 3)
    assert (one.hhi, one.gini) == (scaled.hhi, scaled.gini)
    assert fairer.hhi < one.hhi
    assert fairer.gini < one.gini


def test_of_nothing_nothing_is_said_and_a_negative_amount_is_refused() -> None:
    assert concentration([]) is None
    assert concentration([Fraction(0), Fraction(0)]) is None
    assert of(5).gini_unbiased is None
    with pytest.raises(ValueError, match="net credits"):
        concentration([Fraction(-1), Fraction(3)])
