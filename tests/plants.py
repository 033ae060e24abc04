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
                chosen["database_url"] = running.enter_context(_copy(request))
            plant = running.enter_context(Plant.build(root, **chosen))
            if database == "sqlite":
                shutil.copyfile(migrated_sqlite, plant.state.sqlite_file)
            return plant

        yield make


def _copy(request: pytest.FixtureRequest) -> "_Copy":
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return _Copy(server, request.getfixturevalue("migrated_postgres"))


class _Copy:
    """A database that starts as a copy of the template."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._name = f"plant_{os.urandom(6).hex()}"

    def __enter__(self) -> str:
        self._run(f'CREATE DATABASE "{self._name}" TEMPLATE "{self._template}"')
        return self._server.url(self._name)

    def __exit__(self, *_: object) -> None:
        self._run(f'DROP DATABASE "{self._name}" WITH (FORCE)')

    def _run(self, sql: str) -> None:
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            connection.execute(sql.encode())
