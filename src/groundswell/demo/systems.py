"""The rows that the four systems of the made vendor show at a month-end: what they know by then, in their own words."""

from collections.abc import Iterator
from datetime import date, timedelta

from groundswell.core.tables.identity import salesforce_18
from groundswell.demo.behaviour import OF_MARKETING, Event, credentials_of, events_of, readings_of
from groundswell.demo.cast import Partner, ascii_of, cast, chance
from groundswell.demo.deals import KEPT, Deal, deals_of, disputes, registrations_of, salesforce_15
from groundswell.demo.truth import Truth, planted
from groundswell.demo.words import MANAGERS, PARTNER_TYPES, TIERS

DAY = timedelta(days=1)
OVERLAP = 2
"""Days of the month before that a feed repeats."""

Row = list[str]


class World:
    """Everybody and every deal, in memory; the rows of a month are made as they are asked for.

    `truth` counts the rows that are wrong on purpose as they are given out. Raises ValueError where nobody has joined.
    """

    def __init__(self, partners: int, seed: int, until: date) -> None:
        everybody = cast(partners, seed, until)
        self.seed, self.until, self.truth = seed, until, Truth()
        self.partners = [partner for partner in everybody if partner.joined_on <= until]
        if not self.partners:
            raise ValueError(f"nobody has joined the programme by {until}")
        self.by_number = {partner.number: partner for partner in everybody}
        sellers = [partner for partner in everybody if partner.kind in ("active", "ready_idle")]
        self.deals = {one.number: deals_of(seed, one, until, sellers) for one in self.partners}
        pair = sorted(everybody, key=lambda one: (one.kind != "active", one.kind != "ready_idle", one.number))[:2]
        own = [deal for deals in self.deals.values() for deal in deals]
        self.all = sorted([*own, *disputes(seed, pair, until)], key=lambda deal: (deal.created_on, deal.deal_id))
        self.held: dict[date, list[Event]] = {}
        for partner in self.partners:
            self.truth.partners[partner.partner_id] = planted(seed, partner, self.deals[partner.number], until)

    def rows(self, first: date, last: date) -> dict[str, Iterator[Row]]:
        """The rows of each file of a month that begins on `first`, as of `last`, in the order of the columns."""
        events = self._feed(first, last)
        return {
            "crm_opportunities.csv": self._deals(last),
            "crm_stage_history.csv": self._stages(first, last),
            "learning_credentials.csv": self._credentials(last),
            "marketing_activities.csv": self._activities(events, last, marketing=True),
            "portal_activities.csv": self._activities(events, last, marketing=False),
            "portal_partners.csv": self._partners(last),
            "portal_registrations.csv": self._registrations(first, last),
            "survey_readings.csv": self._readings(last),
        }

    def _wrong(self, last: date, name: str, rows: int = 1) -> None:
        file = f"{last:%Y-%m}/{name}"
        self.truth.wrong[file] = self.truth.wrong.get(file, 0) + rows

    # ------------------------------------------------------------------------------------------------------- CRM

    def _deals(self, last: date) -> Iterator[Row]:
        """A row for each deal and partner, all that were entered by then; one row twice."""
        repeated = False
        for deal in self.all:
            if deal.stage(last) and deal.closed_on > last - KEPT[deal.won]:
                rows = self._deal(deal, last)
                yield from rows
                if not repeated and not deal.bare and deal.stage(last) == "Closed Won":
                    repeated = True
                    yield rows[0]

    def _deal(self, deal: Deal, last: date) -> list[Row]:
        stage, disputed = deal.stage(last), deal.disputed_until is not None and last < deal.disputed_until
        cents = deal.cents if stage.startswith("Closed") else deal.first_cents
        known = ["", "", ""] if deal.bare else [deal.buyer, deal.country, deal.industry]
        days = ["", ""] if deal.bare else [f"{deal.close_on(last):%d.%m.%Y}", f"{deal.created_on:%d.%m.%Y}"]
        found = []
        for place, (number, role) in enumerate(deal.parts):
            amount = "" if deal.bare or cents is None else _with_comma(cents - 300_000 * (disputed and place > 0))
            what = ["", ""] if deal.bare else [deal.type, deal.product]
            partner = [salesforce_15("001", number), self.by_number[number].name, role]
            found.append([deal.deal_id, deal.name, *known, stage, "USD", amount, *days, *what, deal.owner, *partner])
        if disputed:
            self._wrong(last, "crm_opportunities.csv", len(found))
        return found

    def _stages(self, first: date, last: date) -> Iterator[Row]:
        """The changes of stage of the month, as the CRM keeps them."""
        for deal in self.all:
            for place, (day, stage) in enumerate(deal.changes):
                if first <= day <= last and not deal.bare:
                    cents = deal.cents if stage.startswith("Closed") else deal.first_cents
                    amount = "" if cents is None else f"{cents / 100:.2f}"
                    made = f"008{deal.deal_id[3:8]}{place}{deal.deal_id[9:]}"
                    yield [made, deal.deal_id, stage, amount, f"{day}T10:{place:02d}:00.000Z", "false"]

    # ---------------------------------------------------------------------------------------------------- portal

    def _partners(self, last: date) -> Iterator[Row]:
        """All partners; the first comes twice, the second time typed with a day that no calendar has."""
        listed = [partner for partner in self.partners if partner.joined_on <= last]
        for partner in listed:
            row = self._partner(partner, last)
            yield row
            if partner is listed[0]:
                self._wrong(last, "portal_partners.csv")
                yield [*row[:8], "2025-02-30", *row[9:]]

    def _partner(self, partner: Partner, last: date) -> Row:
        rng, thin, place = chance(self.seed, "listed", partner.number), partner.kind == "thin", partner.number
        renamed = partner.renamed_on and partner.renamed_on <= last
        domain = f"https://www.{partner.domain}/" if place % 6 == 4 else partner.domain
        started = partner.stage(last) not in ("starting", "unstarted")
        tier = rng.choice(TIERS) if started and not thin else ""
        parent = self.by_number.get(place - 10) if place % 23 == 0 else None
        made = salesforce_15("001", place)
        return [
            partner.partner_id,
            f"{partner.name.split()[0]} Group {partner.country[2]}" if renamed else partner.name,
            "" if thin and place % 2 else domain,
            partner.country[0],
            rng.choice(PARTNER_TYPES),
            partner.country[1],
            "active" if started else "onboarding",
            tier,
            "" if thin else partner.joined_on.isoformat(),
            "" if thin else rng.choice(MANAGERS),
            parent.partner_id if parent and parent.joined_on <= last else "",
            made if place % 3 else salesforce_18(made),
        ]

    def _registrations(self, first: date, last: date) -> Iterator[Row]:
        """Claims made or decided in the month."""
        for partner in self.partners:
            near = self.deals[partner.number]
            deals = [deal for deal in near if first - 60 * DAY < deal.created_on < last + 15 * DAY]
            for one in registrations_of(self.seed, partner, deals, first - 40 * DAY, last):
                if one.submitted_on >= first or first <= one.decided_on <= last:
                    state, closure = one.as_of(last)
                    decided = one.decided_on <= last
                    shown = self._entered(one.deal_id, partner.number, last)
                    yield [
                        one.registration_id, partner.partner_id, one.buyer, f"{ascii_of(one.buyer)}.example", state, closure,
                        f"{one.submitted_on}T09:15:00Z", f"{one.decided_on}T15:30:00Z" if decided else "",
                        f"{one.decided_on + 90 * DAY}" if state == "approved" else "", one.deal_id if shown else "",
                        f"{one.cents / 100:.2f}", "USD",
                    ]  # fmt: skip

    def _entered(self, deal_id: str, number: int, last: date) -> bool:
        """Whether the CRM shows a deal by then."""
        return any(deal.deal_id == deal_id and deal.stage(last) for deal in self.deals[number])

    # ------------------------------------------------------------------------------------------------ activities

    def _feed(self, first: date, last: date) -> list[Event]:
        """The events of a month, in order, with those of the last days of the month before once more."""
        before = (first - DAY).replace(day=1)
        for month in (before, first):
            if month not in self.held:
                self.held[month] = [
                    event
                    for partner in self.partners
                    for event in events_of(self.seed, partner, self._going_on(partner, month), month)
                ]
        both = [*self.held.pop(before), *self.held[first]]
        return sorted(
            (event for event in both if first - OVERLAP * DAY <= event.day <= last),
            key=lambda event: (event.moment, event.source_id),
        )

    def _going_on(self, partner: Partner, first: date) -> list[Deal]:
        return [
            deal
            for deal in self.deals[partner.number]
            if not deal.bare and deal.created_on <= first + 31 * DAY and deal.closed_on >= first
        ]

    def _activities(self, events: list[Event], last: date, *, marketing: bool) -> Iterator[Row]:
        """The rows of one of the two systems; some twice; in each quarter's first month one without a type."""
        rng, name = chance(self.seed, "feed", last.replace(day=1), marketing), "portal_activities.csv"
        for place, event in enumerate(one for one in events if (one.type in OF_MARKETING) == marketing):
            row = _activity(event)
            yield row
            if rng.random() < 0.004 or place == 1:
                yield row
            if place == 2 and last.month % 3 == 1 and not marketing:
                self._wrong(last, name)
                yield [*row[:2], "", *row[3:-1], f"{row[-1]}-X"]

    # ------------------------------------------------------------------------------------------------- certificates

    def _credentials(self, last: date) -> Iterator[Row]:
        """All certificates, by day of issue; the first once more, without its code."""
        held = [
            (one.issued_on, partner, one)
            for partner in self.partners
            if partner.joined_on <= last
            for one in credentials_of(self.seed, partner, last)
        ]
        held.sort(key=lambda entry: (entry[0], entry[1].number, entry[2].person.email, entry[2].code))
        for place, (issued, partner, one) in enumerate(held):
            ran_out = one.expires_on is not None and one.expires_on < last
            email = one.person.email.title() if one.code == "KD-IMPL" else one.person.email
            gone = one.person.left if one.person.left and one.person.left <= last else None
            row = [
                partner.partner_id, email, one.person.name, one.code, one.level,
                "expired" if ran_out and not one.says_active else "active", f"{issued:%d.%m.%Y}",
                f"{one.expires_on:%d.%m.%Y}" if one.expires_on else "", f"{gone:%d.%m.%Y}" if gone else "",
            ]  # fmt: skip
            yield row
            if place == 0 and len(held) > 1:
                self._wrong(last, "learning_credentials.csv")
                yield [*row[:3], "", *row[4:]]

    def _readings(self, last: date) -> Iterator[Row]:
        """What the interviews of the half-year found, in April and October."""
        if last.month not in (4, 10):
            return
        ends = last.replace(month=last.month - 1, day=30)
        begins = ends.replace(year=ends.year - (ends.month == 3), month=(ends.month + 6) % 12 + 1, day=1)
        ends += DAY * (ends.month == 3)
        for partner in self.partners:
            for kind, value, unit in readings_of(self.seed, partner, ends):
                yield [partner.partner_id, kind, str(value), unit, str(begins), str(ends)]


def _with_comma(cents: int) -> str:
    return f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02d}"


def _activity(event: Event) -> Row:
    moment = event.moment.isoformat(timespec="seconds") if event.dated else event.day.isoformat()
    made = salesforce_18(event.deal_id)
    return [
        f"P-{event.partner:04d}",
        moment,
        event.type,
        event.email,
        event.channel,
        made,
        event.value,
        event.source_id,
    ]
