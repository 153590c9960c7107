"""Keeping files that people hand over in a page, until a job takes them in."""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from groundswell.actions.act import Actor, NotAllowed
from groundswell.core.rights import may
from groundswell.engine import durable, landings
from groundswell.runs.jobs import uploads

_LONGEST = 120
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Upload:
    """A kept file: the SHA-256 of its bytes, and where it lies."""

    digest: str
    path: Path


def keep(actor: Actor, arrived: Path, name: str) -> Upload:
    """Keep a file that lies in the uploads of the instance, under its digest and a safe name. Raises NotAllowed.

    It is moved, so it must be on the same disk. Nothing of the instance changes before a job takes it in.
    """
    if actor.staff is not None and not may(actor.staff.role, "take in data"):
        raise NotAllowed(f"a {actor.staff.role} may not take in data")
    digest = landings.digest(arrived)
    path = uploads(actor.home) / digest / safe(name)
    durable.make_folder(path.parent)
    durable.sync(arrived)
    durable.rename(arrived, path)
    return Upload(digest, path)


def kept(home: Path, digest: str) -> Upload | None:
    """The newest file that is kept under a digest; None where there is none."""
    folder = uploads(home) / digest
    if not _DIGEST.fullmatch(digest) or not folder.is_dir():
        return None
    files = sorted((one for one in folder.iterdir() if one.is_file()), key=os.path.getmtime)
    return Upload(digest, files[-1]) if files else None


def safe(name: str) -> str:
    """A name that a file can bear: letters, digits and `-_.() `, whatever was sent; a colon would end it in --answer."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/")).rsplit("/", 1)[-1]
    plain = "".join(c if c.isalnum() or c in "-_.() " else "_" for c in last).strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, dot, suffix = plain, "", ""
    while len(f"{stem}{dot}{suffix}".encode()) > _LONGEST:
        stem = stem[:-1]
    return f"{stem}{dot}{suffix}" or "file"
