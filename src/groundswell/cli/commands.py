"""What each command does: call a run, a read or an action, and say what came of it."""

import argparse
import datetime as dt
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

import duckdb
from deltalake.exceptions import DeltaError
from django.db.utils import DatabaseError

from groundswell.actions import exports, quarantine
from groundswell.actions.act import Actor, NotAllowed, heads
from groundswell.actions.loads import CannotRevert, revert
from groundswell.actions.staff import CannotInvite, invite
from groundswell.cli import arguments, demo
from groundswell.cli.exits import Exit, is_full
from groundswell.cli.say import explained, figures, listed, one_screen, taken_in
from groundswell.connectors.files.read import Refused
from groundswell.core import catalog
from groundswell.core.signals.windows import FIRST_DAY, LAST_DAY
from groundswell.core.tables.cells import Fault, Reading, read_instant
from groundswell.core.tables.contract import WITHHELD
from groundswell.core.words import many
from groundswell.engine import durable
from groundswell.engine.home import Damaged, Home
from groundswell.engine.lock import Locked, writer
from groundswell.engine.secrets import Secrets, make_records
from groundswell.policy import read as policy
from groundswell.policy.read import BadPolicy
from groundswell.reads import explain as explanations
from groundswell.reads import partners as standings
from groundswell.reads import sheets, tables, trail
from groundswell.reads.listing import FILTERS, BadListing, Listing
from groundswell.reads.overview import overview
from groundswell.reads.quality import Quality, quality
from groundswell.reads.quarantine import rows_aside
from groundswell.records.jobs import Fenced, asked_by, held
from groundswell.records.loads import Load
from groundswell.records.runs import Published
from groundswell.records.staff import Staff
from groundswell.records.trail import Entry
from groundswell.records.upgrade import behind, catch_up
from groundswell.runs import assess, rebuild
from groundswell.runs.kept import checked
from groundswell.runs.parts import Part, parts
from groundswell.runs.prepare import Asked, NoSpace, Request, named_mappings
from groundswell.runs.propose import proposal
from groundswell.runs.spelled import spelled
from groundswell.runs.sweep import sweep
from groundswell.runs.take_in import Unsettled, take_in
from groundswell.runs.trial import trial
from groundswell.server.serve import PortTaken, serve, site


class Usage(Exception):  # noqa: N818 - what happened, in the glossary's words
    """A word of the command that cannot be read."""


def run(asked: argparse.Namespace, path: Path) -> int:
    """Run a parsed command in an instance; its exit code."""
    home = Home(path)
    commands: Mapping[str, Callable[[Home, argparse.Namespace], int]] = {
        "take-in": _take_in, "assess": _assess, "partners": _partners, "overview": _overview, "explain": _explain,
        "tables": _tables, "loads": _loads, "quarantine": _quarantine, "check": _check, "doctor": _doctor, "demo": _demo,
        "export": _export, "sweep": _sweep,
        "serve": _serve, "invite": _invite, "audit": _audit,
    }  # fmt: skip
    try:
        if asked.command != "check":
            home.check_ledger()
        if asked.command in arguments.READS and not (home.path / "records.sqlite3").is_file():
            said = f"there is no instance in {home.path}; groundswell take-in makes one (--home names it)"
            return _fail(said, Exit.USAGE)
        if asked.command != "check" and not (asked.command == "take-in" and (asked.propose or asked.trial)):
            _ready(home)
        return commands[asked.command](home, asked)
    except (BadPolicy, Usage, standings.Unknown, standings.NothingPublished) as error:
        return _fail(str(error), Exit.USAGE)
    except standings.Ambiguous as error:
        return _fail(str(error), Exit.QUESTION)
    except (CannotRevert, Refused, sheets.DoesNotFit, tables.Withheld) as error:
        return _fail(str(error), Exit.REFUSED)
    except (CannotInvite, NotAllowed, PortTaken) as error:
        return _fail(str(error), Exit.REFUSED)
    except (Locked, Fenced) as error:
        return _fail(str(error), Exit.LOCKED)
    except NoSpace as error:
        return _fail(str(error), Exit.NO_SPACE)
    except (Damaged, assess.NotReproduced, duckdb.Error, DeltaError, DatabaseError) as error:
        return _broken(asked, home, error)


