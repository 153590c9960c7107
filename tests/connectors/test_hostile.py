"""A corpus of hostile files at the door: each is refused, asked about, or taken in with every row accounted for."""

import random
from collections import Counter
from pathlib import Path

import pytest
from tests.connectors.door import at_the_door
from tests.river import assess, table, take_in

from groundswell.engine.home import Home
from groundswell.runs.rebuild import health

DAY = "2030-01-01"
DEAL = {
    "deal_id": "D1", "partner_id": "P1", "role": "sourced", "customer_name": "Acme", "customer_domain": "acme.example",
    "stage": "Open", "stage_class": "open", "amount": "100", "currency": "USD", "created_on": "2026-01-05",
    "close_on": "2026-03-31", "share_pct": "50",
}  # fmt: skip
CELLS = {
    "amount": [
        "1,234.50", "1 234,50", "1\u00a0234.50", "1'234.50", "(1,234.50)", "$1,234.50", "EUR 5", "1.5M", "-", "N/A", "#REF!",
        "Infinity", "NaN", "-0", "1e308", "0x10", "٣", "１２", "--5", "1.2.3", "12345678901234567", "0.00001", "9" * 400, "%",
        "=1+1", "1,234", "1_000",
    ],
    "created_on": [
        "03/04/2025", "13/04/2025", "2025-02-30", "2024-02-29", "0001-01-01", "9999-12-31", "10000-01-01", "45000", "1/2/25",
        "20250105", "January 5, 2025", "Jan 32, 2025", "31.12.2025", "2025-06-30T23:59:60Z", "2025-06-30 25:00", "today",
        "٠٣/٠٤/٢٠٢٥", "2025-01-05T10:00:00+25:00", "0000-00-00", "-2025-01-01", "2025/01-05", "2025-01-05T",
    ],
    "deal_id": ["1E5", "9" * 40, " padded ", "ﬁ", "a\u200bb", "\u202ereversed", "=cmd|'/c calc'!A0", "-", "null"],
    "customer_name": [
        "-", "Mu\u0308ller", "a" * 5000, "<script>alert(1)</script>", "'; drop table deals; --", "line\nbreak", "tab\there",
        "bell\x07", "\u200b", "😀", "nul\x00char", "{customer}", "$amount",
    ],
    "customer_domain": ["gmail.com", "http://", "https://user:pw@Acme.Example:8080/x?y", "münchen.example", "..", "x" * 300],
    "currency": ["usd", "US$", "BTC", "X" * 300, "XXX", "€"],
    "stage_class": ["WON", "Won ", "closed", "0"],
    "role": ["", "Champion", "association:csp", "a" * 200],
    "share_pct": ["100.00", "33.333", "-5", "1000000000", "50%"],
}  # fmt: skip


def csv_of(*rows: dict[str, str], delimiter: str = ",", end: str = "\n") -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',;\t|"\r\n') else cell

    lines = [delimiter.join(DEAL), *(delimiter.join(quoted(cell) for cell in row.values()) for row in rows)]
    return end.join([*lines, ""])


def files_of_cells() -> dict[str, bytes]:
    """One file a hostile cell, between two good rows."""
    good = [{**DEAL, "deal_id": f"G{number}"} for number in (1, 2)]
    return {
        f"{column}_{number}": csv_of(good[0], {**DEAL, column: cell}, good[1]).encode()
        for column, cells in CELLS.items()
        for number, cell in enumerate(cells)
    }


