"""Layers of attention: who brings most, who is capable without anything being run together, the long tail; and nobody."""

from fractions import Fraction

import pytest

from groundswell.core import catalog
from groundswell.core.attention import Attended, attention
from groundswell.core.conditions import Lookup
from groundswell.core.declare import Value
from groundswell.policy import read

F = Fraction
SEGMENTS = catalog.policy(read.texts()).segments
assert SEGMENTS is not None
SIGNALS = ["won_deals", "people_certified", "products_sold", "open_deals", "joint_calls", "deals_worked_together",
           "accounts_in_play", "implementations_completed", "reference_customers", "main_industry_share_of_wins",
           "use_cases_documented"]  # fmt: skip
Figure = int | None | Value


def partner(won: Figure, known: int = 100, **figures: Figure) -> Lookup:
    """A partner of this won revenue, and so many percent of readiness known; figures that are not named are 0."""
    cells = {**dict.fromkeys(SIGNALS, 0), **figures, "won_revenue": won, "readiness.coverage": known}
    values = {
        name: it if isinstance(it, Value) else Value.unknown("not told") if it is None else Value.of(F(it))
        for name, it in cells.items()
    }
    return values.__getitem__


def layers(least: int = 1, **partners: Lookup) -> dict[str, Attended]:
    """The layers of these partners, where so many are enough for layers."""
    own = f'follows = "default"\n[attention]\nleast_partners = {least}\n'
    segments = catalog.policy({**read.texts(), "own/segments.toml": own}).segments
    assert segments is not None
    return attention(segments, partners)


def test_the_largest_that_bring_eighty_percent_are_the_top_and_so_are_their_equals() -> None:
    found = layers(a=partner(50), b=partner(30), c=partner(15), d=partner(5), e=partner(0))
    assert {name: one.layer for name, one in found.items()} == {
        "a": "top", "b": "top", "c": "long tail", "d": "long tail", "e": "long tail",
    }  # fmt: skip
    assert [one.share for one in found.values()] == [50, 30, 15, 5, 0]
    assert {one.layer for one in layers(a=partner(10), b=partner(10), c=partner(10)).values()} == {"top"}


def test_the_capable_are_the_middle_with_what_is_not_run_together_yet() -> None:
    found = layers(
        top=partner(90),
        able=partner(2, people_certified=2, products_sold=2, open_deals=1),
        proven=partner(3, reference_customers=2, won_deals=5, main_industry_share_of_wins=60),
        one=partner(5, implementations_completed=3),
    )
    assert (found["able"].layer, found["able"].has) == ("middle", ("certified_delivery", "stack_experience"))
    assert found["able"].lacks == ("joint_use_case", "co_sell", "field_visibility")
    assert found["proven"].has == ("proven_implementations", "industry_specialisation")
    assert (found["one"].layer, found["one"].has, found["one"].undecided) == (
        "long tail", ("proven_implementations",), (),
    )  # fmt: skip


def test_what_is_not_known_is_no_capability_and_is_said() -> None:
    found = layers(
        top=partner(100), maybe=partner(0, products_sold=2, people_certified=None, reference_customers=None, open_deals=None)
    )  # fmt: skip
    assert found["maybe"].layer == "long tail"
    assert found["maybe"].undecided == ("proven_implementations", "certified_delivery")
    assert "joint_pipeline" not in found["maybe"].lacks


def test_of_whom_too_little_is_known_nobody_says_that_it_is_of_the_long_tail() -> None:
    found = layers(top=partner(100, known=10), dark=partner(0, known=49), able=partner(0, 49, products_sold=2,
                   people_certified=2), lit=partner(0, known=50))  # fmt: skip
    assert [one.layer for one in found.values()] == ["top", "", "middle", "long tail"]
    assert [one.why for one in found.values()] == ["", "known of readiness 49 of 50 percent", "", ""]


def test_revenue_that_is_not_known_is_not_none() -> None:
    found = layers(top=partner(100), some=partner(Value.unknown("1 amount is empty", F(25))), dark=partner(None))
    assert (found["some"].layer, found["some"].share, found["some"].undecided) == ("long tail", 20, ("won_revenue",))
    assert found["some"].band == ""
    assert (found["dark"].layer, found["dark"].share) == ("", None)
    assert found["dark"].why == "won revenue not known (not told)"
    nobody = layers(a=partner(0), b=partner(None))
    assert [(one.layer, one.share) for one in nobody.values()] == [("long tail", None), ("", None)]


@pytest.mark.parametrize(
    ("won", "band"),
    [
        (0, "none"), (1, "below 1M"), (999_999, "below 1M"), (1_000_000, "1M to 5M"), (4_999_999, "1M to 5M"),
        (5_000_000, "5M to 10M"), (10_000_000, "10M or more"), (-5, "none"),
        (Value(F(1), F(900_000)), "below 1M"), (Value(F(1), F(1_000_000)), ""),
    ],
)  # fmt: skip
def test_the_long_tail_is_told_apart_by_bands_of_revenue(won: Figure, band: str) -> None:
    found = layers(top=partner(10**9), tail=partner(won))
    assert (found["tail"].layer, found["tail"].band) == ("long tail", band)
    assert found["top"].band == ""


def test_among_few_partners_there_are_no_layers() -> None:
    three = {name: partner(10 * at, people_certified=2) for at, name in enumerate("abc")}
    found = layers(4, **three)
    assert {(one.layer, one.why) for one in found.values()} == {("", "too few partners for layers: 3 of 4")}
    assert [one.has for one in found.values()] == [("certified_delivery",)] * 3
    assert [one.layer for one in layers(3, **three).values()] == ["long tail", "top", "top"]
    assert attention(SEGMENTS, {}) == {}
    assert attention(SEGMENTS, {"a": partner(1)})["a"].layer == ""
