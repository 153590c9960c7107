"""Answers: kept in a file of each source, and never above what the cells of a file prove."""

import tomllib
from pathlib import Path

import pytest
from tests.river import command, table, take_in_text

from groundswell.connectors.files.read import Refused
from groundswell.engine.home import Home
from groundswell.policy.read import BadPolicy
from groundswell.records.loads import Load
from groundswell.runs.prepare import Asked

DEALS = "deal_id,partner_id,stage,stage_class,amount,currency,created_on,close_on\n"
GERMAN = DEALS.replace(",", ";") + 'D1;P1;Open;open;"1,500";USD;03/04/2026;\n'
ANSWERS = {"amount": ",", "created_on": "dmy"}


def kept(home: Home, name: str = "generic") -> dict[str, dict[str, str]]:
    """The answers that stand in the file of a source."""
    answers: dict[str, dict[str, str]] = tomllib.loads((home.path / "sources" / f"{name}.toml").read_text("utf-8"))[
        "answers"
    ]
    return answers


def asked(home: Home, name: str, text: str, **more: object) -> dict[str, tuple[str, tuple[str, ...]]]:
    before = Load.objects.count()
    with pytest.raises(Asked) as questions:
        take_in_text(home, name, text, "2026-09-02", **more)
    assert Load.objects.count() == before
    return {q.column: (q.text, q.answers) for q in questions.value.questions}


# ------------------------------------------------------------------------------------- answers against the cells


def test_an_answer_of_before_that_a_cell_disproves_is_asked_again(home: Home) -> None:
    take_in_text(home, "german.csv", GERMAN, "2026-09-01", answers=ANSWERS)
    english = DEALS + 'D2,P1,Open,open,"1,500",USD,03/04/2026,\nD3,P1,Open,open,"1,500.25",USD,03/13/2026,\n'
    assert asked(home, "english.csv", english) == {
        "amount": ("it was answered , before, but in line 3, amount, '1,500.25' reads only as .", (".",)),
        "created_on": ("it was answered dmy before, but in line 3, created_on, '03/13/2026' reads only as mdy", ("mdy",)),
    }  # fmt: skip
    path = home.path.parent / "files" / "english.csv"
    found = command(home.path, "take-in", "--exported-at", "2026-09-02", str(path))
    assert (found.returncode, found.stdout) == (3, "")
    assert "answer with  --answer 'english.csv:amount=.'\n" in found.stderr
    assert kept(home) == {"generic_deals": ANSWERS}
    load = take_in_text(home, "english.csv", english, "2026-09-02", answers={"amount": ".", "created_on": "mdy"})
    assert (load.loaded, load.quarantined) == (2, 0)
    rows = {row["external_id"]: (row["amount"], row["created_on"]) for row in table(home, "deals", "2026-09-02")}
    assert rows == {
        "D1": ("1.5000", "2026-04-03"), "D2": ("1500.0000", "2026-03-04"), "D3": ("1500.2500", "2026-03-13"),
    }  # fmt: skip
    # What was answered last is what stands; a file of the first kind is asked about in its turn.
    assert kept(home) == {"generic_deals": {"amount": ".", "created_on": "mdy"}}
    assert set(asked(home, "german.csv", GERMAN.replace("1,500", "1.500,25").replace("03/04", "13/04"))) == set(ANSWERS)


def test_an_answer_of_before_gives_way_to_the_proof_of_a_column_of_the_same_shape(home: Home) -> None:
    take_in_text(home, "german.csv", GERMAN, "2026-09-01", answers=ANSWERS)
    text = DEALS + "D2,P1,Open,open,7,USD,03/04/2026,03/31/2026\n"
    assert asked(home, "more.csv", text) == {
        "created_on": (
            "it was answered dmy before, but in line 2, close_on, '03/31/2026' reads only as mdy", ("dmy", "mdy")
        ),
    }  # fmt: skip
    take_in_text(home, "more.csv", text, "2026-09-02", answers={"created_on": "dmy"})  # a person may know better
    rows = {row["external_id"]: row["created_on"] for row in table(home, "deals", "2026-09-02")}
    assert rows["D2"] == "2026-04-03"


def test_an_answer_of_before_is_asked_again_where_the_column_contradicts_itself(home: Home) -> None:
    take_in_text(home, "german.csv", GERMAN, "2026-09-01", answers=ANSWERS)
    text = DEALS + "D2,P1,Open,open,7,USD,13/04/2026,\nD3,P1,Open,open,7,USD,04/13/2026,\n"
    ((said, answers),) = asked(home, "both.csv", text).values()
    assert "answered dmy before, but in line 3, created_on, '04/13/2026' reads only as mdy" in said
    assert answers == ("dmy", "mdy")
    load = take_in_text(home, "both.csv", text, "2026-09-02", answers={"created_on": "mdy"})
    assert (load.loaded, [row.line for row in load.quarantine.all()]) == (1, [2])


def test_an_answer_given_now_that_a_cell_disproves_is_refused_with_the_cell(home: Home) -> None:
    text = DEALS + "D1,P1,Open,open,1,USD,03/04/2026,\nD2,P1,Open,open,1,USD,31/03/2026,\n"
    with pytest.raises(
        Refused, match=r"--answer created_on=mdy: in line 3, created_on, '31/03/2026' reads only as dmy"
    ):
        take_in_text(home, "deals.csv", text, "2026-09-01", answers={"created_on": "mdy"})
    assert not Load.objects.exists()
    assert not (home.path / "sources").exists()
    assert take_in_text(home, "deals.csv", text, "2026-09-01", answers={"created_on": "dmy"}).loaded == 2


