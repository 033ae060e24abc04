"""Boards on the real platform: their messages become rows, and commands reach them."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from doorstep.messaging.keys import SERVER_ID
from doorstep.messaging.sealer import seal_downlink
from doorstep.messaging.state import SealedState
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.mqtt import open_client
from doorstep.testing.plant import Plant
from tests.firmware.boards import FIRMWARE, HERE, compiled, lupa, micropython
from tests.ingest.tables import letters, query
from tests.plants import MakePlant
from tests.wait import until

pytestmark = [pytest.mark.peer, pytest.mark.slow]

ROLES = ("nats-secure", "nats-plain", "authorizer", "ingest")


@pytest.fixture(scope="module")
def plant(make_plant: MakePlant) -> Plant:
    plant = make_plant()
    plant.start(*ROLES)
    return plant


def state_file(device: TestDevice, folder: Path) -> Path:
    path = folder / "state"
    path.write_bytes(device.state.epoch.to_bytes(4, "big") + device.state.root)
    return path


def rows(plant: Plant, device: TestDevice) -> list[tuple[int, int, bytes]]:
    sql = "SELECT epoch, seq, payload FROM message WHERE device_id = ? ORDER BY epoch, seq"
    return [(epoch, sequence, bytes(payload)) for epoch, sequence, payload in query(plant, sql, device.row)]


def test_micropython_device_sends_readings_into_the_platform(plant: Plant, tmp_path: Path) -> None:
    (device,) = add_devices(plant, 1)
    board, path = micropython(), state_file(device, tmp_path)
    port = str(plant.settings.mqtt_plain_port)
    for boot in range(2):
        done = subprocess.run(
            [*board.command, FIRMWARE / "micropython" / "example.py", device.device_id, "127.0.0.1", port, path],
            env=board.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "sent 3" in done.stdout, done.stdout + done.stderr
        until(lambda: len(rows(plant, device)) == 3 * (boot + 1))  # noqa: B023 - waits within the round
    # Sequence number 0 of each epoch is the proof of a CONNECT or the first message: none is used twice.
    assert [epoch for epoch, _, _ in rows(plant, device)] == [0, 0, 0, 1, 1, 1]
    assert rows(plant, device)[0][2] == b'{"temperature":20.5,"boot_message":0}'
    assert letters(plant, device) == {}
    assert int.from_bytes(path.read_bytes()[:4], "big") == 2
