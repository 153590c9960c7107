"""What people do with rows in quarantine: write them to a file, and take them in again once they are corrected."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from groundswell.actions.act import Actor, act
from groundswell.connectors.files import read
from groundswell.connectors.files.read import Refused, Tail
from groundswell.core.tables.guard import unguarded
from groundswell.engine import landings
from groundswell.engine.home import Home
from groundswell.reads import sheets
from groundswell.reads.quarantine import LEADING, standing
from groundswell.records.loads import Load, QuarantinedRow, RetriedRow, after_the_latest
from groundswell.records.staff import Staff
from groundswell.runs.prepare import batches_of, check_room, reopened
from groundswell.runs.take_in import enter, home_of, recover, taken


@dataclass(frozen=True)
class Exported:
    """What was written: how many rows, and on how many of them the whole text stands in the column `whole_in`."""

    rows: int
    whole: int
    whole_in: str


@dataclass(frozen=True)
class Standing:
    """A row that stands in quarantine: its cells below the headers of its file; `whole`: its text is in the first one."""

    row: QuarantinedRow
    cells: tuple[str, ...]
    whole: bool


def opened(home: Home, name: str) -> tuple[tuple[str, ...], list[Standing]]:
    """The rows that stand in the quarantine of a load, taken apart as it read them, with the headers of its file.

    A row that it could not take apart stands as its whole text in the first cell. Raises Refused where there is none.
    """
    load = _known(name)
    rows = {row.line: row for row in standing(load)}
    if not rows:
        raise Refused(
            f"nothing stands in the quarantine of {load.name}. See: groundswell quarantine list {load.name} --all"
        )
    work = reopened(home, load)
    headers = list(dict.fromkeys(work.found.layout.headers))
    if load.retry_of_id:
        headers = [header for header in headers if header not in LEADING]
    elif taken := set(headers) & set(LEADING):
        raise Refused(f"the file of {name} has columns called {', '.join(sorted(taken))}; correct it at its source")
    cells: dict[int, list[str]] = {}
    for batch in batches_of(work.found, work.path, dict(home.policy.instance.limits), Tail()):
        for place, line in enumerate(batch.lines):
            if line in rows:
                cells[line] = [batch.columns[header][place].as_py() for header in headers]
    blank = [""] * (len(headers) - 1)
    return tuple(headers), [
        Standing(row, tuple(cells.get(line, [row.text, *blank])), line not in cells) for line, row in rows.items()
    ]


def export(home: Home, name: str, path: Path) -> Exported:
    """Write the rows that stand in the quarantine of a load to a CSV, whole or not at all, under their own headers.

    Raises Refused where there is nothing to write. Facts and quarantine stay as they are.
    """
    headers, rows = opened(home, name)
    _write(path, headers, [(one.row, one.cells) for one in rows])
    return Exported(len(rows), sum(one.whole for one in rows), headers[0])


def correct(home: Home, name: str, cells: Mapping[int, Sequence[str]], path: Path) -> int:
    """Write the file that retries some rows of a load with other cells, by line; how many differ from what stood there.

    Rows that were left as they are stay in quarantine, so they are left out. Raises Refused where none differs, or where
    a row has not the cells that its file has.
    """
    headers, rows = opened(home, name)
    there = {one.row.line: one for one in rows}
    found = []
    for line, fresh in cells.items():
        if line not in there:
            raise Refused(f"line {line} stands in the quarantine of {name} no more; somebody was faster")
        if len(fresh) != len(headers):
            raise Refused(f"line {line} has {len(fresh)} cells, the file has {len(headers)} columns")
        if tuple(fresh) != there[line].cells:
            found.append((there[line].row, tuple(fresh)))
    if not found:
        raise Refused("nothing was corrected: every cell is as it was")
    _write(path, headers, found)
    return len(found)


def _write(path: Path, headers: Sequence[str], rows: Iterable[tuple[QuarantinedRow, Sequence[str]]]) -> None:
    said: sheets.Rows = ([row.load.name, row.line, row.column, row.reason, row.remedy, *cells] for row, cells in rows)
    sheets.save(path, "csv", [*LEADING, *headers], said)


def retry(home: Home, path: Path, now: dt.datetime, by: Staff | None = None) -> Load:
    """Take corrected rows of one load in again, as that load took in its own; the committed load that this makes.

    Source, format or mapping, answers and lookups are those of that load; so is the date, where it had one. The file is
    kept as a landing, which evidence names. Rows that go in are put right; rows that fail are set aside once more, in
    the new load. Raises Refused, with line and remedy, and NotAllowed, and then nothing has changed. The caller holds the
    writer's lock.
    """
    check_room(home, path)
    recover(home, now)
    landing = landings.keep(home.path, path)
    part = f"retry {landing}"
    if done := taken(home, part, now):
        return done
    corrected = _corrected(landings.at(home.path, landing), _longest(home))
    names = sorted({row.load for row in corrected})
    if len(names) != 1:
        said = (
            f"its rows are of {', '.join(names)}; retry those of each in a file of its own"
            if names
            else "it has no rows"
        )
        raise Refused(said)
    before = _known(names[0])
    retried = _retried(before, corrected)
    arrived = after_the_latest(now)
    load = Load(
        file_name=path.name, landing=landing, source=before.source, format=before.format, retry_of=before, arrived_at=arrived,
        known_at=before.known_at if before.dated else arrived, dated=before.dated,
        request={**before.request, "home": home_of(home)},
    )  # fmt: skip
    work = reopened(home, load)
    work.found = replace(work.found, unmapped=tuple(name for name in work.found.unmapped if name not in LEADING))
    load.save()
    entry: dict[str, object] = {"of": before.name, "rows": len(retried)}
    beside = partial(act, Actor(home.path, by, now), "retried", load.name, entry, "take in data")
    return enter(work, load, now, retried=retried, part=part, beside=beside)


def _longest(home: Home) -> int:
    return home.policy.instance.limits["cell_characters"]


def _known(name: str) -> Load:
    """The load of that name, whose rows may be put right. Raises Refused."""
    try:
        load = Load.named(name)
    except Load.DoesNotExist as error:
        raise Refused(f"there is no load '{name}'. See: groundswell loads") from error
    if load.state != "committed" or load.voided_at is not None:
        raise Refused(
            f"{name} was {'reverted' if load.voided_at else 'never committed'}; take its file in again instead"
        )
    return load


@dataclass(frozen=True)
class _Corrected:
    """A row of a corrected file: its line there, the load and line it is of, and its cells below the file's own headers."""

    line: int
    load: str
    of: str
    cells: list[str]


