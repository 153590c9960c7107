"""The list of partners as somebody asks for it: filters, order, pages by keyset, counts, and what excludes everything.

A page costs the same wherever it stands: it is sought by the last row of the page before, never counted off. Each order
has an index that holds every column that can be filtered (records.runs): a page is read from it and ends where it is full.
Rows are asked for anew each time; how many there are is counted in full, and since a run never changes it is kept.
"""

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery

from groundswell.core.reason import TOO_LITTLE
from groundswell.reads import overview
from groundswell.reads.overview import QUIET
from groundswell.reads.rights import Sight, mine, sight
from groundswell.reads.sheets import Cell
from groundswell.records.runs import PublishedPartner, Run
from groundswell.records.staff import Book, Staff
from groundswell.records.trail import Entry

PAGE = 50
"""Rows of a page."""
_CHUNK = 500
"""Rows that are held at once while all of them are read."""
_SHORT = 2
"""Conditions that may lack for a partner to be nearly ready."""
_HALF = 0.5
"""Coverage under which a figure is thin."""

Rows = QuerySet[PublishedPartner]


class BadListing(ValueError):  # noqa: N818 - what happened, in the glossary's words
    """What was asked for cannot be read: no order, list, manager or place in a list is called so."""


LISTS: Mapping[str, Q] = {
    "ready": Q(segment="ready"),
    "short": Q(segment="developing", short__lte=_SHORT),
    "quiet": Q(quiet__in=QUIET),
    "dormant": Q(quiet="gone quiet"),
    "strong": Q(quiet__in=(*QUIET, "cooling"), attention__in=("top", "middle")),
    "unknown": Q(segment="") | Q(state=TOO_LITTLE),
    "review": Q(reviews__gt=0),
    "look": Q(look_at__gt=0),
}
"""Lists that everybody has, by name.

ready: able, engaged, and nothing won. short: developing, and at most two conditions keep it out of ready. quiet: silent
beyond its own bound; dormant: of these whoever can still be reached; strong: of these, and of those that slow down,
whoever brings or can do much. unknown: not placed, or too little known for points. review: low for quarters. look:
figures that may not mean what they say.
"""

COLUMNS = ("segment", "band", "quiet", "attention", "country", "partner_type", "tier")
"""Columns that can be asked for by one of their values; `none` asks for those without one."""
FILTERS = ("q", "list", *COLUMNS, "manager")


@dataclass(frozen=True)
class _Order:
    """An order: its column, how its value is read from a place in the list, and whether it may be unknown."""

    column: str
    read: Callable[[Any], Any]
    unknown: bool = False


def _float(said: Any) -> float:
    return float(said)


def _day(said: Any) -> dt.date:
    return dt.date.fromisoformat(said)


def _text(said: Any) -> str:
    if not isinstance(said, str) or "\0" in said:
        raise ValueError("no text")
    said.encode()  # half a character is no text: UnicodeEncodeError is a ValueError
    return said


ORDERS: Mapping[str, _Order] = {
    "rank": _Order("rank", int),
    "name": _Order("name", _text),
    "coverage": _Order("coverage", _float),
    "last": _Order("last_on", _day, unknown=True),
    "won": _Order("won", Decimal, unknown=True),
}


