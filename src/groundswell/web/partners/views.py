"""The list of partners: filters, kept lists, a row beside the list, who looks after whom, sheets."""

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST

from groundswell.actions import books, exports, views
from groundswell.core.rights import MANAGER
from groundswell.core.words import many
from groundswell.reads import listing
from groundswell.reads.listing import BadListing, Facts, Listing
from groundswell.reads.partners import NothingPublished, published, standing_of
from groundswell.reads.policy import policy_of
from groundswell.reads.rights import mine
from groundswell.records.jobs import OPEN, Job
from groundswell.records.runs import Run
from groundswell.records.staff import Book, Staff
from groundswell.records.views import SavedView
from groundswell.web.partners import rows
from groundswell.web.partners.beside import beside
from groundswell.web.shell.page import actor, allowed, home, page, staff
from groundswell.web.shell.words import NOT_KNOWN

_SHOWN = ("segment", "reason", "readiness", "last", "won", "manager")
"""Columns that are shown where nobody chose."""
_COLUMNS = {
    "segment": "Segment", "reason": "Reason", "readiness": "Readiness", "rhythm": "Rhythm", "tier": "Tier",
    "attention": "Attention", "last": "Last act", "won": "Won 12 months", "manager": "Manager",
}  # fmt: skip
_TABS = (
    ("All", ""),
    ("My book", "manager=me"),
    ("Ready not active", "list=ready"),
    ("One or two short", "list=short"),
    ("Dormant and reachable", "list=dormant"),
    ("Quiet and strong", "list=strong"),
    ("Needs data", "list=unknown"),
    ("Removal review", "list=review"),
)
_FILTERS = {
    "q": "Name", "list": "List", "segment": "Segment", "country": "Country", "partner_type": "Type", "manager": "Manager",
    "band": "Readiness", "quiet": "Rhythm", "attention": "Attention", "tier": "Tier",
}  # fmt: skip
_LISTS = {
    **{query.removeprefix("list="): word for word, query in _TABS if query.startswith("list=")},
    "quiet": "Went quiet",
    "look": "Figures to look at",
}
_NONE = {"segment": "not placed", "band": "open", "tier": "no tier", "country": NOT_KNOWN, "partner_type": NOT_KNOWN}
_RARE = ("band", "quiet", "attention", "tier")
"""Filters that stand folded."""
_NAME = 60
"""Characters of the name of a list."""


@dataclass(frozen=True)
class _Asked:
    """What an address asks for: the list, the columns, the page."""

    listing: Listing
    columns: tuple[str, ...]
    cursor: str

    @classmethod
    def of(cls, request: HttpRequest) -> "_Asked":
        try:
            found = Listing.parsed(request.GET.dict())
        except BadListing as error:
            raise BadRequest(str(error)) from error
        columns = tuple(one for one in _COLUMNS if one in request.GET.getlist("show"))
        return cls(found, columns or _SHOWN, request.GET.get("at", ""))

    def query(self, found: Listing | None = None, at: str = "") -> str:
        """The address of a list with these columns."""
        said: list[tuple[str, str]] = [] if self.columns == _SHOWN else [("show", one) for one in self.columns]
        said += [("at", at)] if at else []
        return "&".join(part for part in ((found or self.listing).query(), urlencode(said)) if part)


@page("see partners")
def partners(request: HttpRequest) -> HttpResponse:
    """The partners that this person sees, of those that are asked for."""
    return _answer(request, _Asked.of(request))


