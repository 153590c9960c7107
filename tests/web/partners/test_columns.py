"""What lists read beside the stored result says what the result says, also for runs published by an earlier release."""

from importlib import import_module

from django.apps import apps
from django.db import connection

from groundswell.engine.home import Home
from groundswell.records.runs import PublishedPartner
from groundswell.runs.publish import published_partner
from tests.web.conftest import keep

_COLUMNS = ("total", "low", "high", "reason")


def test_runs_published_before_are_filled_as_those_of_today(instance: Home) -> None:
    rows = keep(36)
    wanted = {row.pk: [getattr(published_partner(row.run, row.result), one) for one in _COLUMNS] for row in rows}
    assert all(low <= high and reason for _, low, high, reason in wanted.values())
    early = rows[-1]
    PublishedPartner.objects.update(total=None, low=0, high=0, reason="")
    PublishedPartner.objects.filter(pk=early.pk).update(result={})
    wanted[early.pk] = [None, 0, 0, ""]
    with connection.schema_editor() as schema:
        import_module("groundswell.records.migrations.0009_lists_read_columns").filled(apps, schema)
    found = {pk: said for pk, *said in PublishedPartner.objects.values_list("pk", *_COLUMNS)}
    assert found == wanted
