"""Commands on their whole way: queue, role, broker, device, answer, queue; and those who meddle with them."""

import asyncio
import time

import pytest

from doorstep.errors import MisuseError
from doorstep.messaging.command import Acknowledgement, Command, Outcome
from doorstep.messaging.errors import Forged, Rejected, Replayed
from doorstep.messaging.sealer import DeviceSealer
from doorstep.testing.commands import add_command
from doorstep.testing.devices import TestDevice, add_devices, add_revocation
from doorstep.testing.plant import Plant
from tests.downlink.board import Board, row, session
from tests.ingest.tables import letters, query
from tests.wait import until, until_soon

pytestmark = pytest.mark.roles


@pytest.fixture
def device(running: Plant) -> TestDevice:
    return add_devices(running, 1)[0]


def queue(plant: Plant, device: TestDevice, body: bytes = b"body", **how: object) -> str:
    connection = plant.connect()
    try:
        return add_command(plant, connection, device, body, **how)  # type: ignore[arg-type]
    finally:
        connection.close()


def state(plant: Plant, command_id: str) -> str:
    return str(row(plant, command_id, "state")[0])


async def raw(board: Board, patience_s: float = 5.0) -> bytes:
    """Take the next message as it came over the wire."""
    return (await board.client.next_message(patience_s))[1]


@pytest.mark.parametrize("plain", [False, True], ids=["mtls", "plain"])
def test_sleeping_device_gets_its_command_when_it_shows_itself(
    running: Plant, device: TestDevice, *, plain: bool
) -> None:
    command_id = queue(running, device)

    async def scene() -> None:
        async with session(running, device, plain=plain) as board:
            await board.show()
            channel, command = await board.command()
            assert (channel, command.command_id.hex(), command.body) == ("cmd", command_id, b"body")
            assert state(running, command_id) == "sent"
            await board.answer(command, detail=b"blinked")
            await until_soon(lambda: state(running, command_id) == "acknowledged")

    asyncio.run(scene())
    detail, tries, body = row(running, command_id, "detail", "tries", "body")
    assert (bytes(detail), bytes(body)) == (b"blinked", b"")
    assert tries >= 1


def test_command_without_an_answer_comes_again_under_a_new_number(running: Plant, device: TestDevice) -> None:
    command_id = queue(running, device)

    async def scene() -> None:
        async with session(running, device) as board:
            await board.show()
            seen = [await board.command() for _ in range(2)]
            assert {one.command_id.hex() for _, one in seen} == {command_id}
            opened = [message for _, message in board.raw]
            assert len(opened) == len(set(opened))  # never the same bytes, so never the same number

    asyncio.run(scene())
    assert state(running, command_id) == "sent"


def test_device_that_boots_gets_what_it_has_not_answered(running: Plant, device: TestDevice) -> None:
    command_id = queue(running, device)

    async def scene() -> None:
        for _ in range(2):
            async with session(running, device) as board:
                await board.show()
                _, command = await board.command()
                assert command.command_id.hex() == command_id

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(Outcome.FAILED, "refused"), (Outcome.REFUSED, "refused"), (Outcome.EXPIRED, "expired")],
)
def test_device_that_did_not_carry_it_out_closes_the_command(
    running: Plant, device: TestDevice, outcome: Outcome, word: str
) -> None:
    command_id = queue(running, device)

    async def scene() -> None:
        async with session(running, device) as board:
            await board.show()
            _, command = await board.command()
            await board.answer(command, outcome, b"why")
            await until_soon(lambda: state(running, command_id) == word)

    asyncio.run(scene())


def test_expired_command_is_never_sent(running: Plant, device: TestDevice) -> None:
    command_id = queue(running, device, lasts_s=-1)
    until(lambda: state(running, command_id) == "expired")

    async def scene() -> None:
        async with session(running, device) as board:
            await board.show()
            with pytest.raises(TimeoutError):
                await board.command(1.5)

    asyncio.run(scene())
    assert row(running, command_id, "tries") == (0,)


def test_late_answer_is_believed(running: Plant, device: TestDevice) -> None:
    command_id = queue(running, device, lasts_s=2)

    async def scene() -> None:
        async with session(running, device) as board:
            await board.show()
            _, command = await board.command()
            await until_soon(lambda: state(running, command_id) == "expired")
            await board.answer(command)
            await until_soon(lambda: state(running, command_id) == "acknowledged")

    asyncio.run(scene())


def test_revoked_device_loses_what_waits_for_it(running: Plant, device: TestDevice) -> None:
    command_id = queue(running, device)
    connection = running.connect()
    try:
        add_revocation(connection, device)
    finally:
        connection.close()
    until(lambda: state(running, command_id) == "cancelled")
    assert bytes(row(running, command_id, "body")[0]) == b""


