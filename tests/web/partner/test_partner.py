"""The page of one partner: what it shows to whom, and how a figure is followed to its line and disputed."""

import datetime as dt
import html
import re
import shutil
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from groundswell.actions.act import Actor
from groundswell.actions.disputes import dispute
from groundswell.core.rights import LEADER, MANAGER, OPERATIONS, SELLER
from groundswell.engine import landings, rows
from groundswell.engine.home import Home
from groundswell.reads.partner import texts_of
from groundswell.reads.policy import policy_of
from groundswell.reads.rights import mine
from groundswell.records.disputes import Dispute
from groundswell.records.loads import Load
from groundswell.records.runs import Published, PublishedPartner, Run
from groundswell.records.staff import Staff
from groundswell.records.trail import Entry
from tests.web.conftest import keep

SignedIn = Callable[[str], Client]
TABS = ("", "evidence/", "rows/deals/", "rows/activities/", "rows/people/", "rows/credentials/")
SIGNAL = "evidence/days_since_last_activity/"


def _run() -> Run:
    run = Published.current()
    assert run is not None
    return run


def _busy() -> PublishedPartner:
    """The best partner: every tab of it has rows."""
    return _run().partners.all()[0]


def _at(partner: PublishedPartner, below: str = "") -> str:
    return f"/partners/{partner.partner_id}/{below}"


