"""A release: the platform's signed word that a device's owner lets it be set up again.

COSE_Sign1 by the Operations CA, whose certificate travels along (RFC 9360); the device trusts the root.
It is no secret and opens nothing without a physical reset. `docs/spec/onboarding-sealed.md` §7 is
normative.
"""

from dataclasses import dataclass
from typing import Final

from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.errors import MalformedMessage, ReplayRefused, VerificationFailed
from doorstep.identity import platform_word
from doorstep.identity.ids import check_device_id
from doorstep.wire import cbor

__all__ = ["LIFETIME", "RELEASE_CAP", "RELEASE_CONTEXT", "Release", "StaleRelease", "WrongRelease", "verify"]

RELEASE_CONTEXT: Final = b"doorstep set-up release 1"
"""External authenticated data."""

RELEASE_CAP: Final = 1024
"""Bytes of a release, the certificate included."""

LIFETIME: Final = 24 * 3600
"""Seconds for which a release is good."""

_AFRESH: Final = "Have the owner allow set-up again in the portal."


class WrongRelease(VerificationFailed):
    """A release is not the platform's, or is for another device."""


class StaleRelease(ReplayRefused):
    """A release is older than the last claim, or expired."""


@dataclass(frozen=True, slots=True)
class Release:
    """Times are seconds since 1970."""

    device: str
    issued: int
    expires: int

    def __post_init__(self) -> None:
        """Refuse what could not be read again."""
        check_device_id(self.device)
        if not 0 <= self.issued < self.expires <= platform_word.LAST_SECOND:
            raise MalformedMessage("a release is issued before it expires")

    def sign(self, operations: Issuer) -> bytes:
        """Return the signed bytes."""
        fields: dict[str, cbor.Value] = {
            "device": self.device,
            "issued": self.issued,
            "expires": self.expires,
        }
        return platform_word.sign(fields, RELEASE_CONTEXT, operations)


def verify(data: bytes, root: Certificate, device: str, *, claimed_at: int, at_least: int) -> Release:
    """Return the release if it lets ``device`` be set up now.

    ``claimed_at`` is when the platform last gave the device an owner, ``at_least`` what the device knows of
    the time. Checked in this order: form, certificate, signature, device, claim, expiry. Raises
    MalformedMessage, WrongRelease, VerificationFailed or StaleRelease.
    """
    word = platform_word.read(data, max_bytes=RELEASE_CAP)
    release = _release(word[0].payload)
    try:
        platform_word.verify(word, [root], RELEASE_CONTEXT, issued=release.issued)
    except platform_word.WrongSigner as error:
        raise WrongRelease("a release is signed by the maker's platform", next_step=_AFRESH) from error
    if release.device != device:
        raise WrongRelease(
            f"this release is for device {release.device}, and this is {device}", next_step=_AFRESH
        )
    if release.issued < claimed_at or release.expires <= at_least:
        raise StaleRelease("this release is older than the last claim, or has expired", next_step=_AFRESH)
    return release


def _release(payload: bytes) -> Release:
    match cbor.decode(payload, max_bytes=RELEASE_CAP):
        case {"device": str(device), "issued": int(issued), "expires": int(expires), **rest} if not rest:
            return Release(device, issued, expires)
        case _:
            raise MalformedMessage("a release names its device, when it was issued and when it expires")
