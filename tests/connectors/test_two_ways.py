"""Rows and cells are read fast where they are plain; the fast way must give what the slow one gives, whatever comes."""

import csv
import datetime as dt
import zoneinfo
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from groundswell.connectors.files import read, stage
from groundswell.connectors.files.read import Broken, Layout, Tail
from groundswell.connectors.files.words import coded
from groundswell.core.tables.cells import Fault, Noted, Reading, reader
from groundswell.core.tables.contract import TABLES, Column

LONGEST = 30
BLANKS = ["", " ", "\t", "\x0b", "\x1c", "\x85", "\xa0", "\u2003", "\u2028", "\u3000"]
PIECES = [*"ab,;\"'|\ufeff\x00Σé", "\n", "\n", "\r\n", "\r", '""', ",,", "id", "x" * 40, "id,b,c\n", "a,b,c\n", *BLANKS]
LINES = ["a,b,c", "1,,3", ",,", "id,b,c", " id ,b, c", " ,\xa0,\u3000", "a\x1c,\x0b,\x85", "short", '"q,q",2,3', '"open,2,3',
         "\ufeffid,b,c", ",b,c", "one,two,three,four", "", "x" * 31 + ",b,c", "é" * 20 + ",b,c", "'id,b,c"]  # fmt: skip
