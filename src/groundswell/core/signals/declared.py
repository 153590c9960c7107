"""From a signal file to a checked Signal."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from groundswell.core import conditions
from groundswell.core.checks import Keys
from groundswell.core.conditions import BadCondition
from groundswell.core.declare import FollowedBy, Measure, Signal
from groundswell.core.signals import shapes
from groundswell.core.signals.fiscal import Calendar
from groundswell.core.signals.windows import FIRST_DAY, window
from groundswell.core.tables import views
from groundswell.policy.read import Document

Lists = Mapping[str, tuple[str, ...]]
DIMENSIONS = ("engagement", "potential", "market", "capability")
"""Folders of signals: engagement, revenue potential, market alignment, capability."""
KINDS = {
    "leading": "behaviour that comes before a sale and costs the partner something",
    "lagging": "what follows behaviour by months: pipeline, deals won, cycles, customers kept",
    "residue": "what taking part leaves behind: revenue booked, registrations, certificates, sign-ins, events",
}
"""Kinds of signals, with what each means. Source: docs/glossary.md."""
BEHAVIOURS = {
    "use cases": "sells the same thing, for the same problem, to one customer after another",
    "ICP": "says who the ideal customer is, and brings those",
    "sales motion": "takes deals through their stages in order, with dates, amounts and next steps",
    "response to sellers": "answers our sellers, and soon",
    "applied enablement": "uses in a deal what was learned",
    "specialisation": "wins where it is at home",
    "delivery alignment": "delivers what it sells",
    "consistency": "says the same thing everywhere, over time",
}
"""The eight leading behaviours, with what each means. Source: docs/glossary.md."""


def signal(document: Document, lists: Lists, faults: list[str]) -> Signal:
    """Read one signal file; what is wrong goes to `faults`, `needs` that differ from the measure included."""
    keys = Keys(document, faults)
    _, dimension, file_name = document.path.split("/")
    if dimension not in DIMENSIONS:
        faults.append(f"{document.path}:1 folder '{dimension}' is not a dimension: {', '.join(DIMENSIONS)}")
    table = keys.table("measure")
    if table is None:
        keys.fault("measure", "is required")
    found = Signal(
        name=file_name.removesuffix(".toml"),
        dimension=dimension,
        question=keys.text("question"),
        unit=keys.text("unit"),
        better=keys.text("better", words=("higher", "lower")),
        kind=keys.text("kind", words=tuple(KINDS)),
        misleads=keys.text("misleads"),
        measure=measure(table, lists) if table else Measure("activities", "count"),
        origin=keys.origin(),
        needs=keys.texts("needs"),
        absent=Fraction(keys.number("absent")) if keys.has("absent") else None,
        read_with=keys.texts("read_with"),
        remedy=keys.text("remedy", ""),
        behaviour=keys.text("behaviour", "", tuple(BEHAVIOURS)),
    )
    _check_unit(found, keys)
    keys.done()
    return found


_SAID = {"bool": "yes or no", "text": "a word", "date": "a date", "number": "a number", "list": "a list"}


def _check_unit(found: Signal, keys: Keys) -> None:
    """Lines and conditions take the kind of a value from its unit, so the measure must give that kind."""
    if found.measure.table not in views.REACHING or not found.unit:
        return  # said already
    by_unit, gives = shapes.signal_kinds({found.name: found})[found.name], shapes.gives(found.measure)
    if by_unit != gives:
        units = [unit for unit, kind in shapes.KIND_OF_UNIT.items() if kind == gives]
        remedy = f': write unit = "{units[0]}"' if units else ""
        keys.fault("unit", f"'{found.unit}' is the unit of {_SAID[by_unit]}; the measure gives {_SAID[gives]}{remedy}")


def check_needs(found: Signal, document: Document, lists: Lists) -> list[str]:
    """Faults of `needs`: what it lists too much or too little."""
    try:
        used = shapes.needs(found, dict(lists))
    except (BadCondition, ValueError, KeyError):
        return []  # the measure itself is at fault, and that is said already
    place = f"{document.path}:{document.line('needs')} needs"
    more = [f"{place}: lists {name}, but the measure does not use it." for name in found.needs if name not in used]
    less = [f"{place}: leaves out {name}, which the measure uses." for name in used if name not in found.needs]
    return [f"{fault} Run: groundswell check --fix" for fault in more + less]


def measure(keys: Keys, lists: Lists, inherited: Measure | None = None) -> Measure:
    """Read a measure; a second half inherits every key that it does not set."""
    base = inherited or Measure("activities", "")
    second = [name for name in ("minus", "over", "grown_from") if keys.has(name)]
    found = Measure(
        table=keys.text("from", base.table if inherited else None, tuple(sorted(views.REACHING))),
        take=keys.text("take", base.take if inherited else None, shapes.TAKES),
        of=keys.text("of", base.of),
        where=keys.text("where", base.where),
        on=keys.text("on", base.on),
        window=keys.text("window", base.window),
        shift=keys.text("shift", base.shift),
        per=keys.text("per", base.per),
        keep=keys.text("keep", base.keep),
        each=_each(keys.table("each")) or base.each,
        followed_by=_followed_by(keys.table("followed_by")) if keys.has("followed_by") else base.followed_by,
    )
    if found.where.strip() == "true":
        found = replace(found, where="")
    if len(second) > 1 or (second and inherited):
        keys.fault(second[-1], "a measure has at most one of minus, over and grown_from")
    elif second:
        inner = keys.table(second[0]) or Keys(keys.document, keys.faults, {}, *keys.path, second[0])
        found = replace(found, second=measure(inner, lists, found), how=second[0])
    keys.done()
    _check(found, keys, lists)
    return found


_EACH = ("count", "count distinct", "sum", "lowest", "highest")
"""What can be taken of each thing before the things are folded."""


def _each(keys: Keys | None) -> dict[str, Measure]:
    if keys is None:
        return {}
    made: dict[str, Measure] = {}
    for name in list(keys.rest()):
        if not isinstance(keys.data[name], dict):
            keys.fault(name, 'is a table: each.peak = { take = "highest", of = "value" }')
            continue
        inner = Keys(keys.document, keys.faults, keys.data[name], *keys.path, name)
        made[name] = Measure("", inner.text("take", words=_EACH), inner.text("of", ""), inner.text("where", ""))
        inner.done()
    return made


_LONGEST_WAIT = 3660


def _followed_by(keys: Keys | None) -> FollowedBy | None:
    """What must follow a row; an empty table in a second half clears what it inherits."""
    if keys is None:
        return None
    found = FollowedBy(keys.text("where"), keys.text("same"), keys.whole("within", 0, _LONGEST_WAIT))
    keys.done()
    return found


def _check(found: Measure, keys: Keys, lists: Lists) -> None:
    if found.table not in views.REACHING or found.take not in shapes.TAKES:
        return  # said already
    kinds = shapes.kinds(found.table)
    _check_condition(found, found.where, keys, "where", lists)
    for name, sub in found.each.items():
        _check_condition(found, sub.where, Keys(keys.document, keys.faults, {}, *keys.path, "each"), name, lists)
    for key, day in (("window", found.window), ("shift", found.shift)):
        try:
            window(found.window if key == "window" else "", day if key == "shift" else "", FIRST_DAY, Calendar())
        except ValueError as error:
            keys.fault(key, str(error))
    if kinds.get(found.on) != "date":
        keys.fault("on", f"'{found.on}' is not a date column of {found.table}")
    _check_of(found, keys, kinds)
    if found.keep:
        try:
            conditions.parse(found.keep, shapes.made(found), lists)
        except BadCondition as error:
            keys.fault("keep", str(error))
    if (found.keep or found.each) and not found.per:
        keys.fault("per", "each and keep need per: which thing is one row made of?")
    _check_followed_by(found, keys, lists)


def _check_condition(found: Measure, text: str, keys: Keys, key: str, lists: Lists) -> None:
    """A condition over the rows of the measure's table, wherever it stands."""
    if not text:
        return
    try:
        names = conditions.parse(text, shapes.kinds(found.table), lists).names
    except BadCondition as error:
        keys.fault(key, f"{error} (table {found.table})")
        return
    if named := names & shapes.personal(found.table):
        keys.fault(key, f"'{min(named)}' names a person and cannot be used in a signal.")
    if found.shift and "live" in names:
        said = "'live' is said of the day itself and does not move; compare status, issued_on, expires_on"
        keys.fault("shift" if key == "where" else key, said)


