"""Reading one cell of text as the kind that its column declares. Nothing is guessed: what cannot be read is a Fault.

A column is typed as a whole. `date_proof` and `decimal_proof` say what a single cell proves about its column (a day
above 12; both separators in one number); `groundswell.core.tables.proof` puts the proofs of a column together.
"""

import calendar
import datetime as dt
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from babel import Locale

from groundswell.core.tables.contract import DECIMALS, Column
from groundswell.core.tables.identity import normal_form, web_domain


@dataclass(frozen=True)
class Fault:
    """Why a cell cannot be read, and what to do about it."""

    reason: str
    remedy: str


@dataclass(frozen=True)
class Noted:
    """A cell that was read, with something to report: a word outside its list, a country nobody knows."""

    value: object
    note: str


@dataclass(frozen=True)
class Reading:
    """How the cells of one column are read.

    `order` of days, months and years: "dmy", "mdy" or "" (only forms that can be read one way).
    `decimal`: "." or "," or "". `zone` is that of times that name none; None when the source has not said. `form` is one
    of FORMS where the mapping declares what its cells hold in place of dates; nothing else is then read.
    """

    order: str = ""
    decimal: str = ""
    zone: dt.tzinfo | None = None
    home: dt.tzinfo = dt.UTC
    free_mail: frozenset[str] = frozenset()
    longest: int = 1_000_000
    form: str = ""


@dataclass(frozen=True)
class When:
    """A day, with its moment where the cell names one. `moment` is UTC; `floating` is a time without a zone."""

    day: dt.date
    moment: dt.datetime | None = None
    floating: dt.datetime | None = None


Read = Callable[[str], object]
EMPTY = frozenset({"", "-", "–", "—", "n/a", "na", "null", "(blank)", "(null)"})
"""Cells that say nothing, in columns of a kind other than text. Case-folded."""

_TRUE = frozenset({"1", "true", "yes", "y", "t", "x", "wahr", "ja", "oui", "si", "sí"})
_FALSE = frozenset({"0", "false", "no", "n", "f", "falsch", "nein", "non"})
_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ],
        start=1,
    )
    for name in names.split()
}
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$|(\d{4})(\d{2})(\d{2})$", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})$", re.ASCII)
_NAMED = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?[-, ]+(\d{4})$|([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})$", re.ASCII)
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?$",
    re.ASCII,
)
_SPLIT_TIME = re.compile(r"[T ,]+(?=\d{1,2}:\d{2})", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?=[.,]|$)")
_LONGEST_FIGURE = 200
"""Characters that a date, time or number can have. A longer cell is none, and searching it would take its square."""


# ------------------------------------------------------------------------------------------------ dates and times


def date_proof(text: str) -> tuple[str, str] | None:
    """(shape, order) of a date whose year stands last: order is "dmy" or "mdy" when this cell proves it, else "".

    None for cells that are no such date, the unambiguous forms included. The shape is the separator.
    """
    if len(text) > _LONGEST_FIGURE or text[:4].isdigit():  # the year stands first
        return None
    match = _YEAR_LAST.match(_SPLIT_TIME.split(text.strip(), maxsplit=1)[0])
    if not match:
        return None
    first, second = int(match[1]), int(match[3])
    order = "dmy" if first > 12 >= second else "mdy" if second > 12 >= first else ""
    return match[2], order


_NO_ZONE = re.compile(r"(?<=[T ,])\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AaPp][Mm])?$", re.ASCII)


def floats(text: str) -> bool:
    """Whether a cell names a time and no zone."""
    return len(text) <= _LONGEST_FIGURE and bool(_NO_ZONE.search(text.rstrip()))


def read_when(text: str, how: Reading) -> When | Fault:
    """A day or a moment. A bare day stays a day; a moment without a zone is in the source's zone."""
    if how.form:
        return _epoch(text.strip(), how) if how.form == "epoch_ms" else _month(text.strip(), how.form)
    if len(text) > _LONGEST_FIGURE:
        return Fault(f"'{_short(text)}' is not a date", "write dates as 2026-01-31")
    parts = _SPLIT_TIME.split(text.strip(), maxsplit=1)
    day = _day(parts[0], how.order)
    if isinstance(day, Fault) or len(parts) == 1:
        return day if isinstance(day, Fault) else When(day)
    clock = _TIME.match(parts[1])
    if not clock:
        return Fault(f"'{text}' has a time that cannot be read", "write times as 14:30 or 14:30:00, with +01:00 or Z")
    return _moment(text, day, clock, how)


