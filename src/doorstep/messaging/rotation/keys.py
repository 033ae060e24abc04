"""From an epoch's root and what both ends drew to the root that replaces it (docs/spec/rotation.md §4)."""

import enum
import hmac
from collections.abc import Mapping
from typing import Final

from doorstep.crypto.hkdf import expand
from doorstep.errors import MalformedMessage, VerificationFailed
from doorstep.messaging.keys import OWNER_NONCE_LENGTH, ROOT_LENGTH, owner_change

__all__ = [
    "CONFIRM_LENGTH",
    "SECRET_LENGTHS",
    "SHARE_LENGTHS",
    "Change",
    "End",
    "WrongConfirmation",
    "check_confirmation",
    "confirmation",
    "exchange_context",
    "replacement",
]

CONFIRM_LENGTH: Final = 16  # bytes that show that an end holds the new root

_FRESH: Final = b"doorstep sealed v1 rotation"
_EXCHANGED: Final = b"doorstep sealed v1 edhoc"
_CONFIRM: Final = b"doorstep sealed v1 rotation confirmed by "
_NUMBER: Final = 8  # bytes of a rotation's number in a confirmation


class Change(enum.IntEnum):
    """What makes the new root; the number is the one on the wire."""

    FRESH = 1
    """Both ends draw 32 bytes. Who holds the old root and hears both follows."""
    OWNER = 2
    """The platform draws a nonce: the device changes hands."""
    EXCHANGED = 3
    """An EDHOC exchange: who holds the old root cannot follow."""


SECRET_LENGTHS: Final[Mapping[Change, int]] = {
    Change.FRESH: 32,
    Change.OWNER: OWNER_NONCE_LENGTH,
    Change.EXCHANGED: 32,
}
"""Bytes of what both ends keep until the change is over: the platform's share, or the exchange's result."""

SHARE_LENGTHS: Final[Mapping[Change, int]] = {Change.FRESH: 32, Change.OWNER: 0, Change.EXCHANGED: 0}
"""Bytes of the device's own share."""


class End(enum.Enum):
    """Who confirms."""

    DEVICE = b"device"
    PLATFORM = b"platform"


class WrongConfirmation(VerificationFailed):
    """The other end does not hold the root that this end holds."""


def exchange_context(number: int) -> bytes:
    """Return what binds the result of an EDHOC exchange to rotation ``number``."""
    return _EXCHANGED + number.to_bytes(_NUMBER, "big")


def replacement(root: bytes, change: Change, secret: bytes, share: bytes) -> bytes:
    """Return the root that takes the place of ``root``, in the same epoch; raise MalformedMessage."""
    if len(secret) != SECRET_LENGTHS[change] or len(share) != SHARE_LENGTHS[change]:
        raise MalformedMessage(
            f"{len(secret)} and {len(share)} bytes make no new root ({change.name.lower()})"
        )
    if change is Change.OWNER:
        return owner_change(root, secret)
    label = _FRESH if change is Change.FRESH else _EXCHANGED
    return expand(root, label + secret + share, ROOT_LENGTH)


def confirmation(root: bytes, number: int, end: End) -> bytes:
    """Return what shows that ``end`` holds the new ``root`` of rotation ``number``."""
    return expand(root, _CONFIRM + end.value + number.to_bytes(_NUMBER, "big"), CONFIRM_LENGTH)


def check_confirmation(root: bytes, number: int, end: End, given: bytes) -> None:
    """Raise WrongConfirmation unless ``end`` holds the new ``root``."""
    if not hmac.compare_digest(confirmation(root, number, end), given):
        raise WrongConfirmation(f"the {end.name.lower()} does not hold the new root of rotation {number}")
