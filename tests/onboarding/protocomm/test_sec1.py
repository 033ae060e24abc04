import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import x25519
from doorstep.errors import DoorstepError, PeerError, ProtocolViolation, SettingsError, VerificationFailed
from doorstep.onboarding.failures import OldSecurityRefused, RequestRefused, TooManyGuesses, WrongCode
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import Joined, NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.configurator import Configurator
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.onboarding.protocomm.schemes import RISKS, Scheme
from doorstep.onboarding.protocomm.sec1 import Sec1Device, handshake_as_configurator
from doorstep.onboarding.protocomm.session import Handshake, SessionCipher, SessionState
from doorstep.onboarding.steps import Step
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.session import (
    Sec1Command0,
    Sec1Command1,
    Sec1Response0,
    Sec1Response1,
    Sec2Command0,
    Sec2Command1,
    SessionMessage,
    decode_session,
    encode_session,
)
from tests.onboarding.helpers import NETWORKS, Link, counted_rng, finish, shake_hands

POP = "abcd1234"
CLIENT_PRIVATE, DEVICE_PRIVATE = bytes(range(1, 0x21)), bytes(range(0x21, 0x41))
CLIENT_PUBLIC = bytes.fromhex("07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c")
DEVICE_PUBLIC = bytes.fromhex("5869aff450549732cbaaed5e5df9b30a6da31cb0e5742bad5ad4a1a768f1a67b")
KEY = bytes.fromhex("418320d971c2a559d1efc1d957f835d59a1958c2d73ad78f2d5c8101641ef7d9")
CLIENT_PROOF = bytes.fromhex("ce6096fef8de28d2e24098904ad16b30483db15d1e6ba6f936881e45aa043493")
DEVICE_PROOF = bytes.fromhex("8e887a715e350c6b2c04edef13efe19b88e36f379279a204989b964bc27d738d")
LABEL = SetupLabel("PROV_1", "", POP, security=1)
HOME = NetworkCredentials(b"home", b"correct horse")
ORDER = RegistrationOrder(b"token", "https://example.test", "lamp")


def _device() -> Sec1Device:
    draws = [DEVICE_PRIVATE, bytes(range(16))] * 9
    return Sec1Device(Sec1Code(POP), lambda _size: draws.pop(0))


def _phone(pop: str = POP) -> Handshake:
    return handshake_as_configurator(pop, lambda _size: CLIENT_PRIVATE)


def _secured() -> tuple[Sec1Device, SessionCipher]:
    device = _device()
    return device, shake_hands(device, _phone())


def test_both_roles_reach_the_known_answers() -> None:
    device, phone = _device(), _phone()
    command0 = next(phone)
    assert decode_session(command0) == Sec1Command0(CLIENT_PUBLIC)
    response0 = device.answer(command0)
    assert decode_session(response0) == Sec1Response0(DEVICE_PUBLIC, bytes(range(16)))
    command1 = phone.send(response0)
    assert decode_session(command1) == Sec1Command1(CLIENT_PROOF)
    response1 = device.answer(command1)
    assert decode_session(response1) == Sec1Response1(DEVICE_PROOF)
    sealed = finish(phone, response1).seal(b"hello")
    assert sealed.hex() == "07561d5737"
    assert device.open(sealed) == b"hello"
    mask = hashlib.sha256(POP.encode()).digest()
    shared = x25519.agree(CLIENT_PRIVATE, DEVICE_PUBLIC)
    assert bytes(a ^ b for a, b in zip(shared, mask, strict=True)) == KEY


def test_device_refuses_wrong_code() -> None:
    device, phone = _device(), _phone("abcd1235")
    command1 = phone.send(device.answer(next(phone)))
    with pytest.raises(WrongCode):
        device.answer(command1)
    assert device.state is SessionState.OPEN


def test_device_refuses_replayed_proof() -> None:
    device, phone = Sec1Device(Sec1Code(POP), counted_rng(b"device")), _phone()
    command0 = next(phone)
    command1 = phone.send(device.answer(command0))
    device.answer(command1)
    device.answer(command0)
    with pytest.raises(WrongCode):
        device.answer(command1)


def test_device_without_first_half_refuses_proof_whatever_its_state() -> None:
    device = _device()
    device.state = SessionState.AGREED
    with pytest.raises(ProtocolViolation, match="before the public values"):
        device.answer(encode_session(Sec1Command1(CLIENT_PROOF)))


