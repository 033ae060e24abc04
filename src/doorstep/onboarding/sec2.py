"""Security scheme 2, patch 1: the handshake of both roles and the sealed session that follows."""

import enum
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Final

from doorstep.crypto.aead import KEY_SIZE, LockstepGcm
from doorstep.crypto.srp6a import (
    Agreement,
    agree_as_device,
    agree_as_user,
    check_proof,
    device_public,
    user_public,
)
from doorstep.errors import DoorstepError, ProtocolViolation, UnavailableError, VerificationFailed
from doorstep.onboarding.credentials import Sec2Verifier
from doorstep.onboarding.failures import RequestRefused, WrongCode
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.session import (
    NONCE_SIZE,
    OtherScheme,
    Sec2Command0,
    Sec2Command1,
    Sec2Response0,
    Sec2Response1,
    SessionMessage,
    decode_session,
    encode_session,
)

__all__ = ["Rng", "Sec2Device", "Sec2State", "advance", "handshake_as_configurator"]

EXPONENT_SIZE: Final = 32
MAX_ROLLS: Final = 16
FIRST_COUNTER: Final = (1).to_bytes(4)

Rng = Callable[[int], bytes]
"""Returns that many unpredictable bytes."""


class Sec2State(enum.Enum):
    """Where the device's side of a session stands."""

    OPEN = "open"
    """Nothing agreed yet."""
    AGREED = "agreed"
    """Public values exchanged; the configurator still has to prove the code."""
    SECURED = "secured"
    """Both sides have proven it; sealed messages flow."""


TRANSITIONS: Final[Mapping[Sec2State, Mapping[type[SessionMessage], Sec2State]]] = {
    Sec2State.OPEN: {Sec2Command0: Sec2State.AGREED},
    Sec2State.AGREED: {Sec2Command0: Sec2State.AGREED, Sec2Command1: Sec2State.SECURED},
    Sec2State.SECURED: {Sec2Command0: Sec2State.AGREED},
}
"""A first command restarts the handshake at any time; whatever fails returns the session to OPEN."""


def advance(state: Sec2State, message: SessionMessage) -> Sec2State:
    """Return the state after a message that holds; raise `ProtocolViolation` on one out of turn."""
    try:
        return TRANSITIONS[state][type(message)]
    except KeyError:
        raise ProtocolViolation(
            f"{type(message).__name__} comes too early in a session that is {state.value}"
        ) from None


@dataclass(frozen=True, slots=True)
class _Nothing:
    """No keys."""


@dataclass(frozen=True, slots=True)
class _Agreed:
    agreement: Agreement = field(repr=False)


_Keys = _Nothing | _Agreed | LockstepGcm


class Sec2Device:
    """The device's side of one session; any failure drops its keys, and the peer starts over."""

    def __init__(self, verifier: Sec2Verifier, rng: Rng) -> None:
        """``rng`` returns that many unpredictable bytes."""
        self._verifier = verifier
        self._rng = rng
        self._keys: _Keys = _Nothing()
        self.state = Sec2State.OPEN

    def end(self) -> None:
        """Drop the keys."""
        self._keys, self.state = _Nothing(), Sec2State.OPEN

    def answer(self, body: bytes) -> bytes:
        """Answer a handshake message; raises `WrongCode` on a wrong proof, `PeerError` on other nonsense."""
        try:
            message = decode_session(body)
            if isinstance(message, OtherScheme):
                raise ProtocolViolation(f"the device speaks security 2, not {message.version}")
            state = advance(self.state, message)
            reply, self._keys = (
                self._agree(message) if isinstance(message, Sec2Command0) else self._prove(message)
            )
        except DoorstepError:
            self.end()
            raise
        self.state = state
        return reply

    def open(self, sealed: bytes) -> bytes:
        """Return the plain request; raises `PeerError` if it does not hold or comes before the proof."""
        if not isinstance(self._keys, LockstepGcm):
            self.end()
            raise ProtocolViolation("a request came before the session was secured")
        try:
            return self._keys.open(sealed)
        except DoorstepError:
            self.end()
            raise

    def seal(self, plain: bytes) -> bytes:
        """Return the sealed reply."""
        if not isinstance(self._keys, LockstepGcm):
            raise ProtocolViolation("the session ended before its reply was ready")
        return self._keys.seal(plain)

    def _agree(self, command: Sec2Command0) -> tuple[bytes, _Keys]:
        """Roll until no client that keeps numbers instead of bytes can lose a leading zero.

        The device sees A before it chooses b, so it can look at the outcome: B, the key and the
        client's proof must not start with a zero byte.
        """
        who, salt, verifier = self._verifier.username.encode(), self._verifier.salt, self._verifier.verifier
        for _ in range(MAX_ROLLS):
            exponent = _exponent(self._rng)
            public = device_public(verifier, exponent)
            agreement = agree_as_device(who, salt, verifier, exponent, command.client_public)
            if public[0] and agreement.key[0] and agreement.user_proof[0]:
                return encode_session(Sec2Response0(public, salt)), _Agreed(agreement)
        raise UnavailableError("the device's source of randomness repeats itself")

    def _prove(self, message: SessionMessage) -> tuple[bytes, _Keys]:
        if not isinstance(message, Sec2Command1) or not isinstance(self._keys, _Agreed):
            raise ProtocolViolation("a proof came before the public values")
        agreement = self._keys.agreement
        try:
            check_proof(agreement.user_proof, message.client_proof)
        except VerificationFailed:
            raise WrongCode from None
        nonce = self._rng(NONCE_SIZE - len(FIRST_COUNTER)) + FIRST_COUNTER
        cipher = LockstepGcm(agreement.key[:KEY_SIZE], nonce)
        return encode_session(Sec2Response1(agreement.device_proof, nonce)), cipher


def handshake_as_configurator(username: str, pop: str, rng: Rng) -> Generator[bytes, bytes, LockstepGcm]:
    """Yield the handshake's requests, take their replies, return the session's cipher.

    Raises `WrongCode` where the device refuses our proof or cannot give its own.
    """
    who, code = username.encode(), pop.encode()
    exponent = _exponent(rng)
    while user_public(exponent)[0] == 0:
        exponent = _exponent(rng)
    first = decode_session((yield encode_session(Sec2Command0(who, user_public(exponent)))))
    if not isinstance(first, Sec2Response0):
        raise ProtocolViolation("the device did not answer with its public value")
    _check_status(first.status)
    agreement = agree_as_user(who, code, first.salt, exponent, first.device_public)
    second = decode_session((yield encode_session(Sec2Command1(agreement.user_proof))))
    if not isinstance(second, Sec2Response1):
        raise ProtocolViolation("the device did not answer with its proof")
    _check_status(second.status)
    try:
        check_proof(agreement.device_proof, second.device_proof)
    except VerificationFailed:
        raise WrongCode from None
    return LockstepGcm(agreement.key[:KEY_SIZE], second.nonce)


def _check_status(status: Status) -> None:
    if status is Status.CRYPTO_ERROR:
        raise WrongCode
    if status is not Status.SUCCESS:
        raise RequestRefused("secure the connection", status)


def _exponent(rng: Rng) -> bytes:
    """Return 256 random bits with the top bit set, as official clients draw them."""
    drawn = rng(EXPONENT_SIZE)
    return bytes([drawn[0] | 0x80]) + drawn[1:]
