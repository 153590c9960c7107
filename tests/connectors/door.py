# ruff: noqa: PT017 - what a refusal says is part of the outcome that the caller asks for
"""A file at the door: what became of each of its parts, with every row that it holds accounted for."""

from pathlib import Path

from tests.river import NOW

from groundswell.connectors.files import mapping as mappings
from groundswell.connectors.files.read import Refused
from groundswell.engine.home import Home
from groundswell.runs.parts import parts
from groundswell.runs.prepare import Asked, Request
from groundswell.runs.take_in import take_in

SHIPPED = list(mappings.shipped())


def at_the_door(home: Home, path: Path) -> list[str]:
    """ "taken in: 3 = 2 + 0 + 1" (rows in = loaded + unchanged + quarantined), "asked: ..." or "refused: ..." by part.

    A refusal and a question say something, and a row in quarantine says where it stands, why, and what to do.
    """
    with parts(home, [path], SHIPPED) as found:
        return [
            f"refused: {part.refused}" if part.refused else _one(home, part.path, Request(sheet=part.sheet))
            for part in found
        ]


def _one(home: Home, path: Path, request: Request) -> str:
    try:
        load = take_in(home, path, request, NOW)
    except Refused as refused:
        assert len(str(refused)) > 10
        return f"refused: {refused}"
    except Asked as asked:
        assert all(len(question.answers) >= 2 and question.text for question in asked.questions)
        return f"asked: {asked.questions[0].column}: {asked.questions[0].text}"
    assert load.rows_in == load.loaded + load.unchanged + load.quarantined
    rows = list(load.quarantine.all())
    assert len({row.line for row in rows}) == load.quarantined
    assert all(row.reason and row.remedy and row.line > 0 for row in rows)
    return f"taken in: {load.rows_in} = {load.loaded} + {load.unchanged} + {load.quarantined}"