def read_instant(text: str, how: Reading) -> dt.datetime | Fault:
    """A moment in UTC; a bare day is its first instant. A time without a zone needs that of the source."""
    when = read_when(text, how)
    if isinstance(when, Fault):
        return when
    if when.floating is not None:
        return Fault(f"'{text}' names no time zone", "state the zone of the source")
    if when.moment is not None:
        return when.moment
    try:
        return _in_utc(dt.datetime.combine(when.day, dt.time()), how.zone or how.home)
    except OverflowError:
        return _off_the_calendar(text)


def _off_the_calendar(text: str) -> Fault:
    return Fault(f"'{text}' is not a time of the calendar", "correct the time in the source, or empty the cell")


FORMS = ("month", "month end", "month after", "epoch_ms")
"""What a date may be written as, where a mapping says so: a month, which stands for its first day, its last day or the
first day of the next one; milliseconds since 1970-01-01T00:00Z. No cell is read like that unless it is declared."""
_MONTH = re.compile(r"(\d{4})-(\d{2})$", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,18}$", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _month(text: str, form: str) -> When | Fault:
    match = _MONTH.match(text)
    if not match:
        return Fault(f"'{_short(text)}' is not a month", "write months as 2026-01")
    try:
        first = dt.date(int(match[1]), int(match[2]), 1)
        if form == "month":
            return When(first)
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        return When(last if form == "month end" else last + dt.timedelta(days=1))
    except (ValueError, OverflowError):
        return Fault(f"'{text}' is not a month of the calendar", "correct the month in the source, or empty the cell")


def _epoch(text: str, how: Reading) -> When | Fault:
    if not _MILLISECONDS.match(text):
        return Fault(f"'{_short(text)}' is not a number of milliseconds since 1970", "write times as 1767225600000")
    try:
        moment = _EPOCH + dt.timedelta(milliseconds=int(text))
        return When(moment.astimezone(how.zone or how.home).date(), moment)
    except OverflowError:
        return Fault(f"'{text}' is not a time of the calendar", "correct the time in the source, or empty the cell")


def _day(text: str, order: str) -> dt.date | Fault:
    numbers: tuple[int, int, int]
    if match := _YEAR_FIRST.match(text):
        year, month, day = (match[1], match[3], match[4]) if match[1] else (match[5], match[6], match[7])
        numbers = int(year), int(month), int(day)
    elif match := _YEAR_LAST.match(text):
        if len(match[4]) == 2:
            return Fault(f"'{text}' has a year of two digits", "export the year with four digits")
        if not order:
            return Fault(f"'{text}' can be day-month or month-day", "answer with dmy or mdy")
        day, month = (match[1], match[3]) if order == "dmy" else (match[3], match[1])
        numbers = int(match[4]), int(month), int(day)
    elif (match := _NAMED.match(text)) and (name := (match[2] or match[4]).casefold()) in _MONTHS:
        numbers = int(match[3] or match[6]), _MONTHS[name], int(match[1] or match[5])
    else:
        return _no_date(text)
    try:
        return dt.date(*numbers)
    except ValueError:
        return Fault(f"'{text}' is not a day of the calendar", "correct the date in the source, or empty the cell")


def _no_date(text: str) -> Fault:
    """Why a text is no date. What spreadsheets make of dates is told apart: it proves where the damage was done."""
    if _SERIAL.fullmatch(text):
        day = dt.date(1899, 12, 30) + dt.timedelta(days=int(text.partition(".")[0]))
        return Fault(
            f"'{text}' is a spreadsheet's number for a day ({day})", "format the column as a date, then export it"
        )
    if _CUT_DATE.fullmatch(text):
        return Fault(f"'{text}' has lost its day in a spreadsheet", "export it again without a spreadsheet between")
    return Fault(f"'{text}' is not a date", "write dates as 2026-01-31")


_SERIAL = re.compile(r"[2-6]\d{4}(\.\d+)?", re.ASCII)
"""Days from 1954 to 2091 as spreadsheets count them."""
_CUT_DATE = re.compile(r"\d{1,2}:\d{2}(\.\d+)?|#+", re.ASCII)


def cut_id(text: str) -> Fault:
    """Why a number that a spreadsheet has shortened is no id."""
    return Fault(f"'{text}' is an id that a spreadsheet has cut", "format the column as text, then export it again")


CUT_ID = r"^-?\d[.,]\d{2,}E\+\d{2,}$"
"""How a spreadsheet shows a long number: its last digits are lost. An id such as 1E5 is none of them."""


