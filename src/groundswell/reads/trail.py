"""The trail, as it is read and verified."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from groundswell.core.trail import Break, breaks
from groundswell.records.trail import Entry


def verify(key: str, heads: Path) -> tuple[int, list[Break]]:
    """How many entries there are, and every break found in them or against the heads kept outside the database."""
    found = list(breaks(key, _entries(), _heads(heads)))
    return Entry.objects.count(), found


def _entries() -> Iterator[tuple[int, str, Mapping[str, object]]]:
    for entry in Entry.objects.order_by("number").iterator(chunk_size=5000):
        yield entry.number, entry.digest, entry.content


def _heads(path: Path) -> dict[int, tuple[str, str]]:
    if not path.is_file():
        return {}
    found = {}
    for place, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            said = json.loads(line)
            found[int(said["number"])] = (str(said["digest"]), str(said["seal"]))
        except (ValueError, KeyError, TypeError):
            found[-place] = ("", f"line {place} cannot be read")
    return found
