"""The CONNECT proof: a sealed, counted one-time password for listeners without TLS."""

from typing import Final, NamedTuple

from doorstep.messaging.ahead import open_aside
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.envelope import parse_session
from doorstep.messaging.errors import Forged, MalformedEnvelope, RejectReason, Replayed
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.sealer import DeviceSealer
from doorstep.messaging.state import SealedState
from doorstep.messaging.static import open_session_aside
from doorstep.wire import base64url

__all__ = [
    "CONNECT_CHANNEL",
    "MAX_PROOF",
    "NO_PROOF_YET",
    "Counter",
    "Standing",
    "open_connect_proof",
    "open_proof",
    "seal_connect_proof",
]

CONNECT_CHANNEL: Final = b"connect"
MAX_PROOF: Final = 64  # characters of a proof

Counter = tuple[int, int]  # epoch and sequence number of a proof: each one is above the one before
NO_PROOF_YET: Final[Counter] = (0, -1)  # below the first message of epoch 0

_CONTENT: Final = b"v1"


def seal_connect_proof(sealer: DeviceSealer) -> str:
    """Return a fresh proof, good for one CONNECT: base64url text for the password field."""
    message = sealer.seal(CONNECT_CHANNEL, _CONTENT)
    return base64url.encode(message)


class Standing(NamedTuple):
    """Where a device's messages and proofs stand, and how far this minute allows to look ahead for it."""

    state: SealedState
    last: Counter
    allowance: Allowance


def open_connect_proof(kid: bytes, stands: Standing, text: str, now_us: int) -> Counter:
    """Return the counter to store as the next ``last``; raises Rejected for any but a fresh, genuine proof.

    The message epochs of the state stay where they are.
    """
    counter, content, _ = open_proof(kid, stands, _decoded(text), CONNECT_CHANNEL, now_us)
    if content != _CONTENT:
        raise MalformedEnvelope(RejectReason.BAD_PAYLOAD, "the proof is of a version we do not know")
    return counter


def open_proof(
    kid: bytes, stands: Standing, message: bytes, channel: bytes, now_us: int
) -> tuple[Counter, bytes, Exchange]:
    """Open a counted message: return its counter, to be stored as ``last``, its plaintext, the way to reply.

    Proofs of all channels share one counter. Raises Rejected, and then nothing changed.
    """
    variant = stands.state.variant
    proof, session = parse_session(message, variant)
    if proof.kid is not None and proof.kid != kid:
        raise Forged(RejectReason.UNKNOWN_KID, "the proof names another device")
    counter = proof.epoch, proof.sequence
    if counter <= stands.last:
        raise Replayed(RejectReason.REPLAYED, "the proof, or a later one, was used before")
    if variant.is_static:
        content, secret = open_session_aside(kid, stands.state, proof, session, channel, now_us)
    else:
        content, secret = open_aside(kid, stands.state, stands.allowance, proof, channel, now_us)
    return counter, content, Exchange(secret, *counter, kid, channel, variant.suite)


def _decoded(text: str) -> bytes:
    if len(text) > MAX_PROOF:
        raise MalformedEnvelope(RejectReason.OVERSIZE, f"a proof has at most {MAX_PROOF} characters")
    try:
        return base64url.decode(text)
    except base64url.NotBase64Url as error:
        raise MalformedEnvelope(RejectReason.MALFORMED, f"the proof is bad: {error.message}") from None
