"""A real Chromium whose Bluetooth is a virtual phone: what a page does arrives at a real GATT server.

The browser's emulation (Chrome DevTools Protocol, domain BluetoothEmulation) hands each operation to this
process, which carries it out over the virtual radio.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from doorstep.provisioner.central import AttRefused, RemoteCharacteristic
from doorstep.testing.bumble import BumbleCentral, BumblePeripheral
from tests.browsers import CHROMIUM, FLAGS

__all__ = ["Bridge", "chromium"]

WEB_BLUETOOTH: Final = "--enable-features=WebBluetooth"
"""Off by default on Linux."""
ADDRESS: Final = "F0:F1:F2:F3:F4:F5"
DESCRIPTION: Final = "00002901-0000-1000-8000-00805f9b34fb"
UNLIKELY: Final = 0x0E
Parameters = dict[str, Any]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start one, or skip by name; it goes with the block."""
    if CHROMIUM is None:
        pytest.skip("no chromium in PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, WEB_BLUETOOTH])
        yield browser
        await browser.close()


@dataclass
class Bridge:
    """Between a page's Bluetooth and one device on the air."""

    phone: BumbleCentral
    name: str
    device: BumblePeripheral | None = None
    asked: list[str] = field(default_factory=list)
    """Names of the endpoints that were written, in order."""
    _values: dict[str, RemoteCharacteristic] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _answered: set[str] = field(default_factory=set)
    _work: set[asyncio.Task[None]] = field(default_factory=set)

    async def attach(self, context: BrowserContext, page: Page) -> None:
        """Show the device to the page; whatever it does goes over the air from now on."""
        assert context.browser is not None
        # The emulation is the whole browser's, the chooser is the page's.
        radio = await context.browser.new_browser_cdp_session()
        chooser = await context.new_cdp_session(page)
        await radio.send("BluetoothEmulation.enable", {"state": "powered-on", "leSupported": True})
        await chooser.send("DeviceAccess.enable")
        self._on(chooser, "DeviceAccess.deviceRequestPrompted", lambda said: self._choose(chooser, said))
        self._on(radio, "BluetoothEmulation.gattOperationReceived", lambda said: self._gatt(radio, said))
        self._on(
            radio, "BluetoothEmulation.characteristicOperationReceived", lambda said: self._value(radio, said)
        )
        self._on(
            radio, "BluetoothEmulation.descriptorOperationReceived", lambda said: self._described(radio, said)
        )
        await self._describe(radio, await self._connected())

    async def _connected(self) -> BumblePeripheral:
        if self.device is None or self.device.gone.is_set():
            heard = await self.phone.find(lambda each: each.advertisement.name == self.name, 5)
            assert heard is not None
            self.device = await self.phone.connect(heard.address, 5)
        return self.device

    async def _describe(self, radio: CDPSession, device: BumblePeripheral) -> None:
        services = {str(each.service) for each in device.characteristics if each.name}
        peripheral = {"address": ADDRESS, "name": self.name, "manufacturerData": []}
        await radio.send(
            "BluetoothEmulation.simulatePreconnectedPeripheral",
            {**peripheral, "knownServiceUuids": sorted(services)},
        )
        for service in sorted(services):
            added = await radio.send(
                "BluetoothEmulation.addService", {"address": ADDRESS, "serviceUuid": service}
            )
            for each in device.characteristics:
                if str(each.service) == service:
                    await self._add(radio, added["serviceId"], each)

    async def _add(self, radio: CDPSession, service: str, each: RemoteCharacteristic) -> None:
        added = await radio.send(
            "BluetoothEmulation.addCharacteristic",
            {
                "serviceId": service,
                "characteristicUuid": str(each.uuid),
                "properties": {"read": True, "write": True},
            },
        )
        self._values[added["characteristicId"]] = each
        described = await radio.send(
            "BluetoothEmulation.addDescriptor",
            {"characteristicId": added["characteristicId"], "descriptorUuid": DESCRIPTION},
        )
        self._names[described["descriptorId"]] = each.name

    async def _choose(self, chooser: CDPSession, said: Parameters) -> None:
        if said["devices"] and said["id"] not in self._answered:  # a second answer crashes Chromium
            self._answered.add(said["id"])
            chosen = {"id": said["id"], "deviceId": said["devices"][0]["id"]}
            await chooser.send("DeviceAccess.selectPrompt", chosen)

    async def _gatt(self, radio: CDPSession, said: Parameters) -> None:
        await self._connected()
        answer = {"address": said["address"], "type": said["type"], "code": 0}
        await radio.send("BluetoothEmulation.simulateGATTOperationResponse", answer)

    async def _value(self, radio: CDPSession, said: Parameters) -> None:
        answer: Parameters = {"characteristicId": said["characteristicId"], "type": said["type"], "code": 0}
        each, device = self._values[said["characteristicId"]], await self._connected()
        try:
            if said["type"] == "read":
                answer["data"] = base64.b64encode(await device.read(each)).decode()
            else:
                self.asked.append(each.name)
                await device.write(each, base64.b64decode(said["data"]))
        except AttRefused:
            answer["code"] = UNLIKELY
        await radio.send("BluetoothEmulation.simulateCharacteristicOperationResponse", answer)

    async def _described(self, radio: CDPSession, said: Parameters) -> None:
        name = base64.b64encode(self._names[said["descriptorId"]].encode()).decode()
        answer = {"descriptorId": said["descriptorId"], "type": said["type"], "code": 0, "data": name}
        await radio.send("BluetoothEmulation.simulateDescriptorOperationResponse", answer)

    def _on(self, session: CDPSession, event: str, act: Callable[[Parameters], Awaitable[None]]) -> None:
        async def carry(said: Parameters) -> None:
            await act(said)

        def heard(said: Parameters) -> None:
            task = asyncio.get_running_loop().create_task(carry(said))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

        session.on(event, heard)
