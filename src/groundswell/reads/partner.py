"""One partner of the published run, as its page shows it: dimensions beside peers, what adds up, what is not known, rows.

Whoever asks must have been given the partner by `reads.rights`. What another company's file says is in none of this.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from groundswell.core.declare import Policy, Signal
from groundswell.core.peers import Peers, peers_of
from groundswell.core.points.score import rounded
from groundswell.core.readiness import NAME
from groundswell.core.signals import shapes
from groundswell.core.tables import views
from groundswell.core.tables.contract import ROLES, TABLES, WITHHELD
from groundswell.engine.duckdb import Engine
from groundswell.engine.home import Home
from groundswell.reads.explain import Evidence, Month, Texts, behind
from groundswell.records.loads import Load
from groundswell.records.runs import PublishedPartner, Run
from groundswell.records.staff import Book, Staff

_AT_ONCE = 32 << 20
"""Bytes of a file whose lines are read with a page, a tenth of a second; of a larger one the page of a row reads one."""


@dataclass(frozen=True)
class Given:
    """What a line gives."""

    line: Mapping[str, Any]
    points: Fraction
    """In tenths, so that lines add up to what all of them give in tenths."""


@dataclass(frozen=True)
class Dimension:
    """One dimension: points out of 100 (None: not known), its range, its peers, and its lines with what they give."""

    name: str
    share: Fraction
    points: Fraction | None
    low: Fraction
    high: Fraction
    peers: Peers | None
    peers_type: str
    """The type that the peers are of; "" for all partners."""
    most: Fraction
    """What it gives at its best, from 0 to 1 of the whole: its weight among the dimensions of which anything is known."""
    gives: int
    """Whole points of the total."""
    lines: tuple[Given, ...]

    @property
    def known(self) -> int:
        """How many of its lines are known."""
        return sum(is_known(given.line) for given in self.lines)

    @property
    def applying(self) -> int:
        """How many of its lines apply."""
        return sum(given.line["applies"] for given in self.lines)


@dataclass(frozen=True)
class Made:
    """What a total is made of: dimensions, then what was taken off. `total` is their sum; None: nothing is known."""

    dimensions: tuple[Dimension, ...]
    deductions: tuple[tuple[str, int], ...]
    total: int | None


def is_known(line: Mapping[str, Any]) -> bool:
    """Whether a line of a stored result applies and is known."""
    return bool(line["applies"]) and line["points"][0] == line["points"][1]


def made_of(partner: PublishedPartner) -> Made:
    """What the readiness of a partner is made of.

    Dimensions and deductions are rounded to whole points by largest remainder, so that they add up to the total; lines to
    tenths. Rounding lines first and adding them up would give a dimension more than it has.
    """
    said = partner.result["readiness"]
    lines = {_key(line): Fraction(line["contribution"]) for line in said["lines"]}
    exact = {part["part"]: Fraction(0) for part in said["parts"]}
    for line in said["lines"]:
        exact[line["part"]] += lines[_key(line)]
    exact |= {f"- {what}": Fraction(points) for what, points in said["deductions"]}
    whole = {name: int(points) for name, points in rounded(exact, 0).items()}
    tenths = rounded(lines, 1)
    stored, kind = partner.run.manifest.get("peers", {}), partner.partner_type
    known = sum((Fraction(part["share"]) for part in said["parts"] if part["points"] is not None), Fraction(0))
    dimensions = []
    for part in said["parts"]:
        found = peers_of(stored, part["part"], kind)
        dimensions.append(
            Dimension(
                name=part["part"],
                share=Fraction(part["share"]),
                points=None if part["points"] is None else Fraction(part["points"]),
                low=Fraction(part["low"]),
                high=Fraction(part["high"]),
                peers=found[0] if found else None,
                peers_type=found[1] if found else "",
                most=Fraction(part["share"]) / known if known else Fraction(0),
                gives=whole[part["part"]],
                lines=tuple(Given(line, tenths[_key(line)]) for line in said["lines"] if line["part"] == part["part"]),
            )
        )
    deductions = tuple((what, whole[f"- {what}"]) for what, points in said["deductions"] if Fraction(points))
    return Made(tuple(dimensions), deductions, None if said["total"] is None else sum(whole.values()))


def _key(line: Mapping[str, Any]) -> str:
    return f"{line['part']}.{line['line']}"


@dataclass(frozen=True)
class NotKnown:
    """A signal that counts and is not known: why, how many points it could add, and what would bring it."""

    signal: str
    why: str
    gain: Fraction
    wants: tuple[str, ...]
    """Tables, columns and kinds of rows that no source brings; nothing where time or a row of this partner is wanting."""


def not_known(partner: PublishedPartner) -> tuple[NotKnown, ...]:
    """Of the signals that readiness counts those that are not known, what would add most first."""
    unavailable = partner.run.manifest["unavailable"]
    found = [
        NotKnown(
            line["signal"], line["value"]["why"] or line["why"] or "not known",
            Fraction(line["share"]) * (100 - Fraction(line["points"][0])), tuple(unavailable.get(line["signal"], ())),
        )
        for line in partner.result["readiness"]["lines"]
        if line["applies"] and not is_known(line)
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.gain, one.signal)))


def enough(policy: Policy, month: Month) -> bool:
    """Whether enough of a partner was known at a month-end to name a point, by the edition of that day."""
    return month.coverage * 100 >= policy.edition(NAME, month.day).enough_known


def changes(policy: Policy, months: Iterable[Month]) -> list[tuple[int, dt.date]]:
    """Where in a history another edition of readiness came into force: places and its first days."""
    found, before = [], None
    for place, month in enumerate(months):
        since = policy.edition(NAME, month.day).origin.since
        if before is not None and since != before:
            found.append((place, since))
        before = since
    return found


def manager_of(partner_id: str) -> Staff | None:
    """Who looks after a partner."""
    book = Book.objects.select_related("manager").filter(partner_id=partner_id).first()
    return book.manager if book else None


# ------------------------------------------------------------------------------------------------------------- rows


@dataclass(frozen=True)
class Tab:
    """Rows of one table on the page of a partner: word, table, columns as (name, head, SQL over `r`), and their order."""

    word: str
    table: str
    columns: tuple[tuple[str, str, str], ...]
    order: str
    also: str = ""
    """A second tab that is shown below."""
    names: bool = False
    """Whether the rows are about people, so that a column with who it is comes first for those who may see it."""


def _plain(*columns: tuple[str, str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, head, f"r.{name}") for name, head in columns)


_PLAYED = ", ".join(f"case when r.{role} then '{role}' end" for role in ROLES)
_OF_PERSON = "(select {} from {}_of_partners as o where o.partner_id = $partner and o.person_id = r.person_id{})"
TABS: Mapping[str, Tab] = {
    "deals": Tab(
        "Deals", "deals",
        (*_plain(("name", "Deal"), ("stage", "Stage"), ("stage_class", "State"), ("amount_home", "Amount")),
         ("part", "Part", f"case when r.{ROLES[0]} is null then 'belongs to it' else concat_ws(', ', {_PLAYED}) end"),
         *_plain(("product", "Product"), ("created_on", "Created")),
         ("closes", "Closed", "case when r.stage_class = 'open' then 'open' else strftime(r.closed_on, '%Y-%m-%d') end")),
        "coalesce(r.closed_on, r.created_on, r.occurred_on) desc", also="registrations",
    ),
    "registrations": Tab(
        "Registrations", "registrations",
        (*_plain(("customer_name", "Customer"), ("state", "State")),
         ("closes", "Closed as", "case when r.state = 'closed' then r.closure else 'not closed' end"),
         *_plain(("submitted_at", "Submitted"), ("decided_at", "Decided"), ("expires_on", "Protected until"))),
        "r.submitted_at desc",
    ),
    "activities": Tab(
        "Activities", "activities",
        _plain(("occurred_on", "Day"), ("type", "What"), ("channel", "Channel"), ("value", "Value")),
        "r.occurred_on desc, r.occurred_at desc", names=True,
    ),
    "people": Tab(
        "People", "people",
        (("last_act", "Last act", _OF_PERSON.format("max(o.occurred_on)", "activities", "")),
         ("acts", "Acts, ever", _OF_PERSON.format("count(*)", "activities", "")),
         ("credentials", "Live credentials", _OF_PERSON.format("count(*)", "credentials", " and o.live")),
         ("left", "With the partner", "case when r.left_on is null then 'as far as known' else "
          "'left ' || strftime(r.left_on, '%Y-%m-%d') end"),
         *_plain(("consent_contact", "May be contacted"))),
        "r.left_on desc nulls first, last_act desc nulls last, r.person_id", names=True,
    ),
    "credentials": Tab(
        "Credentials", "credentials",
        _plain(("code", "Credential"), ("kind", "Kind"), ("level", "Level"), ("live", "Live"), ("issued_on", "Issued"),
               ("expires_on", "Expires")),
        "r.live desc, r.expires_on desc nulls first", names=True,
    ),
}  # fmt: skip
"""What a partner's page lists, by the name of the tab. Columns that name a person are none of them."""


