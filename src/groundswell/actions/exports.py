"""Giving the list of partners out as a sheet."""

from pathlib import Path

from groundswell.actions.act import Actor, NotAllowed, act
from groundswell.reads import sheets
from groundswell.reads.listing import HEADERS, Listing, counted, sheet
from groundswell.reads.partners import published


def export(actor: Actor, asked: Listing, form: str, path: Path, currency: str) -> int:
    """Write every partner of a list that the actor sees to a file, "csv" or "xlsx"; how many.

    The entry stands in the trail before the first row is written: nobody leaves with rows and without one. The file is
    whole or not there. Raises NotAllowed; DoesNotFit for a list that a workbook cannot hold.
    """
    if actor.staff is None:
        raise NotAllowed("an export holds what somebody sees; sign in to make one")
    run = published()
    count, _ = counted(run, actor.staff, asked)
    said = {"partners": count, "form": form, "run": run.run_id}
    with act(actor, "exported partners", asked.query() or "all", said, right="export partners"):
        pass
    sheets.save(path, form, HEADERS, sheet(run, actor.staff, asked, currency))
    return count
