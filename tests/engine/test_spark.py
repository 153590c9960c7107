"""Every shipped signal on Spark is what it is on DuckDB, value by value, over the same tables of a day."""

import datetime as dt
import random
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.core import day
from tests.core.signals import test_plain, test_signals

from groundswell.core import catalog
from groundswell.core.assess import measured
from groundswell.core.declare import Policy, Value
from groundswell.core.signals import shapes
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.views import REACHING
from groundswell.engine.duckdb import Engine
from groundswell.policy import read

if TYPE_CHECKING:
    from groundswell.engine.spark import SparkEngine

AS_OF = dt.date(2026, 6, 30)
Tables = dict[str, list[dict[str, object]]]


@pytest.fixture(scope="module")
def spark() -> Iterator["SparkEngine"]:
    pytest.importorskip("pyspark", reason="pyspark is absent; script/spark installs it")
    if shutil.which("java") is None:
        pytest.skip("Java 17 is absent; script/spark installs it where it may")
    from groundswell.engine.spark import SparkEngine

    made = SparkEngine()
    yield made
    made.close()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = day.engine()
    yield made
    made.close()


@pytest.fixture(scope="module")
def policy() -> Policy:
    return catalog.policy(read.texts())


def cases() -> tuple[list[str], Tables]:
    """The rows of all cases of all signals as one instance: each case has partners of its own."""
    partners: set[str] = set()
    tables: Tables = {}
    for file in test_signals.FILES:
        for number, case in enumerate(tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)["case"]):
            own = f"{file.stem}-{number}-"
            partners |= {own + name for name in case["expect"]}
            for table in REACHING:
                for row in test_signals.rows(case[table]) if table in case else ():
                    tables.setdefault(table, []).append(row | {"partner_id": f"{own}{row['partner_id']}"})
    return sorted(partners), tables


def made(seed: int, count: int = 1200) -> tuple[list[str], Tables]:
    """Rows of every table with few partners, words that policy names, and days around every window.

    Every second partner's rows have empty cells.
    """
    chance = random.Random(seed)
    partners = [f"p{number}" for number in range(12)]
    return partners, {table: [_row(chance, table, partners) for _ in range(count)] for table in REACHING}


_NAMED = test_plain.words(catalog.policy(read.texts()))
_WORDS = {
    **{
        place: (*_NAMED[place], "a kind that nothing counts")
        for place in (("activities", "type"), ("readings", "kind"))
    },
    ("credentials", "level"): ("Professional", "expert", "associate", "ADVANCED"),
    ("deals", "group_key"): tuple(f"g{number}" for number in range(60)),
}


def _row(chance: random.Random, table: str, partners: list[str]) -> dict[str, object]:
    number = chance.randrange(len(partners))
    row: dict[str, object] = {"partner_id": partners[number], "row_hash": f"{chance.random():.15f}"}
    for name, kind in shapes.kinds(table).items():
        always = number % 2 == 0 or name == "occurred_on" or (table == "activities" and name == "type")
        if name != "partner_id" and (always or chance.random() < 0.85):
            row[name] = _cell(chance, table, name, kind)
    return row


def _cell(chance: random.Random, table: str, name: str, kind: str) -> object:
    words = _WORDS.get((table, name)) or (TABLES[table].column(name).words if name in TABLES[table].names else ())
    if words:
        return chance.choice(words)
    ago = dt.timedelta(days=chance.choice((chance.randrange(40), chance.randrange(200), chance.randrange(1000))))
    return {
        "bool": chance.random() < 0.5,
        "date": AS_OF - ago + dt.timedelta(days=120 if name in ("close_on", "expires_on") else 0),
        "instant": dt.datetime.combine(AS_OF - ago, dt.time(chance.randrange(24)), dt.UTC),
        "int": chance.randrange(100), "money": Decimal(chance.randrange(-100, 1_000_000)) / 100,
        "number": Decimal(chance.randrange(0, 400)) / 4, "share": Decimal(chance.randrange(0, 100)),
        "list": ["a", "b"][: chance.randrange(3)],
    }.get(kind, f"{name}{chance.randrange(8)}")  # fmt: skip


def on_both(
    policy: Policy, engine: Engine, spark: "SparkEngine", folder: Path, as_of: dt.date, laid: tuple[list[str], Tables]
) -> tuple[Mapping[str, Mapping[str, Value]], Mapping[str, Mapping[str, Value]]]:
    """The values of the same day on DuckDB and on Spark."""
    from groundswell.engine.spark import hand_over

    day.lay(engine, *laid)
    spark.lay(hand_over(engine, folder))
    return measured(policy, as_of, engine.ask), measured(policy, as_of, spark.ask)


def differing(one: Mapping[str, Mapping[str, Value]], other: Mapping[str, Mapping[str, Value]]) -> list[str]:
    """Signals and partners whose values are not the same, with both."""
    assert one.keys() == other.keys()
    return [
        f"{name} of {partner}: {value} on DuckDB, {other[partner][name]} on Spark"
        for partner, values in one.items()
        for name, value in values.items()
        if value != other[partner][name]
    ]


DAYS: dict[str, tuple[dt.date, Any]] = {
    "the literal cases": (AS_OF, cases),
    "the literal cases on a leap day": (dt.date(2024, 2, 29), cases),
    "a made instance": (AS_OF, lambda: made(1)),
}


@pytest.mark.parametrize("which", DAYS)
def test_every_signal_on_spark_equals_duckdb(
    which: str, policy: Policy, engine: Engine, spark: "SparkEngine", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    as_of, rows = DAYS[which]
    ours, theirs = on_both(policy, engine, spark, tmp_path, as_of, rows())
    assert differing(ours, theirs) == []
    known = {name for values in ours.values() for name, value in values.items() if value.known}
    if as_of == AS_OF:
        assert known == set(policy.signals), "each signal has a known value somewhere, or nothing is compared"
    with capsys.disabled():
        print(f"\n{sum(map(len, ours.values())):,} values of {len(policy.signals)} signals equal on Spark: {which}")


def test_a_statement_that_means_something_else_on_spark_is_caught(
    policy: Policy, engine: Engine, spark: "SparkEngine", tmp_path: Path
) -> None:
    """Two of what transpiles without complaint and differs: days between moments, and NULLs in the order of rows."""
    from groundswell.engine.spark import hand_over

    engine.do("create or replace table moments as select timestamp '2026-06-29 23:00:00' as late, "
              "timestamp '2026-06-30 01:00:00' as early")  # fmt: skip
    spark.lay(hand_over(engine, tmp_path, ["moments"]))
    midnights = "select date_diff('day', late, early) as days from moments"
    cast = "select date_diff('day', cast(late as date), cast(early as date)) as days from moments"
    assert engine.ask(midnights) == [{"days": 1}] != spark.ask(midnights)
    assert engine.ask(cast) == [{"days": 1}] == spark.ask(cast)

    class Wrong:
        """Spark, but a day late at every window."""

        def ask(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, object]]:
            return spark.ask(sql.replace("> $after", ">= $after"), parameters)

    one = replace(policy, signals={name: policy.signals[name] for name in ("meetings_last_quarter", "won_deals")})
    day.lay(engine, *cases())
    spark.lay(hand_over(engine, tmp_path))
    ours, theirs = measured(one, AS_OF, engine.ask), measured(one, AS_OF, Wrong().ask)
    assert {line.split(" of ")[0] for line in differing(ours, theirs)} == set(one.signals)
