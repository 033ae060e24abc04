"""How far a platform runs the ratchet for one device in a minute.

A message of a later epoch costs a step of the ratchet for every epoch in between, before its tag can be
checked; so a forger could buy milliseconds of work with forty bytes. When a minute's allowance is spent,
only near epochs are tried until the next minute. The device itself is near: nobody locks it out, unless it
booted more than NEAR times since it was last heard.
"""

from typing import Final

__all__ = ["NEAR", "STEPS_A_MINUTE", "Allowance"]

NEAR: Final = 64
"""Epochs ahead that are always tried."""

STEPS_A_MINUTE: Final = 5_000
"""Steps of the ratchet for one device; beyond, messages that are not near are refused."""

_MINUTE_US: Final = 60_000_000


class Allowance:
    """What one device has cost in the present minute."""

    __slots__ = ("_minute", "_spent")

    def __init__(self) -> None:
        self._minute = 0
        self._spent = 0

    def spend(self, steps: int, now_us: int) -> bool:
        """Take steps, and say whether the ratchet may be run so far; it may not when too few are left."""
        if now_us // _MINUTE_US != self._minute:
            self._minute, self._spent = now_us // _MINUTE_US, 0
        if steps > NEAR and self._spent + steps > STEPS_A_MINUTE:
            return False
        self._spent += steps
        return True
