"""What the exit codes of every command mean; the one place where they are numbers."""

import errno
import re
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes, each with what it means."""

    ACCEPTED = 0, "accepted"
    FAULT = 1, "a fault of ours or of the machine"
    USAGE = 2, "usage, or bad policy"
    QUESTION = 3, "a question is open; nothing was loaded"
    REFUSED = 4, "refused: a guard, a file that is not taken, `--strict` with quarantine"
    LOCKED = 5, "another writer holds the lock"
    NO_SPACE = 6, "no space"

    means: str

    def __new__(cls, code: int, means: str) -> "Exit":
        """A number with its meaning."""
        made = int.__new__(cls, code)
        made._value_ = code
        made.means = means
        return made


_FULL = re.compile("no space left|disk quota exceeded|disk is full|max_temp_directory_size", re.IGNORECASE)
"""How the system, SQLite and DuckDB say it; Delta and Arrow pass on the words and not always the number."""


def is_full(error: Exception) -> bool:
    """Whether an error of any library means that the disk is full."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or bool(_FULL.search(str(error)))
