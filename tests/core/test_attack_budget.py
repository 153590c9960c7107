"""What a partner can gain at no cost: figures that one person, a program or a made-up row could bring about.

Each attack has its budget, in points of the whole score, with everything known. The reasons stand at the tests and in
decisions/0003. What is not known is another matter: there the known lines carry their part, and the range says so.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import pytest

from groundswell.core import catalog
from groundswell.core.assess import assess
from groundswell.core.points.score import Scored
from groundswell.core.signals import shapes
from groundswell.policy import read
from tests.core import day

POLICY = catalog.policy(read.texts())
AS_OF = dt.date(2026, 6, 30)
FREE = 5
"""For what costs nobody anything: below it no order of two partners that differ in what they do is turned round."""
DEALS = 35
"""For deals that do not exist: our own sellers enter a deal or let it in, and until its day nothing tells it apart."""
READY = next(Fraction(start) for name, start in POLICY.scores["readiness"][0].bands if name == "moderate")
MINUTES = (
    "portal_login",
    "asset_opened",
    "training_started",
    "training_completed",
    "webinar_attended",
    "campaign_response",
)
Rows = list[dict[str, object]]
Tables = dict[str, Rows]


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def world(joined: int = 900, met: bool = False, without: Iterable[str] = ()) -> Tables:
    """A weak partner, everything about it known, beside one that does a little of all.

    `met`: we met the weak one once this quarter. `without` are types of activity that no source brings.
    """
    activities = [
        {"partner_id": name, "type": kind, "occurred_on": ago(days), "person_id": f"p_{name}"}
        for name, days in (("other", 20), ("weak", 100), ("other", 800), *[("weak", 30)] * met)
        for kind in (
            *(() if days == 30 else MINUTES),
            "email_sent",
            *(() if days == 30 else ("email_replied",)),
            "meeting",
        )
    ]
    activities += [
        {"partner_id": "other", "type": "asset_shared", "occurred_on": ago(700), "person_id": "p_other", "deal_id": "d"}
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
    members = [{"partner_id": name, "joined_on": ago(joined), "valid_from": ago(joined)} for name in ("other", "weak")]
    kept: Rows = [row for row in activities if row["type"] not in set(without)]
    return {"activities": kept, "deals": deals, "credentials": credentials, "memberships": members}


def scored(base: Tables, attack: Tables | None = None) -> Scored:
    """The readiness of the weak partner, with the rows of the attack laid beside those of the world."""
    attack = attack or {}
    engine = day.engine()
    try:
        day.lay(
            engine,
            ["other", "weak"],
            {name: [*base.get(name, ()), *attack.get(name, ())] for name in base.keys() | attack.keys()},
        )
        found = assess(POLICY, AS_OF, engine.ask)
    finally:
        engine.close()
    return next(one.readiness for one in found.partners if one.partner_id == "weak")


def gains(base: Tables, attack: Tables) -> dict[str, Fraction]:
    """Points of the whole score that each line, or penalty, gives more after the attack."""
    before, after = scored(base), scored(base, attack)
    assert before.total is not None
    assert after.total is not None
    assert (before.coverage, after.coverage) == (1, 1)
    found = dict.fromkeys([line.line.name for line in (*before.lines, *after.lines)], Fraction(0))
    for sign, one in ((-1, before), (1, after)):
        for line in one.lines:
            found[line.line.name] += sign * line.contribution
        for name, points in one.deductions:
            found[name] = found.get(name, Fraction(0)) + sign * points
    assert sum(found.values()) == after.total - before.total
    return {name: points for name, points in found.items() if points}


# -------------------------------------------------------------------------------------------------------- the attacks


def clicks(people: int = 1) -> Tables:
    """Every day of a quarter each of these people signs in, opens an asset, completes a course, answers a campaign."""
    return {
        "activities": [
            {"partner_id": "weak", "type": kind, "occurred_on": ago(days), "person_id": f"p_{person}"}
            for days in range(91)
            for person in range(people)
            for kind in MINUTES
        ]
    }


def answers(people: int = 1) -> Tables:
    """The same, and a program that answers each of our mails within the day."""
    mails: Rows = [
        {"partner_id": "weak", "type": "email_replied", "occurred_on": ago(days), "person_id": f"p_{person}"}
        for days in range(91)
        for person in range(people)
    ]
    return {"activities": [*clicks(people)["activities"], *mails]}


def registrations() -> Tables:
    """Two hundred claims to customers that do not exist, in one quarter; the first half of them approved."""
    return {
        "registrations": [
            {"partner_id": "weak", "customer_name": f"Made up {n}", "account_id": f"o_{n}", "occurred_on": ago(n % 91),
             "state": "approved" if n < 100 else "submitted"}
            for n in range(200)
        ]
    }  # fmt: skip


def deals(stage: str, planned: int = -100) -> Tables:
    """Fifty large deals of new business with customers that do not exist, `planned` to close so many days ago."""
    return {
        "deals": [
            {"partner_id": "weak", "account_id": f"o_{n}", "stage_class": stage, "amount_home": 1_000_000, "type": "new",
             "occurred_on": ago(n % 91), "closed_on": ago(0) if stage == "lost" else None, "close_on": ago(planned),
             "product": f"product {n % 9}", "sourced": True}
            for n in range(50)
        ]
    }  # fmt: skip


def readings() -> Tables:
    """A hundred readings that the partner gives of itself, of every kind that a signal reads, at their best."""
    kinds = sorted(
        {
            word
            for signal in POLICY.signals.values()
            for half in shapes.halves(signal.measure)
            if half.table == "readings" and (where := shapes.condition(half, dict(POLICY.lists)))
            for word in where.words("kind")
        }
    )
    return {
        "readings": [
            {"partner_id": "weak", "kind": kinds[n % len(kinds)], "value": 100, "occurred_on": ago(n), "period_from": ago(n),
             "period_to": ago(n)}
            for n in range(100)
        ]
    }  # fmt: skip


def certificates() -> Tables:
    """Ten people with a live certificate of the highest level."""
    return {
        "credentials": [
            {"partner_id": "weak", "person_id": f"p_{n}", "code": "c", "kind": "certificate", "level": "expert",
             "status": "active", "issued_on": ago(30), "live": True}
            for n in range(10)
        ]
    }  # fmt: skip


def together(*attacks: Tables) -> Tables:
    return {
        name: [row for one in attacks for row in one.get(name, ())] for name in {key for one in attacks for key in one}
    }


# -------------------------------------------------------------------------------------------------------- the budgets


@pytest.mark.parametrize("met", [False, True], ids=["nobody met", "met once"])
@pytest.mark.parametrize("people", [1, 2, 20], ids=["one person", "two together", "twenty accounts"])
@pytest.mark.parametrize("attack", [clicks, answers])
def test_what_people_do_alone_adds_at_most_five_points(attack: Callable[[int], Tables], people: int, met: bool) -> None:
    """Sign-ins, assets, courses and answers are free, for one as for many: a second account takes a minute."""
    assert sum(gains(world(met=met), attack(people)).values()) <= FREE


def test_what_people_do_alone_counts_only_beside_a_conversation() -> None:
    """Nothing without a meeting, and with one only the two lines that are about it; a course counts once it is used."""
    assert gains(world(), answers(20)) == {}
    assert gains(world(met=True), answers(20)).keys() == {"weeks_with_sign_in", "days_since_last_reply"}


@pytest.mark.parametrize("attack", [clicks, answers])
def test_where_no_source_brings_meetings_clicks_do_not_stand_for_engagement(attack: Callable[[int], Tables]) -> None:
    """Known lines carry a part of which the others are unknown, so that a small weight would not be small there."""
    base = world(without=("meeting",))
    before, after = scored(base), scored(base, attack(2))
    assert before.total == after.total
    assert after.parts[0].points is None


def test_more_clicks_on_the_same_days_add_nothing() -> None:
    once = answers()
    assert scored(world(met=True), together(*[once] * 5)).parts[0] == scored(world(met=True), once).parts[0]


def test_claims_without_a_deal_add_nothing() -> None:
    """Registering is free: a claim is worth what becomes of it."""
    assert gains(world(met=True), registrations()) == {}


def test_what_a_partner_says_of_itself_adds_nothing() -> None:
    """Nobody confirms a reading that is told: it is shown, and no line reads it."""
    assert len(readings()["readings"]) == 100
    assert gains(world(met=True), readings()) == {}


def test_made_up_deals_that_are_lost_add_nothing() -> None:
    """A lost deal is not in play, however many there are."""
    assert gains(world(met=True), deals("lost")) == {}


@pytest.mark.parametrize("met", [False, True], ids=["nobody met", "met once"])
def test_made_up_deals_left_open_stay_within_the_budget_of_deals(met: bool) -> None:
    """Not free: each passes a seller of ours. Four are worth as much as fifty, and overdue ones cost six points."""
    assert sum(gains(world(met=met), deals("open")).values()) <= DEALS
    few = {name: rows[:4] for name, rows in deals("open").items()}
    assert sum(gains(world(met=met), few).values()) == sum(gains(world(met=met), deals("open")).values())
    overdue = gains(world(met=met), deals("open", planned=1))
    assert sum(overdue.values()) <= DEALS - 6
    assert overdue["overdue_open_deals"] == -6


@pytest.mark.parametrize(
    "base",
    [world(), world(met=True), world(joined=100), world(joined=100, met=True)],
    ids=["nobody met", "met once", "just joined", "just joined and met once"],
)
def test_all_of_it_together_makes_nobody_ready(base: Tables) -> None:
    """Every attack at once, a conversation with us and few parts that count among them, stays below ready."""
    found = scored(base, together(answers(20), registrations(), deals("open"), readings()))
    assert found.total is not None
    assert found.total < READY


def test_badges_and_clicks_alone_make_nobody_ready() -> None:
    """Certificates cost an exam and are worth ten points; with all that is free they are still far from ready."""
    found = scored(world(met=True), together(certificates(), answers(20), readings()))
    assert found.total is not None
    assert found.total < READY


def test_who_is_met_and_has_deals_is_ready_without_a_click() -> None:
    """The budgets take nothing from partners that work with us: four people met, four customers, and no sign-in."""
    calls: Rows = [
        {"partner_id": "weak", "type": "meeting", "occurred_on": ago(10 * n), "person_id": f"p_{n}"} for n in range(4)
    ]
    found = scored(world(), together({"activities": calls}, deals("open")))
    assert found.total is not None
    assert found.total >= READY


def test_the_bar_of_ready_is_that_of_the_segment() -> None:
    assert POLICY.segments is not None
    ready: Sequence[str] = next(row.all for row in POLICY.segments.rows if row.name == "ready")
    assert f"readiness.total >= {READY}" in ready
