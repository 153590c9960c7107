"""A cell is read as its column's kind says, exactly, or refused with a reason and a remedy; nothing is guessed."""

import datetime as dt
import string
import zoneinfo
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.core.tables.cells import (
    Fault,
    Noted,
    Reading,
    When,
    currency_of,
    date_proof,
    decimal_proof,
    floats,
    minor_units,
    read_decimal,
    read_when,
    reader,
)
from groundswell.core.tables.contract import TABLES, Column

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
PLAIN = Reading()


def read(kind: str, text: str, how: Reading = PLAIN) -> object:
    return reader(Column("cell", kind, "a cell"), how)(text)


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc]


# ---------------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    "text",
    ["2026-01-31", "2026/01/31", "2026.1.31", "20260131", "31 Jan 2026", "31-Jan-2026", "31 January 2026",
     "Jan 31, 2026", "January 31 2026", "  2026-01-31  "],
)  # fmt: skip
def test_a_date_that_can_be_read_one_way_is_read_without_an_order(text: str) -> None:
    assert read("date", text) == dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("form", "day"),
    [("month", dt.date(2024, 2, 1)), ("month end", dt.date(2024, 2, 29)), ("month after", dt.date(2024, 3, 1))],
)
def test_a_month_stands_for_the_day_that_is_declared(form: str, day: dt.date) -> None:
    assert read("date", "2024-02", Reading(form=form)) == day
    assert read("instant", "2024-02", Reading(form=form, zone=BERLIN)) == utc(
        day.year, day.month, day.day
    ) - dt.timedelta(hours=1)
    for text in ("2024-02-01", "2024", "02-2024", "202402", "2024-2"):
        assert read("date", text, Reading(form=form)) == Fault(f"'{text}' is not a month", "write months as 2026-01")
    fault = read("date", "2024-13", Reading(form=form))
    assert isinstance(fault, Fault)
    assert "not a month of the calendar" in fault.reason


def test_a_month_is_not_a_date_unless_it_is_declared() -> None:
    assert read("date", "2018-03") == Fault("'2018-03' is not a date", "write dates as 2026-01-31")
    assert read("date", "2018-03", Reading(order="dmy")) == Fault(
        "'2018-03' is not a date", "write dates as 2026-01-31"
    )


def test_the_month_after_the_last_one_is_not_of_the_calendar() -> None:
    assert read("date", "9999-12", Reading(form="month end")) == dt.date(9999, 12, 31)
    assert isinstance(read("date", "9999-12", Reading(form="month after")), Fault)


def test_milliseconds_since_1970_are_a_moment_and_its_day_where_they_are_declared() -> None:
    how = Reading(form="epoch_ms", zone=BERLIN)
    assert read("instant", "1767225599123", how) == utc(2025, 12, 31, 23, 59, 59, 123000)
    assert read("date", "1767225599123", how) == dt.date(2026, 1, 1)
    assert read("date", "1767225599123", Reading(form="epoch_ms")) == dt.date(2025, 12, 31)
    assert read("instant", "-1", how) == utc(1969, 12, 31, 23, 59, 59, 999000)
    assert isinstance(read("instant", "1767225599123"), Fault)
    for text in ("2026-01-01", "1.7E+12", "1767225599123.5", "999999999999999999"):
        assert isinstance(read("instant", text, how), Fault), text


def test_the_order_of_its_column_decides_a_date_that_can_be_read_two_ways() -> None:
    assert read("date", "05/03/2026", Reading(order="dmy")) == dt.date(2026, 3, 5)
    assert read("date", "05/03/2026", Reading(order="mdy")) == dt.date(2026, 5, 3)
    assert read("date", "5.3.2026", Reading(order="dmy")) == dt.date(2026, 3, 5)


def test_a_date_that_can_be_read_two_ways_is_refused_without_an_order() -> None:
    assert read("date", "05/03/2026") == Fault("'05/03/2026' can be day-month or month-day", "answer with dmy or mdy")