def test_a_header_that_was_chosen_in_another_file_is_asked_for_again(home: Home) -> None:
    both = "partner_id,partner_name,PARTNER_NAME\nP1,Nord,Nordwind\n"
    take_in_text(home, "partners.csv", both, "2026-09-01", answers={"partner_name": "PARTNER_NAME"})
    other = "partner_id,partner_name,Partner Name\nP2,Ost,Ostwind\n".replace("Partner Name", "Partner_Name")
    assert asked(home, "other.csv", other)["partner_name"][1] == ("partner_name", "Partner_Name")
    assert take_in_text(home, "plain.csv", "partner_id,partner_name\nP3,West\n", "2026-09-02").loaded == 1


# ------------------------------------------------------------------------------------------- the file of answers


def test_every_source_has_a_file_of_answers_of_its_own(home: Home) -> None:
    for source, sign in (("東京", ","), ("大阪", "."), ("a/b", ","), ("a_b", "."), ("a%2Fb", ",")):
        text = DEALS + 'D1,P1,Open,open,"1,500",USD,,\n'
        take_in_text(home, "deals.csv", text, "2026-09-01", source=source, answers={"amount": sign})
    files = {path.name for path in (home.path / "sources").iterdir()}
    assert files >= {"a_b.toml", "a%2Fb.toml", "a%252Fb.toml", "%E6%9D%B1%E4%BA%AC.toml"}
    assert len(files) == 5
    for source, amount in (("東京", "2.5000"), ("大阪", "2500.0000")):
        text = DEALS + 'D2,P1,Open,open,"2,500",USD,,\n'
        take_in_text(home, "more.csv", text, "2026-09-02", source=source)
        rows = table(home, "deals", "2026-09-02")
        assert [row["amount"] for row in rows if (row["source"], row["external_id"]) == (source, "D2")] == [amount]


def test_any_header_can_be_answered_about_and_is_found_again(home: Home, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[source]\nname = "shop"\n[[file]]\n[[file.row]]\ntable = "deals"\nexternal_id = "id"\nname = "id"\n'
        'kind = { const = "opportunity" }\nstage_class = { const = "open" }\nstage = { const = "Open" }\n'
        'amount = "Amount 💰\\u007F\\"x\\""\n',
        "utf-8",
    )
    header = 'Amount 💰\x7f"x"'
    text = 'id;"Amount 💰\x7f""x"""\nD1;1.500\n'
    take_in_text(home, "d.csv", text, "2026-09-01", mapping=mapping, answers={header: "."})
    assert kept(home, "shop").popitem()[1] == {header: "."}
    assert take_in_text(home, "e.csv", text.replace("D1", "D2"), "2026-09-02", mapping=mapping).loaded == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '# mine\n[answers]\namount = ","\n',
            "generic.toml:3: 'amount' stands below no format; write [answers.FORMAT]",
        ),
        ('[answers."generic_deals"]\n"amount" = 1\n', "generic.toml:2: the answer to 'amount' is no text; write"),
        ("answers = 1\n", "generic.toml:1: answers is no table; write [answers.FORMAT]"),
        ("[answers\n", "delete the file to be asked again"),
    ],
)
def test_a_file_of_answers_that_somebody_broke_is_named_with_its_line(home: Home, text: str, said: str) -> None:
    (home.path / "sources").mkdir()
    (home.path / "sources" / "generic.toml").write_text(text, "utf-8")
    with pytest.raises(BadPolicy) as fault:
        take_in_text(home, "deals.csv", DEALS + "D1,P1,Open,open,7,USD,,\n")
    assert said in str(fault.value)
    found = command(home.path, "take-in", str(home.path.parent / "files" / "deals.csv"))
    assert (found.returncode, said in found.stderr) == (2, True)


def test_a_kept_answer_that_is_none_is_asked_for(home: Home) -> None:
    (home.path / "sources").mkdir()
    (home.path / "sources" / "generic.toml").write_text('[answers.generic_deals]\ncreated_on = "ymd"\n', "utf-8")
    assert set(asked(home, "deals.csv", DEALS + "D1,P1,Open,open,7,USD,03/04/2026,\n")) == {"created_on"}


@pytest.mark.parametrize("name", ["hex", "rot13", "utf-16", "utf-32", "undefined", "idna", "no such"])
def test_a_code_page_that_cannot_read_the_file_is_refused_by_its_name(home: Home, name: str) -> None:
    path = home.path.parent / "l.csv"
    path.write_bytes("partner_id,partner_name\nP1,Café\n".encode("latin-1"))
    (home.path / "sources").mkdir()
    found = command(home.path, "take-in", "--answer", f"l.csv:encoding={name}", str(path))
    assert (found.returncode, found.stdout, "Traceback" in found.stderr) == (4, "", False)
    assert name in found.stderr
    assert not (home.path / "sources" / "generic.toml").exists()
    (home.path / "sources" / "generic.toml").write_text(f'[answers.generic_partners]\nencoding = "{name}"\n', "utf-8")
    found = command(home.path, "take-in", str(path))
    assert (found.returncode, found.stdout, "Traceback" in found.stderr) == (4, "", False)
    assert name in found.stderr
