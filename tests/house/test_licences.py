"""No run-time dependency is under a licence that would bind those who pass Groundswell on."""

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests.house.reading import ROOT

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==\S+(\s*;\s*[^\\]+)?", re.MULTILINE)
PINS = sorted({(str(n), bool(marker)) for n, marker in _PIN.findall((ROOT / "requirements.lock").read_text("utf-8"))})
_BINDS = re.compile(r"\b[AL]?GPL|GNU (Lesser |Affero |Library )?General Public", re.IGNORECASE)
_OTHER = (
    "Development",
    "Environment",
    "Framework",
    "Intended",
    "Operating",
    "Programming",
    "Topic",
    "Typing",
    "Natural",
)
"""Classifiers that are about something else."""


def _licence(name: str) -> str:
    found = metadata(name)
    said = [one for key in ("License-Expression", "License", "Classifier") for one in found.get_all(key) or []]
    return " | ".join(one.splitlines()[0] for one in said if one.strip() and not one.startswith(_OTHER))


def test_the_lock_is_read() -> None:
    assert {"duckdb", "deltalake", "django"} <= {name for name, _ in PINS}


@pytest.mark.parametrize(("name", "only_somewhere"), PINS)
def test_no_copyleft_at_run_time(name: str, only_somewhere: bool) -> None:
    try:
        said = _licence(name)
    except PackageNotFoundError:
        assert only_somewhere, f"{name} is locked and not installed"
        pytest.skip("not for this platform")
    assert said, f"{name} names no licence"
    assert not _BINDS.search(said), f"{name}: {said}"
