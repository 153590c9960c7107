"""What is done from the list of partners: books in bulk, kept lists, sheets."""

import csv
import io
import re
from collections.abc import Callable

import openpyxl
import pytest
from django.test import Client

from groundswell.engine.home import Home
from groundswell.reads.listing import HEADERS
from groundswell.records.runs import PublishedPartner
from groundswell.records.staff import Book, Staff
from groundswell.records.trail import Entry
from groundswell.records.views import SavedView
from tests.web.conftest import keep

SignedIn = Callable[[str], Client]


def last() -> Entry:
    found = Entry.objects.order_by("-number").first()
    assert found is not None
    return found


# ---------------------------------------------------------------------------------------------------------------- books


def test_partners_go_into_a_book_together_and_the_page_says_how_many(signed_in: SignedIn) -> None:
    chosen = [row.partner_id for row in keep(36)[:3]]
    manager = Staff.objects.get(role="manager")
    Book.objects.all().delete()
    answer = signed_in("leader").post(
        "/partners/assign/?list=ready", {"partner": [*chosen, "o_nobody"], "to": str(manager.pk)}, follow=True
    )
    assert answer.redirect_chain[-1][0] == "/partners/?list=ready"
    assert f"3 partners are in the book of {manager} now." in answer.content.decode()
    assert sorted(Book.objects.values_list("partner_id", flat=True)) == sorted(chosen)
    assert (last().verb, last().about, last().said["partners"]) == (
        "assigned partners to",
        manager.email,
        sorted(chosen),
    )
    signed_in("leader").post("/partners/assign/", {"partner": chosen[:1], "to": "nobody"})
    assert sorted(Book.objects.values_list("partner_id", flat=True)) == sorted(chosen[1:])


def undo(page: str) -> str:
    """Where the form of a page leads that takes an assignment back."""
    return re.findall(r'action="(/partners/assign/\d+/undo/[^"]*)"', page)[-1]


def books() -> set[tuple[str, int, object]]:
    return set(Book.objects.values_list("partner_id", "manager_id", "since"))


@pytest.mark.parametrize("to", ["manager", "nobody"])
def test_an_assignment_is_taken_back_as_one_act_from_the_message_that_confirms_it(to: str, signed_in: SignedIn) -> None:
    rows, manager, other = keep(36), Staff.objects.get(role="manager"), Staff.objects.get(role="leader")
    Staff.objects.filter(pk=other.pk).update(role="manager")
    Book.objects.all().delete()
    browser = signed_in("operations")
    browser.post("/partners/assign/", {"partner": [rows[0].partner_id], "to": str(other.pk)})
    before = books()
    chosen = [row.partner_id for row in rows[:3]]
    to = str(manager.pk) if to == "manager" else to
    page = browser.post("/partners/assign/?order=-won", {"partner": chosen, "to": to}, follow=True).content.decode()
    assert books() != before
    entries = Entry.objects.count()
    answer = browser.post(undo(page), follow=True)
    assert answer.redirect_chain[-1][0] == "/partners/?order=-won"
    assert "Taken back: 3 partners are where they were." in answer.content.decode()
    assert books() == before
    assert Entry.objects.count() == entries + 1
    assert (last().verb, last().said["partners"]) == ("took back an assignment", sorted(chosen))


def test_what_was_changed_since_is_not_taken_back(signed_in: SignedIn) -> None:
    rows, manager = keep(36), Staff.objects.get(role="manager")
    Book.objects.all().delete()
    browser = signed_in("operations")
    chosen = [row.partner_id for row in rows[:3]]
    page = browser.post("/partners/assign/", {"partner": chosen, "to": str(manager.pk)}, follow=True).content.decode()
    signed_in("leader").post("/partners/assign/", {"partner": chosen[:1], "to": str(manager.pk)})
    browser.post(undo(page))
    assert list(Book.objects.values_list("partner_id", flat=True)) == chosen[:1]
    assert last().said["partners"] == sorted(chosen[1:])
    entries = Entry.objects.count()
    answer = browser.post(undo(page), follow=True).content.decode()
    assert "Nothing was taken back: somebody has changed it since." in answer
    assert Entry.objects.count() == entries


