"""Frames of Wi-Fi Easy Connect (DPP) over TCP, and their attributes.

Wi-Fi Easy Connect Specification §8: an attribute is a little-endian id, a length and a value. Over TCP each
frame is a public action frame without its category octet, behind a big-endian length.
"""

import enum
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage

__all__ = [
    "MAX_FRAME",
    "TCP_PORT",
    "ActionFrame",
    "Attribute",
    "Attributes",
    "FrameReader",
    "FrameType",
    "GasRequest",
    "GasResponse",
    "Message",
    "decode_message",
    "encode_attributes",
    "encode_frame",
]

TCP_PORT: Final = 8908
MAX_FRAME: Final = 8192
"""Octets of one frame: a configuration with a connector takes about 1500."""
MAX_ATTRIBUTES: Final = 32
LENGTH_SIZE: Final = 4
HEADER_SIZE: Final = 4
OUI: Final = bytes.fromhex("506f9a1a")
"""The Wi-Fi Alliance and its type DPP."""
CRYPTO_SUITE: Final = 1
PROTOCOL: Final = bytes.fromhex("6c087fdd05") + OUI + b"\x01"
"""The GAS advertisement protocol element that names DPP's configuration protocol."""
ACTION_HEADER: Final = len(OUI) + 2


class Action(enum.IntEnum):
    """Public actions (IEEE 802.11 §9.6.7.1) that carry Easy Connect."""

    VENDOR_SPECIFIC = 9
    GAS_REQUEST = 10
    GAS_RESPONSE = 11


class FrameType(enum.IntEnum):
    """The action frames that we speak."""

    AUTHENTICATION_REQUEST = 0
    AUTHENTICATION_RESPONSE = 1
    AUTHENTICATION_CONFIRM = 2
    CONFIGURATION_RESULT = 11
    PRESENCE_ANNOUNCEMENT = 13


class Attribute(enum.IntEnum):
    """The attributes that we read or write; any other is skipped, as the specification asks."""

    STATUS = 0x1000
    INITIATOR_KEY_HASH = 0x1001
    RESPONDER_KEY_HASH = 0x1002
    INITIATOR_PROTOCOL_KEY = 0x1003
    WRAPPED_DATA = 0x1004
    INITIATOR_NONCE = 0x1005
    INITIATOR_CAPABILITIES = 0x1006
    RESPONDER_NONCE = 0x1007
    RESPONDER_CAPABILITIES = 0x1008
    RESPONDER_PROTOCOL_KEY = 0x1009
    INITIATOR_TAG = 0x100A
    RESPONDER_TAG = 0x100B
    CONFIGURATION = 0x100C
    REQUEST = 0x100E
    ENROLLEE_NONCE = 0x1014
    PROTOCOL_VERSION = 0x1019


@dataclass(frozen=True, slots=True)
class Attributes:
    """A run of attributes as it came, with the octets that stood before the wrapped ones."""

    items: tuple[tuple[int, bytes], ...]
    before_wrapped: bytes

    @classmethod
    def decode(cls, body: bytes) -> "Attributes":
        """Read a run; raises `MalformedMessage` on a cut one, or where anything follows wrapped data."""
        items: list[tuple[int, bytes]] = []
        before = body
        at = 0
        while at < len(body):
            if items and items[-1][0] == Attribute.WRAPPED_DATA:
                raise MalformedMessage("something follows the wrapped data of an Easy Connect frame")
            if len(items) == MAX_ATTRIBUTES:
                raise MalformedMessage(f"an Easy Connect frame has more than {MAX_ATTRIBUTES} attributes")
            number, value = _attribute_at(body, at)
            if number == Attribute.WRAPPED_DATA:
                before = body[:at]
            items.append((number, value))
            at += HEADER_SIZE + len(value)
        return cls(tuple(items), before)

    def find(self, attribute: Attribute) -> bytes | None:
        """Return the first value of that id, None where there is none."""
        return next((value for number, value in self.items if number == attribute), None)

    def get(self, attribute: Attribute, size: int | None = None) -> bytes:
        """Return the value; raises `MalformedMessage` where it is missing or not ``size`` octets long."""
        value = self.find(attribute)
        if value is None or (size is not None and len(value) != size):
            raise MalformedMessage(f"an Easy Connect frame has no usable {attribute.name.lower()}")
        return value


@dataclass(frozen=True, slots=True)
class ActionFrame:
    """One public action frame; ``body`` is its attributes."""

    kind: FrameType
    body: bytes

    @property
    def header(self) -> bytes:
        """The six octets from the OUI to the type, which wrapped data are bound to."""
        return OUI + bytes((CRYPTO_SUITE, self.kind))


