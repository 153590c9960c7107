"""Taking in a file: keep its bytes, recognise it, type its columns, write versions, show the equation.

Nothing is seen before the ledger row commits, and nothing is "accepted" before everything is synced. The same road
takes in a file for the first time, compares a later landing anew after an older one has arrived, and rebuilds the lake.
"""

import datetime as dt
import zoneinfo
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from groundswell.connectors.files import mapping as mappings
from groundswell.connectors.files import read
from groundswell.connectors.files.read import Broken, Refused, Tail
from groundswell.connectors.files.stage import STAGED, Stager
from groundswell.connectors.files.stage import Load as Said
from groundswell.core.tables import fold
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.identity import own_id, without_circles
from groundswell.engine import durable, lake, landings
from groundswell.engine.duckdb import Engine
from groundswell.engine.home import Damaged, Home
from groundswell.records.loads import Load, LoadFile, QuarantinedRow, after_the_latest, earlier
from groundswell.runs.prepare import Request, Work, batches_of, check_room, prepare, reopened


def take_in(home: Home, path: Path, request: Request, now: dt.datetime) -> Load:
    """Take in one file and return its committed load. The caller holds the writer's lock.

    Raises Refused (a file that is not taken), Asked (questions are open; nothing is loaded), NoSpace, BadPolicy, and
    Damaged; of those, Unsettled with a load where the file was taken in all the same.
    """
    check_room(home, path)
    named = [mappings.own(request.mapping)] if request.mapping else list(mappings.shipped())
    landing = landings.keep(home.path, path)
    kept = landings.at(home.path, landing)
    work = prepare(home, kept, path.name, path.parent, named, request)
    recover(home, now)  # only now: a landing that was lost, and is wanted to settle, may just have come again
    load = _open(work, landing, path.name, request, now)
    if (before := _same_as_latest(load)) is not None:
        return _repeat(load, before)
    return _run(work, load, request.strict, now)


# --------------------------------------------------------------------------------------------------------- the load


def recover(home: Home, now: dt.datetime) -> None:
    """Finish or give up what a killed writer left behind: the lock is ours, so nobody is at work on it any more.

    Raises Damaged where the ledger is older than the lake, Unsettled where loads cannot be settled.
    """
    if unknown := home.unknown():
        raise Damaged(
            f"{unknown[0].relative_to(home.path)} is of a load that records.sqlite3 does not know: it is older than the lake. "
            "Restore the newer one; or go on with this one: groundswell doctor --rebuild, and take in again what is missing"
        )
    landings.sweep(home.path)
    Load.objects.filter(state="pending").update(state="abandoned")
    settle(home, now)


def _open(work: Work, landing: str, file_name: str, request: Request, now: dt.datetime) -> Load:
    arrived = after_the_latest(now)
    file = work.found.file
    dated_by_row = file.known_at is not None or any("known_at" in row.columns for row in file.rows)
    return Load.objects.create(
        file_name=file_name,
        landing=landing,
        source=work.source,
        format=file.name,
        arrived_at=arrived,
        known_at=request.exported_at or arrived,
        dated=bool(request.exported_at) or dated_by_row,
        request={
            "mapping": work.found.mapping.text if request.mapping else "",
            "mapping_name": str(request.mapping or ""),
            "answers": work.answers | work.orders | {k: v for k, v in _whole(work).items() if v},
            "beside": work.beside,
            "home": home_of(work.home),
        },
    )


def home_of(home: Home) -> list[str]:
    """The settings of the instance under which rows are read: changing them asks for a rebuild."""
    return [home.policy.instance.home_zone, home.policy.instance.home_currency]


def _whole(work: Work) -> dict[str, str]:
    encoding = work.found.layout.encoding
    return {"encoding": "" if encoding == "parquet" else encoding, "zone": work.zone, "format": work.found.file.name}


def _same_as_latest(load: Load) -> Load | None:
    """The latest load of this source with the same bytes and the same request, when nothing stands over its rows.

    Rows with a date of their own are there already. The others are compared with what stands last: they are unchanged
    only when no other load reached a table of theirs since, or at the same moment.
    """
    kept = Load.objects.filter(source=load.source, state="committed", again_of=None, voided_at=None)
    alike = kept.filter(landing=load.landing, format=load.format).order_by("-number")
    before = next((each for each in alike if each.request == load.request), None)
    if before is None or load.known_at < before.known_at:
        return None
    tables = set(before.report["tables"])
    rivals = kept.exclude(number=before.number).filter(last_stamp__gte=before.known_at)
    return None if any(tables & set(rival.report["tables"]) for rival in rivals) else before


