"""Mappings that a load has confirmed, kept with their source: files that fit them are taken in without being told how.

They lie in `sources/<source>.mapping.toml`, as they were written. A source's name and its file's name are one-to-one:
what is no letter, digit, `_`, `-`, `.` or `~` is written as %XX.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from groundswell.connectors.files import mapping as mappings
from groundswell.connectors.files.mapping import Mapping_
from groundswell.connectors.files.read import Refused
from groundswell.connectors.files.recognise import LacksHeaders, Recognised, recognise
from groundswell.engine import durable
from groundswell.policy.read import BadPolicy

_TAIL = ".mapping.toml"


def kept(home: Path, source: str = "") -> list[Mapping_]:
    """The kept mappings, or that of one source, each under the source it is kept for. Raises BadPolicy."""
    found, faults = checked(home)
    if faults:
        raise BadPolicy(faults)
    return [mapping for mapping in found if source in ("", mapping.source)]


def checked(home: Path) -> tuple[list[Mapping_], list[str]]:
    """The kept mappings as far as they can be read, and all faults of all of them."""
    found: list[Mapping_] = []
    faults: list[str] = []
    for path in sorted((home / "sources").glob(f"*{_TAIL}")):
        try:
            own = mappings.own(path)
        except BadPolicy as error:
            faults += error.faults
        else:
            found.append(replace(own, source=unquote(path.name.removesuffix(_TAIL)), kept=True))
    return found, faults


def confirmed(home: Path, source: str, mapping: Mapping_) -> str:
    """Keep the mapping that a load of this source was read by, unless it ships; what to say of it."""
    if mapping.kept:
        return f"by the mapping kept for source {source}"
    return _keep(home, source, mapping.text) if mapping.name else ""


def _keep(home: Path, source: str, text: str) -> str:
    path = home / "sources" / f"{quote(source, safe='')}{_TAIL}"
    before = path.read_text("utf-8") if path.is_file() else ""
    if before == text:
        return ""
    durable.write(path, text.encode())
    if not before:
        return f"the mapping is kept for source {source}: a file that fits it is taken in without --mapping"
    return f"the mapping kept for source {source} is replaced: {_differs(before, text)}"


def _differs(before: str, after: str) -> str:
    """What changed between two mappings, by table and column."""
    try:
        old, new = (_places(mappings.parse_text("", text)) for text in (before, after))
    except BadPolicy:  # it was edited where it is kept, and spoiled
        return "the one before could not be read"
    said = [
        f"{place} {'is new' if place not in old else 'is gone' if place not in new else 'is read otherwise'}"
        for place in dict.fromkeys([*old, *new])
        if old.get(place) != new.get(place)
    ]
    return ", ".join(said) or "only its comments differ"


def _places(mapping: Mapping_) -> dict[str, object]:
    """{what of a mapping is settled: how}, in its own order: source.zone, orders*.csv deals.amount, ..."""
    head = ("zone", "locale", "currency", "calendar", "snapshot")
    found: dict[str, object] = {f"source.{name}": getattr(mapping, name) for name in head if getattr(mapping, name)}
    for file in mapping.files:
        lead = f"{file.name} " if len(mapping.files) > 1 else ""
        found[f"{lead}file"] = replace(file, rows=())
        for number, row in enumerate(file.rows):
            again = sum(other.table == row.table for other in file.rows[:number])
            table = f"{lead}{row.table}{f' ({again + 1})' if again else ''}"
            found[table] = replace(row, columns={})
            found |= {f"{table}.{name}": expr for name, expr in row.columns.items()}
    return found


def recognised(
    path: Path, name: str, named: Iterable[Mapping_], declared: str, limits: dict[str, int], sheet: str = ""
) -> Recognised:
    """The format of a file among some mappings: one that is kept and fits with all its headers comes before the others.

    Raises Refused as `recognise` does, and where the mappings of several sources fit.
    """
    told = list(named)
    others = [mapping for mapping in told if not mapping.kept]
    fits: list[Recognised] = []
    almost = ""
    for mapping in told:
        if mapping.kept:
            try:
                fits.append(recognise(path, name, [mapping], declared, limits, sheet))
            except LacksHeaders as error:
                almost = f"{error} It is the mapping kept for source {mapping.source}; --mapping gives another."
            except Refused:
                continue
    if len(fits) > 1:
        sources = ", ".join(found.mapping.source for found in fits)
        raise Refused(
            f"the mappings kept for several sources fit it: {sources}. Say which: --source {fits[0].mapping.source}"
        )
    if fits:
        return fits[0]
    try:
        return recognise(path, name, others, declared, limits, sheet)
    except Refused as error:
        raise (Refused(almost) if almost else error) from error
