"""What `serve` does before anybody is let in: files closed to others, tables brought up to date, files of pages laid out."""

import datetime as dt
import sys

import django
from django.core.management import call_command

from groundswell.engine.lock import Locked, writer
from groundswell.engine.secrets import close, make_records
from groundswell.server.settings import HOME

_AT_NIGHT = dt.time(3)
"""When files that pages left behind are removed, in the home zone: hardly anybody hands one over."""


def main() -> None:
    """Prepare the instance of $GROUNDSWELL_HOME; ends with a sentence where another process writes."""
    try:
        make_records(HOME)
        close(HOME)
    except PermissionError as error:
        sys.exit(
            f"{error.filename} can be read by others, and only its owner can end that. Run: chmod go= {error.filename}"
        )
    django.setup()
    from groundswell.records.jobs import Schedule
    from groundswell.records.upgrade import behind, catch_up

    if behind():
        try:
            with writer(HOME, "migrate", dt.datetime.now(dt.UTC)):
                catch_up()
        except Locked as busy:
            sys.exit(str(busy))
    Schedule.objects.get_or_create(kind="sweep", defaults={"at": _AT_NIGHT})
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
