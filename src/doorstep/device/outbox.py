"""What waits to be sent: bounded, in order, and nothing leaves it before the broker acknowledged it.

A parcel is sealed when it is sent first and keeps those bytes: sent again after a reconnect it is the same
message, which the platform stores once.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import RefusedError

__all__ = ["CAPACITY", "Outbox", "OutboxFull", "Parcel"]

CAPACITY: Final = 512
"""Parcels held in memory; a longer outage refuses new readings instead of forgetting old ones."""


class OutboxFull(RefusedError):
    """The outbox takes nothing more until the broker acknowledged something."""


@dataclass(slots=True, eq=False)
class Parcel:
    """One message of a channel such as ``data``."""

    channel: str
    plaintext: bytes = field(repr=False)
    sealed: bytes = field(default=b"", repr=False)
    """Empty until it was sent first."""


class Outbox:
    """First in, first out. ``take`` lends a parcel; it is done or given back."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._waiting: deque[Parcel] = deque()
        self._lent: dict[Parcel, None] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._lent)

    def offer(self, channel: str, plaintext: bytes) -> None:
        """Take a message, or raise OutboxFull and keep what is there."""
        if len(self) >= self.capacity:
            raise OutboxFull(
                f"{self.capacity} messages wait for the broker, so a new one was refused",
                next_step="Check the device's network and the platform; it goes on by itself.",
            )
        self._waiting.append(Parcel(channel, plaintext))
        self._filled.set()

    async def take(self, seal: Callable[[str, bytes], bytes]) -> Parcel:
        """Wait for the next parcel; ``seal`` is called if it was never sent."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        parcel = self._waiting[0]
        if not parcel.sealed:
            parcel.sealed = seal(parcel.channel, parcel.plaintext)
        self._lent[self._waiting.popleft()] = None
        return parcel

    def done(self, parcel: Parcel) -> None:
        """Forget a parcel that the broker acknowledged."""
        del self._lent[parcel]

    def give_back(self) -> None:
        """Put what was lent back in front, in its order: the session ended before it was acknowledged."""
        self._waiting.extendleft(reversed(self._lent))
        self._lent.clear()
        if self._waiting:
            self._filled.set()

    def clear(self) -> None:
        """Forget what waits: it was measured for an owner that the device no longer has."""
        self._waiting.clear()
