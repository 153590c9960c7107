"""One partner: where it stands and why, its rows, the rows behind each figure, and "this is wrong"."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from groundswell.actions.disputes import CannotAnswer, dispute
from groundswell.core.declare import Policy
from groundswell.engine import rows as kept
from groundswell.engine.duckdb import Engine
from groundswell.engine.home import Damaged
from groundswell.reads import partner as reads
from groundswell.reads.disputes import disputes_about
from groundswell.reads.explain import history_of
from groundswell.reads.listing import BadListing, Listing, matching
from groundswell.reads.partners import NothingPublished, Standing, published, standing_of
from groundswell.reads.policy import policy_of
from groundswell.reads.rights import mine
from groundswell.records.runs import PublishedPartner, Run
from groundswell.web.partner import said
from groundswell.web.partners.rows import kind
from groundswell.web.shell import charts, words
from groundswell.web.shell.page import actor, allowed, asked_number, home, page, staff

_PAGE = 50
_FIGURES = ("Amount", "Value", "Acts, ever", "Live credentials")
"""Heads of columns that stand to the right."""


@dataclass
class _Opened:
    """One partner that the asker sees, on the way to a page: the row, and what every tab shows around it."""

    request: HttpRequest
    row: PublishedPartner
    one: Standing
    policy: Policy | None
    damage: list[str]

    @property
    def currency(self) -> str:
        """The home currency of the run."""
        return self.policy.instance.home_currency if self.policy else ""

    @property
    def names(self) -> bool:
        """Whether the asker may see who people are."""
        return allowed(staff(self.request), "see who people are")

    def unit(self, signal: str) -> str:
        """The unit of a signal of the run."""
        return self.policy.signals[signal].unit if self.policy and signal in self.policy.signals else ""

    def dimension(self, part: reads.Dimension) -> str:
        """The name under which the evidence lists the signals of a part of readiness."""
        first = part.lines[0].line["signal"]
        return self.policy.signals[first].dimension if self.policy and first in self.policy.signals else "signals"

    def value(self, signal: str) -> str:
        """The value of a signal in words."""
        found = self.one.result["signals"].get(signal)
        return said.value(found, self.unit(signal), self.currency) if found else words.NOT_KNOWN

    @contextmanager
    def engine(self) -> Iterator[Engine | None]:
        """The rows of the run; None, with the damage noted, where they cannot be read."""
        if self.policy is None:
            yield None
            return
        there = False
        try:
            with kept.opened(home(), self.row.run, self.policy.instance) as engine:
                there = True
                yield engine
        except Damaged as error:
            self.damage.append(str(error))
            if not there:
                yield None

    def shown(self, template: str, tab: str, status: int = 200, **more: Any) -> HttpResponse:
        """A tab in its frame."""
        before, after, place, count = reads.neighbours(_listed(self.request, self.row.run), self.row)
        frame = {
            "one": self.one,
            "partner_kind": kind(self.row.partner_type),
            "run": self.row.run,
            "manager": reads.manager_of(self.one.partner_id),
            "tab": tab,
            "tabs": [
                ("overview", "Overview"),
                ("evidence", "Evidence"),
                *((name, reads.TABS[name].word) for name in _LISTED),
            ],
            "before": before,
            "after": after,
            "place": place,
            "count": count,
            "query": f"?{self.request.GET.urlencode()}" if self.request.GET else "",
            "damage": self.damage,
            "currency": self.currency,
            "can_dispute": allowed(staff(self.request), "dispute a figure"),
        }
        return render(self.request, f"partner/{template}.html", frame | more, status=status)


_LISTED = ("deals", "activities", "people", "credentials")


def _listed(request: HttpRequest, run: Run) -> QuerySet[PublishedPartner]:
    """The partners among which one goes on to the next: those of the list that one came from."""
    try:
        asked = Listing.parsed(request.GET.dict())
    except BadListing:
        asked = Listing()
    return matching(run, staff(request), asked)


def _open(request: HttpRequest, partner_id: str) -> _Opened:
    """That partner, if the asker sees it: else 404, as if there were none."""
    try:
        run = published()
    except NothingPublished as error:
        raise Http404 from error
    row = get_object_or_404(mine(staff(request), run.partners.all()), partner_id=partner_id)
    found = _Opened(request, row, standing_of(row), None, [])
    try:
        found.policy = policy_of(home(), row.run)
    except Damaged as error:
        found.damage.append(str(error))
    return found


def _disputed(found: _Opened, signal: str = "", row: str = "") -> str:
    """Open the dispute that a form asks for; what is wrong with the form, or ""."""
    try:
        dispute(actor(found.request), found.row, signal, row, found.request.POST.get("why", ""))
    except CannotAnswer as error:
        return str(error)
    messages.success(found.request, "Said. Operations answer it, and the answer stands here.")
    return ""


@page("see partners")
def partner(request: HttpRequest, partner_id: str) -> HttpResponse:
    """Where one partner stands and why; a form says that something of it is wrong."""
    found, wrong = _open(request, partner_id), ""
    if request.method == "POST":
        wrong = _disputed(found)
        if not wrong:
            return redirect(f"{request.get_full_path()}#disputes")
    made = reads.made_of(found.row)
    standing = found.one.result["standing"]
    more = {
        "made": made,
        "bars": charts.steps(
            [*((one.name, one.gives) for one in made.dimensions), *made.deductions],
            made.total,
        ),
        "dimensions": [(one, _dot(one, found.one.state), found.dimension(one)) for one in made.dimensions],
        "lines": {
            one.name: [
                (given, said.value(given.line["value"], found.unit(given.line["signal"]), found.currency))
                for given in one.lines
            ]
            for one in made.dimensions
        },
        "standing": standing,
        "willing": said.willing(standing["quiet"]["state"]),
        "won": found.value("won_revenue"),
        "pipeline": found.value("open_pipeline"),
        "gaps": [(gap, found.value(gap["signal"])) for gap in found.one.result["gaps"]],
        "moves": _moves(standing["moves"]),
        "wanted": reads.not_known(found.row),
        "disputes": disputes_about(partner_id),
        "wrong": wrong,
        **_history(found),
    }
    return found.shown("overview", "overview", 422 if wrong else 200, **more)


def _dot(one: reads.Dimension, state: str) -> str:
    """The dimension on its range; without a point where too little is known to name one."""
    peers = (float(one.peers.low), float(one.peers.high)) if one.peers else None
    point = None if one.points is None or state == "too little known" else float(one.points)
    return charts.dot_on_range(float(one.low), point, float(one.high), peers, one.name.replace("_", " "))


def _moves(moves: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Segment -> what a partner lacks to stand there."""
    found: dict[str, list[str]] = {}
    for one in moves:
        found.setdefault(one["segment"], []).append(one["said"])
    return list(found.items())


