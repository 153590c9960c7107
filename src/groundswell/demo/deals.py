"""What the partners of the made vendor sell: deals with their changes, and what they register.

Deals of a partner are drawn in order of creation, so those before a day are the same whatever comes after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from groundswell.demo.cast import ANCHOR, Partner, chance
from groundswell.demo.words import BUYERS, COUNTRIES, INDUSTRIES, PRODUCTS, SELLERS, TOWNS

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEPT = {True: timedelta(days=1300), False: timedelta(days=400)}
"""How long a deal that is won, or is not, stays in the report of the CRM once it is closed."""


def salesforce_15(prefix: str, number: int) -> str:
    """An id as reports print it: case matters in it."""
    text = ""
    for _ in range(5):
        number, digit = divmod(number, 62)
        text = BASE62[digit] + text
    return f"{prefix}5g00000{text}"


@dataclass(frozen=True)
class Deal:
    """One deal. `changes` are (day, stage) as entered in the CRM, `parts` (partner, role as the CRM words it)."""

    deal_id: str
    name: str
    buyer: str
    country: str
    industry: str
    product: str
    type: str
    cents: int
    first_cents: int | None
    """The amount while the deal is open; None: nobody has entered it."""
    created_on: date
    planned: int
    """Days from creation to the close date that the seller plans."""
    tidy: bool
    """Whether the seller moves the close date on when it has passed."""
    closed_on: date
    won: bool
    changes: tuple[tuple[date, str], ...]
    parts: tuple[tuple[int, str], ...]
    owner: str
    bare: bool = False
    """True of a deal that is nearly empty: no amount, account, type, product, day."""
    disputed_until: date | None = None

    def stage(self, day: date) -> str:
        """The stage that the CRM shows on a day; "" before the deal was entered."""
        return next((stage for on, stage in reversed(self.changes) if on <= day), "")

    def close_on(self, day: date) -> date:
        """The close date that the CRM shows: that of closing, else the planned one."""
        if self.stage(day).startswith("Closed"):
            return self.closed_on
        planned = self.created_on + timedelta(days=self.planned)
        while self.tidy and planned < day:
            planned += timedelta(days=45)
        return planned


EVERY = {"selling": 27, "engaged": 48, "developing": 140, "starting": 110, "tapering": 120, "thin": 90}
"""Days between deals, by stage; the other stages have none."""
_LEAST = {
    "selling": 18_000,
    "engaged": 35_000,
    "developing": 12_000,
    "starting": 8_000,
    "tapering": 8_000,
    "thin": 0,
}
_MOST = {
    "selling": 70_000,
    "engaged": 120_000,
    "developing": 60_000,
    "starting": 40_000,
    "tapering": 40_000,
    "thin": 0,
}
_ROLES = ["Referral", "Referral", "Reseller", "Reseller", "Finder"]
_START = ANCHOR - timedelta(days=1300)


def deals_of(seed: int, partner: Partner, until: date, seconds: list[Partner]) -> list[Deal]:
    """The deals of a partner created by `until`. `seconds` are the partners that may have an influence on one."""
    rng, found = chance(seed, "deals", partner.number), []
    for place, (created, closed) in enumerate(partner.wins):
        own = chance(seed, "win", partner.number, place)
        if created <= until:
            found.append(_deal(own, partner, place, created, closed, True, "steady", []))
    day, place = max(partner.joined_on + timedelta(days=30), _START), 100
    while day <= until:
        stage = partner.stage(day)
        every = EVERY.get(stage, 30)
        if stage in EVERY:
            closed, won = _outcome(rng, partner, stage, day, place)
            found.append(_deal(rng, partner, place, day, closed, won, stage, seconds))
            place += 1
        day += timedelta(days=max(3, round(every * rng.uniform(0.7, 1.3) / partner.energy)))
    return sorted(found, key=lambda deal: (deal.created_on, deal.deal_id))


def _outcome(rng: Random, partner: Partner, stage: str, created: date, place: int) -> tuple[date, bool]:
    """When a deal is closed, and whether it is won. Only who sells wins; two in three, in turn, so that growth shows."""
    closed = created + timedelta(days=rng.randint(35, 110) if stage == "selling" else rng.randint(110, 230))
    if stage == "thin":  # some say "won", and neither when nor for how much
        return closed, rng.random() < 0.6
    return closed, stage == "selling" and place % 3 != 2 and partner.stage(closed) == "selling"


def _deal(
    rng: Random,
    partner: Partner,
    place: int,
    created: date,
    closed: date,
    won: bool,
    stage: str,
    seconds: list[Partner],
) -> Deal:
    growth = 1.5 ** ((created - ANCHOR).days / 365) if stage == "selling" else 1
    least, most = _LEAST.get(stage, 12_000), _MOST.get(stage, 60_000)
    cents = (
        round(rng.uniform(0.75, 1.25) * (least + most) * growth if stage == "selling" else rng.uniform(least, most))
        * 100
    )
    cents += rng.choice((0, 25, 50))
    late = timedelta(days=rng.randint(15, 40)) if stage == "selling" and rng.random() < 0.06 else timedelta()
    industry = partner.industry if rng.random() < 0.65 else rng.choice(INDUSTRIES)
    buyer = f"{rng.choice(BUYERS)}{rng.choice(TOWNS)} {industry}"
    country = partner.country[0] if rng.random() < 0.75 else rng.choice(COUNTRIES)[0]
    role, second = rng.choice(_ROLES), rng.random()
    parts = [(partner.number, role)]
    if stage == "selling" and second < 0.15 and (other := _second(rng, partner, seconds, created)):
        parts.append((other, "Influencer"))
    first: int | None = round(cents / 100 * rng.uniform(0.85, 1.15)) * 100
    empty = rng.random() < 0.05
    number = partner.number * 10_000 + place
    return Deal(
        deal_id=salesforce_15("006", number),
        name=f"{buyer} - {partner.product if stage != 'thin' else 'lead'} {place}",
        buyer=buyer,
        country=country,
        industry=industry,
        product=partner.product if rng.random() < 0.5 else rng.choice(PRODUCTS),
        type=rng.choices(("New Business", "Existing Business", "Renewal"), (65, 25, 10))[0],
        cents=cents,
        first_cents=None if empty else first,
        created_on=created,
        planned=rng.randint(60, 150),
        tidy=rng.random() < 0.85,
        closed_on=closed,
        won=won,
        changes=_changes(rng, created, closed, created + late, won, stage),
        parts=tuple(parts),
        owner=rng.choice(SELLERS),
        bare=stage == "thin",
    )


def _second(rng: Random, partner: Partner, seconds: list[Partner], day: date) -> int:
    others = [one.number for one in seconds if one is not partner and one.joined_on <= day]
    return rng.choice(others) if others else 0


def _changes(
    rng: Random, created: date, closed: date, entered: date, won: bool, stage: str
) -> tuple[tuple[date, str], ...]:
    """The stages as entered. A late entry hides what came before it; some closings are corrected weeks later."""
    days = (closed - created).days
    end = "Closed Won" if won else "Closed Lost"
    steps = [(created, "Qualification"), (created + timedelta(days=days // 3), "Proposal")]
    steps += [(created + timedelta(days=days * 2 // 3), "Negotiation")]
    if stage == "selling" and won and rng.random() < 0.06:
        steps += [(closed, "Closed Lost"), (closed + timedelta(days=rng.randint(12, 35)), end)]
    else:
        steps.append((closed, end))
    seen: dict[date, str] = {}
    for day, step in steps:
        seen[max(day, entered)] = step
    return tuple(seen.items())


def disputes(seed: int, pair: list[Partner], until: date) -> list[Deal]:
    """A deal each quarter on whose amount two partners disagree in the first two exports, and agree from the third on."""
    found: list[Deal] = []
    if len(pair) < 2:
        return found
    first = max(_START, *(one.joined_on for one in pair))
    for quarter in range(first.year * 4 + first.month // 3 + 1, until.year * 4 + (until.month + 2) // 3):
        year, month = quarter // 4, quarter % 4 * 3 + 1
        created = date(year, month, 17)
        rng = chance(seed, "dispute", created)
        steps = ((created, "Negotiation"), (created + timedelta(days=100), "Closed Lost"))
        found.append(
            Deal(
                deal_id=salesforce_15("006", 9_000_000_00 + quarter),
                name=f"{BUYERS[0]} {INDUSTRIES[0]} - shared {year}/{month}",
                buyer=f"{BUYERS[0]} {INDUSTRIES[0]}",
                country="DE",
                industry=INDUSTRIES[0],
                product=PRODUCTS[0],
                type="New Business",
                cents=4_800_000,
                first_cents=4_800_000,
                created_on=created,
                planned=90,
                tidy=True,
                closed_on=steps[-1][0],
                won=False,
                changes=steps,
                parts=((pair[0].number, "Advisor"), (pair[1].number, "Influencer")),
                owner=rng.choice(SELLERS),
                disputed_until=date(year, month + 2, 1),
            )
        )
    return found


# --------------------------------------------------------------------------------------------------- registrations


@dataclass(frozen=True)
class Registration:
    """A claim of a partner, with the day on which it was decided and how; without a deal it led to none."""

    registration_id: str
    partner: int
    buyer: str
    submitted_on: date
    decided_on: date
    state: str
    closure: str
    deal_id: str
    cents: int

    def as_of(self, day: date) -> tuple[str, str]:
        """State and closure that the portal shows on a day."""
        return (self.state, self.closure) if self.decided_on <= day else ("submitted", "")


def registrations_of(seed: int, partner: Partner, deals: list[Deal], first: date, last: date) -> Iterator[Registration]:
    """What a partner registered between two days: its own deals, or, to look busy, one customer many times."""
    for deal in deals:
        rng = chance(seed, "registration", deal.deal_id)
        submitted = max(partner.joined_on, deal.created_on + timedelta(days=rng.randint(-12, 9)))
        wanted = rng.random() < 0.6 and not deal.bare and deal.parts[0][0] == partner.number
        state, closure = rng.choices((("approved", ""), ("closed", "rejected")), (9, 1))[0]
        decided = submitted + timedelta(days=rng.randint(1, 7))
        # a claim is made by who is at work, so none is made after a partner fell silent
        if wanted and first <= submitted <= last and partner.stage(submitted) not in ("silent", "unstarted"):
            made = f"R-{deal.deal_id[-5:]}"
            yield Registration(
                made, partner.number, deal.buyer, submitted, decided, state, closure, deal.deal_id, deal.cents
            )
    if partner.stage(last) == "gaming":
        yield from _inflated(seed, partner, first, last)


def _inflated(seed: int, partner: Partner, first: date, last: date) -> Iterator[Registration]:
    """One customer in several spellings, days apart: a burst in two months of three."""
    month = date(last.year, last.month, 1)
    while month >= date(first.year, first.month, 1):
        rng = chance(seed, "inflated", partner.number, month)
        name = rng.choice(BUYERS)
        if rng.random() < 0.7:
            start = month + timedelta(days=rng.randint(0, 14))
            for place in range(rng.randint(4, 7)):
                spelled = rng.choice((name, name.upper(), f"{name}, Inc.", f"{name} Inc", f"The {name} Group"))
                day = start + timedelta(days=rng.randint(0, 9))
                made = f"R-{partner.number:04d}-{month:%y%m}-{place}"
                decided = day + timedelta(days=rng.randint(3, 20))
                if max(first, partner.joined_on) <= day <= last:
                    yield Registration(
                        made, partner.number, spelled, day, decided, "closed", "duplicate", "", 2_500_000
                    )
        month = (month - timedelta(days=1)).replace(day=1)
