"""Runs a device's onboarding core: grants its wishes with the Wi-Fi station, whatever carries the bytes."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Final

from doorstep.device.station import WifiStation
from doorstep.errors import UnavailableError
from doorstep.onboarding.device import (
    DeviceOnboarding,
    DeviceProfile,
    JoinWanted,
    Onboarded,
    ScanWanted,
    Secured,
    Wish,
)
from doorstep.onboarding.network import JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.onboarding.schemes import open_device_session

if TYPE_CHECKING:
    from doorstep.wire.provisioning.scan import ScanEntry

__all__ = ["DeviceRunner"]

SCAN_TIMEOUT: Final = 30.0
JOIN_TIMEOUT: Final = 120.0

log = logging.getLogger(__name__)


class DeviceRunner:
    """One device's onboarding with its station; the transport asks in turns and closes it at the end."""

    def __init__(self, profile: DeviceProfile, station: WifiStation, rng: Callable[[int], bytes]) -> None:
        """``rng`` returns that many unpredictable bytes."""
        if profile.risk:
            log.warning("set-up with old security: %s", profile.risk)
        self.core = DeviceOnboarding(profile.device_id, open_device_session(profile.secret, rng))
        self._station = station
        self._outcomes: asyncio.Queue[Onboarded] = asyncio.Queue()
        self._work: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def wait_connected(self) -> Onboarded:
        """Return the next network that worked, with the registration order that came with it, if any."""
        return await self._outcomes.get()

    async def ask(self, endpoint: str, body: bytes) -> bytes:
        """Answer one request; raises `PeerError` or `RefusedError` where there is no answer."""
        answer = self.core.receive(endpoint, body, time.monotonic())
        reply = answer.reply
        for wish in answer.wishes:
            if isinstance(wish, ScanWanted) and reply is None:
                reply = await self._scan(wish)
            else:
                self._grant(wish)
        if reply is None:
            raise UnavailableError("the session ended during the scan")
        return reply

    def _grant(self, wish: Wish) -> None:
        match wish:
            case ScanWanted():
                self._start(self._scan_aside(wish))
            case JoinWanted():
                self._start(self._join(wish.network))
            case Onboarded():
                self._outcomes.put_nowait(wish)
            case Secured():
                log.info("a phone has proven that it knows the code")

    async def _scan(self, wish: ScanWanted) -> bytes | None:
        try:
            async with asyncio.timeout(SCAN_TIMEOUT):
                found: Sequence[ScanEntry] | None = await self._station.scan(wish.request)
        except Exception:
            log.exception("the Wi-Fi station could not scan")
            found = None
        return self.core.scanned(found)

    async def _scan_aside(self, wish: ScanWanted) -> None:
        await self._scan(wish)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _join(self, network: NetworkCredentials) -> None:
        outcome: JoinOutcome
        try:
            async with asyncio.timeout(JOIN_TIMEOUT):
                outcome = await self._station.try_connect(network)
        except Exception:
            log.exception("the Wi-Fi station could not join")
            outcome = JoinFailure.RADIO_FAILED
        onboarded = self.core.joined(outcome)
        if onboarded is not None:
            self._outcomes.put_nowait(onboarded)
