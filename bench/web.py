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
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

PARTNERS, MONTHS = 120, 12
_TIMES = 40
_FLOOR = "bare ORM and template"
_A_SECOND, _SECONDS = 20, 30
_DEEP = 399
"""Pages before the deep one."""
_BARE = """{% extends "shell/base.html" %}{% block main %}<table><tbody>{% for row in rows %}<tr><th>{{ row.name }}</th>
<td>{{ row.partner_type }} {{ row.country }}</td><td>{{ row.segment }}</td><td>{{ row.result.gaps.0.remedy }}</td>
<td>{{ row.band }}</td><td>{{ row.coverage }}</td><td>{{ row.last_on }}</td><td>{{ row.won }}</td></tr>{% endfor %}
</tbody></table>{% endblock %}"""
"""The cells of the list as a template writes them that does nothing else, in the frame that every page has."""


def run(under: Path, partners: int) -> None:
    """Print all figures. Each part is a process of its own, so that none of them warms another."""
    path = instance(under, partners)
    for part in ("pages", "load"):
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


def _opened(path: Path) -> None:
    """Make an instance that of this process."""
    os.environ.update(GROUNDSWELL_HOME=str(path), DJANGO_SETTINGS_MODULE="groundswell.server.web")
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


def _measured(asks: Mapping[str, Callable[[], object]]) -> dict[str, tuple[float, float, float]]:
    """Median CPU, median and 95th percentile of wall time, in milliseconds; in turns, so that others' work falls on all."""
    cpu: dict[str, list[float]] = {said: [] for said in asks}
    wall: dict[str, list[float]] = {said: [] for said in asks}
    for turn in range(_TIMES + 1):
        for said, ask in asks.items():
            began, begun = time.process_time(), time.perf_counter()
            ask()
            if turn:
                cpu[said].append(1000 * (time.process_time() - began))
                wall[said].append(1000 * (time.perf_counter() - begun))
    return {
        said: (statistics.median(cpu[said]), statistics.median(wall[said]), statistics.quantiles(wall[said], n=20)[-1])
        for said in asks
    }


def _pages() -> None:
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.template import engines
    from django.test import Client
    from django.urls import path

    import groundswell.server.urls as urls
    from groundswell.actions import exports
    from groundswell.actions.act import Actor
    from groundswell.reads.listing import Listing
    from groundswell.reads.partners import published
    from groundswell.records.staff import Staff
    from groundswell.web.shell.page import page

    bare_template = engines["django"].from_string(_BARE)

    @page("see partners")
    def bare(request: HttpRequest) -> HttpResponse:
        rows = published().partners.order_by("rank")[:50]
        return HttpResponse(bare_template.render({"rows": rows}, request))

    urls.urlpatterns.append(path("bare/", bare))
    leader = Staff.objects.get(role="leader")
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(leader, backend="allauth.account.auth_backends.AuthenticationBackend")

    def asked(address: str) -> Callable[[], object]:
        def ask() -> object:
            answer = browser.get(address)
            assert answer.status_code == 200, (address, answer.status_code)
            return answer.content

        return ask

    queries = {
        "page 1": "",
        "page 400": _deep(""),
        "page 1, by won": "order=-won",
        "page 400, by won": _deep("order=-won"),
        "search": "q=water",
        "search, nothing found": "q=zzzz",
        "two filters": "segment=ready&country=DE",
        "a filter, by won": "country=GB&order=-won",
        "nobody's, by won": "manager=nobody&order=-won",
    }
    asks = {_FLOOR: asked("/bare/")} | {said: asked(f"/partners/?{query}") for said, query in queries.items()}
    found = _measured(asks | {"drawer": asked(f"/partners/{_ids(1)[0]}/drawer/")})
    for said, (cpu, wall, most) in found.items():
        print(f"{said:<24} {cpu:6.1f} ms CPU  x{cpu / found[_FLOOR][0]:4.2f}  {wall:6.1f} ms, p95 {most:6.1f} ms")
    for form in ("csv", "xlsx"):
        began, begun, path = time.process_time(), time.perf_counter(), Path(settings.HOME) / f"sheet.{form}"
        exports.export(Actor(settings.HOME, leader, dt.datetime.now(dt.UTC)), Listing(), form, path, "USD")
        size = path.stat().st_size
        path.unlink()
        cpu, wall = time.process_time() - began, time.perf_counter() - begun
        print(f"export of all as {form}: {cpu:.1f} s CPU, {wall:.1f} s, {size / 1e6:.1f} MB")


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
    from django.test import Client

    from groundswell.records.staff import Staff

    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(Staff.objects.get(role="leader"), backend="allauth.account.auth_backends.AuthenticationBackend")
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


def main() -> None:
    """One part: python -m bench.web fill|pages|load HOME [PARTNERS]."""
    part, path = sys.argv[1], Path(sys.argv[2])
    _opened(path)
    if part == "fill":
        _fill(path, int(sys.argv[3]))
    elif part == "pages":
        _pages()
    else:
        _load(path)


if __name__ == "__main__":
    main()
