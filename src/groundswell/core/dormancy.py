"""Dormancy: whether a partner has gone quiet, told by its own rhythm and never by one date for everybody.

Source of the rules: docs/explain/dormancy.md. An act is a won deal, a registration
or a sign-in; several on one day are one. Silence beyond max(60 days, 3 x the partner's own median gap) is quiet; with
fewer than 3 gaps that cannot be told. Of sources that stopped, or that had not begun, silence says nothing.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from groundswell.core.declare import Dormancy
from groundswell.core.outage import Outage
from groundswell.core.segments import number

Ask = Callable[[str, Mapping[str, object]], list[dict[str, object]]]

_ACTS = """
select partner_id, occurred_on as day, 1 as kind from activities_of_partners
  where partner_id is not null and occurred_on <= $as_of and type in ({sign_ins}) group by partner_id, occurred_on
union all
select partner_id, occurred_on as day, 2 as kind from registrations_of_partners
  where partner_id is not null and occurred_on <= $as_of and state <> 'draft' group by partner_id, occurred_on
union all
select partner_id, closed_on as day, 3 as kind from deals_of_partners
  where stage_class = 'won' and closed_on <= $as_of group by partner_id, closed_on"""
"""Partner, day and kind of act: grouped before anything else, so that many events of one day are one row."""
_FIRSTS = frozenset({"first_reply", "first_sign_in"})
"""Of everybody together: since when sources bring such rows."""
_KINDS = {1: "sign-in", 2: "registration", 3: "won deal"}

_RHYTHM = f"""
with acts as (select partner_id, day, max(kind) as kind from ({_ACTS}) as a group by partner_id, day),
gaps as (select partner_id, day, day - lag(day) over (partition by partner_id order by day) as gap from acts),
tallied as (
  select partner_id, gap, count(*) as n, sum(case when day > $recent then 0 else 1 end) as n_before
  from gaps where gap is not null group by partner_id, gap),
counted as (
  select t.*, sum(n) over (partition by partner_id order by gap) as upto, sum(n) over (partition by partner_id) as whole,
    sum(n_before) over (partition by partner_id order by gap) as upto_before,
    sum(n_before) over (partition by partner_id) as whole_before
  from tallied as t),
rhythm as (
  select partner_id, max(whole) as gaps, max(whole_before) as gaps_before,
    min(case when 2 * upto >= whole then gap end) as low_middle, min(case when 2 * upto > whole then gap end) as high_middle,
    min(case when 10 * upto >= 9 * whole then gap end) as most,
    min(case when 2 * upto_before >= whole_before then gap end) as low_before,
    min(case when 2 * upto_before > whole_before then gap end) as high_before,
    max(case when n > n_before then gap end) as longest_now
  from counted group by partner_id),
latest as (select partner_id, min(4 * ($as_of - day) + 3 - kind) as latest from acts group by partner_id)
select * from latest left join rhythm using (partner_id)"""
"""The rhythm of every partner from days that differ: gaps, their middle ones, nine in ten; the same before `recent`.

Equal gaps are tallied before anything is ordered. `latest` is the least of 4 x days ago + 3 - kind: the last act, and of
those of one day the kind that says most.
"""

_ACTIVITY = """
select partner_id,
  sum(case when type <> 'email_sent' then 1 else 0 end) as activities,
  sum(case when type in ({trainings}) then 1 else 0 end) as trainings,
  sum(case when type in ({replies}) then 1 else 0 end) as replies,
  max(case when type in ({trainings}) then occurred_on end) as trained_on,
  max(case when type in ({replies}) then occurred_on end) as replied_on,
  min(case when type in ({replies}) then occurred_on end) as first_reply,
  min(case when type in ({sign_ins}) then occurred_on end) as first_sign_in
from activities_of_partners where partner_id is not null and occurred_on <= $as_of group by partner_id"""

_CREDENTIALS = """
select partner_id, count(*) as credentials, max(issued_on) as certified_on from credentials_of_partners
where issued_on <= $as_of group by partner_id"""

_DEALS = """
select partner_id, count(*) as deals, count(distinct case when stage_class = 'won' then group_key end) as won,
  count(distinct case when stage_class = 'open' and coalesce(close_on, $as_of) >= $as_of then group_key end) as under_way
