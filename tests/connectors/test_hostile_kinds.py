"""Hostile files of every kind, each with what must become of it and what must be stored: T-A1 to T-A5, T-A7, T-A8."""

import base64
import gzip
import io
import json
import random
import struct
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.connectors import exports
from tests.connectors.door import at_the_door, hurry
from tests.connectors.test_hostile import DAY, DEAL
from tests.river import table

from groundswell.engine.home import Home
from groundswell.runs.rebuild import health

HEAD = list(DEAL)
LIMITS = 'follows = "default"\n[bounds]\nunpacked_bytes = 100000000\n'
"""A twentieth of what the shipped policy lets a file lay out."""


def deal(external_id: str, **cells: str) -> list[str]:
    return list({**DEAL, "deal_id": external_id, **cells}.values())


@dataclass
class Case:
    """A file, the beginning of what becomes of each of its parts, and cells that must be stored: id -> column -> text."""

    content: bytes
    ends: tuple[str, ...]
    stored: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    name: str = "deals.csv"


def whole(count: int) -> str:
    return f"taken in: {count} = {count} + 0 + 0"


# ------------------------------------------------------------------------------------------------------------- text


def texts() -> dict[str, Case]:
    plain = [HEAD, deal("A1"), deal("A2")]
    umlaut = [HEAD, deal("A1", customer_name="Müller – Söhne 株式会社")]
    japanese = [HEAD, deal("A1", customer_name="株式会社")]
    latin = [HEAD, deal("A1", customer_name="Müller")]
    named = {"A1": {"name": "", "amount": "100.0000"}}
    csv, ok = exports.as_csv, (whole(2),)
    text = csv(plain).decode()
    long_head = [HEAD + [f"c{i}" for i in range(20_000)], deal("A1") + [""] * 20_000]
    found = {
        "utf-8": Case(csv(umlaut), (whole(1),), named),
        "utf-8 with mark": Case(csv(umlaut, encoding="utf-8-sig"), (whole(1),), named),
        "utf-8 with two marks": Case(
            b"\xef\xbb\xbf" + csv(umlaut, encoding="utf-8-sig"), ("refused: no known format",)
        ),
        "utf-16 little": Case(b"\xff\xfe" + csv(umlaut, encoding="utf-16-le"), (whole(1),), named),
        "utf-16 big": Case(b"\xfe\xff" + csv(umlaut, encoding="utf-16-be"), (whole(1),), named),
        "utf-16 without mark": Case(csv(plain, encoding="utf-16-le"), ("refused: the file is UTF-16 without",)),
        "utf-16 that ends in half": Case(
            b"\xff\xfe" + csv(umlaut, encoding="utf-16-le")[:-1], ("refused: the file is not utf-16: byte",)
        ),
        "utf-32": Case(csv(umlaut, encoding="utf-32"), (whole(1),), named),
        "cp1252": Case(csv(latin, encoding="cp1252"), ("asked: encoding",)),
        "shift-jis": Case(csv(japanese, encoding="shift_jis"), ("asked: encoding",)),
        "two encodings": Case(
            csv(umlaut) + csv([deal("A2", customer_name="Müller")], encoding="cp1252"), ("asked: encoding",)
        ),
        "half a surrogate": Case(csv(plain).replace(b"Acme", b"\xed\xa0\x80"), ("asked: encoding",)),
        "CR": Case(csv(plain, end="\r"), ok),
        "CR LF": Case(csv(plain, end="\r\n"), ok),
        "mixed line ends": Case(text.replace("\n", "\r", 1).replace("\n", "\r\n", 1).encode(), ok),
        "CR LF and LF and CR by turns": Case(
            csv([HEAD, *(deal(f"A{i}") for i in range(1, 7))]).replace(b"\nA2", b"\rA2").replace(b"\nA4", b"\r\nA4"),
            (whole(6),),
        ),
        "no last line end": Case(text.rstrip().encode(), ok),
        "semicolons": Case(csv(plain, ";"), ok),
        "tabs": Case(csv(plain, "\t"), ok),
        "bars": Case(csv(plain, "|"), ok),
        "sep= of Excel": Case(b"sep=;\n" + csv(plain, ";"), ok),
        "carets": Case(csv(plain, "^"), ("refused: no known format",)),
        "all quoted": Case(csv(plain, quoting=1), ok),
        "NUL in a name": Case(csv([*plain, deal("A3", customer_name="a\x00b")]), ("taken in: 3 = 2 + 0 + 1",)),
        "NUL in an id": Case(csv([*plain, deal("A\x003")]), ("taken in: 3 = 2 + 0 + 1",)),
        "NULs behind the end": Case(csv(plain) + b"\x00" * 512, ("taken in: 3 = 2 + 0 + 1",)),
        "ragged": Case(text.encode() + b"A3,P1\nA4" + b"," * 20 + b"\n", ("taken in: 4 = 2 + 0 + 2",)),
        "quote that never closes": Case(
            text.encode() + csv([deal("A3")]).replace(b"Acme", b'"Acme'), ("taken in: 3 = 2 + 0 + 1",)
        ),
        "quote that never closes, rows below": Case(
            csv([HEAD, deal("A0")]).replace(b"Acme", b'"Acme') + csv(plain[1:]), ("taken in: 3 = 2 + 0 + 1",)
        ),
        "lines in a cell": Case(csv([*plain, deal("A3", customer_name="a\r\nb\n\nc")]), (whole(3),)),
        "two tables": Case(text.encode() + b"\npartner_id,partner_name\nP1,Nordwind\n", ("taken in: 4 = 2 + 0 + 2",)),
        "two exports joined": Case(csv(plain) + csv([HEAD, deal("A3")]), ("taken in: 4 = 3 + 0 + 1",)),
        "two exports joined, marks and all": Case(
            csv(plain, encoding="utf-8-sig") + csv([HEAD, deal("A3")], encoding="utf-8-sig"),
            ("taken in: 4 = 3 + 0 + 1",),
        ),
        "totals": Case(text.encode() + b"Total,,,,,,,200,,,,\n", ("taken in: 3 = 2 + 0 + 1",)),
        "title above": Case(b"Deals of the year\n\n" + csv(plain), ok),
        "20,000 columns": Case(csv(long_head), ("refused: the file has 20,012 columns",)),
        "a million headers": Case(
            ",".join(f"h{i}" for i in range(1_000_000)).encode() + b"\n", ("refused: the file has 1,000,000 columns",)
        ),
        "header only": Case(csv([HEAD]), (whole(0),)),
        "nothing": Case(b"", ("refused: the file is empty",)),
        "lines of nothing": Case(b"\n" * 5000, ("refused: no known format",)),
        "cell of two million": Case(
            csv([*plain, deal("A3", customer_name="x" * 2_000_000)]), ("taken in: 3 = 2 + 0 + 1",)
        ),
        "header cell of two million": Case(csv([["x" * 2_000_000], *plain]), ok),
        "marks upon marks": Case(csv([*plain, deal("A3", customer_name="a" + "\u0300\u0316" * 200_000)]), (whole(3),)),
        "figures without end": Case(
            csv(
                [
                    *plain,
                    deal("A3", amount="1" * 300_000 + "x"),
                    deal("A4", created_on="T" * 300_000 + "x"),
                    deal("A5", created_on="2026-01-01 10:00" + " " * 300_000 + "x"),
                ]
            ),
            ("taken in: 5 = 2 + 0 + 3",),
        ),
    }
    for case in found.values():
        if case.stored is named:
            case.stored = {"A1": {"amount": "100.0000", "customer": "Müller – Söhne 株式会社"}}
    return found


