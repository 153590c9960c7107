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
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlglot import exp

from groundswell.core.conditions import DIALECT
from groundswell.core.signals import compile as day
from groundswell.core.signals import shapes
from groundswell.core.signals.compile import Half, Lists
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

    def first_at(self, known_at: dt.datetime) -> int:
        """The place of the first month-end that knows what was known at a moment; how many there are if none does."""
        return bisect_right(self.cuts, known_at)


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


def reached(bounds: Sequence[str], at: Callable[[str], str]) -> str:
    """How many of the rising bounds a row has reached, as nested CASEs: few comparisons a row, in any SQL."""

    def between(low: int, high: int) -> str:
        if low == high:
            return str(low)
        middle = (low + high) // 2
        return f"case when {at(bounds[middle])} then {between(middle + 1, high)} else {between(low, middle)} end"

    return between(0, len(bounds))


def first_known(ends: MonthEnds) -> str:
    """SQL of the first month-end that knows a version: how many cuts its `known_at` has reached."""
    cuts = [f"timestamptz '{cut:%Y-%m-%d %H:%M:%S}+00'" for cut in ends.cuts]
    return reached(cuts, lambda cut: f"known_at >= {cut}")


def passed(column: str, days: Sequence[dt.date]) -> str:
    """How many of the rising days lie before the column."""
    return reached([f"date '{one}'" for one in days], lambda one: f"{column} > {one}")


STRETCHES, KNOWN = "activities_stretches", "activities_known"
PEOPLE_AT, REDIRECTS_AT = "people_at", "redirects_at"
"""Relations that the caller lays out: (month_end, person_id, organisation_id) and (month_end, from_id, into_id), by place
of the month-end. Only what activities need of them: people of activities without a partner, organisations that were merged.
"""


@dataclass(frozen=True)
class Shape:
    """What is known of all versions of the activities; less gives the same rows for more work.

    `once`: no key comes twice. `named`: each names its partner. `merged`: some id gives way to another.
    """

    once: bool = False
    named: bool = False
    merged: bool = True


def stretches_sql(ends: MonthEnds, shape: Shape) -> str:
    """The activities that reach a partner, each version with the stretch [first_at, last_at) of its month-ends.

    Reads `activities_known` (the versions, with `known_from`: see `first_known`), `month_ends` (month_end), `people_at`,
    `redirects_at`; $home_zone is the caller's constant.
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
    begins = f"greatest(known_from, {passed('occurred_on', ends.days)})"
    named, straight = "(s.partner_id is not null or s.person_id is null)", f"({merged}) is not true"
    parts = [
        f"""
select {kept}, s.partner_id, s.occurred_on, s.first_at, s.last_at from lasting as s
where {" and ".join(["true", *([] if shape.named else [named]), *([straight] if shape.merged else [])])}"""
    ]
    at_each = "lasting as s join month_ends as m on m.month_end >= s.first_at and m.month_end < s.last_at"
    if shape.merged:
        parts.append(f"""
select {mapped}, coalesce(r_partner_id.into_id, s.partner_id) as partner_id, s.occurred_on, m.month_end, m.month_end + 1
from {at_each}{joins}
where {named} and ({merged})""")
    if not shape.named:
        parts.append(f"""
select {mapped}, h.organisation_id as partner_id, s.occurred_on, m.month_end, m.month_end + 1
from {at_each}
  left join {PEOPLE_AT} as h on h.person_id = s.person_id and h.month_end = m.month_end{joins}
where s.partner_id is null and s.person_id is not null""")
    return f"""
