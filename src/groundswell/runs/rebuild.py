"""Checking and rebuilding: is everything that we promised still there, and can the lake be made from its landings?"""

import datetime as dt
import shutil
from dataclasses import dataclass, field, replace

from django.db import connection, transaction

from groundswell.connectors.files.read import Refused
from groundswell.engine import durable, lake, landings
from groundswell.engine.home import Damaged, Home
from groundswell.policy.read import BadPolicy
from groundswell.records.loads import Load, LoadFile, QuarantinedRow
from groundswell.records.runs import Published
from groundswell.runs.prepare import reopened
from groundswell.runs.take_in import Seen, home_of, quarantined, settle, through


@dataclass
class Health:
    """What was looked at, what is wrong with it, and what is only worth knowing."""

    checked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def health(home: Home) -> Health:
    """Look at records, landings, lake files and the published run. Reads only."""
    found = Health()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        said = [row[0] for row in cursor.fetchall()]
    if said != ["ok"]:
        found.faults.append(f"records.sqlite3: {'; '.join(said[:3])}. Restore it from a backup.")
    committed = list(Load.objects.filter(state="committed"))
    _landings(home, found)
    _files(home, found)
    settings = home_of(home)
    stale = [load.name for load in committed if load.request["home"] != settings]
    if stale:
        found.faults.append(
            f"{len(stale)} loads ({stale[0]}, ...) were read under another home zone or currency than {' and '.join(settings)}. "
            "Run: groundswell doctor --rebuild"
        )
    orphans = Load.objects.exclude(state="committed").count()
    if orphans:
        found.remarks.append(f"{orphans} loads were ended before they were committed; nothing of them is seen")
    run = Published.current()
    if run is not None:
        found.faults += home.damaged_outputs(run, ["manifest.json", *run.manifest["outputs"]])
        found.checked.append(f"published run {run.run_id[:12]} as of {run.as_of}")
    return found


def _landings(home: Home, found: Health) -> None:
    kept = {path.name for path in (home.path / "landings").glob("*/*")}  # before the ledger, which a writer may add to
    named: dict[str, set[str]] = {}
    for load in Load.objects.all():
        named.setdefault(load.state, set()).update((load.landing, *load.request["beside"].values()))
    names = named.get("committed", set())
    for name in sorted(names):
        if damage := landings.damaged(home.path, name):
            found.faults.append(
                f"landing {name[:12]} is {damage}. Restore it from a backup, or take the file in again."
            )
    found.checked.append(f"{len(names)} landings")
    if left := kept.difference(*named.values()):
        found.remarks.append(f"{len(left)} landings are of no load: of files that were asked about or refused")


def _files(home: Home, found: Health) -> None:
    lying = sorted(home.lake.glob("*/*.parquet"))  # before the ledger, which a writer may add to
    unknown = home.unknown()
    files = list(LoadFile.objects.filter(load__state="committed").select_related("load"))
    named = {lake.file_of(home.lake, file.table, file.load.name): file for file in files}
    for path, file in named.items():
        wrong = "missing" if not path.is_file() else "changed" if landings.digest(path) != file.sha256 else ""
        if wrong:
            found.faults.append(f"lake/{file.table}/{path.name} is {wrong}. Run: groundswell doctor --rebuild")
    for table in sorted({file.table for file in files}):
        names = {path.name for path, file in named.items() if file.table == table}
        if damage := lake.damaged(home.lake, table, names):
            found.faults.append(f"lake/{table}: {damage}. Run: groundswell doctor --rebuild")
    found.checked.append(f"{len(files)} lake files")
    if unknown:
        found.faults.append(
            f"{len(unknown)} lake files ({unknown[0].relative_to(home.path)}, ...) are of loads that records.sqlite3 does "
            "not know. Restore the records that belong to them; or go on without: groundswell doctor --rebuild"
        )
    if left := [path for path in lying if path not in named and path not in unknown]:
        found.remarks.append(f"{len(left)} lake files are named by no committed load; nothing of them is seen")


