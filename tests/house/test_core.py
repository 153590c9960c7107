"""Core has no clock and no chance: the same tables give the same answer on any day, on any machine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.reading import SOURCE, modules, tree

CORE = sorted(path.relative_to(SOURCE) for path in modules(SOURCE / "core"))
FORBIDDEN = {"time", "random", "secrets", "uuid", "os", "platform", "locale", "socket", "threading", "tempfile"}
"""Modules that know the hour, the machine or chance."""
CLOCKS = {"now", "today", "utcnow", "fromtimestamp", "utcfromtimestamp", "localtime", "getdefaultlocale"}


def _imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", CORE, ids=str)
def test_no_module_of_chance_time_or_machine_is_imported(path: Path) -> None:
    assert {name.split(".")[0] for name in _imported(tree(SOURCE / path))} & FORBIDDEN == set()


@pytest.mark.parametrize("path", CORE, ids=str)
def test_no_clock_is_read(path: Path) -> None:
    read = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree(SOURCE / path))
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS
    ]
    assert read == []


@pytest.mark.parametrize(
    "text", ["import time", "from random import Random", "import uuid as u", "from os import environ"]
)
def test_the_look_finds_what_it_looks_for(text: str) -> None:
    assert {name.split(".")[0] for name in _imported(ast.parse(text))} & FORBIDDEN
