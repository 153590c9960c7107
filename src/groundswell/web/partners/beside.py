"""One partner beside the list, as text: what to do next, why it stands here, what holds it back, what is not known."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.safestring import SafeString

from groundswell.core.declare import Signal
from groundswell.core.words import many
from groundswell.reads.partners import Standing
from groundswell.web.shell import charts
from groundswell.web.shell.words import money, percent, rounded

_STRONGEST = 3
_MONEY = "home currency"


@dataclass(frozen=True)
class Dimension:
    """One dimension of readiness on its range."""

    name: str
    points: str
    between: str
    chart: SafeString


@dataclass(frozen=True)
class Beside:
    """What stands beside the list about one partner."""

    standing: Standing
    next_act: str
    why: tuple[str, ...]
    said: str
    """Readiness as a sentence: points, range, coverage."""
    dimensions: tuple[Dimension, ...]
    held_back: tuple[tuple[str, str], ...]
    """What is lacking, and what to do about it."""
    missing: tuple[str, ...]
    """What is not known, and what would tell."""


def beside(standing: Standing, signals: Mapping[str, Signal], currency: str) -> Beside:
    """What to say about one partner. `signals` says in which unit each is."""
    where = standing.result["standing"]
    lines = sorted(standing.result["readiness"]["lines"], key=lambda line: -Fraction(line["contribution"]))
    why = [_sentence(line, signals, currency) for line in lines if Fraction(line["contribution"]) > 0][:_STRONGEST]
    if where["quiet"]["said"]:
        why.append(_capital(where["quiet"]["said"]))
    gaps = standing.result["gaps"]
    known = [gap for gap in gaps if gap["known"]]
    open_lines = [
        line for line in lines if line["applies"] and line["value"]["state"] not in ("known", "not applicable")
    ]
    return Beside(
        standing=standing,
        next_act=standing.next_act,
        why=tuple(why),
        said=_readiness(standing),
        dimensions=tuple(_dimension(part) for part in standing.result["readiness"]["parts"]),
        held_back=tuple((_lack(gap, standing, signals, currency), gap["remedy"]) for gap in known),
        missing=tuple(f"{_capital(_name(line['signal']))}: {line['value']['why'] or 'no source says'}." for line in open_lines),
    )  # fmt: skip


def _readiness(standing: Standing) -> str:
    between = f"between {rounded(standing.low)} and {rounded(standing.high)}"
    known = f"{percent(standing.coverage)} known"
    if standing.total is None or standing.state == "too little known":
        return f"{_capital(between)}; {known}, too little for a figure"
    return f"{rounded(standing.total)}, {between} · {known}"


def _dimension(part: Mapping[str, Any]) -> Dimension:
    name = _capital(_name(part["part"]))
    low, high = (float(Fraction(part[end])) for end in ("low", "high"))
    point = None if part["points"] is None else float(Fraction(part["points"]))
    between = "" if low == high else f"{rounded(low)} to {rounded(high)}"
    chart = charts.dot_on_range(low, point, high, None, name)
    return Dimension(name, "" if point is None else rounded(point), between, chart)


def _sentence(line: Mapping[str, Any], signals: Mapping[str, Signal], currency: str) -> str:
    return f"{_capital(_name(line['signal']))}: {_value(line['signal'], line['value'], signals, currency)}"


def _lack(gap: Mapping[str, Any], standing: Standing, signals: Mapping[str, Signal], currency: str) -> str:
    value = standing.result["signals"].get(gap["signal"], {"low": None, "high": None, "state": "unknown"})
    gain = max(round(Fraction(gap["gain"])), 1)
    said = _value(gap["signal"], value, signals, currency)
    return f"{_capital(_name(gap['signal']))}: {said}, up to {many(gain, 'point')} more"


def _value(name: str, value: Mapping[str, Any], signals: Mapping[str, Signal], currency: str) -> str:
    """A value in its unit; where it is no single one, its lowest."""
    unit = signals[name].unit if name in signals else ""
    if value["low"] is None:
        return "not known"
    least = "" if value["state"] == "known" else "at least "
    try:
        number = Fraction(value["low"])
    except ValueError:
        return f"{least}{value['low']}"
    if unit == _MONEY:
        return least + money(Decimal(number.numerator) / number.denominator, currency)
    return f"{least}{rounded(number)} {unit}".strip()


def _name(name: str) -> str:
    return name.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
