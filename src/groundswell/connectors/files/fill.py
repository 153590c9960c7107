"""Rows of text gathered into batches, for the readers whose rows come one by one."""

import pyarrow as pa

from groundswell.connectors.files.read import BATCH, CELLS, Batch, Broken

_CHARACTERS = 1 << 25
"""A batch is closed before its rows are `BATCH` when it is this long."""


class Filling:
    """A batch as it fills. `full` says when to take it; what is taken starts an empty one."""

    def __init__(self, headers: list[str]) -> None:
        self._headers = headers
        self._characters = 0
        self._rows: list[list[str]] = []
        self._lines: list[int] = []
        self._broken: list[Broken] = []
        self._most = max(1, min(BATCH, CELLS // max(1, len(headers))))

    def add(self, line: int, cells: list[str]) -> None:
        """A row, with a cell for each header."""
        self._lines.append(line)
        self._rows.append(cells)
        self._characters += sum(map(len, cells))

    def add_broken(self, broken: Broken) -> None:
        """A row that cannot be read."""
        self._broken.append(broken)
        self._characters += len(broken.text)

    @property
    def full(self) -> bool:
        """Whether it is time to take the batch."""
        return len(self._rows) + len(self._broken) >= self._most or self._characters >= _CHARACTERS

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take."""
        return not self._rows and not self._broken

    def taken(self) -> Batch:
        """The batch; the next row starts another."""
        texts = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(self._headers)
        columns = [pa.array(column, pa.string()) for column in texts]
        batch = Batch(self._headers, self._lines, dict(zip(self._headers, columns, strict=True)), self._broken)
        self._rows, self._lines, self._broken, self._characters = [], [], [], 0
        return batch
