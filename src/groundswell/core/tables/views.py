"""What rules and screens read: the current views with their derived columns, and the rows that reach a partner.

`VIEWS` are the current tables with what the engine derives (closed_on, amount_home, live, ...); `REACHING` are the
relations that signals read: one row per (partner, thing). Both are SQL in the portable subset over `<table>_fold`,
with one function that the engine brings: `div(n, d)`, the whole part of a quotient of whole numbers, exactly.
"""

import re
from collections.abc import Collection, Iterable

from groundswell.core.tables.contract import ROLES, TABLES

FALLBACKS = {"memberships": "valid_from", "tiers": "valid_from", "touches": "starts_on", "overlaps": "day"}
"""Columns that an undated export leaves empty: the day the fact was first known stands in."""


def _replaced(table: str, relation: str = "", **expressions: str) -> str:
    contract = TABLES[table]
    head = [contract.identity or "own_id"]
    tail = ["occurred_on", "occurred_at", "source", "object", "external_id", "landing", "line", "load_id", "known_at",
            "known_by", "row_hash"]  # fmt: skip
    names = [*head, *contract.names, *tail]
    columns = ", ".join(f"{expressions[name]} as {name}" if name in expressions else f"t.{name}" for name in names)
    extra = ", ".join(f"{said} as {name}" for name, said in expressions.items() if name not in names)
    return f"select {columns}{', ' + extra if extra else ''} from {relation or f'{table}_fold'} as t"


LIVE = """(t.status in ('active', 'maintenance_due') and t.issued_on <= $as_of
  and (t.expires_on is null or t.expires_on >= $as_of) and (h.left_on is null or h.left_on >= $as_of))"""

_HOME = "case when t.currency = $home_currency then t.amount end"

CLOSED = "coalesce(t.closed_on, case when t.stage_class in ('won', 'lost') then t.close_on end)"


def _one_a_key(table: str) -> str:
    """The rows of a table without identity, one for each key, whatever the case of its names.

    Of two sources that of the first, else the newest.
    """
    columns = [TABLES[table].column(name) for name in TABLES[table].key]
    key = ", ".join(f"lower(f.{column.name})" if column.kind == "text" else f"f.{column.name}" for column in columns)
    return f"""(select * from (
    select f.*, row_number() over (partition by {key} order by s.place, f.known_at desc, f.row_hash desc) as place
    from {table}_fold as f join source_order as s on s.source = f.source and s.for_table = '{table}') as ranked
  where place = 1)"""


def _converted(table: str, amount: str, day: str, said: str = "") -> str:
    """SQL of the amounts of a table that are written in another currency, in home currency: `id`, `rate_on`, `amount`.

    The rate is the spot rate: the last on or before the amount's `day`, within $rate_days; a day still to come counts
    as the day of the view. A row without any such rate, or for which a condition in `said` does not hold, is not there.

    In whole numbers throughout, and rounded once, half-even, to the home currency's smallest unit: $home_step is that
    unit in ten-thousandths (USD 100, JPY 10000, KWD 10). The steps stay below 10^33, so that 38 digits hold them. What
    would not fit into money is not there: unknown.
    """
    rates = f"""
with spot as (
  select currency, day, per_home from {_one_a_key("fx_rates")} as t where lower(t.rates) = 'spot'),
written as (
  select t.{TABLES[table].identity} as id, t.currency, t.{amount} as amount, {day} as of_day
  from {table}_fold as t where t.{amount} is not null and t.currency <> $home_currency{said}),
asked as (
  select id, currency, amount, case when of_day > $as_of then $as_of else of_day end as on_day
  from written where of_day is not null),
found as (
  select *, max(rate_on) over (partition by currency order by on_day) as day
  from (
    select id, currency, amount, on_day, cast(null as date) as rate_on from asked
    union all select null, currency, null, day, day from spot) as days)
select f.id, f.amount, s.day, s.per_home
from found as f join spot as s on s.currency = f.currency and s.day = f.day
where f.id is not null and f.day >= f.on_day - $rate_days"""
    return f"""
with parts as (
  select id, day, case when amount < 0 then -1 else 1 end as sign,
    div(abs(amount) * 10000, 1) * 100000000 as part, div(per_home * 100000000, 1) * $home_step as divisor
  from ({rates}) as r),
divided as (
  select *, div(part, divisor) as whole, part - div(part, divisor) * divisor as rest from parts),
rounded as (
  select *, $home_step * (whole + case when 2 * rest > divisor then 1
    when 2 * rest = divisor and whole - 2 * div(whole, 2) = 1 then 1 else 0 end) as ten_thousandths from divided)
select id, day as rate_on, cast(sign * cast(ten_thousandths as decimal(20, 0)) * 0.0001 as decimal(20, 4)) as amount
from rounded where ten_thousandths < 100000000000000000000"""


