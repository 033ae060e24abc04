import pytest

from doorstep.crypto.aead import LockstepGcm, UncountedGcm
from doorstep.errors import MisuseError, ProtocolViolation, VerificationFailed

KEY = bytes.fromhex("e89028132c4643adfbab45dd87fae1ec8ed9a914dbf7cbbbcae4791e6f2c1c1e")
NONCE = bytes.fromhex("000102030405060700000001")


def test_two_peers_in_lock_step_reach_the_known_answers() -> None:
    phone, device = LockstepGcm(KEY, NONCE), LockstepGcm(KEY, NONCE)
    first = phone.seal(b"hello")
    assert first.hex() == "a24f51ed8188c1a579474ba82fc8f178f08638f4eb"
    assert device.open(first) == b"hello"
    second = device.seal(b"world")
    assert second.hex() == "c2f4617abe8f1a6fc0bb246e246982f2db16292eb9"
    assert phone.open(second) == b"world"
    assert phone.seal(b"third").hex() == "6f84ea39985e18b82415d133493dea2c26db49f7c8"


def test_replayed_message_is_refused_and_ends_the_session() -> None:
    phone, device = LockstepGcm(KEY, NONCE), LockstepGcm(KEY, NONCE)
    sealed = phone.seal(b"hello")
    device.open(sealed)
    with pytest.raises(VerificationFailed):
        device.open(sealed)
    with pytest.raises(ProtocolViolation):
        device.seal(b"anything")


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(21)])
def test_forged_message_is_refused(sealed: bytes) -> None:
    with pytest.raises(VerificationFailed):
        LockstepGcm(KEY, NONCE).open(sealed)


def test_counter_that_would_wrap_ends_the_session() -> None:
    cipher = LockstepGcm(KEY, NONCE[:8] + b"\xff\xff\xff\xff")
    cipher.seal(b"the last message")
    for act in (cipher.seal, cipher.open):
        with pytest.raises(ProtocolViolation, match="no message numbers"):
            act(b"one too many")


@pytest.mark.parametrize(("key", "nonce"), [(KEY[1:], NONCE), (KEY, NONCE[1:])])
def test_cipher_refuses_key_or_nonce_of_wrong_size(key: bytes, nonce: bytes) -> None:
    with pytest.raises(MisuseError):
        LockstepGcm(key, nonce)


def test_uncounted_messages_give_away_their_difference() -> None:
    """Why nobody speaks patch 0 without having been warned: the known message opens the other."""
    phone, device = UncountedGcm(KEY, NONCE), UncountedGcm(KEY, NONCE)
    known, secret = b"a list of networks that anybody hears", b"the password of the network"
    reply, request = device.seal(known), phone.seal(secret)
    assert device.open(request) == secret
    stream = (r ^ k for r, k in zip(reply, known, strict=False))
    assert bytes(s ^ c for s, c in zip(stream, request[:-16], strict=False)) == secret


def test_uncounted_session_refuses_forged_message() -> None:
    with pytest.raises(VerificationFailed):
        UncountedGcm(KEY, NONCE).open(bytes(21))


@pytest.mark.parametrize(("key", "nonce"), [(KEY[:16], NONCE), (KEY, NONCE[:8])])
def test_uncounted_cipher_refuses_other_sizes(key: bytes, nonce: bytes) -> None:
    with pytest.raises(MisuseError):
        UncountedGcm(key, nonce)
