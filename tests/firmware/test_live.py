"""Boards on the real platform: their messages become rows, and commands reach them."""

import asyncio
import re
import subprocess
from pathlib import Path

import httpx
import nats
import pytest

from doorstep.messaging.sealer import DeviceState, seal_downlink
from doorstep.messaging.state import SealedState
from doorstep.runtime.brokers import Broker, User, link
from doorstep.testing.devices import TestDevice, add_devices
from doorstep.testing.mqtt import open_client
from doorstep.testing.plant import Plant
from doorstep.testing.ports import free_ports
from tests.device.office import Office
from tests.firmware.boards import FIRMWARE, compiled, micropython, nodemcu
from tests.ingest.tables import letters, query
from tests.plants import MakePlant
from tests.wait import until, until_soon

pytestmark = [pytest.mark.peer, pytest.mark.slow]

ROLES = ("nats-secure", "nats-plain", "authorizer", "ingest", "device-api")


@pytest.fixture(scope="module")
def plant(make_plant: MakePlant) -> Plant:
    plant = make_plant()
    plant.start(*ROLES)
    return plant


@pytest.fixture(scope="module")
def office(plant: Plant) -> Office:
    """Who makes devices whose only key is their root, and tokens for them."""
    return Office(plant)


def unregistered(office: Office, folder: Path) -> tuple[TestDevice, Path, str]:
    """A device that nobody owns yet, its state, and a token."""
    (made,) = office.make_devices(1, identity="symmetric_key")
    (token,) = office.make_tokens("boards@example.org")
    ((row,),) = office.rows("SELECT id FROM device WHERE device_id = ?", made.device_id)
    device = TestDevice(row, made.device_id, folder, folder, DeviceState(made.root_key))
    return device, state_file(device, folder), token


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
            [
                *board.command,
                FIRMWARE / "micropython" / "example.py",
                device.device_id,
                "127.0.0.1",
                port,
                path,
            ],
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


