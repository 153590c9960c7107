"""What people say is wrong, and what operations answered."""

from typing import ClassVar

from django.db import models

from groundswell.records.staff import Staff


class Dispute(models.Model):
    """One figure of one partner that somebody says is wrong, with the row behind it where it is one row."""

    partner_id = models.TextField()
    partner_name = models.TextField()
    signal = models.TextField(default="", help_text="the signal, or empty: the whole of what is said of the partner")
    row = models.TextField(default="", help_text="the source row as `load:line`, or empty")
    run_id = models.CharField(max_length=64)
    why = models.TextField()
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="disputes")
    asked_at = models.DateTimeField()
    verdict = models.CharField(
        max_length=10, default="", choices=[("", "open"), ("upheld", "upheld"), ("stands", "stands")]
    )
    answer = models.TextField(default="")
    answered_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="answers")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        """The newest first."""

        ordering: ClassVar = ["-asked_at"]
