"""What the design leans on in the broker itself, one test a trap (docs/explanation/data-plane.md)."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import nats
import pytest
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from doorstep.broker.revocation import _session_hash
from doorstep.broker.streams import make_ready, request
from doorstep.errors import UnavailableError
from doorstep.runtime.brokers import (
    PARTITIONS,
    STREAM,
    Broker,
    User,
    consumer_name,
    link,
    partition_of,
)
from doorstep.testing.devices import TestDevice, add_devices, add_revocation
from doorstep.testing.mqtt import ACCEPTED
from doorstep.testing.plant import Plant
from tests.broker.test_admission import opened, play, query, secure
from tests.plants import MakePlant
from tests.wait import until, until_soon

pytestmark = pytest.mark.roles


def with_nats(plant: Plant, scene: Callable[[NatsClient], Awaitable[None]]) -> None:
    """Play a scene with a connection as our user ``ingest``."""

    async def whole() -> None:
        to = link(plant.settings, plant.key_file, Broker.SECURE, User.INGEST)
        client = await nats.connect(to.address, user=to.user, password=to.password)
        try:
            await scene(client)
        finally:
            await client.close()

    play(whole())


async def publish(plant: Plant, device: TestDevice, *contents: bytes) -> None:
    client = await secure(plant, device)
    assert await client.connect(device.device_id) == ACCEPTED
    for content in contents:
        await client.publish(device.topic("data"), content)
    client.close()
    await client.lost


def test_stream_is_capped_refuses_when_full_and_keeps_what_a_consumer_wants(running: Plant) -> None:
    async def scene(client: NatsClient) -> None:
        config = (await request(client, f"STREAM.INFO.{STREAM}"))["config"]
        assert config["max_bytes"] == running.settings.stream_max_bytes
        assert (config["discard"], config["retention"], config["storage"]) == ("new", "interest", "file")

    with_nats(running, scene)


def test_second_start_keeps_stream_and_consumers_and_takes_a_new_cap(running: Plant) -> None:
    cap = running.settings.stream_max_bytes

    async def scene(client: NatsClient) -> None:
        before = await request(client, f"CONSUMER.INFO.{STREAM}.{consumer_name(0)}")
        await make_ready(client, cap // 2)
        assert (await request(client, f"STREAM.INFO.{STREAM}"))["config"]["max_bytes"] == cap // 2
        await make_ready(client, cap)
        after = await request(client, f"CONSUMER.INFO.{STREAM}.{consumer_name(0)}")
        assert (after["created"], after["config"]) == (before["created"], before["config"])

    with_nats(running, scene)


def test_message_that_no_consumer_wants_is_taken_and_forgotten(running: Plant) -> None:
    """Why the consumers are made before any device can connect."""

    async def scene(client: NatsClient) -> None:
        async def last() -> tuple[int, int]:
            state = (await request(client, f"STREAM.INFO.{STREAM}"))["state"]
            return state["last_seq"], state["messages"]

        sequence, messages = await last()
        answer = await client.request("$MQTT.msgs.nobody.wants", b"this", timeout=5)
        assert json.loads(answer.data)["seq"] == sequence + 1
        assert await last() == (sequence + 1, messages)

    with_nats(running, scene)


def test_broker_and_we_agree_on_partitions(running: Plant) -> None:
    devices = add_devices(running, 8)

    async def scene(client: NatsClient) -> None:
        for device in devices:
            await publish(running, device, b"x")
        found = await request(
            client, f"STREAM.INFO.{STREAM}", {"subjects_filter": "$MQTT.msgs.u.>", "deleted_details": False}
        )
        for device in devices:
            subject = f"$MQTT.msgs.u.{partition_of(device.device_id)}.{device.device_id}.data"
            assert found["state"]["subjects"][subject] == 1

    with_nats(running, scene)


def test_reset_gives_everything_again_from_the_last_acknowledgement(
    running: Plant, device: TestDevice
) -> None:
    """Without it, the next worker's acknowledgement would cover what the dead one had fetched."""
    consumer = consumer_name(partition_of(device.device_id))

    async def scene(client: NatsClient) -> None:
        inbox = client.new_inbox()
        arrived = await client.subscribe(inbox)

        async def fetch() -> list[Any]:
            call = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}"
            await client.publish(call, b'{"batch":5000,"expires":300000000}', reply=inbox)
            messages = []
            while (message := await arrived.next_msg(5)).reply:
                messages.append(message)
            return [m for m in messages if m.subject.split(".")[4] == device.device_id]

        await publish(running, device, b"1", b"2")
        await fetch()  # and dies
        await publish(running, device, b"3")
        assert [m.data for m in await fetch()] == [b"3"]
        await request(client, f"CONSUMER.RESET.{STREAM}.{consumer}")
        again = await fetch()
        assert [m.data for m in again] == [b"1", b"2", b"3"]
        await client.publish(again[-1].reply, b"+ACK")
        # The broker takes acknowledgements and calls on different ways, so one may overtake the other.
        while (await request(client, f"CONSUMER.INFO.{STREAM}.{consumer}"))["num_ack_pending"]:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        await request(client, f"CONSUMER.RESET.{STREAM}.{consumer}")
        assert await fetch() == []

    with_nats(running, scene)


