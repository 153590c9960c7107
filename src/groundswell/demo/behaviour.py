"""What each partner of the made vendor does, month by month: visits, answers, meetings, courses, certificates, readings.

How much of each a partner does follows from its stage, its own cadence and energy, and the season. The events of a month
depend on nothing but the partner, the month and its deals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random

from groundswell.demo.cast import CAPABLE, Partner, Person, chance
from groundswell.demo.deals import Deal

DAY = timedelta(days=1)
SEASON = {1: 0.9, 7: 0.8, 8: 0.6, 9: 1.1, 10: 1.1, 11: 1.05, 12: 0.65}
"""How much is done in a month of the year; 1 is usual."""
STAGES = (
    "selling",
    "engaged",
    "steady",
    "tapering",
    "starting",
    "developing",
    "looking",
    "silent",
    "unstarted",
    "thin",
)
PER_MONTH: dict[str, tuple[str, tuple[float, ...]]] = {  # channel, then how often a month, in the order of STAGES
    "email_sent": ("email", (1.5, 1.5, 1, 1, 1.2, 1, 1.8, 0.5, 0.5, 0.2)),
    "email_replied": ("email", (1.4, 1.5, 0.7, 0.7, 0.7, 0.45, 0.03, 0, 0, 0)),
    "meeting": ("video", (1.2, 1.1, 0.5, 0.4, 0.5, 0.33, 0.04, 0, 0, 0)),
    "call": ("phone", (0.7, 0.7, 0.3, 0.2, 0.3, 0.25, 0, 0, 0, 0)),
    "joint_call": ("video", (0.8, 0.5, 0.25, 0.15, 0.05, 0.05, 0, 0, 0, 0)),
    "seller_request": ("crm", (1, 0.9, 0.4, 0.25, 0.15, 0.25, 0.1, 0, 0, 0)),
    "demo_given": ("video", (0.4, 0.4, 0.15, 0.1, 0.05, 0.05, 0, 0, 0, 0)),
    "asset_opened": ("portal", (1.2, 1.2, 0.6, 0.5, 0.9, 0.4, 2.8, 0, 0, 1.3)),
    "asset_shared": ("portal", (0.6, 0.5, 0.25, 0.15, 0.05, 0.06, 0.02, 0, 0, 0)),
    "training_started": ("lms", (0.35, 0.5, 0.25, 0.15, 0.6, 0.22, 0.25, 0, 0, 0)),
    "campaign_response": ("web", (0.15, 0.15, 0.1, 0.1, 0.15, 0.12, 1.3, 0, 0, 0)),
    "event_attended": ("event", (0.12, 0.15, 0.06, 0.05, 0.08, 0.05, 0.3, 0, 0, 0)),
    "webinar_attended": ("web", (0.15, 0.25, 0.1, 0.1, 0.25, 0.08, 0.7, 0, 0, 0.2)),
    "forecast_submitted": ("portal", (0.5, 0.3, 0.2, 0.05, 0.02, 0.03, 0, 0, 0, 0)),
    "lead_accepted": ("portal", (0.3, 0.3, 0.12, 0.05, 0.08, 0.06, 0.02, 0, 0, 0)),
    "lead_declined": ("portal", (0.05, 0.04, 0.05, 0.05, 0.02, 0.08, 0.1, 0, 0, 0)),
    "support_ticket": ("portal", (0.25, 0.1, 0.15, 0.1, 0.15, 0.08, 0.08, 0, 0, 0)),
    "plan_step_done": ("portal", (0.4, 0.4, 0.15, 0.05, 0.2, 0.06, 0, 0, 0, 0)),
}
OF_MARKETING = frozenset({"email_sent", "email_replied", "campaign_response", "event_attended", "webinar_attended"})
"""What the marketing tool records; the rest comes from the portal."""
ON_DEALS = frozenset({
    "meeting", "call", "joint_call", "seller_request", "demo_given", "asset_shared", "forecast_submitted",
})  # fmt: skip
ANSWERS = {  # stage -> share of a seller's requests that is answered, usual hours
    "selling": (0.94, 7), "engaged": (0.95, 6), "steady": (0.85, 14), "tapering": (0.75, 20), "starting": (0.75, 20),
    "developing": (0.55, 45), "looking": (0.15, 90),
}  # fmt: skip
VISITS = {
    "selling": 0.95, "engaged": 0.92, "steady": 0.9, "tapering": 0.9, "starting": 0.85, "developing": 0.75,
    "looking": 0.9, "gaming": 0.8,
}  # fmt: skip
"""Share of the visits due by its cadence that a partner really makes."""
FINISHES = {"looking": 0.15, "developing": 0.55, "starting": 0.6}


@dataclass(frozen=True)
class Event:
    """Something that happened; `hour` is empty where the system keeps only the day."""

    partner: int
    moment: datetime
    dated: bool
    type: str
    email: str
    channel: str
    deal_id: str
    value: str
    source_id: str = ""

    @property
    def day(self) -> date:
        """Day in UTC, which decides the month's file that the event stands in."""
        return self.moment.astimezone(UTC).date()


