"""`groundswell demo`: from the made ecosystem, or the reseller channel, to a ranked list and one explanation."""

import argparse
import datetime as dt
import io
import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

from groundswell.cli.arguments import OVERVIEW
from groundswell.cli.people import people
from groundswell.cli.say import explained, figures, one_screen
from groundswell.demo.exports import make
from groundswell.engine.home import Home
from groundswell.reads.explain import explain
from groundswell.reads.overview import overview
from groundswell.reads.partners import Ranked, ranked_partners
from groundswell.server.serve import serve

UNTIL = dt.date(2026, 10, 31)
RESELLERS_UNTIL = dt.date(2012, 12, 31)
TakeIn = Callable[[list[str]], int]
"""Runs a command line of this program; its exit code."""
_EQUATION = re.compile(r"^  (\d+) rows in = (\d+) loaded \+ (\d+) unchanged \+ (\d+) quarantined$", re.MULTILINE)


def demo(home: Home, asked: argparse.Namespace, command: TakeIn) -> int:
    """Make or find the exports, take them in, assess them, and end with one explanation and the whole on one screen.

    Raises ValueError where the exports cannot be made as asked.
    """
    as_of = RESELLERS_UNTIL if asked.resellers else _until(asked.until)
    for number, take_in in enumerate(_resellers(asked) if asked.resellers else _months(home, asked, as_of)):
        if code := _run(home, take_in, command, brief=number > 0):
            return code
    if code := _run(home, ["assess", "--as-of", str(as_of)], command):
        return code
    one = _telling(ranked_partners())
    print(f"\n$ groundswell explain {one}\n" + explained.explanation(explain(home, one, 2)))
    print("\n$ groundswell overview\n" + one_screen.overview(overview(OVERVIEW)))
    print(
        f"\nLook further, from any folder:\n  export GROUNDSWELL_HOME={shlex.quote(str(home.path))}\n  {_called()} partners"
        "\nand in its place overview, explain NAME, tables NAME, loads."
    )
    signed = list(people(home))
    if asked.no_serve:
        return 0
    print(f"\nPages: http://127.0.0.1:{asked.port}/  (end with Ctrl-C)\n")
    print(figures.table(["sign in as", "with the password", "role"], [list(one) for one in signed]), flush=True)
    return serve(home.path, asked.port)


def _resellers(asked: argparse.Namespace) -> Iterator[list[str]]:
    names = ("resellers.csv", "order_lines_to_2012.parquet")
    yield ["take-in", "--mapping", str(asked.mapping), *(str(asked.resellers / name) for name in names)]


def _months(home: Home, asked: argparse.Namespace, until: dt.date) -> Iterator[list[str]]:
    """A command a month, dated to the last day of its exports."""
    make(home.path, partners=asked.partners, seed=asked.seed, until=until, months=asked.months)
    for folder in sorted((home.path / "exports").iterdir()):
        first = dt.date.fromisoformat(f"{folder.name}-01")
        exported_at = min(until, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1))
        yield ["take-in", "--exported-at", str(exported_at), *(str(path) for path in sorted(folder.iterdir()))]


def _run(home: Home, arguments: list[str], command: TakeIn, *, brief: bool = False) -> int:
    """Show a command and run it; briefly: its files by a pattern, and their rows in one sum."""
    words = [word.replace(f"{home.path}/", "") for word in arguments]
    if not brief:
        print(f"\n$ groundswell {' '.join(words)}", flush=True)
        return command(arguments)
    folder = words[-1].rpartition("/")[0]
    print(f"\n$ groundswell {' '.join(words[:3])} {folder}/*.csv", flush=True)
    with redirect_stdout(io.StringIO()) as said:
        code = command(arguments)
    if code:
        print(said.getvalue())
        return code
    rows = Counter[int]()
    found = _EQUATION.findall(said.getvalue())
    for sums in found:
        rows.update({place: int(number) for place, number in enumerate(sums)})
    print(f"  {len(found)} files, {rows[0]} rows in = {rows[1]} loaded + {rows[2]} unchanged + {rows[3]} quarantined")
    return code


def _until(asked: dt.date | None) -> dt.date:
    """The day of the made exports: a fixed one, unless another is asked for or the clock of the machine is before it."""
    today = dt.datetime.now(dt.UTC).date()
    if asked is not None and asked > today:
        raise ValueError(f"--until {asked} lies in the future, and no export can be dated to it")
    if asked is not None:
        return asked
    return UNTIL if today >= UNTIL else today.replace(day=1) - dt.timedelta(days=1)


def _called() -> str:
    """The words that run this program from any folder: `script/demo` finds it where the reader's PATH does not."""
    program = Path(sys.argv[0]).absolute()
    if program.name == "groundswell":
        return shlex.quote(str(program))
    return f"{shlex.quote(sys.executable)} -m groundswell"


def _telling(found: Ranked) -> str:
    """The partner worth reading about first: the most ready of those whose revenue is lowest, else the first."""
    known = [
        one for one in found.partners if one.state == "scored" and one.result["signals"]["won_revenue"]["low"] == "0"
    ]
    return (known or list(found.partners))[0].partner_id
