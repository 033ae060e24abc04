"""One radio that is a station or an access point, never both: it hops."""

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.joiner import Joiner
from doorstep.device.wifi.access_point import AccessPoint
from doorstep.device.wifi.station import WifiStation
from doorstep.errors import UnavailableError
from doorstep.onboarding.network import Joined, JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.scan import ScanEntry, ScanStart

__all__ = ["OneRadio"]

GRACE_S: Final = 1.0
"""The phone that asked for a network gets its answer before the access point goes."""

log = logging.getLogger(__name__)


class OneRadio:
    """A `WifiStation` that leaves the board's access point to try a network, and comes back when that fails.

    While it is an access point, what it heard before stands for a scan, because a scan would lose the phones.
    """

    def __init__(self, station: WifiStation, point: AccessPoint) -> None:
        self._station = station
        self._point = point
        self._turn = asyncio.Lock()
        self._heard: Sequence[ScanEntry] = ()
        self._wanted = False
        self._is_point = False
        self._on_network = False

    def door(self, joiner: Joiner) -> "AccessPointDoor":
        """Make the door of `doorstep.device.setup` that is this access point; put it before the server's."""
        del joiner
        return AccessPointDoor(self)

    async def scan(self, request: ScanStart) -> Sequence[ScanEntry]:
        """Return the networks heard, or last heard."""
        async with self._turn:
            return self._heard if self._is_point else await self._station.scan(request)

    async def try_connect(self, network: NetworkCredentials) -> JoinOutcome:
        """Join; only then the access point stays closed."""
        async with self._turn:
            if self._is_point:
                await asyncio.sleep(GRACE_S)
                await self._leave()
            self._on_network = False
            outcome = await self._station.try_connect(network)
            self._on_network = isinstance(outcome, Joined)
            await self._return()
            return outcome

    async def open(self) -> None:
        """Be an access point whenever the radio is on no network, from now on."""
        async with self._turn:
            self._wanted = True
            await self._be_point()

    async def close(self) -> None:
        """Be none any more."""
        async with self._turn:
            self._wanted = False
            if self._is_point:
                await self._leave()

    async def _return(self) -> None:
        try:
            await self._be_point()
        except UnavailableError as failure:
            log.warning("the access point stays closed: %s %s", failure.message, failure.next_step)

    async def _be_point(self) -> None:
        if not self._wanted or self._on_network or self._is_point:
            return
        try:
            self._heard = await self._station.scan(ScanStart())
        except (UnavailableError, TimeoutError):
            log.warning("the radio heard nothing before it became an access point")
        await self._point.start()
        self._is_point = True

    async def _leave(self) -> None:
        self._is_point = False
        await self._point.stop()


class AccessPointDoor:
    """The board's access point as a door: open while entered, unless the radio is on a network."""

    def __init__(self, radio: OneRadio) -> None:
        self._radio = radio

    async def __aenter__(self) -> Self:
        """Open; raises UnavailableError where the radio cannot."""
        await self._radio.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self._radio.close()
