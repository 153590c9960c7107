"""Signals at 24 month-ends at the size of a large vendor, against the floor of one day, and a new month against all.

Each part runs in a process of its own, from the files of the lake to the kept month-ends. As in `signals`, statements are
counted apart from what is laid out for them, and so are they all together. Before any figure is printed, some of the
month-ends are held against what the statements of those days alone say, value by value.
"""

import datetime as dt
import json
import math
import sys
import tempfile
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench import written
from bench.ecosystem import LAST, Size, made_apart, open_records
from bench.measure import Stages, in_a_process, peak

MONTHS = 24
_CHECKED = (0, 13, 23)
"""Places of the month-ends that are held against their own day."""
_FLOOR, _MEMORY, _NEW = 10.0, 2e9, 0.1
_TOGETHER, _STATEMENTS = "24 month-ends", "statements"


def run(under: Path, size: Size, growth: bool, every: bool) -> None:
    """Print what the month-ends take and the ratios; with `every` of all shipped signals, else of those of `signals`.

    With `growth`, also how the figures grow from a tenth of the size.
    """
    home, which = made_apart(under, size), "every" if every else "some"
    floors = [_floor(home)]
    with tempfile.TemporaryDirectory() as folder:
        whole = in_a_process("bench.history", str(home), which, str(MONTHS), folder)
        floors.append(_floor(home))
        equal = sum(in_a_process("bench.history", str(home), which, f"check-{at}", folder)["equal"] for at in _CHECKED)
        new = in_a_process("bench.history", str(home), which, "1", folder)
    print(f"{equal:,} values equal at {len(_CHECKED)} month-ends, {whole['signals']} signals")
    for name, one in ((f"{MONTHS} month-ends", whole), ("a new month", new)):
        print(f"{name}: {_said(one)}")
    floor, taken = sum(floors) / 2, whole["stages"][_TOGETHER][0]
    for said, cpu in (("the statements alone", whole["stages"][_STATEMENTS][0]), ("all of it", taken)):
        print(
            f"{said}: {cpu / floor:.1f} times the floor of {floor:.1f} s (gate {_FLOOR:g}){_missed(cpu / floor, _FLOOR)}"
        )
    part = new["stages"][_TOGETHER][0] / taken
    print(f"a new month takes {part:.2f} of the whole (gate {_NEW:g}){_missed(part, _NEW)}")
    print(f"peak {whole['peak'] / 1e9:.2f} GB (gate {_MEMORY / 1e9:.0f}){_missed(whole['peak'], _MEMORY)}")
    if growth:
        _growth(under, size, which, whole)


def _floor(home: Path) -> float:
    """Seconds of CPU: before and after the month-ends, since others use the machine, too."""
    return float(in_a_process("bench.signals", str(home), "floor")["statements"][0])


def _growth(under: Path, size: Size, which: str, whole: dict[str, Any]) -> None:
    for what in ("events", "partners"):
        home = made_apart(under, Size(**{**vars(size), what: getattr(size, what) / 10}))
        with tempfile.TemporaryDirectory() as folder:
            small = in_a_process("bench.history", str(home), which, str(MONTHS), folder)["stages"]
        said = ", ".join(
            f"{stage} {math.log10(cpu / small[stage][0]):.2f}" for stage, (cpu, _) in whole["stages"].items()
        )
        print(f"exponents of CPU from a tenth of the {what}: {said}")


def _missed(found: float, gate: float) -> str:
    return "" if found <= gate else "  MISSED"


def _said(one: dict[str, Any]) -> str:
    stages = (f"{name} {cpu:.1f} s CPU {wall:.1f} s" for name, (cpu, wall) in one["stages"].items())
    return ", ".join(stages) + f", peak {one['peak'] / 1e9:.2f} GB"


# ------------------------------------------------------------------------------------------------ inside the process


def _home(path: Path, which: str) -> Any:
    """The instance, with the signals that are asked for."""
    from groundswell.engine.home import Home

    home = Home(path)
    if which == "some":
        keep = {name: home.policy.signals[name] for name in written.SIGNALS}
        home.__dict__["policy"] = type(home.policy)(**{**vars(home.policy), "signals": keep})
    return home


def _months(home: Any, count: int, folder: Path) -> dict[str, Any]:
    """The last `count` month-ends, measured and kept in a folder, by stage."""
    from groundswell.core import history as core
    from groundswell.core.signals.history import month_ends
    from groundswell.engine.duckdb import Engine
    from groundswell.runs import history

    stages = Stages({})
    steps = (
        (Engine, "stretches", "stretches"),
        (Engine, "lay_once", "laid once"),
        (Engine, "day", "days"),
        (core, "_told", "coverage"),
        (core, "_values", "values"),
        (history, "_keep", "keeping"),
    )
    with ExitStack() as stack, stages.stage(_TOGETHER):
        for module, name, said in steps:
            stack.enter_context(patch.object(module, name, stages.wrapped(said, getattr(module, name))))
        stack.enter_context(patch.object(Engine, "numbers", stages.each(_STATEMENTS, Engine.numbers)))
        for one in history._measure(home, month_ends(LAST, count)):
            history._keep(one, folder / f"{one.day}.parquet")
    for at, of_coverage in enumerate(stages.taken.get("coverage", ())):  # which asks by statements, too
        stages.taken[_STATEMENTS][at] -= of_coverage
    return {"stages": stages.taken, "peak": peak(), "signals": len(home.policy.signals)}


def _check(home: Any, at: int, folder: Path) -> dict[str, Any]:
    """How many values of a kept month-end are those that its own day gives. AssertionError names one that is not."""
    from groundswell.core import assess
    from groundswell.core.signals.history import month_ends
    from groundswell.runs import history

    day = month_ends(LAST, MONTHS)[at]
    kept = history._read(home.policy, day, folder / f"{day}.parquet")
    with home.day(day) as engine:
        exact = assess.measured(home.policy, day, engine.ask)
    assert kept.partners == tuple(exact), f"the partners of {day} differ"
    count = 0
    for name, columns in kept.values.items():
        for place, partner in enumerate(kept.partners):
            mine = (columns.available, columns.applies[place], columns.low[place], columns.high[place])
            own = exact[partner][name]
            assert _same(mine, (own.available, own.applies, own.low, own.high)), (day, name, partner, mine, own)
            count += 1
    return {"equal": count}


def _same(mine: tuple[Any, ...], own: tuple[Any, ...]) -> bool:
    """Whether two values (available, applies, low, high) are the same, of the second in exact fractions."""
    if not own[1] or not mine[1]:
        return bool(own[1]) == bool(mine[1])
    ends = zip(map(_end, mine[2:]), map(_end, own[2:]), strict=True)
    return bool(mine[0]) == own[0] and all(
        one == other or (isinstance(one, float) and isinstance(other, float) and math.isclose(one, other, rel_tol=1e-9))
        for one, other in ends
    )


def _end(end: Any) -> Any:
    if end is None or end != end:
        return None
    return end if isinstance(end, (str, dt.date)) else float(Fraction(end))


def main() -> None:
    """One part, its figures written as JSON: python -m bench.history HOME WHICH PART FOLDER FILE."""
    path, which, part, folder, file = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]), Path(sys.argv[5])
    open_records(path)
    home = _home(path, which)
    said = (
        _check(home, int(part.removeprefix("check-")), folder)
        if part.startswith("check")
        else _months(home, int(part), folder)
    )
    file.write_text(json.dumps(said))


if __name__ == "__main__":
    main()
