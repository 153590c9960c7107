"""A made ecosystem, written straight into the lake and the ledger: what a vendor holds after 36 months.

At full size 40,000 partners, 50 M activities, 2 M deals, 1.2 M accounts and 3.8 M people. Few partners are large, most
are small, and a tenth falls silent. One load a month, known at its end; its facts lie within the month, in the order of
time. Numbers come from hashes of row numbers, so the same sizes give the same rows. Nothing is taken in from files:
the take-in has a bench of its own.
"""

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import django
import pyarrow as pa

from groundswell.core.tables import fold
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.identity import own_id_sql
from groundswell.engine import lake, landings
from groundswell.engine.duckdb import Engine, quoted

MONTHS = 36
FIRST = dt.date(2023, 11, 1)
LAST = dt.date(2026, 10, 31)
"""The last month-end: the day that the benches assess."""
SOURCE = "generic"

SHARES = {
    "portal_login": 290, "email_sent": 200, "asset_opened": 120, "email_replied": 60, "campaign_response": 60,
    "call": 35, "meeting": 30, "training_started": 30, "training_completed": 25, "asset_shared": 20,
    "support_ticket": 20, "plan_step_done": 10, "seller_request": 15, "seller_reply": 15, "webinar_attended": 15,
    "lead_accepted": 15, "demo_given": 10, "event_attended": 10, "forecast_submitted": 10, "lead_declined": 5,
    "joint_call": 5,
}  # fmt: skip
"""Types of activity, each with its share of a thousand."""
_ABOUT_A_DEAL = ("seller_request", "seller_reply", "demo_given", "asset_shared", "joint_call")
_READINGS = {
    "use_cases_documented": 12, "icp_specificity": 5, "reference_customers": 9, "implementations_completed": 30,
    "csat": 101, "sales_people": 60, "competing_products": 5, "message_consistency": 5, "nps": 101,
}  # fmt: skip
"""Kinds of readings, each with the number of whole values it can take, from 0."""


