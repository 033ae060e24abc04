"""Strangers' Improv clients set our board up, and our client sets a stranger's device up."""

import asyncio
import importlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bleak.backends.device import BLEDevice

from doorstep.device.setup.gatt import Characteristic, GattServing
from doorstep.device.setup.improv_ble import LAYOUT
from doorstep.device.setup.improv_serial import ImprovSerialDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.onboarding.ble.advertising import Advertisement
from doorstep.onboarding.improv import gatt
from doorstep.onboarding.improv.rpc import ImprovState
from doorstep.onboarding.steps import Step
from doorstep.provisioner.improv import ImprovBle
from doorstep.testing.bumble import Air, BumbleBoard, BumbleCentral
from doorstep.testing.wifi import SimulatedWifi
from tests.bleakair import backend_on
from tests.device.setup.test_improv import HOME, NETWORK, OPEN, Room, Shown, in_room
from tests.onboarding.improv.test_device import CABLE, PAGE
from tests.peers import install_peer

pytestmark = pytest.mark.peer
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "TARGET"]
SDK = "improv-wifi-serial-sdk@2.8.1"


@pytest.fixture
def ble_client(monkeypatch: pytest.MonkeyPatch) -> Any:
    peers = ["py-improv-ble-client==2.0.1", "bleak-retry-connector==4.7.1", "bluetooth-adapters==2.4.0"]
    peers += ["aiooui==0.1.11", "uart-devices==0.1.1", "usb-devices==0.5.1"]
    monkeypatch.syspath_prepend(str(install_peer("improv-ble-client", [*PIP, *peers])))
    return importlib.import_module("improv_ble_client.client")


