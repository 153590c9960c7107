"""A draft of a mapping out of files of unknown shape: nothing is loaded, nothing is kept, no lock is held."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from groundswell.connectors.files import seen
from groundswell.connectors.files.draft import draft
from groundswell.connectors.files.propose import ProposedFile, propose
from groundswell.connectors.files.read import Refused
from groundswell.connectors.files.recognise import Recognised
from groundswell.connectors.files.suggest import Enough
from groundswell.core.assess import lacking
from groundswell.core.declare import Policy
from groundswell.core.words import many
from groundswell.engine.home import Home
from groundswell.runs.kept import recognised
from groundswell.runs.prepare import Request, named_mappings

_NOTHING = "No table is recognised. Write a [[file]] with its [[file.row]] by hand: docs/reference/mapping.md has the language."


@dataclass(frozen=True)
class Proposal:
    """What is proposed: `text` is a mapping file, "" where none is needed; `known` are files that need none."""

    text: str
    known: tuple[str, ...]
    samples: dict[str, list[str]] = field(default_factory=dict)
    """Columns of the files that need one, each with some of its cells."""


def proposal(home: Home, paths: Sequence[Path], source: str = "") -> Proposal:
    """A draft for those of the files that no format or kept mapping fits. Raises Refused for one that holds no rows."""
    limits = dict(home.policy.instance.limits)
    named = named_mappings(home, Request())
    known: list[str] = []
    brought: dict[str, set[str]] = {}
    files: list[seen.SeenFile] = []
    for path in paths:
        try:
            looked = seen.look(path, limits)
        except Refused as error:
            raise Refused(f"{path}: {error}") from error
        for file in looked:
            try:
                found = recognised(path, path.name, named, "", limits, file.layout.sheet)
            except Refused:
                files.append(file)
                continue
            what = (
                f"the mapping kept for source {found.mapping.source}"
                if found.mapping.kept
                else f"the format {found.file.name}"
            )
            _bring(brought, found)
            known.append(f"{file.name} fits {what}; it needs no mapping: groundswell take-in {path}")
    if not files:
        return Proposal("", tuple(known))
    proposed = propose(files, limits)
    text = draft(proposed, source or _source_name(files), Enough.of(limits))
    said = [*_bought(home.policy, proposed, brought)] if any(one.rows for one in proposed) else [_NOTHING]
    lines = ["", *(f"# {line}" for line in (*said, *known))]
    samples = {column.header: list(column.samples) for file in files for column in file.columns.values()}
    return Proposal(text + "\n".join(lines) + "\n", tuple(known), samples)


def _source_name(files: Sequence[seen.SeenFile]) -> str:
    """The name of the one file, without days and numbers; of several, that of their folder."""
    paths = {file.path.absolute() for file in files}
    text = next(iter(paths)).stem if len(paths) == 1 else next(iter(paths)).parent.name
    return "_".join(re.findall(r"[^\W\d_]+", text.casefold())) or "export"


def _bring(brought: dict[str, set[str]], found: Recognised) -> None:
    """Add what a file of a known format brings."""
    for row in found.file.rows:
        there = {
            name for name, expr in row.columns.items() if not expr.headers() or expr.headers() & found.header_of.keys()
        }
        brought.setdefault(row.table, set()).update(there)
        buys = row.columns.get("is_customer")
        if row.table == "organisations" and buys and buys.const != "false":
            brought.setdefault("accounts", set()).update(there)


def _bought(policy: Policy, proposed: Sequence[ProposedFile], brought: dict[str, set[str]]) -> Iterator[str]:
    """How many signals can be computed, and what each column that is wanting would add. `brought`: by other files."""
    for file in proposed:
        for row in file.rows:
            columns = {one.column for one in row.said}
            if "amount" in columns:  # its currency is a column, or asked for in [source]
                columns.add("currency")
            brought.setdefault(row.table, set()).update(columns)
            if any(one.column == "is_customer" and one.value != {"const": False} for one in row.said):
                brought.setdefault("accounts", set()).update(columns)
    wanting = lacking(policy, {table: frozenset(columns) for table, columns in brought.items()})
    every = len(policy.signals)
    money = {"amount"} <= brought.get("deals", set()) and "amount_home" not in brought["deals"]
    rates = f", and amounts are in {policy.instance.home_currency} or have rates" if money else ""
    yield f"With this mapping {every - len(wanting)} of {every} signals can be computed, where cells are filled{rates}."
    sets = Counter(wanting.values())
    for together, count in sorted(sets.items(), key=lambda one: (len(one[0]), -one[1], one[0])):
        how = "would together add" if len(together) > 1 else "would add"
        yield f"{', '.join(together)}: {how} {many(count, 'signal')}"
