"""Diffie-Hellman in two prime fields, as BluFi runs it: nobody says who the other side is.

Python's ``pow`` is not constant in time: every exponent here is used for one session and thrown away.
"""

from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage, MisuseError

__all__ = ["BLUFI_1024", "FFDHE_3072", "Group"]


@dataclass(frozen=True, slots=True)
class Group:
    """A prime and a generator; numbers are big-endian and as long as the prime."""

    prime: int
    generator: int

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return self.prime.bit_length() // 8

    def public(self, private: bytes) -> bytes:
        """Return the public value of a secret as long as the prime."""
        return self._octets(pow(self.generator, self._exponent(private), self.prime))

    def shared(self, private: bytes, peer: bytes) -> bytes:
        """Return what both know; raises `MalformedMessage` on a public value that gives nothing away."""
        value = int.from_bytes(peer)
        if len(peer) != self.size or not 1 < value < self.prime - 1:
            raise MalformedMessage("a Diffie-Hellman public value is not one of its group")
        return self._octets(pow(value, self._exponent(private), self.prime))

    def _exponent(self, private: bytes) -> int:
        if len(private) != self.size:
            raise MisuseError(f"a Diffie-Hellman secret has {self.size} bytes here, not {len(private)}")
        return int.from_bytes(private) % (self.prime - 3) + 2

    def _octets(self, number: int) -> bytes:
        return number.to_bytes(self.size)


BLUFI_1024: Final = Group(
    int(
        "cf5cf5c38419a724957ff5dd323b9c45c3cdd261eb740f69aa94b8bb1a5c96409153bd76b24222d03274e4725a540609"
        "2e9e82e9135c643cae98132b0d95f7d65347c68afc1e677da90e51bbab5f5cf429c291b4ba39c6b2dc5e8c7231e46aa7"
        "728e87664532cdf547be20c9a3fa8342be6e34371a27c06f7dc0edddd2f86373",
        16,
    ),
    2,
)
"""The field of BluFi before 1.4: the same 1024 bits in every app, so one large calculation opens them all."""

FFDHE_3072: Final = Group(
    int(
        "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FBCC939DCE249B3EF9"
        "7D2FE363630C75D8F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935"
        "984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE73530ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FB"
        "B96ADAB760D7F4681D4F42A3DE394DF4AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F61"
        "9172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA"
        "886B4238611FCFDCDE355B3B6519035BBC34F4DEF99C023861B46FC9D6E6C9077AD91D2691F7F7EE598CB0FAC186D91C"
        "AEFE130985139270B4130C93BC437944F4FD4452E2D74DD364F2E21E71F54BFF5CAE82AB9C9DF69EE86D2BC522363A0D"
        "ABC521979B0DEADA1DBF9A42D5C4484E0ABCD06BFA53DDEF3C1B20EE3FD59D7C25E41D2B66C62E37FFFFFFFFFFFFFFFF",
        16,
    ),
    2,
)
"""RFC 7919 appendix A.2; BluFi since 1.4."""
