"""What README shows exists: its commands are commands of the program, its scripts and tests are there."""

import re
import shlex

import pytest

from groundswell.cli.arguments import parser
from tests.house.reading import ROOT, blocks, tree

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
SHOWN = [
    line.removeprefix("$ ")
    for language in ("console", "sh")
    for block in blocks(README, language)
    for line in block.splitlines()
    if line.startswith(("$ ", "script/", "groundswell ", ".venv/bin/groundswell "))
]


def test_readme_shows_commands() -> None:
    assert any("groundswell" in line for line in SHOWN)


@pytest.mark.parametrize("line", SHOWN)
def test_commands_exist(line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[0].startswith("script/"):
        assert (ROOT / words[0]).is_file()
    elif words[0].removeprefix(".venv/bin/") == "groundswell":
        parser().parse_args(words[1:])
    else:
        assert words[0] in ("export", "git")


def test_scripts_named_in_the_text_exist() -> None:
    for name in re.findall(r"`(script/\w+)", TEXT):
        assert (ROOT / name).is_file()


def test_tests_named_in_the_text_exist() -> None:
    named = re.findall(r"\[`(test_\w+)`\]\((tests/[\w/]+\.py)\)", TEXT)
    assert len(named) >= 5
    for function, path in named:
        functions = {getattr(node, "name", "") for node in tree(ROOT / path).body}
        assert function in functions, f"{path} has no {function}"