def _text(browser: Client, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def test_parts_add_up_to_the_total_that_is_shown(signed_in: SignedIn) -> None:
    browser, looked_at = signed_in(LEADER), 0
    for one in _run().partners.all():
        page = _text(browser, _at(one))
        total = re.search(r'data-total="(-?\d*)"', page)
        assert total
        if total[1]:
            gives = [int(text) for text in re.findall(r'data-gives="(-?\d+)"', page)]
            assert sum(gives) == int(total[1])
            of = re.findall(r'data-label="Gives"><strong>(\d+)</strong></td><td class="n"><small>of (\d+)', page)
            assert of, "dimensions, each with the most that it can give"
            assert all(int(points) <= int(most) for points, most in of), (one.name, of)
            lines = [round(10 * float(text)) for text in re.findall(r'data-label="Gives">(-?\d+\.\d)</td>', page)]
            exact = sum(Fraction(line["contribution"]) for line in one.result["readiness"]["lines"])
            assert sum(lines) == round(10 * exact)
            looked_at += 1
    assert looked_at > 20


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow(count: int, signed_in: SignedIn) -> None:
    browser = signed_in(LEADER)
    for one in keep(count):
        for below in (*TABS, SIGNAL):
            browser.get(_at(one, below))  # the sign-in, and what a process reads once
    asked, busy = {}, _busy()
    for below in (*TABS, SIGNAL):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(_at(busy, below)).status_code == 200
        asked[below] = sum(not _of_the_sign_in(query["sql"]) for query in queries)
    assert asked == {"": 7, "evidence/": 5, **dict.fromkeys(TABS[2:], 5), SIGNAL: 7}


def _of_the_sign_in(sql: str) -> bool:
    words = ("django_session", "usersession", "BEGIN", "COMMIT", 'FROM "records_staff"')
    return any(word in sql for word in words) and "records_book" not in sql


def test_a_figure_is_followed_to_the_very_line_of_the_export(instance: Home, signed_in: SignedIn) -> None:
    browser, one = signed_in(LEADER), _busy()
    overview = _text(browser, _at(one))
    signals = sorted(set(re.findall(r'href="(/partners/[^"]+/evidence/[a-z_]+/)"', overview)))
    exports = {landings.digest(path): path for path in (instance.path / "exports").rglob("*") if path.is_file()}
    followed = 0
    for path in signals:  # the first click
        page = _text(browser, path)
        for line in re.findall(r'href="(/partners/[^"]+/lines/[^"]+/)"', page)[:2]:  # the second
            sent = re.search(r'<pre class="sent">(.*?)</pre>', _text(browser, line), re.DOTALL)
            load, number = line.rstrip("/").split("/")[-2:]
            kept = exports.get(Load.named(load).landing)
            assert sent
            if kept is not None and kept.suffix == ".csv":
                report = Load.named(load).report
                expected = kept.read_text(report["encoding"]).splitlines()[int(number) - 1]
                assert sent[1] == expected
                followed += 1
    assert followed > 5


def test_every_signal_has_its_page(signed_in: SignedIn) -> None:
    browser, one = signed_in(LEADER), _busy()
    listed = set(re.findall(r'/evidence/([a-z_]+)/"', _text(browser, _at(one, "evidence/"))))
    assert listed == set(one.result["signals"])
    for name in sorted(listed)[::9]:
        assert "How it is counted" in _text(browser, _at(one, f"evidence/{name}/"))
    assert "another company's data" in _text(browser, _at(one, "evidence/customers_in_common/"))
    assert browser.get(_at(one, "evidence/nonsense/")).status_code == 404


def test_a_dispute_is_opened_answered_and_left_in_the_trail(signed_in: SignedIn) -> None:
    one, before = _own(), Entry.objects.count()
    path, manager = _at(one, SIGNAL), signed_in(MANAGER)
    refused = manager.post(path, {"why": "  "})
    assert refused.status_code == 422
    assert "say in a few words what is wrong" in refused.content.decode()
    assert not Dispute.objects.exists()
    assert Entry.objects.count() == before
    for _ in range(2):  # a form that is sent twice
        assert manager.post(path, {"why": "They called <yesterday>"}).status_code == 302
    said = Dispute.objects.get()
    assert (said.partner_id, said.signal, said.row) == (one.partner_id, "days_since_last_activity", "")
    assert "They called &lt;yesterday&gt;" in manager.get(path).content.decode()
    answer = {"verdict": "upheld", "answer": "The calls were not exported."}
    assert signed_in(OPERATIONS).post(f"/disputes/{said.pk}/answer/", answer).status_code == 302
    for shown in (path, _at(one)):
        assert "The calls were not exported." in _text(manager, shown)
    verbs = list(Entry.objects.order_by("number").values_list("verb", "about"))[before:]
    assert verbs == [("disputed", one.partner_id), ("answered a dispute", f"dispute {said.pk}")]


def test_what_is_wrong_is_said_on_a_page_at_most(signed_in: SignedIn) -> None:
    one, manager = _own(), signed_in(MANAGER)
    refused = manager.post(_at(one), {"why": "x" * 2_001})
    assert refused.status_code == 422
    assert "say it in 2,000 characters; these are 2,001" in refused.content.decode()
    assert f">{'x' * 2_001}</textarea>" in refused.content.decode(), "what was typed is not lost"
    assert not Dispute.objects.exists()
    assert manager.post(_at(one), {"why": "x" * 2_000}).status_code == 302
    assert Dispute.objects.count() == 1


def test_the_same_said_at_once_is_one_dispute(signed_in: SignedIn, instance: Home) -> None:
    one, asker, before = _own(), Staff.objects.get(role=MANAGER), Entry.objects.count()
    together = threading.Barrier(6)

    def say() -> None:
        actor = Actor(instance.path, asker, dt.datetime.now(dt.UTC))
        try:
            together.wait()
            dispute(actor, one, "", "", "They called yesterday")
        finally:
            connections.close_all()

    saying = [threading.Thread(target=say) for _ in range(6)]
    for thread in saying:
        thread.start()
    for thread in saying:
        thread.join()
    assert Dispute.objects.count() == 1
    assert Entry.objects.count() == before + 1


def test_a_row_is_disputed_where_it_stands(signed_in: SignedIn) -> None:
    browser, one = signed_in(LEADER), _busy()
    line = re.findall(r'href="(/partners/[^"]+/lines/[^"]+/)"', _text(browser, _at(one, "rows/deals/")))[0]
    assert browser.post(line, {"why": "Lost, not open"}).status_code == 302
    assert Dispute.objects.get().row == ":".join(line.rstrip("/").split("/")[-2:])
    assert "Lost, not open" in _text(browser, line)
    assert "Lost, not open" in _text(browser, _at(one))


def _own() -> PublishedPartner:
    """The best partner in the book of the manager."""
    return mine(Staff.objects.get(role=MANAGER), _run().partners.all())[0]


@pytest.mark.parametrize("role", [MANAGER, SELLER])
def test_a_foreign_partner_is_as_absent_as_none(role: str, signed_in: SignedIn) -> None:
    browser = signed_in(role)
    seen = mine(Staff.objects.get(role=role), _run().partners.order_by()).values("partner_id")
    foreign = _run().partners.exclude(partner_id__in=seen)[0]
    own = _run().partners.filter(partner_id__in=seen)[0]
    line = f"lines/{foreign.result['load_id']}/{foreign.result['line']}/"
    for below in (*TABS, SIGNAL, line):
        answer = browser.get(_at(foreign, below))
        absent = browser.get(f"/partners/o_00000000000000000000/{below}")
        assert answer.status_code == absent.status_code == 404
        assert _without_token(answer.content) == _without_token(absent.content)
        assert foreign.name not in html.unescape(answer.content.decode())
    assert browser.post(_at(foreign), {"why": "mine"}).status_code == 404
    assert not Dispute.objects.exists()
    assert browser.get(_at(own, line)).status_code == 404  # a line that speaks of another partner
    assert browser.get(_at(own)).status_code == 200


def _without_token(page: bytes) -> bytes:
    return re.sub(rb'"X-CSRFToken": "\w+"|name="csrfmiddlewaretoken" value="\w+"', b"", page)


def test_who_people_are_is_not_for_sellers(instance: Home, signed_in: SignedIn) -> None:
    seller = Staff.objects.get(role=SELLER)
    policy = policy_of(instance, _run())
    with rows.opened(instance, _run(), policy.instance) as engine:
        seen = [one.partner_id for one in mine(seller, _run().partners.all())]
        named = engine.ask(
            "select partner_id, full_name, email, load_id, line from people_of_partners where full_name is not null "
            "and email is not null order by partner_id"
        )
    person = next(row for row in named if row["partner_id"] in seen)
    for below in ("rows/people/", "rows/credentials/", f"lines/{person['load_id']}/{person['line']}/"):
        path = f"/partners/{person['partner_id']}/{below}"
        for told in (str(person["full_name"]), str(person["email"])):
            assert told not in _text(signed_in(SELLER), path)
        assert str(person["full_name"]) in _text(signed_in(LEADER), path)


def test_lines_of_another_companys_data_are_shown_to_nobody(instance: Home) -> None:
    run = _run()
    policy, load = policy_of(instance, run), Load.objects.filter(files__table="deals")[0]
    assert texts_of(instance, policy, run, [load], names=True).of(load.name, {2})[2].count(",") + 1 > 1
    run.manifest["files"].append(["overlaps", load.name, ""])
    assert "another company" in texts_of(instance, policy, run, [load], names=True).of(load.name, {2})[2]


@pytest.mark.parametrize("name", ["history.parquet", "policy/shipped/segments.toml"])
def test_damage_is_said_and_the_rest_is_shown(name: str, instance: Home, signed_in: SignedIn) -> None:
    (instance.run_folder(_run().run_id) / name).unlink()
    one = _busy()
    page = _text(signed_in(LEADER), _at(one))
    assert f"{name} is missing" in page
    assert one.name in page
    assert "What the score is made of" in page
    assert f"{name} is missing" in _text(signed_in(LEADER), _at(one, SIGNAL)) or name == "history.parquet"


def test_rows_are_laid_out_anew_where_they_are_gone_unless_the_lake_is_damaged(
    instance: Home, signed_in: SignedIn
) -> None:
    browser, path = signed_in(LEADER), _at(_busy(), "rows/deals/")
    before = re.findall(r"L\d{6}:\d+", _text(browser, path))
    shutil.rmtree(instance.path / "cache")
    assert before
    assert re.findall(r"L\d{6}:\d+", _text(browser, path)) == before
    table, load, _ = _run().manifest["files"][0]
    (instance.lake / table / f"{load}.parquet").unlink()
    page = _text(browser, path)
    assert f"lake/{table}/{load}.parquet is missing" in page
    assert "The rows cannot be read now" in page


def test_a_partner_of_whom_nothing_is_known_has_its_page(signed_in: SignedIn) -> None:
    one = _busy()
    said = one.result["readiness"] | {"total": None, "state": "too little known", "band": "", "parts": [], "lines": [],
                                      "deductions": [], "coverage": "0", "low": "0", "high": "100"}  # fmt: skip
    one.result |= {"readiness": said, "gaps": [], "signals": {}}
    for name in ("name", "country", "partner_type", "tier", "joined_on", "region", "status", "load_id", "line"):
        one.result[name] = None
    one.save()
    page = _text(signed_in(LEADER), _at(one))
    assert "Too little known to say" in page
    assert "country not known" in page
    for below in TABS[1:]:
        assert signed_in(LEADER).get(_at(one, below)).status_code == 200


def test_one_goes_on_in_the_list_one_came_from(signed_in: SignedIn) -> None:
    browser, run = signed_in(LEADER), _run()
    segment = next(
        name for name in ("ready", "developing", "inactive") if run.partners.filter(segment=name).count() > 2
    )
    first, second, third = run.partners.filter(segment=segment)[:3]
    page = _text(browser, _at(second, f"?segment={segment}"))
    assert f'rel="prev" href="{_at(first, f"?segment={segment}")}"' in page
    assert f'rel="next" href="{_at(third, f"?segment={segment}")}"' in page
    assert f"2 of {run.partners.filter(segment=segment).count()}" in page
    assert 'rel="prev"' not in _text(browser, _at(_busy()))


def test_pages_hold_no_inline_style_or_script(signed_in: SignedIn) -> None:
    for below in (*TABS, SIGNAL):
        page = signed_in(LEADER).get(_at(_busy(), below)).content.decode()
        assert " style=" not in page
        assert "onclick" not in page
        assert len(page) < 60_000
    assert Path(settings.HOME).name == "home"