OUT_OF_TURN: dict[str, tuple[SessionMessage, type[DoorstepError]]] = {
    "proof before public values": (Sec1Command1(CLIENT_PROOF), ProtocolViolation),
    "first message of security 2": (Sec2Command0(b"doorstep", b"\x02"), ProtocolViolation),
    "reply": (Sec1Response1(DEVICE_PROOF), ProtocolViolation),
    "public key of small order": (Sec1Command0(bytes(32)), VerificationFailed),
}


@pytest.mark.parametrize(("message", "error"), OUT_OF_TURN.values(), ids=OUT_OF_TURN)
def test_device_refuses_other_messages(message: SessionMessage, error: type[DoorstepError]) -> None:
    device = _device()
    with pytest.raises(error):
        device.answer(encode_session(message))
    assert device.state is SessionState.OPEN


def test_device_refuses_proof_of_another_scheme() -> None:
    device = _device()
    device.answer(encode_session(Sec1Command0(CLIENT_PUBLIC)))
    with pytest.raises(ProtocolViolation, match="security 1"):
        device.answer(encode_session(Sec2Command1(b"\x01" * 64)))


BAD_FIRST_REPLIES: dict[str, tuple[SessionMessage, type[DoorstepError]]] = {
    "wrong kind": (Sec1Response1(DEVICE_PROOF), ProtocolViolation),
    "refused": (Sec1Response0(b"", b"", Status.TOO_MANY_SESSIONS), RequestRefused),
    "public key of small order": (Sec1Response0(bytes(32), bytes(16)), VerificationFailed),
}


@pytest.mark.parametrize(("reply", "error"), BAD_FIRST_REPLIES.values(), ids=BAD_FIRST_REPLIES)
def test_configurator_refuses_bad_first_reply(reply: SessionMessage, error: type[DoorstepError]) -> None:
    phone = _phone()
    next(phone)
    with pytest.raises(error):
        phone.send(encode_session(reply))


BAD_SECOND_REPLIES: dict[str, tuple[SessionMessage, type[DoorstepError]]] = {
    "wrong kind": (Sec1Response0(DEVICE_PUBLIC, bytes(16)), ProtocolViolation),
    "wrong code": (Sec1Response1(b"", Status.CRYPTO_ERROR), WrongCode),
    "refused": (Sec1Response1(b"", Status.INTERNAL_ERROR), RequestRefused),
    "imitated device": (Sec1Response1(bytes(32)), WrongCode),
    "our own proof sent back": (Sec1Response1(CLIENT_PROOF), WrongCode),
}


@pytest.mark.parametrize(("reply", "error"), BAD_SECOND_REPLIES.values(), ids=BAD_SECOND_REPLIES)
def test_configurator_refuses_bad_second_reply(reply: SessionMessage, error: type[DoorstepError]) -> None:
    phone = _phone()
    phone.send(_device().answer(next(phone)))
    with pytest.raises(error):
        phone.send(encode_session(reply))


