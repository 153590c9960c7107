"""With 25 partners, with one and with nobody, what is printed is true: no share of three, no list of nothing."""

import re
from pathlib import Path

import pytest
from tests.river import command, take_in_text

from groundswell.engine.home import Home

PARTNERS = "partner_id,partner_name,partner_type,region,status,tier,joined_on,manager_email"
DEALS = "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on,close_on,type,share_pct"
ACTIVITIES = "partner_id,occurred_at,type,person_email,channel,deal_id,value,source_id"
DAY = "2026-08-31"


def told(home: Home, count: int) -> Path:
    """An instance that knows so many partners. P1 sells; P2 has one open deal and meets; of the others little is known."""
    numbers = range(1, count + 1)
    joined = [f"P{n},Partner {n},si,EMEA,active,gold,{2020 + n % 5}-05-01,cam@vendor.example" for n in numbers]
    deals = [
        "D1,P1,sourced,Acorn,Closed Won,won,90000,USD,2024-08-01,2024-08-20,new,100",
        "D2,P1,sourced,Birch,Closed Won,won,60000,USD,2026-03-01,2026-07-20,new,100",
        "D3,P2,sourced,Cedar,Negotiation,open,80000,USD,2026-06-01,2026-12-20,new,100",
    ]
    acts = [
        f"P{n},2026-0{month}-1{n},{kind},anna@p{n}.example,portal,,,{n}{month}{kind}"
        for n in (1, 2)
        for month in (2, 3, 5, 6, 7, 8)
        for kind in ("portal_login", "meeting", "email_replied")
    ]
    for name, header, rows in (("partners", PARTNERS, joined), ("deals", DEALS, deals), ("acts", ACTIVITIES, acts)):
        mine = [row for row in rows if any(f"P{n}," in row for n in numbers)]
        take_in_text(home, f"{name}.csv", "\n".join([header, *mine]) + "\n", "2026-06-30")
    return home.path


def said(path: Path, *words: str) -> str:
    done = command(path, *words)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_of_one_partner_no_share_of_all_is_said_and_no_plural(home: Home) -> None:
    path = told(home, 1)
    assert said(path, "assess", "--as-of", DAY).startswith(f"1 partner assessed as of {DAY}, run ")
    (line,) = [row for row in said(path, "partners").splitlines() if row.lstrip().startswith("1 ")]
    assert line.split()[1:3] == ["Partner", "1"]
    screen = said(path, "overview")
    assert screen.startswith(f"1 partner as of {DAY}, run ")
    assert "active 1 · ready 0 · developing 0 · inactive 0 · not placed 0" in screen
    assert "attention: too few partners for layers: 1 of 10\n" in screen
    assert "WHAT THE DATA CANNOT SAY YET: 0 partners are not placed" in screen
    shown = said(path, "explain", "P1")
    assert f"as of {DAY}, rank 1 of 1, edition" in shown
    assert "Segment: active since 2026-07-31, by won_revenue > 0 (won revenue 60000 home currency)" in shown
    assert "Attention: in no layer (too few partners for layers: 1 of 10)" in shown
    assert not re.search(r"nan|inf\b|None|\b1 partners|top\b", screen + shown)