from deals_of_partners where occurred_on <= $as_of group by partner_id"""

_REGISTERED = """
select partner_id, count(*) as registrations from registrations_of_partners
where occurred_on <= $as_of and state <> 'draft' group by partner_id"""

_JOINED = """
select partner_id, min(coalesce(joined_on, valid_from)) as joined_on from memberships_of_partners
where coalesce(joined_on, valid_from) <= $as_of group by partner_id"""

_PEOPLE = """
select partner_id, count(*) as people from people_of_partners
where (left_on is null or left_on >= $as_of) and coalesce(consent_contact, true) group by partner_id"""

_AT_SOURCE = """
select partner_id, max(occurred_on) as last_on from activities_of_partners
where partner_id is not null and source = $source and occurred_on <= $as_of and type in ({sign_ins}) group by partner_id"""


@dataclass(frozen=True)
class Quiet:
    """What a partner's silence says as of a day. Gaps and bounds are days; None where there is no such thing."""

    state: str
    """active, cooling, gone quiet (there is a way back in), unlikely, cannot tell, or never acted."""
    pattern: str
    """sold, registered or signed in `and gone quiet`; `trained, never sold`; `engaged, never registered` (or `never
    sold`, where no source brings registrations); `enrolled, never started`, a list of its own; "" for none."""
    said: str
    """One sentence: "silent 74 days; usual gap 21, nine in ten within 40"."""
    last_on: dt.date | None = None
    last_act: str = ""
    silent: int | None = None
    """Days since its last known act."""
    silent_at_least: int | None = None
    """Days of them since sign-ins are known at all: before, it may have come unseen."""
    gaps: int = 0
    usual_gap: Fraction | None = None
    most_gap: int | None = None
    bound: Fraction | None = None
    """Days of silence beyond which it counts as quiet."""
    reachable: bool | None = None
    """Whether somebody is known there and it answered in the year before; None where sources cannot say."""
    returned_after: int | None = None
    """Days of the silence, beyond its own bound, out of which it came back lately."""


def dormancy(
    policy: Dormancy, as_of: dt.date, partners: Iterable[str], stopped: Sequence[Outage], ask: Ask
) -> dict[str, Quiet]:
    """Of every one of these partners, what its silence says as of a day. `stopped` are the outages of the day.

    Misleads: an act is what sources record. A partner that works with a seller by telephone looks silent.
    """
    facts = _facts(policy, as_of, stopped, ask)
    return {partner: _quiet(policy, as_of, facts.get(partner, {}), facts[""]) for partner in partners}


def _facts(policy: Dormancy, as_of: dt.date, stopped: Sequence[Outage], ask: Ask) -> dict[str, dict[str, object]]:
    """{partner: what the tables say of it}; under "" which things any source brings at all."""
    found: dict[str, dict[str, object]] = {"": {}}
    since: dict[str, dt.date] = {}

    def learn(sql: str, **also: object) -> None:
        said, parameters = _listed(sql, policy)
        for row in ask(said, {"as_of": as_of, **parameters, **also}):
            cells = {name: cell for name, cell in row.items() if cell is not None}
            found.setdefault(str(row["partner_id"]), {}).update(cells)
            any_ = found[""]
            any_ |= {name: True for name, cell in cells.items() if cell != 0 or name == "latest"}
            for name in _FIRSTS & cells.keys():
                since[name] = min(since.get(name, as_of), cast(dt.date, cells[name]))

    learn(_RHYTHM, recent=as_of - dt.timedelta(days=policy.returned_days))
    for statement in (_ACTIVITY, _CREDENTIALS, _DEALS, _REGISTERED, _JOINED, _PEOPLE):
        learn(statement)
    sql, parameters = _listed(_AT_SOURCE, policy)
    for outage in stopped:
        for row in ask(sql, {"as_of": as_of, "source": outage.source, **parameters}):
            at = cast(dict[Outage, dt.date], found.setdefault(str(row["partner_id"]), {}).setdefault("stopped", {}))
            at[outage] = cast(dt.date, row["last_on"])
    found[""] |= since
    return found


