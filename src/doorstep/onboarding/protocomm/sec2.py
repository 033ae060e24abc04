"""Security scheme 2: the device's side of patch 1, and the configurator's side of patches 1 and 0."""

from collections.abc import Callable
from typing import ClassVar, Final

from doorstep.crypto.aead import KEY_SIZE, LockstepGcm
from doorstep.crypto.srp6a import (
    Agreement,
    agree_as_device,
    agree_as_user,
    check_proof,
    device_public,
    user_public,
)
from doorstep.errors import ProtocolViolation, UnavailableError, VerificationFailed
from doorstep.onboarding.failures import WrongCode
from doorstep.onboarding.protocomm.credentials import Sec2Verifier
from doorstep.onboarding.protocomm.session import (
    DeviceSession,
    Handshake,
    Rng,
    SessionCipher,
    Turn,
    check_status,
)
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.session import (
    NONCE_SIZE,
    Sec2Command0,
    Sec2Command1,
    Sec2Response0,
    Sec2Response1,
    SessionMessage,
    decode_session,
    encode_session,
)

__all__ = ["Sec2Device", "handshake_as_configurator"]

EXPONENT_SIZE: Final = 32
MAX_ROLLS: Final = 16
FIRST_COUNTER: Final = (1).to_bytes(4)


class Sec2Device(DeviceSession[Agreement]):
    """The device's side of one session of patch 1."""

    scheme: ClassVar = 2
    patch: ClassVar = 1
    refusal: ClassVar = Sec2Response1(b"", b"", Status.CRYPTO_ERROR)

    def __init__(self, verifier: Sec2Verifier, rng: Rng) -> None:
        """``rng`` returns that many unpredictable bytes."""
        super().__init__()
        self._verifier = verifier
        self._rng = rng

    def _take(self, message: SessionMessage, agreed: Agreement | None) -> Turn[Agreement]:
        match message:
            case Sec2Command0():
                return self._agree(message)
            case Sec2Command1():
                return self._prove(message, agreed)
            case _:
                raise self._other_scheme()

    def _agree(self, command: Sec2Command0) -> Turn[Agreement]:
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
                return Turn(Sec2Response0(public, salt), agreed=agreement)
        raise UnavailableError("the device's source of randomness repeats itself")

    def _prove(self, command: Sec2Command1, agreement: Agreement | None) -> Turn[Agreement]:
        if agreement is None:
            raise ProtocolViolation("a proof came before the public values")
        try:
            check_proof(agreement.user_proof, command.client_proof)
        except VerificationFailed:
            raise WrongCode from None
        nonce = self._rng(NONCE_SIZE - len(FIRST_COUNTER)) + FIRST_COUNTER
        cipher = LockstepGcm(agreement.key[:KEY_SIZE], nonce)
        return Turn(Sec2Response1(agreement.device_proof, nonce), cipher=cipher)


def handshake_as_configurator(
    username: str, pop: str, rng: Rng, cipher: Callable[[bytes, bytes], SessionCipher] = LockstepGcm
) -> Handshake:
    """Secure a session with ``cipher`` made of key and nonce; by default that of patch 1.

    Raises `WrongCode` where the device refuses our proof or cannot give its own.
    """
    who, code = username.encode(), pop.encode()
    exponent = _exponent(rng)
    while user_public(exponent)[0] == 0:
        exponent = _exponent(rng)
    first = decode_session((yield encode_session(Sec2Command0(who, user_public(exponent)))))
    if not isinstance(first, Sec2Response0):
        raise ProtocolViolation("the device did not answer with its public value")
    check_status(first.status)
    agreement = agree_as_user(who, code, first.salt, exponent, first.device_public)
    second = decode_session((yield encode_session(Sec2Command1(agreement.user_proof))))
    if not isinstance(second, Sec2Response1):
        raise ProtocolViolation("the device did not answer with its proof")
    check_status(second.status)
    try:
        check_proof(agreement.device_proof, second.device_proof)
    except VerificationFailed:
        raise WrongCode from None
    return cipher(agreement.key[:KEY_SIZE], second.nonce)


def _exponent(rng: Rng) -> bytes:
    """Return 256 random bits with the top bit set, as official clients draw them."""
    drawn = rng(EXPONENT_SIZE)
    return bytes([drawn[0] | 0x80]) + drawn[1:]
