"""The part of MQTT 3.1.1 that a gateway speaks to its children: packets <-> values, as seen by the server.

Taken from clients: CONNECT without a will, PUBLISH of QoS 0 and 1, SUBSCRIBE, UNSUBSCRIBE, PINGREQ,
DISCONNECT. Everything else is refused. Section numbers are those of the OASIS standard.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from doorstep.errors import MalformedMessage, ProtocolViolation

__all__ = [
    "MAX_FILTERS",
    "MAX_PACKET",
    "PINGRESP",
    "Connect",
    "Disconnect",
    "Packet",
    "Ping",
    "Publish",
    "Reader",
    "Subscribe",
    "Unsubscribe",
    "connack",
    "decode",
    "encode_publish",
    "puback",
    "suback",
    "unsuback",
]

MAX_PACKET: Final = 4_608
"""Bytes behind the fixed header: a sealed message of the longest kind, and its topic."""

MAX_FILTERS: Final = 8
"""Topic filters of one SUBSCRIBE."""

PINGRESP: Final = b"\xd0\x00"

_MAX_LENGTH_BYTES: Final = 4
_CONTINUES: Final = 0x80
_USERNAME, _PASSWORD, _WILL, _RESERVED = 0x80, 0x40, 0x3C, 0x01  # CONNECT flags, section 3.1.2.3
_CLEAN: Final = 0x02


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT (3.1)."""

    client_id: str
    keepalive_s: int
    clean: bool = True
    username: str = ""
    password: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH (3.3) of QoS 0, which has no packet id, or 1."""

    topic: str
    payload: bytes = field(repr=False)
    packet_id: int | None = None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE (3.8)."""

    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE (3.10)."""

    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """PINGREQ (3.12)."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """DISCONNECT (3.14)."""


Packet: TypeAlias = Connect | Publish | Subscribe | Unsubscribe | Ping | Disconnect


class Reader:
    """Collects a connection's bytes and gives whole packets; raises as `decode`, and is of no use then."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """Take bytes and return the packets that are whole now."""
        self._buffer += data
        packets = []
        while (found := self._next()) is not None:
            first, start, end = found
            packets.append(decode(first, bytes(self._buffer[start:end])))
            del self._buffer[:end]
        return packets

    def _next(self) -> tuple[int, int, int] | None:
        length = 0
        for index in range(_MAX_LENGTH_BYTES):
            if len(self._buffer) < index + 2:
                return None
            byte = self._buffer[index + 1]
            length |= (byte & ~_CONTINUES & 0xFF) << 7 * index
            if length > MAX_PACKET:
                break
            if not byte & _CONTINUES:
                end = index + 2 + length
                return (self._buffer[0], index + 2, end) if len(self._buffer) >= end else None
        raise MalformedMessage(f"an MQTT packet has at most {MAX_PACKET} bytes here")


def decode(first: int, body: bytes) -> Packet:
    """Return the packet of a fixed header's first byte and what follows its length.

    Raises MalformedMessage for other bytes than the standard's, and ProtocolViolation for what is not taken.
    """
    match first:
        case 0x10:
            return _connect(_Fields(body))
        case 0x82:
            return _subscribe(_Fields(body))
        case 0xA2:
            return _unsubscribe(_Fields(body))
        case 0xC0 | 0xE0:
            if body:
                raise MalformedMessage("PINGREQ and DISCONNECT have no content")
            return Ping() if first == 0xC0 else Disconnect()  # noqa: PLR2004 - the case above
        case _ if first >> 4 == 3:  # noqa: PLR2004 - PUBLISH, section 2.2.1
            return _publish(first, _Fields(body))
        case _:
            raise ProtocolViolation(f"an MQTT packet 0x{first:02x} is not taken from a client here")


def connack(code: int) -> bytes:
    """Return a CONNACK (3.2) without a stored session."""
    return bytes((0x20, 2, 0, code))