def test_of_nobody_it_is_said_why_and_nothing_is_counted(home: Home) -> None:
    for words, first in (
        (["assess", "--as-of", DAY], f"0 partners assessed as of {DAY}, run "),
        (["partners"], f"0 partners assessed as of {DAY}, run "),
        (["overview"], f"0 partners as of {DAY}, run "),
    ):
        printed = said(home.path, *words)
        assert printed.startswith(first)
        assert "0 of 83 signals can be computed from your data" in printed
        assert "Nothing is loaded yet: groundswell take-in FILE" in printed
        assert not re.search(r"READY AND IDLE|not placed|rank|quiet", printed)
    refused = command(home.path, "explain", "P1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "no partner of the published run is called 'P1'. See: groundswell partners\n"


def test_of_a_small_network_shares_are_said_with_what_they_are_of(home: Home) -> None:
    path = told(home, 25)
    assert said(path, "assess", "--as-of", DAY).startswith(f"25 partners assessed as of {DAY}")
    assert len(said(path, "partners").split("\n\n")[0].splitlines()) == 2 + 25
    screen = said(path, "overview")
    assert screen.startswith(f"25 partners as of {DAY}")
    assert re.search(
        r"^attention: top 1 with 100% of the revenue that is known · middle 0 · long tail \d+ \(none", screen, re.M
    )
    counts = [int(n) for n in re.findall(r"(?:active|ready|developing|inactive|placed) (\d+)", screen.splitlines()[1])]
    assert sum(counts) == 25
    shown = said(path, "explain", "P1")
    assert re.search(r"rank \d of 25,", shown)
    assert "Attention: top, 100% of the revenue that is known" in shown
    assert "Attention: long tail, revenue none" in said(path, "explain", "P2")
    assert "Segment: inactive since 2026-06-30 or before, by readiness.total < 40" in said(path, "explain", "P3")


@pytest.mark.parametrize("count", [9, 10])
def test_ten_partners_are_enough_for_layers(home: Home, count: int) -> None:
    path = told(home, count)
    said(path, "assess", "--as-of", DAY)
    few = "attention: too few partners for layers: 9 of 10\n"
    assert (few in said(path, "overview")) == (count == 9)


def test_one_that_nobody_knows_is_not_placed_and_either_fact_would_place_it(home: Home) -> None:
    take_in_text(home, "partners.csv", f"{PARTNERS}\nP1,Partner 1,si,EMEA,active,gold,2020-05-01,\n", "2026-06-30")
    said(home.path, "assess", "--as-of", DAY)
    screen = said(home.path, "overview")
    assert "WHAT THE DATA CANNOT SAY YET: 1 partner is not placed" in screen
    assert "  1 would need readiness.coverage >= 50 or days_since_joined < 180\n" in screen
    shown = said(home.path, "explain", "P1")
    assert "What would place it: known of readiness 0 of 50 percent or days since joined" in shown


ONLY_DEALS = """[source]
name = "own"
[[file]]
[[file.row]]
table = "deals"
external_id = "{deal_id}"
name = "deal_id"
stage = "stage"
stage_class = { const = "open" }
created_on = "created_on"
[[file.row]]
table = "touches"
subject_kind = { const = "deal" }
subject_id = "{deal_id}"
partner_id = "{partner_id}"
role = { const = "sourced" }
evidence = { const = "crm_field" }
starts_on = "created_on"
"""


def test_partners_that_deals_name_and_no_list_has_are_named_and_nothing_is_published(
    home: Home, tmp_path: Path
) -> None:
    deals = [f"D{n},{who},open,2026-05-0{n}\n" for n, who in enumerate(["PX-01", "P1", "PX-02", "PX-03", "PX-04"], 1)]
    (tmp_path / "own.csv").write_text("deal_id,partner_id,stage,created_on\n" + "".join(deals), "utf-8")
    (tmp_path / "own.toml").write_text(ONLY_DEALS, "utf-8")
    words = ("take-in", "--exported-at", "2026-06-30", "--mapping", str(tmp_path / "own.toml"))
    said(home.path, *words, str(tmp_path / "own.csv"))

    refused = command(home.path, "assess", "--as-of", DAY)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert f"0 partners: none was known on {DAY}, so nothing is published.\n" in refused.stderr
    assert "What would bring partners: a list of them" in refused.stderr
    assert "5 partner ids in touches are in no list of partners: PX-01, P1, PX-02, 2 more" in refused.stderr
    assert "nothing is published yet" in command(home.path, "partners").stderr

    (tmp_path / "p.toml").write_text(
        '[source]\nname = "own"\n[[file]]\n[[file.row]]\ntable = "organisations"\nexternal_id = "{id}"\n'
        'name = "id"\nis_partner = { const = true }\nis_customer = { const = false }\n', "utf-8"
    )  # fmt: skip
    (tmp_path / "p.csv").write_text("id,name\nP1,One\n", "utf-8")
    words = ("take-in", "--exported-at", "2026-06-30", "--mapping", str(tmp_path / "p.toml"))
    strays = "4 partner ids in touches are in no list of partners: PX-01, PX-02, PX-03, 1 more\n"
    assert strays in said(home.path, *words, str(tmp_path / "p.csv"))
    said(home.path, "assess", "--as-of", DAY)
    assert strays in said(home.path, "doctor")
