"""The board's name server: a `Door` beside its page, over UDP."""

import asyncio
from ipaddress import IPv4Address
from typing import Any, Final, Self

from doorstep.device.datagrams import DatagramServer
from doorstep.errors import UnavailableError
from doorstep.onboarding.captive.dns import answer

__all__ = ["CaptiveDns"]

DNS_PORT: Final = 53


class CaptiveDns(DatagramServer):
    """Answers every name with the board while entered; ``port`` is known once entered."""

    def __init__(self, board: IPv4Address, *, host: str = "", port: int = DNS_PORT) -> None:
        """Listen on ``host``, by default the board's own address; ``port`` 0 takes a free one."""
        super().__init__()
        self._board = board
        self._address = host or str(board), port

    async def __aenter__(self) -> Self:
        """Listen; raises `UnavailableError` where the port is taken."""
        host, port = self._address
        loop = asyncio.get_running_loop()
        try:
            await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        except OSError as error:
            raise UnavailableError(
                f"The board's name server cannot listen on {host} port {port}: {error.strerror}.",
                next_step="Stop what uses the port, often systemd-resolved or dnsmasq, on that address.",
            ) from None
        return self

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._transport is None:
            raise UnavailableError("the board's name server is not running")
        return int(self._transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Answer one question; what is none is ignored."""
        answered = answer(data, self._board)
        if answered is not None:
            self.reply(answered, addr)
