"""`demo` shows the first month in full and the others in one sum, and says what it cannot make."""

from pathlib import Path

import pytest
from tests.river import command


def test_months_are_taken_in_one_by_one_up_to_a_day(tmp_path: Path) -> None:
    done = command(
        tmp_path / "home",
        "demo",
        "--partners",
        "3",
        "--months",
        "2",
        "--until",
        "2026-05-31",
        "--seed",
        "4",
        "--no-serve",
    )
    assert done.returncode == 0, done.stderr
    shown = [line for line in done.stdout.splitlines() if line.startswith("$ groundswell")]
    assert shown[0].startswith("$ groundswell take-in --exported-at 2026-04-30 exports/2026-04/crm_opportunities.csv ")
    assert shown[1:3] == [
        "$ groundswell take-in --exported-at 2026-05-31 exports/2026-05/*.csv", "$ groundswell assess --as-of 2026-05-31",
    ]  # fmt: skip
    assert done.stdout.count("accepted  ") == 8, "April has readings, and is shown file by file"
    (sums,) = [line for line in done.stdout.splitlines() if line.startswith("  7 files, ")]
    words = sums.split()
    assert int(words[2]) == int(words[6]) + int(words[9]) + int(words[12])
    assert "3 partners assessed as of 2026-05-31" in done.stdout
    assert (tmp_path / "home" / "truth.csv").read_text("utf-8").count("\n") == 4


@pytest.mark.parametrize(("words", "said"), [
    (["--until", "2999-01-31"], "--until 2999-01-31 lies in the future"),
    (["--until", "yesterday"], "--until: invalid"),
    (["--partners", "0"], "at least one partner"),
    (["--months", "0"], "at least one month"),
])  # fmt: skip
def test_what_cannot_be_made_is_said(tmp_path: Path, words: list[str], said: str) -> None:
    done = command(tmp_path / "home", "demo", "--no-serve", *words)
    assert done.returncode in (2, 4)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_holds_something_else_is_left_alone_and_what_it_holds_is_said(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("b.txt", "a.txt", "d.txt", "c.txt"):
        (home / name).write_text("mine", "utf-8")
    done = command(home, "demo", "--no-serve")
    assert done.returncode == 4
    assert f"{home} holds a.txt, b.txt, c.txt and 1 more, which no demo made; name another folder" in done.stderr
    (home / "records.sqlite3").write_bytes(b"")
    assert f"{home} holds an instance that no demo made" in command(home, "demo", "--no-serve").stderr
    assert len(list(home.iterdir())) == 5