def _repeat(load: Load, before: Load) -> Load:
    """The same bytes again: every row that was loaded or unchanged is unchanged, the quarantine stands as it was."""
    load.rows_in, load.unchanged, load.quarantined = (
        before.rows_in,
        before.loaded + before.unchanged,
        before.quarantined,
    )
    load.versions_same = load.unchanged
    load.report = {**before.report, "notes": [f"the same bytes as {before.name}"]}
    load.last_stamp = max(load.known_at, before.last_stamp or load.known_at)
    rows = [QuarantinedRow(load=load, **_copy(row)) for row in before.quarantine.all()]
    return _commit(load, [], rows)


def _copy(row: QuarantinedRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("line", "column", "reason", "remedy", "text")}


@dataclass
class Staged:
    """What stands in the engine after a file was read: tables staged, rows counted, rows set aside."""

    rows_in: int = 0
    tables: set[str] = field(default_factory=set)
    broken: list[Broken] = field(default_factory=list)
    tail: Tail = field(default_factory=Tail)
    notes: Counter[str] = field(default_factory=Counter)


def _run(work: Work, load: Load, strict: bool, now: dt.datetime) -> Load:
    staged, files = through(work, load, strict)
    load = _commit(load, files, quarantined(load, staged))
    try:
        settle(work.home, now)
    except Unsettled as error:
        error.load = load
        raise
    return load


def quarantined(load: Load, staged: Staged) -> list[QuarantinedRow]:
    """The rows that were set aside, as the records keep them."""
    return [QuarantinedRow(load=load, **asdict(row)) for row in sorted(staged.broken, key=lambda row: row.line)]


def through(work: Work, load: Load, strict: bool = False) -> tuple[Staged, list[LoadFile]]:
    """The road from kept bytes to synced lake files: stage, hash, compare, write, count. Nothing is seen yet.

    The same for a first load, for a landing compared anew, and for a rebuild.
    """
    with work.home.engine() as engine:
        staged = _stage(work, load, engine)
        _name_by_hash(engine, staged, load.source)
        _quarantine_disagreements(work, engine, staged)
        if strict and staged.broken:
            load.delete()
            worst = min(staged.broken, key=lambda row: row.line)
            raise Refused(
                f"--strict: {len(staged.broken)} rows would be quarantined; line {worst.line}: {worst.reason}"
            )
        if staged.rows_in and len({row.line for row in staged.broken}) == staged.rows_in:
            load.delete()
            raise Refused(_nothing_left(staged))
        for table in sorted(staged.tables):
            _compare(engine, table, work.home, load)
        files = _write(work.home, engine, load, sorted(staged.tables))
        _count(engine, load, staged)
        load.report = _report(work, engine, staged, load.dated)
    return staged, files


def _nothing_left(staged: Staged) -> str:
    reasons = Counter(
        f"{row.column + ': ' if row.column else ''}{row.reason}. Remedy: {row.remedy}" for row in staged.broken
    )
    worst, first = reasons.most_common(1)[0][0], min(staged.broken, key=lambda row: row.line)
    return f"all {staged.rows_in} rows would be quarantined, so nothing is loaded. First at line {first.line}; most often: {worst}"


def _stage(work: Work, load: Load, engine: Engine) -> Staged:
    instance = work.home.policy.instance
    said = Said(
        source=work.source,
        known_at=load.known_at,
        known_by="source" if load.dated else "arrival",
        home=work.home.zone,
        zone=zoneinfo.ZoneInfo(work.zone) if work.zone else None,
        currency=work.found.mapping.currency,
        home_currency=instance.home_currency,
        free_mail=instance.free_mail,
        longest=instance.limits["cell_characters"],
        lookups=work.lookups,
    )
    stager = Stager(work.found.file, work.found.header_of, said, work.orders)
    staged = Staged()
    for batch in batches_of(work.found, work.path, said.longest, staged.tail):
        tables, broken = stager.stage(batch)
        staged.rows_in += batch.size + len(batch.broken)
        staged.broken += batch.broken + broken
        for name, rows in tables.items():
            engine.stage(f"staged_{name}", rows, first=name not in staged.tables)
            staged.tables.add(name)
    staged.notes = stager.notes
    return staged


