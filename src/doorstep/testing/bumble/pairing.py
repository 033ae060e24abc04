"""Pairing on virtual radios: the board as its product demands, the phone as its person is scripted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from bumble.crypto.cryptography import EccKey
from bumble.keys import PairingKeys
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.smp import OobContext, OobSharedData

from doorstep.device.setup.pairing import BoardPairing
from doorstep.onboarding.ble.oob import OobData
from doorstep.onboarding.ble.pairing import IoCapability, KeyQuality, new_passkey

__all__ = ["PhoneUser", "board_config", "phone_config", "quality_of"]

CAPABILITIES: Final = {
    IoCapability.NOTHING: PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT,
    IoCapability.DISPLAY: PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY,
    IoCapability.DISPLAY_AND_BUTTON: PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    IoCapability.KEYBOARD: PairingDelegate.IoCapability.KEYBOARD_INPUT_ONLY,
    IoCapability.DISPLAY_AND_KEYBOARD: PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
}


@dataclass
class PhoneUser:
    """Who holds a virtual phone, what it can show, and what they do when it asks."""

    capability: IoCapability = IoCapability.DISPLAY_AND_KEYBOARD
    types: Callable[[], Awaitable[int]] | None = None
    """Reads the digits to type from wherever they are shown; nobody types where this is missing."""
    agrees: bool = True
    """Says that the digits are the same."""
    oob: OobData | None = None
    secure_connections: bool = True
    protects: bool = True
    """Asks for protection against somebody in between."""
    shown: list[int] = field(default_factory=list)
    """The digits that the phone has shown."""


def board_config(pairing: BoardPairing) -> PairingConfig:
    """Return what a board asks for; nothing it learns is kept past the connection."""
    secret, oob = pairing.policy.oob, None
    if secret is not None:
        key = EccKey.from_private_key_bytes(secret.scalar)
        oob = PairingConfig.OobConfig(OobContext(key, secret.random[::-1]), None, None)
    mitm = pairing.policy.demands_authenticated_key
    return PairingConfig(sc=True, mitm=mitm, bonding=False, delegate=_BoardUser(pairing), oob=oob)


def phone_config(user: PhoneUser) -> PairingConfig:
    """Return what a phone asks for in the hands of ``user``."""
    oob = None
    if user.oob is not None:
        shared = OobSharedData(c=user.oob.confirm[::-1], r=user.oob.random[::-1])
        oob = PairingConfig.OobConfig(OobContext(), shared, None)
    return PairingConfig(
        sc=user.secure_connections, mitm=user.protects, bonding=False, delegate=_PhoneDelegate(user), oob=oob
    )


def quality_of(keys: PairingKeys) -> KeyQuality:
    """Look at the key: the connection's own flag says authenticated even after Just Works."""
    ltk = keys.ltk or keys.ltk_peripheral or keys.ltk_central
    return KeyQuality(ltk is not None and ltk.authenticated, keys.ltk is not None)


class _BoardUser(PairingDelegate):
    """The board's screen and button, as the stack asks for them."""

    def __init__(self, pairing: BoardPairing) -> None:
        super().__init__(io_capability=CAPABILITIES[pairing.policy.shown_as])
        self._pairing = pairing

    async def generate_passkey(self) -> int:
        return new_passkey(self._pairing.rng)

    async def display_number(self, number: int, digits: int) -> None:
        self._pairing.screen.show(f"{number:0{digits}}")

    async def compare_numbers(self, number: int, digits: int) -> bool:
        self._pairing.screen.show(f"{number:0{digits}}")
        return await self._pairing.screen.agree()


class _PhoneDelegate(PairingDelegate):
    """A scripted person, as the stack asks for them."""

    def __init__(self, user: PhoneUser) -> None:
        super().__init__(io_capability=CAPABILITIES[user.capability])
        self._user = user

    async def get_number(self) -> int | None:
        return None if self._user.types is None else await self._user.types()

    async def compare_numbers(self, number: int, digits: int) -> bool:
        del digits
        self._user.shown.append(number)
        return self._user.agrees
