"""The board's name server: a `Door` beside its page, over UDP."""

import asyncio
from ipaddress import IPv4Address
from types import TracebackType
from typing import Any, Final, Self

from doorstep.errors import UnavailableError
from doorstep.onboarding.captive.dns import answer

__all__ = ["CaptiveDns"]

DNS_PORT: Final = 53


class CaptiveDns:
    """Answers every name with the board while entered; ``port`` is known once entered."""

    def __init__(self, board: IPv4Address, *, host: str = "", port: int = DNS_PORT) -> None:
        """Listen on ``host``, by default the board's own address; ``port`` 0 takes a free one."""
        self._board = board
        self._address = host or str(board), port
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        """Listen; raises `UnavailableError` where the port is taken."""
        host, port = self._address
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Server(self._board), local_addr=(host, port)
            )
        except OSError as error:
            raise UnavailableError(
                f"The board's name server cannot listen on {host} port {port}: {error.strerror}.",
                next_step="Stop what uses the port, often systemd-resolved or dnsmasq, on that address.",
            ) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering."""
        if self._transport is not None:
            self._transport.close()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._transport is None:
            raise UnavailableError("the board's name server is not running")
        return int(self._transport.get_extra_info("sockname")[1])


class _Server(asyncio.DatagramProtocol):
    def __init__(self, board: IPv4Address) -> None:
        self._board = board
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        reply = answer(data, self._board)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)
