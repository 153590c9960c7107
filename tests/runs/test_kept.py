"""Mappings that a load confirmed are kept with their source; a few rows can be tried before anything is loaded."""

from pathlib import Path

import pytest
from tests.river import NOW, command, table, take_in

from groundswell.connectors.files.mapping import own
from groundswell.connectors.files.read import Refused
from groundswell.engine.home import Home
from groundswell.engine.lock import writer
from groundswell.policy.read import BadPolicy
from groundswell.runs.prepare import Request
from groundswell.runs.rebuild import health, rebuild
from groundswell.runs.trial import trial

STOCK = "Nr,Firma,Land,Seit\n7001,Dach & Fach,Schweiz,12.03.2021\n7002,Elm Digital,Austria,31.02.2022\n"
MAPPING = """[source]
name = "stock"

[[file]]
match = "stock*.csv"

[[file.row]]
table = "organisations"
external_id = "{Nr}"
name = "Firma"
is_partner = { const = true }
is_customer = { const = false }
country = "Land"
created_on = "Seit"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "stock-1.csv").write_text(STOCK, "utf-8")
    (folder / "stock.toml").write_text(MAPPING, "utf-8")
    return folder


def kept(home: Home) -> list[str]:
    return sorted(path.name for path in (home.path / "sources").glob("*"))


def test_a_mapping_that_was_used_is_used_again_without_being_named(home: Home, folder: Path) -> None:
    first = take_in(home, folder / "stock-1.csv", "2026-09-01", mapping=folder / "stock.toml")
    assert "kept for source stock" in first.report["mapping"]
    (folder / "stock.toml").unlink()
    (folder / "stock-2.csv").write_text(STOCK.replace("7001", "7003"), "utf-8")
    load = take_in(home, folder / "stock-2.csv", "2026-09-02")
    assert (load.source, load.loaded, load.report["mapping"]) == ("stock", 1, "by the mapping kept for source stock")
    assert {row["external_id"] for row in table(home, "organisations", "2026-09-30")} == {"7001", "7003"}
    (home.path / "sources" / "stock.mapping.toml").unlink()
    assert rebuild(home, NOW) == [], "a load holds the mapping it was read by"
    assert health(home).faults == []


def test_a_file_that_the_kept_mapping_does_not_fit_is_not_read_by_it(home: Home, folder: Path) -> None:
    take_in(home, folder / "stock-1.csv", mapping=folder / "stock.toml")
    (folder / "other.csv").write_text(STOCK, "utf-8")
    with pytest.raises(Refused, match="no known format"):
        take_in(home, folder / "other.csv")
    (folder / "stock-2.csv").write_text(STOCK.replace("Land", "Staat"), "utf-8")
    with pytest.raises(Refused, match=r"'Land'.*mapping kept for source stock"):
        take_in(home, folder / "stock-2.csv")
    generic = "partner_id,partner_name\nP1,Nord\n"
    (folder / "stock-3.csv").write_text(generic, "utf-8")
    assert take_in(home, folder / "stock-3.csv").format == "generic_partners"


def test_a_refused_file_confirms_nothing(home: Home, folder: Path) -> None:
    (folder / "stock-1.csv").write_text("Nr,Firma,Land,Seit\n,Dach,Schweiz,13.03.2021\n", "utf-8")
    with pytest.raises(Refused):
        take_in(home, folder / "stock-1.csv", mapping=folder / "stock.toml")
    assert kept(home) == []


def test_a_changed_mapping_replaces_the_kept_one_and_says_what_changed(home: Home, folder: Path) -> None:
    take_in(home, folder / "stock-1.csv", mapping=folder / "stock.toml")
    again = take_in(home, folder / "stock-1.csv", mapping=folder / "stock.toml")
    assert again.report["mapping"] == ""
    changed = MAPPING.replace('country = "Land"', 'region = "Land"').replace('"stock"', '"stock"\nlocale = "de_DE"')
    changed = changed.replace('region = "Land"', 'industry = "Land"').replace("const = false", "const = true")
    (folder / "stock.toml").write_text(changed, "utf-8")
    load = take_in(home, folder / "stock-1.csv", mapping=folder / "stock.toml")
    assert load.report["mapping"] == (
        "the mapping kept for source stock is replaced: organisations.is_customer is read otherwise, "
        "organisations.country is gone, source.locale is new, organisations.industry is new"
    )
    assert (home.path / "sources" / "stock.mapping.toml").read_text("utf-8") == changed


@pytest.mark.parametrize("source", ["crm/north", "a b", "a_b", "Süd", "..", "x.mapping"])
def test_each_source_has_a_file_of_its_own(home: Home, folder: Path, source: str) -> None:
    for name in ("x", source):
        take_in(home, folder / "stock-1.csv", mapping=folder / "stock.toml", source=name, answers={"zone": "UTC"})
    assert len(kept(home)) == 4
    assert take_in(home, folder / "stock-1.csv", source=source).source == source
    with pytest.raises(Refused, match="several sources fit it"):
        take_in(home, folder / "stock-1.csv")


def test_check_names_the_faults_of_kept_mappings(home: Home, folder: Path) -> None:
    take_in(home, folder / "stock-1.csv", mapping=folder / "stock.toml")
    done = command(home.path, "check")
    assert (done.returncode, "the mapping kept for source stock can be read" in done.stdout) == (0, True)
    path = home.path / "sources" / "stock.mapping.toml"
    path.write_text(MAPPING.replace("name =", "nam =", 2), "utf-8")
    done = command(home.path, "check")
    assert done.returncode == 2
    assert f"{path}:10 nam:" in done.stdout
    with pytest.raises(BadPolicy):
        take_in(home, folder / "stock-1.csv")


def test_what_is_left_to_decide_is_refused_at_its_line_with_what_its_comment_asks(tmp_path: Path) -> None:
    said = 'country.header = "Land"\ncountry.values."A. B" = "TODO"   # 3 rows: which country?\n'
    draft = tmp_path / "draft.toml"
    draft.write_text(MAPPING.replace('country = "Land"\n', said).replace('"stock"', '"TODO"'), "utf-8")
    with pytest.raises(BadPolicy) as error:
        own(draft)
    assert error.value.faults == [
        f"{draft}:2 source.name: TODO is left to decide: write what it is",
        f"{draft}:14 country.values.A. B: TODO is left to decide: 3 rows: which country?",
    ]


# ------------------------------------------------------------------------------------------------------------ trials


def test_a_trial_shows_what_rows_become_or_why_not_and_leaves_nothing(home: Home, folder: Path) -> None:
    before = sorted(home.path.rglob("*"))
    found = trial(home, folder / "stock-1.csv", Request(folder / "stock.toml"), frozenset({2, 3, 9}))
    good, bad = found.tried
    assert (good.line, good.cells["Seit"], bad.line, found.absent) == (2, "12.03.2021", 3, (9,))
    (row,) = good.rows
    assert (row.table, row.id, row.columns["country"], row.columns["created_on"]) == (
        "organisations", "7001", "CH", "2021-03-12",
    )  # fmt: skip
    assert bad.aside is not None
    assert bad.aside.reason == "'31.02.2022' is not a day of the calendar"
    assert bad.rows == ()
    assert sorted(home.path.rglob("*")) == before


def test_a_trial_names_things_by_the_ids_of_the_source(home: Home, folder: Path) -> None:
    text = "deal_id,partner_id,role,customer_name,stage_class,amount,currency,created_on\n"
    rows = "D1,P1,sourced,Moor Rail,won,12.50,EUR,2026-01-05\nD2,P1,sourced,Moor Rail,won,1,EUR,2026-01-05\n"
    (folder / "deals.csv").write_text(text + rows, "utf-8")
    found = trial(home, folder / "deals.csv", Request(), frozenset({3}))
    (tried,) = found.tried
    made = {(row.table, row.mention, row.id): row.columns for row in tried.rows}
    assert made["deals", False, "D2"]["account_id"] == "name:moor rail"
    assert made["deals", False, "D2"]["amount"] == "1"
    touch = next(columns for (name, *_), columns in made.items() if name == "touches")
    assert (touch["subject_id"], touch["partner_id"], touch["share_pct"]) == ("D2", "P1", "")
    assert ("organisations", True, "name:moor rail") in made, "also where an earlier row mentioned it"


def test_the_command_tries_rows_while_another_writes(home: Home, folder: Path) -> None:

    with writer(home.path, "assess", NOW):
        done = command(
            home.path, "take-in", "--mapping", str(folder / "stock.toml"), "--try", "2,3", str(folder / "stock-1.csv")
        )
    assert done.returncode == 0, done.stderr
    assert "-> organisations 7001" in done.stdout
    assert "would be set aside: Seit: '31.02.2022' is not a day of the calendar." in done.stdout
    assert not (home.path / "landings").exists()
