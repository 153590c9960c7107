"""Jobs: how far each is, what it came to, what it asks; assessing now, or every day."""

import datetime as dt
import uuid
from pathlib import PurePath
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from groundswell.actions import jobs as asking
from groundswell.actions.jobs import CannotAsk
from groundswell.core.signals.windows import FIRST_DAY, LAST_DAY
from groundswell.reads.sources import Rows, kind_of
from groundswell.records.jobs import OPEN, Job, Schedule
from groundswell.records.loads import Load
from groundswell.records.runs import Published, Run
from groundswell.web.data.views import once
from groundswell.web.shell.page import actor, allowed, home, page, staff

_LISTED = 50
_ANSWER = "answer:"


class AsOf(forms.Form):
    """The day to assess as of."""

    as_of = forms.DateField(label="As of", error_messages={"invalid": "Write a day, such as 2026-10-31."})

    def clean_as_of(self) -> dt.date:
        """A day that signals can be measured on, and that has come."""
        day: dt.date = self.cleaned_data["as_of"]
        if not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(f"Write a day from {FIRST_DAY} to {LAST_DAY}.")
        if day > home().today(dt.datetime.now(dt.UTC)):
            raise forms.ValidationError("That lies in the future.")
        return day


class Daily(forms.Form):
    """When to assess every day; empty: not."""

    at = forms.TimeField(
        required=False, label="Every day at", error_messages={"invalid": "Write a time, such as 06:30."}
    )


@page("see data")
def jobs(request: HttpRequest) -> HttpResponse:
    """The work that was asked for, the newest first; and the way to ask for an assessment."""
    return _jobs(request)


def _jobs(
    request: HttpRequest, assess: forms.Form | None = None, daily: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    schedule = Schedule.objects.filter(kind="assess").first()
    today = home().today(dt.datetime.now(dt.UTC))
    found = list(Job.objects.select_related("asked_by").defer("log")[:_LISTED])
    said = {
        "jobs": found,
        "runs": any(one.state in OPEN for one in found),
        "assess": assess or AsOf(initial={"as_of": today}),
        "daily": daily or Daily(initial={"at": schedule.at.isoformat("minutes") if schedule else ""}),
        "schedule": schedule,
        "zone": home().policy.instance.home_zone,
        "today": today,
        "once": uuid.uuid4().hex,
        "assesses": allowed(staff(request), "assess"),
    }
    part = request.headers.get("HX-Request") == "true" and request.method == "GET"
    answer = render(request, "data/jobs_list.html" if part else "data/jobs.html", said, status=status)
    answer["Vary"] = "HX-Request"
    return answer


@page("see data")
def job(request: HttpRequest, number: int) -> HttpResponse:
    """One job. While it runs its state is asked for every two seconds, as a part of the page."""
    found = get_object_or_404(Job.objects.select_related("asked_by"), pk=number)
    part = request.headers.get("HX-Request") == "true"
    answer = render(request, "data/job_state.html" if part else "data/job.html", _said(request, found))
    answer["Vary"] = "HX-Request"
    return answer


def _said(request: HttpRequest, found: Job, wrong: str = "") -> dict[str, Any]:
    runs = found.state in OPEN
    made = [] if runs else [one.made for one in found.effects.all()]
    numbers = [int(one[1:]) for one in made if one.startswith("L") and one[1:].isdecimal()]
    loads = Load.objects.filter(pk__in=numbers).order_by("pk") if numbers else []
    run = Run.objects.filter(run_id__in=made).first() if found.kind == "assess" and made else None
    files = found.outcome.get("files", [])
    return {
        "job": found,
        "runs": runs,
        "loads": [
            (one, kind_of(one.format), Rows(one.rows_in, one.loaded, one.unchanged, one.quarantined)) for one in loads
        ],
        "published": run,
        "current": bool(run and (pointer := Published.pointer()) and pointer.run_id == run.run_id),
        "refused": [one for one in files if "refused" in one or "faults" in one],
        "questions": [_asks(one) for one in files if one.get("questions")] if found.state == "asks" else [],
        "today": home().today(dt.datetime.now(dt.UTC)),
        "takes_in": allowed(staff(request), "take in data"),
        "once": uuid.uuid4().hex,
        "wrong": wrong,
        "mine": found.asked_by_id == staff(request).pk,
    }


def _asks(file: dict[str, Any]) -> dict[str, Any]:
    """What is asked of one file; answers name it without the sheet that was looked at."""
    name = PurePath(file["file"]).name
    return {
        "name": name,
        "to": name.partition(": ")[0],
        "format": kind_of(file["format"]),
        "questions": file["questions"],
    }


@page("take in data")
@require_POST
def answered(request: HttpRequest, number: int) -> HttpResponse:
    """Answer what a job asked: another job takes the file in."""
    found = get_object_or_404(Job.objects.select_related("asked_by"), pk=number)
    asked = [(one["to"], q["column"]) for one in _said(request, found)["questions"] for q in one["questions"]]
    answers = _answers(request.POST, asked)
    if asked and sum(map(len, answers.values())) < len(set(asked)):
        return render(
            request, "data/job.html", _said(request, found, "Answer every question; nothing is guessed."), status=422
        )
    try:
        fresh = asking.answer(actor(request), found, answers)
    except CannotAsk as error:
        return render(request, "data/job.html", _said(request, found, str(error)), status=422)
    return redirect("jobs-job", fresh.pk)


def _answers(post: QueryDict, asked: list[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """{file: {column: answer}} of a form; only what was asked."""
    found: dict[str, dict[str, str]] = {}
    for name, column in asked:
        text = (post.get(f"{_ANSWER}{name}:{column}:other") or post.get(f"{_ANSWER}{name}:{column}") or "").strip()
        if text and text.isprintable():
            found.setdefault(name, {})[column] = text
    return found


@page("take in data")
@require_POST
def cancelled(request: HttpRequest, number: int) -> HttpResponse:
    """Call a job off."""
    found = get_object_or_404(Job, pk=number)
    if not asking.cancel(actor(request), found):
        messages.info(request, "It is over already; nothing was called off.")
    return redirect("jobs-job", number)


@page("take in data")
@require_POST
def again(request: HttpRequest, number: int) -> HttpResponse:
    """Ask anew for what failed or was called off."""
    found = get_object_or_404(Job, pk=number)
    try:
        fresh = asking.again(actor(request), found)
    except CannotAsk as error:
        messages.info(request, str(error))
        return redirect("jobs-job", number)
    return redirect("jobs-job", fresh.pk)


@page("assess")
@require_POST
def assessed(request: HttpRequest) -> HttpResponse:
    """Ask for an assessment as of a day."""
    form = AsOf(request.POST)
    if not form.is_valid():
        return _jobs(request, assess=form, status=422)
    return redirect("jobs-job", asking.assess(actor(request), form.cleaned_data["as_of"], once(request)).pk)


@page("assess")
@require_POST
def scheduled(request: HttpRequest) -> HttpResponse:
    """Assess every day at a time, or not any more."""
    form = Daily(request.POST)
    if not form.is_valid():
        return _jobs(request, daily=form, status=422)
    at = form.cleaned_data["at"]
    asking.daily(actor(request), at)
    messages.success(
        request, f"Every partner is assessed daily at {at:%H:%M}." if at else "Nothing is assessed by itself any more."
    )
    return redirect("jobs")
