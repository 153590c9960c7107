"""A file at the door: what became of each of its parts, with every row that it holds accounted for."""

import os
from pathlib import Path

import pytest
from tests.river import NOW

from groundswell.connectors.files import mapping as mappings
from groundswell.connectors.files.read import Refused
from groundswell.engine.home import Home
from groundswell.runs import take_in as river
from groundswell.runs.parts import parts
from groundswell.runs.prepare import Asked, Request

SHIPPED = mappings.shipped()


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what does not bear on files: the disk is not waited for, and the shipped formats are read once."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(river, "named_mappings", lambda *asked: list(SHIPPED))


def at_the_door(home: Home, path: Path) -> list[str]:
    """ "taken in: 3 = 2 + 0 + 1" (rows in = loaded + unchanged + quarantined), "asked: ..." or "refused: ..." by part.

    A refusal and a question say something, and a row in quarantine says where it stands, why, and what to do.
    """
    with parts(home, [path], list(SHIPPED)) as found:
        return [
            f"refused: {part.refused}" if part.refused else _one(home, part.path, Request(sheet=part.sheet))
            for part in found
        ]


def _one(home: Home, path: Path, request: Request) -> str:
    try:
        load = river.take_in(home, path, request, NOW)
    except Refused as refused:
        return _said("refused", str(refused))
    except Asked as asked:
        return _said("asked", "; ".join(f"{one.column}: {one.text}" for one in asked.questions if len(one.answers) > 1))
    assert load.rows_in == load.loaded + load.unchanged + load.quarantined
    rows = list(load.quarantine.all())
    assert len({row.line for row in rows}) == load.quarantined
    assert all(row.reason and row.remedy and row.line > 0 for row in rows)
    return f"taken in: {load.rows_in} = {load.loaded} + {load.unchanged} + {load.quarantined}"


def _said(what: str, words: str) -> str:
    assert len(words) > 10, f"{what} without a word, or without a choice of answers"
    return f"{what}: {words}"
