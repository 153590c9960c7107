"""Who looks after which partner."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from groundswell.actions.act import Actor, NotAllowed, act
from groundswell.core.rights import MANAGER
from groundswell.reads.partners import published
from groundswell.reads.rights import mine
from groundswell.records.staff import Book, Staff
from groundswell.records.trail import Entry

_RIGHT = "assign partners"
_ASSIGNED = "assigned partners to"
_TOOK_BACK = "took back an assignment"
_ENTRY = "entry "
_NOBODY = "nobody"


class CannotUndo(Exception):  # noqa: N818 - what happened, in the glossary's words
    """There is no such act of this person to take back."""


@dataclass(frozen=True)
class Assigned:
    """How many partners changed hands, and the number of the entry by which that can be taken back."""

    count: int
    entry: int


def assign(actor: Actor, partner_ids: Collection[str], manager: Staff | None) -> Assigned:
    """Put partners into a manager's book, or (None) into nobody's. Ids that the actor does not see are left out.

    The entry says whose they were, and since when, so that it can be taken back. Raises NotAllowed.
    """
    about = manager.email if manager else _NOBODY
    with act(actor, _ASSIGNED, about, right=_RIGHT) as one:
        if manager is not None and (manager.role != MANAGER or not manager.is_active):
            raise NotAllowed(f"{manager} is no partner manager")
        rows = published().partners.filter(partner_id__in=set(partner_ids))
        seen = sorted((mine(actor.staff, rows) if actor.staff else rows).values_list("partner_id", flat=True))
        held = Book.objects.filter(partner_id__in=seen).order_by("partner_id")
        before = held.values_list("partner_id", "manager_id", "since")
        one.said |= {"partners": seen, "before": [[who, of, since.isoformat()] for who, of, since in before]}
        held.delete()
        if manager is not None:
            Book.objects.bulk_create(
                [Book(partner_id=partner_id, manager=manager, since=actor.now) for partner_id in seen], batch_size=500
            )
    return Assigned(len(seen), one.number)


def undo(actor: Actor, number: int) -> int:
    """Take back an assignment of the actor's own, by the number of its entry; how many partners are where they were.

    What somebody has assigned since stays as it is now, also where that put it into the book it was in already or into
    nobody's; nothing is taken back a second time. Who was in the book of somebody who is no manager any more goes into
    nobody's. Raises NotAllowed, CannotUndo.
    """
    with act(actor, _TOOK_BACK, f"{_ENTRY}{number}", right=_RIGHT) as one:
        entry = Entry.objects.filter(number=number, verb=_ASSIGNED, who=actor.who).first()
        if entry is None or "before" not in entry.said:
            raise CannotUndo(f"entry {number} is no assignment of yours")
        held = Book.objects.filter(partner_id__in=entry.said["partners"]).select_related("manager")
        there = {book.partner_id: book for book in held}
        since = _assigned_since(entry)
        left = [who for who in entry.said["partners"] if who not in since and _as_left(entry, there.get(who))]
        Book.objects.filter(partner_id__in=left).delete()
        managers = set(Staff.objects.filter(role=MANAGER, is_active=True).values_list("pk", flat=True))
        Book.objects.bulk_create(
            [
                Book(partner_id=who, manager_id=of, since=dt.datetime.fromisoformat(since))
                for who, of, since in entry.said["before"]
                if who in left and of in managers
            ],
            batch_size=500,
        )
        one.said["partners"] = left
        one.changed = bool(left)
    return len(left)


def _as_left(entry: Entry, book: Book | None) -> bool:
    """Whether a partner is still where that assignment put it."""
    if entry.about == _NOBODY:
        return book is None
    return book is not None and book.manager.email == entry.about and book.since == entry.at


def _assigned_since(entry: Entry) -> set[str]:
    """Partners of an assignment that a later act of anybody put somewhere, and that was not taken back, by the trail."""
    acts: dict[str, set[int]] = {who: set() for who in entry.said["partners"]}
    later = Entry.objects.filter(number__gt=entry.number, verb__in=(_ASSIGNED, _TOOK_BACK)).order_by("number")
    for one in later.iterator():
        taken_back = int(one.about.removeprefix(_ENTRY)) if one.verb == _TOOK_BACK else 0
        for who in acts.keys() & one.said["partners"]:
            if taken_back > entry.number:
                acts[who].discard(taken_back)
            else:
                acts[who].add(one.number)
    return {who for who, numbers in acts.items() if numbers}
