"""The benches by name: python -m bench take-in --rows 5000000."""

import argparse

from bench import take_in


def main() -> None:
    """Run a bench and print its figures."""
    parser = argparse.ArgumentParser(prog="script/bench")
    benches = parser.add_subparsers(dest="bench", required=True)
    one = benches.add_parser("take-in", help="a CSV of events, against DuckDB's bare read of the same file")
    one.add_argument("--rows", type=int, default=5_000_000, help="events in the file (default: 5,000,000)")
    asked = parser.parse_args()
    take_in.run(asked.rows)


if __name__ == "__main__":
    main()
