"""What people do with loads."""

import datetime as dt

from groundswell.actions.act import Actor, act
from groundswell.engine.home import Home
from groundswell.records.jobs import hold_fence
from groundswell.records.loads import Load, after_the_latest
from groundswell.records.staff import Staff
from groundswell.runs.take_in import settle, taken


class CannotRevert(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Why a load cannot be reverted."""


def revert(home: Home, name: str, why: str, now: dt.datetime, by: Staff | None = None) -> list[Load]:
    """Take a load back: cuts after now skip it, earlier ones do not (a load dated by its source: no cut sees it).

    Published runs keep what they pinned. Later landings of its source are compared anew, since what they found
    unchanged may now be missing; the loads that this adds are returned. Raises NotAllowed, CannotRevert; Unsettled when
    the load is reverted and a later landing cannot be compared. The caller holds the writer's lock.
    """
    part = f"revert {name}"
    if taken(home, part, now):
        return []
    try:
        load = Load.named(name)
    except Load.DoesNotExist as error:
        raise CannotRevert(f"there is no load {name}. See: groundswell loads") from error
    if load.state != "committed":
        raise CannotRevert(f"{name} was never committed, so nothing of it is seen")
    if load.voided_at is not None:
        raise CannotRevert(f"{name} was reverted already, at {load.voided_at:%Y-%m-%d %H:%M:%SZ}")
    if load.again_of is not None:
        raise CannotRevert(f"{name} compared {load.again_of.name} anew; revert that one")
    copies = [load, *Load.objects.filter(again_of=load, voided_at=None, state="committed")]
    moment = after_the_latest(now)  # of no load that was compared with it, so that it is compared alike when rebuilt
    with act(Actor(home.path, by, now), "reverted", load.name, right="take in data"):
        hold_fence(part, load.name)
        for one in copies:
            one.voided_at, one.voided_why, one.settled = moment, why, False
            one.save()
    return settle(home, now)
