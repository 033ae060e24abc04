"""The console transport's lines: ``<endpoint> <session> <hex>`` in, a line of hex out.

A device's line buffer holds 256 bytes. Security 1 fits, the first message of security 2 does not.
"""

import re
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage, SettingsError
from doorstep.wire.provisioning.common import MAX_MESSAGE

__all__ = [
    "MAX_REPLY_LINE",
    "MAX_REQUEST_LINE",
    "ConsoleRequest",
    "Lines",
    "Refused",
    "decode_reply",
    "decode_request",
    "encode_refusal",
    "encode_reply",
    "encode_request",
]

MAX_REQUEST_LINE: Final = 256
"""Bytes of a request with its line end."""
MAX_REPLY_LINE: Final = 2 * MAX_MESSAGE + 1
MAX_SENTENCE: Final = 200
MAX_SESSION: Final = 2**32 - 1
REQUEST: Final = re.compile(rb"([a-z0-9-]{1,32}) (0|[1-9][0-9]{0,9}) ((?:[0-9A-Fa-f]{2})+)")
HEX: Final = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
REFUSAL: Final = b"! "


@dataclass(frozen=True, slots=True)
class ConsoleRequest:
    """One request; ``session`` is a number that the configurator chose."""

    endpoint: str
    session: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The device's sentence instead of a reply."""

    sentence: str


class Lines:
    """Cuts a stream into lines; one that is too long comes out cut, for the decoder to refuse."""

    def __init__(self, most: int) -> None:
        """``most`` counts a line's bytes with its line end."""
        self._most = most
        self._begun = b""

    def feed(self, octets: bytes) -> list[bytes]:
        """Return the lines that ``octets`` complete, without their ends; empty ones are left out."""
        *whole, begun = (self._begun + octets).split(b"\n")
        self._begun = begun[: self._most]
        return [line for line in (each[: self._most].strip(b"\r") for each in whole) if line]


def encode_request(request: ConsoleRequest) -> bytes:
    """Write a request's line; raises `SettingsError` where it does not fit into the device's buffer."""
    line = f"{request.endpoint} {request.session} {request.body.hex()}\n".encode()
    if len(line) > MAX_REQUEST_LINE:
        raise SettingsError(
            f"A message of {len(request.body)} bytes does not fit into the console's line of "
            f"{MAX_REQUEST_LINE} bytes.",
            next_step="Set the device up over its access point, or shorten the name or address in it.",
        )
    return line


def decode_request(line: bytes) -> ConsoleRequest:
    """Read a request's line, without its end."""
    found = REQUEST.fullmatch(line) if len(line) < MAX_REQUEST_LINE else None
    if found is None or int(found[2]) > MAX_SESSION:
        raise MalformedMessage("a console line is not an endpoint, a session number and hexadecimal digits")
    return ConsoleRequest(found[1].decode(), int(found[2]), bytes.fromhex(found[3].decode()))


def encode_reply(body: bytes) -> bytes:
    """Write a reply's line."""
    return body.hex().encode() + b"\n"


def encode_refusal(sentence: str) -> bytes:
    """Write a sentence instead of a reply; stock clients take it for what is no hex, and end."""
    text = "".join(char if char.isprintable() else " " for char in sentence)[:MAX_SENTENCE]
    return REFUSAL + text.encode() + b"\n"


def decode_reply(line: bytes) -> bytes | Refused | None:
    """Return a reply's body, a refusal, or `None` for a line of the device's log between them."""
    if line.startswith(REFUSAL):
        text = line.removeprefix(REFUSAL).decode("utf-8", "replace")
        return Refused("".join(char if char.isprintable() else " " for char in text)[:MAX_SENTENCE])
    if len(line) < MAX_REPLY_LINE and HEX.fullmatch(line):
        return bytes.fromhex(line.decode())
    return None
