"""Which doors of the set-up this board opens, and where."""

import asyncio
from ipaddress import IPv4Interface
from types import ModuleType

import click

from doorstep import __version__
from doorstep.crypto.p256 import PrivateKey
from doorstep.device.setup.ble_doors import BluetoothDoors
from doorstep.device.setup.door import DoorMaker
from doorstep.device.setup.improv import Identify
from doorstep.device.setup.pairing import BoardPairing
from doorstep.device.setup.service import SetupAddress
from doorstep.device.wifi.board import AccessPointMode, RadioSettings
from doorstep.errors import UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.ble.oob import OobSecret
from doorstep.onboarding.ble.pairing import KINDS, IoCapability, policy_of
from doorstep.onboarding.captive.api import captive_api_url

__all__ = ["bluetooth_door", "bluetooth_of", "portal_of", "setup_address"]


def setup_address(settings: RadioSettings, made: Provisioning, host: str, port: int) -> SetupAddress:
    """Return where the set-up listens, and where the board's page may stand."""
    if settings.access_point is AccessPointMode.NONE:
        return SetupAddress(host, port)
    return SetupAddress(
        host, port, _own_address(settings, made), has_key=settings.access_point is AccessPointMode.WPA2
    )


def portal_of(settings: RadioSettings, made: Provisioning) -> str:
    """Return what phones are told by DHCP: the captive portal API exists over TLS alone."""
    if settings.access_point is AccessPointMode.NONE or "https-pinned" not in made.onboarding:
        return settings.portal
    return captive_api_url(_own_address(settings, made))


def _own_address(settings: RadioSettings, made: Provisioning) -> str:
    return str(IPv4Interface(settings.plan(made).address).ip)


class _TerminalScreen:
    """The terminal as the board's screen; nobody is there to press a button."""

    def show(self, digits: str) -> None:
        click.echo(f"Type this into the phone: {digits}", err=True)

    def clear(self) -> None:
        pass

    async def agree(self) -> bool:
        return False


def bluetooth_of(made: Provisioning, identify: Identify) -> BluetoothDoors:
    """Return the Bluetooth doors of this board.

    Raises MisuseError for a product without any, UnavailableError where this computer cannot serve them.
    """
    # BlueZ has no out-of-band pairing; where a product demands nothing else, it says so itself.
    only_oob = set(made.onboarding) & KINDS.keys() == {"ble-oob"}
    key = PrivateKey.from_pkcs8(made.private_key.encode())
    policy = policy_of(made.onboarding, IoCapability.DISPLAY, OobSecret.of(key) if only_oob else None)
    pairing = BoardPairing(policy, _TerminalScreen(), lambda event: click.echo(event.sentence, err=True))
    doors = BluetoothDoors(made, pairing, identify, __version__)
    linux = _linux_ble()
    asyncio.run(linux.check_bluetooth(pairing))
    return doors


def bluetooth_door(doors: BluetoothDoors) -> DoorMaker:
    """Return what opens them on this computer's radio."""
    linux = _linux_ble()
    return lambda joiner: linux.LinuxBleDoor(doors, joiner)


def _linux_ble() -> ModuleType:
    try:
        from doorstep.device.setup import linux_ble  # noqa: PLC0415 - an extra
    except ImportError:
        raise UnavailableError(
            "this installation cannot speak Bluetooth",
            next_step="Install it with: pip install 'doorstep[ble]'",
        ) from None
    return linux_ble
