"""What both Improv doors do alike: one core, one clock, wishes granted by the joiner."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final

from doorstep.device.setup.joiner import Joiner
from doorstep.onboarding.improv.device import (
    Answer,
    IdentifyWanted,
    ImprovDevice,
    ImprovProfile,
    JoinWanted,
    Line,
    ScanWanted,
    Update,
    Wish,
)
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.provisioning.scan import ScanStart

__all__ = ["Identify", "ImprovRunner"]

TICK: Final = 0.5
Identify = Callable[[], Awaitable[None]]
"""Blinks, beeps or shakes, so that a person knows which device it is."""

log = logging.getLogger(__name__)


class ImprovRunner(ABC):
    """Runs a core; a door says how its updates go out."""

    def __init__(
        self,
        profile: ImprovProfile,
        joiner: Joiner,
        line: Line,
        identify: Identify,
        clock: Callable[[], float],
    ) -> None:
        self.core = ImprovDevice(profile, joiner.joining, line)
        self._profile, self._joiner, self._identify, self._clock = profile, joiner, identify, clock
        self._work: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def press(self) -> None:
        """Take a press of the device's button."""
        await self._tell(lambda: self.core.press(self._clock()))

    def start(self) -> None:
        """Begin to watch the clock."""
        log.warning("set-up by Improv: %s", self._profile.risk)
        self._later(self._watch())

    async def stop(self) -> None:
        """Give up what is under way; the attempt to join goes on."""
        async with self._turn:  # a radio that is cancelled within a word may never speak again
            for task in list(self._work):
                task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def take(self, octets: bytes) -> None:
        """Take a command."""
        await self.answer(lambda: self.core.receive(octets, self._clock()))

    async def answer(self, decide: Callable[[], Answer]) -> None:
        """Tell what the core answers, and grant what it wishes."""
        async with self._turn:
            answer = decide()
            await self._send(answer.updates)
        for wish in answer.wishes:
            self._later(self._grant(wish))

    @abstractmethod
    async def _send(self, updates: Sequence[Update]) -> None:
        """Let these go out, in order."""

    @abstractmethod
    def _room(self) -> int:
        """Return how many bytes one result may have."""

    async def _tell(self, decide: Callable[[], Sequence[Update]]) -> None:
        async with self._turn:
            await self._send(decide())

    async def _grant(self, wish: Wish) -> None:
        match wish:
            case ScanWanted():
                networks = await self._joiner.scan(ScanStart())
                await self._tell(lambda: self.core.scanned(networks, self._room()))
            case JoinWanted(network):
                await self._join(network)
            case IdentifyWanted():
                await self._identify()

    async def _join(self, network: NetworkCredentials) -> None:
        outcome = await asyncio.shield(self._joiner.start(network))
        await self._tell(lambda: self.core.finished(outcome, self._clock()))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            await self._tell(lambda: self.core.tick(self._clock()))

    def _later(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an Improv door failed", exc_info=error)
