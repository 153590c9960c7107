"""Signals at month-ends: what one pass over the rows of all of them gives is what each day's own statements give."""

import csv
import datetime as dt
import io
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.river import NOW, take_in, take_in_text

from groundswell.actions.loads import revert
from groundswell.core.assess import assess
from groundswell.core.declare import Value
from groundswell.core.history import Measured
from groundswell.core.signals.columns import Columns
from groundswell.engine import duckdb
from groundswell.engine.duckdb import AtOnce, Engine
from groundswell.engine.home import Home
from groundswell.records.loads import Load
from groundswell.runs import history

MAPPING = """[source]
name = "crm"
[[file]]
match = "firms*"
[[file.row]]
table = "organisations"
object = "firm"
external_id = "{id}"
name = "name"
is_partner = { const = true }
is_customer = { const = false }
[[file]]
match = "merges*"
[[file.row]]
table = "links"
object = "firm"
external_id = "{from}"
from_id = { header = "from", object = "firm" }
into_id = { header = "into", object = "firm" }
how = { const = "source" }
deleted = "undone"
[[file]]
match = "people*"
[[file.row]]
table = "people"
object = "person"
external_id = "{id}"
organisation_id = { header = "firm", object = "firm" }
side = { const = "partner" }
[[file]]
match = "acts*"
[[file.row]]
table = "activities"
external_id = "{id}"
partner_id = { header = "firm", object = "firm" }
person_id = { header = "person", object = "person" }
type = "type"
value = "value"
occurred_on = "day"
deleted = "gone"
[[file]]
match = "accounts*"
[[file.row]]
table = "organisations"
object = "account"
external_id = "{id}"
name = "name"
country = "country"
is_partner = { const = false }
is_customer = { const = true }
[[file]]
match = "deals*"
[[file.row]]
table = "deals"
object = "deal"
external_id = "{id}"
kind = { const = "opportunity" }
name = "id"
account_id = { header = "account", object = "account" }
stage = "class"
stage_class = "class"
amount = "amount"
currency = "currency"
product = "product"
type = "type"
created_on = "created"
close_on = "close"
closed_on = "closed"
group_key = "group"
deleted = "gone"
[[file]]
match = "parts*"
[[file.row]]
table = "touches"
object = "part"
external_id = "{id}"
subject_kind = { const = "deal" }
subject_id = { header = "deal", object = "deal" }
partner_id = { header = "firm", object = "firm" }
role = "role"
evidence = { const = "crm_field" }
starts_on = "starts"
ends_on = "ends"
deleted = "gone"
[[file]]
match = "proofs*"
[[file.row]]
table = "credentials"
object = "proof"
external_id = "{id}"
person_id = { header = "person", object = "person" }
code = "code"
kind = "kind"
level = "level"
status = "status"
issued_on = "issued"
expires_on = "expires"
"""
FIRMS = [f"F{number}" for number in range(1, 7)]
PEOPLE = [f"A{number}" for number in range(1, 9)]
TYPES = ["portal_login", "email_replied", "meeting", "call", "training_completed", "campaign_response"]


