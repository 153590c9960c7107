"""What is done with our own people: invite, accept, change role or territory, let go, end a session."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection

from django.contrib.auth.password_validation import validate_password

from groundswell.actions.act import Actor, NotAllowed, act
from groundswell.core.rights import ADMINISTRATOR
from groundswell.records.staff import Invitation, Staff

_VALID = dt.timedelta(days=7)


class CannotInvite(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Why somebody cannot be invited, or an invitation not be accepted."""


def invite(actor: Actor, email: str, name: str, role: str, territory: Collection[str] = ()) -> str:
    """Let somebody in by a link; returns its word, which is nowhere kept. Raises NotAllowed, CannotInvite.

    Whoever was invited and has not come yet gets a new word, and the old one ends.
    """
    email = Staff.objects.normalize_email(email.strip()).lower()
    word = secrets.token_urlsafe(32)
    with act(actor, "invited", email, {"role": role}, right="invite people"):
        staff = Staff.objects.filter(email=email).first()
        if staff and staff.joined_at:
            raise CannotInvite(f"{email} is one of us already")
        staff = staff or Staff(email=email)
        staff.name, staff.role, staff.territory = name.strip(), role, sorted(territory)
        staff.is_active = True  # also of one who was let go before coming
        staff.set_unusable_password()
        staff.save()
        Invitation.objects.update_or_create(
            staff=staff, defaults={"digest": _digest(word), "until": actor.now + _VALID}
        )
    return word


def invited(word: str, now: dt.datetime) -> Staff:
    """Whom a word lets in. Raises CannotInvite where it is unknown, used or too old: which of them is not said."""
    found = Invitation.objects.select_related("staff").filter(digest=_digest(word)).first()
    if found is None or not found.is_open(now) or not found.staff.is_active:
        raise CannotInvite("this invitation is not valid any more; ask an administrator for another")
    return found.staff


def accept(actor: Actor, word: str, password: str) -> Staff:
    """Come in by a word and a password of one's own. Raises CannotInvite; ValidationError for a weak password."""
    staff = invited(word, actor.now)
    validate_password(password, staff)
    with act(actor, "accepted an invitation", staff.email):
        if not Invitation.objects.filter(digest=_digest(word)).delete()[0]:
            raise CannotInvite("this invitation was accepted a moment ago")
        staff.set_password(password)
        staff.joined_at = actor.now
        staff.save()
    return staff


def accept_from_outside(actor: Actor, staff: Staff) -> None:
    """Come in by a provider that vouches for the invited address."""
    with act(actor, "accepted an invitation", staff.email, {"by": "provider"}):
        Invitation.objects.filter(staff=staff).delete()
        staff.joined_at = actor.now
        staff.save()


def change(actor: Actor, staff: Staff, role: str, territory: Collection[str], active: bool) -> None:
    """Change what somebody may do and see, or let them go. Raises NotAllowed also where nobody could administer then."""
    said: dict[str, object] = {"role": role, "territory": sorted(territory), "active": active}
    with act(actor, "changed the rights of", staff.email, said, right="invite people"):
        now_admin = staff.is_active and staff.role == ADMINISTRATOR
        others = Staff.objects.filter(role=ADMINISTRATOR, is_active=True, joined_at__isnull=False).exclude(pk=staff.pk)
        if now_admin and not (active and role == ADMINISTRATOR) and not others.exists():
            raise NotAllowed("the last administrator stays one; make somebody else administrator first")
        staff.role, staff.territory, staff.is_active = role, sorted(territory), active
        staff.save()


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
