"""Drafts of mappings: from files of unknown shape to rows that go in, and nothing decided in silence."""

import json
import tomllib
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import SHARED
from tests.river import command, table, take_in

from groundswell.connectors.files.mapping import UNDECIDED, Mapping_, parse_text
from groundswell.connectors.files.read import Refused
from groundswell.engine.home import Home
from groundswell.policy.read import BadPolicy
from groundswell.runs.propose import proposal

CLIENTS = "Client;Sector;Land\nMoor Rail;Transport;Germany\nKelp Works;Food;Norway\n"
PIPELINE = (
    "Opp ID;Client;Reseller;Phase;Deal Value;Opened;Expected Close\n"
    "O-1;Moor Rail;Acorn;Closed Won;1.200,50;03/04/2026;05/06/2026\n"
    "O-2;Kelp Works;Birch;Talking;900,00;13/04/2026;05/06/2026\n"
    "O-3;Moor Rail;Acorn;Talking;;14/04/2026;\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


def files(folder: Path, **texts: str) -> list[Path]:
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return [folder / f"{name}.csv" for name in texts]


def drafted(home: Home, *paths: Path) -> str:
    text = proposal(home, paths).text
    tomllib.loads(text)
    return text


def rows(text: str) -> dict[str, dict[str, dict[str, object]]]:
    """File pattern -> table (with `mention of` before it) -> row map."""
    return {
        file["match"]: {("mention of " if row.get("mention") else "") + row["table"]: row for row in file["row"]}
        for file in tomllib.loads(text).get("file", [])
    }


def decided(text: str, **answers: str) -> str:
    """The draft with each place to decide answered, by the last word of its key."""
    lines = []
    for line in text.splitlines():
        key = line.partition("=")[0].strip().strip('"').rsplit(".", 1)[-1].strip('"')
        if f'"{UNDECIDED}"' in line and key in answers:
            line = line.replace(f'"{UNDECIDED}"', json.dumps(answers[key]), 1)
        lines.append(line)
    return "\n".join(lines) + "\n"


def parsed(text: str) -> Mapping_:
    return parse_text("draft.toml", text)


# ---------------------------------------------------------------------------------------------------- what is proposed


def test_a_draft_becomes_rows_after_the_places_that_it_names_are_decided(home: Home, folder: Path) -> None:
    paths = files(folder, clients=CLIENTS, pipeline=PIPELINE)
    text = drafted(home, *paths)
    with pytest.raises(BadPolicy) as error:
        parsed(text)
    asked = [fault.split(": TODO is left to decide: ") for fault in error.value.faults]
    assert [(place.split(" ")[1], why) for place, why in asked] == [
        ("source.currency", "no column names the currency of Deal Value: such as USD"),
        ("stage_class.values.Talking", "2 rows: one of open, won, lost"),
        ("role.const", "which part had the partner: sourced, resold, assisted, ...? Only deals sourced or resold count for it"),
    ]  # fmt: skip
    for place, _ in asked:
        line = int(place.split(":")[1].split(" ")[0])
        assert f'"{UNDECIDED}"' in text.splitlines()[line - 1]
    mapping = folder / "draft.toml"
    mapping.write_text(decided(text, currency="EUR", Talking="open", role="sourced"), "utf-8")
    for path, count in zip(paths, (2, 3), strict=True):
        load = take_in(home, path, "2026-09-01", mapping=mapping)
        assert (load.loaded, load.quarantined) == (count, 0)
    deals = {row["external_id"]: row for row in table(home, "deals", "2026-09-30")}
    won = deals["O-1"]
    assert (won["stage_class"], won["amount"], won["created_on"], won["closed_on"]) == (
        "won", "1200.5000", "2026-04-03", "2026-06-05",
    )  # fmt: skip
    accounts = {row["organisation_id"]: row["name"] for row in table(home, "accounts", "2026-09-30")}
    assert accounts[won["account_id"]] == "Moor Rail"
    assert {row["name"] for row in table(home, "partners", "2026-09-30")} == {"Acorn", "Birch"}


def test_each_suggestion_says_what_the_cells_show_and_why_it_is_made(home: Home, folder: Path) -> None:
    text = drafted(home, *files(folder, pipeline=PIPELINE, clients=CLIENTS))
    assert (
        "# Opened: 03/04/2026, 13/04/2026, 14/04/2026; none empty; no two equal; dates, day first, as 13/04/2026 proves"
        in text
    )
    assert "# Expected Close: 05/06/2026; 1 of 3 empty; 1 different; dates, ASKED: no cell decides" in text
    assert "another date of the file decides the order of its days and months" in text
    assert "# Deal Value: 1.200,50, 900,00; 1 of 3 empty; 2 different; numbers, decimal comma" in text
    assert "all 2 distinct cells stand in Client of clients.csv" in text
    assert "# the header Client names customers" in text
    alias = drafted(
        home,
        *files(
            folder, other="Nr,Deal Name,Amount in company currency,Created\n1,A,2.5,2026-01-01\n2,B,3.5,2026-01-01\n"
        ),
    )
    assert "# the header is an alias of amount_home in hubspot_deals; all 2 filled cells are numbers" in alias


def test_every_column_is_mapped_or_listed(home: Home, folder: Path) -> None:
    extra = PIPELINE.replace("Opp ID;", "Opp ID;Mood;{x};Id;Id;", 1).replace("O-1;", "O-1;glad;1;2;3;")
    text = drafted(home, *files(folder, pipeline=extra.replace("O-2;", "O-2;;1;2;3;").replace("O-3;", "O-3;;1;2;3;")))
    assert "#   Mood: glad; 2 of 3 empty; 1 different" in text
    assert "#   {x}: stands twice, or holds a brace" in text
    assert "#   Id: stands twice, or holds a brace" in text


def test_a_date_that_no_cell_decides_is_left_to_decide(home: Home, folder: Path) -> None:
    partners = "Reseller No,Reseller Name,Joined\n1,A,03/04/2025\n2,B,05/04/2025\n"
    (path,) = files(folder, resellers=partners)
    text = drafted(home, path)
    with pytest.raises(BadPolicy, match=r"joined_on\.format: TODO is left to decide: dmy or mdy: no cell decides"):
        parsed(text)
    (folder / "draft.toml").write_text(decided(text.replace('format = "TODO"', 'format = "dmy"')), "utf-8")
    take_in(home, path, mapping=folder / "draft.toml")
    assert {row["joined_on"] for row in table(home, "partners", "2026-11-30")} == {"2025-04-03", "2025-04-05"}


def test_nothing_says_whose_the_organisations_are(home: Home, folder: Path) -> None:
    text = drafted(home, *files(folder, list="Id,Company\n1,A\n2,B\n"))
    row = rows(text)["list*.csv"]["organisations"]
    assert (row["is_partner"], row["is_customer"]) == ({"const": UNDECIDED}, {"const": UNDECIDED})


def test_cells_prove_columns_whose_headers_say_nothing(home: Home, folder: Path) -> None:
    text = drafted(
        home, *files(folder, partners="Reseller No,Reseller Name,X,Y\n1,A,a.example,DE\n2,B,b.example,NO\n3,C,7.5,SE\n")
    )
    row = rows(text)["partners*.csv"]["organisations"]
    assert row["country"] == "Y"
    assert "# all 3 filled cells are countries" in text
    assert "domain" not in row, "2 of 3 are too few"
    assert "#   X: a.example, b.example, 7.5" in text


def test_a_header_whose_cells_are_something_else_is_not_mapped_and_says_so(home: Home, folder: Path) -> None:
    text = drafted(home, *files(folder, partners="Reseller No,Reseller Name,Country\n1,A,Moon\n2,B,Mars\n"))
    assert "country" not in rows(text)["partners*.csv"]["organisations"]
    assert "the header means organisations.country, but only 0 of 2 filled cells are countries" in text


def test_a_few_bad_cells_leave_the_column_that_the_header_means(home: Home, folder: Path) -> None:
    text = PIPELINE.replace("Deal Value", "Deal Value (EUR)").replace("900,00", "much")
    found = drafted(home, *files(folder, pipeline=text + "O-4;Moor Rail;Acorn;Talking;70,00;14/04/2026;\n"))
    row = rows(found)["pipeline*.csv"]["deals"]
    assert row["amount"] == "Deal Value (EUR)"
    assert "# the header means deals.amount; 2 of 3 filled cells are numbers" in found


def test_two_columns_that_are_one_id_and_a_country_in_another_file(home: Home, folder: Path) -> None:
    head = ("OrderNumber", "LineNumber", "ResellerKey", "SalesAmount", "OrderDate")
    orders = [("A", 1, 7, 2.5, "2026-01-05"), ("A", 2, 7, 2.5, "2026-01-05"), ("B", 1, 8, 2.5, "2026-01-06")]
    rows_ = [dict(zip(head, order, strict=True)) for order in orders]
    pq.write_table(pa.Table.from_pylist(rows_), folder / "orders_2026-01.parquet")
    paths = files(
        folder,
        resellers="ResellerKey,ResellerName,PlaceKey\n7,A,1\n8,B,2\n",
        places="PlaceKey,CountryCode\n1,DE\n2,NO\n",
    )
    text = drafted(home, *paths, folder / "orders_2026-01.parquet")
    found = rows(text)
    assert found["orders*.parquet"]["deals"]["external_id"] == "{OrderNumber}#{LineNumber}"
    assert found["orders*.parquet"]["touches"]["partner_id"] == "ResellerKey"
    assert found["resellers*.csv"]["organisations"]["country"] == {
        "lookup": "places.csv",
        "on": "PlaceKey",
        "take": "CountryCode",
    }
    assert "places.csv: resellers.csv looks up in it" in text
    assert "mention of organisations" not in found["orders*.parquet"], "resellers.csv tells all of them"


def test_credentials_bring_the_people_who_hold_them(home: Home, folder: Path) -> None:
    lms = "Learner Email;Partner;Course;Completed On\np@a.example;Acorn;C-1;2026-01-05\nq@a.example;Acorn;C-1;2026-01-06\n"
    (path,) = files(folder, lms=lms)
    text = drafted(home, path)
    found = rows(text)["lms*.csv"]
    assert found["people"]["side"] == {"const": "partner"}
    assert (
        found["credentials"]["person_id"]
        == found["people"]["external_id"]
        == {"header": "Learner Email", "key": "email"}
    )
    (folder / "draft.toml").write_text(text, "utf-8")
    assert take_in(home, path, mapping=folder / "draft.toml").loaded == 2, "nothing was left to decide"
    assert "With this mapping 1 of 83 signals can be computed" in text


def test_a_workbook_below_titles_and_json_lines(home: Home, folder: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Pipe"
    for row in (["Report of May"], [], *(line.split(";") for line in PIPELINE.splitlines())):
        sheet.append(row)
    book.create_sheet("Notes").append(["to do"])
    book.save(folder / "pipe.xlsx")
    assert rows(drafted(home, folder / "pipe.xlsx"))["pipe*.xlsx"]["deals"]["external_id"] == "{Opp ID}"
    events = [
        {"id": f"E{i}", "reseller_id": "R1", "activity_type": "meeting", "timestamp": f"2026-05-0{i} 10:00"}
        for i in (1, 2)
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), "utf-8")
    text = drafted(home, folder / "events.jsonl")
    assert rows(text)["events*.jsonl"]["activities"]["occurred_on"] == "timestamp"
    assert f'zone = "{UNDECIDED}"' in text


def test_hostile_headers_and_cells_leave_a_draft_that_can_be_read(home: Home, folder: Path) -> None:
    head = '"Opp ""ID""","Cli\'ent",Client,"a\nb",Phase,Amount,Created\n'
    rows_ = "".join(f'O{i},x,"F\x1b[31m\x7f{i}","1\n2","=won""\\",2.5,2026-01-0{i}\n' for i in (1, 2, 3))
    text = drafted(home, *files(folder, odd=head + rows_))
    assert "\x1b" not in text
    assert 'stage_class.values."=won\\"\\\\" = "TODO"' in text
    (folder / "latin.csv").write_bytes("Händler Nr;Firma\n1;Müller\n2;Süd\n".encode("cp1252"))
    assert "Firma: Müller, Süd" in drafted(home, folder / "latin.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\nb\n", "no header with two columns"),
        ("1,2\n3,4\n", "holds no headers but data"),
        ("a,b\n", "no header with rows"),
        ("", "empty"),
    ],
)
def test_what_holds_no_table_is_refused(home: Home, folder: Path, text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        proposal(home, files(folder, x=text))


def test_a_file_that_is_known_needs_no_mapping(home: Home, folder: Path) -> None:
    known, other = files(folder, partners="partner_id,partner_name\nP1,A\n", pipeline=PIPELINE)
    found = proposal(home, [known])
    assert (found.text, "fits the format generic_partners; it needs no mapping" in found.known[0]) == ("", True)
    both = proposal(home, [known, other]).text
    assert "partners" not in rows(both)
    assert "# partners.csv fits the format generic_partners" in both
    (folder / "draft.toml").write_text(decided(both, currency="EUR", Talking="open", role="sourced"), "utf-8")
    take_in(home, other, mapping=folder / "draft.toml")
    assert "the mapping kept for source" in proposal(home, [other]).known[0]


# ------------------------------------------------------------------------------------------------- what it would buy


def test_what_is_wanting_is_named_with_what_it_would_add(home: Home, folder: Path) -> None:
    without = PIPELINE.replace("Reseller;", "").replace("Acorn;", "").replace("Birch;", "")
    text = drafted(home, *files(folder, pipeline=without))
    assert "With this mapping 0 of 83 signals can be computed" in text
    assert "# touches.partner_id: would add 19 signals" in text
    assert "With this mapping 19 of 83 signals can be computed" in drafted(home, *files(folder, pipeline=PIPELINE))


# -------------------------------------------------------------------------------------------------- the command line


def test_the_command_prints_or_writes_a_draft_and_leaves_nothing_else(home: Home, folder: Path) -> None:
    (path,) = files(folder, pipeline=PIPELINE)
    out = folder / "draft.toml"
    fresh = folder / "fresh"
    printed = command(fresh, "take-in", "--propose", str(path))
    assert (printed.returncode, printed.stderr) == (0, "")
    written = command(fresh, "take-in", "--propose", str(path), "--out", str(out))
    assert "3 places to decide, marked TODO" in written.stdout
    assert out.read_text("utf-8") == printed.stdout
    assert list(fresh.iterdir()) == []
    again = command(fresh, "take-in", "--propose", str(path), "--out", str(out))
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    refused = command(fresh, "take-in", "--mapping", str(out), str(path))
    assert (refused.returncode, refused.stderr.count("TODO is left to decide")) == (2, 3)


# ------------------------------------------------------------------------------------------------------ real exports


def _shared(name: str) -> Path:
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"../shared/data/{name} is absent")
    return folder


