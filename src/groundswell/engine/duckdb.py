"""The default engine: DuckDB over pinned files. Everything that only DuckDB says stands in this module."""

import datetime as dt
import errno
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from groundswell.core.declare import Instance
from groundswell.core.tables import fold, views
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.identity import follow, without_circles
from groundswell.core.tables.typed import sql_type

Files = Mapping[str, Iterable[Path]]
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*)")


def start_of_next_day(as_of: dt.date, zone: str) -> dt.datetime:
    """The cut of a day: the first instant after it in the home zone, in UTC."""
    local = dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time(), zoneinfo.ZoneInfo(zone))
    return local.astimezone(dt.UTC)


class Engine:
    """One DuckDB in memory, spilling to the instance's folder. Bounded memory; two threads unless told otherwise."""

    def __init__(self, spill: Path | None = None, memory: str = "1GB", threads: int = 2) -> None:
        self.connection = duckdb.connect(config={"memory_limit": memory, "threads": threads})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute("set preserve_insertion_order = true")
        if spill:
            self.connection.execute(f"set temp_directory = '{str(spill).replace(chr(39), chr(39) * 2)}'")

    def close(self) -> None:
        """Give back memory and spilled files."""
        self.connection.close()

    def do(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement for its effect."""
        self.connection.execute(sql, dict(parameters) if parameters else None)

    def arrow(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """The rows of a query as an Arrow table."""
        return self.connection.sql(sql, params=dict(parameters) if parameters else None).to_arrow_table()

    def ask(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, object]]:
        """The rows of a query as dicts."""
        return self.arrow(sql, parameters).to_pylist()  # type: ignore[no-any-return]

    def one(self, sql: str, parameters: Mapping[str, object] | None = None) -> object:
        """The only value of the only row."""
        return next(iter(self.ask(sql, parameters)[0].values()))

    def stage(self, name: str, rows: pa.Table, first: bool) -> None:
        """Create a table from Arrow rows, or append to it."""
        self.connection.register("arriving", rows)
        self.do(
            f"create table {name} as select * from arriving" if first else f"insert into {name} select * from arriving"
        )
        self.connection.unregister("arriving")

    def versions(self, table: str, files: Iterable[Path]) -> None:
        """Lay `<table>_versions` over pinned files; columns that older files lack are empty."""
        paths = [str(path) for path in files]
        columns = ", ".join(
            f"cast(null as {sql_type(column)}) as {column.name}" for column in fold.versions_columns(TABLES[table])
        )
        names = ", ".join(column.name for column in fold.versions_columns(TABLES[table]))
        shape = f"(select {columns} limit 0)"
        listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        stored = f" union all by name select * from read_parquet([{listed}], union_by_name = true)" if paths else ""
        self.do(f"create or replace view {table}_versions as select {names} from ({shape}{stored})")

    def write(self, sql: str, path: Path) -> None:
        """Write the rows of a query to one new Parquet file. FileExistsError: no file of the lake is written over."""
        if path.exists():
            raise FileExistsError(errno.EEXIST, "a file of the lake is not written over; run: groundswell doctor", path)
        target = str(path).replace("'", "''")
        self.do(f"copy ({sql}) to '{target}' (format parquet, compression zstd)")

    def day(self, as_of: dt.date, instance: Instance, files: Files) -> None:
        """Lay the tables of a day: `<table>_now`, `<table>_of_partners`, `partners`, `accounts`, `source_keys`.

        Every table is cut at the day by both times before anything reads it.
        """
        constants = {
            "as_of": f"date '{as_of}'",
            "cut": f"timestamptz '{start_of_next_day(as_of, instance.home_zone):%Y-%m-%d %H:%M:%S}+00'",
            "home_zone": f"'{instance.home_zone}'",
            "home_currency": f"'{instance.home_currency}'",
        }
        for name in TABLES:
            self.versions(name, files.get(name, ()))
        self._sources(instance)
        self.do("create or replace temp table redirects (from_id varchar, into_id varchar)")
        self._lay("links_fold", fold.current_sql(TABLES["links"], "links_versions"), constants)
        self._redirects()
        for name, table in TABLES.items():
            if name != "links":
                self._lay(f"{name}_fold", fold.current_sql(table, f"{name}_versions"), constants)
        for name, sql in views.VIEWS.items():
            self._lay(f"{name}_now", sql, constants, "view")
        for name, sql in views.REACHING.items():
            self._lay(f"{name}_of_partners", sql, constants)
        self._lay("partners", views.PARTNERS, constants)
        self._lay("accounts", views.ACCOUNTS, constants, "view")

    def _lay(self, name: str, sql: str, constants: Mapping[str, str], what: str = "table") -> None:
        said = _PARAMETER.sub(lambda match: constants[match[1]], sql)
        self.do(f"create or replace temp {what} {name} as {said}")

    def _sources(self, instance: Instance) -> None:
        """The order of the sources of each table; sources that policy does not name come last, by name."""
        self.do("create or replace temp table source_order (source varchar, for_table varchar, place integer)")
        for name in TABLES:
            seen = [
                str(row["source"]) for row in self.ask(f"select distinct source from {name}_versions order by source")
            ]
            order = instance.source_order.get(name, instance.source_order.get("every", ()))
            ranked = sorted(seen, key=lambda source: (order.index(source) if source in order else len(order), source))
            for place, source in enumerate(ranked):
                self.do("insert into source_order values ($s, $t, $p)", {"s": source, "t": name, "p": place})

    def _redirects(self) -> None:
        rows = self.ask("select from_id, into_id from links_fold order by known_at desc, row_hash desc")
        kept, _ = without_circles([(str(row["from_id"]), str(row["into_id"])) for row in rows])
        for start, end in sorted(follow(kept).items()):
            self.do("insert into redirects values ($f, $i)", {"f": start, "i": end})
