"""One writer at a time: an flock on a file of the instance, held for the length of a command."""

import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Locked(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Another writer holds the lock; the message says who and since when."""


@contextmanager
def writer(home: Path, doing: str, now: dt.datetime) -> Iterator[None]:
    """Hold the writer's lock. Raises Locked at once when another process has it; ends with the process."""
    path = home / "writer.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
            raise Locked(f"another writer is at work on {home}: {holder}. Try again when it has ended.") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{doing}, process {os.getpid()}, since {now:%Y-%m-%d %H:%M:%SZ}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
