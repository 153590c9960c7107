"""Where partners stand, run by run and in one run: the memory of month-ends, late facts, and who else is there."""

import datetime as dt
import os
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.river import assess, results, take_in, take_in_text
from tests.stories.instances import beside, judged, run_files
from tests.survey import month_ends, survey, with_points_as_told

from groundswell.cli.say import one_screen
from groundswell.demo.exports import make
from groundswell.engine.home import Home
from groundswell.reads.overview import overview
from groundswell.records.runs import HISTORY, Run


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def standings(home: Home, run: Run) -> dict[str, tuple[str, str, str]]:
    """{partner: (points, segment, since)} as published."""
    found: dict[str, Any] = results(home, run)
    return {
        partner: (one["readiness"]["total"], one["standing"]["segment"], one["standing"]["since"])
        for partner, one in found.items()
    }


def looked_back(home: Home, run: Run) -> dict[str, list[dict[str, Any]]]:
    """{partner: its month-ends and the day, oldest first} as a run has stored them."""
    rows = pq.read_table(home.run_folder(run.run_id) / HISTORY).to_pylist()
    names = {row.partner_id: row.external_id for row in run.partners.all()}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(names[row.pop("partner_id")], []).append(row | {"day": str(row["day"])})
    return found


def measure_again(home: Home, run: Run) -> None:
    """Every month-end is measured anew, from what is known now: the run gives the same bytes, or NotReproduced."""
    for kept in (home.path / "history").iterdir():
        kept.unlink()
    assert assess(home, str(run.as_of)).run_id == run.run_id


# ---------------------------------------------------------------------------------------------- run by run, in one run

DAYS = month_ends("2026-01", 8)
POINTS = {
    "dips and leaves after two": [60, 57, 55, 59, 54, 53, 60, 59],
    "never comes in": [59, 59, 58, 59, 59, 59, 59, 59],
    "one month-end outside is none": [60, 54, 55, 54, 57, 54, 54, 59],
    "falls far": [75, 30, 30, 41, 39, 60, 60, 60],
    "joins late": [0, 0, 0, 61, 56, 56, 56, 56],
}
R, D, I = "ready", "developing", "inactive"  # noqa: E741
STANDS = {
    "dips and leaves after two": [R, R, R, R, R, D, R, R],
    "never comes in": [D, D, D, D, D, D, D, D],
    "one month-end outside is none": [R, R, R, R, R, R, D, D],
    "falls far": [R, R, I, D, I, R, R, R],
    "joins late": ["", "", "", R, R, R, R, R],
}
SINCE = {
    "dips and leaves after two": [0, 0, 0, 0, 0, 5, 6, 6],
    "never comes in": [0, 0, 0, 0, 0, 0, 0, 0],
    "one month-end outside is none": [0, 0, 0, 0, 0, 0, 6, 6],
    "falls far": [0, 0, 2, 3, 4, 5, 5, 5],
    "joins late": [0, 0, 0, 3, 3, 3, 3, 3],
}


def told(month: int) -> dict[str, int]:
    return {partner: points[month] for partner, points in POINTS.items() if points[month]}


def test_ready_is_entered_at_sixty_kept_down_to_fifty_five_and_left_after_two_month_ends(home: Home) -> None:
    """Run by run, and in one run of another instance that was told the same: the same state at every month-end."""
    home = with_points_as_told(home)
    runs: list[Run] = []
    for month, day in enumerate(DAYS):
        survey(home, day, told(month))
        runs.append(assess(home, day))
        assert standings(home, runs[-1]) == {
            partner: (str(figure), STANDS[partner][month], DAYS[SINCE[partner][month]])
            for partner, figure in told(month).items()
        }
    back = looked_back(home, runs[-1])
    for partner, months in back.items():
        assert [(row["day"], row["total"], row["segment"]) for row in months] == [
            (day, points, segment)
            for day, points, segment in zip(DAYS, POINTS[partner], STANDS[partner], strict=True)
            if points
        ]
    with beside(home, "other") as other:
        other = with_points_as_told(other)
        for month, day in enumerate(DAYS):
            survey(other, day, told(month))
        once = assess(other, DAYS[-1])
        assert once.run_id == runs[-1].run_id
        assert run_files(other, once) == run_files(home, runs[-1])


