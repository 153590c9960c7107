"""Who the partners of the made vendor are, and what is planted in each: a kind, and the life behind it.

A life is a row of stages on fixed days around ANCHOR. It does not depend on the day up to which exports are written, so
a later `until` moves time forward and changes nothing of the months before. Each partner is drawn by a chance of its
own, so neither does the number of partners change the others, but for the shares of the kinds.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import exp
from random import Random

from groundswell.demo.words import CODES, COUNTRIES, FIRST, INDUSTRIES, LAST, PRODUCTS, STEMS, TRADES

ANCHOR = date(2026, 10, 31)
"""The day on which the kinds are as planted: 347 partners, 12 active."""

OF_347 = {
    "active": 12, "ready_idle": 40, "developing": 104, "quiet_strong": 30, "visible_weak": 35, "new": 18, "lapsed": 45,
    "never_started": 35, "thin": 20, "gamer": 8,
}  # fmt: skip
"""How many of 347 are of each kind, in the order in which a small programme has them."""

CAPABLE = frozenset({"selling", "engaged", "steady", "tapering", "developing", "starting"})
"""Stages in which a partner renews what it is certified for."""


@dataclass(frozen=True)
class Person:
    """Someone at a partner; `credentials` are (code, level, first day of issue)."""

    name: str
    email: str
    since: date
    left: date | None
    credentials: tuple[tuple[str, str, date], ...]

    def there(self, day: date) -> bool:
        """Whether the person worked at the partner on this day."""
        return self.since <= day and (self.left is None or day <= self.left)


@dataclass(frozen=True)
class Partner:
    """One partner. `stages` are (first day, stage), oldest first; `wins` are planted (created, closed) days of deals."""

    number: int
    kind: str
    name: str
    domain: str
    country: tuple[str, str, str, str]
    joined_on: date
    stages: tuple[tuple[date, str], ...]
    wins: tuple[tuple[date, date], ...]
    people: tuple[Person, ...]
    cadence: int
    """Days between visits of the portal: 7, 14, 30 or 91."""
    energy: float
    """How much it does of what its stage does; 1 is usual."""
    industry: str
    product: str
    renamed_on: date | None = None

    @property
    def partner_id(self) -> str:
        """The id in the portal."""
        return f"P-{self.number:04d}"

    def stage(self, day: date) -> str:
        """The stage of a day; "" before it joined."""
        return next((name for start, name in reversed(self.stages) if start <= day), "")

    def since(self, day: date) -> date:
        """First day of the stage of a day on or after joining."""
        return next(start for start, _ in reversed(self.stages) if start <= day)

    def until(self, day: date) -> date:
        """Last day of the stage of a day."""
        return next((start - timedelta(days=1) for start, _ in self.stages if start > day), date.max)

    def spans(self, first: date, last: date) -> Iterator[tuple[str, date, date]]:
        """The stages between two days, both included, with their first and last day within."""
        for start, stage in self.stages:
            if start <= last and self.until(start) >= first:
                yield stage, max(start, first), min(self.until(start), last)


def chance(*of: object) -> Random:
    """The chance of one thing, told by its name: other things draw from their own."""
    return Random("|".join(map(str, of)))


def ascii_of(text: str) -> str:
    """Spell for a domain or an e-mail: `Kühn & Weiß` becomes `kuhn-weiss`."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ø", "o").replace("ß", "ss"))
    letters = plain.encode("ascii", "ignore").decode()
    return "-".join("".join(sign if sign.isalnum() else " " for sign in letters).split())


