"""Signals at many month-ends in one pass over activities and one over deals, from the same declarations as on one day.

A row stands at the month-ends from the first that knows it to the one before a newer version; it lies in a window from
the first month-end that reaches it to the one before it drops out. So each row counts over one stretch of month-ends
[first_at, last_at), and what adds up (rows, sums, the last day) is folded once for all windows, by partner, stretch and
the bounds of windows between which its day lies; over activities month by month, since each has few groups. Distinct
things count over the union of their stretches. Rows of medians are put in order once, and those of each month-end
picked from them. Where a condition names the day, the rows that may count are asked at each month-end of their stretch.
Everything else (extremes, things of `per`, what follows a row) is measured a month-end at a time, as on one day.

Source of the method: engine.md section 2. Everything here must give what the day's own statements give: the tests hold
each signal at each month-end against them.
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlglot import exp

from groundswell.core.conditions import DIALECT
from groundswell.core.declare import Measure
from groundswell.core.signals import compile as day
from groundswell.core.signals import shapes
from groundswell.core.signals.compile import Half, Lists
from groundswell.core.signals.stretches import Latest, Stretches, Sums, WholeSums, earliest, middles
from groundswell.core.signals.windows import months_before
from groundswell.core.tables import fold
from groundswell.core.tables.contract import DECIMALS, TABLES

Numbers = Mapping[str, np.ndarray]
AskNumbers = Callable[[str, Mapping[str, object]], Iterator[Numbers]]
"""Runs one SQL statement; some of its rows at a time, at least once, each column as an array: numbers as float64 (nan:
null), days as datetime64 (NaT), texts as objects (None)."""


def whole(batches: Iterable[Numbers]) -> Numbers:
    """All rows of a statement."""
    every = list(batches)
    return {name: np.concatenate([one[name] for one in every]) for name in every[0]} if every[1:] else every[0]


TABLE = "activities"
"""The table that is never laid out whole: it is many times larger than the others, and its rows hardly ever change."""
LAID = {TABLE: "activities_stretches", "deals": "deals_laid"}
"""The tables that are read in one pass, and the relation of the rows of each that reach a partner, with their stretches."""
_WHOSE = {TABLE: "partner_id", "deals": "place"}
"""By what rows are grouped: where a table is laid, the place of the partner lies in it; else folded rows are given theirs."""
_ADDS_UP = frozenset({"count", "count distinct", "sum", "average", "any", "days since latest"})
_WHOLE = "decimal(38, 0)"


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


def in_one_pass(half: Half, lists: Lists) -> bool:
    """Whether a half can be measured in one pass over all month-ends."""
    measure = half.measure
    if measure.table not in LAID or measure.per or measure.followed_by:
        return False
    return measure.take in _ADDS_UP or (measure.take == "median" and not _names_the_day(half, lists))


def _names_the_day(half: Half, lists: Lists) -> bool:
    where = shapes.condition(half.measure, dict(lists))
    return where is not None and where.names_the_day


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


Days = tuple[dt.date, dt.date]
"""The first and the last of some days."""


def passed(column: str, days: Sequence[dt.date], within: Days | None = None) -> str:
    """How many of the rising days lie before the column, all whose days lie `within` these."""
    sure = bisect_left(days, within[0]) if within else 0
    open_ = [one for one in days[sure:] if not within or one < within[1]]
    found = reached([f"date '{one}'" for one in open_], lambda one: f"{column} > {one}")
    return f"{sure} + ({found})" if sure else found


STRETCHES, KNOWN, PLACES = "activities_stretches", "activities_known", "places"
PEOPLE_AT, REDIRECTS_AT = "people_at", "redirects_at"
"""Relations that the caller lays out: (month_end, person_id, organisation_id) and (month_end, from_id, into_id), by place
of the month-end. Only what activities need of them: people of activities without a partner, organisations that were merged.
"""


@dataclass(frozen=True)
class Shape:
    """What is known of all versions of the activities; less gives the same rows for more work.

    `once`: no key comes twice. `named`: each names its partner. `merged`: some id gives way to another. `dated`: each says
    its day, so that files whose days lie outside a window need not be read.
    """

    once: bool = False
    named: bool = False
    merged: bool = True
    dated: bool = False


def stretches_sql(ends: MonthEnds, shape: Shape, known: str = KNOWN, within: Days | None = None) -> str:
    """The activities that reach a partner, each version with the stretch [first_at, last_at) of its month-ends.

    Reads `known` (the versions, with `known_from`: see `first_known`), all whose days lie `within` these; `month_ends`
    (month_end), `people_at`, `redirects_at`; $home_zone is the caller's constant.
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
    begins = f"greatest(known_from, {passed('occurred_on', ends.days, within)})"
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
with spans as ({_spans(ends, shape, known)}),
stands as (select *, {begins} as first_at from spans where not deleted),
lasting as (select * from stands where first_at < last_at){" union all".join(parts)}"""


def _spans(ends: MonthEnds, shape: Shape, known: str) -> str:
    """Every version with the month-ends [known_from, last_at) at which it is the latest of its key and source."""
    own = ", ".join(("own_id", *TABLES[TABLE].names, "occurred_at", "known_at"))
    day_ = "coalesce(occurred_on, cast({} at time zone $home_zone as date)) as occurred_on"
    if shape.dated:
        day_ = "occurred_on"
    until = str(len(ends))
    if shape.once:
        return f"""select {own}, deleted, {day_.format("known_at")}, known_from, {until} as last_at
  from {known}"""
    order = f"{fold.STAMP} desc, known_at desc, {fold.STATED} desc, row_hash desc, deleted desc"
    return f"""
  with repeated as (select own_id from {known} group by own_id having count(*) > 1),
  several as (
    select v.*, min(known_at) over (partition by v.own_id) as first_known_at
    from {known} as v join repeated as r on r.own_id = v.own_id),
  followed as (
    select *, min(known_from) over (partition by own_id, source, mention order by {order}
        rows between unbounded preceding and 1 preceding) as followed_from from several)
  select {own}, deleted, {day_.format("known_at")}, known_from, {until} as last_at
  from {known} where own_id not in (select own_id from repeated)
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


