"""T-A6: files of any size are taken in within bounded memory, or refused at once. Full sizes by --full-size."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from groundswell.cli.exits import Exit

GIGABYTE = 1 << 30
PEAK = 1.5 * GIGABYTE
"""Bytes of memory that a load may take, of the process that takes it in."""
AT_ONCE = 2.0
"""How many times the processor time of three rows a refusal takes: most of both is starting."""
HEAD = "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on"


def row(i: int, name: str = "Acme", amount: str = "7.50") -> str:
    return f"D{i:09},P{i % 997},sourced,{name} {i % 50_000},Open,open,{amount},USD,2026-{1 + i % 12:02}-{1 + i % 28:02}"


@dataclass
class Size:
    """A file: its lines by the count of rows, how many of them at full size, and how it must end."""

    lines: Callable[[int], Iterator[str]]
    rows: int
    ends: tuple[Exit, str]
    whole: bool = False
    """True where CI, too, takes the full size: it is refused before it costs anything."""


def plain(count: int) -> Iterator[str]:
    yield HEAD
    yield from map(row, range(count))


def quoted(count: int) -> Iterator[str]:
    yield HEAD
    yield from (row(i, '"Acme, Inc."').replace('Inc."', "Inc.").replace(",Open", '",Open') for i in range(count))


def wrong(count: int) -> Iterator[str]:
    """Every row has another fault."""
    yield HEAD
    yield row(0)
    yield from (row(i, amount=f"{i}x") for i in range(1, count))


def wide(count: int) -> Iterator[str]:
    yield HEAD + "".join(f",c{i}" for i in range(4000))
    yield from (row(i, '"a""').replace(",Open", '",Open') + ",ab" * 4000 for i in range(count))


def objects(count: int) -> Iterator[str]:
    names = HEAD.split(",")
    for i in range(count):
        yield "{" + ", ".join(f'"{n}": "{cell}"' for n, cell in zip(names, row(i).split(","), strict=True)) + "}"


SIZES = {
    "10 M rows": Size(plain, 10_000_000, (Exit.ACCEPTED, "rows in")),
    "1 GiB of quotes": Size(quoted, 4_000_000, (Exit.ACCEPTED, "rows in")),
    "1 GiB of JSON": Size(objects, 3_000_000, (Exit.ACCEPTED, "rows in")),
    "2 M rows, each with another fault": Size(wrong, 2_000_000, (Exit.ACCEPTED, "rows in")),
    "4,009 columns": Size(wide, 80_000, (Exit.ACCEPTED, "rows in")),
    "a cell of 60 MB": Size(
        lambda count: iter([HEAD, row(1), row(2, "x" * count), row(3)]),
        60_000_000,
        (Exit.ACCEPTED, "3 rows in = 2"),
        True,
    ),
    "a cell of 100 MB": Size(
        lambda count: iter([HEAD, row(1), row(2, "x" * count), row(3)]),
        100_000_000,
        (Exit.REFUSED, "a line is longer"),
        True,
    ),
    "20,000 columns": Size(
        lambda count: iter([",".join(f"c{i}" for i in range(count))]), 20_000, (Exit.REFUSED, "20,000 columns"), True
    ),
    "a million headers": Size(
        lambda count: iter([",".join(f"c{i}" for i in range(count))]),
        1_000_000,
        (Exit.REFUSED, "1,000,000 columns"),
        True,
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_size(tmp_path: Path, request: pytest.FixtureRequest, name: str) -> None:
    size, full = SIZES[name], bool(request.config.getoption("--full-size"))
    count = size.rows if full or size.whole else size.rows // 20
    path = tmp_path / ("deals.jsonl" if size.lines is objects else "deals.csv")
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in size.lines(count))
    code, said, peak, took = measured(path, tmp_path / "home")
    print(f"  {name}: {path.stat().st_size:,} bytes, exit {code}, peak {peak / GIGABYTE:.2f} GiB, {took:.1f} s")
    assert code == size.ends[0], said[:2000]
    assert size.ends[1] in said
    assert peak <= PEAK
    if code == Exit.REFUSED:
        few = tmp_path / "few.csv"
        few.write_text("\n".join([HEAD, *map(row, range(3))]), "utf-8")
        code, said, _, least = measured(few, tmp_path / "other")
        assert code == Exit.ACCEPTED, said
        print(f"  refused in {took / least:.2f} times what three rows take")
        assert took < AT_ONCE * least


def measured(path: Path, home: Path) -> tuple[int, str, int, float]:
    """Exit code, words, peak of memory in bytes and seconds of processor time of taking a file in."""
    out = path.with_suffix(".out")
    begun = time.monotonic()
    with out.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "groundswell", "take-in", str(path), "--exported-at", "2026-09-01"],
            env={**os.environ, "GROUNDSWELL_HOME": str(home)},
            stdout=said,
            stderr=said,
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert time.monotonic() - begun < 3600
    return process.returncode, out.read_text("utf-8"), used.ru_maxrss << 10, used.ru_utime + used.ru_stime