@pytest.mark.parametrize("to", ["manager", "nobody"])
def test_what_somebody_put_in_the_same_place_since_is_theirs(to: str, signed_in: SignedIn) -> None:
    rows, manager = keep(36), Staff.objects.get(role="manager")
    chosen = [row.partner_id for row in rows[:3]]
    Book.objects.all().delete()
    signed_in("operations").post("/partners/assign/", {"partner": chosen, "to": str(manager.pk)})
    to = str(manager.pk) if to == "manager" else to
    browser = signed_in("operations")
    page = browser.post("/partners/assign/", {"partner": chosen, "to": "nobody"}, follow=True).content.decode()
    leader = signed_in("leader")
    leader.post("/partners/assign/", {"partner": chosen[:1], "to": str(manager.pk)})
    leader.post("/partners/assign/", {"partner": chosen[:1], "to": "nobody"})
    leader.post("/partners/assign/", {"partner": chosen[1:2], "to": to})
    there = books()
    browser.post(undo(page))
    assert last().said["partners"] == chosen[2:]
    assert {one for one in books() if one[0] != chosen[2]} == there


def test_two_assignments_are_taken_back_one_after_the_other(signed_in: SignedIn) -> None:
    rows, manager, browser = keep(36), Staff.objects.get(role="manager"), signed_in("operations")
    chosen = [row.partner_id for row in rows[:3]]
    Book.objects.all().delete()
    ways = [
        undo(browser.post("/partners/assign/", {"partner": chosen, "to": to}, follow=True).content.decode())
        for to in (str(manager.pk), "nobody")
    ]
    browser.post(ways[1])
    assert {one[0] for one in books()} == set(chosen)
    browser.post(ways[0])
    assert books() == set()


def test_nobody_takes_back_what_is_not_their_own(signed_in: SignedIn) -> None:
    row, manager = keep(3)[0], Staff.objects.get(role="manager")
    page = signed_in("operations").post(
        "/partners/assign/", {"partner": row.partner_id, "to": str(manager.pk)}, follow=True
    )
    address = undo(page.content.decode())
    before = books(), Entry.objects.count()
    assert signed_in("leader").post(address).status_code == 404
    assert signed_in("manager").post(address).status_code == 403
    assert signed_in("operations").post("/partners/assign/1/undo/").status_code == 404
    assert signed_in("operations").get(address).status_code == 405
    assert (books(), Entry.objects.count()) == before


@pytest.mark.parametrize(("to", "chosen"), [("", True), ("nobody", False), ("seller", True), ("999", True)])
def test_a_book_without_partner_or_manager_is_refused(to: str, chosen: bool, signed_in: SignedIn) -> None:
    row = keep(3)[0]
    to = str(Staff.objects.get(role=to).pk) if to == "seller" else to
    before = Entry.objects.count(), Book.objects.count()
    answer = signed_in("leader").post("/partners/assign/", {"partner": [row.partner_id] if chosen else [], "to": to})
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.content.decode()
    assert (Entry.objects.count(), Book.objects.count()) == before


@pytest.mark.parametrize("role", ["manager", "seller"])
def test_who_may_not_assign_is_shown_no_way_and_refused(role: str, signed_in: SignedIn) -> None:
    row, browser = keep(3)[0], signed_in(role)
    assert "/partners/assign/" not in browser.get("/partners/").content.decode()
    before = Book.objects.count()
    assert browser.post("/partners/assign/", {"partner": row.partner_id, "to": "nobody"}).status_code == 403
    assert Book.objects.count() == before


# ---------------------------------------------------------------------------------------------------------- kept lists


