"""The lake: one Delta table for each canonical table, append only; each load is one commit a table.

Delta neither syncs files nor refuses a transaction id that it has seen, so the writer does both: the Parquet file and
its folder are synced before the commit, the log entry and its folder after it, and a load whose id the table already
knows is not committed again. A load is seen only once its ledger row commits: readers pin files, never a version, so
what a killed writer left behind stays invisible.
"""

import datetime as dt
import errno
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction

from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.fold import versions_columns
from groundswell.core.tables.typed import arrow_type
from groundswell.engine import durable


def schema(table: str) -> pa.Schema:
    """The Arrow schema of the versions of a table: envelope, then own columns."""
    return pa.schema([(column.name, arrow_type(column)) for column in versions_columns(TABLES[table])])


def file_of(root: Path, table: str, load_id: str) -> Path:
    """The one file that a load writes to a table."""
    return root / table / f"{load_id}.parquet"


def new_file(root: Path, table: str, load_id: str) -> Path:
    """The same, to be written. FileExistsError: no file of the lake is written over."""
    path = file_of(root, table, load_id)
    if path.exists():
        raise FileExistsError(errno.EEXIST, "a file of the lake is not written over; run: groundswell doctor", path)
    return path


def writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of one lake file. Ids and hashes hardly repeat, so no dictionary is tried for them."""
    unique = {"own_id", "external_id", "row_hash", "line", "occurred_at"}
    often = [field.name for field in schema if field.name not in unique and not pa.types.is_nested(field.type)]
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=often)


def known_between(path: Path) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The moments at which the first and the last version in a lake file were known: see `between`."""
    return between(path, "known_at")


def between(path: Path, column: str) -> tuple[Any, Any]:
    """The least and the most of a column, as far as filled, from what a lake file says of itself; None where it does not."""
    found = pq.read_metadata(path)
    place = found.schema.names.index(column)
    told = [found.row_group(number).column(place).statistics for number in range(found.num_row_groups)]
    if not told or not all(one is not None and one.has_min_max for one in told):
        return None, None
    return min(one.min for one in told), max(one.max for one in told)


def open_table(root: Path, table: str) -> DeltaTable:
    """The Delta table, created when it is not there yet."""
    path = root / table
    if not DeltaTable.is_deltatable(str(path)):
        durable.make_folder(path)
        DeltaTable.create(str(path), schema=DeltaSchema.from_arrow(schema(table)), name=table)
        _sync_log(path, 0)
        durable.sync_folder(root)
    return DeltaTable(str(path))


def commit(root: Path, table: str, load_id: str, rows: int) -> None:
    """Commit the file that a load has written to a table; nothing happens when the table knows the load already."""
    opened = open_table(root, table)
    if opened.transaction_version(load_id) is not None:
        return
    path = file_of(root, table, load_id)
    durable.sync(path)
    durable.sync_folder(path.parent)
    action = AddAction(
        path=path.name,
        size=path.stat().st_size,
        partition_values={},
        modification_time=0,
        data_change=True,
        stats=json.dumps({"numRecords": rows}),
    )
    durable.step("commit", path)
    opened.create_write_transaction(
        [action],
        mode="append",
        schema=DeltaSchema.from_arrow(schema(table)),
        commit_properties=CommitProperties(app_transactions=[Transaction(load_id, 1)]),
    )
    _sync_log(path.parent, DeltaTable(str(path.parent)).version())


def damaged(root: Path, table: str, names: set[str]) -> str:
    """What is wrong with the log of a table that should hold these files; "" when nothing is."""
    try:
        held = {Path(uri).name for uri in DeltaTable(str(root / table)).file_uris()}
    except (DeltaError, OSError) as error:
        return f"its log cannot be read ({str(error).splitlines()[0][:120]})"
    return f"its log does not hold {min(names - held)}" if names - held else ""


def _sync_log(table: Path, version: int) -> None:
    log = table / "_delta_log"
    durable.sync(log / f"{version:020}.json")
    durable.sync_folder(log)
    durable.sync_folder(table)
