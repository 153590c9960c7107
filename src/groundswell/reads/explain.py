"""Why a partner stands where it stands: every line with its signal, the rows behind it down to file and line, its past.

The past is worked out with the policy of the run, from what was known at each month-end. What earlier runs published of
those days stays beside it where it was something else.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq

from groundswell.connectors.files import kinds
from groundswell.core.assess import signal_halves
from groundswell.core.declare import Policy
from groundswell.core.readiness import NAME as READINESS
from groundswell.core.reason import TOO_LITTLE
from groundswell.core.signals.compile import rows_query
from groundswell.core.tables.contract import WITHHELD
from groundswell.engine import landings, rows
from groundswell.engine.duckdb import Engine
from groundswell.engine.home import Damaged, Home
from groundswell.reads.partners import Standing, partner, published
from groundswell.reads.policy import policy_of
from groundswell.reads.quarantine import corrected, first_of
from groundswell.records.loads import Load
from groundswell.records.runs import HISTORY, PublishedPartner, Run


@dataclass(frozen=True)
class Row:
    """One source row behind a figure: what it is to us, where it stands, and its text as it was sent."""

    table: str
    row_id: str
    day: dt.date | None
    load: str
    file_name: str
    line: int
    text: str
    source: str
    corrects: str = ""
    """Of a row that was put right: where it stood when it was set aside, "deals.csv line 3 (L000001)"."""


@dataclass(frozen=True)
class Evidence:
    """The rows behind one signal of one partner; `more` says that not all of them are listed."""

    signal: str
    question: str
    unit: str
    rows: tuple[Row, ...]
    more: bool


@dataclass(frozen=True)
class Then:
    """What a run of an earlier hour or month said of a partner on the same day, where it was something else."""

    total: float | None
    segment: str
    other_policy: bool
    """Whether that run had another policy; else it knew other facts (a load was reverted since, or dated back)."""
    enough: bool = True
    """Whether enough was known then to name a point."""


@dataclass(frozen=True)
class Month:
    """A partner at a month-end, as it could be known then: points, coverage from 0 to 1, segment ("": not placed)."""

    day: dt.date
    total: float | None
    low: float
    high: float
    coverage: float
    segment: str
    parts: Mapping[str, float | None]
    """Points out of 100 of each part; None where nothing of it is known, or it does not count yet."""
    edition: dt.date
    """Since when the edition of readiness holds that is in force on the day."""
    then: Then | None = None


@dataclass(frozen=True)
class OtherPolicy:
    """A policy that earlier runs had: the days of the first and the last of them, and the files that differ."""

    first: dt.date
    last: dt.date
    files: tuple[str, ...]


@dataclass
class Explanation:
    """One partner of the published run, with the evidence of every line of its readiness."""

    run_id: str
    as_of: dt.date
    partners: int
    """How many the run ranks."""
    standing: Standing
    policy: Policy
    history: tuple[Month, ...] = ()
    """The month-ends, oldest first, and the day itself."""
    policies: tuple[OtherPolicy, ...] = ()
    """What runs of days up to this one had instead of its policy, oldest first."""
    evidence: dict[str, Evidence] = field(default_factory=dict)


def explain(home: Home, called: str, rows_a_signal: int) -> Explanation:
    """Explain one partner from the inputs that the published run has pinned: its files and its policy.

    Raises what `partner` raises, and Damaged where a file of the run or of the lake is not there.
    """
    standing = partner(called)
    run = published()
    policy = policy_of(home, run)
    months = history_of(home, run, policy, standing.partner_id)
    count, policies = run.manifest["partners"], tuple(_policies(run))
    found = Explanation(run.run_id, run.as_of, count, standing, policy, months, policies)
    texts = Texts(home.path, policy.instance.limits, {load.name: load for load in Load.objects.all()})
    with rows.opened(home, run, policy.instance) as engine:
        for line in standing.result["readiness"]["lines"]:
            name = line["signal"]
            if name not in found.evidence and line["value"]["state"] not in ("unavailable",):
                found.evidence[name] = behind(
                    engine, policy, name, standing.partner_id, run.as_of, rows_a_signal, texts
                )
    return found


_PART = "part_"


def history_of(home: Home, run: Run, policy: Policy, partner_id: str) -> tuple[Month, ...]:
    """The month-ends of one partner, oldest first, and the day itself; none where the run kept none. Raises Damaged."""
    if HISTORY not in run.manifest["outputs"]:
        return ()
    if damage := home.damaged_outputs(run, (HISTORY,)):
        raise Damaged(damage[0])
    path = home.run_folder(run.run_id) / HISTORY
    rows = pq.read_table(path, filters=[("partner_id", "=", partner_id)]).drop_columns("partner_id").to_pylist()
    published = _published(partner_id, [row["day"] for row in rows], run)
    found = []
    for row in rows:
        parts = {name.removeprefix(_PART): row.pop(name) for name in list(row) if name.startswith(_PART)}
        then = published.get(row["day"])
        same = then is None or (then.total, then.segment) == (row["total"], row["segment"])
        edition = policy.edition(READINESS, row["day"]).origin.since
        found.append(Month(**row, parts=parts, edition=edition, then=None if same else then))
    return tuple(found)


def _published(partner_id: str, days: list[dt.date], run: Run) -> dict[dt.date, Then]:
    """What the latest other run of each of these days said of a partner; points are rounded as in the history."""
    others = Run.objects.filter(as_of__in=days, complete=True).exclude(pk=run.pk)
    # as a subquery, which is sought in each of them, not in all that is published
    rows = PublishedPartner.objects.filter(partner_id=partner_id, run__in=others.values("pk"))
    found = {}
    for row in rows.select_related("run").order_by("run__created_at"):
        total, standing = row.result["readiness"]["total"], row.result["standing"]
        points = None if total is None else round(float(Fraction(total)), 6)
        enough = row.result["readiness"]["state"] != TOO_LITTLE
        found[row.run.as_of] = Then(points, standing["segment"], row.run.policy_version != run.policy_version, enough)
    return found


def _policies(run: Run) -> Iterator[OtherPolicy]:
    """The policies of runs of days up to this one's, where they are not its own."""
    others = Run.objects.filter(complete=True, as_of__lte=run.as_of).exclude(policy_version=run.policy_version)
    days: dict[str, list[dt.date]] = {}
    files: dict[str, tuple[str, ...]] = {}
    for one in others.order_by("as_of", "created_at"):
        days.setdefault(one.policy_version, []).append(one.as_of)
        files[one.policy_version] = _differing(one.manifest["outputs"], run.manifest["outputs"])
    yield from (OtherPolicy(found[0], found[-1], files[version]) for version, found in days.items())


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """The files of policy that two runs do not share, by their path below policy/."""
    names = {name for name in {*one, *other} if name.startswith("policy/") and one.get(name) != other.get(name)}
    return tuple(sorted({name.split("/", 2)[2] for name in names}))