def events_of(seed: int, partner: Partner, deals: list[Deal], first: date) -> list[Event]:
    """What a partner did in the month that begins on `first`; answers and courses may end in the next one."""
    last = (first + 31 * DAY).replace(day=1) - DAY
    if partner.joined_on > last:
        return []
    maker = _Maker(chance(seed, "events", partner.number, first), partner, deals)
    for stage, begin, end in partner.spans(first, last):
        maker.visit(seed, stage, begin, end)
        if stage == "gaming":
            maker.burst(begin, end)
        elif stage in STAGES:
            maker.usual(stage, begin, end)
        maker.events = [event for event in maker.events if event.day <= partner.until(begin)]
    found = sorted(maker.events, key=lambda event: (event.moment, event.type))
    named = f"A{partner.number:05d}-{first:%y%m}"
    return [Event(**{**vars(event), "source_id": f"{named}-{place:03d}"}) for place, event in enumerate(found, 1)]


class _Maker:
    """Events of one partner and month, as they are drawn."""

    def __init__(self, rng: Random, partner: Partner, deals: list[Deal]) -> None:
        self.rng, self.partner, self.deals = rng, partner, deals
        self.zone = timezone(timedelta(hours=int(partner.country[3][:3])))
        self.events: list[Event] = []

    def add(self, kind: str, channel: str, moment: datetime, who: str, deal_id: str = "", value: str = "") -> None:
        """Put an event down; one in twelve keeps only its day."""
        dated = self.rng.random() < 0.92
        self.events.append(Event(self.partner.number, moment, dated, kind, who, channel, deal_id, value))

    def at(self, day: date, hour: int | None = None) -> datetime:
        """A moment of a day, at work unless an hour is given."""
        hour = self.rng.choice((8, 9, 9, 10, 10, 11, 13, 14, 14, 15, 16, 17)) if hour is None else hour
        return datetime.combine(day, time(hour, self.rng.randint(0, 59)), self.zone)

    def somebody(self, day: date) -> Person | None:
        """Who acts on a day: the first of a partner do most."""
        there = [person for person in self.partner.people if person.there(day)]
        weights = [1 / (1 + place) for place in range(len(there))]
        return self.rng.choices(there, weights)[0] if there else None

    def open_deal(self, day: date) -> str:
        """One of the deals that are open on a day."""
        found = [deal.deal_id for deal in self.deals if deal.created_on <= day < deal.closed_on]
        return self.rng.choice(found) if found else ""

    def workday(self, begin: date, end: date) -> date:
        """A day between two, hardly ever at a weekend."""
        day = begin + self.rng.randint(0, (end - begin).days) * DAY
        return max(begin, day - max(0, day.weekday() - 4) * DAY)

    def visit(self, seed: int, stage: str, begin: date, end: date) -> None:
        """Sign-ins by the partner's own cadence: every so many days, a third early or late, with holidays left out."""
        every, share = self.partner.cadence, VISITS.get(stage, 0)
        number = (begin - self.partner.joined_on).days // every - 1
        while share and (due := self.partner.joined_on + number * every * DAY) <= end + every * DAY:
            own = chance(seed, "visit", self.partner.number, number)
            day = due + round(own.uniform(-0.3, 0.3) * every) * DAY
            day -= max(0, day.weekday() - 4) * DAY
            away = (day.month == 8 and own.random() < 0.35) or (day.month, day.day) >= (12, 22)
            if begin <= day <= end and not away and own.random() < share:
                people = 1 + (own.random() < 0.45) + (own.random() < 0.25 and stage in ("selling", "engaged"))
                there = [self.partner.people[0]] if stage == "gaming" else [self.somebody(day) for _ in range(people)]
                for email in dict.fromkeys(one.email for one in there if one):
                    self.add("portal_login", "portal", self.at(day), email)
            number += 1

    def usual(self, stage: str, begin: date, end: date) -> None:
        """What its stage does, as often as its energy and the season let it."""
        share = SEASON.get(begin.month, 1) * ((end - begin).days + 1) / 30
        for kind, (channel, rates) in PER_MONTH.items():
            rate = rates[STAGES.index(stage)] * share * (1 if kind == "email_sent" else self.partner.energy)
            for _ in range(int(rate + self.rng.random())):
                day = self.workday(begin, end)
                deal_id = self.open_deal(day) if kind in ON_DEALS else ""
                if not (one := self.somebody(day)) or (kind in ("seller_request", "asset_shared") and not deal_id):
                    continue
                who = "" if stage == "thin" else one.email
                moment = self.at(day)
                self.add(kind, channel, moment, who, deal_id)
                self.follow(stage, kind, moment, who, deal_id)

    def follow(self, stage: str, kind: str, moment: datetime, who: str, deal_id: str) -> None:
        """The answer to a seller's request, the end of a course."""
        if kind == "seller_request":
            share, usual = ANSWERS[stage]
            hours = min(500, max(1, round(usual * self.rng.lognormvariate(0, 0.7))))
            if self.rng.random() < share:
                self.add("seller_reply", "email", moment + timedelta(hours=hours), who, deal_id, str(hours))
        if kind == "training_started" and self.rng.random() < FINISHES.get(stage, 0.85):
            done = moment + self.rng.randint(1, 20) * DAY
            self.add("training_completed", "lms", done, who, value=f"{self.rng.randint(58, 100) / 100:.2f}")

    def burst(self, begin: date, end: date) -> None:
        """One person at night: a sign-in, many assets within minutes, and courses clicked through."""
        one = self.partner.people[0]
        for _ in range(self.rng.randint(1, 2)):
            night = self.at(begin + self.rng.randint(0, (end - begin).days) * DAY, 3)
            self.add("portal_login", "portal", night, one.email)
            for _ in range(self.rng.randint(8, 14)):
                night += timedelta(seconds=self.rng.randint(20, 90))
                self.add("asset_opened", "portal", night, one.email)
            for _ in range(self.rng.choice((0, 0, 3, 5))):
                night += timedelta(minutes=self.rng.randint(2, 5))
                self.add("training_completed", "lms", night, one.email, value="0.60")