def test_py_improv_ble_client_sets_our_board_up(ble_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(shared: Room) -> None:
        backend = backend_on(shared.phone)
        monkeypatch.setattr(
            ble_client, "establish_connection", partial(ble_client.establish_connection, backend=backend)
        )
        heard = await shared.phone.find(lambda each: gatt.SERVICE in each.advertisement.services, 5)
        assert heard is not None
        client = ble_client.ImprovBLEClient(BLEDevice(heard.address, "lamp", None))
        assert await client.need_authorization()
        assert (await client.get_device_info()).device_name == b"lamp"
        networks = (await client.scan_wifi()).networks
        assert networks == [(HOME.ssid, b"-50", b"WPA2"), (OPEN.ssid, b"-80", b"NO")]
        await client.identify()
        await shared.door.press()
        assert not await client.need_authorization()
        states: list[int] = []
        page = await client.provision(HOME.ssid.decode(), HOME.passphrase.decode(), states.append)
        assert page == PAGE
        assert states == [3, 4]
        assert (await shared.joiner.wait_connected()).network == NETWORK
        client._cancel_disconnect_timer()
        await client._client.disconnect()

    in_room(use)


def test_py_improv_ble_client_says_why_it_is_refused(
    ble_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(shared: Room) -> None:
        backend = backend_on(shared.phone)
        monkeypatch.setattr(
            ble_client, "establish_connection", partial(ble_client.establish_connection, backend=backend)
        )
        heard = await shared.phone.find(lambda each: gatt.SERVICE in each.advertisement.services, 5)
        assert heard is not None
        client = ble_client.ImprovBLEClient(BLEDevice(heard.address, "lamp", None))
        with pytest.raises(ble_client.ProvisioningFailed) as caught:
            await client.provision(HOME.ssid.decode(), HOME.passphrase.decode(), None)
        assert caught.value.error.name == "NOT_AUTHORIZED"
        await asyncio.gather(*client._background_tasks)

    in_room(use)


SCRIPT = """
import net from "node:net";
import { pathToFileURL } from "node:url";
const { ImprovSerial } = await import(pathToFileURL(process.argv[2]).href);
const socket = net.connect(Number(process.argv[3]), "127.0.0.1");
await new Promise((ready) => socket.once("connect", ready));
const readable = new ReadableStream({
  start(control) {
    socket.on("data", (octets) => control.enqueue(new Uint8Array(octets)));
    socket.on("close", () => { try { control.close(); } catch {} });
  },
});
const writable = new WritableStream({ write: (octets) => { socket.write(octets); } });
const quiet = { log() {}, debug() {}, error: console.error };
const client = new ImprovSerial({ readable, writable }, quiet);
const info = await client.initialize(5000);
const networks = await client.scan();
let refused = "";
try { await client.provision(process.argv[4], "wrong horse"); } catch (error) { refused = String(error); }
await client.provision(process.argv[4], process.argv[5]);
console.log(JSON.stringify({ info, networks, refused, page: client.nextUrl, state: client.state }));
socket.destroy();
process.exit(0);
"""


@pytest.fixture
def sdk() -> Path:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and node are not installed")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", SDK]
    folder = install_peer("improv-serial-sdk", install)
    module = folder / "node_modules" / "improv-wifi-serial-sdk" / "dist" / "serial.js"
    whole = module.with_suffix(".mjs")
    if not whole.exists():  # node wants modules to be called so, and whole names in imports; bundlers do not
        for each in (*module.parent.glob("*.js"), *module.parent.glob("util/*.js")):
            text = re.sub(r'(from "\./[^"]+?)(\.js)?"', r'\1.mjs"', each.read_text(encoding="utf-8"))
            each.with_suffix(".mjs").write_text(text, encoding="utf-8")
    return whole


def test_improv_serial_sdk_sets_our_board_up_over_its_cable(sdk: Path, tmp_path: Path) -> None:
    script = tmp_path / "client.mjs"
    script.write_text(SCRIPT, encoding="utf-8")

    async def run() -> dict[str, Any]:
        joiner, over = Joiner(SimulatedWifi([HOME, OPEN])), asyncio.Event()

        async def board(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async with ImprovSerialDoor(reader, writer, joiner, CABLE, Shown().identify):
                await over.wait()
            writer.close()

        async with asyncio.timeout(30), await asyncio.start_server(board, "127.0.0.1", 0) as server:
            port = str(server.sockets[0].getsockname()[1])
            process = await asyncio.create_subprocess_exec(
                "node", str(script), str(sdk), port, HOME.ssid.decode(), HOME.passphrase.decode(),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            out, err = await process.communicate()
            over.set()
            await asyncio.sleep(0.05)
        assert process.returncode == 0, err.decode()
        answer: dict[str, Any] = json.loads(out)
        return answer

    told = asyncio.run(run())
    assert told["info"]["name"] == "lamp"
    assert {network["name"]: network["secured"] for network in told["networks"]} == {
        "café": True,
        "open": False,
    }
    assert told["refused"] == "UNABLE_TO_CONNECT"
    assert (told["page"], told["state"]) == (PAGE, 4)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    folder = install_peer("pyimprov", [*PIP, "pyImprov==0.2.0"])
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module("improv")


@dataclass
class Stranger:
    """A `GattHandler` around ``pyImprov``, which has no radio of its own."""

    device: Any
    serving: GattServing | None = None

    def connected(self, connection: int) -> None:
        pass

    def disconnected(self, connection: int) -> None:
        pass

    async def read(self, connection: int, characteristic: Characteristic) -> bytes:
        del connection
        return _first(self.device.handle_read(str(characteristic.uuid)))

    async def write(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        where, told = self.device.handle_write(str(characteristic.uuid), bytearray(value))
        (target,) = (each for each in LAYOUT.characteristics if str(each.uuid) == where)
        assert self.serving is not None
        await self.serving.notify(connection, target, _first(told))


def _first(told: Any) -> bytes:
    return bytes(told[0]) if isinstance(told, list) else bytes(told)


def test_our_client_sets_a_stranger_device_up(server: Any) -> None:
    tried: list[tuple[bytes, bytes]] = []

    def connect(ssid: bytearray, password: bytearray) -> list[str] | None:
        tried.append((bytes(ssid), bytes(password)))
        return [PAGE] if len(tried) > 1 else None

    async def run() -> None:
        device = server.ImprovProtocol(connect, device_info_callback=lambda: ["fw", "2", "chip", "theirs"])
        stranger, air = Stranger(device), Air()
        async with BumbleBoard(air) as board, BumbleCentral(air) as phone:
            said = Advertisement(services=(gatt.SERVICE,))
            async with board.serve(LAYOUT, stranger, said) as stranger.serving:
                heard = await phone.find(lambda each: gatt.SERVICE in each.advertisement.services, 5)
                assert heard is not None
                async with ImprovBle(await phone.connect(heard.address, 5)) as client:
                    assert await client.state() is ImprovState.AUTHORIZED
                    assert (await client.info()).name == "theirs"
                    assert await client.join(NETWORK) is Step.WRONG_PASSWORD
                    assert await client.join(NETWORK) is Step.CONNECTED
                    assert client.page == PAGE

    asyncio.run(run())
    assert tried == [(HOME.ssid, HOME.passphrase)] * 2
