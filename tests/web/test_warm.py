"""What a web process reads before it takes requests; and that nothing it finds there keeps it from starting."""

import logging
import shutil
from collections.abc import Callable

import pytest
from django.test import Client

from groundswell.engine.home import Home
from groundswell.records.runs import Published
from groundswell.server.warm import warm


def _policy_gone(home: Home) -> None:
    run = Published.current()
    assert run is not None
    shutil.rmtree(home.run_folder(run.run_id) / "policy")


def test_no_page_reads_the_policy_that_a_process_began_with(instance: Home, signed_in: Callable[[str], Client]) -> None:
    warm()
    _policy_gone(instance)
    assert "Won, USD" in signed_in("leader").get("/partners/").content.decode()


def test_a_process_starts_whatever_is_wrong_with_what_is_published(
    instance: Home, caplog: pytest.LogCaptureFixture
) -> None:
    _policy_gone(instance)
    with caplog.at_level(logging.WARNING, "groundswell"):
        warm()
    assert "policy/" in caplog.text
    Published.objects.all().delete()
    caplog.clear()
    warm()
    assert not caplog.text
