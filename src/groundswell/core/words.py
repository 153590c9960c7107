"""Counts in words."""


def many(count: int, one: str, more: str = "") -> str:
    """A count with its word: "1 partner", "2 partners", "1,200 partners"; `more` where the word does not take an s."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
