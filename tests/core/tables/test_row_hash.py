"""The row hash is SHA-256 over the own columns in contract order and over when: `=` and the text, nothing if empty."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core.tables.contract import DECIMALS, ENVELOPE, TABLES, Column, Table
from groundswell.core.tables.fold import row_hash_sql
from groundswell.engine.duckdb import Engine

WHEN = tuple(column for column in ENVELOPE if column.name in ("occurred_on", "occurred_at"))
INSTANT = pa.timestamp("us", tz="UTC")
TYPES = {"bool": pa.bool_(), "date": pa.date32(), "instant": INSTANT, "int": pa.int64(), "list": pa.list_(pa.string())}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(threads=1)
    yield made
    made.close()


def arrow_type(column: Column) -> pa.DataType:
    if column.kind in DECIMALS:
        return pa.decimal128(*DECIMALS[column.kind])
    return TYPES.get(column.kind, pa.string())


def hashed(engine: Engine, table: Table, rows: list[Mapping[str, object]]) -> list[object]:
    columns = (*table.columns, *WHEN)
    arrays = {c.name: pa.array([row.get(c.name) for row in rows], arrow_type(c)) for c in columns}
    with engine.seen("staged", pa.table({"row_no": pa.array(range(len(rows)), pa.int64()), **arrays})):
        sql = f"select {row_hash_sql(table)} as row_hash from staged order by row_no"
        return [row["row_hash"] for row in engine.ask(sql)]


def spelled(column: Column, cell: object) -> str:
    """The documented form of one cell."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "=true" if cell else "=false"
    if isinstance(cell, Decimal):
        return f"={cell.quantize(Decimal(1).scaleb(-DECIMALS[column.kind][1])):f}"
    if isinstance(cell, dt.datetime):
        since = cell - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return f"={(since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds}"
    if isinstance(cell, list):
        return "=" + "\x1e".join(cell)
    return f"={cell}"


def documented(table: Table, row: Mapping[str, object]) -> str:
    text = "\x1f".join(spelled(column, row.get(column.name)) for column in (*table.columns, *WHEN))
    return hashlib.sha256(text.encode()).hexdigest()


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


def cells(column: Column) -> st.SearchStrategy[object]:
    if column.kind in DECIMALS:
        precision, scale = DECIMALS[column.kind]
        whole = st.integers(-(10**precision) + 1, 10**precision - 1)
        return st.none() | (whole | st.integers(-100, 100)).map(lambda n: Decimal(n).scaleb(-scale))
    made = {
        "bool": st.booleans(),
        "date": st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)),
        "instant": st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2199, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
        "int": st.integers(-(2**63), 2**63 - 1),
        "list": st.lists(_TEXT.filter(bool), min_size=1, max_size=3),
    }.get(column.kind, _TEXT)
    return st.none() | made


@st.composite
def rows(draw: st.DrawFn) -> tuple[Table, dict[str, object]]:
    table = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    return table, {column.name: draw(cells(column)) for column in (*table.columns, *WHEN)}


@given(rows())
@settings(max_examples=150, deadline=None)
def test_the_engine_hashes_a_row_as_documented(engine: Engine, drawn: tuple[Table, dict[str, object]]) -> None:
    table, row = drawn
    assert hashed(engine, table, [row]) == [documented(table, row)]


def test_one_row_by_hand(engine: Engine) -> None:
    row = {"type": "meeting", "partner_id": "o_1", "value": Decimal("1.5"), "occurred_on": dt.date(2026, 1, 31)}
    text = "=meeting\x1f=o_1\x1f\x1f\x1f\x1f\x1f=1.50000000\x1f\x1f=2026-01-31\x1f"
    assert hashed(engine, TABLES["activities"], [row]) == [hashlib.sha256(text.encode()).hexdigest()]


def test_unknown_and_empty_and_zero_and_no_are_four_different_rows(engine: Engine) -> None:
    deals = [
        {"name": "A"},
        {"name": "A", "amount": Decimal(0)},
        {"name": "A", "product": ""},
        {"name": "A", "type": ""},
    ]
    assert len(set(hashed(engine, TABLES["deals"], deals))) == 4
    people = [{"side": "ours"}, {"side": "ours", "is_manager": False}]
    assert len(set(hashed(engine, TABLES["people"], people))) == 2


def test_a_value_in_the_next_column_is_another_row(engine: Engine) -> None:
    shifted = [{"partner_id": "o_1"}, {"account_id": "o_1"}, {"person_id": "o_1"}]
    assert len(set(hashed(engine, TABLES["activities"], shifted))) == 3


def test_a_list_without_items_does_not_move_the_columns_behind_it(engine: Engine) -> None:
    names = TABLES["organisations"].names
    assert names[names.index("tags") + 1] == "created_on"
    row = {"name": "A", "tags": [], "created_on": dt.date(2026, 1, 31)}
    assert hashed(engine, TABLES["organisations"], [row]) == [documented(TABLES["organisations"], row)]


def test_the_same_activity_on_two_days_or_at_two_moments_is_two_rows(engine: Engine) -> None:
    moment = dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC)
    same = {"type": "meeting", "partner_id": "o_1"}
    when = [
        {"occurred_on": dt.date(2026, 1, 30)},
        {"occurred_on": dt.date(2026, 1, 31)},
        {"occurred_on": dt.date(2026, 1, 31), "occurred_at": moment},
        {"occurred_on": dt.date(2026, 1, 31), "occurred_at": moment + dt.timedelta(microseconds=1)},
    ]
    assert len(set(hashed(engine, TABLES["activities"], [same | each for each in when]))) == 4


def test_equal_numbers_hash_alike_however_many_zeros_were_written(engine: Engine) -> None:
    written = [{"amount": Decimal(text)} for text in ("1000", "1000.0", "1000.0000", "1E3")]
    assert len(set(hashed(engine, TABLES["deals"], written))) == 1


def test_the_hash_does_not_depend_on_what_the_envelope_says_of_source_and_load(engine: Engine) -> None:
    table = TABLES["touches"]
    envelope = (
        "own_id",
        "source",
        "object",
        "external_id",
        "load_id",
        "landing",
        "line",
        "known_at",
        "changed_at",
        "deleted",
    )
    own = ", ".join(
        [
            *(f"'{name}' as {name}" for name in table.names),
            "'x' as occurred_on",
            "cast(null as timestamptz) as occurred_at",
        ]
    )
    rows = [f"select {own}, " + ", ".join(f"'{n}' as {name}" for name in envelope) for n in (1, 2)]
    assert engine.one(f"select count(distinct {row_hash_sql(table)}) from ({' union all '.join(rows)})") == 1
