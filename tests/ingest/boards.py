"""Legacy boards for the tests of a deployment, written straight into its tables."""

import os
from dataclasses import dataclass

from doorstep.messaging.legacy.article import seal_article
from doorstep.messaging.legacy.formats import SESSION_CHANNEL, Format
from doorstep.messaging.legacy.keys import LegacyKeys, generate
from doorstep.messaging.legacy.login import new_password, password_hash
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.mqtt import MqttClient, open_client
from doorstep.testing.plant import Plant

__all__ = ["LegacyNode", "add_boards"]

_PRODUCT = "UPDATE product SET legacy_formats = ? WHERE id = (SELECT product_id FROM device WHERE id = ?)"
_BOARD = (
    "INSERT INTO legacy_board (device_id, format, node_id, keys, data_key_mark, passphrase_mark, login_hash,"
    " peer_id, ownership_period, added_us, added_by, last_number, session, session_until_us, announced,"
    " announced_until_us, recent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 'test', 0, '', 0, '', 0, ?)"
)


@dataclass(slots=True)
class LegacyNode:
    """A board in the field, with what stands in its configuration file."""

    device: TestDevice
    kind: Format
    node_id: bytes
    keys: LegacyKeys
    password: str

    async def connect(self, plant: Plant) -> MqttClient:
        """Log in and subscribe to what comes down."""
        client = await open_client(plant.settings.mqtt_plain_port)
        name = self.device.device_id
        assert await client.connect(name, name, self.password) == 0
        assert await client.subscribe(f"d/{name}/down/#") == 0
        return client

    async def ask(self, client: MqttClient) -> bytes:
        """Ask for a session id."""
        await client.publish(self.device.topic(SESSION_CHANNEL), b"")
        return await self.down(client, SESSION_CHANNEL)

    async def down(self, client: MqttClient, channel: str) -> bytes:
        """Return what came down on a channel."""
        topic, payload = await client.next_message()
        assert topic == f"d/{self.device.device_id}/down/{channel}"
        return payload

    async def say(self, client: MqttClient, message: bytes) -> None:
        """Publish a message of its format."""
        await client.publish(self.device.topic(self.kind), message)

    def article(self, said: bytes, session: bytes) -> bytes:
        """Return the article's message."""
        return seal_article(self.keys, self.node_id, said, session, os.urandom)


def add_boards(plant: Plant, count: int, kind: Format = Format.ARTICLE) -> list[LegacyNode]:
    """Make legacy boards of one owner; each one's peer is the next, and the last one's is the first."""
    devices = add_devices(plant, count)
    nodes = [
        LegacyNode(
            device, kind, str(11242238 + number).encode(), generate(os.urandom), new_password(os.urandom)
        )
        for number, device in enumerate(devices)
    ]
    connection = plant.connect()
    try:
        with connection.transaction():
            for node, peer in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
                connection.query(_PRODUCT, (" ".join(Format), node.device.row))
                connection.query(_BOARD, _row(plant, node, peer if count > 1 else None))
    finally:
        connection.close()
    return nodes


def _row(plant: Plant, node: LegacyNode, peer: LegacyNode | None) -> tuple[object, ...]:
    name = node.device.device_id
    return (
        node.device.row,
        node.kind.value,
        node.node_id.decode(),
        plant.key_file.wrap(node.keys.to_bytes(), f"legacy/{name}/keys"),
        f"{name}/data",
        f"{name}/passphrase",
        password_hash(node.password),
        peer and peer.device.row,
        b"",
    )