def puback(packet_id: int) -> bytes:
    """Return a PUBACK (3.4)."""
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def suback(packet_id: int, codes: bytes) -> bytes:
    """Return a SUBACK (3.9) with one return code for each filter."""
    return bytes((0x90, 2 + len(codes))) + packet_id.to_bytes(2, "big") + codes


def unsuback(packet_id: int) -> bytes:
    """Return an UNSUBACK (3.11)."""
    return b"\xb0\x02" + packet_id.to_bytes(2, "big")


def encode_publish(topic: str, payload: bytes) -> bytes:
    """Return a PUBLISH of QoS 0."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + payload
    length, encoded = len(body), b""
    while True:
        length, byte = length >> 7, length & 0x7F
        encoded += bytes((byte | (_CONTINUES if length else 0),))
        if not length:
            return b"\x30" + encoded + body


def _connect(fields: "_Fields") -> Connect:
    if fields.data() != b"MQTT" or fields.byte() != 4:  # noqa: PLR2004 - the level of 3.1.1
        raise MalformedMessage("only MQTT 3.1.1 is spoken here")
    flags = fields.byte()
    if flags & _RESERVED or flags & (_USERNAME | _PASSWORD) == _PASSWORD:
        raise MalformedMessage("a CONNECT has flags that the standard forbids")
    if flags & _WILL:
        raise ProtocolViolation("a CONNECT with a will is not taken here")
    keepalive, client_id = fields.number(), fields.text()
    username = fields.text() if flags & _USERNAME else ""
    password = fields.data() if flags & _PASSWORD else b""
    fields.end()
    return Connect(client_id, keepalive, bool(flags & _CLEAN), username, password)


def _publish(first: int, fields: "_Fields") -> Publish:
    quality = first >> 1 & 3
    if quality > 1:
        raise ProtocolViolation("a PUBLISH has QoS 0 or 1 here")
    if first & 8 and not quality:
        raise MalformedMessage("a PUBLISH of QoS 0 is no duplicate")
    topic = fields.text()
    if not topic or "+" in topic or "#" in topic:
        raise MalformedMessage("a PUBLISH has a topic without wildcards")
    return Publish(topic, packet_id=fields.packet_id() if quality else None, payload=fields.rest())


def _subscribe(fields: "_Fields") -> Subscribe:
    packet_id = fields.packet_id()
    filters: list[str] = []
    while fields.left and len(filters) < MAX_FILTERS:
        filters.append(fields.text())
        if fields.byte() > 2:  # noqa: PLR2004 - QoS, section 3.8.3
            raise MalformedMessage("a SUBSCRIBE asks for a QoS that does not exist")
    fields.end()
    return Subscribe(packet_id, _some(filters))


def _unsubscribe(fields: "_Fields") -> Unsubscribe:
    packet_id = fields.packet_id()
    filters: list[str] = []
    while fields.left and len(filters) < MAX_FILTERS:
        filters.append(fields.text())
    fields.end()
    return Unsubscribe(packet_id, _some(filters))


def _some(filters: list[str]) -> tuple[str, ...]:
    if not filters or not all(filters):
        raise MalformedMessage("a SUBSCRIBE or UNSUBSCRIBE names topic filters")
    return tuple(filters)


class _Fields:
    """Reads a packet's content from the front."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._body) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise MalformedMessage("an MQTT packet is cut short")
        self._at += count
        return self._body[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def packet_id(self) -> int:
        number = self.number()
        if not number:
            raise MalformedMessage("a packet id is not 0")
        return number

    def data(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            text = self.data().decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedMessage("an MQTT text is UTF-8") from None
        if "\0" in text:
            raise MalformedMessage("an MQTT text has no NUL in it")
        return text

    def rest(self) -> bytes:
        return self.take(self.left)

    def end(self) -> None:
        if self.left:
            raise MalformedMessage("an MQTT packet has bytes behind its end")