def test_a_run_between_month_ends_counts_nothing(home: Home) -> None:
    home = with_points_as_told(home)
    for day, points in zip(DAYS, [60, 54, 40], strict=False):
        survey(home, day, {"P": points})
    assert standings(home, assess(home, "2026-03-30")) == {"P": ("54", "ready", DAYS[0])}
    assert "stays for now, outside its bounds" in one_screen.overview(overview(5))
    assert standings(home, assess(home, "2026-03-31")) == {"P": ("40", "developing", DAYS[2])}
    survey(home, "2026-04-10", {"P": 61})
    assert standings(home, assess(home, "2026-04-15")) == {"P": ("61", "ready", "2026-04-15")}
    survey(home, "2026-04-20", {"P": 58})
    assert standings(home, assess(home, "2026-04-25")) == {"P": ("58", "developing", DAYS[2])}


def test_memory_reaches_as_far_back_as_month_ends_are_looked_at(home: Home) -> None:
    home = with_points_as_told(home)
    own = 'follows = "default"\nwhy = "w"\nsource = "s"\nsince = 2026-01-01\n[bounds]\nhistory_months = 2\n'
    (home.path / "policy" / "limits.toml").write_text(own, "utf-8")
    for day, points in zip(DAYS, [60, 57, 57, 57], strict=False):
        survey(home, day, {"P": points})
    assert standings(home, assess(home, DAYS[2])) == {"P": ("57", "ready", DAYS[0])}
    assert standings(home, assess(home, DAYS[3])) == {"P": ("57", "developing", DAYS[1])}


def test_a_made_ecosystem_stands_in_one_run_where_it_stood_run_by_run(home: Home, tmp_path: Path) -> None:
    make(tmp_path, partners=48, months=6, until=dt.date(2026, 10, 31))
    days = month_ends("2026-05", 6)
    runs: list[Run] = []
    for day, folder in zip(days, sorted((tmp_path / "exports").iterdir()), strict=True):
        for path in sorted(folder.iterdir()):
            take_in(home, path, day)
        runs.append(assess(home, day))
    published = [judged(home, run) for run in runs]
    compared = 0
    for partner, months in looked_back(home, runs[-1]).items():
        assert [row["day"] for row in months] == [d for d, then in zip(days, published, strict=True) if partner in then]
        for row in months:
            then: Any = published[days.index(row["day"])][partner]
            assert row["segment"] == then["standing"]["segment"], (partner, row["day"])
            for figure in ("total", "low", "high", "coverage"):
                said = then["readiness"][figure]
                assert row[figure] == (None if said is None else pytest.approx(float(Fraction(said)), abs=1e-6))
            compared += 1
    assert compared > 250
    assert {"active", "ready", "developing", "inactive"} <= {
        one["standing"]["segment"] for one in published[-1].values()
    }
    measure_again(home, runs[-1])


# -------------------------------------------------------------------------------------------------------- late facts

HEADERS = {
    "partners": "partner_id,partner_name,partner_type,region,status,tier,joined_on,manager_email",
    "activities": "partner_id,occurred_at,type,person_email,channel,deal_id,value,source_id",
    "deals": "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on,close_on,type,share_pct",
    "people": "partner_id,person_email,person_name,credential_code,level,status,issued_on,expires_on",
    "registrations": "registration_id,partner_id,customer_name,state,closure,submitted_at,decided_at,expires_on,deal_id,amount,"
    "currency",
}


def export(home: Home, kind: str, day: str, rows: list[str]) -> None:
    take_in_text(home, f"{kind}{day}.csv", "\n".join([HEADERS[kind], *rows]) + "\n", day)


def test_a_fact_that_is_known_forty_days_late_changes_today_and_no_month_end_before_it_was_known(home: Home) -> None:
    """A deal and meetings of May, told in June: the end of May keeps what it knew then, also when June looks back."""
    days = month_ends("2026-03", 4)
    won = "D0,P,sourced,Acorn,Negotiation,open,5000,USD,2026-02-01,2026-12-01,new,"
    for day in days:
        export(home, "partners", day, ["P,Partner,si,EMEA,active,gold,2024-05-01,cam@vendor.example"])
        export(home, "deals", day, [won])
        export(home, "activities", day, ["P,2026-01-15,meeting,a@p.example,portal,,1,a0"])
    runs = {day: assess(home, day) for day in days}
    late = "D1,P,sourced,Birch,Closed Won,won,90000,USD,2026-03-05,2026-05-10,new,"
    export(home, "deals", "2026-06-19", [won, late])
    export(home, "activities", "2026-06-19", [f"P,2026-05-10,meeting,a@p.example,portal,,1,b{n}" for n in range(3)])
    today = assess(home, "2026-06-30")
    assert standings(home, today)["P"][1:] == ("active", "2026-06-30")
    assert standings(home, runs["2026-06-30"])["P"][1] != "active"
    found: Any = results(home, today)["P"]
    assert [found["signals"][name]["low"] for name in ("won_revenue", "meetings_last_quarter")] == ["90000", "3"]
    before, after = (looked_back(home, run)["P"] for run in (runs["2026-06-30"], today))
    assert [row["day"] for row in after] == days
    assert after[:-1] == before[:-1]
    assert after[-1]["part_engagement"] > before[-1]["part_engagement"]
    assert after[-1]["total"] > before[-1]["total"]
    measure_again(home, today)
    assert assess(home, "2026-05-31").manifest["outputs"] == runs["2026-05-31"].manifest["outputs"]


# --------------------------------------------------------------------------------------------------- who else is there

TYPES = ["portal_login", "email_replied", "meeting", "training_completed", "campaign_response", "joint_call"]
EXPORTED = month_ends("2026-08", 3)


def life(name: str, first: str) -> dict[str, list[tuple[str, str]]]:
    """What one partner does from a day on, told by its name alone: {kind: [(day, row)]}."""
    chance, begun = Random(name), dt.date.fromisoformat(first)
    span, email = (dt.date(2026, 10, 31) - begun).days, f"anna@{name.lower()}.example"

    def day(least: int = 0) -> str:
        return str(begun + dt.timedelta(days=chance.randint(least, span)))

    found: dict[str, list[tuple[str, str]]] = {kind: [] for kind in HEADERS}
    joined = f"{name},Firm {name},si,EMEA,active,gold,{first},cam@vendor.example"
    found["partners"].append((first, joined))
    for number in range(chance.randint(0, 60)):
        when = day()
        row = f"{name},{when},{chance.choice(TYPES)},{email},portal,,1,{name}-{number}"
        found["activities"].append((when, row))
    for number in range(chance.randint(0, 6)):
        when, customer = day(), chance.choice(["Acorn", "Birch", f"Own {name}"])
        stage = chance.choice(["Negotiation,open", "Closed Won,won", "Closed Lost,lost"])
        amount = chance.choice(["", *map(str, range(5000, 200000, 15000))])
        row = f"{name}-D{number},{name},sourced,{customer},{stage},{amount},USD,{when},{when},new,50"
        found["deals"].append((when, row))
    for number in range(chance.randint(0, 4)):
        when = day()
        found["people"].append((when, f"{name},{number}{email},Anna,CERT-A,professional,active,{when},2028-01-01"))
        customer, on = chance.choice(["Thrice", f"Claimed {number}"]), f"2026-08-2{number}"
        found["registrations"].append(
            (on, f"{name}-R{number},{name},{customer},approved,converted,{on},{on},,{name}-D0,100,USD")
        )
    return found