@dataclass(frozen=True, slots=True)
class GasRequest:
    """The enrollee asks for its configuration."""

    token: int
    query: bytes


@dataclass(frozen=True, slots=True)
class GasResponse:
    """The configurator's answer to the request with that token."""

    token: int
    query: bytes


Message = ActionFrame | GasRequest | GasResponse


def encode_attributes(items: Iterable[tuple[Attribute, bytes]]) -> bytes:
    """Return the run of attributes in the order given."""
    return b"".join(struct.pack("<HH", number, len(value)) + value for number, value in items)


def encode_frame(message: Message) -> bytes:
    """Return the frame with its length, ready for the wire."""
    body = _encode(message)
    return len(body).to_bytes(LENGTH_SIZE) + body


def decode_message(body: bytes) -> Message:
    """Read one frame without its length; raises `MalformedMessage`."""
    if not 1 <= len(body) <= MAX_FRAME:
        raise MalformedMessage(f"an Easy Connect frame has 1 to {MAX_FRAME} octets")
    match body[0]:
        case Action.VENDOR_SPECIFIC:
            return _decode_action(body[1:])
        case Action.GAS_REQUEST:
            return GasRequest(*_decode_query(body[1:], 0))
        case Action.GAS_RESPONSE:
            return GasResponse(*_decode_query(body[1:], 4))
        case other:
            raise MalformedMessage(f"an Easy Connect frame has the unknown action {other}")


class FrameReader:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> Iterator[Message]:
        """Yield each frame that is whole; raises `MalformedMessage` on one that is too long or wrong."""
        self._rest += octets
        while len(self._rest) >= LENGTH_SIZE:
            size = int.from_bytes(self._rest[:LENGTH_SIZE])
            if size > MAX_FRAME:
                raise MalformedMessage(f"an Easy Connect frame claims {size} octets, more than {MAX_FRAME}")
            if len(self._rest) < LENGTH_SIZE + size:
                return
            body, self._rest = (
                self._rest[LENGTH_SIZE : LENGTH_SIZE + size],
                self._rest[LENGTH_SIZE + size :],
            )
            yield decode_message(body)


def _attribute_at(body: bytes, at: int) -> tuple[int, bytes]:
    if len(body) - at < HEADER_SIZE:
        raise MalformedMessage("an Easy Connect attribute is cut")
    number, size = struct.unpack_from("<HH", body, at)
    start = at + HEADER_SIZE
    if start + size > len(body):
        raise MalformedMessage("an Easy Connect attribute is longer than its frame")
    return number, body[start : start + size]


def _encode(message: Message) -> bytes:
    if isinstance(message, ActionFrame):
        return bytes((Action.VENDOR_SPECIFIC,)) + message.header + message.body
    if isinstance(message, GasRequest):
        return bytes((Action.GAS_REQUEST, message.token)) + _encode_query(message.query)
    return bytes((Action.GAS_RESPONSE, message.token)) + bytes(4) + _encode_query(message.query)


def _encode_query(query: bytes) -> bytes:
    return PROTOCOL + struct.pack("<H", len(query)) + query


def _decode_action(body: bytes) -> ActionFrame:
    if len(body) < ACTION_HEADER or not body.startswith(OUI):
        raise MalformedMessage("an action frame is not Easy Connect's")
    suite, kind = body[len(OUI) : ACTION_HEADER]
    if suite != CRYPTO_SUITE:
        raise MalformedMessage(f"an Easy Connect frame has the unknown crypto suite {suite}")
    try:
        return ActionFrame(FrameType(kind), body[ACTION_HEADER:])
    except ValueError:
        raise MalformedMessage(f"an Easy Connect frame has the unsupported type {kind}") from None


def _decode_query(body: bytes, extra: int) -> tuple[int, bytes]:
    """Return token and query; ``extra`` octets between token and protocol, status and delay, are 0."""
    start = 1 + extra + len(PROTOCOL)
    if len(body) < start + 2:
        raise MalformedMessage("an Easy Connect query is cut")
    if any(body[1 : 1 + extra]) or body[1 + extra : start] != PROTOCOL:
        raise MalformedMessage("a query is not Easy Connect's, was refused, or is put off")
    (size,) = struct.unpack_from("<H", body, start)
    query = body[start + 2 :]
    if len(query) != size:
        raise MalformedMessage("an Easy Connect query does not have the length that it claims")
    return body[0], query
