"""Private deployments for tests that run the real brokers, authorizer and ingest.

The tables are made once a session; every plant starts from a copy of them.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from doorstep.testing.plant import Plant, migrate
from doorstep.testing.postgres import PostgresServer

MakePlant = Callable[..., Plant]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table and no row."""
    with Plant.build(tmp_path_factory.mktemp("tables") / "state") as plant:
        migrate(plant)
    return plant.state.sqlite_file


@pytest.fixture(scope="session")
def migrated_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a PostgreSQL database with every table and no row; a template for others."""
    with postgres_server.database() as url:
        with Plant.build(tmp_path_factory.mktemp("tables") / "state", database_url=url) as plant:
            migrate(plant)
        yield url.rpartition("/")[2]


@pytest.fixture(scope="session")
def make_plant(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[MakePlant]:
    """Build plants; ``database`` is "sqlite" or "postgresql". All are stopped at the end of the session."""
    with ExitStack() as running:

        def make(database: str = "sqlite", **chosen: object) -> Plant:
            root = tmp_path_factory.mktemp("plant") / "state"
            if database == "postgresql":
                chosen["database_url"] = _copy(request)
            plant = running.enter_context(Plant.build(root, **chosen))
            if database == "sqlite":
                shutil.copyfile(migrated_sqlite, plant.state.sqlite_file)
            return plant

        yield make


def _copy(request: pytest.FixtureRequest) -> str:
    """Return the address of a copy of the template; it goes with its server."""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    template, name = request.getfixturevalue("migrated_postgres"), f"plant_{os.urandom(6).hex()}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return server.url(name)