with spans as ({_spans(ends, shape.once)}),
stands as (select *, {begins} as first_at from spans where not deleted),
lasting as (select * from stands where first_at < last_at){" union all".join(parts)}"""


def _spans(ends: MonthEnds, once: bool) -> str:
    """Every version with the month-ends [known_from, last_at) at which it is the latest of its key and source."""
    own = ", ".join(("own_id", *TABLES[TABLE].names, "occurred_at", "known_at"))
    day_ = "coalesce(occurred_on, cast({} at time zone $home_zone as date)) as occurred_on"
    until = str(len(ends))
    if once:
        return f"""select {own}, deleted, {day_.format("known_at")}, known_from, {until} as last_at
  from {KNOWN}"""
    order = f"{fold.STAMP} desc, known_at desc, {fold.STATED} desc, row_hash desc, deleted desc"
    return f"""
  with repeated as (select own_id from {KNOWN} group by own_id having count(*) > 1),
  several as (
    select v.*, min(known_at) over (partition by v.own_id) as first_known_at
    from {KNOWN} as v join repeated as r on r.own_id = v.own_id),
  followed as (
    select *, min(known_from) over (partition by own_id, source, mention order by {order}
        rows between unbounded preceding and 1 preceding) as followed_from from several)
  select {own}, deleted, {day_.format("known_at")}, known_from, {until} as last_at
  from {KNOWN} where own_id not in (select own_id from repeated)
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


def grid(series: Iterable[Series], lists: Lists, partners: Sequence[str], ends: MonthEnds, ask: AskNumbers) -> Grid:
    """The pieces of all series for these partners, from a few statements over `activities_stretches`.

    `partners` are those of any month-end, sorted; the relation `partner_places` (partner_id, place) holds the same.
    """
    found = Grid(list(partners))
    shared: dict[tuple[tuple[dt.date | None, dt.date], ...], list[Series]] = {}
    for one in series:
        if one.halves[0].measure.take == "count distinct":
            _count_distinct(one, lists, ends, ask, found)
        else:
            shared.setdefault(one.windows, []).append(one)
    for members in shared.values():
        _add_up(members, lists, ends, ask, found)
    return found


def _rows(windows: tuple[tuple[dt.date | None, dt.date], ...], columns: Iterable[str], ends: MonthEnds) -> str:
    """The rows that lie in any of the windows, each with the stretch at which it does."""
    until = [until for _, until in windows]
    begun = [after for after, _ in windows if after is not None]
    limits = [f"occurred_on <= date '{until[-1]}'", *(f"occurred_on > date '{one}'" for one in begun[:1])]
    enters = "r.first_at" if until == list(ends.days) else f"greatest(r.first_at, {passed('occurred_on', until)})"
    leaves = f"least(r.last_at, {passed('occurred_on', begun)})" if begun else "r.last_at"
    read = ", ".join(f"r.{name}" for name in sorted({"occurred_on", "partner_id", *columns}))
    return f"""
select {read}, {enters} as first_at, {leaves} as last_at
from {STRETCHES} as r where {" and ".join(limits)}"""


def _parsed(sql: str) -> exp.Select:
    return exp.maybe_parse(sql, into=exp.Select, dialect=DIALECT)


def _placed(folded: exp.Select, columns: Iterable[str]) -> str:
    """What was folded by partner and whatever else, `f`, with the place of the partner."""
    rows = folded.sql(dialect=DIALECT)
    return f"select p.place, {', '.join(columns)} from ({rows}) as f join partner_places as p on p.partner_id = f.partner_id"


_STRETCH = ("place", "first_at", "last_at")


def _add_up(members: list[Series], lists: Lists, ends: MonthEnds, ask: AskNumbers, found: Grid) -> None:
    """What is folded by partner and stretch: rows, sums and last days."""
    parameters: dict[str, object] = {}
    firsts = [one.halves[0] for one in members]
    whens, counting, sure = day.whether_counted(firsts, lists, parameters)
    selected = [
        piece for each in firsts for piece in day.pieces(each, whens[each.measure.where], whole=False, sure=sure)
    ]
    read = {name for each in firsts for name in shapes.columns(each.measure, dict(lists))}
    relation = _parsed(_rows(members[0].windows, read, ends)).subquery("r")
    keys = ("partner_id", "first_at", "last_at")
    tree = exp.select(*keys, *selected).from_(relation).where("first_at < last_at", *counting).group_by(*keys)
    named = [*keys[1:], *(piece.alias for piece in selected)]
    rows = ask(_placed(tree, [f"f.{name}" for name in named]), parameters)
    place, first, last = (rows[name].astype(np.int64) for name in _STRETCH)
    shape = (len(found.partners), len(ends))
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
    stays = kept & (last == shape[1])
    np.maximum.at(found, (place[stays], first[stays]), days[stays])
    found = np.maximum.accumulate(found, axis=1)
    ends = kept & ~stays
    place, first, last, days = place[ends], first[ends], last[ends], days[ends]
    for at in range(shape[1]):
        here = (first <= at) & (at < last)
        np.maximum.at(found[:, at], place[here], days[here])
    return found.astype("datetime64[D]")


