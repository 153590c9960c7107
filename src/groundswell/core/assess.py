"""The whole sum on one page: the tables of a day -> signals -> points -> an assessment of every partner.

The engine has cut every table at the day before this is called. Nothing here knows which engine answers.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from groundswell.core.coverage import Ask, Coverage
from groundswell.core.declare import Measure, Policy, Signal, Value
from groundswell.core.outage import Outage, outages
from groundswell.core.pieces import Pieces, of_each
from groundswell.core.points.score import Scored
from groundswell.core.readiness import NAME, readiness
from groundswell.core.signals import shapes
from groundswell.core.signals.compile import Half, half
from groundswell.core.signals.fiscal import Calendar, calendar
from groundswell.core.signals.values import Covered
from groundswell.core.tables import views
from groundswell.core.tables.contract import TABLES, Column

Row = Mapping[str, object]


@dataclass(frozen=True)
class Assessed:
    """One partner as of a day: who it is, every signal, and its readiness."""

    partner: Row
    values: Mapping[str, Value]
    readiness: Scored

    @property
    def partner_id(self) -> str:
        """Our id of the partner."""
        return str(self.partner["partner_id"])


@dataclass(frozen=True)
class Assessment:
    """Every partner as of a day, best first; and what the data could not say."""

    as_of: dt.date
    partners: tuple[Assessed, ...]
    unavailable: Mapping[str, tuple[str, ...]]
    """Signals that no source's data can compute -> what is missing."""
    would_add: Mapping[str, int]
    """Table -> how many more signals could be computed if it were complete."""
    remarks: tuple[str, ...]
    stopped: tuple[Outage, ...] = ()
    """Sources at which many fell silent together: of them, silence says nothing."""


def assess(policy: Policy, as_of: dt.date, ask: Ask) -> Assessment:
    """Assess every partner of the day. The same tables, policy and day give the same answer to the last digit."""
    rows = sorted(ask("select * from partners", {}), key=lambda row: str(row["partner_id"]))
    fiscal = fiscal_of(policy, ask)
    values, unavailable = _values(policy, as_of, ask, fiscal, [str(row["partner_id"]) for row in rows])
    kinds = shapes.signal_kinds(policy.signals)
    found = [Assessed(row, mine, readiness(policy, mine, kinds, as_of)) for row, mine in zip(rows, values, strict=True)]
    found.sort(key=lambda one: (-one.readiness.ranks_by, -one.readiness.high, one.partner_id))
    stopped = outages(as_of, policy.instance.limits, ask)
    remarks = (*_remarks(policy, as_of, fiscal), *map(str, stopped))
    return Assessment(as_of, tuple(found), unavailable, _would_add(unavailable), remarks, tuple(stopped))


def measured(policy: Policy, as_of: dt.date, ask: Ask) -> dict[str, Mapping[str, Value]]:
    """Every signal of every partner of the day, and nothing made of them: {partner: {signal: value}}."""
    partners = sorted(str(row["partner_id"]) for row in ask("select partner_id from partners", {}))
    return dict(zip(partners, _values(policy, as_of, ask, fiscal_of(policy, ask), partners)[0], strict=True))


def _values(
    policy: Policy, as_of: dt.date, ask: Ask, fiscal: Calendar, partners: list[str]
) -> tuple[list[Mapping[str, Value]], dict[str, tuple[str, ...]]]:
    """The signals of each of these partners, and those that no source's data can compute."""
    halves, covers = _covers(policy, as_of, ask, fiscal)
    unavailable = _unavailable(covers)
    known = [h for name, parts in halves.items() if name not in unavailable for h in parts]
    pieces = Pieces(known, policy.lists, partners, ask)
    found = {name: pieces.values(policy.signals[name], parts, covers[name]) for name, parts in halves.items()}
    return of_each(found, len(partners)), unavailable


def availability(policy: Policy, as_of: dt.date, ask: Ask) -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    """Signals that cannot be computed from the tables of a day -> what is missing; table -> how many it would add."""
    unavailable = _unavailable(_covers(policy, as_of, ask, fiscal_of(policy, ask))[1])
    return unavailable, _would_add(unavailable)


