"""Nonces that the server need not remember: time and randomness under an HMAC, bound to one device.

They carry the server's clock, so a device whose own clock is wrong by a day registers all the same.
"""

import hmac
from collections.abc import Callable
from typing import Final

from doorstep.errors import ReplayRefused

__all__ = ["LIFETIME_US", "StaleNonce", "check", "make"]

LIFETIME_US: Final = 5 * 60 * 1_000_000

_TIME, _RANDOM, _TAG = 8, 8, 16


class StaleNonce(ReplayRefused):
    """A nonce is too old, from another server, or for another device."""


def make(key: bytes, device: str, now_us: int, rng: Callable[[int], bytes]) -> bytes:
    """Return 32 bytes that ``check`` takes for five minutes."""
    head = now_us.to_bytes(_TIME, "big") + rng(_RANDOM)
    return head + _tag(key, device, head)


def check(key: bytes, device: str, nonce: bytes, now_us: int) -> None:
    """Raise StaleNonce unless ``make`` made this nonce for this device in the last five minutes."""
    head, tag = nonce[: _TIME + _RANDOM], nonce[_TIME + _RANDOM :]
    age_us = now_us - int.from_bytes(head[:_TIME], "big")
    if not hmac.compare_digest(tag, _tag(key, device, head)) or not 0 <= age_us < LIFETIME_US:
        raise StaleNonce(
            "this nonce is too old or not for this device",
            next_step="Ask for a new one at /device/v1/nonce and sign again.",
        )


def _tag(key: bytes, device: str, head: bytes) -> bytes:
    return hmac.digest(key, device.encode() + b"\x00" + head, "sha256")[:_TAG]
