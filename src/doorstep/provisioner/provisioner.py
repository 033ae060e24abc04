"""Onboard one device: find, secure, scan, deliver, join, and wait for two signals."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from doorstep.errors import DoorstepError
from doorstep.onboarding.failures import RequestRefused, WrongCode
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.configurator import Configurator
from doorstep.onboarding.steps import Step
from doorstep.provisioner.link import Link
from doorstep.wire.provisioning.scan import ScanEntry

__all__ = [
    "JOIN_PATIENCE",
    "ONLINE",
    "PLATFORM_PATIENCE",
    "Outcome",
    "PlatformCheck",
    "Provisioner",
    "Tell",
    "Warn",
]

JOIN_PATIENCE: Final = 90.0
"""Seconds to wait for the device to say how the joining went."""
PLATFORM_PATIENCE: Final = 90.0
"""Seconds to wait for the platform to see the device."""
LAST_WORD: Final = 3.0
"""Seconds that a device has for its own word once the platform has seen it."""
FIRST_PAUSE: Final = 0.1
POLL_PAUSE: Final = 1.0

Tell = Callable[[Step], None]
Warn = Callable[[str], None]
"""Hears, once, what an attacker can do where the device speaks old security."""
PlatformCheck = Callable[[], Awaitable[bool]]
"""Says whether the platform has seen the device; asked again and again."""

UNDECIDED: Final = frozenset({Step.TRYING, Step.WAITING})
ONLINE: Final = frozenset(
    {
        Step.CONNECTED,
        Step.REGISTERING,
        Step.REGISTERED,
        Step.HELD,
        Step.REFUSED,
        Step.NO_INTERNET,
        Step.NO_SERVER,
        Step.WRONG_CLOCK,
    }
)
TURNED_DOWN: Final = frozenset({Step.HELD, Step.REFUSED})
LAST: Final = TURNED_DOWN | {Step.REGISTERED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the last step and the two signals that together are success."""

    step: Step
    device_said_connected: bool
    platform_saw_it: bool

    @property
    def succeeded(self) -> bool:
        """Tell whether the platform saw it; without that the answer is "checking", never "failed".

        What the platform saw the device has signed, so this is the device's word too, also where its one
        radio had left us before it could give it.
        """
        return self.platform_saw_it