_DEALS_CONVERTED = _converted(
    "deals", "amount", f"coalesce({CLOSED}, t.close_on, t.created_on)", " and t.amount_home is null"
)
"""Deals converted by rate. The day of a deal is that of closing, else the planned one, else that of creation."""


def _home(table: str, amount: str, day: str) -> str:
    """A table's rows with `<amount>_home`: the amount where it is home money, else converted at the rate of its day."""
    own = f"case when t.currency = $home_currency then t.{amount} else r.amount end"
    joined = f" left join ({_converted(table, amount, day)}) as r on r.id = t.{TABLES[table].identity}"
    return _replaced(table, **{f"{amount}_home": own}) + joined


VIEWS: dict[str, str] = {
    **{name: _replaced(name) for name in TABLES if name not in FALLBACKS},
    **{name: _replaced(name, **{day: f"coalesce(t.{day}, t.occurred_on)"}) for name, day in FALLBACKS.items()},
    "organisations": _replaced(
        "organisations",
        is_customer="t.is_customer or t.organisation_id in (select account_id from deals_fold where account_id is not null)",
    ),
    "people": _replaced(
        "people",
        side="case when t.side <> 'ours' and t.organisation_id in "
        "(select organisation_id from organisations_fold where is_partner) then 'partner' else t.side end",
    ),
    "deals": _replaced(
        "deals",
        amount_home=f"coalesce(t.amount_home, {_HOME}, r.amount)",
        home_rate_on="case when t.amount_home is not null then t.home_rate_on else r.rate_on end",
        home_basis=f"case when t.amount_home is not null then t.home_basis when {_HOME} is not null then 'source' "
        "when r.amount is not null then 'rate' end",
        closed_on=CLOSED,
        group_key="coalesce(t.group_key, t.deal_id)",
    )
    + f" left join ({_DEALS_CONVERTED}) as r on r.id = t.deal_id",
    "subscriptions": _home("subscriptions", "recurring_month", "t.started_on"),
    "funds": _home("funds", "amount", "t.created_on"),
    "registrations": _replaced("registrations", account_id="coalesce(t.account_id, d.account_id)")
    + " left join deals_fold as d on d.deal_id = t.deal_id",
    **{name: _replaced(name, _one_a_key(name)) for name in ("fx_rates", "fiscal_periods")},
    "credentials": _replaced("credentials", live=LIVE) + " left join people_fold as h on h.person_id = t.person_id",
}
"""SQL of each current view, over `<table>_fold`."""


def role_flag(role: str) -> str:
    """SQL of yes/no: whether a partner has that role in a thing, over its parts in it.

    Where a source says only that the two belong together, every role is unknown, not false.
    """
    named = "max(case when role like 'association:%' then 0 else 1 end) = 1"
    return f"case when max(case when role = '{role}' then 1 else 0 end) = 1 then true when {named} then false end as {role}"


PARTS = {
    kind: f"""
select partner_id, subject_id, {", ".join(map(role_flag, ROLES))}, max(share_pct) as share_pct
from touches_now where subject_kind = '{kind}' and starts_on <= $as_of and coalesce(ends_on, $as_of) >= $as_of
group by partner_id, subject_id"""
    for kind in ("deal", "subscription")
}
"""SQL of `<kind>_parts`: who has a part in a thing of a kind on a day, and which; one row for each partner and thing.

An engine lays them before deals: folded inside that join they need more room than it is given.
"""