IDS = [
    "007",
    "1E5",
    "9007199254740993",
    "0x10",
    "1.0",
    "TRUE",
    "003A000001abcde",
    "003A000001abcdE",
    "ﬁ",
    "fi",
    "NULL",
    "-0",
    "１",
]
NAMES = [
    "=1+1",
    "+49 40",
    "-5",
    "@x",
    "\t=1",
    "a\u202eb",
    "a\u200bb",
    "\ufffd",
    "-",
    "N/A",
    "#REF!",
    "'quoted'",
    "0012",
    "1e5",
    "😀",
]
AMOUNTS = {
    "1,234.50": "1234.5000",
    "(1,234.50)": "-1234.5000",
    "$7": "7.0000",
    "1234.5": "1234.5000",
    "-0": "0.0000",
    "0": "0.0000",
    "-": "",
    "N/A": "",
    "": "",
    "1\u00a0234.50": "1234.5000",
    "1'234.50": "1234.5000",
    "123456789012345.6789": "123456789012345.6789",
    "+5": "5.0000",
    "−5": "-5.0000",
}
BAD_AMOUNTS = [
    "Infinity",
    "NaN",
    "1e308",
    "1E5",
    "1.5M",
    "#REF!",
    "0x10",
    "٣",
    "1_000",
    "1.23456",
    "9" * 30,
    "5%",
    "--5",
    "1.2.3",
]
DAYS = {
    "2024-02-29": "2024-02-29",
    "0001-01-01": "0001-01-01",
    "2029-12-31": "2029-12-31",
    "31.12.2025": "2025-12-31",
    "Jan 5, 2025": "2025-01-05",
    "20250105": "2025-01-05",
    "2025-06-30T23:59:60Z": "2025-07-01",
    "N/A": "",
}
BAD_DAYS = [
    "2025-02-30",
    "0000-01-01",
    "45000",
    "10000-01-01",
    "1.2.25",
    "today",
    "2025-13-01",
    "-2025-01-01",
    "2025-01-05 25:00Z",
]


