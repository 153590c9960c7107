"""What the exit codes of every command mean; the one place where they are numbers."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes."""

    ACCEPTED = 0
    FAULT = 1
    """a fault of ours or of the machine"""
    USAGE = 2
    """usage, or bad policy"""
    QUESTION = 3
    """a question is open, nothing was loaded"""
    REFUSED = 4
    """refused: guard, hostile file, --strict with quarantine"""
    LOCKED = 5
    """another writer holds the lock"""
    NO_SPACE = 6
    """no space"""