@page("see partners")
def drawer(request: HttpRequest, partner_id: str) -> HttpResponse:
    """One partner beside the list: alone for the list that asks, else within the list that the address names."""
    asked = _Asked.of(request)
    run = _run_or_404()
    row = get_object_or_404(mine(staff(request), run.partners.order_by()), partner_id=partner_id)
    manager = Book.objects.filter(partner_id=partner_id).select_related("manager").first()
    policy = policy_of(home(), run)
    said = {
        "beside": beside(standing_of(row), policy.signals, policy.instance.home_currency),
        "row": row,
        "last": rows.last_act(row),
        "kind": rows.kind(row.partner_type),
        "currency": policy.instance.home_currency,
        "as_of": run.as_of,
        "manager": str(manager.manager) if manager else "",
        "back": f"{reverse('partners')}?{asked.query(at=asked.cursor)}".removesuffix("?"),
        "query": asked.query(),
    }
    if _part(request):
        return _vary(render(request, "partners/drawer.html", said))
    return _answer(request, asked, said)


def _run_or_404() -> Run:
    try:
        return published()
    except NothingPublished:
        return get_object_or_404(Run, pk="")


def _part(request: HttpRequest) -> bool:
    """Whether a page asks for a part of itself, and not the browser for a page."""
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-History-Restore-Request")


