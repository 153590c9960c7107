"""Crossbeam overlaps: which population an account is in, whose account it is, and that nothing gives them out."""

import datetime as dt
import json
from pathlib import Path

import pytest
from tests.river import command, table, take_in_text

from groundswell.core.tables.contract import TABLES, WITHHELD
from groundswell.engine.home import Home
from groundswell.policy import read
from groundswell.reads.tables import VIEWS, Withheld

DAY = "2026-03-31"
COLUMNS = "our_population, their_population, matched_on, their_owner, cast(day as varchar) as day"


def record(account: str, populations: list[str], theirs: list[str], **more: object) -> dict[str, object]:
    return {
        "record_id": account, "record_name": f"Firm {account}", "record_website": f"firm-{account}.example",
        "populations": [{"id": i, "name": name} for i, name in enumerate(populations)],
        "partner_populations": [{"id": i, "name": name} for i, name in enumerate(theirs)],
        "partner_id": "x-1", "partner_name": "Acorn Consulting", "partner_record_name": "Firm",
        "partner_record_website": "firm.example", "partner_owner": {"owner_name": "Olga Ownwell", "owner_email": "o@acorn.example"},
    } | more  # fmt: skip


RECORDS = [
    record("A-1", ["Prospects", "Open Opportunities", "Customers"], ["Prospects", "Customers"]),
    record("A-2", ["Prospects", "Open Opportunities"], ["Prospects"], partner_record_website=None),
    record("A-3", ["Prospects"], ["Companies in the north"], partner_owner=None),
    record("0015g00000XyZaB", ["Customers"], ["Open Opportunities"]),
    record("A-5", ["Everybody"], ["Customers"]),
]


def overlaps(home: Home, day: str = DAY) -> dict[str, tuple[object, ...]]:
    """What the day's table holds of each account, as rules would read it."""
    with home.day(dt.date.fromisoformat(day)) as engine:
        rows = engine.ask(f"select external_id, {COLUMNS} from overlaps_now")
    return {str(row["external_id"]).removeprefix("x-1|"): tuple(row.values())[1:] for row in rows}


@pytest.fixture
def shared(home: Home) -> Home:
    """An instance with the records above."""
    text = "".join(json.dumps(one) + "\n" for one in RECORDS)
    load = take_in_text(home, "overlaps.jsonl", text, "2026-03-15")
    assert (load.format, load.rows_in, load.loaded, load.quarantined) == ("crossbeam_overlaps", 5, 4, 1)
    (aside,) = load.quarantine.all()
    assert (aside.line, aside.column) == (5, "populations")
    assert aside.reason.startswith("our_population '[{")
    return home


def test_customer_comes_before_open_deal_before_prospect(shared: Home) -> None:
    assert overlaps(shared) == {
        "A-1": ("customer", "customer", "domain", "Olga Ownwell", "2026-03-15"),
        "A-2": ("open_deal", "prospect", "name", "Olga Ownwell", "2026-03-15"),
        "A-3": ("prospect", "other", "domain", None, "2026-03-15"),
        "0015g00000XyZaB": ("customer", "open_deal", "domain", "Olga Ownwell", "2026-03-15"),
    }
    assert overlaps(shared, "2026-03-14") == {}


def test_lists_that_a_csv_joins_are_read_alike(home: Home) -> None:
    text = (
        "record_id,record_name,partner_id,partner_name,populations,partner_populations\n"
        "A-1,Kelp,x-1,Acorn,Prospects; Open Opportunities,Prospects;Customers\n"
        "A-2,Moor,x-1,Acorn,open_opportunities;customers,whatever\n"
    )
    assert take_in_text(home, "overlaps.csv", text, "2026-03-15").loaded == 2
    assert {key: row[:3] for key, row in overlaps(home).items()} == {
        "A-1": ("open_deal", "customer", "name"),
        "A-2": ("customer", "other", "name"),
    }


def test_the_account_is_the_one_of_the_crm(shared: Home) -> None:
    accounts = "Id,Name,IsPartner,CreatedDate\n0015g00000XyZaB,Kelp Works Ltd,false,2024-01-01\n"
    take_in_text(shared, "account.csv", accounts, "2026-03-15")
    (account,) = (row for row in table(shared, "accounts", DAY) if row["source"] == "salesforce")
    assert account["name"] == "Kelp Works Ltd"
    with shared.day(dt.date.fromisoformat(DAY)) as engine:
        rows = engine.ask("select account_id, partner_id from overlaps_now where our_population = 'customer'")
    assert account["organisation_id"] in {row["account_id"] for row in rows}
    (partner,) = table(shared, "partners", DAY)
    assert {row["partner_id"] for row in rows} == {partner["partner_id"]}


def test_no_read_gives_them_out(shared: Home) -> None:
    assert {"overlaps"} == WITHHELD
    assert {column.private for column in TABLES["overlaps"].columns} == {"t"}
    assert "overlaps" not in VIEWS
    with pytest.raises(Withheld):
        table(shared, "overlaps", DAY)
    assert {row["entity_table"] for row in table(shared, "source_keys", DAY)} == {"links"}
    for view in VIEWS:
        assert not any("Olga" in cell for row in table(shared, view, DAY) for cell in row.values()), view


def test_the_command_line_refuses_them(shared: Home, tmp_path: Path) -> None:
    for words in (
        [],
        ["--format", "csv"],
        ["--format", "json"],
        ["--format", "xlsx", "--out", str(tmp_path / "o.xlsx")],
    ):
        refused = command(shared.path, "tables", "overlaps", "--as-of", DAY, *words)
        assert (refused.returncode, refused.stdout) == (4, "")
        assert refused.stderr.startswith("overlaps holds another company's data")
    assert not (tmp_path / "o.xlsx").exists()


def test_they_are_counted_by_signals_and_the_rows_behind_the_figure_are_not_shown(shared: Home) -> None:
    score = read.texts()["shipped/scores/readiness/2026-01-01.toml"].replace("accounts_in_play", "customers_in_common")
    own = shared.path / "policy" / "scores" / "readiness" / "2026-01-01.toml"
    own.parent.mkdir(parents=True)
    own.write_text(score, "utf-8")
    assert command(shared.path, "assess", "--as-of", DAY).returncode == 0
    told = command(shared.path, "explain", "Acorn Consulting").stdout
    assert "customers_in_common: 1 customers → 60 of 100" in told
    assert "overlaps.jsonl" not in told
    assert "Olga" not in told
    assert "Firm A-1" not in told
