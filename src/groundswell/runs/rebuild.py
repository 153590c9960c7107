"""Checking and rebuilding: is everything that we promised still there, and can the lake be made from its landings?"""

import datetime as dt
import shutil
from dataclasses import dataclass, field, replace

from django.db import connection, transaction

from groundswell.engine import durable, lake, landings
from groundswell.engine.home import Damaged, Home
from groundswell.records.loads import Load, LoadFile
from groundswell.records.runs import Published
from groundswell.runs.prepare import reopened
from groundswell.runs.take_in import home_of, through


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
    _landings(home, committed, found)
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
        folder = home.path / "runs" / run.run_id
        for name, sha256 in run.manifest["outputs"].items():
            wrong = (
                "missing"
                if not (folder / name).is_file()
                else "changed"
                if landings.digest(folder / name) != sha256
                else ""
            )
            if wrong:
                found.faults.append(
                    f"runs/{run.run_id}/{name} is {wrong}. Remove the folder and run: groundswell assess"
                )
        found.checked.append(f"published run {run.run_id[:12]} as of {run.as_of}")
    return found


def _landings(home: Home, committed: list[Load], found: Health) -> None:
    names = {load.landing for load in committed} | {h for load in committed for h in load.request["beside"].values()}
    for name in sorted(names):
        if damage := landings.damaged(home.path, name):
            found.faults.append(
                f"landing {name[:12]} is {damage}. Restore it from a backup, or take the file in again."
            )
    found.checked.append(f"{len(names)} landings")


def _files(home: Home, found: Health) -> None:
    files = list(LoadFile.objects.filter(load__state="committed").select_related("load"))
    for file in files:
        path = lake.file_of(home.lake, file.table, file.load.name)
        wrong = "missing" if not path.is_file() else "changed" if landings.digest(path) != file.sha256 else ""
        if wrong:
            found.faults.append(f"lake/{file.table}/{path.name} is {wrong}. Run: groundswell doctor --rebuild")
    for table in sorted({file.table for file in files}):
        names = {f"{file.load.name}.parquet" for file in files if file.table == table}
        if damage := lake.damaged(home.lake, table, names):
            found.faults.append(f"lake/{table}: {damage}. Run: groundswell doctor --rebuild")
    found.checked.append(f"{len(files)} lake files")


def rebuild(home: Home, now: dt.datetime) -> list[str]:
    """Make the lake anew from the landings, load by load, and put it in place of the old one.

    Returns what differs from the ledger: nothing, unless the program that wrote it was another version. The caller
    holds the writer's lock.
    """
    before = Health()
    _landings(home, list(Load.objects.filter(state="committed")), before)
    if before.faults:
        raise Damaged("the lake is not rebuilt from landings that are damaged:\n" + "\n".join(before.faults))
    fresh = replace(home, lake_name="lake.rebuilt")
    shutil.rmtree(fresh.lake, ignore_errors=True)
    fresh.lake.mkdir(parents=True)
    differs: list[str] = []
    written: list[LoadFile] = []
    for load in Load.objects.filter(state="committed").order_by("number"):
        kept = {file.table: file for file in load.files.all()}
        files: dict[str, LoadFile] = {}
        if kept:
            _, made = through(reopened(fresh, load), load)
            files = {file.table: file for file in made}
        for table in sorted(kept.keys() | files.keys()):
            old, new = kept.get(table), files.get(table)
            if old is None or new is None or (old.rows, old.sha256) != (new.rows, new.sha256):
                differs.append(f"{load.name} {table}: {_said(old)} in the ledger, {_said(new)} rebuilt")
        written += files.values()
    with transaction.atomic(durable=True):
        for load in Load.objects.filter(state="committed"):
            load.request["home"] = home_of(home)
            load.save(update_fields=["request"])
        if differs:
            LoadFile.objects.filter(load__state="committed").delete()
            LoadFile.objects.bulk_create(written)
    old_lake = home.path / f"lake.before-{now:%Y%m%dT%H%M%S}"
    if home.lake.exists():
        durable.rename(home.lake, old_lake)
    durable.rename(fresh.lake, home.lake)
    shutil.rmtree(old_lake, ignore_errors=True)
    return differs


def _said(file: LoadFile | None) -> str:
    return f"{file.rows} rows ({file.sha256[:12]})" if file else "nothing"