def test_the_twenty_ninth_of_february_exists_in_leap_years_only() -> None:
    assert read("date", "2020-02-29") == dt.date(2020, 2, 29)
    assert isinstance(read("date", "2021-02-29"), Fault)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-02-30", "'2026-02-30' is not a day of the calendar"),
        ("31/12/26", "'31/12/26' has a year of two digits"),
        ("next week", "'next week' is not a date"),
        ("46023", "'46023' is a spreadsheet's number for a day (2026-01-01)"),
        ("2026-13-01", "'2026-13-01' is not a day of the calendar"),
        ("31 Foo 2026", "'31 Foo 2026' is not a date"),
        ("31 Jan)2026", "'31 Jan)2026' is not a date"),
        ("2026-01-31 half past", "'2026-01-31 half past' is not a date"),
        ("٢٠٢٦-٠١-٣١", "'٢٠٢٦-٠١-٣١' is not a date"),
    ],
)
def test_what_is_no_date_is_refused_with_a_reason_and_a_remedy(text: str, reason: str) -> None:
    fault = read("date", text, Reading(order="dmy"))
    assert isinstance(fault, Fault)
    assert fault.reason == reason
    assert fault.remedy


def test_the_order_of_the_column_does_not_bend_to_a_cell_that_contradicts_it() -> None:
    assert isinstance(read("date", "31/12/2026", Reading(order="mdy")), Fault)


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        ("31/12/2025", ("/", "dmy")),
        ("12/31/2025", ("/", "mdy")),
        ("05/03/2026", ("/", "")),
        ("31.12.2025", (".", "dmy")),
        ("31-12-2025", ("-", "dmy")),
        ("31/12/2025 14:30", ("/", "dmy")),
        ("12/31/2025, 2:30 PM", ("/", "mdy")),
        ("32/13/2025", ("/", "")),
        ("2025-12-31", None),
        ("2025/12/31", None),
        ("31 Dec 2025", None),
        ("no date", None),
        ("", None),
    ],
)
def test_a_day_above_twelve_proves_the_order_of_its_column(text: str, proof: tuple[str, str] | None) -> None:
    assert date_proof(text) == proof


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        ("1/13/2026", ("/", "mdy")),
        ("13/1/2026", ("/", "dmy")),
        ("13.1.2026", (".", "dmy")),
        ("13-1-2026", ("-", "dmy")),
        ("5/12/2026", ("/", "")),
        ("10/2/2026", ("/", "")),
        (" 1/2/2026", ("/", "")),
    ],
)
def test_dates_without_leading_zeros_prove_and_ask_like_the_padded_ones(text: str, proof: tuple[str, str]) -> None:
    assert date_proof(text) == proof


@given(day=st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31)), padded=st.booleans(), sign=st.sampled_from("/.-"))
@settings(max_examples=300, deadline=None)
def test_every_date_with_its_year_last_is_proof_or_a_question_and_reads_back(
    day: dt.date, padded: bool, sign: str
) -> None:
    first, second = (f"{day.day:02}", f"{day.month:02}") if padded else (str(day.day), str(day.month))
    text = f"{first}{sign}{second}{sign}{day.year}"
    assert date_proof(text) == (sign, "dmy" if day.day > 12 else "")
    assert read("date", text, Reading(order="dmy")) == day


# ---------------------------------------------------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T23:30:00-05:00", utc(2026, 11, 21, 4, 30)),
        ("2026-11-20T23:30:00Z", utc(2026, 11, 20, 23, 30)),
        ("2026-11-20 23:30 UTC", utc(2026, 11, 20, 23, 30)),
        ("2026-11-20T23:30:00+0530", utc(2026, 11, 20, 18, 0)),
        ("2026-11-20T23:30:00+01", utc(2026, 11, 20, 22, 30)),
        ("20 Nov 2026 11:30 PM Z", utc(2026, 11, 20, 23, 30)),
        ("2026-11-20 12:05 am Z", utc(2026, 11, 20, 0, 5)),
        ("2026-11-20 12:05 pm Z", utc(2026, 11, 20, 12, 5)),
        ("2026-11-20T23:30:00.123456789Z", utc(2026, 11, 20, 23, 30, 0, 123456)),
        ("2026-11-20T23:30:00,5Z", utc(2026, 11, 20, 23, 30, 0, 500000)),
        ("2016-12-31T23:59:60Z", utc(2017, 1, 1)),
    ],
)
def test_a_stamp_that_names_its_zone_is_that_moment_in_utc(text: str, moment: dt.datetime) -> None:
    assert read("instant", text) == moment


def test_a_time_without_a_zone_is_in_the_zone_of_its_source() -> None:
    assert read("instant", "2026-03-31 23:30", Reading(zone=BERLIN)) == utc(2026, 3, 31, 21, 30)
    when = read_when("2026-03-31 23:30", Reading(zone=BERLIN))
    assert when == When(dt.date(2026, 3, 31), utc(2026, 3, 31, 21, 30))


