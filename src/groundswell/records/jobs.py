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


class Schedule(models.Model):
    """Work that is asked for every day at a time of the home zone. A day that was missed is made up for once."""

    kind = models.CharField(max_length=20, unique=True)
    at = models.TimeField(help_text="in the home zone")
    last_for = models.DateField(null=True, help_text="the last day for which it was asked")


FENCE = "GROUNDSWELL_FENCE"
"""Where a worker tells the process that it starts which job it works for, and by which token: `12:3`."""


def hold_fence() -> None:
    """Raises Fenced where this process works for a job that another worker holds by now.

    Called inside the transaction that makes work visible, so that no one can take the job over in between. A process that
    no worker started holds no fence.
    """
    held = os.environ.get(FENCE)
    if held:
        job, _, token = held.partition(":")
        if not Job.objects.filter(pk=int(job), token=int(token), state=RUNNING).exists():
            raise Fenced(f"job {job} was taken over by another worker; nothing was changed")
