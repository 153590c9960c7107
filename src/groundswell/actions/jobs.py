"""Asking for work and calling it off."""

import datetime as dt

from groundswell.actions.act import Actor, act
from groundswell.records.jobs import Job
from groundswell.runs import jobs


def take_in(actor: Actor, digest: str, words: list[str], name: str) -> Job:
    """Ask for a file to be taken in: `words` are those of the command line. Raises NotAllowed."""
    with act(actor, "asked to take in", name, {"digest": digest}, right="take in data"):
        return jobs.ask("take-in", {"words": words, "name": name}, f"{digest} {words}", actor.now, actor.staff)[0]


def assess(actor: Actor, as_of: dt.date, inputs: str) -> Job:
    """Ask for every partner to be assessed as of a day, and published. Raises NotAllowed."""
    with act(actor, "asked to assess", str(as_of), right="take in data"):
        return jobs.ask("assess", {}, inputs, actor.now, actor.staff, str(as_of))[0]


def cancel(actor: Actor, job: Job) -> None:
    """Call a job off. Raises NotAllowed."""
    with act(actor, "called off", f"job {job.pk}", right="take in data"):
        jobs.cancel(job)
