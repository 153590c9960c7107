"""What an instance has been told of its sources, kept in `sources/<name>.toml`: zone, code page, answers by column."""

import json
import tomllib
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundswell.engine import durable
from groundswell.policy.read import BadPolicy

WHOLE = ("encoding", "sheet", "zone", "format", "gone", "moved")
"""Answers that are about a whole file, not about a column."""
ONCE = ("sheet", "gone", "moved")
"""Answers about one file, which are not kept for the next."""


@dataclass
class Told:
    """Answers by format and column: {"generic_deals": {"close_on": "dmy", "zone": "Europe/Berlin"}}."""

    path: Path
    answers: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, format_: str) -> dict[str, str]:
        """The answers for one format."""
        return self.answers.get(format_, {})


def read(home: Path, source: str) -> Told:
    """What was told of a source; nothing when there is no file. Raises BadPolicy for a file that cannot be read."""
    path = home / "sources" / f"{file_name(source)}.toml"
    if not path.is_file():
        return Told(path)
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPolicy([f"{path}: {error}; correct it, or delete the file to be asked again"]) from error
    if faults := _faults(path, text, data):
        raise BadPolicy(faults)
    return Told(path, data.get("answers", {}))


def _faults(path: Path, text: str, data: dict[str, Any]) -> list[str]:
    """Answers stand in a table of their format, and are texts."""
    form = 'write [answers.FORMAT] and below it COLUMN = "ANSWER", or delete the file to be asked again'
    answers = data.get("answers", {})
    if not isinstance(answers, dict):
        return [f"{path}:{_line(text)}: answers is no table; {form}"]
    faults = []
    for kind, said in answers.items():
        if not isinstance(said, dict):
            faults.append(f"{path}:{_line(text, kind)}: '{kind}' stands below no format; {form}")
            continue
        faults += [
            f"{path}:{_line(text, kind, column)}: the answer to '{column}' is no text; {form}"
            for column, answer in said.items()
            if not isinstance(answer, str)
        ]
    return faults


def _line(text: str, *keys: str) -> int:
    """The line of an answer or of its table: below the line of each key, the first that begins with the next one."""
    at, lines = 0, text.splitlines()
    for key in ("answers", *keys):
        begins = (key, _quoted(key), f"'{key}'", f"answers.{key}", f"answers.{_quoted(key)}", f"answers.'{key}'")
        found = (i for i, line in enumerate(lines[at:], start=at) if line.strip(" \t[").startswith(begins))
        at = next(found, at)
    return at + 1


def write(told: Told) -> None:
    """Keep what was told, whole or not at all."""
    lines = ["# What was answered about this source. Edit or delete a line to be asked again.", ""]
    for kind, answers in sorted(told.answers.items()):
        lines.append(f"[answers.{_quoted(kind)}]")
        lines += [f"{_quoted(column)} = {_quoted(answer)}" for column, answer in sorted(answers.items())]
        lines.append("")
    durable.write(told.path, "\n".join(lines).encode())


def _quoted(text: str) -> str:
    """A basic string of TOML: what JSON escapes, TOML escapes alike, and DEL too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def file_name(source: str) -> str:
    """A file name that belongs to one source alone: letters, digits and `._-~` as they are, the rest as %XX of UTF-8."""
    quoted = urllib.parse.quote(source, safe="")  # x.mapping.toml is the kept mapping of source x
    return quoted.removesuffix(".mapping") + "%2Emapping" if quoted.endswith(".mapping") else quoted
