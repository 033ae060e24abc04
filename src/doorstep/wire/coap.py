"""CoAP messages (RFC 7252 section 3): datagrams <-> values. One byte form per value, also of the options."""

import enum
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage

__all__ = [
    "MAX_DATAGRAM",
    "MAX_OPTIONS",
    "MAX_OPTION_VALUE",
    "MAX_TOKEN",
    "Code",
    "Kind",
    "Message",
    "Option",
    "decode",
    "encode",
]

MAX_DATAGRAM: Final = 1152
"""Bytes of one datagram (section 4.6): a payload of 1,024 and the rest."""

MAX_TOKEN: Final = 8
MAX_OPTIONS: Final = 24
MAX_OPTION_VALUE: Final = 255

_VERSION: Final = 1
_HEADER: Final = 4
_MARKER: Final = 0xFF
_ONE_MORE, _TWO_MORE, _RESERVED = 13, 14, 15  # nibbles of section 3.1
_TWO_MORE_BASE: Final = 269
_MAX_NUMBER: Final = 0xFFFF


class Kind(enum.IntEnum):
    """The message's type (section 3)."""

    CONFIRMABLE = 0  # sent again until it is acknowledged
    NON_CONFIRMABLE = 1  # sent once
    ACKNOWLEDGEMENT = 2  # of a confirmable one, mostly with the answer in it
    RESET = 3  # "I can't make sense of it", and the answer to a ping


class Code(enum.IntEnum):
    """The codes of section 12.1 that a gateway says or hears; others stay numbers."""

    EMPTY = 0x00
    GET = 0x01
    POST = 0x02
    PUT = 0x03
    CHANGED = 0x44  # 2.04
    CONTENT = 0x45  # 2.05
    BAD_REQUEST = 0x80  # 4.00
    BAD_OPTION = 0x82  # 4.02
    FORBIDDEN = 0x83  # 4.03
    NOT_FOUND = 0x84  # 4.04
    METHOD_NOT_ALLOWED = 0x85  # 4.05
    TOO_LARGE = 0x8D  # 4.13
    UNAVAILABLE = 0xA3  # 5.03
    PROXYING_NOT_SUPPORTED = 0xA5  # 5.05


class Option(enum.IntEnum):
    """Option numbers (section 12.2, RFC 7959 section 6); odd ones are critical."""

    URI_HOST = 3
    URI_PORT = 7
    URI_PATH = 11
    CONTENT_FORMAT = 12
    MAX_AGE = 14
    ACCEPT = 17
    BLOCK1 = 27
    PROXY_URI = 35
    PROXY_SCHEME = 39
    SIZE1 = 60


@dataclass(frozen=True, slots=True)
class Message:
    """One datagram. ``options`` are in ascending order of their numbers, as they travel."""

    kind: Kind
    code: int
    message_id: int
    token: bytes = b""
    options: tuple[tuple[int, bytes], ...] = ()
    payload: bytes = field(default=b"", repr=False)

    def values(self, number: int) -> tuple[bytes, ...]:
        """Return every value of an option, in order."""
        return tuple(value for option, value in self.options if option == number)


def encode(message: Message) -> bytes:
    """Return the datagram; a payload of no bytes leaves out its marker."""
    head = bytes((_VERSION << 6 | message.kind << 4 | len(message.token), message.code))
    options, before = b"", 0
    for number, value in message.options:
        options += _option(number - before, value)
        before = number
    body = bytes((_MARKER,)) + message.payload if message.payload else b""
    return head + message.message_id.to_bytes(2, "big") + message.token + options + body


def decode(datagram: bytes) -> Message:
    """Take a datagram apart; raises MalformedMessage for a format error of section 3 or an exceeded cap."""
    if not _HEADER <= len(datagram) <= MAX_DATAGRAM:
        raise MalformedMessage(f"a CoAP message has {_HEADER} to {MAX_DATAGRAM} bytes, not {len(datagram)}")
    first, code, message_id = datagram[0], datagram[1], int.from_bytes(datagram[2:4], "big")
    if first >> 6 != _VERSION:
        raise MalformedMessage(f"this is no CoAP of version {_VERSION}")
    kind, length = Kind(first >> 4 & 3), first & 0x0F
    end = _HEADER + length
    if length > MAX_TOKEN or end > len(datagram):
        raise MalformedMessage(f"a CoAP token has at most {MAX_TOKEN} bytes, all of them there")
    if code == Code.EMPTY and len(datagram) > _HEADER:
        raise MalformedMessage("an empty CoAP message has nothing behind its header")
    options, at = _options(datagram, end)
    payload = datagram[at + 1 :]
    if at < len(datagram) and not payload:
        raise MalformedMessage("a CoAP payload marker has a payload behind it")
    return Message(kind, code, message_id, datagram[_HEADER:end], options, payload)


def _option(delta: int, value: bytes) -> bytes:
    (high, more_delta), (low, more_length) = _nibble(delta), _nibble(len(value))
    return bytes((high << 4 | low,)) + more_delta + more_length + value


def _nibble(number: int) -> tuple[int, bytes]:
    if number < _ONE_MORE:
        return number, b""
    if number < _TWO_MORE_BASE:
        return _ONE_MORE, bytes((number - _ONE_MORE,))
    return _TWO_MORE, (number - _TWO_MORE_BASE).to_bytes(2, "big")


def _options(datagram: bytes, at: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """Return the options and where they end: at the payload marker or at the end of the datagram."""
    options: list[tuple[int, bytes]] = []
    number = 0
    while at < len(datagram) and datagram[at] != _MARKER:
        first = datagram[at]
        delta, at = _number(datagram, at + 1, first >> 4)
        length, at = _number(datagram, at, first & 0x0F)
        number += delta
        if length > MAX_OPTION_VALUE or number > _MAX_NUMBER or len(options) == MAX_OPTIONS:
            raise MalformedMessage("a CoAP message has more options, or longer ones, than are taken")
        if at + length > len(datagram):
            raise MalformedMessage("a CoAP option is cut short")
        options.append((number, datagram[at : at + length]))
        at += length
    return tuple(options), at


def _number(datagram: bytes, at: int, nibble: int) -> tuple[int, int]:
    if nibble < _ONE_MORE:
        return nibble, at
    if nibble == _RESERVED:
        raise MalformedMessage("a CoAP option uses a reserved number")
    width = nibble - _ONE_MORE + 1
    if at + width > len(datagram):
        raise MalformedMessage("a CoAP option is cut short")
    base = _ONE_MORE if nibble == _ONE_MORE else _TWO_MORE_BASE
    return base + int.from_bytes(datagram[at : at + width], "big"), at + width
