"""The BluFi door: one connection at a time over any `GattHost`."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from doorstep.device.setup.gatt import Access, Characteristic, GattHost, GattService, GattServing
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import ProtocolViolation
from doorstep.onboarding.ble.advertising import Advertisement
from doorstep.onboarding.blufi.device import (
    BlufiDevice,
    BlufiProfile,
    HangUp,
    JoinWanted,
    ScanWanted,
    Wish,
)
from doorstep.onboarding.blufi.gatt import FROM_DEVICE, SERVICE, TO_DEVICE
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.provisioning.scan import ScanStart

__all__ = ["BlufiDoor"]

IN: Final = Characteristic(TO_DEVICE, Access.WRITE | Access.WRITE_WITHOUT_RESPONSE)
OUT: Final = Characteristic(FROM_DEVICE, Access.READ | Access.NOTIFY)
LAYOUT: Final = GattService(SERVICE, (IN, OUT))

log = logging.getLogger(__name__)


class BlufiDoor:
    """Open while entered. ``name`` is what apps list; Espressif's own shows names with BLUFI in them."""

    def __init__(
        self,
        host: GattHost,
        joiner: Joiner,
        profile: BlufiProfile,
        *,
        name: str,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``rng`` returns that many unpredictable bytes."""
        self._host, self._joiner, self._profile, self._name, self._rng = host, joiner, profile, name, rng
        self._cores: dict[int, BlufiDevice] = {}
        self._serving: GattServing | None = None
        self._stack = AsyncExitStack()
        self._work: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Advertise; raises UnavailableError where there is no radio."""
        log.warning("set-up by BluFi: %s", self._profile.risk)
        advertisement = Advertisement(services=(SERVICE,), name=self._name)
        self._serving = await self._stack.enter_async_context(self._host.serve(LAYOUT, self, advertisement))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up and be silent; the attempt to join goes on."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._stack.aclose()

    def connected(self, connection: int) -> None:
        """Begin a session: sequence numbers and key are a connection's."""
        self._cores[connection] = BlufiDevice(self._profile, self._joiner.joining, self._rng)

    def disconnected(self, connection: int) -> None:
        """Forget the session."""
        self._cores.pop(connection, None)

    async def read(self, connection: int, characteristic: Characteristic) -> bytes:
        """Return nothing: what there is to say is notified."""
        del connection, characteristic
        return b""

    async def write(self, connection: int, characteristic: Characteristic, value: bytes) -> None:
        """Take one frame."""
        del characteristic
        async with self._turn:
            core = self._cores.get(connection)
            if core is None or self._serving is None:
                return
            core.room(self._serving.payload_size(connection))
            answer = core.receive(value)
            await self._notify(connection, answer.frames)
        for wish in answer.wishes:
            self._grant(connection, wish)

    async def _notify(self, connection: int, frames: Sequence[bytes]) -> None:
        for frame in frames:
            if self._serving is not None:
                await self._serving.notify(connection, OUT, frame)

    def _grant(self, connection: int, wish: Wish) -> None:
        match wish:
            case ScanWanted():
                self._later(self._scan(connection))
            case JoinWanted(network):
                self._later(self._join(connection, network))
            case HangUp():
                self._later(self._hang_up(connection))
            case _:
                self._joiner.announce(wish)

    def _later(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _scan(self, connection: int) -> None:
        networks = await self._joiner.scan(ScanStart())
        await self._tell(connection, lambda core: core.scanned(networks))

    async def _join(self, connection: int, network: NetworkCredentials) -> None:
        await asyncio.shield(self._joiner.start(network))
        await self._tell(connection, BlufiDevice.status)

    async def _tell(self, connection: int, what: Callable[[BlufiDevice], list[bytes]]) -> None:
        async with self._turn:
            core = self._cores.get(connection)
            if core is None:
                return
            try:
                await self._notify(connection, what(core))
            except ProtocolViolation as spent:
                log.info("a BluFi session ends: %s", spent.message)
                await self._hang_up(connection)

    async def _hang_up(self, connection: int) -> None:
        if self._serving is not None:
            await self._serving.hang_up(connection)
