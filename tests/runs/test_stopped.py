"""A run keeps which sources had stopped, so that a page can say so without working it out."""

import datetime as dt

from tests.river import assess, take_in_text

from groundswell.engine.home import Home

WEEKS, LAST = 12, dt.date(2026, 6, 1)


def test_a_source_that_fell_silent_for_everybody_stands_in_the_manifest(home: Home) -> None:
    partners = [f"P{number}" for number in range(6)]
    take_in_text(
        home, "partners.csv", "partner_id,partner_name\n" + "".join(f"{one},{one}\n" for one in partners), "2026-03-01"
    )
    days = [LAST - dt.timedelta(days=7 * week) for week in range(WEEKS)]
    rows = "".join(f"{one},portal_login,{day}\n" for one in partners for day in days)
    take_in_text(home, "activities.csv", f"partner_id,type,occurred_at\n{rows}", "2026-08-01", source="portal")
    assert assess(home, str(LAST)).manifest["stopped"] == {}
    manifest = assess(home, "2026-08-01").manifest
    assert manifest["stopped"] == {"portal": {"last_on": str(LAST), "partners": 6, "regulars": 6}}
