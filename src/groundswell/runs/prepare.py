"""Before a load: room, format, lookups, and the questions that only a person can answer."""

import codecs
import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Mapping
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
from groundswell.core.tables.proof import Proof, Question, disproved, known_zone, settle
from groundswell.engine import landings
from groundswell.engine.home import Home, landing_path
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
    watch: Callable[[int, float], None] | None = None
    """Called now and then with the rows read so far and the share of the file that they are (0: nobody knows)."""


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
    watch: Callable[[int, float], None] | None = None


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
    _known_encoding(request.answers.get("encoding", ""), kept)
    sheet = request.sheet or request.answers.get("sheet", "")
    found = recognised(kept, name, named, request.answers.get("encoding", ""), limits, sheet)
    source = request.source or found.mapping.source
    told = sources.read(home.path, source)
    answers = {**told.of(found.file.name), **request.answers}
    if (answers.get("encoding") or "") != request.answers.get("encoding", ""):
        _known_encoding(answers["encoding"], kept, f"{told.path}: ")
        found = recognised(kept, name, named, answers["encoding"], limits, sheet)
    if chosen := answers.get("format"):
        only = [_only(m, chosen) for m in named]
        found = recognised(kept, name, only, answers.get("encoding", ""), limits, sheet)
    questions = [q for q in found.questions if not _answered(q, found, answers)]
    orders: dict[str, str] = {}
    zone = ""
    if not questions:
        seen = proofs(found.file, found.header_of)
        _check_answers(request.answers, found, seen)
        answers = {c: a for c, a in answers.items() if c in request.answers or not _others(c, a, found, seen)}
        if seen:
            look(seen, batches_of(found, kept, limits, Tail(), frozenset(seen)))
        asked_again = _disproved(found, kept, limits, seen, answers, request.answers)
        standing = {column: answer for column, answer in answers.items() if column not in asked_again}
        orders, questions = settle(seen, standing, found.mapping.locale)
        questions = [*asked_again.values(), *(q for q in questions if q.column not in asked_again)]
        zone = answers.get("zone") or found.mapping.zone
        floating = next((proof.floating for proof in seen.values() if proof.floating), "")
        if floating and not zone:
            questions.append(
                Question("zone", f"'{floating}' names no time zone", ("Europe/Berlin", "America/New_York", "UTC"))
            )
    if questions:
        raise Asked(source, found.file.name, tuple(questions))
    if request.answers and not trial:
        kept_answers = {column: answer for column, answer in request.answers.items() if column not in sources.ONCE}
        told.answers.setdefault(found.file.name, {}).update(kept_answers)
        sources.write(told)
    found = _chosen_headers(found, answers)
    lookups, beside = _lookups(home, found.file, folder, trial)
    return Work(home, kept, found, source, orders, {**answers}, zone, lookups, beside, request.watch)


def _only(mapping: Mapping_, chosen: str) -> Mapping_:
    return replace(mapping, files=tuple(kind for kind in mapping.files if kind.name == chosen))


def _unnamed(mapping: Mapping_) -> Mapping_:
    """The mapping whatever the name of the file: the format is known, and corrected rows are in a file of another name."""
    return replace(mapping, files=tuple(replace(kind, match="") for kind in mapping.files))


def _chosen_headers(found: Recognised, answers: Mapping[str, str]) -> Recognised:
    """The headers that a person chose where two stood for one field."""
    chosen = {field_: answers[field_] for field_ in found.header_of if answers.get(field_) in found.layout.headers}
    return replace(found, header_of={**found.header_of, **chosen})


def _answered(question: Question, found: Recognised, answers: Mapping[str, str]) -> bool:
    """Whether an answer closes a question of the headers: it must name one that this file has."""
    answer = answers.get(question.column)
    return answer is not None and (question.column not in found.header_of or answer in found.layout.headers)


def _check_answers(given: Mapping[str, str], found: Recognised, seen: Mapping[str, Proof]) -> None:
    """What was answered just now must be about this file, and possible. Raises Refused."""
    for column, answer in given.items():
        if column not in seen and column not in found.header_of and column not in sources.WHOLE:
            raise Refused(f"--answer {column}={answer}: the file has no column '{column}' that asks anything")
        if others := _others(column, answer, found, seen):
            what = "not a time zone" if column == "zone" else "not an answer"
            raise Refused(f"--answer {column}={answer}: {what}; write one such as {', '.join(others)}")


