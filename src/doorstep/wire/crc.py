"""The two small checksums of vendors' onboarding formats. They find accidents, never an attacker."""

from typing import Final

__all__ = ["crc8_maxim", "crc16_genibus"]

_POLYNOMIAL_8: Final = 0x8C
"""x⁸ + x⁵ + x⁴ + 1, reflected."""
_POLYNOMIAL_16: Final = 0x1021
"""x¹⁶ + x¹² + x⁵ + 1."""


def crc8_maxim(octets: bytes) -> int:
    """Return CRC-8/MAXIM-DOW, as ESP-Touch has it."""
    crc = 0
    for octet in octets:
        crc = _TABLE_8[crc ^ octet]
    return crc


def crc16_genibus(octets: bytes) -> int:
    """Return CRC-16/GENIBUS (polynomial 0x1021, all ones in and out), as BluFi has it."""
    crc = 0xFFFF
    for octet in octets:
        crc = (crc << 8 & 0xFF00) ^ _TABLE_16[crc >> 8 ^ octet]
    return crc ^ 0xFFFF


def _entry_8(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ (_POLYNOMIAL_8 if octet & 1 else 0)
    return octet


def _entry_16(octet: int) -> int:
    crc = octet << 8
    for _ in range(8):
        crc = crc << 1 ^ (_POLYNOMIAL_16 if crc & 0x8000 else 0)
    return crc & 0xFFFF


_TABLE_8: Final = tuple(map(_entry_8, range(256)))
_TABLE_16: Final = tuple(map(_entry_16, range(256)))
