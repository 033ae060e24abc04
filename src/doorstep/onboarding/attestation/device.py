"""The device's side of an attestation, without I/O: commitment in, nonce out; nonce in, statement out."""

from dataclasses import dataclass, field
from typing import Final

from doorstep.errors import MalformedMessage, ProtocolViolation, RefusedError, VerificationFailed
from doorstep.identity import statement
from doorstep.identity.cose_sign1 import Signer
from doorstep.identity.statement import NONCE_LENGTHS, Purpose, Statement
from doorstep.onboarding.attestation.transcript import (
    COMMITMENT_LENGTH,
    NONCE_LENGTH,
    Pattern,
    fits,
    pattern_of,
    transcript_of,
)
from doorstep.onboarding.protocomm.session import Rng

__all__ = ["ATTEST", "COMMIT", "PATIENCE", "TRIES", "AttestAnswer", "Attestor", "TooManyAttestations"]

COMMIT, ATTEST = 1, 2
"""First byte of the two requests."""

PATIENCE: Final = 60.0
"""Seconds for which a device nonce is good."""

TRIES: Final = 3
"""Commitments in one presence window: each is one chance in 216 to imitate the pattern."""


class TooManyAttestations(RefusedError):
    """The presence window has had as many conversations as it may have."""

    def __init__(self) -> None:
        super().__init__(
            "The device was asked too often who it is since its button was pressed.",
            next_step="Press its button again. If nobody here asked, somebody nearby is trying something.",
        )


@dataclass(frozen=True, slots=True)
class AttestAnswer:
    """The reply, and the pattern to show now, where somebody is there to see it."""

    reply: bytes
    pattern: Pattern | None = None


@dataclass(frozen=True, slots=True)
class _Pending:
    commitment: bytes
    device_nonce: bytes
    until: float


@dataclass(slots=True)
class Attestor:
    """One device; a conversation of two requests, of which a new one replaces the one before."""

    device_id: str
    signer: Signer = field(repr=False)
    rng: Rng = field(repr=False)
    _pending: _Pending | None = field(default=None, repr=False)
    _window: int = 0
    _tries: int = 0

    def answer(self, body: bytes, *, session: bytes, window: int | None, now: float) -> AttestAnswer:
        """Answer one request.

        ``session`` is the hash of this connection's session; ``window`` numbers the presence window that is
        open, None while it is closed. Raises MalformedMessage, ProtocolViolation, VerificationFailed for
        another nonce than was committed to, TooManyAttestations.
        """
        kind, rest = body[:1], body[1:]
        if kind == bytes((COMMIT,)) and len(rest) == COMMITMENT_LENGTH:
            return AttestAnswer(self._commit(rest, window, now))
        if kind == bytes((ATTEST,)) and len(rest) - NONCE_LENGTH in NONCE_LENGTHS:
            return self._attest(rest[:NONCE_LENGTH], rest[NONCE_LENGTH:], session, window, now)
        raise MalformedMessage("this is neither a commitment nor a nonce with its challenge")

    def _commit(self, commitment: bytes, window: int | None, now: float) -> bytes:
        if window is not None:
            self._count(window)
        device_nonce = self.rng(NONCE_LENGTH)
        self._pending = _Pending(commitment, device_nonce, now + PATIENCE)
        return device_nonce

    def _count(self, window: int) -> None:
        if window != self._window:
            self._window, self._tries = window, 0
        if self._tries >= TRIES:
            raise TooManyAttestations
        self._tries += 1

    def _attest(
        self, nonce: bytes, challenge: bytes, session: bytes, window: int | None, now: float
    ) -> AttestAnswer:
        pending, self._pending = self._pending, None
        if pending is None or now >= pending.until:
            raise ProtocolViolation("a nonce came without its commitment, or long after it")
        if not fits(nonce, pending.commitment):
            raise VerificationFailed("this is another nonce than the one that was committed to")
        transcript = transcript_of(session, nonce, pending.device_nonce)
        present = window is not None
        said = Statement(Purpose.ATTEST, self.device_id, challenge, transcript=transcript, presence=present)
        signed = statement.sign(said, self.signer)
        return AttestAnswer(signed, pattern_of(transcript) if present else None)
