"""Out-of-band data for Bluetooth pairing: what the board keeps, and what its label or platform tells.

Secure Connections only (Core, Vol 3, Part H, §2.3.5.6.4). The board's pairing key follows from its factory
key, so that its commitment can be printed, or kept by the platform; whoever has read the data can pair as
the board's owner.
"""

from base64 import b32decode, b32encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from doorstep.crypto.bluetooth import confirm_key
from doorstep.crypto.p256 import ORDER, PrivateKey
from doorstep.errors import MalformedMessage, SettingsError

__all__ = ["OobData", "OobSecret"]

SIZE: Final = 16
SCALAR_SIZE: Final = 32
INFO: Final = b"doorstep bluetooth out-of-band"
TEXT_LENGTH: Final = 52
"""Characters of base32 for 32 bytes."""


@dataclass(frozen=True, slots=True)
class OobData:
    """The commitment to the board's key and the random number that blinds it; both are secret till paired."""

    confirm: bytes = field(repr=False)
    random: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the sizes."""
        if len(self.confirm) != SIZE or len(self.random) != SIZE:
            raise MalformedMessage(f"out-of-band data is {SIZE} and {SIZE} bytes")

    def text(self) -> str:
        """Return what is printed, or handed out by the platform."""
        return b32encode(self.confirm + self.random).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "OobData":
        """Read `text`, whatever its case and spacing; raises `MalformedMessage`."""
        letters = "".join(text.split()).upper()
        if len(letters) != TEXT_LENGTH:
            raise MalformedMessage(
                f"the out-of-band code has {len(letters)} characters, not {TEXT_LENGTH}",
                next_step="Scan or copy the whole code.",
            )
        try:
            octets = b32decode(letters + "====")
        except ValueError:
            raise MalformedMessage("the out-of-band code has a letter that none has") from None
        data = cls(octets[:SIZE], octets[SIZE:])
        if data.text() != letters:
            raise MalformedMessage("the out-of-band code ends in bits that mean nothing")
        return data


@dataclass(frozen=True, slots=True)
class OobSecret:
    """What the board keeps: the private key of its pairing, and the random number of its data."""

    scalar: bytes = field(repr=False)
    random: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check that the key is one of the curve P-256."""
        if len(self.random) != SIZE or len(self.scalar) != SCALAR_SIZE or not _is_scalar(self.scalar):
            raise SettingsError("A board's out-of-band secret is a P-256 key and 16 random bytes.")

    @classmethod
    def generate(cls, rng: Callable[[int], bytes]) -> "OobSecret":
        """Make one in the factory; ``rng`` returns that many unpredictable bytes."""
        scalar = rng(SCALAR_SIZE)
        while not _is_scalar(scalar):
            scalar = rng(SCALAR_SIZE)
        return cls(scalar, rng(SIZE))

    @classmethod
    def of(cls, factory_key: PrivateKey) -> "OobSecret":
        """Return the board's own, which follows from its factory key: nothing more is kept anywhere."""
        return cls.generate(factory_key.derived(INFO))

    def share(self) -> OobData:
        """Return what a phone must know."""
        return OobData(confirm_key(self.scalar, self.random), self.random)


def _is_scalar(octets: bytes) -> bool:
    return 0 < int.from_bytes(octets) < ORDER