@dataclass(frozen=True)
class Listing:
    """What is asked for: filters by name, and an order. Equal ones have equal queries."""

    filters: Mapping[str, str] = field(default_factory=dict)
    order: str = "rank"
    down: bool = False
    """Whether the largest value comes first. What is not known comes last either way."""

    @classmethod
    def parsed(cls, said: Mapping[str, str]) -> "Listing":
        """Out of the query of an address; what it says beside filters and order is left. Raises BadListing."""
        filters = {name: said[name].strip()[:100] for name in FILTERS if said.get(name, "").strip()}
        order = said.get("order") or "rank"
        if order.removeprefix("-") not in ORDERS:
            raise BadListing(f"no order '{order}'")
        if "list" in filters and filters["list"] not in LISTS:
            raise BadListing(f"no list '{filters['list']}'")
        manager = filters.get("manager", "me")
        if manager not in ("me", "nobody") and not (manager.isascii() and manager.isdigit() and len(manager) < 10):
            raise BadListing(f"no manager '{manager}'")
        if any("\0" in value for value in filters.values()):
            raise BadListing("a filter holds what no text holds")
        return cls(filters, order.removeprefix("-"), order.startswith("-"))

    @property
    def ordered(self) -> str:
        """The order as the query says it; nothing for the one that holds where none is named."""
        said = f"{'-' if self.down else ''}{self.order}"
        return "" if said == "rank" else said

    def query(self) -> str:
        """What is asked for, as the query of an address."""
        said = dict(self.filters) | ({"order": self.ordered} if self.ordered else {})
        return urlencode(said)

    def without(self, name: str) -> "Listing":
        """The same with one filter less."""
        return replace(self, filters={key: value for key, value in self.filters.items() if key != name})

    def by(self, order: str, down: bool) -> "Listing":
        """The same in another order."""
        return replace(self, order=order, down=down)


@dataclass(frozen=True)
class Listed:
    """One partner as the list shows it."""

    row: PublishedPartner
    """Without its result, which is by far the largest part of it and is fetched where somebody asks for it."""
    manager: str
    """Whose book it is in; empty: nobody's."""

    @property
    def open(self) -> bool:
        """Whether only a range can be told: too little is known, or it spans bands."""
        return self.row.state == TOO_LITTLE or not self.row.band


@dataclass(frozen=True)
class Page:
    """A page of a list: its rows, the place of the first, counted from 1, and the ways on."""

    rows: tuple[Listed, ...]
    first: int
    before: str
    """Names the page before; empty on the first page."""
    after: str
    """Names the next page; empty on the last."""
    whole: bool
    """Whether the list has no row beside these."""


@dataclass(frozen=True)
class Facts:
    """What a list can be asked for, of the partners that somebody sees, and how many each built-in list has."""

    choices: Mapping[str, tuple[str, ...]]
    lists: Mapping[str, int]
    all: int
    thin: int
    """How many of all have under half known."""


# ------------------------------------------------------------------------------------------------------------- filters


def _asks(staff: Staff, name: str, value: str) -> Q:
    if name == "q":
        return Q(name__icontains=value)
    if name == "list":
        return LISTS[value]
    if name in COLUMNS:
        return Q(**{name: "" if value == "none" else value})
    held = Book.objects.all()
    if value == "nobody":
        return ~Q(partner_id__in=held.values("partner_id"))
    return Q(partner_id__in=held.filter(manager_id=staff.pk if value == "me" else int(value)).values("partner_id"))


def matching(run: Run, staff: Staff, asked: Listing) -> Rows:
    """The rows that are asked for, in no order, of those that somebody sees."""
    rows = mine(staff, run.partners.order_by())
    for name, value in asked.filters.items():
        rows = rows.filter(_asks(staff, name, value))
    return rows


@dataclass(frozen=True)
class _Basis:
    """What a count rests on: equal ones count the same rows."""

    run_id: str
    sight: Sight
    filters: tuple[tuple[str, str], ...]
    acts: int
    """How many acts the trail knew before it was counted, where books decide; they change while a run stands."""
    rows: Rows = field(compare=False)


def _basis(run: Run, staff: Staff, asked: Listing) -> _Basis:
    seen, filters = sight(staff), dict(asked.filters)
    if filters.get("manager") == "me":
        filters["manager"] = str(staff.pk)
    rests_on_books = seen.book_of is not None or "manager" in filters
    latest = Entry.objects.aggregate(latest=Max("number"))["latest"] if rests_on_books else None
    return _Basis(run.run_id, seen, tuple(sorted(filters.items())), latest or 0, matching(run, staff, asked))


