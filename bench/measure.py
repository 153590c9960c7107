"""A command as a whole process: CPU of all its threads, wall time, the most memory it held."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
