"""MQTT children over real sockets."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from doorstep.errors import UnavailableError
from doorstep.gateway import mqtt_door
from doorstep.gateway.hall import Hall
from doorstep.gateway.mqtt_door import MAX_OF_ONE, MqttDoor
from doorstep.gateway.store import Limits
from doorstep.gateway.vault import Vault
from doorstep.testing.mqtt import ACCEPTED, SUBSCRIBE_REFUSED, open_client
from doorstep.wire.mqtt import encode_publish
from tests.wait import until_soon

CHILD, STRANGER = "aaaaaaaa", "bbbbbbbb"
UP = f"d/{CHILD}/up/data"

Scene = Callable[[int, Hall, Vault, MqttDoor], Awaitable[None]]


def play(folder: Path, scene: Scene, limits: Limits | None = None) -> None:
    async def whole() -> None:
        async with Vault(folder, limits or Limits(room=0)) as vault:
            await vault.keep_child(CHILD)
            hall = Hall(vault, lambda: 1)
            async with MqttDoor(hall, "127.0.0.1", 0) as door:
                await asyncio.wait_for(scene(door.port, hall, vault, door), 20)

    asyncio.run(whole())


def test_message_is_on_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    async def scene(port: int, _hall: Hall, vault: Vault, _door: MqttDoor) -> None:
        client = await open_client(port)
        assert await client.connect(CHILD) == ACCEPTED
        await asyncio.gather(*(client.publish(UP, bytes((n,)) * 9) for n in range(1, 6)))
        assert [s.parcel.message[0] for s in await vault.after(0, 9)] == [1, 2, 3, 4, 5]
        client.close()

    play(tmp_path, scene)


def test_what_comes_down_reaches_subscribers_of_it_alone(tmp_path: Path) -> None:
    async def scene(port: int, hall: Hall, _vault: Vault, _door: MqttDoor) -> None:
        client = await open_client(port)
        await client.connect(CHILD, username=CHILD, password="proof")
        hall.deliver(CHILD, "cmd", b"too early")
        assert await client.subscribe(f"d/{CHILD}/down/cmd", qos=1) == 0
        for refused in (f"d/{STRANGER}/down/+", "#", f"d/{CHILD}/up/data", f"d/{CHILD}/down/a/b"):
            assert await client.subscribe(refused, qos=0) == SUBSCRIBE_REFUSED
        hall.deliver(CHILD, "config", b"not asked for")
        hall.deliver(CHILD, "cmd", b"go")
        assert await client.next_message() == (f"d/{CHILD}/down/cmd", b"go")
        client.close()

    play(tmp_path, scene)


@pytest.mark.parametrize("name", ["nobody", "AAAAAAAA", ""])
def test_client_without_a_device_id_is_refused(tmp_path: Path, name: str) -> None:
    async def scene(port: int, _hall: Hall, _vault: Vault, _door: MqttDoor) -> None:
        client = await open_client(port)
        assert await client.connect(name) == 2

    play(tmp_path, scene)


def test_stranger_is_refused_and_an_unknown_one_put_off(tmp_path: Path) -> None:
    async def scene(port: int, hall: Hall, _vault: Vault, _door: MqttDoor) -> None:
        client = await open_client(port)
        assert await client.connect(STRANGER) == 3
        hall.relay._refused[STRANGER] = None
        client = await open_client(port)
        assert await client.connect(STRANGER) == 5

    play(tmp_path, scene)


def test_name_that_is_taken_does_not_throw_its_owner_out(tmp_path: Path) -> None:
    """MQTT-12: a second connection under a child's name changes nothing for the first."""

    async def scene(port: int, _hall: Hall, vault: Vault, _door: MqttDoor) -> None:
        clients = [await open_client(port) for _ in range(MAX_OF_ONE + 1)]
        codes = [await client.connect(CHILD) for client in clients]
        assert codes == [ACCEPTED] * MAX_OF_ONE + [3]
        await clients[0].publish(UP, b"still here")
        assert len(await vault.after(0, 9)) == 1

    play(tmp_path, scene)


