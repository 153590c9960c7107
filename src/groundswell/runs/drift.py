"""What a source says otherwise than last time: columns, how they are read, and the words of short lists."""

from collections.abc import Iterable
from typing import Any

from groundswell.connectors.files.mapping import Mapping_
from groundswell.connectors.files.read import Refused
from groundswell.core.tables.contract import TABLES
from groundswell.records.loads import Load
from groundswell.runs.staged import Staged

_LISTED = {"stage", "tier", "product", "region", "channel", "type", "lead_source", "level", "program", "industry"}
"""Columns of text that hold the words of some list of the source."""
_LONGEST = 40
"""A list of more words is no list that somebody keeps."""


def words(staged: Staged) -> dict[str, list[str]]:
    """The words of the short lists in a load: "table.column" -> words, in order."""
    found: dict[str, list[str]] = {}
    for table in staged.tables:
        for column in TABLES[table].columns:
            if column.kind == "word" or (column.kind == "text" and column.name in _LISTED):
                asked = staged.engine.ask(
                    f"select distinct {column.name} as word from compared_{table} "
                    f"where {column.name} is not null and line > 0 order by word limit {_LONGEST + 1}"
                )
                if 0 < len(asked) <= _LONGEST:
                    found[f"{table}.{column.name}"] = [str(row["word"]) for row in asked]
    return found


def since_last(load: Load, mapping: Mapping_, report: dict[str, Any]) -> list[str]:
    """What is otherwise than in the last load of this source and format, in words; the first load is like no other.

    Raises Refused where the mapping says `drift = "freeze"`: what stood before stands on.
    """
    kept = Load.objects.filter(source=load.source, format=load.format, state="committed", again_of=None, retry_of=None)
    before = kept.filter(voided_at=None).exclude(number=load.number).order_by("-number").first()
    if before is None:
        return []
    some = load.retry_of_id is not None  # a file of corrected rows: what it lacks says nothing
    columns = [] if some else _columns(before.report, report)
    said = [*columns, *_readings(before.report, report), *_words(before.report, report, some)]
    if said and mapping.drift == "freeze":
        told = f" Tell {mapping.owner}." if mapping.owner else ""
        raise Refused(
            f'drift = "freeze", and the file is otherwise than {before.file_name} ({before.name}): {"; ".join(said)}.{told} '
            'Nothing is loaded; correct the export, or take it in with drift = "evolve"'
        )
    return [f"otherwise than in {before.name}: {text}" for text in said]


def _columns(before: dict[str, Any], now: dict[str, Any]) -> Iterable[str]:
    new = [header for header in now["headers"] if header not in before.get("headers", now["headers"])]
    gone = [header for header in before.get("headers", []) if header not in now["headers"]]
    if new:
        yield f"new columns {', '.join(new)}"
    if gone:
        yield f"columns {', '.join(gone)} are gone"


def _readings(before: dict[str, Any], now: dict[str, Any]) -> Iterable[str]:
    for column, how in now["read_as"].items():
        earlier = before["read_as"].get(column, how)
        if earlier != how:
            yield f"{column} was read as {earlier} and now proves {how}"


def _words(before: dict[str, Any], now: dict[str, Any], some: bool) -> Iterable[str]:
    for column, found in now["words"].items():
        earlier = before.get("words", {}).get(column)
        if earlier is None:
            continue
        new = [word for word in found if word not in earlier]
        gone = [] if some else [word for word in earlier if word not in found]
        if new:
            renamed = f", while {', '.join(gone)} does not come any more: renamed?" if gone else ""
            yield f"{column} says {', '.join(new)} for the first time{renamed}"
