"""Which roots a device trusts, and the signed updates that change them (docs/spec/rotation.md §6).

An update is signed by a root that the device trusts already, so it may come over any way, also past a server
that the device no longer trusts. Versions only go up. The roots before it stay until a server was reached
under the new ones alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.errors import MalformedMessage, ReplayRefused, VerificationFailed
from doorstep.identity import cose_sign1
from doorstep.identity.rotation import Proven, Stage, Staged, advance
from doorstep.wire import cbor

__all__ = [
    "ANCHORS_CAP",
    "ANCHORS_CONTEXT",
    "MAX_ANCHORS",
    "MAX_VERSION",
    "AnchorUpdate",
    "Anchors",
    "OldUpdate",
    "UnknownSigner",
    "kid_of",
    "stage",
]

ANCHORS_CONTEXT: Final = b"doorstep trust anchors 1"
"""External authenticated data."""

ANCHORS_CAP: Final = 3_000
"""Bytes of an update."""

MAX_ANCHORS: Final = 4
"""Roots in an update."""

MAX_VERSION: Final = (1 << 31) - 1

_KID: Final = 4
_KID_LENGTH: Final = 8


class UnknownSigner(VerificationFailed):
    """No root that the device trusts signed this update."""


class OldUpdate(ReplayRefused):
    """The device has this update, or a later one."""


@dataclass(frozen=True, slots=True)
class AnchorUpdate:
    """The roots to trust from now on, as DER certificates; the factory's root is version 0."""

    version: int
    anchors: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Refuse what could not be read again, and what is no root."""
        if not 0 < self.version <= MAX_VERSION or not 0 < len(self.anchors) <= MAX_ANCHORS:
            raise MalformedMessage(f"an update has a version from 1 and 1 to {MAX_ANCHORS} roots")
        for der in self.anchors:
            root = Certificate(der)
            if not root.is_ca:
                raise MalformedMessage("an update brings roots, and this certificate is none")

    def sign(self, signer: Issuer) -> bytes:
        """Return the update signed by a root that devices trust until now."""
        payload = cbor.encode({"version": self.version, "anchors": list(self.anchors)})
        return cose_sign1.sign(payload, ANCHORS_CONTEXT, signer.key.sign, {_KID: kid_of(signer.certificate)})


@dataclass(frozen=True, slots=True)
class Anchors:
    """What a device trusts, as DER: ``trusted`` works, ``staged`` has come and is not proven yet."""

    version: int
    trusted: tuple[bytes, ...]
    staged: AnchorUpdate | None = None

    @property
    def stage(self) -> Stage:
        """Where the device stands."""
        return Stage.SETTLED if self.staged is None else Stage.STAGED

    @property
    def attempts(self) -> tuple[tuple[bytes, ...], ...]:
        """The sets of roots to reach a server with, in this order; when the staged ones work: `proven`."""
        return (self.trusted,) if self.staged is None else (self.staged.anchors, self.trusted)

    def all(self) -> tuple[Certificate, ...]:
        """Return every root that is believed in what it signs."""
        ders = self.trusted if self.staged is None else (*self.staged.anchors, *self.trusted)
        return tuple(Certificate(der) for der in dict.fromkeys(ders))

    def proven(self) -> "Anchors":
        """Return what is trusted once a server was reached under the staged roots alone."""
        advance(self.stage, Proven())
        assert self.staged is not None  # the table has no such move else
        return Anchors(self.staged.version, self.staged.anchors)


def stage(anchors: Anchors, data: bytes) -> Anchors:
    """Return what to store for an update; a later one takes the place of one that is staged.

    Checked in this order: form, signer, signature, version. Raises MalformedMessage, UnknownSigner,
    SignatureRefused or OldUpdate.
    """
    signed = cose_sign1.read(data, max_bytes=ANCHORS_CAP)
    signed.verify(_signer(anchors.all(), signed).public_key, ANCHORS_CONTEXT)
    update = _update(signed.payload)
    newest = anchors.version if anchors.staged is None else anchors.staged.version
    if update.version <= newest:
        raise OldUpdate(f"update {update.version} of the roots is not newer than {newest}")
    advance(anchors.stage, Staged())
    return Anchors(anchors.version, anchors.trusted, update)


def kid_of(root: Certificate) -> bytes:
    """Return what names a root in an update: the start of its SHA-256."""
    return hashlib.sha256(root.der).digest()[:_KID_LENGTH]


def _signer(trusted: Sequence[Certificate], signed: cose_sign1.Signed) -> Certificate:
    match signed.unprotected:
        case {4: bytes(kid), **rest} if not rest:
            found = [root for root in trusted if kid_of(root) == kid]
        case _:
            raise MalformedMessage("an update names the root that signed it and nothing else")
    if not found:
        raise UnknownSigner(
            "no root that this device trusts signed this update",
            next_step="Give the updates in the order of their versions, or use the factory tool.",
        )
    return found[0]


def _update(payload: bytes) -> AnchorUpdate:
    match cbor.decode(payload, max_bytes=ANCHORS_CAP):
        case {"version": int(version), "anchors": list(ders), **rest} if not rest:
            anchors = tuple(der for der in ders if isinstance(der, bytes))
            if len(anchors) == len(ders):
                return AnchorUpdate(version, anchors)
    raise MalformedMessage("an update has a version and roots, and nothing else")
