"""The made ecosystem as the messy exports of four systems, month by month, with the truth beside them.

`exports/2026-10/` holds what each system gives at the end of October: the CRM all deals as a report and the month's
changes of stage, the portal its partners, the month's activity and claims, the learning system all certificates, the
marketing tool the month's mail, campaigns and events; every half-year what interviews found. The folder of a month is
the same bytes whatever day the exports end on, so a later `until` adds months and changes none.

The mess is what real exports bring: byte order mark, semicolons, decimal commas, day-first dates, CRLF, code page 1252
and lines below a report, one name for two partners, one person's e-mail in two spellings, a partner renamed, repeated
rows, feeds that overlap, days without a time, deals entered late, stages corrected later, a deal on whose amount two
partners disagree, certificates that call themselves active after their last day. Rows wrong on purpose are always extra
rows, so that setting them aside changes no partner's truth.
"""

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from groundswell.demo.systems import Row, World
from groundswell.demo.truth import Truth

DAY = timedelta(days=1)

DEALS = [
    "Opportunity ID", "Opportunity Name", "Account Name", "Billing Country", "Industry", "Stage", "Amount Currency", "Amount",
    "Close Date", "Created Date", "Type", "Product Line", "Opportunity Owner", "Partner Account ID", "Partner Account",
    "Partner Role",
]  # fmt: skip
STAGES = ["Id", "OpportunityId", "StageName", "Amount", "CreatedDate", "IsDeleted"]
PARTNERS = [
    "partner_id", "partner_name", "domain", "country", "partner_type", "region", "status", "tier", "joined_on",
    "manager_email", "parent_partner_id", "salesforce_account_id",
]  # fmt: skip
ACTIVITIES = [
    "partner_id", "occurred_at", "type", "person_email", "channel", "salesforce_opportunity_id", "value", "source_id",
]  # fmt: skip
REGISTRATIONS = [
    "registration_id", "partner_id", "customer_name", "customer_domain", "state", "closure", "submitted_at", "decided_at",
    "expires_on", "salesforce_opportunity_id", "amount", "currency",
]  # fmt: skip
CREDENTIALS = [
    "partner_id", "person_email", "person_name", "credential_code", "level", "status", "issued_on", "expires_on", "left_on",
]  # fmt: skip
READINGS = ["partner_id", "kind", "value", "unit", "period_from", "period_to"]

FILES: dict[str, tuple[Row, dict[str, Any]]] = {
    "crm_opportunities.csv": (DEALS, {"encoding": "cp1252", "lineterminator": "\r\n", "delimiter": ";"}),
    "crm_stage_history.csv": (STAGES, {"quoting": csv.QUOTE_ALL}),
    "learning_credentials.csv": (CREDENTIALS, {"lineterminator": "\r\n", "delimiter": ";"}),
    "marketing_activities.csv": (ACTIVITIES, {"delimiter": "\t"}),
    "portal_activities.csv": (ACTIVITIES, {"encoding": "utf-8-sig"}),
    "portal_partners.csv": (PARTNERS, {"encoding": "utf-8-sig"}),
    "portal_registrations.csv": (REGISTRATIONS, {"encoding": "utf-8-sig"}),
    "survey_readings.csv": (READINGS, {}),
}
"""The files of a month: their columns, and how the system that writes them writes."""


def months_to(until: date, months: int) -> list[date]:
    """The first days of so many months, the last of them the month of `until`."""
    found = [until.replace(day=1)]
    while len(found) < months:
        found.append((found[-1] - DAY).replace(day=1))
    return found[::-1]


def month_end(first: date) -> date:
    """The last day of the month that begins on `first`."""
    return (first + 31 * DAY).replace(day=1) - DAY


def make(folder: Path, partners: int = 347, seed: int = 7, until: date = date(2026, 10, 31), months: int = 24) -> Truth:
    """Write `exports/<month>/*.csv` and `truth.csv` into `folder`; return the truth as of `until`.

    Equal arguments give equal bytes. The last month is written up to `until`; a file without rows is not written.
    Raises ValueError when `partners` or `months` is below 1, or when nobody has joined by `until`.
    """
    if months < 1:
        raise ValueError("exports need at least one month")
    world = World(partners, seed, until)
    for first in months_to(until, months):
        last = min(month_end(first), until)
        month = folder / "exports" / f"{first:%Y-%m}"
        month.mkdir(parents=True)
        for name, rows in world.rows(first, last).items():
            header, dialect = FILES[name]
            if _write(month / name, header, rows, **dialect) and name == "crm_opportunities.csv":
                _below_the_report(month / name, last)
    facts = ([one.partner_id, one.kind, one.facts] for one in world.truth.partners.values())
    _write(folder / "truth.csv", ["partner_id", "kind", "facts"], facts)
    return world.truth


def _write(path: Path, header: Row, rows: Iterable[Row], encoding: str = "utf-8", **dialect: Any) -> bool:
    """Write a CSV row by row; whether there were rows, without which no file is written."""
    rows = iter(rows)
    if (first := next(rows, None)) is None:
        return False
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, **{"lineterminator": "\n", **dialect})
        writer.writerows([header, first])
        writer.writerows(rows)
    return True


def _below_the_report(path: Path, last: date) -> None:
    """The lines that a report ends with."""
    with path.open("a", encoding="cp1252", newline="") as file:
        file.write(
            '\r\n\r\n"Opportunities with Partners"\r\n"Copyright © Kestrel Data. All rights reserved."\r\n'
            f'"Generated By:  Ada Sorensen  {last:%d.%m.%Y} 18:00"\r\n'
        )
