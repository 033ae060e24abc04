"""A device proves itself to the token service by a signed JWT (RFC 7523 section 3, ``private_key_jwt``).

Checked in this order: form, algorithm, signature, issuer and subject, audience, times. ES256 by the device's
factory key is the one algorithm; the key is looked up by the device id, never taken from the JWT.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import msgspec

from doorstep.crypto.p256 import PublicKey
from doorstep.errors import MalformedMessage, ReplayRefused, VerificationFailed
from doorstep.identity.ids import check_device_id
from doorstep.wire import base64url, jsontext

__all__ = [
    "ASSERTION_CAP",
    "ASSERTION_TYPE",
    "LIFETIME_CAP_S",
    "Assertion",
    "ForOthers",
    "StaleAssertion",
    "read",
]

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""What ``client_assertion_type`` says."""

ASSERTION_CAP: Final = 2048
"""Characters of one assertion."""

LIFETIME_CAP_S: Final = 600
"""Seconds from now until an assertion may expire at the latest."""

_SKEW_S: Final = 60
"""Seconds by which a device's clock may be ahead of ours."""

_PARTS: Final = 3


class ForOthers(VerificationFailed):
    """A genuine assertion names another issuer, subject or audience than it must."""


class StaleAssertion(ReplayRefused):
    """A genuine assertion has expired, is not good yet, or is good for too long."""


class _Header(msgspec.Struct):
    alg: str


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    nbf: float = 0


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that was read; nothing of it is believed before `verify`."""

    device: str
    """Whose key to look up."""
    _claims: _Claims
    _signed: bytes
    _signature: bytes

    def verify(self, key: PublicKey, audience: Collection[str], now_s: float) -> None:
        """Raise SignatureRefused, ForOthers or StaleAssertion unless the device says this to us now."""
        key.verify(self._signature, self._signed)
        claims = self._claims
        named = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != claims.sub or not set(named) & set(audience):
            raise ForOthers("an assertion is by the device itself, for this token service")
        if not claims.nbf - _SKEW_S <= now_s < claims.exp <= now_s + LIFETIME_CAP_S + _SKEW_S:
            raise StaleAssertion(
                "this assertion is not good now", next_step="Set the clock by GET /device/v1/time."
            )


def read(text: str) -> Assertion:
    """Read a compact JWS; raise MalformedMessage. ``text`` has at most ASSERTION_CAP characters."""
    parts = text.split(".") if len(text) <= ASSERTION_CAP and text.isascii() else []
    if len(parts) != _PARTS:
        raise MalformedMessage("a client assertion is a JWT of three parts")
    header, claims, signature = (base64url.decode(part) for part in parts)
    if jsontext.decode(header, _Header).alg != "ES256":
        raise MalformedMessage("a client assertion is signed with ES256")
    said = jsontext.decode(claims, _Claims)
    return Assertion(check_device_id(said.sub), said, text.rpartition(".")[0].encode(), signature)
