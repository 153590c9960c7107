"""How sources spell the ids of which only ours are kept: read again from a row that names one."""

from collections.abc import Iterable

from groundswell.connectors.files.read import Refused, Tail
from groundswell.engine.home import Damaged, Home
from groundswell.records.loads import Load
from groundswell.runs.prepare import batches_of, reopened
from groundswell.runs.take_in import stager_of


def spelled(home: Home, named: Iterable[tuple[str, str, int]]) -> dict[str, str]:
    """Our id -> what its source writes, of (id, load, line) of rows that name them.

    Where the row does not say it any more (its file is lost, or one id gave way to another), file and line stand in.
    """
    found: dict[str, str] = {}
    rows: dict[str, dict[str, int]] = {}
    for own, name, line in named:
        rows.setdefault(name, {})[own] = line
    for name, wanted in rows.items():
        load = Load.named(name)
        try:
            told = _told(home, load, set(wanted.values()))
        except (Damaged, Refused):
            told = {}
        found |= {own: told.get(own, f"{load.file_name} line {line}") for own, line in wanted.items()}
    return found


def _told(home: Home, load: Load, lines: set[int]) -> dict[str, str]:
    """Our ids of what the rows on these lines refer to -> how they are written there."""
    work, left = reopened(home, load), set(lines)
    stager = stager_of(work)
    for batch in batches_of(work.found, work.path, dict(home.policy.instance.limits), Tail()):
        if left & set(batch.lines):
            stager.stage(batch)
            left -= set(batch.lines)
        if not left:
            break
    return {own: text for known in stager.ids.values() for text, own in known.items() if text and own}
