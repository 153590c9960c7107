"""Instances whose readiness is what a survey says, so that a table of points is a table of what a source says."""

from calendar import monthrange
from collections.abc import Mapping

from groundswell.engine.home import Home
from tests.river import take_in_text

SCORE = """question = "What did the last survey say?"
out_of = 100
combine = "weighted"
enough_known = 60
missing = "leave out"
band_names = [["none", 0], ["minimal", 40], ["moderate", 60], ["high", 80]]
why = "One line, so that a table of points is a table of what the source says."
source = "tests"
since = 2026-01-01
[[part]]
name = "capability"
weight = 1
[[part.line]]
signal = "customer_satisfaction"
weight = 1
low = 0
high = 100
"""


def with_points_as_told(home: Home, since: str = "2026-01-01", full: int = 100) -> Home:
    """The instance with a readiness that is the last reading of a survey: point for point where full is at 100.

    It is given anew: what an instance has read of its policy, it keeps.
    """
    path = home.path / "policy" / "scores" / "readiness" / f"{since}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        SCORE.replace("since = 2026-01-01", f"since = {since}").replace("high = 100", f"high = {full}"), "utf-8"
    )
    return Home(home.path)


def survey(home: Home, day: str, points: Mapping[str, int]) -> None:
    """What the survey of a day says of partners, exported on it."""
    rows = "".join(f"{partner},csat,{figure},{day},{day}\n" for partner, figure in points.items())
    take_in_text(home, f"survey{day}.csv", f"partner_id,kind,value,period_from,period_to\n{rows}", day)


def month_ends(first: str, count: int) -> list[str]:
    year, month = map(int, first.split("-")[:2])
    months = [divmod(year * 12 + month - 1 + number, 12) for number in range(count)]
    return [f"{y}-{m + 1:02}-{monthrange(y, m + 1)[1]}" for y, m in months]
