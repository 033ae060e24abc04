"""The phone's side of sealed credentials, without I/O: one request each."""

from typing import Final

from doorstep.onboarding.protocomm.configurator import Conversation, Request
from doorstep.onboarding.sealed.blob import SealedBlob
from doorstep.onboarding.sealed.status import DeviceStatus, parse_status

__all__ = ["RELEASE_ENDPOINT", "SEALED_ENDPOINT", "ask", "bring", "bring_release"]

SEALED_ENDPOINT: Final = "doorstep-sealed"
RELEASE_ENDPOINT: Final = "doorstep-release"


def ask() -> Conversation[DeviceStatus]:
    """Ask how far the device got."""
    return parse_status((yield Request(SEALED_ENDPOINT, b"?")))


def bring(blob: SealedBlob) -> Conversation[DeviceStatus]:
    """Hand over sealed credentials."""
    return parse_status((yield Request(SEALED_ENDPOINT, blob.encode())))


def bring_release(release: bytes) -> Conversation[DeviceStatus]:
    """Hand over the owner's release."""
    return parse_status((yield Request(RELEASE_ENDPOINT, release)))