@dataclass(frozen=True)
class Rows:
    """The rows of a table: who may be a partner, in the order of places, and whether no thing comes in several rows.

    `parts` are relations that together hold the rows, each with the days between which theirs lie: folded one after the
    other, each needs less room.
    """

    table: str
    partners: Sequence[str]
    single: bool = False
    parts: Sequence[tuple[str, Days | None]] = ()


def grid(series: Iterable[Series], lists: Lists, rows: Rows, ends: MonthEnds, ask: AskNumbers) -> Grid:
    """The pieces of series of one table, from a few statements over its rows with their stretches.

    Reads `places` (partner_id, place): the place of each partner in `rows.partners`; rows of nobody there are left out.
    """
    asking = _Asking(lists, rows, ends, ask, Grid(list(rows.partners)))
    shared: dict[str, list[Series]] = {}
    for one in series:
        measure = one.halves[0].measure
        things = measure.take == "count distinct" or (
            measure.take == "count" and day.counts_groups(measure) and not rows.single
        )
        if _names_the_day(one.halves[0], lists):
            asking.at_each(one)
        elif things:
            asking.count_distinct(one)
        else:
            shared.setdefault(measure.on, []).append(one)
    for members in shared.values():
        asking.add_up(members)
    return asking.found


def _parsed(sql: str) -> exp.Select:
    return exp.maybe_parse(sql, into=exp.Select, dialect=DIALECT)


_STRETCH = ("place", "first_at", "last_at")
_BITS = 48
"""Month-ends that one number holds as bits: below 2^53 it is exact in a float, too."""


