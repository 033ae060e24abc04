"""The scratch-off claim code: printed once, typed by a person, stored only as a hash, burnt at use.

Twelve symbols carry 60 random bits and a thirteenth checks them: ``7K3M-9QWX-T2HB-V``. The alphabet
leaves out I, L, O and U; when a person types I or L we read 1, and O is read as 0.

The check symbol makes the sum of ``symbol[i] · αⁱ`` zero over GF(32). Powers of a primitive element
are all different and none is zero, so every wrong single symbol and every swap of two symbols, next to
each other or not, leaves a sum that is not zero.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage

__all__ = [
    "ALPHABET",
    "CODE_LENGTH",
    "HASH_LENGTH",
    "ClaimCode",
    "MalformedClaimCode",
    "generate",
    "parse",
]

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: symbol number n is ``ALPHABET[n]``."""

CODE_LENGTH: Final = 13
"""Twelve symbols of five random bits and one check symbol."""

HASH_LENGTH: Final = 32
"""Bytes of a stored hash."""

_RANDOM_SYMBOLS: Final = CODE_LENGTH - 1
_GROUP: Final = 4
_INPUT_CAP: Final = 64
"""Characters of typed text that are looked at; a code with generous spacing has fewer."""
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": "", "\t": "", "\u2013": ""})
_FIELD_POLYNOMIAL: Final = 0b100101
"""x⁵ + x² + 1, primitive over GF(2), so that x (the number 2) generates all 31 non-zero elements."""
_HASH_CONTEXT: Final = b"doorstep claim code 1\x00"


class MalformedClaimCode(MalformedMessage):
    """Typed text is not a claim code; it was mistyped or belongs to something else."""


@dataclass(frozen=True, slots=True)
class ClaimCode:
    """A claim code with a correct check symbol; ``symbols`` is secret until the label is scratched."""

    symbols: str = field(repr=False)

    @property
    def printed(self) -> str:
        """The code as a label shows it, in groups of four: ``7K3M-9QWX-T2HB-V``."""
        groups = [self.symbols[at : at + _GROUP] for at in range(0, CODE_LENGTH, _GROUP)]
        return "-".join(groups)

    def hash(self, pepper: bytes) -> bytes:
        """Return the 32 bytes to store and to look up by.

        A slow, salted hash protects words that people choose. These 60 bits are drawn at random: guessing one
        of a million codes takes 2⁴⁰ hashes on average *with* the pepper, and cannot be started without it,
        because ``pepper`` is a secret of the platform that is not in the database. A keyed hash also has the
        same value each time, which a unique index and a look-up need.
        """
        return hmac.digest(pepper, _HASH_CONTEXT + self.symbols.encode("ascii"), hashlib.sha256)


def generate(rng: Callable[[int], bytes]) -> ClaimCode:
    """Draw a claim code with 60 random bits."""
    value = int.from_bytes(rng(8), "big")
    symbols = [value >> (5 * place) & 31 for place in range(_RANDOM_SYMBOLS)]
    return ClaimCode("".join(ALPHABET[number] for number in [*symbols, _check_number(symbols)]))


def parse(text: str) -> ClaimCode:
    """Read a code as a person types it, in any case, with blanks or dashes, with O for 0 and I or L for 1.

    Raises `MalformedClaimCode`; its message never repeats what was typed.
    """
    if len(text) > _INPUT_CAP:
        raise _mistyped(f"a claim code has {CODE_LENGTH} characters")
    symbols = text.strip().upper().translate(_LOOKALIKES)
    if len(symbols) != CODE_LENGTH:
        raise _mistyped(f"a claim code has {CODE_LENGTH} characters, this has {len(symbols)}")
    numbers = [ALPHABET.find(symbol) for symbol in symbols]
    if -1 in numbers:
        raise _mistyped(f"character {numbers.index(-1) + 1} cannot be in a claim code")
    if _check_number(numbers[:-1]) != numbers[-1]:
        raise _mistyped("the check character does not fit")
    return ClaimCode(symbols)


def _mistyped(reason: str) -> MalformedClaimCode:
    return MalformedClaimCode(
        f"this is not a claim code: {reason}",
        next_step="Compare it with the label, character by character.",
    )


def _check_number(numbers: list[int]) -> int:
    """Evaluate the symbols as a polynomial (Horner), whose constant term is the check symbol."""
    total = 0
    for number in numbers:
        total = _times_alpha(total ^ number)
    return total


def _times_alpha(element: int) -> int:
    doubled = element << 1
    return doubled ^ _FIELD_POLYNOMIAL if doubled > 31 else doubled  # noqa: PLR2004 - 31 is the field's largest element
