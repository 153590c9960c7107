"""Workbooks: every cell as exact text, and every hostile or damaged workbook refused or broken with a word."""

import datetime as dt
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest
from openpyxl import Workbook

from groundswell.connectors.files import workbook
from groundswell.connectors.files.read import Batch, Broken, Refused, Tail
from groundswell.connectors.files.workbook import Sheet

LIMITS = {
    "cell_characters": 1000, "unpacked_bytes": 1 << 28, "ratio": 1100, "members": 100, "shared_bytes": 1 << 24,
}  # fmt: skip
"""Small, except for the ratio: rows made by machine pack better than any export; `BOMB` is what ships."""
BOMB = LIMITS | {"ratio": 100}
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
MOMENT = dt.datetime.fromisoformat("2025-01-05T10:30:15")
FORMATS = {
    "General": 0, "0%": 1, "yyyy-mm-dd": 2, 'd"th of" mmmm yyyy': 3, "m/d/yy h:mm": 4, "h:mm AM/PM": 5, "[h]:mm:ss": 6,
    "[$-409]mmm-yy;@": 7, '0.0 "days"': 8, "#,##0.00_);[Red](#,##0.00)": 9, "mm:ss.0": 10, "0.00E+00": 11, "[Red]0": 12,
    '#,##0.00\\ "%"': 13, "0.00\\d": 14, "mmmm": 15,
}  # fmt: skip


def parts(rows: str, *, shared: list[str] | None = None, properties: str = "", space: str = MAIN) -> dict[str, str]:
    """The parts of a workbook with one sheet "Deals", as text. Style N is the N-th of FORMATS."""
    codes = [code.replace("&", "&amp;").replace('"', "&quot;") for code in FORMATS]
    texts = "".join(f"<si><t xml:space='preserve'>{text}</t></si>" for text in shared or [])
    kinds = {"s": "worksheet", "t": "styles"} | ({} if shared is None else {"h": "sharedStrings"})
    targets = {"s": "worksheets/sheet1.xml", "t": "styles.xml", "h": "sharedStrings.xml"}
    related = "".join(
        f'<Relationship Id="{i}" Type="{REL}/{kind}" Target="{targets[i]}"/>' for i, kind in kinds.items()
    )
    found = {
        "[Content_Types].xml": "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="w" Type="{REL}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{REL}">{properties}<sheets>'
        '<sheet name="Deals" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{space}"><numFmts>'
        + "".join(f'<numFmt numFmtId="{200 + i}" formatCode="{code}"/>' for i, code in enumerate(codes))
        + '</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>'
        + "".join(f'<xf numFmtId="{200 + i}"/>' for i in range(len(codes)))
        + '<xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="9"/><xf numFmtId="4"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>',
    }
    return found | ({} if shared is None else {"xl/sharedStrings.xml": f'<sst xmlns="{space}">{texts}</sst>'})


