"""Every address of the pages, with what each role gets there. One that stands in the URLs and not here fails its test."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

LEADER, OPERATIONS, MANAGER, SELLER, ADMINISTRATOR = "leader", "operations", "manager", "seller", "administrator"
DESK = (LEADER, OPERATIONS, MANAGER, ADMINISTRATOR)
WHOLE = (LEADER, OPERATIONS, ADMINISTRATOR)
WORKS = (OPERATIONS, ADMINISTRATOR)
EVERYBODY = (*DESK, SELLER)


@dataclass(frozen=True)
class Route:
    """What an address is for: who may open it, whether it acts, and the partner, if any, that it is about."""

    roles: tuple[str, ...]
    acts: bool = False
    partner: str = ""
    """The argument that names a partner: of one that is not the person's own the answer is 404."""
    others: tuple[tuple[str, object], ...] = ()
    """Its other arguments."""
    public: bool = False


ROUTES: dict[str, Route] = {
    "start": Route(EVERYBODY),
    "overview": Route(DESK),
    "overview-counted": Route(DESK),
    "find": Route(EVERYBODY),
    "account": Route(EVERYBODY),
    "theme": Route(EVERYBODY, acts=True, public=True),
    "invitation": Route(EVERYBODY, others=(("word", "not-a-word"),), public=True),
    "partners": Route(EVERYBODY),
    "partner": Route(EVERYBODY, partner="partner_id"),
    "sources": Route(WHOLE),
    "quarantine": Route(WHOLE),
    "mappings": Route(WHOLE),
    "jobs": Route(WHOLE),
    "disputes": Route(EVERYBODY),
    "dispute-answered": Route(WORKS, acts=True, others=(("number", 1),)),
    "people": Route((ADMINISTRATOR,)),
    "person-invited": Route((ADMINISTRATOR,), acts=True),
    "person-changed": Route((ADMINISTRATOR,), acts=True, others=(("number", 1),)),
    "trail": Route((LEADER, ADMINISTRATOR)),
}
"""Our own addresses by name."""

OURS = "groundswell."
"""Modules of ours. Those of allauth guard themselves; the tests go through each of their addresses as well."""


def addresses() -> Iterator[URLPattern]:
    """Every pattern of the URLs, whoever it belongs to."""
    yield from _within(get_resolver().url_patterns)


def _within(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from _within(one.url_patterns)
        else:
            yield one
