"""The made ecosystem is repeatable, keeps its past, and holds exactly the mess, the faults and the kinds that are planted."""

import csv
import io
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.river import assess, results, take_in

from groundswell.demo.cast import ANCHOR, OF_347
from groundswell.demo.exports import FILES, make
from groundswell.demo.truth import Truth
from groundswell.engine.home import Home

YEAR = timedelta(days=365)
SEEDS = (1, 7, 8)
SIZES = (1, 2, 3, 25)
Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    """The rows of a file of its month, without the lines below a report; nothing where there is none."""
    if not path.exists():
        return []
    dialect = FILES[path.name][1]
    text = path.read_bytes().decode(dialect.get("encoding", "utf-8")).split("\r\n\r\n")[0]
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=dialect.get("delimiter", ",")))


def of(folder: Path, name: str) -> Rows:
    """The rows of a file in all months, oldest first."""
    return [row for month in sorted((folder / "exports").iterdir()) for row in read(month / name)]


def day_of(text: str) -> date:
    """A day as any of the systems writes it, in UTC."""
    if "." in text and "T" not in text:
        return datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=UTC).date()
    return datetime.fromisoformat(text).astimezone(UTC).date() if "T" in text else date.fromisoformat(text)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.csv")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("ecosystem")
    return folder, make(folder)


# ------------------------------------------------------------------------------------------------- determinism, time


def test_equal_arguments_give_equal_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    truths = [make(tmp_path / name, 25, seed, months=2) for name, seed in (("a", 7), ("b", 7), ("c", 8))]
    once, again, other = (contents(tmp_path / name) for name in "abc")
    assert once == again
    assert truths[0] == truths[1]
    assert {name for name in once if once[name] == other.get(name)} == set()


@pytest.mark.parametrize("partners", [1, 3, 60])
def test_a_later_until_adds_months_and_changes_none(tmp_path: Path, partners: int) -> None:
    make(tmp_path / "early", partners, until=date(2026, 9, 30), months=5)
    make(tmp_path / "late", partners, until=date(2027, 4, 30), months=10)
    early, late = contents(tmp_path / "early" / "exports"), contents(tmp_path / "late" / "exports")
    shared = {name for name in early if name[:7] >= "2026-07"}
    assert shared == {name for name in late if name[:7] <= "2026-09"}
    assert all(early[name] == late[name] for name in shared)
    assert sorted({name[:7] for name in late})[-1] == "2027-04"


def test_what_is_true_moves_on_with_time(tmp_path: Path) -> None:
    now = make(tmp_path / "now", months=1).kinds
    then = make(tmp_path / "then", until=date(2027, 10, 31), months=1).kinds
    assert set(now) < set(then)
    moved = Counter((kind, then[partner]) for partner, kind in now.items() if then[partner] != kind)
    assert moved["ready_idle", "active"] >= 5
    assert moved["quiet_strong", "lapsed"] >= 10
    assert {kind for kind, _ in moved} >= {"new", "ready_idle", "quiet_strong"}
    assert sum(kind == "new" for kind in then.values()) >= 10


def test_a_month_that_is_not_over_is_written_up_to_until(tmp_path: Path) -> None:
    make(tmp_path, 25, until=date(2026, 10, 12), months=2)
    days = {day_of(row["occurred_at"]) for row in of(tmp_path, "portal_activities.csv")}
    assert date(2026, 10, 9) <= max(days) <= date(2026, 10, 12)


