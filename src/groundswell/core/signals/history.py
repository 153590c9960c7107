"""Signals at many month-ends in one pass over the activities, from the same declarations as on one day.

A row stands at the month-ends from the first that knows it to the one before a newer version; it lies in a window from
the first month-end that reaches it to the one before it drops out. So each row counts over one stretch of month-ends
[first_at, last_at), and what adds up (rows, sums, the last day) is folded once by partner and stretch. Distinct things
count over the union of their stretches. What does not add up over stretches (medians, extremes, things of `per`,
conditions that name the day) is measured a month-end at a time, as on one day.

Source of the method: engine.md section 2. Everything here must give what the day's own statements give: the tests hold
each signal at each month-end against them.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlglot import exp

from groundswell.core import conditions
from groundswell.core.conditions import DIALECT
from groundswell.core.signals import compile as day
from groundswell.core.signals import shapes
from groundswell.core.signals.compile import Half, Lists, Query
from groundswell.core.signals.windows import months_before
from groundswell.core.tables import fold
from groundswell.core.tables.contract import TABLES

Numbers = Mapping[str, np.ndarray]
AskNumbers = Callable[[str, Mapping[str, object]], Numbers]
"""Runs one SQL statement; each column as an array: numbers as float64 (nan: null), days as datetime64 (NaT), texts as
objects (None)."""

TABLE = "activities"
"""The one table that is read in one pass: it is many times larger than the others, and its rows hardly ever change."""
_ADDS_UP = frozenset({"count", "count distinct", "sum", "average", "any", "days since latest"})


@dataclass(frozen=True)
class MonthEnds:
    """Month-ends, oldest first, with the cut of each: the first moment after it in the home zone."""

    days: tuple[dt.date, ...]
    cuts: tuple[dt.datetime, ...]

    def __len__(self) -> int:
        return len(self.days)


def month_ends(as_of: dt.date, months: int) -> tuple[dt.date, ...]:
    """The last days of the `months` months that are complete on a day, oldest first; the day itself where it is one."""
    following = as_of + dt.timedelta(days=1)
    last = as_of if following.day == 1 else as_of.replace(day=1) - dt.timedelta(days=1)
    return tuple(months_before(last, ago) for ago in range(months - 1, -1, -1))


def adds_up(half: Half, lists: Lists) -> bool:
    """Whether a half can be measured in one pass over all month-ends."""
    measure = half.measure
    if (
        measure.table != TABLE
        or measure.per
        or measure.followed_by
        or measure.take not in _ADDS_UP
        or measure.on != "occurred_on"
    ):
        return False
    where = shapes.condition(measure, dict(lists))
    return where is None or not where.names_the_day


# ------------------------------------------------------------------------------------------------------ the stretches


def _reached(name: str, bounds: Sequence[str], at: Callable[[str], str]) -> str:
    """How many of the rising bounds a column has passed, as nested CASEs: few comparisons a row, in any SQL."""

    def between(low: int, high: int) -> str:
        if low == high:
            return str(low)
        middle = (low + high) // 2
        return f"case when {at(bounds[middle])} then {between(middle + 1, high)} else {between(low, middle)} end"

    return between(0, len(bounds))


def _first_known(ends: MonthEnds) -> str:
    cuts = [f"timestamptz '{cut:%Y-%m-%d %H:%M:%S}+00'" for cut in ends.cuts]
    return _reached("known_at", cuts, lambda cut: f"known_at >= {cut}")


def _passed(column: str, days: Sequence[dt.date]) -> str:
    """How many of the rising days lie before the column."""
    return _reached(column, [f"date '{one}'" for one in days], lambda one: f"{column} > {one}")


STRETCHES = "activities_stretches"
PEOPLE_AT, REDIRECTS_AT = "people_at", "redirects_at"
"""Relations that the caller lays out: (month_end, person_id, organisation_id) and (month_end, from_id, into_id), by place
of the month-end. Only what activities need of them: people of activities without a partner, organisations that were merged.
"""


def stretches_sql(ends: MonthEnds, once: bool) -> str:
    """The activities that reach a partner, each version with the stretch [first_at, last_at) of its month-ends.

    `once` says that no key comes twice. Reads `activities_versions`, `month_ends` (month_end), `people_at`, `redirects_at`;
    $home_zone is the caller's constant.
    """
    names = [name for name in ("own_id", *TABLES[TABLE].names, "occurred_at", "known_at") if name != "partner_id"]
    refers = [column.name for column in TABLES[TABLE].columns if column.refers]
    kept = ", ".join(f"s.{name}" for name in names)
    mapped = ", ".join(
        f"coalesce(r_{name}.into_id, s.{name}) as {name}" if name in refers else f"s.{name}" for name in names
    )
    joins = "".join(
        f"\n  left join {REDIRECTS_AT} as r_{name} on r_{name}.from_id = s.{name} and r_{name}.month_end = m.month_end"
        for name in refers
    )
    merged = " or ".join(f"s.{name} in (select from_id from {REDIRECTS_AT})" for name in refers)
    begins = f"greatest(known_from, {_passed('occurred_on', ends.days)})"
    return f"""
