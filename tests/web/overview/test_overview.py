"""The overview: each figure is that of the run, whose partners it counts, what waits, how fresh sources are, what it costs."""

import datetime as dt
import re
from collections.abc import Callable
from fractions import Fraction

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from groundswell.core.concentration import concentration
from groundswell.engine.home import Home
from groundswell.reads.overview import flows
from groundswell.reads.partners import Ranked
from groundswell.records.disputes import Dispute
from groundswell.records.loads import Load
from groundswell.records.runs import Published, PublishedPartner, Run
from groundswell.records.staff import Book, Staff
from tests.web.conftest import keep
from tests.web.routes import ROUTES

SignedIn = Callable[[str], Client]


def current() -> Run:
    found = Published.current()
    assert found is not None
    return found


def text(answer: object) -> str:
    """What stands on a page, without marks."""
    page = answer.content.decode().partition("<main")[2]  # type: ignore[attr-defined]
    return " ".join(re.sub("<[^>]+>", " ", page).split())


def section(page: str, name: str) -> str:
    """The part of a page below one of its heads."""
    return page.partition(f'aria-labelledby="{name}-head"')[2].partition("</section>")[0]


def rows(part: str) -> list[list[str]]:
    """The cells of each row of the first table of a part."""
    body = part.partition("<tbody>")[2].partition("</tbody>")[0]
    found = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in body.split("<tr")[1:]]
    return [[" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in row] for row in found]


def test_segments_add_up_and_say_how_they_moved(signed_in: SignedIn) -> None:
    run = current()
    run.manifest["standing"]["flows"] = [
        ["ready", "ready", 4], ["developing", "ready", 2], ["ready", "inactive", 1], ["not there", "developing", 3],
        ["inactive", "not there", 5],
    ]  # fmt: skip
    run.save()
    page = signed_in("leader").get("/overview/").content.decode()
    part = section(page, "segments")
    assert "3 joined, 5 left, 3 moved" in part
    found = {row[0]: row[2:] for row in rows(part)}
    assert found["Ready"] == ["5", "2", "1", "6", "↑ up 1"]
    assert found["Developing"] == ["2", "3", "2", "3", "↑ up 1"]
    assert found["Inactive"] == ["5", "1", "5", "1", "↓ down 4"]
    assert found["Active"] == ["0", "0", "0", "0", "the same"]
    moved = flows(Ranked(run.run_id, run.as_of, (), run.manifest))
    assert moved is not None
    assert (moved.whole.opening + moved.whole.came - moved.whole.went) == moved.whole.now == 10


def test_where_no_earlier_month_is_known_nobody_has_moved(signed_in: SignedIn) -> None:
    run = current()
    run.manifest["standing"] |= {"since": "", "flows": []}
    run.save()
    part = section(signed_in("leader").get("/overview/").content.decode(), "segments")
    assert "no earlier month is known" in part
    counts = {row[0]: row[2] for row in rows(part)}
    assert counts["Ready"] == str(run.partners.filter(segment="ready").count())


def test_concentration_is_of_those_of_whom_it_is_known(signed_in: SignedIn) -> None:
    keep(12)
    for rank, won in enumerate([900, 50, 50, 0, 0, None, None, 0, 0, 0, 0, 0], 1):
        PublishedPartner.objects.filter(rank=rank).update(won=won)
    page = signed_in("leader").get("/overview/").content.decode()
    part = section(page, "spread")
    expected = concentration([Fraction(one) for one in (900, 50, 50, 0, 0, 0, 0, 0, 0, 0)])
    assert expected is not None
    assert f"<dd>{round(float(expected.effective))}</dd>" in part
    assert "<dd>7 of 10</dd>" in part
    assert "<dt>Not known of</dt><dd>2</dd>" in part
    assert "3 of 10 partners carry all" in part
    assert rows(part) == [["1", "90 %"], ["3", "100 %"]]


@pytest.mark.parametrize(
    ("won", "said"),
    [
        ([None, None, None], "no source says what partners won"),
        ([0, 0, None], "Nobody won a deal in 12 months; of 1 partner it is not known."),
        ([7, 0, 0], "One partner won all of it."),
    ],
)
def test_where_nobody_or_one_won_there_is_a_sentence_and_no_curve(
    won: list[int | None], said: str, signed_in: SignedIn
) -> None:
    for row, amount in zip(keep(3), won, strict=True):
        PublishedPartner.objects.filter(pk=row.pk).update(won=amount)
    part = section(signed_in("leader").get("/overview/").content.decode(), "spread")
    assert said in part
    assert "<svg" not in part


def test_coverage_names_the_signals_and_what_would_add_most(signed_in: SignedIn) -> None:
    run = current()
    run.manifest["signals"] = {"computable": 40, "declared": 50}
    run.manifest["unavailable"] = {
        "seats_in_use": ["subscriptions"], "recurring_revenue": ["subscriptions"], "marketing_money_used": ["funds"],
        "both": ["funds", "overlaps"],
    }  # fmt: skip
    run.save()
    part = section(signed_in("leader").get("/overview/").content.decode(), "known")
    assert "40 of 50 signals can be computed" in part
    assert rows(part) == [
        ["Subscriptions seats in use, recurring revenue", "+ 2"],
        ["Funds marketing money used", "+ 1"],
    ]


def test_each_source_says_its_newest_export_its_age_and_what_is_late(signed_in: SignedIn) -> None:
    now = timezone.now()
    Load.objects.filter(source="salesforce").update(known_at=now - dt.timedelta(days=3))
    Load.objects.filter(source="generic").update(known_at=now - dt.timedelta(days=3))
    Load.objects.filter(format="generic_registrations").update(known_at=now - dt.timedelta(days=50))
    run = current()
    run.manifest["stopped"] = {"salesforce": {"last_on": "2026-08-03", "partners": 6, "regulars": 8}}
    run.save()
    page = signed_in("leader").get("/overview/").content.decode()
    stopped, late = rows(section(page, "known").partition('class="rows folds fresh"')[2])
    assert stopped[0].startswith("salesforce")
    assert (stopped[2], stopped[3]) == ("3", "May have stopped 6 of 8 regulars fell silent about 3 Aug 2026")
    assert (late[2], late[3]) == ("3", "1 of 5 late registrations: 50 days old")
    assert "Ask for newer data of 2 sources" in page
    assert "Ask for newer data" not in signed_in("manager").get("/overview/").content.decode()
    Load.objects.update(known_at=now - dt.timedelta(days=2))
    Run.objects.filter(pk=run.pk).update(manifest={**run.manifest, "stopped": {}})
    part = section(signed_in("leader").get("/overview/").content.decode(), "known").partition(
        'class="rows folds fresh"'
    )[2]
    states = [row[3] for row in rows(part)]
    assert states == ["Good", "Good"]


def test_at_most_three_decisions_wait_people_first(signed_in: SignedIn) -> None:
    Book.objects.all().delete()
    PublishedPartner.objects.filter(rank=9).update(reviews=1)
    PublishedPartner.objects.update(look_at=0)
    run = current()
    ready = run.partners.filter(segment="ready").count()
    assert ready > 1
    leader = section(signed_in("leader").get("/overview/").content.decode(), "wait")
    assert "Three decisions wait for you" in leader
    assert leader.index(f"Give {ready} ready and idle partners a manager") < leader.index(
        "Decide about a partner on a review"
    )
    row = run.partners.first()
    assert row is not None
    Dispute.objects.create(
        partner_id=row.partner_id, partner_name=row.name, run_id=run.run_id, why="no", asked_by=Staff.objects.get(role="leader"),
        asked_at=timezone.now() - dt.timedelta(days=4, hours=1),
    )  # fmt: skip
    works = section(signed_in("operations").get("/overview/").content.decode(), "wait")
    assert works.index("Answer a dispute") < works.index("ready and idle")
    assert "the oldest waits 4 days" in works
    assert works.count("Review</a>") == 3
    assert "Answer a dispute" not in section(signed_in("leader").get("/overview/").content.decode(), "wait")


def test_every_decision_leads_to_as_many_as_it_names(signed_in: SignedIn) -> None:
    browser = signed_in("leader")
    part = section(browser.get("/overview/").content.decode(), "wait")
    found = re.findall(r"<div>(.*?)<br>.*?href=\"(/partners/[^\"]+)\"", part, re.DOTALL)
    assert found
    for what, address in found:
        count = int((re.search(r"\d+", what) or ["1"])[0])
        page = text(browser.get(address.replace("&amp;", "&")))
        assert f"{count} partner" in page, (what, address)


def test_a_manager_sees_the_figures_of_the_own_book_alone(signed_in: SignedIn) -> None:
    manager = Staff.objects.get(role="manager")
    manager.territory = []
    manager.save()
    Book.objects.all().delete()
    page = text(signed_in("manager").get("/overview/"))
    assert "No partner is yours yet" in page
    assert "won in 12 months" not in page
    rows = keep(36)
    for row in rows[:2]:
        Book.objects.create(partner_id=row.partner_id, manager=manager, since=timezone.now())
    page = signed_in("manager").get("/overview/").content.decode()
    assert "of 2 partners" in page.lower()
    assert all(row.name not in page for row in rows[2:])


@pytest.mark.parametrize(("role", "queries"), [("leader", 5), ("operations", 8), ("manager", 11)])
def test_the_overview_costs_the_same_with_one_and_with_three_partners(
    role: str, queries: int, instance: Home, signed_in: SignedIn
) -> None:
    browser = signed_in(role)
    for count in (1, 3):
        keep(count)
        assert browser.get("/overview/").status_code == 200
        with CaptureQueriesContext(connection) as asked:
            browser.get("/overview/")
        assert len(asked) == queries, [one["sql"][:90] for one in asked.captured_queries]


@pytest.mark.parametrize(
    "address", ["/overview/", "/partners/", "/data/", "/data/jobs/", "/data/quarantine/", "/trail/"]
)
def test_no_page_asks_twice_what_is_published(address: str, signed_in: SignedIn) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert signed_in("administrator").get(address).status_code == 200
    assert sum('FROM "records_published"' in one["sql"] for one in asked.captured_queries) <= 1


@pytest.mark.parametrize("role", ["administrator", "leader", "seller"])
def test_before_the_first_run_no_page_breaks(role: str, signed_in: SignedIn) -> None:
    Published.objects.all().delete()
    browser = signed_in(role)
    for name, route in ROUTES.items():
        if not route.acts:
            given = dict(route.others) | ({route.partner: "o_1"} if route.partner else {})
            status = browser.get(reverse(name, kwargs=given)).status_code
            assert status in ((200, 302, 404, 422) if role in route.roles else (403,)), name


@pytest.mark.parametrize("address", ["/overview/", "/partners/", "/disputes/", "/overview/counted/"])
def test_before_the_first_run_a_page_leads_to_what_fills_it(address: str, signed_in: SignedIn) -> None:
    Published.objects.all().delete()
    works, leader = signed_in("operations"), signed_in("leader")
    assert 'class="button first" href="/data/jobs/#assess"' in works.get(address).content.decode()
    assert "Somebody of operations assesses the partners" in text(leader.get(address))
    Load.objects.update(voided_at=timezone.now())
    assert 'class="button first" href="/data/#upload"' in works.get(address).content.decode()
    page = leader.get(address).content.decode()
    assert "Somebody of operations loads it" in page
    assert "#upload" not in page


def test_what_is_not_known_is_not_said_to_be_none(signed_in: SignedIn) -> None:
    keep(2)
    PublishedPartner.objects.update(won=None, segment="")
    page = text(signed_in("leader").get("/overview/"))
    assert "What 2 partners won in 12 months is not known; 2 cannot be placed yet." in page
