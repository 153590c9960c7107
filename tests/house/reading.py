"""Where things lie in the checkout, and what several house tests read of them."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "groundswell"
POLICY = SOURCE / "policy"
DOCS = ROOT / "docs"


def modules(folder: Path) -> Iterator[Path]:
    """Every Python module below a folder, in order."""
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def tree(path: Path) -> ast.Module:
    """The syntax of a module."""
    return ast.parse(path.read_text("utf-8"), str(path))


_ASK = {"text", "number", "day", "texts", "pairs", "table", "tables", "has"}


def keys_asked(path: Path) -> set[str]:
    """The keys that a module asks of TOML tables: first arguments, where they are texts, of calls that take a key."""
    return {
        node.args[0].value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _ASK
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def pages() -> list[Path]:
    """Every Markdown page of the checkout."""
    found = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(found)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [str(block) for block in pattern.findall(page.read_text("utf-8"))]


def committed() -> list[Path]:
    """Every file that git knows, or would know if it were added now."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]
