"""Telling a source that has stopped from partners that have: many who fall silent together did not all lose interest.

Source of the rule: docs/explain/dormancy.md, sources that stop. A partner is regular at a source with activity on some
days of the last half year, silent when it has been quiet for longer than some of its own mean gaps. Where more than a
share of a source's regulars fell silent together, the day and the source are named. The numbers are bounds of policy.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Ask = Callable[[str, dict[str, object]], list[dict[str, object]]]

_SILENT = """
with days as (
  select distinct source, partner_id, occurred_on from activities_of_partners
  where partner_id is not null and occurred_on > $first and occurred_on <= $as_of),
regular as (
  select source, partner_id, max(occurred_on) as last_on, count(*) as days_,
    (max(occurred_on) - min(occurred_on)) * 1.0 / (count(*) - 1) as gap
  from days group by source, partner_id having count(*) >= $active_days),
silent as (select * from regular where ($as_of - last_on) > $silent_gaps * gap),
together as (
  select d.source, d.last_on, count(*) as partners
  from (select distinct source, last_on from silent) as d
  join silent as s on s.source = d.source and s.last_on <= d.last_on and (d.last_on - s.last_on) <= $together_gaps * s.gap
  group by d.source, d.last_on),
of_all as (select source, count(*) as regulars from regular group by source)
select t.source, t.last_on, t.partners, o.regulars from together as t join of_all as o on o.source = t.source
where t.partners >= $partners and t.partners * 100 > $percent * o.regulars
order by t.source, t.partners desc, t.last_on"""


@dataclass(frozen=True)
class Outage:
    """A source at which many partners fell silent about one day."""

    source: str
    last_on: dt.date
    partners: int
    regulars: int

    def __str__(self) -> str:
        return (
            f"{self.partners} of {self.regulars} partners that were regularly active in {self.source} fell silent about "
            f"{self.last_on}: the source may have stopped, rather than they. Their silence there says nothing until it is clear"
        )


def outages(as_of: dt.date, limits: Mapping[str, int], ask: Ask) -> list[Outage]:
    """The sources at which more of the regular partners fell silent together than the bounds `outage_...` allow, by name."""
    found: dict[str, Outage] = {}
    first = as_of - dt.timedelta(days=limits["outage_window_days"])
    bounds = {
        "percent": limits["outage_percent"],
        "partners": limits["outage_partners"],
        "active_days": limits["outage_active_days"],
        "silent_gaps": limits["outage_silent_gaps"],
        "together_gaps": limits["outage_together_gaps"],
    }
    for row in ask(_SILENT, {"as_of": as_of, "first": first, **bounds}):
        source, last_on = str(row["source"]), row["last_on"]
        assert isinstance(last_on, dt.date)  # noqa: S101 - the query gives days
        found.setdefault(source, Outage(source, last_on, int(str(row["partners"])), int(str(row["regulars"]))))
    return list(found.values())
