"""A mapping file that cannot work is refused before anything is loaded: every fault with its line and what to write."""

from pathlib import Path

import pytest
from tests.river import command

from groundswell.connectors.files import mapping
from groundswell.engine.home import Home
from groundswell.policy.read import BadPolicy
from groundswell.records.loads import Load

MAPPING = """[source]
name = "shop"
zone = "Europe/Berlin"
currency = "EUR"

[[file]]
code_page = "cp1252"
agree = "deals"

[[file.row]]
table = "deals"
external_id = "Order"
kind = { const = "opportunity" }
name = "Order"
stage = "State"
stage_class = { header = "State", values = { "paid" = "won" }, else = "open" }

[[file.row]]
table = "touches"
subject_kind = { const = "deal" }
subject_id = "Order"
partner_id = "Shop"
role = { first_of = [{ header = "Part", values = { "Finder" = "sourced" } }, { const = "association:shop" }] }
evidence = { const = "crm_field" }
"""


def faults(old: str = "", new: str = "") -> list[str]:
    """What is wrong with the mapping after one replacement; each fault without its file."""
    assert old in MAPPING
    try:
        mapping.parse_text("own.toml", MAPPING.replace(old, new, 1))
    except BadPolicy as error:
        return [fault.removeprefix("own.toml:") for fault in error.faults]
    return []


def test_the_mapping_of_a_test_is_without_fault() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Europe/Berlin", "Europe/Berln", "3 zone: 'Europe/Berln' is not a time zone; write one such as Europe/Berlin"),
        ("Europe/Berlin", "localtime", "3 zone: 'localtime' is not a time zone; write one such as Europe/Berlin"),
        ("EUR", "eur", "4 currency: 'eur' is not a currency; write its ISO 4217 code in capitals, as EUR"),
        ("EUR", "€", "4 currency: '€' is not a currency; write its ISO 4217 code in capitals, as EUR"),
        ("cp1252", "cp-weird", "7 code_page: 'cp-weird' is not a code page; write one such as cp1252 or iso-8859-1"),
        ("cp1252", "base64", "7 code_page: 'base64' is not a code page; write one such as cp1252 or iso-8859-1"),
        ('"deals"', '"deal"', "8 agree: 'deal' is not one of "),
        ("opportunity", "oportunity",
         "13 kind: 'oportunity' is not one of lead, opportunity, referral. Did you mean 'opportunity'?"),
        ('"won"', '"win"', "16 stage_class: 'win' is not one of open, won, lost"),
        ('"open"', '"pending"', "16 stage_class: 'pending' is not one of open, won, lost"),
        ('const = "deal"', 'const = "opportunity"',
         '20 subject_kind: is one word for all rows of a row map: { const = "deal" }; one of deal, subscription,'),
        ('const = "deal"', 'const = "Deal"', "20 subject_kind: is one word for all rows of a row map"),
        ('{ const = "deal" }', '"Kind"', "20 subject_kind: is one word for all rows of a row map"),
        ("crm_field", "crm", "24 evidence: 'crm' is not one of manual, crm_field"),
    ],
)  # fmt: skip
def test_a_fault_of_a_mapping_names_its_line_and_what_to_write(old: str, new: str, fault: str) -> None:
    found = faults(old, new)
    assert len(found) == 1
    assert found[0].startswith(fault)


def test_every_fault_of_a_mapping_is_told_and_nothing_is_loaded(home: Home, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        MAPPING.replace("Berlin", "Berln").replace("cp1252", "cp-weird").replace('"deal"', '"dael"'), "utf-8"
    )
    (tmp_path / "orders.csv").write_text("Order,State,Shop,Part\n1,paid,S1,Finder\n", "utf-8")
    found = command(home.path, "take-in", "--mapping", str(own), str(tmp_path / "orders.csv"))
    assert (found.returncode, found.stdout) == (2, "")
    said = {line.split(": ")[0] for line in found.stderr.splitlines()}
    assert said == {f"{own}:3 zone", f"{own}:7 code_page", f"{own}:20 subject_kind"}
    assert not Load.objects.exists()
