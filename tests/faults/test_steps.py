"""Every write, fsync, rename and commit: their order, a failure at each of them, and the lake made anew from landings."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from django.db import connection
from tests.river import NOW, assess, results, take_in, take_in_text
from tests.stories.instances import become, beside, differing, facts, judged, lake_files, run_files

from groundswell.actions.loads import revert
from groundswell.engine import durable, landings
from groundswell.engine.home import Home
from groundswell.records.loads import Load, LoadFile, visible
from groundswell.records.runs import Published
from groundswell.runs import assess as runs
from groundswell.runs.rebuild import health, rebuild

DAY = "2026-09-30"
PARTNERS = "partner_id,partner_name,country\nP1,Nordwind,DE\nP2,Ostwind,DE\n"
DEALS = (
    "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on\n"
    "D1,P1,sourced,Acme,Closed Won,won,100,USD,2026-01-05\n"
    "D2,P2,resold,Zero,Open,open,50,USD,2026-02-05\n"
)


@dataclass
class Seen:
    """What was really asked of the system: each fsync with the names or the size that it made safe, each commit."""

    events: list[tuple[str, Path, frozenset[str] | int]] = field(default_factory=list)

    def fsync(self, descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        _fsync(descriptor)
        self.events.append(("fsync", path, frozenset(os.listdir(path)) if path.is_dir() else path.stat().st_size))

    def step(self, what: str, path: Path) -> None:
        if what == "commit":
            self.events.append((what, path, 0))

    def place(self, what: str, path: Path) -> int:
        (place,) = [i for i, event in enumerate(self.events) if event[:2] == (what, path)]
        return place

    def safe(self, path: Path, before: int) -> bool:
        """Whether a file was synced whole, and its name in its folder after it stood there, before an event.

        The file may have had another name when it was synced: it is known by its size then.
        """
        earlier = self.events[:before]
        whole = any(what == "fsync" and what_ == path.stat().st_size and at.name in (path.name, *self.arriving)
                    for what, at, what_ in earlier)  # fmt: skip
        named = any(what == "fsync" and at == path.parent and isinstance(names, frozenset) and path.name in names
                    for what, at, names in earlier)  # fmt: skip
        return whole and named

    arriving: tuple[str, ...] = (f".arriving-{os.getpid()}",)


_fsync = os.fsync


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Records what happens from now on."""
    found = Seen()
    monkeypatch.setattr(os, "fsync", found.fsync)
    monkeypatch.setattr(durable, "hook", found.step)
    return found


def test_everything_is_synced_before_the_ledger_commits(home: Home, seen: Seen) -> None:
    """P1: landing, lake files, log entries and every folder that names them are safe before anything is accepted."""
    load = take_in_text(home, "deals.csv", DEALS, "2026-09-01")
    accepted = seen.place("commit", Path(load.name))
    landing = landings.at(home.path, load.landing)
    assert seen.safe(landing, accepted)
    assert any(at == home.path / "landings" and landing.parent.name in names
               for what, at, names in seen.events[:accepted] if isinstance(names, frozenset))  # fmt: skip
    tables = [file.table for file in load.files.order_by("table")]
    assert tables == ["deals", "organisations", "touches"]
    for table in tables:
        path = home.lake / table / f"{load.name}.parquet"
        log = home.lake / table / "_delta_log"
        entries = sorted(log.glob("*.json"))
        assert [entry.name for entry in entries] == ["00000000000000000000.json", "00000000000000000001.json"]
        # The file is safe before the log names it, and the log before the ledger does.
        assert seen.safe(path, seen.place("commit", path))
        assert seen.place("commit", path) < accepted
        assert all(seen.safe(entry, accepted) for entry in entries)
        assert any(at == home.lake / table and "_delta_log" in names
                   for what, at, names in seen.events[:accepted] if isinstance(names, frozenset))  # fmt: skip
        assert any(at == home.lake and table in names
                   for what, at, names in seen.events[:accepted] if isinstance(names, frozenset))  # fmt: skip
    assert [event for event in seen.events[accepted + 1 :] if event[0] == "commit"] == []
    with connection.cursor() as cursor:  # the ledger itself: SQLite syncs a commit before it returns
        assert [cursor.execute(f"pragma {name}").fetchone()[0] for name in ("journal_mode", "synchronous")] == [
            "wal",
            2,
        ]
    print(f"{sum(event[0] == 'fsync' for event in seen.events[:accepted])} fsyncs before the ledger commits")


