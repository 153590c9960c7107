"""The SQL of every shipped signal says what plain Python says, over random small tables full of edges and gaps."""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlglot import exp

from groundswell.core import catalog
from groundswell.core.assess import assess
from groundswell.core.declare import Policy
from groundswell.core.signals import shapes
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.views import REACHING
from groundswell.engine.duckdb import Engine
from groundswell.policy import read
from tests.core import day
from tests.core.signals import plain

PARTNERS = "abcd"
WORLDS = 13
"""With 83 signals in each: more than a thousand comparisons, of four partners each."""
DAYS = (dt.date(2026, 6, 30), dt.date(2024, 2, 29), dt.date(2026, 3, 17), dt.date(2025, 12, 31))
EDGES = (0, 1, 30, 59, 60, 61, 89, 90, 91, 92, 181, 182, 183, 184, 364, 365, 366, 367, 729, 730, 731, 732)
"""Days ago at which a window or a limit of a shipped signal begins or ends."""

MANY = {"activities": 5, "registrations": 3, "funds": 3}
"""Tables of which signals look for rare things, and how many times as many rows they get."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return catalog.policy(read.texts())


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = day.engine()
    yield made
    made.close()


def words(policy: Policy) -> dict[tuple[str, str], list[str]]:
    """The texts with which conditions of shipped signals compare each column: (table, column) -> words."""
    found: dict[tuple[str, str], set[str]] = {}
    for signal in policy.signals.values():
        for half in shapes.halves(signal.measure):
            for condition in shapes.conditions_of(half, {}):
                for node in condition.tree.walk():
                    if isinstance(node, exp.Literal) and node.is_string and node.parent is not None:
                        for column in node.parent.find_all(exp.Column):
                            found.setdefault((half.table, column.name), set()).add(node.name)
    return {place: sorted(said) for place, said in found.items()}


def world(seed: int, as_of: dt.date, known: dict[tuple[str, str], list[str]]) -> dict[str, list[dict[str, Any]]]:
    """Random rows of every table that signals read. Some columns have gaps; ids, groups and days come again."""
    chance = random.Random(seed)

    def cell(table: str, name: str, kind: str) -> Any:
        if kind in ("date", "instant"):
            ago = chance.choice(EDGES) if chance.random() < 0.6 else chance.randrange(900)
            ahead = name not in ("occurred_on", "issued_on") and chance.random() < 0.2
            return as_of + dt.timedelta(days=ago) if ahead else as_of - dt.timedelta(days=ago)
        if kind == "bool":
            return chance.random() < 0.6
        if kind in ("money", "number", "share", "int"):
            return chance.choice((0, 1, 1, 2, 5, 24, 25, -3, 1000))
        if kind == "list":
            return sorted(chance.sample(("growth", "target", "other"), chance.randrange(3)))
        if kind == "id":
            return f"{name}-{chance.randrange(4)}"
        return chance.choice([*known.get((table, name), ()), "x", "y"])

    tables: dict[str, list[dict[str, Any]]] = {}
    for table in REACHING:
        private = shapes.personal(table)
        kinds = {name: kind for name, kind in shapes.kinds(table).items() if name not in private and kind != "instant"}
        filled = {"occurred_on", "partner_id", *_never_empty(table)}
        gaps = {name for name in kinds if chance.random() < 0.25} - filled
        tables[table] = [
            {name: None if name in gaps and chance.random() < 0.3 else cell(table, name, kind) for name, kind in kinds.items()}
            | {"partner_id": chance.choice(PARTNERS), "row_hash": f"{chance.randrange(10**6)}-{number}"}
            | {"known_at": dt.datetime(2026, 1, 1 + chance.randrange(3), tzinfo=dt.UTC)}
            | ({TABLES[table].identity: f"{table}-{number}"} if TABLES[table].identity else {})
            for number in range(chance.choice((4, 12, 40)) * MANY.get(table, 1))
        ]  # fmt: skip
    return tables


def _never_empty(table: str) -> set[str]:
    """Columns without which a row is not taken in. Identities are folded from mentions too, which have few columns."""
    contract = TABLES[table]
    return set() if contract.identity else {column.name for column in contract.columns if column.required}


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_sql_of_every_signal_says_what_plain_python_says(seed: int, policy: Policy, engine: Engine) -> None:
    as_of = DAYS[seed % len(DAYS)]
    tables = {
        table: [plain.whole(table, row) for row in rows] for table, rows in world(seed, as_of, words(policy)).items()
    }
    day.lay(engine, PARTNERS, tables)
    found = {one.partner_id: one.values for one in assess(policy, as_of, engine.ask).partners}
    for partner in PARTNERS:
        told = plain.values_of(policy, partner, tables, as_of)
        differs = {
            name: (day.said(found[partner][name]), day.said(value))
            for name, value in told.items()
            if day.said(found[partner][name]) != day.said(value)
        }
        assert differs == {}


def test_the_random_worlds_say_something_of_every_signal(policy: Policy) -> None:
    """A comparison of nothing with nothing would prove nothing: every signal is known, and above 0, somewhere."""
    known = words(policy)
    told: set[str] = set()
    for seed in range(WORLDS):
        as_of = DAYS[seed % len(DAYS)]
        tables = {table: [plain.whole(table, row) for row in rows] for table, rows in world(seed, as_of, known).items()}
        for partner in PARTNERS:
            values = plain.values_of(policy, partner, tables, as_of)
            told |= {name for name, value in values.items() if value.known and value.low != 0}
    assert policy.signals.keys() - told == set()
