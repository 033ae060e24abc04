"""Messages on their whole way: real broker, real worker, both databases."""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from doorstep.errors import MisuseError
from doorstep.identity.ids import kid_of
from doorstep.ingest import worker
from doorstep.messaging.keys import run_ahead
from doorstep.messaging.proof import seal_connect_proof
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.static import StaticSealer
from doorstep.messaging.variant import VARIANTS
from doorstep.runtime import heartbeat
from doorstep.runtime.brokers import Broker
from doorstep.testing.devices import TestDevice, add_devices, add_revocation
from doorstep.testing.load import LoadDevice, Loader, payload_of, prepare
from doorstep.testing.mqtt import MqttClient, open_client
from doorstep.testing.plant import Plant
from tests.ingest.tables import acknowledged, assert_exactly_once, letters, prepared, query, stored
from tests.wait import until

pytestmark = pytest.mark.roles

PAYLOAD = payload_of(1, 0)


async def session(plant: Plant, device: TestDevice) -> MqttClient:
    root = plant.state.root / "devices" / "root.crt"
    client = await open_client(plant.settings.mqtt_tls_port, device.tls(root))
    assert await client.connect(device.device_id) == 0
    return client


def publish(plant: Plant, device: TestDevice, *messages: tuple[str, bytes]) -> None:
    """Publish (channel, bytes) in one session."""

    async def scene() -> None:
        client = await session(plant, device)
        for channel, content in messages:
            await client.publish(device.topic(channel), content)
        client.close()
        await client.lost

    asyncio.run(scene())


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


@pytest.mark.parametrize("broker", Broker)
def test_worker_stores_what_devices_send_on_either_listener(running: Plant, broker: Broker) -> None:
    loads = prepare(add_devices(running, 3), 300, in_flight=10, readings=10)
    run(Loader(running, broker).publish(loads))
    assert acknowledged(loads) == prepared(loads)
    until(lambda: len(stored(running, [load.device for load in loads])) == 300)
    assert_exactly_once(running, loads)


