"""Values and scores of many partners as columns, against the exact path one partner at a time, on made pieces."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from groundswell.core import catalog
from groundswell.core.declare import Measure, Policy
from groundswell.core.points.columns import score_columns
from groundswell.core.readiness import NAME, readiness
from groundswell.core.signals import shapes
from groundswell.core.signals.columns import columns
from groundswell.core.signals.values import Covered, value
from groundswell.core.signals.windows import Window
from groundswell.policy import read

_DAY, _COVERED = dt.date(2026, 6, 30), Covered(dt.date(2024, 1, 1))
_EXACT = 1_000
Half = tuple[Measure, Window, dict[str, Any], Covered]


def run(partners: int) -> None:
    """Print CPU seconds of both, and how many partners the exact path must decide. Raises where they disagree."""
    policy = catalog.policy(read.texts())
    kinds, chance = shapes.signal_kinds(policy.signals), np.random.default_rng(1)
    halves = {name: _halves(signal.measure, partners, chance) for name, signal in policy.signals.items()}
    begun = time.process_time()
    values = {name: columns(signal, halves[name], partners) for name, signal in policy.signals.items()}
    valued = time.process_time()
    found = score_columns(policy.edition(NAME, _DAY), values, kinds, partners)
    near = found.near()
    scored = time.process_time()
    print(f"{partners:,} partners as columns: values {valued - begun:.3f} s CPU, scores {scored - valued:.3f} s CPU")
    print(f"{len(near):,} of them are near a bound, {found.unsure.sum():,} by the value of a signal")
    each, totals = _exact(policy, halves, kinds, min(partners, _EXACT))
    print(
        f"one at a time: {each * 1000:.2f} ms CPU each; as columns {each * partners / (scored - begun):,.0f} times faster"
    )
    assert np.allclose(found.total[: len(totals)], totals, rtol=1e-9, equal_nan=True)


def _exact(
    policy: Policy, halves: Mapping[str, list[Half]], kinds: dict[str, str], many: int
) -> tuple[float, list[float]]:
    """CPU seconds a partner of the exact path, and its totals (nan: nothing known)."""
    rows = [
        {
            name: [(m, days, _row(cells, i), covered) for m, days, cells, covered in parts]
            for name, parts in halves.items()
        }
        for i in range(many)
    ]
    begun = time.process_time()
    found = [
        readiness(policy, {name: value(one, row[name]) for name, one in policy.signals.items()}, kinds, _DAY)
        for row in rows
    ]
    spent = (time.process_time() - begun) / many
    return spent, [float("nan") if one.total is None else float(one.total) for one in found]


def _halves(measure: Measure, partners: int, chance: np.random.Generator) -> list[Half]:
    found = list(shapes.halves(measure))
    found[0] = replace(found[0], how=measure.how)
    after = dt.date(2025, 6, 30)
    return [
        (one, Window(after if one.window else None, _DAY), _pieces(one, partners, chance), _COVERED) for one in found
    ]


def _pieces(measure: Measure, partners: int, chance: np.random.Generator) -> dict[str, Any]:
    """Pieces as the engine counts them: of 15 in 100 partners no rows, of 2 in 100 rows that are unclear or empty."""
    n = np.where(chance.random(partners) < 0.85, chance.integers(0, 9, partners), np.nan)
    made: dict[str, Any] = {"n": n, "unclear": np.where(n >= 0, chance.random(partners) < 0.02, np.nan)}
    if measure.take == "days since latest":
        days = np.datetime64(_DAY) - chance.integers(0, 400, partners)
        return made | {"last": np.where(n > 0, days, np.datetime64("NaT"))}
    money = np.where(n > 0, np.round(chance.random(partners) * 300_000, 2), np.nan)
    if measure.of:
        made |= {"empty": np.where(n > 0, chance.random(partners) < 0.02, np.nan), "found": n}
    return made | ({"total": money} if measure.take == "sum" else {"low": money, "high": money})


def _row(cells: Mapping[str, Any], place: int) -> dict[str, object] | None:
    """The pieces of one partner as an engine gives them."""
    if np.isnan(cells["n"][place]):
        return None
    found: dict[str, object] = {}
    for label, column in cells.items():
        cell = column[place]
        if label == "last":
            found[label] = cell.astype("datetime64[D]").item()
        elif not np.isnan(cell):
            found[label] = Decimal(str(cell)) if label in ("total", "low", "high") else int(cell)
    return found