def _name_by_hash(engine: Engine, staged: Staged, source: str) -> None:
    """Hash every staged row; an activity without an id is known by its hash."""
    for name in staged.tables:
        engine.do(
            f"create table hashed_{name} as select *, {fold.row_hash_sql(TABLES[name])} as row_hash from staged_{name}"
        )
        engine.do(f"drop table staged_{name}")
    if "activities" in staged.tables:
        unnamed = engine.ask("select distinct row_hash from hashed_activities where external_id is null")
        for row in unnamed:
            key = f"hash:{row['row_hash']}"
            made = own_id(TABLES["activities"].prefix, source, "activities", key)
            engine.do(
                "update hashed_activities set external_id = $e, own_id = $o where external_id is null and row_hash = $h",
                {"e": key, "o": made, "h": row["row_hash"]},
            )


def _quarantine_disagreements(work: Work, engine: Engine, staged: Staged) -> None:
    """Rows that repeat one thing must agree about it; where they do not, all of them are quarantined."""
    table = work.found.file.agree
    if table not in staged.tables:
        return
    own = TABLES[table].names
    differs = ", ".join(f"count(distinct coalesce(cast({name} as varchar), '')) > 1 as {name}" for name in own)
    rows = engine.ask(
        f"select external_id, list(line order by line) as lines, list(row_no) as rows_, {differs} from hashed_{table} "
        "group by external_id having count(distinct row_hash) > 1 order by external_id"
    )
    gone: list[int] = []
    for row in rows:
        lines: list[int] = row["lines"]  # type: ignore[assignment]
        columns = ", ".join(name for name in own if row[name])
        reason = f"{row['external_id']} stands on lines {', '.join(map(str, lines))} with different {columns}"
        texts = read.lines_of(work.path, work.found.layout.encoding, set(lines))
        remedy = "make the rows agree, or give them ids of their own"
        staged.broken += [Broken(line, columns, reason, remedy, texts[line]) for line in lines]
        gone += row["rows_"]  # type: ignore[arg-type]
    if gone:
        for name in staged.tables:
            engine.do(f"delete from hashed_{name} where row_no in ({', '.join(map(str, sorted(set(gone))))})")


def _compare(engine: Engine, table: str, home: Home, load: Load) -> None:
    """Mark every staged row that says what the version before its place says."""
    _check_log(home, table, load)
    files = home.paths([file for file in earlier(load) if file.table == table])
    engine.versions(table, files.get(table, ()))
    sql = fold.unchanged_sql(TABLES[table], f"hashed_{table}", f"{table}_versions")
    engine.do(
        f"create table compared_{table} as select h.*, c.unchanged, c.follows, c.contradicts "
        f"from hashed_{table} as h join ({sql}) as c using (staged_row)"
    )


def _write(home: Home, engine: Engine, load: Load, tables: list[str]) -> list[LoadFile]:
    """Write what is new to the lake, one synced file and one commit a table."""
    files = []
    for table in tables:
        rows = int(str(engine.one(f"select count(*) from compared_{table} where not unchanged")))
        if not rows:
            continue
        own = ", ".join(TABLES[table].names)
        envelope = ", ".join(name for name in STAGED if name not in ("staged_row", "row_no"))
        lake.open_table(home.lake, table)
        path = lake.file_of(home.lake, table, load.name)
        durable.step("write", path)
        engine.write(
            f"select {envelope}, row_hash, '{load.name}' as load_id, '{load.landing}' as landing, {own} "
            f"from compared_{table} where not unchanged order by staged_row",
            path,
        )
        lake.commit(home.lake, table, load.name, rows)
        files.append(LoadFile(load=load, table=table, rows=rows, sha256=landings.digest(path)))
    return files


def _check_log(home: Home, table: str, load: Load) -> None:
    """Nothing is added to a table whose log has lost a load that the ledger knows."""
    names = {f"{file.load.name}.parquet" for file in earlier(load) if file.table == table}
    if names and home.lake_name == "lake" and (damage := lake.damaged(home.lake, table, names)):
        raise Damaged(f"lake/{table}: {damage}. Run: groundswell doctor --rebuild")


