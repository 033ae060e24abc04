"""Who gets in at the two listeners, what they may do there, and what is written down: on real brokers."""

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from doorstep.crypto import p256
from doorstep.crypto.x509 import build_request
from doorstep.messaging.proof import seal_connect_proof
from doorstep.runtime.brokers import partition_of
from doorstep.runtime.role import now_us
from doorstep.testing.devices import TestDevice, add_devices, add_revocation
from doorstep.testing.mqtt import ACCEPTED, SUBSCRIBE_REFUSED, MqttClient, open_client
from doorstep.testing.plant import Plant
from tests.wait import until

pytestmark = pytest.mark.roles

_NOT_AUTHORIZED = 5
_T = TypeVar("_T")


_opened: list[MqttClient] = []


def play(scene: Coroutine[Any, Any, _T]) -> _T:
    """Run a scene, then hang up everywhere."""

    async def whole() -> _T:
        try:
            return await scene
        finally:
            for client in _opened:
                client.transport.abort()
            await asyncio.gather(*(client.lost for client in _opened))
            _opened.clear()

    return asyncio.run(whole())


def root_of(plant: Plant) -> Path:
    return plant.state.root / "devices" / "root.crt"


async def secure(plant: Plant, device: TestDevice) -> MqttClient:
    return await opened(plant.settings.mqtt_tls_port, device.tls(root_of(plant)))


async def plain(plant: Plant) -> MqttClient:
    return await opened(plant.settings.mqtt_plain_port)


async def opened(port: int, tls: ssl.SSLContext | None = None) -> MqttClient:
    client = await open_client(port, tls)
    _opened.append(client)
    return client


def query(plant: Plant, sql: str, *values: object) -> list[tuple[Any, ...]]:
    connection = plant.connect()
    try:
        return connection.query(sql, values)
    finally:
        connection.close()


def refusals(plant: Plant, device_id: str) -> list[str]:
    rows = query(
        plant, "SELECT detail FROM dead_letter WHERE device_id = ? AND reason = 'connect_refused'", device_id
    )
    return [detail for (detail,) in rows]


def set_device(plant: Plant, device: TestDevice, **columns: object) -> None:
    changes = ", ".join(f"{name} = ?" for name in columns)
    query(plant, f"UPDATE device SET {changes} WHERE id = ?", *columns.values(), device.row)


async def connect_code(client: MqttClient, *arguments: str) -> int:
    code = await client.connect(*arguments)
    client.transport.abort()
    return code


def test_device_connects_with_its_certificate_and_gets_one_session_row(
    running: Plant, device: TestDevice
) -> None:
    async def scene() -> None:
        client = await secure(running, device)
        assert await client.connect(device.device_id) == ACCEPTED
        client.close()

    play(scene())
    sessions = until(
        lambda: query(
            running,
            "SELECT broker, credential FROM device_session WHERE device_id = ? AND ended_us > connected_us",
            device.row,
        )
    )
    fingerprint = query(running, "SELECT fingerprint FROM credential WHERE device_id = ?", device.row)[0][0]
    assert sessions == [("secure", fingerprint)]


def test_device_without_certificate_gets_no_session(running: Plant, device: TestDevice) -> None:
    async def scene() -> None:
        nobody = ssl.create_default_context(cafile=str(root_of(running)))
        client = await opened(running.settings.mqtt_tls_port, nobody)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await client.connect(device.device_id)

    play(scene())


def test_broker_refuses_certificate_of_another_authority(
    running: Plant, device: TestDevice, tmp_path: Path
) -> None:
    """An IDevID is real, and of this maker, and still opens no session."""
    key = p256.generate(lambda n: bytes([7]) * n)
    idevid = running.authority.issue_idevid(
        key.public_key, device_id=device.device_id, device_serial="S1", now=datetime.now(UTC)
    )
    device.certificate, device.key = tmp_path / "c", tmp_path / "k"
    device.certificate.write_bytes(idevid.pem + running.authority.factory.certificate.pem)
    device.key.write_bytes(key.to_pem())

    async def scene() -> None:
        client = await secure(running, device)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await client.connect(device.device_id)

    play(scene())


