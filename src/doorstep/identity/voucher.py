"""An ownership voucher: the platform's signed word that some devices are for whoever has an address.

COSE_Sign1 by the Operations CA, whose certificate travels along (RFC 9360). Of the address it holds a
hash, so that a file that is lost on its way names nobody. It is evidence and no more: the product's policy
says what else must come with it. `docs/spec/voucher.md` is normative.
"""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.errors import MalformedMessage, RefusedError, ReplayRefused
from doorstep.identity import platform_word
from doorstep.identity.ids import check_device_id
from doorstep.wire import cbor

__all__ = [
    "DEVICES_CAP",
    "LIFETIME",
    "VOUCHER_CAP",
    "VOUCHER_CONTEXT",
    "ForSomebodyElse",
    "StaleVoucher",
    "Voucher",
    "addressee",
    "read",
]

VOUCHER_CONTEXT: Final = b"doorstep ownership voucher 1"
"""External authenticated data; the digit is the version of the format."""

DEVICES_CAP: Final = 1000
"""Devices of one voucher."""

VOUCHER_CAP: Final = 16_384
"""Bytes of one voucher, the certificate included."""

LIFETIME: Final = 365 * 86_400
"""Seconds for which a voucher is good: a project may take a year to build."""

_HASH_LENGTH: Final = 32


class ForSomebodyElse(RefusedError):
    """A genuine voucher is for another address."""


class StaleVoucher(ReplayRefused):
    """A genuine voucher has expired."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """Times are seconds since 1970."""

    to: bytes
    """`addressee` of the address for whose owner the devices are."""
    devices: tuple[str, ...]
    issued: int
    expires: int

    def __post_init__(self) -> None:
        """Refuse what could not be read again."""
        if not 1 <= len(self.devices) <= DEVICES_CAP or len(set(self.devices)) != len(self.devices):
            raise MalformedMessage(f"a voucher names 1 to {DEVICES_CAP} devices, each once")
        for device in self.devices:
            check_device_id(device)
        if len(self.to) != _HASH_LENGTH:
            raise MalformedMessage("a voucher is for one address, of which it has the SHA-256")
        if not 0 <= self.issued < self.expires <= platform_word.LAST_SECOND:
            raise MalformedMessage("a voucher is issued before it expires")

    def sign(self, operations: Issuer) -> bytes:
        """Return the signed bytes."""
        fields: dict[str, cbor.Value] = {
            "to": self.to,
            "devices": list(self.devices),
            "issued": self.issued,
            "expires": self.expires,
        }
        return platform_word.sign(fields, VOUCHER_CONTEXT, operations)


def addressee(email: str) -> bytes:
    """Return what a voucher says of an address; case and blanks around it do not count."""
    return hashlib.sha256(email.strip().lower().encode()).digest()


def read(data: bytes, roots: Sequence[Certificate], addresses: Collection[str], now: int) -> Voucher:
    """Return a voucher for one of these addresses.

    Checked in this order: form, certificate and signature, addressee, expiry. Raises MalformedMessage,
    VerificationFailed, ForSomebodyElse or StaleVoucher.
    """
    word = platform_word.read(data, max_bytes=VOUCHER_CAP)
    voucher = _voucher(word[0].payload)
    platform_word.verify(word, roots, VOUCHER_CONTEXT, issued=voucher.issued)
    if not any(hmac.compare_digest(voucher.to, addressee(one)) for one in addresses):
        raise ForSomebodyElse(
            "this voucher is for another address than yours",
            next_step="Add and confirm the address that it was made for in your account.",
        )
    if now >= voucher.expires:
        raise StaleVoucher(
            "this voucher has expired", next_step="Ask the seller of the devices for a new one."
        )
    return voucher


def _voucher(payload: bytes) -> Voucher:
    match cbor.decode(payload, max_bytes=VOUCHER_CAP):
        case {
            "to": bytes(to),
            "devices": list(devices) | tuple(devices),
            "issued": int(issued),
            "expires": int(expires),
            **rest,
        } if not rest and all(isinstance(one, str) for one in devices):
            return Voucher(to, tuple(map(str, devices)), issued, expires)
        case _:
            raise MalformedMessage("a voucher names addressee, devices, and from when till when it is good")