def _corrected(path: Path, longest: int) -> list[_Corrected]:
    """The rows of a corrected file. Raises Refused for one that an export did not write, or that can only be guessed."""
    if not (encoding := read.encoding(path)):
        raise Refused("it is not UTF-8; save it as CSV (UTF-8)")
    heads: dict[str, list[str]] = {}
    for sign in read.DELIMITERS:
        first = read.sample(path, encoding, sign, 1, longest)
        heads[sign] = [unguarded(cell.strip()) for record in first for cell in record.cells]
    delimiter = next((sign for sign, head in heads.items() if set(LEADING) <= set(head)), "")
    if not delimiter:
        raise Refused(
            f"its first line does not name {', '.join(LEADING)}; correct a file of: groundswell quarantine export"
        )
    head, found = heads[delimiter], []
    for record in read.records(path, encoding, delimiter, longest):
        if record.fault or len(record.cells) not in (0, len(head)):
            why = record.fault or f"the row has {len(record.cells)} cells, the header has {len(head)}"
            raise Refused(f"line {record.line}: {why}; quote cells that hold the delimiter, a quote or a line end")
        row = dict(zip(head, (unguarded(cell).strip() for cell in record.cells), strict=False))
        if record.line > 1 and any(row.values()):
            own = [cell for name, cell in row.items() if name not in LEADING]
            found.append(_Corrected(record.line, row["_load"], row["_line"], own))
    return found


def _retried(load: Load, corrected: list[_Corrected]) -> dict[int, QuarantinedRow]:
    """Line of the corrected file -> the row that it tries again, the first of its kind. Raises Refused."""
    rows = {str(row.line): row for row in load.quarantine.all()}
    first = {one.line: one.row for one in RetriedRow.objects.filter(load=load).select_related("row")}
    found = {}
    for one in corrected:
        if one.of not in rows:
            raise Refused(
                f"line {one.line}, _line: {load.name} set no row of line '{one.of}' aside; leave _line as exported"
            )
        row = rows[one.of]
        if one.cells[0].split() == row.text.split() and not any(one.cells[1:]):
            raise Refused(
                f"line {one.line}: the whole text of the row still stands in its first cell; "
                "spread it over the cells, or delete the line to leave the row in quarantine"
            )
        found[one.line] = first.get(row.line, row)
    return found
