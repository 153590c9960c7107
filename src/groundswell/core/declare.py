"""The shapes of what policy declares and of what rules return. No rule lives here, and nothing here reads a file."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

Scalar = Fraction | str | bool | dt.date


@dataclass(frozen=True, slots=True)
class Value:
    """A value is a range: known when both ends are equal, unknown from the lowest to the highest it can be.

    An end of None is open. `applies` is False where there is nothing to measure (a share of nothing). `why` says in
    words what is not known. Unknown, unavailable, not applicable and zero are four different things:
    unavailable is an open range with `available = False`.
    """

    low: Scalar | None = None
    high: Scalar | None = None
    applies: bool = True
    available: bool = True
    why: str = ""

    @property
    def known(self) -> bool:
        """Whether there is exactly one thing it can be."""
        return self.applies and self.low is not None and (self.low is self.high or self.low == self.high)

    @property
    def state(self) -> str:
        """known, at least, between, unknown, unavailable or not applicable."""
        if not self.applies:
            return "not applicable"
        if self.known:
            return "known"
        if not self.available:
            return "unavailable"
        return "unknown" if self.low is None else "at least" if self.high is None else "between"

    @classmethod
    def of(cls, value: Scalar) -> Self:
        """A known value."""
        return cls(value, value)

    @classmethod
    def unknown(cls, why: str, low: Scalar | None = None) -> Self:
        """Not known, at least `low` where that is known."""
        return cls(low, None, why=why)

    @classmethod
    def unavailable(cls, why: str) -> Self:
        """No source brings what it needs."""
        return cls(available=False, why=why)

    @classmethod
    def not_applicable(cls, why: str) -> Self:
        """There is nothing to measure."""
        return cls(applies=False, why=why)


@dataclass(frozen=True)
class Origin:
    """Where a declaration stands and why: every number of policy carries these."""

    file: str
    why: str
    source: str
    since: dt.date
    own: bool = False
    """True when the file is the instance's own."""


@dataclass(frozen=True)
class FollowedBy:
    """What must come after a row for it to count: a row of the same table and partner, soon enough."""

    where: str
    same: str
    """The column in which the two rows agree: the person, the account, the deal."""
    within: int
    """Days from the day of the row, at most."""


@dataclass(frozen=True)
class Measure:
    """How a signal is measured over one table. The keys are those of the signal files (docs/reference/signals.md)."""

    table: str
    take: str
    of: str = ""
    where: str = ""
    on: str = "occurred_on"
    window: str = ""
    shift: str = ""
    per: str = ""
    each: Mapping[str, "Measure"] = field(default_factory=dict)
    keep: str = ""
    followed_by: FollowedBy | None = None
    second: "Measure | None" = None
    how: str = ""
    """How the second measure joins: "minus", "over", "grown_from" or "" when there is none."""


@dataclass(frozen=True)
class Signal:
    """One measured fact about a partner as of a day."""

    name: str
    dimension: str
    question: str
    unit: str
    better: str
    kind: str
    """leading, lagging or residue: whether it comes before a sale, follows it, or is what taking part leaves behind."""
    misleads: str
    measure: Measure
    origin: Origin
    needs: tuple[str, ...] = ()
    absent: Fraction | None = None
    read_with: tuple[str, ...] = ()
    remedy: str = ""
    behaviour: str = ""
    """Which of the leading behaviours it shows; "" for none of them."""


@dataclass(frozen=True)
class Line:
    """What one signal is worth. Exactly one way of earning points is given; points of a line go from 0 to 100."""

    name: str
    signal: str
    weight: Fraction
    bars: tuple[Fraction, Fraction] | None = None
    bands: tuple[tuple[Fraction, Fraction], ...] = ()
    yes: Fraction | None = None
    only_if: str = ""
    applies_if: str = ""
    missing: str = "leave out"


@dataclass(frozen=True)
class Part:
    """A named group of lines with a weight of its own, and the most it can give (out of 100)."""

    name: str
    weight: Fraction
    lines: tuple[Line, ...]
    most: Fraction = Fraction(100)


@dataclass(frozen=True)
class Penalty:
    """Points taken off after the parts are combined."""

    signal: str
    bands: tuple[tuple[Fraction, Fraction], ...]


@dataclass(frozen=True)
class Score:
    """A named sum of points, one edition of it."""

    name: str
    question: str
    out_of: Fraction
    enough_known: Fraction
    parts: tuple[Part, ...]
    penalties: tuple[Penalty, ...]
    bands: tuple[tuple[str, Fraction], ...]
    """(name, from), lowest first; half-open: a band begins at its `from` and ends below the next."""
    origin: Origin
    combine: str = "weighted"
    provisional_when: str = ""
    provisional_parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Segment:
    """One row of the table of segments: it holds where all of `all` and, when there are any, one of `any` do.

    A partner that is in it stays while `stay` holds, and until it did not at `stay_reviews` month-ends in a row.
    """

    name: str
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    stay: tuple[str, ...] = ()
    stay_reviews: int = 1


