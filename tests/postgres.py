"""PostgreSQL for every test that wants it: one private server a session, databases made from it.

Use ``from tests.postgres import ...`` nowhere: ``tests/conftest.py`` loads these fixtures as a plugin.
"""

from collections.abc import Iterator

import pytest

from doorstep.testing.postgres import PostgresServer, find_binaries, running_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the whole session, or a skip that names what is missing."""
    if find_binaries() is None:
        pytest.skip("PostgreSQL server binaries (initdb, postgres) are not installed")
    with running_postgres(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """One empty database that all tests of the session share."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def fresh_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database for one test alone."""
    with postgres_server.database() as url:
        yield url
