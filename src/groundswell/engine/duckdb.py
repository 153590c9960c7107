"""The default engine: DuckDB over pinned files. Everything that only DuckDB says stands in this module."""

import datetime as dt
import re
import zoneinfo
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from groundswell.core.declare import Instance
from groundswell.core.signals import laid_once
from groundswell.core.signals.history import (
    KNOWN,
    PLACES,
    REDIRECTS_AT,
    STRETCHES,
    TABLE,
    Days,
    MonthEnds,
    Shape,
    first_known,
    stretches_sql,
)
from groundswell.core.tables import fold, views
from groundswell.core.tables.cells import minor_units
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.identity import follow, without_circles
from groundswell.core.tables.typed import sql_type
from groundswell.engine.lake import between, known_between

Files = Mapping[str, Iterable[Path]]
Unreadable = duckdb.Error
"""What the engine raises where it cannot read what it is given."""
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*)")


def start_of_next_day(as_of: dt.date, zone: str) -> dt.datetime:
    """The cut of a day: the first instant after it in the home zone, in UTC."""
    local = dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time(), zoneinfo.ZoneInfo(zone))
    return local.astimezone(dt.UTC)


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


_JOINED = ("deals", "deal_stages", "subscriptions", "registrations", "credentials")
"""Tables whose rows reach a partner by joins: laid out once, where the others are read from where they lie."""


_STANDING_AT = """create temp macro standing_at(first_at, last_at) as
  (cast(1 as bigint) << last_at) - (cast(1 as bigint) << first_at)"""
"""The month-ends of a stretch as a set, a bit each; `at_any` joins such sets."""


HELD = 1_000_000
"""Bytes of files of which the rows are held in memory: for less, opening them takes longer than what is asked of them."""


_SPILLED = "format parquet, compression lz4_raw, row_group_size 61440"
"""Row groups of half the usual size: each thread that writes holds a whole one of a wide table."""


@dataclass(frozen=True)
class AtOnce:
    """What the month-ends of one pass share."""

    periods: Sequence[Sequence[Mapping[str, object]]]
    """The fiscal periods that each month-end knew."""
    partners: Sequence[str]
    """Whoever may be a partner at any of them, in the order of `places`."""
    alone: Path | None
    """The versions of their organisations alone; None where there is no such file."""
    parts: Sequence[tuple[str, Days | None]]
    """The activities with their stretches by the month in which they were known, as `Rows` has them."""


BATCH = 200_000
"""Rows that come at a time."""


def _arrays(rows: pa.RecordBatch | pa.Table) -> dict[str, np.ndarray]:
    return {name: _array(rows.column(name)) for name in rows.schema.names}


