"""Compiling measures to SQL: one query a (table, window), conditional aggregates inside it, no division anywhere.

Every half of a measure becomes a few *pieces*, columns of one row a partner, from which `values` makes the value:
`n` rows that count, `unclear` rows whose condition is unknown, `empty` rows that count but lack what is folded, and
what the fold itself gives (`total`, `found`, `low`, `high`, `last`). Statements are SQLGlot trees in the portable
subset; literals are bound parameters.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from groundswell.core import conditions
from groundswell.core.conditions import DIALECT
from groundswell.core.declare import Measure
from groundswell.core.signals import shapes
from groundswell.core.signals.windows import Window, window
from groundswell.core.tables.contract import TABLES


@dataclass(frozen=True)
class Half:
    """One half of a signal's measure, with the window it looks at and the prefix of its pieces."""

    name: str
    measure: Measure
    window: Window


@dataclass
class Query:
    """One statement and its parameters; `halves` are the prefixes of the pieces it gives."""

    sql: str
    parameters: dict[str, object]
    halves: list[str] = field(default_factory=list)


Lists = Mapping[str, tuple[str, ...]]


def half(name: str, measure: Measure, as_of: dt.date, fiscal_first_month: int) -> Half:
    """A half with its window worked out."""
    return Half(name, measure, window(measure.window, measure.shift, as_of, fiscal_first_month))


def compile_halves(halves: Iterable[Half], lists: Lists) -> list[Query]:
    """Statements that give the pieces of all halves, one row a partner each; `partner_id` is the first column.

    Halves of one table that look at the same window share a statement, which reads only that window; a half that
    groups rows first (`per`) or picks a last row (`latest`) has a statement of its own.
    """
    shared: dict[tuple[str, str, Window], list[Half]] = {}
    queries: list[Query] = []
    for each in halves:
        if each.measure.per:
            queries.append(_grouped(each, lists))
        elif each.measure.take == "latest":
            queries.append(_latest(each, lists))
        else:
            shared.setdefault((each.measure.table, each.measure.on, each.window), []).append(each)
    for (table, on, days), members in shared.items():
        queries.append(_together(table, on, days, members, lists))
    return queries


def _relation(table: str) -> exp.Table:
    return exp.to_table(f"{table}_of_partners")


def _within(on: str, days: Window, parameters: dict[str, object]) -> list[exp.Expr]:
    day = exp.column(on)
    parameters["until"] = days.until
    limits: list[exp.Expr] = [exp.LTE(this=day, expression=exp.Placeholder(this="until"))]
    if days.after is not None:
        parameters["after"] = days.after
        limits.append(exp.GT(this=day.copy(), expression=exp.Placeholder(this="after")))
    return limits


def _case(when: exp.Expr | None, then: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=when.copy(), true=then)]) if when is not None else then


def _folded(each: Half, column: exp.Expr | None) -> exp.Expr:
    """What is folded: the column, or the calendar period of the day that the window looks at."""
    measure = each.measure
    if measure.of in shapes.PERIODS:
        day = exp.cast(exp.column(measure.on), "date")
        return (
            day
            if measure.of == "day"
            else exp.cast(exp.func("date_trunc", exp.Literal.string(measure.of), day), "date")
        )
    if measure.take == "count" and measure.table == "deals" and not measure.per:
        return exp.column("group_key")
    return column if column is not None else exp.column(measure.of)


def _pieces(each: Half, when: exp.Expr | None) -> list[exp.Expr]:
    """The aggregate columns of one half, named `<half>__<piece>`."""
    name, measure = each.name, each.measure
    one = exp.Literal.number(1)
    found: list[tuple[str, exp.Expr]] = [("n", exp.Count(this=_case(when, one)))]
    if when is not None:
        unknown = exp.Is(this=exp.paren(when.copy()), expression=exp.Null())
        found.append(("unclear", exp.Count(this=_case(unknown, one))))
    if measure.take not in ("count", "any", "days since latest") or (
        measure.table == "deals" and measure.take == "count"
    ):
        folded = _folded(each, None)
        empty = exp.Is(this=folded.copy(), expression=exp.Null())
        found.append(("empty", exp.Count(this=_case(exp.and_(when.copy(), empty) if when is not None else empty, one))))
        found += _fold(measure.take, _case(when, folded))
    elif measure.take == "days since latest":
        found.append(("last", exp.Max(this=_case(when, exp.column(measure.on)))))
    return [exp.alias_(piece, f"{name}__{label}") for label, piece in found]


def _fold(take: str, rows: exp.Expr) -> list[tuple[str, exp.Expr]]:
    if take in ("count", "count distinct"):
        return [("found", exp.Count(this=exp.Distinct(expressions=[rows])))]
    if take in ("sum", "average"):
        return [("total", exp.Sum(this=rows))]
    if take == "median":  # the two middle values; for an odd number they are the same
        middle = exp.Literal.number("0.5")
        low = exp.func("quantile_disc", rows.copy(), middle, dialect=DIALECT)
        high = exp.Neg(
            this=exp.func("quantile_disc", exp.Neg(this=exp.paren(rows.copy())), middle.copy(), dialect=DIALECT)
        )
        return [("low", low), ("high", high)]
    return [("found", (exp.Min if take == "lowest" else exp.Max)(this=rows))]