def test_the_folder_of_the_instance_is_synced_when_folders_are_made_in_it(home: Home, seen: Seen) -> None:
    """A folder is safe once the folder that names it is synced: landings and lake below the instance's own."""
    load = take_in_text(home, "deals.csv", DEALS, "2026-09-01")
    synced = [names for what, at, names in seen.events[: seen.place("commit", Path(load.name))] if at == home.path]
    assert any(isinstance(names, frozenset) and {"landings", "lake"} <= names for names in synced)


def test_a_run_is_synced_before_it_is_published(home: Home, seen: Seen) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    seen.events.clear()
    run = assess(home, DAY)
    folder = home.path / "runs" / run.run_id
    published = seen.place("commit", Path(f"publish {run.run_id[:12]}"))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"manifest.json", "assessment.jsonl", "signals.parquet"} <= {path.name for path in files}
    sizes = {(at.name, size) for what, at, size in seen.events[:published] if isinstance(size, int)}
    assert [path.name for path in files if (f".{path.name}.part", path.stat().st_size) not in sizes] == []
    assert any(at == folder.parent and run.run_id in names
               for what, at, names in seen.events[:published] if isinstance(names, frozenset))  # fmt: skip


def test_every_folder_of_a_run_is_synced_with_the_names_in_it(home: Home, seen: Seen) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    run = assess(home, DAY)
    published = seen.place("commit", Path(f"publish {run.run_id[:12]}"))
    folder, part = home.path / "runs" / run.run_id, home.path / "runs" / f".{run.run_id}.part"
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    assert len(folders) >= 8
    open_ = []
    for one in folders:
        places = {one, part / one.relative_to(folder)}
        wanted = {path.name for path in one.iterdir()}
        if not any(at in places and isinstance(names, frozenset) and wanted <= names
                   for _, at, names in seen.events[:published]):  # fmt: skip
            open_.append(str(one.relative_to(folder)))
    assert open_ == []


# ------------------------------------------------------------------------------------------- a failure at each step


@contextmanager
def failing(at: int) -> Iterator[list[str]]:
    """The n-th step fails as a broken disk does; what was reached is listed."""
    reached: list[str] = []

    def hook(what: str, path: Path) -> None:
        reached.append(f"{what} {path.name}")
        if len(reached) == at:
            raise OSError(errno.EIO, "input/output error", str(path))

    durable.hook = hook
    try:
        yield reached
    finally:
        durable.hook = None


def until_no_fault(attempt: Callable[[int], None], check: Callable[[int, str], None]) -> int:
    """Run an attempt with its n-th step failing, n = 1, 2, ..., until none fails; the number of failures."""
    for n in range(1, 1000):
        with failing(n) as reached:
            try:
                attempt(n)
            except OSError as error:
                assert error.errno == errno.EIO  # noqa: PT017 - the loop ends where nothing is raised
                failed = True
            else:
                failed = False
        if not failed:
            assert len(reached) == n - 1
            return n - 1
        check(n, reached[-1])
    raise AssertionError("every one of 999 runs failed")


def pinned() -> list[tuple[str, str, str]]:
    """The files that a reader of this moment reads."""
    return [(file.table, file.load.name, file.sha256) for file in visible()]


def test_a_load_that_fails_at_any_step_is_not_seen_and_succeeds_the_next_time(home: Home) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    take_in_text(
        home, "deals_1.csv", DEALS.splitlines()[0] + "\nD0,P1,sourced,Acme,Open,open,7,USD,2026-01-01\n", "2026-09-01"
    )
    path = home.path.parent / "files" / "deals_2.csv"
    path.write_text(DEALS, "utf-8")
    acknowledged, before, kept = pinned(), facts(home, DAY), home.path.parent / "kept"
    become_later = home.path
    shutil.copytree(become_later, kept)
    with beside(home, "clean") as clean:
        become(clean, kept)
        take_in(clean, path, "2026-09-02")
        after = facts(clean, DAY)
    assert differing(before, after) != {}

    def check(n: int, step: str) -> None:
        assert pinned() == acknowledged, (n, step)
        assert [load.name for load in Load.objects.filter(state="committed").order_by("number")] == [
            "L000001",
            "L000002",
        ]
        if n % 6 == 0:  # reading the tables takes longer than all the rest; what is pinned is what they are made of
            assert differing(facts(home, DAY), before) == {}, (n, step)
        load = take_in(home, path, "2026-09-02")
        assert (load.rows_in, load.loaded) == (2, 2)
        if n % 3 == 0:
            assert differing(facts(home, DAY), after) == {}, (n, step)
        assert health(home).faults == []
        become(home, kept)

    injected = until_no_fault(lambda n: take_in(home, path, "2026-09-02"), check)
    assert differing(facts(home, DAY), after) == {}
    print(f"take-in: injected {injected} / survived {injected} / lost 0 / duplicated 0")
    assert injected >= 25