with spans as ({_spans(ends, once)}),
stands as (select *, {begins} as first_at from spans where not deleted),
lasting as (select * from stands where first_at < last_at)
select {kept}, s.partner_id, s.occurred_on, s.first_at, s.last_at from lasting as s
where (s.partner_id is not null or s.person_id is null) and ({merged}) is not true
union all
select {mapped}, coalesce(r_partner_id.into_id, s.partner_id) as partner_id, s.occurred_on, m.month_end, m.month_end + 1
from lasting as s join month_ends as m on m.month_end >= s.first_at and m.month_end < s.last_at{joins}
where (s.partner_id is not null or s.person_id is null) and ({merged})
union all
select {mapped}, h.organisation_id as partner_id, s.occurred_on, m.month_end, m.month_end + 1
from lasting as s join month_ends as m on m.month_end >= s.first_at and m.month_end < s.last_at
  left join {PEOPLE_AT} as h on h.person_id = s.person_id and h.month_end = m.month_end{joins}
where s.partner_id is null and s.person_id is not null"""


def _spans(ends: MonthEnds, once: bool) -> str:
    """Every version with the month-ends [known_from, last_at) at which it is the latest of its key and source."""
    own = ", ".join(("own_id", *TABLES[TABLE].names, "occurred_at", "known_at"))
    day_ = "coalesce(occurred_on, cast({} at time zone $home_zone as date)) as occurred_on"
    until = str(len(ends))
    if once:
        return f"""select {own}, deleted, {day_.format("known_at")}, {_first_known(ends)} as known_from, {until} as last_at
  from activities_versions"""
    order = f"{fold.STAMP} desc, known_at desc, {fold.STATED} desc, row_hash desc, deleted desc"
    return f"""
  with repeated as (select own_id from activities_versions group by own_id having count(*) > 1),
  several as (
    select v.*, {_first_known(ends)} as known_from, min(known_at) over (partition by v.own_id) as first_known_at
    from activities_versions as v join repeated as r on r.own_id = v.own_id),
  followed as (
    select *, min(known_from) over (partition by own_id, source, mention order by {order}
        rows between unbounded preceding and 1 preceding) as followed_from from several)
  select {own}, deleted, {day_.format("known_at")}, {_first_known(ends)} as known_from, {until} as last_at
  from activities_versions where own_id not in (select own_id from repeated)
  union all
  select {own}, deleted, {day_.format("first_known_at")}, known_from, coalesce(followed_from, {until}) as last_at
  from followed"""


# ------------------------------------------------------------------------------------------------------ the statements


@dataclass(frozen=True)
class Series:
    """One half of a signal at every month-end; all are the same measure, each with its own window."""

    halves: tuple[Half, ...]

    @property
    def name(self) -> str:
        """Prefix of its pieces."""
        return self.halves[0].name

    @property
    def windows(self) -> tuple[tuple[dt.date | None, dt.date], ...]:
        """(after, until) at each month-end."""
        return tuple((one.window.after, one.window.until) for one in self.halves)


@dataclass
class Grid:
    """Pieces of halves by partner and month-end: {half: {piece: array of shape (partners, month-ends)}}."""

    partners: list[str]
    pieces: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


def rises(series: Series) -> bool:
    """Whether its windows only ever move forward, so that a row enters once and leaves once."""
    for ends in zip(*series.windows, strict=True):
        days = [one or dt.date.min for one in ends]
        if days != sorted(days):
            return False
    return True


def grid(series: Iterable[Series], lists: Lists, partners: Sequence[str], months: int, ask: AskNumbers) -> Grid:
    """The pieces of all series for these partners, from a few statements over `activities_stretches`.

    `partners` are those of any month-end, sorted; the relation `partner_places` (partner_id, place) holds the same.
    """
    found = Grid(list(partners))
    shared: dict[tuple[tuple[dt.date | None, dt.date], ...], list[Series]] = {}
    for one in series:
        shared.setdefault(one.windows, []).append(one)
    for members in shared.values():
        _add_up(members, lists, months, ask, found)
        for one in members:
            if one.halves[0].measure.take == "count distinct":
                _count_distinct(one, lists, months, ask, found)
    return found


def _rows(windows: tuple[tuple[dt.date | None, dt.date], ...], columns: Iterable[str], months: int) -> str:
    """The rows that lie in any of the windows, each with its partner's place and the stretch at which it does."""
    enters = _passed("occurred_on", [until for _, until in windows])
    begun = [after for after, _ in windows if after is not None]
    leaves = _passed("occurred_on", begun) if begun else str(months)
    limits = [f"occurred_on <= date '{windows[-1][1]}'", *(f"occurred_on > date '{one}'" for one in begun[:1])]
    read = ", ".join(f"r.{name}" for name in sorted({"occurred_on", *columns} - {"partner_id"}))
    return f"""
select p.place, {read}, greatest(r.first_at, {enters}) as first_at, least(r.last_at, {leaves}) as last_at
from {STRETCHES} as r join partner_places as p on p.partner_id = r.partner_id
where {" and ".join(limits)}"""


