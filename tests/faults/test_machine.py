"""T-D1, T-D2, T-D3: a disk that is full or cannot be written, another writer, little memory. Said clearly; nothing is lost."""

import errno
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from tests.conftest import connect
from tests.river import NOW, assess, command, results, table, take_in

from groundswell.cli import main
from groundswell.cli.exits import Exit, is_full
from groundswell.engine import durable
from groundswell.engine.home import Home
from groundswell.engine.lock import writer
from groundswell.records.loads import visible
from groundswell.records.runs import Published
from groundswell.runs.rebuild import health

DAY = "2026-03-01"
PARTNERS = "partner_id,partner_name\nP1,Nordwind\nP2,Ostwind\n"
DEALS = "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on\n"


def deals(count: int, seed: int) -> str:
    """Rows that hardly pack, so that the lake needs room for them."""
    chance = random.Random(seed)
    return DEALS + "".join(
        f"D{seed}-{i},P1,sourced,Acme {chance.randrange(10**9)},Open,open,{chance.randrange(10**6)},USD,2026-01-05\n"
        for i in range(count)
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(path)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("no disk of its own can be mounted here: T-D1, T-D2 are not tested")
    yield path
    connections["default"].close()
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def small(disk: Path, _empty_records: Path) -> Home:
    """An instance on the small disk, which asks for no room to spare, with a published run."""
    home = Home(disk / "home")
    (home.path / "policy").mkdir(parents=True)
    (home.path / "policy" / "limits.toml").write_text('follows = "default"\n[bounds]\nfree_bytes = 1\n', "utf-8")
    shutil.copy(_empty_records, home.path / "records.sqlite3")
    connect(home.path / "records.sqlite3")
    (disk.parent / "partners.csv").write_text(PARTNERS, "utf-8")
    take_in(home, disk.parent / "partners.csv", "2026-01-01")
    assess(home, DAY)
    return home


@contextmanager
def filled(disk: Path, leaving: int) -> Iterator[None]:
    """The disk with only so many bytes left, for a while."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(max(0, shutil.disk_usage(disk).free - leaving)))
    try:
        yield
    finally:
        ballast.unlink()


def pinned() -> list[tuple[str, str, str]]:
    return [(file.table, file.load.name, file.sha256) for file in visible()]


# ------------------------------------------------------------------------------------------------------- full disk


def test_a_disk_that_fills_up_in_the_middle_loses_nothing(
    disk: Path, small: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes after its size was looked at, another program that writes: room ends anywhere in a load."""
    monkeypatch.setattr("groundswell.runs.take_in.check_room", lambda home, path: None)
    path, ends, said = disk.parent / "deals.csv", Counter[str](), set()
    for number, leaving in enumerate([*range(0, 440, 40), 2000]):
        path.write_text(deals(2000, number), "utf-8")
        before, run = pinned(), Published.current()
        assert run is not None
        shown = results(small, run)
        for doing in (lambda: take_in(small, path, "2026-01-02"), lambda: assess(small, "2026-02-01")):
            with filled(disk, leaving * 1024):
                try:
                    doing()
                except Exception as error:
                    said.add(type(error).__name__)
                    ends["full"] += 1
                    full = is_full(error)
                    problem = f"{type(error).__name__}: {error}"
                else:
                    ends["done"] += 1
                    full, problem = True, ""
                assert full, problem
                stands = Published.current()
                assert stands is not None
                assert len(results(small, stands)) == len(shown)  # still read, with no room at all
        assert pinned()[: len(before)] == before or set(before) <= set(pinned())
        assert health(small).faults == []
    assert take_in(small, path, "2026-01-02").quarantined == 0
    assert len(table(small, "deals", "2030-01-01")) >= 2000
    assess(small, DAY)
    assert health(small).faults == []
    print(f"disk full: injected {ends['full']} / survived {ends['full']} / lost 0 / duplicated 0; {ends['done']} had room; "
          f"said by {sorted(said)}")  # fmt: skip
    assert ends["full"] >= 8
    assert ends["done"] >= 2


def test_a_full_disk_is_said_and_what_is_there_is_read(disk: Path, small: Home) -> None:
    home, path, archive = small.path, disk.parent / "deals.csv", disk.parent / "deals.zip"
    path.write_text(deals(100, 1), "utf-8")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("deals.csv", deals(100_000, 2))
    with filled(disk, 0):
        for words in (["take-in", str(path)], ["assess", "--as-of", "2026-02-01"], ["take-in", str(archive)]):
            done = command(home, *words)
            assert done.returncode == Exit.NO_SPACE, (words, done.stderr)
            assert "ake room and try again" in done.stderr
            assert "Traceback" not in done.stderr
        for words in (["partners"], ["explain", "P1"], ["doctor"]):
            done = command(home, *words)
            assert done.returncode == Exit.ACCEPTED, (words, done.stderr)
        connections["default"].close()  # the last that has the records open takes away what SQLite reads beside them
        done = command(home, "loads")
        assert done.returncode in (Exit.ACCEPTED, Exit.NO_SPACE), done.stderr
    done = command(home, "take-in", str(path), "--exported-at", "2026-01-03")
    assert done.returncode == Exit.ACCEPTED, done.stderr
    assert "100 rows in = 100 loaded" in done.stdout


def test_each_step_that_finds_no_room_ends_with_exit_6(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command itself, whichever step it is: every fourth one of a load, and one fault a load."""
    monkeypatch.setenv("GROUNDSWELL_HOME", str(home.path))
    path, steps = tmp_path / "deals.csv", 0

    def run(at: int) -> int:
        nonlocal steps
        steps = 0

        def hook(what: str, where: Path) -> None:
            nonlocal steps
            steps += 1
            if steps == at:
                raise OSError(errno.ENOSPC, "No space left on device", str(where))

        monkeypatch.setattr(durable, "hook", hook)
        with pytest.raises(SystemExit) as ended:
            main.run(["take-in", str(path), "--exported-at", "2026-01-02"])
        return int(ended.value.code or 0)

    injected = 0
    for at in range(1, 200, 4):
        path.write_text(deals(3, at), "utf-8")
        before = pinned()
        code = run(at)
        if steps < at:
            assert code == Exit.ACCEPTED
            break
        injected += 1
        assert code == Exit.NO_SPACE, at
        assert "no space left" in capsys.readouterr().err
        assert set(before) <= set(pinned())
        assert run(0) == Exit.ACCEPTED
    monkeypatch.setattr(durable, "hook", None)
    assert health(home).faults == []
    assert len(table(home, "deals", "2030-01-01")) == 3 * (injected + 1)
    print(f"no room at a step: injected {injected} / survived {injected} / lost 0 / duplicated 0")
    assert injected >= 6


# --------------------------------------------------------------------------------------------- read-only, two writers


def test_a_disk_that_cannot_be_written_is_said(disk: Path, small: Home) -> None:
    """No fault, no traceback: the folder is named, and it works again once it can be written."""
    connections["default"].close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for words in (["take-in", str(disk.parent / "partners.csv")], ["assess"], ["partners"], ["doctor"]):
        done = command(small.path, *words)
        assert done.returncode == Exit.REFUSED, (words, done.stderr)
        assert f"{small.path} cannot be written" in done.stderr
        assert "Traceback" not in done.stderr
    done = command(disk / "new", "take-in", str(disk.parent / "partners.csv"))
    assert done.returncode == Exit.REFUSED
    assert "cannot be written: Read-only file system" in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert command(small.path, "partners").returncode == Exit.ACCEPTED


@pytest.mark.parametrize(
    "words", [["take-in", "FILE"], ["assess"], ["loads", "revert", "L000001"], ["doctor", "--rebuild"]]
)
def test_a_second_writer_is_told_who_is_at_work(home: Home, tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "partners.csv"
    path.write_text(PARTNERS, "utf-8")
    take_in(home, path, "2026-01-01")
    before = pinned()
    with writer(home.path, "a long take-in", NOW):
        done = command(home.path, *(str(path) if word == "FILE" else word for word in words))
        assert done.returncode == Exit.LOCKED
        assert f"a long take-in, process {os.getpid()}, since 2026-11-22" in done.stderr
        assert command(home.path, "loads").returncode == Exit.ACCEPTED
    assert pinned() == before


# ----------------------------------------------------------------------------------------------------------- memory


@contextmanager
def bounded(megabytes: int) -> Iterator[Callable[[], None]]:
    """A group of processes that has so much memory and no more: what a child calls first. Skips where none can be made."""
    group = Path("/sys/fs/cgroup/memory") / f"groundswell-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(megabytes << 20))
    except OSError:
        pytest.skip("no group of bounded memory can be made here: T-D3 is not tested")
    try:
        yield lambda: (group / "cgroup.procs").write_text(str(os.getpid()))  # type: ignore[return-value]
    finally:
        group.rmdir()


def test_a_load_is_taken_in_with_little_memory(tmp_path: Path) -> None:
    """200,000 rows in a third less than a load may need: nobody is ended by the kernel."""
    path = tmp_path / "deals.csv"
    path.write_text(deals(200_000, 1), "utf-8")
    with bounded(1000) as joined:
        done = subprocess.run(
            [sys.executable, "-m", "groundswell", "take-in", str(path)],
            env={**os.environ, "GROUNDSWELL_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            preexec_fn=joined,
        )
    assert done.returncode == Exit.ACCEPTED, done.stderr
    assert "200000 rows in = 200000 loaded" in done.stdout
