"""An act and its entry are one: both or neither, in order whoever writes beside, and never changed afterwards."""

import datetime as dt
import json
import logging
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from groundswell.actions.act import Actor, NotAllowed, act, heads
from groundswell.actions.staff import CannotInvite, accept, change, invite, invited
from groundswell.engine.home import Home
from groundswell.engine.secrets import Exposed, Secrets
from groundswell.reads.trail import verify
from groundswell.records.staff import Staff
from groundswell.records.trail import Entry

NOW = dt.datetime(2026, 11, 2, 9, 30, 0, 123456, tzinfo=dt.UTC)
WORD = "correct horse battery"


def machine(home: Home) -> Actor:
    return Actor(home.path, None, NOW)


def person(home: Home, role: str, email: str = "") -> Staff:
    address = email or f"{role}@example.com"
    accept(machine(home), invite(machine(home), address, role.title(), role), WORD)
    return Staff.objects.get(email=address)


def whole(home: Home) -> tuple[int, list[str]]:
    found = verify(Secrets.of(home.path).trail, heads(home.path))
    return found.count, [str(one) for one in found.breaks]


def test_an_act_leaves_one_entry_and_its_head_outside(home: Home) -> None:
    with act(machine(home), "assigned partners to", "m@example.com", {"partners": ["o_1"]}):
        pass
    [entry] = Entry.objects.all()
    assert (entry.number, entry.verb, entry.about, entry.said) == (
        1,
        "assigned partners to",
        "m@example.com",
        {"partners": ["o_1"]},
    )
    assert entry.who.startswith("command line: ")
    [head] = [json.loads(line) for line in heads(home.path).read_text().splitlines()]
    assert (head["number"], head["digest"]) == (1, entry.digest)
    assert heads(home.path).stat().st_mode & 0o077 == 0
    assert whole(home) == (1, [])


def test_an_act_that_fails_leaves_nothing(home: Home) -> None:
    def half() -> None:
        with act(machine(home), "divided", "by nothing"):
            Staff.objects.create(email="half@example.com", role="leader")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        half()
    assert not Staff.objects.exists()
    assert not Entry.objects.exists()
    assert not heads(home.path).exists()


def test_an_act_within_one_that_fails_leaves_nothing_either(home: Home) -> None:
    def undone() -> None:
        with transaction.atomic():
            with act(machine(home), "did", "something"):
                pass
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        undone()
    assert not Entry.objects.exists()
    assert not heads(home.path).exists()


def test_entries_are_neither_changed_nor_deleted_whoever_asks(home: Home) -> None:
    with act(machine(home), "did", "something"):
        pass
    for sql in ("update records_entry set who = 'x'", "delete from records_entry"):
        with pytest.raises(DatabaseError, match="never"), connection.cursor() as cursor:
            cursor.execute(sql)
    assert whole(home) == (1, [])


def test_what_is_done_behind_the_triggers_is_found(home: Home) -> None:
    for number in range(5):
        with act(machine(home), "did", f"thing {number}"):
            pass
    connection.close()
    with sqlite3.connect(home.path / "records.sqlite3") as raw:
        raw.execute("drop trigger trail_is_not_changed")
        raw.execute("update records_entry set about = 'thing 9' where number = 3")
    assert whole(home) == (5, ["entry 3: not what was written, or not after what stood before it"])
    with sqlite3.connect(home.path / "records.sqlite3") as raw:
        raw.execute("update records_entry set about = 'thing 2' where number = 3")
        raw.execute("drop trigger trail_is_not_cut")
        raw.execute("delete from records_entry where number > 3")
    assert whole(home) == (3, ["entry 4: missing: 5 entries were written, and 3 are there"])


def _appends(path: str, times: int) -> None:
    os.environ["GROUNDSWELL_HOME"] = path
    script = (
        "import django, datetime as dt; django.setup()\n"
        "from groundswell.actions.act import Actor, act\nfrom pathlib import Path\n"
        f"for n in range({times}):\n"
        f"    with act(Actor(Path({path!r}), None, dt.datetime.now(dt.UTC)), 'did', str(n)): pass\n"
    )
    around = {**os.environ, "DJANGO_SETTINGS_MODULE": "groundswell.server.settings"}
    subprocess.run([sys.executable, "-c", script], check=True, env=around)


def test_twenty_writers_keep_one_order(home: Home) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.starmap(_appends, [(str(home.path), 5)] * 20)
    assert whole(home) == (100, [])


def test_the_command_line_verifies_and_says_where_it_broke(home: Home) -> None:
    for number in range(3):
        with act(machine(home), "did", f"thing {number}"):
            pass
    connection.close()
    verified = [sys.executable, "-m", "groundswell", "audit", "verify", "--home", str(home.path)]
    found = subprocess.run(verified, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "3 entries, 0 breaks\n")
    lines = heads(home.path).read_text().splitlines()
    heads(home.path).write_text("\n".join([*lines, "no head at all"]) + "\n")
    found = subprocess.run(verified, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "3 entries, 1 breaks\n")


def did(home: Home, times: int) -> None:
    for number in range(times):
        with act(machine(home), "did", f"thing {number}"):
            pass


def test_heads_that_are_gone_are_said_unless_there_is_nothing_to_keep(home: Home) -> None:
    assert whole(home) == (0, [])
    did(home, 2)
    heads(home.path).unlink()
    assert whole(home) == (
        2,
        ["entry 1: heads.jsonl, outside the database, cannot be read: No such file or directory"],
    )
    did(home, 1)
    assert whole(home) == (3, []), "the newest head binds all entries before it"


