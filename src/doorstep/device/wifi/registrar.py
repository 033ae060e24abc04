"""The router's side of WPS, for a hub or gateway that runs an access point by hostapd or wpa_supplicant."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doorstep.device.wifi.control_socket import ControlSocket
from doorstep.device.wifi.wps_hearing import run_session
from doorstep.errors import RefusedError
from doorstep.onboarding.wps.failures import PinIsOff, SetupLocked, WrongPin
from doorstep.onboarding.wps.pin import check_pin
from doorstep.onboarding.wps.session import WALK_TIME, RouterSession

__all__ = ["MAX_WRONG_PINS", "WpsRegistrar"]

MAX_WRONG_PINS: Final = 3
"""After so many in a row no PIN is taken until `unlock`: a person mistypes, a stranger guesses."""


class WpsRegistrar:
    """Gives the access point's network to one device at a time, while entered."""

    def __init__(self, control: Path, *, pin_allowed: bool = False) -> None:
        """``control`` is the socket of the access point's interface."""
        self._control = ControlSocket(control)
        self._pin_allowed = pin_allowed
        self._wrong_pins = 0
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect; raises UnavailableError where no access point runs."""
        await self._control.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        await self._control.__aexit__(kind, error, trace)

    async def press(self) -> bytes:
        """Be the router's button; returns the hardware address of the device that got the network.

        Raises `Overlap` where two devices asked, `WalkTimeOver`, and the other failures of a session.
        """
        return await self._register("WPS_PBC")

    async def take_pin(self, pin: str) -> bytes:
        """Let in the device that shows this PIN; returns its hardware address.

        Raises `PinIsOff` where it is not allowed, SettingsError on a mistyped one, `WrongPin`, `SetupLocked`.
        """
        if not self._pin_allowed:
            raise PinIsOff
        digits = check_pin(pin)
        if self._wrong_pins >= MAX_WRONG_PINS:
            raise SetupLocked
        try:
            address = await self._register(f"WPS_PIN any {digits} {WALK_TIME:.0f}")
        except WrongPin:
            self._wrong_pins += 1
            raise
        self._wrong_pins = 0
        return address

    def unlock(self) -> None:
        """Take PINs again; for a person who knows who typed the wrong ones."""
        self._wrong_pins = 0

    async def _register(self, command: str) -> bytes:
        if self._turn.locked():
            raise RefusedError("A WPS session runs already.", next_step="Press the device's button.")
        async with self._turn:
            return await run_session(self._control, RouterSession(), command)
