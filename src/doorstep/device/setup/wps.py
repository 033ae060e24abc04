"""The board's WPS doors, through wpa_supplicant: the push button, and the PIN where it is allowed.

wpa_supplicant is told to hand the credentials over instead of storing them: they are tried by the board's
joiner and stored only once they worked.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi.control_socket import ControlSocket
from doorstep.device.wifi.wps_hearing import run_session
from doorstep.errors import RefusedError
from doorstep.onboarding.network import JoinOutcome, NetworkCredentials
from doorstep.onboarding.wps.failures import PinIsOff
from doorstep.onboarding.wps.pin import generate_pin
from doorstep.onboarding.wps.session import DeviceSession

__all__ = ["PIN_RISK", "WpsDoor"]

PIN_RISK: Final = (
    "WPS by PIN is on: it falls to at most 11,000 guesses, and a found PIN gives away the network's password."
)

log = logging.getLogger(__name__)


class WpsDoor:
    """Open while entered; the board's button calls `press`, and nothing happens before."""

    def __init__(
        self,
        control: Path,
        joiner: Joiner,
        *,
        pin_allowed: bool = False,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``control`` is wpa_supplicant's socket of the interface; ``rng`` draws the PINs.

        Whoever sets ``pin_allowed`` tells a person `PIN_RISK` first.
        """
        self._control = ControlSocket(control)
        self._joiner = joiner
        self._pin_allowed = pin_allowed
        self._rng = rng
        self._under_way: asyncio.Task[NetworkCredentials] | None = None

    async def __aenter__(self) -> Self:
        """Connect to wpa_supplicant; raises UnavailableError where it does not run."""
        await self._control.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up a session under way; the attempt to join goes on."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)
        await self._control.__aexit__(kind, error, trace)

    async def press(self) -> JoinOutcome:
        """Be the device's button: wait for the router's, and join; returns how the joining went.

        Raises `Overlap`, `WalkTimeOver` and the other failures of a session, each with its next step, and
        RefusedError while a session runs: the second press of a nervous finger changes nothing.
        """
        return await self._enrol("WPS_PBC")

    async def type_pin(self, show: Callable[[str], None]) -> JoinOutcome:
        """Draw a PIN, ``show`` it, wait until it is typed at the router, and join.

        Raises `PinIsOff` where the maker did not allow it, `WrongPin`, `SetupLocked`, and as `press` does.
        """
        if not self._pin_allowed:
            raise PinIsOff
        pin = generate_pin(self._rng)
        show(pin)
        return await self._enrol(f"WPS_PIN any {pin}")

    async def _enrol(self, command: str) -> JoinOutcome:
        if self._under_way is not None and not self._under_way.done():
            raise RefusedError("A WPS session runs already.", next_step="Press the router's button.")
        self._under_way = asyncio.get_running_loop().create_task(self._learn(command))
        network = await asyncio.shield(self._under_way)
        log.info("WPS brought a network; joining")
        return await self._joiner.join(network)

    async def _learn(self, command: str) -> NetworkCredentials:
        await self._control.order("SET wps_cred_processing 1")
        return await run_session(self._control, DeviceSession(), command)