quick = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Blocks of a few bytes, so that whatever can straddle two of them does."""
    monkeypatch.setattr(read, "_BLOCK", 24)
    monkeypatch.setattr(read, "_HEAD", 7)
    monkeypatch.setattr(read, "_HEAD_LINES", 2)
    return monkeypatch


def rows(path: Path, layout: Layout) -> tuple[list[tuple[int, list[str]]], list[Broken], Tail]:
    """Everything that reading gives, with the batches that it happens to come in laid end to end."""
    tail, whole, broken = Tail(), [], []
    for batch in read.batches(path, layout, LONGEST, tail):
        cells = [batch.columns[header].to_pylist() for header in batch.headers]
        whole += list(zip(batch.lines, map(list, zip(*cells, strict=True)), strict=True))
        broken += batch.broken
    return whole, broken, tail


def ways(path: Path, small: pytest.MonkeyPatch, layout: Layout) -> tuple[object, object]:
    """What both ways make of a file; the second is the slow one alone, in one block."""
    both = rows(path, layout)
    with small.context() as alone:
        alone.setattr(read, "_by_column", lambda *asked: None)
        alone.setattr(read, "_BLOCK", 1 << 20)
        alone.setattr(read, "_HEAD", 1 << 16)
        return both, rows(path, layout)


def test_the_limit_of_a_cell_is_the_files_own(tmp_path: Path) -> None:
    """The csv module has one limit for the whole process; what else reads there keeps it, also between two records."""
    before = csv.field_size_limit()
    path = tmp_path / "file.csv"
    path.write_text('id\n"a"\n' + "x" * 31 + '\n"b"\n')
    found = [
        (record.cells, record.fault, csv.field_size_limit()) for record in read.records(path, "utf-8", ",", LONGEST)
    ]
    assert found == [
        (["id"], "", before),
        (["a"], "", before),
        (["x" * 30], "a cell is longer than the limit, or a quote never closes", before),
        (["b"], "", before),
    ]


lines = st.lists(st.sampled_from(LINES) | st.text(st.sampled_from(PIECES[:12]), max_size=20), max_size=14)
ends = st.sampled_from(["\n", "\r\n", "\r", "\n", "\r\n"])


@quick
@given(lines, ends, st.booleans(), st.sampled_from([("id", "b", "c"), ("", "b", "c")]), st.booleans())
@example(["a,b,c"] * 3 + ["\ufeffid,b,c"] + ["a,b,c"] * 5, "\n", True, ("id", "b", "c"), False)
def test_blocks_and_records_give_the_same_rows(
    tmp_path: Path,
    small: pytest.MonkeyPatch,
    lines: list[str],
    end: str,
    ended: bool,
    headers: tuple[str, ...],
    footer: bool,
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes((end.join([",".join(headers), *lines]) + end * ended).encode())
    fast, slow = ways(path, small, Layout("utf-8", ",", 1, headers, footer=footer))
    assert fast == slow


@quick
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.sampled_from(["utf-8", "utf-16", "cp1252"]),
       st.sampled_from(read.DELIMITERS), st.integers(1, 4))  # fmt: skip
def test_any_text_gives_the_same_rows_both_ways(
    tmp_path: Path, small: pytest.MonkeyPatch, text: str, encoding: str, delimiter: str, header_line: int
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(text.encode(encoding, "ignore"))
    fast, slow = ways(path, small, Layout(encoding, delimiter, header_line, ("id", "b", "c")))
    assert fast == slow


@quick
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.integers(1, 6))
def test_a_header_is_looked_for_in_the_lines_that_are_read_later(
    tmp_path: Path, small: pytest.MonkeyPatch, text: str, count: int
) -> None:
    """Lines are counted alike however few bytes are read at once."""
    path = tmp_path / "file.csv"
    path.write_bytes(text.encode())
    found = read.sample(path, "utf-8", ",", count, LONGEST)
    with small.context() as alone:
        alone.setattr(read, "_BLOCK", 1 << 20)
        alone.setattr(read, "_HEAD", 1 << 16)
        assert read.sample(path, "utf-8", ",", count, LONGEST) == found


@quick
@given(st.lists(st.integers(0, 24) | st.integers(40, 90), max_size=8), ends)
def test_a_line_that_is_too_long_is_refused_wherever_it_lies(
    tmp_path: Path, small: pytest.MonkeyPatch, lengths: list[int], end: str
) -> None:
    small.setattr(read, "_LONGEST_LINE", 24 + len(end))
    path = tmp_path / "file.csv"
    path.write_text(end.join("x" * length for length in lengths), newline="")
    too_long = pytest.raises(read.Refused, match="a line is longer than")
    with too_long if max(lengths, default=0) > 24 else nullcontext():
        found = [len(record.cells[0]) if record.cells else 0 for record in read.records(path, "utf-8", ",", 100)]
        assert found == (lengths[:-1] if lengths and not lengths[-1] else lengths)


# ---------------------------------------------------------------------------------------------------------- cells

PLAIN = {
    "text": ["a", "N/A", "-", "a b", " a", "a ", "é", "e\u0301", "\x00", "x" * 31, "\x7f", "~", "\u200b", "\ufffd"],
    "number": ["0", "-0", "1", "1.5", "1.50", "1.500", "1.2345", "1.23456", "-7.25", "+7", "007", "1,5", "1,500", ".5", "5.",
               "123456789012345", "1234567890123456", "99999999999999999999", "1e5", "٣", "²", "−5", "(5)", "5%", "$5",
               "0.00001", "9" * 30, "1_000", "0x1", "inf", "NaN"],
    "date": ["2026-01-31", "2026-02-30", "2024-02-29", "2023-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2026-1-5",
             "10000-01-01", "2026-13-01", "２０２６-01-05", "20260105", "2026-01-05 ", "2026/01/05", "03/04/2026", "-2026-01-01",
             "1899-12-31", "2026-01-05T10:00:00Z"],
    "instant": ["2026-01-05T10:00:00Z", "2026-01-05 10:00:00Z", "2026-06-30T23:59:60Z",
                 "2026-01-05T24:00:00Z", "0001-01-01T00:00:00Z",
                "0001-01-02T00:00:00Z", "9999-12-31T00:00:00Z", "9999-12-30T23:59:59Z", "0000-01-01T00:00:00Z", "2026-01-05",
                "2026-01-05T10:00:00.123456Z", "2026-01-05T10:00:00.1234567Z", "2026-01-05T10:00:00.5Z", "2026-02-30T10:00:00Z",
                "2026-01-05T10:00:00+01:00", "2026-01-05T10:60:00Z", "2026-01-05t10:00:00z", "2026-01-05T10:00Z",
                "1960-01-05T10:00:00.999999Z", "2026-01-05T10:00:00", "2040-07-01T22:30:00Z"],
    "email": ["a@b.example", "A@B.example", "a@b@c", "@b", "a@", "a b@c", "ä@b.example", "a@\x00", "a", "a@b.EXAMPLE", "a@@b"],
}  # fmt: skip
PLAIN |= {"id": PLAIN["text"], "money": PLAIN["number"], "share": PLAIN["number"]}
NUMBERS = st.from_regex(r"[-+(]?[0-9]{1,16}([.,][0-9]{0,5})?\)?", fullmatch=True)
DAYS = st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True)
MADE = {
    "number": NUMBERS,
    "money": NUMBERS,
    "share": NUMBERS,
    "date": DAYS,
    "instant": st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{1,7})?Z?", fullmatch=True
    ),
}
COLUMNS = sorted(
    {c.kind + str(c.positive): c for t in TABLES.values() for c in t.columns if c.kind in PLAIN}.values(),
    key=lambda column: (column.kind, column.positive),
)


def words_of(kind: str) -> st.SearchStrategy[list[str]]:
    word = st.sampled_from(PLAIN[kind]) | MADE.get(kind, st.text(max_size=6)) | st.sampled_from(["", "a b"])
    return st.lists(word, min_size=1, max_size=4)


def slowly(column: Column, reading: Reading, words: list[str | None]) -> list[object]:
    found = [None if word is None else reader(column, reading)(word) for word in words]
    return [value.value if isinstance(value, Noted) else value for value in found]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.kind}{'_positive' * column.positive}")
def test_a_plain_column_is_read_as_its_cells_are(column: Column) -> None:
    taken = 0

    def agree(words: list[str], decimal: str) -> None:
        nonlocal taken
        texts, reading = coded(pa.array(words, pa.string())), Reading(decimal=decimal, longest=LONGEST)
        fast = stage._plainly(texts, column, reading)
        if fast is None:
            return
        taken += 1
        slow = slowly(column, reading, texts.words.to_pylist())
        assert not [value for value in slow if isinstance(value, Fault)]
        assert fast.to_pylist() == slow

    for word in PLAIN[column.kind]:
        for decimal in ("", ".", ","):
            agree([word], decimal)
    quick(given(words_of(column.kind), st.sampled_from(["", ".", ","]))(agree))()
    assert taken >= (0 if column.positive else 5), "nothing was read the fast way, so nothing was compared"


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Cairo",
]


@settings(quick, max_examples=300)
@given(
    st.lists(st.datetimes(dt.datetime(1000, 1, 3), dt.datetime(2999, 12, 28)), min_size=1, max_size=3),  # noqa: DTZ001
    st.sampled_from(ZONES),
)
@example([dt.datetime(2040, 7, 1, 22, 30)], "Europe/Berlin")  # noqa: DTZ001
def test_days_in_the_home_zone_are_those_of_the_calendar(moments: list[dt.datetime], zone: str) -> None:
    home = zoneinfo.ZoneInfo(zone)
    words = pa.array([f"{moment.isoformat(timespec='microseconds')}Z" for moment in moments])
    days, stamps, faults = stage._whens(words, Reading(home=home), home)
    found = [stage._when(word, Reading(home=home), home) for word in words.to_pylist()]
    assert faults == []
    assert days.to_pylist() == [when.day for when in found if not isinstance(when, Fault)]
    assert stamps.to_pylist() == [when.moment for when in found if not isinstance(when, Fault)]