@dataclass(frozen=True)
class Size:
    """How much of everything: what happens and with whom, and who our partners are, each as a share of full size.

    `merges` is how many accounts, and how many partners, turned out in the last month to be another one.
    """

    events: float = 1.0
    partners: float = 1.0
    merges: int = 0

    def of(self, full: int, what: str = "events") -> int:
        """The count that stands for a full one."""
        return max(MONTHS, round(full * (self.events if what == "events" else self.partners)))

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each kind of thing."""
        return {
            "partners": self.of(40_000, "partners"),
            "partner_people": self.of(800_000, "partners"),
            "credentials": self.of(200_000, "partners"),
            "accounts": self.of(1_200_000),
            "account_people": self.of(3_000_000),
            "deals": self.of(2_000_000),
            "registrations": self.of(300_000),
            "activities": self.of(50_000_000),
        }

    @property
    def folder(self) -> str:
        """A name for an instance of this size."""
        return f"ecosystem-{self.events:g}-{self.partners:g}" + (f"-{self.merges}" if self.merges else "")


def instance(under: Path, size: Size) -> Path:
    """The folder of an instance of that size, made once: one that stands there whole is used again."""
    path = under / size.folder
    if not (path / "whole").is_file():
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        make(path, size)
        (path / "whole").touch()
    return path


def made_apart(under: Path, size: Size) -> Path:
    """The same, made in a process of its own: one process serves one instance."""
    sizes = ["--events", f"{size.events:g}", "--partners", f"{size.partners:g}", "--merges", f"{size.merges}"]
    subprocess.run([sys.executable, "-m", "bench", "ecosystem", "--at", str(under), *sizes], check=True)
    return under / size.folder


def open_records(path: Path) -> None:
    """Make the records of an instance those of this process, which can serve only one; bring them up to date."""
    os.environ["GROUNDSWELL_HOME"] = str(path)
    os.environ["DJANGO_SETTINGS_MODULE"] = "groundswell.server.settings"
    django.setup()
    from groundswell.records import upgrade

    upgrade.catch_up()


def make(path: Path, size: Size) -> None:
    """Write an ecosystem into an empty folder."""
    open_records(path)
    spill = path / "spill"
    engine = Engine(spill, memory="3GB")
    for statement in _things(size.counts):
        engine.do(statement)
    for month in range(MONTHS):
        _load(path / "lake", engine, month, size)
    engine.close()
    shutil.rmtree(spill, ignore_errors=True)


# ----------------------------------------------------------------------------------------------------- SQL of chance


def _any(salt: str, of: int, key: str = "i") -> str:
    """A whole number from 0 to below `of`, always the same for a key and a salt."""
    return f"cast(hash({key}, '{salt}') % {of} as bigint)"


def _part(salt: str, key: str = "i") -> str:
    """A number from 0 to below 1."""
    return f"({_any(salt, 1_000_000_007, key)} / 1000000007e0)"


def _word(salt: str, words: tuple[str, ...], key: str = "i") -> str:
    listed = ", ".join(quoted(word) for word in words)
    return f"list_value({listed})[1 + {_any(salt, len(words), key)}]"


def _by_share(number: str, shares: dict[str, int]) -> str:
    """The word into whose share of a thousand a number falls."""
    said, upper = [], 0
    for word, share in shares.items():
        upper += share
        said.append(f"when {number} < {upper} then {quoted(word)}")
    return f"case {' '.join(said)} end"


def _month(number: int) -> tuple[dt.date, dt.date]:
    """First days of a month of the ecosystem and of the one after it."""
    first, after = ((FIRST.year * 12 + FIRST.month - 1 + number + step) for step in (0, 1))
    return dt.date(first // 12, first % 12 + 1, 1), dt.date(after // 12, after % 12 + 1, 1)


# ------------------------------------------------------------------------------------------------------- the things


def _id(table: str, external_id: str) -> str:
    return own_id_sql(TABLES[table].prefix, quoted(SOURCE), quoted(table), external_id)


def _things(n: dict[str, int]) -> Iterator[str]:
    """Tables of who and what there is, with ids and the month in which each becomes known.

    Low numbers are large partners: people, deals and activities of a partner thin out with its number.
    """
    partners, people, deals = n["partners"], n["partner_people"], n["deals"]
    selling = max(1, partners * 6 // 10)
    yield f"""create temp table partner as select i, {_id("organisations", "'P' || i")} as id,
        case when {_any("old", 4)} < 3 then 0 else {_any("join", 24)} end as month,
        case when i % 10 = 9 then {_any("silent", MONTHS)} else {MONTHS} end as silent_from,
        cast(floor({people}e0 * sqrt(i / {partners}e0)) as bigint) as people_from,
        cast(floor({people}e0 * sqrt((i + 1) / {partners}e0)) as bigint) as people_to,
        cast(floor({deals}e0 * sqrt(i / {selling}e0)) as bigint) as deals_from,
        cast(floor({deals}e0 * sqrt((i + 1) / {selling}e0)) as bigint) as deals_to
      from range({partners}) as r(i)"""
    yield f"""create temp table partner_person as select h.i, {_id("people", "'U' || h.i")} as id, p.id as organisation_id,
        greatest(p.month, case when {_any("old", 2, "h.i")} = 0 then 0 else {_any("join", MONTHS, "h.i")} end) as month
      from range({people}) as h(i) join partner as p on h.i >= p.people_from and h.i < p.people_to"""
    yield f"""create temp table account as select i, {_id("organisations", "'A' || i")} as id,
        case when {_any("old", 2)} = 0 then 0 else {_any("join", MONTHS)} end as month
      from range({n["accounts"]}) as r(i)"""
    yield f"""create temp table deal as
      with begun as (select i, {_any("month", MONTHS)} as month, {_any("life", 160)} + 20 as life from range({deals}) as r(i)),
      dated as (select *, date '{FIRST}' + to_months(month) + to_days({_any("day", 28)}) as begins from begun),
      closing as (select *, case when {_any("closes", 4)} < 3 then begins + to_days(life) end as ends from dated)
      select d.i, {_id("deals", "'D' || d.i")} as id, a.id as account_id, d.month, cast(begins as date) as created_on,
        cast(begins + to_days(life) as date) as close_on, cast(ends as date) as closed_on,
        date_diff('month', date '{FIRST}', cast(ends as date)) as closing_month,
        case when {_any("won", 100, "d.i")} < 45 then 'won' else 'lost' end as outcome,
        cast(round(exp(8 + 3 * {_part("amount", "d.i")}), 2) as decimal(20, 4)) as amount,
        {_word("product", ("Core", "Edge", "Flow", "Insight", "Guard", "Link"), "d.i")} as product,
        {_word("type", ("new", "new", "new", "expansion", "renewal"), "d.i")} as type
      from closing as d join account as a on a.i = {_any("account", n["accounts"], "d.i")}"""


# --------------------------------------------------------------------------------------------------- rows of a month


def _rows(month: int, size: Size) -> dict[str, tuple[str, str]]:
    """{table: (kind of thing, SQL of its rows)} of what becomes known in a month."""
    first, after = _month(month)
    here, n = f"month = {month}", size.counts
    within = f"date '{first}' + cast({_any('day', (after - first).days)} as integer)"
    spread = f"hash(i, 'month') % {MONTHS} = {month}"
    return {
        "organisations": ("organisations", f"""
            select 'P' || i as external_id, 'Partner ' || i as name, true as is_partner, false as is_customer,
              'p' || i || '.example' as domain, {_country()} as country from partner where {here}
            union all select 'A' || i, 'Account ' || i, false, true, 'a' || i || '.example', {_country()}
            from account where {here}"""),
        "memberships": ("memberships", f"""
            select 'M' || i as external_id, id as partner_id, 'default' as program, {within} as valid_from,
              {_word("kind", ("reseller", "si", "msp", "referral"))} as partner_type, 'active' as status,
              {_word("region", ("EMEA", "AMER", "APAC"))} as region, {_word("tier", ("member", "silver", "gold"))} as tier,
              case when month = 0 then {within} - cast({_any("age", 3000)} as integer) else {within} end as joined_on
            from partner where {here}"""),
        "people": ("people", f"""
            select 'U' || i as external_id, organisation_id, 'partner' as side, 'u' || i || '@p.example' as email,
              'Person ' || i as full_name from partner_person where {here}
            union all select 'V' || h.i, a.id, 'account', 'v' || h.i || '@a.example', 'Person ' || h.i
            from range({n["account_people"]}) as h(i) join account as a on a.i = h.i % {n["accounts"]} where a.{here}"""),
        "credentials": ("credentials", f"""
            select 'C' || c.i as external_id, h.id as person_id, 'K' || c.i % 40 as code,
              {_word("kind", ("certificate", "certificate", "badge", "course"), "c.i")} as kind, 'active' as status,
              {_word("level", ("associate", "associate", "professional", "expert"), "c.i")} as level,
              {within.replace("hash(i,", "hash(c.i,")} as issued_on, issued_on as occurred_on,
              issued_on + 730 as expires_on
            from (select i from range({n["credentials"]}) as r(i) where {spread}) as c
            join partner_person as h on h.i = {_any("holder", n["partner_people"], "c.i")}"""),
        "deals": ("deals", f"""
            select 'D' || i as external_id, 'opportunity' as kind, 'Deal ' || i as name, account_id, product, type,
              case when closing_month <= {month} then outcome else 'proposal' end as stage,
              case when closing_month <= {month} then outcome else 'open' end as stage_class,
              amount, 'USD' as currency, created_on, created_on as occurred_on, close_on,
              case when closing_month <= {month} then closed_on end as closed_on
            from deal where {here} or closing_month = {month}"""),
        "touches": ("touches", f"""
            with parts as (
              select i, 1 as part, id, created_on, {_any("role", 1000)} as chance, i as of_deal from deal where {here}
              union all select i, 2, id, created_on, {_any("second", 1000)}, {_any("other", n["deals"])} from deal
              where {here} and {_any("two", 100)} < 15)
            select 'T' || t.i || '-' || part as external_id, 'deal' as subject_kind, t.id as subject_id, p.id as partner_id,
              case when part = 2 then 'implemented' else
                {_by_share("chance", {"sourced": 550, "resold": 200, "influenced": 150, "assisted": 100})} end as role,
              part = 1 as is_primary, 'crm_field' as evidence, created_on as starts_on, created_on as occurred_on
            from parts as t join partner as p on of_deal >= p.deals_from and of_deal < p.deals_to"""),
        "registrations": ("registrations", f"""
            select 'R' || r.i as external_id, p.id as partner_id, 'Account ' || r.i as customer_name,
              {_word("state", ("submitted", "approved", "approved", "closed"), "r.i")} as state,
              case when state = 'closed' then 'converted' end as closure,
              cast({within.replace("hash(i,", "hash(r.i,")} as timestamptz) as submitted_at,
              cast(submitted_at at time zone 'UTC' as date) as occurred_on,
              case when state <> 'submitted' then submitted_at + to_hours({_any("decided", 240, "r.i")}) end as decided_at
            from (select i from range({n["registrations"]}) as r(i) where {spread}) as r
            join partner as p on p.i = cast(floor({n["partners"]}e0 * pow({_part("who", "r.i")}, 2)) as bigint)"""),
        "readings": ("readings", f"""
            select 'N' || p.i || k.kind as external_id, p.id as partner_id, k.kind, date '{first}' as period_from,
              date '{after}' - 1 as period_to, period_to as occurred_on,
              cast(hash(p.i, k.kind) % k.of as decimal(28, 8)) as value
            from partner as p cross join (values {", ".join(f"('{k}', {v})" for k, v in _READINGS.items())}) as k(kind, of)
            where p.month <= {month} and hash(p.i, k.kind, 'month') % {MONTHS} = {month}"""),
        "links": ("links", " union all ".join(f"""
            select '{table}' || gone.i as external_id, gone.id as from_id, stays.id as into_id, 'person' as how,
              date '{LAST}' as occurred_on
            from {table} as gone join {table} as stays on stays.i = gone.i - 1
            where gone.i % 2 = 1 and gone.i < {2 * size.merges if month == MONTHS - 1 else 0}"""
            for table in ("partner", "account"))),
        "activities": ("activities", _activities(month, n)),
    }  # fmt: skip


def _country() -> str:
    return _word(
        "country", ("US", "US", "US", "DE", "GB", "FR", "NL", "SE", "IT", "ES", "PL", "JP", "IN", "BR", "AU", "CA")
    )


def _activities(month: int, n: dict[str, int]) -> str:
    """Events of a month in the order of time; those of partners that have fallen silent go to a livelier neighbour."""
    first, after = _month(month)
    begin, end = (n["activities"] * (month + step) // MONTHS for step in (0, 1))
    step = (after - first).days * 86_400_000_000 / max(1, end - begin)
    deal = f"t.type in ({', '.join(map(quoted, _ABOUT_A_DEAL))}) and p.deals_to > p.deals_from and p.deals_from < {n['deals']}"
    return f"""
        with thrown as (
          select i, cast(floor({n["partners"]}e0 * pow({_part("who")}, 3)) as bigint) as who, {_any("type", 1000)} as chance,
            timestamptz '{first} 00:00:00+00' + to_microseconds(cast(floor((i - {begin}) * {step}e0) as bigint)) as moment
          from range({begin}, {end}) as r(i)),
        told as (
          select t.*, {_by_share("chance", SHARES)} as type,
            case when q.silent_from <= {month} then who - 9 else who end as partner
          from thrown as t join partner as q on q.i = t.who)
        select 'E' || lpad(cast(t.i as varchar), 9, '0') as external_id, t.type, p.id as partner_id, h.id as person_id,
          d.id as deal_id, case when t.type in ('demo_given', 'joint_call') then d.account_id end as account_id,
          case when t.type like 'training%' then 'lms' when t.type like 'email%' then 'email' else 'portal' end as channel,
          cast(case t.type when 'training_completed' then {_any("score", 101, "t.i")} / 100e0
            when 'seller_reply' then {_any("hours", 200, "t.i")} end as decimal(28, 8)) as value,
          moment as occurred_at, cast(moment at time zone 'UTC' as date) as occurred_on
        from told as t join partner as p on p.i = t.partner
        left join partner_person as h
          on h.i = p.people_from + cast(hash(t.i, 'person') % greatest(1, p.people_to - p.people_from) as bigint)
        left join deal as d on d.i = case when {deal}
          then p.deals_from + cast(hash(t.i, 'deal') % (p.deals_to - p.deals_from) as bigint) end
        order by t.i"""


# --------------------------------------------------------------------------------------------------------- the load


def _load(root: Path, engine: Engine, month: int, size: Size) -> None:
    """One load: a file a table in the lake, committed there, then in the ledger."""
    from groundswell.records.loads import Load, LoadFile

    known_at = dt.datetime.combine(_month(month)[1], dt.time(), dt.UTC) - dt.timedelta(seconds=1)
    load = Load.objects.create(
        file_name=f"{known_at:%Y-%m}.csv", landing=f"{month:064x}", source=SOURCE, format="made", arrived_at=known_at,
        known_at=known_at, dated=True, request={},
    )  # fmt: skip
    files = []
    for table, (kind, sql) in _rows(month, size).items():
        rows = _written(root, engine, table, load.name, known_at, kind, sql)
        if rows:
            path = lake.file_of(root, table, load.name)
            lake.commit(root, table, load.name, rows)
            repeats = table == "deals" and month > 0
            files.append(LoadFile(load=load, table=table, rows=rows, sha256=landings.digest(path), repeats=repeats))
    LoadFile.objects.bulk_create(files)
    load.state, load.committed_at, load.settled = "committed", known_at, True
    load.rows_in = load.loaded = sum(file.rows for file in files)
    load.save()


def _written(root: Path, engine: Engine, table: str, name: str, known_at: dt.datetime, kind: str, sql: str) -> int:
    """Rows of a table that a load wrote to its file."""
    lake.open_table(root, table)
    also = f"'{kind}' as object, row_number() over () + 1 as line, false as deleted, false as mention"
    engine.do(f"create or replace temp view arriving as select *, {also} from ({sql}) as made")
    filled = {str(row["column_name"]) for row in engine.ask("select column_name from (describe arriving)")}
    said = {
        "source": quoted(SOURCE), "known_at": f"timestamptz '{known_at:%Y-%m-%d %H:%M:%S}+00'", "known_by": "'source'",
        "load_id": quoted(name), "landing": f"'{name}'",
    }  # fmt: skip
    schema, rows = lake.schema(table), 0
    path = lake.new_file(root, table, name)
    with lake.writer(path, schema) as writer:
        for batch in engine.batches(fold.version_sql(TABLES[table], "arriving", filled, said)):
            writer.write_table(pa.table(batch).cast(schema))
            rows += len(batch)
    if not rows:
        path.unlink()
    return rows
