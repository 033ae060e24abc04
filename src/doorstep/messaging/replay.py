"""The 64-wide replay window on sequence numbers, as integers and pure functions.

``high`` is the highest sequence number opened in an epoch, -1 before the first. Bit ``i`` of
``window`` says that ``high - i`` was opened.
"""

from typing import Final

__all__ = ["NOTHING_SEEN", "WINDOW_WIDTH", "mark", "signed_window", "unsigned_window", "was_seen"]

WINDOW_WIDTH: Final = 64  # sequence numbers that may still arrive out of order
NOTHING_SEEN: Final = -1  # ``high`` of an epoch in which no message was opened

_MASK: Final = (1 << WINDOW_WIDTH) - 1
_SIGN: Final = 1 << (WINDOW_WIDTH - 1)


def was_seen(high: int, window: int, sequence: int) -> bool:
    """Say whether ``sequence`` was opened; it must not be behind the window."""
    return sequence <= high and bool(window >> (high - sequence) & 1)


def mark(high: int, window: int, sequence: int) -> tuple[int, int]:
    """Return ``high`` and ``window`` after ``sequence`` was opened; it must not be behind the window."""
    if sequence > high:
        return sequence, ((window << (sequence - high)) | 1) & _MASK
    return high, window | 1 << (high - sequence)


def signed_window(window: int) -> int:
    """Return ``window`` as the signed 64-bit number that a database column holds."""
    return window - (_SIGN << 1) if window & _SIGN else window


def unsigned_window(column: int) -> int:
    """Return the window that ``signed_window`` made ``column`` of."""
    return column & _MASK