@dataclass(frozen=True)
class Review:
    """A list for a person to go through: partners of whom `when` held at so many quarter-ends in a row.

    A quarter-end at which `counts` does not hold neither counts nor breaks the row.
    """

    name: str
    when: tuple[str, ...]
    counts: tuple[str, ...]
    quarter_ends: int
    proposes: str


@dataclass(frozen=True)
class Attention:
    """What makes the top, the middle and the long tail: {what it is called: condition}."""

    share_by: str
    """The signal of which shares are taken, largest partner first."""
    top_percent: Fraction
    has: Mapping[str, str]
    has_at_least: int
    roadmap: Mapping[str, str]
    trend: str
    """The signal that says how a partner of the middle grows."""
    enough_known: Fraction
    """Percent of readiness known, without which nobody is said to be of the long tail."""
    least_partners: int
    tail_bands: tuple[tuple[str, Fraction], ...]
    """(name, from) of `share_by`, lowest first; half-open."""


@dataclass(frozen=True)
class Segments:
    """The table of segments, first row that holds; the reviews and the attention that stand beside it."""

    rows: tuple[Segment, ...]
    reviews: tuple[Review, ...]
    attention: Attention
    kinds: frozenset[tuple[str, str]]
    """(name, kind) of everything that the conditions read."""
    units: Mapping[str, str]
    origin: Origin


@dataclass(frozen=True)
class Dormancy:
    """When silence counts. All lengths are days; `gap_factor` multiplies a partner's own median gap."""

    sign_ins: tuple[str, ...]
    trainings: tuple[str, ...]
    replies: tuple[str, ...]
    """Types of activity: acts beside won deals and registrations, learning, and answers or attendance."""
    least_silence: int
    gap_factor: int
    least_gaps: int
    cooling_silence: int
    reachable_days: int
    returned_days: int
    patience_days: int
    origin: Origin


@dataclass(frozen=True)
class Gaming:
    """What opens a review of a partner's figures. Percentages are of the partner's own rows."""

    partner_made: tuple[str, ...]
    """Types of activity that the partner alone brings about, at no cost."""
    window_days: int
    least_events: int
    robust_z: Fraction
    least_peers: int
    outcome_bands: tuple[int, ...]
    hour_percent: int
    quiet_percent: int
    person_percent: int
    person_events: int
    duplicate_days: int
    duplicates: int
    duplicate_percent: int
    completions: tuple[str, ...]
    courses_a_day: int
    pile_percent: int
    origin: Origin


@dataclass(frozen=True)
class Instance:
    """What a vendor sets once: zone that decides days, home currency, fiscal year, source order.

    `rate_days` is how many days after its own a rate still converts. `fiscal_calendar` names the calendar of
    fiscal_periods that is the vendor's; where it does not cover a day, years begin with `fiscal_first_month`.
    """

    home_zone: str
    home_currency: str
    rate_days: int
    fiscal_first_month: int
    fiscal_calendar: str
    source_order: Mapping[str, tuple[str, ...]]
    free_mail: frozenset[str]
    limits: Mapping[str, int]


@dataclass(frozen=True)
class Policy:
    """Everything a customer may change, checked, frozen, with one hash over all files."""

    signals: Mapping[str, Signal]
    scores: Mapping[str, tuple[Score, ...]]
    """Editions of every score, oldest first."""
    lists: Mapping[str, tuple[str, ...]]
    instance: Instance
    version: str
    files: Mapping[str, str]
    """Path -> text of every file in force, as stored with each run."""
    segments: Segments | None = None
    dormancy: Dormancy | None = None
    gaming: Gaming | None = None
    """None only in the policy of a run that was made before there were such files."""

    def edition(self, score: str, as_of: dt.date) -> Score:
        """The edition of a score in force on a day: the last one that has begun.

        A day before all editions is judged by the first of them; the run says so (`Assessment.remarks`).
        """
        begun = [edition for edition in self.scores[score] if edition.origin.since <= as_of]
        return begun[-1] if begun else self.scores[score][0]


def fraction(number: Any) -> Fraction:
    """A TOML number, or text such as "15/7", as the exact fraction it writes. Raises ValueError for anything else."""
    if isinstance(number, bool) or not isinstance(number, (int, Decimal, str)):
        raise ValueError(f"{number!r} is not a number")
    if isinstance(number, str) and not re.fullmatch(r"-?\d+/[1-9]\d*", number):
        raise ValueError(f'{number!r} is a text; write the number without quotes, or a fraction as "15/7"')
    if isinstance(number, Decimal) and not number.is_finite():
        raise ValueError(f"{number} is not a finite number")
    return Fraction(number)
