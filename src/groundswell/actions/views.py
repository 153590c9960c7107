"""Lists that people keep."""

from groundswell.actions.act import Actor, act
from groundswell.records.staff import Staff
from groundswell.records.views import SavedView


def save(actor: Actor, owner: Staff, name: str, query: str) -> SavedView:
    """Keep a list under a name; a list of that name is replaced."""
    with act(actor, "kept a list", name, {"query": query}):
        return SavedView.objects.update_or_create(owner=owner, name=name, defaults={"query": query})[0]


def drop(actor: Actor, owner: Staff, name: str) -> None:
    """Forget a list."""
    with act(actor, "dropped a list", name):
        SavedView.objects.filter(owner=owner, name=name).delete()