@dataclass
class _Asking:
    """The statements over the rows of one table, and what they found."""

    lists: Lists
    rows: Rows
    ends: MonthEnds
    ask: AskNumbers
    found: Grid

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.found.partners), len(self.ends)

    @property
    def whose(self) -> str:
        return _WHOSE[self.rows.table]

    @property
    def stretch(self) -> tuple[str, str, str]:
        return self.whose, "first_at", "last_at"

    def placed(self, tree: exp.Select, parameters: Mapping[str, object]) -> Iterator[Numbers]:
        """What a statement gives, with the place of each partner: of whoever has none, nothing."""
        if self.whose == "place":
            return self.ask(tree.where("place is not null").sql(dialect=DIALECT), parameters)
        names = [one.alias_or_name for one in tree.selects if one.alias_or_name != self.whose]
        said = ", ".join(["p.place", *(f"x.{name}" for name in names)])
        whose = f"{PLACES} as p on p.partner_id = x.{self.whose}"
        return self.ask(f"select {said} from ({tree.sql(dialect=DIALECT)}) as x join {whose}", parameters)

    def read(self, one: Series, columns: Iterable[str]) -> exp.Subquery:
        """The rows that lie in any of the windows, as `r`, each with the stretch at which it does.

        A row whose day is empty may lie in any of them.
        """
        on, windows = one.halves[0].measure.on, one.windows
        until, begun = [until for _, until in windows], [after for after, _ in windows if after is not None]
        enters, leaves = "r.first_at", "r.last_at"
        if until != list(self.ends.days) or on != "occurred_on":
            enters = f"greatest(r.first_at, {passed(on, until)})"
        if begun:
            leaves = f"least(r.last_at, {passed(on, begun)})"
        if on != "occurred_on":
            enters, leaves = (
                f"case when {on} is null then r.{name} else {at} end"
                for name, at in (("first_at", enters), ("last_at", leaves))
            )
        names = ", ".join(f"r.{name}" for name in sorted({on, self.whose, *columns}))
        inner = f"select {names}, {enters} as first_at, {leaves} as last_at from {LAID[self.rows.table]} as r"
        return _parsed(f"{inner} where {_within([one])}").subquery("r")

    def counting(
        self, members: Sequence[Series], parameters: dict[str, object]
    ) -> tuple[dict[str, exp.Expr | None], list[exp.Expr], bool]:
        """`whether_counted` of their halves: a row whose day is empty may count."""
        firsts = [one.halves[0] for one in members]
        on = firsts[0].measure.on
        told = exp.Not(this=exp.Is(this=exp.column(on), expression=exp.Null()))
        sure = on == "occurred_on" or on in firsts[0].full
        within = None if sure else exp.paren(exp.or_(told, exp.Null()))
        return day.whether_counted(firsts, self.lists, parameters, within)

    def columns(self, members: Iterable[Series]) -> set[str]:
        """The columns that their measures read."""
        return {name for one in members for name in shapes.columns(one.halves[0].measure, dict(self.lists))}

    def add_up(self, members: list[Series]) -> None:
        """What is folded once for all windows: rows, sums and last days; and the middles of what is in order."""
        parameters: dict[str, object] = {}
        whens, limits, sure = self.counting(members, parameters)
        selected = {
            one.name: [
                _scaled(piece, one.halves[0].measure)
                for piece in day.pieces(one.halves[0], whens[one.halves[0].measure.where], whole=False, sure=sure)
            ]
            for one in members
        }
        every = [piece for pieces in selected.values() for piece in pieces]
        found: dict[str, Sums | Latest] = {
            piece.alias: Latest(self.shape) if piece.alias.endswith("__last") else Sums(self.shape) for piece in every
        }
        for rows in self.folded(members, every, limits, parameters):
            for one in members:
                lying = _Lying.of(one, members, rows)
                for piece in selected[one.name]:
                    found[piece.alias].add(lying.stretches, rows[piece.alias][lying.kept])
        for one in members:
            measure = one.halves[0].measure
            for piece in selected[one.name]:
                label, sums = piece.alias.removeprefix(f"{one.name}__"), found.pop(piece.alias)
                what = sums.at_each()
                if label == "total":
                    exact = isinstance(sums, Sums) and sums.exact
                    what = what if exact else self.exactly(one, members, piece, limits, parameters)
                    what = what / _scale(measure)
                self.keep(one, label, what)
            if measure.take == "count" and day.counts_groups(measure):
                self.keep(one, "found", self.found.pieces[one.name]["n"])
            elif measure.take == "median":
                self.middles(one)

    def folded(
        self,
        members: Sequence[Series],
        selected: Sequence[exp.Expr],
        limits: Sequence[exp.Expr],
        parameters: Mapping[str, object],
    ) -> Iterator[Numbers]:
        """Aggregates by partner, stretch and, as `between_`, how many bounds of windows the day has passed (nan: no day)."""
        on, bounds = members[0].halves[0].measure.on, _bounds(members)
        names = ", ".join(f"r.{name}" for name in sorted({on, *self.stretch, *self.columns(members)}))
        keys = (*self.stretch, "between_")
        for relation, days in self.rows.parts or [(LAID[self.rows.table], None)]:
            between = f"case when {on} is not null then {passed(on, bounds, days if on == 'occurred_on' else None)} end"
            inner = _parsed(f"select {names}, {between} as between_ from {relation} as r where {_within(members)}")
            tree = exp.select(*keys, *(one.copy() for one in selected)).from_(inner.subquery("r"))
            tree = tree.where("first_at < last_at", *(one.copy() for one in limits)).group_by(*keys)
            yield from self.placed(tree, parameters)

    def exactly(
        self,
        one: Series,
        members: Sequence[Series],
        total: exp.Expr,
        limits: Sequence[exp.Expr],
        parameters: Mapping[str, object],
    ) -> np.ndarray:
        """A total of whole numbers that floats do not hold, at each month-end: added as whole numbers, rounded once."""
        sums = WholeSums(self.shape)
        for rows in self.folded(members, [exp.alias_(exp.cast(total.this, "varchar"), "total")], limits, parameters):
            lying = _Lying.of(one, members, rows)
            sums.add(lying.stretches, np.array([int(text or 0) for text in rows["total"][lying.kept]], dtype=object))
        return sums.at_each()

    def middles(self, one: Series) -> None:
        """The two middle values of the rows that count, at each month-end."""
        parameters: dict[str, object] = {}
        of = one.halves[0].measure.of
        whens, limits, _ = self.counting([one], parameters)
        counts = [when for when in whens.values() if when is not None] or limits
        tree = exp.select(*self.stretch, exp.alias_(exp.column(of), "value"))
        tree = tree.from_(self.read(one, self.columns([one])))
        rows = whole(self.placed(tree.where("first_at < last_at", f"{of} is not null", *counts), parameters))
        place, first, last = (rows[name].astype(np.int64) for name in _STRETCH)
        low, high = middles((place, first, last), rows["value"], self.shape)
        self.keep(one, "low", low)
        self.keep(one, "high", high)

    def at_each(self, one: Series) -> None:
        """Where a condition names the day: rows that may count, asked at each month-end of their stretch."""
        parameters: dict[str, object] = {}
        whens, limits, sure = self.counting([one], parameters)
        when = whens[one.halves[0].measure.where]
        asked = [when] if when is not None else limits
        parts = [part for one_ in asked for part in _conjuncts(one_) if not any(map(_is_the_day, part.walk()))]
        limits = [*limits, *map(day.or_unknown, parts)]  # what does not hang on the day leaves few rows to ask at each
        rows = self.read(one, self.columns([one]))
        keys = (self.whose, "month_end")
        ends = exp.to_table("month_ends")
        stands = exp.condition(
            "month_ends.month_end >= r.first_at and month_ends.month_end < r.last_at", dialect=DIALECT
        )
        tree = exp.select(*keys, *day.pieces(one.halves[0], when, sure=sure)).from_(rows).join(ends, on=stands)
        tree = tree.where(*limits).group_by(*keys)
        until = "".join(f" when {at} then date '{end}'" for at, (_, end) in enumerate(one.windows))
        day_ = exp.condition(f"case month_ends.month_end{until} end", dialect=DIALECT)
        for node in [node for node in tree.walk() if _is_the_day(node)]:
            node.replace(day_.copy())
        found = whole(self.placed(tree, parameters))
        place, at = (found[name].astype(np.int64) for name in ("place", "month_end"))
        prefix = f"{one.name}__"
        for label in [name.removeprefix(prefix) for name in found if name.startswith(prefix)]:
            figures = found[prefix + label]
            what = np.full(self.shape, np.datetime64("NaT", "D") if figures.dtype.kind == "M" else np.nan)
            what = what.astype(figures.dtype)
            what[place, at] = figures
            self.keep(one, label, what)

    def count_distinct(self, one: Series) -> None:
        """Distinct things: each counts at the union of its stretches, which is folded as a set of month-ends in bits.

        Of rows that count, and of those that may, only whether there are any is known, which is all that their value asks.
        """
        half, parameters = one.halves[0], dict[str, object]()
        whens, counting, sure = self.counting([one], parameters)
        when = whens[half.measure.where]
        sets = {}
        for number in range(0, len(self.ends), _BITS):
            first, last = (f"least(greatest({name} - {number}, 0), {_BITS})" for name in ("first_at", "last_at"))
            bits = f"standing_at({first}, {last})" if len(self.ends) > _BITS else "standing_at(first_at, last_at)"
            sets[f"counts_{number}"] = f"at_any(case when counts then {bits} end)"
            if not sure:
                sets[f"unclear_{number}"] = f"at_any(case when counts is null then {bits} end)"
        rows = self.read(one, self.columns([one]))
        thing, counts = (
            exp.alias_(day.folded(half.measure), "thing"),
            exp.alias_(when if when is not None else exp.true(), "counts"),
        )
        kept = exp.select(*self.stretch, thing, counts).from_(rows).where("first_at < last_at", *counting)
        is_thing = "case when thing is null then 0 else 1 end as is_thing"
        folded = exp.select(
            self.whose, is_thing, *(f"{said} as {name}" for name, said in sets.items()), dialect=DIALECT
        )
        pieces = {
            label: np.zeros((len(self.found.partners), len(self.ends))) for label in ("found", "empty", "unclear")
        }
        for told in self.placed(folded.from_(kept.subquery("k")).group_by(self.whose, "thing"), parameters):
            there = told["is_thing"] > 0
            for name in sets:
                label, begins = name.split("_")[0], int(name.split("_")[1])
                kinds = {"found": there, "empty": ~there} if label == "counts" else {label: np.ones_like(there)}
                for piece, rows_ in kinds.items():
                    place, held = (
                        told["place"][rows_].astype(np.int64),
                        np.nan_to_num(told[name][rows_]).astype(np.int64),
                    )
                    for at in range(begins, min(begins + _BITS, len(self.ends))):
                        standing = place[(held >> (at - begins)) & 1 > 0]
                        pieces[piece][:, at] += np.bincount(standing, minlength=len(self.found.partners))
        for label, what in {**pieces, "n": pieces["found"] + pieces["empty"]}.items():
            self.keep(one, label, what)

    def keep(self, one: Series, label: str, what: np.ndarray) -> None:
        """A piece of a series; one that is 0 everywhere takes no room."""
        kept = what if what.dtype.kind == "M" or what.any() else np.broadcast_to(0.0, what.shape)
        self.found.pieces.setdefault(one.name, {})[label] = kept


