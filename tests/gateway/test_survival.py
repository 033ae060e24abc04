"""A gateway process between real children and the real platform: outages, and kill -9 under load."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.mqtt import ACCEPTED, open_client
from doorstep.testing.plant import Plant
from doorstep.testing.ports import free_ports
from doorstep.wire import coap
from tests.gateway.test_coap import Phone, again, request
from tests.ingest.tables import letters, query
from tests.plants import MakePlant
from tests.wait import until, until_soon

pytestmark = pytest.mark.slow

CHILDREN = 4
EACH = 150


@pytest.fixture(scope="module")
def running(make_plant: MakePlant) -> Plant:
    plant = make_plant()
    plant.start("nats-secure", "nats-plain", "authorizer", "ingest")
    return plant


class Process:
    """The gateway's process; ``kill`` ends it as a power cut does."""

    def __init__(self, plant: Plant, gateway: TestDevice, folder: Path) -> None:
        self.coap, self.mqtt = free_ports(2)
        root = str(plant.state.root / "devices" / "root.crt")
        self._command = [
            *(sys.executable, "-m", "tests.gateway.serving", gateway.device_id, str(folder)),
            *(str(plant.settings.mqtt_tls_port), str(self.coap), str(self.mqtt)),
            *(root, str(gateway.certificate), str(gateway.key)),
        ]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().split()[1] == str(self.mqtt).encode()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def gateway_of(plant: Plant, folder: Path) -> Iterator[tuple[Process, list[TestDevice]]]:
    gateway, *children = add_devices(plant, 1 + CHILDREN)
    for child in children:
        query(plant, "UPDATE device SET gateway_id = ? WHERE id = ?", gateway.row, child.row)
    process = Process(plant, gateway, folder)
    try:
        yield process, children
    finally:
        process.kill()


class Sender:
    """A child over MQTT: it sends the same bytes again until they are acknowledged."""

    def __init__(self, child: TestDevice) -> None:
        sealer = child.boot()
        self._child = child
        self._messages = [sealer.seal(b"up/data", b'{"n":%d}' % number) for number in range(EACH)]
        self.acknowledged = 0

    async def send_all(self, port: int) -> None:
        while self.acknowledged < EACH:
            try:
                await self._send_some(port)
            except OSError:
                await asyncio.sleep(0.05)

    async def _send_some(self, port: int) -> None:
        client = await open_client(port)
        try:
            if await client.connect(self._child.device_id) != ACCEPTED:
                return
            for message in self._messages[self.acknowledged :]:
                await client.publish(self._child.topic("data"), message)
                self.acknowledged += 1
        finally:
            client.transport.abort()
            await client.lost


def stored(plant: Plant, child: TestDevice) -> list[int]:
    rows = query(plant, "SELECT seq FROM message WHERE device_id = ? ORDER BY received_us, seq", child.row)
    return [sequence for (sequence,) in rows]


def test_kill_nine_under_load_loses_and_doubles_nothing_acknowledged(running: Plant, tmp_path: Path) -> None:
    """GATE-4: the process dies three times while children send, and the platform is away once."""

    async def scene(process: Process, children: list[TestDevice]) -> None:
        senders = [Sender(child) for child in children]
        sending = [asyncio.create_task(sender.send_all(process.mqtt)) for sender in senders]
        for share in (0.2, 0.4, 0.6):
            await until_soon(lambda: sum(s.acknowledged for s in senders) > share * EACH * CHILDREN)  # noqa: B023 - awaited here
            if share == 0.4:
                await asyncio.to_thread(running.stop, "nats-secure")
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(process.start)
        await asyncio.to_thread(running.start, "nats-secure")
        await asyncio.wait_for(asyncio.gather(*sending), 60)

    with gateway_of(running, tmp_path) as (process, children):
        until_known(process, children)
        asyncio.run(scene(process, children))
        for child in children:
            # One more was sent by `until_known` in an epoch of its own.
            until(lambda: len(stored(running, child)) == EACH + 1, seconds=30)  # noqa: B023 - called here
            assert sorted(stored(running, child)) == sorted([0, *range(EACH)])
            assert letters(running, child) == {}


def until_known(process: Process, children: list[TestDevice]) -> None:
    """Send one message of each child by CoAP, until the platform has told the gateway whose they are."""

    async def knock() -> None:
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(Phone, remote_addr=("127.0.0.1", process.coap))
        for number, child in enumerate(children):
            sealed = child.boot().seal(b"up/data", b'{"n":1}')
            datagram = again(request(f"d/{child.device_id}/up/data", payload=sealed), number)
            while (answer := await phone.ask(datagram)).code != coap.Code.CHANGED:
                assert answer.code == coap.Code.UNAVAILABLE
                await asyncio.sleep(0.05)
        transport.close()

    asyncio.run(knock())
