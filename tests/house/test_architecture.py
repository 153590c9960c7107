"""ARCHITECTURE.md's tree is the tree: every folder of the package stands in it, and nothing else does."""

import re
from pathlib import Path

from tests.house.reading import ROOT, SOURCE, blocks

_LINE = re.compile(r"^(?P<lead>[│├└─ ]*)(?P<name>[\w./]+)/\s+(?P<said>.+)$")
_MODULE = re.compile(r"\b(\w+\.(?:py|toml))\b")


def _said() -> dict[Path, str]:
    """Every folder of the tree, with what is said of it."""
    (block,) = blocks(ROOT / "ARCHITECTURE.md", "tree")
    first, *lines = block.splitlines()
    assert first == "src/groundswell/"
    found: dict[Path, str] = {}
    above: list[str] = []
    for line in lines:
        match = _LINE.match(line)
        assert match, f"not a line of the tree: {line}"
        depth = len(match["lead"]) // 4
        above = [*above[: depth - 1], match["name"]]
        found[Path(*above)] = match["said"]
    return found


def test_every_folder_stands_in_the_tree_and_the_other_way_round() -> None:
    folders = {
        path.relative_to(SOURCE)
        for path in SOURCE.rglob("*")
        if path.is_dir() and "__pycache__" not in path.parts and any(one.suffix != ".pyc" for one in path.rglob("*.*"))
    }
    assert set(_said()) == folders


def test_every_module_named_in_the_tree_is_in_its_folder() -> None:
    missing = [
        str(folder / module)
        for folder, said in _said().items()
        for module in _MODULE.findall(said)
        if not (SOURCE / folder / module).is_file()
    ]
    assert missing == []


def test_every_module_is_named_in_the_tree() -> None:
    said = _said()
    unnamed = [
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if path.parent != SOURCE and path.name != "__init__.py" and not path.name.startswith("0")
        and path.name not in _MODULE.findall(said[path.parent.relative_to(SOURCE)])
    ]  # fmt: skip
    assert unnamed == []