def test_a_time_without_a_zone_from_a_source_without_one_is_refused_as_a_moment_and_kept_as_a_day() -> None:
    fault = read("instant", "2026-03-31 23:30")
    assert isinstance(fault, Fault)
    assert "names no time zone" in fault.reason
    floating = dt.datetime(2026, 3, 31, 23, 30)  # noqa: DTZ001 - it has no zone; that is the point
    assert read_when("2026-03-31 23:30", PLAIN) == When(dt.date(2026, 3, 31), None, floating)


def test_a_stamp_with_a_zone_counts_for_its_day_at_the_source_or_else_at_home() -> None:
    text = "2026-03-31T23:30:00Z"
    assert read("date", text) == dt.date(2026, 3, 31)
    assert read("date", text, Reading(zone=BERLIN)) == dt.date(2026, 4, 1)
    assert read("date", text, Reading(home=BERLIN)) == dt.date(2026, 4, 1)


def test_a_bare_day_stays_a_day_and_as_a_moment_is_its_first_instant() -> None:
    assert read_when("2026-11-21", Reading(zone=BERLIN)) == When(dt.date(2026, 11, 21))
    assert read("instant", "2026-11-21", Reading(zone=BERLIN)) == utc(2026, 11, 20, 23)
    assert read("instant", "2026-11-21", Reading(home=BERLIN)) == utc(2026, 11, 20, 23)


@pytest.mark.parametrize(
    "text",
    ["2026-01-31 24:00Z", "2026-01-31 14:60Z", "2026-01-31 13:00 PM", "2026-01-31 0:30 am", "2026-01-31 12:00+99:00",
     "9999-12-31 23:59:60Z", "2026-01-31 14:30 CEST"],
)  # fmt: skip
def test_times_that_no_clock_shows_are_refused(text: str) -> None:
    assert isinstance(read("instant", text, Reading(zone=dt.UTC)), Fault)


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:30:00Z", "9999-12-31T23:30:00Z", "9999-12-31 23:30"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "UTC"])
def test_a_moment_at_the_ends_of_the_calendar_is_refused_and_its_bare_day_is_not(text: str, zone: str) -> None:
    how = Reading(zone=zoneinfo.ZoneInfo(zone))
    fault = read("instant", text, how)
    assert isinstance(fault, Fault)
    assert "is not a time of the calendar" in fault.reason
    assert read("date", text[:10], how) == dt.date.fromisoformat(text[:10])


@pytest.mark.parametrize(
    ("text", "without"),
    [("2026-01-31 14:30", True), ("2026-01-31T14:30:00", True), ("31/01/2026, 2:30 PM", True),
     ("2026-01-31T14:30:00Z", False), ("2026-01-31 14:30 +01:00", False), ("2026-01-31", False), ("14:30", False)],
)  # fmt: skip
def test_it_is_seen_whether_a_cell_names_a_time_without_a_zone(text: str, without: bool) -> None:
    assert floats(text) is without


# -------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("100.000,00", "", "100000"),
        ("1,234,567.89", "", "1234567.89"),
        ("1.234.567", "", "1234567"),
        ("1,234", ".", "1234"),
        ("1,234", ",", "1.234"),
        ("1.234", ",", "1234"),
        ("1 234,50", "", "1234.5"),
        ("1\u202f234,50", "", "1234.5"),
        ("1'234.50", "", "1234.5"),
        ("1’234.50", "", "1234.5"),
        ("(1,234.50)", "", "-1234.5"),
        ("-1234.5", "", "-1234.5"),
        ("−5", "", "-5"),
        ("+5", "", "5"),
        ("-0", "", "0"),
        ("$ 1,234.00", "", "1234"),
        ("€100", "", "100"),
        ("USD 100.5", "", "100.5"),
        ("100,5 EUR", "", "100.5"),
        ("-$5", "", "-5"),
        ("0,125", "", "0.125"),
        ("1234,567", "", "1234.567"),
        (".5", "", "0.5"),
        ("007", "", "7"),
        ("0", "", "0"),
    ],
)
def test_numbers_are_read_exactly(text: str, decimal: str, number: str) -> None:
    found = read_decimal(text, decimal, "money")
    assert isinstance(found, Decimal)
    assert found == Decimal(number)


