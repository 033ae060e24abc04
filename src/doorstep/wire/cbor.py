"""Deterministic CBOR: the one byte form of everything Doorstep signs or hashes.

A subset of RFC 8949 under its core deterministic encoding (section 4.2.1): integers, byte and text
strings, booleans, null, arrays, maps with integer or text keys, and tags. No floats, no undefined,
no indefinite lengths. Whatever decodes, encodes to the same bytes again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from doorstep.errors import MalformedMessage, MisuseError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_ITEMS", "Tag", "Value", "decode", "encode"]

MAX_BYTES: Final = 65_536  # of one encoded value, unless the caller names a smaller cap
MAX_DEPTH: Final = 16  # arrays, maps and tags inside each other
MAX_ITEMS: Final = 4_096  # data items in one encoded value, keys counted

_UINT, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)  # major types, RFC 8949 section 3.1
_FALSE, _TRUE, _NULL = 0xF4, 0xF5, 0xF6  # whole items, RFC 8949 section 3.3
_SIMPLES: Final = {_FALSE & 31: False, _TRUE & 31: True, _NULL & 31: None}
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}  # additional information -> bytes of the argument


@dataclass(frozen=True, slots=True)
class Tag:
    """A tagged value (RFC 8949 section 3.4)."""

    number: int
    value: "Value"


_Container: TypeAlias = (
    Sequence["Value"] | Mapping[int, "Value"] | Mapping[str, "Value"] | Mapping[int | str, "Value"] | Tag
)
Value: TypeAlias = int | bytes | str | bool | _Container | None


def encode(value: Value) -> bytes:
    """Return the one deterministic encoding of ``value``.

    Raises MisuseError for a type, number or depth outside the subset.
    """
    return _encode(value, MAX_DEPTH)


def decode(data: bytes, *, max_bytes: int = MAX_BYTES) -> Value:
    """Return the value that ``data`` is the deterministic encoding of; arrays are lists, maps dicts.

    Raises MalformedMessage for anything else: other types, a longer form, wrong key order, a repeated
    key, bytes left over, or more than ``max_bytes``, MAX_DEPTH or MAX_ITEMS.
    """
    if len(data) > max_bytes:
        raise MalformedMessage(f"CBOR of {len(data)} bytes is over the cap of {max_bytes}")
    reader = _Reader(data)
    value = reader.read(MAX_DEPTH)
    if reader.position != len(data):
        raise MalformedMessage(f"{len(data) - reader.position} bytes follow the CBOR value")
    return value


def _head(major: int, argument: int) -> bytes:
    first = major << 5
    if argument < 24:  # noqa: PLR2004  (RFC 8949 section 3: smaller arguments stand in the first byte)
        return bytes((first | argument,))
    for info, width in _WIDTHS.items():
        if argument < 1 << 8 * width:
            return bytes((first | info,)) + argument.to_bytes(width, "big")
    raise MisuseError("an integer, length or tag beyond 64 bits has no place in our CBOR subset")


def _encode(value: Value, depth: int) -> bytes:
    match value:
        case None:
            return bytes((_NULL,))
        case bool():
            return bytes((_TRUE if value else _FALSE,))
        case int():
            return _head(_UINT, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case bytes():
            return _head(_BYTES, len(value)) + value
        case str():
            return _encode_text(value)
        case dict() | list() | tuple() | Tag() | Mapping():
            if depth == 0:
                raise MisuseError(f"CBOR nests deeper than {MAX_DEPTH}")
            return _encode_container(value, depth - 1)
        case _:
            raise MisuseError(f"a {type(value).__name__} has no place in our CBOR subset")


def _encode_text(value: str) -> bytes:
    try:
        data = value.encode()
    except UnicodeEncodeError:
        raise MisuseError("text with a lone surrogate has no CBOR form") from None
    return _head(_TEXT, len(data)) + data


def _encode_container(value: Value, depth: int) -> bytes:
    if isinstance(value, Tag):
        if value.number < 0:
            raise MisuseError("a CBOR tag number is not negative")
        return _head(_TAG, value.number) + _encode(value.value, depth)
    if isinstance(value, Mapping):
        pairs = sorted((_encode_key(key), _encode(item, depth)) for key, item in value.items())
        return _head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
    items: Sequence[Value] = value  # type: ignore[assignment]  # _encode let only lists and tuples through
    return _head(_ARRAY, len(items)) + b"".join(_encode(item, depth) for item in items)


@lru_cache(maxsize=256, typed=True)  # typed: True equals 1 and is no key
def _encode_key(key: int | str) -> bytes:
    if isinstance(key, bool) or not isinstance(key, int | str):
        raise MisuseError(f"a {type(key).__name__} is no key of our CBOR subset")
    return _encode(key, 0)


class _Reader:
    """One pass over untrusted bytes."""

    __slots__ = ("_data", "_items", "position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._items = MAX_ITEMS
        self.position = 0

    def read(self, depth: int) -> Value:
        """Read one data item; ``depth`` more containers may open inside."""
        major, argument = self._read_head()
        if major in (_ARRAY, _MAP, _TAG):
            return self._container(major, argument, depth - 1)
        if major == _UINT:
            return argument
        if major == _NEGATIVE:
            return -1 - argument
        if major == _BYTES:
            return self._take(argument)
        return self._text(argument) if major == _TEXT else _SIMPLES[argument]

    def _container(self, major: int, argument: int, depth: int) -> Value:
        if depth < 0:
            raise MalformedMessage(f"CBOR nests deeper than {MAX_DEPTH}")
        if major == _TAG:
            return Tag(argument, self.read(depth))
        if argument > self._items:
            raise MalformedMessage(f"CBOR has more than {MAX_ITEMS} items")
        if major == _MAP:
            return self._map(argument, depth)
        return [self.read(depth) for _ in range(argument)]

    def _read_head(self) -> tuple[int, int]:
        self._items -= 1
        if self._items < 0:
            raise MalformedMessage(f"CBOR has more than {MAX_ITEMS} items")
        first = self._take(1)[0]
        major, info = first >> 5, first & 31
        if major == _SIMPLE:
            if info not in _SIMPLES:
                raise MalformedMessage(f"CBOR item 0x{first:02x} is not in our subset")
            return major, info
        width = _WIDTHS.get(info)
        if width is None:
            if info >= 24:  # noqa: PLR2004  (RFC 8949 section 3: reserved and indefinite lengths)
                raise MalformedMessage("CBOR of indefinite or reserved length")
            return major, info
        argument = int.from_bytes(self._take(width), "big")
        if argument < (24 if width == 1 else 1 << 4 * width):
            raise MalformedMessage("CBOR argument is not in its shortest form")
        return major, argument

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._data):
            raise MalformedMessage("CBOR ends too early")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode()
        except UnicodeDecodeError:
            raise MalformedMessage("CBOR text is not UTF-8") from None

    def _map(self, count: int, depth: int) -> Value:
        result: dict[int | str, Value] = {}
        last = b""
        for _ in range(count):
            start = self.position
            key = self.read(depth)
            if isinstance(key, bool) or not isinstance(key, int | str):
                raise MalformedMessage("CBOR map key is neither integer nor text")
            encoded = self._data[start : self.position]
            if encoded <= last:
                raise MalformedMessage("CBOR map keys are out of order or repeated")
            last = encoded
            result[key] = self.read(depth)
        return result
