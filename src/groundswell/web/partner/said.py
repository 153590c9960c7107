"""Figures of one partner in words: values with their units, silence, measures."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from groundswell.core.declare import Measure, Policy
from groundswell.web.shell import words

_HEADS = {
    "active": "Yes, in its rhythm",
    "cooling": "Slower than its rhythm",
    "gone quiet": "Gone quiet",
    "unlikely": "Unlikely",
    "never acted": "Never acted",
    "cannot tell": "Nobody can tell",
}


def willing(state: str) -> str:
    """What a silence means, in a word or two."""
    return _HEADS.get(state, state.capitalize())


def amount(text: str | None, unit: str, currency: str) -> str:
    """One end of a value: money in short, a number without more digits than it has meaning, a word or day as it is."""
    if text is None:
        return words.NOT_KNOWN
    try:
        number = Fraction(text)
    except ValueError:
        return words.day(text) if unit == "date" else {"true": "yes", "false": "no"}.get(text, text)
    if unit == "home currency":
        return words.money(number, currency)
    return f"{round(float(number), 1):,.1f}".removesuffix(".0") if abs(number) < 100 else words.rounded(number)


def value(one: Mapping[str, Any], unit: str, currency: str) -> str:
    """A stored value of a signal with its unit: "8 weeks", "at least 2 courses", "not known"."""
    state, low, high = one["state"], one["low"], one["high"]
    after = "" if unit in ("home currency", "yes/no", "word", "date", "") else f" {unit}"
    if state == "known":
        return f"{amount(low, unit, currency)}{after}"
    if state == "at least" and low in ("0", None):
        return words.NOT_KNOWN
    if state == "at least":
        return f"at least {amount(low, unit, currency)}{after}"
    if state == "between":
        ends = (amount(low, unit, currency), amount(high, unit, currency))
        return (f"at most {ends[1]}" if low is None else f"{ends[0]} to {ends[1]}") + after
    return {"not applicable": "does not apply"}.get(state, words.NOT_KNOWN)


def measured(measure: Measure) -> list[tuple[str, str]]:
    """How a signal is counted, as pairs of a question and its answer."""
    taken = f"{measure.take} of {measure.of.replace('_', ' ')}" if measure.of else measure.take
    found = [("Rows", measure.table.replace("_", " ")), ("Counted", taken)]
    found += [("Only where", measure.where)] if measure.where else []
    if measure.per:
        found.append(("For each", measure.per.replace("_", " ")))
    found += [("Kept if", measure.keep)] if measure.keep else []
    found.append(("Window", f"{measure.window or 'ever'}{', moved back ' + measure.shift if measure.shift else ''}"))
    if measure.on != "occurred_on":
        found.append(("By the day", measure.on.replace("_", " ")))
    if follows := measure.followed_by:
        found.append(
            (
                "Followed by",
                f"{follows.where} of the same {follows.same.replace('_id', '')}, within {follows.within} days",
            )
        )
    if measure.second:
        how = {"minus": "Less", "over": "Divided by", "grown_from": "Grown from"}[measure.how]
        found += [(how, "; ".join(f"{name.lower()}: {text}" for name, text in measured(measure.second)))]
    return found


def earns(policy: Policy, edition: dt.date, signal: str) -> list[str]:
    """How the lines of readiness that read a signal earn points."""
    score = policy.edition("readiness", edition)
    found = []
    for part in score.parts:
        for line in part.lines:
            if line.signal != signal:
                continue
            if line.yes is not None:
                how = f"{words.rounded(line.yes)} of 100 for yes"
            elif line.bars:
                how = f"0 at {_number(line.bars[0])}, 100 at {_number(line.bars[1])}, in proportion between"
            else:
                how = ", ".join(f"{words.rounded(points)} from {_number(start)}" for start, points in line.bands)
            found.append(f"{part.name.replace('_', ' ')}, weight {_number(line.weight)}: {how}")
    return found


def _number(number: Fraction) -> str:
    return f"{float(number):,.2f}".rstrip("0").rstrip(".")


def cell(what: object, name: str = "") -> str:
    """A cell of a table of rows: days in words, money to the cent, what nobody says as "not known"."""
    if what is None or what == "":
        return words.NOT_KNOWN
    if isinstance(what, bool):
        return "yes" if what else "no"
    if isinstance(what, dt.datetime):
        return f"{words.day(what.date())} {what:%H:%M} UTC"
    if isinstance(what, dt.date):
        return words.day(what)
    if isinstance(what, Decimal):
        return f"{what:,.2f}" if name == "amount_home" else f"{what.normalize():,f}"
    if isinstance(what, (list, tuple)):
        return ", ".join(map(str, what))
    if name in ("closes", "left") and str(what)[-10:-6].isdigit():
        return str(what)[:-10] + words.day(str(what)[-10:])
    return str(what).replace("_", " ") if name in ("type", "state", "stage_class", "kind", "closure") else str(what)