def rebuild(home: Home, now: dt.datetime) -> list[str]:
    """Make the lake anew from the landings, load by load, and put it in place of the old one.

    Every committed load is read as it would be today and compared with what was rebuilt before it. The ledger is
    written in the same transaction, so lake and ledger stay as they were where a load cannot be read: Refused, or
    Damaged, with its name. Returns what differs from the ledger: nothing, unless the program, the home zone or the home
    currency was another one. The caller holds the writer's lock.
    """
    before = Health()
    _landings(home, before)
    if before.faults:
        raise Damaged("the lake is not rebuilt from landings that are damaged:\n" + "\n".join(before.faults))
    fresh = replace(home, lake_name="lake.rebuilt")
    shutil.rmtree(fresh.lake, ignore_errors=True)
    try:
        fresh.lake.mkdir(parents=True)
        with transaction.atomic(durable=True):
            differs = _read_anew(fresh)
    except BaseException:
        shutil.rmtree(fresh.lake, ignore_errors=True)
        raise
    old_lake = home.path / f"lake.before-{now:%Y%m%dT%H%M%S}"
    if home.lake.exists():
        durable.rename(home.lake, old_lake)
    durable.rename(fresh.lake, home.lake)
    shutil.rmtree(old_lake, ignore_errors=True)
    again = settle(home, now)
    return differs + [f"{one.name}: {one.file_name} was compared anew, {one.loaded} rows loaded" for one in again]


def _read_anew(fresh: Home) -> list[str]:
    """Every committed load through to the fresh lake, and into the ledger what became of it; what differs from before.

    A load that wrote nothing may write now, and the other way round, so none is left out, and none is compared with
    what the ledger says of the old lake. Where anything differs, the loads have to be settled anew.
    """
    committed = list(Load.objects.filter(state="committed").order_by("number"))
    before = {load.number: {file.table: file for file in load.files.all()} for load in committed}
    LoadFile.objects.filter(load__state="committed").delete()
    differs: list[str] = []
    other_home = False
    for load in committed:
        name, counted = load.name, _counts(load)
        try:
            staged, made = through(reopened(fresh, load), load)
        except (Refused, BadPolicy) as error:
            said = f"{name} ({load.file_name}) cannot be read anew: {error}"
            raise Refused(f"the lake is not rebuilt and stays as it was. {said}") from error
        LoadFile.objects.bulk_create(made)
        found = _differing(name, before[load.number], {file.table: file for file in made})
        if counted != _counts(load):
            found.append(f"{name}: {counted} in the ledger, {_counts(load)} rebuilt")
        if found or load.request["home"] != home_of(fresh):
            other_home = other_home or load.request["home"] != home_of(fresh)
            load.request["home"] = home_of(fresh)
            _record(load, staged)
        differs += found
    if differs or other_home:
        Load.objects.filter(state="committed").update(settled=False)
    return differs


def _differing(name: str, kept: dict[str, LoadFile], made: dict[str, LoadFile]) -> list[str]:
    said = {table: (_said(kept.get(table)), _said(made.get(table))) for table in sorted(kept.keys() | made.keys())}
    return [f"{name} {table}: {old} in the ledger, {new} rebuilt" for table, (old, new) in said.items() if old != new]


def _record(load: Load, seen: Seen) -> None:
    """What became of a load now. A row that is set aside as before keeps what was done about it."""
    load.save()
    rows = {row.line: row for row in quarantined(load, seen)}
    load.quarantine.exclude(line__in=rows).delete()
    for row in load.quarantine.all():
        now = rows.pop(row.line)
        row.column, row.reason, row.remedy, row.text = now.column, now.reason, now.remedy, now.text
        row.save()
    QuarantinedRow.objects.bulk_create(rows.values(), batch_size=500)


def _counts(load: Load) -> str:
    return f"{load.loaded} loaded + {load.unchanged} unchanged + {load.quarantined} quarantined"


def _said(file: LoadFile | None) -> str:
    return f"{file.rows} rows ({file.sha256[:12]})" if file else "nothing"
