"""The policy that a run was made by: what its figures mean, whatever the instance says today."""

from functools import lru_cache
from pathlib import Path

from groundswell.core import catalog
from groundswell.core.declare import Policy
from groundswell.engine.home import Damaged, Home
from groundswell.records.runs import Run


def policy_of(home: Home, run: Run) -> Policy:
    """The policy that a run has stored, each file as it was written. Raises Damaged."""
    stored = tuple(sorted(name for name in run.manifest["outputs"] if name.startswith("policy/")))
    if damage := home.damaged_outputs(run, stored):
        raise Damaged(damage[0])
    return _policy(home.run_folder(run.run_id), stored)


@lru_cache(maxsize=4)
def _policy(folder: Path, stored: tuple[str, ...]) -> Policy:
    """The same, read once a process: a third of a second, and a run never changes."""
    return catalog.policy({name.removeprefix("policy/"): (folder / name).read_text("utf-8") for name in stored})
