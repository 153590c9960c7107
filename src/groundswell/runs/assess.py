"""A run: assess every partner as of a day, write the result whole, then publish it by moving one pointer.

The id of a run is the hash of all that went into it: day, policy, program, and the lake files with their hashes. The
same inputs are the same run, byte for byte.
"""

import datetime as dt
import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell import __version__
from groundswell.core.assess import Assessment, assess
from groundswell.core.declare import Policy
from groundswell.core.peers import ALL, peers
from groundswell.core.standing import Past, Stood, stands
from groundswell.engine import durable, landings, rows
from groundswell.engine.home import Home
from groundswell.records.jobs import made
from groundswell.records.loads import Load, LoadFile, once
from groundswell.records.runs import HISTORY, Published, Run
from groundswell.runs.history import kept
from groundswell.runs.publish import publish
from groundswell.runs.result import exact, result, text, value_of
from groundswell.runs.standing import before, counts, history_file
from groundswell.runs.take_in import recover

_AT_ONCE = 2_000
"""Partners whose signals are in memory as rows at a time."""


class NotReproduced(Exception):  # noqa: N818 - what happened, in the glossary's words
    """A run gave other bytes than before for the same inputs: a fault of ours, never overwritten in silence."""


class NobodyKnown(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Something is loaded, and no partner of it was known on the day; the published list stays as it is."""

    def __init__(self, as_of: dt.date) -> None:
        stays = "; the list stays as it was" if Published.current() else ""
        super().__init__(f"0 partners: none was known on {as_of}, so nothing is published{stays}")
        self.as_of = as_of


def run(home: Home, as_of: dt.date, now: dt.datetime) -> Run:
    """Assess as of a day and publish. The caller holds the writer's lock.

    Raises NobodyKnown, NotReproduced, Damaged. Of an instance in which nothing is loaded the list is empty.
    """
    if done := made("publish"):
        return Run.objects.get(run_id=done)
    recover(home, now)
    policy = home.policy
    files = home.files(home.cut(as_of))
    month_ends = kept(home, as_of)
    inputs = manifest_inputs(policy, as_of, files) | {"month_ends": [path.stem for path in month_ends.values()]}
    run_id = hashlib.sha256(_json(inputs)).hexdigest()
    earlier = before(home, month_ends)
    with home.engine() as engine:
        engine.day(as_of, policy.instance, home.paths(files), once(files))
        if engine.one("select count(*) from partners"):
            rows.lay(home, run_id, engine)  # first, while the engine has the memory to itself
        elif Load.objects.filter(state="committed", voided_at=None).exists():
            raise NobodyKnown(as_of)
        found = assess(policy, as_of, engine.ask)
        pa.default_memory_pool().release_unused()  # what the rows of signals came in: a tenth of a gigabyte of many partners
        stood = stands(policy, found, earlier, engine.ask)
    manifest = {
        "run_id": run_id,
        **inputs,
        "partners": len(found.partners),
        "signals": {"computable": len(policy.signals) - len(found.unavailable), "declared": len(policy.signals)},
        "unavailable": found.unavailable,
        "would_add": found.would_add,
        "remarks": found.remarks,
        "stopped": {
            one.source: {"last_on": str(one.last_on), "partners": one.partners, "regulars": one.regulars}
            for one in found.stopped
        },
        "standing": counts(stood),
        "peers": _peers(policy, found),
    }
    _write(home, run_id, _contents(policy, found, stood, earlier), manifest)
    published = publish(home, run_id, manifest, now)
    rows.forget(home, but=run_id)
    return published


def _peers(policy: Policy, found: Assessment) -> dict[str, Any]:
    """The middle half of each dimension by type of partner, exact."""
    typed = ((text(one.partner["partner_type"]) or ALL, one.readiness) for one in found.partners)
    return {
        part: {of: {"count": one.count, "low": exact(one.low), "high": exact(one.high)} for of, one in types.items()}
        for part, types in peers(typed, policy.instance.limits["peers"]).items()
    }


def manifest_inputs(policy: Policy, as_of: dt.date, files: Iterable[LoadFile]) -> dict[str, Any]:
    """Everything that decides a run: day, policy, program, and the pinned files with their hashes."""
    return {
        "as_of": as_of.isoformat(),
        "groundswell": __version__,
        "policy_version": policy.version,
        "files": [[file.table, file.load.name, file.sha256] for file in files],
    }


def _contents(policy: Policy, found: Assessment, stood: Stood, earlier: Past) -> dict[str, Iterable[bytes]]:
    """The files of a run, each piece by piece: together the texts of all partners are more than memory should hold."""
    ranked = enumerate(found.partners, start=1)
    return {
        "assessment.jsonl": (
            _json(result(policy, one, stood.partners[one.partner_id], rank)) + b"\n" for rank, one in ranked
        ),
        "signals.parquet": (_wide(found),),
        HISTORY: (history_file(found, stood.partners, earlier),),
        **{f"policy/{path}": (text.encode(),) for path, text in policy.files.items()},
    }


def _write(home: Home, run_id: str, contents: Mapping[str, Iterable[bytes]], manifest: dict[str, Any]) -> None:
    """Write the folder of a run whole, with the hashes of its files in its manifest: beside its place first, then renamed.

    A second time, compare. Raises NotReproduced.
    """
    final = home.run_folder(run_id)
    part = final.with_name(f".{run_id}.part")
    shutil.rmtree(part, ignore_errors=True)
    manifest["outputs"] = {name: durable.pour(part / name, content) for name, content in sorted(contents.items())}
    durable.write(part / "manifest.json", _json(manifest) + b"\n")
    if not final.is_dir():
        durable.rename(part, final)
        return
    names = [*manifest["outputs"], "manifest.json"]
    differing = [name for name in names if not _same(part / name, final / name)]
    shutil.rmtree(part)
    if differing:
        raise NotReproduced(f"run {run_id[:12]} gave other bytes for {differing[0]} than are stored in {final}")
    durable.sync_folder(final.parent)  # a sync that failed the first time counts as lost until it is done


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and landings.digest(one) == landings.digest(other)


def _wide(found: Assessment) -> bytes:
    """Every signal of every partner: partner_id, signal, state, both ends as exact text, why."""
    schema = pa.schema([(name, pa.string()) for name in ("partner_id", "signal", "state", "low", "high", "why")])
    every, stream = sorted(found.partners, key=lambda one: one.partner_id), io.BytesIO()
    with pq.ParquetWriter(stream, schema, compression="zstd") as file:
        for first in range(0, max(1, len(every)), _AT_ONCE):
            rows = [
                {"partner_id": one.partner_id, "signal": name, **value_of(value)}
                for one in every[first : first + _AT_ONCE]
                for name, value in sorted(one.values.items())
            ]
            file.write_table(pa.Table.from_pylist(rows, schema))
    return stream.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
