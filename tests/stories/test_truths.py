"""What is planted in the made ecosystem is found: recall and precision of each kind, and what was missed, in words."""

import csv
import os
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.river import assess, results, take_in

from groundswell.demo.exports import make
from groundswell.engine.home import Home
from groundswell.records.loads import Load

UNTIL = date(2026, 10, 31)
MONTHS = 15
Found = dict[str, Any]


def quiet(one: Found, *states: str) -> bool:
    return one["standing"]["quiet"]["state"] in states


def slept(one: Found) -> int:
    return int(one["standing"]["quiet"]["silent"] or 0)


FINDS: dict[str, Callable[[Found], bool]] = {
    "active": lambda one: one["standing"]["segment"] == "active",
    "ready_idle": lambda one: one["standing"]["segment"] == "ready",
    "quiet_strong": lambda one: quiet(one, "gone quiet", "unlikely") and slept(one) <= 365,
    "lapsed": lambda one: quiet(one, "gone quiet", "unlikely", "cannot tell") and slept(one) > 365,
    "never_started": lambda one: one["standing"]["quiet"]["pattern"] == "enrolled, never started",
    "thin": lambda one: one["standing"]["segment"] == "",
    "new": lambda one: one["readiness"]["state"] == "provisional" and one["standing"]["segment"] != "active",
    "gamer": lambda one: bool(one["standing"]["look_at"]),
    "visible_weak": lambda one: (
        quiet(one, "active") and one["standing"]["quiet"]["pattern"] in ("engaged, never registered", "trained, never sold")
        and one["standing"]["segment"] == "inactive" and one["readiness"]["state"] == "scored"
    ),
}  # fmt: skip
"""What of the published results stands for each planted kind. The kind `developing` is everybody else."""
LEAST = {
    "active": (1.0, 1.0), "ready_idle": (0.8, 0.8), "quiet_strong": (0.8, 0.8), "lapsed": (0.8, 0.8),
    "never_started": (0.8, 0.8), "thin": (0.7, 0.7), "new": (0.8, 0.8), "gamer": (0.8, 0.6), "visible_weak": (0.8, 0.8),
}  # fmt: skip
"""Recall and precision that must be reached over all seeds together."""


def published(home: Home, folder: Path, seed: int) -> tuple[dict[str, str], dict[str, Found]]:
    """The planted kind of each partner, and what was found of it, after the exports of all months."""
    truth = make(folder, seed=seed, until=UNTIL, months=MONTHS)
    for month in sorted((folder / "exports").iterdir()):
        last = min(UNTIL, date(int(month.name[:4]) + month.name.endswith("-12"), int(month.name[5:]) % 12 + 1, 1))
        for path in sorted(month.iterdir()):
            take_in(home, path, str(last))
    for load in Load.objects.all():
        assert load.rows_in == load.loaded + load.unchanged + load.quarantined
    assert [row["kind"] for row in csv.DictReader((folder / "truth.csv").open())] == list(truth.kinds.values())
    return truth.kinds, results(home, assess(home, str(UNTIL)))


def test_planted_kinds_are_found_and_misses_explained(
    new_home: Callable[[], Home], tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    hits, planted, named = Counter[str](), Counter[str](), Counter[str]()
    misses: Counter[tuple[str, str, str]] = Counter()
    worst: dict[str, tuple[float, float]] = {}
    for seed in range(1, int(request.config.getoption("--seeds")) + 1):
        kinds, found = published(new_home(), tmp_path / str(seed), seed)
        assert set(found) <= set(kinds)
        for kind, finds in FINDS.items():
            theirs = {one for one, said in kinds.items() if said == kind}
            ours = {one for one, result in found.items() if finds(result)}
            hits[kind] += len(theirs & ours)
            planted[kind] += len(theirs)
            named[kind] += len(ours)
            rates = len(theirs & ours) / max(1, len(theirs)), len(theirs & ours) / max(1, len(ours))
            worst[kind] = tuple(map(min, rates, worst.get(kind, (1.0, 1.0))))  # type: ignore[assignment]
            for one in theirs - ours:
                misses[kind, "missed", why(found.get(one))] += 1
            for one in ours - theirs:
                misses[kind, f"is {kinds[one]}", why(found[one])] += 1
    print(
        f"\nkind           planted  named  recall  precision  worst seed   ({int(request.config.getoption('--seeds'))} seeds)"
    )
    for kind in FINDS:
        recall, precision = hits[kind] / planted[kind], hits[kind] / max(1, named[kind])
        low = "  ".join(f"{rate:.2f}" for rate in worst[kind])
        print(f"{kind:<14} {planted[kind]:>7}  {named[kind]:>5}  {recall:>6.2f}  {precision:>9.2f}  {low}")
        for (of, what, said), count in misses.most_common():
            if of == kind:
                print(f"    {count} x {what}: {said}")
    for kind, (recall, precision) in LEAST.items():
        assert hits[kind] >= recall * planted[kind], kind
        assert hits[kind] >= precision * named[kind], kind
    assert min(worst["ready_idle"]) >= 0.8


def why(one: Found | None) -> str:
    """What stands where another was expected."""
    if one is None:
        return "not listed"
    standing = one["standing"]
    said = f"{standing['segment'] or 'not placed'}, {standing['quiet']['state']}"
    return f"{said}, {standing['quiet']['pattern']}" if standing["quiet"]["pattern"] else said
