"""Improv's commands and results: a number, a length, octets or strings each behind its length.

Over Bluetooth a sum of all octets, modulo 256, follows; the serial line has its own checksum around it.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage

__all__ = [
    "MAX_BODY",
    "Capability",
    "Command",
    "ErrorCode",
    "ImprovState",
    "Result",
    "Rpc",
    "checked",
    "put_strings",
    "read_strings",
    "unchecked",
]

HEAD: Final = 2
MAX_BODY: Final = 255


class ImprovState(enum.IntEnum):
    """The device's state, as it tells it; `STOPPED` is only told on a serial line."""

    STOPPED = 0
    AUTHORIZATION_REQUIRED = 1
    AUTHORIZED = 2
    PROVISIONING = 3
    PROVISIONED = 4


class ErrorCode(enum.IntEnum):
    """What went wrong with the last command."""

    NONE = 0
    INVALID_RPC = 1
    UNKNOWN_COMMAND = 2
    UNABLE_TO_CONNECT = 3
    NOT_AUTHORIZED = 4
    BAD_HOSTNAME = 5
    UNKNOWN = 0xFF


class Capability(enum.IntFlag):
    """What a device can do beside taking settings, told over Bluetooth."""

    IDENTIFY = 0x01
    DEVICE_INFO = 0x02
    SCAN = 0x04
    HOSTNAME = 0x08


class Command(enum.IntEnum):
    """Commands; number 2 asks to identify over Bluetooth, and for the state on a serial line."""

    SETTINGS = 1
    IDENTIFY_OR_STATE = 2
    DEVICE_INFO = 3
    SCAN = 4


@dataclass(frozen=True, slots=True)
class Rpc:
    """A command as it came; its number may be one that we do not know."""

    command: int
    body: bytes = field(default=b"", repr=False)

    def octets(self) -> bytes:
        """Return the command."""
        return bytes((self.command, len(self.body))) + self.body

    @classmethod
    def decode(cls, octets: bytes) -> "Rpc":
        """Read a command; raises `MalformedMessage`."""
        if len(octets) < HEAD or len(octets) != HEAD + octets[1]:
            raise MalformedMessage("an Improv command is longer or shorter than it says")
        return cls(octets[0], octets[HEAD:])


@dataclass(frozen=True, slots=True)
class Result:
    """What a command brought."""

    command: int
    strings: tuple[bytes, ...] = ()

    def octets(self) -> bytes:
        """Return the result; raises `MalformedMessage` where it does not fit."""
        return Rpc(self.command, put_strings(self.strings)).octets()

    @classmethod
    def decode(cls, octets: bytes) -> "Result":
        """Read a result; raises `MalformedMessage`."""
        rpc = Rpc.decode(octets)
        return cls(rpc.command, read_strings(rpc.body))


def put_strings(strings: Sequence[bytes]) -> bytes:
    """Write strings; raises `MalformedMessage` where they do not fit into one body."""
    if sum(len(each) + 1 for each in strings) > MAX_BODY:
        raise MalformedMessage(f"the strings of an Improv message have more than {MAX_BODY} bytes")
    return b"".join(bytes((len(each),)) + each for each in strings)


def read_strings(body: bytes) -> tuple[bytes, ...]:
    """Read strings; raises `MalformedMessage`."""
    strings = []
    while body:
        size = body[0]
        if len(body) < 1 + size:
            raise MalformedMessage("a string of an Improv message is cut")
        strings.append(body[1 : 1 + size])
        body = body[1 + size :]
    return tuple(strings)


def checked(octets: bytes) -> bytes:
    """Return the octets with their sum behind them."""
    return octets + bytes((sum(octets) & 0xFF,))


def unchecked(octets: bytes) -> bytes:
    """Return the octets before a sum that holds; raises `MalformedMessage`."""
    if not octets or sum(octets[:-1]) & 0xFF != octets[-1]:
        raise MalformedMessage("an Improv message's checksum does not hold")
    return octets[:-1]
