"""Merges and un-merges that a source tells: with history, on the days on which they were known."""

from pathlib import Path

from tests.river import table, take_in_text

from groundswell.engine.home import Home

MAPPING = """[source]
name = "mdm"
[[file]]
match = "firms*"
[[file.row]]
table = "organisations"
external_id = "{id}"
name = "name"
is_partner = { const = true }
is_customer = { const = false }
[[file]]
match = "merges*"
[[file.row]]
table = "links"
external_id = "{from}"
from_id = "from"
into_id = "into"
how = { const = "source" }
deleted = "undone"
"""


def stands(home: Home, as_of: str) -> set[str]:
    return {row["name"] for row in table(home, "partners", as_of)}


def test_a_merge_that_is_undone_gives_back_both_from_that_day_on(home: Home, tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(MAPPING)
    take_in_text(home, "firms.csv", "id,name\n1,Acorn\n2,Acorn Ltd\n", "2026-01-10", mapping=mapping)
    take_in_text(home, "merges1.csv", "from,into,undone\n2,1,false\n", "2026-02-10", mapping=mapping)
    take_in_text(home, "merges3.csv", "from,into,undone\n2,1,false\n", "2026-04-10", mapping=mapping)
    take_in_text(home, "merges2.csv", "from,into,undone\n2,1,true\n", "2026-03-10", mapping=mapping)
    assert {day: stands(home, day) for day in ("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30")} == {
        "2026-01-31": {"Acorn", "Acorn Ltd"},
        "2026-02-28": {"Acorn"},
        "2026-03-31": {"Acorn", "Acorn Ltd"},
        "2026-04-30": {"Acorn"},
    }
