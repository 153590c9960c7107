"""What lies in the files that people hand over: members of archives, sheets of workbooks. Each becomes a load."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groundswell.connectors.files import archive, kinds, workbook
from groundswell.connectors.files.mapping import Mapping_
from groundswell.connectors.files.read import Refused
from groundswell.engine.home import Home
from groundswell.runs.kept import recognised


@dataclass(frozen=True)
class Part:
    """Something to take in: a file, or one sheet of it. `left` names sheets in which no known header was found."""

    path: Path
    sheet: str = ""
    left: tuple[str, ...] = ()
    refused: str = ""

    @property
    def name(self) -> str:
        """How it is called to people."""
        return f"{self.path.name}: {self.sheet}" if self.sheet else self.path.name


@contextmanager
def parts(home: Home, files: Iterable[Path], named: list[Mapping_]) -> Iterator[list[Part]]:
    """The parts of some files, unpacked for as long as they are needed. A file that cannot be opened is one, refused."""
    folder = home.path / "arriving" / str(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield [part for number, path in enumerate(files) for part in _of(home, path, folder / str(number), named)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _of(home: Home, path: Path, folder: Path, named: list[Mapping_]) -> Iterator[Part]:
    limits = dict(home.policy.instance.limits)
    try:
        if path.is_file() and archive.is_archive(path):
            folder.mkdir(parents=True)
            for number, member in enumerate(archive.unpack(path, folder, limits)):
                yield from _of(home, member, folder / f".{number}", named)
        elif path.is_file() and workbook.is_workbook(path):
            yield from _sheets(path, named, limits)
        else:
            yield Part(path)
    except Refused as error:
        yield Part(path, refused=str(error))


def _sheets(path: Path, named: list[Mapping_], limits: dict[str, int]) -> Iterator[Part]:
    """The sheets that are of a known format; all of it together where none is, to be refused with the reason."""
    kinds.kind_of(path, limits)
    known, left = [], []
    for sheet in workbook.sheets(path):
        try:
            recognised(path, path.name, named, "", limits, sheet.name)
            known.append(sheet.name)
        except Refused:
            left.append(sheet.name)
    for number, name in enumerate(known):
        yield Part(path, name, tuple(left) if not number else ())
    if not known:
        yield Part(path)
