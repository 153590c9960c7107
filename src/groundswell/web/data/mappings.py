"""Mappings: those that are kept with their sources, and drafts for files of unknown shape."""

import re
import tomllib
import uuid
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from groundswell.actions import mappings as acting
from groundswell.actions import uploads
from groundswell.actions.mappings import NotTried
from groundswell.actions.uploads import Upload
from groundswell.connectors.files import edited
from groundswell.connectors.files.read import Refused
from groundswell.policy.read import BadPolicy
from groundswell.runs.kept import checked
from groundswell.runs.prepare import Asked
from groundswell.runs.trial import Trial
from groundswell.web.data.views import Dated, once
from groundswell.web.shell.page import actor, allowed, home, page, staff

_LINES = re.compile(r"\s*\d{1,9}(\s*,\s*\d{1,9}){0,19}\s*")


@page("see data")
def mappings(request: HttpRequest) -> HttpResponse:
    """The kept mappings, what is wrong with those that cannot be read, and the way to a draft."""
    return _mappings(request)


def _mappings(request: HttpRequest, wrong: str = "", status: int = 200) -> HttpResponse:
    kept, faults = checked(home().path)
    said = {
        "mappings": kept,
        "faults": [one.replace(f"{home().path}/", "") for one in faults],
        "takes_in": allowed(staff(request), "take in data"),
        "wrong": wrong,
    }
    return render(request, "data/mappings.html", said, status=status)


@page("take in data")
@require_POST
def proposed(request: HttpRequest) -> HttpResponse:
    """Draft a mapping for a file; a file that needs none says so."""
    file = request.FILES.get("file")
    if not isinstance(file, TemporaryUploadedFile):
        return _mappings(request, "Choose a file of up to the size that policy allows.", 422)
    kept = uploads.keep(actor(request), Path(file.temporary_file_path()), file.name or "")
    try:
        known = acting.propose(actor(request), kept)
    except Refused as error:
        return _mappings(request, str(error).replace(f"{kept.path.parent}/", ""), 422)
    if known:
        messages.info(request, "; ".join(one.partition(": groundswell")[0] for one in known) + ". Upload it here.")
        return redirect("sources")
    return redirect("mappings-draft", kept.digest)


@page("take in data")
def draft(request: HttpRequest, digest: str) -> HttpResponse:
    """Decide a draft column by column or in its text, and try it on rows."""
    upload = _kept(digest)
    if request.method != "POST":
        return _draft(request, upload)
    lines = request.POST.get("lines", "")
    try:
        if request.POST.get("act") == "text":
            acting.rewrite(actor(request), upload, request.POST.get("text", ""))
        else:
            acting.edit(actor(request), upload, request.POST.dict())
    except tomllib.TOMLDecodeError as error:
        return _draft(request, upload, wrong=[f"The text is no TOML: {error}"], status=422)
    if request.POST.get("act") != "try":
        messages.success(request, "The draft is kept.")
        return redirect("mappings-draft", digest)
    if not _LINES.fullmatch(lines):
        return _draft(request, upload, wrong=["Write lines of the file, up to 20, such as 2,3,9."], status=422)
    try:
        found = acting.try_on(actor(request), upload, frozenset(map(int, lines.split(","))))
    except BadPolicy:
        return _draft(request, upload, wrong=acting.faults(upload), status=422)
    except Refused as error:
        return _draft(request, upload, wrong=[str(error)], status=422)
    except Asked as error:
        how = "Say so in the text: a format of the column, or locale or zone of the source."
        asked = [f"{one.column}: {one.text}. {how}" for one in error.questions]
        return _draft(request, upload, wrong=asked, status=422)
    return _draft(request, upload, found)


def _draft(
    request: HttpRequest, upload: Upload, tried: Trial | None = None, wrong: list[str] | None = None, status: int = 200
) -> HttpResponse:
    found = acting.draft(upload)
    if found is None:
        raise Http404
    said: dict[str, Any] = {
        "upload": upload,
        "draft": found,
        "source": edited.source(found.text),
        "rows": edited.rows(found.text),
        "headers": sorted(found.samples, key=str.casefold),
        "faults": acting.faults(upload),
        "trial": tried,
        "lines": request.POST.get("lines", "2,3,4"),
        "wrong": wrong or [],
        "once": uuid.uuid4().hex,
    }
    return render(request, "data/draft.html", said, status=status)


@page("take in data")
@require_POST
def taken(request: HttpRequest, digest: str) -> HttpResponse:
    """Take the file in by the draft that was tried; then it is kept with its source."""
    upload = _kept(digest)
    form = Dated(request.POST)
    if not form.is_valid():
        return _draft(request, upload, wrong=[f"Exported at: {one}" for one in form.errors["exported_at"]], status=422)
    try:
        job = acting.take_in(actor(request), upload, form.cleaned_data["exported_at"], once(request))
    except NotTried as error:
        return _draft(request, upload, wrong=[str(error)], status=422)
    return redirect("jobs-job", job.pk)


def _kept(digest: str) -> Upload:
    found = uploads.kept(home().path, digest)
    if found is None:
        raise Http404
    return found
