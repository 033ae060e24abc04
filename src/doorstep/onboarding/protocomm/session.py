"""What every security scheme has in common: a session's cipher, its handshake's turns, its device's side."""

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from doorstep.errors import DoorstepError, ProtocolViolation
from doorstep.onboarding.attestation.transcript import NO_SESSION, session_hash
from doorstep.onboarding.failures import RequestRefused, WrongCode
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.session import (
    Sec0Command,
    Sec1Command0,
    Sec1Command1,
    Sec2Command0,
    Sec2Command1,
    SessionMessage,
    decode_session,
    encode_session,
)

__all__ = [
    "DeviceSession",
    "Handshake",
    "Rng",
    "SessionCipher",
    "SessionState",
    "Turn",
    "advance",
    "check_status",
]

A = TypeVar("A")

Rng = Callable[[int], bytes]
"""Returns that many unpredictable bytes."""


class SessionCipher(Protocol):
    """What protects the messages after the handshake; each side uses its own in strict turns."""

    def seal(self, plain: bytes) -> bytes:
        """Return what is sent."""

    def open(self, sealed: bytes) -> bytes:
        """Return what was meant; raises `PeerError` where the scheme can tell that it does not hold."""


Handshake = Generator[bytes, bytes, SessionCipher]
"""The configurator's side: yields requests, takes their replies, returns the session's cipher."""


class SessionState(enum.Enum):
    """Where the device's side of a session stands."""

    OPEN = "open"
    """Nothing agreed yet."""
    AGREED = "agreed"
    """Public values exchanged; the configurator still has to prove the code."""
    SECURED = "secured"
    """Both sides have proven it; sealed messages flow."""


RESTARTS: Final[Mapping[type[SessionMessage], SessionState]] = {
    Sec0Command: SessionState.SECURED,
    Sec1Command0: SessionState.AGREED,
    Sec2Command0: SessionState.AGREED,
}
PROOFS: Final[Mapping[type[SessionMessage], SessionState]] = {
    Sec1Command1: SessionState.SECURED,
    Sec2Command1: SessionState.SECURED,
}
TRANSITIONS: Final[Mapping[SessionState, Mapping[type[SessionMessage], SessionState]]] = {
    SessionState.OPEN: RESTARTS,
    SessionState.AGREED: {**RESTARTS, **PROOFS},
    SessionState.SECURED: RESTARTS,
}
"""A first command restarts the handshake at any time; whatever fails returns the session to OPEN."""


def advance(state: SessionState, message: SessionMessage) -> SessionState:
    """Return the state after a message that holds; raise `ProtocolViolation` on one out of turn."""
    try:
        return TRANSITIONS[state][type(message)]
    except KeyError:
        raise ProtocolViolation(
            f"{type(message).__name__} comes too early in a session that is {state.value}"
        ) from None


@dataclass(frozen=True, slots=True)
class Turn(Generic[A]):
    """The device's answer to one handshake message, and what it keeps of it: half a handshake or a cipher."""

    reply: SessionMessage
    agreed: A | None = None
    cipher: SessionCipher | None = None


class DeviceSession(ABC, Generic[A]):
    """The device's side of one session; any failure drops its keys, and the peer starts over."""

    scheme: ClassVar[int]
    """The scheme's number in ``proto-ver``."""
    patch: ClassVar[int] = 0
    caps: ClassVar[tuple[str, ...]] = ()
    """What the scheme adds to the capabilities in ``proto-ver``."""
    refusal: ClassVar[SessionMessage]
    """What a peer with a wrong code is answered."""

    def __init__(self) -> None:
        self.state = SessionState.OPEN
        self._agreed: A | None = None
        self._cipher: SessionCipher | None = None
        self._heard: tuple[bytes, ...] = ()

    @property
    def transcript(self) -> bytes:
        """Hash of the handshake that secured this session, for `attestation`; zeros before."""
        return session_hash(self._heard) if self.state is SessionState.SECURED else NO_SESSION

    def end(self) -> None:
        """Drop the keys."""
        self._agreed, self._cipher, self.state = None, None, SessionState.OPEN

    def answer(self, body: bytes) -> bytes:
        """Answer a handshake message; raises `WrongCode` on a wrong proof, `PeerError` on other nonsense."""
        try:
            message = decode_session(body)
            state = advance(self.state, message)
            turn = self._take(message, self._agreed)
        except DoorstepError:
            self.end()
            raise
        self._agreed, self._cipher, self.state = turn.agreed, turn.cipher, state
        reply = encode_session(turn.reply)
        self._heard = (*(() if type(message) in RESTARTS else self._heard), body, reply)
        return reply

    def open(self, sealed: bytes) -> bytes:
        """Return the plain request; raises `PeerError` if it does not hold or comes before the proof."""
        if self._cipher is None:
            self.end()
            raise ProtocolViolation("a request came before the session was secured")
        try:
            return self._cipher.open(sealed)
        except DoorstepError:
            self.end()
            raise

    def seal(self, plain: bytes) -> bytes:
        """Return the sealed reply."""
        if self._cipher is None:
            raise ProtocolViolation("the session ended before its reply was ready")
        return self._cipher.seal(plain)

    @abstractmethod
    def _take(self, message: SessionMessage, agreed: A | None) -> Turn[A]:
        """Answer a message that comes at the right moment; ``agreed`` is what the turn before it kept."""

    def _other_scheme(self) -> ProtocolViolation:
        return ProtocolViolation(f"the device speaks security {self.scheme} and no other")


def check_status(status: Status) -> None:
    """Raise what a handshake reply's status means: `WrongCode` or `RequestRefused`."""
    if status is Status.CRYPTO_ERROR:
        raise WrongCode
    if status is not Status.SUCCESS:
        raise RequestRefused("secure the connection", status)