def counted(run: Run, staff: Staff, asked: Listing, page: "Page | None" = None) -> tuple[int, int]:
    """How many partners are found, and of how many of them under half is known. A page that is all of it is not asked for."""
    if page is not None and page.whole:
        return len(page.rows), sum(one.row.coverage < _HALF for one in page.rows)
    if not asked.filters:
        seen = facts(run, staff)
        return seen.all, seen.thin
    return _counted(_basis(run, staff, asked))


@lru_cache(maxsize=1024)
def _counted(of: _Basis) -> tuple[int, int]:
    said = of.rows.aggregate(n=Count("pk"), thin=Count("pk", filter=Q(coverage__lt=_HALF)))
    return said["n"], said["thin"]


def excluding(run: Run, staff: Staff, asked: Listing) -> list[str]:
    """Where nothing is found: the filters of which one alone, taken away, would let partners be found."""
    return [name for name in asked.filters if matching(run, staff, asked.without(name)).exists()]


def facts(run: Run, staff: Staff) -> Facts:
    """What the list can be asked for by somebody."""
    return _facts(_basis(run, staff, Listing()))


def forget_facts() -> None:
    """Count anew what was counted once a process: for whoever changes a published run by hand."""
    _counted.cache_clear()
    _facts.cache_clear()
    overview.forget()


@lru_cache(maxsize=128)
def _facts(of: _Basis) -> Facts:
    rows = of.rows
    found = list(rows.values_list(*COLUMNS).distinct())
    said = rows.aggregate(
        n=Count("pk"),
        thin=Count("pk", filter=Q(coverage__lt=_HALF)),
        **{f"in_{name}": Count("pk", filter=ask) for name, ask in LISTS.items()},
    )
    choices = {name: tuple(sorted({row[place] for row in found})) for place, name in enumerate(COLUMNS)}
    return Facts(choices, {name: said[f"in_{name}"] for name in LISTS}, said["n"], said["thin"])


# --------------------------------------------------------------------------------------------------------------- pages


@dataclass(frozen=True)
class _Place:
    """A place in a list: the row at the edge of a page, and how many rows stand before the page that it names."""

    value: Any
    rank: int
    backward: bool
    before: int