def test_worker_stores_every_channel_with_payload_period_and_count(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    sealer = device.boot()
    channels = ("data", "state", "event")
    publish(running, device, *((c, sealer.seal(f"up/{c}".encode(), payload_of(2, 1))) for c in channels))
    until(lambda: len(stored(running, [device])) == 3)
    sql = "SELECT channel, ownership_period, reading_count, payload FROM message WHERE device_id = ?"
    rows = {
        channel: (period, count, bytes(p)) for channel, period, count, p in query(running, sql, device.row)
    }
    assert rows == dict.fromkeys(channels, (1, 2, payload_of(2, 1)))
    assert query(running, "SELECT last_seen_us FROM device WHERE id = ?", device.row)[0][0] > 0


@pytest.mark.parametrize("name", ["ratchet-16", "static-8", "static-16"])
def test_worker_opens_each_variant_and_no_other(running: Plant, name: str) -> None:
    """A device sends what its product says; the shorter tag, replays and flips are refused."""
    device, variant = add_devices(running, 1)[0], VARIANTS[name]
    query(running, "UPDATE sealed_state SET variant = ? WHERE device_id = ?", name, device.row)
    kid, root, now_s = kid_of(device.device_id), device.state.root, int(time.time())
    boots = [
        StaticSealer(kid, root, variant, now_s + boot, os.urandom)
        if variant.is_static
        else DeviceSealer(kid, DeviceState(run_ahead(root, boot), boot), variant)
        for boot in (0, 1)
    ]
    weaker = DeviceSealer(kid, DeviceState(run_ahead(root, 2), 2))
    good = [sealer.seal(b"up/data", PAYLOAD) for sealer in boots for _ in range(2)]
    flipped = good[3][:-1] + bytes((good[3][-1] ^ 1,))
    downgraded = weaker.seal(b"up/data", PAYLOAD)
    sent = [good[0], good[1], good[0], flipped, downgraded, good[2], good[3], good[3]]
    publish(running, device, *(("data", message) for message in sent))
    until(lambda: len(stored(running, [device])) == 4 and sum(letters(running, device).values()) == 2)
    assert len(stored(running, [device])) == 4
    assert letters(running, device).keys() <= {"wrong_tag", "malformed", "replayed"}


def test_worker_dead_letters_bad_messages_and_stores_the_good_between(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    sealer, stranger = device.boot(), add_devices(running, 1)[0].boot()
    damaged = bytearray(sealer.seal(b"up/data", PAYLOAD))
    damaged[-1] ^= 1
    publish(
        running,
        device,
        ("data", b"no envelope at all"),
        ("data", sealer.seal(b"up/data", PAYLOAD)),
        ("data", bytes(damaged)),
        ("data", sealer.seal(b"up/state", PAYLOAD)),
        ("data", stranger.seal(b"up/data", PAYLOAD)),
        ("data", sealer.seal(b"up/data", b"not readings")),
        ("data", sealer.seal(b"up/data", PAYLOAD)),
    )
    until(lambda: len(stored(running, [device])) == 2 and sum(letters(running, device).values()) == 5)
    assert letters(running, device) == {"malformed": 1, "wrong_tag": 3, "bad_payload": 1}


def test_worker_keeps_a_sample_of_what_it_refuses(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    publish(running, device, ("event", bytes(range(100, 200))))
    sql = "SELECT topic, size, sample, count FROM dead_letter WHERE device_id = ?"
    topic, size, sample, count = until(lambda: query(running, sql, device.device_id))[0]
    assert (topic, size, bytes(sample), count) == (device.topic("event"), 100, bytes(range(100, 164)), 1)


def test_worker_drops_repeats_silently_and_records_replays_of_what_it_never_stored(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    sealer = device.boot()
    messages = [sealer.seal(b"up/data", PAYLOAD) for _ in range(100)]
    publish(running, device, ("data", messages[0]), ("data", messages[99]), ("data", messages[99]))
    until(lambda: len(stored(running, [device])) == 2)
    # Number 1 is behind the window and was never stored; number 0 is behind it too, and was.
    publish(running, device, ("data", messages[0]), ("data", messages[1]), ("data", messages[98]))
    until(lambda: len(stored(running, [device])) == 3)
    assert letters(running, device) == {"too_old": 1}


def test_worker_follows_a_device_through_boots(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    first, second = device.boot(), device.boot()
    late = first.seal(b"up/data", PAYLOAD)
    publish(
        running, device, ("data", first.seal(b"up/data", PAYLOAD)), ("data", second.seal(b"up/data", PAYLOAD))
    )
    publish(running, device, ("data", late))
    until(lambda: len(stored(running, [device])) == 3)
    state = query(running, "SELECT epoch, previous_epoch FROM sealed_state WHERE device_id = ?", device.row)
    assert state == [(1, 0)]


def test_worker_refuses_queued_messages_of_a_revoked_device_until_it_is_let_in_again(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    sealer = device.boot()
    publish(running, device, ("data", sealer.seal(b"up/data", PAYLOAD)))
    until(lambda: len(stored(running, [device])) == 1)
    running.send("ingest", signal.SIGSTOP)
    try:
        publish(running, device, *(("data", sealer.seal(b"up/data", PAYLOAD)) for _ in range(5)))
        # Blocked without the authorizer's purge: what is on its way already must be refused as well.
        query(
            running,
            "UPDATE device SET blocked = ?, generation = generation + 1 WHERE id = ?",
            True,
            device.row,
        )
    finally:
        running.send("ingest", signal.SIGCONT)
    until(lambda: letters(running, device) == {"revoked": 5})
    assert len(stored(running, [device])) == 1
    let_in = "UPDATE device SET blocked = ?, generation = generation + 1 WHERE id = ?"
    query(running, let_in, False, device.row)  # as at the end of a quarantine
    publish(running, device, ("data", sealer.seal(b"up/data", PAYLOAD)))
    until(lambda: len(stored(running, [device])) == 2)
    assert letters(running, device) == {"revoked": 5}


def test_nothing_of_a_device_is_stored_after_its_revocation_is_finished(running: Plant) -> None:
    loads = prepare(add_devices(running, 4), 20_000, in_flight=10)
    victim, loader = loads[0].device, Loader(running, rate=2_000)

    async def scene() -> None:
        publishing = asyncio.create_task(loader.publish(loads))
        await asyncio.to_thread(until, lambda: len(stored(running, [victim])) > 0)
        connection = running.connect()
        add_revocation(connection, victim)
        connection.close()
        finished = "SELECT purged_us FROM revocation WHERE device_id = ? AND purged_us IS NOT NULL"
        await asyncio.to_thread(until, lambda: query(running, finished, victim.row))
        count = len(stored(running, [victim]))
        assert count > 0
        await asyncio.sleep(0.5)
        assert len(stored(running, [victim])) == count
        loader.stopping = True
        await publishing

    run(scene())
    assert_exactly_once_but_for(running, loads[1:])


def assert_exactly_once_but_for(plant: Plant, loads: list[LoadDevice]) -> None:
    until(lambda: acknowledged(loads) <= set(stored(plant, [load.device for load in loads])))
    assert_exactly_once(plant, loads)


def test_worker_opens_anew_when_a_device_changes_hands(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    sealer = device.boot()
    publish(running, device, ("data", sealer.seal(b"up/data", PAYLOAD)))
    until(lambda: len(stored(running, [device])) == 1)
    sql = "UPDATE device SET ownership_period = 2, generation = generation + 1 WHERE id = ?"
    query(running, sql, device.row)
    publish(running, device, ("data", sealer.seal(b"up/data", PAYLOAD)))
    periods = "SELECT ownership_period FROM message WHERE device_id = ? ORDER BY seq"
    until(lambda: query(running, periods, device.row) == [(1,), (2,)])


def test_worker_shows_its_figures(running: Plant) -> None:
    pulse = heartbeat.read(running.state, "ingest")
    assert pulse is not None
    assert {"stored", "refused", "duplicates", "taken", "waits_for"} <= pulse.figures.keys()


def test_proof_on_the_plain_listener_does_not_move_the_message_epoch(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    device.boot()
    sealer = device.boot()

    async def scene() -> None:
        client = await open_client(running.settings.mqtt_plain_port)
        assert await client.connect(device.device_id, device.device_id, seal_connect_proof(sealer)) == 0
        await client.publish(device.topic("data"), sealer.seal(b"up/data", PAYLOAD))
        client.close()
        await client.lost

    run(scene())
    until(lambda: len(stored(running, [device])) == 1)
    sql = "SELECT epoch, seq_high, connect_epoch, connect_seq FROM sealed_state WHERE device_id = ?"
    assert query(running, sql, device.row) == [(1, 1, 1, 0)]


def test_key_material_stays_out_of_logs(running: Plant) -> None:
    secrets = [running.key_file.derive(f"nats/{user}").hex() for user in ("ingest", "auth", "sys")]
    logs = "".join(path.read_text(errors="replace") for path in Path(running.state.logs).iterdir())
    assert not any(secret in logs for secret in secrets)


def test_second_worker_on_the_same_folder_is_refused(running: Plant) -> None:
    with pytest.raises(MisuseError, match=f"another `doorstep role ingest` .process {running.pid('ingest')}"):
        worker.run(running.settings)
