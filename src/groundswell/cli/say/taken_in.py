"""What the command line says of loads, of their quality, and of rows set aside."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from groundswell.actions.quarantine import Exported
from groundswell.cli.say.figures import capital, cut_to, plain, rows_are, table
from groundswell.connectors.files.mapping import UNDECIDED
from groundswell.reads.quality import Quality, computable
from groundswell.reads.quarantine import Aside
from groundswell.records.loads import Load


def progress(name: str) -> Callable[[int, float], None]:
    """Draws how far a file has been read, on one line of the terminal that is wiped at the end."""

    def draw(rows: int, share: float) -> None:
        done = round(share * 20)
        bar = f"[{'#' * done}{'.' * (20 - done)}] {share:4.0%}  " if share else ""
        line = f"{plain(name)}  {bar}{rows:,} rows"
        print("\r" + (" " * len(line) if share >= 1 else line), end="\r", file=sys.stderr, flush=True)

    return draw


def steps(name: str) -> Callable[[int, float], None]:
    """Says how far a file has been read, a line for each tenth of it."""
    said = 0

    def step(rows: int, share: float) -> None:
        nonlocal said
        if int(share * 10) > said:
            said = int(share * 10)
            print(f"{plain(name)}: {rows:,} rows read, {said * 10} %", flush=True)

    return step


def load(entry: dict[str, Any]) -> str:
    """What became of one file: the equation, what was set aside and why, how it was read.

    Cells of the file are part of it, so nothing that a terminal would obey is passed on.
    """
    return "\n".join(plain(line) for line in _load(entry))


def _load(entry: dict[str, Any]) -> Iterator[str]:
    name = entry["file"]
    if "refused" in entry:
        yield f"refused   {name}"
        yield f"  {entry['refused']}"
    elif "faults" in entry and "load" not in entry:
        yield f"fault     {name}; nothing was loaded"
        yield from (f"  {fault}" for fault in entry["faults"])
    elif "questions" in entry:
        yield f"question  {name}  ({entry['format']}); nothing was loaded"
        file = name.rsplit("/", 1)[-1]
        for q in entry["questions"]:
            yield f"  {q['column']}: {q['question']}"
            others = f"  (or {', '.join(q['answers'][1:])})" if q["answers"][1:] else ""
            yield f"    answer with  --answer '{file}:{q['column']}={q['answers'][0]}'{others}"
    else:
        yield from _accepted(entry)


def proposed(text: str, path: str) -> str:
    """What a draft leaves to do."""
    left = text.count(f'"{UNDECIDED}"')
    todo = f"{left} places to decide, marked {UNDECIDED}" if left > 1 else f"1 place to decide, marked {UNDECIDED}"
    return f"{path} is a draft: {todo if left else 'nothing is left to decide, but read why each column is proposed'}"


def tried(entry: dict[str, Any]) -> str:
    """What some rows of a file would become, each beside its cells."""
    return "\n".join(plain(line) for line in _tried(entry))


def _tried(entry: dict[str, Any]) -> Iterator[str]:
    yield f"tried     {entry['file']}  ({entry['format']}, source {entry['source']}); nothing was loaded"
    for one in entry["tried"]:
        yield f"  line {one['line']}"
        wide = max(map(len, one["cells"]))
        yield from (f"    {header.ljust(wide)}  {cell}".rstrip() for header, cell in one["cells"].items())
        if row := one["aside"]:
            column = f"{row['column']}: " if row["column"] else ""
            yield f"    would be set aside: {column}{row['reason']}. {capital(row['remedy'])}."
        for made in one["rows"]:
            yield f"    -> {made['table']} {made['id']}{'  (a mention)' if made['mention'] else ''}".rstrip()
            yield from (f"         {column} = {value or '(empty)'}" for column, value in made["columns"].items())
        yield from (f"    note: {note}" for note in one["notes"])
    for line in entry["absent"]:
        yield f"  line {line}: no row begins there"


_HOW = {"dmy": "day-month-year", "mdy": "month-day-year", ".": "with decimal point", ",": "with decimal comma"}


_DATED = ("deals", "activities", "credentials")
"""Tables whose range of days is worth a line."""


def _accepted(entry: dict[str, Any]) -> Iterator[str]:
    sheet = f", sheet {entry['report']['sheet']}" if entry["report"].get("sheet") else ""
    yield f"accepted  {entry['file']}{sheet}  as {entry['load']}  ({entry['format']}, source {entry['source']})"
    equation = f"{entry['loaded']} loaded + {entry['unchanged']} unchanged + {entry['quarantined']} quarantined"
    yield f"  {entry['rows_in']} rows in = {equation}"
    for row in entry["quarantine"][:10]:
        column = f", {row['column']}" if row["column"] else ""
        yield f"    line {row['line']}{column}: {row['reason']}. {capital(row['remedy'])}."
    if len(entry["quarantine"]) > 10:
        yield f"    and {len(entry['quarantine']) - 10} more: groundswell loads show {entry['load']}"
    report = entry["report"]
    if report.get("mapping"):
        yield f"  {report['mapping']}"
    if report.get("read_as"):
        yield "  read as: " + ", ".join(f"{column} {_HOW.get(how, how)}" for column, how in report["read_as"].items())
    for name, (rows, first, last) in report.get("tables", {}).items():
        if first and name in _DATED:
            yield f"  {name}: {rows} rows, {first} to {last}"
    if report.get("currencies"):
        yield "  currencies: " + ", ".join(report["currencies"])
    if report.get("unknown"):
        yield "  empty: " + ", ".join(
            f"{column} in {some} of {all_}" for column, (some, all_) in report["unknown"].items()
        )
    if report.get("columns_missing"):
        yield "  columns not found: " + ", ".join(report["columns_missing"])
    if report.get("columns_unmapped"):
        yield "  columns not used: " + ", ".join(report["columns_unmapped"])
    if entry.get("sheets_left"):
        yield "  sheets left alone: " + ", ".join(entry["sheets_left"])
    if report.get("footers"):
        yield f"  {len(report['footers'])} footer lines left out"
    yield from (f"  note: {note}" for note in report.get("notes", [])[:10])
    yield from (f"  fault: {fault}" for fault in entry.get("faults", []))


def quality(found: Quality, spelled: Mapping[str, str]) -> str:
    """What the loaded data can and cannot say. `spelled`: ids of partners -> how their sources write them."""
    lines = [f"as of {found.as_of}: {found.partners} partners, {found.accounts} accounts, {found.deals} deals"]
    if not found.partners and (found.accounts or found.deals):
        lines.append(NO_PARTNERS)
    lines += unlisted(found, spelled)
    if found.deals_without_amount:
        lines.append(f"{found.deals_without_amount} deals have no amount; it stays unknown")
    for domain, count in found.shared_domains[:5]:
        lines.append(f"{count} organisations share the domain {domain}: are they one? Nothing is merged by itself.")
    return "\n".join([*lines, computable(found.computable, found.signals, found.would_add, found.unavailable)])


def unlisted(found: Quality, spelled: Mapping[str, str]) -> list[str]:
    """Partners that rows name and nobody describes, by table; what would bring them."""
    lines = []
    for one in found.unlisted:
        names = [cut_to(spelled[own], 60) for own, _, _ in one.first]
        more = [f"{one.count - len(names)} more"] if one.count > len(names) else []
        ids, is_ = ("id", "is") if one.count == 1 else ("ids", "are")
        lines.append(
            f"{one.count} partner {ids} in {one.table} {is_} in no list of partners: {', '.join(names + more)}"
        )
    if lines:
        lines.append(
            "What is said of them counts nowhere. Take in a list that has them (organisations, with is_partner), or "
            "correct the ids."
        )
    return lines


NO_PARTNERS = (
    "No loaded row says who is a partner, so there is nobody to assess. What would bring partners: a list of them "
    "(organisations with is_partner, or memberships), and beside each deal a column that names its partner (touches with "
    "partner_id)."
)


def loads(found: Iterable[Load]) -> str:
    """Every load with its equation."""
    rows = [
        [one.name, one.file_name, one.source, one.format, _state(one), str(one.rows_in), str(one.loaded), str(one.unchanged),
         str(one.quarantined), f"{one.known_at:%Y-%m-%d %H:%M}Z"]
        for one in found
    ]  # fmt: skip
    return table(
        ["load", "file", "source", "format", "state", "rows in", "loaded", "unchanged", "quarantined", "known"], rows
    )


def _state(one: Load) -> str:
    if one.voided_at:
        return "reverted"
    if one.retry_of:
        return f"retry {one.retry_of.name}"
    return f"again {one.again_of.name}" if one.again_of else one.state


def quarantine(found: Sequence[Aside], everything: bool, width: int) -> str:
    """The rows set aside: how many of which load, then each; those that do not stand any more only where asked for."""
    standing = [one for one in found if not one.since]
    counts = Counter((one.row.load.name, one.row.load.file_name) for one in standing)
    lines = [f"{rows_are(len(standing))} in quarantine{':' if standing else ''}"]
    lines += [f"  {count} of {name} ({plain(file)})" for (name, file), count in counts.items()]
    if gone := len(found) - len(standing):
        them = "it" if gone == 1 else "them"
        lines.append(f"{rows_are(gone)} there no more" + ("" if everything else f": --all lists {them} too"))
    shown = found if everything else standing
    headers = ["load", "file", "line", "column", "reason", "remedy", *(["since"] if everything else [])]
    cells = [
        [row.load.name, row.load.file_name, str(row.line), row.column, row.reason, row.remedy,
         *([one.since or "in quarantine"] if everything else [])]
        for one in shown
        for row in [one.row]
    ]  # fmt: skip
    if cells:
        lines += ["", *(cut_to(line, width) for line in table(headers, cells, widest=max(44, width)).splitlines())]
    return "\n".join(lines)


def exported(written: Exported, load: str, path: str) -> str:
    """What was written of a quarantine, and what to do with it."""
    lines = [f"{path}: {written.rows} rows of {load}"]
    if written.whole:
        lines.append(
            f"{written.whole} of them could not be taken apart: the whole text stands in {written.whole_in or 'the first cell'}, "
            "to be spread over the cells"
        )
    return "\n".join([*lines, f"Correct the cells, leave _load and _line, then: groundswell quarantine retry {path}"])


def retried(load: Load) -> str:
    """What a retry came to."""
    right = load.retried.filter(put_right=True).count()
    failed = load.retried.filter(put_right=False).count()
    before = load.retry_of.name if load.retry_of else ""
    said = f"{right} of {right + failed} rows of {before} are put right"
    return said + (f"; {rows_are(failed)} in quarantine again, as {load.name}" if failed else "")


def as_json(found: Quality) -> dict[str, Any]:
    """A quality report for programs."""
    return {**asdict(found), "as_of": str(found.as_of)}
