"""Requests and replies over GATT: a write asks, a read of the same characteristic fetches the answer.

The session is the connection: it begins and ends with it. One central at a time. What does not fit into
one value goes in parts through an endpoint of our own, `LONG`, that stock devices lack and nobody needs
for stock messages.
"""

from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.wire.provisioning.common import MAX_MESSAGE

__all__ = ["LONG", "MAX_BODY", "SCAN_PAGE", "Exchanges", "goes_on_at", "in_parts"]

MAX_BODY: Final = 512
"""Bytes of a request or reply: a GATT value holds no more (Core, Vol 3, Part F, §3.2.9)."""
SCAN_PAGE: Final = 4
"""Networks asked for at a time; eight of the longest would just fit into a reply."""
LONG: Final = "doorstep-long"
PART: Final = b"\x01"
"""Begins a write to `LONG` that is a part of the next request."""
GO_ON: Final = b"\x02"
"""Begins a write to `LONG` that says where reading the last reply goes on."""
OFFSET_SIZE: Final = 2


@dataclass(slots=True)
class _Session:
    """What one connection has said and been answered."""

    replies: dict[str, bytes] = field(default_factory=dict, repr=False)
    last: bytes = field(default=b"", repr=False)
    parts: bytes = field(default=b"", repr=False)
    offset: int = 0


class Exchanges:
    """The device's bookkeeping of who asked what, and of the answer until it is asked again.

    A long read comes in pieces, so an answer can be fetched more than once.
    """

    def __init__(self) -> None:
        self._connection: int | None = None
        self._session = _Session()

    def begin(self, connection: int) -> None:
        """Start a session for a central that has connected."""
        self._connection = connection
        self._session = _Session()

    def end(self, connection: int) -> bool:
        """Forget a central's session; tells whether it had one."""
        if connection != self._connection:
            return False
        self._connection = None
        self._session = _Session()
        return True

    def asked(self, connection: int, endpoint: str, value: bytes) -> bytes | None:
        """Take a write; returns a request once it is whole. An empty write is none, and changes nothing.

        Raises `ProtocolViolation` from a central without a session, `MalformedMessage` on what is too long.
        """
        if connection != self._connection:
            raise ProtocolViolation("a central without a session sent a request")
        if len(value) > MAX_BODY:
            raise MalformedMessage(f"a value has {len(value)} bytes, more than {MAX_BODY}")
        if endpoint == LONG:
            self._take(value)
            return None
        if not value:
            return None
        body, self._session.parts = self._session.parts + value, b""
        self._session.replies.pop(endpoint, None)
        return body

    def answered(self, connection: int, endpoint: str, reply: bytes) -> None:
        """Keep an answer until it is fetched, unless its central has gone; raises on too long a one."""
        if len(reply) > MAX_MESSAGE:
            raise MalformedMessage(f"a reply has {len(reply)} bytes, more than {MAX_MESSAGE}")
        if connection == self._connection:
            self._session.replies[endpoint] = self._session.last = reply

    def fetched(self, connection: int, endpoint: str) -> bytes:
        """Return the answer to the last request, or what goes on of it; empty where there was none."""
        if connection != self._connection:
            return b""
        if endpoint == LONG:
            return self._session.last[self._session.offset :][:MAX_BODY]
        return self._session.replies.get(endpoint, b"")[:MAX_BODY]

    def _take(self, value: bytes) -> None:
        kind, rest = value[:1], value[1:]
        if kind == PART and rest and len(self._session.parts) + len(rest) <= MAX_MESSAGE - MAX_BODY:
            self._session.parts += rest
        elif kind == GO_ON and len(rest) == OFFSET_SIZE:
            self._session.offset = int.from_bytes(rest)
        else:
            self._session.parts = b""
            raise MalformedMessage("this is neither a part of a request nor where a reply goes on")


def in_parts(body: bytes) -> tuple[list[bytes], bytes]:
    """Return what is written to `LONG` before a request, and what is then written to its endpoint."""
    size = MAX_BODY - len(PART)
    cut = max(0, len(body) - MAX_BODY)
    return [PART + body[at : min(at + size, cut)] for at in range(0, cut, size)], body[cut:]


def goes_on_at(offset: int) -> bytes:
    """Return what is written to `LONG` to read the last reply on from there."""
    return GO_ON + offset.to_bytes(OFFSET_SIZE)