def _others(column: str, answer: str, found: Recognised, seen: Mapping[str, Proof]) -> tuple[str, ...]:
    """What could be answered instead of an answer that is impossible; nothing for one that is possible."""
    if column == "zone":
        return () if known_zone(answer) else ("Europe/Berlin", "America/New_York", "UTC")
    if column in seen:
        return () if answer in _ORDERS[seen[column].kind] else _ORDERS[seen[column].kind]
    if column in found.header_of and answer not in found.layout.headers:
        return tuple(header for header in found.layout.headers if header)[:3]
    return ()


_ORDERS = {"date": ("dmy", "mdy"), "number": (".", ",")}


def _disproved(
    found: Recognised, kept: Path, limits: dict[str, int], seen: Mapping[str, Proof], answers: Mapping[str, str],
    given: Mapping[str, str],
) -> dict[str, Question]:  # fmt: skip
    """The answers given before that cells of this file speak against, to be asked again.

    Raises Refused for an answer given just now that no cell of its column bears out: the cells know better. Where they
    contradict each other, it decides between them.
    """
    again: dict[str, Question] = {}
    for column, (where, cell, order) in disproved(seen, answers).items():
        own, answer = seen[column].orders, answers[column]
        if column in given and (answer in own or not own):
            continue
        against = f"{_place(found, kept, limits, where, cell)} '{cell}' reads only as {order}"
        if column in given:
            raise Refused(f"--answer {column}={answer}: {against}; leave the answer out, or correct the cell")
        again[column] = Question(
            column, f"it was answered {answer} before, but {against}", tuple(own) or _ORDERS[seen[column].kind]
        )
    return again


def _place(found: Recognised, kept: Path, limits: dict[str, int], column: str, cell: str) -> str:
    """Line and column of the first such cell, for messages."""
    for batch in batches_of(found, kept, limits, Tail(), frozenset([column])):
        for line, text in zip(batch.lines, batch.columns[column].to_pylist(), strict=True):
            if text.strip() == cell:
                return f"in line {line}, {column},"
    return f"in {column}"


def _known_encoding(name: str, path: Path, told: str = "--answer ") -> None:
    """Whether an answer names a code page of text, and one that says all it takes to read this file. Raises Refused."""
    try:
        "a".encode(name or "utf-8")
    except (LookupError, ValueError) as error:
        raise Refused(f"{told}encoding={name}: not a code page; write one such as cp1252") from error
    with path.open("rb") as file:
        head = file.read(64)
    try:
        codecs.getincrementaldecoder(name or "utf-8")().decode(head)
    except UnicodeDecodeError:
        pass  # bytes that do not fit are named with their place once the file is read
    except UnicodeError as error:  # UTF-16 and UTF-32 are two each, and a byte-order mark says which
        raise Refused(f"{told}encoding={name}: {error}; save the file as CSV (UTF-8)") from error


def _lookups(
    home: Home, file: FileMap, folder: Path | None, trial: bool
) -> tuple[dict[tuple[str, str, str], dict[str, str]], dict[str, str]]:
    """The lookup files that the row maps name, read whole and, but on trial, kept as landings of their own."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    beside: dict[str, str] = {}
    if folder is None:
        return found, beside
    for row in file.rows:
        for expr in row.columns.values():
            for lookup in expr.lookups():
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
    """A load's landing, recognised and read as it was then. Raises Damaged before a byte of a landing that was changed."""
    asked = load.request
    text = str(asked["mapping"])
    named = [mappings.parse_text(asked["mapping_name"], text)] if text else list(mappings.shipped())
    answers = dict(asked["answers"])
    kept = landing_path(home.path, load.landing, load)
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
            landing_path(home.path, beside[lookup.file], load), lookup.file, lookup, limits["cell_characters"]
        )
        for row in found.file.rows
        for expr in row.columns.values()
        for lookup in expr.lookups()
    }
    return Work(home, kept, found, load.source, orders, answers, answers.get("zone", ""), lookups, beside)
