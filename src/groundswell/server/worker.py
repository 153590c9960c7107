"""The worker: does jobs one after the other, takes back those of workers that died, asks for what is scheduled."""

import argparse
import datetime as dt
import logging
import os
import signal
import socket
import threading
from types import FrameType

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "groundswell.server.web")

_POLL = 1.0
_TICK = 5.0
"""Seconds between looks at what is left behind, at most; a worker of a shorter lease looks more often."""


def run(lease: float | None = None, beat: float | None = None) -> None:
    """Work until SIGTERM or SIGINT; a job that is on its way is given back and tried again. Both in seconds."""
    import django

    django.setup()
    from django.db import OperationalError, connection
    from django_tasks_db.management.commands.db_worker import Worker

    from groundswell.runs import jobs

    jobs.pace = jobs.Pace(lease or jobs.pace.lease, beat or jobs.pace.beat)
    worker = Worker(
        queue_names=["*"], interval=min(_POLL, jobs.pace.beat), batch=False, backend_name="default", startup_delay=False,
        max_tasks=None, worker_id=f"{socket.gethostname()}-{os.getpid()}", excluded_queue_names=[],
    )  # fmt: skip

    def end(number: int, frame: FrameType | None) -> None:
        jobs.stopping.set()
        worker.shutdown(number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    threading.Thread(target=_tick, args=(min(_TICK, jobs.pace.lease / 2),), daemon=True).start()
    while not jobs.stopping.is_set():
        try:
            worker.run()
        except OperationalError as error:
            # it looks for tasks outside its own try, where locked records end it
            logging.getLogger("groundswell").warning("the worker waits and tries again: %s", error)
            connection.close()
            jobs.stopping.wait(_POLL)


def _tick(every: float) -> None:
    """Every few seconds: what was left behind, and what is due."""
    from django.conf import settings
    from django.db import close_old_connections

    from groundswell.engine.home import Home
    from groundswell.runs import jobs

    while not jobs.stopping.wait(every):
        close_old_connections()
        try:
            jobs.reap()
            jobs.tick(Home(settings.HOME), dt.datetime.now(dt.UTC))
        except Exception:  # records that are busy, a policy that is being edited: the next look finds it again
            logging.getLogger("groundswell").exception("what was left behind or is due was not looked at")


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--lease", type=float, help="seconds without a word after which a worker is taken for dead")
    words.add_argument("--beat", type=float, help="seconds between two words")
    told = words.parse_args()
    run(told.lease, told.beat)
