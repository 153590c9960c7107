"""A source that stops is named; partners that lose interest one by one are not taken for it."""

import datetime as dt
import random

from tests.river import assess, take_in_text

from groundswell.engine.home import Home

HEAD = "partner_id,occurred_at,type,source_id\n"
FIRST = dt.date(2026, 4, 1)


def weekly(partners: int, ends: dict[int, dt.date], until: dt.date, key: str = "") -> str:
    """About one activity a week of each partner, until it ends."""
    chance, rows = random.Random(3), []
    for number in range(partners):
        day = FIRST + dt.timedelta(days=chance.randrange(7))
        while day <= min(ends.get(number, until), until):
            rows.append(f"P{number},{day},portal_login,{key}{len(rows)}\n")
            day += dt.timedelta(days=chance.randint(5, 9))
    return HEAD + "".join(rows)


def said(home: Home, as_of: str) -> list[str]:
    return [remark for remark in assess(home, as_of).manifest["remarks"] if "fell silent" in remark]


def test_a_source_that_stops_is_named_with_the_day(home: Home) -> None:
    take_in_text(home, "portal.csv", weekly(30, {}, dt.date(2026, 7, 15)), "2026-09-30", source="portal")
    take_in_text(home, "mail.csv", weekly(30, {}, dt.date(2026, 9, 30), "m"), "2026-09-30", source="mail")
    (remark,) = said(home, "2026-09-30")
    assert remark.startswith("30 of 30 partners that were regularly active in portal fell silent about 2026-07-1")
    assert said(home, "2026-10-05")[0].startswith("30 of 30")


def test_partners_that_go_one_by_one_are_no_outage(home: Home) -> None:
    ends = {number: dt.date(2026, 5, 1) + dt.timedelta(days=25 * number) for number in range(6)}
    take_in_text(home, "portal.csv", weekly(30, ends, dt.date(2026, 9, 30)), "2026-09-30", source="portal")
    assert said(home, "2026-09-30") == []


def test_a_third_that_stops_at_once_is_named_and_a_handful_is_not(home: Home) -> None:
    stop = dt.date(2026, 7, 15)
    take_in_text(
        home, "a.csv", weekly(30, dict.fromkeys(range(10), stop), dt.date(2026, 9, 30)), "2026-09-30", source="a"
    )
    take_in_text(
        home, "b.csv", weekly(30, dict.fromkeys(range(4), stop), dt.date(2026, 9, 30), "b"), "2026-09-30", source="b"
    )
    (remark,) = said(home, "2026-09-30")
    assert remark.startswith("10 of 30 partners that were regularly active in a ")


def test_what_counts_as_stopped_is_a_bound_of_policy(home: Home) -> None:
    """A handful that stops at once is named where four are enough, unless more days than they have make a regular."""
    ends = dict.fromkeys(range(4), dt.date(2026, 7, 15))
    take_in_text(home, "b.csv", weekly(15, ends, dt.date(2026, 9, 30)), "2026-09-30", source="b")
    assert said(home, "2026-09-30") == []
    for bounds, named in (
        ("", 1),
        ("outage_active_days = 40\n", 0),
        ("outage_window_days = 80\n", 0),
        ("outage_silent_gaps = 40\n", 0),
    ):
        own = home.path / "policy" / "limits.toml"
        own.parent.mkdir(exist_ok=True)
        own.write_text(f'follows = "default"\n[bounds]\noutage_partners = 4\n{bounds}', "utf-8")
        assert len(said(Home(home.path), "2026-09-30")) == named, bounds
