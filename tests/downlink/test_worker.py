"""Commands on their whole way: queue, role, broker, device, answer, queue."""

import asyncio

import pytest

from doorstep.testing.commands import add_command
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.plant import Plant
from tests.downlink.board import row, session
from tests.wait import until_soon

pytestmark = pytest.mark.roles


@pytest.fixture
def device(running: Plant) -> TestDevice:
    return add_devices(running, 1)[0]


def queue(plant: Plant, device: TestDevice, body: bytes, **how: object) -> str:
    connection = plant.connect()
    try:
        return add_command(plant, connection, device, body, **how)  # type: ignore[arg-type]
    finally:
        connection.close()


@pytest.mark.parametrize("plain", [False, True], ids=["mtls", "plain"])
def test_sleeping_device_gets_its_command_when_it_shows_itself(
    running: Plant, device: TestDevice, *, plain: bool
) -> None:
    command_id = queue(running, device, b"body")

    async def scene() -> None:
        async with session(running, device, plain=plain) as board:
            await board.show()
            channel, command = await board.command()
            assert (channel, command.command_id.hex(), command.body) == ("cmd", command_id, b"body")
            assert row(running, command_id, "state") == ("sent",)
            await board.answer(command, detail=b"blinked")
            await until_soon(lambda: row(running, command_id, "state") == ("acknowledged",))

    asyncio.run(scene())
    detail, tries, body = row(running, command_id, "detail", "tries", "body")
    assert (bytes(detail), bytes(body)) == (b"blinked", b"")
    assert tries >= 1
