"""The platform's end of one legacy board: its session ids, its messages, and what it is sent.

Ids of the format ``article`` go both ways: the platform gives one out for each message that it will take, and
a board that listens announces one for each message that it will take. Whatever comes of a message, its id is
spent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from doorstep.errors import MalformedMessage
from doorstep.messaging.legacy import article, iot1
from doorstep.messaging.legacy.errors import LegacyRepeat
from doorstep.messaging.legacy.formats import Format
from doorstep.messaging.legacy.keys import LegacyKeys

__all__ = [
    "LEGACY_EPOCH",
    "MAX_RECENT",
    "SESSION_US",
    "Board",
    "BoardState",
    "LegacyMessage",
]

LEGACY_EPOCH: Final = -1
"""The epoch under which legacy messages are kept: before all that a device ever seals."""

SESSION_US: Final = 600_000_000
"""A session id is good for ten minutes, and for one message."""

MAX_RECENT: Final = 64
"""Messages that are remembered, to know their repeats."""

_MARK: Final = 8  # bytes of a MAC that tell one message from another
_SESSION_BYTES: Final = 16
_ANNOUNCED: Final = range(16, 65)  # characters of an id that a board makes
_Rng = Callable[[int], bytes]


class BoardState(NamedTuple):
    """What moves: the columns of a board's row. Session ids are no secrets; empty means none."""

    last_number: int = 0
    session: str = ""
    session_until_us: int = 0
    announced: str = ""
    announced_until_us: int = 0
    recent: bytes = b""
    """Marks of the newest messages, newest last."""


class LegacyMessage(NamedTuple):
    """A genuine message: its number, greater than that of any before, and what it carried."""

    number: int
    said: bytes


@dataclass(slots=True)
class Board:
    """One board. Its state moves with each call, also with those that raise."""

    kind: Format
    node_id: bytes
    """What its envelopes name: the article's node id, iot1's chip id."""
    keys: LegacyKeys = field(repr=False)
    state: BoardState = field(default_factory=BoardState)

    def receive(self, message: bytes, now_us: int) -> LegacyMessage:
        """Open a message of the board; raises LegacyRefused, or LegacyRepeat and then nothing moved."""
        claimed = self._mac_field(message)[:_MARK]
        if claimed and claimed in self._marks():
            raise LegacyRepeat("the legacy message was taken before")
        session = self._spend_session(now_us)
        if self.kind is Format.ARTICLE:
            said = article.open_article(self.keys, self.node_id, session, message)
        else:
            said = iot1.open_iot1(self.keys, self.node_id, message)
        number = max(self.state.last_number + 1, now_us)
        recent = (self.state.recent + claimed)[-MAX_RECENT * _MARK :]
        self.state = self.state._replace(last_number=number, recent=recent)
        return LegacyMessage(number, said)

    def give_session(self, now_us: int, rng: _Rng) -> bytes:
        """Return a fresh session id for the board's next message; the one before ends."""
        session = rng(_SESSION_BYTES).hex()
        self.state = self.state._replace(session=session, session_until_us=now_us + SESSION_US)
        return session.encode()

    def announce(self, session: bytes, now_us: int) -> None:
        """Take the id under which the board takes a message; raises MalformedMessage."""
        text = session.decode("ascii", "replace")
        if len(text) not in _ANNOUNCED or not (text.isascii() and text.isalnum()):
            raise MalformedMessage(
                f"a session id has {_ANNOUNCED.start} to {_ANNOUNCED.stop - 1} letters and digits"
            )
        self.state = self.state._replace(announced=text, announced_until_us=now_us + SESSION_US)

    def seal_from(self, sender: bytes, said: bytes, now_us: int, rng: _Rng) -> bytes | None:
        """Return the message that brings the board what ``sender`` said, None when it is not listening."""
        if self.kind is Format.IOT1:
            return iot1.seal_iot1(self.keys, sender, said, rng)
        state = self.state
        self.state = state._replace(announced="", announced_until_us=0)
        if not state.announced or now_us >= state.announced_until_us:
            return None
        return article.seal_article(self.keys, sender, said, state.announced.encode(), rng)

    def _spend_session(self, now_us: int) -> bytes | None:
        state = self.state
        self.state = state._replace(session="", session_until_us=0)
        return state.session.encode() if state.session and now_us < state.session_until_us else None

    def _mac_field(self, message: bytes) -> bytes:
        if self.kind is Format.ARTICLE:
            return article.mac_field(message)
        return iot1.mac_field(message)

    def _marks(self) -> set[bytes]:
        recent = self.state.recent
        return {recent[at : at + _MARK] for at in range(0, len(recent), _MARK)}
