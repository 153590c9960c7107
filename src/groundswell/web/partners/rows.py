"""Rows of the list as text: written here, in one pass, since a template that asks each cell takes twice a page's time."""

from collections.abc import Collection, Sequence
from urllib.parse import quote

from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from groundswell.reads.listing import Listed
from groundswell.records.runs import PublishedPartner
from groundswell.web.shell.words import NOT_KNOWN, day, money, rounded

_PICK = (
    '<td class="pick"><input type="checkbox" form="assign" name="partner" value="{id}" aria-label="Select {name}"></td>'
)
_NAME = '<th scope="row"><a href="{page}{came}" data-page hx-get="{page}drawer/">{name}</a><small>{what}</small></th>'
_CELLS = {
    "segment": '<td class="segment"><span class="chip {chip}">{word}</span></td>',
    "reason": '<td class="reason"><p>{reason}</p></td>',
    "readiness": '<td class="band">{band}<small class="dots" role="img" aria-label="{known}" title="{known}">{dots}</small></td>',
    "rhythm": "<td>{rhythm}</td>",
    "tier": "<td>{tier}</td>",
    "attention": "<td>{attention}</td>",
    "last": '<td class="less last">{last}</td>',
    "won": '<td class="n won">{won}</td>',
    "manager": '<td class="less">{manager}</td>',
}
"""The markup of each column, by its name in the address."""


def written(rows: Sequence[Listed], columns: Collection[str], picks: bool, query: str) -> SafeString:
    """Rows with these columns; `picks` puts a box before each. The page of one knows the `query` of the list it is of."""
    cells = "".join(markup for name, markup in _CELLS.items() if name in columns)
    row = f"<tr data-row>{_PICK if picks else ''}{_NAME}{cells}</tr>\n"
    root = reverse("partners")
    return format_html_join("", row, (_texts(one, root) | {"came": f"?{query}" if query else ""} for one in rows))


def _texts(one: Listed, root: str) -> dict[str, str]:
    row = one.row
    known = min(5, max(0, round(row.coverage * 5)))
    return {
        "id": row.partner_id,
        "page": f"{root}{quote(row.partner_id, safe='')}/",
        "name": row.name or row.partner_id,
        "what": " · ".join(part for part in (kind(row.partner_type), row.country) if part),
        "chip": row.segment if row.segment in ("active", "ready", "developing", "inactive") else "none",
        "word": row.segment.capitalize() or "Not placed",
        "reason": row.reason,
        "band": f"{rounded(row.low)} to {rounded(row.high)}" if one.open else row.band.capitalize(),
        "dots": "●" * known + "○" * (5 - known),
        "known": f"{round(row.coverage * 100)} % known",
        "rhythm": row.quiet,
        "tier": row.tier,
        "attention": row.attention,
        "last": last_act(row),
        "won": NOT_KNOWN if row.won is None else money(row.won, "").strip(),
        "manager": one.manager,
    }


def last_act(row: PublishedPartner) -> str:
    """The day of a partner's last act; that it never acted, or that nobody knows."""
    if row.last_on:
        return day(row.last_on)
    return row.quiet if row.quiet == "never acted" else NOT_KNOWN


def kind(name: str) -> str:
    """A type of partner as people write it: "SI", "Reseller"."""
    return name.upper() if len(name) <= 3 else name.replace("_", " ").capitalize()
