"""A broker with nothing to say: pull requests expire, and what comes later is fetched all the same."""

import asyncio
from collections.abc import Sequence

import pytest

from doorstep.ingest import reader
from doorstep.ingest.batch import Batch
from doorstep.ingest.pump import Pump
from doorstep.ingest.reader import Fetched, Reader
from doorstep.runtime.brokers import Broker, User, link
from doorstep.testing.devices import add_devices
from doorstep.testing.load import Loader, prepare
from tests.plants import MakePlant
from tests.wait import until_soon

pytestmark = pytest.mark.roles

EXPIRES_NS = 200_000_000
SILENCE_S = 1.0


class Counting:
    """A processor that counts."""

    def __init__(self) -> None:
        self.count = 0

    async def open(self, messages: Sequence[Fetched]) -> Batch:
        self.count += len(messages)
        return Batch(0)

    async def store(self, batch: Batch) -> None:
        """Nothing is kept."""

    async def forget(self) -> None:
        """Nothing was kept."""


def test_worker_fetches_what_comes_after_its_requests_expired(
    make_plant: MakePlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_PULL_EXPIRES_NS", EXPIRES_NS)
    plant = make_plant("sqlite")
    plant.start("nats-secure", "nats-plain", "authorizer")
    loads = prepare(add_devices(plant, 1), 20, in_flight=10, readings=1)
    counting = Counting()

    async def scene() -> None:
        arrived = asyncio.Event()
        ours = Reader(link(plant.settings, plant.key_file, Broker.SECURE, User.INGEST), arrived, 10)
        keeping = asyncio.create_task(ours.keep_connected())
        await until_soon(lambda: ours.connected, seconds=5)
        pumping = asyncio.create_task(Pump([ours], arrived, counting).run())
        await asyncio.sleep(SILENCE_S)
        await Loader(plant).publish(loads)
        await until_soon(lambda: counting.count >= 20, seconds=5)
        for task in (pumping, keeping):
            task.cancel()
        await asyncio.gather(pumping, keeping, return_exceptions=True)
        ours.disconnect()

    asyncio.run(scene())
    assert counting.count == 20
