"""Django for every test below: a state folder of its own, and SQLite or what TEST_DATABASE_URL names."""

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

_STATE = tempfile.mkdtemp(prefix="doorstep-test-state-")
os.environ["DOORSTEP_STATE"] = _STATE
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DOORSTEP_DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from tests.server.migrated import begin  # noqa: E402 - the settings read the environment when imported

begin()

from django.conf import settings  # noqa: E402 - Django is loaded only now
from django.db import connection, connections, transaction  # noqa: E402 - as above

settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself


@pytest.fixture(scope="session", autouse=True)
def _state_folder() -> Iterator[None]:
    yield
    connections.close_all()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL has one
    shutil.rmtree(_STATE, ignore_errors=True)


@pytest.fixture
def rolled_back() -> Iterator[None]:
    """Undo what the test writes; not for tests whose threads or processes must see it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
