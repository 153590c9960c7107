"""Compiling measures to SQL: one query a (table, window), conditional aggregates inside it, no division anywhere.

Every half of a measure becomes a few *pieces*, columns of one row a partner, from which `values` makes the value:
`n` rows that count, `unclear` rows whose condition is unknown, `empty` rows that count but lack what is folded, and
what the fold itself gives (`total`, `found`, `low`, `high`, `last`). Statements are SQLGlot trees in the portable
subset; literals are bound parameters.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from groundswell.core import conditions
from groundswell.core.conditions import DIALECT
from groundswell.core.declare import Measure
from groundswell.core.signals import shapes
from groundswell.core.signals.fiscal import Calendar
from groundswell.core.signals.windows import Window, window
from groundswell.core.tables.contract import TABLES


@dataclass(frozen=True)
class Half:
    """One half of a signal's measure, with the window it looks at and the prefix of its pieces.

    `full` are columns that no row of its table leaves empty; knowing less gives the same values for more work.
    """

    name: str
    measure: Measure
    window: Window
    full: frozenset[str] = frozenset()


@dataclass
class Query:
    """One statement and its parameters; `halves` are the prefixes of the pieces it gives."""

    sql: str
    parameters: dict[str, object]
    halves: list[str] = field(default_factory=list)


Lists = Mapping[str, tuple[str, ...]]


def half(name: str, measure: Measure, as_of: dt.date, fiscal: Calendar) -> Half:
    """A half with its window worked out."""
    return Half(name, measure, window(measure.window, measure.shift, as_of, fiscal))


def compile_halves(halves: Iterable[Half], lists: Lists) -> list[Query]:
    """Statements that give the pieces of all halves, one row a partner each; `partner_id` is the first column.

    Halves of one table that look at the same window share a statement, which reads only that window; those that count
    distinct things share it only with halves of the same condition, since a distinct count over rows that mostly do not
    count is dear; what else has that condition is counted on the way. A half that takes a middle or a last row, or
    groups rows first (`per`), has a second statement for what the first cannot say. One that looks for what follows a
    row has a statement of its own.
    """
    halves = list(halves)
    dear = {_rows_of(each) for each in halves if _is_distinct(each.measure)}
    shared: dict[tuple[str, str, Window, str], list[Half]] = {}
    more: list[Query] = []
    for each in halves:
        if each.measure.followed_by:
            more.append(_followed(each, lists))
            continue
        rows = _rows_of(each)
        shared.setdefault(rows if rows in dear else (*rows[:3], ""), []).append(each)
        if each.measure.per:
            more.append(_grouped(each, lists))
        elif each.measure.take in _BY_PLACE:
            more.append(_BY_PLACE[each.measure.take](each, lists))
    return [_together(table, on, days, members, lists) for (table, on, days, _), members in shared.items()] + more


def _rows_of(each: Half) -> tuple[str, str, Window, str]:
    """The table, the day that the window looks at, the window, and which rows count."""
    return each.measure.table, each.measure.on, each.window, each.measure.where


def counts_groups(measure: Measure) -> bool:
    """Whether it counts pieces of business, of which several deals may be one, and not rows."""
    return measure.take == "count" and measure.table == "deals" and not measure.per


def _is_distinct(measure: Measure) -> bool:
    return counts_groups(measure) or (measure.take == "count distinct" and not measure.per)


def columns_read(each: Half, lists: Lists) -> set[str]:
    """The columns of the rows that reach a partner which the statements of a half read, and what tells what they cover."""
    measure = each.measure
    order = {"known_at", "row_hash"} if measure.take == "latest" else set()
    kind = {shapes.WORDS[measure.table]} if measure.table in shapes.WORDS else set()
    return {"partner_id", measure.on, *shapes.columns(measure, dict(lists)), *order, *kind}


_REFUSED = (
    exp.Div,
    exp.IntDiv,
    exp.Mod,
    exp.Qualify,
    exp.Lateral,
    exp.Unnest,
    exp.BitwiseOr,
    exp.PercentileDisc,
    exp.Quantile,
)


def _query(tree: exp.Select, parameters: dict[str, object], days: Window, halves: list[str]) -> Query:
    """The statement of a tree, which must stay in the portable subset: what transpiles and is silently wrong is refused.

    No division, no QUALIFY, no unnesting, no percentiles, no `*` but in count(*).
    """
    for node in tree.walk():
        if isinstance(node, _REFUSED) or (isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count)):
            raise AssertionError(f"'{node.sql(dialect=DIALECT)}' is outside the portable subset")
    if any(str(node.this) == "as_of" for node in tree.find_all(exp.Placeholder)):
        parameters["as_of"] = days.until
    return Query(tree.sql(dialect=DIALECT), parameters, halves)


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


def folded(measure: Measure) -> exp.Expr:
    """What is folded: the column, the calendar period of the day that the window looks at, or the piece of business."""
    if measure.of in shapes.PERIODS:
        day = exp.cast(exp.column(measure.on), "date")
        return (
            day
            if measure.of == "day"
            else exp.cast(exp.func("date_trunc", exp.Literal.string(measure.of), day), "date")
        )
    return exp.column(measure.of or "group_key")


def pieces(each: Half, when: exp.Expr | None, whole: bool = True, sure: bool = False) -> list[exp.Expr]:
    """The aggregate columns of one half, named `<half>__<piece>`.

    Not `whole`: without what does not add up. One whose condition is `sure` has no unclear rows.
    """
    name, measure = each.name, each.measure
    one = exp.Literal.number(1)
    found: list[tuple[str, exp.Expr]] = []
    if measure.take != "days since latest":  # whose last day says whether there is any
        found.append(("rows" if measure.per else "n", exp.Count(this=_case(when, one))))
    if when is not None and not sure:
        unknown = exp.Is(this=exp.paren(when.copy()), expression=exp.Null())
        found.append(("unclear", exp.Count(this=_case(unknown, one))))
    if measure.take == "days since latest":
        found.append(("last", exp.Max(this=_case(when, exp.column(measure.on)))))
    elif not measure.per and (measure.of or counts_groups(measure)):
        column = folded(measure)
        if (measure.on if measure.of in shapes.PERIODS else measure.of or "group_key") not in each.full:
            empty = exp.Is(this=column.copy(), expression=exp.Null())
            unfilled = exp.and_(when.copy(), empty) if when is not None else empty
            found.append(("empty", exp.Count(this=_case(unfilled, one))))
        partial = not whole and measure.take in ("count", "count distinct")
        found += [] if partial or measure.take in _BY_PLACE else _fold(measure.take, _case(when, column))
    return [exp.alias_(piece, f"{name}__{label}") for label, piece in found]


def _fold(take: str, rows: exp.Expr) -> list[tuple[str, exp.Expr]]:
    if take in ("count", "count distinct"):
        return [("found", exp.Count(this=exp.Distinct(expressions=[rows])))]
    if take in ("sum", "average"):
        return [("total", exp.Sum(this=rows))]
    return [("found", (exp.Min if take == "lowest" else exp.Max)(this=rows))]


def _together(table: str, on: str, days: Window, members: list[Half], lists: Lists) -> Query:
    parameters: dict[str, object] = {}
    within = exp.and_(*_within(on, days, parameters))
    dated = on == "occurred_on" or all(on in each.full for each in members)
    limits: list[exp.Expr] = [within] if dated else []
    whens, counting, sure = whether_counted(members, lists, parameters, None if dated else within)
    limits += counting
    selected: list[exp.Expr] = [exp.column("partner_id")]
    for each in members:
        selected += pieces(each, whens[each.measure.where], sure=sure)
    tree = exp.select(*selected).from_(_relation(table)).where(*limits).group_by(exp.column("partner_id"))
    return _query(tree, parameters, days, [each.name for each in members])


def whether_counted(
    members: Sequence[Half], lists: Lists, parameters: dict[str, object], within: exp.Expr | None = None
) -> tuple[dict[str, exp.Expr | None], list[exp.Expr], bool]:
    """Of halves that share a statement: whether a row counts, by `where` (None: each row does); which rows need be read at
    all; and whether no condition is ever unknown. `within`: the window, where the day of a row may be empty.
    """
    whens = {
        each.measure.where: _when(each, lists, parameters, within)
        for each in {each.measure.where: each for each in members}.values()
    }
    sure = within is None and all(_is_sure(each, lists) for each in members)
    counting = [when if sure else or_unknown(when) for when in whens.values() if when is not None]
    if len(counting) < len(whens):
        return whens, [], sure
    read: list[exp.Expr] = [
        exp.or_(*(exp.paren(one.copy()) for one in counting))
    ]  # rows that count for none need not be read
    if sure and len(whens) == 1:
        whens = dict.fromkeys(whens)
    return whens, read, sure


def or_unknown(when: exp.Expr) -> exp.Expr:
    """That a row counts, or may."""
    return exp.or_(exp.paren(when.copy()), exp.Is(this=exp.paren(when.copy()), expression=exp.Null()))


def _when(each: Half, lists: Lists, parameters: dict[str, object], within: exp.Expr | None) -> exp.Expr | None:
    """Whether a row counts. Where its day may be empty that is part of it: such a row may lie in the window."""
    where = shapes.condition(each.measure, dict(lists))
    when = conditions.to_tree(where, parameters, "w") if where else None
    if within is not None:
        return exp.and_(within.copy(), when) if when is not None else within.copy()
    return when


def _is_sure(each: Half, lists: Lists) -> bool:
    """Whether a condition is never unknown: it names only columns that every row fills."""
    where = shapes.condition(each.measure, dict(lists))
    return where is None or each.full.issuperset(where.names)


def _counted(each: Half, lists: Lists, parameters: dict[str, object], also: Iterable[str] = ()) -> exp.Select:
    """The rows of one half that count, with the columns that it reads."""
    where = shapes.condition(each.measure, dict(lists))
    limits = _within(each.measure.on, each.window, parameters)
    if where:
        limits.append(conditions.to_tree(where, parameters, "w"))
    read = sorted({"partner_id", each.measure.on, *shapes.columns(each.measure, dict(lists)), *also})
    return exp.select(*read).from_(_relation(each.measure.table)).where(*limits)


def _grouped(each: Half, lists: Lists) -> Query:
    """First one row per thing, then keep some, then fold."""
    parameters: dict[str, object] = {}
    measure = each.measure
    inner: list[exp.Expr] = [exp.column("partner_id"), exp.column(measure.per)]
    for name, sub in measure.each.items():
        inner.append(exp.alias_(_of_each(measure, sub, lists, parameters), name))
    rows = _counted(each, lists, parameters)
    rows = rows.where(exp.Not(this=exp.Is(this=exp.column(measure.per), expression=exp.Null())))
    things = exp.select(*inner).from_(rows.subquery("rows_that_count")).group_by("partner_id", measure.per)
    kept = exp.select("partner_id", measure.per, *measure.each).from_(things.subquery("things"))
    if measure.keep:
        keep = conditions.parse(measure.keep, shapes.made(measure), dict(lists))
        kept = kept.where(conditions.to_tree(keep, parameters, "k"))
    found: list[tuple[str, exp.Expr]] = [("n", exp.Count(this=exp.Star()))]
    relation: exp.Expr = kept.subquery("kept")
    conditions_: list[str] = []
    if measure.take == "median":
        relation, found, conditions_ = (
            _ranked(kept, measure.of, {measure.of: False, measure.per: False}),
            [],
            list(_MIDDLE),
        )
        found += [("n", exp.Max(this=exp.column("many"))), *_ends(measure.of)]
    elif measure.of:
        found += _fold(measure.take, exp.column(measure.of))
    selected = [exp.alias_(piece, f"{each.name}__{label}") for label, piece in found]
    tree = exp.select("partner_id", *selected).from_(relation).where(*conditions_).group_by("partner_id")
    return _query(tree, parameters, each.window, [each.name])


def _of_each(measure: Measure, sub: Measure, lists: Lists, parameters: dict[str, object]) -> exp.Expr:
    """What `each` makes of the rows of one thing, or of those among them that its own `where` keeps."""
    when = None
    if sub.where:
        checked = conditions.parse(sub.where, shapes.kinds(measure.table), dict(lists))
        when = conditions.to_tree(checked, parameters, "e")
    if sub.of:
        return _fold(sub.take, _case(when, exp.column(sub.of)))[0][1]
    return exp.Count(this=_case(when, exp.Literal.number(1))) if when is not None else exp.Count(this=exp.Star())


def _followed_rows(each: Half, lists: Lists, parameters: dict[str, object], also: Iterable[str] = ()) -> exp.Select:
    """Rows of the window that may count, each with `counts`: true, false or unknown, for what follows it.

    What follows lies on the day of the row or up to `within` days later, and not after the window. A row that does not
    say the thing in which the two must agree is unknown.
    """
    measure, follows = each.measure, each.measure.followed_by
    assert follows is not None  # noqa: S101 - only halves that look for what follows come here
    kinds, on = shapes.kinds(measure.table), exp.column(measure.on)
    later = conditions.to_tree(conditions.parse(follows.where, kinds, dict(lists)), parameters, "f")
    where = shapes.condition(measure, dict(lists))
    first = conditions.to_tree(where, parameters, "w") if where else exp.true()
    read = sorted({"partner_id", measure.on, *shapes.columns(measure, dict(lists)), *also})
    rows = exp.select(*read, exp.alias_(first, "comes_first"), exp.alias_(later, "comes_later"))
    rows = rows.from_(_relation(measure.table)).where(*_within(measure.on, each.window, parameters))
    rows = rows.where(exp.or_(or_unknown(first), exp.paren(later.copy())))  # all others neither count nor follow
    next_on = exp.Window(
        this=exp.Min(this=_case(exp.column("comes_later"), on.copy())),
        partition_by=[exp.column("partner_id"), exp.column(follows.same)],
        order=exp.Order(expressions=[exp.Ordered(this=on.copy(), desc=False)]),
        spec=exp.WindowSpec(kind="RANGE", start="CURRENT ROW", end="UNBOUNDED", end_side="FOLLOWING"),
    )
    placed = exp.select(*read, "comes_first", exp.alias_(next_on, "next_on")).from_(rows.subquery("rows_of_both"))
    parameters["within"] = follows.within
    waited = exp.DateDiff(this=exp.column("next_on"), expression=on.copy(), unit=exp.var("DAY"))
    soon = exp.func("coalesce", exp.LTE(this=waited, expression=exp.Placeholder(this="within")), exp.false())
    same = exp.Not(this=exp.Is(this=exp.column(follows.same), expression=exp.Null()))
    counts = exp.and_(exp.column("comes_first"), _case(same, soon))
    return exp.select(*read, exp.alias_(exp.paren(counts), "counts")).from_(placed.subquery("placed"))


def _followed(each: Half, lists: Lists) -> Query:
    """Rows after which something came soon enough."""
    parameters: dict[str, object] = {}
    rows = _followed_rows(each, lists, parameters).subquery("rows_that_may_count")
    tree = exp.select("partner_id", *pieces(each, exp.column("counts"))).from_(rows).group_by("partner_id")
    return _query(tree, parameters, each.window, [each.name])


_MIDDLE = ("2 * place >= many", "2 * place <= many + 2")
"""The places of the two middle rows; for an odd number of rows they are the same."""


def _ends(of: str) -> list[tuple[str, exp.Expr]]:
    return [("low", exp.Min(this=exp.column(of))), ("high", exp.Max(this=exp.column(of)))]


def _ranked(rows: exp.Select, of: str, order: dict[str, bool]) -> exp.Subquery:
    """Rows with a value, each with its place by `order` ({column: descending}) and how many there are."""
    valued = rows.where(exp.Not(this=exp.Is(this=exp.column(of), expression=exp.Null())))
    ordered = exp.Order(expressions=[exp.Ordered(this=exp.column(name), desc=down) for name, down in order.items()])
    place = exp.Window(this=exp.RowNumber(), partition_by=[exp.column("partner_id")], order=ordered)
    many = exp.Window(this=exp.Count(this=exp.Star()), partition_by=[exp.column("partner_id")])
    placed = exp.select("partner_id", of, exp.alias_(place, "place"), exp.alias_(many, "many"))
    return placed.from_(valued.subquery("valued")).subquery("ranked")


def _latest(each: Half, lists: Lists) -> Query:
    """The value of the last row; ties are decided by known_at, then row_hash."""
    parameters: dict[str, object] = {}
    order = {each.measure.on: True, "known_at": True, "row_hash": True}
    ranked = _ranked(_counted(each, lists, parameters, order), each.measure.of, order)
    tree = exp.select("partner_id", exp.alias_(exp.column(each.measure.of), f"{each.name}__found"))
    return _query(tree.from_(ranked).where("place = 1"), parameters, each.window, [each.name])


def _median(each: Half, lists: Lists) -> Query:
    """The two middle values, by their places: percentiles differ between engines."""
    parameters: dict[str, object] = {}
    order = {each.measure.of: False}
    ranked = _ranked(_counted(each, lists, parameters, order), each.measure.of, order)
    ends = [exp.alias_(piece, f"{each.name}__{label}") for label, piece in _ends(each.measure.of)]
    tree = exp.select("partner_id", *ends).from_(ranked).where(*_MIDDLE).group_by("partner_id")
    return _query(tree, parameters, each.window, [each.name])


_BY_PLACE = {"latest": _latest, "median": _median}


def rows_query(each: Half, partner_id: str, lists: Lists, at_most: int) -> Query:
    """The rows behind one half of a signal for one partner: the same filter without the aggregate, newest first."""
    parameters: dict[str, object] = {"partner_id": partner_id}
    identity = TABLES[each.measure.table].identity or "own_id"
    day = exp.alias_(exp.column(each.measure.on), "day")
    shown = ("landing", "line", "source", "load_id")
    if each.measure.followed_by:
        rows = _followed_rows(each, lists, parameters, (identity, *shown)).subquery("rows_that_may_count")
        counted = exp.select("partner_id").from_(rows).where("counts")
    else:
        counted = _counted(each, lists, parameters)
    tree = (
        counted.select(exp.alias_(exp.column(identity), "row_id"), *shown, day, append=False)
        .where(exp.EQ(this=exp.column("partner_id"), expression=exp.Placeholder(this="partner_id")))
        .order_by(exp.Ordered(this=exp.column("day"), desc=True), "row_id")
        .limit(at_most)
    )
    return _query(tree, parameters, each.window, [each.name])