def test_authorizer_refuses_genuine_certificate_that_is_in_no_row(
    running: Plant, device: TestDevice, tmp_path: Path
) -> None:
    key = p256.generate(lambda n: bytes([9]) * n)
    unknown = running.authority.issue_operational(
        build_request(key, device.device_id),
        device_id=device.device_id,
        now=datetime.now(UTC),
        lifetime=timedelta(days=1),
    )
    device.certificate, device.key = tmp_path / "c", tmp_path / "k"
    device.certificate.write_bytes(unknown.pem + running.authority.operations.certificate.pem)
    device.key.write_bytes(key.to_pem())
    assert play(_connect_secure(running, device)) == _NOT_AUTHORIZED
    assert "unknown_credential" in refusals(running, device.device_id)[0]


async def _connect_secure(plant: Plant, device: TestDevice) -> int:
    return await connect_code(await secure(plant, device), device.device_id)


async def _connect_as_other(plant: Plant, device: TestDevice) -> int:
    stranger = add_devices(plant, 1)[0]
    return await connect_code(await secure(plant, stranger), device.device_id)


async def _connect_blocked(plant: Plant, device: TestDevice) -> int:
    set_device(plant, device, blocked=True)
    return await _connect_secure(plant, device)


async def _connect_unowned(plant: Plant, device: TestDevice) -> int:
    set_device(plant, device, life="returned")
    return await _connect_secure(plant, device)


async def _connect_revoked_certificate(plant: Plant, device: TestDevice) -> int:
    query(plant, "UPDATE credential SET state = 'revoked' WHERE device_id = ?", device.row)
    return await _connect_secure(plant, device)


async def _connect_expired(plant: Plant, device: TestDevice) -> int:
    query(plant, "UPDATE credential SET not_after_us = ? WHERE device_id = ?", now_us() - 1, device.row)
    return await _connect_secure(plant, device)


async def _connect_early(plant: Plant, device: TestDevice) -> int:
    query(plant, "UPDATE credential SET not_before_us = ? WHERE device_id = ?", now_us() + 10**9, device.row)
    return await _connect_secure(plant, device)


async def _connect_quarantined(plant: Plant, device: TestDevice) -> int:
    set_device(plant, device, blocked=True, standing="quarantined")
    return await _connect_secure(plant, device)


async def _connect_before_renewing(plant: Plant, device: TestDevice) -> int:
    set_device(plant, device, must_renew=True)
    return await _connect_secure(plant, device)


async def _connect_plain_before_renewing(plant: Plant, device: TestDevice) -> int:
    set_device(plant, device, must_renew=True)
    proof = seal_connect_proof(device.boot())
    return await connect_code(await plain(plant), device.device_id, device.device_id, proof)


async def _connect_without_proof(plant: Plant, device: TestDevice) -> int:
    return await connect_code(await plain(plant), device.device_id, device.device_id, "")


async def _connect_with_forged_proof(plant: Plant, device: TestDevice) -> int:
    proof = bytearray(base64.urlsafe_b64decode(seal_connect_proof(device.boot()) + "=="))
    proof[-1] ^= 1
    forged = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
    return await connect_code(await plain(plant), device.device_id, device.device_id, forged)


async def _connect_with_used_proof(plant: Plant, device: TestDevice) -> int:
    proof = seal_connect_proof(device.boot())
    assert await connect_code(await plain(plant), device.device_id, device.device_id, proof) == ACCEPTED
    return await connect_code(await plain(plant), device.device_id, device.device_id, proof)


async def _connect_with_others_proof(plant: Plant, device: TestDevice) -> int:
    proof = seal_connect_proof(add_devices(plant, 1)[0].boot())
    return await connect_code(await plain(plant), device.device_id, device.device_id, proof)


