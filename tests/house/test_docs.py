"""Pages: their links lead somewhere, the reference is what the declarations say, and no lock names an address."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from groundswell.connectors.files.mapping import parse_text
from tests.house.reading import DOCS, ROOT, SOURCE, blocks, committed, keys_asked, pages

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_ADDRESS = re.compile(r"://|--(extra-)?index-url|--find-links|--trusted-host| @ |\bpypi\b|pythonhosted", re.IGNORECASE)
NAMES = [str(page.relative_to(ROOT)) for page in pages()]


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for link in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = str(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name}: {link} leads nowhere"
        assert not anchor or anchor in _anchors(target), f"{name}: {link} has no such heading"


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    open_ = [ROOT / "README.md"]
    while open_:
        page = open_.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = [str(link).partition("#")[0] for link in _LINK.findall(page.read_text("utf-8")) if "://" not in link]
        open_ += [(page.parent / link).resolve() for link in links if link]
    assert [str(page.relative_to(ROOT)) for page in pages() if page not in seen] == []


def test_pages_that_the_source_names_are_there() -> None:
    named = {
        name
        for path in [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.toml")]
        for name in re.findall(r"\bdocs/[\w/-]+\.(?:md|py)", path.read_text("utf-8"))
    }
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_the_reference_is_what_the_declarations_say() -> None:
    words = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("page", "module"),
    [
        ("mapping.md", "connectors/files/mapping.py"),
        ("signals.md", "core/signals/declared.py"),
        ("policy.md", "core/points/declared.py"),
        ("policy.md", "core/declared.py"),
    ],
)
def test_every_key_that_is_read_is_in_its_reference(page: str, module: str) -> None:
    keys = {key for key in keys_asked(SOURCE / module) if re.fullmatch(r"[a-z_]+", key)}
    text = (DOCS / "reference" / page).read_text("utf-8")
    in_code = {word for code in re.findall(r"`+[^`]+`+", text) for word in re.findall(r"\w+", code)}
    assert keys
    assert keys - in_code == set()


def test_mappings_that_pages_show_can_be_read() -> None:
    shown = [(page, text) for page in pages() for text in blocks(page, "toml") if "[source]" in text]
    assert shown
    for page, text in shown:
        assert parse_text(page.name, text).files


def test_no_lock_names_a_registry_or_an_address() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        found = [line for line in lock.read_text("utf-8").splitlines() if _ADDRESS.search(line)]
        assert found == []


def test_nothing_committed_sets_a_registry() -> None:
    setting = re.compile(r"(index-url|find-links|trusted-host)\s*[= ]\s*\S*(://|\.\w+/)")
    for path in committed():
        if path.suffix in (".parquet", ".png"):
            continue
        found = [line for line in path.read_text("utf-8", "replace").splitlines() if setting.search(line)]
        assert found == [], str(path)
