"""Asking for work and calling it off."""

import datetime as dt
from collections.abc import Mapping
from typing import cast

from groundswell.actions.act import Actor, act
from groundswell.actions.uploads import Upload, kept
from groundswell.engine.home import Home
from groundswell.records import jobs as states
from groundswell.records.jobs import Job, Schedule
from groundswell.records.loads import Load
from groundswell.runs import jobs

_RIGHT = "take in data"


class CannotAsk(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Why a job is not asked for or not called off, in words for whoever asked."""


def take_in(
    actor: Actor,
    upload: Upload,
    source: str = "",
    exported_at: str = "",
    mapping: str = "",
    once: str = "",
) -> Job:
    """Ask for a kept file to be taken in; the same file, asked for in the same way, is one job. Raises NotAllowed.

    `mapping` names a file beside it; without one, the mappings that are kept and the formats that ship are tried.
    """
    words = [f"./{upload.path.name}"]
    words += [f"--source={source}"] if source else []
    words += [f"--exported-at={exported_at}"] if exported_at else []
    words += [f"--mapping={mapping}"] if mapping else []
    request = {"words": words, "name": upload.path.name, "digest": upload.digest}
    said: dict[str, object] = {"digest": upload.digest}
    return _asked(
        actor, "asked to take in", upload.path.name, said, "take-in", request, f"{upload.digest} {words}", once
    )


def answer(actor: Actor, job: Job, answers: Mapping[str, Mapping[str, str]]) -> Job:
    """Answer what a job asked, file by file and column by column: another job, that knows. Raises NotAllowed, CannotAsk."""
    if job.state != states.ASKS:
        raise CannotAsk(f"Job {job.pk} asks nothing any more.")
    told = [f"--answer={file}:{column}={said}" for file, ones in answers.items() for column, said in ones.items()]
    words = [*(one for one in job.request["words"] if one not in told), *told]
    request = {**job.request, "words": words, "answers": job.pk}
    name, digest = job.request["name"], job.request["digest"]
    said: dict[str, object] = {"digest": digest, "answered": len(told)}
    return _asked(actor, "answered and asked to take in", name, said, "take-in", request, f"{digest} {words}")


def assess(actor: Actor, as_of: dt.date, once: str = "") -> Job:
    """Ask for every partner to be assessed as of a day, and published. Raises NotAllowed."""
    newest = Load.objects.order_by("-number").values_list("number", flat=True).first()
    reverted = Load.objects.filter(voided_at__isnull=False).count()
    inputs = f"{newest} {reverted} {Home(actor.home).policy.version}"
    return _asked(actor, "asked to assess", str(as_of), {}, "assess", {}, inputs, once, as_of, "assess")


def retry(actor: Actor, corrected: Upload, load: str, once: str = "") -> Job:
    """Ask for corrected rows of a load to be taken in again. Raises NotAllowed."""
    request = {
        "words": [f"./{corrected.path.name}"],
        "name": corrected.path.name,
        "digest": corrected.digest,
        "of": load,
    }
    said: dict[str, object] = {"digest": corrected.digest}
    return _asked(actor, "asked to retry rows of", load, said, "retry", request, corrected.digest, once)


def revert(actor: Actor, load: Load, why: str, once: str = "") -> Job:
    """Ask for a load to be taken back. Raises NotAllowed, CannotAsk without a reason, or where it was taken back."""
    if not why.strip():
        raise CannotAsk("Say in a few words why, so that whoever misses the rows later can read it.")
    if load.voided_at is not None or load.state != "committed":
        raise CannotAsk(f"{load.name} does not stand any more.")
    request = {"words": [load.name, f"--why={why.strip()}"], "of": load.name}
    return _asked(actor, "asked to revert", load.name, {}, "revert", request, load.name, once)


def again(actor: Actor, job: Job) -> Job:
    """Ask anew for what has failed or was called off. Raises NotAllowed, CannotAsk."""
    if job.state not in (states.FAILED, states.CANCELLED):
        raise CannotAsk(f"Job {job.pk} is {job.state}; there is nothing to try again.")
    as_of = dt.date.fromisoformat(job.as_of) if job.as_of else None
    if (digest := job.request.get("digest")) and kept(actor.home, digest) is None:
        raise CannotAsk("The file is not kept any more. Hand it over again.")
    right = {"assess": "assess", "export": "export partners"}.get(job.kind, _RIGHT)
    return _asked(
        actor, "asked again for", f"job {job.pk}", {}, job.kind, job.request, f"again {job.pk}", "", as_of, right
    )


def _asked(
    actor: Actor, verb: str, about: str, said: Mapping[str, object], kind: str, request: Mapping[str, object], inputs: str,
    once: str = "", as_of: dt.date | None = None, right: str = _RIGHT,
) -> Job:  # fmt: skip
    """One job and one entry; none of either for what was asked already.

    Raises CannotAsk for a word that no command line can hold.
    """
    if any("\0" in word for word in cast(list[str], request.get("words", []))):
        raise CannotAsk("What is written here holds a character that cannot be handed on. Type it anew.")
    with act(actor, verb, about, said, right=right) as one:
        job, one.changed = jobs.ask(
            kind, request, inputs, actor.now, actor.staff, as_of.isoformat() if as_of else "", once
        )
        one.said["job"] = job.pk
    return job


def cancel(actor: Actor, job: Job) -> bool:
    """Call a job off; whether that was still possible. Raises NotAllowed."""
    with act(actor, "called off", f"job {job.pk}", right=_RIGHT) as one:
        one.changed = jobs.cancel(job)
    return one.changed


def daily(actor: Actor, at: dt.time | None) -> None:
    """Assess every day at a time of the home zone, or not any more. A time that is over today begins tomorrow.

    Raises NotAllowed.
    """
    with act(actor, "set the daily assessment", at.isoformat("minutes") if at else "off", right="assess"):
        Schedule.objects.filter(kind="assess").delete()
        if at:
            local = actor.now.astimezone(Home(actor.home).zone)
            Schedule.objects.create(kind="assess", at=at, last_for=local.date() if local.time() >= at else None)