def test_a_list_is_kept_as_a_tab_of_ones_own_and_forgotten(signed_in: SignedIn) -> None:
    keep(3)
    browser = signed_in("leader")
    browser.post("/partners/lists/?country=DE&order=-won&show=tier&at=&junk=1", {"name": "  German   wins "})
    assert last().verb == "kept a list"
    tab = '<a href="/partners/?country=DE&amp;order=-won&amp;show=tier"'
    page = browser.get("/partners/?order=-won&country=DE&show=tier").content.decode()
    assert f'{tab} aria-current="page">German wins</a>' in page
    assert "Forget “German wins”" in page
    assert tab not in signed_in("operations").get("/partners/").content.decode()
    assert signed_in("operations").post("/partners/lists/drop/", {"name": "German wins"}).status_code == 404
    browser.post("/partners/lists/drop/", {"name": "German wins"})
    assert not SavedView.objects.exists()
    assert last().verb == "dropped a list"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_list_needs_a_name(name: str, signed_in: SignedIn) -> None:
    keep(3)
    answer = signed_in("leader").post("/partners/lists/?country=DE", {"name": name})
    assert answer.status_code == 422
    assert 'aria-describedby="kept-wrong"' in answer.content.decode()
    assert not SavedView.objects.exists()


# -------------------------------------------------------------------------------------------------------------- sheets


def read(answer: object) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_sheet_holds_exactly_the_rows_of_the_list_in_its_order(instance: Home, signed_in: SignedIn) -> None:
    keep(130)
    PublishedPartner.objects.filter(rank=7).update(name='=HYPERLINK("http://x","y")', won=None, country="DE")
    wanted = list(PublishedPartner.objects.filter(country="DE").order_by("-name", "-rank"))
    assert len(wanted) > 20
    browser = signed_in("leader")
    answer = browser.post("/partners/export/?country=DE&order=-name", {"form": "csv"})
    rows = list(csv.DictReader(io.StringIO(read(answer).decode())))
    assert [row["partner_id"] for row in rows] == [row.partner_id for row in wanted]
    assert tuple(rows[0]) == HEADERS
    odd = next(row for row in rows if "HYPERLINK" in row["name"])
    assert odd["name"].startswith("'=")
    assert odd["won_12_months"] == ""
    assert all("." not in row[name] for row in rows for name in ("readiness", "low", "high"))
    assert (last().verb, last().about) == ("exported partners", "country=DE&order=-name")
    assert (last().said["partners"], last().said["form"]) == (len(wanted), "csv")
    book = openpyxl.load_workbook(
        io.BytesIO(read(browser.post("/partners/export/?country=DE&order=-name", {"form": "xlsx"})))
    )
    cells = list(book.active.iter_rows(values_only=True))
    assert [row[1] for row in cells[1:]] == [row.partner_id for row in wanted]
    assert [row[0] for row in cells[1:]] == [row.name for row in wanted]
    assert not list((instance.path / "uploads").glob("export-*"))


def test_a_sheet_has_no_row_that_one_does_not_see(signed_in: SignedIn) -> None:
    keep(36)
    held = set(Book.objects.filter(manager__role="manager").values_list("partner_id", flat=True))
    rows = csv.DictReader(io.StringIO(read(signed_in("manager").post("/partners/export/", {"form": "csv"})).decode()))
    found = {row["partner_id"] for row in rows}
    assert found
    assert found <= held


def test_who_may_not_export_gets_no_sheet_and_leaves_no_entry(signed_in: SignedIn) -> None:
    keep(3)
    before = Entry.objects.count()
    assert signed_in("seller").post("/partners/export/", {"form": "csv"}).status_code == 403
    assert signed_in("leader").get("/partners/export/?form=csv").status_code == 405
    assert signed_in("leader").post("/partners/export/", {"form": "pdf"}).status_code == 400
    assert Entry.objects.count() == before
