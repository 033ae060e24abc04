"""A running deployment for each database; each test makes devices of its own."""

import pytest

from doorstep.testing.plant import Plant
from tests.plants import MakePlant

ROLES = ("nats-secure", "nats-plain", "authorizer", "ingest")

DATABASES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=[pytest.mark.postgres, pytest.mark.slow]),
]

_running: dict[str, Plant] = {}


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Name of the database that the test runs on."""
    name: str = request.param
    return name


@pytest.fixture
def running(database: str, make_plant: MakePlant) -> Plant:
    """Everything of the data plane, shared by the tests of one database."""
    if database not in _running:
        _running[database] = make_plant(database)
        _running[database].start(*ROLES)
    return _running[database]
