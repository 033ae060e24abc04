"""The operator's own NATS servers, named by URL: Doorstep starts none, and the path is the same."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from doorstep.broker.processes import find_server, prepare
from doorstep.runtime.brokers import Broker
from doorstep.testing.devices import add_devices
from doorstep.testing.load import Loader
from doorstep.testing.load import prepare as prepare_load
from doorstep.testing.plant import Plant
from doorstep.testing.ports import free_ports
from tests.ingest.tables import acknowledged, assert_exactly_once, prepared, stored
from tests.plants import MakePlant
from tests.wait import until

pytestmark = pytest.mark.roles


@contextmanager
def operators_server(plant: Plant, broker: Broker) -> Iterator[None]:
    """Run a server on the template that Doorstep wrote, as an operator would."""
    template = plant.state.broker / f"{broker}.conf"
    with subprocess.Popen(
        [find_server(plant.settings), "-c", template], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            yield
        finally:
            server.terminate()


def test_ingest_stores_what_comes_over_the_operators_own_servers(make_plant: MakePlant) -> None:
    secure, plain = free_ports(2)
    urls = {
        "nats_secure_port": secure,
        "nats_plain_port": plain,
        "nats_secure_url": f"nats://127.0.0.1:{secure}",
        "nats_plain_url": f"nats://127.0.0.1:{plain}",
    }
    with ExitStack() as stack:
        plant = make_plant(**urls)
        assert prepare(plant.settings, plant.state, plant.key_file) == []
        for broker in Broker:
            stack.enter_context(operators_server(plant, broker))
        plant.start("authorizer", "ingest")
        for broker in Broker:
            send_and_find(plant, broker)
        plant.stop("ingest")
        plant.stop("authorizer")


def send_and_find(plant: Plant, broker: Broker) -> None:
    loads = prepare_load(add_devices(plant, 2), 40, in_flight=10, readings=1)
    asyncio.run(Loader(plant, broker).publish(loads))
    assert acknowledged(loads) == prepared(loads)
    until(lambda: len(stored(plant, [load.device for load in loads])) == 40)
    assert_exactly_once(plant, loads)
