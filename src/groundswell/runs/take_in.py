"""Taking in a file: keep its bytes, recognise it, type its columns, write versions, show the equation.

Nothing is seen before the ledger row commits, and nothing is "accepted" before everything is synced. The same road
takes in a file for the first time, compares a later landing anew after an older one has arrived, and rebuilds the lake.
"""

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from groundswell.connectors.files import kinds
from groundswell.connectors.files.read import Broken, Refused, Tail
from groundswell.connectors.files.stage import EXCLUDED, Stager
from groundswell.connectors.files.stage import Load as Said
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.identity import without_circles
from groundswell.core.tables.proof import Question
from groundswell.engine import durable, landings
from groundswell.engine.duckdb import Engine
from groundswell.engine.home import Damaged, Home
from groundswell.records.jobs import hold_fence, made
from groundswell.records.loads import Load, LoadFile, QuarantinedRow, RetriedRow, after_the_latest
from groundswell.runs import damage, drift
from groundswell.runs.kept import confirmed
from groundswell.runs.prepare import Asked, Request, Work, batches_of, check_room, named_mappings, prepare, reopened
from groundswell.runs.staged import Staged


def take_in(home: Home, path: Path, request: Request, now: dt.datetime) -> Load:
    """Take in one file and return its committed load. The caller holds the writer's lock.

    Raises Refused (a file that is not taken), Asked (questions are open; nothing is loaded), NoSpace, BadPolicy, and
    Damaged; of those, Unsettled with a load where the file was taken in all the same.
    """
    check_room(home, path)
    named = named_mappings(home, request)
    landing = landings.keep(home.path, path)
    part = f"{path.name} {landing} {request.sheet}"
    if done := taken(home, part, now):
        return done
    kept = landings.at(home.path, landing)
    work = prepare(home, kept, path.name, path.parent, named, request)
    recover(home, now)  # only now: a landing that was lost, and is wanted to settle, may just have come again
    load = _open(work, landing, path.name, request, now)
    before = _same_as_latest(load)
    load = _repeat(load, before, part) if before is not None else enter(work, load, now, request.strict, part=part)
    said = confirmed(home.path, load.source, work.found.mapping)
    if load.report.get("mapping", "") != said:
        load.report["mapping"] = said
        load.save(update_fields=["report"])
    return load


def taken(home: Home, part: str, now: dt.datetime) -> Load | None:
    """The load that an earlier try of this process's job made of a part of its work, settled. Raises Unsettled."""
    done = made(part)
    if not done:
        return None
    load = Load.named(done)
    try:
        settle(home, now)
    except Unsettled as error:
        error.load = load
        raise
    return load


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
            "mapping": work.found.mapping.text if work.found.mapping.name else "",
            "mapping_name": work.found.mapping.name,
            "answers": work.answers | work.orders | {k: v for k, v in _whole(work).items() if v},
            "beside": work.beside,
            "home": home_of(work.home),
        },
    )


def home_of(home: Home) -> list[str]:
    """The settings of the instance under which rows are read: changing them asks for a rebuild."""
    return [home.policy.instance.home_zone, home.policy.instance.home_currency]


def _whole(work: Work) -> dict[str, str]:
    layout = work.found.layout
    encoding = "" if layout.encoding in kinds.NO_TEXT else layout.encoding
    return {"encoding": encoding, "sheet": layout.sheet, "zone": work.zone, "format": work.found.file.name}


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


def _repeat(load: Load, before: Load, part: str) -> Load:
    """The same bytes again: every row that was loaded or unchanged is unchanged, the quarantine stands as it was."""
    load.rows_in, load.unchanged, load.quarantined = (
        before.rows_in,
        before.loaded + before.unchanged,
        before.quarantined,
    )
    load.versions_same, load.complete = load.unchanged, before.complete
    load.report = {**before.report, "notes": [f"the same bytes as {before.name}"]}
    load.last_stamp = max(load.known_at, before.last_stamp or load.known_at)
    rows = [QuarantinedRow(load=load, **_copy(row)) for row in before.quarantine.all()]
    return _commit(load, [], rows, part=part)


def _copy(row: QuarantinedRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("line", "column", "reason", "remedy", "text")}


