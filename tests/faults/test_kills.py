"""Processes ended by SIGKILL at random moments: nothing acknowledged is lost, nothing is twice, every re-run completes."""

import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.river import NOW, assess, command, results, take_in
from tests.stories.instances import become, beside, differing, facts, judged, lake_files

from groundswell.engine import landings
from groundswell.engine.home import Home
from groundswell.records.loads import Load
from groundswell.records.runs import Published, PublishedPartner, Run
from groundswell.runs.publish import publish
from groundswell.runs.rebuild import health

pytestmark = pytest.mark.kills
DAY = "2025-12-31"


@dataclass
class Kills:
    """Starts commands and ends them at a random moment of the time that they took when they were left alone."""

    home: Path
    wanted: int
    chance: random.Random
    started: int = 0
    injected: int = 0
    duration: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def enough(self) -> bool:
        assert self.started < 8 * self.wanted + 20, "the commands end before they are killed"
        return self.injected >= self.wanted

    def measured(self, *words: str) -> tuple[float, str]:
        """Leave a command alone: how long it takes, and what it says."""
        begun = time.monotonic()
        done = command(self.home, *words)
        assert done.returncode == 0, done.stderr
        return time.monotonic() - begun, done.stdout

    def measure(self, *words: str) -> str:
        """Leave a command alone, and end those that follow within the time that it took."""
        self.duration, said = self.measured(*words)
        return said

    def run(self, *words: str, begins: Callable[[], bool] = lambda: True) -> tuple[bool, str]:
        """Run a command; whether it was ended by us, and what it had said by then. The time runs from when `begins` says."""
        self.started += 1
        process = subprocess.Popen(
            [sys.executable, "-m", "groundswell", *words], env={**os.environ, "GROUNDSWELL_HOME": str(self.home)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while process.poll() is None and not begins():
            time.sleep(0.002)
        try:
            said, errors = process.communicate(timeout=self.chance.uniform(0, self.duration))
        except subprocess.TimeoutExpired:
            process.kill()
            said, errors = process.communicate(timeout=60)
        killed = process.returncode == -9
        self.injected += killed
        assert killed or process.returncode == 0, errors
        return killed, said

    def report(self, stage: str) -> None:
        """Say what was injected. It is called where everything was found to hold, so all of it was survived."""
        print(f"{stage}: injected {self.injected} / survived {self.injected} / lost 0 / duplicated 0; "
              f"{', '.join([f'{self.started} started', *self.notes])}")  # fmt: skip
        assert self.injected >= self.wanted > 0


@pytest.fixture
def kills(home: Home, request: pytest.FixtureRequest) -> Kills:
    seed = int(hashlib.sha256(request.node.name.encode()).hexdigest()[:8], 16)
    return Kills(home.path, int(request.config.getoption("--kills")), random.Random(seed))


def exports(folder: Path, chance: random.Random, count: int) -> list[tuple[Path, str]]:
    """Dated exports of a small programme, a day apart; each changes a little of what the one before it said."""
    folder.mkdir()
    partners = {f"P{i}": ["Nordwind", "gold"] for i in range(6)}
    found = []
    for number in range(count):
        if number % 3 == 2:
            head = "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on"
            rows = [
                f"D{number}{i},P{i},sourced,Customer {i},Open,open,{chance.randint(1, 99)},USD,2025-01-0{i}"
                for i in range(1, 5)
            ]
        else:
            head = "partner_id,partner_name,tier"
            for who in chance.sample(sorted(partners), 2):
                partners[who] = [chance.choice(["Nordwind", "Südwind"]), chance.choice(["gold", "silver", ""])]
            rows = [f"{who},{name} {who},{tier}" for who, (name, tier) in partners.items()]
        path = folder / f"export_{number:03}.csv"
        path.write_text("\n".join([head, *rows, ""]), "utf-8")
        found.append((path, f"2025-{number // 28 + 1:02}-{number % 28 + 1:02}"))
    return found


def disordered(chance: random.Random, files: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Four neighbours at a time in any order, so that older exports arrive after newer ones."""
    return [one for start in range(0, len(files), 4) for one in chance.sample(files[start : start + 4], 4)]


def sound(home: Home) -> None:
    """The records hold together, and everything that they name is there."""
    with sqlite3.connect(home.path / "records.sqlite3") as records:
        assert records.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert health(home).faults == []


def acknowledged(home: Home, accepted: dict[str, str]) -> None:
    """Every acknowledgement is a committed load of that file, with its bytes and its lake files."""
    committed = {load.name: load for load in Load.objects.filter(state="committed")}
    for name, load in accepted.items():
        assert committed[load].file_name == name
        assert landings.damaged(home.path, committed[load].landing) == ""


def ends_well(home: Home, day: str = DAY) -> None:
    """`doctor` finds nothing, and the lake made anew from the landings is the same."""
    before, files = facts(home, day), lake_files(home)
    doctor = command(home.path, "doctor")
    assert (doctor.returncode, doctor.stderr) == (0, "")
    again = command(home.path, "doctor", "--rebuild")
    assert (again.returncode, again.stderr) == (0, "")
    assert "the lake was made anew from the landings and equals the ledger" in again.stdout
    assert lake_files(home) == files
    assert differing(facts(home, day), before) == {}


def accepted_in(said: str) -> dict[str, str]:
    """{file name: load} of the acknowledgements that a command had given."""
    found = {}
    for line in said.splitlines():
        if line.startswith("accepted"):
            path, _, load = line.removeprefix("accepted").split("  (")[0].strip().partition("  as ")
            found[Path(path).name] = load
    return found


@pytest.mark.parametrize("late", [False, True], ids=["in order", "in disorder"])
def test_kills_while_taking_in(home: Home, kills: Kills, tmp_path: Path, late: bool) -> None:
    """Older exports that arrive after newer ones have later landings compared anew: two kinds of step are hit."""
    waiting = exports(tmp_path / "exports", kills.chance, 8 * kills.wanted + 20)
    if late:
        waiting = disordered(kills.chance, waiting)
    fed: list[tuple[Path, str]] = []
    accepted: dict[str, str] = {}
    between = 0

    def took(said: str) -> None:
        accepted.update(accepted_in(said))
        assert set(accepted) == {path.name for path, _ in fed}

    fed.append(waiting.pop(0))
    took(kills.measure("take-in", "--exported-at", fed[-1][1], str(fed[-1][0])))
    while not kills.enough:
        path, exported_at = waiting[0]
        killed, said = kills.run("take-in", "--exported-at", exported_at, str(path))
        if path.name in accepted_in(said):
            fed.append(waiting.pop(0))
        else:
            assert killed
            between += Load.objects.filter(file_name=path.name, state="committed").exists()
        took(said)
        acknowledged(home, accepted)
        sound(home)
    fed.append(waiting.pop(0))  # and one that nobody disturbs
    took(kills.measure("take-in", "--exported-at", fed[-1][1], str(fed[-1][0])))
    acknowledged(home, accepted)
    days = (DAY, fed[len(fed) // 2][1])
    mine, ready = [facts(home, day) for day in days], judged(home, assess(home, DAY))
    with beside(home, "clean") as clean:
        for path, exported_at in sorted(fed, key=lambda one: one[1]):
            take_in(clean, path, exported_at)
        assert [differing(one, facts(clean, day)) for one, day in zip(mine, days, strict=True)] == [{}, {}]
        assert judged(clean, assess(clean, DAY)) == ready
    ends_well(home)
    abandoned = Load.objects.filter(state="abandoned").count()
    kills.notes = [
        f"{len(accepted)} acknowledged",
        f"{between} committed before they were acknowledged",
        f"{abandoned} abandoned",
    ]
    kills.report(f"take-in {'in disorder' if late else 'in order'}")


def whole(home: Home) -> str:
    """The day of the published run. It is complete: its rows are those of its folder, its folder is as its manifest says."""
    run = Published.current()
    assert run is not None
    assert run.complete
    folder = home.path / "runs" / run.run_id
    stored = [json.loads(line) for line in (folder / "assessment.jsonl").read_text("utf-8").splitlines()]
    assert len(stored) == run.manifest["partners"] == run.partners.count()
    assert results(home, run) == {one["external_id"]: one for one in stored}
    for name, said in run.manifest["outputs"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == said, name
    return str(run.as_of)


def test_kills_while_assessing(home: Home, kills: Kills, tmp_path: Path) -> None:
    files = exports(tmp_path / "exports", kills.chance, 6)
    for path, exported_at in files:
        take_in(home, path, exported_at)
    days = [f"2025-{month:02}-{number:02}" for month in range(2, 12) for number in range(1, 29)]
    kills.measure("assess", "--as-of", days[0])
    done = [days.pop(0)]
    while not kills.enough:
        killed, said = kills.run("assess", "--as-of", days[0])
        published = whole(home)
        assert published in (done[-1], days[0])
        assert published == days[0] or (killed and "partners assessed as of" not in said)
        sound(home)
        if published == days[0]:
            done.append(days.pop(0))
    kills.measure("assess", "--as-of", days[0])
    done.append(whole(home))
    sample = (done[0], done[len(done) // 2], days[0])
    mine = {run.run_id: judged(home, run) for run in Run.objects.filter(as_of__in=sample)}
    assert Run.objects.filter(complete=True).count() == len(done)
    with beside(home, "clean") as clean:
        for path, exported_at in files:
            take_in(clean, path, exported_at)
        assert {run.run_id: judged(clean, run) for run in (assess(clean, day) for day in sample)} == mine
    ends_well(home)
    kills.notes = [f"{len(done)} runs published"]
    kills.report("assess")


def test_kills_while_publishing(home: Home, kills: Kills, tmp_path: Path) -> None:
    """A run of many partners whose folder stands already: the process is ended while its rows are written."""
    path = tmp_path / "partners.csv"
    path.write_text("partner_id,partner_name\n" + "".join(f"P{i},Partner {i}\n" for i in range(600)), "utf-8")
    take_in(home, path, "2025-01-01")
    old, new = assess(home, "2025-01-02"), assess(home, "2025-01-03")
    ready = judged(home, new)

    def unpublish() -> None:
        Published.objects.update(run=old)
        Run.objects.filter(run_id=new.run_id, complete=True).delete()

    def begins() -> bool:
        with closing(sqlite3.connect(home.path / "records.sqlite3")) as records:
            return bool(records.execute("select 1 from records_run where run_id = ?", [new.run_id]).fetchone())

    unpublish()
    begun = time.monotonic()
    assert publish(home, new.run_id, new.manifest, NOW).complete
    kills.duration = 1.5 * (time.monotonic() - begun)
    half = 0
    while not kills.enough:
        unpublish()
        Run.objects.filter(run_id=new.run_id).delete()
        killed, said = kills.run("assess", "--as-of", "2025-01-03", begins=begins)
        published = whole(home)
        assert published in ("2025-01-02", "2025-01-03")
        assert published == "2025-01-03" or (killed and "partners assessed as of" not in said)
        sound(home)
        if 0 < PublishedPartner.objects.filter(run=new.run_id, run__complete=False).count() < 600:
            half += 1
            if half <= 4:
                kills.measured("assess", "--as-of", "2025-01-03")
                assert whole(home) == "2025-01-03"
    kills.measured("assess", "--as-of", "2025-01-03")
    assert whole(home) == "2025-01-03"
    assert judged(home, Run.objects.get(run_id=new.run_id)) == ready
    assert PublishedPartner.objects.count() == 2 * 600
    ends_well(home)
    kills.notes = [f"{half} with some of the rows written"]
    kills.report("publish")


def test_kills_at_the_first_start(home: Home, kills: Kills, tmp_path: Path) -> None:
    """A new instance is made by the first command; one that was ended half way is finished by the next."""
    ((path, exported_at),) = exports(tmp_path / "exports", kills.chance, 1)
    words = ("take-in", "--exported-at", exported_at, str(path))
    kills.home = tmp_path / "new0"
    kills.measure(*words)
    made = [kills.home]
    kills.home = tmp_path / "new1"
    while not kills.enough:
        _, said = kills.run(*words)
        if accepted_in(said):
            made.append(kills.home)
            kills.home = tmp_path / f"new{len(made)}"
    kills.measure(*words)
    made.append(kills.home)
    for one in made:
        become(home, one)
        assert sum(Load.objects.values_list("loaded", flat=True)) == 6
        assert facts(home, DAY)["organisations"].num_rows == 6
        sound(home)
    ends_well(home)
    kills.notes = [f"{len(made)} instances made"]
    kills.report("first start")