def values() -> dict[str, Case]:
    """Cells whose stored text must be what stands there, or nothing, and never something else."""
    rows = [deal(f"{i}#{each}", deal_id=each) for i, each in enumerate(IDS)]
    names = [deal(f"N{i}", customer_name=each) for i, each in enumerate(NAMES)]
    amounts = [deal(f"M{i}", amount=each) for i, each in enumerate([*AMOUNTS, *BAD_AMOUNTS])]
    days = [deal(f"T{i}", created_on=each, close_on="") for i, each in enumerate([*DAYS, *BAD_DAYS])]
    said = {
        "ids": ([HEAD, *rows], 0, {each: {"external_id": each} for each in IDS}),
        "names": ([HEAD, *names], 0, {f"N{i}": {"customer": each.strip()} for i, each in enumerate(NAMES)}),
        "amounts": (
            [HEAD, *amounts],
            len(BAD_AMOUNTS),
            {f"M{i}": {"amount": each} for i, each in enumerate(AMOUNTS.values())},
        ),
        "days": ([HEAD, *days], len(BAD_DAYS), {f"T{i}": {"created_on": each} for i, each in enumerate(DAYS.values())}),
    }
    found = {}
    for name, (lines, bad, stored) in said.items():
        count = len(lines) - 1
        for kind, write in exports.KINDS.items():
            ends = f"taken in: {count} = {count - bad} + 0 + {bad}"
            found[f"{name} as {kind}"] = Case(write(lines), (ends,), stored, f"deals.{kind}")
    return found


# -------------------------------------------------------------------------------------------------------- archives


def zip_of(change: Callable[[bytearray], None], **members: bytes) -> bytes:
    made = bytearray(exports.zipped({name.replace("_", "."): content for name, content in members.items()}))
    change(made)
    return bytes(made)


