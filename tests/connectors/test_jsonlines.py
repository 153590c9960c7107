"""JSON lines and arrays: text as the file says it, and a word for every line that is no object."""

import json
import random
from pathlib import Path

import pytest

from groundswell.connectors.files import jsonlines
from groundswell.connectors.files.read import Broken, Refused, Tail

LIMITS = {"cell_characters": 1_000_000, "columns": 4096, "depth": 32}


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "deals.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(
    path: Path, limits: dict[str, int] = LIMITS, tail: Tail | None = None
) -> tuple[dict[int, dict[str, str]], list[Broken]]:
    """Rows by line with their cells that are not empty, and the broken rows."""
    headers = jsonlines.headers(path, limits)
    found = list(jsonlines.batches(path, headers, limits, tail or Tail()))
    rows = {}
    for batch in found:
        assert list(batch.columns) == list(headers)
        for place, line in enumerate(batch.lines):
            cells = {header: column[place].as_py() for header, column in batch.columns.items()}
            rows[line] = {header: cell for header, cell in cells.items() if cell}
    return rows, [broken for batch in found for broken in batch.broken]


def cell(tmp_path: Path, value: str) -> str:
    rows, broken = read(written(tmp_path, f'{{"id": "1", "x": {value}}}\n'))
    assert broken == []
    return rows[1].get("x", "")


# ---------------------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.10", "1.10"), ("12345678901234567890", "12345678901234567890"), ("1e5", "1e5"), ("-0", "-0"), ("1E400", "1E400"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"), ("9" * 5000, "9" * 5000),
        ("true", "true"), ("false", "false"), ("null", ""), ('""', ""), ('"007"', "007"), ('" padded "', " padded "),
        (r'"Müller \u00fc \ud83d\ude00 \" \\ \n"', 'Müller ü 😀 " \\ \n'), ('"\u2028"', "\u2028"),
        ("[]", ""), ('["a", "b"]', "a;b"), ("[1.0, true, null]", "1.0;true;"), ('["a"]', "a"),
        ('[{"n": 1.10, "é": "ü\\n"}, null]', '[{"n": 1.10, "é": "ü\\n"}, null]'), ("[[1, 2], [3]]", "[[1, 2], [3]]"),
        ('["a;b", {"c": "1"}]', '["a;b", {"c": "1"}]'),
    ],
)  # fmt: skip
def test_values_are_the_text_of_the_file(tmp_path: Path, value: str, text: str) -> None:
    assert cell(tmp_path, value) == text


def test_headers_are_the_union_of_keys_and_of_dotted_names(tmp_path: Path) -> None:
    text = (
        '{"id": 1, "customer": {"email": "a@x.example", "at": {"city": "Ulm"}}}\n'
        '\n{"amount": 2, "id": 2, "customer": null}\n{}\n  \n{"id": "", "amount": null}\n{"id": 3, "customer": {}}'
    )
    path, tail = written(tmp_path, text), Tail()
    assert jsonlines.headers(path, LIMITS) == ("id", "customer.email", "customer.at.city", "amount", "customer")
    rows, broken = read(path, tail=tail)
    assert rows == {
        1: {"id": "1", "customer.email": "a@x.example", "customer.at.city": "Ulm"}, 3: {"id": "2", "amount": "2"},
        7: {"id": "3"},
    }  # fmt: skip
    assert broken == []
    assert tail.blank == 4
    assert jsonlines.rows_of(path, {3, 7, 99}, LIMITS) == {
        3: '{"amount": 2, "id": 2, "customer": null}', 7: '{"id": 3, "customer": {}}',
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("array", [False, True])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str, array: bool) -> None:
    objects = ['{"a": "Müller"}', '{"a": "Söhne"}']
    text = f"{end}[{f',{end}'.join(objects)}{end}]{end}" if array else end + end.join(objects)
    path = written(tmp_path, text.encode(encoding))
    assert jsonlines.is_json_lines(path)
    rows, broken = read(path)
    assert list(rows.values()) == [{"a": "Müller"}, {"a": "Söhne"}]
    assert broken == []


@pytest.mark.parametrize(
    "text", ["deal_id,amount\n", "[Deal ID],[Amount]\n1,2\n", "", "\n\n", "[1, 2]", '"a"', "PAR1", "null\n"]
)
def test_other_files_are_no_json_lines(tmp_path: Path, text: str) -> None:
    assert not jsonlines.is_json_lines(written(tmp_path, text))


def test_what_is_neither_utf_8_nor_marked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not UTF-8"):
        read(written(tmp_path, '{"a": "Müller"}'.encode("cp1252")))