def _named(asked: Listing, row: PublishedPartner, backward: bool, before: int) -> str:
    value = getattr(row, ORDERS[asked.order].column)
    kept = value if value is None or isinstance(value, int | float | str) else str(value)
    said = json.dumps([asked.ordered, kept, row.rank, backward, before], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _place(asked: Listing, cursor: str) -> _Place:
    """The place that a cursor names. Raises BadListing for one that this list, in this order, has not given out."""
    try:
        ordered, value, rank, backward, before = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
        order = ORDERS[asked.order]
        numbers = all(type(one) is int and 0 <= one < 2**31 for one in (rank, before))
        if ordered != asked.ordered or not numbers or type(backward) is not bool:
            raise ValueError("of another list")
        if value is None and not order.unknown:
            raise ValueError("no value")
        read = None if value is None else order.read(value)
        if isinstance(read, float | Decimal) and not Decimal(read).is_finite():
            raise ValueError("no number")
    except (ValueError, TypeError, InvalidOperation, OverflowError, RecursionError) as error:
        raise BadListing("this place in the list cannot be read") from error
    return _Place(read, rank, backward, before)


_Stage = tuple[Q, tuple[str, ...]]
"""A stretch of a list: the condition on its rows, and their order."""


def _stages(column: str, down: bool, unknown: bool, place: _Place | None) -> list[_Stage]:
    """The stretches from a place on, each of which one index gives in order: its ties, those beyond, those not known."""
    backward = place is not None and place.backward
    falls = down != backward
    sign, beyond = ("-", "lt") if falls else ("", "gt")
    if column == "rank":
        return [(Q(**{f"rank__{beyond}": place.rank}) if place else Q(), (f"{sign}rank",))]
    known: _Stage = (Q(**{f"{column}__isnull": False}) if unknown else Q(), (f"{sign}{column}", f"{sign}rank"))
    open_end: list[_Stage] = [(Q(**{f"{column}__isnull": True}), ("rank",))] if unknown and not backward else []
    if place is None:
        return [known, *open_end]
    if place.value is None:
        rest = Q(**{f"{column}__isnull": True, f"rank__{'lt' if backward else 'gt'}": place.rank})
        return [(rest, ("-rank",)), known] if backward else [(rest, ("rank",))]
    ties = Q(**{column: place.value, f"rank__{beyond}": place.rank})
    return [(ties, (f"{sign}rank",)), (Q(**{f"{column}__{beyond}": place.value}), known[1]), *open_end]


def _ids(run: Run, staff: Staff, asked: Listing, place: _Place | None, at_most: int | None) -> list[int]:
    """Keys of rows from a place on, in the order asked for (or the reverse of it)."""
    rows, order = matching(run, staff, asked), ORDERS[asked.order]
    found: list[int] = []
    for condition, ordered in _stages(order.column, asked.down, order.unknown, place):
        left = None if at_most is None else at_most - len(found)
        found += rows.filter(condition).order_by(*ordered).values_list("pk", flat=True)[:left]
        if at_most is not None and len(found) >= at_most:
            break
    return found


def _rows(ids: list[int]) -> list[Listed]:
    manager = Book.objects.filter(partner_id=OuterRef("partner_id")).values("manager__name")[:1]
    rows = PublishedPartner.objects.filter(pk__in=ids).order_by().annotate(manager_name=Subquery(manager))
    there = {row.pk: row for row in rows.defer("result")}
    return [Listed(there[one], there[one].manager_name or "") for one in ids if one in there]


def page(run: Run, staff: Staff, asked: Listing, cursor: str = "") -> Page:
    """A page of the list: the first, or the one that a cursor names. Raises BadListing."""
    place = _place(asked, cursor) if cursor else None
    ids = _ids(run, staff, asked, place, PAGE + 1)
    more, backward = len(ids) > PAGE, place is not None and place.backward
    ids = ids[:PAGE]
    rows = _rows(ids[::-1] if backward else ids)
    start = place.before if place else 0
    if not rows:
        return Page((), start + 1, "", "", place is None)
    back = more if backward else place is not None
    on = True if backward else more
    return Page(
        tuple(rows),
        start + 1,
        _named(asked, rows[0].row, True, max(start - PAGE, 0)) if back else "",
        _named(asked, rows[-1].row, False, start + len(rows)) if on else "",
        place is None and not more,
    )


# -------------------------------------------------------------------------------------------------------------- sheets

HEADERS = (
    "name", "partner_id", "external_id", "source", "country", "partner_type", "tier", "segment", "readiness", "low", "high",
    "known_percent", "state", "band", "reason", "rhythm", "last_act", "won_12_months", "currency", "attention", "manager",
    "as_of",
)  # fmt: skip
"""Columns of an exported list. Points are whole: decimals of a score claim what nobody knows. An empty cell is not known."""


def sheet(run: Run, staff: Staff, asked: Listing, currency: str) -> Iterator[list[Cell]]:
    """Every row of the list, in its order, as the cells of an export."""
    ids = _ids(run, staff, asked, None, None)
    for start in range(0, len(ids), _CHUNK):
        for one in _rows(ids[start : start + _CHUNK]):
            row = one.row
            yield [
                row.name, row.partner_id, row.external_id, row.source, row.country, row.partner_type, row.tier, row.segment,
                None if row.state == TOO_LITTLE or row.total is None else round(row.total),
                round(row.low), round(row.high), round(row.coverage * 100), row.state, row.band, row.reason,
                row.quiet, row.last_on, row.won, currency, row.attention, one.manager, run.as_of,
            ]  # fmt: skip