_OF_ACCOUNT = "o.country as account_country, o.industry as account_industry, o.tags as account_tags"


def _through_touches(table: str, kind: str, *more: str) -> str:
    """Rows of deals, of subscriptions or of what happened to deals, one for each partner that has a part in them."""
    contract = TABLES[table]
    own = ", ".join(f"d.{name}" for name in (contract.identity or "own_id", *contract.names, "occurred_on", "occurred_at",
                                             "known_at", "row_hash", "landing", "line", "source", "load_id"))  # fmt: skip
    flags = ", ".join(f"t.{role}" for role in ROLES)
    of_account = f", {_OF_ACCOUNT}" if "account_id" in contract.names else ""
    accounts = "\nleft join organisations_fold as o on o.organisation_id = d.account_id" if of_account else ""
    return f"""
select t.partner_id, {", ".join((own, *more))}, {flags}, t.share_pct{of_account}
from {table}_now as d
join {kind}_parts as t on t.subject_id = d.{kind}_id{accounts}"""


_REGISTRATIONS = f"""
select t.*, {_OF_ACCOUNT}, f.first_deal_on
from registrations_now as t
left join organisations_fold as o on o.organisation_id = t.account_id
left join (select account_id, min(created_on) as first_deal_on from deals_now where account_id is not null
           group by account_id) as f on f.account_id = t.account_id"""
"""Registrations with what we know of their customer: among it the first day on which we had a deal with it."""

_ACTIVITY = (
    "t.own_id, t.type, t.account_id, t.person_id, t.deal_id, t.channel, t.value, t.occurred_on, t.occurred_at, "
    "t.known_at, t.row_hash, t.landing, t.line, t.source, t.load_id"
)

ACTIVITIES_THAT_NAME_PARTNERS = f"select t.partner_id, {_ACTIVITY} from activities_now as t"
"""The rows of activities that reach a partner where each names it, and nobody need be asked whom a person works for."""

REACHING: dict[str, str] = {
    "deals": _through_touches("deals", "deal", "date_diff('day', d.created_on, d.closed_on) as cycle_days"),
    "deal_stages": _through_touches("deal_stages", "deal"),
    "subscriptions": _through_touches("subscriptions", "subscription", "d.recurring_month_home"),
    "activities": f"{ACTIVITIES_THAT_NAME_PARTNERS} where t.partner_id is not null union all "
    f"select h.organisation_id, {_ACTIVITY} from activities_now as t left join people_fold as h on h.person_id = t.person_id "
    "where t.partner_id is null",
    "credentials": "select h.organisation_id as partner_id, t.* from credentials_now as t "
    "join people_fold as h on h.person_id = t.person_id",
    "people": "select t.organisation_id as partner_id, t.* from people_now as t where t.side <> 'ours'",
    "organisations": "select t.organisation_id as partner_id, t.* from organisations_now as t",
    "registrations": _REGISTRATIONS,
    **{name: f"select t.* from {name}_now as t" for name in ("memberships", "funds", "readings", "overlaps")},
}
"""SQL of the rows that reach a partner, by the table that a signal names in `from`; each has `partner_id`."""

_Derived = dict[str, tuple[str, tuple[str, ...]]]
_OF_TOUCHES: _Derived = {
    **dict.fromkeys(ROLES, ("bool", ("touches.role",))),
    "share_pct": ("share", ("touches.share_pct",)),
}
_OF_ACCOUNTS: _Derived = {
    "account_country": ("country", ("organisations.country",)),
    "account_industry": ("text", ("organisations.industry",)),
    "account_tags": ("list", ("organisations.tags",)),
}
DERIVED: dict[str, _Derived] = {
    "deals": {**_OF_TOUCHES, **_OF_ACCOUNTS, "cycle_days": ("int", ("deals.closed_on", "deals.created_on"))},
    "deal_stages": _OF_TOUCHES,
    "subscriptions": {
        **_OF_TOUCHES,
        **_OF_ACCOUNTS,
        "recurring_month_home": ("money", ("subscriptions.currency", "subscriptions.recurring_month")),
    },
    "registrations": {**_OF_ACCOUNTS, "first_deal_on": ("date", ("deals.created_on",))},
    "funds": {"amount_home": ("money", ("funds.amount", "funds.currency"))},
    "credentials": {"live": ("bool", ("credentials.status", "credentials.issued_on", "credentials.expires_on"))},
}
"""Columns that views add: name -> (kind, the canonical columns they come from)."""

