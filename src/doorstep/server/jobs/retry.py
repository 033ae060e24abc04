"""When a failed job is tried again, and when it is given up."""

from typing import Final

__all__ = ["MOST_ATTEMPTS", "next_attempt_us"]

MOST_ATTEMPTS: Final = 12
"""With the delays below the last attempt comes about a day after the first."""
_FIRST_DELAY_US: Final = 15 * 1_000_000
_LONGEST_DELAY_US: Final = 4 * 3600 * 1_000_000


def next_attempt_us(attempts: int, now_us: int) -> int | None:
    """Return when to try again after ``attempts`` failures, or None when it is time to give up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return now_us + min(_FIRST_DELAY_US << 2 * min(attempts - 1, 10), _LONGEST_DELAY_US)
