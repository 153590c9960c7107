"""What the command line says on one screen: the overview of a run."""

from collections.abc import Iterator, Sequence
from typing import Any

from groundswell.cli.say.figures import NOT_PLACED, cut_to, number, score, span, table, whole
from groundswell.core.words import many
from groundswell.reads.overview import SEGMENTS, Overview
from groundswell.reads.quality import computable_of


def overview(found: Overview, width: int = 10_000) -> str:
    """The published run on one screen."""
    return "\n".join(cut_to(line, width) for line in _overview(found, width))


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
        yield f"  of {silent} it cannot be told whether they are quiet: too few gaps, or sources say too little"
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
        rows.append([one.name, score(one), span(one), moved, ", ".join(one.strongest)])
    if not rows:
        return
    head, rule, *lines = table(["partner", "readiness", "range", "moved", "why"], rows, 56).splitlines()
    acts = [one.next_act for one in found.idle]
    yield from (f"  {head}", f"  {rule}")
    for line, act in zip(lines, acts, strict=True):
        yield f"  {line}"
        if len(set(acts)) > 1:
            yield from whole(act, "    next: ", width)
    if len(set(acts)) == 1:
        yield from whole(acts[0], "  next for each of these: " if len(acts) > 1 else "  next: ", width)


def _flows(flows: Sequence[Sequence[Any]]) -> str:
    moved = sorted(((n, start, end) for start, end, n in flows if start != end), reverse=True)
    if not moved:
        return "nobody moved"
    return ", ".join(f"{n} from {start or NOT_PLACED} to {end or NOT_PLACED}" for n, start, end in moved[:6])