def _history(found: _Opened) -> dict[str, Any]:
    """The month-ends as a chart, with changes of policy marked."""
    if found.policy is None:
        return {}
    try:
        months = history_of(home(), found.row.run, found.policy, found.one.partner_id)
    except Damaged as error:
        found.damage.append(str(error))
        return {}
    if len(months) < 2:
        return {}
    marks = [(place, f"policy of {words.day(since)}") for place, since in reads.changes(found.policy, months)]
    marks += [
        (place, "published by another policy")
        for place, month in enumerate(months)
        if month.then and month.then.other_policy
    ]
    chart = charts.band(
        [words.day(month.day) for month in months],
        [month.low for month in months],
        [month.total if reads.enough(found.policy, month) else None for month in months],
        [month.high for month in months],
        marks,
    )
    told = [(month, reads.enough(found.policy, month)) for month in reversed(months)]
    return {"months": told, "chart": chart, "marks": [(months[place].day, text) for place, text in marks]}


@page("see partners")
def evidence(request: HttpRequest, partner_id: str) -> HttpResponse:
    """Every signal of one partner: its value, what it does to readiness, and the way to its rows."""
    found = _open(request, partner_id)
    made = reads.made_of(found.row)
    gives = {given.line["signal"]: given for one in made.dimensions for given in one.lines}
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, value in found.one.result["signals"].items():
        signal = found.policy.signals.get(name) if found.policy else None
        given = gives.get(name)
        groups.setdefault(signal.dimension if signal else "signals", []).append(
            {
                "name": name,
                "question": signal.question if signal else "",
                "kind": signal.kind if signal else "",
                "value": found.value(name),
                "state": value["state"],
                "why": value["why"],
                "given": given,
                "known": given is not None and reads.is_known(given.line),
            }
        )
    told = [
        (
            dimension,
            sorted((one for one in rows if one["given"]), key=lambda one: (-one["given"].points, one["name"])),
            [one for one in rows if not one["given"]],
        )
        for dimension, rows in sorted(groups.items())
    ]
    return found.shown("evidence", "evidence", groups=told)