def test_reset_of_what_does_not_exist_is_not_answered(running: Plant) -> None:
    """Why the reader asks for the consumer first."""

    async def scene(client: NatsClient) -> None:
        with pytest.raises((NatsError, TimeoutError)):
            await client.request("$JS.API.CONSUMER.RESET.NOWHERE.nobody", b"", timeout=0.3)
        with pytest.raises(UnavailableError, match="not found"):
            await request(client, "CONSUMER.INFO.NOWHERE.nobody")

    with_nats(running, scene)


def test_more_than_a_thousand_consumers_fit(running: Plant) -> None:
    """The broker's default would refuse the 1,001st QoS 1 subscription."""

    async def scene(client: NatsClient) -> None:
        async def make(number: int) -> None:
            config = {"durable_name": f"many-{number}", "filter_subject": f"$MQTT.msgs.many.{number}"}
            body = {
                "stream_name": STREAM,
                "config": {**config, "ack_policy": "explicit", "mem_storage": True},
            }
            await request(client, f"CONSUMER.CREATE.{STREAM}.many-{number}", body)

        async def drop(number: int) -> None:
            await request(client, f"CONSUMER.DELETE.{STREAM}.many-{number}")

        await asyncio.gather(*(make(number) for number in range(1_010)))
        await asyncio.gather(*(drop(number) for number in range(1_010)))

    with_nats(running, scene)


@pytest.mark.parametrize("user", ["nobody1", "ingest"])
def test_stranger_on_the_internal_port_is_refused(running: Plant, user: str) -> None:
    port = running.settings.nats_secure_port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
        lines = stranger.makefile("rb")
        lines.readline()
        login = {"user": user, "pass": "guess", "verbose": False}
        stranger.sendall(b"CONNECT " + json.dumps(login).encode() + b"\r\nPING\r\n")
        assert b"Authorization Violation" in lines.readline()
    if user == "nobody1":  # our own users are not the authorizer's business
        sql = "SELECT detail FROM dead_letter WHERE device_id = 'nobody1'"
        assert until(lambda: query(running, sql))[0][0].startswith("not_mqtt")


def test_oversized_publish_ends_the_connection_of_its_sender_only(
    running: Plant, device: TestDevice, other: TestDevice
) -> None:
    async def scene() -> None:
        greedy, calm = await secure(running, device), await secure(running, other)
        assert await greedy.connect(device.device_id) == ACCEPTED
        assert await calm.connect(other.device_id) == ACCEPTED
        with pytest.raises(ConnectionError):
            await greedy.publish(device.topic("data"), bytes(64 * 1024))
        await calm.publish(other.topic("data"), b"still here")

    play(scene())


def test_revocation_deletes_the_persistent_session_and_its_consumers(
    running: Plant, device: TestDevice
) -> None:
    """The broker's name for a session is internal to it: this fails when that changes."""
    session = {"last_by_subj": f"$MQTT.sess.{_session_hash(device.device_id)}"}

    async def consumers(client: NatsClient) -> int:
        return int((await request(client, f"STREAM.INFO.{STREAM}"))["state"]["consumer_count"])

    async def scene(client: NatsClient) -> None:
        mqtt = await secure(running, device)
        assert await mqtt.connect(device.device_id) == ACCEPTED
        before = await consumers(client)
        mqtt.transport.abort()
        await mqtt.lost
        mqtt = await secure(running, device)
        assert await mqtt.connect(device.device_id, clean=False) == ACCEPTED
        assert await mqtt.subscribe(f"d/{device.device_id}/down/cmd", qos=1) == 1
        assert await consumers(client) > before
        assert "message" in await request(client, "STREAM.MSG.GET.$MQTT_sess", session)
        connection = running.connect()
        add_revocation(connection, device)
        connection.close()
        finished = "SELECT 1 FROM revocation WHERE device_id = ? AND purged_us IS NOT NULL"
        await until_soon(lambda: query(running, finished, device.row))
        assert await request(client, "STREAM.MSG.GET.$MQTT_sess", session, missing_ok=True) == {}
        assert await consumers(client) == before

    with_nats(running, scene)


