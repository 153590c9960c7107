"""Taking in files: every row counted, what is set aside named, and the order of arrival without effect on dated facts."""

import datetime as dt
import itertools
from pathlib import Path

import pytest
from tests.river import NOW, assess, command, results, table, take_in, take_in_text

from groundswell.actions.loads import CannotRevert, revert
from groundswell.connectors.files import read
from groundswell.connectors.files.read import Refused
from groundswell.engine.home import Home
from groundswell.engine.lock import writer
from groundswell.policy.read import BadPolicy
from groundswell.records.loads import Load, LoadFile, QuarantinedRow
from groundswell.runs.prepare import Asked, NoSpace

DEALS = "deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on,close_on"
PARTNERS = "partner_id,partner_name,country,tier"


def lines(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows)


def partners(*rows: str) -> str:
    return lines(PARTNERS, *rows)


def day(number: int) -> dt.datetime:
    """Nine o'clock on a day of September 2026: a moment of arrival."""
    return dt.datetime(2026, 9, number, 9, tzinfo=dt.UTC)


def told(load: Load) -> tuple[int, int, int, int]:
    assert load.state == "committed"
    assert load.rows_in == load.loaded + load.unchanged + load.quarantined
    return load.rows_in, load.loaded, load.unchanged, load.quarantined


def names(home: Home, as_of: str) -> dict[str, str]:
    return {row["external_id"]: row["name"] for row in table(home, "organisations", as_of)}


def parts(home: Home, as_of: str) -> set[tuple[str, str, str]]:
    """(deal, partner, role) of every touch."""
    deals = {row["deal_id"]: row["external_id"] for row in table(home, "deals", as_of)}
    partners_ = {row["partner_id"]: row["external_id"] for row in table(home, "partners", as_of)}
    found = table(home, "touches", as_of)
    return {(deals[row["subject_id"]], partners_[row["partner_id"]], row["role"]) for row in found}


def aside(load: Load) -> list[tuple[int, str, str, str]]:
    return [(row.line, row.column, row.reason, row.remedy) for row in load.quarantine.order_by("line")]


def nothing_stands(home: Home) -> None:
    assert not Load.objects.filter(state="committed").exists()
    assert not LoadFile.objects.exists()
    assert not QuarantinedRow.objects.exists()


# ------------------------------------------------------------------------------------------------- the equation


def test_every_row_is_loaded_unchanged_or_quarantined_with_its_reason(home: Home) -> None:
    text = lines(
        DEALS,
        "D1,P1,sourced,Acme,Closed Won,won,120000,USD,2026-01-05,2026-03-31",
        "D2,P1,sourced,Acme,Open,open,abc,USD,2026-01-05,",
        "D3,P1,sourced,Acme,Open,open,1,USD,2026-02-30,",
        "D4,P1,sourced,Acme,Open,open,1",
        "D5,P1,sourced,Acme,Open,open,1,EURO,2026-01-05,",
        "D6,P1,sourced,Acme,Open,maybe,1,USD,2026-01-05,",
        ",P1,sourced,Acme,Open,open,1,USD,2026-01-05,",
        "D8,P1,Champion,Acme,Open,open,1,USD,2026-01-05,",
        "D1,P1,sourced,Acme,Closed Won,won,120000,USD,2026-01-05,2026-03-31",
        "D9,P1,sourced,Acme,Open,open,1.23456,USD,2026-01-05,",
        "D10,P1,sourced,Acme,,,1,USD,2026-01-05,",
    )
    load = take_in_text(home, "deals.csv", text, "2026-09-01")
    assert told(load) == (11, 2, 1, 8)
    found = aside(load)
    assert found.pop(7)[::2] == (12, "stage of deals is empty")  # of either of the two columns that may say it
    assert found.pop(5)[:2] == (8, "deal_id")  # its id and its name are empty; either is a reason
    assert found == [
        (3, "amount", "'abc' is not a number", "write it as 1234.50"),
        (4, "created_on", "'2026-02-30' is not a day of the calendar", "correct the date in the source, or empty the cell"),
        (5, "", "the row has 7 cells, the header has 10", "quote cells that hold the delimiter, or fill the missing cells"),
        (6, "currency", "'EURO' is not a currency code", "write the ISO 4217 code, such as USD"),
        (7, "stage_class", "stage_class 'maybe' is not one of open, won, lost", "map the value"),
        (11, "amount", "'1.23456' has more than 4 decimals", "round it to 4 decimals in the source"),
    ]  # fmt: skip
    texts = {row.line: row.text for row in load.quarantine.all()}
    assert texts[3] == "D2 | P1 | sourced | Acme | Open | open | abc | USD | 2026-01-05 | "
    assert sorted(row["external_id"] for row in table(home, "deals", "2026-09-01")) == ["D1", "D8"]
    assert any("role 'Champion' kept as association:champion" in note for note in load.report["notes"])
    # A row that is set aside in one table is in none of them.
    assert parts(home, "2026-09-01") == {("D1", "P1", "sourced"), ("D8", "P1", "association:champion")}


def test_rows_that_disagree_about_one_deal_are_both_set_aside(home: Home) -> None:
    text = lines(
        DEALS,
        "D1,P1,sourced,Acme,Open,open,100,USD,2026-01-05,",
        "D2,P1,sourced,Acme,Open,open,100,USD,2026-01-05,",
        "D1,P2,resold,Acme,Open,open,250,USD,2026-01-05,",
        "D2,P2,resold,Acme,Open,open,100,USD,2026-01-05,",
    )
    load = take_in_text(home, "deals.csv", text, "2026-09-01")
    assert told(load) == (4, 2, 0, 2)
    said = (
        "amount",
        "D1 stands on lines 2, 4 with different amount",
        "make the rows agree, or give them ids of their own",
    )
    assert aside(load) == [(2, *said), (4, *said)]
    assert [row.text for row in load.quarantine.order_by("line")] == [
        "D1,P1,sourced,Acme,Open,open,100,USD,2026-01-05,", "D1,P2,resold,Acme,Open,open,250,USD,2026-01-05,",
    ]  # fmt: skip
    assert {row["external_id"] for row in table(home, "deals", "2026-09-01")} == {"D2"}
    assert {row["external_id"] for row in table(home, "touches", "2026-09-01")} == {
        "deal|D2|P1|sourced|2026-01-05",
        "deal|D2|P2|resold|2026-01-05",
    }


