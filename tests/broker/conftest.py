"""One running deployment for all tests of the broker; each test makes devices of its own."""

import pytest

from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.plant import Plant
from tests.plants import MakePlant


@pytest.fixture(scope="session")
def running(make_plant: MakePlant) -> Plant:
    """Both brokers and the authorizer, without ingest: what is published stays in the stream."""
    plant = make_plant()
    plant.start("nats-secure", "nats-plain", "authorizer")
    return plant


@pytest.fixture
def device(running: Plant) -> TestDevice:
    return add_devices(running, 1)[0]


@pytest.fixture
def other(running: Plant) -> TestDevice:
    return add_devices(running, 1)[0]
