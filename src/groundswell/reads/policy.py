"""The policy that a run was made by: what its figures mean, whatever the instance says today."""

from functools import lru_cache
from pathlib import Path

from groundswell.core import catalog
from groundswell.core.declare import Policy
from groundswell.engine.home import Damaged, Home
from groundswell.records.runs import Run

_FOLDER = "policy/"


def policy_of(home: Home, run: Run) -> Policy:
    """The policy of a published run. It never changes, so a process reads it once. Raises Damaged where a file is gone."""
    names = tuple(sorted(name for name in run.manifest["outputs"] if name.startswith(_FOLDER)))
    return _policy(home.run_folder(run.run_id), names)


@lru_cache(maxsize=2)
def _policy(folder: Path, names: tuple[str, ...]) -> Policy:
    try:
        texts = {name.removeprefix(_FOLDER): (folder / name).read_text("utf-8") for name in names}
    except FileNotFoundError as error:
        raise Damaged(f"{error.filename} is missing. Run: groundswell doctor") from error
    return catalog.policy(texts)
