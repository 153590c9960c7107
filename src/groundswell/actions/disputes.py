"""Saying that a figure is wrong, and answering it."""

from groundswell.actions.act import Actor, NotAllowed, act
from groundswell.records.disputes import Dispute
from groundswell.records.runs import PublishedPartner

LONGEST = 2_000
"""Characters in which somebody says what is wrong: a page of text, which is read as a whole."""


class CannotAnswer(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Why a dispute is not answered: somebody was faster, or nothing was said."""


def dispute(actor: Actor, partner: PublishedPartner, signal: str, row: str, why: str) -> Dispute:
    """Say that a figure of a partner that the actor sees is wrong. Raises NotAllowed; CannotAnswer without a reason, or
    with one that is too long.

    Said twice in the same words while nobody has answered, it is one dispute: a form that was sent twice does no harm.
    """
    why = why.strip()
    if not why:
        raise CannotAnswer("say in a few words what is wrong, so that it can be looked into")
    if len(why) > LONGEST:
        raise CannotAnswer(f"say it in {LONGEST:,} characters; these are {len(why):,}")
    if actor.staff is None:
        raise NotAllowed("a dispute is somebody's; sign in to open one")
    said = {"partner_id": partner.partner_id, "signal": signal, "row": row, "why": why}
    with act(actor, "disputed", partner.partner_id, {"signal": signal, "row": row}, right="dispute a figure") as one:
        # Looked for here, where no other writer is: of forms sent at once each would find none before.
        if same := Dispute.objects.filter(asked_by=actor.staff, verdict="", **said).first():
            one.changed = False
            return same
        return Dispute.objects.create(
            **said, partner_name=partner.name, run_id=partner.run_id, asked_by=actor.staff, asked_at=actor.now
        )


def answer(actor: Actor, one: Dispute, verdict: str, said: str) -> Dispute:
    """Answer a dispute, once: upheld, or the figure stands. Raises NotAllowed, CannotAnswer."""
    if verdict not in ("upheld", "stands") or not said.strip():
        raise CannotAnswer("choose whether the figure stands, and say why")
    with act(actor, "answered a dispute", f"dispute {one.pk}", {"verdict": verdict}, right="answer disputes"):
        fresh = Dispute.objects.select_for_update().get(pk=one.pk)
        if fresh.verdict:
            raise CannotAnswer(f"{fresh.answered_by} answered this at {fresh.answered_at:%H:%M}: {fresh.answer}")
        fresh.verdict, fresh.answer, fresh.answered_by, fresh.answered_at = (
            verdict,
            said.strip(),
            actor.staff,
            actor.now,
        )
        fresh.save()
    return fresh
