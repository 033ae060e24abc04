"""Legacy boards on the real platform: they log in, ask, send, are refused alike, talk, and move on."""

import asyncio
import json
import os
from collections.abc import Coroutine
from typing import Any

import pytest

from doorstep.messaging.legacy.article import open_article
from doorstep.messaging.legacy.formats import SESSION_CHANNEL, Format
from doorstep.messaging.legacy.iot1 import open_iot1, seal_iot1
from doorstep.messaging.proof import seal_connect_proof
from doorstep.testing.mqtt import open_client
from doorstep.testing.plant import Plant
from tests.ingest.boards import LegacyNode, add_boards
from tests.ingest.tables import letters, query, stored
from tests.wait import until

pytestmark = pytest.mark.roles

SESSION = b"0123456789abcdef"


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


def kept(plant: Plant, node: LegacyNode) -> list[tuple[str, Any]]:
    sql = "SELECT channel, payload FROM message WHERE device_id = ? ORDER BY epoch, seq"
    return [(channel, json.loads(bytes(payload))) for channel, payload in query(plant, sql, node.device.row)]


def test_board_sends_one_reading_under_each_session_id(running: Plant) -> None:
    (node,) = add_boards(running, 1)

    async def scene() -> None:
        client = await node.connect(running)
        session = await node.ask(client)
        for reading in (b"5", b"-21.5", b"open"):
            await node.say(client, node.article(reading, session))
            # It gets the next id unasked, as the article's boards expect.
            following = await node.down(client, SESSION_CHANNEL)
            assert following != session
            session = following
        client.close()

    run(scene())
    until(lambda: len(kept(running, node)) == 3)
    assert kept(running, node) == [("article", {"data": said}) for said in (5, -21.5, "open")]
    assert letters(running, node.device) == {}
    assert query(running, "SELECT last_seen_us FROM device WHERE id = ?", node.device.row)[0][0] > 0


def test_board_gets_the_same_answer_to_everything_that_is_wrong(running: Plant) -> None:
    """MQTT-05: no padding oracle, no replay; the session id is spent whatever the result."""
    (node, other) = add_boards(running, 2)

    async def scene() -> None:
        client = await node.connect(running)
        session = await node.ask(client)
        good = node.article(b"5", session)
        bad = [
            b"no message",
            good[:-2] + b"00",
            other.article(b"5", session),
            good.replace(good[:2], b"ff", 1),
        ]
        for message in bad:
            await node.say(client, message)
            following = await node.down(client, SESSION_CHANNEL)
            assert following != session
            assert len(following) == len(session)
        await node.say(client, good)  # its id was spent by the first
        await node.down(client, SESSION_CHANNEL)
        client.close()

    run(scene())
    until(lambda: letters(running, node.device) == {"legacy_refused": 5})
    assert stored(running, [node.device]) == []


def test_board_repeats_a_message_and_it_is_stored_once(running: Plant) -> None:
    (node,) = add_boards(running, 1)

    async def scene() -> None:
        client = await node.connect(running)
        message = node.article(b"5", await node.ask(client))
        await node.say(client, message)
        session = await node.down(client, SESSION_CHANNEL)
        await node.say(client, message)
        await node.say(client, node.article(b"6", session))
        client.close()

    run(scene())
    until(lambda: len(kept(running, node)) == 2)
    assert letters(running, node.device) == {}


def test_second_board_receives_under_its_own_session_id_and_answers(running: Plant) -> None:
    asker, answerer = add_boards(running, 2)

    async def scene() -> None:
        one, two = await asker.connect(running), await answerer.connect(running)
        await one.publish(asker.device.topic(SESSION_CHANNEL), SESSION)
        await two.publish(answerer.device.topic(SESSION_CHANNEL), SESSION[::-1])
        await asyncio.sleep(0.3)  # both are announced
        await asker.say(one, asker.article(b"temperature?", await asker.ask(one)))
        heard = await answerer.down(two, "article")
        assert open_article(answerer.keys, asker.node_id, SESSION[::-1], heard) == b"temperature?"
        await answerer.say(two, answerer.article(b"21.5", await answerer.ask(two)))
        assert await asker.down(one, SESSION_CHANNEL)
        answer = await asker.down(one, "article")
        assert open_article(asker.keys, answerer.node_id, SESSION, answer) == b"21.5"
        # The id that it announced is spent: it hears no more until it announces another.
        await asker.say(one, asker.article(b"again?", await asker.ask(one)))
        assert await answerer.down(two, SESSION_CHANNEL)
        with pytest.raises(TimeoutError):
            await two.next_message(1.0)
        one.close()
        two.close()

    run(scene())
    until(lambda: letters(running, asker.device) == {"peer_not_listening": 1})
    assert kept(running, answerer) == [("article", {"data": 21.5})]


