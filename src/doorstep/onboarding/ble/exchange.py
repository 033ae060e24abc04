"""Requests and replies over GATT: a write asks, a read of the same characteristic fetches the answer.

The session is the connection: it begins and ends with it. One central at a time.
"""

from typing import Final

from doorstep.errors import MalformedMessage, ProtocolViolation

__all__ = ["MAX_BODY", "SCAN_PAGE", "Exchanges"]

MAX_BODY: Final = 512
"""Bytes of a request or reply: a GATT value holds no more (Core, Vol 3, Part F, §3.2.9)."""
SCAN_PAGE: Final = 4
"""Networks asked for at a time; eight of the longest would just fit into a reply."""


class Exchanges:
    """The device's bookkeeping of who asked what, and of the answer until it is asked again.

    A long read comes in parts, so an answer can be fetched more than once.
    """

    def __init__(self) -> None:
        self._connection: int | None = None
        self._replies: dict[str, bytes] = {}

    def begin(self, connection: int) -> None:
        """Start a session for a central that has connected."""
        self._connection = connection
        self._replies = {}

    def end(self, connection: int) -> bool:
        """Forget a central's session; tells whether it had one."""
        if connection != self._connection:
            return False
        self._connection, self._replies = None, {}
        return True

    def asked(self, connection: int, endpoint: str, body: bytes) -> bool:
        """Take a request; tells whether it is one: an empty write is none, and changes nothing.

        Raises `ProtocolViolation` from a central without a session, `MalformedMessage` on too long a body.
        """
        if connection != self._connection:
            raise ProtocolViolation("a central without a session sent a request")
        if len(body) > MAX_BODY:
            raise MalformedMessage(f"a request has {len(body)} bytes, more than {MAX_BODY}")
        if body:
            self._replies.pop(endpoint, None)
        return bool(body)

    def answered(self, connection: int, endpoint: str, reply: bytes) -> None:
        """Keep an answer until it is fetched, unless its central has gone; raises on too long a one."""
        if len(reply) > MAX_BODY:
            raise MalformedMessage(f"a reply has {len(reply)} bytes, more than {MAX_BODY}")
        if connection == self._connection:
            self._replies[endpoint] = reply

    def fetched(self, connection: int, endpoint: str) -> bytes:
        """Return the answer to the last request, empty where there was none."""
        return self._replies.get(endpoint, b"") if connection == self._connection else b""
