"""Every number of policy says why, whence and since when, is read somewhere, and every signal has its use and cases."""

import datetime as dt
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from groundswell.core import catalog
from groundswell.policy import read
from tests.house.reading import DOCS, POLICY, ROOT, SOURCE, modules

FILES = sorted(path.relative_to(POLICY) for path in POLICY.rglob("*.toml"))
SIGNALS = sorted(path.relative_to(POLICY / "signals") for path in (POLICY / "signals").rglob("*.toml"))
CASES = ROOT / "tests" / "core" / "signals"


def _data(path: Path) -> dict[str, Any]:
    return tomllib.loads((POLICY / path).read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_says_why_whence_and_since(path: Path) -> None:
    data = _data(path)
    assert len(data["why"]) > 20
    assert data["source"]
    assert isinstance(data["since"], dt.date)


def test_every_source_that_is_a_page_of_ours_is_there() -> None:
    for path in FILES:
        source = str(_data(path)["source"])
        if source.startswith("decisions/"):
            assert len(list(DOCS.glob(f"{source}-*.md"))) == 1, f"{path}: there is no docs/{source}-….md"
        elif source.startswith("docs/"):
            assert (ROOT / source).is_file(), f"{path}: there is no {source}"


def test_every_limit_is_read() -> None:
    text = "\n".join(path.read_text("utf-8") for path in modules(SOURCE))
    unread = [name for name in _data(Path("limits.toml"))["bounds"] if not re.search(rf"limits\[\"{name}\"\]", text)]
    assert unread == []


def test_every_signal_is_used_by_a_score_or_named_as_context() -> None:
    policy = catalog.policy(read.texts())
    used = {
        line.signal
        for editions in policy.scores.values()
        for one in editions
        for part in one.parts
        for line in part.lines
    }
    used |= {penalty.signal for editions in policy.scores.values() for one in editions for penalty in one.penalties}
    conditions = " ".join(
        f"{one.provisional_when} "
        + " ".join(f"{line.only_if} {line.applies_if}" for part in one.parts for line in part.lines)
        for editions in policy.scores.values()
        for one in editions
    )
    used |= policy.signals.keys() & set(re.findall(r"\w+", conditions))
    page = (DOCS / "decisions" / "0003-starting-weights.md").read_text("utf-8")
    _, _, context = page.partition("## Measured beside the score")
    named = set(re.findall(r"^- `(\w+)`:", context, re.MULTILINE))
    assert named <= policy.signals.keys()
    assert named & used == set()
    assert policy.signals.keys() - used - named == set()


def test_every_signal_has_its_cases() -> None:
    missing = [f"tests/core/signals/{path}" for path in SIGNALS if not (CASES / path).is_file()]
    assert missing == [], "each signal has a file of literal rows and the value expected"


def test_no_cases_without_their_signal() -> None:
    assert {path.relative_to(CASES) for path in CASES.rglob("*.toml")} <= set(SIGNALS)
