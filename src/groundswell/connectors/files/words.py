"""Columns of text as their distinct words: what a cell means is worked out once a word, not once a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SAMPLE = 8192
"""Cells that are looked at to see whether words come twice: enough for words that are one of 400,000."""
_PLAIN = r"^([!-~]([ -~]*[!-~])?)?$"
"""Printable ASCII without blanks around it, or nothing: text that is kept as it stands."""


@dataclass(frozen=True)
class Texts:
    """The cells of a column. `words` are their texts (null: an empty cell), `codes` the word of each row.

    Without codes there is one word a row, in order: worth nothing to encode where hardly any word comes twice.
    """

    words: pa.Array
    codes: np.ndarray | None = None
    plain: bool = False
    """True where every word is printable ASCII without blanks around it."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.words) if self.codes is None else len(self.codes)

    def places(self) -> np.ndarray:
        """The place of each row's word."""
        return np.arange(len(self.words), dtype=np.int32) if self.codes is None else self.codes

    def take(self, rows: np.ndarray) -> "Texts":
        """The same column for some of the rows."""
        if self.codes is None:
            return Texts(self.words.take(pa.array(rows)), None, self.plain)
        return Texts(self.words, self.codes[rows], self.plain)

    def spread(self, values: pa.Array) -> pa.Array:
        """Values of words as values of rows."""
        return values if self.codes is None else values.take(pa.array(self.codes))

    def map(self, said: Callable[[str], str | None]) -> "Texts":
        """The column with every word put in other words; empty cells stay empty."""
        found = [None if word is None else said(word) for word in self.words.to_pylist()]
        words = pa.array(found, pa.string())
        return Texts(words, self.codes, all_match(words, _PLAIN))

    def empty(self) -> np.ndarray:
        """For each row whether its cell is empty."""
        return np.asarray(self.words.is_null().to_numpy(zero_copy_only=False)[self.places()])

    def counts(self) -> np.ndarray:
        """How many rows have each word."""
        return np.bincount(self.places(), minlength=len(self.words))


def all_match(words: pa.Array, pattern: str) -> bool:
    """Whether every word that is there matches a pattern (RE2). The first few are looked at first: most answer no."""
    if len(words) > 100 and not all_match(words.slice(0, 100), pattern):
        return False
    return pc.all(pc.match_substring_regex(words, pattern)).as_py() is not False


def of_one(word: str | None, rows: int) -> Texts:
    """A column that says the same in every row."""
    return Texts(pa.array([word], pa.string()), np.zeros(rows, np.int32))


def coded(column: pa.Array) -> Texts:
    """A column of cells as they stand in a file: blanks around them removed, "" empty."""
    head = column.slice(0, _SAMPLE)
    if len(pc.unique(head)) * 100 > 99 * len(head) > 9_900:
        words, codes = column, None
    else:
        encoded = column.dictionary_encode()
        words, codes = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
    plain = all_match(words, _PLAIN)
    if plain:
        words = pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)
    else:
        words = pa.array([word.strip() or None for word in words.to_pylist()], pa.string())
    return Texts(words, codes, plain)


@dataclass(frozen=True)
class Combined:
    """The combinations of words that stand side by side in several columns."""

    codes: np.ndarray
    """The combination of each row."""
    first: np.ndarray
    """The first row of each combination."""
    said: list[tuple[str | None, ...]]
    """The words of each combination."""

    def spread(self, words: Sequence[str | None]) -> Texts:
        """A word for each combination as a column."""
        return Texts(pa.array(words, pa.string()), self.codes)


def combined(columns: Sequence[Texts]) -> Combined:
    """Which combinations of words stand side by side in some columns of equal length (at least one)."""
    codes = columns[0].places().astype(np.int64)
    for column in columns[1:]:
        paired = pa.array(codes * len(column.words) + column.places()).dictionary_encode()
        codes = paired.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    codes = pa.array(codes).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    first = np.zeros(int(codes.max()) + 1 if len(codes) else 0, np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # of several, the last that is written: the first row
    said = zip(*(column.spread(column.words).take(pa.array(first)).to_pylist() for column in columns), strict=True)
    return Combined(codes, first, list(said))
