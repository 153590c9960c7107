"""The benches by name: python -m bench take-in --rows 5000000."""

import argparse

from bench import score, take_in


def main() -> None:
    """Run a bench and print its figures."""
    parser = argparse.ArgumentParser(prog="script/bench")
    benches = parser.add_subparsers(dest="bench", required=True)
    one = benches.add_parser("take-in", help="a CSV of events, against DuckDB's bare read of the same file")
    one.add_argument("--rows", type=int, default=5_000_000, help="events in the file (default: 5,000,000)")
    one = benches.add_parser("score", help="values and scores as columns, against the exact path")
    one.add_argument("--partners", type=int, default=40_000, help="made partners (default: 40,000)")
    asked = parser.parse_args()
    if asked.bench == "score":
        score.run(asked.partners)
    else:
        take_in.run(asked.rows)


if __name__ == "__main__":
    main()