@pytest.mark.parametrize(
    ("text", "asks", "proves"),
    [
        ("1.234", True, ""),
        ("1,234", True, ""),
        ("12,345", True, ""),
        ("1234.567", False, "."),
        ("0.123", False, "."),
        ("1.23", False, "."),
        ("1,23", False, ","),
        ("1.234.567", False, ","),
        ("1,234,567", False, "."),
        ("100.000,00", False, ","),
        ("1 234.567", False, "."),
        ("1234", False, ""),
        ("1,2,3", False, ""),
        ("n/a", False, ""),
    ],
)
def test_a_number_proves_its_decimal_sign_only_where_it_can_be_read_one_way(text: str, asks: bool, proves: str) -> None:
    assert decimal_proof(text) == (asks, proves)


def test_a_number_that_can_be_read_two_ways_is_refused_without_a_decimal_sign() -> None:
    fault = read_decimal("1.234", "", "money")
    assert fault == Fault("'1.234' can be thousands or decimals", 'answer with "." or "," as the decimal sign')


def test_a_cell_whose_decimal_sign_contradicts_its_column_is_refused() -> None:
    fault = read_decimal("1,50", ".", "money")
    assert isinstance(fault, Fault)
    assert "decimal sign ','" in fault.reason


@pytest.mark.parametrize("sign", [".", ","])
@pytest.mark.parametrize("text", ["many", "1,2,3.4", "1234.50", "1234,50", "1,234,567", "1'234.50", "USD (1.234,50)"])
def test_a_cell_written_as_its_remedy_says_is_read(text: str, sign: str) -> None:
    fault = read_decimal(text, sign, "money")
    if isinstance(fault, Fault):
        assert not isinstance(read_decimal(fault.remedy.removeprefix("write it as "), sign, "money"), Fault)


@pytest.mark.parametrize("text", ["1,2,3", "12,34,567", "1,234.567,00", "five", "1.2.3,4", "--5", "1 23", "0x10", "٣"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert isinstance(read_decimal(text, ".", "money"), Fault)


def test_an_exponent_is_refused_because_it_may_hide_digits() -> None:
    fault = read_decimal("1E5", ".", "money")
    assert isinstance(fault, Fault)
    assert "exponent" in fault.remedy


@pytest.mark.parametrize(
    ("kind", "fits", "too_fine", "too_large"),
    [
        ("money", "9999999999999999.9999", "0.12345", "10000000000000000"),
        ("number", "99999999999999999999.99999999", "0.123456789", "100000000000000000000"),
        ("share", "9999999.99", "33.333", "10000000"),
    ],
)
def test_a_number_beyond_its_kind_is_refused_never_rounded(kind: str, fits: str, too_fine: str, too_large: str) -> None:
    assert read(kind, fits, Reading(decimal=".")) == Decimal(fits)
    assert isinstance(read(kind, too_fine, Reading(decimal=".")), Fault)
    assert isinstance(read(kind, too_large, Reading(decimal=".")), Fault)


def test_decimals_that_are_only_zeros_fit_every_kind() -> None:
    assert read("share", "33.5000000", Reading(decimal=".")) == Decimal("33.5")


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=2, allow_nan=False), st.sampled_from([".", ","]))
@settings(max_examples=300, deadline=None)
def test_every_amount_reads_back_from_either_way_of_writing_it(amount: Decimal, sign: str) -> None:
    other = "," if sign == "." else "."
    text = f"{amount:,.2f}".replace(",", "\0").replace(".", sign).replace("\0", other)
    assert read_decimal(text, "", "money") == amount
    assert read_decimal(text, sign, "money") == amount


@pytest.mark.parametrize("text", ["7%", "7 %", "%7", "7,5%"])
def test_a_percentage_is_no_money(text: str) -> None:
    fault = read("money", text)
    assert isinstance(fault, Fault)
    assert fault.reason == f"'{text}' is a percentage, not an amount of money"
    assert isinstance(read("share", text), Decimal)


@pytest.mark.parametrize("text", ["7 EUR", "$7", "USD 7"])
def test_money_is_no_percentage(text: str) -> None:
    assert isinstance(read("share", text), Fault)
    assert read("money", text) == 7


