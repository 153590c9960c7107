"""Deals in several currencies and a fiscal calendar of one's own, from the files to the figures of a partner."""

import datetime as dt
from pathlib import Path

from tests.river import assess, results, table, take_in_text

from groundswell.engine.home import Home
from groundswell.records.loads import Load
from groundswell.records.runs import Run

DEALS = """deal_id,partner_id,role,stage_class,amount,currency,created_on,close_on
D0,P9,sourced,won,1,USD,2024-01-10,2024-02-10
D1,P1,sourced,won,1000,USD,2026-01-10,2026-02-10
D2,P1,sourced,won,920,EUR,2026-01-10,2026-03-02
D3,P1,sourced,won,500,GBP,2026-01-10,2026-03-02
"""
RATES = """currency,day,per_home
EUR,2026-02-27,0.92
EUR,2026-03-03,0.5
GBP,2026-02-18,0.8
"""


def won(home: Home, as_of: str) -> tuple[object, object, object]:
    """(state, low, why) of what partner P1 has won."""
    found = signals(home, assess(home, as_of))["won_revenue"]
    return found["state"], found["low"], found["why"]


def signals(home: Home, run: Run) -> dict[str, dict[str, object]]:
    return results(home, run)["P1"]["signals"]  # type: ignore[return-value]


def aside(load: Load) -> list[tuple[int, str, str, str]]:
    return [(row.line, row.column, row.reason, row.remedy) for row in load.quarantine.order_by("line")]


def test_amounts_count_from_the_day_on_which_their_rates_were_known(home: Home) -> None:
    load = take_in_text(home, "deals.csv", DEALS, "2026-03-31")
    note = "1 amounts are in EUR, not in home currency USD, and count in no sum unless fx_rates has a spot rate"
    assert [said for said in load.report["notes"] if said.startswith(note)]
    assert won(home, "2026-05-31") == ("at least", "1000", "2 of 3 rows leave amount_home empty")

    assert take_in_text(home, "rates.csv", RATES, "2026-05-01T12:00").loaded == 3
    assert won(home, "2026-04-30") == ("at least", "1000", "2 of 3 rows leave amount_home empty")
    assert won(home, "2026-05-01") == ("at least", "2000", "1 of 3 rows leave amount_home empty")  # GBP: 12 days old
    deals = {row["external_id"]: row for row in table(home, "deals", "2026-05-01")}
    assert [
        (deals[name]["amount_home"], deals[name]["home_rate_on"], deals[name]["home_basis"]) for name in sorted(deals)
    ] == [
        ("1.0000", "", "source"),
        ("1000.0000", "", "source"),
        ("1000.0000", "2026-02-27", "rate"),
        ("", "", ""),
    ]

    take_in_text(home, "late.csv", "currency,day,per_home\nGBP,2026-03-02,0.8\nGBP,2026-05-20,0.7\n", "2026-05-03")
    assert won(home, "2026-05-03") == ("known", "2625", "")
    assert [len(table(home, "fx_rates", day)) for day in ("2026-05-03", "2026-05-19", "2026-05-20")] == [4, 4, 5]
    take_in_text(home, "mended.csv", "currency,day,per_home\nGBP,2026-03-02,0.5\n", "2026-05-04")
    assert won(home, "2026-05-04") == ("known", "3000", "")
    assert won(home, "2026-05-03") == ("known", "2625", "")


def test_monthly_rates_need_more_days(home: Home) -> None:
    (home.path / "policy").mkdir()
    (home.path / "policy" / "instance.toml").write_text('follows = "default"\nrate_days = 31\n')
    take_in_text(home, "deals.csv", DEALS, "2026-03-31")
    take_in_text(home, "rates.csv", RATES, "2026-03-31")
    assert won(home, "2026-03-31") == ("known", "2625", "")


def test_a_rate_that_cannot_be_one_is_set_aside_with_its_remedy(home: Home) -> None:
    text = """rates,home_currency,currency,day,per_home
spot,USD,EUR,2026-03-02,0.92
spot,EUR,JPY,2026-03-02,160
spot,USD,GBP,2026-03-02,0
spot,USD,GBP,2026-03-03,-0.8
spot,USD,EURO,2026-03-02,0.92
spot,USD,GBP,,0.8
spot,USD,GBP,2026-03-05,0.123456789
hubspot 2024-25,,EUR,2024-07-01,0.75
"""
    load = take_in_text(home, "rates.csv", text)
    assert (load.rows_in, load.loaded, load.unchanged, load.quarantined) == (8, 2, 0, 6)
    against = "bring rates for one USD, or set home_currency in policy/instance.toml"
    assert aside(load) == [
        (3, "home_currency", "the rate is for one EUR, home currency is USD", against),
        (4, "per_home", "'0' is not above 0", "correct the cell, or leave the row out"),
        (5, "per_home", "'-0.8' is not above 0", "correct the cell, or leave the row out"),
        (6, "currency", "'EURO' is not a currency code", "write the ISO 4217 code, such as USD"),
        (7, "day", "day of fx_rates is empty", "fill it in the source"),
        (8, "per_home", "'0.123456789' has more than 8 decimals", "round it to 8 decimals in the source"),
    ]
    kept = [(row["rates"], row["currency"], row["per_home"]) for row in table(home, "fx_rates", "2026-12-31")]
    assert sorted(kept) == [("hubspot 2024-25", "EUR", "0.75000000"), ("spot", "EUR", "0.92000000")]


