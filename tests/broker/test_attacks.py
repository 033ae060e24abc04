"""The broker attacks MQTT-01 to MQTT-13 against the running brokers; each prints what it tried.

The ids are those of the attack list that the security model quotes; MQTT-14 is in `tests/cli`, because it
needs ingest and the server's own action.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg

from doorstep.broker.duplicates import ALLOWED
from doorstep.broker.streams import request
from doorstep.runtime.brokers import STREAM, partition_of
from doorstep.runtime.role import now_us
from doorstep.testing.devices import TestDevice, add_revocation
from doorstep.testing.mqtt import ACCEPTED, SUBSCRIBE_REFUSED, MqttClient
from doorstep.testing.plant import Plant
from tests.broker.test_admission import connect_code, plain, play, query, secure
from tests.broker.test_traps import connect_with_will, with_nats
from tests.wait import until_soon

pytestmark = pytest.mark.roles

FINISHED = "SELECT 1 FROM revocation WHERE device_id = ? AND purged_us IS NOT NULL"


def tried(attack: str, what: str) -> None:
    print(f"{attack}: {what}")  # noqa: T201 - the report of the attack suite


async def revoke(plant: Plant, device: TestDevice) -> None:
    """Revoke, and wait until the authorizer says that it is finished."""
    connection = plant.connect()
    add_revocation(connection, device)
    connection.close()
    await until_soon(lambda: query(plant, FINISHED, device.row))


async def left(client: NatsClient, device: TestDevice) -> dict[str, int]:
    """Count what the broker keeps of a device, in every stream."""
    found: dict[str, int] = {}
    for stream in (STREAM, "$MQTT_rmsgs", "$MQTT_qos2in", "$MQTT_out"):
        answer = await request(client, f"STREAM.INFO.{stream}", {"subjects_filter": ">"}, missing_ok=True)
        subjects = answer.get("state", {}).get("subjects") or {}
        found |= {
            name: count
            for name, count in subjects.items()
            if device.device_id in name and not name.startswith("$MQTT.sess")
        }
    return found


async def connected(plant: Plant, device: TestDevice, *, clean: bool = True) -> MqttClient:
    client = await secure(plant, device)
    assert await client.connect(device.device_id, clean=clean) == ACCEPTED
    return client


def publish_qos2(topic: str, payload: bytes, packet_id: int) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic.encode() + packet_id.to_bytes(2, "big") + payload
    return bytes((0x34, len(body))) + body


Leave = Callable[[MqttClient, TestDevice], Awaitable[None]]


async def _unreleased_qos2(client: MqttClient, device: TestDevice) -> None:
    client.transport.write(publish_qos2(device.topic("data"), b"parked", 7))
    await asyncio.sleep(0.1)


async def _queued_qos1(client: MqttClient, device: TestDevice) -> None:
    for number in range(20):
        await client.publish(device.topic("data"), b"queued %d" % number)


async def _in_flight(client: MqttClient, device: TestDevice) -> None:
    """Many at once, none of whose acknowledgements is awaited."""
    for number in range(1, 200):
        body = device.topic("event").encode()
        packet = len(body).to_bytes(2, "big") + body + number.to_bytes(2, "big") + b"in flight"
        client.transport.write(bytes((0x32, len(packet))) + packet)
    await asyncio.sleep(0)


async def _retained(client: MqttClient, device: TestDevice) -> None:
    await client.publish(device.topic("state"), b"for ever", retain=True)


LEFT_BEHIND: dict[str, tuple[str, Leave]] = {
    "MQTT-01": ("QoS 2 message that was never released", _unreleased_qos2),
    "MQTT-02": ("20 QoS 1 messages queued for a reader that is away", _queued_qos1),
    "MQTT-07": ("199 QoS 1 messages sent at once, parked behind the window", _in_flight),
    "MQTT-09": ("retained message", _retained),
}


@pytest.mark.parametrize("attack", LEFT_BEHIND)
def test_nothing_of_a_revoked_device_is_left_in_the_broker(
    running: Plant, device: TestDevice, attack: str
) -> None:
    what, leave = LEFT_BEHIND[attack]

    async def scene(nats: NatsClient) -> None:
        client = await connected(running, device)
        await leave(client, device)
        before = await left(nats, device)
        await revoke(running, device)
        after = await left(nats, device)
        tried(attack, f"{what}; kept before the revocation: {sum(before.values())}, after: {after}")
        assert client.lost.done()
        assert after == {}
        if attack != "MQTT-07":  # whether it arrived before the click is a race by design
            assert before

    with_nats(running, scene)


def test_mqtt_03_qos_2_release_after_revocation_reaches_nobody(running: Plant, device: TestDevice) -> None:
    async def scene(nats: NatsClient) -> None:
        client = await connected(running, device, clean=False)
        await _unreleased_qos2(client, device)
        await revoke(running, device)
        again = await secure(running, device)
        code = await again.connect(device.device_id, clean=False)
        tried("MQTT-03", f"PUBLISH QoS 2, revoked, connected again to send PUBREL: CONNACK {code}")
        assert code != ACCEPTED
        assert await left(nats, device) == {}

    with_nats(running, scene)


def test_mqtt_04_topic_alias_needs_mqtt_5_which_is_refused(running: Plant, device: TestDevice) -> None:
    async def scene() -> None:
        client = await secure(running, device)
        name = device.device_id.encode()
        body = b"\x00\x04MQTT\x05\x02\x00\x3c\x00" + len(name).to_bytes(2, "big") + name
        client.transport.write(bytes((0x10, len(body))) + body)
        try:
            code = await client._answer()
        except ConnectionError:
            code = -1
        tried("MQTT-04", f"CONNECT with protocol level 5: {code}")
        assert code != ACCEPTED

    play(scene())


@pytest.mark.parametrize(
    ("attack", "trigger"),
    [("MQTT-05", "another connection with the same client id"), ("MQTT-08", "the revocation")],
)
def test_will_of_a_device_is_never_delivered(
    running: Plant, device: TestDevice, attack: str, trigger: str
) -> None:
    """Also where its topic is the very subject that the device may publish to."""
    topic = f"u/{partition_of(device.device_id)}/{device.device_id}/event"

    async def scene(nats: NatsClient) -> None:
        client = await secure(running, device)
        client.transport.write(connect_with_will(device.device_id, topic))
        code = await client._answer()
        if attack == "MQTT-05" and code == ACCEPTED:
            other = await connected(running, device)
            other.close()
            await other.lost
        await revoke(running, device)
        await asyncio.sleep(0.2)
        tried(attack, f"will on {topic}, fired by {trigger}: CONNACK {code}, kept {await left(nats, device)}")
        assert await left(nats, device) == {}

    with_nats(running, scene)


@pytest.mark.parametrize("qos", [0, 1])
def test_mqtt_06_will_on_a_foreign_topic_is_refused_at_connect_or_never_published(
    running: Plant, device: TestDevice, other: TestDevice, qos: int
) -> None:
    heard: list[bytes] = []

    async def note(message: Msg) -> None:
        heard.append(message.data)

    async def scene(nats: NatsClient) -> None:
        await nats.subscribe(f"d.{other.device_id}.>", cb=note)
        await nats.flush()
        client = await secure(running, device)
        packet = bytearray(connect_with_will(device.device_id, f"d/{other.device_id}/down/cmd"))
        packet[9] |= qos << 3
        client.transport.write(bytes(packet))
        code = await client._answer()
        client.transport.abort()
        await client.lost
        await asyncio.sleep(0.2)
        tried("MQTT-06", f"will with QoS {qos} on another device's topic: CONNACK {code}, heard {heard}")
        assert heard == []

    with_nats(running, scene)


@pytest.mark.parametrize("attack", ["MQTT-10", "MQTT-11"])
def test_subscription_of_a_revoked_device_hears_nothing_more(
    running: Plant, device: TestDevice, attack: str
) -> None:
    """MQTT-10: a live one. MQTT-11: a persistent one, after the device came again."""

    async def scene(nats: NatsClient) -> None:
        client = await connected(running, device, clean=attack == "MQTT-10")
        assert await client.subscribe(f"d/{device.device_id}/down/#", qos=1) == 1
        await revoke(running, device)
        await nats.publish(f"d.{device.device_id}.down.cmd", b"secret")
        await nats.flush()
        again = await secure(running, device)
        code = await again.connect(device.device_id, clean=False)
        tried(
            attack, f"subscribed, revoked, connected again: CONNACK {code}, heard {client.received.qsize()}"
        )
        assert code != ACCEPTED
        assert client.received.empty()
        assert again.received.empty()

    with_nats(running, scene)


def test_mqtt_12_nobody_takes_another_devices_session_over(
    running: Plant, device: TestDevice, other: TestDevice
) -> None:
    async def scene() -> None:
        victim = await connected(running, device, clean=False)
        assert await victim.subscribe(f"d/{device.device_id}/down/cmd", qos=1) == 1
        thief = await secure(running, other)
        code = await thief.connect(device.device_id, clean=False)
        tried("MQTT-12", f"CONNECT with another device's client id: CONNACK {code}")
        assert code != ACCEPTED
        await victim.publish(device.topic("data"), b"still here")
        sql = "SELECT sum(count) FROM dead_letter WHERE device_id = ? AND detail LIKE 'foreign_client_id%'"
        await until_soon(lambda: query(running, sql, device.device_id)[0][0])

    play(scene())


def test_phan_03_phantom_pushes_no_device_out(running: Plant, device: TestDevice, other: TestDevice) -> None:
    """A phantom that knows the device's id, and no key of it, logs in everywhere it can."""

    async def scene() -> None:
        genuine = await connected(running, device)
        phantoms = [await secure(running, other), await plain(running), await plain(running)]
        name = device.device_id
        codes = [await connect_code(one, name, name, "a guess") for one in phantoms]
        tried("PHAN-03", f"logged in as a connected device three times without its key: CONNACK {codes}")
        assert ACCEPTED not in codes
        await genuine.publish(device.topic("data"), b"still here")
        assert not genuine.lost.done()

    play(scene())


