"""The device's side: is this blob for me, in time, new; and what does it say.

A blob says nothing about who sealed it: anybody who knows the device's public key can. What it may do
is decided elsewhere: the device asks for presence, and the platform judges the token inside.
"""

from dataclasses import dataclass, field
from typing import Final

from doorstep.crypto.hpke import Agree
from doorstep.crypto.p256 import PublicKey
from doorstep.onboarding.sealed.blob import SealedBlob, read_blob
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.sealed.failures import BlobExpired, BlobUsed, ForAnotherDevice

__all__ = ["LIFETIME_CAP", "MEMORY_CAP", "BlobMemory", "KnownTime", "Opened", "Recipient"]

LIFETIME_CAP: Final = 24 * 3600
"""Seconds that a blob may be good for; a device that is sure of its clock refuses longer ones."""

MEMORY_CAP: Final = 64
"""Opened blobs that a device remembers; beyond it, the one that expires first is forgotten first."""


@dataclass(frozen=True, slots=True)
class KnownTime:
    """What the device knows of the time, in seconds since 1970.

    It is ``at_least`` that late: by the platform's last answer, its own certificate, or a clock that may
    have stood still. ``sure`` when it is not later either, as with a battery-backed clock.
    """

    at_least: int
    sure: bool = False

    def check(self, expires: int) -> None:
        """Raise BlobExpired for a blob that is too old, or good for longer than any may be."""
        if expires <= self.at_least:
            raise BlobExpired("What was brought to the device has expired.")
        if self.sure and expires - self.at_least > LIFETIME_CAP:
            raise BlobExpired("What was brought to the device claims to be good for longer than a day.")


@dataclass(frozen=True, slots=True)
class BlobMemory:
    """Nonces of the blobs that were opened, with the moments from which nobody needs to remember them."""

    used: tuple[tuple[bytes, int], ...] = ()

    def check(self, nonce: bytes) -> None:
        """Raise BlobUsed for a nonce that came before."""
        if any(nonce == known for known, _ in self.used):
            raise BlobUsed

    def after(self, blob: SealedBlob, now: KnownTime) -> "BlobMemory":
        """Return the memory with one more blob; those that expired are dropped."""
        alive = [(nonce, expires) for nonce, expires in self.used if expires > now.at_least]
        latest = sorted([*alive, (blob.nonce, blob.expires)], key=lambda entry: entry[1])
        return BlobMemory(tuple(latest[-MEMORY_CAP:]))


@dataclass(frozen=True, slots=True)
class Opened:
    """What a blob says, and the memory to store before anything is done about it."""

    content: SealedContent
    memory: BlobMemory


@dataclass(frozen=True, slots=True)
class Recipient:
    """One device and its factory key, in memory or in a secure element."""

    device_id: str
    key: PublicKey
    agree: Agree = field(repr=False)

    def open(self, data: bytes, memory: BlobMemory, now: KnownTime) -> Opened:
        """Open what a carrier brought, bytes or text.

        In this order: form, device, time, nonce, seal, content. Raises MalformedMessage, ForAnotherDevice,
        BlobExpired, BlobUsed or VerificationFailed; then nothing is to be remembered.
        """
        blob = read_blob(data)
        if blob.device_id != self.device_id:
            raise ForAnotherDevice(blob.device_id, self.device_id)
        now.check(blob.expires)
        memory.check(blob.nonce)
        content = blob.open(self.key, self.agree)
        return Opened(content, memory.after(blob, now))
