"""Work that a page asks for and a worker does: what was asked, how far it is, and who may still write for it."""

import os
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from groundswell.records.staff import Staff

QUEUED, RUNNING, DONE, FAILED, CANCELLED, ASKS = STATES = (
    "queued",
    "running",
    "done",
    "failed",
    "cancelled",
    "asks",
)
"""`asks`: it stopped at a question that a person must answer; the answer is another job."""
OPEN = (QUEUED, RUNNING)
"""States of work that is not over."""


class Fenced(Exception):  # noqa: N818 - what happened, in the glossary's words
    """This worker was taken for dead, and another has its job: it must write nothing more."""


class Job(models.Model):
    """One piece of work. The same work asked for twice is one job: (kind, as_of, input_hash) name it."""

    kind = models.CharField(max_length=20)
    as_of = models.CharField(max_length=10, default="", help_text="a day such as 2026-01-31, where the work is of one")
    input_hash = models.CharField(max_length=64)
    request: Any = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default=QUEUED, choices=[(one, one) for one in STATES])
    asked_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, help_text="empty: a schedule")
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    token = models.BigIntegerField(default=0, help_text="fencing: only the worker that holds the latest may write")
    lease_until = models.DateTimeField(null=True, help_text="when a worker that says nothing is taken for dead")
    cancel_asked = models.BooleanField(default=False)
    once = models.CharField(
        max_length=64, null=True, unique=True, help_text="key of the form it was asked by: sent twice, it is one job"
    )
    log = models.TextField(default="")
    outcome: Any = models.JSONField(default=dict)

    class Meta:
        """One job stands for one piece of work that is not over; the newest first."""

        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "as_of", "input_hash"],
                condition=Q(state__in=[QUEUED, RUNNING]),
                name="one_job_a_piece_of_work",
            )
        ]

    @property
    def what(self) -> str:
        """What it is about, in a few words."""
        named = {
            "take-in": f"Take in {self.request.get('name', '')}",
            "assess": f"Assess as of {self.as_of}",
            "retry": f"Retry rows of {self.request.get('of', '')}",
            "revert": f"Take back {self.request.get('of', '')}",
            "export": f"Write {self.request.get('name', '')}",
            "sweep": "Remove files that nobody needs any more",
        }
        return named.get(self.kind, self.kind)


class Effect(models.Model):
    """What a job made visible, written in the same transaction: whoever tries the job again finds it, and leaves it at that."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="effects")
    key = models.TextField(help_text="which part of the work")
    made = models.TextField(help_text="what came of it: a load by its name, a run by its id")

    class Meta:
        """Each part of the work is done once."""

        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "key"], name="one_effect_a_part_of_a_job")]


class Schedule(models.Model):
    """Work that is asked for every day at a time of the home zone. A day that was missed is made up for once."""

    kind = models.CharField(max_length=20, unique=True)
    at = models.TimeField(help_text="in the home zone")
    last_for = models.DateField(null=True, help_text="the last day for which it was asked")


FENCE = "GROUNDSWELL_FENCE"
"""Where a worker tells the process that it starts which job it works for, and by which token: `12:3`."""


def held() -> tuple[int, int] | None:
    """The job that this process works for, and its token; None where no worker started it."""
    job, _, token = os.environ.get(FENCE, "").partition(":")
    return (int(job), int(token)) if job else None


def asked_by() -> Staff | None:
    """Who asked for the work that this process does; None at a command line, and for a schedule."""
    mine = held()
    return Staff.objects.filter(job__pk=mine[0]).first() if mine else None


def made(key: str) -> str:
    """What an earlier try of this process's job made of a part of the work; "" where nothing of it is done."""
    mine = held()
    found = Effect.objects.filter(job=mine[0], key=key).first() if mine else None
    return found.made if found else ""


def hold_fence(key: str = "", made: str = "") -> None:
    """Raises Fenced where this process works for a job that another worker holds by now; else notes what it made.

    Called inside the transaction that makes work visible, so that no one can take the job over in between, and so that
    the note is there exactly when the work is. A process that no worker started holds no fence.
    """
    mine = held()
    if mine is None:
        return
    number, token = mine
    if Job.objects.select_for_update().filter(pk=number, token=token, state=RUNNING).first() is None:
        raise Fenced(f"job {number} was taken over by another worker; nothing was changed")
    if key:
        Effect.objects.create(job_id=number, key=key, made=made)
