"""Every command as its users run it: exit codes, words, and the shapes that programs read."""

import csv
import datetime as dt
import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from django.db import connections
from openpyxl import load_workbook
from tests.river import assess, command, take_in, take_in_text
from tests.stories.instances import become, beside, differing, facts, instance

from groundswell.engine import landings
from groundswell.engine.home import Home
from groundswell.records.loads import Load

DAY = "2026-09-30"
PARTNERS = """partner_id,partner_name,country,tier,joined_on
P1,Nordwind,DE,gold,2019-04-02
P2,Nordwind Nord,NO,,2020-02-29
P3,Ostwind,FI,silver,2021-01-01
P4,ostwind,SE,silver,2021-01-01
"""
DEALS = """deal_id,partner_id,role,customer_name,stage,stage_class,amount,currency,created_on,close_on
D1,P1,sourced,"Acme, Inc.",Closed Won,won,120000,USD,2026-01-05,2026-03-31
D1,P3,influenced,"Acme, Inc.",Closed Won,won,120000,USD,2026-01-05,2026-03-31
D2,P1,resold,Zero Co,Negotiation,open,,USD,2026-06-01,
D3,P2,resold,Zero Co,Negotiation,open,many,USD,2026-06-01,
D4,P2,resold,Old Co,Closed Won,won,7,USD,2024-01-05,2024-03-31
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An instance with two loads and a published run, made by the commands themselves."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "partners.csv").write_text(PARTNERS, "utf-8")
    (folder / "deals.csv").write_text(DEALS, "utf-8")
    with instance(folder / "home"):
        files = [str(folder / name) for name in ("partners.csv", "deals.csv")]
        taken = command(folder / "home", "take-in", "--exported-at", "2026-09-01", *files)
        assert (taken.returncode, taken.stderr) == (0, "")
        assert command(folder / "home", "assess", "--as-of", DAY).returncode == 0
    return folder


@pytest.fixture
def told(home: Home, made: Path) -> Home:
    """A copy of that instance, to do with as a test likes."""
    return become(home, made / "home")


def refused(found: CompletedProcess[str], code: int, *words: str) -> None:
    """The command ended with this code, printed nothing as a result, and said why without a traceback."""
    assert found.returncode == code, found.stderr
    assert found.stdout == ""
    assert "Traceback" not in found.stderr
    for word in words:
        assert word in found.stderr


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# ------------------------------------------------------------------------------------------------------- take-in


def test_take_in_says_the_equation_and_what_is_set_aside(home: Home, made: Path) -> None:
    found = command(home.path, "take-in", "--exported-at", "2026-09-01", str(made / "deals.csv"))
    assert (found.returncode, found.stderr) == (0, "")
    said = found.stdout.splitlines()
    assert said[0] == f"accepted  {made}/deals.csv  as L000001  (generic_deals, source generic)"
    assert said[1] == "  5 rows in = 4 loaded + 0 unchanged + 1 quarantined"
    assert said[2] == "    line 5, amount: 'many' is not a number. Write it as 1234.50."


def test_take_in_as_json(home: Home, made: Path) -> None:
    files = [str(made / name) for name in ("partners.csv", "deals.csv")]
    found = command(home.path, "take-in", "--json", "--exported-at", "2026-09-01T10:00+02:00", *files)
    assert (found.returncode, found.stderr) == (0, "")
    said = json.loads(found.stdout)
    assert set(said) == {"loads", "quality"}
    first, second = said["loads"]
    assert set(first) == set(second) == {
        "file", "load", "format", "source", "landing", "known_at", "known_by", "rows_in", "loaded", "unchanged",
        "quarantined", "quarantine", "report",
    }  # fmt: skip
    assert (first["load"], first["format"], first["known_at"]) == (
        "L000001",
        "generic_partners",
        "2026-09-01T08:00:00+00:00",
    )
    assert (second["rows_in"], second["loaded"], second["unchanged"], second["quarantined"]) == (5, 4, 0, 1)
    assert second["quarantine"] == [
        {
            "line": 5,
            "column": "amount",
            "reason": "'many' is not a number",
            "remedy": "write it as 1234.50",
            "text": "D3 | P2 | resold | Zero Co | Negotiation | open | many | USD | 2026-06-01 | ",
        }
    ]
    assert (said["quality"]["partners"], said["quality"]["accounts"], said["quality"]["deals"]) == (4, 3, 3)
    assert said["quality"]["deals_without_amount"] == 1


def test_one_refused_file_of_several_leaves_the_others_and_decides_the_exit_code(
    home: Home, made: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    found = command(home.path, "take-in", str(empty), str(made / "partners.csv"))
    assert found.returncode == 4
    assert found.stderr.splitlines() == [f"refused   {empty}", "  the file is empty: 0 bytes; export it again"]
    assert f"accepted  {made}/partners.csv" in found.stdout
    asked = tmp_path / "asked.csv"
    asked.write_text(DEALS.splitlines()[0] + "\nD9,P1,resold,Acme,Open,open,1,USD,03/04/2026,\n", "utf-8")
    question = command(home.path, "take-in", "--json", str(asked), str(made / "partners.csv"))
    assert question.returncode == 3
    first, second = json.loads(question.stdout)["loads"]
    assert first == {
        "file": str(asked), "format": "generic_deals",
        "questions": [{"column": "created_on", "question": "'03/04/2026' can be read two ways and no cell decides",
                       "answers": ["dmy", "mdy"], "samples": ["03/04/2026"]}],
    }  # fmt: skip
    assert second["unchanged"] == 4


def test_strict_refuses_with_the_line(home: Home, made: Path) -> None:
    found = command(home.path, "take-in", "--strict", str(made / "deals.csv"))
    refused(
        CompletedProcess(found.args, found.returncode, "", found.stderr),
        4,
        "line 5: 'many' is not a number",
        "--strict",
    )
    assert "accepted" not in found.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--exported-at", "2999-01-01"], "lies in the future"),
        (["--exported-at", "soon"], "write 2026-01-31 or 2026-01-31T08:00Z"),
        (["--answer", "partners.csv"], "write FILE:COLUMN=ANSWER"),
        (["--answer", "other.csv:tier=dmy"], "write FILE:COLUMN=ANSWER with one of the files: partners.csv"),
        (["--mapping", "/nowhere/mapping.toml"], "/nowhere/mapping.toml: there is no such mapping file"),
        (["--mapping", "/bin/sh"], "/bin/sh: a mapping is a text file in UTF-8"),
        (["--colour"], "unrecognized arguments"),
    ],
)
def test_usage_is_exit_2(home: Home, made: Path, words: list[str], said: str) -> None:
    refused(command(home.path, "take-in", *words, str(made / "partners.csv")), 2, said)


def test_a_count_below_nothing_is_refused_in_words_and_the_version_is_said(home: Home) -> None:
    refused(command(home.path, "partners", "--limit", "-1"), 2, "-1 is no count; write a whole number from 0 on")
    assert command(home.path, "--version").stdout.startswith("groundswell 0.")


def test_every_fault_of_a_mapping_is_named_with_its_line(home: Home, made: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[source]\nname = "x"\nlocale = "xx_YY_zz"\n\n[[file]]\n[[file.row]]\ntable = "organisations"\n'
                       'external_id = "id"\nnmae = "partner_name"\n', "utf-8")  # fmt: skip
    found = command(home.path, "take-in", "--mapping", str(mapping), str(made / "partners.csv"))
    refused(found, 2, "mapping.toml:3", "mapping.toml:9", "Did you mean 'name'?")


# --------------------------------------------------------------------------------------------- assess and partners


@pytest.mark.parametrize(
    "words",
    [["partners"], ["overview"], ["explain", "P1"], ["tables", "deals"], ["loads"], ["quarantine"], ["doctor"], ["audit", "list"]],
    ids=lambda words: words[0],
)  # fmt: skip
def test_reading_where_no_instance_is_makes_no_folder(tmp_path: Path, words: list[str]) -> None:
    home = tmp_path / "no" / "such"
    refused(command(home, *words), 2, f"there is no instance in {home}; groundswell take-in makes one")
    assert not home.parent.exists()


def test_checking_the_shipped_policy_makes_no_folder(tmp_path: Path) -> None:
    assert command(tmp_path / "such", "check").returncode == 0
    assert not (tmp_path / "such").exists()


def test_nothing_is_published_yet(home: Home, made: Path) -> None:
    for words in (["partners"], ["explain", "P1"]):
        refused(command(home.path, *words), 2, "nothing is published yet", "groundswell assess")
    found = command(home.path, "assess", "--as-of", "2026-09-01")
    assert found.returncode == 0
    assert "Nothing is loaded yet: groundswell take-in FILE" in found.stdout


def test_assess_before_anything_was_known_says_since_when_it_is(told: Home) -> None:
    found = command(told.path, "assess", "--as-of", "2026-08-31")
    assert (found.returncode, "so nothing is published" in found.stderr) == (4, True)  # the list stays as it was
    assert "No partner was known on 2026-08-31. The oldest load is known since 2026-09-01 00:00Z" in found.stderr
    refused(command(told.path, "assess", "--as-of", "31.08.2026"), 2, "not a day; write 2026-01-31")


def test_a_day_that_has_not_come_is_not_assessed(told: Home) -> None:
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)  # the home zone is UTC
    refused(command(told.path, "assess", "--as-of", str(tomorrow)), 2, f"--as-of {tomorrow} lies in the future")
    assert f"as of {DAY}, run " in command(told.path, "partners").stdout


def test_an_assessment_of_an_earlier_day_says_that_everybody_reads_it_now_and_how_to_go_back(told: Home) -> None:
    earlier = command(told.path, "assess", "--as-of", "2026-09-15").stdout
    assert f"Lists and pages showed {DAY}; they now show 2026-09-15, to everybody." in earlier
    back = f"groundswell assess --as-of {DAY}"
    assert f"To go back: {back}" in earlier
    assert "as of 2026-09-15, run " in command(told.path, "partners").stdout
    assert "they now show" not in command(told.path, *back.split()[1:]).stdout
    assert f"as of {DAY}, run " in command(told.path, "partners").stdout


def test_partners_as_csv_and_json_and_for_reading(told: Home) -> None:
    found = rows(command(told.path, "partners", "--format", "csv").stdout)
    assert list(found[0]) == [
        "rank", "partner_id", "name", "source", "external_id", "readiness", "low", "high", "coverage_pct", "band", "state",
        "as_of",
    ]  # fmt: skip
    assert sorted(row["external_id"] for row in found) == ["P1", "P2", "P3", "P4"]
    assert [row["rank"] for row in found] == ["1", "2", "3", "4"]
    assert {row["as_of"] for row in found} == {DAY}
    one = next(row for row in found if row["external_id"] == "P1")
    assert (one["readiness"], one["state"]) == ("", "too little known")
    assert 0 <= float(one["low"]) <= float(one["high"]) <= 100
    said = json.loads(command(told.path, "partners", "--format", "json").stdout)
    assert [one["external_id"] for one in said["partners"]] == [row["external_id"] for row in found]
    assert (said["run"]["as_of"], said["run"]["partners"], len(said["run"]["files"])) == (DAY, 4, 6)
    shown = command(told.path, "partners", "--limit", "2").stdout.splitlines()
    assert shown[0].split() == ["rank", "partner", "readiness", "range", "known", "band", "segment", "state", "next"]
    assert [line.split()[0] for line in shown[2:4]] == ["1", "2"]
    assert shown[5].startswith(f"as of {DAY}, run ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["partners", "--segment", "Ready"],
            "no such segment. One of: active, ready, inactive, developing, not placed",
        ),
        (["export", "--list", "rhythm=quiet", "--out", "all.csv"], "no filter 'rhythm'. One of: q, list, segment"),
    ],
)
def test_a_filter_that_does_not_exist_is_refused_and_shows_nobody(told: Home, words: list[str], says: str) -> None:
    refused(command(told.path, *words), 2, says)
    assert not Path("all.csv").exists()


# -------------------------------------------------------------------------------------------------------- explain


def test_a_name_that_several_bear_lists_the_candidates(told: Home) -> None:
    found = command(told.path, "explain", "OSTWIND")
    refused(
        found,
        3,
        "'OSTWIND' is the name of 2 partners. Name one by its id:",
        "Ostwind  (generic P3)",
        "ostwind  (generic P4)",
    )
    part = command(told.path, "explain", "wind")
    refused(part, 3, "is the name of 4 partners")
    refused(command(told.path, "explain", "Westwind"), 2, "no partner of the published run is called 'Westwind'")


def test_a_name_is_found_without_its_accents_and_a_near_one_is_offered(home: Home) -> None:
    names = ["Ångermark Data Inc.", "Ångermark Røst AS", "Angermark Róst AS", "Weiß & Łoś GmbH"]
    rows = "".join(f"P{at},{name},DE,gold,2019-04-02\n" for at, name in enumerate(names))
    take_in_text(home, "p.csv", f"{PARTNERS.splitlines()[0]}\n{rows}", "2026-09-01")
    assess(home, DAY)

    def asked(name: str) -> str:
        found = command(home.path, "explain", name)
        return found.stdout.partition("  (")[0] if found.returncode == 0 else found.stderr

    assert asked("ANGERMARK  data inc.") == asked("angermark data") == asked("ångermark data") == names[0]
    assert asked("Ångermark Røst AS") == names[1]  # as it is written, whoever else is written nearly so
    assert "is the name of 2 partners" in asked("angermark rost as")
    listed = asked("angermark")
    assert "is the name of 3 partners" in listed
    assert all(name in listed for name in names[:3])
    assert asked("weiss & los") == names[3]
    assert "called 'Angermak Data Inc'. Did you mean 'Ångermark Data Inc.'" in asked("Angermak Data Inc")
    assert "Did you mean" not in asked("Quite Another")


def test_explain_goes_down_to_the_line_of_the_file(told: Home, made: Path) -> None:
    said = json.loads(command(told.path, "explain", "P1", "--json", "--rows", "9").stdout)
    assert {"run", "as_of", "readiness", "signals", "gaps", "evidence", "external_id"} <= set(said)
    assert (said["external_id"], said["as_of"]) == ("P1", DAY)
    won = said["evidence"]["won_revenue"]
    assert won["question"] == "How much revenue did the partner win with us in the last 12 months?"
    (row,) = won["rows"]
    text = (made / "deals.csv").read_text("utf-8").splitlines()
    assert (row["load"], row["file_name"], row["line"], row["day"]) == ("L000002", "deals.csv", 2, "2026-03-31")
    assert row["text"] == text[1] == 'D1,P1,sourced,"Acme, Inc.",Closed Won,won,120000,USD,2026-01-05,2026-03-31'
    for evidence in said["evidence"].values():
        for row in evidence["rows"]:
            assert row["text"] == (made / row["file_name"]).read_text("utf-8").splitlines()[row["line"] - 1]
    # The exact name wins over those that contain it, and words are for reading.
    shown = command(told.path, "explain", "nordwind")
    assert shown.returncode == 0
    assert shown.stdout.startswith("Nordwind  (generic P1, o_")
    assert f"deals.csv line 2 (L000002): {text[1]}" in shown.stdout


def test_the_lines_of_an_explanation_add_up_to_its_figure(told: Home) -> None:
    for key in ("P1", "P2"):
        said = json.loads(command(told.path, "explain", key, "--json").stdout)["readiness"]
        total = sum((Fraction(line["contribution"]) for line in said["lines"]), Fraction(0))
        total += sum((Fraction(points) for _, points in said["deductions"]), Fraction(0))
        assert said["total"] is not None
        assert Fraction(said["total"]) == total
        assert Fraction(said["low"]) <= total <= Fraction(said["high"])


# ----------------------------------------------------------------------------------------------- tables and loads


def test_a_table_as_csv_and_json(told: Home) -> None:
    found = rows(command(told.path, "tables", "deals", "--as-of", DAY, "--format", "csv").stdout)
    assert {row["external_id"]: (row["stage_class"], row["amount"]) for row in found} == {
        "D1": ("won", "120000.0000"), "D2": ("open", ""), "D4": ("won", "7.0000"),
    }  # fmt: skip
    said = json.loads(command(told.path, "tables", "deals", "--as-of", DAY, "--format", "json").stdout)
    assert said == found
    assert command(told.path, "tables", "deals", "--as-of", "2026-08-31", "--format", "json").stdout.strip() == "[]"
    keys = rows(command(told.path, "tables", "source_keys", "--as-of", DAY, "--format", "csv").stdout)
    assert {row["external_id"] for row in keys if row["entity_table"] == "deals"} == {"D1", "D2", "D4"}
    refused(command(told.path, "tables", "deal"), 2, "there is no table 'deal'. One of: organisations, people")


def test_tables_and_lists_are_written_to_files_whole(told: Home, tmp_path: Path) -> None:
    for words in (["partners"], ["tables", "deals", "--as-of", DAY]):
        out = tmp_path / "out.csv"
        found = command(told.path, *words, "--format", "csv", "--out", str(out))
        assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
        assert out.read_text("utf-8") == command(told.path, *words, "--format", "csv").stdout
        book = tmp_path / "out.xlsx"
        assert command(told.path, *words, "--format", "xlsx", "--out", str(book)).returncode == 0
        sheet = [[str(cell) for cell in row] for row in load_workbook(book).active.iter_rows(values_only=True)]
        assert [len(sheet), sheet[0]] == [len(rows(out.read_text("utf-8"))) + 1, list(rows(out.read_text("utf-8"))[0])]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["out.csv", "out.xlsx"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "xlsx"], "name the file: --out FILE.xlsx"),
        (["--out", "deals.csv"], "--out deals.csv: say what to write, --format csv or --format xlsx"),
        (["--format", "csv", "--out", "/nowhere/deals.csv"], "there is no folder /nowhere"),
    ],
)
def test_where_an_export_cannot_go_is_usage(told: Home, words: list[str], said: str) -> None:
    refused(command(told.path, "tables", "deals", *words), 2, said)
    refused(command(told.path, "partners", *words), 2, said)


def test_loads_are_listed_shown_and_reverted(told: Home) -> None:
    listed = command(told.path, "loads").stdout.splitlines()
    assert listed[0].split()[:5] == ["load", "file", "source", "format", "state"]
    assert [line.split()[:5] for line in listed[2:]] == [
        ["L000001", "partners.csv", "generic", "generic_partners", "committed"],
        ["L000002", "deals.csv", "generic", "generic_deals", "committed"],
    ]
    shown = json.loads(command(told.path, "loads", "show", "L000002").stdout)
    assert (shown["load"], shown["file"], shown["quarantined"]) == ("L000002", "deals.csv", 1)
    refused(command(told.path, "loads", "show", "L000009"), 2, "there is no load 'L000009'")
    reverted = command(told.path, "loads", "revert", "L000002", "--why", "test data")
    assert (reverted.returncode, reverted.stderr) == (0, "")
    assert reverted.stdout.startswith("L000002 is reverted")
    assert "reverted" in command(told.path, "loads", "list").stdout.splitlines()[3]
    assert command(told.path, "tables", "deals", "--as-of", DAY, "--format", "json").stdout.strip() == "[]"
    refused(command(told.path, "loads", "revert", "L000002"), 4, "L000002 was reverted already")
    refused(command(told.path, "loads", "revert", "L000009"), 4, "there is no load L000009")
    # What was published keeps what it pinned, down to the line.
    assert "deals.csv line 2" in command(told.path, "explain", "P1").stdout


def test_a_quarantined_row_is_exported_corrected_and_retried(told: Home, tmp_path: Path) -> None:
    fix = tmp_path / "fix.csv"
    listed = command(told.path, "quarantine")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.splitlines()[:2] == ["1 row is in quarantine:", "  1 of L000002 (deals.csv)"]
    assert listed.stdout.splitlines()[3].split() == ["load", "file", "line", "column", "reason", "remedy"]
    assert "L000002  deals.csv     5  amount  'many' is not a number  write it as 1234.50" in listed.stdout
    written = command(told.path, "quarantine", "export", "L000002", "--out", str(fix))
    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.splitlines()[0] == f"{fix}: 1 rows of L000002"
    refused(
        command(told.path, "quarantine", "retry", str(fix)),
        4,
        f"refused   {fix}",
        "most often: amount: 'many' is not a number",
    )
    fix.write_text(fix.read_text("utf-8").replace(",many,", ",9,"), "utf-8")
    done = command(told.path, "quarantine", "retry", str(fix))  # the refused one leaves a gap in the numbers
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == [
        f"accepted  {fix}  as L000004  (generic_deals, source generic)",
        "  1 rows in = 1 loaded + 0 unchanged + 0 quarantined",
    ]
    assert done.stdout.splitlines()[-1] == "1 of 1 rows of L000002 are put right"
    assert "retry L000002" in command(told.path, "loads").stdout.splitlines()[-1]
    left = command(told.path, "quarantine", "list", "L000002").stdout
    assert left.splitlines() == ["0 rows are in quarantine", "1 row is there no more: --all lists it too"]
    assert "put right by L000004" in command(told.path, "quarantine", "list", "--all").stdout
    assert command(told.path, "loads", "revert", "L000004", "--why", "wrong").returncode == 0
    assert command(told.path, "quarantine").stdout == listed.stdout
    assert doctor(told)[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["list", "L000009"], 2, "there is no load 'L000009'"),
        (["export", "L000002"], 2, "groundswell quarantine export L000001 --out fix.csv"),
        (["export", "L000002", "--out", "/nowhere/fix.csv"], 2, "there is no folder /nowhere"),
        (["export", "L000001", "--out", "fix.csv"], 4, "nothing stands in the quarantine of L000001"),
        (["export", "L000009", "--out", "fix.csv"], 4, "there is no load 'L000009'"),
        (["retry"], 2, "name the corrected file"),
        (["retry", "/nowhere/fix.csv"], 4, "refused   /nowhere/fix.csv"),
    ],
)
def test_a_quarantine_that_cannot_be_done_says_why(told: Home, words: list[str], code: int, said: str) -> None:
    refused(command(told.path, "quarantine", *words), code, said)


# ---------------------------------------------------------------------------------------------------------- check


def own(home: Home, path: str, text: str) -> None:
    file = home.path / "policy" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


@pytest.mark.parametrize("name", ["L²", "²", "L" + "9" * 30, "L1x", "L-1", "", "L"])
def test_a_load_that_is_none_is_named(told: Home, name: str) -> None:
    refused(command(told.path, "loads", "show", name), 2, f"there is no load '{name}'")


def test_a_list_is_old_only_until_it_is_assessed_anew(told: Home, tmp_path: Path) -> None:
    """Also where that gives a run that was published before: its own moment is older than what was reverted."""
    more = tmp_path / "more.csv"
    more.write_text("partner_id,partner_name\nP9,Westwind\n", "utf-8")
    since = "Data have been loaded or reverted since this run"

    def old() -> bool:
        return since in command(told.path, "partners").stdout

    first = command(told.path, "partners").stdout
    assert since not in first
    assert command(told.path, "take-in", "--exported-at", "2026-09-02", str(more)).returncode == 0
    assert old()
    assert command(told.path, "assess", "--as-of", DAY).returncode == 0
    assert not old()
    assert command(told.path, "loads", "revert", "L000003").returncode == 0
    assert old()
    assert command(told.path, "assess", "--as-of", DAY).returncode == 0
    assert command(told.path, "partners").stdout == first


def test_check_names_every_fault_of_an_own_policy_with_file_and_line(told: Home) -> None:
    good = command(told.path, "check")
    assert good.returncode == 0
    assert " 0 faults, policy " in good.stdout
    own(
        told,
        "signals/potential/won_revenue.toml",
        'follows = "default"\n\n[measure]\nwindw = "12 months"\ntake = "sume"\n',
    )
    own(told, "instance.toml", 'follows = "default"\nhome_zone = "Mars/Olympus"\n')
    found = command(told.path, "check")
    assert found.returncode == 2
    said = found.stdout + found.stderr
    assert "Traceback" not in said
    assert "signals/potential/won_revenue.toml:4" in said
    assert "signals/potential/won_revenue.toml:5" in said
    assert "instance.toml:2" in said
    # Nothing is assessed by a policy with faults, and what was published stands.
    broken = command(told.path, "assess", "--as-of", DAY)
    refused(broken, 2, "won_revenue.toml:4")
    assert command(told.path, "partners", "--format", "csv").returncode == 0


def test_a_policy_file_that_is_no_toml_is_named(told: Home) -> None:
    own(told, "limits.toml", "this is = no = toml")
    found = command(told.path, "check")
    assert found.returncode == 2
    assert "limits.toml" in found.stdout + found.stderr
    assert "Traceback" not in found.stdout + found.stderr


def test_an_own_policy_changes_the_score_and_the_shipped_one_brings_it_back(told: Home) -> None:
    first = command(told.path, "partners", "--format", "csv").stdout
    name = "scores/readiness/2026-01-01.toml"
    own(
        told,
        name,
        'follows = "default"\n[[part]]\nname = "revenue_potential"\nweight = 60\n[[part]]\nname = "engagement"\nweight = 5\n',
    )
    checked = command(told.path, "check")
    assert checked.returncode == 0, checked.stdout
    assert f"{name} is the instance's own" in checked.stdout
    assert command(told.path, "assess", "--as-of", DAY).returncode == 0
    changed = command(told.path, "partners", "--format", "csv").stdout
    assert changed != first
    before, after = ({row["external_id"]: row for row in rows(text)} for text in (first, changed))
    assert float(after["P1"]["coverage_pct"]) > float(before["P1"]["coverage_pct"])
    (told.path / "policy" / name).unlink()
    assert command(told.path, "assess", "--as-of", DAY).returncode == 0
    assert command(told.path, "partners", "--format", "csv").stdout == first


# --------------------------------------------------------------------------------------------------------- doctor


def doctor(home: Home, *words: str) -> tuple[int, str]:
    found = command(home.path, "doctor", *words)
    assert "Traceback" not in found.stderr, found.stderr[-600:]
    return found.returncode, found.stdout + found.stderr


def test_doctor_names_what_is_damaged_or_missing(told: Home) -> None:
    assert doctor(told)[0] == 0
    landing = landings.at(told.path, Load.named("L000002").landing)
    text = landing.read_text("utf-8")
    landing.write_text(text.replace("120000", "999999"), "utf-8")
    (told.path / "lake" / "deals" / "L000002.parquet").unlink()
    with (told.path / "lake" / "touches" / "L000002.parquet").open("ab") as file:
        file.write(b"x")
    code, said = doctor(told)
    assert code == 1
    assert f"landing {landing.name[:12]} is changed" in said
    assert "lake/deals/L000002.parquet is missing. Run: groundswell doctor --rebuild" in said
    assert "lake/touches/L000002.parquet is changed" in said
    assert "3 faults" in said
    landing.unlink()
    assert f"landing {landing.name[:12]} is missing" in doctor(told)[1]
    landing.write_text(text, "utf-8")
    code, said = doctor(told, "--rebuild")
    assert (code, "equals the ledger" in said, "all is well" in said) == (0, True, True)


def test_doctor_does_not_rebuild_from_a_landing_that_was_changed(told: Home) -> None:
    """The kept bytes are what everything can be made from; bytes that are not those that arrived make nothing."""
    landing = landings.at(told.path, Load.named("L000002").landing)
    landing.write_text(landing.read_text("utf-8").replace("120000", "999999"), "utf-8")
    before = facts(told, DAY)
    code, said = doctor(told, "--rebuild")
    assert code != 0
    assert landing.name[:12] in said
    assert differing(facts(told, DAY), before) == {}


def test_doctor_names_a_published_run_that_was_changed(told: Home) -> None:
    (file,) = (told.path / "runs").glob("*/assessment.jsonl")
    file.write_text(file.read_text("utf-8").replace("Nordwind", "Südwind"), "utf-8")
    code, said = doctor(told)
    assert (code, "assessment.jsonl" in said) == (1, True)
    # A run is never overwritten in silence either.
    again = command(told.path, "assess", "--as-of", DAY)
    refused(again, 1, "gave other bytes for assessment.jsonl")


def test_doctor_names_a_run_whose_manifest_is_gone_or_changed(told: Home) -> None:
    (file,) = (told.path / "runs").glob("*/manifest.json")
    text = file.read_text("utf-8")
    file.write_text(text.replace('"partners":4', '"partners":5'), "utf-8")
    assert "manifest.json is changed. Remove the folder and run: groundswell assess" in doctor(told)[1]
    file.unlink()
    code, said = doctor(told)
    assert (code, f"runs/{file.parent.name}/manifest.json is missing" in said) == (1, True)
    shutil.rmtree(file.parent)
    assert command(told.path, "assess", "--as-of", DAY).returncode == 0
    assert (doctor(told)[0], file.read_text("utf-8")) == (0, text)


def test_explain_names_a_run_that_is_gone(told: Home) -> None:
    shutil.rmtree(told.path / "runs")
    refused(
        command(told.path, "explain", "P1"),
        1,
        f"is missing. Remove the folder and run: groundswell assess --as-of {DAY}",
    )
    assert command(told.path, "assess", "--as-of", DAY).returncode == 0
    assert command(told.path, "explain", "P1").returncode == 0


def test_explain_shows_no_text_of_a_landing_that_is_not_the_one_that_arrived(told: Home) -> None:
    landing = landings.at(told.path, Load.named("L000002").landing)
    landing.write_text(landing.read_text("utf-8").replace("120000", "999999"), "utf-8")
    said = command(told.path, "explain", "P1").stdout
    assert "999999" not in said
    assert "deals.csv line 2 (L000002): the kept file is changed: run groundswell doctor" in said
    landing.unlink()
    assert "the kept file is missing: run groundswell doctor" in command(told.path, "explain", "P1").stdout


@pytest.mark.parametrize("damage", ["missing", "of no bytes", "without rows"])
def test_records_that_are_gone_are_damage_and_not_a_new_instance(told: Home, made: Path, damage: str) -> None:
    records, restored = told.path / "records.sqlite3", (made / "home" / "records.sqlite3").read_bytes()
    connections["default"].close()
    if damage == "without rows":
        with closing(sqlite3.connect(records)) as rows_:
            rows_.executescript(
                "delete from records_loadfile; delete from records_quarantinedrow; delete from records_load"
            )
    else:
        records.unlink()
        if damage == "of no bytes":
            records.touch()
    lake = sorted((path, path.read_bytes()) for path in (told.path / "lake").rglob("*.parquet"))
    for words in (
        ["take-in", str(made / "partners.csv")], ["assess"], ["partners"], ["explain", "P1"], ["tables", "deals"], ["loads"],
        ["loads", "revert", "L000001"], ["doctor"], ["doctor", "--rebuild"],
    ):  # fmt: skip
        refused(
            command(told.path, *words), 1, "records.sqlite3 is missing or empty", "Restore records.sqlite3 from a backup",
            "name another --home",
        )  # fmt: skip
    assert sorted((path, path.read_bytes()) for path in (told.path / "lake").rglob("*.parquet")) == lake
    records.write_bytes(restored)
    assert doctor(told)[0] == 0


def test_a_first_file_that_was_refused_leaves_an_instance_to_go_on_with(home: Home, made: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_text("colour,mood\nred,good\n", "utf-8")
    assert command(tmp_path / "new", "take-in", str(odd)).returncode == 4
    assert command(tmp_path / "new", "take-in", str(made / "partners.csv")).returncode == 0


@pytest.mark.parametrize("words", [["tables", "deals"], ["assess", "--as-of", "2026-09-02"], ["explain", "P1"]])
def test_a_missing_lake_file_is_a_fault_in_words(told: Home, words: list[str]) -> None:
    (told.path / "lake" / "deals" / "L000002.parquet").unlink()
    refused(command(told.path, *words), 1, "deals/L000002.parquet", "doctor")


def test_a_truncated_log_of_the_lake_is_a_fault_in_words_and_rebuilt(told: Home, tmp_path: Path) -> None:
    log = told.path / "lake" / "deals" / "_delta_log" / "00000000000000000001.json"
    log.write_bytes(log.read_bytes()[:10])
    more = tmp_path / "more.csv"
    more.write_text(DEALS.replace("\nD", "\nE"), "utf-8")  # new deals, so the table is written to
    stopped = command(told.path, "take-in", "--exported-at", "2026-09-02", str(more))
    code, said = doctor(told)
    assert doctor(told, "--rebuild")[0] == 0
    assert command(told.path, "take-in", "--exported-at", "2026-09-02", str(more)).returncode == 0
    assert (code, "deals" in said) == (1, True)
    refused(stopped, 1, "deals")


TWO_BARS = """question = "q"
out_of = 100
combine = "weighted"
enough_known = 0
band_names = [["all", 0]]
why = "w"
source = "s"
since = 2026-01-01