def _array(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    if pa.types.is_date(kind):
        return np.asarray(column.cast(pa.date32()), dtype="datetime64[D]")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return np.array(column.to_pylist(), dtype=object)
    return np.asarray(column.cast(pa.float64()), dtype=np.float64)


class Engine:
    """One DuckDB in memory, spilling to the instance's folder. Bounded memory; two threads unless told otherwise."""

    def __init__(self, spill: Path | None = None, memory: str = "1GB", threads: int = 2) -> None:
        self.connection = duckdb.connect(config={"memory_limit": memory, "threads": threads})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute("set preserve_insertion_order = true")
        self.connection.execute("set parquet_metadata_cache = true")  # lake files are never written over
        self.connection.execute("create temp macro div(n, d) as cast(n as hugeint) // cast(d as hugeint)")
        self.connection.execute(_STANDING_AT)
        self.connection.execute("create temp macro at_any(sets) as bit_or(sets)")
        self._written = 0
        self._answers: dict[str, list[tuple[object, ...]]] = {}
        self._kinds: dict[str, str] = {}  # of what was laid: a view, or a table
        self._stored_rows: dict[str, str] = {}  # what `<table>_stored` was laid from
        self.spill = spill
        if spill:
            self.connection.execute(f"set temp_directory = {quoted(str(spill))}")

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

    def numbers(self, sql: str, parameters: Mapping[str, object] | None = None) -> Iterator[dict[str, np.ndarray]]:
        """The columns of a query as arrays: numbers as float64 (nan: null), days as datetime64 (NaT), texts as objects.

        Some of its rows at a time, at least once; nothing else may be asked before the last.
        """
        reader, nothing = self._reader(sql, parameters), True
        for rows in reader:
            nothing = False
            yield _arrays(rows)
        if nothing:
            yield _arrays(reader.schema.empty_table())

    def one(self, sql: str, parameters: Mapping[str, object] | None = None) -> object:
        """The only value of the only row."""
        return next(iter(self.ask(sql, parameters)[0].values()))

    @contextmanager
    def seen(self, name: str, rows: pa.Table) -> Iterator[None]:
        """Arrow rows under a name, for as long as it takes to ask of them."""
        self.connection.register(name, rows)
        try:
            yield
        finally:
            self.connection.unregister(name)

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query, a batch at a time."""
        yield from self._reader(sql)

    def _reader(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.RecordBatchReader:
        return self.connection.sql(sql, params=dict(parameters) if parameters else None).to_arrow_reader(BATCH)

    def versions(self, table: str, files: Iterable[Path], which: str = "") -> None:
        """Lay `<table>_versions` over pinned files; columns that older files lack are empty. `which`: only such rows."""
        files = list(files)
        rows = self._rows(table, files)
        if self._stored_rows.get(table) != rows:
            self._stored_rows[table] = rows
            self.over(f"{table}_stored", rows, files)
        where = f" where {which}" if which else ""
        self.do(f"create or replace view {table}_versions as select * from {table}_stored{where}")

    def over(self, name: str, sql: str, files: Iterable[Path]) -> None:
        """Lay rows of files: where they are small as a table, else as a view that each statement reads anew."""
        small = sum(path.stat().st_size for path in files) <= HELD
        self._put(name, "table" if small else "view", sql)

    def _rows(self, table: str, files: Iterable[Path], more: str = "") -> str:
        """SQL of the versions in files, and of `more` columns."""
        listed = ", ".join(quoted(str(path)) for path in files)
        stored = self._stored(listed) if listed else set()
        columns = ", ".join(
            column.name if column.name in stored else f"cast(null as {sql_type(column)}) as {column.name}"
            for column in fold.versions_columns(TABLES[table])
        )
        rows = (
            f"(select {columns}{more} from read_parquet([{listed}], union_by_name = true))"
            if listed
            else f"(select {columns}{more} limit 0)"
        )
        return f"select *, {fold.row_hash_sql(TABLES[table])} as row_hash from {rows} as stored"

    def day(
        self,
        as_of: dt.date,
        instance: Instance,
        files: Files,
        once: Collection[str] = (),
        only: Mapping[str, Collection[str]] | None = None,
        standing: Collection[str] = (),
    ) -> None:
        """Lay the tables of a day: `<table>_now`, `<table>_of_partners`, `partners`, `accounts`.

        Every table is cut at the day by both times before anything reads it. `once` names tables of which no key comes
        twice in the files. `only` names the tables that are asked for partners' rows, each with the columns that are read:
        nothing else is laid but `partners`. `standing` names tables that `stand` has laid already.
        """
        wanted = {name: views.REACHING[name] for name in (views.REACHING if only is None else only)}
        if "activities" in wanted and self._is_full(files.get("activities", ()), "partner_id"):
            wanted["activities"] = views.ACTIVITIES_THAT_NAME_PARTNERS
        seen, tables = views.tables_behind([*wanted.values(), views.PARTNERS], standing)
        if only is None:
            seen, tables = frozenset(views.VIEWS), frozenset(TABLES)
        constants = self._fold(as_of, instance, files, once, {"links", *tables})
        for name in views.VIEWS:
            if name in seen:
                self._lay(f"{name}_now", views.VIEWS[name], constants, "view")
        for kind in {kind for sql in wanted.values() for kind in views.parts_read(sql)}:
            self._lay(f"{kind}_parts", views.PARTS[kind], constants, "table" if "deals" in wanted else "view")
        for name, sql in wanted.items():
            if only is not None:
                sql = f"select {', '.join(sorted(only[name]))} from ({sql}) as r"
            self._lay(f"{name}_of_partners", sql, constants, "table" if name in _JOINED else "view")
        if only is None:
            self._lay("partners", views.PARTNERS, constants)
            self._lay("accounts", views.ACCOUNTS, constants, "view")
        else:
            self._lay("partners", f"select partner_id from ({views.PARTNERS}) as p", constants)

    def _constants(self, as_of: dt.date, instance: Instance) -> dict[str, str]:
        """What stands for the constants of SQL on a day."""
        return {
            "as_of": f"date '{as_of}'",
            "cut": f"timestamptz '{start_of_next_day(as_of, instance.home_zone):%Y-%m-%d %H:%M:%S}+00'",
            "home_zone": f"'{instance.home_zone}'",
            "home_currency": f"'{instance.home_currency}'",
            "home_step": str(10 ** (4 - minor_units(instance.home_currency))),
            "rate_days": str(instance.rate_days),
        }

    def _fold(
        self,
        as_of: dt.date,
        instance: Instance,
        files: Files,
        once: Collection[str],
        tables: Collection[str],
        apart: bool = False,
    ) -> dict[str, str]:
        """Fold some tables as of a day, `<table>_fold`; returns the constants of the day.

        `apart`: only the keys in `<table>_apart`, of tables but links.
        """
        constants = self._constants(as_of, instance)
        for name in tables:
            which = f"own_id in (select own_id from {name}_apart)" if apart and name != "links" else ""
            self.versions(name, files.get(name, ()), which)
        self._sources(instance, files, tables)
        self._folds(files, once, constants, tables)
        return constants

    def stretches(
        self, ends: MonthEnds, instance: Instance, files: Sequence[Files], once: Sequence[Collection[str]]
    ) -> AtOnce:
        """Lay what one pass over the activities at many month-ends reads: `activities_stretches`, and `places`.

        `files` and `once` are those of each month-end; the files of activities must be the same at all of them.
        """
        self.do(
            "create or replace temp table month_ends as select * from (values "
            + ", ".join(f"({at}, date '{day}')" for at, day in enumerate(ends.days))
            + ") as m (month_end, day)"
        )
        self.do(
            "create or replace temp table people_at (month_end integer, person_id varchar, organisation_id varchar)"
        )
        self.do("create or replace temp table redirects_at (month_end integer, from_id varchar, into_id varchar)")
        activities = list(files[-1].get(TABLE, ()))
        self._known(TABLE, ends, activities)
        named = self._is_full(activities, "partner_id")
        if not named:
            through = f"select distinct person_id from {KNOWN} where partner_id is null and person_id is not null"
            self.do(f"create or replace temp table people_asked_for as {through}")
        periods = []
        for at, day in enumerate(ends.days):
            tables = ("links", "fiscal_periods", *(() if named else ("people",)))
            constants = self._fold(day, instance, files[at], once[at], tables)
            self._lay("fiscal_periods_now", views.VIEWS["fiscal_periods"], constants, "view")
            periods.append(self.ask("select calendar, starts_on, ends_on, year, quarter from fiscal_periods_now"))
            self.do(f"insert into redirects_at select {at}, from_id, into_id from redirects")
            if not named:
                people = "select person_id from people_asked_for"
                self.do(
                    f"insert into people_at select {at}, person_id, organisation_id from people_fold "
                    f"where person_id in ({people})"
                )
        if len(ends) == 1:  # laid out as a day is, which asks for no more
            return AtOnce(periods, (), None, ())
        merged = bool(self.one("select count(*) from redirects_at"))
        dated = self._is_full(activities, "occurred_on")
        parts = self._parts(ends, instance, activities, Shape(TABLE in once[-1], named, merged, dated))
        return AtOnce(periods, *self._places(files), parts)

    def _parts(
        self, ends: MonthEnds, instance: Instance, files: Sequence[Path], shape: Shape
    ) -> list[tuple[str, Days | None]]:
        """Lay `activities_stretches` over all files, and over those of each month in which they were known.

        Where a key may come in several files there is only the one over all of them.
        """
        zone, months = {"home_zone": quoted(instance.home_zone)}, dict[str, list[Path]]()
        for path in files if shape.once else ():
            first, _ = known_between(path)
            months.setdefault(f"{first:%Y_%m}" if first else "", []).append(path)
        parts: list[tuple[str, Days | None]] = []
        for month, paths in months.items():
            days = [between(path, "occurred_on") for path in paths] if shape.dated else []
            told = [(first, last) for first, last in days if first and last]
            within = (min(first for first, _ in told), max(last for _, last in told)) if told else None
            within = within if len(told) == len(paths) else None
            self._known(TABLE, ends, paths, f"{KNOWN}_{month}")
            self._lay(f"{STRETCHES}_{month}", stretches_sql(ends, shape, f"{KNOWN}_{month}", within), zone, "view")
            parts.append((f"{STRETCHES}_{month}", within))
        self._lay(STRETCHES, stretches_sql(ends, shape), zone, "view")
        return parts

    def _places(self, files: Sequence[Files]) -> tuple[list[str], Path | None]:
        """Lay `places`: whoever may be a partner at some month-end, each with a place. The rest is as in `AtOnce`."""
        every = {
            name: list(dict.fromkeys(path for one in files for path in one.get(name, ())))
            for name in ("organisations", "memberships")
        }
        for name, paths in every.items():
            self.versions(name, paths)
        merged = f"select from_id from {REDIRECTS_AT} union select into_id from {REDIRECTS_AT}"
        self.do(
            f"create or replace temp table {PLACES} as select partner_id, "
            "cast(row_number() over (order by partner_id) - 1 as integer) as place "
            f"from ({views.MAY_BE_PARTNERS} union {merged}) as p"
        )
        partners = [str(row["partner_id"]) for row in self.ask(f"select partner_id from {PLACES} order by place")]
        same = all(list(one.get("organisations", ())) == every["organisations"] for one in files)
        theirs = f"select * from organisations_versions where own_id in (select partner_id from {PLACES})"
        return partners, self._spilled("organisations_alone", theirs) if same and every["organisations"] else None

    def lay_once(
        self,
        table: str,
        ends: MonthEnds,
        instance: Instance,
        files: Sequence[Files],
        once: Sequence[Collection[str]],
        columns: Collection[str],
    ) -> bool | None:
        """Lay `<table>_laid`, the rows of a table that reach a partner at any of the month-ends, after `stretches`.

        With these columns; says whether each of its things is one row. None where they cannot be laid once: the files
        differ from one month-end to another, or amounts are converted.
        """
        behind = laid_once.NEEDED[table]
        if any(len({tuple(one.get(name, ())) for one in files}) > 1 for name in behind):
            return None
        constants = self._constants(ends.days[-1], instance)
        for name in behind:
            self._known(name, ends, files[-1].get(name, ()))
        if table == "deals":
            self._lay("deals_converted", f"select 1 from deals_known where {laid_once.CONVERTED} limit 1", constants)
            if self.ask("select * from deals_converted"):
                return None
        self._fold_apart(behind, ends, instance, files, once)
        for name, read in behind.items():
            self._lay(f"{name}_lasting", laid_once.lasting_sql(name, read, ends, name in once[-1]), constants)
        self._lay(f"{table}_laid", laid_once.laid_sql(table, ends, columns), constants)
        several = table in laid_once.SEVERAL and bool(self.ask(laid_once.SEVERAL[table]))
        return not several

    def _fold_apart(
        self,
        behind: Mapping[str, Collection[str]],
        ends: MonthEnds,
        instance: Instance,
        files: Sequence[Files],
        once: Sequence[Collection[str]],
    ) -> None:
        """Lay `<table>_apart_lasting`: the facts of keys that must be folded, month-end by month-end."""
        folded = {}
        for name, columns in behind.items():
            self.do(f"create or replace temp table {name}_apart as {laid_once.apart_sql(name, name in once[-1])}")
            listed = ", ".join([*columns, "occurred_on"])
            self.do(
                f"create or replace temp table {name}_apart_lasting as "
                f"select own_id, {listed}, 0 as first_at, 0 as last_at from {name}_known limit 0"
            )
            if self.one(f"select count(*) from {name}_apart"):
                folded[name] = f"{TABLES[name].identity or 'own_id'}, {listed}"
        for at, day in enumerate(ends.days if folded else ()):
            self._fold(day, instance, files[at], once[at], ("links", *folded), apart=True)
            for name, listed in folded.items():
                self.do(f"insert into {name}_apart_lasting select {listed}, {at}, {at + 1} from {name}_fold")

    def stand(self, table: str, columns: Collection[str], at: int, as_of: dt.date, instance: Instance) -> None:
        """Lay a table that was laid once as a month-end has it: `_fold`, `_now`, and `_of_partners` with these columns."""
        constants = self._constants(as_of, instance)
        if columns:
            self._lay(f"{table}_of_partners", laid_once.stands_sql(table, columns, at), constants, "view")
        facts = f"select * from {table}_lasting where first_at <= {at} and last_at > {at}"
        for name in ("fold", "now"):
            self._lay(f"{table}_{name}", facts, constants, "view")

    def _known(self, table: str, ends: MonthEnds, files: Iterable[Path], name: str = "") -> None:
        """Lay `<table>_known`, or `name`: versions, each with the first month-end that knows it; of most files one for all."""
        paths = list(files)
        places = []
        for path in paths:
            first, last = known_between(path)
            same = first and last and ends.first_at(first) == ends.first_at(last)
            places.append(ends.first_at(first) if first and same else -1)
        known = f"list_value({', '.join(map(str, places))})[cast(file_index as bigint) + 1]" if paths else "0"
        if -1 in places:
            known = f"case when {known} < 0 then {first_known(ends)} else {known} end"
        self.do(
            f"create or replace view {name or f'{table}_known'} as {self._rows(table, paths, f', {known} as known_from')}"
        )

    def _folds(
        self, files: Files, once: Collection[str], constants: Mapping[str, str], tables: Collection[str]
    ) -> None:
        """Lay `<table>_fold` and `redirects`. Only what must be put in order or folded is worked out and kept.

        The rest of a view is a projection of its files: one of its columns is cheaper to read twice than all to copy.
        """
        self.do("create or replace temp table redirects (from_id varchar, into_id varchar)")
        merged: frozenset[str] = frozenset()
        for name in ("links", *(name for name in tables if name != "links")):
            there = files.get(name, ())
            known = fold.Known(name in once or not there, merged, self._is_full(there, "occurred_on"))
            *before, (last, sql) = fold.current_steps(TABLES[name], f"{name}_versions", known).items()
            for step, step_sql in before:
                self._lay(step, step_sql, constants, spills=step.endswith("_settled"))
                if step.endswith("_contested") and not self.ask(f"select 1 from {step} limit 1"):
                    sure = replace(known, contested=False)
                    sql = fold.current_steps(TABLES[name], f"{name}_versions", sure)[last]
                    break
            self._lay(last, sql, constants, "view")
            if name == "links":
                merged = self._redirects()

    def _is_full(self, files: Iterable[Path], column: str) -> bool:
        """Whether no row of these files leaves a column empty, by the counts that Parquet keeps of it."""
        listed = ", ".join(quoted(str(path)) for path in files)
        if not listed:
            return True
        counted = (
            f"select count(*) = count(stats_null_count) and sum(stats_null_count) = 0 from parquet_metadata([{listed}])"
        )
        return bool(self._once(f"{counted} where path_in_schema = {quoted(column)}")[0][0])

    def _stored(self, listed: str) -> set[str]:
        """The columns that files hold."""
        return {str(name) for (name,) in self._once(f"select distinct name from parquet_schema([{listed}])")}

    def _once(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of a query over files alone, asked once: files of the lake are never written over."""
        if sql not in self._answers:
            self._answers[sql] = self.connection.sql(sql).fetchall()
        return self._answers[sql]

    def _lay(self, name: str, sql: str, constants: Mapping[str, str], what: str = "table", spills: bool = True) -> None:
        """Lay a view, or a table that is worked out once.

        A wide one lies in the folder to spill into, so that memory holds none of it; where that has no room, in memory:
        what is kept can then still be read.
        """
        said = _PARAMETER.sub(lambda match: constants[match[1]], sql)
        if what == "table" and spills and (path := self._spilled(name, said)):
            what, said = "view", f"select * from read_parquet({quoted(str(path))})"
        self._put(name, what, said)

    def _put(self, name: str, what: str, sql: str) -> None:
        """Lay a view or a table in place of either."""
        if self._kinds.setdefault(name, what) != what:
            self.do(f"drop {self._kinds[name]} {name}")
            self._kinds[name] = what
        self.do(f"create or replace temp {what} {name} as {sql}")

    def _spilled(self, name: str, said: str) -> Path | None:
        """The file in the folder to spill into that holds the rows of a query; None where there is no folder, or no room."""
        if not self.spill:
            return None
        self._written += 1
        path = self.spill / f"{name}-{self._written}.parquet"
        try:
            with self._in_little_room(as_written=bool(views.parts_read(said))):
                self.do(f"copy ({said}) to {quoted(str(path))} ({_SPILLED})")
        except duckdb.IOException:
            path.unlink(missing_ok=True)
            return None
        return path

    @contextmanager
    def _in_little_room(self, as_written: bool) -> Iterator[None]:
        """Rows come in any order, so that none wait for others; `as_written`: joins hold the side that is named last.

        By its own guess the engine holds the wide rows of deals to find their customers, which takes twice the room.
        """
        settings = {"preserve_insertion_order": ("false", "true")}
        if as_written:
            settings["disabled_optimizers"] = ("'build_side_probe_side'", "''")
        for name, (inside, _) in settings.items():
            self.do(f"set {name} = {inside}")
        try:
            yield
        finally:
            for name, (_, outside) in settings.items():
                self.do(f"set {name} = {outside}")

    def _sources(self, instance: Instance, files: Files, tables: Collection[str]) -> None:
        """The order of the sources of each table; sources that policy does not name come last, by name."""
        self.do("create or replace temp table source_order (source varchar, for_table varchar, place integer)")
        for name in tables:
            listed = ", ".join(quoted(str(path)) for path in files.get(name, ()))
            rows = self._once(f"select distinct source from read_parquet([{listed}])") if listed else []
            seen = [str(source) for (source,) in rows]
            order = instance.source_order.get(name, instance.source_order.get("every", ()))
            ranked = sorted(seen, key=lambda source: (order.index(source) if source in order else len(order), source))
            for place, source in enumerate(ranked):
                self.do("insert into source_order values ($s, $t, $p)", {"s": source, "t": name, "p": place})

    def _redirects(self) -> frozenset[str]:
        """Lay which id gives way to which; the tables of those ids."""
        rows = self.ask("select from_id, into_id from links_fold order by known_at desc, row_hash desc")
        kept, _ = without_circles([(str(row["from_id"]), str(row["into_id"])) for row in rows])
        ends = sorted(follow(kept).items())
        if ends:
            with self.seen(
                "found", pa.table({"from_id": [one for one, _ in ends], "into_id": [end for _, end in ends]})
            ):
                self.do("insert into redirects select from_id, into_id from found")
        prefixes = {table.prefix: name for name, table in TABLES.items()}
        return frozenset(prefixes.get(one.partition("_")[0], "organisations") for pair in ends for one in pair)