def files_of_bytes() -> dict[str, bytes]:
    """Encodings, delimiters, line ends, and files that are not what their name says."""
    text = csv_of({**DEAL, "customer_name": "Müller – Söhne"}, {**DEAL, "deal_id": "D2"})
    plain = csv_of(DEAL, {**DEAL, "deal_id": "D2"})
    half = len(plain) // 2
    found = {f"encoding_{name}": text.encode(name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252")}
    found |= {f"delimiter_{i}": plain.replace(",", mark).encode() for i, mark in enumerate(";\t|:^")}
    found |= {
        f"ends_{i}": plain.replace("\n", end).encode()
        for i, end in enumerate(("\r\n", "\r", "\n\r", "\r\r\n", "\x0b", "\u2028"))
    }
    return found | {
        "mixed_encodings": plain.encode() + "D3,P1,sourced,Müller".encode("cp1252") + "Söhne,,,,,,,,\n".encode(),
        "shift_jis": csv_of({**DEAL, "customer_name": "株式会社"}).encode("shift_jis"),
        "utf_16_without_mark": plain.encode("utf-16-le"),
        "utf_16_cut": plain.encode("utf-16")[:-1],
        "utf_8_cut": text.encode()[: text.encode().index("ü".encode()) + 1],
        "overlong": plain.replace("Acme", "Ac\x00me").encode().replace(b"\x00", b"\xc0\x80"),
        "surrogates": plain.encode().replace(b"Acme", b"\xed\xa0\x80"),
        "empty": b"", "one_newline": b"\n", "only_mark": b"\xef\xbb\xbf", "nuls": b"\x00" * 500, "spaces": b"   \n  \n",
        "header_only": plain.splitlines()[0].encode(), "header_without_end": plain.splitlines()[0].encode()[:-4],
        "cut_in_a_row": plain.encode()[: half + 20], "no_header": "\n".join(plain.splitlines()[1:]).encode(),
        "zip": b"PK\x03\x04" + b"\x00" * 40, "gzip": b"\x1f\x8b" + b"\x00" * 40, "pdf": b"%PDF-1.4",
        "html": b"<html><body>,</body></html>", "json": b'[{"deal_id": "D1", "partner_id": "P1"}]',
        "parquet_mark": b"PAR1" + b"\x00" * 40 + b"PAR1", "random": random.Random(1).randbytes(3000),
    }  # fmt: skip


def files_of_shape() -> dict[str, bytes]:
    """Headers and records that do not fit together."""
    head, row = csv_of(DEAL).splitlines()
    names = head.split(",")
    found = {
        "header_twice": [head, head, row],
        "header_again_below": [head, row, head, row.replace("D1", "D2")],
        "two_tables": [head, row, "", "partner_id,partner_name", "P1,Nordwind"],
        "totals": [head, row, "Total,,,,,,,100,,,,"],
        "footer": [head, row, "", "Report of today", "Confidential"],
        "title": ["Deals", "", head, row],
        "shuffled_columns": [",".join(reversed(names)), ",".join(reversed(row.split(",")))],
        "header_upper": [head.upper(), row],
        "header_padded": [head.replace(",", " , "), row],
        "header_stars": [head.replace(",", "*,") + "*", row],
        "header_emoji": [head + ",😀", row + ",x"],
        "header_blank": [head + ",,", row + ",x,y"],
        "header_same_twice": [head + ",amount", row + ",7"],
        "header_quoted": [",".join(f'"{name}"' for name in names), row],
        "required_missing": [head.replace("deal_id", "deal"), row],
        "short_rows": [head, row, "D2", "D3,P1", row.replace("D1", "D4")],
        "long_rows": [head, row + ",,,,", row.replace("D1", "D2")],
        "quote_open_first": [head, '"' + row, row.replace("D1", "D2")],
        "quote_open_last": [head, row, row.replace("D1", "D2").replace("Acme", '"Acme')],
        "quote_inside": [head, row.replace("Acme", 'Ac"me'), row.replace("D1", "D2").replace("Acme", '"Ac"me"')],
        "quotes_many": [head, row.replace("Acme", '"' * 7), row.replace("D1", "D2")],
        "backslash_quotes": [head, row.replace("Acme", '"Ac\\"me"'), row.replace("D1", "D2")],
        "newlines_in_cells": [head, row.replace("Acme", '"Ac\n\n\nme"'), row.replace("D1", "D2")],
        "five_hundred_columns": [head + "".join(f",c{i}" for i in range(500)), row + "," * 500],
        "too_many_columns": [head + "".join(f",c{i}" for i in range(5000)), row + "," * 5000],
        "one_long_line": [head, row + "x" * 200_000],
        "long_cell": [head, row.replace("Acme", "A" * 1_100_000), row.replace("D1", "D2")],
        "ids_empty": [head, row.replace("D1", ""), row.replace("P1", "")],
        "ids_by_case": [head, row.replace("D1", "d1"), row],
        "disagreeing": [head, row, row.replace("100", "200")],
        "repeated": [head, *[row] * 50],
        "many_rows": [head, *[row.replace("D1", f"D{i}") for i in range(3000)]],
        "wrong_delimiter_in_rows": [head, row.replace(",", ";"), row],
    }
    return {name: "\n".join([*lines, ""]).encode() for name, lines in found.items()}


CORPUS = {**files_of_cells(), **files_of_bytes(), **files_of_shape()}


@pytest.mark.parametrize("part", range(5))
def test_every_row_of_every_hostile_file_is_accounted_for(home: Home, tmp_path: Path, part: int) -> None:
    names = sorted(CORPUS)[part::5]
    ends: Counter[str] = Counter()
    for name in names:
        path = tmp_path / f"{name}.csv"
        path.write_bytes(CORPUS[name])
        try:
            ends.update(end.partition(":")[0] for end in at_the_door(home, path))
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
    stored = [cell for row in table(home, "deals", DAY) for cell in row.values()]
    assert not any("\ufffd" in cell or "\x00" in cell for cell in stored)
    assess(home, DAY)
    assert health(home).faults == []
    print(
        f"hostile files {part + 1}/5: injected {len(names)} / survived {sum(ends.values())} / lost 0 / duplicated 0; {dict(ends)}"
    )


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 120


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("amount", "Infinity"), ("amount", "1e308"), ("created_on", "2025-02-30"), ("currency", "X" * 300),
        ("customer_name", "nul\x00char"), ("share_pct", "1000000000"),
    ],
)  # fmt: skip
def test_good_rows_around_a_hostile_cell_are_loaded(home: Home, tmp_path: Path, column: str, cell: str) -> None:
    """What is wrong with one row is the fault of that row alone."""
    path = tmp_path / "deals.csv"
    path.write_bytes(CORPUS[f"{column}_{CELLS[column].index(cell)}"])
    load = take_in(home, path)
    assert (load.rows_in, load.loaded, load.quarantined) == (3, 2, 1)
    assert [(row.line, row.column) for row in load.quarantine.all()] == [(3, column)]
    assert {row["external_id"] for row in table(home, "deals", DAY)} == {"G1", "G2"}
