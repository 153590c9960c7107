"""Text that a spreadsheet would read as a formula, and the apostrophe that keeps it text in a CSV.

`guarded` and `unguarded` are each other's inverse: whatever is written with one is read back by the other, to the
character. Source: OWASP, "CSV Injection"; an apostrophe of the text's own is doubled, so that it is not taken for ours.
"""

import re

_MARKED = re.compile(
    "[\\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\"“”,;|]*['=+\\-@\t\r\n\x00＝＋－＠]"
)
"""A mark, at the start or after what some program skips: spaces, unseen characters, quotes, delimiters."""


def guarded(text: str) -> str:
    """The text as a CSV cell that no spreadsheet runs: one apostrophe before a mark of a formula, or before another."""
    return f"'{text}" if _MARKED.match(text) else text


def unguarded(cell: str) -> str:
    """The text of a CSV cell: without the apostrophe that guards it, if one does."""
    return cell[1:] if cell[:1] == "'" and _MARKED.match(cell, 1) else cell