def _statement(rows: str, selected: Sequence[exp.Expr], keys: Sequence[str], parameters: dict[str, object]) -> Query:
    relation = _parsed(rows).subquery("r")
    tree = exp.select(*keys, *selected).from_(relation).where("first_at < last_at").group_by(*keys)
    return Query(tree.sql(dialect=DIALECT), parameters)


def _parsed(sql: str) -> exp.Select:
    return exp.maybe_parse(sql, into=exp.Select, dialect=DIALECT)


def _condition(half: Half, lists: Lists, parameters: dict[str, object]) -> exp.Expr | None:
    where = shapes.condition(half.measure, dict(lists))
    return conditions.to_tree(where, parameters, "w") if where else None


_STRETCH = ("place", "first_at", "last_at")


def _add_up(members: list[Series], lists: Lists, months: int, ask: AskNumbers, found: Grid) -> None:
    """What is folded by partner and stretch: rows, sums and last days."""
    parameters: dict[str, object] = {}
    selected: list[exp.Expr] = []
    for one in members:
        selected += day.pieces(one.halves[0], _condition(one.halves[0], lists, parameters), whole=False)
    read = {name for one in members for name in shapes.columns(one.halves[0].measure, dict(lists))}
    query = _statement(_rows(members[0].windows, read, months), selected, _STRETCH, parameters)
    rows = ask(query.sql, query.parameters)
    place, first, last = (rows[name].astype(np.int64) for name in _STRETCH)
    shape = (len(found.partners), months)
    for one in members:
        prefix = f"{one.name}__"
        for label in [name for name in rows if name.startswith(prefix)]:
            spread = _latest if label == f"{prefix}last" else _summed
            found.pieces.setdefault(one.name, {})[label.removeprefix(prefix)] = spread(
                shape, place, first, last, rows[label]
            )