MAPPING = """[source]
name = "salesforce"

[[file]]
match = "rates*.csv"
[[file.row]]
table = "fx_rates"
only_if = "ConversionRate is not null"
rates = { const = "spot" }
currency = "IsoCode"
day = "StartDate"
per_home = "ConversionRate"

[[file]]
match = "periods*.csv"
[[file.row]]
table = "fiscal_periods"
only_if = "Type = 'Quarter'"
calendar = { const = "default" }
starts_on = "StartDate"
ends_on = "EndDate"
year = "Year"
quarter = "Number"
label = "FullyQualifiedLabel"
"""
SIGNAL = """question = "Deals won in this fiscal quarter?"
unit = "deals"
better = "higher"
kind = "lagging"
absent = 0
needs = ["deals.closed_on", "deals.stage_class", "touches.partner_id"]
misleads = "A test."
why = "A test."
source = "a test"
since = 2026-01-01
[measure]
from = "deals"
where = "stage_class = 'won'"
on = "closed_on"
window = "fiscal quarter"
take = "count"
"""


def periods(year: int, first: dt.date, *weeks: int) -> str:
    rows = []
    for number, length in enumerate(weeks, start=1):
        last = first + dt.timedelta(weeks=length, days=-1)
        rows.append(f"{first},{last},Quarter,{number},{year},FQ{number} FY {year}\n")
        first = last + dt.timedelta(days=1)
    return "".join(rows)


def test_a_mapping_brings_rates_and_periods_and_signals_follow_them(home: Home, tmp_path: Path) -> None:
    own = home.path / "policy" / "signals" / "potential"
    own.mkdir(parents=True)
    (own / "won_this_quarter.toml").write_text(SIGNAL)
    (tmp_path / "mapping.toml").write_text(MAPPING)
    take_in_text(home, "deals.csv", DEALS, "2026-03-31")
    rates = "IsoCode,StartDate,NextStartDate,ConversionRate\nEUR,2026-03-01,9999-12-31,0.92\nGBP,2026-03-01,9999-12-31,0.8\n"
    take_in_text(home, "rates.csv", rates, "2026-03-31", mapping=tmp_path / "mapping.toml")
    assert won(home, "2026-03-31") == ("known", "2625", "")

    before = assess(home, "2026-03-31")
    assert signals(home, before)["won_this_quarter"]["low"] == "3"
    assert not [remark for remark in before.manifest["remarks"] if "fiscal" in remark]

    text = "StartDate,EndDate,Type,Number,Year,FullyQualifiedLabel\n2025-12-01,2026-11-29,Year,,2026,FY 2026\n"
    text += periods(2026, dt.date(2025, 12, 1), 13, 13, 13, 13)
    load = take_in_text(home, "periods.csv", text, "2026-04-02", mapping=tmp_path / "mapping.toml")
    assert (load.rows_in, load.loaded, load.quarantined) == (5, 4, 1)

    assert list(assess(home, "2026-04-01").manifest["remarks"]) == list(before.manifest["remarks"])
    after = assess(home, "2026-04-02")
    assert signals(home, after)["won_this_quarter"]["low"] == "2"  # from 2 March; by months from 1 April, which is none
    assert after.manifest["remarks"][-1] == (
        "Fiscal quarters and years are those of calendar 'default' of fiscal_periods: "
        "2026-04-02 is in quarter 2 of fiscal 2026, 2026-03-02 to 2026-05-31."
    )
    assert assess(home, "2026-12-31").manifest["remarks"][-1] == (
        "No whole year of calendar 'default' of fiscal_periods covers the day; by the first month of instance.toml, "
        "2026-12-31 is in quarter 4 of fiscal 2026, 2026-10-01 to 2026-12-31."
    )


def test_the_generic_file_of_periods_is_taken_in(home: Home) -> None:
    text = "starts_on,ends_on,year,quarter,month,label\n2026-02-01,2026-02-28,2027,1,1,P1\n2026-03-01,2026-04-04,FY27,1,2,P2\n"
    load = take_in_text(home, "periods.csv", text, "2026-01-15")
    assert (load.format, load.loaded) == ("generic_fiscal_periods", 1)
    assert aside(load) == [(3, "year", "'FY27' is not a whole number", "write it as 1234")]
    (row,) = table(home, "fiscal_periods", "2026-01-15")
    assert (row["calendar"], row["starts_on"], row["quarter"], row["label"]) == ("default", "2026-02-01", "1", "P1")
    assert table(home, "fiscal_periods", "2026-01-14") == []
