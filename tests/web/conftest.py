"""A small made instance with one person a role, taken in and assessed once, and copied for each test."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client, override_settings

from groundswell.engine.home import Home
from groundswell.reads.listing import forget_facts
from groundswell.records.runs import Published, PublishedPartner
from groundswell.records.staff import Staff
from groundswell.runs.publish import published_partner
from tests.conftest import connect

PARTNERS, MONTHS = 36, 6
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that instance; processes that test side by side make it once."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen") else base
    path = shared / "made-for-web"
    with (shared / "made-for-web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (path / "ready").is_file():
            words = ["demo", "--partners", str(PARTNERS), "--months", str(MONTHS), "--no-serve", "--home", str(path)]
            subprocess.run([sys.executable, "-m", "groundswell", *words], check=True, stdout=subprocess.DEVNULL)
            around = {"GROUNDSWELL_HOME": str(path), "DJANGO_SETTINGS_MODULE": "groundswell.server.web"}
            for words in (["migrate"], ["createcachetable"]):
                subprocess.run([sys.executable, "-m", "django", *words, "-v", "0"], env=around, check=True)
            (path / "ready").touch()
    return path


@pytest.fixture
def instance(made_once: Path, tmp_path: Path) -> Iterator[Home]:
    """A copy of it that this process serves."""
    path = tmp_path / "home"
    shutil.copytree(made_once, path)
    connect(path / "records.sqlite3")
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(
        HOME=path, DEMO=True, STORAGES={**settings.STORAGES, **plain}, FILE_UPLOAD_TEMP_DIR=path / "uploads",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], EMAIL_FILE_PATH=path / "mail",
    ):  # fmt: skip
        (path / "uploads").mkdir(exist_ok=True)
        forget_facts()  # copies have the same run, and what is read of a run is read once a process
        yield Home(path)
    connections["default"].close()


@pytest.fixture
def signed_in(instance: Home) -> Callable[[str], Client]:
    """A browser of the person of a role."""

    def opened(role: str) -> Client:
        browser = Client(SERVER_NAME="127.0.0.1")
        browser.force_login(Staff.objects.get(role=role), backend=BACKEND)
        return browser

    return opened


def keep(count: int) -> list[PublishedPartner]:
    """Cut the published list to its first so many, or fill it up with copies under other names; all of them."""
    run = Published.current()
    assert run is not None
    there = list(run.partners.all())
    run.partners.filter(rank__gt=count).delete()
    more = []
    for number in range(len(there), count):
        named = {"partner_id": f"o_copy{number}", "name": f"Copy {number:05}", "rank": number + 1}
        one = {**there[number % len(there)].result, **named}
        more.append(published_partner(run, one))
    PublishedPartner.objects.bulk_create(more, batch_size=500)
    forget_facts()
    return list(run.partners.all())
