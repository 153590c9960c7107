"""From versions of facts to the view of a day, as SQL in the portable subset.

Rules (docs/explain/facts.md): of the versions known before the cut take the latest of each key and source, drop it
when it is a deletion, then fold the sources: the first source that has the entity is its home, the others fill only
what the home leaves empty, and columns that belong together come from one row. A mention (a row that another object's
file merely names) comes after every source. Roles add up. Last, facts that begin after the day are left out.
"""

from collections.abc import Mapping

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


def unchanged_sql(table: Table, staged: str, versions: str) -> str:
    """Every staged row with `unchanged`: true where the version before its place says the same, `follows`: true
    where there is a version before its place at all, and `contradicts`: true where another version claims its place.

    The place is by (stamp, known_at, row_hash), a stored version before an equal staged one, then by line; so the
    answer does not depend on the order or the number of the files that brought the rows.

    A link says something anew where it repeats itself after a link that leads on from its end: that one may have
    closed a circle and left it out, and the newest word must stand.
    """
    columns = "own_id, source, mention, deleted, changed_at, known_at, known_by, row_hash"
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
    return f"""
with both_kinds as (
  select {columns}, {STAMP} as stamp, cast(0 as bigint) as staged_row, cast(0 as bigint) as line from {versions}
  where {related}
  union all
  select {columns}, {STAMP} as stamp, staged_row, line from {staged}),
compared as (
  select {columns}, stamp, staged_row, lag(stamp) over places as stamp_before,
    lag(row_hash) over places as row_before, lag(changed_at) over places as change_before,
    lag(deleted) over places as deleted_before,
    count(*) over (partition by own_id, source, mention, stamp) as at_this_place,
    count(*) over (partition by own_id, source, mention, stamp, row_hash) as that_say_the_same
  from both_kinds
  window places as (partition by own_id, source, mention order by stamp, known_at, {STATED}, row_hash, deleted, staged_row, line))
select staged_row, (row_before is not distinct from row_hash and change_before is not distinct from changed_at
  and deleted_before is not distinct from deleted and not {answered}) as unchanged,
  ({follows}) as follows, at_this_place > that_say_the_same as contradicts
from compared where staged_row > 0"""


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


def current_sql(table: Table, versions: str, once: bool = False) -> str:
    """The current view of a table as of $as_of: the facts known before $cut, folded over sources and links.

    Reads `source_order` (source, place of a source for this table) and `redirects` (from_id, into_id). Each row keeps
    `source`, `landing`, `line`, `load_id`, `known_at` and `row_hash` of its home version: the evidence. `once` says that
    no key comes twice, so that nothing need be put in order.
    """
    latest = _latest(versions, once)
    return _folded(table, latest) if table.identity else _latest_rows(table, latest)


def _latest(versions: str, once: bool) -> str:
    """The versions known before the cut with their `place`: 1 is the latest of its key and source.

    Most keys have one version, which needs no sorting; only the others are put in order.
    """
    day = "cast({} at time zone $home_zone as date) as first_known_on"
    first = f"select v.*, 1 as place, {day.format('v.known_at')} from visible as v"
    visible = f"visible as (select * from {versions} where known_at < $cut)"
    if once:
        return f"{visible},\nlatest as ({first})"
    return f"""
{visible},
repeated as (select own_id from visible group by own_id having count(*) > 1),
latest as (
  {first} left join repeated as r on r.own_id = v.own_id where r.own_id is null
  union all
  select v.*, row_number() over (partition by v.own_id, source, mention
      order by {STAMP} desc, known_at desc, {STATED} desc, row_hash desc, deleted desc) as place,
    {day.format("min(known_at) over (partition by v.own_id)")}
  from visible as v join repeated as r on r.own_id = v.own_id)"""


def _ref(column: Column) -> str:
    return f"coalesce(r_{column.name}.into_id, v.{column.name})" if column.refers else f"v.{column.name}"


def _joins(table: Table) -> str:
    return "".join(
        f"\n  left join redirects as r_{c.name} on r_{c.name}.from_id = v.{c.name}" for c in table.columns if c.refers
    )


def _business(table: Table) -> str:
    columns = ",\n    ".join(f"{_ref(column)} as {column.name}" for column in table.columns)
    return f"{columns},\n    coalesce(v.occurred_on, v.first_known_on) as occurred_on, v.occurred_at"


_EVIDENCE = "source, object, external_id, landing, line, load_id, known_at, known_by, row_hash"


def _latest_rows(table: Table, latest: str) -> str:
    evidence = ", ".join(f"v.{name}" for name in _EVIDENCE.split(", "))
    return f"""
with {latest}
select v.own_id,
    {_business(table)},
    {evidence}
  from latest as v{_joins(table)}
where v.place = 1 and not v.deleted and coalesce(v.occurred_on, v.first_known_on) <= $as_of"""


def _folded(table: Table, latest: str) -> str:
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
    evidence = ", ".join(f"max(case when home = 1 then {name} end) as {name}" for name in _EVIDENCE.split(", "))
    return f"""
with {latest},
ranked as (
  select coalesce(e.into_id, v.own_id) as entity_id,
    {_business(table)},
    {", ".join(f"v.{name}" for name in _EVIDENCE.split(", "))},
    row_number() over (partition by coalesce(e.into_id, v.own_id)
      order by v.mention, s.place, case when e.into_id is null then 0 else 1 end, v.own_id) as home
  from latest as v
  left join redirects as e on e.from_id = v.own_id
  join source_order as s on s.source = v.source and s.for_table = '{table.name}'{_joins(table)}
  where v.place = 1 and not v.deleted),
found as (
  select *,
    {firsts}
  from ranked)
select entity_id as {table.identity},
    {own},
    max(case when home = 1 then occurred_on end) as occurred_on,
    max(case when home = 1 then occurred_at end) as occurred_at,
    {evidence}
from found group by entity_id
having max(case when home = 1 then occurred_on end) <= $as_of"""


def versions_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a table of versions as they are stored: the envelope, then the own columns.

    The row hash is a function of the row, so it is worked out where it is asked for and never stored.
    """
    return (*(column for column in ENVELOPE if column.name != "row_hash"), *table.columns)
