from fractions import Fraction
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from groundswell.core.reason import reason

_PUT = "UPDATE records_publishedpartner SET total = %s, low = %s, high = %s, reason = %s WHERE id = %s"


def filled(apps: Apps, schema: BaseDatabaseSchemaEditor) -> None:
    """Runs published before are read by the new columns too."""
    partners = apps.get_model("records", "PublishedPartner").objects
    with schema.connection.cursor() as cursor:
        for row in partners.order_by().only("pk", "result").iterator(chunk_size=200):
            if "standing" in row.result:  # a run of an early version has none, and no list can show it
                said = row.result["readiness"]
                total, low, high = (said[one] and float(Fraction(said[one])) for one in ("total", "low", "high"))
                cursor.execute(_PUT, [total, low, high, reason(row.result), row.pk])


def _added(name: str, kind: str, field: "models.Field[Any, Any]") -> migrations.SeparateDatabaseAndState:
    """A column with a default: Django would write a table of half a gigabyte anew for each, SQLite adds it in no time."""
    sql = f"ALTER TABLE records_publishedpartner ADD COLUMN {name} {kind}"
    state = migrations.AddField(model_name="publishedpartner", name=name, field=field)
    return migrations.SeparateDatabaseAndState([migrations.RunSQL(sql)], [state])


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0008_jobs_done_once"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="publishedpartner",
            name="partners_by_rank",
        ),
        migrations.RemoveIndex(
            model_name="publishedpartner",
            name="partners_by_name",
        ),
        migrations.RemoveIndex(
            model_name="publishedpartner",
            name="partners_by_coverage",
        ),
        migrations.RemoveIndex(
            model_name="publishedpartner",
            name="partners_by_last_act",
        ),
        migrations.RemoveIndex(
            model_name="publishedpartner",
            name="partners_by_won",
        ),
        migrations.RemoveIndex(
            model_name="publishedpartner",
            name="partners_by_segment",
        ),
        migrations.RemoveIndex(
            model_name="publishedpartner",
            name="partners_by_filter",
        ),
        _added(
            "high",
            "real NOT NULL DEFAULT 0",
            models.FloatField(default=0, help_text="points with every unknown at its best"),
        ),
        _added(
            "low",
            "real NOT NULL DEFAULT 0",
            models.FloatField(default=0, help_text="points with every unknown at its worst"),
        ),
        _added(
            "reason",
            "text NOT NULL DEFAULT ''",
            models.TextField(default="", help_text="what keeps it from ready, and what to do next, in one line"),
        ),
        migrations.AddField(
            model_name="publishedpartner",
            name="total",
            field=models.FloatField(
                null=True, help_text="points; none: no single figure. Exact in `result`, as are low and high"
            ),
        ),
        migrations.RunPython(filled, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="publishedpartner",
            index=models.Index(
                fields=[
                    "run",
                    "rank",
                    "segment",
                    "band",
                    "state",
                    "quiet",
                    "attention",
                    "country",
                    "partner_type",
                    "tier",
                    "short",
                    "coverage",
                    "look_at",
                    "reviews",
                    "partner_id",
                    "name",
                ],
                name="partners_by_rank",
            ),
        ),
        migrations.AddIndex(
            model_name="publishedpartner",
            index=models.Index(
                fields=[
                    "run",
                    "name",
                    "rank",
                    "segment",
                    "band",
                    "state",
                    "quiet",
                    "attention",
                    "country",
                    "partner_type",
                    "tier",
                    "short",
                    "coverage",
                    "look_at",
                    "reviews",
                    "partner_id",
                ],
                name="partners_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="publishedpartner",
            index=models.Index(
                fields=[
                    "run",
                    "coverage",
                    "rank",
                    "segment",
                    "band",
                    "state",
                    "quiet",
                    "attention",
                    "country",
                    "partner_type",
                    "tier",
                    "short",
                    "look_at",
                    "reviews",
                    "partner_id",
                    "name",
                ],
                name="partners_by_coverage",
            ),
        ),
        migrations.AddIndex(
            model_name="publishedpartner",
            index=models.Index(
                fields=[
                    "run",
                    "last_on",
                    "rank",
                    "segment",
                    "band",
                    "state",
                    "quiet",
                    "attention",
                    "country",
                    "partner_type",
                    "tier",
                    "short",
                    "coverage",
                    "look_at",
                    "reviews",
                    "partner_id",
                    "name",
                ],
                name="partners_by_last_act",
            ),
        ),
        migrations.AddIndex(
            model_name="publishedpartner",
            index=models.Index(
                fields=[
                    "run",
                    "won",
                    "rank",
                    "segment",
                    "band",
                    "state",
                    "quiet",
                    "attention",
                    "country",
                    "partner_type",
                    "tier",
                    "short",
                    "coverage",
                    "look_at",
                    "reviews",
                    "partner_id",
                    "name",
                ],
                name="partners_by_won",
            ),
        ),
    ]
