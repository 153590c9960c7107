"""The same dated exports in any order, number and batching give the same tables and the same readiness on every day."""

import csv
import datetime as dt
import io
import random
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.river import NOW, assess, take_in
from tests.stories.instances import beside, differing, facts, judged, lake_files, run_files

from groundswell.actions.loads import revert
from groundswell.engine import duckdb
from groundswell.engine.home import Home
from groundswell.records.loads import Load

DAYS = ("2026-02-15", "2026-02-28", "2026-05-01")
EXPORTED = ("2026-01-31", "2026-02-28T09:15", "2026-04-30")
HEADERS = {
    "partners": "partner_id,partner_name,domain,country,partner_type,region,status,tier,joined_on,manager_email",
    "deals": "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on,close_on,type,share_pct",
    "people": "partner_id,person_email,person_name,credential_code,level,status,issued_on,expires_on",
    "activities": "partner_id,occurred_at,type,person_email,channel,value,source_id",
}


@dataclass(frozen=True)
class Export:
    """One exported file, or a part of one."""

    kind: str
    exported_at: str
    rows: tuple[tuple[str, ...], ...]

    def write(self, folder: Path, number: int) -> Path:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([HEADERS[self.kind].split(","), *self.rows])
        path = folder / f"{self.kind}_{number:02}.csv"
        path.write_text(text.getvalue(), "utf-8")
        return path


class Programme:
    """A small partner programme that changes from month to month, and exports what it knows."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        names = ["Nordwind", "Südwind", "Ostwind", "Westwind"]
        self.partners = {f"P{i}": [name, "", "DE", "si", "EMEA", "active", "silver"] for i, name in enumerate(names, 1)}
        self.deals: dict[str, list[str]] = {}
        self.parts: dict[str, list[tuple[str, str, str]]] = {}
        self.people: list[tuple[str, ...]] = []
        self.activities: list[tuple[str, ...]] = []

    def month(self, number: int) -> None:
        """What happens in a month: names, tiers and amounts change, deals are won, people learn and sign in."""
        pick = self.chance
        for row in self.partners.values() if pick.random() < 0.6 else ():  # now and then the same bytes come again
            row[0] = pick.choice([row[0], row[0], f"{row[0].split(' ')[0]} {pick.choice(['GmbH', 'AG'])}"])
            row[6] = pick.choice([row[6], row[6], "silver", "gold", ""])
            row[5] = pick.choice([row[5], row[5], "active", "suspended"])
            row[1] = pick.choice([row[1], f"{row[0].split(' ')[0].lower()}.example"])
        for _ in range(pick.randint(1, 3)):
            key = f"D{len(self.deals) + 1}"
            begun = f"2026-{number:02}-{pick.randint(1, 27):02}"
            self.deals[key] = [f"Customer {pick.randint(1, 4)}", "Negotiation", "open", "", "USD", begun, "", "new"]
            who = pick.sample(sorted(self.partners), pick.randint(1, 2))
            self.parts[key] = [(one, pick.choice(["sourced", "resold", "influenced"]), "") for one in who]
        for deal in self.deals.values():
            if deal[2] == "open" and pick.random() < 0.7:
                deal[3] = pick.choice(["", str(pick.randint(1, 400) * 500), deal[3]])
            if deal[2] == "open" and pick.random() < 0.3:
                won = pick.choice([True, True, False])
                deal[1:3] = ["Closed Won", "won"] if won else ["Closed Lost", "lost"]
                deal[6] = f"2026-{number:02}-28"
        for _ in range(pick.randint(0, 2)):
            who, nick = pick.choice(sorted(self.partners)), pick.choice(["anna", "ben", "eve"])
            self.people.append((who, f"{nick}@{who.lower()}.example", nick.title(), f"CERT-{pick.choice('AB')}", "associate",
                                "active", f"2026-{number:02}-10", pick.choice(["", "2026-05-31"])))  # fmt: skip
        for _ in range(pick.randint(2, 5)):
            who, day = pick.choice(sorted(self.partners)), f"2026-{number:02}-{pick.randint(1, 27):02}"
            when = pick.choice([day, f"{day}T08:30:00Z", f"{day}T23:45:00-05:00"])
            named = pick.choice(["", f"a{len(self.activities)}"])
            what = pick.choice(["portal_login", "meeting", "email_replied"])
            self.activities.append((who, when, what, f"anna@{who.lower()}.example", "portal", "", named))

    def export(self, exported_at: str) -> list[Export]:
        """Everything as it stands, one file a kind; the deal that nobody can read is in every one of them."""
        deals = [
            (key, who, role, *deal[:8], share)
            for key, deal in self.deals.items()
            for who, role, share in self.parts[key]
        ]
        deals.append(("D99", "P1", "resold", "Nobody", "Open", "open", "a lot", "USD", "2026-01-01", "", "new", ""))
        partners = [(key, *row, "2024-02-29", "cam@vendor.example") for key, row in self.partners.items()]
        kinds = {"partners": partners, "deals": deals}
        if exported_at != EXPORTED[0]:
            kinds |= {"activities": self.activities} if exported_at != EXPORTED[-1] else {"people": self.people}
        return [Export(kind, exported_at, tuple(rows)) for kind, rows in kinds.items() if rows]


def history(chance: random.Random) -> list[Export]:
    """Three months of a programme; now and then an export comes back as it was, or disagrees with one of its moment."""
    programme = Programme(chance)
    found: list[Export] = []
    for number, exported_at in enumerate(EXPORTED, start=1):
        programme.month(number)
        found += programme.export(exported_at)
    back = chance.choice([export for export in found if export.kind in ("partners", "deals")])
    found.append(replace(back, exported_at="2026-04-30T18:00"))  # a source that was set back: A, B, A
    twin = chance.choice([export for export in found if export.kind == "partners"])
    rows = tuple((row[0], row[1] + " & Co", *row[2:]) for row in twin.rows)
    found.append(replace(twin, rows=rows))  # two exports of one moment that disagree
    return found


def split(chance: random.Random, export: Export) -> list[Export]:
    """An export as it is, or in up to three parts with rows in any order; each has a row that can be read."""
    rows = list(export.rows)
    cuts = sorted(chance.choices(range(len(rows) + 1), k=chance.choice([0, 0, 0, 0, 1, 2])))
    if cuts:
        chance.shuffle(rows)
    ends = zip([0, *cuts], [*cuts, len(rows)], strict=True)
    return [replace(export, rows=tuple(rows[a:b])) for a, b in ends if any(row[0] != "D99" for row in rows[a:b])]


def fed(home: Home, exports: list[Export]) -> Home:
    """Take in exports in this order."""
    folder = home.path.parent / f"{home.path.name}_files"
    folder.mkdir()
    for number, export in enumerate(exports):
        load = take_in(home, export.write(folder, number), export.exported_at)
        assert load.rows_in == len(export.rows) == load.loaded + load.unchanged + load.quarantined
        assert load.quarantined == sum(row[0] == "D99" for row in export.rows)
    return home


def known_by(export: Export, as_of: str) -> bool:
    return export.exported_at[:10] <= as_of


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5, 19, 32, 47, 302])
def test_any_order_number_and_batching_gives_the_same_state(
    home: Home, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the rows of small files are not held, but read anew by each statement as those of large ones are."""
    chance = random.Random(seed)
    exports = sorted(history(chance), key=lambda export: export.exported_at)
    fed(home, exports)
    straight = {day: (facts(home, day), judged(home, assess(home, day))) for day in DAYS}
    shuffled = [part for export in exports for part in split(chance, export)]
    shuffled += chance.sample(shuffled, 2)
    chance.shuffle(shuffled)
    print(f"{len(exports)} exports in order, {len(shuffled)} parts in disorder, 2 of them twice")
    if seed % 2:
        monkeypatch.setattr(duckdb, "HELD", -1)
    with beside(home, "shuffled") as other:
        fed(other, shuffled)
        for day, (tables, readiness) in straight.items():
            assert differing(facts(other, day), tables) == {}
            assert judged(other, assess(other, day)) == readiness
    counts = [straight[day][0]["deals"].num_rows for day in DAYS]
    assert 0 < counts[0] < counts[-1]  # the days do differ