def stored_zip(members: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo("x" * len(name.encode()))
            archive.writestr(info, content)
    made = out.getvalue()
    for name, _ in members:  # under names that the module would not write
        made = made.replace(b"x" * len(name.encode()), name.encode(), 1)
        at = made.rfind(b"x" * len(name.encode()))
        made = made[:at] + name.encode() + made[at + len(name.encode()) :] if at >= 0 else made
    return made


def archives() -> dict[str, Case]:
    csv = exports.as_csv([HEAD, deal("A1"), deal("A2")])
    inner = exports.zipped({"deals.csv": csv})

    def encrypted(made: bytearray) -> None:
        for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            made[made.find(mark) + at] |= 1

    def smaller(made: bytearray) -> None:
        at = made.find(b"PK\x01\x02") + 24
        made[at : at + 4] = struct.pack("<I", 10)

    link = zipfile.ZipInfo("deals.csv")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    bomb = exports.zipped({"deals.csv": b"0" * (50 << 20)})
    damaged = bytearray(gzip.compress(csv, mtime=0))
    damaged[-8] ^= 255
    cases = {
        "zip": (inner, (whole(2),)),
        "zip with litter": (exports.zipped({"__MACOSX/._deals.csv": b"x", "deals.csv": csv}), (whole(2),)),
        "zip with another file": (
            exports.zipped({"a/deals.csv": csv, "readme.txt": b"hello\n"}),
            (whole(2), "refused: no known format"),
        ),
        "zip in a zip": (exports.zipped({"inner.zip": inner}), ("refused: 'inner.zip' is an archive within",)),
        "gz in a zip": (
            exports.zipped({"deals.csv.gz": gzip.compress(csv)}),
            ("refused: 'deals.csv.gz' is an archive within",),
        ),
        "zip in a gz": (gzip.compress(inner), ("refused:",)),
        "gz in a gz": (gzip.compress(gzip.compress(csv)), ("refused:",)),
        "gz": (gzip.compress(csv), (whole(2),)),
        "gz of two parts": (gzip.compress(csv[:100]) + gzip.compress(csv[100:]), (whole(2),)),
        "gz cut": (gzip.compress(csv)[:-9], ("refused: the gzip file is damaged",)),
        "gz changed": (bytes(damaged), ("refused: the gzip file is damaged",)),
        "gz bomb": (gzip.compress(b"0" * (50 << 20)), ("refused: the file unpacks to",)),
        "gz of a workbook": (gzip.compress(exports.as_workbook([HEAD, deal("A1")])), (whole(1),)),
        "zip of a workbook": (exports.zipped({"a.xlsx": exports.as_workbook([HEAD, deal("A1")])}), (whole(1),)),
        "zip bomb": (bomb, ("refused: deals.csv unpacks to",)),
        "zip of 1,001": (
            exports.zipped({f"{i}.csv": b"" for i in range(1001)}),
            ("refused: the zip holds 1,001 files",),
        ),
        "zip of nothing": (exports.zipped({}), ("refused: the zip holds no files",)),
        "zip encrypted": (zip_of(encrypted, deals_csv=csv), ("refused: deals.csv is encrypted",)),
        "zip that states too little": (zip_of(smaller, deals_csv=csv), ("refused: deals.csv",)),
        "zip cut": (inner[: len(inner) // 2], ("refused: the zip is damaged",)),
        "zip with a link": (out.getvalue(), ("refused: no known format",)),
        "zip and more behind it": (inner + b"\x00" * 200, (whole(2),)),
        "text before a zip": (b"MZ, a program\n" + inner, ("refused: no known format",)),
    }
    for name in ("../../x.csv", "/etc/x.csv", "a\\..\\x.csv", "C:/x.csv", "a/../x.csv", "x\x00.csv"):
        cases[f"zip of {name!r}"] = (stored_zip([(name, csv)]), ("refused: the zip names a file",))
    return {name: Case(content, ends, {}, "deals.bin") for name, (content, ends) in cases.items()}


# ------------------------------------------------------------------------------------------------------- workbooks


def changed(
    rows: list[list[str]], changes: Mapping[str, Callable[[str], str]], more: Mapping[str, bytes] | None = None
) -> bytes:
    """A workbook some of whose parts say something else."""
    with zipfile.ZipFile(io.BytesIO(exports.as_workbook(rows))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        before = parts[name].decode()
        parts[name] = change(before).encode()
        assert parts[name].decode() != before, name
    return exports.zipped(parts | dict(more or {}))


SHEET = "xl/worksheets/sheet1.xml"


def workbooks() -> dict[str, Case]:
    rows = [HEAD, deal("A1"), deal("A2")]
    cell = HEAD.index("amount")

    def amount(said: str) -> Callable[[str], str]:
        """The amount of A1 in other words of XML."""

        def change(xml: str) -> str:
            begun = xml.index(f'<c r="{chr(65 + cell)}2"')
            return xml[:begun] + said + xml[xml.index("</c>", begun) + 4 :]

        return change

    at = f'<c r="{chr(65 + cell)}2"'
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    outside = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'
    declared = lambda said: lambda xml: said + xml[xml.find("?>") + 2 if xml.startswith("<?xml") else 0 :]  # noqa: E731
    one, other = "taken in: 2 = 2 + 0 + 0", "taken in: 2 = 1 + 0 + 1"
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600
    cases: dict[str, tuple[bytes, tuple[str, ...], dict[str, dict[str, str]]]] = {
        "formula with its value": (
            changed(rows, {SHEET: amount(f"{at}><f>3*4</f><v>12</v></c>")}),
            (one,),
            {"A1": {"amount": "12.0000"}},
        ),
        "formula without a value": (changed(rows, {SHEET: amount(f"{at}><f>3*4</f></c>")}), (other,), {}),
        "formula to be worked out": (
            changed(
                rows,
                {
                    SHEET: amount(f"{at}><f>3*4</f><v>0</v></c>"),
                    "xl/workbook.xml": lambda x: (
                        x.replace('fullCalcOnLoad="0"', 'fullCalcOnLoad="1"')
                        if "fullCalcOnLoad" in x
                        else x.replace("</workbook>", '<calcPr fullCalcOnLoad="1"/></workbook>')
                    ),
                },
            ),
            (other,),
            {},
        ),
        "error of a formula": (
            changed(rows, {SHEET: amount(f'{at} t="e"><f>A/0</f><v>#DIV/0!</v></c>')}),
            (other,),
            {},
        ),
        "number of 17 digits": (
            changed(rows, {SHEET: amount(f"{at}><v>0.30000000000000004</v></c>")}),
            (one,),
            {"A1": {"amount": "0.3000"}},
        ),
        "number beyond 15 digits": (changed(rows, {SHEET: amount(f"{at}><v>1234567890123456</v></c>")}), (other,), {}),
        "number without end": (changed(rows, {SHEET: amount(f"{at}><v>{'9' * 5000}</v></c>")}), (other,), {}),
        "number that is none": (changed(rows, {SHEET: amount(f"{at}><v>INF</v></c>")}), (other,), {}),
        "true for an amount": (changed(rows, {SHEET: amount(f'{at} t="b"><v>1</v></c>')}), (other,), {}),
        "a text that is not there": (changed(rows, {SHEET: amount(f'{at} t="s"><v>99999</v></c>')}), (other,), {}),
        "a cell of another row": (
            changed(rows, {SHEET: lambda x: x.replace('r="A2"', 'r="A7"')}),
            ("refused: cell A7",),
            {},
        ),
        "rows out of order": (
            changed(rows, {SHEET: lambda x: x.replace('<row r="2"', '<row r="9"', 1)}),
            ("refused:",),
            {},
        ),
        "a dimension that lies": (
            changed(rows, {SHEET: lambda x: x.replace("<dimension ref=", "<dimension lies=", 1)}),
            (one,),
            {},
        ),
        "a cell beyond the header": (exports.as_workbook([HEAD, deal("A1"), [*deal("A2"), "", "x"]]), (other,), {}),
        "two tables side by side": (
            exports.as_workbook(
                [[*HEAD, "", "month", "sum"], [*deal("A1"), "", "May", "7"], [*deal("A2"), "", "", ""]]
            ),
            (one,),
            {"A1": {"amount": "100.0000"}},
        ),
        "two tables": (
            exports.as_workbook([*rows, [], ["partner_id", "partner_name"], ["P1", "Nordwind"]]),
            ("taken in: 4 = 2 + 0 + 2",),
            {},
        ),
        "billion laughs": (changed(rows, {SHEET: declared(laughs)}), ("refused:",), {}),
        "a file from outside": (changed(rows, {"xl/styles.xml": declared(outside)}), ("refused:",), {}),
        "macros": (changed(rows, {}, {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + b"macro" * 50}), (one,), {}),
        "a sheet that leads out": (
            changed(
                rows,
                {"xl/_rels/workbook.xml.rels": lambda x: x.replace("worksheets/sheet1.xml", "../../../etc/passwd")},
            ),
            ("refused:",),
            {},
        ),
        "a sheet that is not there": (
            changed(rows, {"xl/_rels/workbook.xml.rels": lambda x: x.replace("sheet1.xml", "sheet9.xml")}),
            ("refused:",),
            {},
        ),
        "a sheet twice": (
            changed(
                rows,
                {
                    "xl/workbook.xml": lambda x: x.replace(
                        "</sheets>", x[x.index("<sheet ") : x.index("</sheets>")] + "</sheets>"
                    )
                },
            ),
            ("refused: the workbook names its sheet",),
            {},
        ),
        "XML that ends early": (changed(rows, {SHEET: lambda x: x[:-60]}), ("refused:",), {}),
        "escaped NUL": (exports.as_workbook([HEAD, deal("A1", customer_name="a_x0000_b"), deal("A2")]), (other,), {}),
        "old workbook": (ole + "Workbook".encode("utf-16-le"), ("refused: the file is an old Excel workbook",), {}),
        "encrypted workbook": (
            ole + "EncryptedPackage".encode("utf-16-le"),
            ("refused: the workbook is encrypted",),
            {},
        ),
        "binary workbook": (exports.zipped({"xl/workbook.bin": b"x"}), ("refused: the file is a binary workbook",), {}),
        "sheet bomb": (
            changed(rows, {SHEET: lambda x: x.replace("</sheetData>", "<row/>" * 8_000_000 + "</sheetData>")}),
            ("refused:",),
            {},
        ),
        "elements without end": (
            changed(rows, {SHEET: lambda x: x.replace("<sheetData>", "<a>" * 5000)}),
            ("refused:",),
            {},
        ),
    }
    found = {name: Case(content, ends, stored, "deals.xlsx") for name, (content, ends, stored) in cases.items()}
    found["workbook called csv"] = Case(exports.as_workbook(rows), (one,), {"A1": {"amount": "100.0000"}})
    found["csv called xlsx"] = Case(exports.as_csv(rows), (one,), {"A1": {"amount": "100.0000"}}, "deals.xlsx")
    return found


# ------------------------------------------------------------------------------------------------ JSON and Parquet


def objects() -> dict[str, Case]:
    one = dict(zip(HEAD, deal("A1"), strict=True))
    text = json.dumps(one)
    other = json.dumps({**one, "deal_id": "A2"})
    good = f"{text}\n{other}\n"

    def with_amount(said: str) -> bytes:
        return (good + text.replace('"A1"', '"A3"').replace('"amount": "100"', f'"amount": {said}') + "\n").encode()

    deep = '{"a":' * 50 + "1" + "}" * 50
    cases: dict[str, tuple[bytes, tuple[str, ...], dict[str, dict[str, str]]]] = {
        "lines": (good.encode(), (whole(2),), {"A1": {"amount": "100.0000"}}),
        "with a mark": (b"\xef\xbb\xbf" + good.encode(), (whole(2),), {}),
        "utf-16": (good.encode("utf-16"), (whole(2),), {"A1": {"amount": "100.0000"}}),
        "an array": (f"[{text},\n{other}]".encode(), (whole(2),), {}),
        "an array with a comma too many": (f"[{text},{other},]".encode(), ("taken in: 3 = 2 + 0 + 1",), {}),
        "an array that does not end": (f"[{text},{other},".encode(), ("taken in: 3 = 2 + 0 + 1",), {}),
        "an array and more": (f"[{text}] {other}".encode(), ("refused: after the end of the array",), {}),
        "NaN": (with_amount("NaN"), ("taken in: 3 = 2 + 0 + 1",), {}),
        "1e5": (with_amount("1e5"), ("taken in: 3 = 2 + 0 + 1",), {}),
        "1.234": (with_amount("1.234"), (whole(3),), {"A3": {"amount": "1.2340"}}),
        "a number of 5,000 digits": (with_amount("9" * 5000), ("taken in: 3 = 2 + 0 + 1",), {}),
        "null": (with_amount("null"), (whole(3),), {"A3": {"amount": ""}}),
        "true": (with_amount("true"), ("taken in: 3 = 2 + 0 + 1",), {}),
        "a key twice": (with_amount('1, "amount": 2'), ("taken in: 3 = 2 + 0 + 1",), {}),
        "too deep": (with_amount(deep), ("taken in: 3 = 2 + 0 + 1",), {}),
        "brackets without end": (with_amount("[" * 100_000), ("taken in: 3 = 2 + 0 + 1",), {}),
        "half a character": (
            with_amount('"1", "customer_name": "\\ud800"').replace(b'"customer_name": "Acme", ', b"", 3),
            ("taken in: 3 =",),
            {},
        ),
        "a NUL": (good.encode().replace(b'"Acme"', b'"a\\u0000b"', 1), ("taken in: 2 = 1 + 0 + 1",), {}),
        "two on a line": (f"{text}{other}\n{other}\n".encode(), ("taken in: 2 = 1 + 0 + 1",), {}),
        "no object": (f'{good}"text"\n7\n'.encode(), ("taken in: 4 = 2 + 0 + 2",), {}),
        "20,000 keys": (
            json.dumps({**one, **{f"k{i}": i for i in range(20_000)}}).encode(),
            ("refused: the objects have more than 4,096",),
            {},
        ),
        "a line of two million": (
            good.encode() + text.replace("Acme", "x" * 2_000_000).encode() + b"\n",
            ("taken in: 3 = 2 + 0 + 1",),
            {},
        ),
        "latin-1": (text.replace("Acme", "Müller").encode("latin-1"), ("refused: the file is not UTF-8",), {}),
        "called csv": (good.encode(), (whole(2),), {"A1": {"amount": "100.0000"}}),
    }
    return {
        f"json: {name}": Case(content, ends, stored, "deals.csv" if "called" in name else "deals.json")
        for name, (content, ends, stored) in cases.items()
    }


def parquet(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    plain = {header: pa.array([cell, cell]) for header, cell in DEAL.items()} | {"deal_id": pa.array(["A1", "A2"])}
    pq.write_table(pa.table(plain | columns), out)
    return out.getvalue()


def columns() -> dict[str, Case]:
    good = parquet()
    letter = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["x" * 900_000]))
    bomb = io.BytesIO()
    pq.write_table(
        pa.table({**{header: pa.array([cell] * 1000) for header, cell in DEAL.items()}, "customer_name": letter}),
        bomb,
    )
    cases: dict[str, tuple[bytes, tuple[str, ...], dict[str, dict[str, str]]]] = {
        "texts": (good, (whole(2),), {"A1": {"amount": "100.0000"}}),
        "floats": (
            parquet(amount=pa.array([1.234, float("nan")])),
            ("taken in: 2 = 1 + 0 + 1",),
            {"A1": {"amount": "1.2340"}},
        ),
        "bytes that are no text": (
            parquet(customer_name=pa.array([b"\xff", b"x"])),
            ("refused: column 'customer_name' of the Parquet",),
            {},
        ),
        "a list with a semicolon": (
            parquet(tags=pa.array([["a;b"], []])),
            ("refused: column 'tags' of the Parquet",),
            {},
        ),
        "cut": (good[:-20], ("refused: the Parquet file is damaged",), {}),
        "changed": (good[:200] + b"\xff" * 20 + good[220:], ("refused: the Parquet file is damaged",), {}),
        "a long text in every row": (bomb.getvalue(), ("refused: the rows hold more than",), {}),
        "only its mark": (b"PAR1" * 4, ("refused: the Parquet file is damaged",), {}),
        "called csv": (good, (whole(2),), {}),
    }
    return {
        f"parquet: {name}": Case(content, ends, stored, "deals.csv" if "called" in name else "deals.parquet")
        for name, (content, ends, stored) in cases.items()
    }


# ----------------------------------------------------------------------------------------------------- what it was


def disguises() -> dict[str, Case]:
    csv = exports.as_csv([HEAD, deal("A1"), deal("A2")])
    png = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    cases = {
        "csv called html": (csv, "deals.html", (whole(2),)),
        "csv called zip": (csv, "deals.zip", (whole(2),)),
        "csv behind a line of html": (b"<html><body>\n" + csv, "deals.html", (whole(2),)),
        "html": (b"<html><script>alert(1)</script></html>", "deals.csv", ("refused: this is a web page",)),
        "html called xls": (
            b"\n<TABLE><tr><td>deal_id</td></tr></TABLE>",
            "deals.xls",
            ("refused: this is a web page",),
        ),
        "noise called xlsx": (
            random.Random(2).randbytes(3000),
            "deals.xlsx",
            ("refused: no workbook can be read from it",),
        ),
        "csv called xlsx": (csv, "deals.xlsx", (whole(2),)),
        "png": (png, "deals.csv", ("refused: no known format",)),
        "pdf": (b"%PDF-1.4\n" + csv, "deals.csv", ("refused: the file is a PDF",)),
        "database": (b"SQLite format 3\x00" + b"\x00" * 100, "deals.csv", ("refused: the file is a SQLite database",)),
        "elf": (b"\x7fELF" + random.Random(1).randbytes(3000), "deals.csv", ("refused: no known format",)),
        "PK and text": (b"PK\x03\x04" + csv, "deals.csv", ("refused: the zip is damaged",)),
    }
    return {name: Case(content, ends, {}, called) for name, (content, called, ends) in cases.items()}


GROUPS = {
    "texts": texts,
    "values": values,
    "archives": archives,
    "workbooks": workbooks,
    "objects": objects,
    "columns": columns,
    "disguises": disguises,
}


@pytest.mark.parametrize("group", GROUPS)
def test_each_file_becomes_what_it_must(
    new_home: Callable[[], Home], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    hurry(monkeypatch)
    cases, ends, wrong = GROUPS[group](), Counter[str](), dict[str, str]()
    for number, (name, case) in enumerate(cases.items()):
        home = new_home()
        (home.path / "policy").mkdir()
        (home.path / "policy" / "limits.toml").write_text(LIMITS, "utf-8")
        path = tmp_path / str(number) / case.name
        path.parent.mkdir()
        path.write_bytes(case.content)
        try:
            found = at_the_door(home, path)
        except Exception as error:
            wrong[name] = f"{type(error).__name__}: {str(error)[:200]}"
            continue
        print(f"  {name:<40} {'; '.join(one[:90] for one in found)}")
        ends.update(one.partition(":")[0] for one in found)
        if len(found) != len(case.ends) or not all(map(str.startswith, found, case.ends)):
            wrong[name] = f"{[one[:150] for one in found]}, not {case.ends}"
        elif differs := not_as_stored(home, case):
            wrong[name] = differs
    assert health(home).faults == []
    print(
        f"hostile {group}: injected {len(cases)} / survived {len(cases) - len(wrong)} / lost 0 / duplicated 0; {dict(ends)}"
    )
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


def not_as_stored(home: Home, case: Case) -> str:
    """What is stored otherwise than the case says."""
    if not case.stored:
        return ""
    rows = {row["external_id"]: row for row in table(home, "deals", DAY)}
    if any("customer" in cells for cells in case.stored.values()):
        names = {row["organisation_id"]: row["name"] for row in table(home, "organisations", DAY)}
        rows = {key: {**row, "customer": names.get(row["account_id"], "")} for key, row in rows.items()}
    return "; ".join(
        f"{key} {column} is {rows.get(key, {}).get(column)!r}, not {cell!r}"
        for key, cells in case.stored.items()
        for column, cell in cells.items()
        if rows.get(key, {}).get(column) != cell
    )


def test_the_corpora_are_large_enough() -> None:
    assert sum(len(made()) for made in GROUPS.values()) >= 120