def everything_once(name: str, day: str) -> dict[str, list[tuple[str, str]]]:
    """One partner with a fact of each kind on a day before all others: from then on sources cover everybody."""
    found = life(name, "2026-01-01")
    email = f"anna@{name.lower()}.example"
    for number, kind in enumerate(TYPES):
        found["activities"].append((day, f"{name},{day},{kind},{email},portal,{name}-D9,1,{name}-first{number}"))
    found["deals"].append((day, f"{name}-D9,{name},sourced,Acorn,Closed Won,won,700,USD,{day},{day},new,50"))
    found["people"].append((day, f"{name},0{email},Anna,CERT-A,professional,active,{day},2028-01-01"))
    found["registrations"].append(
        (day, f"{name}-R9,{name},Claimed,approved,converted,{day},{day},2026-12-01,{name}-D9,100,USD")
    )
    return found


FIRST = [everything_once("P00", "2026-01-01"), *(life(f"P{n:02}", "2026-01-01") for n in range(1, 16))]


def programme(home: Home, partners: list[dict[str, list[tuple[str, str]]]]) -> Run:
    """Four months of exports of these partners, each one file a kind with all that has happened by its day."""
    for exported in EXPORTED:
        for kind in HEADERS:
            rows = [row for one in partners for day, row in one[kind] if day <= exported]
            export(home, kind, exported, rows)
    return assess(home, EXPORTED[-1])


def own(result: Any) -> Any:
    """What is said of a partner by its own figures: apart from rank, layer of attention, and peers' middle."""
    attention = {what: result["standing"]["attention"][what] for what in ("has", "lacks")}
    look_at = [reason for reason in result["standing"]["look_at"] if reason["kind"] != "above outcome"]
    standing = result["standing"] | {"attention": attention, "look_at": look_at}
    return {name: said for name, said in result.items() if name != "rank"} | {"standing": standing}


def joining(count: int) -> list[dict[str, list[tuple[str, str]]]]:
    return [life(f"N{number:03}", "2026-08-15") for number in range(count)]


def test_no_figure_of_a_partner_moves_because_others_joined(home: Home) -> None:
    """Score, segment, silence and history are a partner's own, whether one joins or a hundred do."""
    alone = programme(home, FIRST)
    said, back = judged(home, alone), looked_back(home, alone)
    seen = [one["standing"] for one in said.values()]
    assert {one["segment"] for one in seen} >= {"active", "inactive"}
    assert {one["quiet"]["state"] for one in seen} >= {"active", "gone quiet", "cannot tell"}
    assert any(one["look_at"] for one in seen)
    for count in (1, 100):
        with beside(home, f"with {count}") as other:
            among = programme(other, FIRST + joining(count))
            now, back_now = judged(other, among), looked_back(other, among)
        assert len(now) == len(said) + count
        assert {partner: own(now[partner]) for partner in said} == {partner: own(one) for partner, one in said.items()}
        assert {partner: back_now[partner] for partner in back} == back
    assert {now[partner]["rank"] for partner in said} != {one["rank"] for one in said.values()}
    layers = [{partner: found[partner]["standing"]["attention"]["layer"] for partner in said} for found in (said, now)]
    assert layers[0] != layers[1]  # how much of us a partner earns depends on what the others bring


def test_one_who_brings_older_facts_of_a_kind_makes_others_better_known_and_contradicts_nothing(home: Home) -> None:
    """From the first fact of a kind on a source covers everybody: ranges become narrower, inside what they were."""
    said = judged(home, programme(home, FIRST))
    with beside(home, "veteran") as other:
        now = judged(other, programme(other, [*FIRST, everything_once("V", "2023-01-01")]))
    narrower = 0
    for partner, one in said.items():
        then, found = one["readiness"], now[partner]["readiness"]
        low, high, least, most = (Fraction(x[end]) for x in (found, then) for end in ("low", "high"))
        assert least <= low <= high <= most
        narrower += high - low < most - least
    assert narrower > 5
