"""Every declaration, found by walking the folders: nothing is registered anywhere. Feeds runs, docs, screens, tests."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from groundswell.core import conditions, declared
from groundswell.core.checks import Keys
from groundswell.core.declare import Instance, Policy, Score, Signal
from groundswell.core.points import declared as points
from groundswell.core.readiness import NAME
from groundswell.core.signals import declared as signals
from groundswell.core.signals import shapes
from groundswell.core.tables.cells import is_currency
from groundswell.core.tables.contract import TABLES
from groundswell.core.tables.proof import known_zone
from groundswell.policy import read
from groundswell.policy.read import BadPolicy, Document


def policy(texts: Mapping[str, str]) -> Policy:
    """The checked policy out of the texts in force. Raises BadPolicy with every fault of every file."""
    found, faults = check(texts)
    if faults:
        raise BadPolicy(faults)
    return found


def check(texts: Mapping[str, str]) -> tuple[Policy, list[str]]:
    """The policy as far as it can be read, and all its faults, in the order of the files."""
    documents = read.documents(dict(texts))
    faults: list[str] = []
    lists = {_stem(path): _words(doc, faults) for path, doc in documents.items() if path.startswith("lists/")}
    measured: dict[str, Signal] = {}
    for path, document in documents.items():
        if path.startswith("signals/") and path.count("/") == 2:
            signal = signals.signal(document, lists, faults)
            if signal.name in measured:
                faults.append(f"{path}:1 signal '{signal.name}' stands in {measured[signal.name].origin.file} too")
            measured[signal.name] = signal
            faults += signals.check_needs(signal, document, lists)
    _check_read_with(measured, documents, faults)
    kinds = shapes.signal_kinds(measured)
    scores: dict[str, list[Score]] = {}
    for path, document in documents.items():
        if path.startswith("scores/") and path.count("/") == 2:
            name = path.split("/")[1]
            scores.setdefault(name, []).append(points.score(document, kinds, faults))
            if name != NAME:
                faults.append(f"{path}:1 a score '{name}' is computed nowhere; write scores/{NAME}/DAY.toml")
    unknown = [path for path in documents if path not in SINGLE and _DEPTH.get(path.split("/")[0]) != path.count("/")]
    faults += [f"{path}:1 no file is read at this place. Places: {', '.join(_PLACES)}" for path in unknown]
    instance = _instance(documents, _bounds(texts), faults)
    editions = {name: tuple(sorted(ones, key=lambda one: one.origin.since)) for name, ones in scores.items()}
    whole = Policy(measured, editions, lists, instance, version(texts), dict(texts))
    return replace(whole, **_standing(documents, measured, kinds, faults)), faults


def _standing(
    documents: Mapping[str, Document], measured: Mapping[str, Signal], kinds: Mapping[str, str], faults: list[str]
) -> dict[str, Any]:
    """Segments, dormancy and gaming, as far as there are such files: runs of old have none."""
    found: dict[str, Any] = {}
    if "segments.toml" in documents:
        units = {name: signal.unit for name, signal in measured.items()}
        found["segments"] = declared.segments(documents["segments.toml"], kinds, units, faults)
    if "dormancy.toml" in documents:
        found["dormancy"] = declared.dormancy(documents["dormancy.toml"], faults)
    if "gaming.toml" in documents:
        found["gaming"] = declared.gaming(documents["gaming.toml"], faults)
    return found


_DEPTH = {"signals": 2, "scores": 2, "lists": 1}
"""Folders of policy, and how deep their files lie."""
_PLACES = (
    "signals/DIMENSION/SIGNAL.toml",
    "scores/SCORE/DAY.toml",
    "lists/LIST.toml",
    "instance.toml",
    "sources.toml",
    "limits.toml",
    "segments.toml",
    "dormancy.toml",
    "gaming.toml",
)
SINGLE = tuple(place for place in _PLACES if "/" not in place)
"""The files that there is one of."""


def version(texts: Mapping[str, str]) -> str:
    """One hash over all policy files in force: path and text, sorted by path."""
    digest = hashlib.sha256()
    for path, text in sorted(texts.items()):
        digest.update(f"{path}\0{len(text.encode())}\0{text}".encode())
    return digest.hexdigest()


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".toml")


def _words(document: Document, faults: list[str]) -> tuple[str, ...]:
    keys = Keys(document, faults)
    keys.origin()
    words = keys.texts("codes")
    keys.done()
    return words


def _check_read_with(measured: Mapping[str, Signal], documents: Mapping[str, Document], faults: list[str]) -> None:
    for signal in measured.values():
        for other in signal.read_with:
            if other not in measured:
                document = documents[signal.origin.file]
                near = conditions.nearest(other, measured, " Nearest: {}.")
                faults.append(
                    f"{document.path}:{document.line('read_with')} read_with: '{other}' does not exist.{near}"
                )


def _instance(documents: Mapping[str, Document], bounds: tuple[str, ...], faults: list[str]) -> Instance:
    own, order, limits = (Keys(documents[name], faults) for name in ("instance.toml", "sources.toml", "limits.toml"))
    found = Instance(
        home_zone=own.text("home_zone"),
        home_currency=own.text("home_currency"),
        rate_days=own.whole("rate_days", 0, 3660),
        fiscal_first_month=own.whole("fiscal_first_month", 1, 12),
        fiscal_calendar=own.text("fiscal_calendar"),
        free_mail=frozenset(own.texts("free_mail")),
        source_order=_orders(order),
        limits=_limits(limits, bounds),
    )
    own.origin()
    if not known_zone(found.home_zone):
        own.fault("home_zone", f"'{found.home_zone}' is not a time zone; write one such as Europe/Berlin")
    if isinstance(own.data.get("home_currency"), str) and not is_currency(found.home_currency):
        own.fault(
            "home_currency", f"'{found.home_currency}' is not a currency; write its ISO 4217 code in capitals, as EUR"
        )
    own.done()
    return found


def _orders(keys: Keys) -> dict[str, tuple[str, ...]]:
    table = keys.table("order")
    found = {name: table.texts(name) for name in ("every", *TABLES)} if table else {}
    if table:
        found = {name: order for name, order in found.items() if table.has(name)}
        table.done()
    keys.origin()
    keys.done()
    return found


def _bounds(texts: Mapping[str, str]) -> tuple[str, ...]:
    """The bounds that the program reads: those of the shipped file, which an own one must name too."""
    shipped = {path: text for path, text in texts.items() if path == "shipped/limits.toml"}
    return tuple(read.documents(shipped)["limits.toml"].data["bounds"])


_LARGEST = 2**63 - 1


def _limits(keys: Keys, bounds: tuple[str, ...]) -> dict[str, int]:
    table = keys.table("bounds") or Keys(keys.document, keys.faults, {}, "bounds")
    found = {name: table.whole(name, 1, _LARGEST) for name in bounds if table.has(name)}
    if missing := [name for name in bounds if name not in found]:
        keys.fault("bounds", f'leaves out {", ".join(missing)}; write them too, or follows = "default" at the head')
    table.done()
    keys.origin()
    keys.done()
    return found


def needs(found: Policy, signal: Signal) -> tuple[str, ...]:
    """The canonical columns that a signal's measure really uses."""
    return shapes.needs(signal, dict(found.lists))
