"""A second engine: the signals of a day on Spark 4, from the same statements, transpiled by SQLGlot.

What is claimed is signals. The tables of the day are laid out by DuckDB and handed over as Parquet: folding versions and
cutting by both times is not done on Spark. The extra `spark` brings it; it needs Java 17.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import sqlglot
from pyspark.sql import SparkSession

from groundswell.core.conditions import DIALECT
from groundswell.core.tables.views import REACHING
from groundswell.engine.duckdb import Engine, quoted

READ = (*(f"{table}_of_partners" for table in REACHING), *(f"{table}_now" for table in REACHING), "partners",
        "fiscal_periods_now")  # fmt: skip
"""Tables of a day that signals read."""
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",  # days of moments are those of DuckDB
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",  # what cannot be cast fails; it is not turned into an empty cell
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def hand_over(engine: Engine, folder: Path, names: Iterable[str] = READ) -> dict[str, Path]:
    """Write tables of the day that an engine has laid out to Parquet; moments become timestamps without zone, in UTC."""
    found = {}
    for name in names:
        found[name] = folder / f"{name}.parquet"
        columns = engine.ask(f"select column_name, column_type from (describe {name})")
        said = ", ".join(
            f"{row['column_name']} at time zone 'UTC' as {row['column_name']}"
            if row["column_type"] == "TIMESTAMP WITH TIME ZONE"
            else str(row["column_name"])
            for row in columns
        )
        engine.do(f"copy (select {said} from {name}) to {quoted(str(found[name]))} (format parquet)")
    return found


def spoken(sql: str) -> str:
    """A statement of the portable subset as Spark writes it."""
    return sqlglot.transpile(sql, read=DIALECT, write="spark")[0]


class SparkEngine:
    """Spark on this machine, over tables that were handed over. Answers the statements that signals ask."""

    def __init__(self, threads: int = 2) -> None:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master(f"local[{threads}]").appName("groundswell")
        for name, setting in _SETTINGS.items():
            builder = builder.config(name, setting)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")

    def close(self) -> None:
        """Stop Spark and its Java process."""
        self.session.stop()

    def lay(self, files: Mapping[str, Path]) -> None:
        """Read tables from their files, in place of what had their names."""
        for name, path in files.items():
            self.session.read.parquet(str(path)).createOrReplaceTempView(name)

    def ask(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, object]]:
        """The rows of a query of the portable subset, with its named parameters, as dicts."""
        rows = self.session.sql(spoken(sql), args=dict(parameters or {})).collect()
        return [row.asDict() for row in rows]
