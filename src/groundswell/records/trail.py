"""The trail: who did what to money, access, scores or rules, when. Rows are added and never changed: triggers see to it."""

from typing import Any, ClassVar

from django.db import models


class Entry(models.Model):
    """One act. Its hash binds it to all before it (core.trail)."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    who = models.TextField(help_text="e-mail of one of our people, or `command line: <user of the machine>`")
    verb = models.TextField()
    about = models.TextField(help_text="what was acted upon, by its id")
    said: Any = models.JSONField(default=dict, help_text="what the act changed; references, no personal values")
    digest = models.CharField(max_length=64)

    class Meta:
        """The order in which they were written."""

        ordering: ClassVar = ["number"]

    @property
    def content(self) -> dict[str, object]:
        """What the hash covers."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "who": self.who,
            "verb": self.verb,
            "about": self.about,
            "said": self.said,
        }
