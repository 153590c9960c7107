"""A mapping for a file of unknown shape: drafted, decided column by column, tried on rows, and only then used.

The draft lies beside the kept file and is nobody's rule. Taking the file in by it keeps it with its source (runs.kept),
and that asking leaves the entry in the trail.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from groundswell.actions import jobs as asking
from groundswell.actions.act import Actor, NotAllowed
from groundswell.actions.uploads import Upload
from groundswell.connectors.files import edited
from groundswell.connectors.files import mapping as mappings
from groundswell.core.rights import may
from groundswell.engine import durable
from groundswell.engine.home import Home
from groundswell.policy.read import BadPolicy
from groundswell.records.jobs import Job
from groundswell.runs.prepare import Request
from groundswell.runs.propose import proposal
from groundswell.runs.trial import Trial, trial

_FOLDER, _TEXT, _SAMPLES, _TRIED = ".draft", "mapping.toml", "samples.json", "tried"
"""No kept file can have the name of the folder: `uploads.safe` takes points off the front."""


class NotTried(Exception):  # noqa: N818 - what happened, in the glossary's words
    """The mapping as it stands now was tried on no row, so nothing is taken in by it."""


@dataclass(frozen=True)
class Draft:
    """The draft beside a kept file: its text, the columns of the file with samples, whether it was tried as it is."""

    text: str
    samples: dict[str, list[str]]
    tried: bool


def propose(actor: Actor, upload: Upload) -> tuple[str, ...]:
    """Draft a mapping for a kept file, unless one is there; what says that none is needed. Raises NotAllowed, Refused."""
    _may(actor)
    if draft(upload):
        return ()
    found = proposal(Home(actor.home), [upload.path])
    if found.text:
        durable.write(_in(upload, _SAMPLES), json.dumps(found.samples, ensure_ascii=False).encode())
        durable.write(_in(upload, _TEXT), found.text.encode())
    return () if found.text else found.known


def draft(upload: Upload) -> Draft | None:
    """The draft beside a kept file; None where none was asked for."""
    if not _in(upload, _TEXT).is_file():
        return None
    text = _in(upload, _TEXT).read_text("utf-8")
    mark = _in(upload, _TRIED)
    tried = mark.is_file() and mark.read_text("utf-8") == _digest(text)
    return Draft(text, json.loads(_in(upload, _SAMPLES).read_text("utf-8")), tried)


def edit(actor: Actor, upload: Upload, said: Mapping[str, str]) -> None:
    """Lay the fields of the form over the draft. Raises NotAllowed."""
    _may(actor)
    durable.write(_in(upload, _TEXT), edited.edited(_in(upload, _TEXT).read_text("utf-8"), said).encode())


def rewrite(actor: Actor, upload: Upload, text: str) -> None:
    """Replace the text of the draft. Raises NotAllowed; TOMLDecodeError for what is no TOML, and then nothing is changed."""
    _may(actor)
    plain = text.replace("\r\n", "\n")
    tomllib.loads(plain)
    durable.write(_in(upload, _TEXT), plain.encode())


def try_on(actor: Actor, upload: Upload, lines: frozenset[int]) -> Trial:
    """What rows on these lines become by the draft. Raises NotAllowed, BadPolicy with every fault, Refused, Asked."""
    _may(actor)
    found = trial(Home(actor.home), upload.path, Request(mapping=_in(upload, _TEXT)), lines)
    if found.tried:
        durable.write(_in(upload, _TRIED), _digest(_in(upload, _TEXT).read_text("utf-8")).encode())
    return found


def take_in(actor: Actor, upload: Upload, exported_at: str, once: str) -> Job:
    """Take the file in by the draft, as it was tried. Raises NotAllowed, NotTried."""
    found = draft(upload)
    if found is None or not found.tried:
        raise NotTried("Try the mapping on some rows first, as it stands now.")
    name = f"{_FOLDER}/{_digest(found.text)[:16]}.toml"  # a copy that later edits leave alone
    durable.write(upload.path.parent / name, found.text.encode())
    return asking.take_in(actor, upload, exported_at=exported_at, mapping=name, once=once)


def faults(upload: Upload) -> list[str]:
    """Everything that is wrong with the draft, or left to decide; the name of the file is left out."""
    try:
        mappings.own(_in(upload, _TEXT))
    except BadPolicy as error:
        return [one.replace(str(_in(upload, _TEXT)), "line").replace("line:", "line ", 1) for one in error.faults]
    return []


def _may(actor: Actor) -> None:
    if actor.staff is not None and not may(actor.staff.role, "take in data"):
        raise NotAllowed(f"a {actor.staff.role} may not take in data")


def _in(upload: Upload, name: str) -> Path:
    return upload.path.parent / _FOLDER / name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
