"""What a device is called: device id, serial, product key and hardware id.

The device id is printed on the label, is the common name of every certificate of the device, its
MQTT client id and, as five raw bytes, the ``kid`` of its sealed messages.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage, RefusedError

__all__ = [
    "KID_LENGTH",
    "DeviceIdTaken",
    "HardwareId",
    "MalformedId",
    "check_device_id",
    "check_product_key",
    "check_serial",
    "device_id_of",
    "kid_of",
    "new_device_id",
    "parse_hardware_id",
]

KID_LENGTH: Final = 5
"""Bytes in a key identifier: 40 bits, which base32 spells without padding."""

"""Characters in a device id."""

_DEVICE_ID: Final = re.compile(r"[a-z2-7]{8}")
_SERIAL: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_PRODUCT_KEY: Final = re.compile(r"[a-z0-9-]{1,40}")
_SEPARATORS: Final = str.maketrans("", "", ":-.")
_HARDWARE_ID_INPUT_CAP: Final = 26
"""Eighteen hex digits in nine groups have eight separators; nothing genuine is longer."""
_EUI_LENGTHS: Final = frozenset({6, 8})
_ELEMENT_LENGTH: Final = 9
"""Bytes in the serial number of an ATECC secure element."""
_HARDWARE_ID_RULE: Final = "12, 16 or 18 hex digits"
_MULTICAST: Final = 0x01
_LOCALLY_ADMINISTERED: Final = 0x02


class MalformedId(MalformedMessage):
    """A name is not what a device, serial, product or hardware id may look like."""


class DeviceIdTaken(RefusedError):
    """A freshly drawn device id belongs to another device already; draw again."""


@dataclass(frozen=True, slots=True)
class HardwareId:
    """A normalised EUI-48, EUI-64 or serial of a secure element: 12, 16 or 18 upper-case hex digits."""

    value: str
    locally_administered: bool
    """The address was invented by software, so nothing promises that it is unique."""


def new_device_id(rng: Callable[[int], bytes]) -> str:
    """Draw a device id; uniqueness is checked where devices are recorded."""
    return device_id_of(rng(KID_LENGTH))


def device_id_of(kid: bytes) -> str:
    """Spell a five-byte key identifier as a device id (RFC 4648 §6, lower case)."""
    if len(kid) != KID_LENGTH:
        raise MalformedId(f"a key identifier has {KID_LENGTH} bytes, this one has {len(kid)}")
    return base64.b32encode(kid).decode("ascii").lower()


def kid_of(device_id: str) -> bytes:
    """Return the five bytes that a device id spells."""
    return base64.b32decode(check_device_id(device_id).upper())


def check_device_id(text: str) -> str:
    """Return ``text`` if it is a device id; raise `MalformedId` otherwise."""
    return _matched(_DEVICE_ID, text, "device id", "8 characters of a-z and 2-7")


def check_serial(text: str) -> str:
    """Return ``text`` if it is a serial; raise `MalformedId` otherwise."""
    return _matched(_SERIAL, text, "serial", "1 to 40 letters, digits, dots, underscores or dashes")


def check_product_key(text: str) -> str:
    """Return ``text`` if it is a product key; raise `MalformedId` otherwise."""
    return _matched(_PRODUCT_KEY, text, "product key", "1 to 40 lower-case letters, digits or dashes")


def parse_hardware_id(text: str) -> HardwareId:
    """Normalise a MAC address, chip id or element's serial, written with or without ``:``, ``-`` or ``.``.

    Raises `MalformedId` for group addresses, for all zeros and for all ones: no single device owns those.
    """
    if len(text) > _HARDWARE_ID_INPUT_CAP:
        raise MalformedId(f"a hardware id is {_HARDWARE_ID_RULE}, not {len(text)} characters")
    octets = _octets(text)
    if octets.count(0) == len(octets):
        raise MalformedId("this hardware id is all zeros: the chip's address was never read")
    if octets.count(0xFF) == len(octets):
        raise MalformedId("this hardware id is all ones: the chip's address memory is empty")
    flags = octets[0] if len(octets) in _EUI_LENGTHS else 0  # an element's serial has none
    if flags & _MULTICAST:
        raise MalformedId("this hardware id is a group (multicast) address and names no single device")
    return HardwareId(octets.hex().upper(), bool(flags & _LOCALLY_ADMINISTERED))


def _octets(text: str) -> bytes:
    digits = text.translate(_SEPARATORS)
    try:
        octets = binascii.unhexlify(digits)
    except ValueError as error:
        raise MalformedId(f"{_shown(text)} is not a hardware id: it must be {_HARDWARE_ID_RULE}") from error
    if len(octets) not in {*_EUI_LENGTHS, _ELEMENT_LENGTH}:
        raise MalformedId(f"{_shown(text)} is not a hardware id: it must be {_HARDWARE_ID_RULE}")
    return octets


def _matched(pattern: re.Pattern[str], text: str, noun: str, rule: str) -> str:
    if pattern.fullmatch(text) is None:
        raise MalformedId(f"{_shown(text)} is not a {noun}: it must be {rule}")
    return text


def _shown(text: str) -> str:
    """Quote foreign text short and without control characters, fit for a log or a terminal."""
    return ascii(text if len(text) <= 60 else text[:60] + "…")  # noqa: PLR2004