def _moment(text: str, day: dt.date, clock: re.Match[str], how: Reading) -> When | Fault:
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    micro = int((clock[4] or "0").ljust(6, "0")[:6])
    if clock[5]:
        if not 1 <= hour <= 12:
            return Fault(f"'{text}' has no hour of a twelve-hour clock", "write times as 14:30")
        hour = hour % 12 + (12 if clock[5].casefold() == "pm" else 0)
    second, leap = (59, 1) if second == 60 else (second, 0)  # a leap second is the first of the next minute
    try:
        local = dt.datetime.combine(day, dt.time(hour, minute, second, micro)) + dt.timedelta(seconds=leap)
        zone = _offset(clock[6]) if clock[6] else how.zone
        if zone is None:
            return When(day, None, local)
        moment = _in_utc(local, zone)
        # A stamp that states its zone is a moment: its day is the day at the source, or at home if that is not known.
        return When(moment.astimezone(how.zone or how.home).date() if clock[6] else day, moment)
    except (ValueError, OverflowError):
        return _off_the_calendar(text)


_DAY = dt.timedelta(days=1)


def _in_utc(local: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The moment in UTC. Raises OverflowError within a day of the ends of the calendar: some zone has no day for it."""
    moment = local.replace(tzinfo=zone).astimezone(dt.UTC)
    _ = moment - _DAY, moment + _DAY
    return moment


def _offset(text: str) -> dt.tzinfo:
    if text in ("Z", "UTC", "GMT"):
        return dt.UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    sign = -1 if text[0] == "-" else 1
    return dt.timezone(sign * dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


# -------------------------------------------------------------------------------------------------------- numbers


@dataclass(frozen=True)
class _Digits:
    """A number taken apart: `proves` is the decimal sign that the cell can only have; `asks` when it could be two.

    `marks` are the signs and codes written beside the digits: €, %, USD.
    """

    negative: bool
    body: str
    proves: str = ""
    asks: bool = False
    broken: bool = False
    marks: frozenset[str] = frozenset()


def _digits(text: str) -> _Digits:
    return _Digits(False, "", broken=True) if len(text) > _LONGEST_FIGURE else _taken_apart(text)


@lru_cache(maxsize=65_536)
def _taken_apart(text: str) -> _Digits:
    digits, codes = _bare(text)
    return replace(digits, marks=frozenset(codes) | (frozenset(text) & _SIGNS))


def _bare(text: str) -> tuple[_Digits, list[str]]:
    """The number without its marks, and the codes that stood beside it."""
    body = text.strip()
    negative = False
    if body.startswith("(") and body.endswith(")"):
        negative, body = True, body[1:-1].strip()
    body = body.strip(_MONEY_MARKS)
    codes, body = _CODE.findall(body), _CODE.sub("", body).strip(_MONEY_MARKS)
    if body[:1] in "+-−":
        negative, body = negative or body[:1] in "-−", body[1:].strip(_MONEY_MARKS)
    grouped = bool(_GROUPED.match(body))
    if grouped:
        body = re.sub(r"[ \u00a0\u202f'’]", "", body)
    if not body or not re.fullmatch(r"[\d.,]*\d[\d.,]*", body, re.ASCII):
        return _Digits(negative, body, broken=True), codes
    return _separators(negative, body, grouped), codes


_SIGNS = frozenset("$€£¥₹%")
_MONEY_MARKS = "".join(_SIGNS) + string.whitespace + "\u00a0\u202f"
_CODE = re.compile(r"^[A-Z]{3}\b|\b[A-Z]{3}$")


def _separators(negative: bool, body: str, grouped: bool) -> _Digits:
    used = [sign for sign in ".," if sign in body]
    if not used:
        return _Digits(negative, body)
    if len(used) == 2:
        decimal = max(used, key=body.rfind)
        other = "," if decimal == "." else "."
        whole, _, rest = body.partition(decimal)
        right = decimal not in rest and re.fullmatch(rf"\d{{1,3}}(?:\{other}\d{{3}})+", whole, re.ASCII)
        return _Digits(negative, body, decimal, broken=not right)
    sign = used[0]
    if body.count(sign) > 1:
        right = re.fullmatch(rf"\d{{1,3}}(?:\{sign}\d{{3}})+", body, re.ASCII)
        return _Digits(negative, body, "," if sign == "." else ".", broken=not right)
    whole, _, rest = body.partition(sign)
    if grouped or len(rest) != 3 or len(whole) > 3 or whole in ("", "0"):
        return _Digits(negative, body, sign)
    return _Digits(negative, body, asks=True)


_OTHER_SIGN = str.maketrans(".,", ",.")
"""From one decimal sign to the other, with the sign of thousands beside it."""


def decimal_proof(text: str) -> tuple[bool, str]:
    """(asks, proves): whether the cell could be read two ways, and the decimal sign it can only have ("." "," "")."""
    digits = _digits(text)
    return digits.asks, "" if digits.broken else digits.proves


def read_decimal(text: str, decimal: str, kind: str) -> Decimal | Fault:
    """An exact number of the kind's precision. More decimals than the kind holds are refused, never rounded away."""
    digits = _digits(text)
    if digits.broken:
        scientific = re.fullmatch(r"[-+]?\d+([.,]\d+)?[eE][-+]?\d+", text.strip())
        plain = f"write it as 1234{decimal or '.'}50"
        remedy = "export it as a plain number; the exponent may hide digits" if scientific else plain
        return Fault(f"'{_short(text)}' is not a number", remedy)
    if digits.asks and not decimal:
        return Fault(f"'{text}' can be thousands or decimals", 'answer with "." or "," as the decimal sign')
    if kind == "money" and "%" in digits.marks:
        return Fault(f"'{text}' is a percentage, not an amount of money", "write the amount, or map another column")
    if kind == "share" and digits.marks - {"%"}:
        return Fault(f"'{text}' is an amount of money, not a percentage", "write the percentage, or map another column")
    sign = decimal or digits.proves
    if digits.proves and decimal and digits.proves != decimal:
        swapped = text.strip().translate(_OTHER_SIGN)
        return Fault(
            f"'{text}' has the decimal sign '{digits.proves}', its column '{decimal}'", f"write it as {swapped}"
        )
    other = "," if sign == "." else "."
    number = Decimal(digits.body.replace(other, "").replace(sign or ".", "."))
    precision, scale = DECIMALS[kind]
    if number != (cut := number.quantize(Decimal(1).scaleb(-scale)) if number < 10 ** (precision - scale) else number):
        return Fault(f"'{text}' has more than {scale} decimals", f"round it to {scale} decimals in the source")
    if number >= 10 ** (precision - scale):
        return Fault(f"'{_short(text)}' has more than {precision - scale} digits before the sign", "correct the cell")
    return -cut if digits.negative and cut else cut


# ---------------------------------------------------------------------------------------------------- other kinds


_NO_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
"""Codes of CLDR that ISO 3166-1 does not assign to a country."""


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in ("en", "de", "fr", "es"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES:
                names.setdefault(str(name).casefold(), code)
                names.setdefault(code.casefold(), code)
    extra = {"usa": "US", "united states of america": "US", "uk": "GB", "great britain": "GB", "england": "GB"}
    return names | extra | {"korea": "KR", "korea, republic of": "KR", "russia": "RU", "czech republic": "CZ"}


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(Locale("en").currencies)


def is_currency(code: str) -> bool:
    """Whether a text is an ISO 4217 code, in capitals."""
    return code in _currencies()


_MINOR_UNITS = {
    code: digits
    for digits, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for code in codes.split()
}
"""Decimals by currency, where they are not 2. Source: ISO 4217:2015, list one; CLDR's differ, they are for display."""


def minor_units(code: str) -> int:
    """How many decimals a currency has: USD 2, JPY 0, KWD 3, CLF 4."""
    return _MINOR_UNITS.get(code, 2)


_DOLLARS = "AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD USD XCD"
_PESOS = "ARS CLP COP CUP DOP MXN UYU"
_CURRENCIES_OF = {
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "₹": frozenset({"INR"}),
    "¥": frozenset({"CNY", "JPY"}),
    "$": frozenset([*_DOLLARS.split(), *_PESOS.split()]),
}
"""The currencies that a sign means where it stands alone."""


def currency_of(amount: str, said: str | None, default: str = "") -> str | Fault | None:
    """The currency of an amount as its cell is written, beside what its row says and what its source takes for granted.

    What the row says holds, then a code or sign in the cell that means one currency, then the default. A sign that
    several currencies share ($, ¥) agrees with each of them and proves none. A Fault where they contradict each other;
    None where nobody says.
    """
    marks = _digits(amount).marks - {"%"}
    if not marks:
        return said or default or None
    possible = frozenset.intersection(*(_CURRENCIES_OF.get(mark, frozenset({mark})) for mark in marks))
    only = next(iter(possible)) if len(possible) == 1 else ""
    currency = said or only or default
    if possible and (not currency or (currency in possible and is_currency(currency))):
        return currency or None
    against = f"its currency is {currency}" if currency not in ("", only) else "that is no currency"
    return Fault(f"'{_short(amount)}' names {' and '.join(sorted(marks))}, {against}", _ONE_CURRENCY)


_ONE_CURRENCY = "write the plain number, and its ISO 4217 code in the currency column"


def _text(text: str, longest: int) -> object:
    if "\x00" in text:
        return Fault("the cell holds a NUL character", "remove it in the source")
    if len(text) > longest:
        return Fault(f"the cell holds {len(text):,} characters", f"shorten it to {longest:,}")
    stripped = text.strip()
    return stripped if stripped.isascii() else normal_form("NFC", stripped)


def _country(text: str) -> object:
    code = _countries().get(" ".join(text.casefold().split()))
    return code or Noted(None, f"country '{_short(text)}' is not known; the cell stays empty")


def _currency(text: str) -> object:
    code = text.strip().upper()
    if code in _currencies():
        return code
    return Fault(f"'{_short(text)}' is not a currency code", "write the ISO 4217 code, such as USD")


def _bool(text: str) -> object:
    folded = text.casefold()
    if folded in _TRUE or folded in _FALSE:
        return folded in _TRUE
    return Fault(f"'{_short(text)}' is neither yes nor no", "write true or false")


def _int(text: str, decimal: str) -> object:
    number = read_decimal(text, decimal or ".", "number")
    if isinstance(number, Fault) or number != int(number) or abs(number) >= 2**63:
        return Fault(f"'{_short(text)}' is not a whole number", "write it as 1234")
    return int(number)


def _number(text: str, decimal: str, positive: bool) -> object:
    number = read_decimal(text, decimal, "number")
    if positive and isinstance(number, Decimal) and number <= 0:
        return Fault(f"'{_short(text)}' is not above 0", "correct the cell, or leave the row out")
    return number


def _email(text: str) -> object:
    address = text.strip().casefold()
    if address.count("@") != 1 or any(c.isspace() for c in address) or address[0] == "@" or address[-1] == "@":
        return Fault(f"'{_short(text)}' is not an e-mail address", "write it as name@firm.example, or empty the cell")
    return address


def _domain(text: str, free_mail: frozenset[str]) -> object:
    domain = web_domain(text)
    if not domain:
        return Noted(None, f"'{_short(text)}' is not a web domain; the cell stays empty")
    return Noted(None, f"{domain} is a free-mail domain, no key") if domain in free_mail else domain


def is_word(text: str, column: Column) -> bool:
    """Whether a text is a word of the column's list."""
    word = _as_word(text)
    return word in column.words or (column.open_words and word.startswith("association:"))


def _as_word(text: str) -> str:
    return "_".join(text.casefold().split())


def _word(text: str, column: Column) -> object:
    word = _as_word(text)
    if is_word(text, column):
        return word
    if column.open_words:
        return Noted(f"association:{word}", f"role '{_short(text)}' kept as association:{word}")
    if "other" in column.words:
        return Noted("other", f"{column.name} '{_short(text)}' is not in the list; kept as other")
    return Fault(f"{column.name} '{_short(text)}' is not one of {', '.join(column.words)}", "map the value")


def _date(text: str, how: Reading) -> object:
    when = read_when(text, how)
    return when if isinstance(when, Fault) else when.day


def _list(text: str) -> object:
    return sorted({item.strip() for item in text.split(";") if item.strip()})


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def reader(column: Column, how: Reading) -> Read:
    """The function that reads a cell of this column: text in, value, Fault or Noted out. Empty cells give None."""
    read: Read = {
        "text": lambda text: _text(text, how.longest),
        "id": lambda text: _text(text, how.longest),
        "word": lambda text: _word(text, column),
        "email": _email,
        "domain": lambda text: _domain(text, how.free_mail),
        "country": _country,
        "currency": _currency,
        "bool": _bool,
        "date": lambda text: _date(text, how),
        "instant": lambda text: read_instant(text, how),
        "int": lambda text: _int(text, how.decimal),
        "money": lambda text: read_decimal(text, how.decimal, "money"),
        "number": lambda text: _number(text, how.decimal, column.positive),
        "share": lambda text: read_decimal(text, how.decimal, "share"),
        "list": _list,
    }[column.kind]
    if column.kind in ("text", "id"):
        return lambda text: read(text) or None
    empty = EMPTY - {"na"} if column.kind == "country" else EMPTY  # Namibia
    return lambda text: None if (plain := text.strip()).casefold() in empty else read(plain)
