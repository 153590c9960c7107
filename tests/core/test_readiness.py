"""What keeps a partner from more points: the lines that would add most, with what to do or what to find out."""

import datetime as dt
from fractions import Fraction

from groundswell.core import catalog
from groundswell.core.declare import Value
from groundswell.core.points.score import Scored
from groundswell.core.readiness import gaps, readiness
from groundswell.core.signals.shapes import signal_kinds
from groundswell.policy import read

F = Fraction

POLICY = catalog.policy(read.texts())
DAY = dt.date(2026, 6, 30)
BEST = {
    "weeks_with_sign_in": 13, "people_met": 4, "days_since_last_reply": 1, "meetings_last_quarter": 3, "open_pipeline": 250000,
    "won_revenue": 500000, "won_revenue_growth": 25, "accounts_in_play": 4, "products_sold": 3, "new_business_share": 50,
    "people_certified": 5, "professional_certificates": 3, "people_who_applied_courses": 2,
    "overdue_open_deals": 0, "days_since_joined": 1000,
}  # fmt: skip


def judged(**others: Value | int) -> Scored:
    values = {name: Value.of(F(number)) for name, number in BEST.items()}
    values |= {name: it if isinstance(it, Value) else Value.of(F(it)) for name, it in others.items()}
    return readiness(POLICY, values, signal_kinds(POLICY.signals), DAY)


def test_the_best_of_everything_is_a_hundred_and_leaves_no_gap() -> None:
    found = judged()
    assert (found.total, found.low, found.high, found.coverage, found.band) == (100, 100, 100, 1, "high")
    assert gaps(found, POLICY.signals) == ()


def test_default_weights_are_thirty_five_thirty_twenty_five_ten() -> None:
    shares = {part.name: part.share * 100 for part in judged().parts}
    assert shares == {"engagement": 35, "revenue_potential": 30, "market_alignment": 25, "capability": 10}


def test_the_gap_is_what_its_line_would_still_add_and_its_remedy_is_the_signals() -> None:
    found = judged(products_sold=1, people_who_applied_courses=0)
    first, second = gaps(found, POLICY.signals)
    assert (first.signal, first.gain, first.known) == ("products_sold", F(25, 4) * 2 / 3, True)
    assert first.remedy == POLICY.signals["products_sold"].remedy
    assert (second.signal, second.gain) == ("people_who_applied_courses", F(10, 4))
    assert found.total == 100 - first.gain - second.gain


def test_what_is_unknown_asks_to_find_out_why() -> None:
    found = judged(open_pipeline=Value.unknown("2 of 3 rows leave amount_home empty"))
    only = gaps(found, POLICY.signals)[0]
    assert (only.signal, only.known, only.gain) == ("open_pipeline", False, 15)
    assert only.remedy == "Find out: 2 of 3 rows leave amount_home empty."


def test_the_largest_gaps_come_first_and_equal_ones_by_name() -> None:
    found = judged(people_met=0, open_pipeline=0, won_revenue=0, won_revenue_growth=-50)
    assert [gap.signal for gap in gaps(found, POLICY.signals, 9)] == [
        "open_pipeline",
        "people_met",
        "won_revenue",
        "won_revenue_growth",
    ]
    assert len(gaps(found, POLICY.signals, 2)) == 2


def test_what_does_not_apply_is_no_gap() -> None:
    found = judged(won_revenue_growth=Value.not_applicable("nothing to grow from"))
    assert (found.total, gaps(found, POLICY.signals)) == (100, ())


def test_overdue_deals_are_a_penalty_and_the_newly_joined_are_provisional() -> None:
    assert judged(overdue_open_deals=6).total == 94
    new = judged(days_since_joined=179, weeks_with_sign_in=0)
    assert (new.state, new.total, {part.name for part in new.parts}) == (
        "provisional",
        100,
        {"market_alignment", "capability"},
    )
