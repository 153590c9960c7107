"""The ledger: every arrival of data. Facts are seen only through loads that stand here as committed."""

import datetime as dt
import re
from typing import Any, ClassVar

from django.db import models

_NAME = re.compile(r"L?[0-9]{1,18}")  # no longer: SQLite holds whole numbers of 64 bits


class Load(models.Model):
    """One arrival of data from one source: one file, what was asked of it, what became of its rows."""

    STATES: ClassVar = [("pending", "pending"), ("committed", "committed"), ("abandoned", "abandoned")]

    number = models.BigAutoField(primary_key=True)
    state = models.CharField(max_length=10, choices=STATES, default="pending")
    file_name = models.TextField()
    landing = models.CharField(max_length=64)
    source = models.TextField()
    format = models.TextField()
    arrived_at = models.DateTimeField()
    known_at = models.DateTimeField(help_text="when its undated rows were known: --exported-at, else arrival")
    complete = models.BooleanField(
        default=False, help_text="whether it says all of something, so that what it leaves unsaid is gone"
    )
    dated = models.BooleanField(help_text="true when the source or --exported-at dated its rows")
    request: Any = models.JSONField(help_text="mapping, answers and files beside it: all that taking it in again needs")
    committed_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    voided_why = models.TextField(default="")
    again_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        help_text="the load whose landing was compared anew under this number",
    )
    retry_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="retries",
        help_text="the load whose quarantined rows it takes in again, corrected",
    )
    settled = models.BooleanField(default=False, help_text="later landings of its source have been compared anew")
    rows_in = models.BigIntegerField(default=0)
    loaded = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    versions_same = models.BigIntegerField(
        default=0, help_text="versions it did not write, since they were there already"
    )
    first_stamp = models.DateTimeField(null=True, help_text="earliest place in the order of versions that it wrote")
    first_change = models.DateTimeField(null=True, help_text="earliest place at which it changed what stood before")
    last_stamp = models.DateTimeField(null=True, help_text="latest place in the order of versions of any of its rows")
    report: Any = models.JSONField(default=dict)

    @property
    def name(self) -> str:
        """How people and files call it: L000001."""
        return f"L{self.number:06d}"

    @classmethod
    def named(cls, name: str) -> "Load":
        """The load of that name. Load.DoesNotExist when there is none."""
        if not _NAME.fullmatch(name):
            raise cls.DoesNotExist(name)
        return cls.objects.get(number=int(name.removeprefix("L")))


class LoadFile(models.Model):
    """The file that a load wrote to a table of the lake."""

    load = models.ForeignKey(Load, on_delete=models.CASCADE, related_name="files")
    table = models.TextField()
    rows = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    repeats = models.BooleanField(
        default=True, help_text="whether a key in it comes twice, or stands in a file before it"
    )

    class Meta:
        """One file a load and table."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["load", "table"], name="one_file_a_load_and_table")]


class QuarantinedRow(models.Model):
    """A row that was not loaded: where it stands, why, what to do, and its text."""

    load = models.ForeignKey(Load, on_delete=models.CASCADE, related_name="quarantine")
    line = models.BigIntegerField()
    column = models.TextField()
    reason = models.TextField()
    remedy = models.TextField()
    text = models.TextField()


class RetriedRow(models.Model):
    """A quarantined row that a later load took in again, corrected: on which line of its file, and whether it went in.

    `row` is always the first of its kind: a row that failed again and is retried from there stands for the same one.
    """

    row = models.ForeignKey(QuarantinedRow, on_delete=models.CASCADE, related_name="retries")
    load = models.ForeignKey(Load, on_delete=models.CASCADE, related_name="retried")
    line = models.BigIntegerField()
    put_right = models.BooleanField()


def after_the_latest(now: dt.datetime) -> dt.datetime:
    """This moment, or the first one after the latest arrival: whatever the clock says, nothing comes before it."""
    latest = Load.objects.aggregate(latest=models.Max("arrived_at"))["latest"]
    return now if latest is None or now > latest else latest + dt.timedelta(microseconds=1)


def visible(cut: dt.datetime | None = None) -> list[LoadFile]:
    """The files that a cut sees, by table and load: of committed loads that were not voided by then.

    A load that was voided later stays visible to earlier cuts, unless its source dated it: then no cut sees it. Without
    a cut, the files that stand now.
    """
    files = LoadFile.objects.filter(load__state="committed").select_related("load").order_by("table", "load")
    return [file for file in files if not _voided(file.load, cut)]


def once(files: list[LoadFile]) -> frozenset[str]:
    """The tables of which no key comes twice in these files: nothing in them need be put in order.

    A file is compared with the files that stand when it arrives, so where one was taken back nothing is sure.
    """
    again = {file.table for file in files if file.repeats}
    reverted = LoadFile.objects.filter(load__voided_at__isnull=False).values_list("table", flat=True)
    return frozenset({file.table for file in files} - again - set(reverted))


def _voided(load: Load, cut: dt.datetime | None) -> bool:
    if load.voided_at is None:
        return False
    return load.dated or cut is None or load.voided_at < cut


def earlier(load: Load, table: str) -> list[LoadFile]:
    """The files that a load is compared with: of loads committed before it and not voided when it arrived.

    What was asked of those loads and reported of them is left behind, since a ledger may be long.
    """
    before = LoadFile.objects.filter(table=table, load__state="committed", load__number__lt=load.number)
    found = before.select_related("load").defer("load__report", "load__request").order_by("load")
    return [file for file in found if not _voided_by(file.load, load.arrived_at)]


def _voided_by(load: Load, moment: dt.datetime) -> bool:
    return load.voided_at is not None and load.voided_at <= moment
