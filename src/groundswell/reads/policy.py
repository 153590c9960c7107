"""The policy that a run was made by: what its figures mean, whatever the instance says today."""

from functools import lru_cache

from groundswell.core.declare import Policy
from groundswell.engine.home import Damaged, Home, checked
from groundswell.records.runs import Run


@lru_cache(maxsize=4)
def policy_of(home: Home, run: Run) -> Policy:
    """The policy that a run has stored, each file as it was written. Raises Damaged. A run never changes: read once."""
    stored = tuple(sorted(name for name in run.manifest["outputs"] if name.startswith("policy/")))
    if damage := home.damaged_outputs(run, stored):
        raise Damaged(damage[0])
    folder = home.run_folder(run.run_id)
    return checked(tuple((name.removeprefix("policy/"), (folder / name).read_text("utf-8")) for name in stored))
