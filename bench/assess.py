"""A whole run at the size of a large vendor, by step: python -m bench assess."""

import datetime as dt
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from bench.ecosystem import LAST, Size, made_apart, open_records
from bench.measure import Stages, in_a_process, peak

_NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


def run(under: Path, size: Size) -> None:
    """Print what each step of a run takes. The run is written and published anew: an instance is used once for it."""
    found = in_a_process("bench.assess", str(made_apart(under, size)))
    for name, (cpu, wall) in found["stages"].items():
        print(f"{name:<36} {cpu:6.1f} s CPU {wall:6.1f} s")
    print(f"peak {found['peak'] / 1e9:.2f} GB, {found['partners']:,} partners")


def main() -> None:
    """One run, its figures written as JSON: python -m bench.assess HOME FILE."""
    open_records(Path(sys.argv[1]))
    from groundswell.core import assess as core
    from groundswell.core.pieces import Pieces
    from groundswell.engine import rows
    from groundswell.engine.duckdb import Engine
    from groundswell.engine.home import Home
    from groundswell.runs import assess as runs

    stages = Stages({})
    steps = (
        (runs, "before", "month-ends, kept ones replayed"),
        (Engine, "day", "day"),
        (rows, "lay", "rows kept for pages"),
        (core, "_covers", "coverage"),
        (Pieces, "__init__", "pieces"),
        (Pieces, "values", "values"),
        (core, "readiness", "points"),
        (core, "outages", "sources that stopped"),
        (runs, "stands", "standing"),
        (runs, "_write", "write"),
        (runs, "publish", "publish"),
    )
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        for module, name, said in steps:
            stack.enter_context(patch.object(module, name, stages.wrapped(said, getattr(module, name))))
        stack.enter_context(patch.object(Home, "run_folder", lambda _, run_id: Path(folder) / run_id))
        with stages.stage("the whole run"):
            made = runs.run(Home(Path(sys.argv[1])), LAST, _NOW)
    told = {"stages": stages.taken, "peak": peak(), "partners": made.manifest["partners"]}
    Path(sys.argv[2]).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
