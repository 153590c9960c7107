"""What is planted, as of a day: the kind of each partner, and the facts that show it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from groundswell.demo.behaviour import credentials_of
from groundswell.demo.cast import Partner
from groundswell.demo.deals import Deal

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Planted:
    """The kind of one partner on the last day of the exports, and the facts in words."""

    partner_id: str
    kind: str
    facts: str


@dataclass
class Truth:
    """What was made: the partners by their portal's id, and by file the rows that a take-in must set aside."""

    partners: dict[str, Planted] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each partner."""
        return {one.partner_id: one.kind for one in self.partners.values()}


def planted(seed: int, partner: Partner, deals: list[Deal], until: date) -> Planted:
    """What is true of a partner on a day, whatever the exports happen to show of it."""
    won = [deal.closed_on for deal in deals if deal.won and not deal.bare and deal.closed_on <= until]
    kind = kind_of(partner, won, until)
    return Planted(partner.partner_id, kind, "; ".join(_facts(seed, partner, deals, won, until)))


def kind_of(partner: Partner, won: list[date], until: date) -> str:
    """The kind of a partner on a day; on the anchor day it is the one planted."""
    stage, since = partner.stage(until), partner.since(until)
    lasting = {"thin": "thin", "gaming": "gamer", "looking": "visible_weak"}
    if stage in lasting:
        return lasting[stage]
    if until - partner.joined_on < YEAR / 2:
        return "new"
    if stage == "unstarted":
        return "never_started"
    if any(day > until - YEAR for day in won):
        return "active"
    if stage == "silent" and until - since > YEAR / 3:
        return "lapsed" if until - since > YEAR else "quiet_strong" if won else "developing"
    return "ready_idle" if stage == "engaged" and until - since > YEAR / 3 else "developing"


def _facts(seed: int, partner: Partner, deals: list[Deal], won: list[date], until: date) -> Iterator[str]:
    joined = f"joined {partner.joined_on}" if partner.kind != "thin" else "day of joining not recorded"
    yield f"{joined}, visits every {partner.cadence} days"
    yield f"{partner.stage(until)} since {partner.since(until)}"
    if won:
        lately = sum(day > until - YEAR for day in won)
        yield f"{len(won)} deals won from {min(won)} to {max(won)}, {lately} of them in the last 12 months"
    if opened := sum(deal.created_on <= until < deal.closed_on for deal in deals):
        yield f"{opened} deals open"
    live = {
        one.person.email
        for one in credentials_of(seed, partner, until)
        if (one.expires_on or until) >= until and one.person.there(until)
    }
    yield f"{len(live)} people certified"
    if partner.renamed_on and partner.renamed_on <= until:
        yield f"renamed on {partner.renamed_on}"
