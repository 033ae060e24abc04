from collections.abc import Callable

import pytest

from doorstep.crypto.srp6a import PRIME, user_public
from doorstep.errors import PeerError, ProtocolViolation, UnavailableError, VerificationFailed
from doorstep.onboarding.failures import RequestRefused, WrongCode
from doorstep.onboarding.protocomm.sec2 import Sec2Device, handshake_as_configurator
from doorstep.onboarding.protocomm.session import Handshake, SessionCipher, SessionState
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.session import (
    Sec2Command0,
    Sec2Command1,
    Sec2Response0,
    Sec2Response1,
    SessionMessage,
    decode_session,
    encode_session,
)
from tests.onboarding.helpers import CREDENTIALS, counted_rng, finish, shake_hands

VERIFIER = CREDENTIALS.for_device()
PROOF = Sec2Command1(b"\x01" * 64)


def _device() -> Sec2Device:
    return Sec2Device(VERIFIER, counted_rng(b"device"))


def _phone(pop: str = CREDENTIALS.pop) -> Handshake:
    return handshake_as_configurator(CREDENTIALS.username, pop, counted_rng(b"phone"))


def _secured() -> tuple[Sec2Device, SessionCipher]:
    device = _device()
    return device, shake_hands(device, _phone())


def test_both_roles_secure_a_session_and_count_together() -> None:
    device, phone = _secured()
    assert device.state is SessionState.SECURED
    for number in range(3):
        assert device.open(phone.seal(b"request %d" % number)) == b"request %d" % number
        assert phone.open(device.seal(b"reply %d" % number)) == b"reply %d" % number


def test_device_refuses_wrong_code() -> None:
    device, phone = _device(), _phone("wrong")
    command1 = phone.send(device.answer(next(phone)))
    with pytest.raises(WrongCode):
        device.answer(command1)
    assert device.state is SessionState.OPEN


def test_device_refuses_replayed_proof() -> None:
    device, phone = _device(), _phone()
    command0 = next(phone)
    command1 = phone.send(device.answer(command0))
    device.answer(command1)
    device.answer(command0)
    with pytest.raises(WrongCode):
        device.answer(command1)


def test_device_refuses_proof_before_public_values() -> None:
    device = _device()
    with pytest.raises(ProtocolViolation, match="too early"):
        device.answer(encode_session(PROOF))


def test_device_refuses_second_proof_in_secured_session() -> None:
    device, _ = _secured()
    with pytest.raises(ProtocolViolation):
        device.answer(encode_session(PROOF))
    with pytest.raises(ProtocolViolation):
        device.seal(b"anything")


@pytest.mark.parametrize("before", SessionState)
def test_first_command_restarts_the_handshake(before: SessionState) -> None:
    device, phone = _device(), _phone()
    if before is not SessionState.OPEN:
        command1 = phone.send(device.answer(next(phone)))
        if before is SessionState.SECURED:
            device.answer(command1)
    assert device.state is before
    again = handshake_as_configurator(CREDENTIALS.username, CREDENTIALS.pop, counted_rng(b"other phone"))
    command1 = again.send(device.answer(next(again)))
    finish(again, device.answer(command1))
    assert device.state is SessionState.SECURED


NO_CODE_NEEDED = {"A = 0": b"\x00", "A = N": PRIME.to_bytes(384)}


@pytest.mark.parametrize("public", NO_CODE_NEEDED.values(), ids=NO_CODE_NEEDED)
def test_device_refuses_public_value_that_needs_no_code(public: bytes) -> None:
    device = _device()
    with pytest.raises(VerificationFailed):
        device.answer(encode_session(Sec2Command0(b"doorstep", public)))
    assert device.state is SessionState.OPEN


def test_device_refuses_public_value_2n() -> None:
    with pytest.raises(PeerError):
        _device().answer(encode_session(Sec2Command0(b"doorstep", (2 * PRIME).to_bytes(385))))


OTHER_MESSAGES = {
    "sec0": bytes.fromhex("5203a20100"),
    "a reply": encode_session(Sec2Response0(b"\x02", b"salt")),
    "truncated": encode_session(PROOF)[:-1],
    "empty": b"",
}


@pytest.mark.parametrize("body", OTHER_MESSAGES.values(), ids=OTHER_MESSAGES)
def test_device_refuses_other_messages_and_drops_its_keys(body: bytes) -> None:
    device, phone = _secured()
    with pytest.raises(PeerError):
        device.answer(body)
    with pytest.raises(ProtocolViolation, match="before the session was secured"):
        device.open(phone.seal(b"request"))


