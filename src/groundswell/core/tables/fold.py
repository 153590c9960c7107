"""From versions of facts to the view of a day, as SQL in the portable subset.

Rules (docs/explain/facts.md): of the versions known before the cut take the latest of each key and source, drop it
when it is a deletion, then fold the sources: the first source that has the entity is its home, the others fill only
what the home leaves empty, and columns that belong together come from one row. A mention (a row that another object's
file merely names) comes after every source. Roles add up. Last, facts that begin after the day are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from groundswell.core.tables.contract import ENVELOPE, Column, Table
from groundswell.core.tables.identity import own_id_sql
from groundswell.core.tables.typed import sql_type

ROLE_FLAGS = frozenset({"is_partner", "is_customer"})
"""Roles that add up over sources: who is a customer in one system and a partner in another is both."""

STAMP = "coalesce(changed_at, known_at)"
"""The moment of a version, by which versions of one key follow each other."""
STATED = "case when known_by = 'absence' then 0 else 1 end"
"""Of one moment, what is said stands over what is only left unsaid: an export may come in parts."""


COMPARED = ("unchanged", "follows", "contradicts")
"""What `unchanged_sql` says of a row."""


def version_sql(table: Table, rows: str, filled: set[str], load: Mapping[str, str]) -> str:
    """Typed rows as versions, in the order of `versions_columns`: columns that no row fills are empty, ids are made.

    `load` holds SQL of what the load says of all its rows: source, known_at, known_by, load_id, landing. An activity
    without an id is known by its hash.
    """
    typed = ", ".join(
        column.name if column.name in filled else f"cast(null as {sql_type(column)}) as {column.name}"
        for column in versions_columns(table)
        if column.name not in (*load, "own_id")
    )
    known_at, known_by = load["known_at"], load["known_by"]
    if "known_at" in filled:
        known_by = f"case when known_at is null then {known_by} else 'source' end"
        known_at = f"coalesce(known_at, {known_at})"
    external_id = "external_id"
    if table.name == "activities":
        external_id = f"case when external_id is null then 'hash:' || {row_hash_sql(table)} else external_id end"
    said = {
        **load, "known_at": "known_at_", "known_by": "known_by_", "external_id": "external_id_",
        "own_id": own_id_sql(table.prefix, load["source"], "object", "external_id_"),
    }  # fmt: skip
    columns = ", ".join(f"{said.get(column.name, column.name)} as {column.name}" for column in versions_columns(table))
    return f"""
with typed as (select {typed}, {known_at} as known_at_, {known_by} as known_by_ from {rows}),
named as (select *, {external_id} as external_id_ from typed)
select {columns} from named"""


def row_hash_sql(table: Table) -> str:
    """SHA-256 of the own columns in contract order, then of when it happened: `=` and the text, nothing if empty.

    The day and the moment are hashed too: an activity whose time is corrected has changed, and two equal activities
    on two days are two.
    """
    hashed = (*table.columns, *(column for column in ENVELOPE if column.name in ("occurred_on", "occurred_at")))
    return f"sha256(concat_ws(chr(31), {', '.join(_canonical(column) for column in hashed)}))"


def _canonical(column: Column) -> str:
    text = f"array_to_string({column.name}, chr(30))" if column.kind == "list" else f"cast({column.name} as varchar)"
    if column.kind == "instant":
        text = f"cast(epoch_us({column.name}) as varchar)"
    return f"case when {column.name} is null then '' else '=' || {text} end"


def unchanged_sql(table: Table, staged: str, versions: str, alone: bool = False) -> str:
    """Every staged row with `unchanged`: true where the version before its place says the same, `follows`: true
    where there is a version before its place at all, and `contradicts`: true where another version claims its place.

    The place is by (stamp, known_at, row_hash), a stored version before an equal staged one, then by line; so the
    answer does not depend on the order or the number of the files that brought the rows. All that is compared is in
    the order, so that equal rows lie side by side: what is written is unchanged whenever it comes again.

    A row may repeat one of an earlier moment that is staged with it and new itself. What another file says of a moment
    between the two, and did not write since it was there already, is new beside the first of them; once it is written,
    the second is no repetition any more. With `alone` only what stands in `versions` makes a row unchanged, and an equal
    row of the same moment: so files whose moments lie between each other's need not be compared once for each moment.

    A link says something anew where it repeats itself after a link that leads on from its end: that one may have
    closed a circle and left it out, and the newest word must stand.
    """
    columns = "own_id, source, mention, deleted, changed_at, known_at, known_by, row_hash"
    key = "own_id, source, mention"
    place = f"stamp, known_at, {STATED}, row_hash, deleted, changed_at, staged_row, line"
    related, answered, follows = f"own_id in (select own_id from {staged})", "false", "row_before is not null"
    if table.name == "links":
        columns += ", from_id, into_id"
        related += f" or from_id in (select into_id from {staged}) or into_id in (select from_id from {staged})"
        answered = (
            "exists (select 1 from both_kinds as o where o.from_id = compared.into_id "
            "and o.stamp > compared.stamp_before and o.stamp < compared.stamp)"
        )
        follows += (
            " or exists (select 1 from both_kinds as o where o.into_id = compared.from_id and o.stamp < compared.stamp)"
        )
    unchanged = "repeated"
    if alone:
        unchanged = (
            "repeated and (known_before = known_at or sum(case when repeated then 0 else 1 end) "
            f"over (partition by {key}, versions_before order by {place}) = 0)"
        )
    return f"""
