"""Words of templates: how a figure, a segment, a day are shown."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from groundswell.web.shell import words

register = template.Library()
_STATES = {
    "done": "active", "running": "ready", "queued": "plain", "failed": "risk", "cancelled": "plain", "asks": "warns",
}  # fmt: skip


@register.simple_tag
def segment(name: str) -> SafeString:
    """A segment by word and tint; where too little is known the word says so."""
    kind = name if name in ("active", "ready", "developing", "inactive") else "none"
    return format_html('<span class="chip {}">{}</span>', kind, name.capitalize() if name else "Not placed")


@register.simple_tag
def state(name: str) -> SafeString:
    """A state of a job by word and tint."""
    return format_html('<span class="chip {}">{}</span>', _STATES.get(name, "plain"), name)


@register.simple_tag
def dots(share: float | Fraction | str | None) -> SafeString:
    """Coverage as five dots, and in words for whoever does not see them."""
    known = float(Fraction(share)) if share is not None else 0.0
    full = min(5, max(0, round(known * 5)))
    text = f"{round(known * 100)} % known"
    return format_html(
        '<span class="dots" title="{}" aria-hidden="true">{}{}</span><span class="out">{}</span>',
        text,
        "●" * full,
        "○" * (5 - full),
        text,
    )


@register.filter
def day(when: dt.date | str | None) -> str:
    """A day in words."""
    return words.day(when)


@register.filter
def percent(share: Any) -> str:
    """A share as percent."""
    return words.percent(Fraction(share) if isinstance(share, str) else share)


@register.filter
def points(number: Any) -> str:
    """Points without decimals."""
    return words.rounded(Fraction(number) if isinstance(number, str) else number)


@register.filter
def said(name: str) -> str:
    """A name of ours as people say it: `won_revenue` becomes "won revenue"."""
    return name.replace("_", " ")


@register.simple_tag
def money(amount: Decimal | Fraction | None, currency: str) -> str:
    """An amount in short."""
    return words.money(amount, currency)


@register.filter
def many(count: int, forms: str) -> str:
    """A count with its word: {{ n|many:"partner" }}, {{ n|many:"entry,entries" }}."""
    one, _, more = forms.partition(",")
    return words.many(count, one, more)


@register.filter
def of(found: Any, name: str) -> Any:
    """What stands under a name: {{ bars|of:part.name }}."""
    return found[name]


@register.filter
def at(found: Any, place: int) -> Any:
    """What stands at a place: {{ heads|at:forloop.counter0 }}."""
    return found[place]


@register.filter
def hundred(share: Fraction) -> str:
    """A share of a hundred points, without decimals."""
    return words.rounded(100 * share)
