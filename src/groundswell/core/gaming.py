"""Figures that look made rather than earned: a list for a person to go through, with reasons, and never a penalty.

Source of the rules: docs/explain/dormancy.md, what opens a review. Four reasons: activity far above verified outcome, bursts, the
same claim twice, more courses than a day holds. Each says its figure and how many rows stand behind it. None of them
proves anything: a keen partner, a shared account and a program look alike from here.
"""

import datetime as dt
import math
import statistics
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from groundswell.core.declare import Gaming
from groundswell.core.segments import number

Ask = Callable[[str, Mapping[str, object]], list[dict[str, object]]]
_HOURS = ", ".join(f"sum(case when date_part('hour', hour) = {h} then n else 0 end) as h{h}" for h in range(24))

_EVENTS = """
select partner_id, count(*) as events from activities_of_partners
where partner_id is not null and occurred_on > $first and occurred_on <= $as_of and type in ({partner_made})
group by partner_id"""

_BY_HOUR = f"""
with hours as (
  select partner_id, date_trunc('hour', cast(occurred_at as timestamp)) as hour, count(*) as n from activities_of_partners
  where partner_id is not null and occurred_at is not null and occurred_on > $first and occurred_on <= $as_of
    and type in ({{partner_made}})
  group by partner_id, date_trunc('hour', cast(occurred_at as timestamp)))
select partner_id, sum(n) as timed, max(n) as in_one_hour, {_HOURS} from hours group by partner_id"""
"""Events of the busiest hour, and of each hour of the day in UTC; no zone matters to what they are used for."""

_BY_PERSON = """
with persons as (
  select partner_id, person_id, count(*) as n from activities_of_partners
  where partner_id is not null and person_id is not null and occurred_on > $first and occurred_on <= $as_of
    and type in ({partner_made})
  group by partner_id, person_id)
select partner_id, sum(n) as by_persons, max(n) as by_one from persons group by partner_id"""

_PEOPLE = """
select partner_id, count(*) as people from people_of_partners
where left_on is null or left_on >= $as_of group by partner_id"""

_WON = """
select partner_id, count(distinct group_key) as won from deals_of_partners
where stage_class = 'won' and closed_on > $year_before and closed_on <= $as_of group by partner_id"""

_APPROVED = """
select partner_id, count(*) as approved from registrations_of_partners
where (state = 'approved' or closure = 'converted') and occurred_on > $year_before and occurred_on <= $as_of
group by partner_id"""

_CLAIMED_TWICE = """
with claims as (
  select partner_id, occurred_on,
    coalesce(account_id, key_domain, customer_domain, lower(trim(customer_name))) as customer
  from registrations_of_partners where state <> 'draft' and occurred_on > $first and occurred_on <= $as_of),
apart as (
  select partner_id, occurred_on - lag(occurred_on) over (partition by partner_id, customer order by occurred_on) as days_
  from claims)
select partner_id, count(*) as claims, sum(case when days_ <= $apart then 1 else 0 end) as claimed_twice
from apart group by partner_id"""

_BEGUN_TWICE = """
with pieces as (
  select partner_id, account_id, group_key, min(occurred_on) as begun, sum(amount) as amount from deals_of_partners
  where account_id is not null and amount is not null and occurred_on > $first and occurred_on <= $as_of
  group by partner_id, account_id, group_key),
apart as (
  select partner_id, begun - lag(begun) over (partition by partner_id, account_id, amount order by begun) as days_
  from pieces)
select partner_id, count(*) as begun, sum(case when days_ <= $apart then 1 else 0 end) as begun_twice
from apart group by partner_id"""

_COMPLETED = """
select partner_id, person_id, occurred_on as day, count(*) as n from activities_of_partners
where partner_id is not null and person_id is not null and occurred_on > $first and occurred_on <= $as_of
  and type in ({completions})
group by partner_id, person_id, occurred_on"""

_CERTIFIED = """
select partner_id, person_id, issued_on as day, count(distinct code) as n from credentials_of_partners
where issued_on > $first and issued_on <= $as_of group by partner_id, person_id, issued_on"""

_TOO_MANY = """
with days as ({days}),
of_all as (select count(distinct partner_id) as partners from days)
select d.partner_id, d.day, max(d.n) as by_one, max(a.partners) as partners from days as d cross join of_all as a
group by d.partner_id, d.day having max(d.n) > $a_day"""
"""Days on which one person completed more than a day holds, and how many partners completed anything at all."""


@dataclass(frozen=True)
class Reason:
    """Why a person should look: what it is, the sentence with its figure, the figure, and the rows behind it."""

    kind: str
    """above outcome, burst, around the clock, one person, duplicates or courses."""
    said: str
    figure: Fraction
    rows: int


def gaming(policy: Gaming, as_of: dt.date, ask: Ask) -> dict[str, tuple[Reason, ...]]:
    """The review list of a day: {partner: reasons}. It lowers no score and moves nobody."""
    facts, days = _facts(policy, as_of, ask)
    found: dict[str, list[Reason]] = {}
    for partner, reason in (
        *above_outcome(policy, {partner: (f["events"], f["won"] + f["approved"]) for partner, f in facts.items()}),
        *(
            (partner, reason)
            for partner, f in facts.items()
            for reason in (*_bursts(policy, f), *_duplicates(policy, f))
        ),
        *(reason for per_day in days for reason in _courses(policy, per_day)),
    ):
        found.setdefault(partner, []).append(reason)
    return {partner: tuple(found[partner]) for partner in sorted(found)}