with both_kinds as (
  select {columns}, {STAMP} as stamp, cast(0 as bigint) as staged_row, cast(0 as bigint) as line from {versions}
  where {related}
  union all
  select {columns}, {STAMP} as stamp, staged_row, line from {staged}),
compared as (
  select {columns}, stamp, staged_row, line, lag(stamp) over places as stamp_before,
    lag(row_hash) over places as row_before, lag(changed_at) over places as change_before,
    lag(deleted) over places as deleted_before, lag(known_at) over places as known_before,
    sum(case when staged_row = 0 then 1 else 0 end) over places as versions_before,
    count(*) over (partition by {key}, stamp) as at_this_place,
    count(*) over (partition by {key}, stamp, row_hash) as that_say_the_same
  from both_kinds
  window places as (partition by {key} order by {place})),
answers as (
  select *, (row_before is not distinct from row_hash and change_before is not distinct from changed_at
    and deleted_before is not distinct from deleted and not {answered}) as repeated,
    ({follows}) as follows, at_this_place > that_say_the_same as contradicts
  from compared where staged_row > 0)
select staged_row, {unchanged} as unchanged, follows, contradicts from answers"""


def absent_sql(table: Table, staged: str, versions: str, load: Mapping[str, str], scope: str) -> str:
    """Versions for the keys that stood before a load and that it does not hold, though it says all of `scope`.

    Such a version records that the key is gone from then on. `scope` is a condition on versions; `load` is as in
    `version_sql`. Keys that another file of the same moment states are left alone.
    """
    said = {**load, "known_by": "'absence'", "deleted": "true", "mention": "false", "line": "0"}
    kept = ("own_id", "source", "object", "external_id")
    columns = ", ".join(
        f"{column.name if column.name in kept else said.get(column.name, f'cast(null as {sql_type(column)})')} as {column.name}"
        for column in versions_columns(table)
    )
    return f"""
with before as (
  select *, row_number() over (partition by own_id
      order by {STAMP} desc, known_at desc, {STATED} desc, row_hash desc, deleted desc) as place
  from {versions}
  where source = {load["source"]} and not mention and {STAMP} < {load["known_at"]} and {scope}
    and own_id not in (select own_id from {staged})
    and own_id not in (select own_id from {versions} where {STAMP} = {load["known_at"]} and known_by <> 'absence'))