@dataclass
class Seen:
    """What became of a file's rows on their way to the tables: rows counted, rows set aside, what is worth saying."""

    rows_in: int = 0
    repeated: int = 0
    covered: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    broken: list[Broken] = field(default_factory=list)
    tail: Tail = field(default_factory=Tail)
    notes: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    """Rows that could not be taken apart, so that nobody knows what they are about."""

    @property
    def aside(self) -> int:
        """Rows that were set aside though they are wanted."""
        return sum(not row.reason.startswith(EXCLUDED) for row in self.broken)


def enter(
    work: Work,
    load: Load,
    now: dt.datetime,
    strict: bool = False,
    retried: Mapping[int, QuarantinedRow] | None = None,
    part: str = "",
    beside: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Load:
    """Take the rows of an open load in, commit it and settle. `retried`: line of its file -> row that it tries again.

    `part` names the work to the job that it is done for; what is `beside` stands around the commit, in its transaction.
    """
    try:
        seen, files = through(work, load, strict, first=True)
    except (Refused, Asked):
        load.delete()
        raise
    rows = quarantined(load, seen)
    failed = {row.line for row in rows}
    tries = [
        RetriedRow(load=load, row=row, line=line, put_right=line not in failed) for line, row in (retried or {}).items()
    ]
    load = _commit(load, files, rows, tries, part, beside)
    try:
        settle(work.home, now)
    except Unsettled as error:
        error.load = load
        raise
    return load


def quarantined(load: Load, seen: Seen) -> list[QuarantinedRow]:
    """The rows that were set aside, as the records keep them."""
    return [QuarantinedRow(load=load, **asdict(row)) for row in sorted(seen.broken, key=lambda row: row.line)]


def through(work: Work, load: Load, strict: bool = False, first: bool = False) -> tuple[Seen, list[LoadFile]]:
    """The road from kept bytes to synced lake files: stage, hash, compare, write, count. Nothing is seen yet.

    The same for a first load, for a landing compared anew, and for a rebuild. Raises Refused.
    """
    with work.home.engine() as engine:
        staged = Staged(work.home, engine, load)
        seen = _stage(work, staged)
        _quarantine_disagreements(work, staged, seen)
        if strict and seen.broken:
            worst = min(seen.broken, key=lambda row: row.line)
            raise Refused(f"--strict: {len(seen.broken)} rows would be quarantined; line {worst.line}: {worst.reason}")
        if seen.rows_in and len({row.line for row in seen.broken}) == seen.rows_in:
            raise Refused(_nothing_left(seen))
        gone = _end_what_is_gone(work, staged, seen, first)
        staged.compare()
        staged.count(seen.rows_in, len({broken.line for broken in seen.broken}), seen.repeated)
        load.report = _report(work, staged, seen) | {"gone": {name: found[0] for name, found in gone.items()}}
        if first:
            if not load.request["answers"].get("moved"):
                damage.check(staged)
            load.report["notes"] += drift.since_last(load, work.found.mapping, load.report)
        return seen, staged.write()


def _nothing_left(seen: Seen) -> str:
    reasons = Counter(
        f"{row.column + ': ' if row.column else ''}{row.reason}. Remedy: {row.remedy}" for row in seen.broken
    )
    worst, first = reasons.most_common(1)[0][0], min(seen.broken, key=lambda row: row.line)
    return f"all {seen.rows_in} rows would be quarantined, so nothing is loaded. First at line {first.line}; most often: {worst}"


def stager_of(work: Work) -> Stager:
    """What turns the rows of a file into typed rows, as the source, the instance and the answers have it."""
    instance = work.home.policy.instance
    said = Said(
        source=work.source,
        home=work.home.zone,
        zone=zoneinfo.ZoneInfo(work.zone) if work.zone else None,
        currency=work.found.mapping.currency,
        home_currency=instance.home_currency,
        free_mail=instance.free_mail,
        longest=instance.limits["cell_characters"],
        lookups=work.lookups,
    )
    return Stager(work.found.file, work.found.header_of, said, work.orders)


def _stage(work: Work, staged: Staged) -> Seen:
    stager, limits = stager_of(work), dict(work.home.policy.instance.limits)
    seen = Seen(notes=stager.notes)
    for batch in batches_of(work.found, work.path, limits, seen.tail):
        tables, broken = stager.stage(batch)
        seen.rows_in += batch.size + len(batch.broken)
        seen.broken += batch.broken + broken
        seen.unread += len(batch.broken)
        for name, rows in tables.items():
            staged.add(name, rows)
        if work.watch:
            work.watch(seen.rows_in, batch.share)
    staged.close()
    if 2 * seen.aside > seen.rows_in:
        damage.check_places(lambda: stager_of(work), work.found.layout.headers, seen.broken)
    seen.repeated, seen.covered, seen.unsure = stager.repeated, stager.covered, stager.unsure
    return seen


def _quarantine_disagreements(work: Work, staged: Staged, seen: Seen) -> None:
    """Rows that repeat one thing must agree about it; where they do not, all of them are quarantined."""
    table = work.found.file.agree
    if table not in staged.tables:
        return
    own = TABLES[table].names
    differs = ", ".join(f"count(distinct coalesce(cast({name} as varchar), '')) > 1 as {name}" for name in own)
    rows = staged.engine.ask(
        f"select external_id, list(line order by line) as lines, {differs} from staged_{table} "
        "group by external_id having count(distinct row_hash) > 1 order by external_id"
    )
    gone: set[int] = set()
    layout, limits = work.found.layout, dict(work.home.policy.instance.limits)
    for row in rows:
        lines: list[int] = row["lines"]  # type: ignore[assignment]
        columns = ", ".join(name for name in own if row[name])
        reason = f"{row['external_id']} stands on lines {', '.join(map(str, lines))} with different {columns}"
        texts = kinds.lines_of(work.path, layout.encoding, layout.sheet, set(lines), limits)
        remedy = "make the rows agree, or give them ids of their own"
        seen.broken += [Broken(line, columns, reason, remedy, texts[line]) for line in lines]
        gone |= set(lines)
    if gone:
        staged.drop(sorted(gone))


def _end_what_is_gone(work: Work, staged: Staged, seen: Seen, first: bool) -> dict[str, tuple[int, int]]:
    """End what stood before and is not in a file that says all of it. Table -> how many are gone, of how many.

    A row that was set aside may have said anything, so what it could be about is not ended. Raises Asked where a full
    snapshot lacks so much that it may be half an export; a person answers once.
    """
    full = work.found.mapping.snapshot == "full"
    claims: dict[tuple[str, str, str], set[str] | None] = {}
    if not seen.unread:
        claims |= {key: things - seen.unsure for key, things in seen.covered.items()}
    if full and not seen.aside:
        rows = [row for row in work.found.file.rows if not row.mention]
        claims |= {(row.table, row.object or row.table, ""): None for row in rows}
    staged.load.complete = bool(claims)
    gone = staged.without(claims)
    if first and full and not staged.load.request["answers"].get("gone"):
        share = work.home.policy.instance.limits["gone_percent"]
        asks = [f"{n} of {all_} {name}" for name, (n, all_) in sorted(gone.items()) if n * 100 > share * all_]
        if asks:
            said = f"snapshot = full, and {', '.join(asks)} that stood are not in the file; is it whole?"
            raise Asked(work.source, work.found.file.name, (Question("gone", said, ("yes",)),))
    return gone


def _report(work: Work, staged: Staged, seen: Seen) -> dict[str, Any]:
    found, engine = work.found, staged.engine
    days = {}
    for name in staged.tables:
        row = engine.ask(
            f"select count(*) as rows_, min(occurred_on) as first, max(occurred_on) as last from compared_{name} where line > 0"
        )[0]
        days[name] = [int(str(row["rows_"])), str(row["first"] or ""), str(row["last"] or "")]
    notes = [f"{note} ({count} rows)" for note, count in sorted(seen.notes.items())]
    notes += _remarks(staged, seen, found.mapping.snapshot, work.home.policy.instance.home_currency)
    currencies: list[str] = []
    if "deals" in staged.tables:
        asked = engine.ask("select distinct currency as c from compared_deals where currency is not null order by c")
        currencies = [str(row["c"]) for row in asked]
    return {
        "encoding": found.layout.encoding,
        "sheet": found.layout.sheet,
        "delimiter": found.layout.delimiter,
        "header_line": found.layout.header_line,
        "headers": list(found.layout.headers),
        "words": drift.words(staged),
        "columns_found": len(found.header_of),
        "columns_missing": list(found.missing),
        "columns_unmapped": list(found.unmapped),
        "read_as": dict(sorted(work.orders.items())),
        "blank_lines": seen.tail.blank,
        "footers": [text for _, text in seen.tail.footers],
        "tables": days,
        "changed": staged.changed,
        "several_moments": staged.several_moments,
        "currencies": currencies,
        "unknown": _unknown(work, staged),
        "notes": notes,
    }


_NAMED = 3
"""So many rows that contradict others are named."""


def _remarks(staged: Staged, seen: Seen, snapshot: str, currency: str) -> list[str]:
    """What the load says of itself: snapshots that disagree stand in order of arrival; absence says nothing yet."""
    said, engine = [], staged.engine
    if staged.tables and not staged.load.dated:
        every = " union all ".join(
            f"select line from compared_{name} where follows and not unchanged and not mention "
            f"and own_id in (select own_id from {name}_versions)"
            for name in staged.tables
        )
        changed = engine.one(f"select count(distinct line) from ({every})")
        if changed:
            said.append(
                f"{changed} rows differ from what stood before; they carry no date, so this later arrival stands"
            )
    if staged.tables:
        every = " union all ".join(
            f"select line, external_id from compared_{name} where contradicts and not mention" for name in staged.tables
        )
        rows = engine.ask(
            f"select line, min(external_id) as id, count(*) over () as of_all from ({every}) group by line "
            f"order by line limit {_NAMED}"
        )
        if rows:
            against = int(str(rows[0]["of_all"]))
            listed = [f"line {row['line']}{': ' + str(row['id']) if row['id'] else ''}" for row in rows]
            listed += [f"{against - len(rows)} more"] if against > len(rows) else []
            said.append(
                f"{against} rows contradict others of the same moment ({', '.join(listed)}); of two such versions the one "
                "of higher hash stands"
            )
    if "deals" in staged.tables:
        other = engine.ask(
            "select currency, count(*) as n from compared_deals where amount is not null and amount_home is null "
            "and currency is not null and currency <> $home group by currency order by currency", {"home": currency}
        )  # fmt: skip
        for row in other:
            said.append(
                f"{row['n']} amounts are in {row['currency']}, not in home currency {currency}, and count in no sum "
                "unless fx_rates has a spot rate for their day; home_currency is set in policy/instance.toml"
            )
    if "links" in staged.tables:
        said += _circles(engine)
    if seen.tail.guarded:
        said.append(f"{seen.tail.guarded} cells began with an apostrophe that guards text in a CSV; it was taken off")
    if not seen.rows_in:
        said.append("the file has a header and no rows; what stood before still stands")
    for name, parts in sorted(staged.absent.items()):
        count = sum(map(len, parts))
        said.append(f"{count} {name} stood before and are not in the file, which says all of them: they end with it")
    if snapshot == "full" and seen.aside:
        said.append("snapshot = full, but rows were set aside: nothing is read as gone until they are put right")
    return said


def _circles(engine: Engine) -> Iterator[str]:
    """Merges of this load that do not stand beside the newest word of all loads of its source so far."""
    columns = "own_id, from_id, into_id, changed_at, known_at, row_hash, deleted, mention"
    rows = engine.ask(
        f"select from_id, into_id, mine from (select *, row_number() over (partition by own_id order by "
        "coalesce(changed_at, known_at) desc, known_at desc, row_hash desc) as place from ("
        f"select {columns}, false as mine from links_versions union all select {columns}, true from compared_links "
        "where not unchanged)) where place = 1 and not deleted and not mention order by known_at desc, row_hash desc"
    )
    mine = {str(row[end]) for row in rows if row["mine"] for end in ("from_id", "into_id")}
    kept, left_out = without_circles([(str(row["from_id"]), str(row["into_id"])) for row in rows])
    for start, into in left_out:
        if start in mine or into in mine:
            why = f"it is merged into {kept[start]} by a newer word" if start in kept else "it would close a circle"
            yield f"merging {start} into {into} is left out: {why}"


def _unknown(work: Work, staged: Staged) -> dict[str, list[int]]:
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
            said = staged.engine.ask(f"select count(*) as rows_, {counts} from compared_{row.table} where not mention")[
                0
            ]
            found |= {f"{row.table}.{n}": [int(str(said[n])), int(str(said["rows_"]))] for n in names if said[n]}
    return dict(sorted(found.items()))


def _commit(
    load: Load,
    files: list[LoadFile],
    rows: list[QuarantinedRow],
    tries: Iterable[RetriedRow] = (),
    part: str = "",
    beside: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Load:
    """The moment from which the load is seen: one transaction, synced by SQLite before it returns."""
    durable.step("commit", Path(load.name))
    with transaction.atomic(durable=True), beside():
        hold_fence(part, load.name)
        LoadFile.objects.bulk_create(files)
        QuarantinedRow.objects.bulk_create(rows, batch_size=500)
        RetriedRow.objects.bulk_create(tries, batch_size=500)
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
    Where a landing speaks of several moments, what another writes may part two rows of it of which the later was
    unchanged beside the earlier: then all are compared until none has anything to add. From the second time on each is
    held beside what is written alone, so that a few times are enough however often two files take turns. Returns the
    loads that this added. What a killed writer left unsettled is settled by the next one. Raises Unsettled once all is
    settled that can be.
    """
    added: list[Load] = []
    why: dict[str, str] = {}
    for load in Load.objects.filter(state="committed", settled=False).order_by("number"):
        later = _later_landings(load)
        more, alone = True, False
        while more:
            found = []
            for each in later:
                try:
                    found += _again(home, each, now, alone)
                except (Refused, Damaged) as error:
                    why[each.name] = f"{each.name} ({each.file_name}) cannot be compared anew with {load.name}: {error}"
            added += found
            more, alone = bool(found) and any(map(_several_moments, later)), True
        if why.keys().isdisjoint(each.name for each in later):
            load.settled = True
            load.save(update_fields=["settled"])
    if why:
        raise Unsettled(list(why.values()), added)
    return added


def _later_landings(load: Load) -> list[Load]:
    """Loads of the same source that may say something else beside this one, or now that it is gone.

    One that found versions there already is asked again where something changed before its own, in a table of which it
    says something; one that says all of something where anything came before it, since it may lack that. Beside others
    the load itself is asked too where it speaks of several moments, since theirs may lie between them.
    """
    since = load.first_stamp if load.voided_at else load.first_change
    found = Q(versions_same__gt=0, last_stamp__gte=since) if since else Q(pk=None)
    if load.first_stamp:
        found |= Q(complete=True, known_at__gt=load.first_stamp)
    asked = Load.objects.filter(found, source=load.source, state="committed", voided_at=None, again_of=None)
    touched = set(load.report["tables"] if load.voided_at else load.report.get("changed", load.report["tables"]))
    later = [
        each for each in asked.order_by("known_at", "number") if each.complete or touched & set(each.report["tables"])
    ]
    others = [each for each in later if each.number != load.number]
    return later if others and _several_moments(load) else others


def _several_moments(load: Load) -> bool:
    """Whether rows of a load were known at different moments; of one that does not say so yet, that they may be."""
    return bool(load.report.get("several_moments", True))


def _again(home: Home, load: Load, now: dt.datetime, alone: bool) -> list[Load]:
    """Take in a kept landing once more, exactly as it was asked for; none where nothing of it is new.

    `alone` holds it beside what is written alone; a rebuild has to do so too, so the new load keeps it.
    """
    request = load.request | ({"alone": True} if alone else {})
    work = reopened(home, load)
    again = Load.objects.create(
        file_name=load.file_name, landing=load.landing, source=load.source, format=load.format, again_of=load,
        arrived_at=after_the_latest(now), known_at=load.known_at, dated=load.dated, request=request, settled=True,
    )  # fmt: skip
    try:
        _, files = through(work, again)
    except (Refused, Damaged):
        Load.objects.filter(number=again.number).delete()  # nothing of it was written
        raise
    if not files:
        again.delete()
        return []
    return [_commit(again, files, [])]