def cast(partners: int, seed: int, until: date) -> list[Partner]:
    """Everybody: `partners` who join by ANCHOR, and who joins from then to `until`. Raises ValueError below 1."""
    if partners < 1:
        raise ValueError("a programme needs at least one partner")
    planted = _kinds(partners)
    chance(seed, "kinds").shuffle(planted)
    firms = _firms(seed)
    found = [_partner(seed, number, kind, firms, 0) for number, kind in enumerate(planted, 1)]
    if partners > 1:
        found[-1] = replace(found[-1], name=found[0].name)  # one name, two firms: only a careless matcher merges them
    days = max(5, round(10 * 347 / partners))  # 18 of 347 in the last half year are one in ten days
    after = range(1, (until - ANCHOR).days // days + 1)
    return found + [_partner(seed, partners + place, "new", firms, days * place) for place in after]


def _kinds(partners: int) -> list[str]:
    """Each kind once while partners last, then by their shares; what is left over is the plain middle."""
    counts = {kind: int(place < partners) for place, kind in enumerate(OF_347)}
    for kind, of_347 in OF_347.items():
        wanted = round(of_347 * partners / 347) if kind != "developing" else 0
        counts[kind] += max(0, min(wanted - counts[kind], partners - sum(counts.values())))
    counts["developing"] += partners - sum(counts.values())
    return [kind for kind, count in counts.items() for _ in range(count)]


def _firms(seed: int) -> list[str]:
    """Names of firms in the order in which they are given; umlauts and an ampersand stand first, in every size."""
    firms = [f"{stem} {trade}" for stem in STEMS for trade in TRADES][1:]
    chance(seed, "firms").shuffle(firms)
    return [f"{STEMS[0]} {TRADES[0]}", *firms]


def _partner(seed: int, number: int, kind: str, firms: list[str], joins_after: int) -> Partner:
    """`joins_after`: days after ANCHOR, for those who come later."""
    rng = chance(seed, "partner", number)
    again, firm = divmod(number - 1, len(firms))
    title = firms[firm] + (f" {again + 1}" if again else "")
    # what gamers do at night is night in UTC only in Europe
    country = COUNTRIES[0] if number == 1 else rng.choice(COUNTRIES[:3] if kind == "gamer" else COUNTRIES)
    joined, stages, wins = _life(rng, kind)
    if joins_after:
        shift = timedelta(days=joins_after) + (ANCHOR - joined)
        joined, stages = joined + shift, [(day + shift, stage) for day, stage in stages]
    domain = f"{ascii_of(title)}.example"
    cadence = rng.choices((7, 14, 30, 91), _CADENCES.get(kind, (3, 4, 3, 1)))[0]
    low, high = _ENERGY.get(kind, (0.5, 1.5))
    return Partner(
        number=number,
        kind=kind,
        name=f"{title} {country[2]}",
        domain=domain,
        country=country,
        joined_on=joined,
        stages=tuple(stages),
        wins=tuple(sorted(wins, key=lambda win: win[1])),
        people=_people(rng, kind, domain, joined, stages),
        cadence=cadence,
        energy=min(high, max(low, exp(rng.gauss(0, 0.3)))),
        industry=rng.choice(INDUSTRIES),
        product=rng.choice(PRODUCTS),
        renamed_on=_back(rng.randint(40, 400)) if number % 40 == 5 else None,
    )


_CADENCES = {
    "active": (6, 4, 1, 1), "ready_idle": (6, 3, 0, 0), "quiet_strong": (3, 5, 4, 0), "lapsed": (3, 4, 3, 1),
    "visible_weak": (5, 4, 1, 0), "gamer": (1, 3, 0, 0), "new": (4, 4, 1, 0), "developing": (2, 5, 3, 1),
}  # fmt: skip
"""How often the portal is visited, by kind: weights of every 7, 14, 30 and 91 days."""
_ENERGY = {"active": (0.8, 1.6), "ready_idle": (0.7, 1.5), "developing": (0.8, 1.2)}

Stages = list[tuple[date, str]]
Wins = list[tuple[date, date]]


def _back(days: int) -> date:
    """So many days before ANCHOR; below 0 after it."""
    return ANCHOR - timedelta(days=days)


def _life(rng: Random, kind: str) -> tuple[date, Stages, Wins]:
    """When a partner of a kind joined, its stages, what is to come after ANCHOR included, and its planted wins."""
    drawn = {
        "active": _active, "ready_idle": _ready_idle, "quiet_strong": _quiet_strong, "lapsed": _lapsed, "new": _new,
        "developing": _developing,
    }.get(kind)  # fmt: skip
    return drawn(rng) if drawn else _plain(rng, kind)


def _later(rng: Random, *turns: tuple[float, str, int, int]) -> Stages:
    """What may become of a partner after ANCHOR: (share, stage, least, most days), the first that the draw hits."""
    draw = rng.random()
    for share, stage, least, most in turns:
        day = _back(-rng.randint(least, most))
        if draw < share:
            return [(day, stage)]
        draw -= share
    return []


def _won(rng: Random, count: int, oldest: int, newest: int) -> Wins:
    """Deals closed between so many days before ANCHOR."""
    closed = [_back(rng.randint(newest, oldest)) for _ in range(count)]
    return [(day - timedelta(days=rng.randint(40, 140)), day) for day in closed]


def _active(rng: Random) -> tuple[date, Stages, Wins]:
    joined = _back(rng.randint(1500, 3000))
    selling: Stages = [(joined + timedelta(days=200), "selling")]
    if rng.random() < 0.35:  # ready for a year before it won anything
        selling = [(_back(rng.randint(720, 900)), "engaged"), (_back(rng.randint(480, 600)), "selling")]
    return joined, [(joined, "developing"), *selling, *_later(rng, (0.12, "silent", 100, 400))], []


def _ready_idle(rng: Random) -> tuple[date, Stages, Wins]:
    joined = _back(rng.randint(800, 2200))
    stages = [(joined, "developing"), (_back(rng.randint(200, 600)), "engaged")]
    later = _later(rng, (0.35, "selling", 15, 300), (0.1, "silent", 60, 400))
    return joined, stages + later, _won(rng, rng.choice((0, 0, 1)), 1200, 780)


def _quiet_strong(rng: Random) -> tuple[date, Stages, Wins]:
    joined, silent = _back(rng.randint(1400, 2900)), _back(rng.randint(130, 262))
    stages = [(joined, "developing"), (joined + timedelta(days=200), "steady"), (_back(390), "tapering")]
    later = _later(rng, (0.2, "engaged", 10, 200))
    wins = _won(rng, rng.randint(2, 4), 710, 400) + _won(rng, rng.randint(0, 3), 1150, 740)
    return joined, [*stages, (silent, "silent"), *later], wins


def _lapsed(rng: Random) -> tuple[date, Stages, Wins]:
    joined, silent = _back(rng.randint(1900, 3500)), rng.randint(372, 722)
    stages = [(joined, "developing"), (joined + timedelta(days=200), "steady"), (_back(silent), "silent")]
    return joined, stages, _won(rng, rng.randint(4, 8), silent + 560, silent + 15)


def _new(rng: Random) -> tuple[date, Stages, Wins]:
    joined = _back(rng.randint(12, 165))
    settled = joined + timedelta(days=183)
    then = rng.choices(("developing", "looking", "silent", "engaged"), (55, 20, 15, 10))[0]
    return joined, [(joined, "starting"), (settled, then)], []


def _developing(rng: Random) -> tuple[date, Stages, Wins]:
    joined = _back(rng.randint(250, 2800))
    stages = [(joined, "starting"), (joined + timedelta(days=183), "developing")]
    later = _later(rng, (0.15, "engaged", 20, 400), (0.08, "silent", 20, 400))
    old = rng.randint(1, 2) if (ANCHOR - joined).days > 1200 and rng.random() < 0.5 else 0
    return joined, stages + later, _won(rng, old, 1000, 400)


def _plain(rng: Random, kind: str) -> tuple[date, Stages, Wins]:
    stage, oldest = {
        "visible_weak": ("looking", 1800), "never_started": ("unstarted", 900), "thin": ("thin", 2000),
        "gamer": ("gaming", 1200),
    }[kind]  # fmt: skip
    joined = _back(rng.randint(250, oldest))
    return joined, [(joined, stage)], []


_PEOPLE = {  # people, of them certified
    "active": ((5, 9), (4, 6)), "ready_idle": ((5, 8), (3, 6)), "quiet_strong": ((4, 6), (3, 4)), "lapsed": ((3, 6), (2, 3)),
    "developing": ((2, 5), (1, 2)), "visible_weak": ((2, 5), (0, 0)), "new": ((1, 4), (0, 1)), "gamer": ((1, 3), (0, 0)),
    "never_started": ((1, 1), (0, 0)), "thin": ((1, 3), (0, 1)),
}  # fmt: skip
_ISSUED = {  # days before ANCHOR: so quiet partners are still certified, and lapsed ones are not any more
    "active": (650, 40), "ready_idle": (650, 40), "quiet_strong": (560, 275), "lapsed": (900, 760), "developing": (900, 30),
    "thin": (650, 100),
}  # fmt: skip


def _people(rng: Random, kind: str, domain: str, joined: date, stages: Stages) -> tuple[Person, ...]:
    """Everybody there ever was; at the large ones somebody has left, and is a person more."""
    many, certified = (rng.randint(*span) for span in _PEOPLE[kind])
    leaving = int(many >= 4 and rng.random() < 0.5)
    drawn = rng.sample([(first, last) for first in FIRST for last in LAST], many + leaving)
    newest = min(ANCHOR, max(joined, stages[-1][0]))
    found = []
    for place, (first, last) in enumerate(drawn):
        oldest, latest = _ISSUED.get(kind, (0, 0))
        days = [max(joined, _back(rng.randint(latest, oldest))) for _ in range(2 if place == 0 else 1)]
        if kind == "new":
            days = [min(newest, joined + timedelta(days=rng.randint(20, 60))) for _ in days]
        codes = rng.sample(CODES[:3] if kind == "lapsed" else CODES, len(days))
        held = tuple((code, level, day) for (code, level), day in zip(codes, days, strict=True))
        left = _back(rng.randint(40, 500)) if place >= many else None
        name = f"{first} {last}"
        email = f"{ascii_of(first)}.{ascii_of(last)}@{domain}"
        found.append(Person(name, email, joined, left, held if place < certified or place >= many else ()))
    return tuple(found)
