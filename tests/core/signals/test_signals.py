"""Every shipped signal gives the value that its case file states, for literal rows, and has a case file."""

import datetime as dt
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from groundswell.core import catalog
from groundswell.core.assess import assess
from groundswell.core.declare import Policy
from groundswell.engine.duckdb import Engine
from groundswell.policy import read
from tests.core import day

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*/*.toml"))
TABLES = ("activities", "deals", "deal_stages", "credentials", "memberships", "registrations", "subscriptions", "funds",
          "readings", "overlaps")  # fmt: skip


def cases() -> Iterator[Any]:
    for file in FILES:
        for case in tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)["case"]:
            yield pytest.param(file.stem, case, id=f"{file.stem}: {case['says']}")


def rows(table: list[list[object]]) -> list[dict[str, object]]:
    """Rows by name; the first line of a table names its columns."""
    head, *body = table
    return [dict(zip(map(str, head), row, strict=True)) for row in body]


def expected(text: str) -> tuple[str, object, object]:
    """State and ends of: known 3, at least 3, at most 3, between 1 and 3, unknown, unavailable, not applicable."""
    if text in ("unknown", "unavailable", "not applicable"):
        return text, None, None
    state, *numbers = text.replace(" and ", " ").replace("at least", "at-least").replace("at most", "at-most").split()
    low, high = Fraction(numbers[0]), Fraction(numbers[-1])
    return {
        "known": ("known", low, high),
        "at-least": ("at least", low, None),
        "at-most": ("unknown", None, high),
        "between": ("between", low, high),
    }[state]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return catalog.policy(read.texts())


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = day.engine()
    yield made
    made.close()


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_a_signal_gives_the_value_that_its_case_states(
    name: str, case: dict[str, Any], policy: Policy, engine: Engine
) -> None:
    partners = sorted(case["expect"])
    unknown_keys = set(case) - {"says", "as_of", "expect", *TABLES}
    assert not unknown_keys
    day.lay(engine, partners, {table: rows(case[table]) for table in TABLES if table in case})
    as_of: dt.date = case["as_of"]
    found = {one.partner_id: one.values[name] for one in assess(policy, as_of, engine.ask).partners}
    assert {key: day.said(value) for key, value in found.items()} == {
        key: expected(text) for key, text in case["expect"].items()
    }
    assert all(value.known or value.why for value in found.values())


def test_every_shipped_signal_has_a_case_file_in_the_folder_of_its_dimension_and_no_case_file_lacks_a_signal(
    policy: Policy,
) -> None:
    tested = {file.stem: file.parent.name for file in FILES}
    assert tested == {name: signal.dimension for name, signal in policy.signals.items()}


def test_every_case_file_shows_zero_or_unknown_beside_a_value_and_what_makes_it_unavailable() -> None:
    for file in FILES:
        told = [text for case in tomllib.loads(file.read_text("utf-8"))["case"] for text in case["expect"].values()]
        assert "unavailable" in told, file
        assert any(text.startswith("known") and text != "known 0" for text in told), file
        assert {"known 0", "unknown", "not applicable"} & set(told), file