def _count(engine: Engine, load: Load, staged: Staged) -> None:
    """The equation: every input row is loaded, unchanged or quarantined, whatever tables it feeds."""
    load.rows_in, load.quarantined = staged.rows_in, len({broken.line for broken in staged.broken})
    if staged.tables:
        every = " union all ".join(f"select row_no, unchanged from compared_{name}" for name in sorted(staged.tables))
        counts = engine.ask(
            f"select count(*) filter (not same) as loaded, count(*) filter (same) as unchanged "
            f"from (select row_no, bool_and(unchanged) as same from ({every}) group by row_no)"
        )[0]
        load.loaded, load.unchanged = int(str(counts["loaded"])), int(str(counts["unchanged"]))
        stamps = " union all ".join(
            f"select coalesce(changed_at, known_at) as stamp, unchanged, follows from compared_{name}"
            for name in sorted(staged.tables)
        )
        found = engine.ask(
            "select min(stamp) filter (not unchanged) as first_stamp, max(stamp) as last_stamp, "
            "count(*) filter (unchanged) as versions_same, "
            f"min(stamp) filter (follows and not unchanged) as first_change from ({stamps})"
        )[0]
        for name, stamp in found.items():
            setattr(load, name, stamp)
    if load.rows_in != load.loaded + load.unchanged + load.quarantined:
        raise AssertionError(
            f"{load.rows_in} rows in, but {load.loaded} loaded + {load.unchanged} unchanged + {load.quarantined} quarantined"
        )


def _report(work: Work, engine: Engine, staged: Staged, dated: bool) -> dict[str, Any]:
    found = work.found
    days = {}
    for name in sorted(staged.tables):
        row = engine.ask(
            f"select count(*) as rows_, min(occurred_on) as first, max(occurred_on) as last from compared_{name}"
        )[0]
        days[name] = [int(str(row["rows_"])), str(row["first"] or ""), str(row["last"] or "")]
    notes = [f"{note} ({count} rows)" for note, count in sorted(staged.notes.items())]
    notes += _remarks(engine, staged, dated, found.mapping.snapshot, work.home.policy.instance.home_currency)
    currencies: list[str] = []
    if "deals" in staged.tables:
        asked = engine.ask("select distinct currency as c from compared_deals where currency is not null order by c")
        currencies = [str(row["c"]) for row in asked]
    return {
        "encoding": found.layout.encoding,
        "delimiter": found.layout.delimiter,
        "header_line": found.layout.header_line,
        "columns_found": len(found.header_of),
        "columns_missing": list(found.missing),
        "columns_unmapped": list(found.unmapped),
        "read_as": dict(sorted(work.orders.items())),
        "blank_lines": staged.tail.blank,
        "footers": [text for _, text in staged.tail.footers],
        "tables": days,
        "currencies": currencies,
        "unknown": _unknown(work, engine, staged),
        "notes": notes,
    }


def _remarks(engine: Engine, staged: Staged, dated: bool, snapshot: str, currency: str) -> list[str]:
    """What the load says of itself: snapshots that disagree stand in order of arrival; absence says nothing yet."""
    said = []
    if staged.tables and not dated:
        every = " union all ".join(
            f"select row_no from compared_{name} where follows and not unchanged and not mention"
            for name in sorted(staged.tables)
        )
        changed = engine.one(f"select count(distinct row_no) from ({every})")
        if changed:
            said.append(
                f"{changed} rows differ from what stood before; they carry no date, so this later arrival stands"
            )
    if staged.tables:
        every = " union all ".join(
            f"select row_no from compared_{name} where contradicts and not mention" for name in sorted(staged.tables)
        )
        against = engine.one(f"select count(distinct row_no) from ({every})")
        if against:
            said.append(
                f"{against} rows contradict others of the same moment; of two such versions the one of higher hash stands"
            )
    if "deals" in staged.tables:
        other = engine.ask(
            "select currency, count(*) as n from compared_deals where amount is not null and amount_home is null "
            "and currency is not null and currency <> $home group by currency order by currency", {"home": currency}
        )  # fmt: skip
        for row in other:
            said.append(
                f"{row['n']} amounts are in {row['currency']}, not in home currency {currency}, and count in no sum; "
                "home_currency is set in policy/instance.toml"
            )
    if "links" in staged.tables:
        rows = engine.ask("select from_id, into_id from compared_links order by known_at desc, row_hash desc")
        circles = without_circles([(str(row["from_id"]), str(row["into_id"])) for row in rows])[1]
        said += [f"merging {start} into {into} would close a circle; it is left out" for start, into in circles]
    if not staged.rows_in:
        said.append("the file has a header and no rows; what stood before still stands")
    if snapshot == "full":
        said.append("snapshot = full: a key that is absent is not yet read as gone")
    return said


