"""Writes docs/reference from the declarations, so that the reference cannot say anything else than the code does.

`python docs/generate.py` writes the files; with `--check` it writes nothing, names the files that are out of date and
exits with 1. docs/reference/mapping.md is written by hand: its language has no declarations to read from.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

from groundswell.cli import arguments
from groundswell.cli.exits import Exit
from groundswell.connectors.files.mapping import Expr, FileMap, RowMap, shipped
from groundswell.core import catalog
from groundswell.core.declare import Line, Measure, Part, Policy, Score, Signal
from groundswell.core.signals import declared, shapes, windows
from groundswell.core.tables import contract, views
from groundswell.core.tables.contract import Column, Table
from groundswell.policy import read

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/generate.py from the declarations in src/groundswell. Do not edit: run script/docs. -->"
Lines = Iterator[str]


def files() -> dict[str, str]:
    """Every generated file with its text."""
    policy = catalog.policy(read.texts())
    return {
        "commands.md": _page(_commands()),
        "signals.md": _page(_signals(policy)),
        "tables.md": _page(_tables()),
        "formats.md": _page(_formats()),
        "policy.md": _page(_policy(policy)),
    }


def _page(lines: Lines) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join([MADE, "", *lines]).rstrip()) + "\n"


def _opening(title: str, *paragraphs: str) -> Lines:
    yield f"# {title}"
    for paragraph in paragraphs:
        yield ""
        yield paragraph


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> Lines:
    heads = list(headers)
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _number(value: Fraction) -> str:
    """A number of policy as people write it: 250000, 0.5, or 15/7 where no decimal says it exactly."""
    if value.denominator == 1:
        return str(value.numerator)
    places = next((n for n in range(1, 10) if (value * 10**n).denominator == 1), 0)
    return f"{float(value):.{places}f}" if places else str(value)


# ------------------------------------------------------------------------------------------------------- commands


def _commands() -> Lines:
    yield from _opening(
        "Commands",
        arguments.DESCRIPTION + " `python -m groundswell` is the same as `groundswell`.",
        "Every command works on one instance, a folder: `--home`, else the environment variable `GROUNDSWELL_HOME`, else "
        "`groundswell-home` in the folder where the command is run. Where it is not there, commands "
        "that write make it, and those that only read make none.",
    )
    root = arguments.parser()
    subs = next(action for action in root._actions if isinstance(action, argparse._SubParsersAction))
    helps = {str(one.dest): str(one.help) for one in subs._choices_actions}
    yield from _table(["command", "what it does"], [[f"[`{n}`](#{n})", helps[n]] for n in subs.choices])
    for name, parser in subs.choices.items():
        yield f"## {name}"
        yield ""
        yield f"{helps[name][0].upper()}{helps[name][1:]}."
        actions = [one for one in parser._actions if not isinstance(one, argparse._HelpAction)]
        yield from _table(["argument", "means"], [[f"`{_said(one)}`", _help(one)] for one in actions])
    yield "## Exit codes"
    yield from _table(["exit", "means"], [[str(int(code)), code.means] for code in Exit])
    yield "Of several files in one `take-in` each is taken in by itself; the exit code is the highest of theirs."


def _said(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.option_strings:
        takes = action.nargs != 0
        choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else metavar
        return f"{action.option_strings[0]} {choices}" if takes else action.option_strings[0]
    word = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else metavar
    return {"+": f"{word} ...", "?": f"[{word}]"}.get(str(action.nargs), word)


def _help(action: argparse.Action) -> str:
    told = action.help or ""
    if action.default in (None, "", False, 0, []) or "default" in told:
        return told
    return f"{told} (default: {action.default})".strip()


# -------------------------------------------------------------------------------------------------------- signals


def _said_all(words: Mapping[str, str]) -> str:
    return "; ".join(f"`{word}`: {means}" for word, means in words.items())


_SIGNAL_KEYS = {
    "question": "what the signal answers, as a question. Required",
    "unit": "unit of the value; `percent` multiplies a share by 100; `yes/no`, `word`, `date`: the value is no number. Required",
    "better": "`higher` or `lower`. Required",
    "kind": f"{_said_all(declared.KINDS)}. Required",
    "behaviour": f"which leading behaviour it shows: {_said_all(declared.BEHAVIOURS)}; left out: none of them",
    "absent": "the value where sources cover the partner and there are no rows, as a rule 0; left out: unknown",
    "needs": "the columns the measure uses. Written by `groundswell check --fix`; a difference is a fault",
    "misleads": "how the figure can deceive. Required",
    "read_with": "signals to look at beside it",
    "remedy": "what to do when it is low",
    "why": "why the signal is measured this way. Required",
    "source": "where that was decided or published. Required",
    "since": "first day of this definition. Required",
    "measure": "how it is measured, a table. Required",
}


def _measure_keys() -> dict[str, str]:
    return {
        "from": f"the table: {_code(sorted(views.REACHING))}. Rows reach a partner through "
        + "; ".join(f"`{', '.join(through)}` ({name})" for name, through in sorted(views.REACH.items())),
        "take": f"how rows become one value: {_code(shapes.TAKES)}. Deals are counted by distinct `group_key`",
        "of": f"the column that is taken, or the calendar period of `on`: {_code(shapes.PERIODS)}. An id may only be counted",
        "where": "which rows count: a condition (below); left out, or `true` in a second measure: every row",
        "on": "the date column that the window looks at; default `occurred_on`",
        "window": f"which days count, as of the day: {windows.EXAMPLES}, \"current and previous fiscal year\"; left out: ever",
        "shift": 'the same window, this much earlier: `"12 months"`',
        "per": "first one row for each value of this column",
        "each": "columns made for each of those rows: `each.peak = { take = \"highest\", of = \"value\" }`; its `where` says "
        "which rows of the thing count for that column",
        "keep": "which of those rows stay: a condition over the columns of `each`",
        "followed_by": "a row counts only where another comes soon enough after it, of the same partner and table: `{ where = "
        "condition, same = \"person_id\", within = 60 }`, `same` the column in which both agree, `within` days from its day on. "
        "With `count` and `count distinct`; an empty table in a second measure clears it",
        "minus": "a second measure to subtract. It inherits every key that it does not set",
        "over": "a second measure to divide by; nothing to divide by: not applicable",
        "grown_from": "a second measure to grow from, in percent. At most one of the three",
    }  # fmt: skip


_CONDITIONS = (
    "A condition is a piece of SQL that is true, false or unknown. Allowed are `and`, `or`, `not`, brackets, `=`, `<>`, `<`, "
    "`<=`, `>`, `>=`, `in (...)`, `between`, `is null`, `is not null`, `like` with one `%` at one end, texts, numbers, "
    "`date '2026-01-31'`, `true`, `false`, `as_of`, `days(a, b)` (days from a to b), `lower(x)`, `has(list, 'word')`, and "
    "`in $name` for a list in `policy/lists/<name>.toml` (`codes = [...]`, with `why`, `source`, `since`). A yes/no column "
    "may stand alone. Columns that name a person (class i) are refused. Anything else is an error before data are touched."
)


def _signals(policy: Policy) -> Lines:
    yield from _opening(
        "Signals",
        f"{len(policy.signals)} signals are declared. Each is one file under `src/groundswell/policy/signals/<dimension>/`; "
        "the file name is the name. Your own lie under `policy/signals/` of the instance "
        "([how](../how-to/change-policy.md)).",
    )
    yield from _table(
        ["leading behaviour", "is that a partner", "signals"],
        [[word, means, _listed(s.name for s in policy.signals.values() if s.behaviour == word)]
         for word, means in declared.BEHAVIOURS.items()],
    )  # fmt: skip
    yield from _table(
        ["kind", "is", "signals"],
        [[word, means, _listed(s.name for s in policy.signals.values() if s.kind == word)]
         for word, means in declared.KINDS.items()],
    )  # fmt: skip
    for dimension in declared.DIMENSIONS:
        yield ""
        yield f"## {dimension.capitalize()}"
        for signal in policy.signals.values():
            if signal.dimension == dimension:
                yield from _signal(policy, signal)
    yield "## Keys of a signal file"
    yield from _table(["key", "means"], [[f"`{key}`", said] for key, said in _SIGNAL_KEYS.items()])
    yield "## Keys of a measure"
    yield from _table(["key", "means"], [[f"`{key}`", said] for key, said in _measure_keys().items()])
    yield "## Conditions"
    yield ""
    yield _CONDITIONS


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}](#{name})" for name in names)


def _signal(policy: Policy, signal: Signal) -> Lines:
    yield ""
    yield f"### {signal.name}"
    yield ""
    yield signal.question
    yield ""
    yield f"- Measured: {_measured(signal.measure)}."
    yield f"- Unit: {signal.unit}; {signal.better} is better."
    yield f"- Kind: {signal.kind}" + (f", of the behaviour {signal.behaviour}." if signal.behaviour else ".")
    nothing = "unknown" if signal.absent is None else _number(signal.absent)
    yield f"- No rows where a source covers the partner: {nothing}."
    yield f"- Needs: {_code(signal.needs)}."
    yield f"- Misleads: {signal.misleads}"
    if signal.read_with:
        yield f"- Read with: {', '.join(f'[{name}](#{name})' for name in signal.read_with)}."
    if signal.remedy:
        yield f"- Remedy: {signal.remedy}"
    yield f"- Why: {signal.origin.why}"
    yield f"- Used by: {', '.join(_users(policy, signal.name)) or 'no score'}."
    yield f"- Source: {_source(signal.origin.source)}, since {signal.origin.since}."
    yield ""


def _measured(measure: Measure) -> str:
    of = f" of `{measure.of}`" if measure.of else ""
    said = f"{measure.take}{of} over `{measure.table}`"
    said += f" where `{measure.where}`" if measure.where else ""
    said += f", {measure.window} by `{measure.on}`" if measure.window else f", ever, by `{measure.on}`"
    said += f", shifted by {measure.shift}" if measure.shift else ""
    if measure.per:
        columns = "; ".join(f"`{name}` {_of_each(sub)}" for name, sub in measure.each.items())
        said += f", one row per `{measure.per}`" + (f" with {columns}" if columns else "")
    said += f", kept where `{measure.keep}`" if measure.keep else ""
    if follows := measure.followed_by:
        said += f", followed within {follows.within} days by one of the same `{follows.same}` where `{follows.where}`"
    if measure.second:
        said += f"; {measure.how.replace('_', ' ')} {_measured(measure.second)}"
    return said


def _of_each(sub: Measure) -> str:
    of = f" of `{sub.of}`" if sub.of else ""
    return f"{sub.take}{of}" + (f" where `{sub.where}`" if sub.where else "")


def _users(policy: Policy, name: str) -> Lines:
    for score, editions in sorted(policy.scores.items()):
        for edition in editions:
            where = f"[{score} {edition.origin.since}](policy.md)"
            yield from (
                f"{where}, part {part.name}" for part in edition.parts for line in part.lines if line.signal == name
            )
            yield from (f"{where}, penalty" for penalty in edition.penalties if penalty.signal == name)
            if name in edition.provisional_when.split():
                yield f"{where}, provisional"


def _source(source: str) -> str:
    root = REFERENCE.parents[1]
    found = [*REFERENCE.parent.glob(f"{source}-*.md"), root / source]
    page = next((path for path in found if path.is_file()), None)
    return f"[{source}]({Path('..') / page.relative_to(REFERENCE.parent)})" if page else source


# --------------------------------------------------------------------------------------------------------- tables


def _tables() -> Lines:
    yield from _opening(
        "Canonical tables",
        "Whatever a source brings becomes rows of these tables; signals, scores and lists read nothing else. A row is one "
        "version of one fact ([facts](../explain/facts.md)). `groundswell tables NAME --as-of DAY` shows the view of a day.",
    )
    parts = (contract.__doc__ or "").split("\n\n")
    yield from ("", parts[2].replace("\n", " ").strip())
    yield ""
    yield f"{len(contract.TABLES)} tables can be loaded: {', '.join(f'[{name}](#{name})' for name in contract.TABLES)}."
    yield ""
    yield "## The envelope"
    yield ""
    yield "Every row of every table begins with these columns."
    yield from _columns(contract.ENVELOPE)
    for table in contract.TABLES.values():
        yield from _canonical(table)
    yield "## Views"
    yield ""
    yield "`partners` are the organisations with a membership that has not ended by the day, or with the role alone where no"
    yield "membership is known. A partner is one row: of several memberships the one of the highest tier shows, a tier without"
    yield "rank before none, then the newest. `accounts` are the customers of a deal or subscription and whatever is a customer."
    yield "`source_keys` lists every id of every source with our own."


def _canonical(table: Table) -> Lines:
    yield f"## {table.name}"
    yield ""
    yield f"{table.meaning[0].upper()}{table.meaning[1:]}."
    yield ""
    yield f"- Own ids begin with `{table.prefix}_`" + (
        f"; the view calls them `{table.identity}`." if table.identity else "."
    )
    yield "- `occurred_on`: " + (f"day of `{table.occurred}`." if table.occurred else "as the source states it.")
    if any_of := contract.ANY_OF.get(table.name):
        yield f"- At least one of {_code(any_of)} is required."
    if table.name in contract.WITHHELD:
        yield "- It is another company's data: `groundswell tables` refuses it, and `source_keys` leaves its ids out."
    if table.name in views.REACH:
        yield f"- Signals read it; rows reach a partner through {_code(views.REACH[table.name])}."
    else:
        yield "- Signals do not read it directly."
    if extra := views.DERIVED.get(table.name):
        yield f"- Signals also see: {'; '.join(f'`{n}` ({kind}, from {_code(of)})' for n, (kind, of) in extra.items())}."
    yield from _columns(table.columns)


def _columns(columns: Iterable[Column]) -> Lines:
    yield from _table(
        ["column", "kind", "required", "class", "meaning"],
        [[f"`{c.name}`", c.kind, "yes" if c.required else "", c.private, _meaning(c)] for c in columns],
    )


def _meaning(column: Column) -> str:
    said = [column.meaning]
    if column.words:
        said.append(f"one of {_code(column.words)}" + (" or `association:NAME`" if column.open_words else ""))
    if column.refers:
        said.append("id of what is touched" if column.refers == "*" else f"id in {column.refers}")
    if column.fallback:
        said.append(f"`{column.fallback}` when empty")
    if column.together:
        said.append(f"comes from one row together with the others of `{column.together}`")
    return "; ".join(said)


# -------------------------------------------------------------------------------------------------------- formats


def _formats() -> Lines:
    yield from _opening(
        "Formats",
        "Files of these formats are recognised by their headers, in any order. Headers are compared without case, outer "
        "spaces and a trailing `*`. A format is recognised where each required field has one of its headers; a file that "
        "fits several takes the one with most headers found. Any other shape is one [mapping file](mapping.md). CSV may be "
        "delimited by comma, semicolon, tab or `|`.",
    )
    for source in shipped():
        yield ""
        yield f"## {source.source}"
        for file in source.files:
            yield from _format(file)


def _format(file: FileMap) -> Lines:
    yield ""
    yield f"### {file.name}"
    yield ""
    yield f"{file.title}."
    if file.code_page:
        yield f"Read as {file.code_page} where it is no UTF-8."
    if file.footer:
        yield "Lines of one cell at the end are left out."
    if file.agree:
        yield f"Rows that repeat one of the {file.agree} must agree about it; where they do not, all of them are quarantined."
    yield from _table(
        ["field", "headers", "required"],
        [[f"`{name}`", _code(heads), "yes" if name in file.required else ""] for name, heads in file.aliases.items()],
    )
    for row in file.rows:
        yield f"- {_row(row)}"


def _row(row: RowMap) -> str:
    said = f"one row of `{row.table}`"
    said += f" for each item of `{next(iter(row.each.values()))}`" if row.each else ""
    said += f" where `{row.only_if.text}`" if row.only_if else ""
    said += ", as a mention (fills, never overwrites)" if row.mention else ""
    return f"{said}: {', '.join(f'`{name}` {_expr(expr)}' for name, expr in row.columns.items())}."


def _expr(expr: Expr) -> str:
    if expr.const is not None:
        return f"= {expr.const}"
    if expr.first_of:
        return "← first of (" + "; ".join(_expr(one).removeprefix("← ") for one in expr.first_of) + ")"
    text = "".join(f"{{{part}}}" if i % 2 else part for i, part in enumerate(expr.template)) or expr.header
    extra = [_SPELLED[expr.key]] if expr.key else []
    extra += ["first item"] if expr.first else []
    extra += ["foremost item"] if expr.foremost else []
    extra += [expr.format] if expr.format else []
    extra += [f"in {expr.currency}"] if expr.currency else []
    extra += [f"id of {expr.object}"] if expr.object else []
    extra += [f"id in {expr.source}"] if expr.source else []
    extra += (
        [f"without {''.join(f'{{{p}}}' if i % 2 else p for i, p in enumerate(expr.without)).strip()}"]
        if expr.without
        else []
    )
    if expr.mapped:
        words: dict[str, list[str]] = {}
        for label, word in expr.values.items():
            words.setdefault(word, []).append(label)
        extra += [f"{word} for {' / '.join(labels)}" for word, labels in words.items()]
        extra += (
            [f"else {expr.otherwise or 'empty'}{', reported as assumed' if expr.assumed else ''}"]
            if expr.otherwise is not None
            else []
        )
    return f"← {text}" + (f" ({'; '.join(extra)})" if extra else "")


_SPELLED = {"name": "by name", "email": "by e-mail", "salesforce": "18-character id"}


# --------------------------------------------------------------------------------------------------------- policy

_SCORE_KEYS = {
    "question": "what the score answers. Required",
    "out_of": "the full score. Required",
    "combine": "`weighted`: parts are weighted against each other, lines within their part. Required",
    "enough_known": "percent of the weight that must be known; below it the range stands alone and its low end ranks. Required",
    "missing": "what an unknown line does, unless the line says otherwise. `leave out` and `unknown` (the same today): "
    "it is left out of the score and widens its range. `zero`: it counts as 0; a line that says so needs a `why`",
    "band_names": "names of the bands, `[[name, from], ...]`, half-open, rising from 0. Required",
    "provisional": "`{ when = condition over signals, parts = [...] }`: where it holds, only these parts count",
    "part": "`[[part]]`: a group of lines. Required",
    "name": "of a part, required; of a line, its signal's name unless given. Once in a score and once in a part: a second line "
    "over one signal needs a name of its own",
    "weight": "of a part among the parts, of a line within its part; above 0, 1 when left out",
    "max": "most that a part can give, out of 100",
    "line": "`[[part.line]]`: what one signal is worth",
    "signal": "the signal of a line or a penalty. Required",
    "low": "of a line over a number: nothing at or below it. Above `high`: fewer is better",
    "high": "of a line: full at or above it, straight between the two",
    "bands": "of a line or a penalty: `[[from, points], ...]`, points out of 100, each up to the next `from`; below the first: 0",
    "yes": "of a line over a number or yes/no: points when the signal is true or above 0",
    "only_if": "of a line: condition over signals; false gives 0 points",
    "applies_if": "of a line: condition over signals; false takes the line away, it neither counts nor is required",
    "penalty": "`[[penalty]]`: points taken off after the parts are combined, not below 0",
    "why": "why the numbers are these. Required in every file; one that follows the default keeps the shipped one",
    "source": "where that was decided. Required in every file",
    "since": "first day of the edition; the file is named by it. Required in every file",
}  # fmt: skip


_STANDING_KEYS = {
    "segment": "`[segment.NAME]`: a row of the table of segments; the first that holds places the partner",
    "all": "of a segment: conditions of which every one must hold",
    "any": "of a segment: conditions of which one must hold, beside `all`. One of the two is required",
    "stay": "of a segment: conditions under which a partner that is in it remains",
    "stay_reviews": "at so many month-ends in a row outside `stay` a partner leaves; 1 when left out",
    "review": "`[review.NAME]`: a list for a person to go through",
    "when": "of a review: conditions that must hold at a quarter-end. Required",
    "counts": "of a review: conditions without which a quarter-end neither counts nor breaks the row",
    "quarter_ends": "of a review: so many fiscal quarter-ends in a row. Required",
    "proposes": "of a review: what the person is asked to do. Required",
    "attention": "`[attention]`: layers of attention. Required",
    "share_by": "the signal of which shares are taken, largest partner first",
    "top_percent": "share that the partners of the top bring together",
    "has": "`[attention.has]`: what makes a partner capable, name = condition",
    "has_at_least": "so many of them make the middle",
    "roadmap": "`[attention.roadmap]`: what is run together with a partner, name = condition",
    "trend": "the signal that says how a partner of the middle grows",
    "enough_known": "percent of readiness known, without which nobody is said to be of the long tail",
    "least_partners": "with fewer partners there are no layers",
    "tail_bands": "of the long tail: `[[name, from], ...]` over `share_by`, rising from 0, each up to the next `from`",
    "acts": "`[acts]`: types of activity",
    "sign_ins": "types that are acts, beside won deals and registrations",
    "trainings": "types that are learning, beside credentials",
    "replies": "types that are an answer or an attendance",
    "silence": "`[silence]`: lengths in days, and numbers of gaps",
    "least_silence": "silence up to it is never called quiet",
    "gap_factor": "the bound is so many times the partner's own median gap, or `least_silence` where that is longer",
    "least_gaps": "with fewer gaps nothing is said of a rhythm",
    "cooling_silence": "silence beyond it, and beyond nine in ten of its own gaps, is cooling; at most `least_silence`",
    "reachable_days": "days within which an answer is a way back in",
    "returned_days": "days within which an act after a long silence is a return",
    "patience_days": "days that training, answering and joining are given to lead to something",
    "activity": "`[activity]`: what is looked at",
    "partner_made": "types of activity that a partner brings about alone, at no cost",
    "window_days": "days that are looked at",
    "least_events": "with fewer events nothing is said of activity",
    "above_outcome": "`[above_outcome]`: activity against verified outcome",
    "robust_z": "modified z-score of the logarithm of the count above which a partner is listed",
    "least_peers": "with fewer partners in a band nothing is said",
    "outcome_bands": "bands of verified outcomes of 12 months, from 0, each up to the next",
    "bursts": "`[bursts]`: when events happen, and by whom",
    "hour_percent": "share of the events within one hour",
    "quiet_percent": "share of the events in the quietest eight hours of the partner's own day",
    "person_percent": "share of the events by one person, where others are known",
    "person_events": "so many events at least",
    "duplicates": "`[duplicates]`: the same claim twice; in it, how many rows repeat another at least",
    "duplicate_days": "days apart at most",
    "duplicate_percent": "share of the partner's own rows",
    "courses": "`[courses]`: learning faster than possible",
    "completions": "types of activity that complete a course",
    "courses_a_day": "more by one person on one day are listed; credentials count as well",
    "pile_percent": "share of the partners that complete courses; days on which more pile up are left out",
}  # fmt: skip


def _policy(policy: Policy) -> Lines:
    yield from _opening(
        "Policy",
        "Every number and word that you may change is TOML under `src/groundswell/policy/`. A file at the same path under "
        '`policy/` of the instance replaces it, or, with `follows = "default"`, names only what differs '
        "([how](../how-to/change-policy.md)). Signals have [a page of their own](signals.md).",
    )
    documents = read.read()
    for name in catalog.SINGLE:
        document = documents[name]
        yield ""
        yield f"## {name}"
        yield ""
        yield f"{document.data['why']} Source: {_source(document.data['source'])}, since {document.data['since']}."
        yield from _settings(document.text)
    for score, editions in sorted(policy.scores.items()):
        for edition in editions:
            yield from _score(score, edition)
    yield "## Keys of a score"
    yield from _table(["key", "means"], [[f"`{key}`", said] for key, said in _SCORE_KEYS.items()])
    yield "## Keys of segments, dormancy and gaming"
    yield from _table(["key", "means"], [[f"`{key}`", said] for key, said in _STANDING_KEYS.items()])
    yield (
        "Conditions over signals are written as those [over rows](signals.md#conditions); `is null` asks whether a signal "
        "does not apply."
    )


def _settings(text: str) -> Lines:
    yield ""
    yield "```toml"
    yield from (
        line
        for line in text.splitlines()
        if not line.startswith(("why", "source ", "source=", "since")) and line.strip()
    )
    yield "```"


def _score(name: str, edition: Score) -> Lines:
    yield ""
    yield f"## scores/{name}/{edition.origin.since}.toml"
    yield ""
    yield f"{edition.question} Out of {_number(edition.out_of)}. {edition.origin.why} Source: {_source(edition.origin.source)}."
    whole = sum((part.weight for part in edition.parts), Fraction(0))
    yield from _table(
        ["part", "line", "share of the whole", "points"],
        [[part.name, f"[{line.signal}](signals.md#{line.signal})", _share(part, line, whole), _worth(line)]
         for part in edition.parts for line in part.lines],
    )  # fmt: skip
    for penalty in edition.penalties:
        yield f"- Taken off: [{penalty.signal}](signals.md#{penalty.signal}), {_bands(penalty.bands)}."
    yield f"- Enough known: {_number(edition.enough_known)} percent of the weight."
    yield f"- Bands: {', '.join(f'{band} from {_number(start)}' for band, start in edition.bands)}."
    if edition.provisional_when:
        yield f"- Provisional where `{edition.provisional_when}`: only {' and '.join(edition.provisional_parts)} count."
    yield ""


def _share(part: Part, line: Line, whole: Fraction) -> str:
    lines = sum((one.weight for one in part.lines), Fraction(0))
    return f"{float(part.weight / whole * line.weight / lines * 100):.2f} %"


def _worth(line: Line) -> str:
    said = ""
    if line.bars:
        said = f"0 at {_number(line.bars[0])}, 100 at {_number(line.bars[1])}"
    elif line.bands:
        said = _bands(line.bands)
    elif line.yes is not None:
        said = f"{_number(line.yes)} when yes"
    said += f"; only if `{line.only_if}`" if line.only_if else ""
    return said + (f"; applies if `{line.applies_if}`" if line.applies_if else "")


def _bands(bands: Iterable[tuple[Fraction, Fraction]]) -> str:
    return ", ".join(f"{_number(points)} from {_number(start)}" for start, points in bands)


def run(check: bool) -> int:
    """Write the reference, or only name what is out of date; the exit code."""
    stale = [name for name, text in files().items() if _text(REFERENCE / name) != text]
    if check:
        for name in stale:
            print(f"docs/reference/{name} is out of date. Run: script/docs")
        return 1 if stale else 0
    REFERENCE.mkdir(exist_ok=True)
    for name in stale:
        (REFERENCE / name).write_text(files()[name], "utf-8")
        print(f"docs/reference/{name} written")
    return 0


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Write docs/reference from the declarations.")
    asked.add_argument("--check", action="store_true", help="write nothing; exit with 1 and name files out of date")
    sys.exit(run(asked.parse_args().check))
