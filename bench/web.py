"""The list of partners at 40,000: CPU a page against the same rows through bare ORM and template; requests a second.

python -m bench web --at FOLDER
"""

import datetime as dt
import http.client
import itertools
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PARTNERS, MONTHS = 120, 12
_TIMES = 40
_A_SECOND, _SECONDS = 20, 30
_DEEP = 399
"""Pages before the deep one."""
_ROWS = """{% for row in rows %}<tr><th>{{ row.name }}</th><td>{{ row.partner_type }} {{ row.country }}</td>
<td>{{ row.segment }}</td><td>{{ row.reason }}</td><td>{{ row.band }}</td><td>{{ row.coverage }}</td>
<td>{{ row.last_on }}</td><td>{{ row.won }}</td></tr>{% endfor %}"""
_BARE = f'{{% extends "shell/base.html" %}}{{% block main %}}<table><tbody>{_ROWS}</tbody></table>{{% endblock %}}'
"""The cells of the list as a template writes them that does nothing else, in the frame that every page has."""


def run(under: Path, partners: int) -> None:
    """Print all figures. Each part is a process of its own, so that none of them warms another."""
    path = instance(under, partners)
    for part in ("pages", "exports", "start", "load"):
        subprocess.run([sys.executable, "-m", "bench.web", part, str(path)], check=True)


# ------------------------------------------------------------------------------------------------------------- instance


