"""What the command line says: figures rounded for reading, each with its range, coverage and day."""

import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from textwrap import wrap
from typing import Any

from groundswell.actions.quarantine import Exported
from groundswell.connectors.files.mapping import UNDECIDED
from groundswell.core.points.score import rounded
from groundswell.core.words import many
from groundswell.reads.explain import Evidence, Explanation, Month
from groundswell.reads.overview import SEGMENTS, Overview, needed
from groundswell.reads.partner import enough
from groundswell.reads.partners import Ranked, Standing
from groundswell.reads.quality import Quality, computable, computable_of
from groundswell.reads.quarantine import Aside
from groundswell.reads.sheets import Cell
from groundswell.records.loads import Load
from groundswell.records.runs import Run


def number(value: Fraction | str | None, places: int = 2) -> str:
    """A figure for reading: half-even, no trailing zeros; "?" where it is open."""
    if value is None:
        return "?"
    exact = round(Fraction(value), places)
    said = f"{Decimal(exact.numerator) / Decimal(exact.denominator):.{places}f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], widest: int = 44) -> str:
    """Rows in columns; numbers to the right, texts cut at `widest`."""
    shown = [[_cut_to(cell, widest) for cell in row] for row in rows]
    widths = [max([len(h), *(len(row[i]) for row in shown)]) for i, h in enumerate(headers)]
    right = [bool(shown) and all(_is_figure(row[i]) for row in shown) for i in range(len(headers))]

    def line(cells: Sequence[str]) -> str:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(headers), line(["-" * width for width in widths]), *map(line, shown)])


def _is_figure(cell: str) -> bool:
    return cell.replace(".", "").replace("-", "").replace("%", "").replace("–", "").replace(
        ",", ""
    ).isdigit() or cell in ("", "?")


# ---------------------------------------------------------------------------------------------------------- loads


def progress(name: str) -> Callable[[int, float], None]:
    """Draws how far a file has been read, on one line of the terminal that is wiped at the end."""

    def draw(rows: int, share: float) -> None:
        done = round(share * 20)
        bar = f"[{'#' * done}{'.' * (20 - done)}] {share:4.0%}  " if share else ""
        line = f"{_plain(name)}  {bar}{rows:,} rows"
        print("\r" + (" " * len(line) if share >= 1 else line), end="\r", file=sys.stderr, flush=True)

    return draw


def steps(name: str) -> Callable[[int, float], None]:
    """Says how far a file has been read, a line for each tenth of it."""
    said = 0

    def step(rows: int, share: float) -> None:
        nonlocal said
        if int(share * 10) > said:
            said = int(share * 10)
            print(f"{_plain(name)}: {rows:,} rows read, {said * 10} %", flush=True)

    return step


def load(entry: dict[str, Any]) -> str:
    """What became of one file: the equation, what was set aside and why, how it was read.

    Cells of the file are part of it, so nothing that a terminal would obey is passed on.
    """
    return "\n".join(_plain(line) for line in _load(entry))


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)


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
    return "\n".join(_plain(line) for line in _tried(entry))


def _tried(entry: dict[str, Any]) -> Iterator[str]:
    yield f"tried     {entry['file']}  ({entry['format']}, source {entry['source']}); nothing was loaded"
    for one in entry["tried"]:
        yield f"  line {one['line']}"
        wide = max(map(len, one["cells"]))
        yield from (f"    {header.ljust(wide)}  {cell}".rstrip() for header, cell in one["cells"].items())
        if row := one["aside"]:
            column = f"{row['column']}: " if row["column"] else ""
            yield f"    would be set aside: {column}{row['reason']}. {_capital(row['remedy'])}."
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
        yield f"    line {row['line']}{column}: {row['reason']}. {_capital(row['remedy'])}."
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


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
        names = [_cut_to(spelled[own], 60) for own, _, _ in one.first]
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
    lines = [f"{_rows_are(len(standing))} in quarantine{':' if standing else ''}"]
    lines += [f"  {count} of {name} ({_plain(file)})" for (name, file), count in counts.items()]
    if gone := len(found) - len(standing):
        them = "it" if gone == 1 else "them"
        lines.append(f"{_rows_are(gone)} there no more" + ("" if everything else f": --all lists {them} too"))
    shown = found if everything else standing
    headers = ["load", "file", "line", "column", "reason", "remedy", *(["since"] if everything else [])]
    cells = [
        [row.load.name, row.load.file_name, str(row.line), row.column, row.reason, row.remedy,
         *([one.since or "in quarantine"] if everything else [])]
        for one in shown
        for row in [one.row]
    ]  # fmt: skip
    if cells:
        lines += ["", *(_cut_to(line, width) for line in table(headers, cells, widest=max(44, width)).splitlines())]
    return "\n".join(lines)