def test_child_that_hangs_up_while_it_is_asked_about_leaves_no_place_taken(tmp_path: Path) -> None:
    async def scene(port: int, hall: Hall, _vault: Vault, _door: MqttDoor) -> None:
        async def admit_slowly(device: str) -> None:
            assert device == CHILD
            await asyncio.sleep(0.05)

        hall.relay.admit = admit_slowly  # type: ignore[method-assign]  # the platform takes its time
        for _ in range(MAX_OF_ONE):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08aaaaaaaa")
            await asyncio.sleep(0.02)
            abort = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, abort)
            writer.close()
        await asyncio.sleep(0.1)
        client = await open_client(port)
        assert await client.connect(CHILD) == ACCEPTED

    play(tmp_path, scene)


BYTES = {
    "no CONNECT first": b"\xc0\x00",
    "CONNECT twice": b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08aaaaaaaa" * 2,
    "rubbish": b"\x00\x00",
    "another's topic": b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08aaaaaaaa"
    + encode_publish(f"d/{STRANGER}/up/data", b"x"),
    "another channel": b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08aaaaaaaa"
    + encode_publish(f"d/{CHILD}/up/other", b"x"),
    "disconnect": b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08aaaaaaaa\xe0\x00",
}


@pytest.mark.parametrize("case", BYTES)
def test_connection_that_breaks_the_rules_is_closed_and_stores_nothing(tmp_path: Path, case: str) -> None:
    async def scene(port: int, _hall: Hall, vault: Vault, door: MqttDoor) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(BYTES[case])
        answer = await reader.read()
        assert answer in {b"", b"\x20\x02\x00\x00"}
        assert await vault.after(0, 1) == []
        writer.close()
        assert door._of_one == {}

    play(tmp_path, scene)


def test_full_store_closes_the_connection_unacknowledged(tmp_path: Path) -> None:
    async def scene(port: int, _hall: Hall, _vault: Vault, _door: MqttDoor) -> None:
        client = await open_client(port)
        await client.connect(CHILD)
        with pytest.raises(ConnectionError):
            await client.publish(UP, b"no room")

    play(tmp_path, scene, Limits(all=10, room=0))


def test_child_may_unsubscribe_and_ping(tmp_path: Path) -> None:
    async def scene(port: int, hall: Hall, vault: Vault, _door: MqttDoor) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x10\x14\x00\x04MQTT\x04\x02\x00\x00\x00\x08aaaaaaaa")
        topic = f"d/{CHILD}/down/+".encode()
        wanted = len(topic).to_bytes(2, "big") + topic
        writer.write(bytes((0x82, len(wanted) + 3)) + b"\x00\x01" + wanted + b"\x00")
        writer.write(bytes((0xA2, len(wanted) + 2)) + b"\x00\x02" + wanted + b"\xc0\x00")
        assert await reader.readexactly(15) == b"\x20\x02\x00\x00\x90\x03\x00\x01\x00\xb0\x02\x00\x02\xd0\x00"
        hall.deliver(CHILD, "cmd", b"nobody listens any more")
        writer.write(encode_publish(UP, b"without acknowledgement"))
        await until_soon(lambda: vault.bytes_stored)
        writer.close()

    play(tmp_path, scene)


def test_silent_and_slow_ones_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(port: int, hall: Hall, _vault: Vault, _door: MqttDoor) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
        client = await open_client(port)
        await client.connect(CHILD)
        await client.subscribe(f"d/{CHILD}/down/#", qos=0)
        client.transport.pause_reading()
        monkeypatch.setattr(mqtt_door, "_MAX_UNSENT", -1)
        hall.deliver(CHILD, "cmd", b"x")
        client.transport.resume_reading()
        await asyncio.wait_for(client.lost, 5)

    monkeypatch.setattr(mqtt_door, "_CONNECT_S", 0.05)
    play(tmp_path, scene)


def test_too_many_connections_are_closed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(port: int, _hall: Hall, _vault: Vault, _door: MqttDoor) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()

    monkeypatch.setattr(mqtt_door, "MAX_CONNECTIONS", 0)
    play(tmp_path, scene)


def test_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async def scene(port: int, hall: Hall, _vault: Vault, _door: MqttDoor) -> None:
        with pytest.raises(UnavailableError, match=f"port {port}"):
            await MqttDoor(hall, "127.0.0.1", port).__aenter__()

    play(tmp_path, scene)
