"""What measures mean, told once more in plain Python over literal rows: no SQL, no windows of an engine, no sharing.

Slow and simple on purpose: every other way of measuring (the SQL of a day, of many days, of another engine) can be
compared with it. It reads the same declarations, works out which rows count one by one, and folds them into the pieces
that `values` takes. `values` and the days of a window are plain Python already and are not told again.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from sqlglot import exp

from groundswell.core import conditions
from groundswell.core.declare import Measure, Policy, Value
from groundswell.core.signals import shapes
from groundswell.core.signals.fiscal import Calendar
from groundswell.core.signals.values import Covered, value
from groundswell.core.signals.windows import Window, window
from groundswell.core.tables import views
from groundswell.core.tables.contract import TABLES

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
KINDS = {"activities": "type", "readings": "kind", "funds": "kind"}
"""Tables whose sources may bring some kinds of rows and not others, by the column that tells them."""


def values_of(policy: Policy, partner: str, tables: Tables, as_of: dt.date) -> dict[str, Value]:
    """Every signal of one partner as of a day, from rows that are already cut at the day."""
    found = {}
    for name, signal in policy.signals.items():
        halves = []
        parts = list(shapes.halves(signal.measure))
        for number, part in enumerate(parts):
            days = window(part.window, part.shift, as_of, Calendar(policy.instance.fiscal_first_month))
            pieces = pieces_of(part, days, [row for row in tables.get(part.table, ()) if row["partner_id"] == partner])
            joined = Measure(**{**part.__dict__, "how": signal.measure.how}) if not number else part
            halves.append((joined, days, pieces, covered(part, tables.get(part.table, ()))))
        found[name] = value(signal, halves)
    return found


def covered(measure: Measure, rows: Sequence[Row]) -> Covered:
    """What any source brings of what one half needs."""
    if not rows:
        return Covered(None, (measure.table,))
    derived = views.DERIVED.get(measure.table, {})
    empty = [name for name in shapes.columns(measure, {}) if all(row.get(name) is None for row in rows)]
    missing = {c for name in empty for c in (derived[name][1] if name in derived else (f"{measure.table}.{name}",))}
    if missing:
        return Covered(None, tuple(sorted(missing)))
    firsts = []
    for text in [measure.where, *([measure.followed_by.where] if measure.followed_by else [])]:
        words = _words(measure.table, text)
        days = [row[measure.on] for row in rows if not words or row[KINDS[measure.table]] in words]
        days = [day for day in days if day is not None]
        if words and not days:
            return Covered(None, ("rows of this kind",))
        firsts.append(min(days, default=None))
    return Covered(None if None in firsts else max(firsts))


def _words(table: str, text: str) -> frozenset[str]:
    return conditions.parse(text, shapes.kinds(table)).words(KINDS[table]) if text and table in KINDS else frozenset()


# ---------------------------------------------------------------------------------------------------------- pieces


def pieces_of(measure: Measure, days: Window, rows: Sequence[Row]) -> dict[str, object] | None:
    """What the rows of one partner give: how many count, are unclear or empty, and what the fold makes of them."""
    said = [(row, _counts(measure, days, row, rows)) for row in rows]
    within = [(row, says) for row, says in said if says is not False]
    kept = [row for row, says in within if says]
    pieces: dict[str, object] = {"unclear": sum(1 for _, says in within if says is None)}
    if measure.per:
        things = _things(measure, days, kept)
        return (
            pieces | {"rows": len(kept), "n": len(things)} | _fold(measure, [thing.get(measure.of) for thing in things])
        )
    pieces["n"] = len(kept)
    if measure.take == "latest":
        kept = sorted(kept, key=lambda row: (row[measure.on], row["known_at"], row["row_hash"]))
        valued = [row for row in kept if row[measure.of] is not None]
        pieces["empty"] = len(kept) - len(valued)
        return pieces | ({"found": valued[-1][measure.of]} if valued else {})
    if measure.take == "days since latest":
        return pieces | {"last": max((row[measure.on] for row in kept if row[measure.on]), default=None)}
    of = measure.of or ("group_key" if measure.take == "count" and measure.table == "deals" else "")
    if not of:
        return pieces
    taken = [_period(row[measure.on], of) if of in shapes.PERIODS else row.get(of) for row in kept]
    pieces["empty"] = sum(1 for cell in taken if cell is None)
    return pieces | _fold(measure, taken)


def _fold(measure: Measure, cells: list[Any]) -> dict[str, object]:
    there = sorted(cell for cell in cells if cell is not None)
    if measure.take in ("sum", "average"):
        return {"total": sum(there)}
    if measure.take == "median":
        middle = [there[(len(there) - 1) // 2], there[len(there) // 2]] if there else [None, None]
        return {"low": middle[0], "high": middle[1]}
    if measure.take in ("lowest", "highest"):
        return {"found": (there[0] if measure.take == "lowest" else there[-1]) if there else None}
    if measure.take in ("count", "count distinct") and (measure.of or not measure.per):
        return {"found": len(set(there))}
    return {}


def _things(measure: Measure, days: Window, rows: list[Row]) -> list[dict[str, Any]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        if row[measure.per] is not None:
            groups.setdefault(row[measure.per], []).append(row)
    things = []
    for group in groups.values():
        thing: dict[str, Any] = {}
        for name, sub in measure.each.items():
            mine = [row for row in group if not sub.where or _holds(measure.table, sub.where, row, days) is True]
            cells = [row[sub.of] for row in mine if row[sub.of] is not None] if sub.of else [1] * len(mine)
            thing[name] = {
                "count": lambda cells: len(set(cells)) if sub.of else len(cells),  # noqa: B023 - called at once
                "count distinct": lambda cells: len(set(cells)),
                "sum": lambda cells: sum(cells) if cells else None,
                "lowest": lambda cells: min(cells, default=None),
                "highest": lambda cells: max(cells, default=None),
            }[sub.take](cells)
        tree = conditions.parse(measure.keep, shapes.made(measure)).tree if measure.keep else None
        if tree is None or _truth(tree, thing, days) is True:
            things.append(thing)
    return things


def _period(day: dt.date | None, unit: str) -> dt.date | None:
    if day is None or unit == "day":
        return day
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[unit]
    return dt.date(day.year, month, 1)


def _counts(measure: Measure, days: Window, row: Row, rows: Sequence[Row]) -> bool | None:
    """Whether a row counts: in the window, by its condition, and by what follows it."""
    day = row[measure.on]
    if day is None and measure.on == "occurred_on":
        return False
    inside = None if day is None else day <= days.until and (days.after is None or day > days.after)
    says = [inside, _holds(measure.table, measure.where, row, days) if measure.where else True]
    if measure.followed_by:
        says.append(_followed(measure, row, rows, days))
    return False if False in says else None if None in says else True


def _followed(measure: Measure, row: Row, rows: Sequence[Row], days: Window) -> bool | None:
    follows = measure.followed_by
    assert follows is not None
    if row[follows.same] is None:
        return None
    return any(
        other[follows.same] == row[follows.same]
        and row[measure.on] <= other[measure.on] <= min(row[measure.on] + dt.timedelta(days=follows.within), days.until)
        and _holds(measure.table, follows.where, other, days) is True
        for other in rows
        if other[measure.on] is not None
    )


# ------------------------------------------------------------------------------------------------------ conditions


def _holds(table: str, text: str, row: Row, days: Window) -> bool | None:
    return _truth(_tree(table, text), row, days)


@cache
def _tree(table: str, text: str) -> exp.Expr:
    return conditions.parse(text, shapes.kinds(table)).tree


_SIGNS: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
}


def _truth(node: exp.Expr, row: Row, days: Window) -> bool | None:
    """True, false or unknown, by the rules of SQL."""
    if isinstance(node, exp.Paren):
        return _truth(node.this, row, days)
    if isinstance(node, exp.Not):
        inner = _truth(node.this, row, days)
        return None if inner is None else not inner
    if isinstance(node, (exp.And, exp.Or)):
        sides = (_truth(node.this, row, days), _truth(node.expression, row, days))
        decisive = isinstance(node, exp.Or)
        return decisive if decisive in sides else None if None in sides else not decisive
    if isinstance(node, exp.Is):
        return _cell(node.this, row, days) is None
    if isinstance(node, exp.In):
        left = _cell(node.this, row, days)
        return None if left is None else left in [_cell(one, row, days) for one in node.expressions]
    if type(node) in _SIGNS:
        sides = (_cell(node.this, row, days), _cell(node.expression, row, days))
        return None if None in sides else _SIGNS[type(node)](*sides)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "has":
        labels, word = (_cell(one, row, days) for one in node.expressions)
        return None if labels is None else word in labels
    if isinstance(node, exp.Column):
        found = row[node.name]
        assert found in (True, False, None)
        return found  # type: ignore[no-any-return]
    raise NotImplementedError(node.sql())


def _cell(node: exp.Expr, row: Row, days: Window) -> Any:
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else Fraction(node.name)
    if isinstance(node, exp.Column):
        return days.until if node.name == "as_of" else row[node.name]
    if isinstance(node, exp.Lower):
        text = _cell(node.this, row, days)
        return None if text is None else text.lower()
    if isinstance(node, exp.Anonymous) and node.name.lower() == "days":
        start, end = (_cell(one, row, days) for one in node.expressions)
        return None if start is None or end is None else (end - start).days
    raise NotImplementedError(node.sql())


def whole(table: str, row: Row) -> dict[str, Any]:
    """A row with every column that signals can read, empty where it is not said."""
    identity = TABLES[table].identity
    blank = dict.fromkeys([*shapes.kinds(table), *([identity] if identity else [])])
    return {**blank, **row}
