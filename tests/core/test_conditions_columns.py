"""Conditions asked of many partners at once: of each the answer of the exact rule."""

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core import conditions, conditions_columns
from groundswell.core.conditions import parse
from groundswell.core.declare import Scalar, Value
from groundswell.core.signals.columns import Columns
from tests.core.columns import gathered

F = Fraction
KINDS = {"x": "number", "y": "number", "flag": "bool", "other": "bool", "tier": "text", "joined": "date"}


def _values(scalars: st.SearchStrategy[Scalar]) -> st.SearchStrategy[Value]:
    """Known, at least, at most, between, unknown, not applicable, unavailable."""
    ordered = st.tuples(scalars, scalars).map(lambda two: sorted(two))  # type: ignore[type-var]
    return (
        scalars.map(Value.of)
        | scalars.map(lambda low: Value(low, None))
        | scalars.map(lambda high: Value(None, high))
        | ordered.map(lambda two: Value(two[0], two[1]))
        | st.sampled_from([Value.unknown("?"), Value.not_applicable("none"), Value.unavailable("no source")])
    )


_NUMBERS = st.sampled_from([F(0), F(1), F(2), F(3), F(7, 2)])
_PARTNERS = st.fixed_dictionaries(
    {
        "x": _values(_NUMBERS),
        "y": _values(_NUMBERS),
        "flag": st.sampled_from([Value.of(True), Value.of(False), Value(False, True), Value.unknown("?")])
        | st.just(Value.not_applicable("none")),
        "other": st.sampled_from([Value.of(True), Value.of(False)]),
        "tier": st.sampled_from(["gold", "Gold", "silver"]).map(Value.of)
        | st.sampled_from([Value.unknown("?"), Value.not_applicable("none")]),
        "joined": _values(st.sampled_from([dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 5, 1)])),
    }
)
_LEAVES = [
    "x > 2", "x >= 2", "x < 2", "x <= 2", "x = 2", "x <> 2", "2 < x", "x > -1", "x = y", "x <> y", "x < y", "y >= x",
    "x between 1 and 3", "x not between 1 and 3", "x in (1, 3)", "x not in (1, 3)", "x is null", "x is not null",
    "flag", "not flag", "flag = true", "flag <> other", "true", "false", "tier = 'gold'", "tier <> 'gold'",
    "tier in ('gold', 'silver')", "tier like 'g%'", "tier not like '%old'", "lower(tier) = 'gold'",
    "lower(tier) like 'go%'", "tier > 'h'", "tier is null", "joined >= date '2026-01-01'", "joined = date '2026-01-01'",
    "joined between date '2026-01-01' and date '2026-03-31'", "x < 3.5", "x = 3.5",
]  # fmt: skip
_CONDITIONS = st.recursive(
    st.sampled_from(_LEAVES),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda three: f"({three[0]}) {three[1]} ({three[2]})"
        )
        | inner.map(lambda one: f"not ({one})")
    ),
    max_leaves=4,
)


def held(text: str, partners: list[dict[str, Value]]) -> conditions_columns.Held:
    columns = {name: gathered([partner[name] for partner in partners]) for name in KINDS}
    return conditions_columns.holds(parse(text, KINDS), columns.__getitem__, len(partners))


def answers(said: conditions_columns.Held) -> list[bool | None]:
    return [True if yes else False if no else None for yes, no in zip(said.yes, said.no, strict=True)]


@given(_CONDITIONS, st.lists(_PARTNERS, min_size=1, max_size=12))
@settings(max_examples=400, deadline=None)
def test_every_partner_gets_the_answer_of_the_exact_rule(text: str, partners: list[dict[str, Value]]) -> None:
    said = held(text, partners)
    exact = [conditions.holds(parse(text, KINDS), partner.__getitem__) for partner in partners]
    sure = [
        mine for mine, unsure in zip(zip(answers(said), exact, strict=True), said.unsure, strict=True) if not unsure
    ]
    assert all(mine is theirs for mine, theirs in sure)
    assert said.unknown.tolist() == [answer is None for answer in answers(said)]


@pytest.mark.parametrize("text", _LEAVES)
def test_every_form_is_answered(text: str) -> None:
    partner = {
        "x": Value.of(F(2)), "y": Value(F(1), F(3)), "flag": Value(False, True), "other": Value.of(True),
        "tier": Value.of("Gold"), "joined": Value.unknown("?", None),
    }  # fmt: skip
    said = held(text, [partner, partner | {"x": Value.not_applicable("none"), "tier": Value.of("gold")}])
    exact = conditions.holds(parse(text, KINDS), partner.__getitem__)
    assert answers(said)[0] is exact


def test_only_a_rounded_value_close_to_what_it_is_compared_with_is_unsure() -> None:
    below = 28.999999999999996
    rounded = Columns.of(np.array([below, 29.0, 28.5, np.nan]), np.array([below, 29.0, 28.5, np.nan]))
    said = conditions_columns.holds(parse("x >= 29", KINDS), {"x": rounded}.__getitem__, 4)
    assert said.unsure.tolist() == [True, False, False, False]
    third = Columns.of(np.array([1 / 3]), np.array([1 / 3]))
    assert conditions_columns.holds(parse("x = y", KINDS), lambda _: third, 1).unsure.tolist() == [True]