def test_nodemcu_device_sends_readings_into_the_platform(plant: Plant, tmp_path: Path) -> None:
    (device,) = add_devices(plant, 1)
    state_file(device, tmp_path).rename(tmp_path / "sealed.bin")
    port = plant.settings.mqtt_plain_port
    config = f'return {{ device_id = "{device.device_id}", host = "127.0.0.1", port = {port} }}'
    (tmp_path / "config.lua").write_text(config, encoding="utf-8")
    board = nodemcu(FIRMWARE / "nodemcu" / "example.lua")
    for _ in range(2):
        done = subprocess.run(
            board.command,
            cwd=tmp_path,
            env=board.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == "sent\n", done.stdout + done.stderr
    reading = b'{"temperature":21.5}'
    until(lambda: rows(plant, device) == [(0, 0, reading), (1, 0, reading)])
    assert letters(plant, device) == {}


def test_c_device_sends_readings_into_the_platform(plant: Plant, tmp_path: Path) -> None:
    (device,) = add_devices(plant, 1)
    program = compiled(tmp_path, FIRMWARE / "c" / "examples" / "seal_on_host.c")
    path, reading = state_file(device, tmp_path), '{"temperature":21.5}'
    command: list[str | Path] = [program, device.device_id, path, reading]
    password, message = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    async def radio() -> None:
        client = await open_client(plant.settings.mqtt_plain_port)
        assert await client.connect(device.device_id, device.device_id, password) == 0
        await client.publish(device.topic("data"), bytes.fromhex(message))
        client.close()
        await client.lost

    asyncio.run(radio())
    until(lambda: rows(plant, device) == [(0, 1, reading.encode())])


def test_micropython_device_opens_a_command_of_the_platform(plant: Plant, tmp_path: Path) -> None:
    (device,) = add_devices(plant, 1)
    board, path = micropython(), state_file(device, tmp_path)
    port = str(plant.settings.mqtt_plain_port)
    command = seal_downlink(SealedState.first(device.state.root), 0, b"down/cmd", b"restart")
    example = [
        *board.command,
        FIRMWARE / "micropython" / "example.py",
        device.device_id,
        "127.0.0.1",
        port,
        path,
        "1",
    ]

    async def platform() -> str:
        to = link(plant.settings, plant.key_file, Broker.PLAIN, User.INGEST)
        client = await nats.connect(to.address, user=to.user, password=to.password)
        running = await asyncio.create_subprocess_exec(
            *example, env=board.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        await until_soon(lambda: len(rows(plant, device)) == 1)
        await client.publish(f"d.{device.device_id}.down.cmd", command)
        shown, _ = await running.communicate()
        await client.close()
        return shown.decode()

    assert "down/cmd b'restart'" in asyncio.run(platform())


def test_micropython_board_is_set_up_by_its_page_registers_and_sends(
    plant: Plant, office: Office, tmp_path: Path
) -> None:
    """The whole first day in a heap of 64 kB: a phone's form, the platform's answer, readings."""
    device, path, token = unregistered(office, tmp_path)
    board, (port,) = micropython(), free_ports(1)
    example = FIRMWARE / "micropython" / "example_setup.py"
    command = [*board.command, example, device.device_id, path, "127.0.0.1", str(port)]
    with subprocess.Popen(
        command, env=board.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == f"page {port}\n"
        server = f"http://127.0.0.1:{plant.settings.device_api_plain_port}"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True) as phone:
            page = phone.get("/", params={"token": token, "server": server}).text
            assert "caf\\xc3\\xa9 &lt;guests&gt;" in page
            form = dict(re.findall(r"name=(key|token|server) value='?([^'>]*)", page))
            assert (form["token"], form["server"]) == (token, server)
            joined = phone.post("/join", data={**form, "name": "home", "password": "correct horse"})
            assert "is connected" in joined.text
        said, _ = running.communicate(timeout=60)
    assert re.fullmatch(r"joined home 13\nbound .*\nsent 3\n", said), said
    until(lambda: len(rows(plant, device)) == 3)


def test_nodemcu_board_registers_and_sends(plant: Plant, office: Office, tmp_path: Path) -> None:
    device, path, token = unregistered(office, tmp_path)
    path.rename(tmp_path / "sealed.bin")
    server = f"http://127.0.0.1:{plant.settings.device_api_plain_port}"
    config = f'return {{ device_id = "{device.device_id}", server = "{server}", token = "{token}" }}'
    (tmp_path / "config.lua").write_text(config, encoding="utf-8")
    board = nodemcu(FIRMWARE / "nodemcu" / "example_register.lua")
    done = subprocess.run(
        board.command,
        cwd=tmp_path,
        env=board.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "bound\nsent\n", done.stdout + done.stderr
    until(lambda: [row[2] for row in rows(plant, device)] == [b'{"temperature":21.5}'])


def test_c_board_registers_and_sends(plant: Plant, office: Office, tmp_path: Path) -> None:
    device, path, token = unregistered(office, tmp_path)
    program = compiled(tmp_path, FIRMWARE / "c" / "examples" / "register_on_host.c")
    api = str(plant.settings.device_api_plain_port)
    reading = '{"temperature":21.5}'
    command: list[str | Path] = [program, device.device_id, path, "127.0.0.1", api, token, reading]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    host, port, password, message = done.stdout.split()
    assert (host, port) == (plant.settings.public_host, str(plant.settings.mqtt_plain_port))

    async def radio() -> None:
        client = await open_client(int(port))
        assert await client.connect(device.device_id, device.device_id, password) == 0
        await client.publish(device.topic("data"), bytes.fromhex(message))
        client.close()
        await client.lost

    asyncio.run(radio())
    until(lambda: [row[2] for row in rows(plant, device)] == [reading.encode()])
    # Without its token again, it hears that it is bound; a stranger's answer would decide nothing.
    again = subprocess.run([*command[:5], "", reading], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    lost = subprocess.run([*command[:4], "1", "", reading], capture_output=True, text=True, check=False)
    assert (lost.returncode, lost.stderr[:9]) == (1, "not bound")
