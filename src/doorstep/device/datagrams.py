"""A UDP server of the board's: it answers while it is open."""

import asyncio
from types import TracebackType
from typing import Any

__all__ = ["DatagramServer"]


class DatagramServer(asyncio.DatagramProtocol):
    """Whoever derives it opens it by ``__aenter__`` and answers in ``datagram_received``."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering; who asks again hears nothing."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """See asyncio: the socket is open."""
        self._transport = transport

    def reply(self, octets: bytes, to: tuple[Any, ...]) -> None:
        """Send one datagram."""
        if self._transport is not None:
            self._transport.sendto(octets, to)