@pytest.mark.parametrize(("asked", "why"), [
    ({"partners": 0}, "at least one partner"), ({"months": 0}, "at least one month"),
    ({"partners": 1, "until": date(1999, 1, 31)}, "nobody has joined"),
])  # fmt: skip
def test_what_cannot_be_made_is_refused(tmp_path: Path, asked: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make(tmp_path, **asked)  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------------- the kinds


@pytest.mark.parametrize(("partners", "counts"), [
    (1, {"active": 1}),
    (3, {"active": 1, "ready_idle": 1, "developing": 1}),
    (25, {"active": 1, "ready_idle": 3, "quiet_strong": 2, "visible_weak": 3, "new": 1, "lapsed": 3, "never_started": 3,
          "thin": 1, "gamer": 1, "developing": 7}),
    (347, OF_347),
])  # fmt: skip
@pytest.mark.parametrize("seed", SEEDS)
def test_counts_of_kinds(tmp_path: Path, partners: int, counts: dict[str, int], seed: int) -> None:
    assert Counter(make(tmp_path, partners, seed, months=1).kinds.values()) == counts


def test_the_truth_stands_beside_the_exports_and_nowhere_in_them(whole: tuple[Path, Truth]) -> None:
    folder, truth = whole
    rows = list(csv.DictReader(io.StringIO((folder / "truth.csv").read_text("utf-8"))))
    assert {row["partner_id"]: row["kind"] for row in rows} == truth.kinds
    assert all(row["facts"] for row in rows)
    words = (*OF_347, "selling", "tapering", "gaming", "engaged")
    for name, (header, _) in FILES.items():
        assert "kind" not in header or name == "survey_readings.csv"
    for path in (folder / "exports" / "2026-10").iterdir():
        text = path.read_bytes().decode("latin-1").lower()
        assert not [word for word in words if f"{word}" in text and word not in ("active", "new", "thin")], path


@pytest.mark.parametrize("seed", SEEDS)
def test_each_kind_shows_in_the_rows_what_it_was_planted_as(tmp_path: Path, seed: int) -> None:
    facts = Facts(tmp_path, make(tmp_path, 120, seed))
    for partner, kind in facts.kinds.items():
        getattr(facts, kind)(partner)
    assert sum(facts.growing(partner) for partner in facts.of_kind("active")) >= 0.75 * len(facts.of_kind("active"))
    for kind in OF_347:
        told = {facts.counted(partner) for partner in facts.of_kind(kind)}
        assert len(told) == len(facts.of_kind(kind)) or kind == "never_started"


class Facts:
    """What the written rows say of each partner; one method a kind says what must hold of it."""

    def __init__(self, folder: Path, truth: Truth) -> None:
        self.kinds = truth.kinds
        listed = of(folder, "portal_partners.csv")
        accounts = {row["salesforce_account_id"][:15]: row["partner_id"] for row in listed}
        self.joined = {row["partner_id"]: row["joined_on"] for row in listed if row["joined_on"] != "2025-02-30"}
        self.deals: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for row in of(folder, "crm_opportunities.csv"):
            if row["Partner Role"] not in ("Advisor", "Influencer"):
                self.deals[accounts[row["Partner Account ID"]]][row["Opportunity ID"]] = row
        self.acts: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for name in ("portal_activities.csv", "marketing_activities.csv"):
            for row in of(folder, name):
                if row["type"]:
                    self.acts[row["partner_id"]][row["source_id"]] = row
        self.live: dict[str, set[str]] = defaultdict(set)
        for row in read(sorted((folder / "exports").iterdir())[-1] / "learning_credentials.csv"):
            ends, left = row["expires_on"] or "31.12.9999", row["left_on"] or "31.12.9999"
            if row["credential_code"] and min(day_of(ends), day_of(left)) >= ANCHOR:
                self.live[row["partner_id"]].add(row["person_email"].lower())
        self.claims: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in of(folder, "portal_registrations.csv"):
            self.claims[row["partner_id"]].append(row)

    def of_kind(self, kind: str) -> list[str]:
        return [partner for partner, one in self.kinds.items() if one == kind]

    def won(self, partner: str, after: date = date.min, until: date = ANCHOR) -> list[float]:
        """Amounts of the deals that the CRM shows as won between two days."""
        return [
            float(row["Amount"].replace(".", "").replace(",", "."))
            for row in self.deals[partner].values()
            if row["Stage"] == "Closed Won" and row["Close Date"] and after < day_of(row["Close Date"]) <= until
        ]

    def days(self, partner: str, *kinds: str) -> list[date]:
        """Days on which a partner itself did something; of some types, where named."""
        rows = (row for row in self.acts[partner].values() if row["type"] != "email_sent")
        return sorted(day_of(row["occurred_at"]) for row in rows if not kinds or row["type"] in kinds)

    def counted(self, partner: str) -> tuple[object, ...]:
        types = Counter(row["type"] for row in self.acts[partner].values())
        return (*sorted(types.items()), len(self.deals[partner]), self.joined[partner])

    def growing(self, partner: str) -> bool:
        return sum(self.won(partner, ANCHOR - YEAR)) > sum(self.won(partner, ANCHOR - 2 * YEAR, ANCHOR - YEAR))

    def active(self, partner: str) -> None:
        assert len(self.won(partner, ANCHOR - YEAR)) >= 2
        assert len(self.live[partner]) >= 2

    def ready_idle(self, partner: str) -> None:
        assert not self.won(partner, ANCHOR - YEAR)
        assert len(self.live[partner]) >= 2
        replies = [row for row in self.acts[partner].values() if row["type"] == "seller_reply"]
        hours = sorted(float(row["value"]) for row in replies if day_of(row["occurred_at"]) > ANCHOR - YEAR / 2)
        assert hours[len(hours) // 2] <= 24
        lately = [day for day in self.days(partner, "meeting", "call", "joint_call") if day > ANCHOR - YEAR / 2]
        assert len(lately) >= 3
        assert any(not row["Stage"].startswith("Closed") for row in self.deals[partner].values())

    def quiet_strong(self, partner: str) -> None:
        assert len(self.won(partner, ANCHOR - 2 * YEAR, ANCHOR - YEAR)) >= 2
        assert not self.won(partner, ANCHOR - YEAR)
        assert self.live[partner]
        assert timedelta(days=120) < ANCHOR - max(self.days(partner)) < timedelta(days=340)
        assert len(set(self.days(partner, "portal_login"))) >= 4

    def lapsed(self, partner: str) -> None:
        assert all(day < ANCHOR - YEAR for day in self.days(partner))
        assert not self.live[partner]
        assert not self.won(partner, ANCHOR - YEAR)

    def visible_weak(self, partner: str) -> None:
        seen = self.days(partner, "asset_opened", "campaign_response", "webinar_attended", "event_attended")
        assert len(seen) >= 12
        assert not self.live[partner]
        assert not self.deals[partner]

    def never_started(self, partner: str) -> None:
        assert not self.days(partner)
        assert not self.deals[partner]
        assert date.fromisoformat(self.joined[partner]) < ANCHOR - YEAR / 2

    def thin(self, partner: str) -> None:
        assert not self.joined[partner]
        assert self.deals[partner]
        assert not any(row["Amount"] or row["Account Name"] for row in self.deals[partner].values())
        assert not any(row["person_email"] for row in self.acts[partner].values() if row["type"] != "email_sent")

    def new(self, partner: str) -> None:
        assert date.fromisoformat(self.joined[partner]) > ANCHOR - YEAR / 2

    def gamer(self, partner: str) -> None:
        assert not self.won(partner)
        assert not self.live[partner]
        rows = [row for row in self.acts[partner].values() if row["type"] in ("portal_login", "asset_opened")]
        assert max(Counter(row["person_email"] for row in rows).values()) == len(rows)
        opened = [row["occurred_at"] for row in rows if row["type"] == "asset_opened" and "T" in row["occurred_at"]]
        assert all(1 <= datetime.fromisoformat(moment).astimezone(UTC).hour <= 4 for moment in opened)
        assert max(Counter(moment[:13] for moment in opened).values()) >= 5
        assert sum(row["closure"] == "duplicate" for row in self.claims[partner]) >= 4

    def developing(self, partner: str) -> None:
        assert not self.won(partner, ANCHOR - YEAR)
        assert self.days(partner)
        assert self.deals[partner]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("partners", SIZES)
def test_nothing_happens_before_joining_or_after_the_export(tmp_path: Path, partners: int, seed: int) -> None:
    until = date(2026, 3, 31)
    make(tmp_path, partners, seed, until, months=3)
    joined = {row["partner_id"]: row["joined_on"] or "0001-01-01" for row in of(tmp_path, "portal_partners.csv")[::-1]}
    for month in (tmp_path / "exports").iterdir():
        last = {"01": date(2026, 1, 31), "02": date(2026, 2, 28), "03": until}[month.name[-2:]]
        happened = [
            (row["partner_id"], day_of(row[column]))
            for name, column in (("portal_activities.csv", "occurred_at"), ("marketing_activities.csv", "occurred_at"),
                                 ("portal_registrations.csv", "submitted_at"), ("learning_credentials.csv", "issued_on"))
            for row in read(month / name)
        ]  # fmt: skip
        assert happened
        assert all(date.fromisoformat(joined[who]) <= day <= last for who, day in happened)
        for row in read(month / "crm_opportunities.csv"):
            assert not row["Created Date"] or day_of(row["Created Date"]) <= last
            assert not row["Stage"].startswith("Closed") or not row["Close Date"] or day_of(row["Close Date"]) <= last


# --------------------------------------------------------------------------------------------------------- the mess


def test_the_bytes_of_each_file(whole: tuple[Path, Truth]) -> None:
    month = whole[0] / "exports" / "2026-10"
    raw = {path.name: path.read_bytes() for path in month.iterdir()}
    assert set(raw) == set(FILES)
    for name, text in raw.items():
        assert text.startswith(b"\xef\xbb\xbf") == name.startswith("portal_")
        assert (b"\r\n" in text) == name.startswith(("crm_opp", "learning"))
    with pytest.raises(UnicodeDecodeError):
        raw["crm_opportunities.csv"].decode()
    assert "Rönnebäck & Söhne" in raw["crm_opportunities.csv"].decode("cp1252")
    assert raw["crm_opportunities.csv"].decode("cp1252").splitlines()[-2].startswith('"Copyright')


def test_the_mess_of_a_whole_programme(whole: tuple[Path, Truth]) -> None:
    folder, _ = whole
    names = defaultdict(set)
    for row in of(folder, "portal_partners.csv"):
        names[row["partner_id"]].add(row["partner_name"])
    assert sum(len(found) == 2 for found in names.values()) >= 5, "partners are renamed"
    latest = read(folder / "exports" / "2026-10" / "portal_partners.csv")
    shared = Counter(name for name, _ in {(row["partner_name"], row["partner_id"]) for row in latest})
    assert max(shared.values()) == 2, "one name is that of two"
    credentials = read(folder / "exports" / "2026-10" / "learning_credentials.csv")
    emails = {row["person_email"] for row in credentials}
    assert len({email.lower() for email in emails}) < len(emails)
    dead = [row for row in credentials if row["expires_on"] and day_of(row["expires_on"]) < ANCHOR]
    assert {row["status"] for row in dead} == {"active", "expired"}
    assert any(row["left_on"] for row in credentials)
    portal = of(folder, "portal_activities.csv")
    assert {"T" in row["occurred_at"] for row in portal} == {True, False}
    ids = Counter(row["source_id"] for row in portal)
    assert sum(times > 1 for times in ids.values()) > 500, "feeds overlap"
    assert len(portal) < 60_000
    stages = defaultdict(list)
    for row in of(folder, "crm_opportunities.csv"):
        stages[row["Opportunity ID"]].append(row["Stage"])
    assert any(
        "Closed Won" in found[found.index("Closed Lost") :] for found in stages.values() if "Closed Lost" in found
    )


def test_deals_are_entered_late(whole: tuple[Path, Truth]) -> None:
    seen: dict[str, str] = {}
    late = 0
    for month in sorted((whole[0] / "exports").iterdir()):
        for row in read(month / "crm_opportunities.csv"):
            if row["Opportunity ID"] not in seen and seen and row["Created Date"]:
                created = day_of(row["Created Date"])
                late += f"{created:%Y-%m}" < month.name
            seen.setdefault(row["Opportunity ID"], month.name)
    assert late >= 5


def wrong(folder: Path) -> dict[str, int]:
    """Rows that a take-in must set aside, by file, told from the rows alone."""
    found: Counter[str] = Counter()
    for path in sorted((folder / "exports").rglob("*.csv")):
        rows = read(path)
        bad = {
            "portal_partners.csv": sum(row.get("joined_on") == "2025-02-30" for row in rows),
            "portal_activities.csv": sum(not row.get("type") for row in rows),
            "learning_credentials.csv": sum(not row.get("credential_code") for row in rows),
        }.get(path.name, 0)
        if path.name == "crm_opportunities.csv":
            amounts = defaultdict(set)
            for row in rows:
                amounts[row["Opportunity ID"]].add(row["Amount"])
            bad = sum(len(amounts[row["Opportunity ID"]]) > 1 for row in rows)
        if bad:
            found[f"{path.parent.name}/{path.name}"] = bad
    return dict(found)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("partners", SIZES)
def test_rows_wrong_on_purpose_are_counted(tmp_path: Path, partners: int, seed: int) -> None:
    truth = make(tmp_path, partners, seed, months=4)
    assert truth.wrong == wrong(tmp_path)
    assert {name.partition("/")[2] for name in truth.wrong} >= {"portal_partners.csv", "learning_credentials.csv"}
    assert any("crm" in name for name in truth.wrong) == (partners > 1)


# ------------------------------------------------------------------------------------------------------ taken in


@pytest.mark.parametrize(("partners", "seed"), [(1, 7), (2, 1), (25, 8)])
def test_it_is_taken_in_without_a_mapping_or_an_answer(home: Home, tmp_path: Path, partners: int, seed: int) -> None:
    truth = make(tmp_path, partners, seed, months=2)
    aside = {}
    for month, day in (("2026-09", "2026-09-30"), ("2026-10", "2026-10-31")):
        for path in sorted((tmp_path / "exports" / month).iterdir()):
            load = take_in(home, path, day)
            assert load.rows_in == len(read(path)) == load.loaded + load.unchanged + load.quarantined
            if load.quarantined:
                aside[f"{month}/{path.name}"] = load.quarantined
    assert aside == truth.wrong
    found = results(home, assess(home, "2026-10-31"))
    assert set(found) == set(truth.kinds), "each partner is one, though two systems know it"


def test_readiness_tells_the_kinds_apart(home: Home, tmp_path: Path) -> None:
    """The ready and idle stand above 60 without having won; the visible, the quiet and the gamers far below; the thin
    are too little known."""
    truth = make(tmp_path, 120, 3, months=4)
    for path in sorted((tmp_path / "exports").rglob("*.csv")):
        first = date.fromisoformat(f"{path.parent.name}-01")
        take_in(home, path, str((first + timedelta(days=31)).replace(day=1) - timedelta(days=1)))
    found = results(home, assess(home, "2026-10-31"))
    totals = defaultdict(list)
    for partner, kind in truth.kinds.items():
        totals[kind].append((found[partner]["readiness"], found[partner]["signals"]["won_revenue"]["low"]))
    ready = {
        partner
        for partner in truth.kinds
        if found[partner]["signals"]["won_revenue"]["low"] == "0" and found[partner]["readiness"]["state"] == "scored"
        and found[partner]["readiness"]["band"] in ("moderate", "high")
    }  # fmt: skip
    planted = {partner for partner, kind in truth.kinds.items() if kind == "ready_idle"}
    assert len(ready & planted) >= 0.8 * len(planted)
    assert len(ready & planted) >= 0.8 * len(ready)
    assert all(won not in ("0", None) for _, won in totals["active"])
    for kind in ("visible_weak", "quiet_strong", "lapsed", "never_started", "gamer"):
        assert {one["band"] for one, _ in totals[kind]} == {"none"}
    assert sum(one["state"] == "too little known" for one, _ in totals["thin"]) >= 0.8 * len(totals["thin"])
