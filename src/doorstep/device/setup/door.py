"""The port of a way into the board's set-up: an access point's server, a radio, a cable."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from doorstep.device.setup.joiner import Joiner

__all__ = ["Door", "DoorMaker"]


class Door(Protocol):
    """Open while entered; what comes through it goes to the board's `Joiner`."""

    async def __aenter__(self) -> Self:
        """Open; raises UnavailableError where what it needs is taken or missing."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, hang up on whoever is inside; the attempt to join goes on."""
        ...


DoorMaker = Callable[[Joiner], Door]
"""Makes a door anew for each opening; all doors of one opening share the joiner."""