def instance(under: Path, partners: int) -> Path:
    """A made instance whose published run has so many partners: those of the demo, and copies of them that differ."""
    path = under / f"web-{partners}"
    if not (path / "ready").is_file():
        words = ["demo", "--partners", str(PARTNERS), "--months", str(MONTHS), "--no-serve", "--home", str(path)]
        subprocess.run([sys.executable, "-m", "groundswell", *words], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([sys.executable, "-m", "bench.web", "fill", str(path), str(partners)], check=True)
        (path / "ready").touch()
    return path


def _opened() -> None:
    """Make the instance that of this process."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STORAGES = {**settings.STORAGES, **plain}


def _fill(path: Path, partners: int) -> None:
    from groundswell.records.runs import Published, PublishedPartner
    from groundswell.runs.publish import published_partner

    run = Published.objects.get().run
    there = list(run.partners.all())
    numbers = iter(range(len(there), partners))
    while chunk := list(itertools.islice(numbers, 500)):
        rows = []
        for number in chunk:
            like, copy = there[number % len(there)], number // len(there)
            new = {"partner_id": f"o_{number:020x}", "name": f"{like.name} {copy}", "rank": number + 1}
            row = published_partner(run, {**like.result, **new})
            row.won = row.won and row.won + copy  # those that won nothing stay ties, as they are in earnest
            rows.append(row)
        PublishedPartner.objects.bulk_create(rows)


# ---------------------------------------------------------------------------------------------------------------- pages


_Ask = Callable[[], object]


def _nothing() -> None:
    """What is done before most asks."""


def _measured(asks: Mapping[str, Sequence[tuple[_Ask, _Ask]]]) -> dict[str, list[float]]:
    """Median CPU in milliseconds of each ask of a page; before it, unmeasured, what goes ahead of it.

    They are asked in turns, so that others' work falls on all; the first turn is left out.
    """
    cpu: dict[str, list[list[float]]] = {said: [[] for _ in some] for said, some in asks.items()}
    for turn in range(_TIMES + 1):
        for said, some in asks.items():
            for place, (before, ask) in enumerate(some):
                before()
                began = time.process_time()
                ask()
                if turn:
                    cpu[said][place].append(1000 * (time.process_time() - began))
    return {said: [statistics.median(one) for one in found] for said, found in cpu.items()}


_WON = ("-won", "-rank")
_NOBODYS = "nobody's, by won"


def _bare_rows() -> dict[str, tuple[str, Callable[[Any], Any]]]:
    """Each page by name: its query, and its rows, by the same filter in the same order, out of all that somebody sees."""
    from groundswell.records.staff import Book

    def by(*order: str, pages: int = 0, **filters: object) -> Callable[[Any], Any]:
        return lambda rows: rows.filter(**filters).order_by(*order)[pages * 50 : pages * 50 + 50]

    def nobodys(rows: Any) -> Any:
        return rows.exclude(partner_id__in=Book.objects.values("partner_id")).order_by(*_WON)[:50]

    return {
        "page 1": ("", by("rank")),
        "page 400": (_deep(""), by("rank", pages=_DEEP)),
        "page 1, by won": ("order=-won", by(*_WON)),
        "page 400, by won": (_deep("order=-won"), by(*_WON, pages=_DEEP)),
        "search": ("q=water", by("rank", name__icontains="water")),
        "search, few found": ("q=inc. 33", by("rank", name__icontains="inc. 33")),
        "search, nothing found": ("q=zzzz", by("rank", name__icontains="zzzz")),
        "two filters": ("segment=ready&country=DE", by("rank", segment="ready", country="DE")),
        "a filter, by won": ("country=GB&order=-won", by(*_WON, country="GB")),
        _NOBODYS: ("manager=nobody&order=-won", nobodys),
    }


def _asked(browser: Any, address: str) -> _Ask:
    def ask() -> object:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        return answer.content

    return ask


def _browser(role: str) -> Any:
    from django.test import Client

    from groundswell.records.staff import Staff

    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(Staff.objects.get(role=role), backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def _pages() -> None:
    """Of each page: bare, with whole rows; bare, with the columns alone that it shows; the page, and the first of its filter."""
    from django.http import HttpRequest, HttpResponse
    from django.template import engines
    from django.urls import path

    import groundswell.server.urls as urls
    from groundswell.reads import listing
    from groundswell.reads.partners import published
    from groundswell.reads.rights import mine
    from groundswell.records.staff import Staff
    from groundswell.web.shell.page import page, staff

    template, rows = engines["django"].from_string(_BARE), _bare_rows()

    @page("see partners")
    def bare(request: HttpRequest, columns: str, name: str) -> HttpResponse:
        found = rows[name][1](mine(staff(request), published().partners.all()))
        return HttpResponse(template.render({"rows": found.defer("result") if columns == "shown" else found}, request))

    urls.urlpatterns.append(path("bare/<str:columns>/<str:name>/", bare))
    asks: dict[str, Sequence[tuple[_Ask, _Ask]]] = {}
    some = ("page 1", "search", "two filters")
    for role, names in (("leader", tuple(rows)), ("manager", some), ("seller", some)):
        browser, one = _browser(role), Staff.objects.get(role=role)

        def forget(one: Staff = one) -> None:
            """As after a publish, once anybody of that sight has opened the list."""
            listing.forget_facts()
            listing.facts(published(), one)

        for name in names:
            paged = _asked(browser, f"/partners/?{rows[name][0]}")
            each = [(_nothing, _asked(browser, f"/bare/{columns}/{name}/")) for columns in ("whole", "shown")]
            said = name if role == "leader" else f"{name}, a {role}'s"
            asks[said] = (*each, (forget, paged), (_nothing, paged))
    print(f"{'ms of CPU, and times bare':<28}   whole   shown    page                first")
    for said, (whole, shown, first, kept) in _measured(asks).items():
        both = [f"{took:6.1f} x{took / whole:4.2f} x{took / shown:4.2f}" for took in (kept, first)]
        print(f"{said:<28} {whole:7.1f} {shown:7.1f}  {'  '.join(both)}")
    browser, partner = _browser("leader"), _ids(1)[0]
    others = {
        "beside the list": f"/partners/{partner}/drawer/",
        "a partner": f"/partners/{partner}/",
        "overview": "/overview/",
    }
    alone = {said: ((_nothing, _asked(browser, address)),) for said, address in others.items()}
    for said, (took,) in _measured(alone).items():
        print(f"{said:<28} {took:6.1f}")


def _exports() -> None:
    from django.conf import settings

    from groundswell.actions import exports
    from groundswell.actions.act import Actor
    from groundswell.reads.listing import Listing
    from groundswell.records.staff import Staff

    leader = Staff.objects.get(role="leader")
    for form in ("csv", "xlsx"):
        began, begun, path = time.process_time(), time.perf_counter(), Path(settings.HOME) / f"sheet.{form}"
        exports.export(Actor(settings.HOME, leader, dt.datetime.now(dt.UTC)), Listing(), form, path, "USD")
        size = path.stat().st_size
        path.unlink()
        cpu, wall = time.process_time() - began, time.perf_counter() - begun
        print(f"export of all as {form}: {cpu:.1f} s CPU, {wall:.1f} s, {size / 1e6:.1f} MB")


def _start() -> None:
    """What a new process takes until it serves, and its first page after that."""
    subprocess.run([sys.executable, "-m", "groundswell.server.prepare"], check=True)
    began = time.process_time()
    import groundswell.server.wsgi  # noqa: F401 - what a web process does before it takes requests

    ready = time.process_time()
    ask = _asked(_browser("leader"), "/partners/")
    took = []
    for _ in range(2):
        begun = time.process_time()
        ask()
        took.append(time.process_time() - begun)
    print(
        f"a process is ready after {ready - began:.2f} s CPU; its first page takes {took[0]:.3f} s, the second {took[1]:.3f}"
    )


def _deep(query: str) -> str:
    """The address of the page that one reaches by as many clicks on Next."""
    from urllib.parse import parse_qsl

    from groundswell.reads.listing import Listing, page
    from groundswell.reads.partners import published
    from groundswell.records.staff import Staff

    asked, cursor = Listing.parsed(dict(parse_qsl(query))), ""
    for _ in range(_DEEP):
        cursor = page(published(), Staff.objects.get(role="leader"), asked, cursor).after
    return urlencode([*parse_qsl(query), ("at", cursor)])


def _ids(many: int) -> list[str]:
    from groundswell.reads.partners import published

    return list(published().partners.order_by("rank").values_list("partner_id", flat=True)[:many])


# ----------------------------------------------------------------------------------------------------------------- load


@contextmanager
def _served(path: Path, log: Path) -> Iterator[tuple[int, int]]:
    """The instance served for real, web and worker; its port, and the group of its processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [sys.executable, "-m", "groundswell", "serve", "--home", str(path), "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        for _ in range(600):
            with socket.socket() as door:
                if not door.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.2)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _cpu_of(group: int) -> float:
    """Seconds of CPU that the processes of a group have taken."""
    found = 0
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that ends while it is asked
            told = each.read_text().rpartition(")")[2].split()
            found += int(told[11]) + int(told[12]) if int(told[2]) == group else 0
    return found / os.sysconf("SC_CLK_TCK")


def _load(path: Path) -> None:
    """20 requests a second for 30 seconds, three in twenty of which write; errors, locks and how long they took."""
    from django.conf import settings

    from groundswell.records.staff import Staff

    browser = _browser("leader")
    token = "a" * 32
    cookies = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}; csrf={token}"
    headers = {"Cookie": cookies, "X-CSRFToken": token, "Content-Type": "application/x-www-form-urlencoded"}
    manager, ids, deep = Staff.objects.get(role="manager").pk, _ids(500), _deep("")
    chance = random.Random(1)  # noqa: S311 - a mix that repeats

    def asked(number: int) -> tuple[str, str, str]:
        """Method, address and body of a request."""
        one = chance.choice(ids)
        name = urlencode({"name": f"list {number % 40}"})
        book = urlencode([("partner", each) for each in chance.sample(ids, 5)] + [("to", str(manager))])
        reading = (
            "", deep, f"q={chance.choice(['water', 'cloud', '17', 'gmbh'])}", "order=-won", "list=ready", "country=DE",
            "segment=developing&order=name", "manager=nobody",
        )  # fmt: skip
        place = number % 20
        if place in (3, 13):
            return "POST", "/partners/assign/", book
        if place == 8:
            return "POST", "/partners/lists/?country=DE", name
        if place in (5, 11, 17):
            return "GET", f"/partners/{one}/drawer/", ""
        return "GET", f"/partners/?{reading[number % len(reading)]}", ""

    found: list[tuple[int, float]] = []
    local = threading.local()

    def send(number: int, due: float) -> None:
        time.sleep(max(due - time.perf_counter(), 0))
        method, address, body = requests[number]
        if not hasattr(local, "line"):
            local.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        local.line.request(method, address, body or None, headers)
        answer = local.line.getresponse()
        answer.read()
        found.append((answer.status, 1000 * (time.perf_counter() - due)))  # from when it was due: a queue counts

    count = _A_SECOND * _SECONDS
    requests = [asked(number) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with _served(path, log) as (port, group), ThreadPoolExecutor(32) as pool:
            for number in range(_A_SECOND):  # both workers read policy and facts once
                send(number, time.perf_counter())
                local.line.close()
            found.clear()
            begun, began = time.perf_counter(), _cpu_of(group)
            for sent in [pool.submit(send, number, begun + number / _A_SECOND) for number in range(count)]:
                sent.result()
            spent, cpu = time.perf_counter() - begun, _cpu_of(group) - began
        said = log.read_text("utf-8", "replace")
    took = sorted(wall for _, wall in found)
    statuses = dict(sorted(Counter(status for status, _ in found).items()))
    print(
        f"{len(found)} requests in {spent:.1f} s, answers {statuses}, 'locked' in the log {said.count('locked')} times"
    )
    print(f"from when it was due: median {took[len(took) // 2]:.0f} ms, p95 {took[int(0.95 * len(took))]:.0f} ms")
    print(f"{1000 * cpu / count:.0f} ms CPU a request in web and worker; load of the machine {os.getloadavg()[0]:.0f}")
    assert not any(status >= 400 for status, _ in found)


_PARTS: Mapping[str, Callable[[], None]] = {"pages": _pages, "exports": _exports, "start": _start}


def main() -> None:
    """One part: python -m bench.web fill|pages|exports|start|load HOME [PARTNERS]."""
    part, path = sys.argv[1], Path(sys.argv[2])
    os.environ.update(GROUNDSWELL_HOME=str(path), DJANGO_SETTINGS_MODULE="groundswell.server.web")
    if part != "start":
        _opened()
    if part == "fill":
        _fill(path, int(sys.argv[3]))
    elif part == "load":
        _load(path)
    else:
        _PARTS[part]()


if __name__ == "__main__":
    main()