@given(st.sampled_from([0, 1]), st.data())
def test_handshake_changed_or_cut_anywhere_secures_nothing(turn: int, data: st.DataObject) -> None:
    device, phone = _device(), _phone()
    message = next(phone)
    if turn:
        message = phone.send(device.answer(message))
    bit = data.draw(st.integers(0, 8 * len(message) - 1))
    changed = (int.from_bytes(message) ^ 1 << bit).to_bytes(len(message))
    spoilt = data.draw(st.sampled_from([changed, message[: bit // 8]]))
    try:
        reply = device.answer(spoilt)
        if turn == 0:
            reply = device.answer(phone.send(reply))
    except PeerError:
        assert device.state is SessionState.OPEN
        return
    # X25519 ignores one bit of a public key, but the device's proof carries it back changed.
    with pytest.raises(WrongCode):
        phone.send(reply)


def _link() -> Link:
    """Return a whole device and a configurator of security 1."""
    session = Sec1Device(Sec1Code(POP), counted_rng(b"device"))
    phone = Configurator(LABEL, counted_rng(b"phone"), allow_old_security=True)
    return Link(session=session, phone=phone)


def _secured_link() -> Link:
    link = _link()
    link.hold(link.phone.find())
    link.hold(link.phone.secure())
    return link


def test_device_walks_the_whole_path() -> None:
    link = _secured_link()
    assert link.phone.risk == RISKS[Scheme.SEC1]
    assert link.hold(link.phone.deliver(ORDER)) == "dev1"
    assert link.hold(link.phone.networks()) == NETWORKS
    link.hold(link.phone.put_forward(HOME))
    assert link.joining.finish(Joined("10.0.0.2")) is not None
    assert link.hold(link.phone.progress()) is Step.CONNECTED


def test_configurator_asks_for_consent_before_it_sends_anything_else() -> None:
    link = _link()
    link.phone = Configurator(LABEL, counted_rng(b"phone"))
    with pytest.raises(OldSecurityRefused, match="by trying"):
        link.hold(link.phone.find())
    assert [endpoint for endpoint, _ in link.sent] == ["proto-ver"]
    assert not link.phone.risk
    with pytest.raises(ProtocolViolation, match="not asked"):
        link.hold(link.phone.secure())


def test_device_answers_wrong_codes_then_makes_the_guesser_wait() -> None:
    link = _link()
    link.phone = Configurator(
        SetupLabel("PROV_1", "", "no", security=1), counted_rng(b"x"), allow_old_security=True
    )
    link.hold(link.phone.find())
    for _ in range(5):
        with pytest.raises(WrongCode):
            link.hold(link.phone.secure())
    with pytest.raises(TooManyGuesses):
        link.hold(link.phone.secure())


def _flip(sealed: bytes) -> bytes:
    return bytes([sealed[0] ^ 0x80]) + sealed[1:]


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "first bit changed": _flip,
    "cut by a byte": lambda sealed: sealed[:-1],
    "a byte too many": lambda sealed: sealed + b"\x00",
    "forged without the key": lambda sealed: b"\xff" * len(sealed),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_device_ends_the_session_on_spoilt_request(spoil: Callable[[bytes], bytes]) -> None:
    link = _secured_link()
    request = next(link.phone.put_forward(HOME))
    with pytest.raises(PeerError):
        link.device.receive("prov-config", spoil(request.body), 0.0)
    assert not link.device.busy


def test_device_ends_the_session_on_repeated_request() -> None:
    """The stream has moved on: the same octets mean something else the second time."""
    link = _secured_link()
    request = next(link.phone.put_forward(HOME))
    link.device.receive("prov-config", request.body, 0.0)
    with pytest.raises(PeerError):
        link.device.receive("prov-config", request.body, 0.0)
    assert not link.device.busy


def test_device_ends_the_session_on_lost_request() -> None:
    link = _secured_link()
    link.phone._cipher.seal(b"lost on the way")  # type: ignore[union-attr]
    with pytest.raises(PeerError):
        link.hold(link.phone.put_forward(HOME))
    assert not link.device.busy


@pytest.mark.parametrize("spoil", [_flip, SPOILT["forged without the key"]])
def test_configurator_ends_the_session_on_spoilt_reply(spoil: Callable[[bytes], bytes]) -> None:
    link = _secured_link()
    conversation = link.phone.progress()
    request = next(conversation)
    reply = link.device.receive(request.endpoint, request.body, 0.0).reply
    assert reply is not None
    with pytest.raises(PeerError):
        conversation.send(spoil(reply))
    assert not link.phone.secured


def test_listener_who_changes_octets_in_place_is_not_seen() -> None:
    """Why the warning says "change what is sent": the device takes another network's name."""
    link = _secured_link()
    request = next(link.phone.put_forward(HOME))
    at = len(request.body) - len(HOME.passphrase) - 2 - len(HOME.ssid)
    mask = bytes(a ^ b for a, b in zip(b"home", b"evil", strict=True))
    name = bytes(a ^ b for a, b in zip(request.body[at : at + 4], mask, strict=True))
    link.device.receive("prov-config", request.body[:at] + name + request.body[at + 4 :], 0.0)
    network = link.device._joining.network
    assert network is not None
    assert network.ssid == b"evil"


def test_code_that_is_empty_is_refused() -> None:
    with pytest.raises(SettingsError, match="protects nothing"):
        Sec1Code("")


def test_device_profile_with_old_security_needs_the_makers_consent_and_says_the_risk() -> None:
    with pytest.raises(SettingsError, match="security 1"):
        DeviceProfile("dev1", Sec1Code(POP))
    profile = DeviceProfile("dev1", Sec1Code(POP), allow_old_security=True)
    assert profile.risk == RISKS[Scheme.SEC1]
    assert POP not in repr(profile)
