"""The head of an ESP-Touch 2 announcement, and how its sections are cut into blocks."""

from dataclasses import dataclass
from typing import Final

from doorstep.crypto.unauthenticated import BLOCK_SIZE
from doorstep.wire.crc import crc8_maxim

__all__ = ["BEYOND_ASCII", "CARRIED", "CONSTANT_IV", "IV_SIZE", "RANDOM_IV", "Head", "padded", "step"]

CARRIED: Final = 6
"""Octets of a block; the last one is their checksum where they go beyond ASCII."""
IV_SIZE: Final = 18
"""Octets of seven bits, because they travel with the SSID, mostly as ASCII; the first sixteen count."""
BEYOND_ASCII: Final = 0x80
"""Bit 7 of a length: its octets need all eight bits."""
CONSTANT_IV, RANDOM_IV = 1, 2


@dataclass(frozen=True, slots=True)
class Head:
    """The first block."""

    ssid: int
    password: int
    reserved: int
    bssid_crc: int
    flags: int

    @property
    def security(self) -> int:
        """0 in the open, 1 a constant IV (CVE-2024-53845), 2 a random one."""
        return self.flags >> 1 & 3

    def octets(self) -> bytes:
        """Return the head with its checksum."""
        head = bytes((self.ssid, self.password, self.reserved, self.bssid_crc, self.flags))
        return head + bytes((crc8_maxim(head),))

    def sections(self) -> list[tuple[int, bool]]:
        """Return each section's size, padding included, and whether it goes beyond ASCII."""
        password, reserved, ssid = (
            info & ~BEYOND_ASCII for info in (self.password, self.reserved, self.ssid)
        )
        wide = [bool(info & BEYOND_ASCII) for info in (self.password, self.reserved, self.ssid)]
        tail = padded(ssid, wide=wide[2])
        if self.security:
            sealed = (password + reserved) // BLOCK_SIZE * BLOCK_SIZE + BLOCK_SIZE
            vector = IV_SIZE if self.security == RANDOM_IV else 0
            return [(padded(sealed, wide=True), True), (vector + tail, wide[2])]
        if not wide[0] and not wide[1]:
            return [(padded(password + reserved, wide=False), False), (tail, wide[2])]
        sizes = (padded(password, wide=wide[0]), padded(reserved, wide=wide[1]), tail)
        return list(zip(sizes, wide, strict=True))


def step(*, wide: bool) -> int:
    """Return how many octets of content a block carries."""
    return CARRIED - 1 if wide else CARRIED


def padded(size: int, *, wide: bool) -> int:
    """Return the size of whole blocks' content."""
    return -(-size // step(wide=wide)) * step(wide=wide)