def packed(path: Path, found: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in found.items():
            archive.writestr(name, text)
    return path


def inline(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def cells(*said: str) -> str:
    """A header "A" with a column of cells below it."""
    return f"<row>{inline('A')}</row>" + "".join(f"<row>{cell}</row>" for cell in said)


def number(raw: str, style: int = 0) -> str:
    return f'<c s="{style}"><v>{raw}</v></c>'


def read(
    path: Path, headers: tuple[str, ...] = ("A",), header_line: int = 1, tail: Tail | None = None
) -> tuple[dict[int, list[str]], list[Broken]]:
    """Rows by line, and broken rows, of the only sheet; what is returned has passed the guards."""
    assert workbook.is_workbook(path)
    workbook.check(path, LIMITS)
    found: list[Batch] = list(workbook.batches(path, "Deals", header_line, headers, LIMITS, tail or Tail()))
    rows = {
        line: [batch.columns[header][place].as_py() for header in headers]
        for batch in found
        for place, line in enumerate(batch.lines)
    }
    return rows, [broken for batch in found for broken in batch.broken]


def text_of(tmp_path: Path, cell: str, **how: object) -> str:
    rows, broken = read(packed(tmp_path / "cell.xlsx", parts(cells(cell + inline("x")), **how)), ("A", "B"))  # type: ignore[arg-type]
    assert broken == []
    return rows[2][0]


# ---------------------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("7", "7"), ("007", "7"), ("1234.5", "1234.5"), ("2.0", "2"), ("-3.10", "-3.1"),
        ("1234.5000000000100", "1234.50000000001"), ("0.30000000000000004", "0.3"), ("1.1000000000000001", "1.1"),
        ("1E3", "1000"), ("1.5E-7", "0.00000015"), ("123456789012345", "123456789012345"), ("99999999999999.5", "99999999999999.5"),
        ("123456789.12345678", "123456789.123457"), ("1E-300", f"0.{'0' * 299}1"), (" 12 ", "12"), ("+4", "4"), (".5", "0.5"),
        ("-999999999999999", "-999999999999999"),
    ],
)  # fmt: skip
def test_numbers_are_the_shortest_text_of_what_excel_keeps(tmp_path: Path, raw: str, text: str) -> None:
    assert text_of(tmp_path, number(raw)) == text


@pytest.mark.parametrize(
    ("raw", "code", "text"),
    [
        ("45662", "yyyy-mm-dd", "2025-01-05"), ("45662.4375", "yyyy-mm-dd", "2025-01-05T10:30:00"),
        ("45662", "m/d/yy h:mm", "2025-01-05T00:00:00"), ("45662.4375", "m/d/yy h:mm", "2025-01-05T10:30:00"),
        ("45662.000001157", "m/d/yy h:mm", "2025-01-05T00:00:00.1"), ("45662.99999999999", "yyyy-mm-dd", "2025-01-06"),
        ("45662", 'd"th of" mmmm yyyy', "2025-01-05"), ("45662", "[$-409]mmm-yy;@", "2025-01-05"), ("45662", "mmmm", "2025-01-05"),
        ("1", "yyyy-mm-dd", "1900-01-01"), ("59", "yyyy-mm-dd", "1900-02-28"), ("61", "yyyy-mm-dd", "1900-03-01"),
        ("2958465", "yyyy-mm-dd", "9999-12-31"),
        ("0.5625", "h:mm AM/PM", "13:30:00"), ("0", "h:mm AM/PM", "00:00:00"), ("0.5", "mm:ss.0", "12:00:00"),
        ("45662.5", "h:mm AM/PM", "2025-01-05T12:00:00"),
        ("1.5625", "[h]:mm:ss", "37:30:00"), ("-0.5", "[h]:mm:ss", "-12:00:00"), ("0.00001157407", "[h]:mm:ss", "0:00:01"),
        ("0.25", "0%", "25%"), ("0.123456", "0%", "12.3456%"), ("-1", "0%", "-100%"), ("0.07", "0%", "7%"), ("0", "0%", "0%"),
        ("0.25", '#,##0.00\\ "%"', "0.25"), ("3.5", '0.0 "days"', "3.5"), ("3.5", "0.00\\d", "3.5"), ("3", "[Red]0", "3"),
        ("1234.5", "#,##0.00_);[Red](#,##0.00)", "1234.5"), ("1234.5", "0.00E+00", "1234.5"), ("45662", "General", "45662"),
    ],
)  # fmt: skip
def test_the_format_says_what_a_number_is(tmp_path: Path, raw: str, code: str, text: str) -> None:
    assert text_of(tmp_path, number(raw, FORMATS[code])) == text


@pytest.mark.parametrize(
    ("raw", "built_in", "text"),
    [("45662", 0, "2025-01-05"), ("45662.5", 1, "2025-01-05T12:00:00"), ("0.5", 2, "50%"), ("0.5", 3, "0.5")],
)
def test_formats_without_a_code(tmp_path: Path, raw: str, built_in: int, text: str) -> None:
    assert text_of(tmp_path, number(raw, len(FORMATS) + built_in)) == text


