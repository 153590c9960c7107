"""A day of literal rows, laid into an engine as the tables that rules read: `<table>_of_partners` and `partners`."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence

from groundswell.core.declare import Value
from groundswell.core.signals import shapes
from groundswell.core.tables.contract import ROLES, TABLES, Column
from groundswell.core.tables.typed import sql_type
from groundswell.core.tables.views import REACHING
from groundswell.engine.duckdb import Engine

Rows = Sequence[Mapping[str, object]]
_BESIDE = {"partner_id": "varchar", "known_at": "timestamptz", "row_hash": "varchar", "landing": "varchar",
           "line": "bigint", "source": "varchar", "load_id": "varchar", "own_id": "varchar"}  # fmt: skip
_KNOWN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def engine() -> Engine:
    """An engine with every table that signals read, all empty."""
    made = Engine(threads=1)
    made.do("pragma disable_optimizer")  # a handful of rows: planning takes longer than running
    for table in REACHING:
        types = _BESIDE | {name: sql_type(Column(name, kind, "")) for name, kind in shapes.kinds(table).items()}
        made.do(f"create table {table}_of_partners ({', '.join(f'{name} {type_}' for name, type_ in types.items())})")
        made.do(f"create view {table}_now as select * from {table}_of_partners")
    made.do("create table partners (partner_id varchar, name varchar)")
    periods = ", ".join(f"{column.name} {sql_type(column)}" for column in TABLES["fiscal_periods"].columns)
    made.do(f"create table fiscal_periods_now ({periods})")
    return made


def lay(into: Engine, partners: Sequence[str], tables: Mapping[str, Rows]) -> None:
    """Put these rows, and nothing else, in place of what stood there."""
    for table in REACHING:
        into.do(f"delete from {table}_of_partners")
        for number, row in enumerate(tables.get(table, ()), start=1):
            _insert(into, f"{table}_of_partners", _whole(table, number, row))
    into.do("delete from partners")
    for name in partners:
        _insert(into, "partners", {"partner_id": name, "name": name})
    into.do("delete from fiscal_periods_now")
    for row in tables.get("fiscal_periods", ()):
        _insert(into, "fiscal_periods_now", row)


def _whole(table: str, number: int, row: Mapping[str, object]) -> dict[str, object]:
    """A row with what every row has: an id, evidence, and in deals a group and a yes or no for every role."""
    identity = TABLES[table].identity
    cells: dict[str, object] = {
        "own_id": f"{table}-{number}", "known_at": _KNOWN, "row_hash": json.dumps(row, default=str), "landing": "landing",
        "line": number + 1, "source": "test", "load_id": "load-1",
    }  # fmt: skip
    if identity and table != "organisations":
        cells[identity] = f"{table}-{number}"
    if table == "deals":
        cells |= {"group_key": cells["deal_id"], **dict.fromkeys(ROLES, False)}
    return cells | {name: None if cell == "" else cell for name, cell in row.items()}


def _insert(into: Engine, table: str, cells: Mapping[str, object]) -> None:
    names, values = ", ".join(cells), ", ".join(f"${name}" for name in cells)
    into.do(f"insert into {table} ({names}) values ({values})", cells)


def said(value: Value) -> tuple[str, object, object]:
    """A value as its state and its two ends."""
    return value.state, value.low, value.high