def test_iot1_board_sends_and_hears_another(running: Plant) -> None:
    asker, answerer = add_boards(running, 2, Format.IOT1)
    body = json.dumps({"chip_id": asker.node_id.decode(), "event": "dht", "parameters": {"t": 21.5, "h": 40}})

    async def scene() -> None:
        one, two = await asker.connect(running), await answerer.connect(running)
        message = seal_iot1(asker.keys, asker.node_id, body.encode(), os.urandom)
        await asker.say(one, message)
        await asker.say(one, message)
        heard = await answerer.down(two, "iot1-aessha1")
        assert open_iot1(answerer.keys, asker.node_id, heard) == body.encode()
        await asker.say(one, message[:-90] + message[-80:])
        one.close()
        two.close()

    run(scene())
    until(lambda: letters(running, asker.device) == {"legacy_refused": 1})
    assert kept(running, asker) == [("iot1-aessha1", {"t": 21.5, "h": 40})]


BAD_SESSIONS = {"short": b"0123", "comma": b"0123456789abcdef,", "long": b"a" * 65}


@pytest.mark.parametrize("announced", BAD_SESSIONS.values(), ids=BAD_SESSIONS)
def test_board_announces_no_bad_session_id(running: Plant, announced: bytes) -> None:
    (node,) = add_boards(running, 1)

    async def scene() -> None:
        client = await node.connect(running)
        await client.publish(node.device.topic(SESSION_CHANNEL), announced)
        client.close()

    run(scene())
    until(lambda: letters(running, node.device) == {"bad_payload": 1})


def test_board_may_publish_nothing_but_its_own_format(running: Plant) -> None:
    """MQTT-13: the login that everybody can overhear opens no other topic."""
    node, other = add_boards(running, 2)

    async def scene() -> None:
        client = await node.connect(running)
        for topic in (
            node.device.topic("data"),
            node.device.topic("iot1-aessha1"),
            other.device.topic("article"),
        ):
            await client.publish(topic, b"{}")
        client.close()

    run(scene())
    until(lambda: sum(letters(running, node.device).values()) == 3)
    assert letters(running, node.device) == {"forbidden_topic": 3}


async def refused(plant: Plant, node: LegacyNode, password: str) -> bool:
    client = await open_client(plant.settings.mqtt_plain_port)
    name = node.device.device_id
    try:
        return await client.connect(name, name, password) != 0
    except ConnectionError:
        return True
    finally:
        client.close()


OFF = {
    "the product takes none": (
        "UPDATE product SET legacy_formats = '' WHERE id = (SELECT product_id FROM device WHERE id = ?)"
    ),
    "another owner": "UPDATE device SET ownership_period = 2 WHERE id = ?",
    "revoked": "UPDATE device SET blocked = (1 = 1) WHERE id = ?",
}


@pytest.mark.parametrize("sql", OFF.values(), ids=OFF)
def test_board_is_shut_out_in_mid_session_and_from_new_ones(running: Plant, sql: str) -> None:
    (node,) = add_boards(running, 1)

    async def scene() -> None:
        client = await node.connect(running)
        session = await node.ask(client)
        query(running, sql, node.device.row)
        query(running, "UPDATE device SET generation = generation + 1 WHERE id = ?", node.device.row)
        await node.say(client, node.article(b"5", session))
        client.close()
        assert await refused(running, node, node.password)

    run(scene())
    until(lambda: len(letters(running, node.device)) == 2)
    assert kept(running, node) == []
    assert "connect_refused" in letters(running, node.device)


def test_board_with_a_wrong_password_is_refused(running: Plant) -> None:
    (node,) = add_boards(running, 1)
    run(_assert_refused(running, node, node.password[:-1] + "!"))
    assert letters(running, node.device) == {"connect_refused": 1}


async def _assert_refused(plant: Plant, node: LegacyNode, password: str) -> None:
    assert await refused(plant, node, password)


def test_device_that_proved_itself_once_can_not_go_back(running: Plant) -> None:
    """SEAL: no downgrade: the first sealed proof ends legacy log-in and legacy messages for good."""
    (node,) = add_boards(running, 1)
    name = node.device.device_id

    async def scene() -> None:
        old = await node.connect(running)
        await node.say(old, node.article(b"5", await node.ask(old)))
        session = await node.down(old, SESSION_CHANNEL)
        sealer = node.device.boot()
        new = await open_client(running.settings.mqtt_plain_port)
        assert await new.connect(name, name, seal_connect_proof(sealer)) == 0
        await new.publish(node.device.topic("data"), sealer.seal(b"up/data", b'{"data":6}'))
        new.close()
        assert await refused(running, node, node.password)
        assert session

    run(scene())
    until(lambda: len(kept(running, node)) == 2)
    # What was sealed is the newest, whatever the clock says.
    assert kept(running, node) == [("article", {"data": 5}), ("data", {"data": 6})]
    assert letters(running, node.device) == {"connect_refused": 1}
    assert query(running, "SELECT migrated_us FROM legacy_board WHERE device_id = ?", node.device.row)[0][0]
