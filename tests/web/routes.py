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
    "account-email": Route(EVERYBODY, public=True),
    "account-confirm": Route(EVERYBODY, public=True),
    "account-confirmed": Route(EVERYBODY, others=(("key", "k"),), public=True),
    "partners": Route(EVERYBODY),
    "partners-assigned": Route(WHOLE, acts=True),
    "partners-unassigned": Route(WHOLE, acts=True, others=(("number", 1),)),
    "partners-exported": Route(DESK, acts=True),
    "partners-sheet": Route(DESK, others=(("number", 1),)),
    "partners-taken": Route(DESK, acts=True, others=(("number", 1),)),
    "partners-kept": Route(EVERYBODY, acts=True),
    "partners-dropped": Route(EVERYBODY, acts=True),
    "partners-drawer": Route(EVERYBODY, partner="partner_id"),
    "partner": Route(EVERYBODY, partner="partner_id"),
    "partner-evidence": Route(EVERYBODY, partner="partner_id"),
    "partner-signal": Route(EVERYBODY, partner="partner_id", others=(("name", "open_pipeline"),)),
    "partner-line": Route(EVERYBODY, partner="partner_id", others=(("load", "L000001"), ("number", 2))),
    "partner-rows": Route(EVERYBODY, partner="partner_id", others=(("name", "deals"),)),
    "sources": Route(WHOLE),
    "sources-uploaded": Route(WORKS, acts=True),
    "sources-loads": Route(WHOLE),
    "sources-load": Route(WHOLE, others=(("number", 1),)),
    "sources-reverted": Route(WORKS, acts=True, others=(("number", 999_999),)),
    "quarantine": Route(WHOLE),
    "quarantine-exported": Route(WHOLE, others=(("number", 1),)),
    "quarantine-fixed": Route(WORKS, others=(("number", 1),)),
    "quarantine-retried": Route(WORKS, acts=True),
    "mappings": Route(WHOLE),
    "mappings-proposed": Route(WORKS, acts=True),
    "mappings-draft": Route(WORKS, others=(("digest", "0" * 64),)),
    "mappings-taken": Route(WORKS, acts=True, others=(("digest", "0" * 64),)),
    "jobs": Route(WHOLE),
    "jobs-assessed": Route(WORKS, acts=True),
    "jobs-scheduled": Route(WORKS, acts=True),
    "jobs-job": Route(WHOLE, others=(("number", 1),)),
    "jobs-answered": Route(WORKS, acts=True, others=(("number", 1),)),
    "jobs-cancelled": Route(WORKS, acts=True, others=(("number", 1),)),
    "jobs-again": Route(WORKS, acts=True, others=(("number", 1),)),
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