class World:
    """Firms and people that change, and activities that are told late, anew, or taken back; `told_once`: only late."""

    def __init__(self, home: Home, folder: Path, seed: int, grouped: bool = False, told_once: bool = False) -> None:
        self.home, self.chance, self.acts, self.number = home, random.Random(seed), {}, 0  # type: ignore[var-annotated]
        self.grouped, self.told_once = grouped, told_once
        self.mapping = folder / "crm.toml"
        self.mapping.write_text(MAPPING, "utf-8")

    def told(self, name: str, header: str, rows: list[list[str]], day: dt.date) -> Load:
        """An export of the day."""
        self.number += 1
        text = io.StringIO()
        csv.writer(text).writerows([header.split(","), *rows])
        return take_in_text(self.home, f"{name}_{self.number}.csv", text.getvalue(), str(day), mapping=self.mapping)

    def month(self, last: dt.date) -> None:
        """What the source exports at the end of a month."""
        pick = self.chance
        exported = last - dt.timedelta(days=pick.randint(0, 4))
        self.told("firms", "id,name", [[firm, firm.lower()] for firm in FIRMS], exported)
        self.told("people", "id,firm", [[one, pick.choice(FIRMS)] for one in PEOPLE if pick.random() < 0.8], exported)
        if pick.random() < 0.5:
            start, end = pick.sample(FIRMS, 2)
            self.told("merges", "from,into,undone", [[start, end, pick.choice(["true", "false"])]], exported)
        for _ in range(pick.randint(5, 25)):
            self._act(exported - dt.timedelta(days=pick.choice([0, 0, 3, 20, 45, 100, 200])))
        again = [] if self.told_once else pick.sample(sorted(self.acts), min(6, len(self.acts)))
        for key in again:
            if pick.random() < 0.5:
                self.acts[key][4] = str(exported - dt.timedelta(days=pick.randint(0, 60)))
            elif pick.random() < 0.5:
                self.acts[key][5] = "true"
            else:
                self.acts[key][3] = pick.choice(TYPES)
        fresh = [row for row in self.acts.values() if row[-1] == "fresh" or row[0] in again]
        rows = [row[:7] for row in fresh]
        for row in fresh:
            row[-1] = "told"
        self.told("acts", "id,firm,person,type,day,gone,value", rows, exported)

    def sell(self, last: dt.date, currencies: tuple[str, ...] = ("USD",)) -> None:
        """Deals, who has a part in them, accounts, and credentials, as of the end of a month; many of them change."""
        pick = self.chance
        day = last - dt.timedelta(days=pick.randint(0, 4))

        def before(most: int) -> str:
            return str(day - dt.timedelta(days=pick.randint(0, most)))

        accounts = [[f"C{number}", f"c{number}", pick.choice(["DE", "FR", ""])] for number in range(1, 5)]
        self.told("accounts", "id,name,country", [one for one in accounts if pick.random() < 0.7], day)
        deals = []
        for number in pick.sample(range(1, 25), 12):
            stage = pick.choice(["open", "won", "won", "lost"])
            closed = before(60) if stage != "open" and pick.random() < 0.8 else ""
            close = str(day + dt.timedelta(days=pick.randint(-60, 60))) if pick.random() < 0.8 else ""
            amount = pick.choice(["", "100", "250.50", "75"])
            deals.append([f"D{number}", f"C{pick.randint(1, 5)}", stage, amount, pick.choice(currencies) if amount else "",
                          pick.choice(["Core", "Edge", ""]), pick.choice(["new", "renewal", ""]), before(300), close, closed,
                          pick.choice(["", "", "", "true"]), f"G{number // 3}" if self.grouped else ""])  # fmt: skip
        self.told("deals", "id,account,class,amount,currency,product,type,created,close,closed,gone,group", deals, day)
        parts = []
        for number in pick.sample(range(1, 40), 15):
            ends = str(day + dt.timedelta(days=pick.randint(-40, 90))) if pick.random() < 0.3 else ""
            starts, gone = before(200) if pick.random() < 0.8 else "", pick.choice(["", "", "", "true"])
            role, deal = pick.choice(["sourced", "resold", "assisted"]), number % 24
            parts.append([f"P{number}", f"D{deal + 1}", FIRMS[deal % 5], role, starts, ends, gone])
        self.told("parts", "id,deal,firm,role,starts,ends,gone", parts, day)
        proofs = []
        for number in pick.sample(range(1, 15), 6):
            expires = str(day + dt.timedelta(days=pick.randint(-50, 200))) if pick.random() < 0.8 else ""
            kind, level = pick.choice(["certificate", "course"]), pick.choice(["expert", "associate", ""])
            status = pick.choice(["active", "revoked"])
            proofs.append([f"K{number}", pick.choice(PEOPLE), "K", kind, level, status, before(90), expires])
        self.told("proofs", "id,person,code,kind,level,status,issued,expires", proofs, day)

    def _act(self, day: dt.date) -> None:
        pick, key = self.chance, f"X{len(self.acts)}"
        firm = pick.choice([*FIRMS, "", ""])
        person = pick.choice([*PEOPLE, ""]) if firm else pick.choice(PEOPLE)
        when = "" if pick.random() < 0.1 else str(day)
        self.acts[key] = [key, firm, person, pick.choice(TYPES), when, "", str(pick.randint(0, 9)), "fresh"]


def month_ends(home: Home, last: dt.date) -> list[Measured]:
    """The month-ends up to one, as a run of the day after looks back on them."""
    return [read() for read in history.months(home, history.kept(home, last + dt.timedelta(days=1)))]


def said(value: Value) -> tuple[object, ...]:
    if not value.applies:
        return ("not applicable",)
    ends = [float(end) if not isinstance(end, (str, dt.date, type(None))) else end for end in (value.low, value.high)]
    return (value.available, *(round(end, 9) if isinstance(end, float) else end for end in ends))


