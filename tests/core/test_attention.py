"""Tiers of attention: who brings most, who is capable without anything being run together, and the long tail."""

from fractions import Fraction

from groundswell.core import catalog
from groundswell.core.attention import Attended, attention
from groundswell.core.conditions import Lookup
from groundswell.core.declare import Value
from groundswell.policy import read

F = Fraction
SEGMENTS = catalog.policy(read.texts()).segments
assert SEGMENTS is not None


def partner(won: int | None, **figures: int | None) -> Lookup:
    signals = ["won_deals", "people_certified", "professional_certificates", "products_sold", "open_deals",
               "meetings_last_quarter", "accounts_in_play"]  # fmt: skip
    cells = {**dict.fromkeys(signals, 0), **figures, "won_revenue": won}
    values = {n: Value.unknown("not told") if it is None else Value.of(F(it)) for n, it in cells.items()}
    return values.__getitem__


def tiers(**partners: Lookup) -> dict[str, Attended]:
    return attention(SEGMENTS, partners)


def test_the_largest_that_bring_eighty_percent_are_the_top_and_so_are_their_equals() -> None:
    found = tiers(a=partner(50), b=partner(30), c=partner(15), d=partner(5), e=partner(0))
    assert {name: one.tier for name, one in found.items()} == {
        "a": "top", "b": "top", "c": "long tail", "d": "long tail", "e": "long tail",
    }  # fmt: skip
    assert [one.share for one in found.values()] == [50, 30, 15, 5, 0]
    assert {one.tier for one in tiers(a=partner(10), b=partner(10), c=partner(10)).values()} == {"top"}
    assert {one.tier for one in tiers(a=partner(0), b=partner(None)).values()} == {"long tail"}


def test_the_capable_are_the_middle_with_what_is_not_run_together_yet() -> None:
    found = tiers(
        top=partner(90), able=partner(2, people_certified=2, products_sold=2, open_deals=1), one=partner(8, won_deals=3)
    )
    assert (found["able"].tier, found["able"].has) == ("middle", ("certified_delivery", "breadth"))
    assert found["able"].lacks == ("co_sell", "field_visibility")
    assert (found["one"].tier, found["one"].undecided) == ("long tail", ())


def test_what_is_not_known_is_no_capability_and_is_said() -> None:
    found = tiers(top=partner(100), maybe=partner(0, won_deals=3, people_certified=None, open_deals=None))
    assert (found["maybe"].tier, found["maybe"].undecided) == ("long tail", ("certified_delivery",))
    assert "joint_pipeline" not in found["maybe"].lacks
