"""The quarantine: every row that was set aside, why, and the two ways to put rows right: here, or in a file."""

import tempfile
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from groundswell.actions import jobs as asking
from groundswell.actions import quarantine as acting
from groundswell.actions import uploads
from groundswell.actions.quarantine import Standing
from groundswell.connectors.files.read import Refused
from groundswell.reads.quarantine import Aside, rows_aside
from groundswell.records.loads import Load
from groundswell.web.data.views import once
from groundswell.web.shell.page import actor, allowed, asked_number, home, page, staff

_LISTED = 50
_SHOWN = 5
"""Loads with rows to fix that are offered at once; the others by filter."""
FEW = 20
"""Rows of a load that are corrected in a page; more are corrected in a file."""


@page("see data")
def quarantine(request: HttpRequest) -> HttpResponse:
    """The rows that stand in quarantine, or with `all` those too that do no more; of a load, a source, a reason."""
    return _quarantine(request)


def _quarantine(request: HttpRequest, wrong: str = "", status: int = 200) -> HttpResponse:
    asked = {name: request.GET.get(name, "") for name in ("load", "source", "reason", "all")}
    everything = [one for one in reversed(rows_aside()) if asked["all"] or not one.since]
    of = [one for one in everything if _fits(one, asked["load"], asked["source"])]
    found = [one for one in of if asked["reason"] in ("", one.row.reason)]
    place = asked_number(request, "from") or 0
    standing = Counter(one.row.load_id for one in everything if not one.since)
    loads = {one.row.load_id: one.row.load for one in of if not one.since}
    said = {
        "rows": found[place : place + _LISTED],
        "count": len(found),
        "more": place + _LISTED if len(found) > place + _LISTED else None,
        "first": place + 1,
        "last": min(place + _LISTED, len(found)),
        "asked": asked,
        "reasons": Counter(one.row.reason for one in of).most_common(_LISTED),
        "loads": [
            {"load": one, "count": standing[pk], "few": standing[pk] <= FEW}
            for pk, one in sorted(loads.items(), reverse=True)[:_SHOWN]
        ],
        "others": max(0, len(loads) - _SHOWN),
        "known": sorted({one.row.load.name for one in everything}, reverse=True),
        "takes_in": allowed(staff(request), "take in data"),
        "once": uuid.uuid4().hex,
        "wrong": wrong,
    }
    return render(request, "data/quarantine.html", said, status=status)


def _fits(one: Aside, load: str, source: str) -> bool:
    return load in ("", one.row.load.name) and source in ("", one.row.load.source)


@page("see data")
def exported(request: HttpRequest, number: int) -> HttpResponseBase:
    """The rows of a load that stand in quarantine, as a file to correct."""
    found = get_object_or_404(Load, pk=number)
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        path = Path(folder) / "rows.csv"
        try:
            acting.export(home(), found.name, path)
        except Refused as error:
            return _quarantine(request, str(error), 422)
        return FileResponse(  # the file is open, and gone from its folder once it was sent
            path.open("rb"), as_attachment=True, filename=f"quarantine-{found.name}.csv", content_type="text/csv"
        )


@page("take in data")
def fixed(request: HttpRequest, number: int) -> HttpResponse:
    """A few rows of a load, cell by cell; sent, those that were changed are tried again."""
    found = get_object_or_404(Load, pk=number)
    try:
        headers, rows = acting.opened(home(), found.name)
    except Refused as error:
        return _quarantine(request, str(error), 422)
    if request.method == "POST":
        cells = _cells(request.POST, rows, len(headers))
        with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
            path = Path(folder) / "rows.csv"
            try:
                acting.correct(home(), found.name, cells, path)
            except Refused as error:
                return _fix(request, found, headers, rows, str(error), 422)
            kept = uploads.keep(actor(request), path, f"corrected-{found.name}.csv")
        return redirect("jobs-job", asking.retry(actor(request), kept, found.name, once(request)).pk)
    return _fix(request, found, headers, rows)


def _cells(post: QueryDict, rows: list[Standing], width: int) -> dict[int, list[str]]:
    """{line: its cells as sent}; a cell that was not sent is as it was."""
    return {
        one.row.line: [_sent(post, f"cell:{one.row.line}:{place}", one.cells[place]) for place in range(width)]
        for one in rows[: _few(width)]
    }


def _sent(post: QueryDict, name: str, before: str) -> str:
    """A cell as it was sent. Browsers write line ends as CR LF, which is no correction."""
    cell = post.get(name, before)
    return before if cell.replace("\r\n", "\n") == before.replace("\r\n", "\n") else cell.replace("\r\n", "\n")


def _few(width: int) -> int:
    """How many rows of so many cells one form holds; the framework takes so many fields and no more."""
    return min(FEW, (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS - 10) // width)


def _fix(
    request: HttpRequest, load: Load, headers: tuple[str, ...], rows: list[Standing], wrong: str = "", status: int = 200
) -> HttpResponse:
    said = {
        "load": load,
        "rows": [_editable(request.POST, one, headers) for one in rows[: _few(len(headers))]],
        "left": len(rows) - _few(len(headers)),
        "once": uuid.uuid4().hex,
        "wrong": wrong,
    }
    return render(request, "data/fix.html", said, status=status)


def _editable(post: QueryDict, one: Standing, headers: tuple[str, ...]) -> dict[str, Any]:
    """A row for the form: the cells that its reason names first, the others below."""
    named = {name.strip().casefold() for name in one.row.column.split(",")}
    cells = [
        (
            f"cell:{one.row.line}:{place}",
            header or "(no name)",
            post.get(f"cell:{one.row.line}:{place}", one.cells[place]),
        )
        for place, header in enumerate(headers)
    ]
    told = [cell for cell in cells if {cell[1].casefold(), cell[1].casefold().replace(" ", "_")} & named]
    return {
        "row": one.row,
        "whole": one.whole,
        "told": told or cells,
        "rest": [c for c in cells if c not in told] if told else [],
    }


@page("take in data")
@require_POST
def retried(request: HttpRequest) -> HttpResponse:
    """Take a corrected file in again; its rows say of which load they are."""
    file = request.FILES.get("file")
    if not isinstance(file, TemporaryUploadedFile):
        return _quarantine(request, "Choose the corrected file.", 422)
    kept = uploads.keep(actor(request), Path(file.temporary_file_path()), file.name or "")
    return redirect("jobs-job", asking.retry(actor(request), kept, kept.path.name, once(request)).pk)
