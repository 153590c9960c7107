"""Who looks after which partner."""

from collections.abc import Collection

from groundswell.actions.act import Actor, NotAllowed, act
from groundswell.core.rights import MANAGER
from groundswell.reads.partners import published
from groundswell.reads.rights import mine
from groundswell.records.staff import Book, Staff


def assign(actor: Actor, partner_ids: Collection[str], manager: Staff | None) -> int:
    """Put partners into a manager's book, or (None) into nobody's; how many. Ids that the actor does not see are left out.

    Raises NotAllowed.
    """
    about = manager.email if manager else "nobody"
    with act(actor, "assigned partners to", about, right="assign partners") as one:
        if manager is not None and (manager.role != MANAGER or not manager.is_active):
            raise NotAllowed(f"{manager} is no partner manager")
        rows = published().partners.filter(partner_id__in=set(partner_ids))
        seen = sorted((mine(actor.staff, rows) if actor.staff else rows).values_list("partner_id", flat=True))
        one.said["partners"] = seen
        Book.objects.filter(partner_id__in=seen).delete()
        if manager is not None:
            Book.objects.bulk_create(
                [Book(partner_id=partner_id, manager=manager, since=actor.now) for partner_id in seen], batch_size=500
            )
    return len(seen)
