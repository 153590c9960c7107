"""The people of a made ecosystem: one a role, each with a password made for this instance, and a book for the manager."""

import datetime as dt
import secrets
from collections.abc import Iterator

from groundswell.actions.act import Actor
from groundswell.actions.books import assign
from groundswell.actions.staff import accept, invite
from groundswell.core.rights import MANAGER, ROLES, SELLER
from groundswell.engine.home import Home
from groundswell.reads.partners import published
from groundswell.records.staff import Staff

_NAMES = dict(zip(ROLES, ("Lena Falk", "Omar Haddad", "Maya Lindqvist", "Sam Okoye", "Ada Novak"), strict=True))
_BOOK = 40
_TERRITORY = 3


def people(home: Home) -> Iterator[tuple[str, str, str]]:
    """Let one person a role in; e-mail, password and role of each."""
    now = dt.datetime.now(dt.UTC)
    actor = Actor(home.path, None, now)
    partners = published().partners.order_by("rank")
    countries = sorted(set(partners.exclude(country="").values_list("country", flat=True)))[:_TERRITORY]
    for role in ROLES:
        email, password = f"{role}@larkfield.example", secrets.token_urlsafe(12)
        word = invite(actor, email, _NAMES[role], role, countries if role == SELLER else ())
        accept(Actor(home.path, Staff.objects.get(email=email), now), word, password)
        yield email, password, role
    book = partners.exclude(segment="active").values_list("partner_id", flat=True)[:_BOOK]
    assign(actor, list(book), Staff.objects.get(role=MANAGER))