_BY_PARTNER = ("activities", "memberships", "registrations", "funds", "readings", "overlaps")
REACH: dict[str, tuple[str, ...]] = {
    "deals": ("touches.partner_id",),
    **dict.fromkeys(("deal_stages", "subscriptions"), ("touches.partner_id",)),
    "credentials": ("credentials.person_id",),
    "people": ("people.organisation_id",),
    "organisations": ("organisations.name",),
    **{name: (f"{name}.partner_id",) for name in _BY_PARTNER},
}
"""The columns through which rows of a table reach a partner."""

_STANDS = "coalesce(status, '') <> 'terminated' and (valid_to is null or valid_to >= $as_of)"

PARTNERS = f"""
select o.organisation_id as partner_id, o.name, o.country, o.domain, m.partner_type, m.region, m.tier, m.status,
  m.manager_id, m.joined_on, o.source, o.external_id, o.landing, o.line, o.load_id
from organisations_fold as o
left join (
  select *, row_number() over (partition by partner_id
      order by {_STANDS} desc, step desc, valid_from desc, own_id) as place, {_STANDS} as stands
  from (select n.*, coalesce(r.rank, case when n.tier is null then -1 else 0 end) as step
        from memberships_now as n
        left join (select program, tier, max(rank) as rank from tiers_now where valid_to is null or valid_to >= $as_of
                   group by program, tier) as r on r.program = n.program and r.tier = n.tier) as held
  where valid_from <= $as_of) as m on m.partner_id = o.organisation_id and m.place = 1
where coalesce(m.stands, o.is_partner)"""
"""The partners of a day: those with a membership that stands, neither ended nor terminated, or the role alone where no
membership is known. Of several that stand the one of the highest tier describes the partner (a tier without rank before
none), then the newest; one that does not stand (of a merged double) hides none."""

MAY_BE_PARTNERS = """
select own_id as partner_id from organisations_versions where is_partner
union select partner_id from memberships_versions where partner_id is not null"""
"""Whoever is a partner on any day, or more, by the ids that sources gave: those may have given way to others."""

ACCOUNTS = """
select o.* from organisations_now as o
where o.is_customer or o.organisation_id in (select account_id from deals_now where account_id is not null)
  or o.organisation_id in (select account_id from subscriptions_now)"""
"""The buying side of a day."""


def tables_behind(statements: Iterable[str], but: Collection[str] = ()) -> tuple[frozenset[str], frozenset[str]]:
    """What such statements over `<table>_now`, `<table>_fold` and `<kind>_parts` read, through other views too: tables
    whose views are read, and tables that are folded for it; `but` those that lie there already."""
    seen: set[str] = set()
    folded: set[str] = set()
    pending = list(statements)
    while pending:
        sql = pending.pop()
        pending.extend(PARTS[kind] for kind in parts_read(sql))
        for name, what in set(_READ.findall(sql)):
            if name in TABLES and name not in but:
                folded.add(name)
                if what == "now" and name not in seen:
                    seen.add(name)
                    pending.append(VIEWS[name])
    return frozenset(seen), frozenset(folded)


def parts_read(sql: str) -> list[str]:
    """The kinds of things whose `<kind>_parts` a statement reads."""
    return [kind for kind in PARTS if f"join {kind}_parts " in sql]


_READ = re.compile(r"\b([a-z_]+)_(now|fold)\b")
