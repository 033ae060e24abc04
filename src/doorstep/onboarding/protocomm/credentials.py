"""One device's set-up secret: made in the factory, printed as a code, kept on the device as a verifier."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from doorstep.crypto.srp6a import GROUP_SIZE, make_verifier
from doorstep.errors import SettingsError

__all__ = ["USERNAME", "Sec1Code", "Sec2Credentials", "Sec2Verifier", "generate"]

USERNAME = "doorstep"
SALT_SIZE = 16
POP_CHARS = 13
"""13 base32 characters are 65 bits: out of reach even for one who dumped the verifier."""


@dataclass(frozen=True, slots=True)
class Sec1Code:
    """What a device of security 1 stores: the code itself, which a thief of its memory then has too."""

    pop: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a device that anybody could set up."""
        if not self.pop:
            raise SettingsError(
                "Security 1 without a code protects nothing.",
                next_step="Give the device a code and print it on its label.",
            )


@dataclass(frozen=True, slots=True)
class Sec2Verifier:
    """The device's half: enough to check the code, not enough to know it without a search."""

    username: str
    salt: bytes
    verifier: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what a truncated or foreign file would give."""
        if not self.username or not self.salt or len(self.verifier) != GROUP_SIZE:
            raise SettingsError(
                f"The set-up secret needs a user name, a salt and {GROUP_SIZE} bytes of verifier.",
                next_step="Load the device's factory file again.",
            )


@dataclass(frozen=True, slots=True)
class Sec2Credentials:
    """Both halves, as the factory sees them once: ``pop`` goes onto the label, the rest to the device."""

    username: str
    pop: str = field(repr=False)
    salt: bytes
    verifier: bytes = field(repr=False)

    def for_device(self) -> Sec2Verifier:
        """Return what the device stores."""
        return Sec2Verifier(self.username, self.salt, self.verifier)


def generate(
    rng: Callable[[int], bytes],
    username: str = USERNAME,
    draw: Callable[[Callable[[int], bytes]], str] | None = None,
) -> Sec2Credentials:
    """Make credentials that every client in the field reads alike; ``draw`` makes another kind of code.

    Clients that keep hashes as integers lose leading zero bytes: neither the salt nor
    SHA-512(user:code) starts with one.
    """
    draw = draw or _code
    salt, pop = rng(SALT_SIZE), draw(rng)
    while salt[0] == 0:
        salt = rng(SALT_SIZE)
    while hashlib.sha512(f"{username}:{pop}".encode()).digest()[0] == 0:
        pop = draw(rng)
    return Sec2Credentials(username, pop, salt, make_verifier(username.encode(), pop.encode(), salt))


def _code(rng: Callable[[int], bytes]) -> str:
    return base64.b32encode(rng(10)).decode()[:POP_CHARS].lower()
