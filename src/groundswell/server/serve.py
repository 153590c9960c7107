"""`groundswell serve`: the web process and the worker of an instance, until told to end."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

DRAIN = 20
"""Seconds that web and worker have to end by themselves."""
_DRAIN_OF_WEB = 15
"""Of them, those that the workers of the web process have: one that is told to end while it starts may not hear it."""
_STARTS, _WITHIN = 4, 60.0
"""A part that ends as often within so many seconds ends by what it meets there; to start it again helps nobody."""
_PR_SET_PDEATHSIG = 1
_THREADS = "2"
_SETTINGS = "groundswell.server.web"


class PortTaken(Exception):  # noqa: N818 - what happened, in the glossary's words
    """Another program listens at that port."""


def site(home: Path, port: int) -> dict[str, object]:
    """What pages need to know of where they stand: site.json of the instance, and what `serve` was told."""
    path = home / "site.json"
    own = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {"origin": f"http://127.0.0.1:{port}", **own}


def surroundings(home: Path, port: int) -> dict[str, str]:
    """The environment in which the web process and the worker of an instance run."""
    return {
        **os.environ,
        "GROUNDSWELL_HOME": str(home),
        "GROUNDSWELL_SITE": json.dumps(site(home, port)),
        "DJANGO_SETTINGS_MODULE": _SETTINGS,
    }


def serve(home: Path, port: int) -> int:
    """Run web and worker of an instance until SIGTERM or SIGINT; 0 where they then ended by themselves. Raises PortTaken.

    One that dies is started again. One that dies again and again within a minute ends them all, with 1 and a sentence.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(f"port {port} is taken: {error.strerror}. Choose another with --port") from error
    around = surroundings(home, port)
    if code := subprocess.run([sys.executable, "-m", "groundswell.server.prepare"], env=around).returncode:
        return code
    granian = [
        "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2", "--backpressure", "64",
        "--blocking-threads", _THREADS, "--respawn-failed-workers", "--workers-kill-timeout", str(_DRAIN_OF_WEB),
        "--no-access-log", "--log-level", "warning", "groundswell.server.wsgi:application",
    ]  # fmt: skip
    parts = [
        _Part("the web process", ["granian", *granian], around),
        _Part("the worker", ["groundswell.server.worker"], around),
    ]
    told: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        told.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    for one in parts:
        one.start()
    while not told and all(one.is_up() for one in parts):
        time.sleep(0.2)
    return 0 if _drained([one.process for one in parts]) and told else 1


class _Part:
    """The web process or the worker, in a process group of its own: what is left of it is ended with it."""

    process: subprocess.Popen[bytes]

    def __init__(self, name: str, words: list[str], around: dict[str, str]) -> None:
        self._name, self._words, self._around = name, words, around
        self._began: list[float] = []

    def start(self) -> None:
        """Start it, and note when."""
        self._began = [*(at for at in self._began if at > time.monotonic() - _WITHIN), time.monotonic()]
        words = [sys.executable, "-m", *self._words]
        self.process = subprocess.Popen(words, env=self._around, preexec_fn=_end_with_us, process_group=0)  # noqa: S603

    def is_up(self) -> bool:
        """Whether it runs, if need be since now; False, once that is said, where it has ended too often."""
        code = self.process.poll()
        if code is None:
            return True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # workers that outlive their web process would keep its port
        how = f"was ended by signal {-code}" if code < 0 else f"ended by itself with {code}"
        recent = sum(at > time.monotonic() - _WITHIN for at in self._began)
        if recent >= _STARTS:
            print(f"{self._name} {how}, {recent} times within a minute; groundswell serve ends", file=sys.stderr)
            return False
        print(f"{self._name} {how}; it is started again", file=sys.stderr, flush=True)
        self.start()
        return True


def _end_with_us() -> None:
    """In a child: be told to end when `serve` is gone, killed or not. Where Linux is not, a killed one leaves them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _drained(running: list[subprocess.Popen[bytes]]) -> bool:
    """End all of them; whether none had to be killed."""
    for one in running:
        if one.poll() is None:
            one.terminate()
    until, kind = time.monotonic() + DRAIN, True
    for one in running:
        try:
            one.wait(max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()
            kind = False
        with suppress(ProcessLookupError):
            os.killpg(one.pid, signal.SIGKILL)  # what did not end with the one that began it
    return kind
