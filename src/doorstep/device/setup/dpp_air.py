"""The board's Easy Connect door over the air, through wpa_supplicant: it waits for who has read the label.

wpa_supplicant is told to hand the configuration over instead of storing it: it is tried by the board's joiner
and stored only once it worked. After a failure the door waits for the next configuration.
"""

import asyncio
import logging
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doorstep.crypto.p256 import PrivateKey
from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi.control_socket import CommandRefused, ControlEvents, ControlSocket
from doorstep.errors import DoorstepError, IllegalTransition, UnavailableError
from doorstep.onboarding.dpp.driver import EVENTS, DriverConfiguration
from doorstep.onboarding.network import NetworkCredentials

__all__ = ["CHANNEL", "DppAirDoor"]

CHANNEL: Final = 6
"""Where the board listens unless told otherwise; a label that names another is not heard here."""
OPERATING_CLASS: Final = 81
FIRST_FREQUENCY: Final = 2407
CHIRP_ROUNDS: Final = 20

log = logging.getLogger(__name__)


class DppAirDoor:
    """Open while entered."""

    def __init__(
        self, control: Path, key: PrivateKey, joiner: Joiner, *, channel: int = CHANNEL, chirp: bool = False
    ) -> None:
        """``key`` is the label's; ``channel`` is the label's, of 2.4 GHz, 1 to 13.

        With ``chirp`` the board also cries for a configurator, on the channels of access points that say that
        they relay Easy Connect; without, it waits silently for a phone.
        """
        self._control = ControlSocket(control)
        self._key = key
        self._joiner = joiner
        self._channel = channel
        self._chirp = chirp
        self._waiting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen; raises UnavailableError without wpa_supplicant, or where that has no DPP."""
        await self._control.__aenter__()
        try:
            await self._control.order("SET dpp_config_processing 0")
            key, channel = self._key.to_sec1().hex(), f"{OPERATING_CLASS}/{self._channel}"
            label = await self._control.ask(f"DPP_BOOTSTRAP_GEN type=qrcode chan={channel} key={key}")
        except CommandRefused:
            await self._control.__aexit__(None, None, None)
            raise UnavailableError(
                "This board's wpa_supplicant has no Easy Connect.",
                next_step="Install one that is built with DPP, or take the method off this product.",
            ) from None
        except BaseException:
            await self._control.__aexit__(None, None, None)
            raise
        self._waiting = asyncio.get_running_loop().create_task(self._wait(label))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; the attempt to join goes on."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)
        await self._control.__aexit__(kind, error, trace)

    async def _wait(self, label: str) -> None:
        try:
            while True:
                await self._join(await self._learn(label))
        except DoorstepError:
            log.exception("Easy Connect over the air ended")

    async def _join(self, network: NetworkCredentials) -> None:
        log.info("Easy Connect brought a network; joining")
        try:
            await asyncio.shield(self._joiner.join(network))
        except IllegalTransition as error:
            log.info("Easy Connect came too late: %s", error)

    async def _learn(self, label: str) -> NetworkCredentials:
        with self._control.listen() as events:
            try:
                await self._listen(label)
                return await _configured(events)
            finally:
                await self._control.ask("DPP_STOP_CHIRP" if self._chirp else "DPP_STOP_LISTEN")

    async def _listen(self, label: str) -> None:
        frequency = FIRST_FREQUENCY + 5 * self._channel
        if self._chirp:
            await self._control.order(f"DPP_CHIRP own={label} iter={CHIRP_ROUNDS} listen={frequency}")
        else:
            await self._control.order(f"DPP_LISTEN {frequency} role=enrollee")


async def _configured(events: ControlEvents) -> NetworkCredentials:
    heard = DriverConfiguration()
    while True:
        network = heard.hear(await events.next(*EVENTS))
        if network is not None:
            return network
