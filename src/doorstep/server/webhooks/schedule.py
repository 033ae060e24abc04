"""When a delivery is tried again, and when its endpoint is given up."""

from typing import Final

__all__ = ["GIVE_UP_US", "MOST_ATTEMPTS", "next_attempt_us"]

_S: Final = 1_000_000
_PAUSES_S: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""The pauses that the specification suggests: after them about three days have passed."""
MOST_ATTEMPTS: Final = len(_PAUSES_S) + 1
GIVE_UP_US: Final = 5 * 86_400 * _S
"""An endpoint at which nothing worked for so long is disabled."""


def next_attempt_us(attempts: int, now_us: int) -> int | None:
    """Return when to try again after ``attempts`` failures, or None when it is time to give up."""
    return None if attempts >= MOST_ATTEMPTS else now_us + _PAUSES_S[attempts - 1] * _S
