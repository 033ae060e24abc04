"""Which doors of the set-up this board opens, and where."""

import asyncio
from ipaddress import IPv4Interface
from typing import Final

import click

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.setup.ble import BleName
from doorstep.device.setup.door import DoorMaker
from doorstep.device.setup.pairing import BoardPairing
from doorstep.device.setup.secret import setup_secret
from doorstep.device.setup.service import SetupAddress
from doorstep.device.wifi.board import AccessPointMode, RadioSettings
from doorstep.errors import MisuseError, UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.ble.oob import OobSecret
from doorstep.onboarding.ble.pairing import KINDS, IoCapability, policy_of
from doorstep.onboarding.captive.api import captive_api_url
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["ble_door", "portal_of", "setup_address"]

_BLE_METHOD: Final = "protocomm-sec2-ble"


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


def ble_door(made: Provisioning) -> DoorMaker:
    """Return what opens the set-up over Bluetooth; raises MisuseError where the product has none."""
    if _BLE_METHOD not in made.onboarding:
        raise MisuseError(
            f"product {made.product} has no set-up over Bluetooth",
            next_step=f"Leave --ble out, or turn {_BLE_METHOD} on for the product and make its file anew.",
        )
    try:
        from doorstep.device.setup.linux_ble import LinuxBleDoor, check_bluetooth  # noqa: PLC0415 - an extra
    except ImportError:
        raise UnavailableError(
            "this installation cannot speak Bluetooth",
            next_step="Install it with: pip install 'doorstep[ble]'",
        ) from None
    # BlueZ has no out-of-band pairing; where a product demands nothing else, it says so itself.
    only_oob = set(made.onboarding) & KINDS.keys() == {"ble-oob"}
    key = PrivateKey.from_pkcs8(made.private_key.encode())
    policy = policy_of(made.onboarding, IoCapability.DISPLAY, OobSecret.of(key) if only_oob else None)
    pairing = BoardPairing(policy, _TerminalScreen(), lambda event: click.echo(event.sentence, err=True))
    asyncio.run(check_bluetooth(pairing))
    profile, name = DeviceProfile(made.device_id, setup_secret(made)), BleName(made.setup.service_name)
    return lambda joiner: LinuxBleDoor(profile, joiner, name, pairing=pairing)