def test_wrong_user_name_looks_like_wrong_code() -> None:
    device = _device()
    phone = handshake_as_configurator("somebody", CREDENTIALS.pop, counted_rng(b"phone"))
    command1 = phone.send(device.answer(next(phone)))
    with pytest.raises(WrongCode):
        device.answer(command1)


def test_device_drops_its_keys_on_replayed_ciphertext() -> None:
    device, phone = _secured()
    sealed = phone.seal(b"request")
    device.open(sealed)
    with pytest.raises(VerificationFailed):
        device.open(sealed)
    assert device.state is SessionState.OPEN


class _Rolls:
    """Draws that end with good ones; counts how many were taken."""

    def __init__(self, rng: Callable[[int], bytes]) -> None:
        self.rng = rng
        self.taken: list[bytes] = []

    def __call__(self, size: int) -> bytes:
        self.taken.append(self.rng(size))
        return self.taken[-1]


@pytest.mark.slow
def test_device_rolls_until_no_leading_zero_can_be_lost() -> None:
    """In 400 sessions about five first draws are unlucky; none of their outcomes may be sent."""
    rolls = _Rolls(counted_rng(b"many"))
    device = Sec2Device(VERIFIER, rolls)
    command0 = next(_phone())
    for _ in range(400):
        reply = decode_session(device.answer(command0))
        assert isinstance(reply, Sec2Response0)
        assert reply.device_public[0] != 0
        assert len(reply.device_public) == 384
    assert len(rolls.taken) > 400


UNLUCKY = bytes.fromhex("aa9965e8481b625482c463d6d9ddbe9eaf4ca356f3ff8d2082f61dbb705706cf")
"""A draw that gives a leading zero with the credentials and the phone of these tests."""

SHORT = bytes.fromhex("ced17757426509f44047e2387594912271597743a13ef00cbd6d6c6f4fdf54c1")
"""A draw whose A starts with a zero byte."""


def test_device_rolls_again_after_an_unlucky_draw() -> None:
    draws = [UNLUCKY, UNLUCKY, b"\xff" * 32]
    Sec2Device(VERIFIER, lambda _size: draws.pop(0)).answer(next(_phone()))
    assert not draws


def test_device_gives_up_on_randomness_that_repeats_itself() -> None:
    with pytest.raises(UnavailableError, match="randomness"):
        Sec2Device(VERIFIER, lambda _size: UNLUCKY).answer(next(_phone()))


def test_device_without_keys_refuses_proof_whatever_its_state() -> None:
    device = _device()
    device.state = SessionState.AGREED
    with pytest.raises(ProtocolViolation, match="before the public values"):
        device.answer(encode_session(PROOF))


def test_configurator_rolls_until_its_public_value_is_full() -> None:
    assert user_public(SHORT)[0] == 0
    draws = [SHORT, b"\xff" * 32]
    phone = handshake_as_configurator("doorstep", "abc", lambda _size: draws.pop(0))
    command0 = decode_session(next(phone))
    assert isinstance(command0, Sec2Command0)
    assert command0.client_public == user_public(b"\xff" * 32)


BAD_FIRST_REPLIES: dict[str, tuple[SessionMessage, type[Exception]]] = {
    "wrong kind": (Sec2Response1(b"\x01" * 64, b"\x01" * 12), ProtocolViolation),
    "refused": (Sec2Response0(b"", b"", Status.TOO_MANY_SESSIONS), RequestRefused),
    "B = N": (Sec2Response0(PRIME.to_bytes(384), b"salt"), VerificationFailed),
}


@pytest.mark.parametrize(("reply", "error"), BAD_FIRST_REPLIES.values(), ids=BAD_FIRST_REPLIES)
def test_configurator_refuses_bad_first_reply(reply: SessionMessage, error: type[Exception]) -> None:
    phone = _phone()
    next(phone)
    with pytest.raises(error):
        phone.send(encode_session(reply))


BAD_SECOND_REPLIES: dict[str, tuple[SessionMessage, type[Exception]]] = {
    "wrong kind": (Sec2Response0(b"\x02", b"salt"), ProtocolViolation),
    "wrong code": (Sec2Response1(b"", b"", Status.CRYPTO_ERROR), WrongCode),
    "refused": (Sec2Response1(b"", b"", Status.INTERNAL_ERROR), RequestRefused),
    "imitated device": (Sec2Response1(b"\x01" * 64, b"\x01" * 12), WrongCode),
}


@pytest.mark.parametrize(("reply", "error"), BAD_SECOND_REPLIES.values(), ids=BAD_SECOND_REPLIES)
def test_configurator_refuses_bad_second_reply(reply: SessionMessage, error: type[Exception]) -> None:
    phone = _phone()
    phone.send(_device().answer(next(phone)))
    with pytest.raises(error):
        phone.send(encode_session(reply))
