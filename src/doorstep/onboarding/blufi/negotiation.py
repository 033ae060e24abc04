"""How BluFi agrees on a key: Diffie-Hellman in one of two known fields, the shared number hashed.

The app says ``00`` and the length of its parameters, then ``01`` and prime, generator and public value,
each behind its length in 16 bits, big-endian; the device answers with its public value alone.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from doorstep.crypto.finite_dh import BLUFI_1024, FFDHE_3072, Group
from doorstep.errors import MalformedMessage
from doorstep.onboarding.blufi.frames import ErrorCode, FrameRefused

__all__ = ["MAX_PARAMETERS", "SUITES", "Suite", "announced_length", "answer", "offer", "open_offer"]

ANNOUNCE: Final = 0x00
PARAMETERS: Final = 0x01
LENGTH: Final = 2
MAX_PARAMETERS: Final = 2048
NEW_SINCE: Final = (1, 4)


@dataclass(frozen=True, slots=True)
class Suite:
    """A field and what makes a key of the shared number."""

    group: Group
    digest: Callable[[bytes], bytes]

    @classmethod
    def of(cls, version: tuple[int, int]) -> "Suite":
        """Return what an app uses with a device of this BluFi version."""
        return SUITES[version >= NEW_SINCE]

    def key(self, private: bytes, peer: bytes) -> bytes:
        """Return the AES key: 16 bytes of the old suite, 32 of the new one."""
        return self.digest(self.group.shared(private, peer))


SUITES: Final = (
    Suite(BLUFI_1024, lambda shared: hashlib.md5(shared).digest()),  # noqa: S324 - what stock BluFi runs
    Suite(FFDHE_3072, lambda shared: hashlib.sha256(shared).digest()),
)
"""Before 1.4, and since."""


def offer(suite: Suite, private: bytes) -> tuple[bytes, bytes]:
    """Return the app's two messages."""
    group = suite.group
    numbers = group.prime.to_bytes(group.size), bytes((group.generator,)), group.public(private)
    parameters = b"".join(len(number).to_bytes(LENGTH) + number for number in numbers)
    return bytes((ANNOUNCE,)) + len(parameters).to_bytes(LENGTH), bytes((PARAMETERS,)) + parameters


def announced_length(content: bytes) -> int | None:
    """Return the length that a message announces, `None` where it is no announcement."""
    if content[:1] != bytes((ANNOUNCE,)):
        return None
    length = int.from_bytes(content[1:])
    if len(content) != 1 + LENGTH or not 0 < length <= MAX_PARAMETERS:
        raise FrameRefused(ErrorCode.PARAMETERS, "the parameters' length cannot be")
    return length


def open_offer(content: bytes, length: int) -> tuple[Suite, bytes]:
    """Read parameters of the announced ``length``; return the suite and the app's public value.

    Only the two known fields are taken: in a field of his own choice an attacker calculates what he likes.
    """
    if content[:1] != bytes((PARAMETERS,)) or len(content) != 1 + length:
        raise FrameRefused(ErrorCode.PARAMETERS, "the parameters are longer or shorter than announced")
    numbers, rest = [], content[1:]
    for _ in range(3):
        size = int.from_bytes(rest[:LENGTH])
        numbers.append(rest[LENGTH : LENGTH + size])
        rest = rest[LENGTH + size :]
    prime, generator, public = (int.from_bytes(number) for number in numbers)
    for suite in SUITES:
        group = suite.group
        if (prime, generator, len(numbers[2])) == (group.prime, group.generator, group.size) and not rest:
            return suite, public.to_bytes(group.size)
    raise FrameRefused(ErrorCode.READ_PARAMETERS, "the parameters are of no field that BluFi knows")


def answer(suite: Suite, private: bytes, public: bytes) -> tuple[bytes, bytes]:
    """Return the device's public value and the key."""
    try:
        return suite.group.public(private), suite.key(private, public)
    except MalformedMessage as error:
        raise FrameRefused(ErrorCode.PUBLIC_VALUE, error.message) from None