def column(columns: Columns, place: int) -> tuple[object, ...]:
    if not columns.applies[place]:
        return ("not applicable",)
    ends = [None if end is None or end != end else end for end in (columns.low[place], columns.high[place])]
    return (columns.available, *(round(float(end), 9) if isinstance(end, float) else end for end in ends))


def hold_against_each_day(home: Home, found: list[Measured]) -> int:
    """Every signal of every partner against the day's own assessment; how many were compared."""
    compared = 0
    for month in found:
        with home.day(month.day) as engine:
            exact = {one.partner_id: one.values for one in assess(home.policy, month.day, engine.ask).partners}
        assert month.partners == tuple(sorted(exact))
        for name, columns in month.values.items():
            for place, partner in enumerate(month.partners):
                assert column(columns, place) == said(exact[partner][name]), (month.day, name, partner)
                compared += 1
    return compared


@pytest.fixture
def few_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a statement gives comes in many batches, as it does of many partners."""
    monkeypatch.setattr(duckdb, "BATCH", 7)


LASTS = [dt.date(2025, month + 1, 1) - dt.timedelta(days=1) for month in range(2, 12)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_history_of_each_signal_is_what_each_day_says(home: Home, tmp_path: Path, seed: int) -> None:
    world = World(home, tmp_path, seed)
    for last in LASTS:
        world.month(last)
    found = month_ends(home, LASTS[-1])
    compared = hold_against_each_day(home, found)
    print(f"history: {compared} values at {len(found)} month-ends compared, 0 differ")
    assert compared > 1000
    assert sum(len(month.partners) for month in found) > 40


@pytest.mark.usefixtures("few_rows_at_a_time")
@pytest.mark.parametrize("seed", [11, 12])
def test_the_history_of_what_is_told_once_is_what_each_day_says(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Its activities are folded month by month."""
    laid: list[AtOnce] = []
    stretches = Engine.stretches

    def seen(self: Engine, *asked: Any) -> AtOnce:
        laid.append(stretches(self, *asked))
        return laid[-1]

    monkeypatch.setattr(Engine, "stretches", seen)
    world = World(home, tmp_path, seed, told_once=True)
    for last in LASTS:
        world.month(last)
    assert hold_against_each_day(home, month_ends(home, LASTS[-1])) > 1000
    assert len(laid[0].parts) > 5
    assert all(days is not None for _, days in laid[0].parts)


@pytest.mark.usefixtures("few_rows_at_a_time")
@pytest.mark.parametrize(
    ("seed", "currencies", "grouped"),
    [(6, ("USD",), False), (7, ("USD",), True), (8, ("USD",), False), (9, ("USD", "EUR"), True)],
)
def test_the_history_of_deals_and_credentials_is_what_each_day_says(
    home: Home, tmp_path: Path, seed: int, currencies: tuple[str, ...], grouped: bool
) -> None:
    world = World(home, tmp_path, seed, grouped)
    for last in LASTS[:8]:
        world.month(last)
        world.sell(last, currencies)
        if last == LASTS[3]:
            world.told("merges", "from,into,undone", [["F1", "F2", "false"]], last)
    found = month_ends(home, LASTS[7])
    assert hold_against_each_day(home, found) > 1000
    for name in ("won_deals", "won_revenue", "open_deals", "people_certified"):
        assert sum(float(np.nansum(month.values[name].low)) for month in found) > 5, name


@pytest.fixture
def measured_days(monkeypatch: pytest.MonkeyPatch) -> list[list[dt.date]]:
    """The month-ends that are measured, call by call."""
    calls: list[list[dt.date]] = []
    measure = history._measure

    def seen(home: Home, days: Sequence[dt.date]) -> list[Measured]:
        calls.append(list(days))
        return measure(home, days)

    monkeypatch.setattr(history, "_measure", seen)
    return calls


