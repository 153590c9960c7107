"""An instance served by the command line, as people serve it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def serving(home: Path, around: Mapping[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Serve an instance until the block ends: the process of `groundswell serve`, and its address without a path.

    `around`: what its environment says besides.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "groundswell", "serve", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env={**os.environ, **(around or {})})
    try:
        _await(f"http://127.0.0.1:{port}/account/login/", process)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert process.poll() is None, "groundswell serve ended by itself"
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"nothing answers at {address}")