def test_a_strict_load_stops_at_the_first_row_that_would_be_set_aside(home: Home) -> None:
    text = partners("P1,Nordwind,DE,gold", "P2,Ostwind", "P3,Westwind,DE,gold")
    with pytest.raises(Refused, match=r"--strict: 1 rows would be quarantined; line 3: the row has 2 cells"):
        take_in_text(home, "partners.csv", text, "2026-09-01", strict=True)
    nothing_stands(home)
    assert table(home, "organisations", "2026-09-02") == []
    assert told(take_in_text(home, "partners.csv", text, "2026-09-01")) == (3, 2, 0, 1)


# ---------------------------------------------------------------------------------------- damage inside a file


def test_a_quote_that_never_closes_spoils_its_line_alone(home: Home) -> None:
    text = partners(
        "P1,Nordwind,DE,gold", 'P2,"Ostwind,DE,gold', "P3,Südwind,DE,gold", 'P4,"Two\nlines",DE,gold', "P5,Last,DE,gold"
    )
    load = take_in_text(home, "partners.csv", text, "2026-09-01")
    assert told(load)[0] == told(load)[1] + 1 == 5
    ((line, column, reason, remedy),) = aside(load)
    assert (line, column, remedy) == (3, "", "close the quote or double it inside a cell")
    assert "quote" in reason
    assert names(home, "2026-09-01") == {"P1": "Nordwind", "P3": "Südwind", "P4": "Two\nlines", "P5": "Last"}
    rows = {row["external_id"]: row["line"] for row in table(home, "organisations", "2026-09-01")}
    assert rows == {"P1": "2", "P3": "4", "P4": "5", "P5": "7"}


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_blank_lines_and_line_ends_are_no_rows(home: Home, ends: str) -> None:
    text = ends.join([PARTNERS, "P1,Nordwind,DE,gold", "", " , ,,", "P2,Ostwind,DE,", "", ""])
    load = take_in_text(home, "partners.csv", text, "2026-09-01")
    assert told(load) == (2, 2, 0, 0)
    assert load.report["blank_lines"] >= 2
    assert names(home, "2026-09-01") == {"P1": "Nordwind", "P2": "Ostwind"}


def test_a_header_below_a_title_is_found(home: Home) -> None:
    text = lines("Our partners, as of today", "", "made by,somebody", PARTNERS, "P1,Nordwind,DE,gold")
    load = take_in_text(home, "partners.csv", text, "2026-09-01")
    assert (told(load), load.report["header_line"]) == ((1, 1, 0, 0), 4)
    assert table(home, "organisations", "2026-09-01")[0]["line"] == "5"


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_other_delimiters(home: Home, mark: str, name: str) -> None:
    text = partners("P1,Nordwind,DE,gold").replace(",", mark)
    assert told(take_in_text(home, f"{name}.csv", text, "2026-09-01")) == (1, 1, 0, 0)


def test_headers_are_found_by_name_in_any_order_and_spelling(home: Home) -> None:
    text = lines(" Tier ,PARTNER_NAME,ｐａｒｔｎｅｒ＿ｉｄ*,Mood", "gold,Nordwind,P1,good")
    load = take_in_text(home, "partners.csv", text, "2026-09-01")
    assert told(load) == (1, 1, 0, 0)
    assert load.report["columns_unmapped"] == ["Mood"]
    assert {"country", "domain", "status"} <= set(load.report["columns_missing"])
    (row,) = table(home, "partners", "2026-09-01")
    assert (row["external_id"], row["name"], row["tier"]) == ("P1", "Nordwind", "gold")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le-bom", "utf-16-be-bom", "utf-8-sig", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(home: Home, tmp_path: Path, encoding: str) -> None:
    text = partners("P1,Müller & Söhne ✓,DE,gold")
    written = {
        "utf-16-le-bom": b"\xff\xfe" + text.encode("utf-16-le"),
        "utf-16-be-bom": b"\xfe\xff" + text.encode("utf-16-be"),
    }
    path = tmp_path / "partners.csv"
    path.write_bytes(written.get(encoding) or text.encode(encoding))
    assert told(take_in(home, path, "2026-09-01")) == (1, 1, 0, 0)
    assert names(home, "2026-09-01") == {"P1": "Müller & Söhne ✓"}


def test_ids_stay_as_they_are_spelled(home: Home) -> None:
    odd = ["1E5", "007", "7", "9007199254740993", "9007199254740992", "ab", "AB", "1,5", "=1+1"]
    text = partners(*(f'"{key}",Name {number},DE,gold' for number, key in enumerate(odd)))
    assert told(take_in_text(home, "partners.csv", text, "2026-09-01")) == (9, 9, 0, 0)
    assert set(names(home, "2026-09-01")) == set(odd)


