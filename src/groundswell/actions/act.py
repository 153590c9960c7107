"""The one way to change records: right first, then one transaction that holds the change and its entry in the trail."""

import datetime as dt
import getpass
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from groundswell.core.rights import may
from groundswell.core.trail import FIRST, chained, sealed
from groundswell.engine.secrets import Secrets
from groundswell.records.staff import Staff
from groundswell.records.trail import Entry


class NotAllowed(Exception):  # noqa: N818 - what happened, in the glossary's words
    """The role of whoever asked may not do that; the message says which may."""


@dataclass(frozen=True)
class Actor:
    """Who acts: one of our people, or whoever has the instance's folder and works at the command line."""

    home: Path
    staff: Staff | None
    now: dt.datetime

    @property
    def who(self) -> str:
        """How the trail names them."""
        return self.staff.email if self.staff else f"command line: {getpass.getuser()}"


@dataclass
class Act:
    """One act on its way: what it is about, and what it changed, as the trail will say it."""

    about: str
    said: dict[str, object] = field(default_factory=dict)
    changed: bool = True
    """Set to False where it turned out that nothing is to be changed: then no entry is left."""
    number: int = 0
    """Of its entry, once the act is done; 0 where none was left."""


@contextmanager
def act(
    actor: Actor, verb: str, about: str, said: Mapping[str, object] | None = None, right: str = ""
) -> Iterator[Act]:
    """Do one act and leave one entry, both or neither. Raises NotAllowed before anything is touched.

    `right` is the verb of core.rights that it takes; without one it is an act on what is the actor's own.
    """
    if right and actor.staff is not None and not may(actor.staff.role, right):
        raise NotAllowed(f"a {actor.staff.role} may not {right}")
    with transaction.atomic():
        one = Act(about, dict(said or {}))
        yield one
        if one.changed:
            one.number = _append(actor, verb, one)


def _append(actor: Actor, verb: str, one: Act) -> int:
    key = Secrets.of(actor.home).trail
    last = Entry.objects.order_by("-number").first()
    entry = Entry(
        number=last.number + 1 if last else 1, at=actor.now, who=actor.who, verb=verb, about=one.about, said=one.said
    )
    entry.digest = chained(key, last.digest if last else FIRST, entry.content)
    entry.save(force_insert=True)
    transaction.on_commit(lambda: _keep_head(actor.home, entry, sealed(key, entry.number, entry.digest)))
    return entry.number


def heads(home: Path) -> Path:
    """The file, outside the database, that keeps the head of the trail after every entry."""
    return home / "trail" / "heads.jsonl"


def _keep_head(home: Path, entry: Entry, seal: str) -> None:
    """Write the head of an entry that is in the database by now: what was done is done, also where this fails.

    `audit verify` then says that the head is not there, until that of a later entry is.
    """
    path = heads(home)
    said = json.dumps({"number": entry.number, "digest": entry.digest, "at": entry.at.isoformat(), "seal": seal})
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with open(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "rb+") as file:
            torn = file.seek(0, os.SEEK_END) and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n"
            # what a power cut tore stays a line of its own
            file.write((b"\n" if torn else b"") + said.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        logging.getLogger("groundswell").exception(
            "entry %s was written, and its head could not be kept outside the database", entry.number
        )