def test_xfer_01_next_owner_does_not_get_the_commands_of_the_last(running: Plant, device: TestDevice) -> None:
    """XFER-01: what an owner asked of a device ends with their time."""
    command_id = queue(running, device)
    query(running, "UPDATE device SET ownership_period = 2, generation = 2 WHERE id = ?", device.row)
    until(lambda: state(running, command_id) == "cancelled")


def test_answer_of_another_device_closes_nothing(running: Plant, device: TestDevice) -> None:
    """LITE-01: who a message is from is what its tag says, not what it says of itself."""
    other = add_devices(running, 1)[0]
    command_id = queue(running, device)

    async def scene() -> None:
        async with session(running, other) as board:
            await board.answer(Command(bytes.fromhex(command_id), 0, b""))
        until(lambda: query(running, "SELECT 1 FROM message WHERE device_id = ?", other.row))

    asyncio.run(scene())
    assert state(running, command_id) == "queued"


@pytest.mark.parametrize("plaintext", [b"", b"{}", b"x" * 9, b"12345678\x04"])
def test_answer_that_is_none_is_a_dead_letter(running: Plant, device: TestDevice, plaintext: bytes) -> None:
    async def scene() -> None:
        async with session(running, device) as board:
            await board.send("ack", plaintext)
            await until_soon(lambda: letters(running, device) == {"bad_payload": 1})

    asyncio.run(scene())


def test_state_and_events_are_kept_the_newest_state_alone(running: Plant, device: TestDevice) -> None:
    async def scene() -> None:
        async with session(running, device) as board:
            await board.send("state", b'{"config.version":1,"led":true}')
            await board.send("state", b'{"config.version":2,"led":false}')
            await board.send("event", b'{"door":"open"}')
            await board.send("event", b'[{"n":"door","vs":"closed"}]')
            await until_soon(lambda: len(events()) == 2)

    def events() -> list[tuple[object, ...]]:
        return query(running, "SELECT payload FROM device_event WHERE device_id = ?", device.row)

    asyncio.run(scene())
    [(version, payload)] = query(
        running, "SELECT version, payload FROM device_reported WHERE device_id = ?", device.row
    )
    assert (version, bytes(payload)) == (2, b'{"config.version":2,"led":false}')


def test_state_out_of_order_changes_nothing_newer(running: Plant, device: TestDevice) -> None:
    async def scene() -> None:
        async with session(running, device) as board:
            late = board.sealer.seal(b"up/state", b'{"config.version":1}')
            await board.send("state", b'{"config.version":2}')
            await board.client.publish(device.topic("state"), late)
            await until_soon(
                lambda: len(query(running, "SELECT 1 FROM message WHERE device_id = ?", device.row)) == 2
            )

    asyncio.run(scene())
    assert query(running, "SELECT version FROM device_reported WHERE device_id = ?", device.row) == [(2,)]


# --- those who meddle: the broker, who has every message and no key ---


def captured(running: Plant, device: TestDevice, *, channel: str = "cmd") -> tuple[DeviceSealer, bytes]:
    """Return a device's sealer and a genuine message that it has not opened."""
    queue(running, device, channel=channel)

    async def scene() -> tuple[DeviceSealer, bytes]:
        async with session(running, device) as board:
            return board.sealer, await raw(board)

    return asyncio.run(scene())


def test_lite_01_command_forged_by_the_broker_is_refused(running: Plant, device: TestDevice) -> None:
    """LITE-01: the broker can't make a command, nor change a bit of one."""
    sealer, message = captured(running, device)
    for place in range(len(message)):
        changed = bytearray(message)
        changed[place] ^= 1
        with pytest.raises(Rejected):
            sealer.open(bytes(changed), b"down/cmd")
    assert Command.decode(sealer.open(message, b"down/cmd")).body == b"body"


def test_lite_01_command_replayed_in_its_epoch_or_after_a_boot_is_refused(
    running: Plant, device: TestDevice
) -> None:
    """LITE-01: a recorded command opens once, and not at all after the next boot."""
    sealer, message = captured(running, device)
    sealer.open(message, b"down/cmd")
    with pytest.raises(Replayed, match="opened before"):
        sealer.open(message, b"down/cmd")
    with pytest.raises(Replayed, match="earlier boot"):
        device.boot().open(message, b"down/cmd")


@pytest.mark.parametrize("channel", ["down/config", "down/keys", "up/cmd", "down/cmdx"])
def test_lite_01_command_moved_to_another_channel_is_refused(
    running: Plant, device: TestDevice, channel: str
) -> None:
    """LITE-01: the channel is under the tag."""
    sealer, message = captured(running, device)
    with pytest.raises(Forged):
        sealer.open(message, channel.encode())


