"""One running data plane with the way down for all tests of this folder."""

import pytest

from doorstep.testing.plant import Plant
from tests.plants import MakePlant

ROLES = ("nats-secure", "nats-plain", "authorizer", "ingest", "downlink")


@pytest.fixture(scope="session")
def running(make_plant: MakePlant) -> Plant:
    plant = make_plant()
    plant.start(*ROLES)
    return plant
