"""The trail, as it is read and verified."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from groundswell.core.trail import Break, breaks
from groundswell.records.trail import Entry

_ON_ITS_WAY = 1.0
"""Seconds after which the head of an entry is outside the database: it is written once the entry is there."""


@dataclass(frozen=True)
class Verified:
    """What a look at the whole trail found."""

    count: int
    """Entries that are there."""
    breaks: list[Break]
    """Where the trail, or what is kept of it outside the database, is not what was written."""
    skipped: list[str]
    """Lines of the heads that cannot be read, such as one that a power cut tore; heads after them agree, so all is well."""


@dataclass
class _Heads:
    """What is kept outside the database: {number: (hash, seal)}, the places of lines that cannot be read, and why not all."""

    there: dict[int, tuple[str, str]] = field(default_factory=dict)
    torn: list[int] = field(default_factory=list)
    ends_torn: bool = False
    gone: str = ""


def verify(key: str, path: Path) -> Verified:
    """Work the chain out anew, and hold it against the heads in that file, which lies outside the database."""
    count, last = Entry.objects.count(), _last()
    heads = _heads(path)
    if max(heads.there, default=0) < last:
        time.sleep(_ON_ITS_WAY)
        heads = _heads(path)
    found = list(breaks(key, _entries(), heads.there))
    newest = max(heads.there, default=0)
    if last and heads.gone:
        found.append(Break(1, f"{path.name}, outside the database, cannot be read: {heads.gone}"))
    elif newest < last:
        found.append(Break(newest + 1, f"no head outside the database shows that it was written, nor any up to {last}"))
    elif heads.ends_torn:
        found.append(Break(newest + 1, f"may be missing: {_torn(path, heads.torn[-1])}, and no head stands after it"))
    return Verified(count, found, [_torn(path, place) for place in heads.torn])


def _torn(path: Path, place: int) -> str:
    return f"line {place} of {path.name} cannot be read"


def _last() -> int:
    return Entry.objects.order_by("-number").values_list("number", flat=True).first() or 0


def _entries() -> Iterator[tuple[int, str, Mapping[str, object]]]:
    """All in order; one that cannot be read has no hash, so that the chain breaks there."""
    last = 0
    try:
        for entry in Entry.objects.order_by("number").iterator(chunk_size=5000):
            yield entry.number, entry.digest, entry.content
            last = entry.number
    except _UNREADABLE:
        for number in Entry.objects.filter(number__gt=last).order_by("number").values_list("number", flat=True):
            try:
                one = Entry.objects.get(number=number)
                yield number, one.digest, one.content
            except _UNREADABLE:
                yield number, "", {}


_UNREADABLE = (ValueError, TypeError, AttributeError)
"""What a day that is none, or words that are no JSON, raise when an entry is read."""


def _heads(path: Path) -> _Heads:
    found = _Heads()
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        return _Heads(gone=error.strerror or str(error))
    for place, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line.decode())
            found.there[_number(said["number"])] = (str(said["digest"]), str(said["seal"]))
            found.ends_torn = False
        except (ValueError, KeyError, TypeError, RecursionError):
            found.torn.append(place)
            found.ends_torn = True
    return found


def _number(said: object) -> int:
    """The number of an entry. Raises ValueError."""
    if not isinstance(said, int) or said < 1:
        raise ValueError(f"no entry has the number {said}")
    return said
