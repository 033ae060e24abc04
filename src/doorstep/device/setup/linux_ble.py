"""The door over a Linux board's own Bluetooth: BlueZ hosts what `BleDoor` serves."""

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from doorstep.device.setup.ble import BleDoor, BleName
from doorstep.device.setup.bluez import BluezBoard
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.pairing import BoardPairing
from doorstep.onboarding.protocomm.device import DeviceProfile

__all__ = ["LinuxBleDoor", "check_bluetooth"]


class LinuxBleDoor:
    """A `Door`; claims the adapter while it is open, and only then."""

    def __init__(  # noqa: PLR0913 - who, how found, how protected
        self,
        profile: DeviceProfile,
        joiner: Joiner,
        name: BleName,
        *,
        pairing: BoardPairing,
        adapter: str = "",
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``rng`` returns that many unpredictable bytes."""
        self._board = BluezBoard(adapter=adapter, pairing=pairing)
        self._door = BleDoor(profile, joiner, self._board, name, security=pairing.security, rng=rng)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Claim the adapter and advertise; raises `UnavailableError` where there is none."""
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(self._board)
            await opening.enter_async_context(self._door)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Go off the air and give the adapter back."""
        await self._open.aclose()


async def check_bluetooth(pairing: BoardPairing) -> None:
    """Raise `UnavailableError` where this computer's Bluetooth cannot serve a set-up that pairs like that."""
    async with BluezBoard(pairing=pairing):
        pass
