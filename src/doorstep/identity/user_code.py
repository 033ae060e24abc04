"""The code that a device shows and a person types (RFC 8628 section 6.1): ``WDJB-MJHT``.

Eight of twenty consonants carry 34 bits: enough for the quarter of an hour that a code lives, with few
guesses for each account, and no word comes out by chance.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage

__all__ = ["ALPHABET", "CODE_LENGTH", "MalformedUserCode", "UserCode", "generate", "parse"]

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants without Y."""

CODE_LENGTH: Final = 8

_FAIR: Final = 240
"""Random bytes from here on are thrown away: 240 is the largest multiple of 20 below 256."""

_INPUT_CAP: Final = 32
_DROPPED: Final = str.maketrans(dict.fromkeys(" -\t\u2013", ""))
_HASH_CONTEXT: Final = b"doorstep user code 1\x00"


class MalformedUserCode(MalformedMessage):
    """Typed text is not a code that a device shows."""


@dataclass(frozen=True, slots=True)
class UserCode:
    """A code in capital letters, without the dash."""

    symbols: str

    @property
    def shown(self) -> str:
        """The code as a screen shows it: ``WDJB-MJHT``."""
        return f"{self.symbols[:4]}-{self.symbols[4:]}"

    def hash(self, pepper: bytes) -> bytes:
        """Return the 32 bytes to store and to look up by; ``pepper`` is a secret of the platform."""
        return hmac.digest(pepper, _HASH_CONTEXT + self.symbols.encode("ascii"), "sha256")


def generate(rng: Callable[[int], bytes]) -> UserCode:
    """Draw a code."""
    symbols = ""
    while len(symbols) < CODE_LENGTH:
        symbols += "".join(ALPHABET[byte % len(ALPHABET)] for byte in rng(CODE_LENGTH) if byte < _FAIR)
    return UserCode(symbols[:CODE_LENGTH])


def parse(text: str) -> UserCode:
    """Read a code as a person types it; raise MalformedUserCode, which never repeats what was typed."""
    symbols = text[:_INPUT_CAP].upper().translate(_DROPPED)
    if len(symbols) != CODE_LENGTH or not set(symbols) <= set(ALPHABET):
        raise MalformedUserCode(
            f"the code that a device shows has {CODE_LENGTH} letters, and no vowels",
            next_step="Compare it with the device's screen or page.",
        )
    return UserCode(symbols)
