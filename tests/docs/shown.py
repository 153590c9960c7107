"""What the pages show: their `console` blocks, taken apart into commands and the lines printed below them.

In a `console` block a line that begins with `$ ` is a command, one that begins with `> ` goes on with it, and what
follows is its output. `…` stands for whatever is left out: within a line, or, alone on a line, any number of lines.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INSTEAD = {"script/demo": "groundswell demo --home demo-home", ".venv/bin/groundswell": "groundswell"}
"""Commands that set a checkout up first, and what they come down to in an environment that is set up."""
_MARK = "@@@ end of command"


@dataclass(frozen=True)
class Shown:
    """A command of a page and the output that the page shows below it."""

    command: str
    lines: tuple[str, ...]


def shown(page: Path) -> list[Shown]:
    """Every command of a page's console blocks, in order."""
    found: list[Shown] = []
    for block in _BLOCK.findall(page.read_text("utf-8")):
        command: list[str] = []
        lines: list[str] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    found.append(Shown("\n".join(command), tuple(lines)))
                command, lines = [line[2:]], []
            elif (line == ">" or line.startswith("> ")) and not lines:
                command.append(line[2:])
            else:
                lines.append(line)
        found.append(Shown("\n".join(command), tuple(lines)))
    return found


def run(commands: list[str], folder: Path) -> list[list[str]]:
    """Run commands one after the other in one shell in this folder; the lines that each of them prints."""
    script = ["exec 2>&1"]
    for command in commands:
        said = command
        for words, instead in _INSTEAD.items():
            said = re.sub(rf"^{re.escape(words)}(?=\s|$)", instead, said)
        script += [said, f"state=$?; echo; echo '{_MARK}'; (exit $state)"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GROUNDSWELL_HOME", "DJANGO_SETTINGS_MODULE")
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return [part.strip("\n").splitlines() for part in done.stdout.split(f"\n{_MARK}\n")[: len(commands)]]


def differs(wanted: tuple[str, ...], printed: list[str]) -> str:
    """Where the printed lines leave what the page shows; "" where they do not."""
    place, skip = 0, False
    for line in wanted:
        if line.strip() == "…":
            skip = True
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in line.rstrip().split("…")))
        while skip and place < len(printed) and not pattern.fullmatch(printed[place].rstrip()):
            place += 1
        if place >= len(printed) or not pattern.fullmatch(printed[place].rstrip()):
            was = printed[place] if place < len(printed) else "(the end)"
            return f"the page shows: {line}\nprinted was:   {was}"
        place, skip = place + 1, False
    return "" if skip or place == len(printed) else f"the page does not show: {printed[place]}"
