"""What only this instance knows: made at its first start, in files that only its owner reads."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

_BYTES = 48


class Exposed(Exception):  # noqa: N818 - what happened, in the glossary's words
    """A secret that others on this machine can read, or that is too short to be one."""


@dataclass(frozen=True)
class Secrets:
    """The secrets of an instance, each in a file of that name below `secrets/`, mode 0600."""

    sessions: str
    """Signs sessions and the links of invitations and resets."""
    trail: str
    """Chains the entries of the trail."""

    @classmethod
    def of(cls, home: Path) -> "Secrets":
        """Those of an instance, made where there are none yet. Raises Exposed."""
        folder = home / "secrets"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(**{field.name: _kept(folder / field.name) for field in fields(cls)})


_RECORDS = "records.sqlite3"
_FOLDERS = ("mail", "uploads", "sheets", "jobs", "trail")
_FILES = (_RECORDS, f"{_RECORDS}-wal", f"{_RECORDS}-shm", "site.json")
"""What holds names, letters that let people in, hashes of passwords, and the password of the mail server."""


def make_records(home: Path) -> None:
    """Make the file of the records where there is none, for its owner only; SQLite makes those beside it alike."""
    if not (home / _RECORDS).exists():
        os.close(os.open(home / _RECORDS, os.O_RDONLY | os.O_CREAT, 0o600))


def close(home: Path) -> None:
    """Take what others on this machine could read of an instance's secrets away from them: older releases left it open.

    Raises PermissionError where it belongs to somebody else.
    """
    for name in (*_FOLDERS, *_FILES):
        path = home / name
        with suppress(FileNotFoundError):
            mode = path.stat().st_mode
            if mode & 0o077:
                path.chmod(mode & 0o700)


def _kept(path: Path) -> str:
    """The secret in a file, written whole before it bears its name: several processes may start at once."""
    if not path.exists():
        written = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(written, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(written, path)
        written.unlink()
    if path.stat().st_mode & 0o077:
        raise Exposed(f"{path} can be read by others. Run: chmod 600 {path}")
    found = path.read_text("ascii").strip()
    if len(found) < _BYTES:
        raise Exposed(f"{path} is too short for a secret. Remove it to have one made; everybody is then signed out")
    return found
