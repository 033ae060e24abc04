"""The set-up service of an agent: open while somebody is needed, and a little longer to tell how it went."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
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
from doorstep.device.setup.inbox import Inbox
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.presence import Presence
from doorstep.device.setup.singletouch import SingleTouch
from doorstep.device.setup.softap import SoftApServer
from doorstep.device.store import Store, Ticket
from doorstep.device.wifi.station import WifiStation
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.lock import LockState
from doorstep.onboarding.protocomm.credentials import Sec2Verifier
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.wire.provisioning.delivery import DeviceStage

__all__ = ["LINGER_S", "SetupAddress", "SetupService"]

LINGER_S: Final = 15.0
"""How long the service stays after the platform's answer, so that the set-up app can read it."""

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
    inbox: Path | None = None
    """Folder in which somebody may put sealed credentials by hand: a stick's, or one that a cable fills."""


class SetupService:
    """Opens, hears and closes the SoftAP server; keeps what it brings in the store."""

    def __init__(  # noqa: PLR0913, PLR0917 - the board's parts, one each
        self,
        store: Store,
        made: Provisioning,
        station: WifiStation,
        address: SetupAddress,
        rng: Callable[[int], bytes],
        presence: Presence | None = None,
    ) -> None:
        self._store = store
        self._made = made
        self._station = station
        self._joiner = Joiner(station)
        self._touch = SingleTouch(store, made, lambda: self._joiner, presence or Presence(), rng)
        self._inbox = None if address.inbox is None else Inbox(address.inbox, self._touch.by_hand)
        self._address = address
        self._rng = rng
        self._server: SoftApServer | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def port(self) -> int | None:
        """The port that is listened on, None while closed."""
        return None if self._server is None else self._server.port

    async def open(self) -> int:
        """Listen, unless it does; return the port. Raises UnavailableError where the port is taken."""
        self._stay()
        if self._server is None:
            setup, self._joiner = self._made.setup, self._new_joiner()
            server = SoftApServer(
                DeviceProfile(self._made.device_id, Sec2Verifier(setup.username, setup.salt, setup.verifier)),
                self._joiner,
                host=self._address.host,
                port=self._address.port,
                rng=self._rng,
            )
            self._server = await server.__aenter__()
            if self._inbox is not None:
                await self._inbox.__aenter__()
        return self._server.port

    def press(self) -> None:
        """Somebody pressed the board's button: the presence window opens."""
        self._touch.press()

    async def order(self) -> Joined:
        """Wait for a network that worked, keep it and the token that came with it."""
        while self._server is None:
            await asyncio.Event().wait()  # a closed service brings nothing, ever
        onboarded = await self._joiner.wait_connected()
        if onboarded.order is not None:  # or the app would still read how an earlier order ended
            self._joiner.joining.report(DeviceStage.REGISTERING)
        self._keep(onboarded)
        return Joined(_shown(onboarded.network.ssid), onboarded.joined.ip4_addr)

    def report(self, event: LifeEvent) -> None:
        """Tell the set-up app how it goes, and close soon once nobody is needed."""
        if isinstance(event, Bound):
            self._joiner.joining.lock = LockState.CLAIMED
        if self._server is None:
            return
        stage = _STAGES.get(type(event))
        if isinstance(event, PlatformSilent) and event.clock_wrong:
            stage = DeviceStage.WRONG_CLOCK
        if stage is not None:
            self._joiner.joining.report(stage)
        if isinstance(event, _FINAL) and self._closing is None:
            self._closing = asyncio.create_task(self._close_later())

    async def close(self) -> None:
        """Stop listening now."""
        self._stay()
        server, self._server = self._server, None
        if server is not None:
            await server.__aexit__(None, None, None)
            if self._inbox is not None:
                await self._inbox.__aexit__(None, None, None)
            await self._touch.close()
            await self._joiner.close()

    def _new_joiner(self) -> Joiner:
        joiner = Joiner(self._station)
        joiner.joining.lock = self._store.lock().state
        joiner.beside, joiner.offers = self._touch.endpoints, self._touch.offers
        return joiner

    def _keep(self, onboarded: Onboarded) -> None:
        """Token first: with a network and no token the next boot would have nothing to show."""
        if onboarded.order is not None:
            self._store.keep_ticket(Ticket(onboarded.order.token.decode("ascii"), onboarded.order.server))
        self._store.keep_network(onboarded.network)

    def _stay(self) -> None:
        closing, self._closing = self._closing, None
        if closing is not None and closing is not asyncio.current_task():
            closing.cancel()

    async def _close_later(self) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(LINGER_S)
            await self.close()


def _shown(ssid: bytes) -> str:
    return ssid.decode("utf-8", errors="replace")
