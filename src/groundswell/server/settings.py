"""Django settings of an instance. Everything that belongs to one lies in its home folder ($GROUNDSWELL_HOME)."""

import os
from pathlib import Path

HOME = Path(os.environ.get("GROUNDSWELL_HOME", "groundswell-home")).absolute()

INSTALLED_APPS = ["groundswell.records.apps.RecordsConfig"]
USE_TZ = True
TIME_ZONE = "UTC"
SECRET_KEY = "unused: nothing is signed before there is a web process"  # noqa: S105
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "records.sqlite3",
        "OPTIONS": {
            # All three are needed: readers beside a writer, nothing acknowledged is lost, no deadlock on upgrade.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    }
}
