"""The figures that pages work out by hand are those of the code."""

import datetime as dt
from fractions import Fraction

import pytest

from groundswell.core.declare import Line, Origin, Part, Score, Value
from groundswell.core.points.score import Scored, score
from groundswell.core.signals.windows import Window, window
from tests.docs.shown import ROOT

WEIGHTS = {"engagement": 35, "revenue_potential": 30, "market_alignment": 25, "capability": 10}
POINTS = {"engagement": 80, "revenue_potential": 60, "market_alignment": 70, "capability": 90}


def scored(points: dict[str, int]) -> Scored:
    """A score of the four parts with one line each, whose signal is its points; a part left out is unknown."""
    bars = (Fraction(0), Fraction(100))
    parts = tuple(
        Part(name, Fraction(weight), (Line(name, name, Fraction(1), bars=bars),)) for name, weight in WEIGHTS.items()
    )
    bands = (("none", Fraction(0)), ("minimal", Fraction(40)), ("moderate", Fraction(60)), ("high", Fraction(80)))
    origin = Origin("example", "example", "example", dt.date(2026, 1, 1))
    edition = Score("readiness", "How ready?", Fraction(100), Fraction(60), parts, (), bands, origin)
    values = {name: Value.of(Fraction(given)) for name, given in points.items()}
    return score(edition, values, dict.fromkeys(WEIGHTS, "number"))


def test_the_worked_example_with_all_known() -> None:
    found = scored(POINTS)
    assert (found.total, found.low, found.high, found.coverage) == (
        Fraction("72.5"),
        Fraction("72.5"),
        Fraction("72.5"),
        1,
    )
    assert sum(line.contribution for line in found.lines) == found.total


def test_the_worked_example_with_one_part_unknown() -> None:
    found = scored({name: given for name, given in POINTS.items() if name != "revenue_potential"})
    assert found.total == Fraction(5450, 70)
    assert round(float(found.total), 3) == 77.857
    assert (found.low, found.high, found.coverage) == (Fraction("54.5"), Fraction("84.5"), Fraction("0.7"))
    assert found.state == "scored"
    text = (ROOT / "docs" / "explain" / "readiness.md").read_text("utf-8")
    assert all(figure in text for figure in ("**72.5**", "**77.857**", "54.5", "84.5", "0.70"))


@pytest.mark.parametrize(
    ("text", "as_of", "after", "until"),
    [
        ("1 month", "2026-03-31", "2026-02-28", "2026-03-31"),
        ("3 months", "2026-02-28", "2025-11-30", "2026-02-28"),
        ("13 weeks", "2026-10-31", "2026-08-01", "2026-10-31"),
        ("complete 2 months", "2026-10-15", "2026-07-31", "2026-09-30"),
        ("12 months", "2026-10-15", "2025-10-15", "2026-10-15"),
    ],
)
def test_the_windows_of_the_page_on_facts(text: str, as_of: str, after: str, until: str) -> None:
    found = window(text, "", dt.date.fromisoformat(as_of), 1)
    assert found == Window(dt.date.fromisoformat(after), dt.date.fromisoformat(until))