[[part]]
name = "sold"
weight = 1

  [[part.line]]
  name = "early wins"
  signal = "won_revenue"
  low = 0
  high = 480000

  [[part.line]]
  signal = "won_revenue"
  low = 0
  high = 240000

  [[part.line]]
  signal = "open_deals"
  yes = 60
"""


def test_two_lines_over_one_signal_are_told_apart_and_add_up(told: Home) -> None:
    own(told, "scores/readiness/2026-01-01.toml", TWO_BARS)
    assert command(told.path, "check").returncode == 0
    assert command(told.path, "assess", "--as-of", DAY).returncode == 0
    said = command(told.path, "explain", "P1").stdout
    assert (
        "  early wins (won_revenue): 120,000 USD → 25 of 100; adds 8.33  [0 at 0, 100 at 480000; weight 1; residue]"
        in said
    )
    assert "  won_revenue: 120,000 USD → 50 of 100; adds 16.67  [0 at 0, 100 at 240000; weight 1; residue]" in said
    assert "  open_deals: 1 deals → 60 of 100; adds 20  [60 for yes; weight 1; lagging]" in said
    assert "8.33 + 16.67 + 20 = 45" in said
    own(told, "scores/readiness/2026-01-01.toml", TWO_BARS.replace('  name = "early wins"\n', ""))
    found = command(told.path, "check")
    assert found.returncode == 2
    assert "2026-01-01.toml:20 signal: 'won_revenue' stands on line 15 too; give each a name" in found.stdout


@pytest.mark.parametrize("day", ["0001-06-01", "1899-12-31", "9999-01-01", "9999-12-31"])
@pytest.mark.parametrize("words", [["tables", "deals"], ["assess"]], ids=" ".join)
def test_a_day_at_the_ends_of_the_calendar_is_refused_with_the_range(told: Home, words: list[str], day: str) -> None:
    refused(command(told.path, *words, "--as-of", day), 2, f"--as-of {day}: write a day from 1900-01-01 to 9998-12-31")


@pytest.mark.parametrize(("day", "code"), [("1900-01-01", 4), ("9998-12-31", 2)])
def test_the_first_and_the_last_day_of_the_range_are_answered(told: Home, day: str, code: int) -> None:
    assert command(told.path, "tables", "deals", "--as-of", day).returncode == 0
    found = command(told.path, "assess", "--as-of", day)
    assert found.returncode == code  # nobody was known in 1900, and 9998 has not come
    assert "Traceback" not in found.stderr


def test_an_export_cannot_be_dated_at_the_end_of_the_calendar(home: Home, made: Path) -> None:
    own(home, "instance.toml", 'follows = "default"\nhome_zone = "Europe/Berlin"\n')
    found = command(home.path, "take-in", "--exported-at", "0001-01-01", str(made / "deals.csv"))
    refused(found, 2, "--exported-at 0001-01-01: '0001-01-01' is not a time of the calendar")


def test_damaged_records_are_a_fault_in_words(told: Home) -> None:
    (told.path / "records.sqlite3").write_bytes(b"this is no database" * 300)
    for words in (["doctor"], ["partners"]):
        refused(command(told.path, *words), 1, "records.sqlite3")


# ----------------------------------------------------------------------------------------------------- everything


def test_an_instance_is_a_folder_that_can_be_moved(told: Home, tmp_path: Path) -> None:
    first = command(told.path, "explain", "P1").stdout
    moved = tmp_path / "moved"
    shutil.copytree(told.path, moved)
    assert command(moved, "explain", "P1").stdout == first
    assert command(moved, "assess", "--as-of", DAY).returncode == 0
    assert command(moved, "doctor").returncode == 0


def test_a_home_that_is_a_file_is_named(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "a_file"
    file.write_text("not a folder", "utf-8")
    found = command(tmp_path, "take-in", "--home", str(file), str(made / "partners.csv"))
    refused(found, 2, f"--home {file}: {file} is a file. Name a folder")
    below = command(tmp_path, "partners", "--home", str(file / "below"))
    refused(below, 2, f"{file} is a file. Name a folder")


def test_merges_in_a_circle_are_refused_and_harm_nothing(told: Home, tmp_path: Path) -> None:
    path = tmp_path / "companies.csv"
    path.write_text("Record ID,Company name,Merged Company IDs\n1,One,2\n2,Two,1\n", "utf-8")
    found = command(told.path, "take-in", str(path))
    assert "Traceback" not in found.stderr
    said = found.stdout + found.stderr
    assert (found.returncode, "circle" in said) in ((4, True), (0, True))  # the file refused, or its rows set aside
    for words in (["tables", "organisations"], ["assess", "--as-of", DAY], ["partners"], ["doctor"]):
        assert command(told.path, *words).returncode == 0


def test_a_merge_that_the_source_turned_round_does_not_stop_everything(home: Home, tmp_path: Path) -> None:
    """Two was merged into One; later the source says that One was merged into Two. The later word stands."""
    path = tmp_path / "companies.csv"
    path.write_text("Record ID,Company name,Merged Company IDs\n1,One,2\n", "utf-8")
    take_in(home, path, "2026-09-01")
    path.write_text("Record ID,Company name,Merged Company IDs\n2,Two,1\n", "utf-8")
    found = command(home.path, "take-in", "--exported-at", "2026-09-02", str(path))
    assert "Traceback" not in found.stderr
    assert command(home.path, "tables", "organisations", "--as-of", "2026-09-03").returncode == 0


def test_a_clean_instance_beside_has_nothing_of_this_one(told: Home) -> None:
    with beside(told, "other") as other:
        assert command(other.path, "loads").stdout.splitlines()[2:] == []
        assert command(other.path, "tables", "organisations", "--format", "json").stdout.strip() == "[]"
