"""Deals and credentials at many month-ends, laid out once: each row that reaches a partner with its stretch of month-ends.

The rows of a month-end are those whose stretch [first_at, last_at) holds it. Versions of a key follow each other, so each
stands from the first month-end that knows it to the one before the next; joins intersect stretches. Keys that must be
folded (of several sources, merged, or told twice at one moment) are few: the caller folds them month-end by month-end, as
on one day, and hands them over as `<table>_apart_lasting`.
"""

from collections.abc import Collection, Iterable

from groundswell.core.signals.history import PLACES, REDIRECTS_AT, MonthEnds, passed, reached
from groundswell.core.tables import fold, views
from groundswell.core.tables.contract import ROLES, TABLES

ACCOUNT = ("country", "industry", "tags")
"""What is read of the organisation behind a deal."""
NEEDED: dict[str, dict[str, tuple[str, ...]]] = {
    "deals": {
        "deals": (
            "account_id", "stage_class", "amount", "currency", "amount_home", "product", "type", "created_on", "close_on",
            "closed_on", "group_key",
        ),
        "touches": ("subject_kind", "subject_id", "partner_id", "role", "share_pct", "starts_on", "ends_on"),
        "organisations": ACCOUNT,
    },
    "credentials": {
        "credentials": ("person_id", "code", "kind", "level", "status", "issued_on", "expires_on", "score"),
        "people": ("organisation_id", "left_on"),
    },
}  # fmt: skip
"""What can be laid once: the tables behind it, with the columns that are read of each."""
SEVERAL = {"deals": "select 1 from deals_lasting where group_key <> deal_id limit 1"}
"""Whether any thing that is counted comes in several rows. Reads `<table>_lasting`."""
SCOPES = {
    "organisations": "own_id in (select account_id from deals_known)",
    "people": "own_id in (select person_id from credentials_known)",
}
"""Of which keys a table behind is read; also of all that are merged."""


def columns_laid(table: str) -> frozenset[str]:
    """The columns that the rows of a table have when it is laid once."""
    own = {"partner_id", TABLES[table].identity, "occurred_on", *NEEDED[table][table]} - {"amount", "currency"}
    return frozenset(own | views.DERIVED[table].keys())


def scope(table: str) -> str:
    """A condition on the versions of a table behind: those that are read at all."""
    if table not in SCOPES:
        return "true"
    return (
        f"({SCOPES[table]} or own_id in (select from_id from {REDIRECTS_AT} union select into_id from {REDIRECTS_AT}))"
    )


def apart_sql(table: str, once: bool) -> str:
    """The keys whose rows are left to the fold of each month-end. Reads `<table>_known` and `redirects_at`."""
    refers = [column.name for column in TABLES[table].columns if column.refers]
    merged = " or ".join(f"{name} in (select from_id from {REDIRECTS_AT})" for name in refers)
    given = f"select from_id from {REDIRECTS_AT} union select into_id from {REDIRECTS_AT}"
    parts = [f"select own_id from {table}_known where own_id in ({given})" + (f" or {merged}" if merged else "")]
    if not once:
        several = f"select own_id from {table}_known where {scope(table)} group by own_id"
        parts.append(f"{several} having min(source) <> max(source) or min(mention) <> max(mention)")
        parts.append(f"{several}, {fold.STAMP} having count(*) > 1")
    return " union ".join(parts)


def lasting_sql(table: str, columns: Collection[str], ends: MonthEnds, once: bool) -> str:
    """Every fact of a table with its stretch, as `<table>_fold` has it at each month-end it stands at."""
    identity, months = TABLES[table].identity or "own_id", len(ends)
    names = ", ".join(columns)
    keys = "partition by own_id"
    follows = f"over ({keys} order by {fold.STAMP} desc rows between unbounded preceding and 1 preceding)"
    last_at = str(months) if once else f"coalesce(min(known_from) {follows}, {months})"
    first_known = "known_at" if once else f"min(known_at) over ({keys})"
    day = f"coalesce(occurred_on, cast({first_known} at time zone $home_zone as date))"
    return f"""
with spans as (
  select own_id, {names}, deleted, {day} as occurred_on, known_from, {last_at} as last_at
  from {table}_known where {scope(table)} and own_id not in (select own_id from {table}_apart)),
stands as (
  select *, greatest(known_from, {passed("occurred_on", ends.days)}) as first_at from spans where not deleted)
select own_id as {identity}, {names}, occurred_on, first_at, last_at from stands where first_at < last_at
union all
select own_id, {names}, occurred_on, first_at, last_at from {table}_apart_lasting"""


def stands_sql(table: str, columns: Collection[str], at: int) -> str:
    """The rows of a table that was laid once, as one month-end has them; $as_of is its day."""
    live = f", {views.LIVE.replace('h.', 't.')} as live" if table == "credentials" else ""
    return f"""
select {", ".join(sorted(columns))}
from (select t.*{live} from {table}_laid as t where t.first_at <= {at} and t.last_at > {at}) as r"""


def laid_sql(table: str, ends: MonthEnds, columns: Collection[str]) -> str:
    """The rows of a table that reach a partner, with their stretches. Reads `<table>_lasting` of the tables behind it."""
    return _deals_sql(ends, columns) if table == "deals" else _credentials_sql()