def test_a_style_that_does_not_exist_is_a_plain_number(tmp_path: Path) -> None:
    assert text_of(tmp_path, number("45662", 999)) == "45662"


@pytest.mark.parametrize(("raw", "text"), [("0", "1904-01-01"), ("60", "1904-03-01"), ("44200", "2025-01-05")])
def test_days_count_from_1904_where_the_workbook_says_so(tmp_path: Path, raw: str, text: str) -> None:
    properties = '<workbookPr date1904="1"/>'
    assert text_of(tmp_path, number(raw, FORMATS["yyyy-mm-dd"]), properties=properties) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c t="b"><v>1</v></c>', "true"), ('<c t="b"><v>0</v></c>', "false"), ('<c t="e"><v>#REF!</v></c>', "#REF!"),
        ('<c t="str"><f>A1&amp;"!"</f><v>Acme!</v></c>', "Acme!"), ('<c t="str"><f>""</f><v></v></c>', ""),
        ("<c><f>1+1</f><v>2</v></c>", "2"), ('<c t="d"><v>2025-01-05T10:00:00</v></c>', "2025-01-05T10:00:00"),
        ('<c t="s"><v>0</v></c>', " Acme & Söhne "), ('<c t="s"><v>1</v></c>', "line\nbreak"), ('<c t="s"><v>2</v></c>', "0012"),
        ('<c t="s"><v>3</v></c>', "a\rb_x"), ('<c t="s"><v>4</v></c>', "😀"), ('<c t="s"><v>5</v></c>', "_xD83D_"),
        ('<c t="s"><v>6</v></c>', "_x000D_"),
        (inline("1E5"), "1E5"), ('<c t="inlineStr"><is><r><t>two </t></r><r><rPr><b/></rPr><t>runs</t></r></is></c>', "two runs"),
        ('<c t="inlineStr"><is><t>東京</t><rPh sb="0" eb="1"><t>トウキョウ</t></rPh></is></c>', "東京"),
        ("<c/>", ""), ("<c><v/></c>", ""), ('<c t="s"/>', ""),
    ],
)  # fmt: skip
def test_texts_booleans_errors_and_formulas(tmp_path: Path, cell: str, text: str) -> None:
    shared = [
        " Acme &amp; Söhne ", "line\nbreak", "0012", "a_x000D_b_x", "_xD83D__xDE00_", "_xD83D_", "_x005F_x000D_",
    ]  # fmt: skip
    assert text_of(tmp_path, cell, shared=shared) == text


def test_a_strict_workbook_reads_as_any_other(tmp_path: Path) -> None:
    assert text_of(tmp_path, '<c t="s"><v>0</v></c>', shared=["Acme"], space=STRICT) == "Acme"


