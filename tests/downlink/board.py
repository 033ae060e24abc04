"""A board for tests of the way down: raw MQTT, real sealing, and the agent's own handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from doorstep.messaging.command import Acknowledgement, Command, Outcome
from doorstep.messaging.errors import Rejected
from doorstep.messaging.proof import seal_connect_proof
from doorstep.messaging.sealer import DeviceSealer
from doorstep.testing.devices import TestDevice
from doorstep.testing.mqtt import MqttClient, open_client
from doorstep.testing.plant import Plant

READING = b'{"t":1}'


@dataclass
class Board:
    """An open session of a device."""

    device: TestDevice
    sealer: DeviceSealer
    client: MqttClient
    raw: list[tuple[str, bytes]] = field(default_factory=list)

    async def send(self, channel: str, plaintext: bytes) -> None:
        await self.client.publish(
            self.device.topic(channel), self.sealer.seal(f"up/{channel}".encode(), plaintext)
        )

    async def show(self) -> None:
        """Say something, so that the platform knows the epoch."""
        await self.send("data", READING)

    async def command(self, patience_s: float = 10.0) -> tuple[str, Command]:
        """Return channel and command of the next message that opens."""
        while True:
            topic, message = await self.client.next_message(patience_s)
            self.raw.append((topic, message))
            channel = topic.rpartition("/")[2]
            try:
                return channel, Command.decode(self.sealer.open(message, f"down/{channel}".encode()))
            except Rejected:  # sealed for the epoch before this boot
                continue

    async def answer(self, command: Command, outcome: Outcome = Outcome.DONE, detail: bytes = b"") -> None:
        await self.send("ack", Acknowledgement(command.command_id, outcome, detail).encode())


@asynccontextmanager
async def session(
    plant: Plant, device: TestDevice, *, sealer: DeviceSealer | None = None, plain: bool = False
) -> AsyncIterator[Board]:
    sealer = sealer or device.boot()
    if plain:
        client = await open_client(plant.settings.mqtt_plain_port)
        assert await client.connect(device.device_id, device.device_id, seal_connect_proof(sealer)) == 0
    else:
        root = plant.state.root / "devices" / "root.crt"
        client = await open_client(plant.settings.mqtt_tls_port, device.tls(root))
        assert await client.connect(device.device_id) == 0
    try:
        assert await client.subscribe(f"d/{device.device_id}/down/+") == 0
        yield Board(device, sealer, client)
    finally:
        client.close()
        await client.lost


def row(plant: Plant, command_id: str, *columns: str) -> tuple[Any, ...]:
    connection = plant.connect()
    try:
        return connection.query(
            f"SELECT {', '.join(columns)} FROM downlink WHERE command_id = ?", (command_id,)
        )[0]
    finally:
        connection.close()