def _credentials_sql() -> str:
    """Credentials of whoever holds them, for whom that person then works for. Reads `credentials_lasting` and `people_lasting`."""
    own = ", ".join(f"t.{name}" for name in ("credential_id", *NEEDED["credentials"]["credentials"], "occurred_on"))
    return f"""
select h.organisation_id as partner_id, {own}, h.left_on, {_both("t", "h")}
from credentials_lasting as t join people_lasting as h on h.person_id = t.person_id
where h.first_at < t.last_at and h.last_at > t.first_at"""


def _deals_sql(ends: MonthEnds, columns: Collection[str]) -> str:
    """Deals of whoever has a part in them, with these columns and the place of the partner.

    Reads `touches_lasting`, `deals_lasting`, `organisations_lasting`, `places` and `month_ends`. A partner's parts in one
    deal are one row; where they do not begin and end together, one for each month-end.
    """
    until = reached([f"date '{day}'" for day in ends.days], lambda day: f"ends_on >= {day}")
    said = {role: views.role_flag(role) for role in ROLES} | {"share_pct": "max(p.share_pct) as share_pct"}
    parts = [name for name in said if name in columns]
    flags, names = _more(said[name] for name in parts), _more(parts)
    closed = views.CLOSED.replace("t.", "d.")
    of_deal = {name: f"d.{name}" for name in ("deal_id", *NEEDED["deals"]["deals"], "occurred_on")} | {
        "closed_on": closed,
        "group_key": "coalesce(d.group_key, d.deal_id)",
        "amount_home": "coalesce(d.amount_home, case when d.currency = $home_currency then d.amount end)",
        "cycle_days": f"date_diff('day', d.created_on, {closed})",
    }
    of_account = {f"account_{name}": f"o.{name}" for name in ACCOUNT if f"account_{name}" in columns}
    own = _more(f"{what} as {name}" for name, what in of_deal.items() if name in columns)
    return f"""
with parts as (
  select partner_id, subject_id, role, share_pct,
    greatest(first_at, {passed("coalesce(starts_on, occurred_on)", ends.days)}) as first_at,
    least(last_at, case when ends_on is null then last_at else {until} end) as last_at
  from touches_lasting where subject_kind = 'deal'),
lasting as (select * from parts where first_at < last_at),
together as (
  select partner_id, subject_id{flags}, min(first_at) as first_at, min(last_at) as last_at, max(first_at) as begins,
    max(last_at) as ends
  from lasting as p group by partner_id, subject_id),
touched as (
  select partner_id, subject_id{names}, first_at, last_at from together where first_at = begins and last_at = ends
  union all
  select p.partner_id, p.subject_id{flags}, m.month_end, m.month_end + 1
  from lasting as p join together as g on g.partner_id = p.partner_id and g.subject_id = p.subject_id
    join month_ends as m on m.month_end >= p.first_at and m.month_end < p.last_at
  where g.first_at < g.begins or g.last_at < g.ends
  group by p.partner_id, p.subject_id, m.month_end),
rows_ as (
  select t.partner_id{_more(f"t.{name}" for name in parts)}{own}, d.account_id as of_account, {_both("t", "d")}
  from touched as t join deals_lasting as d on d.deal_id = t.subject_id
  where d.first_at < t.last_at and d.last_at > t.first_at){_accounts(len(ends), of_account) if of_account else ""}
select p.place, r.partner_id{_more(f"r.{name}" for name in (*parts, *of_deal) if name in columns)}{
        _more(f"{what} as {name}" for name, what in of_account.items())
    }, {_both("r", "o") if of_account else "r.first_at, r.last_at"}
from rows_ as r left join {PLACES} as p on p.partner_id = r.partner_id{_OF_ACCOUNT if of_account else ""}"""


_OF_ACCOUNT = """
  left join accounts as o on o.organisation_id = r.of_account and o.first_at < r.last_at and o.last_at > r.first_at"""


def _accounts(months: int, of_account: Collection[str]) -> str:
    """What is known of organisations, with rows that say nothing for the month-ends at which nothing was."""
    names = [name.removeprefix("account_") for name in of_account]
    said, nothing = ", ".join(names), ", ".join("null" for _ in names)
    return f""",
seen as (
  select organisation_id, {said}, first_at, last_at, lag(last_at, 1, 0) over keys as before, lead(first_at) over keys as after
  from organisations_lasting window keys as (partition by organisation_id order by first_at)),
accounts as (
  select organisation_id, {said}, first_at, last_at from seen
  union all select organisation_id, {nothing}, before, first_at from seen where before < first_at
  union all select organisation_id, {nothing}, last_at, {months} from seen where after is null and last_at < {months})"""


def _more(names: Iterable[str]) -> str:
    """Further columns of a list."""
    return "".join(f", {name}" for name in names)


def _both(one: str, other: str) -> str:
    return f"greatest({one}.first_at, {other}.first_at) as first_at, least({one}.last_at, {other}.last_at) as last_at"


CONVERTED = "amount is not null and amount_home is null and currency <> $home_currency"
"""Deals whose amount in home money depends on the day: they are not laid once."""
