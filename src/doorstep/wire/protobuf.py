"""Proto3 fields, read strictly and written canonically; no schema, no reflection.

Unknown fields are skipped, as proto3 demands. Stricter than proto3 on purpose: a varint has one
byte form, a singular field comes once, a known field has its wire type, and groups do not exist.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from doorstep.errors import MalformedMessage

__all__ = ["Fields", "parse", "put_int", "put_message", "put_octets", "put_uint"]

VARINT, FIXED64, OCTETS, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BYTES = 10
MORE = 0x80
MAX_FIELD_NUMBER = 2**29 - 1
UINT32_MAX = 2**32 - 1
INT32_MAX = 2**31 - 1
_WORD = 2**64


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one message by number; absent scalars read as their proto3 default."""

    values: Mapping[int, tuple[int | bytes, ...]]

    def has(self, number: int) -> bool:
        """Tell whether the field is on the wire at all."""
        return number in self.values

    def uint(self, number: int, *, most: int = UINT32_MAX) -> int:
        """Return an unsigned integer, enum or bool of at most ``most``."""
        value = self._one(number, 0)
        if not isinstance(value, int):
            raise MalformedMessage(f"field {number} should be a number")
        if value > most:
            raise MalformedMessage(f"field {number} is {value}, more than {most}")
        return value

    def int32(self, number: int) -> int:
        """Return a signed 32-bit integer."""
        value = self.uint(number, most=_WORD - 1)
        signed = value - _WORD if value >= _WORD // 2 else value
        if not -INT32_MAX - 1 <= signed <= INT32_MAX:
            raise MalformedMessage(f"field {number} is not a 32-bit integer")
        return signed

    def octets(self, number: int, *, most: int) -> bytes:
        """Return a byte string of at most ``most`` bytes."""
        value = self._one(number, b"")
        if isinstance(value, int):
            raise MalformedMessage(f"field {number} should be bytes")
        if len(value) > most:
            raise MalformedMessage(f"field {number} has {len(value)} bytes, more than {most}")
        return value

    def text(self, number: int, *, most: int) -> str:
        """Return UTF-8 text of at most ``most`` bytes."""
        try:
            return self.octets(number, most=most).decode()
        except UnicodeDecodeError:
            raise MalformedMessage(f"field {number} is not UTF-8") from None

    def message(self, number: int) -> "Fields":
        """Return an embedded message; an absent one raises, because its sender forgot it."""
        if not self.has(number):
            raise MalformedMessage(f"message {number} is missing")
        value = self._one(number, b"")
        if isinstance(value, int):
            raise MalformedMessage(f"field {number} should be a message")
        return _fields(value)

    def messages(self, number: int) -> tuple["Fields", ...]:
        """Return every embedded message of a repeated field."""
        found = self.values.get(number, ())
        if not all(isinstance(value, bytes) for value in found):
            raise MalformedMessage(f"field {number} should be messages")
        return tuple(_fields(value) for value in found if isinstance(value, bytes))

    def _one(self, number: int, default: int | bytes) -> int | bytes:
        found = self.values.get(number, (default,))
        if len(found) > 1:
            raise MalformedMessage(f"field {number} comes {len(found)} times")
        return found[0]


def parse(data: bytes, *, most: int) -> Fields:
    """Read one message of at most ``most`` bytes; raise `MalformedMessage` on anything else."""
    if len(data) > most:
        raise MalformedMessage(f"message has {len(data)} bytes, more than {most}")
    return _fields(data)


def put_uint(number: int, value: int, *, explicit: bool = False) -> bytes:
    """Write an unsigned integer; zero only if ``explicit``, as members of a oneof are."""
    if value == 0 and not explicit:
        return b""
    return _tag(number, VARINT) + _varint(value)


def put_int(number: int, value: int) -> bytes:
    """Write a signed integer in proto3's ten-byte two's complement."""
    return put_uint(number, value % _WORD)


def put_octets(number: int, value: bytes) -> bytes:
    """Write a byte string, unless it is empty."""
    return put_message(number, value) if value else b""


def put_message(number: int, body: bytes) -> bytes:
    """Write an embedded message, also an empty one."""
    return _tag(number, OCTETS) + _varint(len(body)) + body


def _fields(data: bytes) -> Fields:
    values: dict[int, tuple[int | bytes, ...]] = {}
    for number, value in _read(data):
        values[number] = (*values.get(number, ()), value)
    return Fields(values)


def _read(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 1 <= number <= MAX_FIELD_NUMBER:
            raise MalformedMessage(f"field number {number} does not exist")
        if kind == VARINT:
            value, at = _read_varint(data, at)
            yield number, value
            continue
        size, at = _size(kind, data, at)
        if size > len(data) - at:
            raise MalformedMessage(f"field {number} ends after the message")
        yield number, data[at : at + size]
        at += size


def _size(kind: int, data: bytes, at: int) -> tuple[int, int]:
    if kind == OCTETS:
        return _read_varint(data, at)
    if kind == FIXED64:
        return 8, at
    if kind == FIXED32:
        return 4, at
    raise MalformedMessage(f"wire type {kind} does not exist in proto3")


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[at : at + MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < MORE:
            if value >= _WORD or (index and not byte):
                raise MalformedMessage("a varint is longer than its number needs")
            return value, at + index + 1
    raise MalformedMessage("a varint is cut off or never ends")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= MORE:
        out.append(value & 0x7F | MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)
