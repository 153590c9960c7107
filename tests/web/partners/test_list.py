"""The list of partners: every order and filter, pages by keyset, whose rows, what it costs, what it says when it is empty."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from groundswell.actions import books
from groundswell.actions.act import Actor
from groundswell.engine.home import Home
from groundswell.reads import listing
from groundswell.reads.listing import BadListing, Listing
from groundswell.records.runs import Published, PublishedPartner, Run
from groundswell.records.staff import Book, Staff
from groundswell.runs.publish import published_partner
from tests.web.conftest import keep

SignedIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _counted_anew() -> Iterator[None]:
    listing.forget_facts()
    yield
    listing.forget_facts()


def run() -> Run:
    found = Published.current()
    assert found is not None
    return found


def person(role: str) -> Staff:
    return Staff.objects.get(role=role)


def ids(role: str, **asked: str) -> list[str]:
    return [str(row[1]) for row in listing.sheet(run(), person(role), Listing.parsed(asked), "USD")]


def leafed(role: str, asked: Listing) -> tuple[list[list[str]], list[list[str]]]:
    """Every page on the way to the last, and every page on the way back."""
    there, page = [], listing.page(run(), person(role), asked)
    while True:
        assert page.first == 1 + sum(map(len, there))
        there.append([one.row.partner_id for one in page.rows])
        if not page.after:
            break
        page = listing.page(run(), person(role), asked, page.after)
    back = [there[-1]]
    while page.before:
        page = listing.page(run(), person(role), asked, page.before)
        back.insert(0, [one.row.partner_id for one in page.rows])
        assert page.first == 1 + sum(map(len, there[: len(there) - len(back)]))
    return there, back


@pytest.mark.parametrize(
    "order", ["rank", "-rank", "name", "-name", "coverage", "-coverage", "last", "-last", "won", "-won"]
)
@pytest.mark.parametrize("filters", [{}, {"q": "o"}])
def test_every_order_shows_everybody_once_there_and_back(order: str, filters: dict[str, str], instance: Home) -> None:
    rows = keep(130)
    PublishedPartner.objects.filter(rank__in=range(3, 130, 7)).update(won=None, last_on=None)
    rows = [row for row in run().partners.all() if "o" in row.name.lower() or not filters]
    column = {"last": "last_on"}.get(order.removeprefix("-"), order.removeprefix("-"))
    down = order.startswith("-")
    known = [row for row in rows if getattr(row, column) is not None]
    known.sort(key=lambda row: (getattr(row, column), row.rank), reverse=down)
    wanted = [row.partner_id for row in known + [row for row in rows if getattr(row, column) is None]]
    there, back = leafed("leader", Listing.parsed({"order": order, **filters}))
    assert [one for page in there for one in page] == wanted
    assert len(there) == -(-len(wanted) // 50) > 1
    assert there == back


def test_filters_find_who_has_it(instance: Home) -> None:
    rows = keep(36)
    PublishedPartner.objects.update(look_at=0, reviews=0)
    PublishedPartner.objects.filter(pk=rows[5].pk).update(look_at=1)
    PublishedPartner.objects.filter(pk=rows[6].pk).update(reviews=1, quiet="gone quiet", attention="middle")
    PublishedPartner.objects.filter(pk=rows[7].pk).update(name="Straße & Söhne 100%")
    rows = list(run().partners.all())
    manager = person("manager")
    held = set(Book.objects.filter(manager=manager).values_list("partner_id", flat=True))
    quiet = ("gone quiet", "unlikely")
    wanted: dict[tuple[str, str], Callable[[PublishedPartner], bool]] = {
        ("segment", "ready"): lambda row: row.segment == "ready",
        ("segment", "none"): lambda row: row.segment == "",
        ("band", "high"): lambda row: row.band == "high",
        ("quiet", "active"): lambda row: row.quiet == "active",
        ("attention", "middle"): lambda row: row.attention == "middle",
        ("country", rows[0].country): lambda row: row.country == rows[0].country,
        ("partner_type", rows[1].partner_type): lambda row: row.partner_type == rows[1].partner_type,
        ("tier", "none"): lambda row: row.tier == "",
        ("manager", "nobody"): lambda row: row.partner_id not in held,
        ("manager", str(manager.pk)): lambda row: row.partner_id in held,
        ("list", "ready"): lambda row: row.segment == "ready",
        ("list", "short"): lambda row: row.segment == "developing" and row.short in (1, 2),
        ("list", "quiet"): lambda row: row.quiet in quiet,
        ("list", "dormant"): lambda row: row.quiet == "gone quiet",
        ("list", "strong"): lambda row: row.quiet in (*quiet, "cooling") and row.attention in ("top", "middle"),
        ("list", "look"): lambda row: row.pk == rows[5].pk,
        ("list", "review"): lambda row: row.pk == rows[6].pk,
        ("list", "unknown"): lambda row: row.segment == "" or row.state == "too little known",
        ("q", "söhne 100%"): lambda row: row.pk == rows[7].pk,
    }
    for (name, value), has in wanted.items():
        assert ids("leader", **{name: value}) == [row.partner_id for row in rows if has(row)], (name, value)
        said = listing.counted(run(), person("leader"), Listing.parsed({name: value}))
        assert said == (sum(map(has, rows)), sum(has(row) and row.coverage < 0.5 for row in rows))
    assert ids("manager", manager="me") == [row.partner_id for row in rows if row.partner_id in held]


def test_two_filters_hold_together(instance: Home) -> None:
    country = keep(36)[0].country
    PublishedPartner.objects.filter(rank__lt=20).update(name="Xylo")
    both = ids("leader", country=country, q="xyl")
    assert both == [one for one in ids("leader", country=country) if one in ids("leader", q="xyl")]
    assert 0 < len(both) < len(ids("leader", country=country))


def test_nobody_lists_what_is_not_theirs(instance: Home, signed_in: SignedIn) -> None:
    rows = keep(36)
    seller, manager = person("seller"), person("manager")
    own = {row.partner_id for row in rows if row.country in seller.territory}
    held = set(Book.objects.filter(manager=manager).values_list("partner_id", flat=True))
    assert 0 < len(own) < len(rows)
    assert set(ids("seller")) == own
    assert set(ids("manager")) == {row.partner_id for row in rows} & held
    foreign = next(row for row in rows if row.partner_id not in own)
    browser = signed_in("seller")
    page = browser.get("/partners/").content.decode()
    assert foreign.partner_id not in page
    assert f"<strong>{len(own)} partners</strong>" in page
    choices = set(re.findall(r'<option value="([A-Z]{2})"', page))
    assert choices == {row.country for row in rows if row.partner_id in own}
    assert browser.get(f"/partners/{foreign.partner_id}/drawer/").status_code == 404
    assert browser.get("/partners/o_nobody/drawer/").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["order=size", "list=best", "manager=x", "manager=1%20or%201", "at=x", "at=W10", "at=bnVsbA", "at=WyIiLDEsLTEsZmFsc2UsMF0",
     "at=WyJ3b24iLCJOYU4iLDEsZmFsc2UsMF0&order=won", "at=WyItd29uIiwiMCIsMSxmYWxzZSwwXQ", "q=%00"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(query: str, signed_in: SignedIn) -> None:
    assert signed_in("leader").get(f"/partners/?{query}").status_code == 400


def test_a_place_holds_in_its_own_order_only(instance: Home) -> None:
    keep(60)
    after = listing.page(run(), person("leader"), Listing.parsed({"order": "name"})).after
    assert listing.page(run(), person("leader"), Listing.parsed({"order": "name"}), after).first == 51
    with pytest.raises(BadListing):
        listing.page(run(), person("leader"), Listing.parsed({"order": "won"}), after)


def test_a_page_costs_the_same_queries_however_many_rows(signed_in: SignedIn) -> None:
    browser, asked = signed_in("leader"), {}
    for count in (50, 3, 1):
        keep(count)
        listing.forget_facts()
        browser.get("/partners/")
        for query in ("", "q=%20", "country=DE", "order=-won"):
            with CaptureQueriesContext(
                connection,
            ) as found:
                browser.get(f"/partners/?{query}")
            work = [
                one["sql"]
                for one in found
                if not one["sql"].startswith(("BEGIN", "COMMIT")) and "usersession" not in one["sql"]
            ]
            asked.setdefault(query, set()).add(len(work))
    # session, person, pointer, keys, rows, managers, lists of one's own; won has an unknown end
    assert asked == {"": {7}, "q=%20": {7}, "country=DE": {7}, "order=-won": {8}}


def test_a_filter_is_counted_once_a_run_and_not_where_one_page_holds_it(instance: Home) -> None:
    keep(130)
    many, few = Listing.parsed({"q": "copy"}), Listing.parsed({"q": "copy 0004"})
    for asked, counts in ((many, 1), (many.by("won", True), 0), (few, 0)):
        with CaptureQueriesContext(connection) as found:
            page = listing.page(run(), person("leader"), asked)
            count, thin = listing.counted(run(), person("leader"), asked, page)
        assert sum("COUNT" in one["sql"] for one in found) == counts
        rows = list(listing.matching(run(), person("leader"), asked))
        assert (count, thin) == (len(rows), sum(row.coverage < 0.5 for row in rows))
    assert not listing.page(run(), person("leader"), many, listing.page(run(), person("leader"), many).after).whole


def test_what_is_kept_of_a_filter_is_kept_by_whose_rows_they_are(instance: Home) -> None:
    """Two managers of other books and territories, and a seller, ask the same and each gets the count of the own rows."""
    rows = keep(400)
    one, leader = person("manager"), person("leader")
    other = Staff.objects.create(email="other@example.com", name="Other", role="manager", territory=["GB"])
    at = Book.objects.all()[0].since
    Book.objects.all().delete()
    Book.objects.bulk_create([Book(partner_id=row.partner_id, manager=one, since=at) for row in rows[:200]])
    Book.objects.bulk_create([Book(partner_id=row.partner_id, manager=other, since=at) for row in rows[200:270]])
    asked = [Listing.parsed(said) for said in ({"q": "copy"}, {}, {"manager": "me"}, {"manager": "nobody"})]

    def found(staff: Staff) -> list[tuple[int, int, int]]:
        return [
            (
                listing.counted(run(), staff, each)[0],
                listing.matching(run(), staff, each).count(),
                listing.facts(run(), staff).all,
            )
            for each in asked
        ]

    for _ in range(2):
        sizes = {staff.pk: found(staff) for staff in (leader, one, other, person("seller"))}
        for each in sizes.values():
            assert all(kept == there for kept, there, _ in each)
        assert len({tuple(each) for each in sizes.values()}) == len(sizes)
    assert sizes[one.pk][1] == (200, 200, 200)
    given = [row.partner_id for row in rows[270:300]]
    books.assign(
        Actor(instance.path, leader, at), given, one
    )  # what is kept of a book ends with the act that changes it
    assert found(one)[1] == (230, 230, 230)
    assert found(leader)[3][0] == 400 - 300
    for role, own in (
        ("leader", (230, 230, 400)),
        ("seller", (0, 0, 0)),
    ):  # whoever was a manager, and whoever never was
        Staff.objects.filter(pk=one.pk).update(role=role, territory=[])
        assert found(leader)[2] == (0, 0, 400)
        assert found(Staff.objects.get(pk=one.pk))[2] == own


def test_a_list_that_ended_before_its_page_is_still_counted(instance: Home) -> None:
    keep(60)
    asked = Listing.parsed({"q": "o"})
    after = listing.page(run(), person("leader"), Listing()).after
    PublishedPartner.objects.filter(rank__gt=50).update(name="x")
    page = listing.page(run(), person("leader"), asked, after)
    assert not page.rows
    assert listing.counted(run(), person("leader"), asked, page)[0] > 0


def test_a_page_is_small(signed_in: SignedIn) -> None:
    keep(60)
    assert len(signed_in("leader").get("/partners/").content) < 50_000


@pytest.mark.parametrize("order", sorted(listing.ORDERS))
def test_pages_are_sought_in_an_index_and_never_sorted(order: str, instance: Home) -> None:
    keep(130)
    asked = Listing.parsed({"order": order})
    after = listing.page(run(), person("leader"), asked).after
    with CaptureQueriesContext(connection) as found:
        listing.page(run(), person("leader"), asked, after)
    keys = [one["sql"] for one in found if 'AS "pk"' in one["sql"]]
    assert keys
    for sql in keys:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(row[3] for row in cursor.fetchall())
        assert plan.startswith("SEARCH")
        assert "USING COVERING INDEX" in plan
        assert "TEMP B-TREE" not in plan


def test_filters_are_read_from_one_index(instance: Home) -> None:
    keep(36)
    asked = Listing.parsed({"q": "a", "country": "DE", "band": "high", "tier": "gold", "list": "look", "order": "-won"})
    with CaptureQueriesContext(connection) as found:
        listing.page(run(), person("leader"), asked)
        listing.counted(run(), person("leader"), asked)
    read = [one["sql"] for one in found if "LIKE" in one["sql"]]
    assert len(read) >= 2
    for sql in read:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
            assert "USING COVERING INDEX partners_by_won" in " ".join(row[3] for row in cursor.fetchall())


# ---------------------------------------------------------------------------------------------------------- what is said


def test_nothing_found_names_the_filter_and_clears_it_alone(signed_in: SignedIn) -> None:
    country = keep(36)[0].country
    browser = signed_in("leader")
    page = browser.get(f"/partners/?country={country}&q=zzzz").content.decode()
    assert "No partner is found" in page
    assert f'<a class="button" href="/partners/?country={country}">Clear name: zzzz</a>' in page
    assert page.count('class="button" href="/partners/?') == 1


def test_before_the_first_run_the_page_says_what_fills_it(signed_in: SignedIn) -> None:
    browser = signed_in("leader")
    Published.objects.all().delete()
    assert "Nothing is assessed yet" in browser.get("/partners/").content.decode()
    assert browser.get("/partners/o_1/drawer/").status_code == 404


def test_who_sees_nobody_is_told_why(signed_in: SignedIn) -> None:
    keep(3)
    Staff.objects.filter(role="seller").update(territory=[])
    assert "No partner is yours yet" in signed_in("seller").get("/partners/").content.decode()


def test_one_partner_is_one(signed_in: SignedIn) -> None:
    keep(1)
    page = signed_in("leader").get("/partners/").content.decode()
    assert "<strong>1 partner</strong>" in page
    assert "1 to 1 of 1" in page
    assert 'rel="next"' not in page


def test_unknown_is_said_and_never_nought(signed_in: SignedIn) -> None:
    row = keep(1)[0]
    told = {**row.result["readiness"], "state": "too little known", "low": "61/10", "high": "682/10", "band": ""}
    unknown = published_partner(run(), {**row.result, "readiness": told})
    unknown.pk, unknown.won, unknown.last_on, unknown.quiet = row.pk, None, None, "cannot tell"
    unknown.save()
    page = signed_in("leader").get("/partners/").content.decode()
    assert page.count("not known</td>") == 2
    assert re.search(r'class="band">6 to 68<', page)


def test_the_order_stands_on_the_head_and_turns_with_a_click(signed_in: SignedIn) -> None:
    keep(3)
    page = signed_in("leader").get("/partners/?order=-won&list=ready").content.decode()
    assert re.search(r'aria-sort="descending"[^>]*><a href="\?list=ready&amp;order=won" title="[^"]*">Won, USD', page)
    assert page.count("aria-sort") == 1
    assert (
        'aria-sort="descending"><a href="?order=-rank">Readiness'
        in signed_in("leader").get("/partners/").content.decode()
    )


def test_columns_are_chosen_in_the_address_and_stay(signed_in: SignedIn) -> None:
    keep(60)
    page = signed_in("leader").get("/partners/?show=tier&show=won&show=nonsense").content.decode()
    assert ">Tier</th>" in page
    assert ">Segment</th>" not in page
    assert re.search(r'rel="next" href="/partners/\?show=tier&amp;show=won&amp;at=', page)


# -------------------------------------------------------------------------------------------------------------- a drawer


def test_the_drawer_is_a_part_for_the_list_and_a_page_for_a_browser(signed_in: SignedIn) -> None:
    row, browser = keep(3)[1], signed_in("leader")
    address = f"/partners/{row.partner_id}/drawer/?list=ready"
    part = browser.get(address, headers={"HX-Request": "true"})
    assert part.content.decode().startswith("<aside")
    assert "HX-Request" in part["Vary"]
    assert row.result["gaps"][0]["remedy"] in part.content.decode()
    assert f'href="/partners/{row.partner_id}/"' in part.content.decode()
    assert 'data-back="/partners/?list=ready"' in part.content.decode()
    for headers in ({}, {"HX-Request": "true", "HX-History-Restore-Request": "true"}):
        page = browser.get(address, headers=headers).content.decode()
        assert page.startswith("<!doctype html>")
        assert '<aside class="drawer' in page
        assert "List: Ready not active" in page


def test_a_search_swaps_the_list_alone(signed_in: SignedIn) -> None:
    name = keep(36)[4].name
    answer = signed_in("leader").get("/partners/", {"q": name}, headers={"HX-Request": "true"})
    assert b"<!doctype" not in answer.content
    assert f">{name}</a>" in answer.content.decode()
    assert "HX-Request" in answer["Vary"]