def _within(members: Sequence[Series]) -> str:
    """The days that lie in any window of halves that look at the same day; a row whose day is empty may lie in any."""
    on, windows = members[0].halves[0].measure.on, [window for one in members for window in one.windows]
    begun = [after for after, _ in windows if after is not None]
    limits = [f"{on} <= date '{max(until for _, until in windows)}'"]
    if len(begun) == len(windows):
        limits.append(f"{on} > date '{min(begun)}'")
    within = " and ".join(limits)
    return within if on == "occurred_on" else f"({on} is null or ({within}))"


def _bounds(members: Iterable[Series]) -> list[dt.date]:
    """Every day on which a window of theirs begins or ends, in order."""
    return sorted({day_ for one in members for window in one.windows for day_ in window if day_ is not None})


@dataclass(frozen=True)
class _Lying:
    """Folded rows as the windows of one half have them: those that lie in any, each with its stretch of month-ends."""

    kept: np.ndarray
    stretches: Stretches

    @classmethod
    def of(cls, one: Series, members: Iterable[Series], rows: Numbers) -> "_Lying":
        """Of rows that were folded by the bounds of the windows of all members."""
        bounds, months = _bounds(members), len(one.windows)
        until, begun = [until for _, until in one.windows], [after for after, _ in one.windows if after is not None]
        enters = np.array([0, *(bisect_right(until, bound) for bound in bounds), 0])  # the last: a row without a day
        leaves = np.array([0, *(bisect_right(begun, bound) for bound in bounds), months])
        if not begun:
            leaves[:] = months
        between = np.nan_to_num(rows["between_"], nan=len(bounds) + 1).astype(np.int64)
        place, first, last = (rows[name].astype(np.int64) for name in _STRETCH)
        first, last = np.maximum(first, enters[between]), np.minimum(last, leaves[between])
        kept = np.flatnonzero(first < last)
        return cls(kept, (place[kept], first[kept], last[kept]))


