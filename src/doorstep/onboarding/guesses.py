"""How often a wrong code may be tried: five in a row are free, then each costs a wait that grows.

The count outlives a power cut, the clock does not: after one, the wait of the last wrong code begins anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final

from doorstep.onboarding.failures import TooManyGuesses

__all__ = ["FREE_GUESSES", "LONG_CODE", "SHORT_CODE", "GuessBook", "GuessLimit", "GuessPolicy"]

FREE_GUESSES: Final = 5


@dataclass(frozen=True, slots=True)
class GuessPolicy:
    """The wait after the fifth wrong code and the longest, in seconds; it doubles in between."""

    first_wait: float
    longest_wait: float


LONG_CODE: Final = GuessPolicy(5.0, 60.0)
"""Short waits, because a stranger can cause them: the code's 65 bits, not the wait, stop a search."""
SHORT_CODE: Final = GuessPolicy(60.0, 3600.0)
"""For 8 digits: about 34 tries on the first day and 24 on each other, of a hundred million."""


@dataclass(frozen=True, slots=True)
class GuessLimit:
    """The run of wrong codes so far and the moment before which none is looked at."""

    wrong: int = 0
    until: float = 0.0
    policy: GuessPolicy = LONG_CODE

    @classmethod
    def resumed(cls, wrong: int, now: float, policy: GuessPolicy) -> "GuessLimit":
        """Return the limit after a restart with this many wrong codes on record."""
        return cls(wrong, now + _wait(wrong, policy), policy)

    def check(self, now: float) -> None:
        """Raise `TooManyGuesses` while the wait lasts."""
        if now < self.until:
            raise TooManyGuesses(ceil(self.until - now))

    def after_wrong(self, now: float) -> "GuessLimit":
        """Return the limit after one more wrong code."""
        wrong = self.wrong + 1
        return replace(self, wrong=wrong, until=now + _wait(wrong, self.policy))


def _forget(_wrong: int) -> None:
    """Keep nothing: for boards without a memory of their own."""


@dataclass(slots=True)
class GuessBook:
    """One board's count, shared by all its doors; ``keep`` makes it durable before anybody is answered."""

    limit: GuessLimit = field(default_factory=GuessLimit)
    keep: Callable[[int], None] = _forget

    def check(self, now: float) -> None:
        """Raise `TooManyGuesses` while the wait lasts."""
        self.limit.check(now)

    def count(self, now: float) -> None:
        """Count a wrong code."""
        limit = self.limit.after_wrong(now)
        self.keep(limit.wrong)
        self.limit = limit

    def clear(self) -> None:
        """Forget them: somebody knew the code, or holds the device and reset it."""
        if self.limit.wrong:
            self.keep(0)
            self.limit = GuessLimit(policy=self.limit.policy)


def _wait(wrong: int, policy: GuessPolicy) -> float:
    over = wrong - FREE_GUESSES
    return min(policy.first_wait * 2.0 ** min(over, 10), policy.longest_wait) if over >= 0 else 0.0