def listed(
    engine: Engine, tab: Tab, partner_id: str, names: bool, page: int, size: int
) -> tuple[int, int, list[dict[str, Any]]]:
    """How many rows of a tab a partner has, and a page of them with its number: the last one for any beyond.

    `who` and `email` are empty unless `names` may be shown.
    """
    asked = {"partner": partner_id}
    count = int(str(engine.one(f"select count(*) from {tab.table}_of_partners where partner_id = $partner", asked)))
    page = min(page, max(1, -(-count // size)))
    shown = ", ".join(f"{sql} as {name}" for name, _, sql in tab.columns)
    who, joined = "cast(null as varchar) as who, cast(null as varchar) as email", ""
    if names and tab.names:
        who = "p.full_name as who, p.email"
        people = (
            "select person_id, min(full_name) as full_name, min(email) as email from people_of_partners "
            "where partner_id = $partner group by person_id"
        )
        joined = f"left join ({people}) as p on p.person_id = r.person_id"
    rows = engine.ask(
        f"select {shown}, {who}, r.source, r.load_id, r.line from {tab.table}_of_partners as r {joined} "
        f"where r.partner_id = $partner order by {tab.order}, r.load_id, r.line limit {size} offset {(page - 1) * size}",
        asked,
    )
    return count, page, rows


# --------------------------------------------------------------------------------------------------------- evidence


def texts_of(home: Home, policy: Policy, run: Run, loads: Iterable[Load], names: bool, at_once: bool = True) -> Texts:
    """The kept files of a run. Lines of another company's data are withheld from all, those about people without `names`."""
    withheld: dict[str, str] = {}
    for table, load, _ in run.manifest["files"]:
        if table in WITHHELD:
            withheld[load] = "This file holds another company's data, shared for one purpose: its text is not shown."
        elif not names and shapes.personal(table) if table in views.REACHING else False:
            withheld.setdefault(load, "This file names people: its text is for whoever works with the partner.")
    found = {load.name: load for load in loads}
    return Texts(home.path, policy.instance.limits, found, withheld, _AT_ONCE if at_once else None)


def evidence(
    home: Home, engine: Engine, policy: Policy, partner: PublishedPartner, signal: str, names: bool
) -> Evidence:
    """The rows behind a signal of a partner; `line_of` reads the text of one whose file is large."""
    texts = texts_of(home, policy, partner.run, _loads(partner.run), names)
    at_most = policy.instance.limits["evidence_rows"]
    return behind(engine, policy, signal, partner.partner_id, partner.run.as_of, at_most, texts)


def is_withheld(signal: Signal) -> bool:
    """Whether rows that a signal counts are another company's data: counted, and shown to nobody."""
    return any(half.table in WITHHELD for half in shapes.halves(signal.measure))


def _loads(run: Run) -> Iterable[Load]:
    pinned = {int(load.removeprefix("L")) for _, load, _ in run.manifest["files"]}
    return Load.objects.filter(number__in=pinned).defer("request")


@dataclass(frozen=True)
class Line:
    """One line of a kept file that speaks of a partner: the load, its text, and what it says to us, table by table."""

    load: Load
    line: int
    text: str
    says: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]


def line_of(
    home: Home, engine: Engine, policy: Policy, partner: PublishedPartner, load: str, line: int, names: bool
) -> Line | None:
    """A line that a row of this partner stands on; None for any other, whatever it may hold."""
    says = []
    asked = {"partner": partner.partner_id, "load": load, "line": line}
    for table in sorted(set(views.REACHING) - WITHHELD):
        found = engine.ask(
            f"select * from {table}_of_partners where partner_id = $partner and load_id = $load and line = $line", asked
        )
        says += [(table, _columns(table, row, names)) for row in found]
    if not says and (partner.result["load_id"], partner.result["line"]) != (load, str(line)):
        return None
    of = Load.named(load)
    texts = texts_of(home, policy, partner.run, [of], names, at_once=False)
    return Line(of, line, texts.of(load, {line})[line], tuple(says))


def _columns(table: str, row: Mapping[str, Any], names: bool) -> tuple[tuple[str, Any], ...]:
    """What a row says: own columns that are filled, without ids; those that name a person only with `names`."""
    shown = [
        column.name
        for column in TABLES[table].columns
        if column.kind != "id" and column.name in row and (names or column.private != "i")
    ]
    return tuple((name, row[name]) for name in shown if row[name] is not None)


def neighbours(rows: QuerySet[PublishedPartner], partner: PublishedPartner) -> tuple[str | None, str | None, int, int]:
    """In a list in the order of ranks: who comes before a partner and who after it, its place, and how many there are."""
    asked = rows.order_by().aggregate(
        before=Max("rank", filter=Q(rank__lt=partner.rank)),
        after=Min("rank", filter=Q(rank__gt=partner.rank)),
        place=Count("pk", filter=Q(rank__lte=partner.rank)),
        count=Count("pk"),
    )
    ends = dict(rows.filter(rank__in=[asked["before"] or 0, asked["after"] or 0]).values_list("rank", "partner_id"))
    return ends.get(asked["before"]), ends.get(asked["after"]), asked["place"], asked["count"]