def _unknown(work: Work, engine: Engine, staged: Staged) -> dict[str, list[int]]:
    """Columns that the file has and some rows leave empty: "table.column" -> [empty, rows]."""
    found: dict[str, list[int]] = {}
    for row in work.found.file.rows:
        if row.table not in staged.tables or row.mention:
            continue
        names = [
            c
            for c in row.columns
            if c in TABLES[row.table].names and row.columns[c].headers() & set(work.found.header_of)
        ]
        if names:
            counts = ", ".join(f"count(*) - count({name}) as {name}" for name in names)
            said = engine.ask(f"select count(*) as rows_, {counts} from compared_{row.table} where not mention")[0]
            found |= {f"{row.table}.{n}": [int(str(said[n])), int(str(said["rows_"]))] for n in names if said[n]}
    return dict(sorted(found.items()))


def _commit(load: Load, files: list[LoadFile], rows: list[QuarantinedRow]) -> Load:
    """The moment from which the load is seen: one transaction, synced by SQLite before it returns."""
    durable.step("commit", Path(load.name))
    with transaction.atomic(durable=True):
        LoadFile.objects.bulk_create(files)
        QuarantinedRow.objects.bulk_create(rows, batch_size=500)
        load.state = "committed"
        load.committed_at = load.arrived_at
        load.save()
    return load


# ----------------------------------------------------------------------------------------------- comparing anew


class Unsettled(Damaged):
    """Later landings could not be compared anew: what they would bring back is not seen. The next writer tries again."""

    def __init__(self, why: list[str], added: list[Load]) -> None:
        super().__init__("\n".join(why))
        self.why, self.added = why, added
        self.load: Load | None = None
        """The load that was accepted before settling it failed."""


def settle(home: Home, now: dt.datetime) -> list[Load]:
    """Compare anew the later landings of every load that changed what they were compared with.

    A landing that found rows unchanged was compared with what stood before it; something older stands there now, or is
    gone after a revert. Each is compared from its kept bytes, so that the order in which exports arrive does not matter.
    Returns the loads that this added. What a killed writer left unsettled is settled by the next one. Raises Unsettled
    once all is settled that can be.
    """
    added: list[Load] = []
    why: dict[str, str] = {}
    for load in Load.objects.filter(state="committed", settled=False).order_by("number"):
        since = load.first_stamp if load.voided_at else load.first_change
        later = _later_landings(load, since)
        for each in later:
            try:
                again = _again(home, each, now)
            except (Refused, Damaged) as error:
                why[each.name] = f"{each.name} ({each.file_name}) cannot be compared anew with {load.name}: {error}"
            else:
                added += [again] if again else []
        if why.keys().isdisjoint(each.name for each in later):
            load.settled = True
            load.save(update_fields=["settled"])
    if why:
        raise Unsettled(list(why.values()), added)
    return added


def _later_landings(load: Load, since: dt.datetime | None) -> list[Load]:
    """Loads of the same source that reach past `since` and did not write a version, since it was there already."""
    if since is None:
        return []
    found = Load.objects.filter(
        source=load.source, state="committed", voided_at=None, again_of=None, versions_same__gt=0, last_stamp__gte=since
    )
    return list(found.exclude(number=load.number).order_by("known_at", "number"))


def _again(home: Home, load: Load, now: dt.datetime) -> Load | None:
    """Take in a kept landing once more, exactly as it was asked for; None when nothing of it is new."""
    work = reopened(home, load)
    again = Load.objects.create(
        file_name=load.file_name, landing=load.landing, source=load.source, format=load.format, again_of=load,
        arrived_at=after_the_latest(now), known_at=load.known_at, dated=load.dated, request=load.request, settled=True,
    )  # fmt: skip
    try:
        _, files = through(work, again)
    except (Refused, Damaged):
        Load.objects.filter(number=again.number).delete()  # nothing of it was written
        raise
    if not files:
        again.delete()
        return None
    return _commit(again, files, [])
