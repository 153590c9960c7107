"""What an instance has been told of its sources, kept in `sources/<name>.toml`: zone, code page, answers by column."""

import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from groundswell.engine import durable
from groundswell.policy.read import BadPolicy

WHOLE = ("encoding", "sheet", "zone", "format")
"""Answers that are about a whole file, not about a column."""
_ODD = re.compile(r"[^A-Za-z0-9._-]|\.(?=mapping$)")
"""What stands for something else in the name of a file; `x.mapping.toml` is the kept mapping of source x."""


@dataclass
class Told:
    """Answers by format and column: {"generic_deals": {"close_on": "dmy", "zone": "Europe/Berlin"}}."""

    answers: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, format_: str) -> dict[str, str]:
        """The answers for one format."""
        return self.answers.get(format_, {})


def read(home: Path, source: str) -> Told:
    """What was told of a source; nothing when there is no file. Raises BadPolicy for a file that is no TOML."""
    path = _path(home, source)
    if not path.is_file():
        return Told()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPolicy([f"{path}: {error}"]) from error
    return Told(
        {str(kind): {str(k): str(v) for k, v in answers.items()} for kind, answers in data.get("answers", {}).items()}
    )


def write(home: Path, source: str, told: Told) -> None:
    """Keep what was told, whole or not at all."""
    lines = ["# What was answered about this source. Edit or delete a line to be asked again.", ""]
    for kind, answers in sorted(told.answers.items()):
        lines.append(f"[answers.{json.dumps(kind)}]")
        lines += [f"{json.dumps(column)} = {json.dumps(answer)}" for column, answer in sorted(answers.items())]
        lines.append("")
    durable.write(_path(home, source), "\n".join(lines).encode())


def _path(home: Path, source: str) -> Path:
    return home / "sources" / f"{_ODD.sub('_', source)}.toml"