@pytest.mark.parametrize(
    ("amount", "said", "default", "currency"),
    [
        ("1000.00", "USD", "EUR", "USD"),
        ("1000.00", None, "EUR", "EUR"),
        ("1000.00", None, "", None),
        ("EUR 1000.00", None, "", "EUR"),
        ("1000.00 EUR", None, "", "EUR"),
        ("€1000", None, "", "EUR"),
        ("(£ 1,000.00)", None, "", "GBP"),
        ("USD 1000", None, "EUR", "USD"),
        ("€1000", "EUR", "", "EUR"),
        ("$1000", None, "", None),
        ("$1000", None, "CAD", "CAD"),
        ("$1000", "AUD", "", "AUD"),
        ("$1000 USD", None, "", "USD"),
        ("¥1000", "JPY", "", "JPY"),
        ("¥1000", "CNY", "", "CNY"),
        ("¥1000", None, "", None),
    ],
)
def test_the_currency_of_an_amount_is_that_of_its_row_of_its_cell_or_of_its_source(
    amount: str, said: str | None, default: str, currency: str | None
) -> None:
    assert currency_of(amount, said, default) == currency


@pytest.mark.parametrize(
    ("amount", "said", "default", "reason"),
    [
        ("EUR 1000.00", "USD", "", "'EUR 1000.00' names EUR, its currency is USD"),
        ("€1000", "USD", "EUR", "'€1000' names €, its currency is USD"),
        ("$1000", "EUR", "", "'$1000' names $, its currency is EUR"),
        ("$1000", None, "EUR", "'$1000' names $, its currency is EUR"),
        ("¥1000", "USD", "", "'¥1000' names ¥, its currency is USD"),
        ("ABC 1000", None, "", "'ABC 1000' names ABC, that is no currency"),
        ("€ 1000 USD", None, "", "'€ 1000 USD' names USD and €, that is no currency"),
        ("EUR 1000 USD", "EUR", "", "'EUR 1000 USD' names EUR and USD, its currency is EUR"),
    ],
)
def test_an_amount_that_contradicts_its_currency_is_refused_with_a_remedy(
    amount: str, said: str | None, default: str, reason: str
) -> None:
    fault = currency_of(amount, said, default)
    assert fault == Fault(reason, "write the plain number, and its ISO 4217 code in the currency column")


def test_whole_numbers_are_read_as_whole_and_others_refused() -> None:
    assert read("int", "1,234", Reading(decimal=".")) == 1234
    assert read("int", "12.0", Reading(decimal=".")) == 12
    assert isinstance(read("int", "12.5", Reading(decimal=".")), Fault)


def test_a_whole_number_beyond_sixty_four_bits_is_refused() -> None:
    assert read("int", "9223372036854775807", PLAIN) == 2**63 - 1
    assert isinstance(read("int", "9223372036854775808", PLAIN), Fault)


# ---------------------------------------------------------------------------------------------------- other kinds


@pytest.mark.parametrize("text", ["", " ", "-", "–", "n/a", "N/A", "NULL", "(blank)"])
@pytest.mark.parametrize("kind", ["date", "money", "bool", "email", "domain", "currency", "instant", "int", "list"])
def test_a_cell_that_says_nothing_is_unknown(kind: str, text: str) -> None:
    assert read(kind, text) is None


@pytest.mark.parametrize("text", ["-", "n/a", "NULL", "NA", "0", "false"])
def test_a_text_that_looks_empty_elsewhere_stays_a_text(text: str) -> None:
    assert read("text", text) == text
    assert read("id", text) == text


def test_ids_stay_as_they_are_written() -> None:
    assert [read("id", text) for text in ("1E5", "00012", "9007199254740993", " 0065g00000AbCdE ")] == [
        "1E5",
        "00012",
        "9007199254740993",
        "0065g00000AbCdE",
    ]


def test_text_is_trimmed_and_composed_and_blank_text_is_unknown() -> None:
    assert read("text", " Rönnebäck & Söhne ") == "Rönnebäck & Söhne"
    assert read("text", "e\u0301") == "é"
    assert read("text", "  ") is None


def test_text_with_a_nul_or_beyond_the_longest_is_refused() -> None:
    assert isinstance(read("text", "a\x00b"), Fault)
    assert read("text", "abcd", Reading(longest=4)) == "abcd"
    assert isinstance(read("text", "abcde", Reading(longest=4)), Fault)


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("TRUE", True), ("1", True), ("x", True), ("Ja", True), ("no", False), ("False", False),
     ("0", False), ("nein", False)],
)  # fmt: skip
def test_yes_and_no_in_the_words_that_exports_use(text: str, value: bool) -> None:
    assert read("bool", text) is value


def test_neither_yes_nor_no_is_refused() -> None:
    assert isinstance(read("bool", "maybe"), Fault)


