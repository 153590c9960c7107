"""Writes that survive a power cut: fsync of the file, of its folder, and renames that are whole.

Every step goes through `step`, which does nothing by itself. A test hangs a hook on it to see the order of steps, or to
make the n-th one fail; nothing is "accepted" before its bytes and its folder are synced.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

Hook = Callable[[str, Path], None]
hook: Hook | None = None
"""Called with (what, path) before every step: "write", "fsync", "fsync folder", "rename", "commit"."""


def step(what: str, path: Path) -> None:
    """Say that a step is about to happen."""
    if hook is not None:
        hook(what, path)


def sync(path: Path) -> None:
    """fsync a file. OSError when the disk refuses: what was written must then be taken as lost."""
    step("fsync", path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """fsync a folder, so that the names in it survive."""
    step("fsync folder", path)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder and those above it; each folder that gets a new name in it is synced."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Write a whole file: under another name first, synced, then renamed, then the folder synced."""
    pour(path, [content])


def pour(path: Path, content: Iterable[bytes]) -> str:
    """The same of content that comes piece by piece; its SHA-256."""
    make_folder(path.parent)
    found = hashlib.sha256()
    with whole(path) as part, part.open("wb") as file:
        for piece in content:
            found.update(piece)
            file.write(piece)
        file.flush()
    return found.hexdigest()


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """The name under which to write a file of this path: it gets its own once the block has ended and it is synced.

    A block that fails leaves what stood at the path before, and nothing else. The folder must be there.
    """
    part = path.with_name(f".{path.name}.part")
    step("write", part)
    try:
        yield part
        sync(part)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    rename(part, path)


def rename(before: Path, after: Path) -> None:
    """Rename within a folder tree and sync the folder that holds the new name."""
    step("rename", after)
    os.replace(before, after)
    sync_folder(after.parent)
