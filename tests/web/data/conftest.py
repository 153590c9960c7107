"""What pages of data were rendered from, and whose instance workers of this process work in."""

import pytest
from django.template import Template
from django.test.utils import instrumented_test_render

from groundswell.engine.home import Home


@pytest.fixture(autouse=True)
def of_the_instance(instance: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(instance.path))
    monkeypatch.setattr(Template, "_render", instrumented_test_render)
