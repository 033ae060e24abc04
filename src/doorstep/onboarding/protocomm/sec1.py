"""Security scheme 1: X25519 masked with the code's hash, then one keystream; both roles. For old boards.

One who imitates the device once can search for the code at home, and nothing protects integrity.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import ClassVar

from doorstep.crypto import x25519
from doorstep.crypto.keystream import SharedKeystream
from doorstep.errors import ProtocolViolation
from doorstep.onboarding.failures import WrongCode
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.session import DeviceSession, Handshake, Rng, Turn, check_status
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.session import (
    SEC1_RANDOM_SIZE,
    Sec1Command0,
    Sec1Command1,
    Sec1Response0,
    Sec1Response1,
    SessionMessage,
    decode_session,
    encode_session,
)

__all__ = ["Sec1Agreement", "Sec1Device", "handshake_as_configurator"]


@dataclass(frozen=True, slots=True)
class Sec1Agreement:
    """Both public keys and the keystream that the proofs are the start of."""

    client_public: bytes
    device_public: bytes
    stream: SharedKeystream = field(repr=False)


class Sec1Device(DeviceSession[Sec1Agreement]):
    """The device's side of one session."""

    scheme: ClassVar = 1
    refusal: ClassVar = Sec1Response1(b"", Status.CRYPTO_ERROR)

    def __init__(self, code: Sec1Code, rng: Rng) -> None:
        """``rng`` returns that many unpredictable bytes."""
        super().__init__()
        self._code = code
        self._rng = rng

    def _take(self, message: SessionMessage, agreed: Sec1Agreement | None) -> Turn[Sec1Agreement]:
        match message:
            case Sec1Command0():
                return self._agree(message)
            case Sec1Command1():
                return _prove(message, agreed)
            case _:
                raise self._other_scheme()

    def _agree(self, command: Sec1Command0) -> Turn[Sec1Agreement]:
        private, random = self._rng(x25519.KEY_SIZE), self._rng(SEC1_RANDOM_SIZE)
        public = x25519.public_of(private)
        stream = _stream(x25519.agree(private, command.client_public), self._code.pop, random)
        return Turn(
            Sec1Response0(public, random), agreed=Sec1Agreement(command.client_public, public, stream)
        )


def _prove(command: Sec1Command1, agreed: Sec1Agreement | None) -> Turn[Sec1Agreement]:
    if agreed is None:
        raise ProtocolViolation("a proof came before the public values")
    _check(agreed.stream.open(command.client_proof), agreed.device_public)
    return Turn(Sec1Response1(agreed.stream.seal(agreed.client_public)), cipher=agreed.stream)


def handshake_as_configurator(pop: str, rng: Rng) -> Handshake:
    """Secure a session; raises `WrongCode` where the device refuses our proof or cannot give its own."""
    private = rng(x25519.KEY_SIZE)
    public = x25519.public_of(private)
    first = decode_session((yield encode_session(Sec1Command0(public))))
    if not isinstance(first, Sec1Response0):
        raise ProtocolViolation("the device did not answer with its public value")
    check_status(first.status)
    stream = _stream(x25519.agree(private, first.device_public), pop, first.random)
    proof = stream.seal(first.device_public)
    second = decode_session((yield encode_session(Sec1Command1(proof))))
    if not isinstance(second, Sec1Response1):
        raise ProtocolViolation("the device did not answer with its proof")
    check_status(second.status)
    _check(stream.open(second.device_proof), public)
    return stream


def _stream(shared: bytes, pop: str, random: bytes) -> SharedKeystream:
    mask = hashlib.sha256(pop.encode()).digest()
    return SharedKeystream(bytes(a ^ b for a, b in zip(shared, mask, strict=True)), random)


def _check(proven: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(proven, expected):
        raise WrongCode
