"""Every command that a page shows is run, page by page, and prints what the page says it prints."""

from pathlib import Path

import pytest

from tests.docs.shown import ROOT, differs, run, shown

PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in [
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "examples").rglob("README.md")),
    ]
    if shown(path)
]
DATA = {
    "adventureworks": ("adventureworks", "resellers"),
    "cncf": ("cncf", "cncf"),
    "crm_opportunities": ("crm", "crm_opportunities"),
}
"""By example: the folder that its page says to put the data into, and the fixture that knows where they lie."""


@pytest.mark.parametrize("page", PAGES)
def test_commands_print_what_the_page_shows(page: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for example, (name, fixture) in DATA.items():
        if page.startswith(f"examples/{example}/"):
            (tmp_path / name).symlink_to(request.getfixturevalue(fixture))
    commands = shown(ROOT / page)
    printed = run([one.command for one in commands], tmp_path)
    assert len(printed) == len(commands)
    for one, lines in zip(commands, printed, strict=True):
        assert not (fault := differs(one.lines, lines)), f"{page}\n$ {one.command}\n{fault}\n\n" + "\n".join(lines)


def test_left_out_lines_and_words_are_told_apart() -> None:
    printed = ["accepted  deals.csv", "  3 rows in", "  note: one", "done in 4 s"]
    assert not differs(("accepted  …", "…", "done in …"), printed)
    assert not differs(("…",), printed)
    assert "the page does not show:   note: one" in differs(("accepted  deals.csv", "  3 rows in"), printed)
    assert "printed was:     3 rows in" in differs(("accepted  deals.csv", "  4 rows in"), printed)
    assert "(the end)" in differs(("…", "nothing of the kind"), printed)