# ------------------------------------------------------------------------------------------ certificates, readings


@dataclass(frozen=True)
class Credential:
    """What a person holds; without a last day it does not run out."""

    person: Person
    code: str
    level: str
    issued_on: date
    expires_on: date | None
    says_active: bool
    """Whether it still calls itself active when it has run out."""


def credentials_of(seed: int, partner: Partner, until: date) -> Iterator[Credential]:
    """Everything issued to a partner's people by a day, renewals included."""
    for person in partner.people:
        for code, level, issued in person.credentials:
            day, number = issued, 0
            rng = chance(seed, "credential", person.email, code)
            while day <= until:
                ends = None if code == "KD-FOUND" else day + timedelta(days=730)
                named = "" if partner.kind == "thin" else level
                yield Credential(person, code, named, day, ends, rng.random() < 0.5)
                day, number = day + timedelta(days=rng.randint(680, 725)), number + 1
                if ends is None or partner.stage(day) not in CAPABLE or not person.there(day):
                    break


READ = {  # kind of reading -> least and most, where the partner is capable and where it is not; unit
    "use_cases_documented": ((3, 9), (0, 2), "use cases"),
    "icp_specificity": ((3, 4), (0, 2), "0 to 4"),
    "reference_customers": ((2, 6), (0, 1), "customers"),
    "implementations_completed": ((3, 15), (0, 2), "projects"),
    "csat": ((78, 96), (55, 85), "0 to 100"),
    "sales_people": ((2, 8), (0, 2), "people"),
    "competing_products": ((0, 2), (1, 4), "products"),
    "message_consistency": ((3, 4), (1, 3), "0 to 4"),
}
_READ_IN = {"selling": 1.0, "engaged": 1.0, "steady": 0.9, "tapering": 0.9, "developing": 0.5, "looking": 0.4}
"""Share of the partners of a stage that answer the half-yearly interview."""


def readings_of(seed: int, partner: Partner, until: date) -> Iterator[tuple[str, int, str]]:
    """What the interview of a half-year that ends on `until` found of a partner: kind, value, unit."""
    stage, rng = partner.stage(until), chance(seed, "readings", partner.number, until)
    if rng.random() < _READ_IN.get(stage, 0):
        able = stage in ("selling", "engaged", "steady", "tapering")
        for kind, (capable, other, unit) in READ.items():
            if able or rng.random() < 0.6:
                yield kind, rng.randint(*(capable if able else other)), unit
