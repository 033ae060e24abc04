"""The door over a Linux board's own Bluetooth: BlueZ hosts what the product's Bluetooth doors serve."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from doorstep.device.setup.ble_doors import BluetoothDoors
from doorstep.device.setup.bluez import BluezBoard
from doorstep.device.setup.joiner import Joiner
from doorstep.device.setup.pairing import BoardPairing

__all__ = ["LinuxBleDoor", "check_bluetooth"]


class LinuxBleDoor:
    """A `Door`; claims the adapter while it is open, and only then."""

    def __init__(self, doors: BluetoothDoors, joiner: Joiner, *, adapter: str = "") -> None:
        """``adapter`` is as `BluezBoard` takes it."""
        self._board = BluezBoard(adapter=adapter, pairing=doors.pairing)
        self._door = doors.on(self._board, joiner)
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
