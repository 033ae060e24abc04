"""SRP-6a as protocomm security scheme 2 uses it, for both roles: RFC 5054's 3072-bit group, g = 5, SHA-512.

A device holds only salt and verifier; a configurator holds the code. Both reach the same key, and
each proves it to the other, without the code ever being sent or open to offline search. Python's
``pow`` is not constant in time: every exponent here is used for one handshake and thrown away.
"""

import functools
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage, MisuseError, VerificationFailed

__all__ = [
    "GENERATOR",
    "GROUP_SIZE",
    "PRIME",
    "Agreement",
    "agree_as_device",
    "agree_as_user",
    "check_proof",
    "device_public",
    "make_verifier",
    "user_public",
]

GROUP_SIZE: Final = 384
"""Bytes of a public value and of a verifier."""

GENERATOR: Final = 5

HASH_BITS: Final = 512

PRIME: Final = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
"""RFC 5054 appendix A, 3072-bit group: a safe prime."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides know after the exchange: the 64-byte key and the two proofs of having it."""

    key: bytes = field(repr=False)
    user_proof: bytes = field(repr=False)
    device_proof: bytes = field(repr=False)


def make_verifier(username: bytes, code: bytes, salt: bytes) -> bytes:
    """Return the 384-byte verifier that a device stores instead of the code."""
    return _pad(_power_of_generator(_x(username, code, salt)))


def user_public(exponent: bytes) -> bytes:
    """Return the configurator's public value A, 384 bytes."""
    return _pad(_power_of_generator(_secret(exponent)))


def device_public(verifier: bytes, exponent: bytes) -> bytes:
    """Return the device's public value B, 384 bytes."""
    masked = _MULTIPLIER * int.from_bytes(verifier)
    return _pad((masked + _power_of_generator(_secret(exponent))) % PRIME)


def agree_as_user(
    username: bytes, code: bytes, salt: bytes, exponent: bytes, their_public: bytes
) -> Agreement:
    """Reach the agreement from the code; raises `VerificationFailed` on a B that would give the key away."""
    a, x, b_value = _secret(exponent), _x(username, code, salt), _public(their_public)
    mine = user_public(exponent)
    u = _scramble(mine, their_public)
    shared = pow(b_value - _MULTIPLIER * _power_of_generator(x), a + u * x, PRIME)
    return _agreement(username, salt, mine, their_public, shared)


def agree_as_device(
    username: bytes, salt: bytes, verifier: bytes, exponent: bytes, their_public: bytes
) -> Agreement:
    """Reach the agreement from the verifier.

    Raises `VerificationFailed` on an A that is a multiple of the prime (0, N, 2N…): it would need no code.
    """
    b, v, a_value = _secret(exponent), int.from_bytes(verifier), _public(their_public)
    mine = device_public(verifier, exponent)
    u = _scramble(their_public, mine)
    shared = pow(a_value * pow(v, u, PRIME), b, PRIME)
    return _agreement(username, salt, their_public, mine, shared)


def check_proof(expected: bytes, given: bytes) -> None:
    """Compare two proofs in constant time; raise `VerificationFailed` where they differ."""
    if not hmac.compare_digest(expected, given):
        raise VerificationFailed("the other side does not know the code")


def _agreement(username: bytes, salt: bytes, a_sent: bytes, b_sent: bytes, shared: int) -> Agreement:
    """Hash as the official clients do: the shared secret without padding, A and B as they were sent."""
    key = _hash(_minimal(shared))
    user_proof = _hash(_GROUP_HASH, _hash(username), salt, a_sent, b_sent, key)
    return Agreement(key, user_proof, _hash(a_sent, user_proof, key))


def _x(username: bytes, code: bytes, salt: bytes) -> int:
    return int.from_bytes(_hash(salt, _hash(username, b":", code)))


def _scramble(a_sent: bytes, b_sent: bytes) -> int:
    u = int.from_bytes(_hash(_pad(int.from_bytes(a_sent)), _pad(int.from_bytes(b_sent))))
    if u == 0:
        raise VerificationFailed("the scrambling value u is zero")
    return u


def _public(value: bytes) -> int:
    if not 1 <= len(value) <= GROUP_SIZE:
        raise MalformedMessage(f"a public value has {len(value)} bytes, not 1 to {GROUP_SIZE}")
    number = int.from_bytes(value)
    if number % PRIME == 0:
        raise VerificationFailed("a public value is a multiple of the group's prime")
    return number


def _secret(exponent: bytes) -> int:
    if not 1 <= len(exponent) <= HASH_BITS // 8:
        raise MisuseError(f"a secret exponent has 1 to {HASH_BITS // 8} bytes")
    return int.from_bytes(exponent)


def _power_of_generator(exponent: int) -> int:
    """Return g^exponent for up to 512 bits from a table: factories make verifiers by the thousand."""
    result = 1
    for row in _generator_table():
        result = result * row[exponent & 15] % PRIME
        exponent >>= 4
    return result


@functools.cache
def _generator_table() -> tuple[tuple[int, ...], ...]:
    """Return g^(d * 16^i) for each digit d of each position i in a 512-bit exponent."""
    rows, base = [], GENERATOR
    for _ in range(HASH_BITS // 4):
        row = [1]
        for _ in range(15):
            row.append(row[-1] * base % PRIME)
        rows.append(tuple(row))
        base = row[-1] * base % PRIME
    return tuple(rows)


def _pad(value: int) -> bytes:
    return value.to_bytes(GROUP_SIZE)


def _minimal(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha512(b"".join(parts)).digest()


_MULTIPLIER: Final = int.from_bytes(_hash(_pad(PRIME), _pad(GENERATOR)))
_GROUP_HASH: Final = bytes(p ^ g for p, g in zip(_hash(_pad(PRIME)), _hash(_pad(GENERATOR)), strict=True))