async def _connect_blocked_with_proof(plant: Plant, device: TestDevice) -> int:
    set_device(plant, device, blocked=True)
    proof = seal_connect_proof(device.boot())
    return await connect_code(await plain(plant), device.device_id, device.device_id, proof)


async def _connect_unknown_name(plant: Plant, device: TestDevice) -> int:
    proof = seal_connect_proof(device.boot())
    return await connect_code(await plain(plant), device.device_id, "aaaaaaaa", proof)


async def _connect_plain_as_other(plant: Plant, device: TestDevice) -> int:
    stranger = add_devices(plant, 1)[0]
    proof = seal_connect_proof(stranger.boot())
    return await connect_code(await plain(plant), device.device_id, stranger.device_id, proof)


REFUSED: dict[str, tuple[Callable[[Plant, TestDevice], Awaitable[int]], str]] = {
    "another device's client id": (_connect_as_other, "foreign_client_id"),
    "blocked device": (_connect_blocked, "revoked"),
    "device without owner": (_connect_unowned, "not_owned"),
    "KEY-03 revoked certificate": (_connect_revoked_certificate, "revoked"),
    "KEY-02 expired certificate": (_connect_expired, "expired"),
    "KEY-02 certificate from the future": (_connect_early, "expired"),
    "device in quarantine": (_connect_quarantined, "quarantined"),
    "device that must renew": (_connect_before_renewing, "renew_first"),
    "plain and must renew": (_connect_plain_before_renewing, "renew_first"),
    "plain without proof": (_connect_without_proof, "bad_proof"),
    "plain with forged proof": (_connect_with_forged_proof, "bad_proof"),
    "plain with used proof": (_connect_with_used_proof, "bad_proof"),
    "plain with another's proof": (_connect_with_others_proof, "bad_proof"),
    "plain and blocked": (_connect_blocked_with_proof, "revoked"),
    "plain under unknown name": (_connect_unknown_name, "unknown_device"),
    "plain under foreign client id": (_connect_plain_as_other, "foreign_client_id"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_authorizer_refuses_and_records(running: Plant, device: TestDevice, case: str) -> None:
    attempt, reason = REFUSED[case]

    async def scene() -> int:
        return await attempt(running, device)

    assert play(scene()) == _NOT_AUTHORIZED
    assert [detail.split(":")[0] for detail in refusals(running, device.device_id)] == [reason]


def test_refusals_of_one_minute_share_a_row(running: Plant, device: TestDevice) -> None:
    set_device(running, device, blocked=True)

    async def scene() -> None:
        for _ in range(5):
            assert await _connect_secure(running, device) == _NOT_AUTHORIZED

    play(scene())
    counts = query(running, "SELECT count FROM dead_letter WHERE device_id = ?", device.device_id)
    assert sum(count for (count,) in counts) == 5
    assert len(counts) <= 2  # a minute may end in between


def test_device_connects_on_plain_listener_again_with_a_new_proof(running: Plant, device: TestDevice) -> None:
    async def scene() -> None:
        sealer = device.boot()
        for _ in range(3):
            client = await plain(running)
            assert await client.connect(device.device_id, device.device_id, seal_connect_proof(sealer)) == 0
            client.close()
        later = await plain(running)
        proof = seal_connect_proof(device.boot())
        assert await later.connect(device.device_id, device.device_id, proof) == ACCEPTED
        later.close()

    play(scene())


def test_second_connection_of_a_device_replaces_the_first(running: Plant, device: TestDevice) -> None:
    async def scene() -> None:
        first, second = await secure(running, device), await secure(running, device)
        assert await first.connect(device.device_id) == ACCEPTED
        assert await second.connect(device.device_id) == ACCEPTED
        await asyncio.wait_for(first.lost, 5)
        second.close()

    play(scene())


def test_device_subscribes_to_its_own_topics_only(
    running: Plant, device: TestDevice, other: TestDevice
) -> None:
    patterns = {
        f"d/{device.device_id}/down/#": ACCEPTED,
        f"d/{device.device_id}/down/cmd": ACCEPTED,
        f"d/{other.device_id}/down/cmd": SUBSCRIBE_REFUSED,
        f"d/{device.device_id}/up/data": SUBSCRIBE_REFUSED,
        "d/+/down/cmd": SUBSCRIBE_REFUSED,
        "#": SUBSCRIBE_REFUSED,
        f"$share/g/d/{device.device_id}/down/cmd": SUBSCRIBE_REFUSED,
        "$SYS/#": SUBSCRIBE_REFUSED,
    }

    async def scene() -> dict[str, int]:
        client = await secure(running, device)
        assert await client.connect(device.device_id) == ACCEPTED
        answers = {pattern: await client.subscribe(pattern) for pattern in patterns}
        client.close()
        return answers

    assert play(scene()) == patterns


def test_forbidden_publish_is_acknowledged_dropped_and_recorded(
    running: Plant, device: TestDevice, other: TestDevice
) -> None:
    topics = [
        other.topic("data"),
        device.topic("firmware"),
        "elsewhere",
        f"d/{other.device_id}/down/cmd",
        "doorstep/control",
        "$JS/API/STREAM/PURGE/$MQTT_msgs",
        "$SYS/REQ/SERVER/PING",
        f"u/{partition_of(other.device_id)}/{other.device_id}/data",
    ]

    async def scene() -> None:
        victim, client = await secure(running, other), await secure(running, device)
        assert await victim.connect(other.device_id) == ACCEPTED
        await victim.subscribe(f"d/{other.device_id}/down/#")
        assert await client.connect(device.device_id) == ACCEPTED
        for topic in topics:
            await client.publish(topic, b"forged")  # returns: it was acknowledged
        with pytest.raises(TimeoutError):
            await victim.next_message(0.5)
        client.close()
        victim.close()

    def recorded() -> list[tuple[str, int]]:
        sql = "SELECT topic, count FROM dead_letter WHERE device_id = ? AND reason = 'forbidden_topic'"
        return [(str(topic), int(count)) for topic, count in query(running, sql, device.device_id)]

    play(scene())
    # They are recorded in batches, so the first of them may stand there alone for a moment.
    until(lambda: sum(count for _, count in recorded()) >= len(topics))
    assert recorded()[0][0] == other.topic("data")
    assert sum(count for _, count in recorded()) == len(topics)


def test_revocation_kicks_refuses_and_purges_within_a_second(running: Plant, device: TestDevice) -> None:
    async def scene() -> float:
        sealer = device.boot()
        tls_client, plain_client = await secure(running, device), await plain(running)
        assert await tls_client.connect(device.device_id, clean=False) == ACCEPTED
        assert await plain_client.connect(device.device_id, device.device_id, seal_connect_proof(sealer)) == 0
        assert await tls_client.subscribe(f"d/{device.device_id}/down/#", qos=1) == 1
        for _ in range(3):
            await tls_client.publish(device.topic("data"), b"queued")
        await tls_client.publish(device.topic("state"), b"retained", retain=True)
        connection = running.connect()
        add_revocation(connection, device)
        connection.close()
        asked = asyncio.get_running_loop().time()
        await asyncio.wait_for(asyncio.gather(tls_client.lost, plain_client.lost), 5)
        took = asyncio.get_running_loop().time() - asked
        assert await _connect_secure(running, device) == _NOT_AUTHORIZED
        return took

    assert play(scene()) < 2
    done = until(
        lambda: query(
            running,
            "SELECT kicked_us - asked_us, purged_us - asked_us, sessions_kicked, messages_purged"
            " FROM revocation WHERE device_id = ? AND purged_us IS NOT NULL",
            device.row,
        )
    )
    kicked, purged, sessions, messages = done[0]
    assert 0 < kicked <= purged < 5_000_000
    assert sessions == 2
    assert messages >= 5  # three queued, one retained with its queued copy