def _summed(
    shape: tuple[int, int], place: np.ndarray, first: np.ndarray, last: np.ndarray, what: np.ndarray
) -> np.ndarray:
    """The sum at each month-end of what stands at it: added where a stretch begins, taken off where it ends."""
    kept = ~np.isnan(what) & (what != 0)
    width = shape[1] + 1
    steps = np.bincount(place[kept] * width + first[kept], what[kept], shape[0] * width)
    steps -= np.bincount(place[kept] * width + last[kept], what[kept], shape[0] * width)
    return steps.astype(np.float64).reshape(shape[0], width)[:, :-1].cumsum(axis=1)


def _latest(
    shape: tuple[int, int], place: np.ndarray, first: np.ndarray, last: np.ndarray, what: np.ndarray
) -> np.ndarray:
    """The latest day at each month-end of those that stand at it; NaT where none does."""
    kept, nothing = ~np.isnat(what), np.iinfo(np.int64).min  # as whole numbers NaT is the least
    days = what.astype("datetime64[D]").astype(np.int64)
    found = np.full(shape, nothing)
    for at in range(shape[1]):
        here = kept & (first <= at) & (at < last)
        np.maximum.at(found[:, at], place[here], days[here])
    return found.astype("datetime64[D]")


def _count_distinct(one: Series, lists: Lists, months: int, ask: AskNumbers, found: Grid) -> None:
    """Distinct things: each counts over the union of its stretches, a stretch only for what those before it leave."""
    half, parameters = one.halves[0], dict[str, object]()
    when = _condition(half, lists, parameters)
    thing = exp.alias_(day.folded(half.measure), "thing")
    rows = _parsed(_rows(one.windows, shapes.columns(half.measure, dict(lists)), months))
    kept = exp.select("place", thing, "first_at", "last_at").from_(rows.subquery("r")).where("first_at < last_at")
    kept = kept.where(when) if when is not None else kept
    things = kept.sql(dialect=DIALECT)
    sql = f"""
with things as (
  select place, thing, first_at, max(last_at) as last_at from ({things}) as t where thing is not null
  group by place, thing, first_at),
followed as (
  select place, first_at, last_at, max(last_at) over (partition by place, thing order by first_at
      rows between unbounded preceding and 1 preceding) as taken_to from things),
left_over as (
  select place, case when taken_to > first_at then taken_to else first_at end as first_at, last_at from followed)
select place, first_at, last_at, count(*) as found from left_over where first_at < last_at
group by place, first_at, last_at"""
    told = ask(sql, parameters)
    place, first, last = (told[name].astype(np.int64) for name in _STRETCH)
    grid_ = _summed((len(found.partners), months), place, first, last, told["found"])
    found.pieces.setdefault(one.name, {})["found"] = grid_


# -------------------------------------------------------------------------------------------------------- the coverage


def covered(months: int, ask: AskNumbers) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What the activities hold at each month-end: {column: rows that fill it} with `rows_`, and {type: its first day}."""
    columns = [name for name in shapes.kinds(TABLE) if name not in shapes.personal(TABLE)]
    said = ", ".join(f"count({name}) as {name}" for name in columns)
    rows = ask(f"select first_at, last_at, count(*) as rows_, {said} from {STRETCHES} group by first_at, last_at", {})
    first, last = rows["first_at"].astype(np.int64), rows["last_at"].astype(np.int64)
    nobody = np.zeros(len(first), dtype=np.int64)
    counts = {
        name: _summed((1, months), nobody, first, last, what)[0] for name, what in rows.items() if name not in _STRETCH
    }
    days = ask(
        f"select type, first_at, last_at, min(occurred_on) as day from {STRETCHES} group by type, first_at, last_at", {}
    )
    firsts = {}
    for word in sorted(set(days["type"])):
        mine = days["type"] == word
        begin, end = days["first_at"][mine], days["last_at"][mine]
        firsts[word] = _earliest(months, begin, end, days["day"][mine])
    return counts, firsts


def _earliest(months: int, first: np.ndarray, last: np.ndarray, what: np.ndarray) -> np.ndarray:
    standing = [what[(first <= at) & (at < last) & ~np.isnat(what)] for at in range(months)]
    return np.array([days.min() if len(days) else np.datetime64("NaT") for days in standing], dtype="datetime64[D]")