def test_a_month_end_is_measured_once_and_anew_only_where_it_knew_something_else(
    home: Home, tmp_path: Path, measured_days: list[list[dt.date]]
) -> None:
    world = World(home, tmp_path, 4)
    for last in LASTS[:4]:
        world.month(last)
    first = month_ends(home, LASTS[3])
    month_ends(home, LASTS[3])
    assert measured_days == [LASTS[:4]]
    world.month(LASTS[4])
    month_ends(home, LASTS[4])
    assert measured_days[1:] == [[LASTS[4]]]
    load = world.told(
        "acts", "id,firm,person,type,day,gone,value", [["L1", "F1", "", "meeting", "2025-04-02", "", ""]], LASTS[2]
    )
    later = month_ends(home, LASTS[4])
    assert measured_days[2:] == [LASTS[2:5]]  # its source dated it: from then on it was known
    assert [column(later[1].values["meetings_last_quarter"], place) for place in range(len(later[1].partners))] == [
        column(first[1].values["meetings_last_quarter"], place) for place in range(len(first[1].partners))
    ]
    revert(home, load.name, "wrong", NOW)
    assert hold_against_each_day(home, month_ends(home, LASTS[4])) > 500
    assert measured_days[3:] == [LASTS[2:5]]
    assert len(list((home.path / "history").iterdir())) == 5  # what they were before is taken away


def test_a_load_that_is_taken_back_stands_at_the_month_ends_before(home: Home, tmp_path: Path) -> None:
    world = World(home, tmp_path, 5)
    for last in LASTS[:3]:
        world.month(last)
    rows = [["L1", "F1", "", "meeting", "2025-05-08", "", ""]]
    path = tmp_path / "acts_undated.csv"
    with path.open("w") as file:
        csv.writer(file).writerows([["id", "firm", "person", "type", "day", "gone", "value"], *rows])
    arrived = dt.datetime(2025, 5, 10, tzinfo=dt.UTC)
    load = take_in(home, path, now=arrived, mapping=world.mapping)
    revert(home, load.name, "wrong", dt.datetime(2025, 7, 10, tzinfo=dt.UTC))
    found = month_ends(home, LASTS[6])
    assert hold_against_each_day(home, found) > 700
    meetings = {month.day: float(np.nansum(month.values["meetings_last_quarter"].low)) for month in found}
    assert meetings[LASTS[4]] - meetings[LASTS[5]] >= 1


DEALS = "id,account,class,amount,currency,product,type,created,close,closed,gone,group"
OWN = """question = "How many deals, each as of the end of the window?"
unit = "deals"
better = "higher"
kind = "lagging"
absent = 0
needs = ["deals.closed_on", "deals.created_on", "touches.partner_id"]
misleads = "nothing"
why = "a test"
source = "decisions/0003"
since = 2026-01-01

[measure]
from = "deals"
take = "count"
where = "days(closed_on, as_of) <= 60"
on = "created_on"
window = "12 months"
shift = "3 months"
"""


def won(home: Home, folder: Path, *deals: tuple[str, str, str]) -> list[Measured]:
    """Month-ends of one firm that won these deals, of (amount, created, closed), all known from the first on."""
    world = World(home, folder, 6)
    world.told("firms", "id,name", [["F1", "f"]], LASTS[0])
    rows = [
        [f"D{at}", "C1", "won", amount, "USD", "", "new", created, closed, closed, "", ""]
        for at, (amount, created, closed) in enumerate(deals)
    ]
    world.told("deals", DEALS, rows, LASTS[0])
    parts = [[f"P{at}", row[0], "F1", "resold", "2023-01-01", "", ""] for at, row in enumerate(rows)]
    world.told("parts", "id,deal,firm,role,starts,ends,gone", parts, LASTS[0])
    return month_ends(home, LASTS[4])


def test_as_of_is_the_end_of_the_window_also_where_that_is_moved(home: Home, tmp_path: Path) -> None:
    own = home.path / "policy/signals/potential/own.toml"
    own.parent.mkdir(parents=True)
    own.write_text(OWN)
    found = won(home, tmp_path, ("5", "2024-06-01", "2024-10-15"), ("5", "2023-01-02", "2023-02-10"))
    assert hold_against_each_day(home, found) > 100
    counted = [float(month.values["own"].low[0]) for month in found]
    assert set(counted) == {0.0, 1.0}


def test_a_large_sum_that_leaves_the_window_takes_nothing_with_it(home: Home, tmp_path: Path) -> None:
    huge = ("1234567890123.45", "2024-01-02", "2024-03-10")
    found = won(home, tmp_path, huge, ("0.01", "2024-06-01", "2024-06-10"), ("5", "2023-01-02", "2023-01-10"))
    assert hold_against_each_day(home, found) > 100
    assert 0.01 in [float(month.values["won_revenue"].low[0]) for month in found]
