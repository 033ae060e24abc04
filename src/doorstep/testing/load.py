"""Load: many devices publish messages that were sealed before, and every acknowledgement is noted.

A message is known by device row, epoch and sequence, so what was acknowledged can be compared with what
is stored.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from doorstep.messaging.proof import seal_connect_proof
from doorstep.messaging.sealer import DeviceSealer
from doorstep.runtime.brokers import Broker
from doorstep.testing.devices import TestDevice
from doorstep.testing.mqtt import ACCEPTED, connect_packet, publish_packet
from doorstep.testing.plant import Plant
from doorstep.wire import senml

__all__ = ["LoadDevice", "Loader", "MessageId", "payload_of", "prepare"]

MessageId = tuple[int, int, int]
"""Device row, epoch, sequence: the primary key of the table ``message``."""

_MAX_IN_EPOCH: Final = 60_000
_RETRY_S: Final = 0.1
_PATIENCE_S: Final = 20.0
_CONNECT_PATIENCE_S: Final = 3.0
_PUBACK_LENGTH: Final = 4
_CONNACK_LENGTH: Final = 4


@dataclass(slots=True)
class LoadDevice:
    """A device with chunks of sealed messages, in order, and what became of them."""

    device: TestDevice
    sealer: DeviceSealer
    chunks: list[tuple[list[MessageId], bytes]] = field(default_factory=list)
    """Ids, and PUBLISH packets ready to send, numbered from 1 in each chunk."""
    at: int = 0
    """The chunk that is next."""
    acknowledged: set[MessageId] = field(default_factory=set)


def payload_of(readings: int, number: int) -> bytes:
    """Return SenML with so many readings."""
    value = 20 + number % 100 / 10
    return senml.encode_json([senml.Reading(f"t{index}", "Cel", value, None) for index in range(readings)])


def prepare(
    devices: Sequence[TestDevice], messages: int, *, in_flight: int, readings: int = 1, channel: str = "data"
) -> list[LoadDevice]:
    """Seal ``messages`` in all, shared evenly, in chunks of ``in_flight``."""
    return [
        _prepare_one(device, messages // len(devices), in_flight, readings, channel) for device in devices
    ]


@dataclass(slots=True)
class Loader:
    """Publishes what was prepared: a chunk, its acknowledgements, the next. Reconnects and repeats."""

    plant: Plant
    broker: Broker = Broker.SECURE
    rate: float = 0.0
    """Messages a second in all; 0 is as fast as it goes."""
    stopping: bool = False

    async def open(self, devices: Sequence[LoadDevice]) -> list["_Lane | None"]:
        """Connect all of them, so that `publish` measures nothing else."""
        return [await self._connected(device) for device in devices]

    async def publish(
        self, devices: Sequence[LoadDevice], lanes: Sequence["_Lane | None"] | None = None
    ) -> None:
        """Publish everything, or until `stopping`."""
        started = asyncio.get_running_loop().time()
        lanes = await self.open(devices) if lanes is None else lanes
        pace = len(devices) / self.rate if self.rate else 0.0
        await asyncio.gather(
            *(self._run(d, lane, pace, started) for d, lane in zip(devices, lanes, strict=True))
        )

    async def _run(self, load: LoadDevice, lane: "_Lane | None", pace: float, started: float) -> None:
        sent = 0
        while load.at < len(load.chunks) and not self.stopping:
            if lane is None:
                lane = await self._connected(load)
                continue
            ids, packets = load.chunks[load.at]
            numbers = await lane.exchange(packets, len(ids))
            load.acknowledged.update(ids[number - 1] for number in numbers)
            if len(numbers) == len(ids):
                load.at += 1
                sent += len(ids)
                await _until(started + sent * pace)
            else:
                lane.transport.abort()
                await lane.lost
                lane = None
        if lane is not None:
            await lane.close()

    async def _connected(self, load: LoadDevice) -> "_Lane | None":
        """Return an open session, or None after a moment when there is none to be had."""
        try:
            return await asyncio.wait_for(self._connect(load), _CONNECT_PATIENCE_S)
        except (OSError, TimeoutError):
            await asyncio.sleep(_RETRY_S)
            return None

    async def _connect(self, load: LoadDevice) -> "_Lane":
        device, settings = load.device, self.plant.settings
        if self.broker is Broker.SECURE:
            port, tls, login = (
                settings.mqtt_tls_port,
                _context(self.plant, device),
                connect_packet(device.device_id),
            )
        else:
            proof = seal_connect_proof(load.sealer)
            port, tls, login = (
                settings.mqtt_plain_port,
                None,
                connect_packet(device.device_id, device.device_id, proof),
            )
        _, lane = await asyncio.get_running_loop().create_connection(
            _Lane, "127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None
        )
        answer = await lane.ask(login, _CONNACK_LENGTH)
        if len(answer) != _CONNACK_LENGTH or answer[3] != ACCEPTED:
            lane.transport.abort()
            raise ConnectionError(f"{device.device_id} was refused: {answer.hex()}")
        return lane


class _Lane(asyncio.Protocol):
    """One connection on which nothing comes but acknowledgements, all of one length."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._received = b""
        self._wanted = 0
        self._waiting: asyncio.Future[None] | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) >= self._wanted:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.lost.done():
            self.lost.set_result(None)
        self._wake()

    async def close(self) -> None:
        self.transport.write(b"\xe0\x00")
        self.transport.close()
        await self.lost

    async def ask(self, packets: bytes, length: int) -> bytes:
        """Return ``length`` bytes of answer, or fewer when the connection ends."""
        if self.lost.done():
            return b""
        self._received, self._wanted = b"", length
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(packets)
        await self._waiting
        return self._received

    async def exchange(self, packets: bytes, count: int) -> list[int]:
        """Publish, and return the numbers of the packets that were acknowledged."""
        try:
            answer = await asyncio.wait_for(self.ask(packets, count * _PUBACK_LENGTH), _PATIENCE_S)
        except TimeoutError:
            answer = self._received
        whole = len(answer) // _PUBACK_LENGTH * _PUBACK_LENGTH
        return [answer[at + 2] << 8 | answer[at + 3] for at in range(0, whole, _PUBACK_LENGTH)]

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _prepare_one(
    device: TestDevice, messages: int, in_flight: int, readings: int, channel: str
) -> LoadDevice:
    sealer, epoch = device.boot(), device.state.epoch - 1
    load = LoadDevice(device, sealer)
    topic, aad = device.topic(channel), f"up/{channel}".encode()
    for first in range(0, messages, in_flight):
        if load.sealer.next_sequence > _MAX_IN_EPOCH:
            load.sealer, epoch = device.boot(), device.state.epoch - 1
        ids, packets = [], []
        for number in range(1, min(in_flight, messages - first) + 1):
            ids.append((device.row, epoch, load.sealer.next_sequence))
            sealed = load.sealer.seal(aad, payload_of(readings, first + number))
            packets.append(publish_packet(topic, sealed, number))
        load.chunks.append((ids, b"".join(packets)))
    return load


def _context(plant: Plant, device: TestDevice) -> ssl.SSLContext:
    return device.tls(Path(plant.state.root / "devices" / "root.crt"))


async def _until(moment: float) -> None:
    left = moment - asyncio.get_running_loop().time()
    if left > 0:
        await asyncio.sleep(left)
