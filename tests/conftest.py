"""Fixtures: an instance of its own for each test, quickly, and where the shared data and specs lie."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "groundswell.server.web")
os.environ.setdefault("GROUNDSWELL_HOME", tempfile.mkdtemp(prefix="groundswell-tests-"))

import django

django.setup()

from django.core.management import call_command
from django.db import connections

from groundswell.engine.home import Home

SHARED = Path(__file__).parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", default=1, type=int, help="made ecosystems in which the planted truths are looked for")
    parser.addoption("--kills", type=int, default=20, help="how many processes the kill loop ends in each stage")
    parser.addoption("--mutations", type=int, default=500, help="how many damaged exports are brought to the door")
    parser.addoption("--full-size", action="store_true", help="the largest files at their full size, not a twentieth")


@pytest.fixture(scope="session")
def _empty_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database, copied for each instance: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("records") / "records.sqlite3"
    connect(path)
    for first in (["records"], []):  # tables of libraries refer to our people
        call_command("migrate", *first, verbosity=0, interactive=False)
    connections["default"].close()
    return path


@pytest.fixture
def new_home(tmp_path: Path, _empty_records: Path) -> Iterator[Callable[[], Home]]:
    """Makes a new, empty instance each time; the records of this process are those of the latest."""

    def made() -> Home:
        path = tmp_path / f"home{len(homes) or ''}"
        path.mkdir()
        shutil.copy(_empty_records, path / "records.sqlite3")
        connect(path / "records.sqlite3")
        homes.append(Home(path))
        return homes[-1]

    homes: list[Home] = []
    yield made
    connections["default"].close()


@pytest.fixture
def home(new_home: Callable[[], Home]) -> Home:
    """A new, empty instance; the records of this process are its own while the test runs."""
    return new_home()


def connect(path: Path) -> None:
    """Make a database the records of this process."""
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = str(path)


@pytest.fixture(scope="session")
def specs() -> Path:
    """The published rules and export fixtures; tests on them skip where they are absent."""
    if not (SHARED / "specs").is_dir():
        pytest.skip("../shared/specs is absent")
    return SHARED / "specs"


@pytest.fixture(scope="session")
def resellers() -> Path:
    """The AdventureWorks reseller channel; tests on it skip where it is absent."""
    folder = SHARED / "data" / "adventureworks_channel"
    if not folder.is_dir():
        pytest.skip("../shared/data/adventureworks_channel is absent")
    return folder


@pytest.fixture(scope="session")
def cncf() -> Path:
    """The partner programmes of the Cloud Native Computing Foundation; tests on them skip where they are absent."""
    folder = SHARED / "data" / "cncf_partners"
    if not folder.is_dir():
        pytest.skip("../shared/data/cncf_partners is absent")
    return folder


@pytest.fixture(scope="session")
def crm_opportunities() -> Path:
    """The CRM sales opportunities; tests on them skip where they are absent."""
    folder = SHARED / "data" / "crm_sales_opportunities"
    if not folder.is_dir():
        pytest.skip("../shared/data/crm_sales_opportunities is absent")
    return folder