def _vary(answer: HttpResponse) -> HttpResponse:
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _answer(
    request: HttpRequest, asked: _Asked, more: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    one, run = staff(request), published()
    try:
        found = listing.page(run, one, asked.listing, asked.cursor)
    except BadListing as error:
        raise BadRequest(str(error)) from error
    count, thin = listing.counted(run, one, asked.listing, found)
    managers = list(Staff.objects.filter(role=MANAGER, is_active=True).order_by("name"))
    own = list(SavedView.objects.filter(owner=one))
    seen = listing.facts(run, one)
    query = asked.query()
    held = next((view for view in own if view.query == query), None)
    said: dict[str, Any] = {
        "run": run,
        "asked": asked.listing,
        "query": query,
        "at": asked.query(at=asked.cursor),
        "carried": _carried(asked),
        "rows": rows.written(found.rows, asked.columns, allowed(one, "assign partners"), asked.listing.query()),
        "count": count,
        "span": f"{found.first:,} to {found.first + len(found.rows) - 1:,} of {count:,}",
        "thin": thin,
        "before": asked.query(at=found.before) if found.before else "",
        "after": asked.query(at=found.after) if found.after else "",
        "columns": [(name, word, name in asked.columns) for name, word in _COLUMNS.items()],
        "show": {name: name in asked.columns for name in _COLUMNS},
        "kept_columns": () if asked.columns == _SHOWN else asked.columns,
        "heads": _heads(asked),
        "currency": policy_of(home(), run).instance.home_currency,
        "chips": _chips(asked, managers),
        "excluding": _excluding(run, one, asked, managers) if not found.rows else (),
        "tabs": _tabs(asked, one, seen, own),
        "own": held,
        "named": request.POST.get("name", held.name if held else ""),
        "assigns": allowed(one, "assign partners"),
        "exports": allowed(one, "export partners"),
        "managers": managers,
    }
    part = _part(request)
    if not part:
        said["selects"] = _selects(asked.listing, seen, managers, one)
    answer = render(
        request, "partners/list.html" if part else "partners/partners.html", {**said, **(more or {})}, status=status
    )
    return _vary(answer)


# ---------------------------------------------------------------------------------------------------------------- words


def _word(name: str, value: str, managers: list[Staff]) -> str:
    """A value of a filter as people say it."""
    if name == "list":
        return _LISTS[value]
    if name == "manager":
        named = {"me": "me", "nobody": "nobody"} | {str(one.pk): str(one) for one in managers}
        return named.get(value, "somebody else")
    if name == "partner_type" and value != "none":
        return rows.kind(value)
    return _NONE.get(name, "none") if value == "none" else value


def _chips(asked: _Asked, managers: list[Staff]) -> list[dict[str, str]]:
    """Every filter that holds, each with the address without it."""
    return [
        {
            "word": _FILTERS[name],
            "value": _word(name, value, managers),
            "name": name,
            "without": asked.query(asked.listing.without(name)),
        }
        for name, value in asked.listing.filters.items()
    ]


def _carried(asked: _Asked) -> str:
    """What rows carry to the drawer, so that it stands beside the same list: once for all of them."""
    found: dict[str, object] = dict(parse_qsl(asked.listing.query()))
    if asked.columns != _SHOWN:
        found["show"] = asked.columns
    if asked.cursor:
        found["at"] = asked.cursor
    return json.dumps(found) if found else ""


def _excluding(run: Run, one: Staff, asked: _Asked, managers: list[Staff]) -> list[dict[str, str]]:
    names = listing.excluding(run, one, asked.listing)
    return [chip for chip in _chips(asked, managers) if chip["name"] in names]


def _tabs(asked: _Asked, one: Staff, seen: Facts, own: list[SavedView]) -> list[dict[str, Any]]:
    """The lists that everybody has, with counts, and one's own."""
    here = asked.listing.query()
    found = []
    for word, query in _TABS:
        if query == "manager=me" and one.role != MANAGER:
            continue
        count = seen.all if not query else seen.lists.get(query.removeprefix("list="))
        found.append(
            {"word": word, "query": query, "count": "" if count is None else f"{count:,}", "here": query == here}
        )
    found += [
        {"word": view.name, "query": view.query, "count": "", "here": view.query == asked.query()} for view in own
    ]
    return found


def _heads(asked: _Asked) -> dict[str, dict[str, str]]:
    """Of every order: where a click on its head leads, and how it stands now. Rank rises as readiness falls."""
    found = {}
    for name, falls in (("name", False), ("rank", False), ("last", True), ("won", True), ("coverage", True)):
        holds = asked.listing.order == name
        down = not asked.listing.down if holds else falls
        falling = asked.listing.down != (name == "rank")
        sort = ("descending" if falling else "ascending") if holds else ""
        found[name] = {
            "query": asked.query(asked.listing.by(name, down)),
            "sort": sort,
            "mark": {"descending": " ↓", "ascending": " ↑"}.get(sort, ""),
        }
    return found


def _selects(asked: Listing, seen: Facts, managers: list[Staff], one: Staff) -> list[dict[str, Any]]:
    """What can be filtered by, with what there is to choose from."""
    found = []
    for name, word in _FILTERS.items():
        if name in ("q", "list"):
            continue
        if name == "manager":
            values = [*(("me",) if one.role == MANAGER else ()), "nobody", *(str(each.pk) for each in managers)]
        else:
            values = [value or "none" for value in seen.choices[name]]
        now = asked.filters.get(name, "")
        values += [now] if now and now not in values else []
        options = [{"value": value, "word": _word(name, value, managers), "here": value == now} for value in values]
        found.append(
            {
                "name": name,
                "word": word,
                "options": options,
                "now": now,
                "rare": name in ("band", "quiet", "attention", "tier"),
            }
        )
    return found


# ----------------------------------------------------------------------------------------------------------------- acts


def _back(request: HttpRequest) -> HttpResponse:
    query = _Asked.of(request).query(at=request.GET.get("at", ""))
    return redirect(f"{reverse('partners')}?{query}".removesuffix("?"))


def _refused(request: HttpRequest, **wrong: str) -> HttpResponse:
    """The list as it was, with what is wrong beside its field."""
    return _answer(request, _Asked.of(request), {"wrong": wrong}, status=422)


@page("assign partners")
@require_POST
def assigned(request: HttpRequest) -> HttpResponse:
    """Put the partners that are selected into a manager's book, or into nobody's."""
    chosen, to = request.POST.getlist("partner"), request.POST.get("to", "")
    managers = {str(one.pk): one for one in Staff.objects.filter(role=MANAGER, is_active=True)}
    if not chosen or (to != "nobody" and to not in managers):
        wrong = "Select at least one partner." if not chosen else "Choose a manager, or nobody."
        return _refused(request, assign=wrong)
    manager = managers.get(to)
    done = books.assign(actor(request), chosen, manager)
    said = {"done": done, "manager": manager, "query": request.GET.urlencode()}
    messages.success(request, render_to_string("partners/assigned.html", said, request))
    return _back(request)


@page("assign partners")
@require_POST
def unassigned(request: HttpRequest, number: int) -> HttpResponse:
    """Take back an assignment of one's own."""
    try:
        count = books.undo(actor(request), number)
    except books.CannotUndo as error:
        raise Http404 from error
    if count:
        messages.success(
            request, f"Taken back: {many(count, 'partner')} {'is' if count == 1 else 'are'} where they were."
        )
    else:
        messages.info(request, "Nothing was taken back: somebody has changed it since.")
    return _back(request)


@page("see partners")
@require_POST
def kept(request: HttpRequest) -> HttpResponse:
    """Keep what is asked for as a list of one's own."""
    name = " ".join(request.POST.get("name", "").split())
    if not name or len(name) > _NAME or "\0" in name:
        return _refused(request, name=f"Give the list a name of at most {_NAME} characters.")
    views.save(actor(request), staff(request), name, _Asked.of(request).query())
    messages.success(request, f"Kept as “{name}”.")
    return _back(request)


@page("see partners")
@require_POST
def dropped(request: HttpRequest) -> HttpResponse:
    """Forget a list of one's own."""
    view = get_object_or_404(SavedView, owner=staff(request), name=request.POST.get("name", ""))
    views.drop(actor(request), staff(request), view.name)
    messages.success(request, f"“{view.name}” is no list any more. Its partners stay.")
    return redirect("partners")


@page("export partners")
@require_POST
def exported(request: HttpRequest) -> HttpResponseBase:
    """Every partner of the list as a sheet, without a cap: written whole before its first byte leaves, or by a job."""
    form = request.POST.get("form", "")
    if form not in ("csv", "xlsx"):
        raise BadRequest(f"no form '{form}'")
    asked, run = _Asked.of(request).listing, _run_or_404()
    named = f"partners-{home().today(dt.datetime.now(dt.UTC))}.{form}"
    count, _ = listing.counted(run, staff(request), asked)
    if count > home().policy.instance.limits["export_rows"]:
        return redirect("partners-sheet", exports.ask(actor(request), asked, form, named).pk)
    path = Path(settings.FILE_UPLOAD_TEMP_DIR) / f"export-{secrets.token_hex(8)}.{form}"
    currency = policy_of(home(), run).instance.home_currency
    try:
        exports.export(actor(request), asked, form, path, currency)
        file = path.open("rb")
    finally:
        path.unlink(missing_ok=True)  # whoever reads it holds it open; nothing stays behind
    return FileResponse(file, as_attachment=True, filename=named)


def _sheet_or_404(request: HttpRequest, number: int) -> Job:
    """The job of a sheet, of whoever asked for it: to all others there is none."""
    return get_object_or_404(Job, pk=number, kind="export", asked_by=staff(request))


@page("export partners")
def written(request: HttpRequest, number: int) -> HttpResponse:
    """A sheet that is too long to wait for: how far it is, and once it is written the way to take it away."""
    return _written(request, _sheet_or_404(request, number))


def _written(request: HttpRequest, job: Job, wrong: str = "", status: int = 200) -> HttpResponse:
    said = {
        "job": job,
        "runs": job.state in OPEN,
        "there": exports.where(home().path, job) is not None,
        "days": home().policy.instance.limits["kept_days"],
        "list": f"{reverse('partners')}?{job.request['words'][0].removeprefix('--list=')}".removesuffix("?"),
        "wrong": wrong,
    }
    answer = render(
        request, "partners/sheet_state.html" if _part(request) else "partners/sheet.html", said, status=status
    )
    return _vary(answer)


@page("export partners")
@require_POST
def taken(request: HttpRequest, number: int) -> HttpResponseBase:
    """Take a written sheet away."""
    job = _sheet_or_404(request, number)
    try:
        file = exports.take(actor(request), job).open("rb")
    except exports.NotThere as error:
        return _written(request, job, str(error), 422)
    return FileResponse(file, as_attachment=True, filename=job.request["name"])