def test_lite_01_command_moved_to_another_device_is_refused(running: Plant, device: TestDevice) -> None:
    """LITE-01: so is the device, by its key."""
    _, message = captured(running, device)
    with pytest.raises(Forged):
        add_devices(running, 1)[0].boot().open(message, b"down/cmd")


def test_mqtt_13_device_can_not_publish_a_command_to_another(running: Plant, device: TestDevice) -> None:
    """MQTT-13: what a device publishes on a topic of another's reaches nobody."""
    victim = add_devices(running, 1)[0]

    async def scene() -> None:
        async with session(running, victim) as theirs, session(running, device) as mine:
            await mine.client.publish(f"d/{victim.device_id}/down/cmd", b"forged")
            with pytest.raises(TimeoutError):
                await raw(theirs, 0.5)

    asyncio.run(scene())


def test_numbers_are_durable_before_the_send(running: Plant, device: TestDevice) -> None:
    for _ in range(3):
        queue(running, device)

    async def scene() -> None:
        async with session(running, device) as board:
            await board.show()
            for _ in range(3):
                await board.command()

    asyncio.run(scene())
    [(epoch, next_seq)] = query(
        running, "SELECT epoch, next_seq FROM downlink_counter WHERE device_id = ?", device.row
    )
    assert epoch == 0
    assert next_seq >= 3


def test_second_role_on_the_same_folder_is_refused(running: Plant) -> None:
    from doorstep.downlink.worker import run  # noqa: PLC0415 - here it must fail

    with pytest.raises(MisuseError, match="another"):
        run(running.settings)


# --- kill -9 under load ---

LOAD = 24


@pytest.mark.slow
def test_killed_role_loses_no_command_and_none_is_carried_out_twice(running: Plant) -> None:
    """Kill -9 of the role while 24 devices get 10 commands each; every device obeys once, answers always."""
    boards = add_devices(running, LOAD)
    wanted = {device.device_id: [queue(running, device, b"n") for _ in range(10)] for device in boards}
    carried: dict[str, list[str]] = {device.device_id: [] for device in boards}
    numbers: set[tuple[str, bytes]] = set()
    seen_at_kills: list[int] = []

    async def live(device: TestDevice) -> None:
        async with session(running, device) as board:
            await board.show()
            while len(set(carried[device.device_id])) < 10:
                _, command = await board.command(60)
                assert (device.device_id, board.raw[-1][1]) not in numbers
                numbers.add((device.device_id, board.raw[-1][1]))
                if command.command_id.hex() not in carried[device.device_id]:  # the device's own memory
                    carried[device.device_id].append(command.command_id.hex())
                await board.answer(command)

    async def scene() -> None:
        living = [asyncio.create_task(live(device)) for device in boards]
        for _ in range(3):
            await asyncio.sleep(0.25)
            await asyncio.to_thread(running.kill, "downlink")
            seen_at_kills.append(sum(map(len, carried.values())))
            await asyncio.to_thread(running.start, "downlink")
        await asyncio.gather(*living)

    began = time.monotonic()
    asyncio.run(scene())
    assert seen_at_kills[0] < LOAD * 10  # it was killed at work
    assert {name: sorted(ids) for name, ids in carried.items()} == {
        name: sorted(ids) for name, ids in wanted.items()
    }
    everything = [command_id for ids in wanted.values() for command_id in ids]
    until(lambda: {state(running, one) for one in everything} == {"acknowledged"}, seconds=20)
    assert time.monotonic() - began < 60


def test_answer_repeated_by_the_broker_changes_nothing(running: Plant, device: TestDevice) -> None:
    """LITE-01: a captured answer can't close a later command, nor reopen its own."""
    command_id = queue(running, device)

    async def scene() -> None:
        async with session(running, device) as board:
            await board.show()
            _, command = await board.command()
            sealed = board.sealer.seal(
                b"up/ack", Acknowledgement(command.command_id, Outcome.DONE, b"first").encode()
            )
            for _ in range(3):
                await board.client.publish(device.topic("ack"), sealed)
            await until_soon(lambda: state(running, command_id) == "acknowledged")
            await board.answer(command, Outcome.FAILED, b"second")
            await until_soon(
                lambda: len(query(running, "SELECT 1 FROM message WHERE device_id = ?", device.row)) == 3
            )

    asyncio.run(scene())
    assert (state(running, command_id), bytes(row(running, command_id, "detail")[0])) == (
        "acknowledged",
        b"first",
    )
    assert letters(running, device) == {}