def behind(
    engine: Engine, policy: Policy, name: str, partner_id: str, as_of: dt.date, at_most: int, texts: "Texts"
) -> Evidence:
    """The rows behind one signal of one partner, newest first, from an engine that has the rows of its run."""
    signal = policy.signals[name]
    asked: dict[tuple[str, int], tuple[str, dict[str, object]]] = {}
    more = False
    for half in signal_halves(policy, name, as_of, engine.ask):
        if half.measure.table in WITHHELD:
            continue  # another company's data: counted, not shown
        query = rows_query(half, partner_id, policy.lists, at_most + 1)
        found = engine.ask(query.sql, query.parameters)
        more = more or len(found) > at_most
        asked |= {(str(row["load_id"]), int(str(row["line"]))): (half.measure.table, row) for row in found[:at_most]}
    kept = dict(list(asked.items())[:at_most])
    told = {load: texts.of(load, {line for of, line in kept if of == load}) for load, _ in kept}
    listed = tuple(
        Row(
            table, str(row["row_id"]), row["day"] if isinstance(row["day"], dt.date) else None, load,
            texts.loads[load].file_name, line, told[load][line], str(row["source"]),
            _corrects(texts.loads[load], line),
        )
        for (load, line), (table, row) in kept.items()
    )  # fmt: skip
    return Evidence(name, signal.question, signal.unit, listed, more or len(asked) > at_most)


def _corrects(load: Load, line: int) -> str:
    first = first_of(load, line) if load.retry_of_id else None
    return f"{first.load.file_name} line {first.line} ({first.load.name})" if first else ""


@dataclass
class Texts:
    """The kept files behind the rows. Each is hashed once, before any of its text is shown.

    A gigabyte takes about a second, less than reading its lines takes for one signal; size and time of a file would
    tell nothing of a bad disk, and change when an instance is copied.
    """

    home: Path
    limits: Mapping[str, int]
    loads: Mapping[str, Load]
    withheld: Mapping[str, str] = field(default_factory=dict)
    """Loads of which no line is shown -> what is said instead."""
    largest: int | None = None
    """Bytes of a file above which its lines are not read here: their text is ""."""
    damage: dict[str, str] = field(default_factory=dict)

    def of(self, name: str, lines: set[int]) -> dict[int, str]:
        """The text of lines of a load's file; where it is not the one that arrived, that is said instead."""
        load = self.loads[name]
        if name in self.withheld:
            return dict.fromkeys(lines, self.withheld[name])
        path = landings.at(self.home, load.landing)
        if self.largest is not None and path.is_file() and path.stat().st_size > self.largest:
            return dict.fromkeys(lines, "")
        if load.landing not in self.damage:
            self.damage[load.landing] = landings.damaged(self.home, load.landing)
        if damage := self.damage[load.landing]:
            return dict.fromkeys(lines, f"the kept file is {damage}: run groundswell doctor")
        report = load.report
        found = kinds.lines_of(path, report["encoding"], report["sheet"], lines, dict(self.limits))
        return {line: corrected(load, text) for line, text in found.items()} if load.retry_of_id else found
