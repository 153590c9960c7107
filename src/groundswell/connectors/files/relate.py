"""How files that are handed over together hang together: cells of one that are the names or ids of rows of another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from groundswell.connectors.files.seen import SeenColumn, SeenFile
from groundswell.connectors.files.suggest import phrase, thing_of


@dataclass(frozen=True)
class Relation:
    """A column whose cells stand in a column of another file that names its rows."""

    file: SeenFile
    header: str
    to: SeenFile
    key: str
    hits: int
    """Distinct words that were found there."""
    of: int

    @property
    def said(self) -> str:
        """The relation in words, with its count."""
        some = "all" if self.hits == self.of else f"{self.hits:,} of"
        return f"{some} {self.of:,} distinct cells stand in {self.key} of {self.to.name}"


def relations(files: Sequence[SeenFile], percent: int) -> list[Relation]:
    """Every relation between columns of different files, surest first. Small numbers relate only by a like header."""
    found = [
        one
        for to in files
        for key in to.columns.values()
        if key.differ
        for one in _to(files, to, key)
        if one.hits * 100 >= percent * one.of
    ]
    return sorted(found, key=lambda one: (-one.hits / one.of, not _alike(one.header, one.key)))


def _to(files: Sequence[SeenFile], to: SeenFile, key: SeenColumn) -> Iterator[Relation]:
    names = {word.casefold() for word in key.words}
    numbers = all(word.isdigit() for word in names)
    for file in files:
        for column in file.columns.values():
            if file is not to and column.words and (not numbers or _alike(column.header, key.header)):
                hits = sum(word.casefold() in names for word in column.words)
                yield Relation(file, column.header, to, key.header, hits, len(column.words))


def _alike(one: str, other: str) -> bool:
    return phrase(one) == phrase(other) or ("", False) != thing_of(one) == thing_of(other)
