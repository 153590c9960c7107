"""What a partner can gain at no cost: one person who signs in, opens assets and clicks through courses (B-069)."""

import datetime as dt
from fractions import Fraction

import pytest

from groundswell.core import catalog
from groundswell.core.assess import assess
from groundswell.core.points.score import Scored
from groundswell.policy import read
from tests.core import day

POLICY = catalog.policy(read.texts())
AS_OF = dt.date(2026, 6, 30)
BUDGET = 5
Rows = list[dict[str, object]]


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def world(attack: Rows) -> dict[str, Rows]:
    """A weak partner, everything about it known, beside one that does a little of all; and what the weak one adds."""
    activity = [
        {"partner_id": name, "type": kind, "occurred_on": ago(days), "person_id": f"p_{name}"}
        for name, days in (("other", 20), ("weak", 100), ("other", 800))
        for kind in ("portal_login", "email_sent", "email_replied", "meeting", "training_completed", "asset_opened")
    ]
    deals = [
        {"partner_id": name, "account_id": f"o_{name}", "stage_class": kind, "amount_home": 1000, "occurred_on": ago(days),
         "closed_on": ago(days - 1) if kind == "won" else None, "close_on": ago(days - 400), "product": "basic",
         "type": "renewal", "sourced": True}
        for name, days in (("other", 30), ("weak", 500), ("other", 800))
        for kind in ("open", "won")
    ]  # fmt: skip
    credentials = [{"partner_id": "other", "person_id": "p_other", "code": "c", "kind": "certificate", "level": "associate",
                    "status": "active", "issued_on": ago(300), "live": True}]  # fmt: skip
    joined = [{"partner_id": name, "joined_on": ago(900), "valid_from": ago(900)} for name in ("other", "weak")]
    return {"activities": [*activity, *attack], "deals": deals, "credentials": credentials, "memberships": joined}


def scored(attack: Rows) -> Scored:
    engine = day.engine()
    try:
        day.lay(engine, ["other", "weak"], world(attack))
        found = assess(POLICY, AS_OF, engine.ask)
    finally:
        engine.close()
    return next(one.readiness for one in found.partners if one.partner_id == "weak")


def clicks() -> Rows:
    """Every day of a quarter one person signs in, opens an asset and completes a course."""
    return [
        {"partner_id": "weak", "type": kind, "occurred_on": ago(days), "person_id": "p_weak"}
        for days in range(91)
        for kind in ("portal_login", "asset_opened", "training_started", "training_completed")
    ]


def gains() -> dict[str, Fraction]:
    """Points of the whole score that each line gives more after the attack; all of it is the partner's own doing."""
    before, after = scored([]), scored(clicks())
    assert before.total is not None
    assert after.total is not None
    assert (before.state, before.coverage, after.coverage) == ("scored", 1, 1)
    found = {
        then.line.name: now.contribution - then.contribution
        for then, now in zip(before.lines, after.lines, strict=True)
        if now.contribution != then.contribution
    }
    assert sum(found.values()) == after.total - before.total
    return found


@pytest.mark.xfail(strict=True, reason="readiness 2026-01-01 gives 17.83 points: 14 of them for weeks with a sign-in")
def test_clicks_of_one_person_add_at_most_five_points() -> None:
    assert sum(gains().values()) <= BUDGET


def test_only_lines_about_clicks_are_moved_by_clicks() -> None:
    """Revenue, market and certificates stand apart from what one person can click together."""
    assert gains().keys() <= {"weeks_with_sign_in", "people_active", "courses_completed"}


def test_more_clicks_on_the_same_days_add_nothing() -> None:
    assert scored(clicks() * 5).parts[0] == scored(clicks()).parts[0]