def _together(table: str, on: str, days: Window, members: list[Half], lists: Lists) -> Query:
    parameters: dict[str, object] = {}
    selected: list[exp.Expr] = [exp.column("partner_id")]
    within = exp.and_(*_within(on, days, parameters))
    dated = on == "occurred_on"
    for each in members:
        where = shapes.condition(each.measure, dict(lists))
        when = conditions.to_tree(where, parameters, "w") if where else None
        if not dated:  # a row whose day is empty may lie in the window: it is unclear, not absent
            when = exp.and_(within.copy(), when) if when is not None else within.copy()
        selected += _pieces(each, when)
    reads = within if dated else exp.or_(exp.paren(within), exp.Is(this=exp.column(on), expression=exp.Null()))
    tree = exp.select(*selected).from_(_relation(table)).where(reads).group_by(exp.column("partner_id"))
    return Query(tree.sql(dialect=DIALECT), _with_day(tree, parameters, days), [each.name for each in members])


def _with_day(tree: exp.Expr, parameters: dict[str, object], days: Window) -> dict[str, object]:
    asked = {str(node.this) for node in tree.find_all(exp.Placeholder)}
    if "as_of" in asked:
        parameters["as_of"] = days.until
    return parameters


def _counted(each: Half, lists: Lists, parameters: dict[str, object]) -> exp.Select:
    """The rows of one half that count, whole."""
    where = shapes.condition(each.measure, dict(lists))
    limits = _within(each.measure.on, each.window, parameters)
    if where:
        limits.append(conditions.to_tree(where, parameters, "w"))
    return exp.select("*").from_(_relation(each.measure.table)).where(*limits)


def _grouped(each: Half, lists: Lists) -> Query:
    """First one row per thing, then keep some, then fold."""
    parameters: dict[str, object] = {}
    measure = each.measure
    inner: list[exp.Expr] = [exp.column("partner_id"), exp.column(measure.per)]
    made = {}
    for name, sub in measure.each.items():
        piece = _fold(sub.take, exp.column(sub.of))[0][1] if sub.take != "count" else exp.Count(this=exp.Star())
        inner.append(exp.alias_(piece, name))
        made[name] = "number"
    things = _counted(each, lists, parameters).subquery("rows_that_count")
    grouped = exp.select(*inner).from_(things).group_by("partner_id", measure.per)
    keep = conditions.parse(measure.keep, made, dict(lists)) if measure.keep else None
    outer = exp.select("partner_id", *_pieces(each, None)).from_(grouped.subquery("things"))
    outer = outer.where(exp.Not(this=exp.Is(this=exp.column(measure.per), expression=exp.Null())))
    if keep:
        outer = outer.where(conditions.to_tree(keep, parameters, "k"))
    outer = outer.group_by("partner_id")
    return Query(outer.sql(dialect=DIALECT), _with_day(outer, parameters, each.window), [each.name])


def _latest(each: Half, lists: Lists) -> Query:
    """The value of the last row; ties are decided by known_at, then row_hash."""
    parameters: dict[str, object] = {}
    counted = _counted(each, lists, parameters).subquery("rows_that_count")
    order = [exp.Ordered(this=exp.column(name), desc=True) for name in (each.measure.on, "known_at", "row_hash")]
    place = exp.Window(
        this=exp.RowNumber(), partition_by=[exp.column("partner_id")], order=exp.Order(expressions=order)
    )
    ranked = exp.select("*", exp.alias_(place, "place")).from_(counted).subquery("ranked")
    tree = exp.select(
        "partner_id",
        exp.alias_(exp.Literal.number(1), f"{each.name}__n"),
        exp.alias_(exp.column(each.measure.of), f"{each.name}__found"),
    ).from_(ranked).where("place = 1")  # fmt: skip
    return Query(tree.sql(dialect=DIALECT), _with_day(tree, parameters, each.window), [each.name])


def rows_query(each: Half, partner_id: str, lists: Lists, at_most: int) -> Query:
    """The rows behind one half of a signal for one partner: the same filter without the aggregate, newest first."""
    parameters: dict[str, object] = {"partner_id": partner_id}
    identity = TABLES[each.measure.table].identity or "own_id"
    tree = (
        _counted(each, lists, parameters)
        .select(
            exp.alias_(exp.column(identity), "row_id"),
            "landing",
            "line",
            "source",
            "load_id",
            exp.alias_(exp.column(each.measure.on), "day"),
            append=False,
        )
        .where(exp.EQ(this=exp.column("partner_id"), expression=exp.Placeholder(this="partner_id")))
        .order_by(exp.Ordered(this=exp.column("day"), desc=True), "row_id")
        .limit(at_most)
    )
    return Query(tree.sql(dialect=DIALECT), _with_day(tree, parameters, each.window), [each.name])
