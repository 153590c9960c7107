"""What the command line says of one partner, down to the rows."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

from groundswell.cli.say.figures import NOT_PLACED, cut_to, number, table
from groundswell.core.points.score import rounded
from groundswell.reads.explain import Evidence, Explanation, Month
from groundswell.reads.overview import needed
from groundswell.reads.partner import enough
from groundswell.reads.partners import Standing

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
        yield f"      {where}: {cut_to(row.text, 110)}"
    if evidence.more:
        yield "      and more: --rows N"


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
