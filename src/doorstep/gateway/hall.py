"""Where children come in, whatever they speak: what is taken, and what waits to go down to them."""

from collections import deque
from collections.abc import Callable
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.gateway.relay import Relay
from doorstep.gateway.store import Parcel
from doorstep.gateway.vault import Vault
from doorstep.identity.ids import check_device_id
from doorstep.messaging.envelope import MAX_MESSAGE
from doorstep.runtime.brokers import UP_CHANNELS

__all__ = ["MAX_WAITING", "WAITS_US", "Hall", "Listener"]

MAX_WAITING: Final = 8
"""Messages that wait for one child that polls; the oldest goes when another comes."""

WAITS_US: Final = 3_600_000_000
"""A message waits an hour for its child to poll."""

Listener = Callable[[str, bytes], None]
"""Takes channel and message of what goes down to one child that is connected."""


class Hall:
    """Takes children's messages up, and hands them theirs."""

    def __init__(self, vault: Vault, clock_us: Callable[[], int]) -> None:
        self._vault = vault
        self._clock_us = clock_us
        self._listeners: dict[str, list[Listener]] = {}
        self._waiting: dict[str, deque[tuple[int, str, bytes]]] = {}
        self.relay = Relay(vault, self.deliver, clock_us)

    async def take(self, device: str, channel: str, message: bytes) -> None:
        """Return when a child's message is durable; it was not looked into.

        Raises MalformedMessage, `NotAChild`, or UnavailableError when it could not be taken now.
        """
        check_device_id(device)
        if channel not in UP_CHANNELS:
            raise MalformedMessage(f"devices send on {', '.join(UP_CHANNELS)}, not on {channel[:16]!a}")
        if not 0 < len(message) <= MAX_MESSAGE:
            raise MalformedMessage(f"a message has 1 to {MAX_MESSAGE} bytes, not {len(message)}")
        await self.relay.admit(device)
        await self._vault.put(Parcel(device, channel, message, self._clock_us()))

    def listen(self, device: str, listener: Listener) -> Callable[[], None]:
        """Hand over what comes down to a child from now on; return what ends it."""
        listeners = self._listeners.setdefault(device, [])
        listeners.append(listener)

        def leave() -> None:
            listeners.remove(listener)
            if not listeners and self._listeners.get(device) is listeners:
                del self._listeners[device]

        return leave

    def deliver(self, device: str, channel: str, message: bytes) -> None:
        """Pass a message down: to the child's connections, or into its waiting room."""
        listeners = self._listeners.get(device)
        if listeners:
            for listener in tuple(listeners):
                listener(channel, message)
            return
        if device in self._vault.children:
            room = self._waiting.setdefault(device, deque(maxlen=MAX_WAITING))
            room.append((self._clock_us(), channel, message))

    def waiting(self, device: str) -> tuple[str, ...]:
        """Return the channels on which something waits for a child, the oldest first."""
        return tuple(dict.fromkeys(channel for _, channel, _ in self._room(device)))

    def collect(self, device: str, channel: str) -> bytes | None:
        """Hand over the oldest message that waits on a channel, once."""
        room = self._room(device)
        for item in room:
            if item[1] == channel:
                room.remove(item)
                return item[2]
        return None

    def _room(self, device: str) -> deque[tuple[int, str, bytes]]:
        room = self._waiting.get(device)
        if room is None:
            return deque()
        while room and self._clock_us() - room[0][0] >= WAITS_US:
            room.popleft()
        if not room:
            del self._waiting[device]
        return room
