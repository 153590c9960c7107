"""Giving the list of partners out as a sheet: at once, or by a job that its asker comes back for."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from groundswell.actions.act import Actor, NotAllowed, act
from groundswell.core.rights import ADMINISTRATOR, SEES_ALL
from groundswell.engine import durable
from groundswell.reads import sheets
from groundswell.reads.listing import HEADERS, Listing, counted, sheet
from groundswell.reads.partners import published
from groundswell.reads.rights import mine
from groundswell.records import jobs as states
from groundswell.records.jobs import Job, hold_fence, made
from groundswell.records.staff import Staff
from groundswell.runs import jobs

_RIGHT = "export partners"
_ID = HEADERS.index("partner_id")


class NotThere(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Why a sheet cannot be taken away, in words for whoever asked."""


def export(actor: Actor, asked: Listing, form: str, path: Path, currency: str) -> int:
    """Write every partner of a list that the actor sees to a file, "csv" or "xlsx"; how many.

    The entry stands in the trail before the first row is written: nobody leaves with rows and without one. The file is
    whole or not there. At a command line everybody is seen. Raises NotAllowed; DoesNotFit for a list that a workbook
    cannot hold.
    """
    run, viewer = published(), _viewer(actor)
    count, _ = counted(run, viewer, asked)
    said = {"partners": count, "form": form, "run": run.run_id}
    with act(actor, "exported partners", asked.query() or "all", said, right=_RIGHT):
        pass
    sheets.save(path, form, HEADERS, sheet(run, viewer, asked, currency))
    return count


def ask(actor: Actor, asked: Listing, form: str, name: str) -> Job:
    """Ask for a sheet to be written by a job; the same list of the same run, asked for in the same form, is one job.

    Raises NotAllowed.
    """
    run = published()
    count, _ = counted(run, _viewer(actor), asked)
    said: dict[str, object] = {"partners": count, "form": form, "run": run.run_id}
    request = {"words": [f"--list={asked.query()}"], "name": name, "partners": count}
    with act(actor, "asked to export partners", asked.query() or "all", said, right=_RIGHT) as one:
        inputs = f"{actor.who} {run.run_id} {form} {asked.query()}"
        job, one.changed = jobs.ask("export", request, inputs, actor.now, actor.staff)
        one.said["job"] = job.pk
    return job


def write(actor: Actor, asked: Listing, form: str, path: Path, currency: str) -> int:
    """Write the sheet that a job was asked for, of what its asker sees by now; how many partners.

    The entry is left once the sheet is whole and can be taken away, in the transaction that says where it lies; a job that
    is tried again finds both. Raises NotAllowed, DoesNotFit.
    """
    if made("sheet"):
        return len(_ids(jobs.sheets(actor.home) / made("sheet")))
    if actor.staff is not None and not actor.staff.is_active:
        raise NotAllowed(f"{actor.staff} is not one of us any more")
    run, viewer, ids = published(), _viewer(actor), list[str]()
    durable.make_folder(path.parent)
    sheets.save(path, form, HEADERS, _noted(sheet(run, viewer, asked, currency), ids))
    durable.write(_beside(path), "".join(f"{one}\n" for one in ids).encode())
    said: dict[str, object] = {"partners": len(ids), "form": form, "run": run.run_id}
    with act(actor, "wrote a sheet of partners", asked.query() or "all", said, right=_RIGHT):
        hold_fence("sheet", str(path.relative_to(jobs.sheets(actor.home))))
    return len(ids)


def take(actor: Actor, job: Job) -> Path:
    """Take away the sheet that a job wrote; where it lies. Rights are asked again: sheets outlive them.

    Raises NotAllowed for a role that may not export any more, and for rows that the actor does not see any more; NotThere
    for a sheet that is not written, or not kept any more.
    """
    lies = where(actor.home, job)
    with act(
        actor, "took away a sheet of partners", f"job {job.pk}", {"name": job.request["name"]}, right=_RIGHT
    ) as one:
        if job.state in states.OPEN:
            raise NotThere("It is still being written.")
        if lies is None:
            raise NotThere("It is not there any more. Export the list again.")
        ids = _ids(lies)
        viewer = _viewer(actor)
        if viewer.role not in SEES_ALL:
            seen = set(mine(viewer, published().partners.order_by()).values_list("partner_id", flat=True))
            if not seen.issuperset(ids):
                raise NotAllowed("it holds partners that are not yours any more; export the list again")
        one.said["partners"] = len(ids)
    return lies


def where(home: Path, job: Job) -> Path | None:
    """Where the sheet of a job lies; None where it is not written, or was removed."""
    found = job.effects.filter(key="sheet").first()
    path = jobs.sheets(home) / found.made if found else None
    return path if path and path.is_file() and _beside(path).is_file() else None


def _viewer(actor: Actor) -> Staff:
    """Through whose eyes a list is read. Whoever has the instance's folder sees all of it."""
    return actor.staff or Staff(role=ADMINISTRATOR)


def _noted(rows: Iterable[list[sheets.Cell]], ids: list[str]) -> Iterator[list[sheets.Cell]]:
    for row in rows:
        ids.append(str(row[_ID]))
        yield row


def _beside(path: Path) -> Path:
    """The ids of the partners of a sheet, a line each, so that rights are asked again without reading it."""
    return path.with_name("partners.txt")


def _ids(path: Path) -> list[str]:
    return _beside(path).read_text("utf-8").split()