_BITS = 48
"""Month-ends that one number holds as bits: below 2^53 it is exact in a float, too."""


def _count_distinct(one: Series, lists: Lists, ends: MonthEnds, ask: AskNumbers, found: Grid) -> None:
    """Distinct things: each counts at the union of its stretches, which is folded as a set of month-ends in bits.

    Of rows that count, and of those that may, only whether there are any is known, which is all that their value asks.
    """
    half, parameters = one.halves[0], dict[str, object]()
    whens, counting, sure = day.whether_counted([half], lists, parameters)
    when = whens[half.measure.where]
    sets = {}
    for number in range(0, len(ends), _BITS):
        first, last = (f"least(greatest({name} - {number}, 0), {_BITS})" for name in ("first_at", "last_at"))
        bits = f"standing_at({first}, {last})" if len(ends) > _BITS else "standing_at(first_at, last_at)"
        sets[f"counts_{number}"] = f"at_any(case when counts then {bits} end)"
        if not sure:
            sets[f"unclear_{number}"] = f"at_any(case when counts is null then {bits} end)"
    rows = _parsed(_rows(one.windows, shapes.columns(half.measure, dict(lists)), ends))
    thing, counts = (
        exp.alias_(day.folded(half.measure), "thing"),
        exp.alias_(when if when is not None else exp.true(), "counts"),
    )
    kept = exp.select("partner_id", thing, counts, "first_at", "last_at").from_(rows.subquery("r"))
    kept = kept.where("first_at < last_at", *counting)
    folded = exp.select("partner_id", "thing", *(f"{said} as {name}" for name, said in sets.items()), dialect=DIALECT)
    folded = folded.from_(kept.subquery("k")).group_by("partner_id", "thing")
    told = ask(_placed(folded, ["case when f.thing is null then 0 else 1 end as is_thing", *sets]), parameters)
    there = told["is_thing"] > 0
    pieces = {label: np.zeros((len(found.partners), len(ends))) for label in ("found", "empty", "unclear")}
    for name in sets:
        label, begins = name.split("_")[0], int(name.split("_")[1])
        kinds = {"found": there, "empty": ~there} if label == "counts" else {label: np.ones(len(there), dtype=bool)}
        for piece, rows_ in kinds.items():
            place, held = told["place"][rows_].astype(np.int64), np.nan_to_num(told[name][rows_]).astype(np.int64)
            for at in range(begins, min(begins + _BITS, len(ends))):
                standing = place[(held >> (at - begins)) & 1 > 0]
                pieces[piece][:, at] = np.bincount(standing, minlength=len(found.partners))
    found.pieces[one.name] = pieces | {"n": pieces["found"] + pieces["empty"]}


# -------------------------------------------------------------------------------------------------------- the coverage


def covered(
    months: int, columns: Iterable[str], ask: AskNumbers
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What the activities hold at each month-end: {column: rows that fill it} with `rows_`, and {type: its first day}."""
    names = sorted(columns)
    said = "".join(f", count({name}) as {name}" for name in names)
    rows = ask(
        f"select type as word, first_at, last_at, count(*) as rows_, min(occurred_on) as day{said} from {STRETCHES} "
        "group by type, first_at, last_at",
        {},
    )
    first, last = rows["first_at"].astype(np.int64), rows["last_at"].astype(np.int64)
    nobody = np.zeros(len(first), dtype=np.int64)
    counts = {name: _summed((1, months), nobody, first, last, rows[name])[0] for name in ("rows_", *names)}
    firsts = {}
    for word in sorted(set(rows["word"])):
        mine = rows["word"] == word
        firsts[word] = _earliest(months, first[mine], last[mine], rows["day"][mine])
    return counts, firsts


def _earliest(months: int, first: np.ndarray, last: np.ndarray, what: np.ndarray) -> np.ndarray:
    standing = [what[(first <= at) & (at < last) & ~np.isnat(what)] for at in range(months)]
    return np.array([days.min() if len(days) else np.datetime64("NaT") for days in standing], dtype="datetime64[D]")
