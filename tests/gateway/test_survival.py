"""A gateway process between real children and the real platform: outages, and kill -9 under load."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doorstep.device.life import State
from doorstep.device.sealing import Sealing
from doorstep.device.store import Store
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.mqtt import ACCEPTED, open_client
from doorstep.testing.plant import Plant
from doorstep.testing.ports import free_ports
from doorstep.wire import coap
from tests.device.office import Office, give
from tests.device.test_agent_on_platform import device_with
from tests.gateway.test_coap import Phone, again, request
from tests.ingest.tables import letters, query
from tests.plants import MakePlant
from tests.small_disk import on_small_disk
from tests.wait import until, until_soon

pytestmark = pytest.mark.slow

CHILDREN = 4
EACH = 150


@pytest.fixture(scope="module")
def running(make_plant: MakePlant) -> Plant:
    plant = make_plant()
    plant.start("nats-secure", "nats-plain", "authorizer", "ingest", "device-api")
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
    for child in children:
        until_taken(process.coap, child.device_id, child.boot().seal(b"up/data", b'{"n":1}'))


def until_taken(port: int, device: str, sealed: bytes) -> None:
    """Send a message by CoAP until it is taken."""

    async def knock() -> None:
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(Phone, remote_addr=("127.0.0.1", port))
        for number in range(200):
            answer = await phone.ask(again(request(f"d/{device}/up/data", payload=sealed), number))
            if answer.code == coap.Code.CHANGED:
                break
            assert answer.code in {coap.Code.UNAVAILABLE, coap.Code.FORBIDDEN}
            await asyncio.sleep(0.05)
        else:
            pytest.fail(f"{device} is still unknown to the gateway")
        transport.close()

    asyncio.run(knock())


def test_full_disk_refuses_and_keeps_what_was_taken(tmp_path: Path) -> None:
    assert int(on_small_disk(tmp_path, "24m", "tests.gateway.full_disk")) > 500


def test_gateway_command_registers_itself_and_carries_a_child(
    running: Plant, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """From the factory to the child's row: both registered by one owner, attached by the command."""
    office = Office(running)
    made, born = office.make_devices(2)
    tokens = office.make_tokens("owner@example.org", 2)
    ports = free_ports(3)

    async def register() -> None:
        async with device_with(born, tmp_path / "child", tokens[0]) as device:
            await device.reached(State.OPERATING)

    asyncio.run(register())
    give(made, tmp_path / "gateway", tokens[1])
    command = [sys.executable, "-m", "doorstep", "gateway", "run", "--state", str(tmp_path / "gateway")]
    names = ("--coap-port", "--mqtt-port", "--setup-port")
    options = [word for name, port in zip(names, ports, strict=True) for word in (name, str(port))]
    process = subprocess.Popen([*command, *options, "--host", "127.0.0.1", "--interval", "0.5", "--json"])
    try:
        until(lambda: readings_of(running, made.device_id), seconds=30)
        office.doorstep("gateway", "attach", made.device_id, born.device_id)
        store = Store.open(tmp_path / "child")
        sealing = Sealing(store, born.device_id)
        until_taken(ports[0], born.device_id, sealing.seal("data", b'{"behind":1}'))
        store.close()
        until(lambda: b'{"behind":1}' in readings_of(running, born.device_id), seconds=20)
        office.doorstep("gateway", "children", made.device_id)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert "GatewayOpened" in capfd.readouterr().out


def readings_of(plant: Plant, device: str) -> list[bytes]:
    sql = "SELECT payload FROM message m JOIN device d ON d.id = m.device_id WHERE d.device_id = ?"
    return [bytes(payload) for (payload,) in query(plant, sql, device)]
