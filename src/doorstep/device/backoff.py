"""How long to wait before trying again: pure, with full jitter, so that a fleet never comes back in step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["ASK_BLOCKED", "ASK_HELD", "BROKER", "NETWORK", "PLATFORM", "Backoff", "renewal_time_us"]

_RANDOM_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits grow from ``first_s`` to ``longest_s`` by doubling; each is drawn below that bound."""

    first_s: float
    longest_s: float
    least: float = 0.0
    """Fraction of the bound that is always waited: 0 is full jitter, 0.5 suits polite polling."""

    def bound_s(self, failures: int) -> float:
        """Return the longest wait after so many failures in a row (1 is the first)."""
        doublings = min(max(failures, 1) - 1, 64)  # beyond, a float would hold it but nobody needs it
        return float(min(self.longest_s, self.first_s * 2**doublings))

    def wait_s(self, failures: int, rng: Callable[[int], bytes]) -> float:
        """Draw the wait after so many failures in a row."""
        bound = self.bound_s(failures)
        fraction = int.from_bytes(rng(_RANDOM_BYTES), "big") / 256**_RANDOM_BYTES
        return bound * (self.least + (1 - self.least) * fraction)


NETWORK: Final = Backoff(1, 60)
"""A known network that is away; it is tried for ever, because power cuts take routers down too."""

PLATFORM: Final = Backoff(1, 120)
"""The device API does not answer."""

BROKER: Final = Backoff(0.5, 60)
"""The broker does not answer, or ended the session."""

ASK_HELD: Final = Backoff(10, 600, least=0.5)
"""A held registration: people decide, so the device need not hurry."""

ASK_BLOCKED: Final = Backoff(300, 3600, least=0.5)
"""A blocked device: rare, so that a stolen fleet costs the platform nothing."""


def renewal_time_us(not_before_us: int, not_after_us: int) -> int:
    """Return when a certificate's renewal is due: at two thirds of its lifetime."""
    return not_before_us + (not_after_us - not_before_us) * 2 // 3
