"""Gives phones their address on the board's access point."""

import asyncio
import logging
import socket
import time
from ipaddress import IPv4Address, IPv4Interface
from typing import Final, Self

from doorstep.device.datagrams import DatagramServer
from doorstep.device.wifi.leases import Leases
from doorstep.errors import MalformedMessage, UnavailableError
from doorstep.wire.dhcp import DhcpKind, DhcpMessage, decode_dhcp, encode_dhcp

__all__ = ["DhcpServer"]

SERVER_PORT: Final = 67
CLIENT_PORT: Final = 68
EVERYBODY: Final = "255.255.255.255"

log = logging.getLogger(__name__)


class DhcpServer(DatagramServer):
    """Answers on one interface while entered; needs CAP_NET_BIND_SERVICE and CAP_NET_RAW."""

    def __init__(self, interface: str, own: IPv4Interface, portal: str = "") -> None:
        """``own`` is the address that the interface has; ``portal`` is told in option 114."""
        super().__init__()
        self._interface = interface
        self._leases = Leases(own, portal)

    async def __aenter__(self) -> Self:
        """Listen; raises UnavailableError where that is not allowed or another server does."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=self._bound())
        return self

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Answer one message; what is none is ignored."""
        del addr
        try:
            answer = self._leases.answer(decode_dhcp(data), time.monotonic())
        except MalformedMessage:
            return
        if answer is not None:
            self.reply(encode_dhcp(answer), (_destination(answer), CLIENT_PORT))

    def error_received(self, exc: Exception) -> None:
        """Go on: the phone asks again."""
        log.debug("a DHCP answer could not be sent: %s", exc)

    def _bound(self) -> socket.socket:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
            server.bind(("", SERVER_PORT))
        except OSError as error:
            server.close()
            raise UnavailableError(
                f"Phones cannot be given addresses on {self._interface}: {error.strerror}.",
                next_step="Run the agent as root, or with CAP_NET_BIND_SERVICE and CAP_NET_RAW, and no other "
                "DHCP server on that interface.",
            ) from None
        return server


def _destination(reply: DhcpMessage) -> str:
    """Say it to all unless the phone has an address: one without could not be asked for its MAC address."""
    if reply.kind is DhcpKind.NAK or reply.client == IPv4Address(0):
        return EVERYBODY
    return str(reply.client)
