"""The rows of one load between reader and lake: typed, hashed, compared with what stood before, written, counted.

Each table is staged as one Parquet file in the spill folder, already as the lake holds it. Where every row is new that
file is the one the lake gets; only rows that may repeat others are compared.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.core.tables import fold
from groundswell.core.tables.contract import TABLES
from groundswell.engine import durable, lake, landings
from groundswell.engine.duckdb import Engine, quoted
from groundswell.engine.home import Damaged, Home
from groundswell.records.loads import Load, LoadFile, earlier


class Staged:
    """The tables of a load, from the first batch on. `compared_<table>` can be read once `compare` is done."""

    def __init__(self, home: Home, engine: Engine, load: Load) -> None:
        assert engine.spill is not None  # noqa: S101 - an instance's engine always has a folder to spill into
        self.home, self.engine, self.load, self.folder = home, engine, load, engine.spill
        self.writers: dict[str, pq.ParquetWriter] = {}
        self.repeats: set[str] = set()
        self.absent: dict[str, list[pa.Table]] = {}
        self.compared_with: set[str] = set()
        self.changed: list[str] = []
        """Tables in which rows of the load say otherwise than what stood before them."""
        self.several_moments = False
        """Whether rows of the load were known at different moments, so that files of others may lie between them."""
        self._laid: dict[str, str] = {}

    @property
    def tables(self) -> list[str]:
        """Names of the tables that have rows, in order."""
        return sorted(self.writers.keys() | self.absent.keys())

    @property
    def _said(self) -> dict[str, str]:
        """What the load says of all its rows, as SQL."""
        return {
            "source": quoted(self.load.source),
            "known_at": f"timestamptz '{self.load.known_at:%Y-%m-%d %H:%M:%S.%f}+00'",
            "known_by": quoted("source" if self.load.dated else "arrival"),
            "load_id": quoted(self.load.name),
            "landing": quoted(self.load.landing),
        }

    def add(self, name: str, rows: pa.Table) -> None:
        """Stage rows of a table: what the file does not say is filled in, ids and hashes are made."""
        load, schema = self._said, lake.schema(name)
        if name not in self.writers:
            self.writers[name] = lake.writer(self._path(name), schema)
        with self.engine.seen("arriving", rows):
            found = self.engine.arrow(fold.version_sql(TABLES[name], "arriving", set(rows.column_names), load))
        self.writers[name].write_table(found.cast(schema))

    def close(self) -> None:
        """No more rows come."""
        for name, writer in self.writers.items():
            writer.close()
            self._lay(name)

    def drop(self, lines: list[int]) -> None:
        """Take input rows out of every table again."""
        listed = ", ".join(map(str, lines))
        for table in self.tables:
            self._lay(table, f" where line not in ({listed})")

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def _lay(self, name: str, where: str = "") -> None:
        columns = ", ".join(column.name for column in fold.versions_columns(TABLES[name]))
        rows = f"read_parquet({quoted(str(self._path(name)))}, file_row_number = true)"
        self._laid[name] = (
            f"select {columns}, {fold.row_hash_sql(TABLES[name])} as row_hash, "
            f"file_row_number + 1 as staged_row from {rows}{where}"
        )
        self.engine.over(f"staged_{name}", self._laid[name], [self._path(name)])

    def without(self, claims: Mapping[tuple[str, str, str], Collection[str] | None]) -> dict[str, tuple[int, int]]:
        """Stage the absence of what stood before and is not there any more: (table, object, column) -> of which things
        the file says all, or None where it says all there is. Table -> how many are gone, of how many that stood.
        """
        found: dict[str, tuple[int, int]] = {}
        for (name, kind, column), things in sorted(claims.items()):
            self._versions(name)
            if name not in self.writers:
                lake.writer(self._path(name), lake.schema(name)).close()
                self._lay(name)
            scope = f"object = {quoted(kind)}"
            if things is not None:
                self.engine.do(f"create or replace temp table whole_{name} (id varchar)")
                with self.engine.seen("arriving", pa.table({"id": pa.array(sorted(things), pa.string())})):
                    self.engine.do(f"insert into whole_{name} select id from arriving")
                scope += f" and {column} in (select id from whole_{name})"
            sql = fold.absent_sql(TABLES[name], f"staged_{name}", f"{name}_versions", self._said, scope)
            gone = self.engine.arrow(sql).cast(lake.schema(name))
            nothing = f"(select own_id from {name}_versions limit 0)"
            all_ = fold.absent_sql(TABLES[name], nothing, f"{name}_versions", self._said, scope)
            if len(gone):
                self.absent[name] = [*self.absent.get(name, []), gone]
                before = int(str(self.engine.one(f"select count(*) from ({all_})")))
                found[name] = (found.get(name, (0, 0))[0] + len(gone), found.get(name, (0, 0))[1] + before)
        for name, parts in self.absent.items():
            self._lay_absent(name, pa.concat_tables(parts))
        return found

    def _lay_absent(self, name: str, rows: pa.Table) -> None:
        """Put the absent behind the staged rows."""
        path = self.folder / f"{name}.absent.parquet"
        with lake.writer(path, lake.schema(name)) as writer:
            writer.write_table(rows)
        before = pq.read_metadata(self._path(name)).num_rows
        columns = ", ".join(column.name for column in fold.versions_columns(TABLES[name]))
        self.engine.do(f"create view present_{name} as {self._laid[name]}")
        both = (
            f"select * from present_{name} union all "
            f"select {columns}, {fold.row_hash_sql(TABLES[name])} as row_hash, file_row_number + 1 + {before} as staged_row "
            f"from read_parquet({quoted(str(path))}, file_row_number = true)"
        )
        self.engine.over(f"staged_{name}", both, [self._path(name), path])

    def _versions(self, name: str) -> None:
        """Lay the versions that stood before the load, once."""
        if name not in self.compared_with:
            self.compared_with.add(name)
            self._check_log(name)
            files = self.home.paths(earlier(self.load, name))
            self.engine.versions(name, files.get(name, ()))

    # ---------------------------------------------------------------------------------------------------- compare

    def compare(self) -> None:
        """Lay `compared_<table>`: every staged row with what the versions around its place say of it."""
        alone = bool(self.load.request.get("alone"))
        for name in self.tables:
            self._versions(name)
            self.engine.do(
                f"create temp table contested_{name} as "
                f"select own_id from staged_{name} group by own_id having count(*) > 1 union "
                f"select own_id from {name}_versions where own_id in (select own_id from staged_{name})"
            )
            contested = f"(select * from staged_{name} where own_id in (select own_id from contested_{name}))"
            if name == "links":  # whether a merge says something anew depends on others than its own
                contested = f"staged_{name}"
            self.engine.do(
                f"create temp table found_{name} as "
                + fold.unchanged_sql(TABLES[name], contested, f"{name}_versions", alone)
            )
            if self.engine.one(f"select count(*) from found_{name}"):
                self.repeats.add(name)
                said = ", ".join(f"coalesce(c.{word}, false) as {word}" for word in fold.COMPARED)
                rows = f"select s.*, {said} from staged_{name} as s left join found_{name} as c using (staged_row)"
            else:
                said = ", ".join(f"false as {word}" for word in fold.COMPARED)
                rows = f"select *, {said} from staged_{name}"
            self.engine.over(f"compared_{name}", rows, [self._path(name)])

    def _check_log(self, table: str) -> None:
        """Nothing is added to a table whose log has lost a load that the ledger knows."""
        names = {f"{file.load.name}.parquet" for file in earlier(self.load, table)}
        if names and self.home.lake_name == "lake" and (damage := lake.damaged(self.home.lake, table, names)):
            raise Damaged(f"lake/{table}: {damage}. Run: groundswell doctor --rebuild")

    # ------------------------------------------------------------------------------------------------------ write

    def write(self) -> list[LoadFile]:
        """Write what is new to the lake, one synced file and one commit a table."""
        files = []
        for name in self.tables:
            rows = int(str(self.engine.one(f"select count(*) from compared_{name} where not unchanged")))
            if not rows:
                continue
            lake.open_table(self.home.lake, name)
            path = lake.new_file(self.home.lake, name, self.load.name)
            durable.step("write", path)
            if name not in self.absent and rows == pq.read_metadata(self._path(name)).num_rows:
                self._path(name).replace(path)
            else:
                self._write_new(name, path)
            lake.commit(self.home.lake, name, self.load.name, rows)
            sha256, repeats = landings.digest(path), name in self.repeats
            files.append(LoadFile(load=self.load, table=name, rows=rows, sha256=sha256, repeats=repeats))
        return files

    def _write_new(self, name: str, path: Path) -> None:
        columns = ", ".join(column.name for column in fold.versions_columns(TABLES[name]))
        schema = lake.schema(name)
        with lake.writer(path, schema) as writer:
            for batch in self.engine.batches(
                f"select {columns} from compared_{name} where not unchanged order by staged_row"
            ):
                writer.write_table(pa.table(batch).cast(schema))

    # ------------------------------------------------------------------------------------------------------ count

    def count(self, rows_in: int, quarantined: int, repeated: int) -> None:
        """The equation: every input row is loaded, unchanged or quarantined, whatever tables it feeds."""
        load = self.load
        load.rows_in, load.quarantined, load.loaded, load.unchanged = rows_in, quarantined, 0, repeated
        if self.tables:
            every = " union all ".join(
                f"select line, unchanged from compared_{name} where line > 0" for name in self.tables
            )
            counts = self.engine.ask(
                "select count(*) filter (not same) as loaded, count(*) filter (same) as unchanged "
                f"from (select line, bool_and(unchanged) as same from ({every}) group by line)"
            )[0]
            load.loaded, load.unchanged = int(str(counts["loaded"])), int(str(counts["unchanged"])) + repeated
            stamps = " union all ".join(
                f"select {quoted(name)} as name, coalesce(changed_at, known_at) as stamp, known_at, unchanged, follows "
                f"from compared_{name}"
                for name in self.tables
            )
            found = self.engine.ask(
                "select min(stamp) filter (not unchanged) as first_stamp, max(stamp) as last_stamp, "
                "count(*) filter (unchanged) as versions_same, "
                "min(stamp) filter (follows and not unchanged) as first_change, "
                "min(known_at) < max(known_at) as several_moments, "
                f"list(distinct name order by name) filter (follows and not unchanged) as changed from ({stamps})"
            )[0]
            self.changed = found.pop("changed") or []  # type: ignore[assignment]
            self.several_moments = bool(found.pop("several_moments"))
            for name, stamp in found.items():
                setattr(load, name, stamp)
        if load.rows_in != load.loaded + load.unchanged + load.quarantined:
            raise AssertionError(
                f"{rows_in} rows in, but {load.loaded} loaded + {load.unchanged} unchanged + {quarantined} quarantined"
            )