def test_a_late_export_that_fails_at_any_step_is_settled_by_the_next_writer(home: Home) -> None:
    """A of day 1 and C of day 3 stand; B of day 2 arrives and fails at each step, also while C is compared anew."""
    a = "partner_id,partner_name\nP1,Nordwind\n"
    b = "partner_id,partner_name\nP1,Nordwind GmbH\n"
    take_in_text(home, "a.csv", a, "2026-09-01")
    take_in_text(home, "c.csv", a + "P2,Ostwind\n", "2026-09-03")
    kept, path = home.path.parent / "kept", home.path.parent / "files" / "b.csv"
    path.write_text(b, "utf-8")
    shutil.copytree(home.path, kept)
    days = ("2026-09-02", "2026-09-03")
    with beside(home, "clean") as clean:
        for name, exported_at in (("a", "2026-09-01"), ("b", "2026-09-02"), ("c", "2026-09-03")):
            take_in(clean, home.path.parent / "files" / f"{name}.csv", exported_at)
        after = [facts(clean, day) for day in days]
        ready = judged(clean, assess(clean, "2026-09-03"))
    committed = []

    def check(n: int, step: str) -> None:
        if Load.objects.filter(file_name="b.csv", state="committed").exists():
            # Not acknowledged, yet there: the next writer of any kind must bring C's value back.
            committed.append(step)
            assert judged(home, assess(home, "2026-09-03")) == ready, (n, step)
        load = take_in(home, path, "2026-09-02")
        assert load.rows_in == 1 == load.loaded + load.unchanged
        for day, them in zip(days, after, strict=True) if n % 4 == 0 or committed else ():
            assert differing(facts(home, day), them) == {}, (n, step)
        become(home, kept)

    injected = until_no_fault(lambda n: take_in(home, path, "2026-09-02"), check)
    assert [differing(facts(home, day), them) for day, them in zip(days, after, strict=True)] == [{}, {}]
    assert len(committed) >= 5
    print(f"late take-in: injected {injected} / survived {injected} / lost 0 / duplicated 0; "
          f"{len(committed)} after its own commit")  # fmt: skip


def test_files_that_take_turns_and_fail_at_any_step_are_settled_by_the_next_writer(home: Home) -> None:
    """Each of two files tells of days between those of the other; the second fails at each step, also while it is
    compared anew itself."""
    mapping = home.path.parent / "told.toml"
    mapping.write_text(
        '[source]\nname = "told"\n[[file]]\nmatch = "*.csv"\nknown_at = "day"\n[[file.row]]\ntable = "organisations"\n'
        'external_id = "id"\nname = "name"\nis_partner = { const = true }\nis_customer = { const = false }\n',
        "utf-8",
    )
    head, path = "id,day,name\n", home.path.parent / "files" / "b.csv"
    take_in_text(home, "a.csv", head + "P1,2026-09-01,A\nP1,2026-09-03,A\nP1,2026-09-05,A\n", mapping=mapping)
    path.write_text(head + "P1,2026-09-02,B\nP1,2026-09-04,B\n", "utf-8")
    kept = home.path.parent / "kept"
    shutil.copytree(home.path, kept)

    def called() -> str:
        return "".join(facts(home, f"2026-09-0{day}")["organisations"]["name"][0].as_py() for day in range(1, 6))

    def check(n: int, step: str) -> None:
        take_in(home, path, mapping=mapping)
        assert called() == "ABABA", (n, step)
        become(home, kept)

    injected = until_no_fault(lambda n: take_in(home, path, mapping=mapping), check)
    assert called() == "ABABA"
    assert injected >= 20
    print(f"files that take turns: injected {injected} / survived {injected} / lost 0 / duplicated 0")