_SQLITE_NEEDS = 1 << 20
"""Bytes without which SQLite cannot open a database: it then speaks of an I/O error and not of room."""


def _broken(asked: argparse.Namespace, home: Home, error: Exception) -> int:
    """What broke below us, told apart: a full disk, one that cannot be written, and damage."""
    if is_full(error) or (isinstance(error, DatabaseError) and shutil.disk_usage(home.path).free < _SQLITE_NEEDS):
        said = f"no space left: {error}. Nothing that was accepted is lost; make room and try again."
        return _fail(said, Exit.NO_SPACE)
    if isinstance(error, DatabaseError):
        if not os.access(home.path, os.W_OK):
            said = "cannot be written, and records.sqlite3 is not read without that. Make it writable, or copy it elsewhere."
            return _fail(f"{home.path} {said}", Exit.REFUSED)
        return _fail(f"fault in {home.path / 'records.sqlite3'}: {error}", Exit.FAULT)
    more = "" if asked.command == "doctor" else "\nTo see what is damaged: groundswell doctor"
    return _fail(f"fault: {error}{more}", Exit.FAULT)


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _writing(home: Home, doing: str) -> AbstractContextManager[None]:
    return writer(home.path, doing, _now())


def _ready(home: Home) -> None:
    """Bring the records of a new or older instance up to date, one process at a time."""
    make_records(home.path)
    if behind():
        with _writing(home, "migrate"):
            catch_up()


def _day(home: Home, text: str) -> dt.date:
    if not text:
        return home.today(_now())
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise Usage(f"--as-of {text}: not a day; write 2026-01-31") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Usage(f"--as-of {text}: write a day from {FIRST_DAY} to {LAST_DAY}")
    return day


def _exported_at(home: Home, text: str) -> dt.datetime | None:
    if not text:
        return None
    moment = read_instant(text, Reading(zone=home.zone))
    if isinstance(moment, Fault):
        raise Usage(f"--exported-at {text}: {moment.reason}; write 2026-01-31 or 2026-01-31T08:00Z")
    if moment > _now():
        raise Usage(f"--exported-at {text} lies in the future")
    return moment


# ---------------------------------------------------------------------------------------------------------- take-in


def _take_in(home: Home, asked: argparse.Namespace) -> int:
    exported_at = _exported_at(home, asked.exported_at)
    if asked.out is not None and not asked.propose:
        raise Usage("--out names the mapping that --propose writes")
    if asked.propose:
        return _propose(home, asked)
    if asked.trial is not None:
        return _try(home, asked, exported_at)
    worst: int = Exit.ACCEPTED
    said = []
    named = named_mappings(home, Request(asked.mapping, source=asked.source))
    with _writing(home, "take-in"), parts(home, asked.files, named) as found_parts:
        answers = _answers(asked, {part.path.name for part in found_parts})
        for part in found_parts:
            answered = answers.get(part.path.name, {})
            if answered.get("sheet", part.sheet) != part.sheet:
                continue
            watch = _watch(part.name)
            request = Request(asked.mapping, part.sheet, asked.source, exported_at, answered, asked.strict, watch)
            code, entry = _one_part(home, part, request)
            worst = max(worst, code)
            said.append(entry)
            if not asked.json:
                print(taken_in.load(entry), file=sys.stdout if code == Exit.ACCEPTED else sys.stderr, flush=True)
    found = quality(home, home.today(_now()))
    report = json.dumps({"loads": said, "quality": taken_in.as_json(found)}, ensure_ascii=False, indent=1)
    if asked.report is not None:
        durable.write(asked.report.absolute(), report.encode())
    if asked.json:
        print(report)
    elif worst == Exit.ACCEPTED:
        print(taken_in.quality(found, _spelled(home, found)))
    return worst


def _spelled(home: Home, found: Quality) -> dict[str, str]:
    """How sources write the partners that nobody describes."""
    return spelled(home, (row for one in found.unlisted for row in one.first))