def _listed(sql: str, policy: Dormancy) -> tuple[str, dict[str, object]]:
    """The statement with its types of activity as parameters."""
    lists = {"sign_ins": policy.sign_ins, "trainings": policy.trainings, "replies": policy.replies}
    used = {name: words for name, words in lists.items() if f"{{{name}}}" in sql}
    named = {name: {f"{name}_{i}": word for i, word in enumerate(words)} for name, words in used.items()}
    said = sql.format(**{name: ", ".join(f"${one}" for one in words) for name, words in named.items()})
    return said, {one: word for words in named.values() for one, word in words.items()}


# ------------------------------------------------------------------------------------------------------- one partner


def _quiet(policy: Dormancy, as_of: dt.date, facts: Mapping[str, object], any_: Mapping[str, object]) -> Quiet:
    reachable = _reachable(policy, as_of, facts, any_)
    if "latest" not in any_:
        return Quiet("cannot tell", "", "no source brings won deals, registrations or sign-ins", reachable=reachable)
    if "latest" not in facts:
        pattern = _pattern(policy, as_of, "never acted", facts, any_) or _never_started(policy, as_of, facts, any_)
        return Quiet("never acted", pattern, _never_said(facts, as_of), reachable=reachable)
    silent, kind = divmod(_count(facts, "latest"), 4)
    last_on, gaps = as_of - dt.timedelta(days=silent), _count(facts, "gaps")
    usual = Fraction(_count(facts, "low_middle") + _count(facts, "high_middle"), 2) if gaps else None
    most = _count(facts, "most") if gaps else None
    bound = _bound(policy, usual, gaps)
    since = _day(any_, "first_sign_in")
    at_least = silent if since is None else min(silent, (as_of - since).days)
    state, why = _state(policy, silent, bound, most, reachable)
    if at_least < silent and state in ("gone quiet", "unlikely", "cooling") and (bound is None or at_least <= bound):
        state, why = "cannot tell", f"sign-ins are known only since {since}"
    if state in ("gone quiet", "unlikely", "cooling") and (outage := _explains(facts, bound)):
        state, why = "cannot tell", f"{outage.source} stopped bringing activity about {outage.last_on}"
    return Quiet(
        state=state,
        pattern=_pattern(policy, as_of, state, facts, any_),
        said=_sentence(silent, at_least, usual, most, gaps, why),
        last_on=last_on,
        last_act=_KINDS[3 - kind],
        silent=silent,
        silent_at_least=at_least,
        gaps=gaps,
        usual_gap=usual,
        most_gap=most,
        bound=bound,
        reachable=reachable,
        returned_after=_returned(policy, facts),
    )


def _bound(policy: Dormancy, usual: Fraction | None, gaps: int) -> Fraction | None:
    """Days beyond which silence is quiet; None where there are too few gaps to know the rhythm."""
    if usual is None or gaps < policy.least_gaps:
        return None
    return max(Fraction(policy.least_silence), policy.gap_factor * usual)


def _state(
    policy: Dormancy, silent: int, bound: Fraction | None, most: int | None, reachable: bool | None
) -> tuple[str, str]:
    """(state, what has to be said of it). Silence no longer than `least_silence` is never quiet, whatever the rhythm."""
    if bound is None:
        if silent <= policy.cooling_silence:
            return "active", ""
        if silent <= policy.least_silence:
            return "active", "too few gaps to know its rhythm"
        return "cannot tell", f"fewer than {policy.least_gaps} gaps: too few to know its rhythm"
    if silent > bound:
        said = f"beyond its bound of {number(bound)} days"
        return ("unlikely", f"{said}; no way back in is known") if reachable is False else ("gone quiet", said)
    if silent > max(policy.cooling_silence, most or 0):
        return "cooling", f"quiet after {number(bound)} days"
    return "active", ""


def _reachable(
    policy: Dormancy, as_of: dt.date, facts: Mapping[str, object], any_: Mapping[str, object]
) -> bool | None:
    """Whether somebody is still known there and it answered lately; what no source brings cannot say no."""
    replied, first = _day(facts, "replied_on"), _day(any_, "first_reply")
    answered = replied is not None and (as_of - replied).days <= policy.reachable_days
    covered = first is not None and (as_of - first).days >= policy.reachable_days
    known = _count(facts, "people") > 0
    said = [answered if answered or covered else None, known if "people" in any_ else None]
    return False if False in said else None if None in said else True


