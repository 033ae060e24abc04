"""One board's legacy keys: text that its owner types into a configuration file."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

from doorstep.errors import MalformedMessage, MisuseError

__all__ = ["LegacyKeys", "generate", "refuse_published"]

_WORD: Final = 16  # bytes of the static IV and of both AES keys
_PASSPHRASE: Final = range(8, 65)
_PRINTABLE: Final = range(0x20, 0x7F)
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PUBLISHED: Final = frozenset({b"2345678901abcdef", b"0123456789abcdef", b"mypassphrase"})
"""Keys of the article's sample code, which many boards still have."""


@dataclass(frozen=True, slots=True)
class LegacyKeys:
    """Static IV, the keys of IV and data, and the MAC's passphrase: printable ASCII, used as bytes."""

    static_iv: bytes
    iv_key: bytes = field(repr=False)
    data_key: bytes = field(repr=False)
    passphrase: bytes = field(repr=False)

    def __post_init__(self) -> None:
        words = (self.static_iv, self.iv_key, self.data_key)
        if any(len(word) != _WORD for word in words) or len(self.passphrase) not in _PASSPHRASE:
            raise MisuseError(
                f"a legacy board has a static IV and two keys of {_WORD} characters each, and a passphrase of"
                f" {_PASSPHRASE.start} to {_PASSPHRASE.stop - 1}"
            )
        if any(byte not in _PRINTABLE for byte in self.to_bytes()):
            raise MisuseError("a legacy board's keys are printable ASCII")

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Return what `to_bytes` made; raises MalformedMessage."""
        try:
            return cls(stored[:16], stored[16:32], stored[32:48], stored[48:])
        except MisuseError as error:
            raise MalformedMessage(error.message) from None

    def to_bytes(self) -> bytes:
        """Return the one byte form: all four, one behind the other."""
        return self.static_iv + self.iv_key + self.data_key + self.passphrase

    def mac(self, *parts: bytes) -> bytes:
        """Return HMAC-SHA1 over the parts, joined without separators as both formats do."""
        return hmac.digest(self.passphrase, b"".join(parts), "sha1")


def generate(rng: Callable[[int], bytes]) -> LegacyKeys:
    """Return keys for one board: 96 bits in each word, which is what 16 characters hold."""
    letters = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in rng(3 * _WORD + 32))
    return LegacyKeys.from_bytes(letters)


def refuse_published(keys: LegacyKeys) -> None:
    """Raise MisuseError for keys that stand in the article: everybody has them."""
    if _PUBLISHED & {keys.iv_key, keys.data_key, keys.passphrase}:
        raise MisuseError(
            "these are the keys of the published sample code, which everybody has",
            next_step="Leave the keys out: Doorstep makes some for this board alone, to be put into it.",
        )
