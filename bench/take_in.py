"""Take-in of events against DuckDB's bare read of the same file, and of the same file sent again.

The bare read types columns by sniffing and keeps them in memory: no ids, no history, no synced file, no evidence. It is
the floor, and what an engineer would otherwise begin with.
"""

import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.measure import Cost, cost

_TYPES = ("portal_login", "email_replied", "meeting", "training_completed", "content_downloaded")
_BARE = "import duckdb, sys; duckdb.connect().execute('create table t as select * from read_csv(?)', [sys.argv[1]])"


def run(rows: int) -> None:
    """Print CPU, wall time and memory of each, and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "activities.csv"
        _write(path, rows)
        print(f"{rows:,} events, {path.stat().st_size / 1e6:,.0f} MB")
        home = {"GROUNDSWELL_HOME": str(Path(folder) / "home")}
        bare = _said("DuckDB, bare read", [sys.executable, "-c", _BARE, str(path)], {})
        ours = _said("groundswell take-in", [sys.executable, "-m", "groundswell", "take-in", str(path)], home)
        again = _said("the same file again", [sys.executable, "-m", "groundswell", "take-in", str(path)], home)
        print(
            f"take-in is {ours.cpu / bare.cpu:.1f} times the CPU of the bare read; again {again.cpu / bare.cpu:.1f} times"
        )


def _said(what: str, words: list[str], environment: dict[str, str]) -> Cost:
    found = cost(words, environment)
    print(f"{what:<20} {found}", flush=True)
    return found


def _write(path: Path, rows: int) -> None:
    """Made events of 40,000 partners with four people each, over 900 days."""
    chance, begin = random.Random(1), datetime(2024, 1, 1, tzinfo=UTC)  # noqa: S311 - made data
    with path.open("w", encoding="utf-8") as file:
        file.write("partner_id,occurred_at,type,person_email,channel,deal_id,value,source_id\n")
        for number in range(rows):
            partner = f"{chance.randrange(40_000):06d}"
            when = begin + timedelta(seconds=chance.randrange(86_400 * 900))
            value = chance.randrange(100) if chance.random() < 0.2 else ""
            file.write(
                f"P{partner},{when:%Y-%m-%dT%H:%M:%SZ},{chance.choice(_TYPES)},u{chance.randrange(4)}@p{partner}.example,"
                f"portal,,{value},E{number:09d}\n"
            )