# ------------------------------------------------------------------------------------------ files that are refused


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty: 0 bytes; export it again"),
        (b"PK\x03\x04" + b"\x00" * 60, "an archive is taken in by its own name"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it in Excel as .xlsx"),
        (b"\x1f\x8b\x08\x00", "an archive is taken in by its own name"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PAR1 and no more", "the Parquet file is damaged"),
        (b"a\nb\nc\n", "no known format has these headers: a"),
        (b"partner_id,partner_nam\nP1,Nordwind\n", "Nearest: generic_partners, which also needs partner_name"),
        (b"\xff\xfep\x00a\x00r\x00\x00", "the file is not utf-16"),
        (b",".join(b"c%d" % i for i in range(5000)) + b"\n", "the file has 5,000 columns, more than 4,096"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_is_refused_in_words(home: Home, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "partners.csv"
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        take_in(home, path, "2026-09-01")
    assert said in str(refused.value)
    nothing_stands(home)


def test_an_unknown_file_is_refused_with_the_headers_below_its_titles_and_the_way_out(home: Home) -> None:
    text = "Pipeline report\nas of June\n\nOpp ID;Reseller;Phase\nO-1;R-1;open\nO-2;R-1;open\n"
    with pytest.raises(Refused) as refused:
        take_in_text(home, "stock.csv", text)
    assert "no known format has these headers of line 4: Opp ID, Reseller, Phase." in str(refused.value)
    assert "groundswell take-in --propose FILE" in str(refused.value)
    assert "docs/how-to/take-in-an-unknown-export.md" in str(refused.value)


def test_a_missing_required_column_names_the_header_that_looks_like_it(home: Home) -> None:
    with pytest.raises(Refused, match="'partner_nam' looks like 'partner_name'"):
        take_in_text(home, "partners.csv", "partner_id,partner_nam,tier\nP1,Nordwind,gold\n")


def test_a_header_alone_is_an_empty_load_that_leaves_the_last_good_state(home: Home) -> None:
    take_in_text(home, "partners.csv", partners("P1,Nordwind,DE,gold"), "2026-09-01")
    load = take_in_text(home, "partners.csv", partners(), "2026-09-02")
    assert told(load) == (0, 0, 0, 0)
    assert names(home, "2026-09-02") == {"P1": "Nordwind"}
    assert sorted(results(home, assess(home, "2026-09-02"))) == ["P1"]


def test_what_is_not_a_file_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"):
        take_in(home, tmp_path / "nowhere.csv")
    with pytest.raises(Refused, match="not a file; name the files one by one"):
        take_in(home, tmp_path)


# ------------------------------------------------------------------------------------------------------ questions


def asked(home: Home, name: str, text: str, **more: object) -> dict[str, tuple[str, tuple[str, ...]]]:
    with pytest.raises(Asked) as questions:
        take_in_text(home, name, text, "2026-09-01", **more)
    nothing_stands(home)
    return {q.column: (q.text, q.answers) for q in questions.value.questions}


def test_dates_that_can_be_read_two_ways_ask_and_the_answer_is_kept(home: Home) -> None:
    text = lines(DEALS, "D1,P1,sourced,Acme,Open,open,1,USD,03/04/2026,")
    assert asked(home, "deals.csv", text) == {
        "created_on": ("'03/04/2026' can be read two ways and no cell decides", ("dmy", "mdy")),
    }  # fmt: skip
    load = take_in_text(home, "deals.csv", text, "2026-09-01", answers={"created_on": "dmy"})
    assert load.report["read_as"] == {"created_on": "dmy"}
    assert table(home, "deals", "2026-09-01")[0]["created_on"] == "2026-04-03"
    kept = (home.path / "sources" / "generic.toml").read_text("utf-8")
    assert '[answers."generic_deals"]\n"created_on" = "dmy"\n' in kept
    # The next file of the format is not asked about again.
    take_in_text(home, "more.csv", text.replace("D1", "D2").replace("03/04", "05/06"), "2026-09-02")
    found = {row["external_id"]: row["created_on"] for row in table(home, "deals", "2026-09-02")}
    assert found == {"D1": "2026-04-03", "D2": "2026-06-05"}


def test_a_day_above_twelve_decides_the_columns_of_the_same_shape(home: Home) -> None:
    text = lines(
        DEALS,
        "D1,P1,sourced,Acme,Closed Won,won,1,USD,03/04/2026,05/06/2026",
        "D2,P1,sourced,Acme,Closed Won,won,1,USD,03/05/2026,31/07/2026",
    )
    load = take_in_text(home, "deals.csv", text, "2026-09-01")
    assert load.report["read_as"] == {"created_on": "dmy", "close_on": "dmy"}
    rows = {row["external_id"]: (row["created_on"], row["close_on"]) for row in table(home, "deals", "2026-09-01")}
    assert rows == {"D1": ("2026-04-03", "2026-06-05"), "D2": ("2026-05-03", "2026-07-31")}


def test_proofs_that_contradict_each_other_ask(home: Home) -> None:
    text = lines(
        DEALS,
        "D1,P1,sourced,Acme,Open,open,1,USD,13/04/2026,",
        "D2,P1,sourced,Acme,Open,open,1,USD,04/13/2026,",
    )
    ((said, answers),) = asked(home, "deals.csv", text).values()
    assert "'13/04/2026' reads only as dmy" in said
    assert "'04/13/2026' reads only as mdy" in said
    assert answers == ("dmy", "mdy")
    load = take_in_text(home, "deals.csv", text, "2026-09-01", answers={"created_on": "dmy"})
    assert told(load) == (2, 1, 0, 1)
    assert aside(load)[0][:2] == (3, "created_on")


def test_numbers_that_can_be_read_two_ways_ask(home: Home) -> None:
    text = lines(DEALS, "D1,P1,sourced,Acme,Open,open,1.500,USD,2026-04-03,")
    assert asked(home, "deals.csv", text) == {
        "amount": ("'1.500' can be read two ways and no cell decides", (".", ",")),
    }  # fmt: skip
    take_in_text(home, "deals.csv", text, "2026-09-01", answers={"amount": ","})
    assert table(home, "deals", "2026-09-01")[0]["amount"] == "1500.0000"


def test_two_headers_for_one_column_ask_which_it_is(home: Home) -> None:
    text = lines("partner_id,partner_name,Partner Name*,PARTNER_NAME", "P1,Nord,Wind,Nordwind")
    ((said, answers),) = asked(home, "partners.csv", text).values()
    assert answers == ("partner_name", "PARTNER_NAME")
    assert "both stand for it" in said
    take_in_text(home, "partners.csv", text, "2026-09-01", answers={"partner_name": "PARTNER_NAME"})
    assert names(home, "2026-09-01") == {"P1": "Nordwind"}


def test_the_same_header_twice_asks_or_is_refused(home: Home) -> None:
    text = lines("partner_id,partner_name,tier,tier", "P1,Nordwind,gold,silver")
    with pytest.raises((Asked, Refused)):
        take_in_text(home, "partners.csv", text, "2026-09-01")
    nothing_stands(home)


def test_a_percentage_among_amounts_is_set_aside(home: Home) -> None:
    text = lines(
        DEALS, "D1,P1,sourced,Acme,Open,open,7%,USD,2026-01-05,", "D2,P1,sourced,Acme,Open,open,7,USD,2026-01-05,"
    )
    load = take_in_text(home, "deals.csv", text)
    assert told(load) == (2, 1, 0, 1)
    remedy = "write the amount, or map another column"
    assert aside(load) == [(2, "amount", "'7%' is a percentage, not an amount of money", remedy)]


STAMPED = """[source]
name = "shop"
zone = "Europe/Berlin"

[[file]]
match = "*.csv"
known_at = "known"

[[file.row]]
table = "organisations"
external_id = "id"
changed_at = "changed"
name = "id"
is_partner = { const = true }
is_customer = { const = false }
"""


@pytest.mark.parametrize("cell", ["0001-01-01", "0001-01-01 00:30", "9999-12-31T23:30:00Z"])
@pytest.mark.parametrize("column", ["known", "changed"])
def test_a_moment_at_the_end_of_the_calendar_spoils_its_row_alone(home: Home, column: str, cell: str) -> None:
    mapping = home.path.parent / "own.toml"
    mapping.write_text(STAMPED, "utf-8")
    cells = {"known": "2026-01-01", "changed": "2026-01-01"} | {column: cell}
    text = lines("id,known,changed", f"A,{cells['known']},{cells['changed']}", "B,2026-01-01,2026-01-01")
    load = take_in_text(home, "own.csv", text, mapping=mapping)
    assert told(load) == (2, 1, 0, 1)
    remedy = "correct the time in the source, or empty the cell"
    assert aside(load) == [(2, column, f"'{cell}' is not a time of the calendar", remedy)]


HUBSPOT_DEALS = "Record ID,Deal Name,Deal Stage,Amount,Currency,Close Date,Create Date"


@pytest.mark.parametrize(
    ("cell", "zone", "day"),
    [
        ("2026-03-31T04:00:00Z", "America/New_York", "2026-03-31"),
        ("2026-04-01T03:30:00Z", "America/New_York", "2026-03-31"),
        ("2026-03-30T22:00:00Z", "Europe/Berlin", "2026-03-31"),
        ("2026-03-31T23:30:00-04:00", "America/New_York", "2026-03-31"),
        ("2026-03-31 23:30", "America/New_York", "2026-03-31"),
        ("2026-03-31 00:15", "Europe/Berlin", "2026-03-31"),
        ("2026-03-31", "America/New_York", "2026-03-31"),
    ],
)
def test_a_date_column_keeps_the_day_as_written_or_takes_that_of_a_moment_in_the_zone_of_its_source(
    home: Home, cell: str, zone: str, day: str
) -> None:
    text = lines(HUBSPOT_DEALS, f"7,Big,Closed Won,1,USD,{cell},2026-01-01")
    take_in_text(home, "deals.csv", text, answers={"zone": zone})
    assert [row["close_on"] for row in table(home, "deals", "2026-12-31")] == [day]


HISTORY = "Id,OpportunityId,StageName,Amount,CreatedDate,IsDeleted"


def test_a_past_day_stays_past_when_the_history_of_a_stage_is_corrected(home: Home) -> None:
    """The row of February says something else in May: in March nobody could know that."""
    entered = "2026-02-10T09:00:00Z"
    take_in_text(home, "history.csv", lines(HISTORY, f"S1,D1,Negotiation,100,{entered},false"), "2026-03-01")
    then = table(home, "deal_stages", "2026-03-31")
    take_in_text(home, "history.csv", lines(HISTORY, f"S1,D1,Closed Won,900,{entered},false"), "2026-05-01")
    assert table(home, "deal_stages", "2026-03-31") == then
    assert table(home, "deal_stages", "2026-02-28") == []
    (now,) = table(home, "deal_stages", "2026-05-31")
    assert (now["stage"], now["occurred_on"], now["known_at"]) == ("Closed Won", "2026-02-10", "2026-05-01T00:00:00Z")


def test_a_time_without_a_zone_asks_for_the_zone(home: Home) -> None:
    text = lines("partner_id,occurred_at,type,source_id", "P1,2026-03-31 23:30,meeting,a1")
    assert asked(home, "activities.csv", text) == {
        "zone": ("'2026-03-31 23:30' names no time zone", ("Europe/Berlin", "America/New_York", "UTC")),
    }  # fmt: skip
    with pytest.raises(Refused, match="write one such as Europe/Berlin"):
        take_in_text(home, "activities.csv", text, "2026-09-01", answers={"zone": "Berlin"})
    take_in_text(home, "activities.csv", text, "2026-09-01", answers={"zone": "America/New_York"})
    (row,) = table(home, "activities", "2026-09-01")
    assert (row["occurred_at"], row["occurred_on"]) == ("2026-04-01T03:30:00Z", "2026-04-01")


def test_an_answer_about_no_column_of_the_file_is_refused(home: Home) -> None:
    with pytest.raises(Refused, match="the file has no column 'colour'"):
        take_in_text(home, "partners.csv", partners("P1,Nordwind,DE,gold"), answers={"colour": "dmy"})


def test_bytes_of_no_known_code_page_stop_the_file_until_answered(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "partners.csv"
    path.write_bytes(partners("P1,Müller – Söhne,DE,gold").encode("cp1252"))
    first = command(home.path, "take-in", str(path))
    assert (first.returncode, first.stdout) == (3, "")
    assert "nothing was loaded" in first.stderr
    assert "--answer 'partners.csv:encoding=cp1252'" in first.stderr
    nothing_stands(home)
    second = command(home.path, "take-in", "--answer", "partners.csv:encoding=cp1252", str(path))
    assert second.returncode == 0, second.stderr
    assert "accepted" in second.stdout
    assert '"encoding" = "cp1252"' in (home.path / "sources" / "generic.toml").read_text("utf-8")
    assert command(home.path, "take-in", str(path)).returncode == 0
    assert [told(load)[1:3] for load in Load.objects.order_by("number")] == [(1, 0), (0, 1)]
    (row,) = table(home, "organisations", "2026-12-01")
    assert row["name"] == "Müller – Söhne"


def test_an_answered_code_page_is_not_forced_on_a_file_that_is_utf_8(home: Home, tmp_path: Path) -> None:
    """The order is byte-order mark, strict UTF-8, the declared code page: UTF-8 read as cp1252 is wrong without an error."""
    path = tmp_path / "partners.csv"
    path.write_bytes(partners("P1,Müller – Söhne,DE,gold").encode("cp1252"))
    take_in(home, path, "2026-09-01", answers={"encoding": "cp1252"})
    path.write_bytes(partners("P1,Müller – Söhne,DE,gold", "P2,Ångström,SE,gold").encode("utf-8"))
    take_in(home, path, "2026-09-02")
    assert names(home, "2026-09-02") == {"P1": "Müller – Söhne", "P2": "Ångström"}


def test_an_answer_that_is_kept_does_not_ask_for_its_column_in_every_file(home: Home) -> None:
    text = lines(DEALS, "D1,P1,sourced,Acme,Open,open,1,USD,03/04/2026,")
    take_in_text(home, "deals.csv", text, "2026-09-01", answers={"created_on": "dmy"})
    short = lines("deal_id,partner_id,stage,stage_class,amount", "D2,P1,Open,open,7")
    assert told(take_in_text(home, "short.csv", short, "2026-09-02")) == (1, 1, 0, 0)


def test_bytes_that_do_not_fit_the_answered_code_page_are_refused_with_their_place(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "partners.csv"
    path.write_bytes(partners("P1,M\x81ller,DE,gold").encode("latin-1"))
    with pytest.raises(Refused, match=r"byte 41 does not fit"):
        take_in(home, path, answers={"encoding": "cp1252"})


# ---------------------------------------------------------------------------------------------- order of arrival


def test_sending_a_file_again_changes_nothing(home: Home) -> None:
    text = partners("P1,Nordwind,DE,gold", "P2,Ostwind,DE,")
    assert told(take_in_text(home, "a.csv", text, now=day(1))) == (2, 2, 0, 0)
    files = LoadFile.objects.count()
    again = take_in_text(home, "b.csv", text, now=day(2))
    assert told(again) == (2, 0, 2, 0)
    assert again.report["notes"] == ["the same bytes as L000001"]
    assert told(take_in_text(home, "c.csv", partners("P2,Ostwind,DE,", "P1,Nordwind,DE,gold"), now=day(3))) == (
        2,
        0,
        2,
        0,
    )
    assert LoadFile.objects.count() == files
    assert sorted(names(home, "2026-09-03").values()) == ["Nordwind", "Ostwind"]


def test_a_file_sent_again_keeps_its_quarantine(home: Home) -> None:
    text = partners("P1,Nordwind,DE,gold", "P2,Ostwind")
    first = take_in_text(home, "a.csv", text, now=day(1))
    again = take_in_text(home, "a.csv", text, now=day(2))
    assert (told(first), told(again)) == ((2, 1, 0, 1), (2, 0, 1, 1))
    assert aside(first) == aside(again)


@pytest.mark.parametrize("dated", [True, False])
def test_a_source_that_is_set_back_stands_as_it_says_last(home: Home, dated: bool) -> None:
    a, b = partners("P1,Nordwind,DE,gold"), partners("P1,Nordwind GmbH,DE,gold")
    for number, text in ((1, a), (2, b), (3, a)):
        load = take_in_text(home, f"{number}.csv", text, f"2026-09-0{number}" if dated else "", now=day(number))
        assert told(load) == (1, 1, 0, 0)
    assert [names(home, f"2026-09-0{number}")["P1"] for number in (1, 2, 3)] == [
        "Nordwind",
        "Nordwind GmbH",
        "Nordwind",
    ]


def test_rows_that_contradict_each_other_are_named_and_differ_from_nothing_before(home: Home) -> None:
    load = take_in_text(home, "a.csv", partners("P1,Nordwind,DE,gold", "P1,Ostwind,DE,gold", "P2,Birch,DE,gold"))
    assert [note.partition(";")[0] for note in load.report["notes"]] == [
        "2 rows contradict others of the same moment (line 2: P1, line 3: P1)"
    ]


def test_an_undated_snapshot_that_disagrees_stands_and_says_so(home: Home) -> None:
    take_in_text(home, "a.csv", partners("P1,Nordwind,DE,gold", "P2,Ostwind,DE,gold"), now=day(1))
    load = take_in_text(home, "b.csv", partners("P1,Nordwind GmbH,DE,gold", "P2,Ostwind,DE,gold"), now=day(2))
    assert told(load) == (2, 1, 1, 0)
    assert names(home, "2026-09-02") == {"P1": "Nordwind GmbH", "P2": "Ostwind"}
    assert load.known_at == day(2)
    assert any(note.startswith("1 rows differ from what stood before") for note in load.report["notes"])


@pytest.mark.parametrize("same_bytes", [True, False])
@pytest.mark.parametrize("order", list(itertools.permutations("ABC")))
def test_dated_exports_stand_by_their_day_in_any_order(home: Home, order: tuple[str, ...], same_bytes: bool) -> None:
    """A of day 1 and C of day 3 say the same, B of day 2 says something else: at day 3 C's value stands."""
    c = partners("P1,Nordwind,DE,gold") + ("" if same_bytes else "P2,Other,DE,gold\n")
    files = {
        "A": (partners("P1,Nordwind,DE,gold"), "2026-09-01"),
        "B": (partners("P1,Nordwind GmbH,DE,silver"), "2026-09-02"),
        "C": (c, "2026-09-03"),
    }
    for name in order:
        take_in_text(home, f"{name}.csv", *files[name])
    stood = [(row["name"], row["tier"]) for number in (1, 2, 3) for row in table(home, "partners", f"2026-09-0{number}")
             if row["external_id"] == "P1"]  # fmt: skip
    assert stood == [("Nordwind", "gold"), ("Nordwind GmbH", "silver"), ("Nordwind", "gold")]


COMPANIES = "Record ID,Company name,Merged Company IDs"
MERGES = {
    "2026-01-10": lines(COMPANIES, "1,One,2"),
    "2026-02-10": lines(COMPANIES, "2,Two,1"),
    "2026-03-10": lines(COMPANIES, "1,One,2"),
}
"""Two was absorbed by One, then One by Two, then Two by One again."""


@pytest.mark.parametrize("order", list(itertools.permutations(MERGES)), ids=" ".join)
def test_of_merges_that_turn_round_the_newest_word_stands_in_any_order_of_arrival(
    home: Home, order: tuple[str, ...]
) -> None:
    for exported_at in order:
        take_in_text(home, "companies.csv", MERGES[exported_at], exported_at)
    stands = {as_of: {row["external_id"] for row in table(home, "organisations", as_of)} for as_of in MERGES}
    assert stands == {"2026-01-10": {"1"}, "2026-02-10": {"2"}, "2026-03-10": {"1"}}


def test_a_merge_of_a_longer_circle_that_is_said_again_is_the_newest_word(home: Home) -> None:
    for exported_at, row in [("01-10", "1,One,3"), ("02-10", "2,Two,1"), ("03-10", "3,Three,2"), ("04-10", "1,One,3")]:
        take_in_text(home, "companies.csv", lines(COMPANIES, row), f"2026-{exported_at}")
    assert names(home, "2026-03-31").keys() == {"3"}
    assert names(home, "2026-04-30").keys() == {"1"}


def test_merges_that_are_said_again_are_unchanged(home: Home) -> None:
    chain = lines(COMPANIES, "1,One,2", "3,Three,1")
    assert told(take_in_text(home, "companies.csv", chain, "2026-01-10")) == (2, 2, 0, 0)
    assert told(take_in_text(home, "companies.csv", chain, "2026-02-10")) == (2, 0, 2, 0)


@pytest.mark.parametrize("back", ["A", "B"])
@pytest.mark.parametrize("order", ["ABC", "BAC", "CAB", "ACB"])
def test_one_of_two_exports_of_a_moment_that_disagree_comes_again_later(home: Home, order: str, back: str) -> None:
    """A and B of one moment disagree; C of a later day has the bytes of one of them, and stands from then on."""
    said = {"A": "Nordwind", "B": "Nordwind GmbH"}
    days = {"A": "2026-09-01", "B": "2026-09-01", "C": "2026-09-03"}
    for name in order:
        text = partners(f"P1,{said[back if name == 'C' else name]},DE,gold")
        take_in_text(home, f"{name}.csv", text, days[name])
    assert names(home, "2026-09-03") == {"P1": said[back]}


def test_three_older_exports_that_arrive_last(home: Home) -> None:
    said = {1: "A", 2: "B", 3: "A", 4: "B", 5: "A"}
    for number in (5, 3, 1, 4, 2):
        take_in_text(home, f"{number}.csv", partners(f"P1,{said[number]},DE,gold"), f"2026-09-0{number}")
    assert {number: names(home, f"2026-09-0{number}")["P1"] for number in said} == said


TOLD = """[source]
name = "told"

[[file]]
match = "*.csv"
known_at = "day"

[[file.row]]
table = "organisations"
external_id = "id"
name = "name"
is_partner = { const = true }
is_customer = { const = false }
"""


def tell(home: Home, file: str, said: dict[int, str]) -> Load:
    """Take in a file that tells of several days what P1 was called then."""
    mapping = home.path.parent / "told.toml"
    mapping.write_text(TOLD, "utf-8")
    text = lines("id,day,name", *(f"P1,2026-09-{day:02},{name}" for day, name in said.items()))
    return take_in_text(home, file, text, mapping=mapping)


def called(home: Home, days: int) -> str:
    return "".join(names(home, f"2026-09-{day:02}")["P1"] for day in range(1, days + 1))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_files_whose_days_lie_between_each_other_s_take_turns(home: Home, order: tuple[int, ...]) -> None:
    """A's second row says the same as its first until B's is between; B's second is new only when A's has come back."""
    files = ({1: "A", 4: "A", 7: "A"}, {2: "B", 5: "B", 8: "B"}, {3: "B", 6: "A", 9: "A"})
    for number in order:
        tell(home, f"{number}.csv", files[number])
    assert called(home, 9) == "ABBABAABA"
    rebuilt = command(home.path, "doctor", "--rebuild")
    assert "the lake was made anew from the landings and equals the ledger" in rebuilt.stdout
    assert called(home, 9) == "ABBABAABA"


def test_two_files_that_take_turns_often_are_compared_a_few_times(home: Home) -> None:
    tell(home, "odd.csv", dict.fromkeys(range(1, 28, 2), "A"))
    tell(home, "even.csv", dict.fromkeys(range(2, 28, 2), "B"))
    assert called(home, 27) == "AB" * 13 + "A"
    assert Load.objects.filter(again_of__isnull=False).count() <= 4


def test_what_a_reverted_file_told_between_others_is_told_by_them(home: Home) -> None:
    tell(home, "first.csv", {1: "A"})
    tell(home, "all.csv", {2: "B", 3: "A", 4: "B"})
    assert told(tell(home, "even.csv", {2: "B", 4: "B"})) == (2, 0, 2, 0)
    assert told(tell(home, "odd.csv", {3: "A"})) == (1, 0, 1, 0)
    revert(home, "L000002", "", NOW)
    assert called(home, 4) == "ABAB"


def test_another_kind_of_file_of_the_same_source_comes_between(home: Home, tmp_path: Path) -> None:
    """A file is skipped by its bytes only when it equals the latest landing of its source, of whatever kind."""
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[source]\nname = "two"\n'
        + "".join(
            f'[[file]]\nmatch = "{kind}*.csv"\n[[file.row]]\ntable = "organisations"\nexternal_id = "{{id}}"\n'
            'name = "name"\nis_partner = { const = true }\nis_customer = { const = false }\n'
            for kind in ("list", "card")
        ),
        "utf-8",
    )
    for kind, name, number in (("list", "A", 1), ("card", "B", 2), ("list", "A", 3)):
        take_in_text(home, f"{kind}.csv", f"id,name\nP1,{name}\n", f"2026-09-0{number}", mapping=mapping)
    assert [names(home, f"2026-09-0{number}")["P1"] for number in (1, 2, 3)] == ["A", "B", "A"]


def test_a_late_fact_corrects_today_and_leaves_the_past(home: Home) -> None:
    """A deal closed in March and exported in April: the view of March, as known in March, does not have it."""
    take_in_text(home, "partners.csv", partners("P1,Nordwind,DE,gold"), "2026-01-01")
    head = lines(DEALS, "D0,P1,sourced,Acme,Closed Won,won,10,USD,2025-01-05,2025-03-31")
    take_in_text(home, "march.csv", head, "2026-03-31")
    before = results(home, assess(home, "2026-03-31"))["P1"]
    late = "D1,P1,sourced,Acme,Closed Won,won,500,USD,2026-01-05,2026-03-31\n"
    take_in_text(home, "april.csv", head + late, "2026-04-12")
    assert {row["external_id"] for row in table(home, "deals", "2026-03-31")} == {"D0"}
    assert {row["external_id"] for row in table(home, "deals", "2026-04-12")} == {"D0", "D1"}
    assert results(home, assess(home, "2026-03-31"))["P1"] == before
    assert before["signals"]["won_revenue"]["low"] == "0"
    assert results(home, assess(home, "2026-04-12"))["P1"]["signals"]["won_revenue"]["low"] == "500"


def test_facts_of_a_day_to_come_are_not_there_yet(home: Home) -> None:
    text = lines(DEALS, "D1,P1,sourced,Acme,Open,open,10,USD,2026-09-02,2026-12-31")
    take_in_text(home, "deals.csv", text, "2026-09-01")
    assert table(home, "deals", "2026-09-01") == []
    assert [row["close_on"] for row in table(home, "deals", "2026-09-02")] == ["2026-12-31"]


def test_a_clock_that_went_back_does_not_turn_arrivals_round(home: Home) -> None:
    take_in_text(home, "a.csv", partners("P1,Nordwind,DE,gold"), now=day(5))
    load = take_in_text(home, "b.csv", partners("P1,Nordwind GmbH,DE,gold"), now=day(2))
    assert load.arrived_at > day(5)
    assert names(home, "2026-09-05") == {"P1": "Nordwind GmbH"}


# --------------------------------------------------------------------------------------------------------- revert


def test_an_undated_load_is_gone_from_the_moment_it_is_reverted(home: Home) -> None:
    take_in_text(home, "a.csv", partners("P1,Nordwind,DE,gold"), now=day(1))
    wrong = take_in_text(home, "b.csv", partners("P1,WRONG,DE,gold", "P9,Nobody,DE,"), now=day(2))
    revert(home, wrong.name, "test data", day(4))
    assert [names(home, f"2026-09-0{number}") for number in (1, 2, 3)] == [
        {"P1": "Nordwind"}, {"P1": "WRONG", "P9": "Nobody"}, {"P1": "WRONG", "P9": "Nobody"},
    ]  # fmt: skip
    assert names(home, "2026-09-04") == {"P1": "Nordwind"}
    wrong.refresh_from_db()
    assert (wrong.voided_at, wrong.voided_why) == (day(4), "test data")


def test_a_dated_load_that_is_reverted_is_seen_on_no_day(home: Home) -> None:
    take_in_text(home, "a.csv", partners("P1,Nordwind,DE,gold"), "2026-09-01", now=day(5))
    wrong = take_in_text(home, "b.csv", partners("P1,WRONG,DE,gold"), "2026-09-02", now=day(6))
    revert(home, wrong.name, "", day(7))
    assert {names(home, f"2026-09-0{number}")["P1"] for number in range(1, 9)} == {"Nordwind"}


def test_what_later_loads_found_unchanged_stays_after_a_revert(home: Home) -> None:
    first = take_in_text(home, "a.csv", partners("P1,Nordwind,DE,gold", "P2,Ostwind,DE,gold"), now=day(1))
    take_in_text(home, "b.csv", partners("P1,Nordwind,DE,gold"), now=day(2))
    take_in_text(home, "c.csv", partners("P1,Nordwind,DE,gold"), now=day(3))
    again = revert(home, first.name, "", day(4))
    assert [(load.again_of.file_name, load.loaded) for load in again if load.loaded] == [("b.csv", 1)]
    assert [names(home, f"2026-09-0{number}") for number in (1, 3, 4)] == [
        {"P1": "Nordwind", "P2": "Ostwind"}, {"P1": "Nordwind", "P2": "Ostwind"}, {"P1": "Nordwind"},
    ]  # fmt: skip


def test_a_reverted_file_can_be_taken_in_again(home: Home) -> None:
    text = partners("P1,Nordwind,DE,gold")
    first = take_in_text(home, "a.csv", text, now=day(1))
    revert(home, first.name, "", day(2))
    assert names(home, "2026-09-02") == {}
    assert told(take_in_text(home, "a.csv", text, now=day(3))) == (1, 1, 0, 0)
    assert names(home, "2026-09-03") == {"P1": "Nordwind"}


def test_a_published_run_keeps_what_it_pinned_after_a_revert(home: Home) -> None:
    load = take_in_text(home, "a.csv", partners("P1,Nordwind,DE,gold"), now=day(1))
    take_in_text(home, "b.csv", partners("P2,Ostwind,DE,silver"), now=day(1))
    run = assess(home, "2026-09-01")
    revert(home, load.name, "", day(2))
    assert sorted(results(home, run)) == ["P1", "P2"]
    assert assess(home, "2026-09-01").run_id == run.run_id
    assert sorted(results(home, assess(home, "2026-09-02"))) == ["P2"]


def test_only_a_standing_load_can_be_reverted(home: Home) -> None:
    load = take_in_text(home, "a.csv", partners("P1,Nordwind,DE,gold"), now=day(1))
    revert(home, load.name, "", day(2))
    with pytest.raises(CannotRevert, match="was reverted already, at 2026-09-02"):
        revert(home, load.name, "", day(3))
    with pytest.raises(CannotRevert, match="there is no load L000077"):
        revert(home, "L000077", "", day(3))


# ----------------------------------------------------------------------------------------------- one writer, room


def test_a_second_writer_is_told_who_is_at_work_and_since_when(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "partners.csv"
    path.write_text(partners("P1,Nordwind,DE,gold"), "utf-8")
    with writer(home.path, "assess", NOW):
        found = command(home.path, "take-in", str(path))
        read = command(home.path, "loads")
    assert (found.returncode, found.stdout) == (5, "")
    assert "another writer is at work" in found.stderr
    assert "assess, process " in found.stderr
    assert "since 2026-11-22 09:00:00Z" in found.stderr
    assert read.returncode == 0  # reading never waits
    nothing_stands(home)
    assert command(home.path, "take-in", str(path)).returncode == 0


def test_a_load_that_would_leave_too_little_room_is_refused_before_a_byte_is_written(
    home: Home, tmp_path: Path
) -> None:
    own = home.path / "policy" / "limits.toml"
    own.parent.mkdir()
    own.write_text('follows = "default"\n[bounds]\nfree_bytes = 9000000000000000000\n', "utf-8")
    path = tmp_path / "partners.csv"
    path.write_text(partners("P1,Nordwind,DE,gold"), "utf-8")
    with pytest.raises(NoSpace, match=r"bytes are free, a load of this file needs 9,000,000,000,000,000,000"):
        take_in(home, path)
    assert not (home.path / "landings").exists()
    found = command(home.path, "take-in", str(path))
    assert (found.returncode, "Make room and try again" in found.stderr) == (6, True)
    own.unlink()
    assert command(home.path, "take-in", str(path)).returncode == 0


def test_a_bad_answer_file_is_named_with_its_path(home: Home) -> None:
    (home.path / "sources").mkdir()
    (home.path / "sources" / "generic.toml").write_text("this is = no = toml", "utf-8")
    with pytest.raises(BadPolicy, match=r"sources/generic\.toml"):
        take_in_text(home, "partners.csv", partners("P1,Nordwind,DE,gold"))


# --------------------------------------------------------------------------------------------- marks and joined files


@pytest.mark.parametrize(
    ("amount", "currency", "became"),
    [
        ("EUR 1000.00", "EUR", "1000.0000 EUR"),
        ("EUR 1000.00", "", "1000.0000 EUR"),
        ("$ 500.00", "CAD", "500.0000 CAD"),
        ("EUR 1000.00", "USD", "names EUR, its currency is USD"),
        ("€ 500.00", "USD", "names €, its currency is USD"),
        ("7%", "USD", "percent"),
    ],
)
def test_a_mark_in_an_amount_must_agree_with_its_currency(home: Home, amount: str, currency: str, became: str) -> None:
    row = f"P1,sourced,Acme,Open,open,{amount},{currency},2026-01-05,"
    load = take_in_text(home, "deals.csv", lines(DEALS, f"D1,{row}", "D2,P1,sourced,Acme,Open,open,1,USD,2026-01-05,"))
    if load.quarantined:
        assert (aside(load)[0][0], aside(load)[0][1]) == (2, "amount")
        assert became in aside(load)[0][2]
    else:
        found = {deal["external_id"]: deal for deal in table(home, "deals", "2026-12-01")}["D1"]
        assert f"{found['amount']} {found['currency']}" == became


def test_a_header_that_stands_again_is_no_row(home: Home) -> None:
    text = partners("P1,Nordwind,DE,gold")
    load = take_in_text(home, "partners.csv", text + text.replace("P1", "P2"))
    assert told(load) == (3, 2, 0, 1)
    assert aside(load)[0][:3] == (3, "", "the header line stands here again")


def test_a_credential_is_one_however_its_day_is_written(home: Home) -> None:
    text = "partner_id;person_email;credential_code;level;issued_on\nP-1;a@x.example;KD;professional;{}\n"
    take_in_text(home, "c1.csv", text.format("2026-01-15"), "2026-01-20")
    assert told(take_in_text(home, "c2.csv", text.format("15.01.2026"), "2026-02-20")) == (1, 0, 1, 0)


@pytest.mark.parametrize("first", ["Net", "Gross"])
def test_each_alternative_is_read_as_its_own_column_was_proven(home: Home, tmp_path: Path, first: str) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        '[source]\nname="x"\n[[file]]\n[[file.row]]\ntable="deals"\nexternal_id="{id}"\nname="id"\nstage="st"\n'
        f'stage_class="st"\namount={{first_of=["{first}", "{"Gross" if first == "Net" else "Net"}"]}}\n'
    )
    text = "id;st;Net;Gross\n1;open;;1.200\n2;open;1.234,56;\n3;open;;1,234.56\n4;open;1.200;\n"
    take_in_text(home, "d.csv", text, "2026-01-02", mapping=mapping)
    amounts = {row["external_id"]: row["amount"] for row in table(home, "deals", "2026-12-01")}
    assert amounts == {"1": "1.2000", "2": "1234.5600", "3": "1234.5600", "4": "1200.0000"}


def test_whoever_waits_is_told_how_far_it_is(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_BLOCK", 50_000)
    seen: list[tuple[int, float]] = []
    text = partners(*(f"P{n},Nordwind {n},DE,gold" for n in range(20_000)))
    take_in_text(home, "partners.csv", text, watch=lambda rows, share: seen.append((rows, share)))
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert seen[-1] == (20_000, 1.0)
