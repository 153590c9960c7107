"""What the exit codes of every command mean; the one place where they are numbers."""

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