def _unlisted(home: Home, as_of: dt.date) -> None:
    """Say which partners rows name on a day and nobody describes."""
    found = quality(home, as_of)
    print(*taken_in.unlisted(found, _spelled(home, found)), sep="\n", end="\n" if found.unlisted else "")


def _watch(name: str) -> Callable[[int, float], None] | None:
    """How far a file has been read: drawn at a terminal, a line now and then where a job keeps what is printed."""
    if sys.stderr.isatty():
        return taken_in.progress(name)
    return taken_in.steps(name) if held() else None


def _propose(home: Home, asked: argparse.Namespace) -> int:
    if asked.mapping or asked.trial is not None:
        raise Usage("--propose writes a mapping; leave --mapping and --try out")
    if asked.out is not None:
        _check_folder(asked.out)
        if asked.out.exists():
            raise Usage(f"--out {asked.out} is there already, and may hold what you decided; name another file")
    found = proposal(home, asked.files, asked.source)
    if found.text and asked.out is not None:
        durable.write(asked.out, found.text.encode())
        print(taken_in.proposed(found.text, str(asked.out)))
    else:
        print(found.text or "\n".join(found.known), end="" if found.text else "\n")
    return Exit.ACCEPTED


def _try(home: Home, asked: argparse.Namespace, exported_at: dt.datetime | None) -> int:
    """Show what some rows would become; the exit code is that of the worst file."""
    worst: int = Exit.ACCEPTED
    answers = _answers(asked, {path.name for path in asked.files})
    said = []
    for path in asked.files:
        request = Request(asked.mapping, "", asked.source, exported_at, answers.get(path.name, {}), asked.strict)
        code, entry = _guarded(path, partial(_tried, home, path, request, asked.trial))
        worst = max(worst, code)
        said.append(entry)
        if not asked.json:
            text = taken_in.load(entry) if code else taken_in.tried(entry)
            print(text, file=sys.stderr if code else sys.stdout, flush=True)
    if asked.json:
        print(json.dumps({"tried": said}, ensure_ascii=False, indent=1))
    return worst


def _tried(home: Home, path: Path, request: Request, lines: frozenset[int]) -> dict[str, object]:
    return {"file": str(path), **asdict(trial(home, path, request, lines))}


def _one_part(home: Home, part: Part, request: Request) -> tuple[int, dict[str, object]]:
    if part.refused:
        return Exit.REFUSED, {"file": str(part.path), "refused": part.refused}
    left = {"sheets_left": list(part.left)} if part.left else {}
    return _guarded(
        Path(part.name) if part.sheet else part.path,
        lambda: _load(take_in(home, part.path, request, _now()), part.path) | left,
    )


def _guarded(path: Path, read: Callable[[], dict[str, object]]) -> tuple[int, dict[str, object]]:
    """What came of reading a file, or why it is refused, or what is asked of it."""
    try:
        return Exit.ACCEPTED, read()
    except Refused as error:
        return Exit.REFUSED, {"file": str(path), "refused": str(error)}
    except Asked as error:
        questions = [
            {"column": q.column, "question": q.text, "answers": list(q.answers), "samples": list(q.samples)}
            for q in error.questions
        ]
        return Exit.QUESTION, {"file": str(path), "format": error.format, "questions": questions}
    except Unsettled as error:
        entry = _load(error.load, path) if error.load else {"file": str(path)}
        return Exit.FAULT, {**entry, "faults": error.why}
    except Damaged as error:
        return Exit.FAULT, {"file": str(path), "faults": [str(error)]}


def _load(load: Load, path: Path) -> dict[str, object]:
    rows = [
        {"line": row.line, "column": row.column, "reason": row.reason, "remedy": row.remedy, "text": row.text}
        for row in load.quarantine.order_by("line")
    ]
    return {
        "file": str(path), "load": load.name, "format": load.format, "source": load.source, "landing": load.landing,
        "known_at": load.known_at.isoformat(), "known_by": "source" if load.dated else "arrival", "rows_in": load.rows_in,
        "loaded": load.loaded, "unchanged": load.unchanged, "quarantined": load.quarantined, "quarantine": rows,
        "report": load.report,
    }  # fmt: skip