@pytest.mark.parametrize("seed", [201, 202])
def test_a_dated_load_that_is_reverted_might_as_well_never_have_come(home: Home, seed: int) -> None:
    chance = random.Random(seed)
    exports = [export for export in history(chance) if export.kind != "activities"]
    chance.shuffle(exports)
    gone = chance.sample(exports, 2)
    with beside(home, "without") as other:
        fed(other, [export for export in exports if export not in gone])
        without = {day: (facts(other, day), judged(other, assess(other, day))) for day in DAYS}
    fed(home, exports)
    for export in gone:
        (load, *_) = Load.objects.filter(file_name=f"{export.kind}_{exports.index(export):02}.csv", again_of=None)
        revert(home, load.name, "", NOW)
    for day, (tables, readiness) in without.items():
        assert differing(facts(home, day), tables) == {}
        assert judged(home, assess(home, day)) == readiness


@pytest.mark.parametrize("seed", [101, 102])
def test_what_was_known_later_changes_nothing_before(home: Home, seed: int) -> None:
    """Scores of a day are the same to the byte, whether or not what came to be known after it was ever taken in."""
    chance = random.Random(seed)
    exports = history(chance)
    chance.shuffle(exports)
    fed(home, exports)
    for day in DAYS[:2]:
        with_all = run_bytes(home, day)
        known = [export for export in exports if known_by(export, day)]
        assert 0 < len(known) < len(exports)
        with beside(home, f"until-{day}") as then:
            fed(then, known)
            assert run_bytes(then, day) == with_all


def run_bytes(home: Home, as_of: str) -> tuple[str, bytes]:
    """The results of a run, to the byte; the names of loads stand for the order of arrival and are left out."""
    folder = home.path / "runs" / assess(home, as_of).run_id
    lines = re.sub(r'"load_id":"L\d{6}"', '"load_id":""', (folder / "assessment.jsonl").read_text("utf-8"))
    assert lines.count('"load_id":""') == 4
    return lines, (folder / "signals.parquet").read_bytes()


def test_the_same_inputs_give_the_same_bytes(home: Home) -> None:
    exports = history(random.Random(2026))
    fed(home, exports)
    again = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    run = assess(home, DAYS[1])
    first = run_files(home, run)
    assert {"assessment.jsonl", "signals.parquet", "manifest.json"} < set(first)
    assert any(name.startswith("policy/") for name in first)
    assert assess(home, DAYS[1], again).run_id == run.run_id
    shutil.rmtree(home.path / "runs")
    assert run_files(home, assess(home, DAYS[1], again)) == first
    with beside(home, "twin") as twin:
        fed(twin, exports)
        their = assess(twin, DAYS[1])
        assert their.run_id == run.run_id
        assert run_files(twin, their) == first
        files = lake_files(twin)
    assert files == lake_files(home)
