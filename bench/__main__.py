"""The benches by name: python -m bench take-in --rows 5000000."""

import argparse
import tempfile
from pathlib import Path

from bench import assess, history, score, signals, take_in, web
from bench.ecosystem import Size, instance


def main() -> None:
    """Run a bench and print its figures."""
    asked = _parser().parse_args()
    if asked.bench == "take-in":
        take_in.run(asked.rows)
        return
    if asked.bench == "score":
        score.run(asked.partners)
        return
    if asked.bench == "web":
        with tempfile.TemporaryDirectory() as folder:
            web.run(asked.at or Path(folder), asked.partners)
        return
    size = Size(asked.events, asked.partners, asked.merges)
    if asked.bench == "ecosystem":
        instance(asked.at, size)
        return
    with tempfile.TemporaryDirectory() as folder:
        under = asked.at or Path(folder)
        if asked.bench == "signals":
            signals.run(under, size, asked.growth)
        elif asked.bench == "history":
            history.run(under, size, asked.growth, asked.every)
        else:
            assess.run(under, size)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/bench")
    benches = parser.add_subparsers(dest="bench", required=True)
    one = benches.add_parser("take-in", help="a CSV of events, against DuckDB's bare read of the same file")
    one.add_argument("--rows", type=int, default=5_000_000, help="events in the file (default: 5,000,000)")
    one = benches.add_parser("score", help="values and scores as columns, against the exact path")
    one.add_argument("--partners", type=int, default=40_000, help="made partners (default: 40,000)")
    one = benches.add_parser("web", help="the list of partners: CPU a page, the deepest page, requests a second")
    one.add_argument("--partners", type=int, default=40_000, help="partners of the published run (default: 40,000)")
    one.add_argument("--at", type=Path, help="the folder of made instances, kept")
    made = benches.add_parser("ecosystem", help="make a large ecosystem; one that stands there is left")
    one = benches.add_parser("signals", help="the signals of a day, against a floor and against SQL by hand")
    past = benches.add_parser("history", help="the signals of 24 month-ends, and of a new one")
    past.add_argument(
        "--every", action="store_true", help="all shipped signals, not those of the bench 'signals' alone"
    )
    for each in (one, past):
        each.add_argument("--growth", action="store_true", help="also from a tenth of the events, and of the partners")
    whole = benches.add_parser("assess", help="a whole run, by step")
    for each in (made, one, past, whole):
        each.add_argument("--at", type=Path, required=each is made, help="the folder of made instances, kept")
        each.add_argument(
            "--events", type=float, default=1.0, help="share of 50 M activities, 2 M deals, 1.2 M accounts"
        )
        each.add_argument("--partners", type=float, default=1.0, help="share of 40,000 partners and their people")
        each.add_argument("--merges", type=int, default=0, help="merged accounts, and merged partners (default: none)")
    return parser


if __name__ == "__main__":
    main()