def _check_followed_by(found: Measure, keys: Keys, lists: Lists) -> None:
    follows = found.followed_by
    if follows is None:
        return
    inner = Keys(keys.document, keys.faults, {}, *keys.path, "followed_by")
    _check_condition(found, follows.where, inner, "where", lists)
    if not follows.where:
        inner.fault("where", "is required: what must follow")
    if follows.same not in shapes.kinds(found.table):
        inner.fault("same", f"unknown column '{follows.same}' of {found.table}.")
    elif follows.same in shapes.personal(found.table):
        inner.fault("same", f"'{follows.same}' names a person and cannot be used in a signal.")
    if found.take not in ("count", "count distinct") or found.per or found.on != "occurred_on":
        keys.fault("followed_by", "goes with take count or count distinct, by occurred_on, without per.")


def _check_of(found: Measure, keys: Keys, kinds: Mapping[str, Any]) -> None:
    wants = found.take not in ("count", "any", "days since latest")
    if wants and not found.of:
        keys.fault("take", f'take = "{found.take}" needs of.')
    for name, sub in found.each.items():
        of_each = Keys(keys.document, keys.faults, {}, *keys.path, "each")
        if sub.take != "count" and not sub.of:
            of_each.fault(name, f'take = "{sub.take}" needs of.')
        elif kinds.get(sub.of) == "list":
            of_each.fault(name, f"'{sub.of}' is a list of words. Ask for one in where: has({sub.of}, 'word').")
        elif sub.take == "sum" and kinds.get(sub.of, "number") not in shapes.NUMBERS:
            of_each.fault(name, f"'{sub.of}' is no number, so it has no sum.")
    for key, name in (("per", found.per), *(("each", sub.of) for sub in found.each.values())):
        if name and name not in kinds:
            keys.fault(key, f"unknown column '{name}' of {found.table}.")
        elif name in shapes.personal(found.table):
            keys.fault(key, f"'{name}' names a person and cannot be used in a signal.")
    if found.of in shapes.PERIODS and not found.per and found.take != "count distinct":
        keys.fault("of", f"a {found.of} can only be counted (count distinct).")
    if not found.of or found.of in shapes.PERIODS:
        return
    kinds = {**kinds, **shapes.made(found)}
    if found.of not in kinds:
        keys.fault("of", f"unknown column '{found.of}' of {found.table}.")
    elif found.of in shapes.personal(found.table):
        keys.fault("of", f"'{found.of}' names a person and cannot be used in a signal.")
    elif kinds[found.of] == "list":
        keys.fault("of", f"'{found.of}' is a list of words. Ask for one in where: has({found.of}, 'word').")
    elif found.take in ("sum", "average", "median") and kinds[found.of] not in shapes.NUMBERS:
        keys.fault("of", f"'{found.of}' is no number, so it has no {found.take}.")
    elif kinds[found.of] == "id" and found.take != "count distinct":
        keys.fault("of", f"'{found.of}' is an id; ids may only be counted (count distinct).")