def _facts(policy: Gaming, as_of: dt.date, ask: Ask) -> tuple[dict[str, Counter[str]], list[list[dict[str, object]]]]:
    """{partner: counts}, and days on which one person completed too many courses, then certificates."""
    known: dict[str, object] = {
        "as_of": as_of,
        "first": as_of - dt.timedelta(days=policy.window_days),
        "year_before": as_of - dt.timedelta(days=365),
        "apart": policy.duplicate_days,
        "a_day": policy.courses_a_day,
    }
    lists = {"partner_made": policy.partner_made, "completions": policy.completions}
    known |= {f"{name}_{i}": word for name, words in lists.items() for i, word in enumerate(words)}
    spelled = {name: ", ".join(f"${name}_{i}" for i in range(len(words))) for name, words in lists.items()}

    def asked(sql: str) -> list[dict[str, object]]:
        said = sql.format(**spelled)
        return ask(said, {name: value for name, value in known.items() if f"${name}" in said})

    facts: dict[str, Counter[str]] = {}
    for sql in (_EVENTS, _BY_HOUR, _BY_PERSON, _PEOPLE, _WON, _APPROVED, _CLAIMED_TWICE, _BEGUN_TWICE):
        for row in asked(sql):
            counts = {name: int(str(cell)) for name, cell in row.items() if name != "partner_id" and cell is not None}
            facts.setdefault(str(row["partner_id"]), Counter()).update(counts)
    return facts, [asked(_TOO_MANY.replace("{days}", days)) for days in (_COMPLETED, _CERTIFIED)]


def above_outcome(policy: Gaming, counts: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, Reason]]:
    """Partners with far more activity than peers of as much verified outcome; `counts` are {partner: (events, outcomes)}.

    Peers are the partners of the same band of outcomes that did anything at all. The figure is the modified z-score of
    log(1 + events): 0.6745 (x - median) / MAD, or by the mean deviation where more than half are equal (Iglewicz and
    Hoaglin, How to Detect and Handle Outliers, 1993). Growth that shows in outcomes changes the peers with it.
    """
    bands: dict[int, dict[str, int]] = {}
    for partner, (events, outcomes) in counts.items():
        if events:
            bands.setdefault(bisect_right(policy.outcome_bands, outcomes), {})[partner] = events
    for band in bands.values():
        if len(band) < policy.least_peers:
            continue
        middle = statistics.median(band.values())
        for partner, z in zip(band, _modified_z([math.log1p(events) for events in band.values()]), strict=True):
            events, outcomes = counts[partner]
            if events >= policy.least_events and z > policy.robust_z:
                said = (
                    f"{events} events in {policy.window_days} days with {outcomes} verified outcomes; the middle of "
                    f"{len(band)} partners with about as many is {number(Fraction(middle))}"
                )
                yield partner, Reason("above outcome", said, Fraction(round(z * 100), 100), events)


def _modified_z(values: Sequence[float]) -> list[float]:
    middle = statistics.median(values)
    spread = statistics.median(abs(value - middle) for value in values) / 0.6745
    spread = spread or 1.253314 * statistics.fmean(abs(value - middle) for value in values)
    return [(value - middle) / spread if spread else 0.0 for value in values]


def _bursts(policy: Gaming, counts: Counter[str]) -> Iterator[Reason]:
    if (timed := counts["timed"]) >= policy.least_events:
        share = Fraction(counts["in_one_hour"] * 100, timed)
        if share >= policy.hour_percent:
            said = f"{counts['in_one_hour']} of {timed} events lie within one hour"
            yield Reason("burst", said, share, counts["in_one_hour"])
        quiet = min(sum(counts[f"h{(start + i) % 24}"] for i in range(8)) for start in range(24))
        share = Fraction(quiet * 100, timed)
        if share >= policy.quiet_percent:
            said = f"{quiet} of {timed} events lie in the quietest eight hours of its day: it seems never to sleep"
            yield Reason("around the clock", said, share, quiet)
    if counts["by_persons"] >= policy.person_events and counts["people"] > 1:
        share = Fraction(counts["by_one"] * 100, counts["by_persons"])
        if share >= policy.person_percent:
            said = f"{counts['by_one']} of {counts['by_persons']} events are by one of {counts['people']} people"
            yield Reason("one person", said, share, counts["by_one"])


def _duplicates(policy: Gaming, counts: Counter[str]) -> Iterator[Reason]:
    said_of = {"claimed_twice": ("claims", "registrations"), "begun_twice": ("begun", "deals")}
    for twice, (whole, name) in said_of.items():
        if counts[twice] >= policy.duplicates and counts[twice] * 100 >= policy.duplicate_percent * counts[whole]:
            like = "the customer" if twice == "claimed_twice" else "customer and amount"
            said = (
                f"{counts[twice]} of {counts[whole]} {name} repeat {like} of another within "
                f"{policy.duplicate_days} days"
            )
            yield Reason("duplicates", said, Fraction(counts[twice] * 100, counts[whole]), counts[twice])


def _courses(policy: Gaming, per_day: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, Reason]]:
    """The worst day of each partner on which one person completed more than a day holds.

    Days on which many partners pile up are left out: the source brought them together, not the partners.
    """
    on_day = Counter(row["day"] for row in per_day)
    worst: dict[str, Mapping[str, object]] = {}
    for row in sorted(per_day, key=lambda row: (int(str(row["by_one"])), str(row["day"]))):
        piles, partners = on_day[row["day"]], int(str(row["partners"]))
        if piles < 3 or piles * 100 <= policy.pile_percent * partners:
            worst[str(row["partner_id"])] = row
    for partner, row in worst.items():
        done = int(str(row["by_one"]))
        said = f"one person completed {done} on {row['day']}; a day holds {policy.courses_a_day}"
        yield partner, Reason("courses", said, Fraction(done), done)
