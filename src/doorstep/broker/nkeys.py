"""NATS keys and the claims it takes: nkeys (base32 with CRC-16) and JWT version 2 signed with Ed25519."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from doorstep.crypto import ed25519
from doorstep.errors import MalformedMessage, VerificationFailed

__all__ = ["MAX_TOKEN", "MalformedToken", "NatsKey", "decode"]

MAX_TOKEN: Final = 64 * 1024
"""Characters of a token that are looked at; a request with a certificate chain has a few thousand."""

_ACCOUNT_PREFIX: Final = b"\x00"  # spells "A…"
_PUBLIC_LENGTH: Final = 35  # prefix, key, checksum
_HEADER: Final = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"ed25519-nkey"}').rstrip(b"=")
_PARTS: Final = 3


class MalformedToken(MalformedMessage):
    """Bytes are not a NATS token."""


class NatsKey:
    """An account key of ours: signs what the broker believes."""

    def __init__(self, seed: bytes) -> None:
        self._key = ed25519.SigningKey.from_seed(seed)
        self.public: Final = _spelled(_ACCOUNT_PREFIX + self._key.verifying_key.raw)

    def encode(self, claims: Mapping[str, Any], issued_s: int) -> bytes:
        """Return a signed token; ``iat``, ``iss`` and ``jti`` are filled in."""
        body = {**claims, "iat": issued_s, "iss": self.public}
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
        body["jti"] = base64.b32encode(digest).rstrip(b"=").decode()
        signed = _HEADER + b"." + _to_base64(json.dumps(body, separators=(",", ":")).encode())
        return signed + b"." + _to_base64(self._key.sign(signed))


def decode(token: bytes) -> dict[str, Any]:
    """Return the claims of a token whose signature holds; raise MalformedToken or VerificationFailed."""
    parts = token.split(b".")
    if len(token) > MAX_TOKEN or len(parts) != _PARTS:
        raise MalformedToken("these bytes are no NATS token")
    header, body, signature = parts
    try:
        claims: dict[str, Any] = json.loads(_from_base64(body))
        public = _public_key(claims["iss"])
        ed25519.VerifyingKey.from_bytes(public).verify(_from_base64(signature), header + b"." + body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedToken("the NATS token cannot be read") from error
    return claims


def _spelled(raw: bytes) -> str:
    return base64.b32encode(raw + _checksum(raw)).decode().rstrip("=")


def _public_key(spelled: str) -> bytes:
    raw = base64.b32decode(spelled + "=" * (-len(spelled) % 8))
    if len(raw) != _PUBLIC_LENGTH or _checksum(raw[:-2]) != raw[-2:]:
        raise VerificationFailed("the token's issuer is not an nkey")
    return raw[1:-2]


def _checksum(raw: bytes) -> bytes:
    """CRC-16/XMODEM, little-endian."""
    return binascii.crc_hqx(raw, 0).to_bytes(2, "little")


def _to_base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _from_base64(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