def test_a_revert_that_fails_at_any_step_is_settled_by_the_next_writer(home: Home) -> None:
    text = "partner_id,partner_name\nP1,Nordwind\n"
    take_in_text(home, "a.csv", text + "P2,Ostwind\n", "2026-09-01")
    take_in_text(home, "b.csv", text, "2026-09-02")
    kept = home.path.parent / "kept"
    shutil.copytree(home.path, kept)
    with beside(home, "clean") as clean:
        take_in(clean, home.path.parent / "files" / "b.csv", "2026-09-02")
        after = facts(clean, DAY)

    def check(n: int, step: str) -> None:
        if Load.named("L000001").voided_at is None:
            revert(home, "L000001", "", NOW)
        else:
            take_in_text(home, "other.csv", text.replace("P1,Nordwind", "P3,Südwind"), "2026-09-02")
            revert(home, Load.objects.order_by("-number")[0].name, "", NOW)
        if n % 2:
            assert differing(facts(home, DAY), after) == {}, (n, step)
        become(home, kept)

    injected = until_no_fault(lambda n: revert(home, "L000001", "", NOW), check)
    assert differing(facts(home, DAY), after) == {}
    assert injected >= 10
    print(f"revert: injected {injected} / survived {injected} / lost 0 / duplicated 0")


def store_little(home: Home) -> None:
    """A run stores every policy file the same way; three of them are enough to fail at."""
    home.__dict__["policy"] = replace(home.policy, files=dict(list(home.policy.files.items())[:3]))


