"""T-A9: valid exports of every shipped format and kind, damaged at random. No crash, no hang, every row accounted for."""

import hashlib
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from statistics import median
from types import FrameType

import pytest
from tests.connectors import exports
from tests.connectors.door import SHIPPED, at_the_door, hurry
from tests.connectors.exports import Rows
from tests.connectors.test_hostile import CELLS

from groundswell.engine.home import Home
from groundswell.records.loads import Load
from groundswell.runs.rebuild import health

SLOW, STUCK = 25, 120
"""How many times the processor time of one that is taken in a file may take, and seconds after which it is ended."""
PARTS = 4
formats = {file.name: file for mapping in SHIPPED for file in mapping.files}
WORDS = sorted(
    {cell for cells in CELLS.values() for cell in cells if len(cell) < 1000} | {"", " ", "0", "a;b;;c", "\ufeff"}
)


@cache
def valid(name: str, count: int) -> Rows:
    return exports.made(formats[name], count)


def bytes_damaged(content: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice([1, 1, 2, 6])):
        at, upto = sorted(chance.choices(range(len(content) + 1), k=2))
        kind = chance.randrange(6)
        if kind == 0:
            content[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del content[at : min(upto, at + 30)]
        elif kind == 2:
            content[at:at] = content[at : min(upto, at + 60)]
        elif kind == 3:
            content[at:at] = chance.choice(
                [b'"', b",", b"\n", b"\r", b'""', b"\xc3", b"\x00", b"\xef\xbb\xbf", b"9" * 30, b"<", b"}"]
            )
        elif kind == 4:
            del content[at:]
        else:
            content[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff"])
    return content


def lines_damaged(content: bytearray, chance: random.Random) -> bytearray:
    lines = bytes(content).splitlines(keepends=True) or [b""]
    kind, at = chance.randrange(5), chance.randrange(len(lines))
    if kind == 0:
        chance.shuffle(lines)
    elif kind == 1:
        lines[at:at] = lines[at : at + 3] * 2
    elif kind == 2:
        del lines[at]
    elif kind == 3:
        lines[at] = lines[at].rstrip(b"\r\n") + chance.choice([b"", b"\r", b"\r\n", b"\n\n", b"\x0b"])
    else:
        lines.insert(at, chance.choice([b"Total\n", b"\n", b"\x00\n", b'"\n', b",,,\n", lines[0]]))
    return bytearray(b"".join(lines))


def cells_damaged(rows: Rows, chance: random.Random) -> Rows:
    rows = [list(row) for row in rows]
    for _ in range(chance.choice([1, 3, 10])):
        row = chance.choice(rows if chance.random() < 0.2 else rows[1:])
        kind, at = chance.randrange(8), chance.randrange(len(row) + 1)
        if kind == 0:
            row.insert(at, chance.choice(WORDS))
        elif kind == 1:
            del row[at : at + 1]
        elif kind == 2:
            rows.append(list(row))
        elif at < len(row):
            row[at] = chance.choice(WORDS) if chance.random() < 0.8 else chance.choice(chance.choice(rows) or [""])
    return rows


def damaged(chance: random.Random) -> tuple[str, bytes]:
    """The name and bytes of one damaged export."""
    name, kind = chance.choice(sorted(formats)), chance.choice(["csv", "csv", *exports.KINDS])
    rows, what = valid(name, chance.choice([1, 3, 30])), chance.randrange(4)
    if what in (0, 3):
        rows = cells_damaged(rows, chance)
    ending = chance.choice([kind, kind, kind, "csv", "txt"])
    if kind == "csv":
        encoding = chance.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
        end, quoting = chance.choice(["\n", "\r\n", "\r"]), chance.choice([0, 1])
        content = exports.as_csv(rows, chance.choice(",,;\t|"), end, encoding, quoting)
    else:
        content = exports.KINDS[kind](rows)
    if what == 1 and kind in ("csv", "jsonl", "json"):
        content = bytes(lines_damaged(bytearray(content), chance))
    elif what and kind == "xlsx" and chance.random() < 0.7:
        content = exports.remade(content, chance, bytes_damaged)
    elif what:
        content = bytes(bytes_damaged(bytearray(content), chance))
    return f"{name}.{kind}.{ending}" if ending != kind else f"{name}.{kind}", content


# --------------------------------------------------------------------------------------------------- at the door


def stuck(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no end after {STUCK} seconds")


def check(path: Path, home: Home) -> tuple[Counter[str], str]:
    """What became of a file, and what is wrong with that."""
    signal.alarm(STUCK)
    try:
        ends, wrong = Counter(end.partition(":")[0] for end in at_the_door(home, path)), ""
    except Exception as error:
        trace, last = error.__traceback__, ""
        while trace:
            last, trace = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}", trace.tb_next
        ends, wrong = Counter(["crashed"]), f"{type(error).__name__} at {last}: {str(error)[:200]}"
    finally:
        signal.alarm(0)
    return ends, wrong


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No waiting for the disk, and an alarm for files that never end."""
    hurry(monkeypatch)
    before = signal.signal(signal.SIGALRM, stuck)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_exports_are_refused_asked_about_or_accounted_for(
    new_home: Callable[[], Home], tmp_path: Path, request: pytest.FixtureRequest, fast: None, part: int
) -> None:
    wanted = int(request.config.getoption("--mutations")) // PARTS
    ends: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    examples: dict[str, str] = {}
    took: list[float] = []
    taken_in: list[float] = []
    home = new_home()
    for number in range(wanted):
        chance = random.Random(int(hashlib.sha256(f"{part} {number}".encode()).hexdigest()[:12], 16))
        name, content = damaged(chance)
        if number % 25 == 24:
            assert health(home).faults == []
            home = new_home()
        path = tmp_path / name
        path.write_bytes(content)
        begun = time.process_time()
        found, wrong = check(path, home)
        took.append(time.process_time() - begun)
        taken_in += took[-1:] if found["taken in"] else []
        ends += found
        if wrong:
            faults[wrong] += 1
            kept = tmp_path / f"fault_{number}_{name}"
            path.rename(kept)
            examples.setdefault(wrong, str(kept))
            home = new_home()  # what a crash left behind is not the next file's fault
        else:
            path.unlink()
    longest, middle = max(took), median(taken_in)
    print(f"mutations {part + 1}/{PARTS}: injected {wanted} / survived {wanted - faults.total()} / lost 0 / duplicated 0; "
          f"{dict(ends)}; slowest {longest:.2f} s, the middle one taken in {middle:.2f} s")  # fmt: skip
    assert wanted > 0
    assert longest < SLOW * middle, f"mutation {took.index(longest)} of part {part}"
    assert ends["taken in"] > wanted // 10
    assert not faults, "\n".join(f"{count} x {wrong}: {examples[wrong]}" for wrong, count in faults.most_common())


def test_undamaged_exports_are_taken_in_whole(new_home: Callable[[], Home], tmp_path: Path, fast: None) -> None:
    """What is damaged above is worth damaging: every format, in every kind of file, loads every row."""
    for place, name in enumerate(sorted(formats)):
        home = new_home()
        for kind in list(exports.KINDS)[place % 2 :: 2]:
            path = tmp_path / f"{name}.{kind}"
            path.write_bytes(exports.KINDS[kind](valid(name, 12)))
            assert check(path, home) == (Counter(["taken in"]), ""), path.name
            load = Load.objects.latest("number")
            assert (load.format, load.rows_in, load.quarantined) == (name, 12, 0), (
                kind,
                [r.reason for r in load.quarantine.all()][:3],
            )
