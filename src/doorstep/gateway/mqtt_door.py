"""The door for MQTT 3.1.1 (docs/spec/gateway.md section 4).

A child is called by its device id, as at the platform's plain listener. Its password is not looked at: only
the platform could judge it. What it sends is judged there, too.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from doorstep.errors import DoorstepError, PeerError, ProtocolViolation, RefusedError, UnavailableError
from doorstep.gateway.hall import Hall
from doorstep.identity.ids import check_device_id
from doorstep.runtime.tcp import TcpServer
from doorstep.wire.mqtt import (
    PINGRESP,
    Connect,
    Disconnect,
    Packet,
    Ping,
    Publish,
    Reader,
    Subscribe,
    Unsubscribe,
    connack,
    encode_publish,
    puback,
    suback,
    unsuback,
)

__all__ = ["MAX_CONNECTIONS", "MAX_OF_ONE", "MqttDoor"]

_log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 512
"""Connections at once."""

MAX_OF_ONE: Final = 2
"""Connections under one name: a stranger who takes a child's name does not throw the child out."""

_CONNECT_S: Final = 10.0
_LONGEST_SILENCE_S: Final = 600.0
_READ: Final = 8192
_MAX_UNSENT: Final = 64 * 1024
_ACCEPTED, _BAD_ID, _UNAVAILABLE, _NOT_AUTHORIZED = 0, 2, 3, 5  # CONNACK codes, section 3.2.2.3
_REFUSED: Final = 0x80


class MqttDoor(TcpServer):
    """Serves connections, one task each."""

    def __init__(self, hall: Hall, host: str, port: int) -> None:
        super().__init__("MQTT", host, port)
        self._hall = hall
        self._of_one: dict[str, int] = {}

    def admits(self) -> bool:
        """See TcpServer."""
        return len(self._connected) < MAX_CONNECTIONS

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See TcpServer."""
        try:
            await _Connection(self._hall, self._of_one, reader, writer).live()
        except DoorstepError as error:
            _log.info("a connection was closed: %s", error.message)


class _Connection:
    def __init__(
        self,
        hall: Hall,
        of_one: dict[str, int],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._hall = hall
        self._of_one = of_one
        self._reader = reader
        self._writer = writer
        self._packets = Reader()
        self._filters: set[str] = set()
        self._device = ""

    async def live(self) -> None:
        """Serve from CONNECT to the end."""
        first, *rest = await self._read(_CONNECT_S)
        if not isinstance(first, Connect):
            raise ProtocolViolation("a connection begins with CONNECT")
        code = await self._judge(first.client_id)
        self._writer.write(connack(code))
        if code != _ACCEPTED:
            await self._writer.drain()
            return
        self._device = first.client_id
        with self._place():
            await self._writer.drain()
            leave = self._hall.listen(self._device, self._deliver)
            try:
                await self._converse(rest, first.keepalive_s * 1.5 or _LONGEST_SILENCE_S)
            finally:
                leave()

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Count the connection under its name, however it ends."""
        self._of_one[self._device] = self._of_one.get(self._device, 0) + 1
        try:
            yield
        finally:
            self._of_one[self._device] -= 1
            if not self._of_one[self._device]:
                del self._of_one[self._device]

    async def _judge(self, client_id: str) -> int:
        try:
            check_device_id(client_id)
        except PeerError:
            return _BAD_ID
        try:
            await self._hall.relay.admit(client_id)
        except RefusedError:
            return _NOT_AUTHORIZED
        except UnavailableError:
            return _UNAVAILABLE
        return _ACCEPTED if self._of_one.get(client_id, 0) < MAX_OF_ONE else _UNAVAILABLE

    async def _converse(self, packets: list[Packet], silence_s: float) -> None:
        while True:
            await self._take([packet for packet in packets if isinstance(packet, Publish)])
            for packet in packets:
                if isinstance(packet, Disconnect):
                    return
                self._answer(packet)
            await self._writer.drain()
            packets = await self._read(silence_s)

    async def _take(self, sent: Sequence[Publish]) -> None:
        """Return when all that came together is durable; when one is refused, none is acknowledged."""
        up = f"d/{self._device}/up/"
        for publish in sent:
            if not publish.topic.startswith(up):
                raise ProtocolViolation(f"{self._device} publishes on its own topics only")
        await asyncio.gather(
            *(self._hall.take(self._device, one.topic.removeprefix(up), one.payload) for one in sent)
        )

    def _answer(self, packet: Packet) -> None:
        match packet:
            case Publish(packet_id=int(number)):
                self._writer.write(puback(number))
            case Subscribe(packet_id, filters):
                self._writer.write(suback(packet_id, bytes(self._grant(wanted) for wanted in filters)))
            case Unsubscribe(packet_id, filters):
                self._filters.difference_update(filters)
                self._writer.write(unsuback(packet_id))
            case Ping():
                self._writer.write(PINGRESP)
            case Connect():
                raise ProtocolViolation("a second CONNECT")
            case _:
                pass

    def _grant(self, wanted: str) -> int:
        own = f"d/{self._device}/down/"
        rest = wanted.removeprefix(own)
        if rest == wanted or not (rest in {"+", "#"} or rest.isalpha()):
            return _REFUSED
        self._filters.add(wanted)
        return 0

    def _deliver(self, channel: str, message: bytes) -> None:
        own = f"d/{self._device}/down/"
        if not self._filters & {f"{own}+", f"{own}#", own + channel}:
            return
        if self._writer.transport.get_write_buffer_size() > _MAX_UNSENT:
            self._writer.close()  # it does not read, so it can't be helped by waiting
            return
        self._writer.write(encode_publish(own + channel, message))

    async def _read(self, seconds: float) -> list[Packet]:
        """Return the next packets, at least one; raises OSError when the child hung up."""
        while True:
            data = await asyncio.wait_for(self._reader.read(_READ), seconds)
            if not data:
                raise ConnectionResetError("it hung up")
            if packets := self._packets.feed(data):
                return packets
