"""What both ends say about keys: bodies of commands on ``down/keys``, and their answers (rotation.md §3).

Each is a deterministic CBOR array: the kind, then the rotation's number, then what the kind has. They travel
inside sealed messages, so they are authentic, secret and not repeated.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from doorstep.errors import MalformedMessage
from doorstep.messaging.rotation.keys import CONFIRM_LENGTH, SECRET_LENGTHS, SHARE_LENGTHS, Change
from doorstep.wire import cbor

__all__ = [
    "EXCHANGE_CAP",
    "HAND_CHANNEL",
    "KEYS_CAP",
    "KEYS_CHANNEL",
    "MAX_NUMBER",
    "Answer",
    "Commit",
    "Done",
    "Exchange",
    "FromDevice",
    "FromPlatform",
    "Offer",
    "RenewCertificate",
    "UpdateAnchor",
    "encode",
    "from_device",
    "from_platform",
]

KEYS_CHANNEL: Final = "keys"
HAND_CHANNEL: Final = "hand"  # of what is carried over a cable or a local session
KEYS_CAP: Final = 3_072  # bytes of one of these messages
EXCHANGE_CAP: Final = 2_048  # bytes of what an exchange carries
MAX_NUMBER: Final = (1 << 53) - 1  # of a rotation: what every JSON reader still counts

_OFFER, _COMMIT, _EXCHANGE, _ANCHOR, _RENEW = 1, 2, 3, 4, 5
_ANSWER, _DONE = 1, 2
_SHARES: Final = frozenset(SHARE_LENGTHS.values())


@dataclass(frozen=True, slots=True)
class Offer:
    """Platform: replace your root; for an exchange ``secret`` is the platform's signed key for it."""

    number: int
    change: Change
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Commit:
    """Platform: the new root is stored here; give the old one up."""

    number: int
    confirm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Either end: a message of the EDHOC exchange."""

    number: int
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UpdateAnchor:
    """Platform: a signed update of the trust anchors (docs/spec/rotation.md §6)."""

    update: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RenewCertificate:
    """Platform: ask for a new operational certificate now."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Device: this is my share, and I hold the new root."""

    number: int
    first: int
    """The epoch in which the new root will be used first, if it is committed before the next boot."""
    share: bytes = field(repr=False)
    confirm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """Device: the old root is gone; the first message under the new one."""

    number: int


FromPlatform: TypeAlias = Offer | Commit | Exchange | UpdateAnchor | RenewCertificate
FromDevice: TypeAlias = Answer | Done | Exchange


def encode(message: FromPlatform | FromDevice) -> bytes:  # noqa: PLR0911 - one for each kind
    """Return the bytes to seal."""
    match message:
        case Offer(number, change, secret):
            return cbor.encode([_OFFER, number, int(change), secret])
        case Commit(number, confirm):
            return cbor.encode([_COMMIT, number, confirm])
        case Exchange(number, carried):
            return cbor.encode([_EXCHANGE, number, carried])
        case UpdateAnchor(update):
            return cbor.encode([_ANCHOR, update])
        case RenewCertificate():
            return cbor.encode([_RENEW])
        case Answer(number, first, share, confirm):
            return cbor.encode([_ANSWER, number, first, share, confirm])
        case Done(number):
            return cbor.encode([_DONE, number])


def from_platform(data: bytes) -> FromPlatform:
    """Read what came on ``down/keys``; raise MalformedMessage."""
    match cbor.decode(data, max_bytes=KEYS_CAP):
        case [1, int(number), int(change), bytes(secret)]:
            return Offer(_number(number), _change(change), _secret(change, secret))
        case [2, int(number), bytes(confirm)] if len(confirm) == CONFIRM_LENGTH:
            return Commit(_number(number), confirm)
        case [3, int(number), bytes(carried)] if 0 < len(carried) <= EXCHANGE_CAP:
            return Exchange(_number(number), carried)
        case [4, bytes(update)]:
            return UpdateAnchor(update)
        case [5]:
            return RenewCertificate()
        case _:
            raise MalformedMessage("this is nothing that a platform says about keys")


def from_device(data: bytes) -> FromDevice:
    """Read what came on ``up/keys``; raise MalformedMessage."""
    match cbor.decode(data, max_bytes=KEYS_CAP):
        case [1, int(number), int(first), bytes(share), bytes(confirm)] if len(confirm) == CONFIRM_LENGTH:
            if len(share) not in _SHARES:
                raise MalformedMessage(f"no device has a share of {len(share)} bytes")
            return Answer(_number(number), _number(first), share, confirm)
        case [2, int(number)]:
            return Done(_number(number))
        case [3, int(number), bytes(carried)] if 0 < len(carried) <= EXCHANGE_CAP:
            return Exchange(_number(number), carried)
        case _:
            raise MalformedMessage("this is nothing that a device says about keys")


def _number(number: int) -> int:
    if isinstance(number, bool) or not 0 <= number <= MAX_NUMBER:
        raise MalformedMessage(f"a rotation's number is 0 to {MAX_NUMBER}")
    return number


def _change(number: int) -> Change:
    try:
        return Change(number)
    except ValueError as error:
        raise MalformedMessage(f"{number} is no way to make a new root") from error


def _secret(change: int, secret: bytes) -> bytes:
    if change == Change.EXCHANGED:
        if not 0 < len(secret) <= EXCHANGE_CAP:
            raise MalformedMessage(f"an offer to exchange carries a key of at most {EXCHANGE_CAP} bytes")
    elif len(secret) != SECRET_LENGTHS[Change(change)]:
        raise MalformedMessage(f"this offer carries {len(secret)} bytes, which is not its length")
    return secret