select {columns} from before where place = 1 and not deleted"""


@dataclass(frozen=True)
class Known:
    """What is known of the versions of a table and spares work; a fold that knows nothing gives the same rows.

    `once`: no key comes twice. `merged`: the tables of which some id gives way to another; None where any may.
    `dated`: no version leaves `occurred_on` empty. `contested`: the versions of some key must be put in order or folded.
    """

    once: bool = False
    merged: frozenset[str] | None = None
    dated: bool = False
    contested: bool = True

    def merges(self, table: str) -> bool:
        """Whether an id of that table ("*": of any) may give way to another."""
        return self.merged is None or table in self.merged or (table == "*" and bool(self.merged))

    def straight(self, table: Table) -> bool:
        """Whether nothing is folded: of each key the version of the last stamp is the row."""
        return not self.contested or (self.once and not (table.identity and self.merges(table.name)))


def current_sql(table: Table, versions: str, known: Known = Known()) -> str:
    """The current view of a table as of $as_of, as one statement: the steps of `current_steps`."""
    *before, (_, last) = current_steps(table, versions, known).items()
    named = ",\n".join(f"{name} as ({sql})" for name, sql in before)
    return f"with {named}\n{last}" if before else last


def current_steps(table: Table, versions: str, known: Known = Known()) -> dict[str, str]:
    """The current view of a table as of $as_of: the facts known before $cut, folded over sources and links.

    Relations by name, each reading those before it; the last, `<table>_fold`, is the view. Reads `source_order` (source,
    place of a source for this table) and `redirects` (from_id, into_id). Each row keeps `source`, `landing`, `line`,
    `load_id`, `known_at` and `row_hash` of its home version: the evidence.

    Few keys need their versions put in order or folded: those that several sources or a mention speak of, that were
    merged, or whose last stamp two versions share. Of every other key the version of the last stamp is the row.
    """
    name, steps = table.name, {}
    straight = _straight(table, versions, known)
    if not known.once:
        steps[f"{name}_repeated"] = _repeated(versions)
    if known.straight(table):
        return steps | {f"{name}_fold": straight}
    steps[f"{name}_contested"] = _contested(table, versions, known)
    steps[f"{name}_settled"] = (
        _folded(table, versions, known) if table.identity else _latest_rows(table, versions, known)
    )
    return steps | {f"{name}_fold": f"select * from {name}_settled\nunion all{straight}"}


_FIRST = "cast({} at time zone $home_zone as date)"
_STAMP_OF_V = "coalesce(v.changed_at, v.known_at)"


def _repeated(versions: str) -> str:
    """The keys that come twice, with their last stamp, and whether more than one source or a mention speaks of them."""
    return f"""
select own_id, max({STAMP}) as last_stamp, min(known_at) as first_known_at,
  min(source) <> max(source) or min(case when mention then 1 else 0 end) <> max(case when mention then 1 else 0 end) as shared
from {versions} where known_at < $cut group by own_id having count(*) > 1"""


def _contested(table: Table, versions: str, known: Known) -> str:
    """The keys whose versions must be put in order or folded."""
    parts = []
    if not known.once:
        parts.append(f"select own_id from {table.name}_repeated where shared")
        parts.append(
            f"select v.own_id from {versions} as v join {table.name}_repeated as k on k.own_id = v.own_id "
            f"where v.known_at < $cut and {_STAMP_OF_V} = k.last_stamp and not k.shared "
            "group by v.own_id having count(*) > 1"
        )
    if table.identity and known.merges(table.name):
        parts += ["select from_id as own_id from redirects", "select into_id from redirects"]
    return " union ".join(parts)


def _in_order(table: Table, versions: str) -> str:
    """The contested versions with their `place`: 1 is the latest of its key and source."""
    return f"""
with latest as (
  select v.*, row_number() over (partition by v.own_id, source, mention
      order by {STAMP} desc, known_at desc, {STATED} desc, row_hash desc, deleted desc) as place,
    {_FIRST.format("min(known_at) over (partition by v.own_id)")} as first_known_on
  from {versions} as v join {table.name}_contested as c on c.own_id = v.own_id where known_at < $cut)"""


def _straight(table: Table, versions: str, known: Known) -> str:
    """Versions that are rows: of each key that is not contested the last."""
    joins, limits, first = _joins(table, known), "v.known_at < $cut and not v.deleted", "v.known_at"
    if not known.once:
        joins = f"\n  left join {table.name}_repeated as k on k.own_id = v.own_id" + joins
        limits += f" and (k.own_id is null or {_STAMP_OF_V} = k.last_stamp)"
        first = "coalesce(k.first_known_at, v.known_at)"
    if not known.straight(table):
        joins += f"\n  left join {table.name}_contested as c on c.own_id = v.own_id"
        limits += " and c.own_id is null"
    day = "v.occurred_on" if known.dated else f"coalesce(v.occurred_on, {_FIRST.format(first)})"
    own = {column.name: _ref(column, known) for column in table.columns}
    if table.identity:
        own |= {name: f"coalesce(v.{name}, false)" for name in ROLE_FLAGS if name in own}
    columns = ",\n    ".join(f"{said} as {name}" for name, said in own.items())
    return f"""
