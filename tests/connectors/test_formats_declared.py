"""Formats that a mapping declares: faults where they cannot apply, and amounts in smallest units without a currency."""

from pathlib import Path

import pytest
from tests.river import table, take_in_text

from groundswell.connectors.files.mapping import parse_text, shipped
from groundswell.engine.home import Home
from groundswell.policy.read import BadPolicy

DEALS = """[source]
name = "till"
{source}
[[file]]
[[file.row]]
table = "deals"
external_id = "id"
name = "id"
stage = {{ const = "paid" }}
stage_class = {{ const = "won" }}
{columns}
"""


def mapping(columns: str, source: str = "") -> str:
    return DEALS.format(columns=columns, source=source)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ('product = { header = "p", format = "month" }', "format 'month' is for dates; product holds text"),
        ('amount = { header = "a", format = "epoch_ms" }', "format 'epoch_ms' is for dates; amount holds money"),
        ('created_on = { header = "d", format = "minor units" }', "are for amounts; created_on holds date"),
        ('created_on = { first_of = [{ header = "d", format = "week" }, "e"] }', "format"),
        (
            'amount = { first_of = [{ header = "a", format = "minor units" }, "b"] }',
            "'minor units' stands outside of first_of",
        ),
        ('amount = { header = "a", format = "minor units", currency = "usd" }', "'usd' is not a currency code"),
    ],
)
def test_a_format_that_cannot_apply_is_a_fault(columns: str, said: str) -> None:
    with pytest.raises(BadPolicy) as fault:
        parse_text("till.toml", mapping(columns))
    assert said in str(fault.value)


@pytest.mark.parametrize(
    ("columns", "source", "currency", "amounts"),
    [
        ('amount = { header = "a", format = "minor units" }', 'currency = "KWD"', "KWD", ["1.2340", "-0.0010"]),
        ('amount = { header = "a", format = "minor units", currency = "JPY" }', "", "JPY", ["1234.0000", "-1.0000"]),
        (
            'amount = { header = "a", format = "minor units" }\ncurrency = { const = "USD" }',
            "",
            "USD",
            ["12.3400", "-0.0100"],
        ),
        ('amount = { header = "a", format = "minor units" }', "", "", ["", ""]),
    ],
)
def test_the_currency_decides_what_a_smallest_unit_is(
    home: Home, tmp_path: Path, columns: str, source: str, currency: str, amounts: list[str]
) -> None:
    path = tmp_path / "till.toml"
    path.write_text(mapping(columns, source), "utf-8")
    load = take_in_text(home, "till.csv", "id,a\nT1,1234\nT2,-1\n", "2026-03-01", mapping=path)
    assert (load.loaded, load.quarantined) == (2, 0)
    rows = sorted(table(home, "deals", "2026-03-01"), key=lambda row: row["name"])
    assert [(row["amount"], row["currency"]) for row in rows] == [(amount, currency) for amount in amounts]
    unsaid = [note for note in load.report["notes"] if "a currency that is not said" in note]
    assert bool(unsaid) == (amounts == ["", ""])


def test_home_money_that_a_mapping_says_is_in_another_currency_is_left_out(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "till.toml"
    path.write_text(mapping('amount_home = { header = "a", format = "minor units", currency = "EUR" }'), "utf-8")
    load = take_in_text(home, "till.csv", "id,a\nT1,1234\n", "2026-03-01", mapping=path)
    assert [row["amount_home"] for row in table(home, "deals", "2026-03-01")] == [""]
    assert "converted amounts are in EUR, home currency is USD; left out (1 rows)" in load.report["notes"]


def test_no_shipped_format_reads_an_amount_of_a_partner_platform_in_whole_units() -> None:
    source = next(one for one in shipped() if one.source == "partnerstack")
    amounts = [
        row.columns[name]
        for kind in source.files
        for row in kind.rows
        for name in row.columns
        if name.startswith("amount")
    ]
    assert {expr.format for expr in amounts} == {"minor units"}
    assert len(amounts) == 4
