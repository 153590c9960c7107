"""Two promises of README, each in one small test: every row is accounted for, and nothing accepted is lost."""

import random
import shutil
from pathlib import Path

import pytest

from groundswell.demo.exports import make
from groundswell.engine import durable
from groundswell.engine.home import Home
from groundswell.runs.rebuild import health, rebuild
from tests.river import NOW, take_in, take_in_text

ROW = "P-{n},Partner {n},DE,2024-05-{day:02},gold"
DAMAGE = ('"{}', "{},one cell more", "P-9", "{}\x00", "P-9,,DE,2024-05-01,", "P-9,Nine,DE,2025-02-30,", "", ",,,,")


@pytest.mark.parametrize("seed", range(6))
def test_rows_in_are_loaded_unchanged_and_quarantined(home: Home, seed: int) -> None:
    """Whatever is done to its lines, a file's rows are all accounted for; blank lines are no rows."""
    chance = random.Random(seed)
    lines = [ROW.format(n=n, day=n) for n in range(1, 21)]
    for place in chance.sample(range(20), 8):
        lines[place] = chance.choice(DAMAGE).format(lines[place])
    lines += chance.sample(lines, 3)
    load = take_in_text(home, "partners.csv", "\n".join(["partner_id,partner_name,country,joined_on,tier", *lines]))
    assert load.rows_in == load.loaded + load.unchanged + load.quarantined
    assert load.rows_in == sum(bool(line.strip(",")) for line in lines)
    assert load.quarantine.count() == load.quarantined > 0
    assert all(row.line > 1 and row.reason and row.remedy for row in load.quarantine.all())


def test_nothing_accepted_is_lost(home: Home, tmp_path: Path) -> None:
    """All bytes are synced before a load is accepted, and the lake can be made anew from the kept files, to the byte."""
    steps: list[tuple[str, Path]] = []
    truth = make(tmp_path, partners=7, months=1)
    durable.hook = lambda what, path: steps.append((what, path))
    try:
        loads = [take_in(home, path, "2026-10-31") for path in sorted((tmp_path / "exports").rglob("*.csv"))]
    finally:
        durable.hook = None
    assert sum(load.quarantined for load in loads) == sum(truth.wrong.values())
    for load in loads:
        accepted = steps.index(("commit", Path(load.name)))
        synced = {path for what, path in steps[:accepted] if what == "fsync"}
        written = {path for what, path in steps[:accepted] if what in ("write", "commit") and path.is_absolute()}
        assert written
        assert written <= synced
    before = {path.relative_to(home.lake): path.read_bytes() for path in home.lake.rglob("*.parquet")}
    shutil.rmtree(home.lake)
    assert health(home).faults
    assert rebuild(home, NOW) == []
    assert {path.relative_to(home.lake): path.read_bytes() for path in home.lake.rglob("*.parquet")} == before
    assert health(home).faults == []
