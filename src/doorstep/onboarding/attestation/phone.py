"""The phone's side of an attestation, without I/O."""

from dataclasses import dataclass
from typing import Final

from doorstep.errors import MalformedMessage
from doorstep.onboarding.attestation.device import ATTEST, COMMIT
from doorstep.onboarding.attestation.transcript import (
    NO_SESSION,
    NONCE_LENGTH,
    Pattern,
    commitment_of,
    pattern_of,
    transcript_of,
)
from doorstep.onboarding.protocomm.configurator import Conversation, Request
from doorstep.onboarding.protocomm.session import Rng

__all__ = ["ENDPOINT", "Attestation", "attest"]

ENDPOINT: Final = "doorstep-attest"


@dataclass(frozen=True, slots=True)
class Attestation:
    """What the phone relays to the platform; nothing of it is verified before the platform did."""

    statement: bytes
    transcript: bytes
    """As this phone computed it: the platform compares."""
    pattern: Pattern
    """What the right device shows."""


def attest(challenge: bytes, rng: Rng, session: bytes = NO_SESSION) -> Conversation[Attestation]:
    """Have a device sign the platform's challenge over this conversation."""
    nonce = rng(NONCE_LENGTH)
    device_nonce = yield Request(ENDPOINT, bytes((COMMIT,)) + commitment_of(nonce))
    if len(device_nonce) != NONCE_LENGTH:
        raise MalformedMessage(f"a device's nonce has {NONCE_LENGTH} bytes, not {len(device_nonce)}")
    statement = yield Request(ENDPOINT, bytes((ATTEST,)) + nonce + challenge)
    transcript = transcript_of(session, nonce, device_nonce)
    return Attestation(statement, transcript, pattern_of(transcript))
