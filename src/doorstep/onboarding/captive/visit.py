"""One person at a time: whose visit it is, in which language, and the key that their forms carry."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from doorstep.onboarding.order import RegistrationOrder
from doorstep.wire import base64url

__all__ = ["IDLE_S", "Visit"]

IDLE_S: Final = 180.0
"""Seconds after which somebody who does nothing has left."""
KEY_SIZE: Final = 16


@dataclass(slots=True)
class Visit:
    """A phone, by its address on the access point: its browsers keep no cookie in common."""

    peer: str
    language: str
    key: str = field(repr=False)
    """Stands in every form; a page of another site can't read it."""
    seen: float
    order: RegistrationOrder | None = None

    @classmethod
    def begin(cls, peer: str, language: str, rng: Callable[[int], bytes], now: float) -> "Visit":
        """Open the visit of a phone."""
        key = base64url.encode(rng(KEY_SIZE))
        return cls(peer, language, key, now)

    def holds(self, now: float) -> bool:
        """Tell whether its person is still there."""
        return now - self.seen < IDLE_S

    def owns(self, key: bytes) -> bool:
        """Tell whether a form is this visit's."""
        return compare_digest(key, self.key.encode("ascii"))
