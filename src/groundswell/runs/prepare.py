"""Before a load: room, format, lookups, and the questions that only a person can answer."""

import codecs
import datetime as dt
import shutil
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.connectors.files import kinds, read
from groundswell.connectors.files import mapping as mappings
from groundswell.connectors.files.mapping import FileMap, Mapping_
from groundswell.connectors.files.read import Batch, Refused, Tail
from groundswell.connectors.files.recognise import Recognised, normal, recognise
from groundswell.connectors.files.stage import look, proofs
from groundswell.core.tables.guard import unguarded
from groundswell.core.tables.proof import Proof, Question, settle
from groundswell.engine import landings
from groundswell.engine.home import Home
from groundswell.records.loads import Load
from groundswell.runs import sources
from groundswell.runs.kept import kept as kept_mappings
from groundswell.runs.kept import recognised


class NoSpace(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Too little room would be left; nothing was written."""


class Asked(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Questions that only a person can answer; nothing was loaded."""

    def __init__(self, source: str, format_: str, questions: tuple[Question, ...]) -> None:
        super().__init__(f"{len(questions)} open questions")
        self.source, self.format, self.questions = source, format_, questions


@dataclass(frozen=True)
class Request:
    """What is asked of a file: everything, beside its bytes, that decides what it becomes."""

    mapping: Path | None = None
    sheet: str = ""
    source: str = ""
    exported_at: dt.datetime | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False


@dataclass
class Work:
    """One file on its way in: what it is, how it is read, and the load it belongs to."""

    home: Home
    path: Path
    found: Recognised
    source: str
    orders: dict[str, str]
    answers: dict[str, str]
    zone: str
    lookups: dict[tuple[str, str, str], dict[str, str]]
    beside: dict[str, str]


def named_mappings(home: Home, request: Request) -> list[Mapping_]:
    """The mappings that a file may be read by: the one given, else those kept, else what ships. Raises BadPolicy."""
    if request.mapping:
        return [mappings.own(request.mapping)]
    return [*kept_mappings(home.path, request.source), *mappings.shipped()]


def check_room(home: Home, path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Refused(f"the file cannot be read: {error.strerror}") from error
    if not path.is_file():
        raise Refused("it is not a file; name the files one by one")
    needed = max(home.policy.instance.limits["free_bytes"], 2 * size)
    if (free := shutil.disk_usage(home.path).free) < needed:
        raise NoSpace(f"{free:,} bytes are free, a load of this file needs {needed:,}. Make room and try again.")


def prepare(
    home: Home,
    kept: Path,
    name: str,
    folder: Path | None,
    named: list[Mapping_],
    request: Request,
    trial: bool = False,
) -> Work:
    """Recognise a file and settle how its columns are read; raises Asked while a question is open.

    On trial, neither answers nor the files of lookups are kept.
    """
    limits = dict(home.policy.instance.limits)
    _known_encoding(request.answers.get("encoding", ""))
    sheet = request.sheet or request.answers.get("sheet", "")
    found = recognised(kept, name, named, request.answers.get("encoding", ""), limits, sheet)
    source = request.source or found.mapping.source
    told = sources.read(home.path, source)
    answers = {**told.of(found.file.name), **request.answers}
    if (answers.get("encoding") or "") != request.answers.get("encoding", ""):
        found = recognised(kept, name, named, answers["encoding"], limits, sheet)
    if chosen := answers.get("format"):
        only = [_only(m, chosen) for m in named]
        found = recognised(kept, name, only, answers.get("encoding", ""), limits, sheet)
    questions = [q for q in found.questions if q.column not in answers]
    orders: dict[str, str] = {}
    zone = answers.get("zone") or found.mapping.zone
    if not questions:
        seen = proofs(found.file, found.header_of)
        _check_answers(request.answers, found, seen)
        if seen:
            look(seen, batches_of(found, kept, limits, Tail(), frozenset(seen)))
        orders, questions = settle(seen, answers, found.mapping.locale)
        floating = next((proof.floating for proof in seen.values() if proof.floating), "")
        if floating and not zone:
            questions.append(
                Question("zone", f"'{floating}' names no time zone", ("Europe/Berlin", "America/New_York", "UTC"))
            )
    if questions:
        raise Asked(source, found.file.name, tuple(questions))
    if request.answers and not trial:
        kept_answers = {column: answer for column, answer in request.answers.items() if column != "sheet"}
        told.answers.setdefault(found.file.name, {}).update(kept_answers)
        sources.write(home.path, source, told)
    found = _chosen_headers(found, answers)
    lookups, beside = _lookups(home, found.file, folder, trial)
    return Work(home, kept, found, source, orders, {**answers}, zone, lookups, beside)


def _only(mapping: Mapping_, chosen: str) -> Mapping_:
    return replace(mapping, files=tuple(kind for kind in mapping.files if kind.name == chosen))


def _unnamed(mapping: Mapping_) -> Mapping_:
    """The mapping whatever the name of the file: the format is known, and corrected rows are in a file of another name."""
    return replace(mapping, files=tuple(replace(kind, match="") for kind in mapping.files))


def _chosen_headers(found: Recognised, answers: Mapping[str, str]) -> Recognised:
    """The headers that a person chose where two stood for one field."""
    chosen = {field_: answers[field_] for field_ in found.header_of if answers.get(field_) in found.layout.headers}
    return replace(found, header_of={**found.header_of, **chosen})


def _check_answers(given: Mapping[str, str], found: Recognised, seen: Mapping[str, Proof]) -> None:
    """What was answered just now must be about this file, and possible. Raises Refused."""
    for column, answer in given.items():
        possible: tuple[str, ...] = ()
        if column == "zone":
            possible = ("Europe/Berlin", "America/New_York", "UTC")
            if answer in zoneinfo.available_timezones():
                continue
        elif column in seen:
            possible = _ORDERS[seen[column].kind]
        elif column in found.header_of:
            possible = tuple(header for header in found.layout.headers if header)
        elif column not in sources.WHOLE:
            raise Refused(f"--answer {column}={answer}: the file has no column '{column}' that asks anything")
        if possible and answer not in possible:
            what = "not a time zone" if column == "zone" else "not an answer"
            raise Refused(f"--answer {column}={answer}: {what}; write one such as {', '.join(possible[:3])}")


_ORDERS = {"date": ("dmy", "mdy"), "number": (".", ",")}


def _known_encoding(name: str) -> None:
    try:
        codecs.lookup(name or "utf-8")
    except LookupError as error:
        raise Refused(f"--answer encoding={name}: not a code page; write one such as cp1252") from error


def _lookups(
    home: Home, file: FileMap, folder: Path | None, trial: bool
) -> tuple[dict[tuple[str, str, str], dict[str, str]], dict[str, str]]:
    """The lookup files that the row maps name, read whole and, but on trial, kept as landings of their own."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    beside: dict[str, str] = {}
    for row in file.rows:
        for expr in row.columns.values():
            if (lookup := expr.lookup) and folder:
                path = folder / lookup.file
                if not path.is_file():
                    raise Refused(f"the mapping looks up {lookup.file}, which does not lie beside the file")
                if not trial:
                    beside.setdefault(lookup.file, landings.keep(home.path, path))
                longest = home.policy.instance.limits["cell_characters"]
                found[lookup.file, lookup.on, lookup.take] = _lookup(path, lookup.file, lookup, longest)
    return found, beside


def _lookup(path: Path, name: str, lookup: mappings.Lookup, longest: int) -> dict[str, str]:
    """{key: value} of a lookup file, read whole. Raises Refused for what could only be guessed."""
    encoding = read.encoding(path)
    if not encoding:
        raise Refused(f"{name} is not UTF-8; save it as CSV (UTF-8)")
    heads = {d: next(iter(read.sample(path, encoding, d, 1, longest)), None) for d in read.DELIMITERS}
    delimiter, head = max(heads.items(), key=lambda item: len(item[1].cells) if item[1] else 0)
    names = {normal(unguarded(header)): i for i, header in enumerate(head.cells)} if head else {}
    for wanted in (lookup.on, lookup.take):
        if normal(wanted) not in names:
            raise Refused(f"{name} has no column '{wanted}'")
    on, take = names[normal(lookup.on)], names[normal(lookup.take)]
    found: dict[str, str] = {}
    for record in read.records(path, encoding, delimiter, longest):
        if record.line == 1 or not any(cell.strip() for cell in record.cells):
            continue
        if record.fault or len(record.cells) != len(names):
            raise Refused(
                f"{name} line {record.line} cannot be read: {record.fault or 'its cells do not fit the header'}"
            )
        key, value = (unguarded(record.cells[place].strip()) for place in (on, take))
        if found.setdefault(key, value) != value:
            raise Refused(f"{name} line {record.line}: {lookup.on} '{key}' has two values of {lookup.take}")
    return found


def batches_of(
    found: Recognised, path: Path, limits: dict[str, int], tail: Tail, only: frozenset[str] | None = None
) -> Iterator[Batch]:
    """The rows of a file of any kind; `only` names the columns that the caller looks at."""
    rows = kinds.batches(path, found.layout, limits, tail, only)
    if found.layout.encoding in kinds.NO_TEXT:
        return rows
    return _unguarded(rows, set(found.header_of.values()), tail)


def _unguarded(batches: Iterator[Batch], used: set[str], tail: Tail) -> Iterator[Batch]:
    """The batches of a CSV without the apostrophes that guard texts; those in columns that are used are counted."""
    for batch in batches:
        for header, cells in batch.columns.items():
            if pc.any(pc.starts_with(cells, "'")).as_py():
                texts = pa.array([unguarded(cell) for cell in cells.to_pylist()], pa.string())
                if header in used:
                    tail.guarded += pc.sum(pc.not_equal(texts, cells)).as_py()
                batch.columns[header] = texts
        yield batch


def reopened(home: Home, load: Load) -> Work:
    """A load's landing, recognised and read as it was then."""
    asked = load.request
    text = str(asked["mapping"])
    named = [mappings.parse_text(asked["mapping_name"], text)] if text else list(mappings.shipped())
    answers = dict(asked["answers"])
    kept = landings.at(home.path, load.landing)
    limits = dict(home.policy.instance.limits)
    narrowed = [_unnamed(_only(mapping, load.format)) for mapping in named]
    found = _chosen_headers(
        recognise(kept, load.file_name, narrowed, answers.get("encoding", ""), limits, answers.get("sheet", "")),
        answers,
    )
    orders = {column: answer for column, answer in answers.items() if column not in sources.WHOLE}
    beside = dict(asked["beside"])
    lookups = {
        (lookup.file, lookup.on, lookup.take): _lookup(
            landings.at(home.path, beside[lookup.file]), lookup.file, lookup, limits["cell_characters"]
        )
        for row in found.file.rows
        for expr in row.columns.values()
        if (lookup := expr.lookup)
    }
    return Work(home, kept, found, load.source, orders, answers, answers.get("zone", ""), lookups, beside)
