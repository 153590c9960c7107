"""Runs, and what pages read of them. A run is written whole under its own id; then one pointer moves."""

from typing import Any, ClassVar

from django.db import models

HISTORY = "history.parquet"
"""The file of a run that holds its month-ends: a row for each partner and month-end, the day itself last."""

FILTERED = (
    "segment", "band", "state", "quiet", "attention", "country", "partner_type", "tier", "short", "coverage", "look_at",
    "reviews", "partner_id", "name",
)  # fmt: skip
"""What lists filter by."""


class Run(models.Model):
    """One assessment of all partners as of a day. The id is a hash of everything that went into it."""

    run_id = models.CharField(primary_key=True, max_length=64)
    as_of = models.DateField()
    policy_version = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    complete = models.BooleanField(default=False)
    manifest: Any = models.JSONField(default=dict)


class PublishedPartner(models.Model):
    """One partner of one run, as lists and cards read it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="partners")
    rank = models.IntegerField()
    partner_id = models.TextField()
    name = models.TextField()
    external_id = models.TextField()
    source = models.TextField()
    result: Any = models.JSONField()
    segment = models.CharField(max_length=16, default="", help_text="empty: not placed")
    band = models.CharField(max_length=16, default="", help_text="empty: open, since the range spans several")
    state = models.CharField(max_length=24, default="", help_text="of readiness: scored, or why not")
    quiet = models.CharField(max_length=24, default="", help_text="state of activity by its own rhythm")
    attention = models.CharField(max_length=16, default="")
    country = models.CharField(max_length=2, default="", help_text="ISO 3166 alpha-2")
    partner_type = models.TextField(default="")
    tier = models.TextField(default="")
    coverage = models.FloatField(default=0, help_text="from 0 to 1; exact in `result`, here for order")
    last_on = models.DateField(null=True, help_text="the day of its last act; none: it never acted, or nobody knows")
    won = models.DecimalField(
        max_digits=28, decimal_places=4, null=True, help_text="won revenue of 12 months, home currency; none: not known"
    )
    short = models.IntegerField(
        null=True, help_text="how many conditions keep it out of segment ready; none: it is there, or nobody knows"
    )
    look_at = models.IntegerField(default=0, help_text="how many reasons a person has to look at its figures")
    reviews = models.IntegerField(default=0, help_text="how many review lists it is on")
    total = models.FloatField(
        null=True, help_text="points; none: no single figure. Exact in `result`, as are low and high"
    )
    low = models.FloatField(default=0, help_text="points with every unknown at its worst")
    high = models.FloatField(default=0, help_text="points with every unknown at its best")
    reason = models.TextField(default="", help_text="what keeps it from ready, and what to do next, in one line")

    class Meta:
        """A partner stands once in a run; each order that lists offer has its index, with the rank to tell ties apart.

        Rows are wide, and what lists filter by lies behind `result`: each of these indexes holds all of it, so that a
        filter never walks through whole rows, and a page ends where it is full.
        """

        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "partner_id"], name="one_partner_a_run")]
        indexes: ClassVar = [
            models.Index(
                fields=["run", *first, *(one for one in FILTERED if one not in first)], name=f"partners_by_{name}"
            )
            for name, first in (
                ("rank", ["rank"]),
                ("name", ["name", "rank"]),
                ("coverage", ["coverage", "rank"]),
                ("last_act", ["last_on", "rank"]),
                ("won", ["won", "rank"]),
            )
        ]
        ordering: ClassVar = ["rank"]


class Published(models.Model):
    """The pointer: which run everybody reads. It is the only row that publishing changes for readers."""

    only = models.IntegerField(primary_key=True, default=1)
    run = models.ForeignKey(Run, on_delete=models.PROTECT)
    moved_at = models.DateTimeField(help_text="when the pointer was last set, also to a run made before")

    @classmethod
    def pointer(cls) -> "Published | None":
        """The pointer with its run; None before the first."""
        return cls.objects.select_related("run").filter(only=1).first()

    @classmethod
    def current(cls) -> Run | None:
        """The run that is published; None before the first."""
        pointer = cls.pointer()
        return pointer.run if pointer else None
