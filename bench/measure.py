"""What a process took, or a stage of one: CPU of all its threads, wall time, the most memory it held."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cost:
    """What a process took: CPU and wall seconds, peak resident bytes."""

    cpu: float
    wall: float
    memory: int

    def __str__(self) -> str:
        return f"{self.cpu:6.1f} s CPU  {self.wall:6.1f} s  {self.memory / 1e9:5.2f} GB"


def cost(words: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run a command to its end. Raises CalledProcessError when it fails."""
    begun = time.monotonic()
    process = subprocess.Popen(words, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss * 1024)


@dataclass
class Stages:
    """What the stages of one process took, by name, in the order in which they began; a stage may come many times."""

    taken: dict[str, list[float]]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds what passes inside the block to a stage."""
        kept = self.taken.setdefault(name, [0.0, 0.0])
        cpu, wall = _cpu(), time.monotonic()
        try:
            yield
        finally:
            kept[0] += _cpu() - cpu
            kept[1] += time.monotonic() - wall

    def wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, each call of which counts to a stage."""

        def called(*args: Any, **named: Any) -> Any:
            with self.stage(name):
                return function(*args, **named)

        return called

    def each(self, name: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """The function that yields, the time between what is yielded left out."""

        def called(*args: Any, **named: Any) -> Iterator[Any]:
            given = function(*args, **named)
            while True:
                with self.stage(name):
                    try:
                        one = next(given)
                    except StopIteration:
                        return
                yield one

        return called

    def cpu(self, name: str) -> float:
        """Seconds of CPU of a stage, all threads."""
        return self.taken[name][0]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> int:
    """The most bytes that this process held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_a_process(module: str, *words: str) -> dict[str, Any]:
    """What a module of the benches says in a process of its own: JSON, in the file whose name is its last word."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([sys.executable, "-m", module, *words, file.name], check=True)
        return json.loads(Path(file.name).read_bytes())  # type: ignore[no-any-return]