@pytest.mark.parametrize("text", ["[]", "{}\n{}\n", '{\n  "a": 1\n}\n', '[{"a": ""}]'])
def test_a_file_without_an_object_is_refused(tmp_path: Path, text: str) -> None:
    """Among them a single object over several lines."""
    with pytest.raises(Refused, match=r"no object .* one whole object a line"):
        read(written(tmp_path, text))


def test_batches_are_cut_and_nothing_is_lost_between_them(tmp_path: Path) -> None:
    path = written(tmp_path, "".join(f'{{"n": {i}}}\n' for i in range(45_000)))
    found = list(jsonlines.batches(path, ("n",), LIMITS, Tail()))
    assert [batch.size for batch in found] == [20_000, 20_000, 5_000]
    assert [line for batch in found for line in batch.lines] == list(range(1, 45_001))
    long = written(tmp_path, f'{{"n": "{"x" * 900_000}"}}\n' * 90)
    assert max(batch.size for batch in jsonlines.batches(long, ("n",), LIMITS, Tail())) < 40


# ------------------------------------------------------------------------------------------------------ broken rows

GOOD = '{"a": "1"}'
BAD = {
    '{"a": 1': "no JSON", '{"a": 1},': "no JSON", "{'a': 1}": "no JSON", '{"a": 01}': "no JSON", '{"a": "tab\there"}': "no JSON",
    "hello": "no JSON", '{"a": 1} {"a": 2}': "no JSON", '{"a": "\x00"}': "no JSON", "[1]": "no object", "5": "no object",
    "null": "no object", '"text"': "no object", '{"a": 1, "a": 2}': "'a' stands twice",
    '{"b": {"a": 1, "a": 1}}': "'a' stands twice",
    '{"a": [{"b": 1, "b": 2}]}': "'b' stands twice", '{"a.b": 1, "a": {"b": 2}}': "two keys say 'a.b'",
    '{"a": {"b": 2}, "a.b": 1}': "two keys say 'a.b'", '{"a": NaN}': "NaN", '{"a": Infinity}': "Infinity",
    '{"a": [-Infinity]}': "-Infinity",
    r'{"a": "\ud800"}': "half of a character", r'{"\udc00": 1}': "half of a character", r'{"a": ["\ud83d", "\ude00"]}': "half",
    r'{"a": [{"b": "\ud83d"}]}': "half", '{"a": ["x;y", "z"]}': "semicolon",
    f'{{"a": {"[" * 32}{"]" * 32}}}': "too deep", f'{"{" + chr(34) + "a" + chr(34) + ":"}' * 33 + "1" + "}" * 33: "too deep",
    '{"a": ' + "[" * 100_000: "within each other", '{"a":' * 100_000: "within each other",
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_line_that_is_no_object_breaks_alone(tmp_path: Path, bad: str) -> None:
    rows, (broken,) = read(written(tmp_path, f"{GOOD}\n{bad}\n{GOOD}\n"))
    assert rows == {1: {"a": "1"}, 3: {"a": "1"}}
    assert (broken.line, broken.text) == (2, bad)
    assert BAD[bad] in broken.reason
    assert "JSON lines" in broken.remedy


@pytest.mark.parametrize(
    "bad", [bad for bad in BAD if bad.count("[") == bad.count("]") and bad.count("{") == bad.count("}")]
)
def test_an_item_that_is_no_object_breaks_alone(tmp_path: Path, bad: str) -> None:
    if bad in ('{"a": 1},', "{'a': 1}"):
        return  # the comma is the array's
    rows, (broken,) = read(written(tmp_path, f"[{GOOD},{bad},\n{GOOD}]"))
    assert rows == {1: {"a": "1"}, 3: {"a": "1"}}
    assert (broken.line, broken.text) == (2, bad)
    assert BAD[bad] in broken.reason


def test_thirty_two_levels_are_read(tmp_path: Path) -> None:
    text = '{"a":' * 32 + "1" + "}" * 32
    assert read(written(tmp_path, text))[0] == {1: {".".join("a" * 32): "1"}}
    assert cell(tmp_path, "[" * 31 + "]" * 31) == "[" * 31 + "]" * 31


def test_a_line_without_end_is_skipped_in_pieces(tmp_path: Path) -> None:
    limits = LIMITS | {"cell_characters": 1000}
    exact = f'{{"a": "{"x" * 991}"}}'
    assert len(exact) == 1000
    rows, broken = read(written(tmp_path, f'{GOOD}\n{{"a": "{"x" * 3_000_000}"}}\n{exact}\n{exact}x\n{GOOD}'), limits)
    assert sorted(rows) == [1, 3, 5]
    assert [(one.line, len(one.text), "longer than 1,000" in one.reason) for one in broken] == [
        (2, 1000, True),
        (4, 1000, True),
    ]


def test_more_columns_than_exports_have_are_refused(tmp_path: Path) -> None:
    text = "".join(f'{{"k{i}": 1}}\n' for i in range(20_000))
    with pytest.raises(Refused, match="more than 4,096 different keys"):
        read(written(tmp_path, text))


def test_a_key_that_was_not_there_breaks_the_row(tmp_path: Path) -> None:
    """Headers come from somewhere else than this file."""
    path = written(tmp_path, f'{GOOD}\n{{"a": 1, "b": 2}}\n')
    (batch,) = jsonlines.batches(path, ("a",), LIMITS, Tail())
    assert batch.lines == [1]
    assert [(one.line, one.reason) for one in batch.broken] == [(2, "no header for 'b'")]


# ---------------------------------------------------------------------------------------------------------- arrays


def test_an_array_is_read_by_the_number_of_the_item(tmp_path: Path) -> None:
    path = written(tmp_path, f'[{{"a": "x,]}}\\""}}, {GOOD}\n, {{\n "a": [{{"b": 1}}]\n}}]\n\n')
    rows, broken = read(path)
    assert rows == {1: {"a": 'x,]}"'}, 2: {"a": "1"}, 3: {"a": '[{"b": 1}]'}}
    assert broken == []
    assert jsonlines.rows_of(path, {2}, LIMITS) == {2: GOOD}


def test_items_across_pieces_of_the_file(tmp_path: Path) -> None:
    """Marks, quotes and backslashes fall on every place of a piece's edge."""
    chance = random.Random(1)
    objects = [
        {"a": "".join(chance.choices('ab"\\[]{},', k=chance.randint(1, 900))), "n": i} for i in range(2000)
    ]  # fmt: skip
    rows, broken = read(written(tmp_path, json.dumps(objects)))
    assert broken == []
    assert list(rows.values()) == [{"a": one["a"], "n": str(one["n"])} for one in objects]
    assert list(rows) == list(range(1, 2001))


def test_an_escaped_quote_on_the_edge_of_a_piece_closes_nothing(tmp_path: Path) -> None:
    for length in range((1 << 18) - 12, (1 << 18) + 2):
        rows, broken = read(written(tmp_path, f'[{{"a": "{"x" * length}\\"],"}}, {GOOD}]'))
        assert [len(row["a"]) for row in rows.values()] == [length + 3, 1]
        assert broken == []


@pytest.mark.parametrize(
    ("text", "lines", "reason"),
    [
        (f"[{GOOD}, {GOOD}", [2], "ends within the array"), (f'[{GOOD}, {{"a": "', [2], "ends within the array"),
        (f"[{GOOD},", [2], "ends within the array"), (f"[{GOOD},]", [2], "comma"), (f"[{GOOD},,{GOOD}]", [2], "comma"),
        (f"[{GOOD}, 5, null]", [2, 3], "no object"),
    ],
)  # fmt: skip
def test_arrays_that_are_cut_or_loose(tmp_path: Path, text: str, lines: list[int], reason: str) -> None:
    rows, broken = read(written(tmp_path, text))
    assert rows[1] == {"a": "1"}
    assert [one.line for one in broken] == lines
    assert all(reason in one.reason for one in broken)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"[{GOOD}] {GOOD}", "goes on with"), (f"[{GOOD}]{' ' * 300_000}x", "goes on with 'x'"),
        (f'[{GOOD}, {{"a": 1]}}, {GOOD}]', "goes on"),
        (f'[{GOOD}, {{"a": "{"x" * 2_000_000}', "item 2 of the array is longer"),
        (f"[{GOOD}, {'[' * 2_000_000}", "item 2 of the array"),
    ],
)  # fmt: skip
def test_an_array_that_cannot_be_followed_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        read(written(tmp_path, text))


@pytest.mark.parametrize("seed", range(3))
def test_mutated_files_are_refused_or_accounted_for(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    good = [json.dumps({"id": i, "c": {"e": f"x{i}@a.example"}, "l": ["a", "b"], "n": 1.5}) for i in range(12)]
    ends = {"read": 0, "refused": 0}
    for _ in range(300):
        array = chance.random() < 0.5
        content = bytearray((f"[{','.join(good)}]" if array else "\n".join(good)).encode())
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(content))
            content[at : at + chance.randint(0, 2)] = chance.choice(
                [b"[", b"]", b"{", b"}", b'"', b"\\", b"\n", b",", b"\xff", b"\0", b""]
            )
        path, tail = written(tmp_path, bytes(content)), Tail()
        try:
            rows, broken = read(path, tail=tail)
        except Refused:
            ends["refused"] += 1
            continue
        ends["read"] += 1
        if not array:
            text = path.read_text()
            assert len(rows) + len(broken) + tail.blank == text.count("\n") + (not text.endswith("\n"))
    assert ends["read"] > 30
    assert ends["refused"] > 3
