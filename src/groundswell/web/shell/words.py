"""How figures are written: money to two figures unless it was booked, days in words, what is not known in those words."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

NOT_KNOWN = "not known"
_SCALES = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "K"))


def rounded(number: Decimal | Fraction | float | None) -> str:
    """A point or a count of points without decimals: a score with decimals claims what nobody knows."""
    return NOT_KNOWN if number is None else f"{round(float(number)):,}"


def percent(share: Decimal | Fraction | float | None) -> str:
    """A share from 0 to 1 as percent."""
    return NOT_KNOWN if share is None else f"{round(100 * float(share))} %"


def money(amount: Decimal | Fraction | float | None, currency: str) -> str:
    """An amount in short: "USD 4.1M". Sums that were booked are written in full (`booked`)."""
    if amount is None:
        return NOT_KNOWN
    number = Decimal(str(float(amount)))
    for scale, letter in _SCALES:
        if abs(number) >= scale:
            short = number / scale
            return f"{currency} {short:.1f}{letter}" if abs(short) < 10 else f"{currency} {short:,.0f}{letter}"
    return f"{currency} {number:,.0f}"


def booked(amount: Decimal | None, currency: str) -> str:
    """A booked sum to the cent."""
    return NOT_KNOWN if amount is None else f"{currency} {amount:,.2f}"


def day(when: dt.date | str | None) -> str:
    """A day: "21 Nov 2026"."""
    if not when:
        return NOT_KNOWN
    found = dt.date.fromisoformat(when[:10]) if isinstance(when, str) else when
    return f"{found.day} {found:%b %Y}"
