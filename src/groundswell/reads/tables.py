"""A canonical table as of a day: what the tables hold is open to everyone who holds the instance."""

import datetime as dt
from collections.abc import Iterator

from groundswell.core.tables.contract import TABLES, WITHHELD
from groundswell.engine.home import Home
from groundswell.reads.sheets import Cell, plain

VIEWS = (*(name for name in TABLES if name not in WITHHELD), "partners", "accounts", "source_keys")
"""What can be read: the canonical tables but those of another company's data, and three views of them."""


class Withheld(Exception):  # noqa: N818 - what happened, in the glossary's words
    """A table that holds another company's data: no read gives it out."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} holds another company's data, shared for one purpose (class t in docs/reference/tables.md); it is in no export"
        )


_SOURCE_KEYS = """
select source, object, external_id, entity_table, own_id as entity_id,
  cast(min(known_at) as date) as first_seen, cast(max(known_at) as date) as last_seen,
  max(case when place = 1 then row_hash end) as last_hash, max(case when place = 1 then deleted end) as deleted_at_source
from ({}) group by source, object, external_id, entity_table, own_id order by source, entity_table, external_id"""


def rows_of(home: Home, name: str, as_of: dt.date) -> tuple[list[str], Iterator[list[str]]]:
    """Headers and rows of a table as of a day, ordered by id, every cell as text; unknown is the empty one."""
    headers, rows = typed_rows(home, name, as_of)
    return headers, ([plain(cell) for cell in row] for row in rows)


def typed_rows(home: Home, name: str, as_of: dt.date) -> tuple[list[str], Iterator[list[Cell]]]:
    """Headers and rows of a table as of a day, ordered by id, every cell of its column's type; unknown is None.

    Raises Withheld for a table of class t.
    """
    if name in WITHHELD:
        raise Withheld(name)
    with home.day(as_of) as engine:
        if name == "source_keys":
            found = engine.arrow(
                _SOURCE_KEYS.format(" union all ".join(_versions(table) for table in TABLES if table not in WITHHELD))
            )
        else:
            order = {"partners": "partner_id", "accounts": "organisation_id"}.get(name)
            key = order or (TABLES[name].identity or "own_id")
            found = engine.arrow(f"select * from {name if order else name + '_now'} order by {key}")
    return list(found.column_names), ([row[name] for name in found.column_names] for row in found.to_pylist())


def _versions(table: str) -> str:
    return (
        f"select source, object, external_id, own_id, known_at, row_hash, deleted, '{table}' as entity_table, row_number() "
        "over (partition by own_id order by coalesce(changed_at, known_at) desc, known_at desc, row_hash desc) as place "
        f"from {table}_versions where mention = false"
    )
