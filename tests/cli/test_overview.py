"""The published run on one screen: what a list leaves out has a way to it, and no sentence is cut."""

from dataclasses import replace

import pytest
from tests.river import assess
from tests.survey import month_ends, survey, with_points_as_told

from groundswell.cli.say import one_screen
from groundswell.engine.home import Home
from groundswell.reads.overview import Overview, overview

(DAY,) = month_ends("2026-01", 1)


@pytest.fixture
def screen(home: Home) -> Overview:
    """Ten partners who are ready and idle, all for the same reason; four are shown."""
    home = with_points_as_told(home)
    survey(home, DAY, {f"P{at}": 70 + at for at in range(10)})
    assess(home, DAY)
    return overview(4)


def idle(found: Overview, width: int = 10_000) -> list[str]:
    said = one_screen.overview(found, width).partition("READY AND IDLE")[2]
    return said.partition("\n\n")[0].splitlines()[1:]


def test_a_list_that_is_cut_names_the_command_for_the_rest(screen: Overview) -> None:
    assert idle(screen)[-1] == "  and 6 more: groundswell partners --segment ready"
    assert not any("more:" in line for line in idle(overview(10)))
    quiet = one_screen.overview(replace(screen, quiet=screen.idle[:1], quiet_count=5))
    assert "  and 4 more: groundswell overview --limit 5\n" in quiet


def test_what_would_help_is_said_once_where_it_is_the_same_and_below_each_where_it_is_not(screen: Overview) -> None:
    (act,) = {one.next_act for one in screen.idle}
    lines = idle(screen)
    assert [line for line in lines if act in line] == [f"  next for each of these: {act}"]
    other = replace(screen.idle[0], result={**screen.idle[0].result, "gaps": [
        {"signal": "s", "gain": "1", "known": True, "remedy": "Call the partner before the end of the month"}
    ]})  # fmt: skip
    lines = idle(replace(screen, idle=(other, *screen.idle[1:])))
    assert lines[3] == "    next: Call the partner before the end of the month"
    assert [line for line in lines if act in line] == [f"    next: {act}"] * 3


def test_a_narrow_terminal_wraps_what_would_help_and_cuts_no_word_of_it(screen: Overview) -> None:
    (act,) = {one.next_act for one in screen.idle}
    narrow = idle(screen, 40)
    assert max(map(len, narrow)) <= 40
    assert act in " ".join(" ".join(narrow).split())