def test_an_assessment_that_fails_at_any_step_leaves_the_old_one_or_the_new(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    take_in_text(home, "deals.csv", DEALS, "2026-09-01")
    store_little(home)
    old = assess(home, "2026-09-01")
    before, old_files = results(home, old), run_files(home, old)
    with beside(home, "clean") as clean:
        for name in ("partners.csv", "deals.csv"):
            take_in(clean, home.path.parent / "files" / name, "2026-09-01")
        store_little(clean)
        new = assess(clean, DAY)
        after, new_files = results(clean, new), run_files(clean, new)
    assert new.run_id != old.run_id
    said = {}
    real = runs.assess  # the sum itself is the same each time, so it is worked out once
    monkeypatch.setattr(runs, "assess", lambda *asked: said[0] if said else said.setdefault(0, real(*asked)))

    kept = home.path.parent / "kept"
    shutil.copytree(home.path, kept)

    def check(n: int, step: str) -> None:
        run = Published.current()
        assert run is not None
        assert run.complete
        assert run.run_id == old.run_id, (n, step)
        assert results(home, run) == before, (n, step)
        folder = home.path / "runs" / new.run_id
        assert not folder.exists() or run_files(home, new) == new_files, (n, step)
        if n % 2:
            again = assess(home, DAY)
            assert run_files(home, again) == new_files, (n, step)
            assert results(home, again) == after, (n, step)
        become(home, kept)

    injected = until_no_fault(lambda n: assess(home, DAY), check)
    run = Published.current()
    assert run is not None
    assert run.run_id == new.run_id
    assert results(home, run) == after
    assert run_files(home, run) == new_files
    assert run_files(home, old) == old_files
    assert run.partners.count() == 2
    assert health(home).faults == []
    print(f"assess: injected {injected} / survived {injected} / lost 0 / duplicated 0")
    assert injected >= 15


def test_a_run_folder_whose_sync_failed_is_synced_before_it_is_published(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-D4: where fsync returns an error, what it was for counts as lost, until it is synced once more."""
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")

    def refuse(what: str, path: Path) -> None:
        if what == "fsync folder" and path == home.path / "runs":
            raise OSError(errno.EIO, "input/output error", str(path))

    monkeypatch.setattr(durable, "hook", refuse)
    with pytest.raises(OSError, match="input/output error"):
        assess(home, DAY)
    assert Published.current() is None
    found = Seen()
    monkeypatch.setattr(os, "fsync", found.fsync)
    monkeypatch.setattr(durable, "hook", found.step)
    run = assess(home, DAY)
    published = found.place("commit", Path(f"publish {run.run_id[:12]}"))
    assert any(at == home.path / "runs" and run.run_id in names
               for what, at, names in found.events[:published] if isinstance(names, frozenset))  # fmt: skip


# ------------------------------------------------------------------------------------------------ made anew


def test_the_lake_is_made_anew_from_the_landings(home: Home, tmp_path: Path) -> None:
    """An older export that arrived last, a reverted load, a question answered, a mapping that looks up: all come back."""
    mapping, cities = tmp_path / "mapping.toml", tmp_path / "cities.csv"
    cities.write_text("city,land\nHamburg,DE\nOslo,NO\n", "utf-8")
    mapping.write_text(
        '[source]\nname = "shops"\nlocale = "de_DE"\n[[file]]\nmatch = "shops*.csv"\n[[file.row]]\n'
        'table = "organisations"\nexternal_id = "{id}"\nname = "name"\nis_partner = { const = true }\n'
        'is_customer = { const = false }\ncountry = { lookup = "cities.csv", on = "city", take = "land" }\n'
        'employees_low = "people"\nemployees_high = "people"\n',
        "utf-8",
    )
    shops = tmp_path / "shops.csv"
    shops.write_text("id;name;city;people\n1;Kiosk;Hamburg;1.200\n2;Boden;Oslo;7\n3;Nowhere;Rome;1\n", "utf-8")
    a = "partner_id,partner_name\nP1,Nordwind\nP2\n"
    take_in_text(home, "a.csv", a, "2026-09-01")
    take_in_text(home, "c.csv", a + "P3,Südwind\n", "2026-09-03")
    take_in(home, shops, mapping=mapping)
    wrong = take_in_text(home, "wrong.csv", a.replace("Nordwind", "WRONG"), "2026-09-04")
    take_in_text(
        home, "deals.csv", DEALS.replace("2026-01-05", "03/04/2026"), "2026-09-02", answers={"created_on": "dmy"}
    )
    take_in_text(home, "b.csv", a.replace("Nordwind", "Nordwind GmbH"), "2026-09-02")  # late: c is compared anew
    revert(home, wrong.name, "test", NOW)
    take_in_text(home, "d.csv", "partner_id,partner_name\n", "2026-09-05")
    for name in ("mapping.toml", "cities.csv", "shops.csv"):
        (tmp_path / name).unlink()
    assert Load.objects.filter(again_of__isnull=False).exists()
    days = ("2026-09-01", "2026-09-02", "2026-09-04", "2026-12-01")
    before, files = [facts(home, day) for day in days], lake_files(home)
    ready = judged(home, assess(home, DAY))
    assert len(files) >= 8
    shutil.rmtree(home.lake)
    missing = [fault for fault in health(home).faults if ".parquet is missing" in fault]
    assert len(missing) == len(files)
    assert rebuild(home, NOW) == []
    assert lake_files(home) == files
    assert {(file.load.name, file.table): file.sha256 for file in LoadFile.objects.select_related("load")} == files
    assert [differing(facts(home, day), them) for day, them in zip(days, before, strict=True)] == [{}] * 4
    assert judged(home, assess(home, DAY)) == ready
    assert health(home).faults == []
    assert sorted(path.name for path in home.path.iterdir() if path.name.startswith("lake")) == ["lake"]
    # A rebuilt lake goes on: the next load and one more rebuild.
    take_in_text(home, "e.csv", a.replace("Nordwind", "Nordwind AG"), "2026-09-06")
    assert rebuild(home, NOW) == []


def test_a_rebuild_that_fails_at_any_step_can_be_run_again(home: Home) -> None:
    take_in_text(home, "partners.csv", PARTNERS, "2026-09-01")
    files, before = lake_files(home), facts(home, DAY)

    def check(n: int, step: str) -> None:
        assert pinned()
        if home.lake.is_dir():  # the old lake or the new one, never a half of one
            assert lake_files(home) == files, (n, step)

    injected = until_no_fault(lambda n: rebuild(home, NOW), check)
    assert rebuild(home, NOW) == []
    assert lake_files(home) == files
    assert differing(facts(home, DAY), before) == {}
    assert sorted(path.name for path in home.path.iterdir() if path.name.startswith("lake")) == ["lake"]
    print(f"rebuild: injected {injected} / survived {injected} / lost 0 / duplicated 0")
    assert injected >= 20
