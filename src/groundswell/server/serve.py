"""`groundswell serve`: the web process and the worker of an instance, until told to end."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

DRAIN = 20
"""Seconds that web and worker have to end by themselves."""
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
    """Run web and worker of an instance until SIGTERM or SIGINT, or until one of them ends. Raises PortTaken."""
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
        "--blocking-threads", _THREADS, "--no-access-log", "--log-level", "warning", "groundswell.server.wsgi:application",
    ]  # fmt: skip
    running = [
        subprocess.Popen([sys.executable, "-m", *words], env=around, preexec_fn=_end_with_us)  # noqa: S603
        for words in (["granian", *granian], ["groundswell.server.worker"])
    ]
    told: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        told.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    while not told and all(one.poll() is None for one in running):
        time.sleep(0.2)
    return 0 if _drained(running) and told else 1


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
    return kind
