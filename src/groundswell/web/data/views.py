"""Sources: what came of every row, how old it is, what the data can say; handing over a file; loads, and taking one back."""

import datetime as dt
import re
import uuid
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from groundswell.actions import jobs as asking
from groundswell.actions import uploads
from groundswell.actions.jobs import CannotAsk
from groundswell.core.tables.cells import Fault, Reading, read_instant
from groundswell.reads import sources as reading
from groundswell.reads.quality import more_of
from groundswell.reads.quarantine import rows_aside
from groundswell.records.jobs import Job
from groundswell.records.loads import Load
from groundswell.records.runs import Published, Run
from groundswell.runs.kept import checked
from groundswell.web.shell import charts
from groundswell.web.shell.page import actor, allowed, asked_number, home, page, staff

_LISTED = 50
_RECENT = 5
_KEY = re.compile(r"[0-9a-f]{32}")


def once(request: HttpRequest) -> str:
    """The key of a form that was sent; "" where it bears none of ours."""
    key = request.POST.get("once", "")
    return key if _KEY.fullmatch(key) else ""


class Dated(forms.Form):
    """When a file that is handed over was true."""

    exported_at = forms.CharField(
        required=False,
        label="Exported at",
        help_text="2026-10-31 or 2026-10-31T08:00Z; empty: it is true as of now",
    )

    def clean_exported_at(self) -> str:
        """A day or moment that is over."""
        text = str(self.cleaned_data["exported_at"]).strip()
        moment = read_instant(text, Reading(zone=home().zone)) if text else None
        if isinstance(moment, Fault):
            raise forms.ValidationError(f"{moment.reason}; write 2026-10-31 or 2026-10-31T08:00Z.".capitalize())
        if moment and moment > dt.datetime.now(dt.UTC):
            raise forms.ValidationError("That lies in the future.")
        return text


class Handed(Dated):
    """What is said of a file that is handed over."""

    file = forms.FileField(label="File", error_messages={"required": "Choose a file, or drop one here."})
    source = forms.CharField(
        required=False, max_length=60, label="Source", help_text="where its ids are from; a known format says it"
    )

    def clean_source(self) -> str:
        """A name in one line."""
        name = str(self.cleaned_data["source"]).strip()
        if any(not c.isprintable() for c in name):
            raise forms.ValidationError("Write the name of the system in one line.")
        return name


@page("see data")
def sources(request: HttpRequest) -> HttpResponse:
    """Every kind of file with its equation, and the way to hand over another."""
    return _sources(request, Handed())


def _sources(request: HttpRequest, form: forms.Form, status: int = 200) -> HttpResponse:
    limits, aside = home().policy.instance.limits, rows_aside()
    found = reading.sources(dt.datetime.now(dt.UTC), limits["fresh_days"], aside)
    pointer = Published.pointer()
    said: dict[str, Any] = {
        "sources": found,
        "together": reading.together(found),
        "stale": [one for one in found if one.late],
        "waiting": sum(not one.since for one in aside),
        "run": pointer.run if pointer else None,
        "signals": _signals_of(pointer.run) if pointer else None,
        "since": reading.since(pointer.moved_at if pointer else None),
        "jobs": Job.objects.select_related("asked_by")[:_RECENT],
        "form": form,
        "once": uuid.uuid4().hex,
        "known": sorted({one.name for one in found} | {one.source for one in checked(home().path)[0]}),
        "limit": limits["upload_bytes"],
        "today": home().today(dt.datetime.now(dt.UTC)),
        "takes_in": allowed(staff(request), "take in data"),
    }
    return render(request, "data/sources.html", said, status=status)


def _signals_of(run: Run) -> dict[str, Any]:
    """How many signals the run could compute, drawn and in words, and what would add most."""
    could, more = run.manifest["signals"], more_of(run.manifest)
    bar = charts.shares(could["computable"], [len(one.signals) for one in more], could["declared"])
    return {**could, "more": more, "bar": bar}


@page("take in data")
@require_POST
def uploaded(request: HttpRequest) -> HttpResponse:
    """Keep the file and ask for it to be taken in; then its job says how far it is."""
    form = Handed(request.POST, request.FILES)
    if limit := vars(request).get("too_large"):
        form.add_error(
            "file",
            f"It is larger than {limit >> 20:,} MB, which policy allows here (limits.toml, upload_bytes). "
            "Take it in at the command line: groundswell take-in FILE.",
        )
    if not form.is_valid():
        return _sources(request, form, 422)
    file = form.cleaned_data["file"]
    kept = uploads.keep(actor(request), Path(file.temporary_file_path()), file.name)
    job = asking.take_in(
        actor(request), kept, form.cleaned_data["source"], form.cleaned_data["exported_at"], once=once(request)
    )
    return redirect("jobs-job", job.pk)


# ---------------------------------------------------------------------------------------------------------------- loads


@page("see data")
def loads(request: HttpRequest) -> HttpResponse:
    """The loads, the newest first, of all sources or one."""
    source, format_ = request.GET.get("source", ""), request.GET.get("format", "")
    found = reading.loads_of(source, format_)
    if (before := asked_number(request, "before")) is not None:
        found = found.filter(number__lt=before)
    listed = list(found[: _LISTED + 1])
    more = listed[_LISTED - 1].number if len(listed) > _LISTED else None
    said = {
        "loads": listed[:_LISTED], "more": more, "source": source, "format": format_, "kind": reading.kind_of(format_)
    }  # fmt: skip
    return render(request, "data/loads.html", said)


@page("see data")
def load(request: HttpRequest, number: int) -> HttpResponse:
    """One load: its equation, how it was read, what it says of itself; and taking it back."""
    return _load(request, number)


def _load(request: HttpRequest, number: int, wrong: str = "", status: int = 200) -> HttpResponse:
    found = get_object_or_404(Load.objects.select_related("again_of", "retry_of"), pk=number)
    said = {
        "load": found,
        "kind": reading.kind_of(found.format),
        "rows": reading.Rows(found.rows_in, found.loaded, found.unchanged, found.quarantined),
        "tables": [(name, *days) for name, days in found.report.get("tables", {}).items()],
        "takes_in": allowed(staff(request), "take in data"),
        "once": uuid.uuid4().hex,
        "wrong": wrong,
        "why": request.POST.get("why", ""),
    }
    return render(request, "data/load.html", said, status=status)


@page("take in data")
@require_POST
def reverted(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for a load to be taken back."""
    found = get_object_or_404(Load, pk=number)
    try:
        job = asking.revert(actor(request), found, request.POST.get("why", ""), once(request))
    except CannotAsk as error:
        return _load(request, number, str(error), 422)
    messages.success(request, f"{found.name} is being taken back.")
    return redirect("jobs-job", job.pk)