def _conjuncts(tree: exp.Expr) -> Iterator[exp.Expr]:
    """What must all hold."""
    node = tree.unnest()
    if isinstance(node, exp.And):
        yield from _conjuncts(node.left)
        yield from _conjuncts(node.right)
    else:
        yield node


def _is_the_day(node: exp.Expr) -> bool:
    return isinstance(node, exp.Placeholder) and node.name == "as_of"


def _scale(measure: Measure) -> int:
    """By how much sums of a column are multiplied to be whole: what is added and taken off again then stays exact."""
    kind = shapes.kinds(measure.table).get(measure.of, "")
    return 10 ** DECIMALS[kind][1] if kind in DECIMALS else 1


def _scaled(piece: exp.Expr, measure: Measure) -> exp.Expr:
    """An aggregate column; a sum of decimals as a whole number."""
    if not piece.alias.endswith("__total") or _scale(measure) == 1:
        return piece
    whole = exp.cast(exp.Mul(this=piece.this, expression=exp.Literal.number(_scale(measure))), _WHOLE)
    return exp.alias_(whole, piece.alias)


# -------------------------------------------------------------------------------------------------------- the coverage


def covered(
    table: str, kind: str, days: Iterable[str], columns: Iterable[str], months: int, ask: AskNumbers
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
    """What a table holds at each month-end: {column: rows that fill it} with `rows_`, and {word: {day: its first}}.

    `kind` is the column that tells kinds of rows apart ("": there is one kind, without a word).
    """
    names, days = sorted(columns), sorted(days)
    said = [f"count({name}) as {name}" for name in names] + [f"min({day}) as first_{day}" for day in days]
    asked = ask(
        f"select {kind or 'cast(null as varchar)'} as word, first_at, last_at, count(*) as rows_, {', '.join(said)} "
        f"from {LAID[table]} group by 1, 2, 3",
        {},
    )
    rows = whole(asked)
    first, last = rows["first_at"].astype(np.int64), rows["last_at"].astype(np.int64)
    nobody = np.zeros(len(first), dtype=np.int64)
    counts, firsts = {}, {}
    for name in ("rows_", *names):
        sums = Sums((1, months))
        sums.add((nobody, first, last), rows[name])
        counts[name] = sums.at_each()[0]
    for word in dict.fromkeys(rows["word"]):
        mine = np.array([one == word for one in rows["word"]], dtype=bool)
        firsts[word] = {day: earliest(months, first[mine], last[mine], rows[f"first_{day}"][mine]) for day in days}
    return counts, firsts
