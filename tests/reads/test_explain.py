"""The past of a partner as it is explained: by the present policy, with what was published then where it was other."""

import os

import pytest
from tests.river import NOW, assess, take_in_text
from tests.survey import month_ends, survey, with_points_as_told

from groundswell.actions.loads import revert
from groundswell.cli.say import explained
from groundswell.engine.home import Home
from groundswell.reads.explain import Explanation, Month, OtherPolicy, Then, explain
from groundswell.records.loads import Load

DAYS = month_ends("2026-01", 5)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def surveyed(home: Home, points: list[int], first: int = 0) -> Home:
    """A run after the survey of each month-end."""
    for day, figure in zip(DAYS[first:], points, strict=False):
        survey(home, day, {"P": figure})
        assess(home, day)
    return home


def table(found: Explanation) -> list[tuple[float | None, str]]:
    return [(month.total, month.segment) for month in found.history]


def printed(found: Explanation) -> str:
    return explained.explanation(found).partition("Month-ends")[2]


def test_month_ends_are_shown_with_their_parts_and_nothing_is_marked_where_nothing_changed(home: Home) -> None:
    home = surveyed(with_points_as_told(home), [61, 58, 54])
    found = explain(home, "P", 1)
    assert table(found) == [(61, "ready"), (58, "ready"), (54, "ready")]
    assert found.history[1] == Month(
        found.history[1].day, 58, 58, 58, 1, "ready", {"capability": 58}, found.history[0].edition
    )
    assert found.policies == ()
    lines = printed(found).splitlines()
    assert lines[0] == ", as known then, by the policy of this run:"
    assert [line.split() for line in lines[1:]] == [
        ["month-end", "readiness", "known", "capability", "segment"],
        ["----------", "---------", "-----", "----------", "-------"],
        [DAYS[0], "61.00", "100%", "61.00", "ready"],
        [DAYS[1], "58.00", "100%", "58.00", "ready"],
        [DAYS[2], "54.00", "100%", "54.00", "ready"],
    ]


def test_after_a_change_of_policy_the_past_is_measured_anew_and_what_was_published_stands_beside_it(home: Home) -> None:
    """From April on 80 readings give all points: every month-end is judged so, and March's run said otherwise."""
    home = surveyed(with_points_as_told(home), [52, 44, 56])
    assert table(explain(home, "P", 1)) == [(52, "developing"), (44, "developing"), (56, "developing")]
    home = surveyed(with_points_as_told(home, full=80), [40], first=3)
    found = explain(home, "P", 1)
    assert table(found) == [(65, "ready"), (55, "ready"), (70, "ready"), (50, "ready")]
    assert [month.then for month in found.history] == [
        Then(52, "developing", other_policy=True),
        Then(44, "developing", other_policy=True),
        Then(56, "developing", other_policy=True),
        None,
    ]
    first, last = (month.day for month in (found.history[0], found.history[2]))
    assert found.policies == (OtherPolicy(first, last, ("scores/readiness/2026-01-01.toml",)),)
    lines = printed(found).splitlines()
    assert lines[5].endswith("ready    published then: 56.00, developing, by another policy")
    assert lines[6].endswith("ready")
    assert lines[7] == (
        f"  Runs from {DAYS[0]} to {DAYS[2]} had another policy: scores/readiness/2026-01-01.toml differed."
    )
    said = explained.explanation_json(found)
    assert said["history"][2]["then"] == {"total": 56, "segment": "developing", "other_policy": True, "enough": True}
    assert said["other_policies"] == [
        {"first": DAYS[0], "last": DAYS[2], "files": ("scores/readiness/2026-01-01.toml",)}
    ]


