"""Raw bytes as they arrived, kept under the SHA-256 of their content. The lake can be rebuilt from them."""

import hashlib
import os
import shutil
from pathlib import Path

from groundswell.engine import durable

_CHUNK = 1 << 20


def digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            found.update(piece)
    return found.hexdigest()


def keep(home: Path, source: Path) -> str:
    """Copy a file's bytes into the landings, synced with their folder; the hash they are kept under.

    The hash is that of the bytes as copied, so a file that changes while it is read is kept as it was read.
    """
    folder = home / "landings"
    durable.make_folder(folder)
    part = folder / f".arriving-{os.getpid()}"
    found = hashlib.sha256()
    durable.step("write", part)
    with source.open("rb") as coming, part.open("wb") as going:
        while piece := coming.read(_CHUNK):
            found.update(piece)
            going.write(piece)
    name = found.hexdigest()
    durable.sync(part)
    final = at(home, name)
    durable.make_folder(final.parent)
    durable.rename(part, final)
    return name


def sweep(home: Path) -> None:
    """Remove what killed writers left half written. The caller holds the writer's lock."""
    for part in (home / "landings").glob(".arriving-*"):
        part.unlink()
    for folder in [*(home / "spill").glob("*"), *(home / "arriving").glob("*")]:
        if folder != home / "arriving" / str(os.getpid()):
            shutil.rmtree(folder, ignore_errors=True)


def at(home: Path, name: str) -> Path:
    """Where the bytes of a hash are kept."""
    return home / "landings" / name[:2] / name


def damaged(home: Path, name: str) -> str:
    """What is wrong with a landing: "missing", "changed", or ""."""
    path = at(home, name)
    if not path.is_file():
        return "missing"
    return "" if digest(path) == name else "changed"
