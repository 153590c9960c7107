"""What rules and screens read: the current views with their derived columns, and the rows that reach a partner.

`VIEWS` are the current tables with what the engine derives (closed_on, amount_home, live, ...); `REACHING` are the
relations that signals read: one row per (partner, thing). Both are SQL in the portable subset over `<table>_fold`,
with one function that the engine brings: `div(n, d)`, the whole part of a quotient of whole numbers, exactly.
"""

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


_LIVE = """(t.status in ('active', 'maintenance_due') and t.issued_on <= $as_of
  and (t.expires_on is null or t.expires_on >= $as_of) and (h.left_on is null or h.left_on >= $as_of))"""

_HOME = "case when t.currency = $home_currency then t.amount end"

_CLOSED = "coalesce(t.closed_on, case when t.stage_class in ('won', 'lost') then t.close_on end)"


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


_SPOT_RATES = f"""
with spot as (
  select currency, day, per_home from {_one_a_key("fx_rates")} as t where lower(t.rates) = 'spot'),
written as (
  select t.deal_id, t.currency, t.amount, coalesce({_CLOSED}, t.close_on, t.created_on) as of_day
  from deals_fold as t where t.amount_home is null and t.amount is not null and t.currency <> $home_currency),
asked as (
  select deal_id, currency, amount, case when of_day > $as_of then $as_of else of_day end as on_day
  from written where of_day is not null),
found as (
  select *, max(rate_on) over (partition by currency order by on_day) as day
  from (
    select deal_id, currency, amount, on_day, cast(null as date) as rate_on from asked
    union all select null, currency, null, day, day from spot) as days)
select f.deal_id, f.amount, s.day, s.per_home
from found as f join spot as s on s.currency = f.currency and s.day = f.day
where f.deal_id is not null and f.day >= f.on_day - $rate_days"""
"""The spot rate of each deal that is written in another currency: the last on or before its day, within $rate_days.

Its day is that of closing, else the planned one, else that of creation; a day still to come counts as the day of the
view. A deal without any such rate is not there.
"""

_CONVERTED = f"""
with parts as (
  select deal_id, day, case when amount < 0 then -1 else 1 end as sign,
    div(abs(amount) * 10000, 1) * 100000000 as part, div(per_home * 100000000, 1) * $home_step as divisor
  from ({_SPOT_RATES}) as r),
divided as (
  select *, div(part, divisor) as whole, part - div(part, divisor) * divisor as rest from parts),
rounded as (
  select *, $home_step * (whole + case when 2 * rest > divisor then 1
    when 2 * rest = divisor and whole - 2 * div(whole, 2) = 1 then 1 else 0 end) as ten_thousandths from divided)
select deal_id, day as rate_on, cast(sign * cast(ten_thousandths as decimal(20, 0)) * 0.0001 as decimal(20, 4)) as amount
from rounded where ten_thousandths < 100000000000000000000"""
"""Deals converted by rate, in whole numbers throughout: rounded once, half-even, to the home currency's smallest unit.

$home_step is that unit in ten-thousandths: USD 100, JPY 10000, KWD 10. The steps stay below 10^33, so that 38 digits
hold them. What would not fit into money is not there: unknown.
"""

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
        closed_on=_CLOSED,
        group_key="coalesce(t.group_key, t.deal_id)",
    )
    + f" left join ({_CONVERTED}) as r on r.deal_id = t.deal_id",
    **{name: _replaced(name, _one_a_key(name)) for name in ("fx_rates", "fiscal_periods")},
    "credentials": _replaced("credentials", live=_LIVE) + " left join people_fold as h on h.person_id = t.person_id",
}
"""SQL of each current view, over `<table>_fold`."""

_ROLE_FLAGS = ", ".join(
    f"case when max(case when role = '{role}' then 1 else 0 end) = 1 then true "
    f"when max(case when role like 'association:%' then 0 else 1 end) = 1 then false end as {role}"
    for role in ROLES
)
"""One yes/no a role. Where a source says only that the two belong together, every role is unknown, not false."""


