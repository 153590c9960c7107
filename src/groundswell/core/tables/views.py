"""What rules and screens read: the current views with their derived columns, and the rows that reach a partner.

`VIEWS` are the current tables with what the engine derives (closed_on, amount_home, live, ...); `REACHING` are the
relations that signals read: one row per (partner, thing). Both are SQL in the portable subset over `<table>_fold`.
"""

from groundswell.core.tables.contract import ROLES, TABLES

_FALLBACKS = {"memberships": "valid_from", "tiers": "valid_from", "touches": "starts_on"}
"""Columns that an undated export leaves empty: the day the fact was first known stands in."""


def _replaced(table: str, **expressions: str) -> str:
    contract = TABLES[table]
    head = [contract.identity or "own_id"]
    tail = ["occurred_on", "occurred_at", "source", "object", "external_id", "landing", "line", "load_id", "known_at",
            "known_by", "row_hash"]  # fmt: skip
    names = [*head, *contract.names, *tail]
    columns = ", ".join(f"{expressions[name]} as {name}" if name in expressions else f"t.{name}" for name in names)
    extra = ", ".join(f"{said} as {name}" for name, said in expressions.items() if name not in names)
    return f"select {columns}{', ' + extra if extra else ''} from {table}_fold as t"


_LIVE = """(t.status in ('active', 'maintenance_due') and t.issued_on <= $as_of
  and (t.expires_on is null or t.expires_on >= $as_of) and (h.left_on is null or h.left_on >= $as_of))"""

_HOME = "case when t.currency = $home_currency then t.amount end"

VIEWS: dict[str, str] = {
    **{name: _replaced(name) for name in TABLES if name not in _FALLBACKS},
    **{name: _replaced(name, **{day: f"coalesce(t.{day}, t.occurred_on)"}) for name, day in _FALLBACKS.items()},
    "organisations": _replaced(
        "organisations",
        is_customer="t.is_customer or t.organisation_id in (select account_id from deals_fold where account_id is not null)",
    ),
    "people": _replaced("people", side="case when t.side <> 'ours' and o.is_partner then 'partner' else t.side end")
    + " left join organisations_fold as o on o.organisation_id = t.organisation_id",
    "deals": _replaced(
        "deals",
        amount_home=f"coalesce(t.amount_home, {_HOME})",
        home_basis=f"case when t.amount_home is not null then t.home_basis when {_HOME} is not null then 'rate' end",
        closed_on="coalesce(t.closed_on, case when t.stage_class in ('won', 'lost') then t.close_on end)",
        group_key="coalesce(t.group_key, t.deal_id)",
    ),
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


REACHING: dict[str, str] = {
    "deals": _through_touches("deals", "deal"),
    "subscriptions": _through_touches("subscriptions", "subscription"),
    "activities": "select coalesce(t.partner_id, h.organisation_id) as partner_id, t.own_id, t.type, t.account_id, "
    "t.person_id, t.deal_id, t.channel, t.value, t.occurred_on, t.occurred_at, t.known_at, t.row_hash, t.landing, "
    "t.line, t.source, t.load_id from activities_now as t left join people_now as h on h.person_id = t.person_id",
    "credentials": "select h.organisation_id as partner_id, t.* from credentials_now as t "
    "join people_now as h on h.person_id = t.person_id",
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
      order by {_STANDS} desc, valid_from desc, own_id) as place, {_STANDS} as stands
  from memberships_now where valid_from <= $as_of) as m on m.partner_id = o.organisation_id and m.place = 1
where coalesce(m.stands, o.is_partner)"""
"""The partners of a day: those with a membership that stands, neither ended nor terminated, or the role alone where no
membership is known. The newest that stands describes the partner; one that does not (of a merged double) hides none."""

ACCOUNTS = """
select o.* from organisations_now as o
where o.is_customer or o.organisation_id in (select account_id from deals_now where account_id is not null)
  or o.organisation_id in (select account_id from subscriptions_now)"""
"""The buying side of a day."""
