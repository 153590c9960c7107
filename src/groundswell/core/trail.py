"""The chain of the trail: each entry is bound to all before it, so that no one can change the past unseen.

h_n = HMAC-SHA256(key, h_{n-1} || canonical JSON of entry n). A chain alone does not show that its end was cut off, nor
that someone with the key wrote it anew: heads kept outside the database show the first.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

FIRST = "0" * 64
"""What stands before the first entry."""
_ANY = "surrogatepass"
"""How texts become bytes: also those that are no text any more, since whoever changed them must be found out, not us stopped."""


@dataclass(frozen=True)
class Break:
    """Where the trail is not what was written: the number of the first entry concerned, and how it is not."""

    number: int
    how: str

    def __str__(self) -> str:
        return f"entry {self.number}: {self.how}"


def chained(key: str, before: str, entry: Mapping[str, object]) -> str:
    """The hash of an entry after the hash `before`, in hexadecimal."""
    said = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key.encode(), f"{before}{said}".encode(errors=_ANY), hashlib.sha256).hexdigest()


def sealed(key: str, number: int, digest: str) -> str:
    """The seal of a head that is kept outside the database."""
    return hmac.new(key.encode(), f"head {number} {digest}".encode(errors=_ANY), hashlib.sha256).hexdigest()


def breaks(
    key: str, entries: Iterable[tuple[int, str, Mapping[str, object]]], heads: Mapping[int, tuple[str, str]]
) -> Iterator[Break]:
    """What is wrong with a trail: entries as (number, hash, content) in the order of numbers, heads as {number: (hash, seal)}.

    Numbers begin at 1 and leave nothing out. Only the first break of the chain is said, since all after it is in doubt.
    """
    before, last = FIRST, 0
    found: dict[int, str] = {}
    for number, digest, content in entries:
        if number != last + 1:
            yield Break(last + 1, f"missing, and {number} follows")
            return
        if not _same(chained(key, before, content), digest):
            yield Break(number, "not what was written, or not after what stood before it")
            return
        before, last = digest, number
        if number in heads:
            found[number] = digest
    for number, (digest, seal) in sorted(heads.items()):
        if not _same(sealed(key, number, digest), seal):
            yield Break(number, "its head outside the database was not sealed with our key")
        elif number > last:
            yield Break(last + 1, f"missing: {max(heads)} entries were written, and {last} are there")
            return
        elif found[number] != digest:
            yield Break(number, "not the entry that its head outside the database names")
            return


def _same(ours: str, there: str) -> bool:
    return hmac.compare_digest(ours.encode(), there.encode(errors=_ANY))