def test_a_head_that_a_power_cut_tore_is_named_and_fails_only_while_none_follows(home: Home) -> None:
    did(home, 3)
    written = heads(home.path).read_bytes()
    heads(home.path).write_bytes(written[:-70])
    assert whole(home) == (3, ["entry 3: no head outside the database shows that it was written, nor any up to 3"])
    did(home, 1)
    assert [len(line) for line in heads(home.path).read_bytes().splitlines()][-2:] == [
        len(written.splitlines()[2]) - 69, len(written.splitlines()[0])
    ]  # fmt: skip
    found = verify(Secrets.of(home.path).trail, heads(home.path))
    assert (found.count, found.breaks, found.skipped) == (4, [], ["line 3 of heads.jsonl cannot be read"])


@pytest.mark.parametrize(
    ("head", "how"),
    [
        ('{"number": Infinity, "digest": "0", "seal": "0"}', "entry 3: may be missing: line 3 of heads.jsonl cannot"),
        (
            '{"number": 2, "digest": "\u00e9", "seal": "\u00e9"}',
            "entry 2: its head outside the database was not sealed",
        ),
        ('{"number": 2, "digest": "\\ud800", "seal": "\\ud800"}', "entry 2: its head outside the database was not"),
        ("\u00e9" * 3, "entry 3: may be missing: line 3 of heads.jsonl cannot"),
        ("[" * 100_000, "entry 3: may be missing: line 3 of heads.jsonl cannot"),
    ],
)
def test_heads_that_somebody_made_up_are_breaks_and_no_faults(home: Home, head: str, how: str) -> None:
    did(home, 2)
    with heads(home.path).open("a", encoding="utf-8") as file:
        file.write(f"{head}\n")
    [found] = whole(home)[1]
    assert found.startswith(how)


@pytest.mark.parametrize(
    "change", ["at = 'long ago'", "at = '2026-13-45 10:00:00'", "said = 'no JSON'", "digest = '\u00e9'", "who = ''"]
)
def test_entries_that_cannot_be_read_are_breaks_and_no_faults(home: Home, change: str) -> None:
    did(home, 4)
    connection.close()
    with sqlite3.connect(home.path / "records.sqlite3") as raw:
        raw.execute("drop trigger trail_is_not_changed")
        raw.execute("pragma ignore_check_constraints = on")
        raw.execute(f"update records_entry set {change} where number = 3")
    assert whole(home) == (4, ["entry 3: not what was written, or not after what stood before it"])


def test_an_act_is_done_also_where_its_head_cannot_be_kept(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    did(home, 1)
    kept = heads(home.path).rename(home.path / "kept")
    heads(home.path).mkdir()
    logging.getLogger("groundswell").addHandler(caplog.handler)
    did(home, 1)
    logging.getLogger("groundswell").removeHandler(caplog.handler)
    assert "entry 2 was written, and its head could not be kept outside the database" in caplog.text
    heads(home.path).rmdir()
    kept.rename(heads(home.path))
    assert whole(home) == (2, ["entry 2: no head outside the database shows that it was written, nor any up to 2"])
    did(home, 1)
    assert whole(home) == (3, [])


# --------------------------------------------------------------------------------------------------------- people


def test_an_invitation_lets_one_person_in_once(home: Home) -> None:
    word = invite(machine(home), " Leader@Example.com ", "Lena", "leader")
    assert invited(word, NOW).email == "leader@example.com"
    with pytest.raises(CannotInvite):
        invited(word, NOW + dt.timedelta(days=8))
    assert accept(machine(home), word, WORD).check_password(WORD)
    with pytest.raises(CannotInvite):
        accept(machine(home), word, WORD)
    with pytest.raises(CannotInvite, match="one of us already"):
        invite(machine(home), "leader@example.com", "Lena", "administrator")
    assert [entry.verb for entry in Entry.objects.all()] == ["invited", "accepted an invitation"]


def test_a_second_invitation_ends_the_first(home: Home) -> None:
    first = invite(machine(home), "a@example.com", "A", "seller")
    second = invite(machine(home), "a@example.com", "A", "manager")
    with pytest.raises(CannotInvite):
        invited(first, NOW)
    assert invited(second, NOW).role == "manager"


def test_only_administrators_change_rights_and_the_last_stays_one(home: Home) -> None:
    admin, leader = person(home, "administrator"), person(home, "leader")
    with pytest.raises(NotAllowed):
        change(Actor(home.path, leader, NOW), leader, "administrator", (), True)
    with pytest.raises(NotAllowed, match="last administrator"):
        change(Actor(home.path, admin, NOW), admin, "leader", (), True)
    assert Staff.objects.get(pk=admin.pk).role == "administrator"
    change(Actor(home.path, admin, NOW), leader, "administrator", ("DE",), True)
    change(Actor(home.path, admin, NOW), admin, "leader", (), False)
    assert not Staff.objects.get(pk=admin.pk).is_active


# -------------------------------------------------------------------------------------------------------- secrets


def test_secrets_are_made_once_each_for_its_instance_and_readable_by_nobody_else(tmp_path: Path) -> None:
    one, again, other = Secrets.of(tmp_path / "a"), Secrets.of(tmp_path / "a"), Secrets.of(tmp_path / "b")
    assert one == again != other
    assert one.sessions != one.trail
    for name in ("sessions", "trail"):
        assert (tmp_path / "a" / "secrets" / name).stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_short_or_open_is_refused(tmp_path: Path) -> None:
    Secrets.of(tmp_path)
    (tmp_path / "secrets" / "trail").write_text("changeme")
    with pytest.raises(Exposed, match="too short"):
        Secrets.of(tmp_path)
    (tmp_path / "secrets" / "sessions").chmod(0o644)
    with pytest.raises(Exposed, match="chmod 600"):
        Secrets.of(tmp_path)
