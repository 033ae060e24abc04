"""Runs a device's onboarding core: grants its wishes with the joiner, whatever carries the bytes."""

import asyncio
import logging
import time
from collections.abc import Callable

from doorstep.device.setup.joiner import Joiner
from doorstep.errors import UnavailableError
from doorstep.onboarding.attestation.transcript import NO_SESSION
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.protocomm.capabilities import OWN_LABEL
from doorstep.onboarding.protocomm.device import (
    DeviceOnboarding,
    DeviceProfile,
    JoinWanted,
    ScanWanted,
    Secured,
    Wish,
)
from doorstep.onboarding.protocomm.schemes import open_device_session

__all__ = ["DeviceRunner"]

log = logging.getLogger(__name__)


class DeviceRunner:
    """One door's onboarding; the transport asks in turns and closes it at the end."""

    def __init__(self, profile: DeviceProfile, joiner: Joiner, rng: Callable[[int], bytes]) -> None:
        """``rng`` returns that many unpredictable bytes."""
        if profile.risk:
            log.warning("set-up with old security: %s", profile.risk)
        session = open_device_session(profile.secret, rng)
        self.core = DeviceOnboarding(
            profile.device_id, session, joiner.joining, joiner.guesses, offers=joiner.offers
        )
        self._joiner = joiner
        self._scans: set[asyncio.Task[bytes | None]] = set()

    async def close(self) -> None:
        """Give up the scans under way; an attempt to join goes on."""
        for task in list(self._scans):
            task.cancel()
        await asyncio.gather(*self._scans, return_exceptions=True)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Name every endpoint, those beside sessions last; a second name of one is left out."""
        beside = (name for name in self._joiner.beside if name.startswith(OWN_LABEL))
        return (*self.core.endpoints, *beside)

    def is_beside(self, endpoint: str) -> bool:
        """Tell whether an endpoint is served without a session, and disturbs none."""
        return endpoint in self._joiner.beside

    async def ask(self, endpoint: str, body: bytes, *, stranger: bool = False) -> bytes:
        """Answer one request; raises `PeerError` or `RefusedError` where there is no answer.

        ``stranger`` when who asks is not the one who has the session under way.
        """
        if self.is_beside(endpoint):
            session = NO_SESSION if stranger else self.core.transcript
            return await self._joiner.beside[endpoint](body, session)
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
                task = asyncio.get_running_loop().create_task(self._scan(wish))
                self._scans.add(task)
                task.add_done_callback(self._scans.discard)
            case JoinWanted():
                self._joiner.start(wish.network)
            case Onboarded():
                self._joiner.announce(wish)
            case Secured():
                log.info("a phone has proven that it knows the code")

    async def _scan(self, wish: ScanWanted) -> bytes | None:
        return self.core.scanned(await self._joiner.scan(wish.request))