select v.own_id as {table.identity or "own_id"},
    {columns},
    {day} as occurred_on, v.occurred_at,
    {_evidence("v.{0}")}
from {versions} as v{joins}
where {limits} and {day} <= $as_of"""


def _ref(column: Column, known: Known) -> str:
    merged = column.refers and known.merges(column.refers)
    return f"coalesce(r_{column.name}.into_id, v.{column.name})" if merged else f"v.{column.name}"


def _joins(table: Table, known: Known) -> str:
    refs = [column.name for column in table.columns if column.refers and known.merges(column.refers)]
    return "".join(f"\n  left join redirects as r_{name} on r_{name}.from_id = v.{name}" for name in refs)


def _business(table: Table, known: Known) -> str:
    columns = ",\n    ".join(f"{_ref(column, known)} as {column.name}" for column in table.columns)
    return f"{columns},\n    coalesce(v.occurred_on, v.first_known_on) as occurred_on, v.occurred_at"


def _evidence(said: str) -> str:
    names = ("source", "object", "external_id", "landing", "line", "load_id", "known_at", "known_by", "row_hash")
    return ", ".join(f"{said.format(name)} as {name}" for name in names)


def _latest_rows(table: Table, versions: str, known: Known) -> str:
    return f"""{_in_order(table, versions)}
select v.own_id,
    {_business(table, known)},
    {_evidence("v.{0}")}
  from latest as v{_joins(table, known)}
where v.place = 1 and not v.deleted and coalesce(v.occurred_on, v.first_known_on) <= $as_of"""


def _folded(table: Table, versions: str, known: Known) -> str:
    groups: dict[str, list[Column]] = {}
    for column in table.columns:
        if column.name not in ROLE_FLAGS:
            groups.setdefault(column.together or column.name, []).append(column)
    firsts = ",\n    ".join(
        f"min(case when {' or '.join(f'{c.name} is not null' for c in members)} then home end)"
        f" over (partition by entity_id) as first_{group}"
        for group, members in groups.items()
    )
    picked = {c.name: f"max(case when home = first_{g} then {c.name} end)" for g, cs in groups.items() for c in cs}
    picked |= {name: f"coalesce(max({name}), false)" for name in ROLE_FLAGS if name in table.names}
    own = ",\n    ".join(f"{picked[column.name]} as {column.name}" for column in table.columns)
    merged = known.merges(table.name)
    entity = "coalesce(e.into_id, v.own_id)" if merged else "v.own_id"
    stays = "case when e.into_id is null then 0 else 1 end, " if merged else ""
    redirected = "\n  left join redirects as e on e.from_id = v.own_id" if merged else ""
    return f"""{_in_order(table, versions)},
ranked as (
  select {entity} as entity_id,
    {_business(table, known)},
    {_evidence("v.{0}")},
    row_number() over (partition by {entity} order by v.mention, s.place, {stays}v.own_id) as home
  from latest as v{redirected}
  join source_order as s on s.source = v.source and s.for_table = '{table.name}'{_joins(table, known)}
  where v.place = 1 and not v.deleted),
found as (
  select *,
    {firsts}
  from ranked)
select entity_id as {table.identity},
    {own},
    max(case when home = 1 then occurred_on end) as occurred_on,
    max(case when home = 1 then occurred_at end) as occurred_at,
    {_evidence("max(case when home = 1 then {0} end)")}
from found group by entity_id
having max(case when home = 1 then occurred_on end) <= $as_of"""


def versions_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a table of versions as they are stored: the envelope, then the own columns.

    The row hash is a function of the row, so it is worked out where it is asked for and never stored.
    """
    return (*(column for column in ENVELOPE if column.name != "row_hash"), *table.columns)
