"""How often a wrong code may be tried: five in a row are free, then each costs a wait that grows."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from doorstep.onboarding.failures import TooManyGuesses

__all__ = ["FREE_GUESSES", "LONGEST_WAIT", "GuessLimit"]

FREE_GUESSES: Final = 5
FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 60.0
"""Seconds. Short, because a stranger can cause it: the code's 65 bits, not the wait, stop a search."""


@dataclass(frozen=True, slots=True)
class GuessLimit:
    """The run of wrong codes so far and the moment before which none is looked at."""

    wrong: int = 0
    until: float = 0.0

    def check(self, now: float) -> None:
        """Raise `TooManyGuesses` while the wait lasts."""
        if now < self.until:
            raise TooManyGuesses(ceil(self.until - now))

    def after_wrong(self, now: float) -> "GuessLimit":
        """Return the limit after one more wrong code."""
        over = self.wrong + 1 - FREE_GUESSES
        wait = min(FIRST_WAIT * 2 ** min(over, 10), LONGEST_WAIT) if over >= 0 else 0.0
        return replace(self, wrong=self.wrong + 1, until=now + wait)
