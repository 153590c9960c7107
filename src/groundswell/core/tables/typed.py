"""The type of a column's kind, in SQL and in Arrow: one home for both."""

import pyarrow as pa

from groundswell.core.tables.contract import DECIMALS, Column

_SQL = {"bool": "boolean", "date": "date", "instant": "timestamptz", "int": "bigint", "list": "varchar[]"}
_ARROW = {
    "bool": pa.bool_(),
    "date": pa.date32(),
    "instant": pa.timestamp("us", tz="UTC"),
    "int": pa.int64(),
    "list": pa.list_(pa.string()),
}


def sql_type(column: Column) -> str:
    """The engine's type of a column's kind."""
    if column.kind in DECIMALS:
        return "decimal({}, {})".format(*DECIMALS[column.kind])
    return _SQL.get(column.kind, "varchar")


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column's kind."""
    if column.kind in DECIMALS:
        return pa.decimal128(*DECIMALS[column.kind])
    return _ARROW.get(column.kind, pa.string())