def _explains(facts: Mapping[str, object], bound: Fraction | None) -> Outage | None:
    """The stopped source that explains a silence: the partner acted there, and was not quiet there when it stopped.

    What it did there since is not known, whatever it did elsewhere.
    """
    stopped = cast(dict[Outage, dt.date], facts.get("stopped", {}))
    for outage, there in sorted(stopped.items(), key=lambda item: item[0].source):
        if bound is None or (outage.last_on - there).days <= bound:
            return outage
    return None


def _returned(policy: Dormancy, facts: Mapping[str, object]) -> int | None:
    """The silence that ended lately, where it was beyond the bound of the gaps before it."""
    gaps = _count(facts, "gaps_before")
    usual = Fraction(_count(facts, "low_before") + _count(facts, "high_before"), 2) if gaps else None
    bound, longest = _bound(policy, usual, gaps), _count(facts, "longest_now")
    return longest if bound is not None and longest > bound else None


def _pattern(
    policy: Dormancy, as_of: dt.date, state: str, facts: Mapping[str, object], any_: Mapping[str, object]
) -> str:
    """The pattern of a partner without pipeline: one at work on a deal lacks its end, not its beginning."""
    unsold = _unsold(policy, as_of, facts, any_)
    if state not in ("gone quiet", "unlikely"):
        return "" if _count(facts, "under_way") else unsold
    if _count(facts, "won"):
        return "sold and gone quiet"
    return "registered and gone quiet" if _count(facts, "registrations") else unsold or "signed in and gone quiet"


def _unsold(policy: Dormancy, as_of: dt.date, facts: Mapping[str, object], any_: Mapping[str, object]) -> str:
    """Of a partner that never sold: what it did instead, long enough ago to have led to something.

    Where no source brings deals, or registrations, nobody can be said never to have sold, or registered.
    """
    if _count(facts, "won") or "won" not in any_:
        return ""
    learnt = [day for name in ("trained_on", "certified_on") if (day := _day(facts, name))]
    if learnt and (as_of - max(learnt)).days > policy.patience_days:
        return "trained, never sold"
    joined = _day(facts, "joined_on")
    waited = joined is None or (as_of - joined).days > policy.patience_days
    if not (waited and _count(facts, "replies")) or _count(facts, "registrations"):
        return ""
    return "engaged, never registered" if "registrations" in any_ else "engaged, never sold"


def _never_started(policy: Dormancy, as_of: dt.date, facts: Mapping[str, object], any_: Mapping[str, object]) -> str:
    joined = _day(facts, "joined_on")
    did = any(_count(facts, name) for name in ("activities", "credentials", "deals"))
    waited = joined is not None and (as_of - joined).days > policy.patience_days
    return "enrolled, never started" if waited and not did and {"activities", "deals"} & any_.keys() else ""


def _sentence(silent: int, at_least: int, usual: Fraction | None, most: int | None, gaps: int, why: str) -> str:
    rhythm = f"usual gap {number(usual)}, nine in ten within {most}" if usual is not None and gaps > 1 else ""
    rhythm = rhythm or (f"only gap {number(usual)}" if usual is not None else "no gap yet")
    days = f"{silent}" if at_least == silent else f"{at_least} to {silent}"
    return f"silent {days} days; {rhythm}{f'; {why}' if why else ''}"


def _never_said(facts: Mapping[str, object], as_of: dt.date) -> str:
    joined = _day(facts, "joined_on")
    did = [f"{_count(facts, name)} {name}" for name in ("trainings", "credentials", "replies") if _count(facts, name)]
    since = [f"joined {(as_of - joined).days} days ago"] if joined else []
    return "; ".join(["no won deal, registration or sign-in yet", *since, *did])


def _count(facts: Mapping[str, object], name: str) -> int:
    return int(str(facts.get(name) or 0))


def _day(facts: Mapping[str, object], name: str) -> dt.date | None:
    return cast("dt.date | None", facts.get(name))
