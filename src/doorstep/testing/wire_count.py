"""Relays on the loopback address that count what goes by: bytes, and who spoke in turn."""

import asyncio
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, cast

__all__ = ["TcpRelay", "UdpRelay", "Wire", "tls_records"]

_CHUNK: Final = 65536
_RECORD_HEADER: Final = 5


@dataclass(slots=True)
class Wire:
    """What went by, in order: true for up (to the server), and the bytes."""

    pieces: list[tuple[bool, bytes]] = field(default_factory=list)

    @property
    def up(self) -> int:
        """Bytes to the server."""
        return sum(len(data) for is_up, data in self.pieces if is_up)

    @property
    def both(self) -> int:
        """Bytes in both directions."""
        return sum(len(data) for _, data in self.pieces)

    @property
    def flights(self) -> int:
        """How often the device spoke: what it sends without hearing anything counts as one."""
        return sum(is_up for is_up, _ in groupby(self.pieces, key=lambda piece: piece[0]))

    def stream(self, *, up: bool) -> bytes:
        """Return everything of one direction."""
        return b"".join(data for is_up, data in self.pieces if is_up is up)


def tls_records(stream: bytes) -> list[tuple[int, int]]:
    """Return type and bytes, header included, of each whole TLS record (RFC 8446 section 5.1)."""
    found, at = [], 0
    while at + _RECORD_HEADER <= len(stream):
        length = _RECORD_HEADER + int.from_bytes(stream[at + 3 : at + 5], "big")
        found.append((stream[at], length))
        at += length
    return found


class TcpRelay:
    """Use as an asynchronous context manager: passes connections on to a port, and counts."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.wire = Wire()
        self.port = 0

    async def __aenter__(self) -> "TcpRelay":  # noqa: PYI034 - nobody inherits from it
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            await asyncio.gather(
                self._pass(reader, far_writer, up=True), self._pass(far_reader, writer, up=False)
            )
        except (OSError, asyncio.CancelledError):
            pass  # one side hung up hard, or the bench is over
        finally:
            for end in (writer, far_writer):
                end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        while data := await reader.read(_CHUNK):
            self.wire.pieces.append((up, data))
            writer.write(data)
            await writer.drain()
        writer.close()


class UdpRelay(asyncio.DatagramProtocol):
    """Use as an asynchronous context manager: passes one client's datagrams on to a port, and counts."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._client: object = None
        self.wire = Wire()
        self.port = 0

    async def __aenter__(self) -> "UdpRelay":  # noqa: PYI034 - nobody inherits from it
        """Listen."""
        loop = asyncio.get_running_loop()
        self._near, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._far, _ = await loop.create_datagram_endpoint(
            lambda: _Back(self), remote_addr=("127.0.0.1", self._to)
        )
        self.port = self._near.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        self._near.close()
        self._far.close()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """See asyncio."""
        self._client = addr
        self.wire.pieces.append((True, data))
        self._far.sendto(data)

    def send_back(self, data: bytes) -> None:
        """Pass an answer to the client."""
        self.wire.pieces.append((False, data))
        self._near.sendto(data, cast("tuple[str, int]", self._client))


class _Back(asyncio.DatagramProtocol):
    def __init__(self, relay: UdpRelay) -> None:
        self._relay = relay

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        self._relay.send_back(data)