def _through_touches(table: str, kind: str) -> str:
    contract = TABLES[table]
    own = ", ".join(f"d.{name}" for name in (contract.identity, *contract.names, "occurred_on", "occurred_at",
                                             "known_at", "row_hash", "landing", "line", "source", "load_id"))  # fmt: skip
    flags = ", ".join(f"t.{role}" for role in ROLES)
    return f"""
select t.partner_id, {own}, {flags}, t.share_pct, o.country as account_country, o.tags as account_tags
from (select partner_id, subject_id, {_ROLE_FLAGS}, max(share_pct) as share_pct
      from touches_now where subject_kind = '{kind}' and starts_on <= $as_of and coalesce(ends_on, $as_of) >= $as_of
      group by partner_id, subject_id) as t
join {table}_now as d on d.{contract.identity} = t.subject_id
left join organisations_now as o on o.organisation_id = d.account_id"""


_ACTIVITY = (
    "t.own_id, t.type, t.account_id, t.person_id, t.deal_id, t.channel, t.value, t.occurred_on, t.occurred_at, "
    "t.known_at, t.row_hash, t.landing, t.line, t.source, t.load_id"
)

ACTIVITIES_THAT_NAME_PARTNERS = f"select t.partner_id, {_ACTIVITY} from activities_now as t"
"""The rows of activities that reach a partner where each names it, and nobody need be asked whom a person works for."""

REACHING: dict[str, str] = {
    "deals": _through_touches("deals", "deal"),
    "subscriptions": _through_touches("subscriptions", "subscription"),
    "activities": f"{ACTIVITIES_THAT_NAME_PARTNERS} where t.partner_id is not null union all "
    f"select h.organisation_id, {_ACTIVITY} from activities_now as t left join people_fold as h on h.person_id = t.person_id "
    "where t.partner_id is null",
    "credentials": "select h.organisation_id as partner_id, t.* from credentials_now as t "
    "join people_fold as h on h.person_id = t.person_id",
    "people": "select t.organisation_id as partner_id, t.* from people_now as t where t.side <> 'ours'",
    "organisations": "select t.organisation_id as partner_id, t.* from organisations_now as t",
    **{name: f"select t.* from {name}_now as t" for name in ("memberships", "registrations", "funds", "readings")},
}
"""SQL of the rows that reach a partner, by the table that a signal names in `from`; each has `partner_id`."""

DERIVED: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "deals": {
        **dict.fromkeys(ROLES, ("bool", ("touches.role",))),
        "share_pct": ("share", ("touches.share_pct",)),
        "account_country": ("country", ("organisations.country",)),
        "account_tags": ("list", ("organisations.tags",)),
    },
    "credentials": {"live": ("bool", ("credentials.status", "credentials.issued_on", "credentials.expires_on"))},
}
"""Columns that views add: name -> (kind, the canonical columns they come from)."""
DERIVED["subscriptions"] = DERIVED["deals"]

REACH: dict[str, tuple[str, ...]] = {
    "deals": ("touches.partner_id",),
    "subscriptions": ("touches.partner_id",),
    "credentials": ("credentials.person_id",),
    "people": ("people.organisation_id",),
    "organisations": ("organisations.name",),
    **{name: (f"{name}.partner_id",) for name in ("activities", "memberships", "registrations", "funds", "readings")},
}
"""The columns through which rows of a table reach a partner."""

_STANDS = "coalesce(status, '') <> 'terminated' and (valid_to is null or valid_to >= $as_of)"

PARTNERS = f"""
select o.organisation_id as partner_id, o.name, o.country, o.domain, m.partner_type, m.region, m.tier, m.status,
  m.manager_id, m.joined_on, o.source, o.external_id, o.landing, o.line, o.load_id
from organisations_now as o
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

ACCOUNTS = """
select o.* from organisations_now as o
where o.is_customer or o.organisation_id in (select account_id from deals_now where account_id is not null)
  or o.organisation_id in (select account_id from subscriptions_now)"""
"""The buying side of a day."""
