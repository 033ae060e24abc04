"""The set-up service of an agent: open while somebody is needed, and a little longer to tell how it went.

A window opens them for a while only, beside a network that is known but away, or at the press of a button.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Final

from doorstep.device.life import (
    Blocked,
    Bound,
    ClaimSetAside,
    Joined,
    LifeEvent,
    PlatformSilent,
    RegistrationHeld,
    RegistrationRefused,
    TokenHeld,
)
from doorstep.device.setup.door import Door, DoorMaker
from doorstep.device.setup.httpserver import HttpServer
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.singletouch import SingleTouch
from doorstep.device.store import Store, Ticket
from doorstep.device.wifi.station import WifiStation
from doorstep.errors import UnavailableError
from doorstep.onboarding.guesses import GuessBook
from doorstep.onboarding.joining import JoinState, Onboarded
from doorstep.onboarding.lock import LockState
from doorstep.wire.provisioning.delivery import DeviceStage

__all__ = ["LINGER_S", "WINDOW_S", "SetupAddress", "SetupService"]

LINGER_S: Final = 15.0
"""How long the service stays after the platform's answer, so that the set-up app can read it."""

WINDOW_S: Final = 300.0
"""How long a window lasts; an attempt under way at its end is waited for."""

log = logging.getLogger(__name__)

_STAGES: Final[Mapping[type[LifeEvent], DeviceStage]] = {
    TokenHeld: DeviceStage.REGISTERING,
    Bound: DeviceStage.REGISTERED,
    RegistrationHeld: DeviceStage.HELD,
    ClaimSetAside: DeviceStage.HELD,
    RegistrationRefused: DeviceStage.REFUSED,
    Blocked: DeviceStage.REFUSED,
    PlatformSilent: DeviceStage.NO_SERVER,
}
"""What the set-up app is told after which event."""

_FINAL: Final = (Bound, ClaimSetAside, Blocked)
"""After these nobody needs to send anything in."""


@dataclass(frozen=True, slots=True)
class SetupAddress:
    """Where the set-up service listens; port 0 takes a free one."""

    host: str = "0.0.0.0"  # noqa: S104 - the access point's clients are whom it is for
    port: int = 80
    point: str = ""
    """The board's address on its own access point, where its page stands; empty without one."""
    has_key: bool = False
    """That access point is WPA2 with the key on the label."""


class SetupService:
    """Opens, hears and closes the doors of a product; keeps what comes through them in the store."""

    def __init__(
        self,
        store: Store,
        station: WifiStation,
        doors: Sequence[DoorMaker],
        guesses: GuessBook | None = None,
        touch: SingleTouch | None = None,
    ) -> None:
        """``doors`` are opened in their order and closed in the reverse one; they share the rest."""
        self._store = store
        self._station = station
        self._makers = tuple(doors)
        self._guesses = guesses or GuessBook()
        self._touch = touch
        self._joiner = Joiner(station, self._guesses)
        self._doors: list[Door] = []
        self._open: AsyncExitStack | None = None
        self._opened = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether somebody may come in."""
        return self._open is not None

    @property
    def is_joining(self) -> bool:
        """Tell whether the radio is on its way to a network that came through a door."""
        return self.is_open and self._joiner.joining.state in {JoinState.TRYING, JoinState.CONNECTED}

    @property
    def port(self) -> int | None:
        """The port of the door for HTTP, None while there is none open."""
        return next((door.port for door in self._doors if isinstance(door, HttpServer)), None)

    async def open(self, *, window_s: float | None = None) -> None:
        """Open the doors unless they are; with ``window_s`` they close by themselves after so long.

        A door that cannot open is left out; raises UnavailableError where that leaves none.
        """
        if self._open is not None and self._closing is None:
            return  # somebody is needed, for longer than any window
        self._stay()
        if self._open is None:
            self._joiner = self._new_joiner()
            self._open = await self._open_doors()
            self._opened.set()
        if window_s is not None:
            self._closing = asyncio.create_task(self._close_later(window_s))

    async def order(self) -> Joined:
        """Wait, also for the doors to open, for a network that worked; keep it and the token with it."""
        await self._opened.wait()
        onboarded = await self._joiner.wait_connected()
        if onboarded.order is not None:  # or the app would still read how an earlier order ended
            self._joiner.joining.report(DeviceStage.REGISTERING)
        self._keep(onboarded)
        return Joined(_shown(onboarded.network.ssid), onboarded.joined.ip4_addr)

    def report(self, event: LifeEvent) -> None:
        """Tell the set-up app how it goes, and close soon once nobody is needed."""
        if isinstance(event, Bound):
            self._joiner.joining.lock = LockState.CLAIMED
        if self._open is None:
            return
        stage = _STAGES.get(type(event))
        if isinstance(event, PlatformSilent) and event.clock_wrong:
            stage = DeviceStage.WRONG_CLOCK
        if stage is not None:
            self._joiner.joining.report(stage)
        if isinstance(event, _FINAL):
            self._stay()
            self._closing = asyncio.create_task(self._close_later(LINGER_S))

    async def close(self) -> None:
        """Close all doors now."""
        self._stay()
        doors, self._open = self._open, None
        self._doors = []
        self._opened.clear()
        if doors is not None:
            await doors.aclose()
            if self._touch is not None:
                await self._touch.close()
            await self._joiner.close()

    def _new_joiner(self) -> Joiner:
        joiner = Joiner(self._station, self._guesses)
        joiner.joining.lock = self._store.lock().state
        if self._touch is not None:
            self._touch.attach(joiner)
        return joiner

    async def _open_doors(self) -> AsyncExitStack:
        failures: list[UnavailableError] = []
        async with AsyncExitStack() as stack:
            for make in self._makers:
                try:
                    self._doors.append(await stack.enter_async_context(make(self._joiner)))
                except UnavailableError as failure:
                    log.warning("a set-up door stays closed: %s %s", failure.message, failure.next_step)
                    failures.append(failure)
            if failures and not self._doors:
                raise failures[0]
            return stack.pop_all()

    def _keep(self, onboarded: Onboarded) -> None:
        """Token first: with a network and no token the next boot would have nothing to show."""
        if onboarded.order is not None:
            self._store.keep_ticket(Ticket(onboarded.order.token.decode("ascii"), onboarded.order.server))
        self._store.keep_network(onboarded.network)

    def _stay(self) -> None:
        closing, self._closing = self._closing, None
        if closing is not None and closing is not asyncio.current_task():
            closing.cancel()

    async def _close_later(self, seconds: float) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(seconds)
            while self._joiner.joining.state is JoinState.TRYING:  # noqa: ASYNC110 - it ends by itself
                await asyncio.sleep(1)
            await self.close()


def _shown(ssid: bytes) -> str:
    return ssid.decode("utf-8", errors="replace")
