"""What the benches measure is right: each runs at a small size, where its ratios say nothing, and compares as at the full."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = ("--events", "0.0004", "--partners", "0.002", "--merges", "3")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one small ecosystem, made by the bench that comes first."""
    return tmp_path_factory.mktemp("bench")


def said(*words: str) -> str:
    """What a bench prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def count(text: str, of: str) -> int:
    """The number before some words."""
    found = re.search(rf"([\d,]+) {of}", text)
    assert found, text
    return int(found[1].replace(",", ""))


def test_the_values_of_a_day_equal_those_written_by_hand_and_all_signals_are_measured(made: Path) -> None:
    text = said("signals", "--at", str(made), *SMALL)
    assert count(text, "values equal") > 1000
    assert count(text.split("shipped", 1)[1], "signals") > 50


def test_the_values_of_month_ends_equal_those_of_each_day(made: Path) -> None:
    assert count(said("history", "--at", str(made), *SMALL), "values equal") > 3000


def test_a_whole_run_is_measured_by_step(made: Path) -> None:
    assert "the whole run" in said("assess", "--at", str(made), *SMALL)


def test_scores_as_columns_equal_the_exact_ones() -> None:
    assert "times faster" in said("score", "--partners", "300")


def test_taking_in_is_measured_against_a_bare_read() -> None:
    assert "times" in said("take-in", "--rows", "20000")
