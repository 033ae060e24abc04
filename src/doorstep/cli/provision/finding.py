"""Where devices are: at an address, on a serial line, or heard over Bluetooth."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from doorstep.cli.provision.labels import Target
from doorstep.crypto.x509 import Certificate
from doorstep.errors import DoorstepError, SettingsError
from doorstep.onboarding.label import Transport
from doorstep.provisioner.https import makers_device, open_link
from doorstep.provisioner.link import DeviceUnreachable, Link

if TYPE_CHECKING:
    from doorstep.provisioner.central import Heard

__all__ = [
    "BLUETOOTH",
    "SOFTAP",
    "Connect",
    "Found",
    "checked",
    "connections",
    "look_around",
    "wants_bluetooth",
]

SOFTAP: Final = "http://192.168.4.1"
BLUETOOTH: Final = "ble"
SERVICE_PREFIX: Final = "PROV_"
"""Before the device's id, in the name that its factory gave it for the set-up."""
DEVICES: Final = Path("/dev")
SERIAL_LINES: Final = ("ttyUSB*", "ttyACM*", "cu.usb*")
_LOOK_S: Final = 2.0

Connect = Callable[[], Awaitable[Link]]
"""Opens the way to one device; raises `DeviceUnreachable` where it is not there."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that waits for its set-up, or a line at which something may wait."""

    transport: str
    name: str
    address: str


async def connections(
    targets: Sequence[Target], *, by_bluetooth: bool, maker: Certificate | None = None
) -> Mapping[str, Connect]:
    """Return how to reach each target, by its name; Bluetooth is listened to once for all that need it.

    ``maker`` is the factory CA by whose certificate a device is known over HTTPS whose label pins none.
    """
    silent = [target for target in targets if wants_bluetooth(target, by_bluetooth=by_bluetooth)]
    heard = await _heard() if silent else {}
    return {
        target.name: _connect(target, heard, maker, alone=len(targets) == 1, asked=target in silent)
        for target in targets
    }


def wants_bluetooth(target: Target, *, by_bluetooth: bool) -> bool:
    """Tell whether a device is to be looked for over Bluetooth."""
    if target.address:
        return target.address == BLUETOOTH
    return by_bluetooth or target.label.transport is Transport.BLE


def _connect(
    target: Target, heard: "Mapping[str, Heard]", maker: Certificate | None, *, alone: bool, asked: bool
) -> Connect:
    if asked:
        return lambda: _over_bluetooth(target, heard)
    if target.address.startswith("/"):
        return lambda: _over_console(target.address)
    if target.address or alone:
        return lambda: _over_http(target, maker)
    return lambda: _nowhere(target)


async def _over_http(target: Target, maker: Certificate | None) -> Link:
    if maker is None or target.label.fingerprint:
        return open_link(target.label, target.address)
    device_id = target.label.name.removeprefix(SERVICE_PREFIX)
    if device_id == target.label.name:
        raise SettingsError(
            "The maker's CA proves which device answers, and a code alone does not say which is meant.",
            next_step="Give the label's QR text with --label, or leave --maker-ca out.",
        )
    judge = makers_device(maker, device_id, lambda: datetime.now(UTC))
    return open_link(target.label, target.address, judge=judge)


async def _over_console(path: str) -> Link:
    from doorstep.provisioner.console import ConsoleLink  # noqa: PLC0415 — the shell, lazily
    from doorstep.provisioner.serialport import open_serial  # noqa: PLC0415 — the shell, lazily

    return ConsoleLink(*await open_serial(path))


async def _over_bluetooth(target: Target, heard: "Mapping[str, Heard]") -> Link:
    from doorstep.provisioner.ble import connect_to  # noqa: PLC0415 — the shell, lazily

    if target.label.name not in heard:
        raise DeviceUnreachable(
            f"{target.label.name} is not heard over Bluetooth.",
            next_step="Switch it on, hold it near, and check that it waits for its set-up.",
        )
    return await connect_to(heard[target.label.name])


async def _nowhere(target: Target) -> Link:
    raise DeviceUnreachable(
        f"It is not known where {target.name} is.",
        next_step="Add its address to the labels, or set up devices of access points one by one.",
    )


async def _heard() -> "Mapping[str, Heard]":
    from doorstep.provisioner.ble import scan  # noqa: PLC0415 — the shell, lazily

    return {each.advertisement.name: each for each in await scan()}


async def look_around() -> list[Found]:
    """Return what is near, on every transport; Bluetooth that is not there is no failure."""
    lines = [str(line) for pattern in SERIAL_LINES for line in sorted(DEVICES.glob(pattern))]
    found = [Found("console", line, line) for line in lines]
    if await _answers(SOFTAP):
        found.insert(0, Found("access point", "the access point that this computer is on", SOFTAP))
    try:
        found += [Found("bluetooth", name, BLUETOOTH) for name in sorted(await _heard())]
    except (DoorstepError, ImportError):
        return found
    return found


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=_LOOK_S) as client:
            answer = await client.post("/proto-ver", content=b"---")
            return answer.status_code == httpx.codes.OK and '"prov"' in answer.text
    except httpx.HTTPError:
        return False


def checked(address: str) -> str:
    """Return an address of a kind that we know; raises `SettingsError`."""
    if address == BLUETOOTH or address.startswith(("http://", "https://", "/")):
        return address
    raise SettingsError(
        f"{address[:80]!r} is no place of a device.",
        next_step="Give http://ADDRESS, a serial line as /dev/ttyUSB0, or ble.",
    )