def _rows_are(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"


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
    return said + (f"; {_rows_are(failed)} in quarantine again, as {load.name}" if failed else "")


# ------------------------------------------------------------------------------------------------------- readiness


def run(manifest: dict[str, Any]) -> str:
    """What a run came to."""
    lines = [
        f"{many(manifest['partners'], 'partner')} assessed as of {manifest['as_of']}, run {manifest['run_id'][:12]}",
        computable_of(manifest),
        *manifest["remarks"],
    ]
    return "\n".join(lines)


def moved_back(before: Run, now: Run) -> str:
    """That everybody now reads an earlier day than before, and how to go back."""
    return (
        f"Lists and pages showed {before.as_of}; they now show {now.as_of}, to everybody. "
        f"To go back: groundswell assess --as-of {before.as_of}"
    )


def nobody(first: Load | None, as_of: Any, ever: bool) -> str:
    """Why nobody could be assessed; `ever`: whether partners are known by now."""
    if first is None:
        return "Nothing is loaded yet: groundswell take-in FILE"
    if not ever:
        return NO_PARTNERS
    return (
        f"No partner was known on {as_of}. The oldest load is known since {first.known_at:%Y-%m-%d %H:%M}Z; an export is "
        "dated by its arrival unless take-in --exported-at or its mapping says when it was true."
    )


def _score(one: Standing) -> str:
    return number(one.total) if one.state != "too little known" and one.total is not None else "?"


def _span(one: Standing) -> str:
    """The range in whole points, rounded outwards so that the figure beside it lies in it."""
    return f"{math.floor(one.low)}–{math.ceil(one.high)}"


def ranked_rows(found: Ranked) -> tuple[list[str], list[list[Cell]]]:
    """Headers and rows of the ranked list, figures as numbers to two decimals; an open score is None."""
    headers = [
        "rank",
        "partner_id",
        "name",
        "source",
        "external_id",
        "readiness",
        "low",
        "high",
        "coverage_pct",
        "band",
        "state",
        "as_of",
    ]
    return headers, [
        [one.rank, one.partner_id, one.name, one.source, one.external_id, None if _score(one) == "?" else Decimal(_score(one)),
         Decimal(number(one.low)), Decimal(number(one.high)), Decimal(number(one.coverage * 100)), one.band, one.state,
         found.as_of]
        for one in found.partners
    ]  # fmt: skip


def ranked(found: Ranked, width: int = 10_000) -> str:
    """The ranked list for a terminal of so many columns; what is too wide is cut at the last column."""
    if not found.manifest["partners"]:
        return run(found.manifest)
    rows = [
        [str(one.rank), one.name, _score(one), _span(one), f"{number(one.coverage * 100, 0)}%",
         one.band or "open", one.result["standing"]["segment"] or NOT_PLACED, one.state, one.next_act]
        for one in found.partners
    ]  # fmt: skip
    manifest = found.manifest
    foot = [
        "",
        f"as of {found.as_of}, run {found.run_id[:12]}. Range: from every unknown at its worst to every unknown at its best; "
        "where too little is known the low end ranks.",
        computable_of(manifest),
        *manifest["remarks"],
    ]
    headers = ["rank", "partner", "readiness", "range", "known", "band", "segment", "state", "next"]
    lines = [_cut_to(line, width) for line in table(headers, rows, widest=max(44, width)).splitlines()]
    return "\n".join([*lines, *foot])


# ------------------------------------------------------------------------------------------------------- overview

NOT_PLACED = "not placed"


def overview(found: Overview, width: int = 10_000) -> str:
    """The published run on one screen."""
    return "\n".join(_cut_to(line, width) for line in _overview(found, width))


def _overview(found: Overview, width: int) -> Iterator[str]:
    manifest, standing = found.run.manifest, found.run.manifest["standing"]
    segments = standing["segments"]
    names = [*SEGMENTS, *(name for name in segments if name not in SEGMENTS)]
    yield f"{many(manifest['partners'], 'partner')} as of {found.run.as_of}, run {found.run.run_id[:12]}"
    if not manifest["partners"]:
        yield computable_of(manifest)
        return
    yield " · ".join(f"{name or NOT_PLACED} {segments.get(name, 0)}" for name in names)
    if standing["since"]:
        yield f"since {standing['since']}: {_flows(standing['flows'])}"
    yield f"attention: {_layers(standing['attention'])}"
    yield ""
    yield f"READY AND IDLE: able and engaged, nothing won in 12 months ({segments.get('ready', 0)})"
    yield from _idle(found, width)
    yield from _more(segments.get("ready", 0) - len(found.idle), "partners --segment ready")
    yield ""
    yield f"WENT QUIET, each by its own rhythm ({found.quiet_count})"
    for one in found.quiet:
        said = one.result["standing"]["quiet"]
        yield f"  {one.name}: {said['pattern'] or said['state']}; {said['said']}"
    yield from _more(found.quiet_count - len(found.quiet), f"overview --limit {found.quiet_count}")
    if standing["look_at"]:
        yield ""
        yield f"LOOK AT THE ROWS FIRST ({standing['look_at']})"
        for one in found.look_at:
            yield f"  {one.name}: {'; '.join(reason['said'] for reason in one.result['standing']['look_at'])}"
        yield from _more(standing["look_at"] - len(found.look_at), f"overview --limit {standing['look_at']}")
    yield ""
    placed = segments.get("", 0)
    yield f"WHAT THE DATA CANNOT SAY YET: {many(placed, 'partner')} {'is' if placed == 1 else 'are'} not placed"
    for condition, count in found.wanted[:3]:
        yield f"  {count} would need {condition}"
    silent = standing["quiet"].get("cannot tell", 0)
    if silent:
        yield f"  of {silent} it cannot be told whether they are quiet: too few gaps, or no source says"
    yield "  " + computable_of(manifest)
    for remark in manifest["remarks"]:
        yield f"  {remark}"


LAYERS = ("top", "middle", "long tail", "")


def _layers(found: dict[str, Any]) -> str:
    """How many partners are in which layer, what the top brings, and the long tail by bands of revenue."""
    if found["why"]:
        return str(found["why"])
    said = {name: f"{name or 'in no layer'} {found['partners'].get(name, 0)}" for name in LAYERS}
    if percent := found["share"].get("top"):
        said["top"] += f" with {number(percent, 0)}% of the revenue that is known"
    bands = [f"{name or 'not known'} {count}" for name, count in found["bands"].items()]
    if bands:
        said["long tail"] += f" ({', '.join(bands)})"
    return " · ".join(said.values())


def _more(left: int, command: str) -> Iterator[str]:
    """How many a list has left out, and the command that shows them."""
    if left > 0:
        yield f"  and {left} more: groundswell {command}"


def _idle(found: Overview, width: int) -> Iterator[str]:
    """Who is ready and idle; below each what would help it most, in full; once below all where it is the same."""
    rows = []
    for one in found.idle:
        momentum = one.result["standing"]["momentum"]
        moved = "" if momentum is None else f"{momentum:+.1f}"
        rows.append([one.name, _score(one), _span(one), moved, ", ".join(one.strongest)])
    if not rows:
        return
    head, rule, *lines = table(["partner", "readiness", "range", "moved", "why"], rows, 56).splitlines()
    acts = [one.next_act for one in found.idle]
    yield from (f"  {head}", f"  {rule}")
    for line, act in zip(lines, acts, strict=True):
        yield f"  {line}"
        if len(set(acts)) > 1:
            yield from _whole(act, "    next: ", width)
    if len(set(acts)) == 1:
        yield from _whole(acts[0], "  next for each of these: " if len(acts) > 1 else "  next: ", width)


def _whole(said: str, lead: str, width: int) -> list[str]:
    """A sentence that is never cut: on as many lines as the terminal's columns ask for."""
    return wrap(_plain(said), width, initial_indent=lead, subsequent_indent=" " * len(lead)) if said else []


def _flows(flows: Sequence[Sequence[Any]]) -> str:
    moved = sorted(((n, start, end) for start, end, n in flows if start != end), reverse=True)
    if not moved:
        return "nobody moved"
    return ", ".join(f"{n} from {start or NOT_PLACED} to {end or NOT_PLACED}" for n, start, end in moved[:6])


# -------------------------------------------------------------------------------------------------------- explain


TOO_LITTLE = "too little known to say"


def explanation(found: Explanation) -> str:
    """One partner in words: figure, range, every line with what it gives and the rows behind it."""
    return "\n".join(_explained(found))


def _explained(found: Explanation) -> Iterator[str]:
    one, said = found.standing, found.standing.result["readiness"]
    where = ", ".join(
        x for x in (one.result["partner_type"], one.result["region"], one.result["country"], one.result["tier"]) if x
    )
    yield f"{one.name}  ({one.source} {one.external_id}, {one.partner_id}){': ' + where if where else ''}"
    rank, edition = f"rank {one.rank} of {found.partners}", f"edition {said['edition']} of readiness"
    yield f"as of {found.as_of}, {rank}, {edition}, run {found.run_id[:12]}"
    yield ""
    known, span = f"{number(one.coverage * 100, 0)}% known", f"{number(one.low)} to {number(one.high)}"
    if one.total is None or one.state == "too little known":
        yield f"Readiness: {TOO_LITTLE}. It lies in {span} of {said['out_of']}, {known}."
    else:
        judged = f"{one.band}, {one.state}"
        yield f"Readiness: {number(one.total)} of {said['out_of']} ({judged}), range {span}, {known}."
    shown = rounded(_contributions(one))
    for part in said["parts"]:
        yield ""
        points = f"{number(part['points'])} of 100" if part["points"] is not None else "not known"
        yield f"{part['part'].replace('_', ' ')}: {points}, weight {number(Fraction(part['share']) * 100, 0)}%"
        for line in said["lines"]:
            if line["part"] == part["part"]:
                yield from _line(line, shown, found)
    for what, _ in said["deductions"]:
        yield f"\n{what}: {number(shown[f'- {what}'])}"
    yield ""
    yield from _sum(shown, one)
    yield from _gaps(one)
    yield ""
    yield from _stands(found)
    yield from _past(found)


def _stands(found: Explanation) -> Iterator[str]:
    """Segment, attention, silence: which rule says so, and what would move it."""
    standing = found.standing.result["standing"]
    attention, quiet = standing["attention"], standing["quiet"]
    if standing["segment"]:
        since = f"{standing['segment']} since {standing['since']}{' or before' if standing['or_before'] else ''}"
        facts = f" ({', '.join(standing['facts'])})" if standing["facts"] else ""
        yield f"Segment: {since}{', by ' + standing['rule'] if standing['rule'] else ''}{facts}"
    else:
        wants = needed(standing["would_place"], "said", "; ")
        yield f"Segment: {NOT_PLACED}, too little known. What would place it: {wants}"
    yield from (f"  {said}" for said in (standing["stays"], *standing["undecided"]) if said)
    for segment in dict.fromkeys(unmet["segment"] for unmet in standing["moves"]):
        lacks = [unmet for unmet in standing["moves"] if unmet["segment"] == segment]
        yield f"  {segment} would need: {needed(lacks, 'said', '; ')}"
    yield f"Attention: {_attended(attention)}{_trend(found)}"
    yield f"Silence: {quiet['state']}{': ' + quiet['pattern'] if quiet['pattern'] else ''}; {quiet['said']}"
    if quiet["returned_after"] is not None:
        yield f"  back after {quiet['returned_after']} days, beyond its own bound"
    for review in standing["reviews"]:
        yield f"Review {review['name']}: {review['said']}. {review['proposes']}"
    for reason in standing["look_at"]:
        yield f"Look at the rows: {reason['said']}"


def _attended(attention: dict[str, Any]) -> str:
    """The layer, the share of a partner of the top, the band of one of the long tail; what it has, lacks, and may have."""
    said = [attention["layer"] or f"in no layer ({attention['why']})"]
    if attention["layer"] == "top":
        said[0] += f", {number(attention['share'], 0)}% of the revenue that is known"
    if attention["band"]:
        said[0] += f", revenue {attention['band']}"
    for lead, what in (("has", "has"), ("nothing yet of", "lacks"), ("could be more, not known:", "undecided")):
        if attention[what]:
            said.append(f"{lead} {', '.join(name.replace('_', ' ') for name in attention[what])}")
    return "; ".join(said)


def _trend(found: Explanation) -> str:
    """How a partner of the middle grows."""
    result, segments = found.standing.result, found.policy.segments
    if segments is None or result["standing"]["attention"]["layer"] != "middle":
        return ""
    name = segments.attention.trend
    return f"; {name.replace('_', ' ')} {_value(result['signals'][name], found.policy.signals[name].unit)}"


def _past(found: Explanation) -> Iterator[str]:
    """The month-ends: points and their parts, how much was known, segment; where the yardstick was another, that it was."""
    if len(found.history) < 2:
        return
    yield ""
    momentum = found.standing.result["standing"]["momentum"]
    moved = "" if momentum is None else f"; {momentum:+.1f} against the mean of the three month-ends before"
    if moved and len({month.edition for month in found.history[-4:]}) > 1:
        moved += ", over a change of edition"
    yield f"Month-ends, as known then, by the policy of this run{moved}:"
    parts = [part.name for part in found.policy.edition("readiness", found.as_of).parts]
    parts += sorted({name for month in found.history for name in month.parts} - set(parts))
    headers = ["month-end", "readiness", "known", *(name.replace("_", " ") for name in parts), "segment", ""]
    rows = [
        [str(month.day), _points(month.total) if enough(found.policy, month) else TOO_LITTLE, f"{month.coverage * 100:.0f}%",
         *(_points(month.parts.get(part)) for part in parts),
         month.segment or NOT_PLACED, "; ".join(_marks(month, before))]
        for before, month in zip((None, *found.history), found.history, strict=False)
    ]  # fmt: skip
    yield from (f"  {line}".rstrip() for line in table(headers, rows, widest=100).splitlines())
    for other in found.policies:
        days = f"of {other.first}" if other.first == other.last else f"from {other.first} to {other.last}"
        more = f" and {len(other.files) - 3} more" if len(other.files) > 3 else ""
        yield f"  Runs {days} had another policy: {', '.join(other.files[:3])}{more} differed."


def _points(points: float | None) -> str:
    return "?" if points is None else f"{points:.2f}"


def _marks(month: Month, before: Month | None) -> Iterator[str]:
    """What sets a month-end apart from the one before, and from what was published of it."""
    if before is not None and month.edition != before.edition:
        yield f"edition {month.edition} from here on"
    if month.then is not None:
        why = "by another policy" if month.then.other_policy else "from other facts"
        figure = _points(month.then.total) if month.then.enough else TOO_LITTLE
        yield f"published then: {figure}, {month.then.segment or NOT_PLACED}, {why}"


def _contributions(one: Standing) -> dict[str, Fraction]:
    said = one.result["readiness"]
    found = {f"{line['part']}.{line['line']}": Fraction(line["contribution"]) for line in said["lines"]}
    return found | {f"- {what}": Fraction(points) for what, points in said["deductions"]}


def _line(line: dict[str, Any], shown: dict[str, Fraction], found: Explanation) -> Iterator[str]:
    signal = found.policy.signals[line["signal"]]
    value, gives = line["value"], shown[f"{line['part']}.{line['line']}"]
    name = signal.name if line["line"] == signal.name else f"{line['line']} ({signal.name})"
    if not line["applies"]:
        yield f"  {name}: does not apply ({value['why'] or line['why']})"
        return
    low, high = line["points"]
    points = f"{number(low)} of 100" if low == high else f"{number(low)} to {number(high)} of 100, left out of the sum"
    unit = found.policy.instance.home_currency if signal.unit == "home currency" else signal.unit
    yield f"  {name}: {_value(value, unit)} → {points}; adds {number(gives)}  [{_how(line, found)}; {signal.kind}]"
    if value["why"]:
        yield f"    {value['why']}"
    evidence = found.evidence.get(line["signal"])
    if evidence:
        yield from _rows(evidence)


def _how(line: dict[str, Any], found: Explanation) -> str:
    """How the line earns: its bars or bands, so that the sum can be done again by hand."""
    parts = found.policy.edition("readiness", found.as_of).parts
    rule = next(one for part in parts if part.name == line["part"] for one in part.lines if one.name == line["line"])
    if rule.yes is not None:
        return f"{number(rule.yes)} for yes; weight {number(rule.weight)}"
    if rule.bars:
        return f"0 at {number(rule.bars[0])}, 100 at {number(rule.bars[1])}; weight {number(rule.weight)}"
    return f"{', '.join(f'{number(p)} from {number(at)}' for at, p in rule.bands)}; weight {number(rule.weight)}"


def _value(value: dict[str, Any], unit: str) -> str:
    def end(text: str | None) -> str:
        try:
            return f"{Decimal(number(text)):,}"
        except (ValueError, ArithmeticError):
            return str(text)

    if value["state"] == "known":
        return f"{end(value['low'])} {unit}"
    if value["state"] == "at least":
        return f"at least {end(value['low'])} {unit}"
    if value["state"] == "between":
        return f"{end(value['low'])} to {end(value['high'])} {unit}"
    return str(value["state"])


def _rows(evidence: Evidence) -> Iterator[str]:
    for row in evidence.rows:
        where = f"{row.file_name} line {row.line} ({row.load})"
        where = f"{row.corrects}, put right by {where}" if row.corrects else where
        yield f"      {where}: {_cut_to(row.text, 110)}"
    if evidence.more:
        yield "      and more: --rows N"


def _cut_to(text: str, width: int) -> str:
    plain = _plain(text)
    return plain if len(plain) <= width else plain[: width - 1] + "…"


def _sum(shown: dict[str, Fraction], one: Standing) -> Iterator[str]:
    if one.total is not None:
        parts = [part for part in shown.values() if part]
        terms = " + ".join(number(part) for part in parts) or "0"
        total = f"{terms} = {number(sum(shown.values(), Fraction(0)))}".replace("+ -", "- ")
        known = one.state != "too little known"
        yield (
            total
            if known
            else f"The known lines alone: {total}, which stands for {number(one.coverage * 100, 0)}% of the weight."
        )


def _gaps(one: Standing) -> Iterator[str]:
    if one.result["gaps"]:
        yield "What would add most:"
        for gap in one.result["gaps"]:
            yield f"  up to {number(gap['gain'])} points by {gap['signal']}: {gap['remedy'] or 'no remedy is written down'}"


_FRACTION = re.compile(r"(-?\d+)/(\d+)")


def _decimals(said: Any) -> Any:
    """The same with every fraction that a decimal can say exactly written as one: "123/10" is "12.3", "37/3" stays."""
    if isinstance(said, dict):
        return {name: _decimals(one) for name, one in said.items()}
    if isinstance(said, (list, tuple)):
        return [_decimals(one) for one in said]
    if not isinstance(said, str) or not (found := _FRACTION.fullmatch(said)):
        return said
    over, under = int(found[1]), int(found[2])
    # A decimal of n places can say it where 10^n is a multiple of the denominator, a product of at most n 2s or 5s.
    places = next((n for n in range(1, under.bit_length()) if 10**n % under == 0), None)
    if places is None:
        return said
    digits = f"{abs(over) * 10**places // under:0{places + 1}}"
    return f"{'-' if over < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def explanation_json(found: Explanation) -> dict[str, Any]:
    """The same, for programs: exact figures as text, evidence as rows."""
    evidence = {
        name: {
            "question": one.question,
            "unit": one.unit,
            "kind": found.policy.signals[name].kind,
            "more": one.more,
            "rows": [{**asdict(row), "day": str(row.day) if row.day else None} for row in one.rows],
        }
        for name, one in found.evidence.items()
    }
    past = [{**asdict(one), "day": str(one.day), "edition": str(one.edition)} for one in found.history]
    policies = [{**asdict(one), "first": str(one.first), "last": str(one.last)} for one in found.policies]
    return {
        "run": found.run_id,
        "as_of": str(found.as_of),
        **found.standing.result,
        **{name: _decimals(found.standing.result[name]) for name in ("readiness", "signals", "gaps", "standing")},
        "history": past,
        "other_policies": policies,
        "evidence": evidence,
    }


def as_json(found: Quality) -> dict[str, Any]:
    """A quality report for programs."""
    return {**asdict(found), "as_of": str(found.as_of)}
