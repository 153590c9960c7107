"""The command `groundswell`: from its words to an exit code (`exits`), whatever goes wrong on the way."""

import errno
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import django

from groundswell.cli import arguments
from groundswell.cli.exits import Exit, is_full
from groundswell.engine.made import MADE

_NAMED = 3
"""Files that are named where a folder holds what no demo made."""


def _fresh(path: Path) -> None:
    """Empty a folder that an earlier demo made; any other folder that holds something is left alone.

    Raises ValueError for such a folder.
    """
    if (path / MADE).is_file():
        shutil.rmtree(path)
    if path.exists() and (there := sorted(one.name for one in path.iterdir())):
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        what = "an instance that" if "records.sqlite3" in there else f"{', '.join(there[:_NAMED])}{more}, which"
        raise ValueError(f"{path} holds {what} no demo made; name another folder with --home")
    path.mkdir(parents=True, exist_ok=True)
    (path / MADE).write_text("This folder was made by `groundswell demo`, which empties it at its next start.\n")


def _in_the_way(home: Path) -> Path | None:
    """What stands where the folder of the instance, or one above it, should be."""
    return next((one for one in (home, *home.parents) if os.path.exists(one) and not os.path.isdir(one)), None)


def run(words: list[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    asked = arguments.parser().parse_args(words)
    home: Path = (asked.home or Path(os.environ.get("GROUNDSWELL_HOME", "groundswell-home"))).absolute()
    os.environ["GROUNDSWELL_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "groundswell.server.settings"
    if wrong := _in_the_way(home):
        print(f"--home {home}: {wrong} is a file. Name a folder, or a place where one can be made.", file=sys.stderr)
        sys.exit(Exit.USAGE)
    try:
        if asked.command not in (*arguments.READS, "check"):
            home.mkdir(parents=True, exist_ok=True)
        if asked.command == "demo":
            _fresh(home)
        django.setup()
        from groundswell.cli import commands

        code = commands.run(asked, home)
        sys.stdout.flush()
    except ValueError as error:
        if asked.command != "demo":
            raise
        print(error, file=sys.stderr)
        code = Exit.REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.ACCEPTED
    except OSError as error:
        code = _say_os_error(error, home)
    except sqlite3.DatabaseError as error:
        code = _say_os_error(OSError(errno.ENOSPC if is_full(error) else errno.EIO, f"records.sqlite3: {error}"), home)
    sys.exit(code)


def _say_os_error(error: OSError, home: Path) -> int:
    where = error.filename or home
    if is_full(error):
        print(f"no space left at {where}. Nothing that was accepted is lost; make room and try again.", file=sys.stderr)
        return Exit.NO_SPACE
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        print(f"{where} cannot be written: {error.strerror}. Choose another folder with --home.", file=sys.stderr)
        return Exit.REFUSED
    print(f"fault: {error}", file=sys.stderr)
    return Exit.FAULT
