from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def _fill(apps: Apps, schema: BaseDatabaseSchemaEditor) -> None:
    """Runs published before are read by the new columns too."""
    partners = apps.get_model("records", "PublishedPartner").objects
    for row in partners.only("pk", "result").iterator(chunk_size=200):
        standing = row.result.get("standing", {})  # a run of an early version has none
        counts = {name: len(standing.get(name, ())) for name in ("look_at", "reviews")}
        if any(counts.values()):
            partners.filter(pk=row.pk).update(**counts)


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0006_people_jobs_trail"),
    ]

    operations = [
        migrations.AddField(
            model_name="publishedpartner",
            name="look_at",
            field=models.IntegerField(default=0, help_text="how many reasons a person has to look at its figures"),
        ),
        migrations.AddField(
            model_name="publishedpartner",
            name="reviews",
            field=models.IntegerField(default=0, help_text="how many review lists it is on"),
        ),
        migrations.RunPython(_fill, migrations.RunPython.noop),
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
                    "last_on",
                    "won",
                    "partner_id",
                    "name",
                ],
                name="partners_by_filter",
            ),
        ),
    ]