def test_revoked_devices_retained_message_is_not_delivered_to_anybody(
    running: Plant, device: TestDevice
) -> None:
    subject = f"$MQTT.rmsgs.u.{partition_of(device.device_id)}.{device.device_id}.state"

    async def scene(client: NatsClient) -> None:
        mqtt = await secure(running, device)
        assert await mqtt.connect(device.device_id) == ACCEPTED
        await mqtt.publish(device.topic("state"), b"kept", retain=True)
        kept = {"last_by_subj": subject}
        assert "message" in await request(client, "STREAM.MSG.GET.$MQTT_rmsgs", kept)
        connection = running.connect()
        add_revocation(connection, device)
        connection.close()
        finished = "SELECT 1 FROM revocation WHERE device_id = ? AND purged_us IS NOT NULL"
        await until_soon(lambda: query(running, finished, device.row))
        assert await request(client, "STREAM.MSG.GET.$MQTT_rmsgs", kept, missing_ok=True) == {}

    with_nats(running, scene)


@pytest.mark.slow
def test_sessions_survive_the_authorizer_and_newcomers_wait_for_it(make_plant: MakePlant) -> None:
    with make_plant() as plant:
        plant.start("nats-secure", "nats-plain", "authorizer")
        first, second = add_devices(plant, 2)

        async def scene() -> None:
            client = await secure(plant, first)
            assert await client.connect(first.device_id) == ACCEPTED
            await asyncio.to_thread(plant.kill, "authorizer")
            await client.publish(first.topic("data"), b"goes on")
            newcomer = await opened(plant.settings.mqtt_plain_port)
            assert await newcomer.connect(second.device_id, second.device_id, "no answer comes") != ACCEPTED
            client.close()
            await client.lost
            await asyncio.to_thread(plant.start, "authorizer")
            later = await secure(plant, second)
            assert await later.connect(second.device_id) == ACCEPTED
            # The session that ended while nobody listened is ended now.
            open_sessions = "SELECT device_id FROM device_session WHERE ended_us IS NULL"
            await until_soon(lambda: query(plant, open_sessions) == [(second.row,)])

        play(scene())


def test_four_partitions(running: Plant) -> None:
    assert {partition_of(f"device{number}") for number in range(50)} == set(range(PARTITIONS))


def connect_with_will(client_id: str, topic: str) -> bytes:
    """CONNECT that leaves a will: the broker publishes it when the connection breaks."""
    words = [client_id, topic, "will"]
    payload = b"".join(len(word).to_bytes(2, "big") + word.encode() for word in words)
    body = b"\x00\x04MQTT\x04\x06\x00\x3c" + payload
    return bytes((0x10, len(body))) + body


def test_will_of_a_device_is_refused_whatever_its_topic_and_recorded(
    running: Plant, device: TestDevice, other: TestDevice
) -> None:
    """The broker maps no will, so even one on the device's own topic is outside its permissions."""
    heard: list[str] = []
    topics = [other.topic("data"), f"d/{other.device_id}/down/cmd", "doorstep/control", device.topic("event")]

    async def note(message: Msg) -> None:
        if b"will" in message.data:
            heard.append(message.subject)

    async def die(topic: str) -> None:
        client = await secure(running, device)
        client.transport.write(connect_with_will(device.device_id, topic))
        assert await client._answer() == ACCEPTED
        client.transport.abort()
        await client.lost

    def recorded() -> int:
        sql = "SELECT sum(count) FROM dead_letter WHERE device_id = ? AND reason = 'forbidden_topic'"
        return int(query(running, sql, device.device_id)[0][0] or 0)

    async def scene(client: NatsClient) -> None:
        await client.subscribe("*.>", cb=note)
        await client.flush()
        for topic in topics:
            await die(topic)
        await until_soon(lambda: recorded() == len(topics))

    with_nats(running, scene)
    assert heard == []
