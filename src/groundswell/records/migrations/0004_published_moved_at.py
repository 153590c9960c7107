from django.db import migrations, models


def moved_with_its_run(apps, schema_editor):
    """Until now the pointer had no moment of its own; that of its run is the nearest."""
    for pointer in apps.get_model("records", "Published").objects.select_related("run"):
        pointer.moved_at = pointer.run.created_at
        pointer.save()


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0003_quarantine_that_is_retried"),
    ]

    operations = [
        migrations.AddField(
            model_name="published",
            name="moved_at",
            field=models.DateTimeField(null=True, help_text="when the pointer was last set, also to a run made before"),
        ),
        migrations.RunPython(moved_with_its_run, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="published",
            name="moved_at",
            field=models.DateTimeField(help_text="when the pointer was last set, also to a run made before"),
        ),
    ]