class Provisioner:
    """One device's onboarding from the configurator's side; enter it, then call its steps in order."""

    def __init__(
        self,
        link: Link,
        label: SetupLabel,
        *,
        tell: Tell = lambda _step: None,
        warn: Warn | None = None,
        pause: float = POLL_PAUSE,
    ) -> None:
        """``tell`` hears each step as it happens; ``pause`` is the longest wait between two questions.

        Giving ``warn`` consents to old security; without it such a device is refused.
        """
        self._link = link
        self._core = Configurator(label, os.urandom, allow_old_security=warn is not None, page=link.scan_page)
        self._tell = tell
        self._warn = warn
        self._pause = pause
        self._tried = False
        self._said: Step | None = None

    async def __aenter__(self) -> Self:
        """Nothing is sent yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up; the device goes on with what it was told."""
        await self._link.close()

    @property
    def takes_orders(self) -> bool:
        """Tell whether the device can register itself; known once secured."""
        return self._core.takes_orders

    async def secure(self) -> None:
        """Find the device and secure the session.

        Raises `DowngradeRefused`, `OldSecurityRefused`, `WrongCode`, `TooManyGuesses`, `DeviceUnreachable`.
        """
        await self._link.hold(self._core.find())
        if self._warn is not None and self._core.risk:
            self._warn(self._core.risk)
        self._say(Step.FOUND)
        await self._link.hold(self._core.secure())
        self._say(Step.SECURED)

    async def networks(self) -> tuple[ScanEntry, ...]:
        """Return the networks that the device hears, strongest first."""
        found = await self._link.hold(self._core.networks())
        self._say(Step.NETWORKS)
        return found

    async def deliver(self, order: RegistrationOrder) -> str:
        """Hand over the registration order; returns the device's id."""
        device_id = await self._link.hold(self._core.deliver(order))
        self._say(Step.DELIVERED)
        return device_id

    async def join(self, network: NetworkCredentials, *, patience: float = JOIN_PATIENCE) -> Step:
        """Have the device join; returns how that went, `Step.CHECKING` where it fell silent.

        After a failure it may be called again in the same session, with another password or network.
        """
        if self._tried:
            await self._link.hold(self._core.reset())
        await self._link.hold(self._core.put_forward(network))
        self._tried = True
        self._say(Step.TRYING)
        step = await self._listen(Step.TRYING, until=lambda heard: heard not in UNDECIDED, patience=patience)
        if step in UNDECIDED:
            self._say(Step.CHECKING)
            return Step.CHECKING
        return step

    async def follow(self, joined: Step, *, patience: float = PLATFORM_PATIENCE) -> Step:
        """Listen to the device alone until it says how its registration ended, or patience ends."""
        return await self._listen(joined, until=LAST.__contains__, patience=patience)

    async def confirm(
        self, joined: Step, platform_saw_it: PlatformCheck, *, patience: float = PLATFORM_PATIENCE
    ) -> Outcome:
        """Wait for both signals, device and platform, side by side; ``joined`` is what `join` returned.

        A board with one radio has left us by then: once the platform has it, its own word is not waited for.
        """
        watching = asyncio.create_task(_watch(platform_saw_it, patience, self._pause))

        def enough(step: Step) -> bool:
            return step in LAST or (watching.done() and step in ONLINE)

        listening = asyncio.create_task(self._listen(joined, until=enough, patience=patience))
        try:
            await asyncio.wait({watching, listening}, return_when=asyncio.FIRST_COMPLETED)
            heard, _ = await asyncio.wait({listening}, timeout=LAST_WORD if watching.done() else None)
            step = await listening if heard else joined
            seen = step not in TURNED_DOWN and await watching
        finally:
            watching.cancel()
            listening.cancel()
            await asyncio.gather(watching, listening, return_exceptions=True)
        outcome = _outcome(step, seen=seen)
        self._say(outcome.step)
        return outcome

    async def _listen(self, step: Step, *, until: Callable[[Step], bool], patience: float) -> Step:
        """Ask until the answer is final or patience ends; a lost session is opened again on the way."""
        deadline, pause = time.monotonic() + patience, FIRST_PAUSE
        while not until(step) and time.monotonic() < deadline:
            pause = await _rest(pause, self._pause)
            step = await self._hear(step)
            self._say(step)
        return step

    def _say(self, step: Step) -> None:
        if step is not self._said:
            self._said = step
            self._tell(step)

    async def _hear(self, step: Step) -> Step:
        """Return what the device says now, or the last that it said while it is silent.

        A session lost on the way is opened again; whoever then does not know the code is a stranger.
        """
        try:
            if not self._core.secured:
                await self._link.hold(self._core.secure())
            return await self._link.hold(self._core.progress())
        except (WrongCode, RequestRefused):
            raise
        except DoorstepError:
            return step


async def _watch(platform_saw_it: PlatformCheck, patience: float, pause: float) -> bool:
    deadline, nap = time.monotonic() + patience, FIRST_PAUSE
    while not await platform_saw_it():
        if time.monotonic() >= deadline:
            return False
        nap = await _rest(nap, pause)
    return True


async def _rest(pause: float, longest: float) -> float:
    """Sleep, and return the next, longer pause: what goes fast is told fast, what lasts is not hurried."""
    await asyncio.sleep(min(pause, longest))
    return min(pause * 2, longest)


def _outcome(step: Step, *, seen: bool) -> Outcome:
    said = step in ONLINE
    if seen:
        return Outcome(Step.REGISTERED, said, seen)
    return Outcome(step if said else Step.CHECKING, said, seen)