def test_clone_01_two_connections_do_not_push_each_other_out_for_ever(
    running: Plant, device: TestDevice
) -> None:
    async def scene() -> None:
        clients = []
        for _ in range(ALLOWED + 1):
            clients.append(await connected(running, device))
            await asyncio.sleep(1.1)  # the broker itself hangs up on who comes again within a second
        assert all(client.lost.done() for client in clients[:-1])
        codes = []
        for _ in range(3):
            younger = await secure(running, device)
            codes.append(await younger.connect(device.device_id))
        await clients[-1].publish(device.topic("data"), b"the older one goes on")
        tried("CLONE-01", f"the same client id {ALLOWED + 4} times: the last three got CONNACK {codes}")
        assert ACCEPTED not in codes
        sql = "SELECT count FROM dead_letter WHERE device_id = ? AND detail LIKE 'duplicate:%'"
        await until_soon(lambda: query(running, sql, device.device_id) == [(3,)])
        addresses = query(running, "SELECT address FROM device_session WHERE device_id = ?", device.row)
        assert set(addresses) == {("127.0.0.1",)}

    play(scene())


def test_challenge_closes_the_sessions_and_keeps_what_was_sent(running: Plant, device: TestDevice) -> None:
    """As the jobs role asks for it; the messages that had arrived are nobody's fault."""

    async def scene(nats: NatsClient) -> None:
        client = await connected(running, device)
        await client.publish(device.topic("data"), b"kept")
        query(
            running,
            "INSERT INTO clone_challenge (device_id, asked_us, nonce, epoch, key_hash, refused)"
            " VALUES (?, ?, ?, 64, '', 0)",
            device.row,
            now_us(),
            b"",
        )
        await client.lost
        kicked = "SELECT 1 FROM clone_challenge WHERE device_id = ? AND kicked_us IS NOT NULL"
        await until_soon(lambda: query(running, kicked, device.row))
        assert sum((await left(nats, device)).values()) == 1

    with_nats(running, scene)


