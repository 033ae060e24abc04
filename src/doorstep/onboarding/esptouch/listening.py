"""Where to listen, and to whom: hop over the channels until somebody announces, then stay with that sender.

Beside the announcer a channel is full of others. Every transmitter's frames are read apart from the
rest's, so that a second announcer or a noisy neighbour confuses nobody.
"""

import enum
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

from doorstep.onboarding.esptouch.announcement import Announcement
from doorstep.onboarding.esptouch.v1 import GuideLock, V1Decoder
from doorstep.onboarding.esptouch.v2 import SyncLock, V2Decoder
from doorstep.onboarding.transitions import follow
from doorstep.wire.monitor import DataFrame

__all__ = ["CHANNELS", "TRANSITIONS", "ListenEvent", "ListenState", "Listener", "advance"]

CHANNELS: Final = tuple(range(1, 14))
DWELL: Final = 0.15
"""Seconds on a channel where nobody sends to groups."""
STAY: Final = 6.5
"""Seconds where somebody does: longer than a turn of either version."""
SILENCE: Final = 8.0
"""Seconds without a frame of the announcer after which the search begins again."""
BUSY: Final = 4
"""Frames to groups from one transmitter in a dwell that make it worth to stay."""
MAX_SENDERS: Final = 32


class ListenState(enum.Enum):
    """Whether somebody announces."""

    SEARCHING = "searching"
    STAYING = "staying"
    """Somebody sends to groups here."""
    LOCKED = "locked"
    """That somebody speaks ESP-Touch."""
    HEARD = "heard"
    """The announcement is whole."""


class ListenEvent(enum.Enum):
    """What moves it."""

    BUSY = "busy"
    LOCK = "lock"
    TIME_OVER = "time over"
    WHOLE = "whole"
    AGAIN = "again"


TRANSITIONS: Final[Mapping[ListenState, Mapping[ListenEvent, ListenState]]] = {
    ListenState.SEARCHING: {
        ListenEvent.BUSY: ListenState.STAYING,
        ListenEvent.LOCK: ListenState.LOCKED,
        ListenEvent.TIME_OVER: ListenState.SEARCHING,
    },
    ListenState.STAYING: {
        ListenEvent.LOCK: ListenState.LOCKED,
        ListenEvent.TIME_OVER: ListenState.SEARCHING,
    },
    ListenState.LOCKED: {
        ListenEvent.WHOLE: ListenState.HEARD,
        ListenEvent.TIME_OVER: ListenState.SEARCHING,
    },
    ListenState.HEARD: {ListenEvent.AGAIN: ListenState.SEARCHING},
}


def advance(state: ListenState, event: ListenEvent) -> ListenState:
    """Return the next state; raise `IllegalTransition` on a move that the table does not have."""
    return follow(TRANSITIONS, state, event)


class _Sender:
    """What one transmitter's frames say so far."""

    def __init__(self, networks: Sequence[bytes], key: bytes) -> None:
        self.frames = 0
        self._networks, self._key = networks, key
        self._guide, self._sync = GuideLock(), SyncLock()
        self._decoder: V1Decoder | V2Decoder | None = None
        self._sequence = -1

    @property
    def locked(self) -> bool:
        return self._decoder is not None

    def take(self, frame: DataFrame) -> Announcement | None:
        if frame.retry and frame.sequence == self._sequence:
            return None
        self._sequence = frame.sequence
        self.frames += 1
        if self._decoder is not None:
            return self._decoder.take(frame.size)
        if (overhead := self._guide.take(frame.size)) is not None:
            self._decoder = V1Decoder(overhead, self._networks)
        elif (overhead := self._sync.take(frame.size)) is not None:
            self._decoder = V2Decoder(overhead, self._key)
        return None


class Listener:
    """Listens for one announcement; the shell tunes to `channel`, says when, and feeds what it hears."""

    def __init__(
        self,
        now: float,
        *,
        channels: Sequence[int] = CHANNELS,
        networks: Sequence[bytes] = (),
        key: bytes = b"",
    ) -> None:
        """``networks`` are names that the board hears, ``key`` the product's for version 2, or empty."""
        self.state = ListenState.SEARCHING
        self._channels, self._networks, self._key = channels, networks, key
        self._at = 0
        self._until = now + DWELL
        self._senders: OrderedDict[bytes, _Sender] = OrderedDict()
        self._announcer = b""

    def channel(self, now: float) -> int:
        """Return the channel to listen on from now on."""
        if self.state is not ListenState.HEARD and now >= self._until:
            self.state = advance(self.state, ListenEvent.TIME_OVER)
            self._move_on(now)
        return self._channels[self._at]

    def tuned(self, now: float) -> None:
        """Learn that the radio is on its channel only now: changing it may take longer than a dwell."""
        self._until = now + DWELL

    def hear(self, frame: DataFrame, now: float) -> Announcement | None:
        """Take a frame; return the announcement once it is whole.

        Raises `AnnouncementRefused`, and searches on.
        """
        if not frame.to_group or self.state is ListenState.HEARD:
            return None
        if self.state is ListenState.LOCKED and frame.transmitter != self._announcer:
            return None
        sender = self._sender(frame.transmitter)
        whole = sender.take(frame)
        self._follow(frame, sender, now)
        if whole is not None:
            self.state = advance(self.state, ListenEvent.WHOLE)
        return whole

    def again(self, now: float) -> None:
        """Search anew, after an announcement that did not help."""
        self.state = advance(self.state, ListenEvent.AGAIN)
        self._move_on(now)

    def _follow(self, frame: DataFrame, sender: _Sender, now: float) -> None:
        if self.state is ListenState.LOCKED:
            self._until = now + SILENCE
        elif sender.locked:
            self.state = advance(self.state, ListenEvent.LOCK)
            self._announcer, self._until = frame.transmitter, now + SILENCE
        elif self.state is ListenState.SEARCHING and sender.frames >= BUSY:
            self.state = advance(self.state, ListenEvent.BUSY)
            self._until = now + STAY

    def _sender(self, transmitter: bytes) -> _Sender:
        sender = self._senders.setdefault(transmitter, _Sender(self._networks, self._key))
        self._senders.move_to_end(transmitter)
        if len(self._senders) > MAX_SENDERS:
            self._senders.popitem(last=False)
        return sender

    def _move_on(self, now: float) -> None:
        self._at = (self._at + 1) % len(self._channels)
        self._until = now + DWELL
        self._senders.clear()
