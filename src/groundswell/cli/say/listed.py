"""What the command line says of a run and of its list of partners."""

from decimal import Decimal
from typing import Any

from groundswell.cli.say.figures import NOT_PLACED, cut_to, number, score, span, table
from groundswell.cli.say.taken_in import NO_PARTNERS
from groundswell.core.words import many
from groundswell.reads.partners import Ranked
from groundswell.reads.quality import computable_of
from groundswell.reads.sheets import Cell
from groundswell.records.loads import Load
from groundswell.records.runs import Run


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
        [one.rank, one.partner_id, one.name, one.source, one.external_id, None if score(one) == "?" else Decimal(score(one)),
         Decimal(number(one.low)), Decimal(number(one.high)), Decimal(number(one.coverage * 100)), one.band, one.state,
         found.as_of]
        for one in found.partners
    ]  # fmt: skip


def ranked(found: Ranked, width: int = 10_000) -> str:
    """The ranked list for a terminal of so many columns; what is too wide is cut at the last column."""
    if not found.manifest["partners"]:
        return run(found.manifest)
    rows = [
        [str(one.rank), one.name, score(one), span(one), f"{number(one.coverage * 100, 0)}%",
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
    lines = [cut_to(line, width) for line in table(headers, rows, widest=max(44, width)).splitlines()]
    return "\n".join([*lines, *foot])
