"""The words of the command line: every command with its options."""

import argparse
import datetime as dt
from pathlib import Path

from groundswell import __version__
from groundswell.core.rights import ROLES

PORT = 8000
READS = ("partners", "export", "overview", "explain", "tables", "loads", "quarantine", "doctor", "audit")
"""Commands that have nothing to say where nothing was taken in, and make no folder there."""
OVERVIEW = 8
"""Partners in each list of the overview."""
DESCRIPTION = "Which partners are ready, why, and from which rows."


def _count(text: str) -> int:
    """A number that counts something. argparse makes a usage message of the error."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is no count; write a whole number from 0 on")
    return int(text)


def _lines(text: str) -> frozenset[int]:
    """Lines of a file: "2,5,9"."""
    return frozenset(_count(part) for part in text.split(","))


def _day(text: str) -> dt.date:
    """A day such as 2026-01-31. argparse makes a usage message of the ValueError."""
    return dt.date.fromisoformat(text)


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--home", type=Path, help="folder of the instance (default: $GROUNDSWELL_HOME)")
    root = argparse.ArgumentParser(prog="groundswell", description=DESCRIPTION)
    root.add_argument("--version", action="version", version=f"groundswell {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, said: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=said, description=said, parents=[everywhere])

    def printed(one: argparse.ArgumentParser) -> None:
        forms = ("table", "csv", "xlsx", "json")
        one.add_argument("--format", choices=forms, default="table", help="how to print (default: table)")
        one.add_argument("--out", type=Path, metavar="FILE", help="write csv or xlsx to this file; xlsx needs it")

    one = command(
        "take-in", "take in exports: files of a known format, or any CSV, workbook, Parquet or JSON by a mapping file"
    )
    one.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the exports, one or more")
    one.add_argument("--mapping", type=Path, help="a mapping file (docs/reference/mapping.md)")
    one.add_argument("--source", default="", help="name of the system the files come from")
    one.add_argument(
        "--exported-at", default="", metavar="INSTANT", help="when the files were exported, 2026-01-31T08:00Z"
    )
    one.add_argument("--answer", action="append", default=[], metavar="FILE:COLUMN=ANSWER", help="answer a question")
    one.add_argument(
        "--propose", action="store_true", help="load nothing; write a draft mapping of files of any shape, to be edited"
    )
    one.add_argument("--out", type=Path, metavar="FILE", help="the mapping that --propose writes (default: print it)")
    one.add_argument(
        "--try", type=_lines, dest="trial", metavar="LINES",
        help="load nothing; show what the rows on these lines, 2,5,9, would become",
    )  # fmt: skip
    one.add_argument("--strict", action="store_true", help="refuse a file of which a row would be quarantined")
    one.add_argument("--json", action="store_true", help="print what happened as JSON")
    one.add_argument("--report", type=Path, metavar="FILE", help="write what happened to this file too, as JSON")
    one = command("assess", "assess every partner as of a day, and publish: lists and pages show that day from then on")
    one.add_argument(
        "--as-of", default="", metavar="DAY", help="a day such as 2026-01-31, none after today (default: today)"
    )
    one = command("partners", "the ranked list of the published run")
    printed(one)
    one.add_argument("--limit", type=_count, default=0, help="the first so many (default: all)")
    one.add_argument(
        "--segment", default=None, help="only those of a segment, such as ready; 'not placed' for the others"
    )
    one = command("export", "every row of the list as pages export it, to a sheet")
    one.add_argument(
        "--list",
        default="",
        metavar="QUERY",
        help="filters and order as in the address of the page: segment=ready&order=-won",
    )
    one.add_argument("--out", type=Path, metavar="FILE", required=True, help="the sheet, .csv or .xlsx")
    one = command(
        "overview", "the published run on one screen: who is ready and idle, who went quiet, what is not known"
    )
    one.add_argument("--limit", type=_count, default=OVERVIEW, help=f"partners in each list (default: {OVERVIEW})")
    one = command("explain", "why a partner stands where it stands, down to file and line")
    one.add_argument("partner", help="id, source id or name, in any case and without accents; a part of it is enough")
    one.add_argument(
        "--json", action="store_true", help="print it as JSON, figures exact: 12.3, or 37/3 where no decimal is"
    )
    one.add_argument("--rows", type=_count, default=3, help="source rows shown behind each signal (default: 3)")
    one = command("tables", "a canonical table as of a day")
    one.add_argument("name", help="such as deals, partners, source_keys")
    one.add_argument("--as-of", default="", metavar="DAY", help="a day such as 2026-01-31 (default: today)")
    printed(one)
    one = command("loads", "the loads, what became of their rows; revert one")
    one.add_argument("verb", nargs="?", choices=("list", "revert", "show"), default="list", help="what to do")
    one.add_argument("load", nargs="?", default="", help="the load to show or revert, such as L000001")
    one.add_argument("--why", default="", help="why a load is reverted")
    one = command("quarantine", "the rows that were set aside; export those of a load, take them in again corrected")
    one.add_argument("verb", nargs="?", choices=("list", "export", "retry"), default="list", help="what to do")
    one.add_argument(
        "what", nargs="?", default="", help="the load to list or export, such as L000001; the corrected file to retry"
    )
    one.add_argument("--out", type=Path, metavar="FILE", help="the CSV that export writes")
    one.add_argument("--all", action="store_true", help="list rows too that were put right, tried again or reverted")
    one = command("check", "check the policy; every fault with file, line and remedy")
    one.add_argument("--fix", action="store_true", help="write `needs` of signals as their measures use them")
    one = command("doctor", "check that everything promised is there")
    one.add_argument("--rebuild", action="store_true", help="make the lake anew from the kept files")
    command("sweep", "remove files that pages left behind: uploads that no job needs, sheets older than kept_days")
    one = command("demo", "from made exports to a ranked list and one explanation, in a folder of its own")
    one.add_argument("--partners", type=_count, default=347, help="how many made partners (default: 347)")
    one.add_argument("--seed", type=int, default=7, help="another seed, another made ecosystem (default: 7)")
    one.add_argument(
        "--until",
        type=_day,
        metavar="DAY",
        help="the last day of the exports; a later one adds months and changes none (default: 2026-10-31)",
    )
    one.add_argument("--months", type=_count, default=15, help="how many months of exports (default: 15)")
    one.add_argument(
        "--resellers", type=Path, help="folder of the AdventureWorks reseller channel, instead of made exports"
    )
    one.add_argument("--mapping", type=Path, help="the mapping file of the resellers")
    one.add_argument("--no-serve", action="store_true", help="end at the terminal; open no pages")
    one.add_argument("--port", type=_count, default=PORT, help=f"where the pages are (default: {PORT})")
    one = command("serve", "the pages of an instance at 127.0.0.1, and the worker that does what pages ask for")
    one.add_argument("--port", type=_count, default=PORT, help=f"where the pages are (default: {PORT})")
    one = command("invite", "let one of our people in: prints a link that is good once, for seven days")
    one.add_argument("email", help="who is let in")
    one.add_argument("--role", choices=ROLES, required=True, help="what they may do")
    one.add_argument("--name", default="", help="how pages call them (default: the address)")
    one.add_argument("--port", type=_count, default=PORT, help=f"where the pages are (default: {PORT})")
    one = command("audit", "the trail of what people did: verify that nothing in it was changed, cut out or cut off")
    one.add_argument("verb", choices=("verify", "list"), help="what to do")
    return root
