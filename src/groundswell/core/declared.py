"""From the files of segments, dormancy and gaming to their checked shapes."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise

from groundswell.core import conditions
from groundswell.core.checks import Keys
from groundswell.core.conditions import BadCondition
from groundswell.core.declare import Attention, Dormancy, Gaming, Review, Segment, Segments, Value
from groundswell.core.segments import FIGURES
from groundswell.policy.read import Document

Kinds = Mapping[str, str]
_LONGEST = 3660
"""Days: no silence, window or patience is longer than ten years."""


def segments(document: Document, signals: Kinds, units: Mapping[str, str], faults: list[str]) -> Segments:
    """Read the table of segments over signals of these kinds and units; what is wrong goes to `faults`."""
    keys = Keys(document, faults)
    kinds = {**signals, **dict.fromkeys(FIGURES, "number")}
    rows = tuple(_segment(name, one, kinds) for name, one in _named(keys, "segment"))
    reviews = tuple(_review(name, one, kinds) for name, one in _named(keys, "review"))
    attention = _attention(keys, kinds)
    origin = keys.origin()
    keys.done()
    if not rows:
        keys.fault("segment", "a table of segments needs at least one [segment.NAME]")
    texts = [text for row in rows for text in (*row.all, *row.any, *row.stay)]
    texts += [text for review in reviews for text in (*review.when, *review.counts)]
    texts += [*attention.has.values(), *attention.roadmap.values()]
    return Segments(rows, reviews, attention, _read(texts, kinds), {**units, **FIGURES}, origin)


def _read(texts: Iterable[str], kinds: Kinds) -> frozenset[tuple[str, str]]:
    """Name and kind of everything that the conditions read; of a faulty one nothing."""
    found: set[tuple[str, str]] = set()
    for text in texts:
        try:
            found |= {(name, kinds[name]) for name in conditions.parse(text, kinds).names}
        except BadCondition:
            continue
    return frozenset(found)


def _named(keys: Keys, key: str) -> Iterator[tuple[str, Keys]]:
    """The tables `[key.NAME]`, in the order of the file."""
    outer = keys.table(key)
    for name in outer.data if outer else ():
        if outer and (inner := outer.table(name)):
            yield name, inner


def _segment(name: str, keys: Keys, kinds: Kinds) -> Segment:
    found = Segment(
        name=name,
        all=_conditions(keys, "all", kinds),
        any=_conditions(keys, "any", kinds),
        stay=_conditions(keys, "stay", kinds),
        stay_reviews=keys.whole("stay_reviews", 1, 120)
        if keys.has("stay_reviews")
        else int(keys.number("stay_reviews", 1)),
    )
    if not (found.all or found.any):
        keys.fault("all", f"segment '{name}' has no condition, so it would hold for everyone; write all or any")
    if keys.has("stay_reviews") and not found.stay:
        keys.fault("stay_reviews", "counts month-ends outside `stay`; write stay too, or leave it out")
    keys.done()
    return found


def _review(name: str, keys: Keys, kinds: Kinds) -> Review:
    found = Review(
        name=name,
        when=_conditions(keys, "when", kinds),
        counts=_conditions(keys, "counts", kinds),
        quarter_ends=keys.whole("quarter_ends", 1, 40),
        proposes=keys.text("proposes"),
    )
    if not found.when:
        keys.fault("when", f"review '{name}' has no condition, so it would list everyone")
    keys.done()
    return found


def _attention(keys: Keys, kinds: Kinds) -> Attention:
    table = keys.table("attention")
    if not table:
        keys.fault("attention", "is required")
        return Attention("", Fraction(0), {}, 0, {}, "", Fraction(0), 1, ())
    found = Attention(
        share_by=table.text("share_by"),
        top_percent=table.number("top_percent"),
        has=_called(table, "has", kinds),
        has_at_least=table.whole("has_at_least", 1, 100),
        roadmap=_called(table, "roadmap", kinds),
        trend=table.text("trend"),
        enough_known=table.number("enough_known"),
        least_partners=table.whole("least_partners", 1, 10**6),
        tail_bands=table.bands("tail_bands"),
    )
    signals = {name: kind for name, kind in kinds.items() if name not in FIGURES}
    for key, name in (("share_by", found.share_by), ("trend", found.trend)):
        if name and signals.get(name) != "number":
            near = conditions.nearest(name, signals, " Nearest: {}.")
            table.fault(key, f"'{name}' is no signal that is a number.{near}")
    if not 0 < found.top_percent <= 100:
        table.fault("top_percent", "is a percentage above 0, up to 100")
    if not 0 <= found.enough_known <= 100:
        table.fault("enough_known", "is a percentage of the weight, 0 to 100")
    if found.has_at_least > len(found.has):
        table.fault(
            "has_at_least", f"{found.has_at_least} of {len(found.has)} in [attention.has]; nobody could have them"
        )
    table.done()
    return found


def _called(keys: Keys, key: str, kinds: Kinds) -> dict[str, str]:
    table = keys.table(key)
    return {name: _checked(table, name, table.text(name), kinds) for name in list(table.data)} if table else {}


def _conditions(keys: Keys, key: str, kinds: Kinds) -> tuple[str, ...]:
    return tuple(_checked(keys, key, text, kinds) for text in keys.texts(key))


def _checked(keys: Keys, key: str, text: str, kinds: Kinds) -> str:
    try:
        conditions.holds(conditions.parse(text, kinds), lambda name: Value.unknown(name))
    except BadCondition as error:
        keys.fault(key, str(error))
    return text


# --------------------------------------------------------------------------------------------- dormancy and gaming


def dormancy(document: Document, faults: list[str]) -> Dormancy:
    """Read when silence counts; what is wrong goes to `faults`."""
    keys = Keys(document, faults)
    acts, silence = (_table(keys, name) for name in ("acts", "silence"))
    found = Dormancy(
        sign_ins=_words(acts, "sign_ins"),
        trainings=_words(acts, "trainings"),
        replies=_words(acts, "replies"),
        least_silence=silence.whole("least_silence", 1, _LONGEST),
        gap_factor=silence.whole("gap_factor", 1, 100),
        least_gaps=silence.whole("least_gaps", 1, 1000),
        cooling_silence=silence.whole("cooling_silence", 1, _LONGEST),
        reachable_days=silence.whole("reachable_days", 1, _LONGEST),
        returned_days=silence.whole("returned_days", 1, _LONGEST),
        patience_days=silence.whole("patience_days", 1, _LONGEST),
        origin=keys.origin(),
    )
    if found.cooling_silence > found.least_silence > 0:
        silence.fault("cooling_silence", "is longer than least_silence, so nobody would cool before it is quiet")
    _done(keys, acts, silence)
    return found


def gaming(document: Document, faults: list[str]) -> Gaming:
    """Read what opens a review; what is wrong goes to `faults`."""
    keys = Keys(document, faults)
    names = ("activity", "above_outcome", "bursts", "duplicates", "courses")
    activity, above, bursts, twice, courses = (_table(keys, name) for name in names)
    found = Gaming(
        partner_made=_words(activity, "partner_made"),
        window_days=activity.whole("window_days", 1, _LONGEST),
        least_events=activity.whole("least_events", 1, 10**9),
        robust_z=above.number("robust_z"),
        least_peers=above.whole("least_peers", 3, 10**6),
        outcome_bands=_rising(above, "outcome_bands"),
        hour_percent=bursts.whole("hour_percent", 1, 100),
        quiet_percent=bursts.whole("quiet_percent", 1, 100),
        person_percent=bursts.whole("person_percent", 1, 100),
        person_events=bursts.whole("person_events", 1, 10**9),
        duplicate_days=twice.whole("duplicate_days", 0, _LONGEST),
        duplicates=twice.whole("duplicates", 1, 10**6),
        duplicate_percent=twice.whole("duplicate_percent", 1, 100),
        completions=_words(courses, "completions"),
        courses_a_day=courses.whole("courses_a_day", 1, 1000),
        pile_percent=courses.whole("pile_percent", 1, 100),
        origin=keys.origin(),
    )
    if found.robust_z <= 0:
        above.fault("robust_z", "must be above 0")
    _done(keys, activity, above, bursts, twice, courses)
    return found


def _table(keys: Keys, key: str) -> Keys:
    found = keys.table(key)
    if not found:
        keys.fault(key, "is required")
    return found or Keys(keys.document, [], {}, *keys.path, key)


def _words(keys: Keys, key: str) -> tuple[str, ...]:
    found = keys.texts(key)
    if not found:
        keys.fault(key, "names no type of activity")
    return found


def _rising(keys: Keys, key: str) -> tuple[int, ...]:
    """Whole numbers from 0, each above the one before."""
    found = keys.data.get(key)
    keys.asked.append(key)
    whole = isinstance(found, list) and all(isinstance(one, int) and not isinstance(one, bool) for one in found)
    if not found or not whole or found[0] != 0 or any(b <= a for a, b in pairwise(found)):
        keys.fault(key, "is a list of whole numbers, rising from 0: [0, 1, 3, 10]")
        return (0,)
    return tuple(found)


def _done(*tables: Keys) -> None:
    for table in tables:
        table.done()
