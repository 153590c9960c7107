"""Tables of a new or older instance, brought up to what this release reads: all of it or nothing."""

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor


def behind() -> bool:
    """Whether this release has migrations that the records have not seen."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def catch_up() -> None:
    """Run every migration that is missing in one transaction. The caller holds the writer's lock.

    Django commits a migration before it notes that it ran wherever an index is made at its end: a process ended between
    the two leaves tables that no later start can make. SQLite takes `pragma foreign_keys` only outside a transaction,
    and its schema editor wants them unchecked: so they are put off first, and every row is checked before the commit.
    """
    connection.disable_constraint_checking()
    try:
        with transaction.atomic():
            call_command("migrate", verbosity=0, interactive=False)
            connection.check_constraints()
    finally:
        connection.enable_constraint_checking()