def _answers(asked: argparse.Namespace, names: set[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in asked.answer:
        name, _, rest = text.partition(":")
        column, equals, answer = rest.partition("=")
        if not equals or not answer or name not in names:
            raise Usage(f"--answer {text}: write FILE:COLUMN=ANSWER with one of the files: {', '.join(sorted(names))}")
        found.setdefault(name, {})[column] = answer
    return found


# ------------------------------------------------------------------------------------------------ assess and read


def _assess(home: Home, asked: argparse.Namespace) -> int:
    as_of = _day(home, asked.as_of)
    if as_of > home.today(_now()):
        raise Usage(f"--as-of {as_of} lies in the future; nothing of it is known yet")
    try:
        with _writing(home, "assess"):
            before = Published.current()
            run_ = assess.run(home, as_of, _now())
    except assess.NobodyKnown as error:
        return _fail(f"{error}.\n{_nobody(home, as_of)}", Exit.REFUSED)
    print(listed.run(run_.manifest))
    if before is not None and before.as_of > as_of:
        print(listed.moved_back(before, run_))
    if not run_.manifest["partners"]:
        print(_nobody(home, as_of))
    return Exit.ACCEPTED


def _nobody(home: Home, as_of: dt.date) -> str:
    first = Load.objects.filter(state="committed").order_by("known_at").first()
    found = quality(home, home.today(_now()))
    why = listed.nobody(first, as_of, ever=bool(found.partners))
    return "\n".join([why, *taken_in.unlisted(found, _spelled(home, found))])


def _partners(home: Home, asked: argparse.Namespace) -> int:
    _check_out(asked)
    if asked.segment is not None and (segments := home.policy.segments) is not None:
        known = [*(row.name for row in segments.rows), figures.NOT_PLACED]
        if asked.segment not in known:
            raise Usage(f"--segment {asked.segment}: there is no such segment. One of: {', '.join(known)}")
    segment = "" if asked.segment == figures.NOT_PLACED else asked.segment
    found = standings.ranked_partners(asked.limit or None, segment)
    if asked.format == "table":
        print(listed.ranked(found, _width()))
        if not found.manifest["partners"]:
            print(_nobody(home, found.as_of))
        print(*standings.since(home.policy.version, found), sep="\n", end="")
    elif asked.format in ("csv", "xlsx"):
        _sheet(asked, *listed.ranked_rows(found))
    else:
        print(
            json.dumps({"run": found.manifest, "partners": [one.result for one in found.partners]}, ensure_ascii=False)
        )
    return Exit.ACCEPTED


def _overview(home: Home, asked: argparse.Namespace) -> int:
    found = overview(asked.limit)
    print(one_screen.overview(found, _width()))
    if not found.run.manifest["partners"]:
        print(_nobody(home, found.run.as_of))
    print(*standings.since(home.policy.version, standings.ranked_partners(1)), sep="\n", end="")
    return Exit.ACCEPTED


def _explain(home: Home, asked: argparse.Namespace) -> int:
    found = explanations.explain(home, asked.partner, min(asked.rows, home.policy.instance.limits["evidence_rows"]))
    print(
        json.dumps(explained.explanation_json(found), ensure_ascii=False)
        if asked.json
        else explained.explanation(found)
    )
    return Exit.ACCEPTED


def _tables(home: Home, asked: argparse.Namespace) -> int:
    if asked.name not in (*tables.VIEWS, *WITHHELD):
        raise Usage(f"there is no table '{asked.name}'. One of: {', '.join(tables.VIEWS)}")
    _check_out(asked)
    day = _day(home, asked.as_of)
    if asked.format in ("csv", "xlsx"):
        _sheet(asked, *tables.typed_rows(home, asked.name, day))
        return Exit.ACCEPTED
    headers, rows = tables.rows_of(home, asked.name, day)
    if asked.format == "json":
        print(json.dumps([dict(zip(headers, row, strict=True)) for row in rows], ensure_ascii=False))
    else:
        kept = list(rows)
        print(figures.table(headers, kept))
        print(f"{len(kept)} rows, as of {day}")
    return Exit.ACCEPTED


def _width() -> int:
    """Columns of the terminal; no limit where the output goes into a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000


def _check_out(asked: argparse.Namespace) -> None:
    """Whether what is asked for can be written where it is to go, before anything is worked out."""
    if asked.out is None and asked.format == "xlsx":
        raise Usage("--format xlsx is no text to print; name the file: --out FILE.xlsx")
    if asked.out is not None and asked.format not in ("csv", "xlsx"):
        raise Usage(f"--out {asked.out}: say what to write, --format csv or --format xlsx")
    if asked.out is not None:
        _check_folder(asked.out)


def _check_folder(out: Path) -> None:
    if not out.absolute().parent.is_dir():
        raise Usage(f"--out {out}: there is no folder {out.parent}")


def _sheet(asked: argparse.Namespace, headers: Sequence[str], rows: sheets.Rows) -> None:
    if asked.out is None:
        sheets.write_csv(sys.stdout, headers, rows)
    else:
        sheets.save(asked.out, asked.format, headers, rows)


# ------------------------------------------------------------------------------------------------------- keeping


def _loads(home: Home, asked: argparse.Namespace) -> int:
    if asked.verb == "revert":
        if not asked.load:
            raise Usage("name the load to revert, such as: groundswell loads revert L000001 --why 'wrong month'")
        unsettled: Unsettled | None = None
        with _writing(home, "loads revert"):
            try:
                again = revert(home, asked.load, asked.why, _now(), asked_by())
            except Unsettled as error:
                again, unsettled = error.added, error
        print(f"{asked.load} is reverted: runs from now on do not see it; published runs keep what they pinned.")
        for load in again:
            print(f"{load.file_name} was compared anew as {load.name}: {load.loaded} rows loaded.")
        if unsettled:
            raise unsettled
    elif asked.verb == "show":
        load = _named(asked.load)
        print(json.dumps(_load(load, Path(load.file_name)), ensure_ascii=False, indent=1))
    else:
        print(taken_in.loads(Load.objects.order_by("number")))
    return Exit.ACCEPTED


def _named(name: str) -> Load:
    try:
        return Load.named(name)
    except Load.DoesNotExist as error:
        raise Usage(f"there is no load '{name}'. See: groundswell loads") from error


def _quarantine(home: Home, asked: argparse.Namespace) -> int:
    if asked.verb == "retry":
        if not asked.what:
            raise Usage("name the corrected file, such as: groundswell quarantine retry fix.csv")
        path = Path(asked.what)
        try:
            with _writing(home, "quarantine retry"):
                load = quarantine.retry(home, path, _now(), asked_by())
        except Refused as error:
            return _fail(f"refused   {path}\n  {error}", Exit.REFUSED)
        print(taken_in.load(_load(load, path)), taken_in.retried(load), sep="\n")
    elif asked.verb == "export":
        if not asked.what or asked.out is None:
            raise Usage("name the load and the file to write: groundswell quarantine export L000001 --out fix.csv")
        _check_folder(asked.out)
        print(taken_in.exported(quarantine.export(home, asked.what, asked.out), asked.what, str(asked.out)))
    else:
        of = _named(asked.what) if asked.what else None
        found = [one for one in rows_aside() if of in (None, one.row.load)]
        print(taken_in.quarantine(found, asked.all, _width()))
    return Exit.ACCEPTED


def _export(home: Home, asked: argparse.Namespace) -> int:
    form = asked.out.suffix.removeprefix(".").lower()
    if form not in ("csv", "xlsx"):
        raise Usage(f"--out {asked.out}: a sheet is called .csv or .xlsx")
    try:
        said = dict(parse_qsl(asked.list, keep_blank_values=True))
        if strange := sorted(said.keys() - {*FILTERS, "order"}):
            raise BadListing(f"no filter '{strange[0]}'. One of: {', '.join(FILTERS)}; and order")
        wanted = Listing.parsed(said)
    except BadListing as error:
        raise Usage(f"--list {asked.list}: {error}") from error
    person, path, currency = asked_by(), asked.out.absolute(), home.policy.instance.home_currency
    if held():
        count = exports.write(Actor(home.path, person, _now()), wanted, form, path, currency)
    else:
        _check_folder(asked.out)
        count = exports.export(_actor(home), wanted, form, path, currency)
    print(f"{many(count, 'partner')} written to {asked.out.name if held() else asked.out}")
    return Exit.ACCEPTED


def _sweep(home: Home, asked: argparse.Namespace) -> int:
    found = sweep(home, _now())
    print(f"{found.uploads} uploads and {found.sheets} files of sheets removed, {found.size:,} bytes")
    return Exit.ACCEPTED


def _check(home: Home, asked: argparse.Namespace) -> int:
    texts = policy.texts(home.path)
    found, faults = catalog.check(texts)
    if asked.fix:
        for signal in found.signals.values():
            if policy.write_needs(home.path, signal.origin.file, signal.origin.own, catalog.needs(found, signal)):
                print(f"{signal.origin.file}: needs written")
        found, faults = catalog.check(policy.texts(home.path))
    kept, unreadable = checked(home.path)
    faults += unreadable
    for fault in faults:
        print(fault)
    own = sorted(path for path in texts if path.startswith("own/"))
    print(f"{len(found.files)} files, {len(found.signals)} signals, {len(faults)} faults, policy {found.version[:12]}")
    for path in own:
        print(f"{path.removeprefix('own/')} is the instance's own")
    for mapping in kept:
        print(f"the mapping kept for source {mapping.source} can be read")
    return Exit.USAGE if faults else Exit.ACCEPTED


def _doctor(home: Home, asked: argparse.Namespace) -> int:
    if asked.rebuild:
        with _writing(home, "doctor --rebuild"):
            differs = rebuild.rebuild(home, _now())
        print("\n".join(differs) or "the lake was made anew from the landings and equals the ledger")
        if differs:
            print(
                "the lake and its ledger now stand as rebuilt; published runs keep what they said. Run: groundswell assess"
            )
    found = rebuild.health(home)
    for line in (*found.checked, *found.remarks):
        print(line)
    if not found.faults:
        _unlisted(home, home.today(_now()))
    for fault in found.faults:
        print(fault, file=sys.stderr)
    print("all is well" if not found.faults else f"{len(found.faults)} faults")
    return Exit.FAULT if found.faults else Exit.ACCEPTED


def _demo(home: Home, asked: argparse.Namespace) -> int:
    def command(words: list[str]) -> int:
        return run(arguments.parser().parse_args(words), home.path)

    return demo.demo(home, asked, command)


# ------------------------------------------------------------------------------------------------ pages and people


def _serve(home: Home, asked: argparse.Namespace) -> int:
    if not Staff.objects.exists():
        print("Nobody is let in yet. Run: groundswell invite you@example.com --role administrator")
    print(f"Groundswell at http://127.0.0.1:{asked.port}/ (end with Ctrl-C)", flush=True)
    return serve(home.path, asked.port)


def _invite(home: Home, asked: argparse.Namespace) -> int:
    word = invite(_actor(home), asked.email, asked.name or asked.email, asked.role)
    origin = site(home.path, asked.port)["origin"]
    print(f"Good once, for seven days: {origin}/invitation/{word}/")
    return Exit.ACCEPTED


def _audit(home: Home, asked: argparse.Namespace) -> int:
    if asked.verb == "list":
        for entry in Entry.objects.all():
            print(f"{entry.number:>6}  {entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.who}  {entry.verb}  {entry.about}")
        return Exit.ACCEPTED
    verified = trail.verify(Secrets.of(home.path).trail, heads(home.path))
    for one in (*verified.skipped, *verified.breaks):
        print(one, file=sys.stderr)
    print(f"{verified.count} entries, {len(verified.breaks)} breaks")
    return Exit.FAULT if verified.breaks else Exit.ACCEPTED


def _actor(home: Home) -> Actor:
    return Actor(home.path, None, _now())
