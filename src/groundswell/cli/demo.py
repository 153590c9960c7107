"""`groundswell demo`: from a made set of exports, or the reseller channel, to a ranked list and one explanation."""

import argparse
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from groundswell.cli import say
from groundswell.demo.exports import make
from groundswell.engine.home import Home
from groundswell.reads.explain import explain
from groundswell.reads.partners import Ranked, ranked_partners

UNTIL = dt.date(2026, 10, 31)
RESELLERS_UNTIL = dt.date(2012, 12, 31)
TakeIn = Callable[[list[str]], int]
"""Runs a command line of this program; its exit code."""


def demo(home: Home, asked: argparse.Namespace, command: TakeIn) -> int:
    """Make or find the exports, take them in, assess them, and end with the list and one explanation."""
    exports = _exports(home, asked)
    options = _dated(asked)
    names = sorted(str(path) for path in exports.iterdir() if path.suffix == ".csv")
    if asked.resellers:
        names = [str(exports / name) for name in ("resellers.csv", "order_lines_to_2012.parquet")]
    as_of = RESELLERS_UNTIL if asked.resellers else _until()
    for arguments in (["take-in", *options, *names], ["assess", "--as-of", str(as_of)]):
        print(f"\n$ groundswell {' '.join(_short(home, word) for word in arguments)}")
        if code := command(arguments):
            return code
    found = ranked_partners(20)
    print("\n$ groundswell partners --limit 20\n" + say.ranked(found))
    one = _telling(found)
    print(f"\n$ groundswell explain {one}\n" + say.explanation(explain(home, one, 2)))
    print(f"\nLook further: export GROUNDSWELL_HOME={home.path}, then groundswell partners, explain, tables, loads.")
    return 0


def _exports(home: Home, asked: argparse.Namespace) -> Path:
    if asked.resellers:
        return Path(asked.resellers)
    exports = home.path / "exports"
    exports.mkdir()
    make(exports, partners=asked.partners, seed=asked.seed, until=_until())
    return exports


def _dated(asked: argparse.Namespace) -> list[str]:
    if asked.resellers:
        return ["--mapping", str(asked.mapping)]
    return ["--exported-at", str(_until())]


def _until() -> dt.date:
    """The day of the made exports: a fixed one, unless the clock of the machine is before it."""
    today = dt.datetime.now(dt.UTC).date()
    return UNTIL if today >= UNTIL else today.replace(day=1) - dt.timedelta(days=1)


def _short(home: Home, word: str) -> str:
    return word.replace(f"{home.path}/", "")


def _telling(found: Ranked) -> str:
    """The partner worth reading about first: the most ready of those whose revenue is lowest, else the first."""
    known = [
        one for one in found.partners if one.state == "scored" and one.result["signals"]["won_revenue"]["low"] == "0"
    ]
    return (known or list(found.partners))[0].partner_id
