"""Lists that people keep: filters and order under a name."""

from typing import ClassVar

from django.db import models

from groundswell.records.staff import Staff


class SavedView(models.Model):
    """One kept list of partners, as the query of its address."""

    owner = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="views")
    name = models.TextField()
    query = models.TextField()

    class Meta:
        """A name stands once among a person's."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="one_view_a_name")]
        ordering: ClassVar = ["name"]