def test_what_another_program_wrote_comes_back(tmp_path: Path) -> None:
    """openpyxl as the writer: values in, their text out."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Deals"
    said = [
        ("D1", "D1"), (12.5, "12.5"), (10**14 + 1, "100000000000001"), (True, "true"), (None, ""), (0.1 + 0.2, "0.3"),
        (dt.date(2025, 1, 5), "2025-01-05"), (MOMENT, "2025-01-05T10:30:15"),
        (dt.time(9, 5), "09:05:00"), (dt.timedelta(hours=37, minutes=30), "37:30:00"), ("=not", None), ("end", "end"),
    ]  # fmt: skip
    sheet.append([f"h{i}" for i in range(len(said))])
    sheet.append([value for value, _ in said])
    book.save(tmp_path / "made.xlsx")
    rows, broken = read(tmp_path / "made.xlsx", tuple(f"h{i}" for i in range(len(said))))
    assert rows == {}
    assert broken[0].text.split(" | ") == [text or "" for _, text in said]
    assert (broken[0].line, broken[0].column) == (2, "h10")


def test_random_numbers_read_back_to_15_digits(tmp_path: Path) -> None:
    chance = random.Random(5)
    values = [chance.uniform(-1, 1) * 10 ** chance.randint(-12, 14) for _ in range(2000)]
    rows, broken = read(packed(tmp_path / "n.xlsx", parts(cells(*(number(repr(value)) for value in values)))))
    assert broken == []
    for (text,), value in zip(rows.values(), values, strict=True):
        assert float(text) == float(f"{value:.15g}")
        assert "e" not in text.lower()


# ------------------------------------------------------------------------------------------------------ broken rows


@pytest.mark.parametrize(
    ("cell", "reason", "remedy"),
    [
        (number("12345678901234567890"), "more than 15 digits", "as text"),
        (number("1.2345678901234568E+17"), "more than 15 digits", "as text"),
        (number("1234567890123456"), "more than 15 digits", "as text"), (number("1E308"), "more than 15 digits", "as text"),
        (number("1E9999"), "more than 15 digits", "as text"), (number("NaN"), "is none", "Excel"),
        (number("Infinity"), "is none", "Excel"),
        (number("1_000"), "is none", "Excel"), (number("٣"), "is none", "Excel"), (number("0." + "1" * 999), "is none", "Excel"),
        (number("60", 2), "no day", "correct"), (number("0", 2), "no day", "correct"), (number("-1", 2), "no day", "correct"),
        (number("2958466", 2), "no day", "correct"), (number("0.5", 4), "no day", "correct"),
        ("<c><f>A1*2</f></c>", "not stored", "save"), ("<c><f>A1*2</f><v/></c>", "not stored", "save"),
        ('<c t="str"><f>A1</f></c>', "not stored", "save"),
        ('<c t="s"><v>9</v></c>', "lacks text 9", "save"), ('<c t="s"><v>-1</v></c>', "lacks text -1", "save"),
        ('<c t="s"><v>x</v></c>', "lacks text x", "save"), (inline("x" * 1001), "longer than 1,000", "shorten"),
        ('<c t="s"><v>1</v></c>', "longer than 1,000", "shorten"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_breaks_its_row_alone(tmp_path: Path, cell: str, reason: str, remedy: str) -> None:
    rows = cells(inline("before"), cell, inline("after"))
    found, (broken,) = read(packed(tmp_path / "b.xlsx", parts(rows, shared=["text", "y" * 1001])))
    assert found == {2: ["before"], 4: ["after"]}
    assert (broken.line, broken.column) == (3, "A")
    assert broken.reason.startswith("cell A3: ")
    assert reason in broken.reason
    assert remedy in broken.remedy
    assert len(broken.text) <= 1000


def test_texts_missing_from_the_workbook_break_every_row_that_needs_them(tmp_path: Path) -> None:
    rows = cells('<c t="s"><v>0</v></c>', number("1"))
    found, broken = read(packed(tmp_path / "b.xlsx", parts(rows)))
    assert found == {3: ["1"]}
    assert [one.line for one in broken] == [2]


def test_formulas_count_as_not_worked_out_where_excel_is_asked_to_do_it(tmp_path: Path) -> None:
    """Libraries write 0 as the value of each formula, and this mark."""
    rows = cells("<c><f>A1</f><v>0</v></c>", number("0"))
    found, broken = read(packed(tmp_path / "b.xlsx", parts(rows, properties='<calcPr fullCalcOnLoad="1"/>')))
    assert (list(found), [one.line for one in broken]) == ([3], [2])


def test_a_cell_beyond_the_header_breaks_the_row_an_empty_one_does_not(tmp_path: Path) -> None:
    rows = (
        f"<row>{inline('A')}{inline('B')}<c/></row><row>{inline('1')}</row>"
        f"<row>{inline('1')}{inline('2')}<c s='1'/>{inline('  ')}</row><row>{inline('1')}<c/>{inline('3')}</row>"
    )
    found, (broken,) = read(packed(tmp_path / "b.xlsx", parts(rows)), ("A", "B"))
    assert found == {2: ["1", ""], 3: ["1", "2"]}
    assert (broken.line, broken.text) == (4, "1 |  | 3")
    assert "column C, the header to B" in broken.reason


# ------------------------------------------------------------------------------------------------------------ rows


def test_lines_are_the_numbers_of_the_sheet_and_blank_rows_are_counted(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>A report</t></is></c></row>'
        '<row r="3"><c r="B3" t="inlineStr"><is><t>B</t></is></c><c r="C3" t="inlineStr"><is><t>C</t></is></c></row>'
        '<row r="5"><c r="B5" s="1"/></row><row r="6"><c r="C6"><v>6</v></c></row><row r="9"><c r="B9"><v>9</v></c></row>'
        '<row r="11"><c r="A11" s="1"/></row>'
    )
    path = packed(tmp_path / "b.xlsx", parts(rows))
    tail = Tail()
    assert read(path, ("", "B", "C"), 3, tail) == ({6: ["", "", "6"], 9: ["", "9", ""]}, [])
    assert tail.blank == 4
    found = workbook.sample(path, "Deals", 6, LIMITS)
    assert [(row.line, row.cells) for row in found] == [(1, ["A report"]), (3, ["", "B", "C"]), (6, ["", "", "6"])]
    assert workbook.rows_of(path, "Deals", {3, 9, 700}, LIMITS) == {3: " | B | C", 9: " | 9"}


def test_a_row_with_an_unread_cell_is_not_taken_for_a_header(tmp_path: Path) -> None:
    path = packed(tmp_path / "b.xlsx", parts(f"<row>{inline('A')}<c><f>B2</f></c></row><row>{inline('1')}</row>"))
    assert [bool(row.fault) for row in workbook.sample(path, "Deals", 9, LIMITS)] == [True, False]


def test_a_second_table_is_more_rows(tmp_path: Path) -> None:
    rows = cells(inline("1")) + '<row r="7">' + inline("B") + "</row>"
    assert read(packed(tmp_path / "b.xlsx", parts(rows)))[0] == {2: ["1"], 7: ["B"]}


def test_the_stated_dimension_is_not_believed(tmp_path: Path) -> None:
    found = parts(cells(number("1"), number("2")))
    sheet = found["xl/worksheets/sheet1.xml"]
    found["xl/worksheets/sheet1.xml"] = sheet.replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
    plain = packed(tmp_path / "a.xlsx", parts(cells(number("1"), number("2"))))
    stated = packed(tmp_path / "b.xlsx", found)
    took = []
    for path in (plain, stated):
        begun = process_time()
        assert read(path)[0] == {2: ["1"], 3: ["2"]}
        took.append(process_time() - begun)
    assert took[1] < 20 * took[0]


def test_batches_are_cut_and_nothing_is_lost_between_them(tmp_path: Path) -> None:
    path = packed(tmp_path / "b.xlsx", parts(cells(*(number(str(i)) for i in range(45_000)))))
    found = list(workbook.batches(path, "Deals", 1, ("A",), LIMITS, Tail()))
    assert [batch.size for batch in found] == [20_000, 20_000, 5_000]
    assert [line for batch in found for line in batch.lines] == list(range(2, 45_002))
    assert found[2].columns["A"][-1].as_py() == "44999"


def test_wide_sheets_come_in_shorter_batches(tmp_path: Path) -> None:
    path = packed(tmp_path / "b.xlsx", parts(cells(*(number(str(i)) for i in range(600)))))
    found = list(workbook.batches(path, "Deals", 1, tuple(f"h{i}" for i in range(4000)), LIMITS, Tail()))
    assert [batch.size for batch in found] == [500, 100]


# ---------------------------------------------------------------------------------------------------------- sheets


def test_sheets_hidden_ones_apart_and_empty_ones_left_out(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Empty"
    for name, state in (("Deals", "visible"), ("Lists", "hidden"), ("Deep & dark", "veryHidden")):
        sheet = book.create_sheet(name)
        sheet.append(["A", 1])
        sheet.sheet_state = state
    book.create_chartsheet("Chart")
    book.save(tmp_path / "b.xlsx")
    assert workbook.sheets(tmp_path / "b.xlsx") == [
        Sheet("Deals", False), Sheet("Lists", True), Sheet("Deep & dark", True),
    ]  # fmt: skip
    assert workbook.rows_of(tmp_path / "b.xlsx", "Deep & dark", {1}, LIMITS) == {1: "A | 1"}
    with pytest.raises(Refused, match=r"no sheet 'Dels'; it has 'Empty', 'Deals'"):
        workbook.sample(tmp_path / "b.xlsx", "Dels", 9, LIMITS)


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    assert workbook.is_workbook(packed(tmp_path / "deals.csv", parts(cells())))
    macros = parts(cells(number("1"))) | {"xl/vbaProject.bin": "\xd0\xcf\x11\xe0 macros"}
    assert read(packed(tmp_path / "deals.xlsm", macros))[0] == {2: ["1"]}
    word = parts(cells())
    word["word/document.xml"] = word.pop("xl/workbook.xml")
    word["_rels/.rels"] = word["_rels/.rels"].replace("xl/workbook.xml", "word/document.xml")
    assert not workbook.is_workbook(packed(tmp_path / "letter.docx", word))
    for number_, content in enumerate((b"", b"PK\x03\x04" + b"\0" * 50, b"deal_id,amount\n", b"\x1f\x8b\x08")):
        path = tmp_path / f"{number_}.xlsx"
        path.write_bytes(content)
        assert not workbook.is_workbook(path)


@pytest.mark.parametrize(
    ("streams", "says"),
    [
        (("Workbook", "SummaryInformation"), r"old Excel workbook \(\.xls\); save it in Excel as \.xlsx"),
        (("Book",), "Excel 95"),
        (("EncryptionInfo", "EncryptedPackage"), "encrypted; save it in Excel without a password"),
        (("WordDocument",), "no workbook"),
    ],
)  # fmt: skip
def test_old_and_encrypted_workbooks_are_refused_with_the_way_out(
    tmp_path: Path, streams: tuple[str, ...], says: str
) -> None:
    names = b"".join(name.encode("utf-16-le") + b"\0" * 90 for name in streams)
    path = tmp_path / "deals.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * ((1 << 18) - 12) + names)
    assert workbook.is_workbook(path)
    with pytest.raises(Refused, match=says):
        workbook.check(path, LIMITS)


def test_a_binary_workbook_is_refused(tmp_path: Path) -> None:
    found = parts(cells())
    found["xl/workbook.bin"] = found.pop("xl/workbook.xml")
    found["_rels/.rels"] = found["_rels/.rels"].replace("workbook.xml", "workbook.bin")
    path = packed(tmp_path / "deals.xlsb", found)
    assert workbook.is_workbook(path)
    with pytest.raises(Refused, match=r"\.xlsb\); save it in Excel as \.xlsx"):
        workbook.check(path, LIMITS)


# --------------------------------------------------------------------------------------------------------- hostile

LAUGHS = (
    '<!DOCTYPE w [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)  # fmt: skip
XXE = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def changed(part: str, change: Callable[[str], str]) -> dict[str, str]:
    found = parts(cells(number("1"), '<c t="s"><v>0</v></c>'), shared=["text"])
    found[part] = change(found[part])
    return found


PARTS = (
    "xl/workbook.xml",
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/_rels/workbook.xml.rels",
)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("head", [LAUGHS, XXE, "<!DOCTYPE w>"])
def test_a_document_type_is_refused_in_every_part(tmp_path: Path, part: str, head: str) -> None:
    for text in (lambda xml: head + xml, lambda xml: "<?xml version='1.0'?>\n" + head + xml.replace("1", "&i;")):
        with pytest.raises(Refused, match="document type"):
            read(packed(tmp_path / "b.xlsx", changed(part, text)))


@pytest.mark.parametrize("part", PARTS)
def test_damaged_parts_are_refused(tmp_path: Path, part: str) -> None:
    for change in (
        lambda xml: xml[:-9],
        lambda xml: xml + "<more/>",
        lambda xml: xml.replace("<", "<&", 1),
        lambda xml: "",
    ):
        with pytest.raises(Refused, match=r"damaged|not laid out"):
            read(packed(tmp_path / "b.xlsx", changed(part, change)))
    found = changed(part, str)
    del found[part]
    path = packed(tmp_path / "b.xlsx", found)
    if workbook.is_workbook(path):
        with pytest.raises(Refused, match=r"lacks its part|no sheet"):
            read(path)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ('<row r="2"><c r="A2"/></row><row r="2"><c r="A2"/></row>', "stands after row 2"), ('<row r="0"/>', "row 0"),
        ('<row r="9999999"/>', "row 9999999"), ('<row r="x"/>', "row x"), (f'<row r="{"9" * 5000}"/>', "row 9"),
        ('<row r="1"><c r="B1"/><c r="A1"/></row>', "out of its order"),
        ('<row r="1"><c r="A1"/><c r="A1"/></row>', "out of its order"),
        ('<row r="1"><c r="A2"/></row>', "out of its order"), ('<row r="1"><c r="XFE1"/></row>', "16,384"),
        ('<row r="1"><c r="1"/></row>', "cell 1"),
        ('<row r="1"><c r="ab1"/></row>', "cell ab1"), (f"<row>{'<c/>' * 20_000}</row>", "16,384 columns"),
        ("<row><row/></row>", "damaged at row"), ("<row><c><c/></c></row>", "damaged at row"), ("<c/>", "damaged at row"),
        ("<a>" * 100_000 + "</a>" * 100_000, "not laid out"),
    ],
)  # fmt: skip
def test_sheets_that_excel_would_not_write_are_refused(tmp_path: Path, rows: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        read(packed(tmp_path / "b.xlsx", parts(rows)))


def test_twenty_thousand_columns_by_name_are_refused(tmp_path: Path) -> None:
    """16,384 columns are what a sheet has; how many an export may have is for the header to be asked."""
    row = "".join(f"<c><v>{i}</v></c>" for i in range(16_384))
    path = packed(tmp_path / "b.xlsx", parts(f"<row>{row}</row>"))
    assert len(workbook.sample(path, "Deals", 1, LIMITS)[0].cells) == 16_384
    last = '<c r="ACOF1"><v>1</v></c>'
    with pytest.raises(Refused, match="16,384 columns"):
        workbook.sample(packed(path, parts(f'<row r="1">{last}</row>')), "Deals", 1, LIMITS)


def test_one_tag_or_comment_without_end_is_refused(tmp_path: Path) -> None:
    noise = "".join(random.Random(1).choices("abcdefgh >", k=3_000_000))
    for rows in (f'<row x="{noise}"/>', f"<!--{noise}-->"):
        with pytest.raises(Refused, match="not laid out"):
            read(packed(tmp_path / "b.xlsx", parts(rows)))


def test_a_workbook_that_unpacks_too_far_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in parts(cells()).items():
            archive.writestr(name, text)
        with archive.open("xl/media/image1.png", "w") as file:
            for _ in range(200):
                file.write(b"\0" * 1_000_000)
    begun = process_time()
    assert workbook.is_workbook(path)
    with pytest.raises(Refused, match=r"image1.png unpacks to 200,000,000 bytes out of .* hand it over unpacked"):
        workbook.check(path, BOMB)
    with pytest.raises(Refused, match="more than 1,000,000; export it in smaller parts"):
        workbook.check(path, LIMITS | {"unpacked_bytes": 1_000_000})
    took, begun = process_time() - begun, process_time()
    with zipfile.ZipFile(path) as archive, archive.open("xl/media/image1.png") as file:
        while file.read(1_000_000):
            pass
    assert took < (process_time() - begun) / 2


def test_texts_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    chance = random.Random(3)
    path = packed(tmp_path / "b.xlsx", parts(cells(), shared=["".join(chance.choices("abcdefgh", k=999))] * 20))
    with pytest.raises(Refused, match=r"texts of the workbook .* CSV"):
        workbook.check(path, LIMITS | {"shared_bytes": 10_000})


def test_one_text_in_many_cells_counts_each_time(tmp_path: Path) -> None:
    path = packed(tmp_path / "b.xlsx", parts(cells(*['<c t="s"><v>0</v></c>'] * 2000), shared=["z" * 900]))
    limits = LIMITS | {"unpacked_bytes": 1_000_000}
    workbook.check(path, limits)
    with pytest.raises(Refused, match="more than 1,000,000 characters"):
        list(workbook.batches(path, "Deals", 1, ("A",), limits, Tail()))


def test_a_part_that_holds_more_than_the_directory_says_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "b.xlsx", parts(cells(*(number(str(i)) for i in range(9000)))))
    content = path.read_bytes()
    at = content.rindex(b"xl/worksheets/sheet1.xml") - 46 + 24
    path.write_bytes(content[:at] + (5000).to_bytes(4, "little") + content[at + 4 :])
    with pytest.raises(Refused, match=r"sheet1\.xml.* is damaged"):
        read(path)


def test_two_sheets_on_one_part_are_refused(tmp_path: Path) -> None:
    found = parts(cells())
    found["xl/workbook.xml"] = found["xl/workbook.xml"].replace(
        "</sheets>", '<sheet name="Again" sheetId="2" r:id="s"/></sheets>'
    )
    with pytest.raises(Refused, match="'Again' twice"):
        workbook.sheets(packed(tmp_path / "b.xlsx", found))


@pytest.mark.parametrize("seed", range(3))
def test_mutated_workbooks_are_refused_or_read(tmp_path: Path, seed: int) -> None:
    """Bytes changed and cut, in the zip and in the XML: never another error, and every row that is there accounted for."""
    chance = random.Random(seed)
    path = tmp_path / "b.xlsx"
    rows = cells(*(number(str(i), i % 16) + '<c t="s"><v>0</v></c>' for i in range(40)))
    ends = {"read": 0, "refused": 0}
    for _ in range(120):
        found = parts(rows, shared=["text"])
        if chance.random() < 0.6:
            part = chance.choice(list(found))
            text = list(found[part])
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(text))
                text[at : at + chance.randint(0, 3)] = chance.choice(["<", ">", '"', "0", "-", "", "&", "x", "\0", "/"])
            found[part] = "".join(text)
            packed(path, found)
        else:
            content = bytearray(packed(path, found).read_bytes())
            for _ in range(chance.randint(1, 4)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            path.write_bytes(content[: chance.randrange(len(content))] if chance.random() < 0.2 else content)
        try:
            if not workbook.is_workbook(path):
                raise Refused("no workbook, so it goes to the other readers")
            workbook.check(path, LIMITS)
            workbook.sheets(path)
            workbook.sample(path, "Deals", 60, LIMITS)
            list(workbook.batches(path, "Deals", 1, ("A", "B"), LIMITS, Tail()))
            ends["read"] += 1
        except Refused:
            ends["refused"] += 1
    assert ends["read"] > 10
    assert ends["refused"] > 10
