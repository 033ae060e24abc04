import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, PeerError
from doorstep.messaging.rotation.keys import (
    Change,
    End,
    WrongConfirmation,
    check_confirmation,
    confirmation,
    exchange_context,
    replacement,
)
from doorstep.messaging.rotation.messages import (
    EXCHANGE_CAP,
    MAX_NUMBER,
    Answer,
    Commit,
    Done,
    Exchange,
    FromDevice,
    FromPlatform,
    Offer,
    RenewCertificate,
    UpdateAnchor,
    encode,
    from_device,
    from_platform,
)
from doorstep.wire import cbor

DOWN: list[FromPlatform] = [
    Offer(7, Change.FRESH, bytes(32)),
    Offer(7, Change.OWNER, bytes(16)),
    Offer(7, Change.EXCHANGED, b"key"),
    Commit(MAX_NUMBER, bytes(16)),
    Exchange(7, b"message"),
    UpdateAnchor(b"update"),
    RenewCertificate(),
]
UP: list[FromDevice] = [
    Answer(7, 3, bytes(32), bytes(16)),
    Answer(7, 3, b"", bytes(16)),
    Done(7),
    Exchange(7, b"m"),
]
BAD_DOWN: dict[str, cbor.Value] = {
    "nothing": [],
    "map": {"a": 1},
    "unknown kind": [9],
    "number below 0": [1, -1, 1, bytes(32)],
    "number too high": [1, MAX_NUMBER + 1, 1, bytes(32)],
    "boolean number": [2, True, bytes(16)],
    "unknown change": [1, 7, 4, bytes(32)],
    "short secret": [1, 7, 1, bytes(31)],
    "long nonce": [1, 7, 2, bytes(17)],
    "exchange without key": [1, 7, 3, b""],
    "exchange with a long key": [1, 7, 3, bytes(EXCHANGE_CAP + 1)],
    "short confirmation": [2, 7, bytes(15)],
    "empty message": [3, 7, b""],
    "something more": [5, 1],
}
BAD_UP: dict[str, cbor.Value] = {
    "nothing": [],
    "unknown kind": [9],
    "half a share": [1, 7, 3, bytes(16), bytes(16)],
    "epoch below 0": [1, 7, -3, bytes(32), bytes(16)],
    "short confirmation": [1, 7, 3, bytes(32), bytes(15)],
    "long message": [3, 7, bytes(EXCHANGE_CAP + 1)],
}


@pytest.mark.parametrize("message", DOWN, ids=lambda one: type(one).__name__)
def test_device_reads_what_the_platform_says(message: FromPlatform) -> None:
    assert from_platform(encode(message)) == message


@pytest.mark.parametrize("message", UP, ids=lambda one: type(one).__name__)
def test_platform_reads_what_a_device_says(message: FromDevice) -> None:
    assert from_device(encode(message)) == message


@pytest.mark.parametrize("value", BAD_DOWN.values(), ids=BAD_DOWN)
def test_device_refuses_anything_else(value: cbor.Value) -> None:
    with pytest.raises(MalformedMessage):
        from_platform(cbor.encode(value))


@pytest.mark.parametrize("value", BAD_UP.values(), ids=BAD_UP)
def test_platform_refuses_anything_else(value: cbor.Value) -> None:
    with pytest.raises(MalformedMessage):
        from_device(cbor.encode(value))


@given(st.binary(max_size=200))
def test_noise_raises_the_documented_errors(noise: bytes) -> None:
    for read in (from_platform, from_device):
        with pytest.raises(PeerError):
            read(noise[:1] + b"\xff" + noise)


@pytest.mark.parametrize("change", Change)
def test_new_root_depends_on_everything(change: Change) -> None:
    secret = bytes(16 if change is Change.OWNER else 32)
    share = bytes(32 if change is Change.FRESH else 0)
    roots = {replacement(bytes(32), change, secret, share), replacement(b"\x01" * 32, change, secret, share)}
    roots.add(replacement(bytes(32), change, b"\x01" + secret[1:], share))
    assert len(roots) == 3
    with pytest.raises(MalformedMessage):
        replacement(bytes(32), change, secret + b"\x00", share)


def test_confirmation_is_of_one_end_and_one_rotation() -> None:
    check_confirmation(bytes(32), 7, End.DEVICE, confirmation(bytes(32), 7, End.DEVICE))
    for end, number in ((End.PLATFORM, 7), (End.DEVICE, 8)):
        with pytest.raises(WrongConfirmation):
            check_confirmation(bytes(32), 7, End.DEVICE, confirmation(bytes(32), number, end))
    assert exchange_context(7) != exchange_context(8)
