"""The made exports are repeatable, end where they say, and hold exactly the faults and kinds that are planted."""

import csv
import io
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.demo.exports import HEADERS, WRONG_ON_PURPOSE, make, wrong_on_purpose

UNTIL = date(2026, 10, 31)
MANY = [1, 2, 3, 5, 14, 48, 130]

Rows = list[dict[str, str]]


def read(folder: Path, name: str) -> Rows:
    encoding, delimiter = ("utf-8-sig" if name == "partners.csv" else "utf-8"), (";" if name == "deals.csv" else ",")
    text = io.StringIO((folder / name).read_bytes().decode(encoding), newline="")
    return list(csv.DictReader(text, delimiter=delimiter))


def day_first(text: str) -> date:
    return datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=UTC).date()


def day_of(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(UTC).date() if "T" in moment else date.fromisoformat(moment)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("exports")
    return folder, make(folder)


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    kinds = [make(tmp_path / name, seed=seed) for name, seed in (("a", 7), ("b", 7), ("c", 8))]
    assert kinds[0] == kinds[1]
    for name in HEADERS:
        once, again, other = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert once == again
        assert once != other


def test_headers_and_bytes_of_each_file(made: tuple[Path, dict[str, str]]) -> None:
    raw = {name: (made[0] / name).read_bytes() for name in HEADERS}
    for name, header in HEADERS.items():
        sign = ";" if name == "deals.csv" else ","
        assert raw[name].decode("utf-8-sig").splitlines()[0] == sign.join(header)
        assert raw[name].startswith(b"\xef\xbb\xbf") == (name == "partners.csv")
        assert (b"\r\n" in raw[name]) == (name == "deals.csv")
    assert "Rönnebäck & Söhne" in raw["partners.csv"].decode()


@pytest.mark.parametrize(
    ("partners", "counts"),
    [
        (1, {"active": 1}),
        (7, {"active": 1, "ready": 1, "quiet": 1, "visible": 1, "new": 1, "thin": 2}),
        (48, {"active": 5, "ready": 9, "quiet": 8, "visible": 7, "new": 4, "thin": 15}),
        (96, {"active": 10, "ready": 18, "quiet": 16, "visible": 14, "new": 8, "thin": 30}),
    ],
)
def test_counts_of_kinds(tmp_path: Path, partners: int, counts: dict[str, int]) -> None:
    assert Counter(make(tmp_path, partners).values()) == counts


def test_no_partners_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        make(tmp_path, 0)


def test_ids_keep_leading_zeros_and_every_row_names_a_listed_partner(made: tuple[Path, dict[str, str]]) -> None:
    folder, kinds = made
    assert list(kinds) == [f"P-{number:04d}" for number in range(1, 49)]
    for name in HEADERS:
        assert {row["partner_id"] for row in read(folder, name)} <= set(kinds)


def test_two_partners_share_a_name_and_none_a_domain(made: tuple[Path, dict[str, str]]) -> None:
    rows = {row["partner_id"]: row for row in read(made[0], "partners.csv")}
    assert sorted(Counter(row["partner_name"] for row in rows.values()).values())[-2:] == [1, 2]
    domains = [row["domain"] for row in rows.values() if row["domain"]]
    assert len(set(domains)) == len(domains)


@pytest.mark.parametrize("until", [UNTIL, date(2024, 2, 29), date(2026, 3, 1)])
@pytest.mark.parametrize("partners", MANY)
def test_no_fact_lies_after_until(tmp_path: Path, partners: int, until: date) -> None:
    kinds = make(tmp_path, partners, until=until)
    days = [
        date.fromisoformat(row["joined_on"])
        for row in read(tmp_path, "partners.csv")
        if row["joined_on"] not in ("", "2025-02-30")
    ]
    for row in read(tmp_path, "deals.csv"):
        days += [day_first(row["created_on"])] + [day_first(row["close_on"])] * (row["stage_class"] != "open")
        assert day_first(row["created_on"]) < day_first(row["close_on"])
    days += [date.fromisoformat(row["issued_on"]) for row in read(tmp_path, "people_credentials.csv")]
    days += [day_of(row["occurred_at"]) for row in read(tmp_path, "activities.csv")]
    assert len(days) > len(kinds)
    assert max(days) <= until


@pytest.mark.parametrize("seed", [1, 7, 8])
@pytest.mark.parametrize("partners", MANY)
def test_rows_wrong_on_purpose(tmp_path: Path, partners: int, seed: int) -> None:
    make(tmp_path, partners, seed)
    amounts = defaultdict(set)
    for row in read(tmp_path, "deals.csv"):
        amounts[row["deal_id"]].add(tuple(row[column] for column in HEADERS["deals.csv"][3:12]))
    disputed = {deal_id for deal_id, said in amounts.items() if len(said) > 1}
    found = {
        "partners.csv": sum(row["joined_on"] == "2025-02-30" for row in read(tmp_path, "partners.csv")),
        "deals.csv": sum(row["deal_id"] in disputed for row in read(tmp_path, "deals.csv")),
        "people_credentials.csv": sum(not row["credential_code"] for row in read(tmp_path, "people_credentials.csv")),
        "activities.csv": sum(not row["type"] for row in read(tmp_path, "activities.csv")),
    }
    assert found == wrong_on_purpose(partners)
    assert len(read(tmp_path, "partners.csv")) == partners + 1
    assert wrong_on_purpose(48) == WRONG_ON_PURPOSE


@pytest.mark.parametrize("seed", [1, 7, 8])
@pytest.mark.parametrize("partners", MANY)
def test_the_mess_is_there_in_every_size(tmp_path: Path, partners: int, seed: int) -> None:
    make(tmp_path, partners, seed)
    deals, activities = read(tmp_path, "deals.csv"), read(tmp_path, "activities.csv")
    assert sum(times - 1 for times in Counter(tuple(row.values()) for row in deals).values()) == 1
    repeats = [times for times in Counter(tuple(row.values()) for row in activities).values() if times > 1]
    assert len(repeats) >= 3
    assert len({row["source_id"] for row in activities}) == len(activities) - len(repeats)
    assert {"T" in row["occurred_at"] for row in activities} == {True, False}
    assert len({row["deal_id"] for row in deals if not row["amount"]}) == 2
    assert all(row["stage_class"] == "open" for row in deals if not row["amount"])
    for column in ("created_on", "close_on"):
        assert any(day_first(row[column]).day > 12 for row in deals)
    people = {row["person_email"] for row in read(tmp_path, "people_credentials.csv")}
    assert len({email.lower() for email in people}) < len(people)


@pytest.mark.parametrize("seed", [1, 7, 8])
@pytest.mark.parametrize("partners", [2, 14, 48])
def test_each_kind_shows_what_it_was_planted_as(tmp_path: Path, partners: int, seed: int) -> None:
    kinds = make(tmp_path, partners, seed)
    deals, last, live = defaultdict(dict), defaultdict(lambda: date.min), Counter[str]()
    rows = read(tmp_path, "deals.csv")
    for row in rows:
        if len({other["amount"] for other in rows if other["deal_id"] == row["deal_id"]}) == 1:
            deals[row["partner_id"]][row["deal_id"]] = row
    for row in read(tmp_path, "activities.csv"):
        last[row["partner_id"]] = max(last[row["partner_id"]], day_of(row["occurred_at"]))
    for row in read(tmp_path, "people_credentials.csv"):
        live[row["partner_id"]] += (row["expires_on"] or "9999-12-31") >= UNTIL.isoformat()
    for partner_id, kind in kinds.items():
        classes = Counter(row["stage_class"] for row in deals[partner_id].values())
        since = {UNTIL - day_first(row["close_on"]) for row in deals[partner_id].values()}
        if kind == "active":
            assert 8 <= sum(classes.values()) <= 20
            assert classes["won"] >= 3
        elif kind == "ready":
            assert classes["open"] == sum(classes.values()) <= 2
        elif kind == "quiet":
            assert classes["won"] == sum(classes.values()) >= 2
            assert timedelta(days=365) < min(since) <= max(since) <= timedelta(days=731)
            assert timedelta(days=140) < UNTIL - last[partner_id] < timedelta(days=320)
        else:
            assert not deals[partner_id]
            assert not live[partner_id]
        assert (live[partner_id] > 0) == (kind in ("active", "ready", "quiet"))
        assert (last[partner_id] > date.min) == (kind != "thin")