def lacking(policy: Policy, brought: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    """Signals that data of these canonical columns, by table, cannot compute -> every column that is wanting.

    `accounts` stands beside the tables: the columns of organisations that rows of customers bring.
    The data themselves are not looked at: a column that is brought and empty, or types of activity that do not occur,
    are found at the load.
    """
    wanting: dict[str, tuple[str, ...]] = {}
    for name, signal in policy.signals.items():
        wanted: set[str] = set()
        for part in shapes.halves(signal.measure):
            wanted |= {*views.REACH[part.table], *_sources(part, dict(policy.lists))}
        found = {one for one in wanted if not _brought(one, brought)}
        tables = {one.split(".")[0] for one in found if not _column(one).fallback}
        if found := {one for one in found if not (_column(one).fallback and one.split(".")[0] in tables)}:
            wanting[name] = tuple(
                sorted(re.sub(r"^accounts(\..*)", r"organisations\1 of accounts", one) for one in found)
            )
    return wanting


def _sources(measure: Measure, lists: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """The canonical columns that a measure cannot do without: of a derived one, those that every row has."""
    own = TABLES[measure.table].names
    for name in shapes.columns(measure, lists):
        derived = views.DERIVED.get(measure.table, {}).get(name)
        if derived:
            columns = [(one, *one.split(".")) for one in derived[1]]
            needed = [one for one, table, column in columns if TABLES[table].column(column).required]
            said = needed or [one for one, *_ in columns]
            yield from (one.replace("organisations.", "accounts.") for one in said)
        elif name in own and name != "group_key":
            yield f"{measure.table}.{name}"


def _column(place: str) -> Column:
    table, name = place.split(".")
    return TABLES["organisations" if table == "accounts" else table].column(name)


def _brought(place: str, brought: Mapping[str, frozenset[str]]) -> bool:
    """Whether a column is brought, or follows from what is."""
    table, name = place.split(".")
    here = brought.get(table, frozenset())
    if place == "activities.partner_id" and "person_id" in here:
        return "organisation_id" in brought.get("people", frozenset()) or name in here
    if place == "deals.amount_home":
        return "amount_home" in here or {"amount", "currency"} <= here
    if place == "deals.closed_on":
        return "closed_on" in here or {"close_on", "stage_class"} <= here
    follows = name == views.FALLBACKS.get(table) or _column(place).fallback
    return name in here or bool(here and follows)


def fiscal_of(policy: Policy, ask: Ask) -> Calendar:
    """The fiscal calendar of the instance, as the tables of the day know it."""
    periods = ask("select calendar, starts_on, ends_on, year, quarter from fiscal_periods_now", {})
    return calendar(policy.instance.fiscal_first_month, policy.instance.fiscal_calendar, periods)


def _covers(
    policy: Policy, as_of: dt.date, ask: Ask, fiscal: Calendar
) -> tuple[dict[str, list[Half]], dict[str, list[Covered]]]:
    halves = {name: halves_of(name, signal, as_of, fiscal) for name, signal in policy.signals.items()}
    covered = Coverage([part for parts in halves.values() for part in parts], policy.lists, ask)
    covers = {name: [covered.of(part) for part in parts] for name, parts in halves.items()}
    return {name: [covered.filled(part) for part in parts] for name, parts in halves.items()}, covers


def _unavailable(covers: Mapping[str, list[Covered]]) -> dict[str, tuple[str, ...]]:
    missing = {name: tuple(sorted({m for one in found for m in one.missing})) for name, found in covers.items()}
    return {name: what for name, what in missing.items() if what}


def signal_halves(policy: Policy, name: str, as_of: dt.date, ask: Ask) -> list[Half]:
    """The halves of one signal, with their windows as of a day: what `explain` asks the rows of."""
    return halves_of(name, policy.signals[name], as_of, fiscal_of(policy, ask))


def halves_of(name: str, signal: Signal, as_of: dt.date, fiscal: Calendar) -> list[Half]:
    """The halves of one signal, with their windows as of a day."""
    found = [half(f"{name}__{i}", measure, as_of, fiscal) for i, measure in enumerate(shapes.halves(signal.measure))]
    # The first half carries how the two join; `halves` gives it without, so that each stands alone in the SQL.
    if len(found) == 2:
        found[0] = Half(found[0].name, _joining(found[0].measure, signal.measure.how), found[0].window)
    return found


def _joining(measure: Measure, how: str) -> Measure:
    return Measure(**{**measure.__dict__, "how": how})


def would_compute(unavailable: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Table -> the signals that could be computed if it were complete; the table that brings most first.

    Signals that wait for several tables are under none.
    """
    found: dict[str, list[str]] = {}
    for signal, missing in unavailable.items():
        tables = {name.split(".")[0].split(" ")[0] for name in missing}
        if len(tables) == 1:
            found.setdefault(tables.pop(), []).append(signal)
    return {table: tuple(found[table]) for table in sorted(found, key=lambda name: (-len(found[name]), name))}


def _would_add(unavailable: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    return {table: len(signals) for table, signals in would_compute(unavailable).items()}


def _remarks(policy: Policy, as_of: dt.date, fiscal: Calendar) -> Iterator[str]:
    edition = policy.edition(NAME, as_of)
    whose = "your own, of" if edition.origin.own else "unvalidated priors of"
    yield f"Weights are {whose} edition {edition.origin.since}, not yet checked against your outcomes."
    if as_of < edition.origin.since:
        yield f"No edition of {NAME} covers {as_of}; its first, of {edition.origin.since}, is applied."
    if fiscal.told:
        now = fiscal.quarter(as_of)
        which = f"{as_of} is in quarter {now.number} of fiscal {now.year}, {now.first} to {now.last}"
        named = f"calendar '{policy.instance.fiscal_calendar}' of fiscal_periods"
        if fiscal.covers(as_of):
            yield f"Fiscal quarters and years are those of {named}: {which}."
        else:
            yield f"No whole year of {named} covers the day; by the first month of instance.toml, {which}."
