"""A raw MQTT 3.1.1 client that shows what goes over the wire, for tests and load."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ACCEPTED",
    "SUBSCRIBE_REFUSED",
    "MqttClient",
    "connect_packet",
    "open_client",
    "publish_packet",
    "subscribe_packet",
]

ACCEPTED: Final = 0
"""CONNACK return code, [MQTT-3.2.2]."""
SUBSCRIBE_REFUSED: Final = 0x80
"""SUBACK return code, [MQTT-3.9.3]."""

_TIMEOUT_S: Final = 15.0
_Answer = TypeVar("_Answer")


def connect_packet(
    client_id: str, username: str | None = None, password: str | None = None, *, clean: bool = True
) -> bytes:
    """Return CONNECT with a keep-alive of a minute."""
    flags = (
        (2 if clean else 0) | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    )
    body = _string("MQTT") + bytes((4, flags)) + (60).to_bytes(2, "big") + _string(client_id)
    body += b"".join(_string(text) for text in (username, password) if text is not None)
    return _packet(0x10, body)


def publish_packet(topic: str, payload: bytes, packet_id: int = 0, *, retain: bool = False) -> bytes:
    """Return PUBLISH: QoS 1 with a packet id, else QoS 0."""
    qos = 1 if packet_id else 0
    identifier = packet_id.to_bytes(2, "big") if qos else b""
    return _packet(0x30 | qos << 1 | retain, _string(topic) + identifier + payload)


def subscribe_packet(pattern: str, qos: int = 0, packet_id: int = 1) -> bytes:
    """Return SUBSCRIBE with one pattern."""
    return _packet(0x82, packet_id.to_bytes(2, "big") + _string(pattern) + bytes((qos,)))


class MqttClient(asyncio.Protocol):
    """One connection. Acknowledgements go to ``on_puback``; other answers wait to be asked for."""

    def __init__(self) -> None:
        self.on_puback: Callable[[int], None] = lambda _: None
        self.received: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport
        self._answers: asyncio.Queue[int] = asyncio.Queue()
        self._buffer = b""
        self._last_id = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """See asyncio.Protocol."""
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take whole packets out of what came."""
        buffer, at = self._buffer + data, 0
        while (taken := _next_packet(buffer, at)) is not None:
            start, end = taken
            self._handle(buffer[at], buffer[start:end])
            at = end
        self._buffer = buffer[at:]

    async def connect(
        self, client_id: str, username: str | None = None, password: str | None = None, *, clean: bool = True
    ) -> int:
        """Return the CONNACK code, or raise ConnectionError when the broker hangs up instead."""
        self.transport.write(connect_packet(client_id, username, password, clean=clean))
        return await self._answer()

    async def subscribe(self, pattern: str, qos: int = 0) -> int:
        """Return the SUBACK code."""
        self.transport.write(subscribe_packet(pattern, qos))
        return await self._answer()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the acknowledgement; raise ConnectionError without one."""
        self._last_id = self._last_id % 65535 + 1
        wanted, acknowledged = self._last_id, asyncio.get_running_loop().create_future()
        before = self.on_puback
        self.on_puback = lambda number: acknowledged.set_result(None) if number == wanted else before(number)
        try:
            self.transport.write(publish_packet(topic, payload, wanted, retain=retain))
            await self._unless_lost(acknowledged)
        finally:
            self.on_puback = before

    async def next_message(self, timeout: float = 5.0) -> tuple[str, bytes]:  # noqa: ASYNC109 - a test's patience
        """Return topic and payload of the next delivery; raise TimeoutError."""
        return await asyncio.wait_for(self.received.get(), timeout)

    def close(self) -> None:
        """Say goodbye and close."""
        self.transport.write(b"\xe0\x00")
        self.transport.close()

    def _handle(self, first: int, body: bytes) -> None:
        match first >> 4:
            case 4:  # PUBACK
                self.on_puback(int.from_bytes(body[:2], "big"))
            case 2 | 9:  # CONNACK, SUBACK: the code stands last
                self._answers.put_nowait(body[-1])
            case 3:  # PUBLISH
                self._deliver(first, body)
            case _:  # nothing else that we ask for
                pass

    def _deliver(self, first: int, body: bytes) -> None:
        length = int.from_bytes(body[:2], "big")
        topic, at = body[2 : 2 + length].decode(), 2 + length
        if first & 6:
            self.transport.write(b"\x40\x02" + body[at : at + 2])
            at += 2
        self.received.put_nowait((topic, body[at:]))

    async def _answer(self) -> int:
        waiting = asyncio.ensure_future(self._answers.get())
        return await self._unless_lost(waiting)

    async def _unless_lost(self, waiting: "asyncio.Future[_Answer]") -> _Answer:
        both: set[asyncio.Future[Any]] = {waiting, self.lost}
        try:
            await asyncio.wait(both, timeout=_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
        finally:
            waiting.cancel()
        raise ConnectionError("the broker closed the connection" if self.lost.done() else "no answer")


async def open_client(port: int, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> MqttClient:
    """Return a client with an open connection, not yet CONNECTed."""
    _, client = await asyncio.get_running_loop().create_connection(
        MqttClient, host, port, ssl=tls, server_hostname="localhost" if tls else None
    )
    return client


def _next_packet(buffer: bytes, at: int) -> tuple[int, int] | None:
    """Return where the body of the packet at ``at`` starts and ends, or None when it is not whole."""
    length, shift, position = 0, 0, at + 1
    while position < len(buffer):
        byte = buffer[position]
        length |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return (position, position + length) if position + length <= len(buffer) else None
    return None


def _packet(first: int, body: bytes) -> bytes:
    length, encoded = len(body), b""
    while True:
        length, byte = length >> 7, length & 0x7F
        encoded += bytes((byte | (0x80 if length else 0),))
        if not length:
            return bytes((first,)) + encoded + body


def _string(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded
