"""`python -m groundswell` is the same as the command `groundswell`."""

from groundswell.cli.main import run

run()
