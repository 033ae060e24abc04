"""UUIDs of Bluetooth: the short ones stand for long ones on a common base (Core, Vol 3, Part B, §2.5.1)."""

from typing import Final
from uuid import UUID

__all__ = ["from_short", "to_short"]

BASE: Final = 0x00000000_0000_1000_8000_00805F9B34FB
SHIFT: Final = 96
MAX_SHORT: Final = 0xFFFF


def from_short(number: int) -> UUID:
    """Return the UUID that a 16-bit number stands for."""
    return UUID(int=BASE | number << SHIFT)


def to_short(uuid: UUID) -> int | None:
    """Return the 16-bit number that stands for a UUID, None where it has none."""
    number = (uuid.int ^ BASE) >> SHIFT
    return number if number <= MAX_SHORT and from_short(number) == uuid else None