def test_a_crm_export_of_8800_deals_goes_in_after_two_decisions(home: Home, tmp_path: Path) -> None:
    folder = _shared("crm_sales_opportunities")
    text = drafted(home, *sorted(folder.glob("*.csv")))
    assert text.count(f'= "{UNDECIDED}"') == 2
    mapping = tmp_path / "crm.toml"
    mapping.write_text(decided(text, currency="USD", Engaging="open"), "utf-8")
    loads = [
        take_in(home, folder / f"{n}.csv", "2026-01-01", mapping=mapping)
        for n in ("accounts", "sales_teams", "sales_pipeline")
    ]
    assert [(load.loaded, load.quarantined) for load in loads] == [(85, 0), (35, 0), (8800, 0)]
    deals = table(home, "deals", "2026-01-31")
    known = {row["organisation_id"] for row in table(home, "accounts", "2026-01-31")}
    assert {row["account_id"] for row in deals} - {""} <= known
    assert len(known) == 85
    assert sum(row["stage_class"] == "won" for row in deals) == 4238


@pytest.mark.parametrize("name", ["cncf_partners", "adventureworks_channel"])
def test_drafts_of_other_exports_can_be_read_once_decided(home: Home, name: str) -> None:
    folder = _shared(name)
    text = drafted(home, *sorted(folder.glob("*.csv")), *sorted(folder.glob("*.parquet")))
    words = {"currency": "USD", "role": "resold", "partner_type": "other"}
    whole = [
        line.replace(f'"{UNDECIDED}"', f'"{words.get(line.split(" ")[0].split(".")[0], "won")}"')
        for line in text.splitlines()
    ]
    assert parsed("\n".join(whole)).files
    found = rows(text)
    if name == "cncf_partners":
        row = found["directory*.csv"]["organisations"]
        assert (row["external_id"], row["name"], row["domain"]) == ("{partner_id}", "name", "homepage")
        assert found["directory*.csv"]["memberships"]["joined_on"] == "joined"
        assert "but only 0 of 2,150 filled cells are dates" in text
    else:
        assert found["resellers*.csv"]["organisations"]["country"] == {
            "lookup": "geography.csv", "on": "GeographyKey", "take": "CountryRegionCode",
        }  # fmt: skip
        assert found["order_lines_to*.parquet"]["deals"]["external_id"] == "{SalesOrderNumber}#{SalesOrderLineNumber}"
        assert found["order_lines_to*.parquet"]["touches"]["partner_id"] == "ResellerKey"
