"""From a score file to a checked Score."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from groundswell.core import conditions
from groundswell.core.checks import Keys
from groundswell.core.conditions import BadCondition
from groundswell.core.declare import Line, Part, Penalty, Score, Value, fraction
from groundswell.policy.read import Document

Kinds = Mapping[str, str]


_MISSING = ("unknown", "leave out", "zero")


def score(document: Document, kinds: Kinds, faults: list[str]) -> Score:
    """Read one edition of a score over signals of these kinds; what is wrong goes to `faults`."""
    keys = Keys(document, faults)
    _, name, file_name = document.path.split("/")
    provisional = keys.table("provisional")
    found = Score(
        name=name,
        question=keys.text("question"),
        out_of=keys.number("out_of"),
        combine=keys.text("combine", words=("weighted",)),
        enough_known=keys.number("enough_known"),
        parts=tuple(_part(part, keys.text("missing", "leave out", _MISSING), kinds) for part in keys.tables("part")),
        penalties=tuple(_penalty(penalty, kinds) for penalty in keys.tables("penalty")),
        bands=keys.bands("band_names"),
        origin=keys.origin(),
        provisional_when=_condition(provisional, "when", kinds) if provisional else "",
        provisional_parts=provisional.texts("parts") if provisional else (),
    )
    if provisional:
        provisional.done()
        for part in found.provisional_parts:
            if part not in [p.name for p in found.parts]:
                provisional.fault("parts", f"'{part}' is not a part of this score.")
    if not found.parts:
        keys.fault("part", "a score needs at least one [[part]]")
    if found.origin.since.isoformat() != file_name.removesuffix(".toml"):
        keys.fault("since", f"the file is named {file_name}; write since = {file_name.removesuffix('.toml')}")
    if found.out_of <= 0:
        keys.fault("out_of", "must be above 0")
    if not 0 <= found.enough_known <= 100:
        keys.fault("enough_known", "is a percentage of the weight, 0 to 100")
    _once(keys, [(part.name, ("part", str(i), "name")) for i, part in enumerate(found.parts)])
    for i, one in enumerate(found.parts):
        _once(keys, [(line.name, ("part", str(i), "line", str(j), "signal")) for j, line in enumerate(one.lines)])
    _once(keys, [(penalty.signal, ("penalty", str(i), "signal")) for i, penalty in enumerate(found.penalties)])
    keys.done()
    return found


def _once(keys: Keys, named: list[tuple[str, tuple[str, ...]]]) -> None:
    """Figures are told apart by name: of part, of line in its part (its signal unless it has one), of penalty."""
    first: dict[str, tuple[str, ...]] = {}
    for name, place in named:
        if name in first:
            line = keys.document.line(*first[name])
            keys.fault_at(place, f"'{name}' stands on line {line} too; give each a name of its own, or leave one out")
        first.setdefault(name, place)


def _exact(keys: Keys, key: str, number: Any) -> Fraction:
    try:
        return fraction(number)
    except ValueError as error:
        keys.fault(key, str(error))
        return Fraction(0)


def _part(keys: Keys, missing: str, kinds: Kinds) -> Part:
    found = Part(
        name=keys.text("name"),
        weight=_weight(keys),
        most=keys.number("max", 100),
        lines=tuple(_line(line, missing, kinds) for line in keys.tables("line")),
    )
    if not found.lines:
        keys.fault("line", f"part '{found.name}' has no [[part.line]]")
    if not 0 <= found.most <= 100:
        keys.fault("max", "points go from 0 to 100.")
    keys.done()
    return found


def _weight(keys: Keys) -> Fraction:
    weight = keys.number("weight", 1)
    if weight <= 0:
        keys.fault("weight", "must be above 0; leave the line out instead")
        return Fraction(1)
    return weight


def _line(keys: Keys, missing: str, kinds: Kinds) -> Line:
    signal = keys.text("signal")
    _known(keys, signal, kinds)
    ways = [way for way in ("low", "bands", "yes") if keys.has(way)]
    if len(ways) != 1 or keys.has("low") != keys.has("high"):
        keys.fault("signal", f"{' and '.join(ways) or 'nothing'} given; a line earns by low and high, bands, or yes.")
    for way in ways:
        _earns(keys, way, signal, kinds)
    found = Line(
        name=keys.text("name", signal),
        signal=signal,
        weight=_weight(keys),
        bars=(keys.number("low"), keys.number("high")) if keys.has("low") and keys.has("high") else None,
        bands=_bands(keys) if keys.has("bands") else (),
        yes=keys.number("yes") if keys.has("yes") else None,
        only_if=_condition(keys, "only_if", kinds),
        applies_if=_condition(keys, "applies_if", kinds),
        missing=keys.text("missing", missing, _MISSING),
    )
    if found.yes is not None and not 0 <= found.yes <= 100:
        keys.fault("yes", "points go from 0 to 100.")
    if found.bars and found.bars[0] == found.bars[1]:
        keys.fault("high", "low and high are equal.")
        return Line(found.name, signal, found.weight, bars=(Fraction(0), Fraction(1)))
    if keys.has("missing") and found.missing == "zero" and not keys.text("why", ""):
        keys.fault("missing", 'missing = "zero" needs a why.')
    keys.done()
    return found


def _penalty(keys: Keys, kinds: Kinds) -> Penalty:
    signal = keys.text("signal")
    _known(keys, signal, kinds)
    _earns(keys, "bands", signal, kinds)
    found = Penalty(signal, _bands(keys))
    keys.done()
    return found


def _bands(keys: Keys) -> tuple[tuple[Fraction, Fraction], ...]:
    bands = tuple(
        (_exact(keys, "bands", start), _exact(keys, "bands", points)) for start, points in keys.pairs("bands")
    )
    if keys.has("bands") and not keys.data["bands"]:
        keys.fault("bands", "is empty, so nothing is ever earned.")
    for (first, _), (second, _) in pairwise(bands):
        if second <= first:
            keys.fault("bands", f"{second} follows {first}; write them in rising order.")
    if any(not 0 <= points <= 100 for _, points in bands):
        keys.fault("bands", "points go from 0 to 100.")
    return bands


def _earns(keys: Keys, way: str, signal: str, kinds: Kinds) -> None:
    """Bars and bands count over numbers, `yes` over yes/no and numbers; over anything else a line would give nothing."""
    kind = kinds.get(signal, "number")
    if kind == "bool" and way != "yes":
        keys.fault(way, f"'{signal}' is yes/no and has no {way}; write yes = 100 for the points that yes gives.")
    elif kind not in ("bool", "number"):
        keys.fault(
            way, f"'{signal}' is a {'word' if kind == 'text' else kind}, which earns no points; use it in only_if."
        )


def _known(keys: Keys, signal: str, kinds: Kinds) -> None:
    if signal and signal not in kinds:
        nearest = conditions.nearest(signal, kinds, "Nearest: {}.")
        keys.fault("signal", f"'{signal}' does not exist.{' ' + nearest if nearest else ''}")


def _condition(keys: Keys, key: str, kinds: Kinds) -> str:
    text = keys.text(key, "")
    if text:
        try:
            conditions.holds(conditions.parse(text, kinds), lambda name: Value.unknown(name))
        except BadCondition as error:
            keys.fault(key, str(error))
    return text
