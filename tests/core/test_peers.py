"""The middle half of a partner's peers."""

import datetime as dt
from fractions import Fraction

from groundswell.core.declare import Origin, Score
from groundswell.core.peers import ALL, peers, peers_of
from groundswell.core.points.score import PartResult, Scored

_EDITION = Score(
    "readiness", "", Fraction(100), Fraction(50), (), (), (), Origin("", "", "", dt.date(2026, 1, 1))
)  # fmt: skip


def _scored(points: int | None) -> Scored:
    part = PartResult(
        "engagement", Fraction(1), None if points is None else Fraction(points), Fraction(0), Fraction(100)
    )
    return Scored(
        _EDITION, None, Fraction(0), Fraction(100), Fraction(0), "scored", "", (), (part,), ()
    )  # fmt: skip


def test_quartiles_lie_between_the_values_they_lie_between() -> None:
    found = peers([("si", _scored(points)) for points in (10, 20, 30, 40)], least=4)
    assert found["engagement"]["si"].low == Fraction(35, 2)  # a quarter of the way from the first to the last of four
    assert found["engagement"]["si"].high == Fraction(65, 2)
    assert found["engagement"]["si"].count == 4


def test_a_type_of_too_few_falls_back_to_all_and_the_unknown_are_no_zeros() -> None:
    found = peers([("si", _scored(10)), ("si", _scored(None)), ("isv", _scored(50)), ("isv", _scored(70))], least=2)
    assert set(found["engagement"]) == {"isv", ALL}
    assert found["engagement"][ALL].count == 3
    stored = {
        part: {of: {"count": one.count, "low": str(one.low), "high": str(one.high)} for of, one in types.items()}
        for part, types in found.items()
    }
    of_si = peers_of(stored, "engagement", "si")
    assert of_si is not None
    assert of_si[1] == ALL
    assert of_si[0].low == 30
    of_isv = peers_of(stored, "engagement", "isv")
    assert of_isv is not None
    assert of_isv[1] == "isv"
    assert of_isv[0].low == 55
    assert peers_of(stored, "capability", "si") is None
