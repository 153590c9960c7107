"""One line about a partner: points short of ready, the next act, and what lacks where nothing places it."""

from typing import Any

import pytest

from groundswell.core.reason import TOO_LITTLE, next_act, reason


def result(**said: Any) -> dict[str, Any]:
    gaps = [{"known": False, "remedy": "Ask."}, {"known": True, "remedy": ""}, {"known": True, "remedy": "Call."}]
    standing = {"segment": "developing", "moves": [], "would_place": []}
    return {"gaps": gaps, "readiness": {"state": "scored"}, "standing": standing} | said


def move(segment: str, unit: str, short: str | None) -> dict[str, Any]:
    return {"segment": segment, "unit": unit, "short": short}


def test_the_next_act_is_the_remedy_of_the_first_gap_that_is_known() -> None:
    assert next_act(result()) == "Call."
    assert next_act(result(readiness={"state": TOO_LITTLE})) == "Ask."
    assert next_act(result(gaps=[])) == ""


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        ([move("ready", "points", "7/2")], "4 points short. Call."),
        ([move("ready", "points", "1/3")], "1 point short. Call."),
        ([move("active", "points", "3"), move("ready", "days", "2"), move("ready", "points", None)], "Call."),
    ],
)
def test_how_far_ready_is_is_said_where_it_is_told_in_points(moves: list[dict[str, Any]], said: str) -> None:
    assert reason(result(standing={"segment": "developing", "moves": moves, "would_place": []})) == said


def test_of_one_that_nothing_places_it_says_what_lacks_once_each() -> None:
    lacks = [{"said": "a deal"}, {"said": "a course"}, {"said": "a deal"}]
    assert reason(result(standing={"segment": "", "moves": [], "would_place": lacks})) == "a deal; a course"
    assert reason(result(standing={"segment": "", "moves": [], "would_place": []})) == "Call."
