"""The credentials that a WPS registrar hands out (Wi-Fi Simple Configuration specification §12).

An attribute is a big-endian id, a length and a value; a credential is an attribute that holds attributes.
"""

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage

__all__ = ["MAX_CREDENTIALS", "Authentication", "Credential", "decode_credentials"]

MAX_OCTETS: Final = 2048
MAX_CREDENTIALS: Final = 8
MAX_KEY: Final = 64
MAX_SSID: Final = 32
HEADER_SIZE: Final = 4
CREDENTIAL: Final = 0x100E
AUTHENTICATION: Final = 0x1003
KEY: Final = 0x1027
SSID: Final = 0x1045


class Authentication(enum.IntFlag):
    """How the network authenticates; a credential may name several."""

    OPEN = 0x0001
    WPA_PERSONAL = 0x0002
    SHARED = 0x0004
    WPA_ENTERPRISE = 0x0008
    WPA2_ENTERPRISE = 0x0010
    WPA2_PERSONAL = 0x0020


@dataclass(frozen=True, slots=True)
class Credential:
    """One network and its key, octets both."""

    ssid: bytes
    authentication: Authentication
    key: bytes = field(default=b"", repr=False)


def decode_credentials(octets: bytes) -> tuple[Credential, ...]:
    """Read a run of credentials; raises `MalformedMessage`. Other attributes are skipped, as §12 asks."""
    if len(octets) > MAX_OCTETS:
        raise MalformedMessage(f"WPS credentials have more than {MAX_OCTETS} octets")
    found = tuple(_credential(value) for number, value in _attributes(octets) if number == CREDENTIAL)
    if not 1 <= len(found) <= MAX_CREDENTIALS:
        raise MalformedMessage(f"a WPS registrar gave {len(found)} credentials, not 1 to {MAX_CREDENTIALS}")
    return found


def _credential(octets: bytes) -> Credential:
    values: dict[int, bytes] = {}
    for number, value in _attributes(octets):
        if number in values and number in (SSID, AUTHENTICATION, KEY):
            raise MalformedMessage("a WPS credential says something twice")
        values[number] = value
    ssid, kind, key = values.get(SSID), values.get(AUTHENTICATION), values.get(KEY, b"")
    if ssid is None or len(ssid) > MAX_SSID or kind is None or len(kind) != 2 or len(key) > MAX_KEY:  # noqa: PLR2004
        raise MalformedMessage("a WPS credential lacks its network or is too long")
    return Credential(ssid, Authentication(int.from_bytes(kind) & 0x3F), key)


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(octets):
        if len(octets) - at < HEADER_SIZE:
            raise MalformedMessage("a WPS attribute is cut")
        number, size = struct.unpack_from(">HH", octets, at)
        at += HEADER_SIZE
        if at + size > len(octets):
            raise MalformedMessage("a WPS attribute is longer than what holds it")
        yield number, octets[at : at + size]
        at += size
