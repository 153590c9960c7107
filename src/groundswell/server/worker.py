"""The worker: does jobs one after the other, takes back those of workers that died, asks for what is scheduled."""

import os
import signal
import socket
import threading
from types import FrameType

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "groundswell.server.web")

_POLL = 1.0
_TICK = 5.0


def run() -> None:
    """Work until SIGTERM or SIGINT; a job that is on its way is given back and tried again."""
    import django

    django.setup()
    from django_tasks_db.management.commands.db_worker import Worker

    from groundswell.runs import jobs

    worker = Worker(
        queue_names=["*"], interval=_POLL, batch=False, backend_name="default", startup_delay=False, max_tasks=None,
        worker_id=f"{socket.gethostname()}-{os.getpid()}", excluded_queue_names=[],
    )  # fmt: skip

    def end(number: int, frame: FrameType | None) -> None:
        jobs.stopping.set()
        worker.shutdown(number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    threading.Thread(target=_tick, daemon=True).start()
    worker.run()


def _tick() -> None:
    """Every few seconds: what was left behind, and what is due."""
    from django.conf import settings
    from django.db import close_old_connections

    from groundswell.engine.home import Home
    from groundswell.runs import jobs

    while not jobs.stopping.wait(_TICK):
        close_old_connections()
        jobs.reap()
        jobs.tick(Home(settings.HOME))


if __name__ == "__main__":
    run()