def test_a_table_of_segments_that_is_changed_places_the_past_anew_too(home: Home) -> None:
    home = surveyed(with_points_as_told(home), [52, 50])
    own = 'follows = "default"\nwhy = "w"\nsource = "s"\nsince = 2026-03-01\n[segment.ready]\nall = ["readiness.total >= 51"]\n'
    (home.path / "policy" / "segments.toml").write_text(own + 'stay = ["readiness.total >= 45"]\n', "utf-8")
    found = explain(surveyed(Home(home.path), [48], first=2), "P", 1)
    assert table(found) == [(52, "ready"), (50, "ready"), (48, "ready")]
    assert [month.then and month.then.segment for month in found.history] == ["developing", "developing", None]
    assert [other.files for other in found.policies] == [("segments.toml",)]


def test_an_edition_holds_from_its_day_and_leaves_the_past_as_it_was(home: Home) -> None:
    home = surveyed(with_points_as_told(home), [52, 44])
    found = explain(surveyed(with_points_as_told(home, since="2026-03-01", full=80), [56, 40], first=2), "P", 1)
    assert table(found) == [(52, "developing"), (44, "developing"), (70, "ready"), (50, "ready")]
    assert {month.then for month in found.history} == {None}
    assert [str(month.edition) for month in found.history] == ["2026-01-01"] * 2 + ["2026-03-01"] * 2
    lines = printed(found).splitlines()
    assert lines[0].endswith("against the mean of the three month-ends before, over a change of edition:")
    assert lines[5].endswith("ready       edition 2026-03-01 from here on")
    assert lines[6].endswith("ready")


def test_of_facts_that_are_taken_back_it_is_said_what_was_published_with_them(home: Home) -> None:
    home = surveyed(with_points_as_told(home), [52, 70, 52])
    revert(home, Load.objects.get(file_name=f"survey{DAYS[1]}.csv").name, "wrong", NOW)
    assess(home, DAYS[2])
    found = explain(home, "P", 1)
    assert [month.then for month in found.history[:2]] == [None, Then(70, "ready", other_policy=False)]
    assert found.policies == ()
    assert "published then: 70.00, ready, from other facts" in printed(found)


def test_a_fact_that_is_told_late_marks_no_month_end_before_it_was_known(home: Home) -> None:
    home = surveyed(with_points_as_told(home), [52, 53, 54])
    late = f"partner_id,kind,value,period_from,period_to\nP,csat,90,{DAYS[1]},{DAYS[1]}\n"
    take_in_text(home, "late.csv", late, "2026-04-10")
    survey(home, DAYS[3], {"P": 61})
    assess(home, DAYS[3])
    found = explain(home, "P", 1)
    assert [month.total for month in found.history] == [52, 53, 54, 61]
    assert {month.then for month in found.history} == {None}


def test_a_month_end_of_which_too_little_was_known_has_no_points_but_the_words_of_the_headline(home: Home) -> None:
    """Of two lines of equal weight no source brings one: half is known, and 60 percent are enough."""
    home = with_points_as_told(home)
    score = home.path / "policy" / "scores" / "readiness" / "2026-01-01.toml"
    line = '[[part.line]]\nsignal = "message_consistency"\nweight = 1\nlow = 0\nhigh = 100\n'
    score.write_text(score.read_text("utf-8") + line, "utf-8")
    home = Home(home.path)
    for day in DAYS[:2]:
        survey(home, day, {"P": 61})
    assess(home, DAYS[1])
    found = explain(home, "P", 1)
    assert [month.total for month in found.history] == [61, 61]
    assert "Readiness: too little known to say." in explained.explanation(found)
    told = [row.split("  ")[1:3] for row in printed(found).splitlines()[3:]]
    assert told == [[day, "too little known to say"] for day in DAYS[:2]]


def test_programs_read_decimals_where_a_decimal_is_exact_and_fractions_elsewhere(home: Home) -> None:
    home = surveyed(with_points_as_told(home), [61])
    found = explain(home, "P", 1)
    told = ["123/10", "-1/8", "3/64", "1/1000", "37/3", "7", "unknown", None]
    found.standing.result["gaps"] = [{"signal": "s", "gain": gain} for gain in told]
    gains = [gap["gain"] for gap in explained.explanation_json(found)["gaps"]]
    assert gains == ["12.3", "-0.125", "0.046875", "0.001", "37/3", "7", "unknown", None]
