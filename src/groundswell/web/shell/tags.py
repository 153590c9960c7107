"""Words of templates: how a figure, a segment, a day are shown."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from groundswell.core import words as counts
from groundswell.records.jobs import Job
from groundswell.records.loads import Load
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
def tenths(number: Fraction) -> str:
    """Points of one line, in tenths: many of them are less than one."""
    return f"{float(number):.1f}"


@register.filter
def tenths_of_hundred(share: str) -> str:
    """The share of one line as percent, in tenths."""
    return tenths(100 * Fraction(share))


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
    return counts.many(count, one, more)


_COUNTS = ("No", "One", "Two", "Three")


@register.filter
def words_of(count: int) -> str:
    """A small count at the head of a sentence; a larger one as a figure."""
    return _COUNTS[count] if count < len(_COUNTS) else f"{count:,}"


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


@register.filter
def number(count: int | None) -> str:
    """A count with its thousands."""
    return words.NOT_KNOWN if count is None else f"{count:,}"


_READINGS = {"dmy": "day first", "mdy": "month first", ".": "decimal point", ",": "decimal comma"}


@register.filter
def reading(how: str) -> str:
    """How a column is read, in words: `dmy` becomes "day first"; other answers stay."""
    return _READINGS.get(how, how)


@register.simple_tag
def querystring_of(**said: object) -> str:
    """A query of what is said and not empty."""
    return urlencode({name: value for name, value in said.items() if value})


@register.simple_tag
def load_state(load: Load) -> SafeString:
    """Whether a load stands, by word and tint."""
    if load.voided_at:
        kind, said = "plain", "taken back"
    elif load.state != "committed":
        kind, said = "ready", load.state
    elif load.retry_of:
        kind, said = "active", f"retry of {load.retry_of.name}"
    elif load.again_of:
        kind, said = "plain", f"{load.again_of.name} compared anew"
    else:
        kind, said = "active", "stands"
    return format_html('<span class="chip {}">{}</span>', kind, said)


@register.filter
def took(job: Job) -> str:
    """How long a job ran, or runs so far."""
    if job.started_at is None:
        return words.NOT_KNOWN
    seconds = int(((job.finished_at or dt.datetime.now(dt.UTC)) - job.started_at).total_seconds())
    minutes, rest = divmod(max(seconds, 0), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@register.filter
def has_lines(text: str) -> bool:
    """Whether a text has several lines, which a field of one line would lose."""
    return "\n" in text or "\r" in text


@register.filter
def samples_of(samples: dict[str, list[str]], header: str) -> str:
    """A few cells of a column of a file."""
    return ", ".join(samples.get(header, ())[:3]) or words.NOT_KNOWN
