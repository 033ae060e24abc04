"""Runs in the peer's environment: the official client's Bluetooth transport provisions a virtual board.

argv: user name, code, network, then the passwords to try in order. Prints one JSON object. Its `bleak`
is a small one of ours, which speaks to the virtual air.
"""

import asyncio
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.device.setup.joiner import Joiner
from doorstep.testing.bumble import Air, BumbleBoard, BumbleCentral, BumblePeripheral
from doorstep.testing.wifi import SimulatedWifi
from tests.device.serving import NEIGHBOURS
from tests.onboarding.helpers import PROFILE

SCAN_S = 0.2
CONNECT_S = 5
PAGE = 4
DESCRIPTION = "00002901-0000-1000-8000-00805f9b34fb"
SERVICE = "021a9004-0382-4aea-bff4-6b3f1c5adfb4"
SHORT_IDS = {
    "prov-session": "ff51",
    "prov-config": "ff52",
    "proto-ver": "ff53",
    "prov-scan": "ff50",
    "prov-ctrl": "ff4f",
}


class Scanner:
    phone: BumbleCentral

    @classmethod
    async def discover(cls, *, return_adv: bool) -> dict[str, Any]:
        assert return_adv
        heard = await cls.phone.scan(SCAN_S)
        return {
            each.address: (
                SimpleNamespace(name=each.advertisement.name, address=each.address),
                SimpleNamespace(service_uuids=[str(uuid) for uuid in each.advertisement.services]),
            )
            for each in heard
        }


class Client:
    def __init__(self, address: str) -> None:
        self._address = address
        self.services: dict[str, Any] = {}

    async def connect(self) -> None:
        self._device: BumblePeripheral = await Scanner.phone.connect(self._address, CONNECT_S)
        self._by_uuid = {str(each.uuid): each for each in self._device.characteristics}
        self._names = {each.handle: each.name for each in self._device.characteristics}
        for each in self._device.characteristics:
            service = self.services.setdefault(str(each.service), SimpleNamespace(characteristics=[]))
            descriptor = SimpleNamespace(uuid=DESCRIPTION, handle=each.handle)
            service.characteristics.append(SimpleNamespace(uuid=str(each.uuid), descriptors=[descriptor]))

    async def read_gatt_descriptor(self, handle: int) -> bytes:
        return self._names[handle].encode()

    async def write_gatt_char(self, uuid: str, data: bytearray, response: bool) -> None:  # noqa: FBT001 - bleak's
        await self._device.write(self._by_uuid[uuid], bytes(data), response=response)

    async def read_gatt_char(self, uuid: str) -> bytes:
        return await self._device.read(self._by_uuid[uuid])

    async def disconnect(self) -> None:
        await self._device.close()


def _install_bleak() -> None:
    ours: Any = ModuleType("bleak")
    ours.BleakScanner, ours.BleakClient = Scanner, Client
    ours.exc = SimpleNamespace(BleakDBusError=OSError)
    sys.modules["bleak"] = ours


async def main(user: str, pop: str, ssid: str, *passwords: str) -> dict[str, object]:
    _install_bleak()
    from rmaker_tools.common import security  # type: ignore[import-not-found]  # noqa: PLC0415 - finds our bleak
    from rmaker_tools.common.transport import transport_ble  # type: ignore[import-not-found]  # noqa: PLC0415

    air, joiner = Air(), Joiner(SimulatedWifi(NEIGHBOURS))
    async with (
        BumbleBoard(air) as board,
        BleDoor(PROFILE, joiner, board, BleName("PROV_1")),
        BumbleCentral(air) as Scanner.phone,
    ):
        link = transport_ble.Transport_BLE(SERVICE, SHORT_IDS)
        await link.connect("PROV_1")
        described = json.loads(await link.send_data("proto-ver", "---"))["prov"]
        session = security.Security2(described["sec_patch_ver"], user, pop, False)
        await _handshake(link, session)
        found = await _scan(link, session)
        states = [await _join(link, session, ssid, password) for password in passwords]
        await link.disconnect()
        onboarded = await joiner.wait_connected()
    await joiner.close()
    return {"found": found, "states": states, "joined": onboarded.network.ssid.decode()}


async def _handshake(link: Any, session: Any) -> None:
    response = None
    while (request := session.security_session(response)) is not None:
        response = await link.send_data("prov-session", request)


async def _scan(link: Any, session: Any) -> list[Any]:
    from rmaker_tools.common import prov  # noqa: PLC0415

    ask = prov.scan_start_request(session)
    prov.scan_start_response(session, await link.send_data("prov-scan", ask))
    ask = prov.scan_status_request(session)
    count = prov.scan_status_response(session, await link.send_data("prov-scan", ask))["count"]
    found: list[Any] = []
    for at in range(0, count, PAGE):
        ask = prov.scan_result_request(session, at, min(PAGE, count - at))
        found += prov.scan_result_response(session, await link.send_data("prov-scan", ask))
    return found


async def _join(link: Any, session: Any, ssid: str, password: str) -> str:
    from rmaker_tools.common import prov  # noqa: PLC0415

    ask = prov.config_set_config_request(session, ssid, password)
    assert prov.config_set_config_response(session, await link.send_data("prov-config", ask)) == 0
    ask = prov.config_apply_config_request(session)
    assert prov.config_apply_config_response(session, await link.send_data("prov-config", ask)) == 0
    state = "connecting"
    while state == "connecting":
        await asyncio.sleep(0.05)
        ask = prov.config_get_status_request(session)
        state = prov.config_get_status_response(session, await link.send_data("prov-config", ask))
    if state == "failed":
        ask = prov.ctrl_reset_request(session)
        prov.ctrl_reset_response(session, await link.send_data("prov-ctrl", ask))
    return state


if __name__ == "__main__":
    sys.stdout.write(f"RESULT {json.dumps(asyncio.run(main(*sys.argv[1:])))}\n")