@page("see partners")
def signal(request: HttpRequest, partner_id: str, name: str) -> HttpResponse:
    """One signal of one partner: the question, how it is counted, and the rows that it counts; a form says it is wrong."""
    found, wrong = _open(request, partner_id), ""
    if name not in found.one.result["signals"]:
        raise Http404
    if request.method == "POST":
        wrong = _disputed(found, signal=name)
        if not wrong:
            return redirect(f"{request.get_full_path()}#disputes")
    behind = None
    with found.engine() as engine:
        if engine is not None and found.policy is not None and name in found.policy.signals:
            behind = reads.evidence(home(), engine, found.policy, found.row, name, found.names)
    declared = found.policy.signals.get(name) if found.policy else None
    more = {
        "name": name,
        "signal": declared,
        "measured": said.measured(declared.measure) if declared else [],
        "earns": said.earns(found.policy, found.row.run.as_of, name) if found.policy else [],
        "value": found.value(name),
        "stored": found.one.result["signals"][name],
        "wants": found.row.run.manifest["unavailable"].get(name, ()),
        "behind": behind,
        "withheld": declared is not None and reads.is_withheld(declared),
        "disputes": disputes_about(partner_id).filter(signal=name),
        "wrong": wrong,
    }
    return found.shown("signal", "evidence", 422 if wrong else 200, **more)


@page("see partners")
def line(request: HttpRequest, partner_id: str, load: str, number: int) -> HttpResponse:
    """One line of a kept file that speaks of this partner: its text as it was sent; a form says it is wrong."""
    found, wrong = _open(request, partner_id), ""
    read = None
    with found.engine() as engine:
        if engine is not None and found.policy is not None:
            read = reads.line_of(home(), engine, found.policy, found.row, load, number, found.names)
            if read is None:
                raise Http404
    if request.method == "POST" and read is not None:
        wrong = _disputed(found, row=f"{load}:{number}")
        if not wrong:
            return redirect(f"{request.get_full_path()}#disputes")
    more = {
        "read": read,
        "load": load,
        "number": number,
        "says": [
            (table, [(name, said.cell(what, name)) for name, what in columns])
            for table, columns in (read.says if read else ())
        ],
        "disputes": disputes_about(partner_id).filter(row=f"{load}:{number}"),
        "wrong": wrong,
    }
    return found.shown("line", "evidence", 422 if wrong else 200, **more)


@page("see partners")
def rows(request: HttpRequest, partner_id: str, name: str) -> HttpResponse:
    """The rows of one tab, as of the day of the run."""
    found = _open(request, partner_id)
    if name not in _LISTED:
        raise Http404
    tab = reads.TABS[name]
    asked = asked_number(request, "page") or 1
    tables: list[dict[str, Any]] = []
    with found.engine() as engine:
        if engine is not None:
            tables.append(_table(found, engine, tab, asked))
            if tab.also:
                tables.append(_table(found, engine, reads.TABS[tab.also], 1))
    return found.shown("rows", name, word=tab.word, tables=tables, figures=_FIGURES)


def _table(found: _Opened, engine: Engine, tab: reads.Tab, asked: int) -> dict[str, Any]:
    """A table of rows: heads, rows as texts, and the pages around them."""
    count, number, rows = reads.listed(engine, tab, found.one.partner_id, found.names, asked, _PAGE)
    return {
        "tab": tab,
        "count": count,
        "who": tab.names and found.names,
        "heads": [head for _, head, _ in tab.columns],
        "rows": [(row, [said.cell(row[name], name) for name, _, _ in tab.columns]) for row in rows],
        "page": number,
        "pages": max(1, -(-count // _PAGE)),
    }
