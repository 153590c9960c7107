"""What a measure may name: the columns of the rows that reach a partner, and the canonical columns they come from."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from groundswell.core import conditions
from groundswell.core.conditions import Condition
from groundswell.core.declare import Measure, Signal
from groundswell.core.tables import views
from groundswell.core.tables.contract import TABLES

TAKES = (
    "count",
    "count distinct",
    "sum",
    "average",
    "median",
    "lowest",
    "highest",
    "latest",
    "days since latest",
    "any",
)
"""Every way of folding rows into one value."""
PERIODS = ("day", "week", "month", "quarter", "year")
"""Derived words for `of`: the calendar period of the column that the window looks at."""
WORDS = {"activities": "type", "readings": "kind", "funds": "kind"}
"""Tables of which a source may bring some kinds of rows and not others, by the column that tells them apart."""
NUMBERS = frozenset({"money", "number", "share", "int"})


KIND_OF_UNIT = {"yes/no": "bool", "word": "text", "date": "date"}
"""Kinds of signal values by unit, for conditions over signals; every other unit is a number."""


def signal_kinds(signals: Mapping[str, Signal]) -> dict[str, str]:
    """{signal: kind of its value}, as conditions over signals need it."""
    return {name: KIND_OF_UNIT.get(signal.unit, "number") for name, signal in signals.items()}


def gives(measure: Measure) -> str:
    """The kind of the value of a measure that names its columns rightly, as `signal_kinds` says it."""
    if measure.take == "any" and not measure.second:
        return "bool"
    if measure.take in ("latest", "lowest", "highest") and not measure.second:
        family = conditions.FAMILY[(kinds(measure.table) | made(measure)).get(measure.of, "number")]
        return "bool" if family == "yes/no" else family
    return "number"


def kinds(table: str) -> dict[str, str]:
    """{column: kind} of the rows of a table that reach a partner. Raises ValueError for a table signals cannot read."""
    if table not in views.REACHING:
        raise ValueError(
            f"'{table}' is not a table that reaches a partner. One of: {', '.join(sorted(views.REACHING))}."
        )
    contract = TABLES[table]
    found = {column.name: column.kind for column in contract.columns}
    found |= {"occurred_on": "date", "occurred_at": "instant"}
    if contract.identity:
        found[contract.identity] = "id"
    return found | {name: kind for name, (kind, _) in views.DERIVED.get(table, {}).items()}


def personal(table: str) -> frozenset[str]:
    """Columns of a table that name a person: no signal may read them."""
    return frozenset(column.name for column in TABLES[table].columns if column.private == "i")


def halves(measure: Measure) -> Iterator[Measure]:
    """The measure, and the second one where there is one; each without the other."""
    yield replace(measure, second=None, how="")
    if measure.second:
        yield measure.second


def condition(measure: Measure, lists: dict[str, tuple[str, ...]]) -> Condition | None:
    """The checked `where` of a measure; None when every row counts."""
    return conditions.parse(measure.where, kinds(measure.table), lists) if measure.where else None


def following(measure: Measure, lists: dict[str, tuple[str, ...]]) -> Condition:
    """The checked condition of what must follow a row of the measure."""
    text = measure.followed_by.where if measure.followed_by else "false"
    return conditions.parse(text, kinds(measure.table), lists)


def conditions_of(measure: Measure, lists: dict[str, tuple[str, ...]]) -> Iterator[Condition]:
    """Every checked condition over the rows of one half: its own, those of `each`, that of what must follow."""
    texts = [measure.where, *(sub.where for sub in measure.each.values())]
    texts += [measure.followed_by.where] if measure.followed_by else []
    for text in filter(None, texts):
        yield conditions.parse(text, kinds(measure.table), lists)


def made(measure: Measure) -> dict[str, str]:
    """{name: kind} of what `each` makes of one thing: a count or a sum is a number, a lowest or highest as its column."""
    columns_ = kinds(measure.table)
    return {
        name: columns_.get(sub.of, "number") if sub.take in ("lowest", "highest") else "number"
        for name, sub in measure.each.items()
    }


def columns(measure: Measure, lists: dict[str, tuple[str, ...]]) -> set[str]:
    """Columns of the reaching rows that one half of a measure reads."""
    used = {name for one in conditions_of(measure, lists) for name in one.names}
    if measure.followed_by:
        used |= {measure.followed_by.same, measure.on}
    if measure.window or measure.take in ("days since latest", "latest") or measure.of in PERIODS:
        used.add(measure.on)
    for name in (measure.of, measure.per, *(each.of for each in measure.each.values())):
        if name and name not in PERIODS and name not in measure.each:
            used.add(name)
    if measure.take == "count" and measure.table == "deals" and not measure.per:
        used.add("group_key")
    return used


def needs(signal: Signal, lists: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The canonical columns that a signal's measure really uses, sorted: what its `needs` must list."""
    found: set[str] = set()
    for half in halves(signal.measure):
        found |= set(views.REACH[half.table])
        for name in columns(half, lists):
            derived = views.DERIVED.get(half.table, {}).get(name)
            if derived:
                found |= set(derived[1])
            elif name != "group_key" and name != TABLES[half.table].identity:
                found.add(f"{half.table}.{name}")
    return tuple(sorted(found))