@pytest.mark.parametrize(
    ("text", "code"),
    [("NO", "NO"), ("no", "NO"), ("Norway", "NO"), ("Deutschland", "DE"), ("United  States", "US"), ("usa", "US"),
     ("Vereinigtes Königreich", "GB"), ("UK", "GB"), ("Allemagne", "DE"), ("España", "ES")],
)  # fmt: skip
def test_countries_by_code_and_by_name_and_norway_is_no_no(text: str, code: str) -> None:
    assert read("country", text) == code


def test_namibia_is_a_country_and_no_empty_cell() -> None:
    assert read("country", "NA") == "NA"


@pytest.mark.parametrize("text", ["Atlantis", "ZZ", "EU", "XA"])
def test_a_country_that_iso_does_not_know_is_left_empty_and_reported(text: str) -> None:
    assert read("country", text) == Noted(None, f"country '{text}' is not known; the cell stays empty")


@pytest.mark.parametrize(
    ("code", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("HUF", 2), ("IQD", 3), ("LBP", 2)]
)
def test_a_currency_has_the_decimals_of_iso_4217(code: str, digits: int) -> None:
    assert minor_units(code) == digits


def test_currencies_are_codes() -> None:
    assert read("currency", " usd ") == "USD"
    assert isinstance(read("currency", "Dollars"), Fault)
    assert isinstance(read("currency", "ABC"), Fault)


@pytest.mark.parametrize(("text", "address"), [(" Ann@Firm.Example ", "ann@firm.example"), ("ß@firm", "ss@firm")])
def test_addresses_are_trimmed_and_compared_without_case(text: str, address: str) -> None:
    assert read("email", text) == address


@pytest.mark.parametrize("text", ["ann", "@firm.example", "ann@", "a@b@c", "a b@firm.example"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert isinstance(read("email", text), Fault)


def test_a_free_mail_domain_is_no_key_and_is_reported() -> None:
    how = Reading(free_mail=frozenset({"gmail.com"}))
    assert read("domain", "https://www.Gmail.com/", how) == Noted(None, "gmail.com is a free-mail domain, no key")
    assert read("domain", "https://www.Firm.example/", how) == "firm.example"


def test_what_is_no_domain_is_left_empty_and_reported() -> None:
    assert read("domain", "our web shop") == Noted(None, "'our web shop' is not a web domain; the cell stays empty")


def test_lists_are_sorted_sets_of_trimmed_texts() -> None:
    assert read("list", "growth; emea ;growth;;Apac") == ["Apac", "emea", "growth"]


def test_a_word_outside_its_list_becomes_other_and_is_reported() -> None:
    partner_type = reader(TABLES["memberships"].column("partner_type"), PLAIN)
    assert partner_type("MSP") == "msp"
    assert partner_type("Boutique") == Noted("other", "partner_type 'Boutique' is not in the list; kept as other")


def test_a_word_outside_a_list_without_other_is_refused() -> None:
    stage = reader(TABLES["deals"].column("stage_class"), PLAIN)
    assert stage("WON") == "won"
    assert isinstance(stage("half won"), Fault)


def test_words_of_several_parts_are_joined() -> None:
    assert reader(TABLES["credentials"].column("status"), PLAIN)("Maintenance  Due") == "maintenance_due"


def test_an_unknown_role_is_kept_under_its_own_name() -> None:
    role = reader(TABLES["touches"].column("role"), PLAIN)
    assert role("Resold") == "resold"
    assert role("association:csp") == "association:csp"
    assert role("Golf Partner") == Noted(
        "association:golf_partner", "role 'Golf Partner' kept as association:golf_partner"
    )


@given(st.text(alphabet=string.printable + "äß€\u0660\u202f\x00", max_size=24), st.sampled_from(["", "dmy", "mdy"]))
@settings(max_examples=400, deadline=None)
def test_every_text_is_read_or_refused_by_every_kind(text: str, order: str) -> None:
    how = Reading(order=order, decimal="." if order else "", zone=dt.UTC if order else None)
    for kind in ("text", "email", "domain", "country", "currency", "bool", "date", "instant", "int", "money", "share"):
        found = read(kind, text, how)
        shapes = (type(None), Fault, Noted, str, bool, int, Decimal, dt.date)
        assert isinstance(found, shapes), (kind, text, found)
        if isinstance(found, Fault):
            assert found.reason
            assert found.remedy
