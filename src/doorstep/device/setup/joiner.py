"""The board's one attempt to join a network at a time, whichever door it came through."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from doorstep.device.wifi.station import WifiStation
from doorstep.onboarding.guesses import GuessBook
from doorstep.onboarding.joining import Joining, Onboarded
from doorstep.onboarding.network import JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart

__all__ = ["Beside", "Joiner"]

SCAN_TIMEOUT: Final = 30.0
JOIN_TIMEOUT: Final = 120.0

Beside = Callable[[bytes, bytes], Awaitable[bytes]]
"""Answers a request beside any session; it is given the body and the hash of the asker's session."""

log = logging.getLogger(__name__)


class Joiner:
    """Shared by all doors of a board; an attempt outlives the session that asked for it."""

    def __init__(self, station: WifiStation, guesses: GuessBook | None = None) -> None:
        """``guesses`` is the board's count of wrong codes; without one it ends with this object."""
        self.joining = Joining()
        self.beside: Mapping[str, Beside] = {}
        """Endpoints that every door serves without a session."""
        self.offers: Callable[[], tuple[str, ...]] = tuple
        """What the board says of them before anything is proven."""
        self.guesses = guesses or GuessBook()
        self._station = station
        self._outcomes: asyncio.Queue[Onboarded] = asyncio.Queue()
        self._work: set[asyncio.Task[JoinOutcome]] = set()

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry] | None:
        """Return what the station hears, None where it could not listen."""
        try:
            async with asyncio.timeout(SCAN_TIMEOUT):
                return await self._station.scan(request)
        except Exception:
            log.exception("the Wi-Fi station could not scan")
            return None

    async def join(self, network: NetworkCredentials, order: RegistrationOrder | None = None) -> JoinOutcome:
        """Put a network forward, try it and return how that went; for doors that say it all in one go.

        Raises IllegalTransition while another attempt runs or the board is on a network.
        """
        self.joining.stage(network)
        self.joining.apply()
        if order is not None:
            self.joining.bring(order)
        return await self.start(network)

    def start(self, network: NetworkCredentials) -> "asyncio.Task[JoinOutcome]":
        """Try the network that was applied; what works is handed to `wait_connected`."""
        task = asyncio.get_running_loop().create_task(self._attempt(network))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    def announce(self, onboarded: Onboarded) -> None:
        """Hand on what a door learnt while the board was connected already."""
        self._outcomes.put_nowait(onboarded)

    async def wait_connected(self) -> Onboarded:
        """Return the next network that worked, with the registration order that came with it, if any.

        This is the moment to store the network: before it, nothing is known to work.
        """
        return await self._outcomes.get()

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def _attempt(self, network: NetworkCredentials) -> JoinOutcome:
        outcome: JoinOutcome
        try:
            async with asyncio.timeout(JOIN_TIMEOUT):
                outcome = await self._station.try_connect(network)
        except Exception:
            log.exception("the Wi-Fi station could not join")
            outcome = JoinFailure.RADIO_FAILED
        onboarded = self.joining.finish(outcome)
        if onboarded is not None:
            self.announce(onboarded)
        return outcome