FILTERS = [
    "#",
    "+/#",
    "d/#",
    "d/+/down/cmd",
    "$SYS/#",
    "$share/g/#",
    "$MQTT/#",
    "$JS/#",
    "doorstep/control",
    "u/#",
    "d/{other}/down/#",
    "d/{me}/up/#",
    "d/{me}x/down/#",
    "d/{me}/down/" + "x/" * 200,
]


@pytest.mark.parametrize("pattern", FILTERS)
def test_mqtt_13_filter_outside_the_devices_own_topics_gives_nothing(
    running: Plant, device: TestDevice, other: TestDevice, pattern: str
) -> None:
    async def scene(nats: NatsClient) -> None:
        client = await connected(running, device)
        wanted = pattern.format(me=device.device_id, other=other.device_id)
        try:
            code = await client.subscribe(wanted)
        except ConnectionError:
            code = -1
        mine = await connected(running, other)
        await mine.publish(other.topic("data"), b"secret")
        for subject in (f"d.{other.device_id}.down.cmd", "doorstep.control", "$SYS.secret"):
            await nats.publish(subject, b"secret")
        await nats.flush()
        await asyncio.sleep(0.05)
        tried("MQTT-13", f"SUBSCRIBE {wanted[:40]}: {code}, heard {client.received.qsize()}")
        assert client.received.empty()
        assert code in {SUBSCRIBE_REFUSED, -1} or wanted.startswith(("$share", f"d/{device.device_id}/down/"))

    with_nats(running, scene)


def test_streams_have_the_names_that_are_purged(running: Plant, device: TestDevice) -> None:
    """They are internal to the broker: this fails when that changes."""

    async def scene(nats: NatsClient) -> None:
        client = await connected(running, device)
        await _unreleased_qos2(client, device)
        kept = await left(nats, device)
        assert kept == {f"$MQTT.qos2.in.{device.device_id}.7": 1}, json.dumps(kept)

    with_nats(running, scene)
