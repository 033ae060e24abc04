import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MisuseError
from doorstep.messaging.envelope import MAX_MESSAGE, MAX_PLAINTEXT, MAX_SEQUENCE, Envelope, build_compact
from doorstep.messaging.epoch import EpochReceiver, EpochSender
from doorstep.messaging.errors import EpochExhausted, Rejected, RejectReason

SECRET, KID, UP = bytes(16), b"abcde", b"up/data"


def receiver(secret: bytes = SECRET, epoch: int = 7, sender_id: bytes = KID) -> EpochReceiver:
    return EpochReceiver(secret, epoch, sender_id)


def test_receiver_opens_each_message_once() -> None:
    sender, ours = EpochSender(SECRET, 7, KID), receiver()
    messages = [sender.seal(number, UP, b"%d" % number) for number in (0, 2, 1)]
    for made in messages:
        assert (made.epoch, made.kid) == (7, None)
        assert ours.open(made.sequence, made.ciphertext, UP) == b"%d" % made.sequence
    assert (ours.high, ours.window) == (2, 0b111)
    for made in messages:
        with pytest.raises(Rejected) as caught:
            ours.open(made.sequence, made.ciphertext, UP)
        assert caught.value.reason is RejectReason.REPLAYED


def test_receiver_refuses_what_is_behind_its_window() -> None:
    sender, ours = EpochSender(SECRET, 7, KID), receiver()
    ours.open(64, sender.seal(64, UP, b"x").ciphertext, UP)
    with pytest.raises(Rejected) as caught:
        ours.open(0, sender.seal(0, UP, b"x").ciphertext, UP)
    assert caught.value.reason is RejectReason.TOO_OLD
    assert ours.open(1, sender.seal(1, UP, b"x").ciphertext, UP) == b"x"


EPOCHS = st.sampled_from([0, 7, 255, 256, 1 << 16])


@given(EPOCHS, EPOCHS, st.integers(0, MAX_SEQUENCE) | st.integers(0, 300), st.sampled_from([None, KID]))
def test_receiver_opens_usual_messages_of_its_epoch_as_whole_and_leaves_others(
    made_in: int, epoch: int, sequence: int, kid: bytes | None
) -> None:
    sealed = EpochSender(SECRET, made_in, KID).seal(sequence, UP, b"x")
    message = build_compact(sealed._replace(kid=kid))
    usual = made_in == epoch and sequence > 0xFF and kid is None
    assert receiver(epoch=epoch).open_usual(message, UP) == ((epoch, sequence, b"x") if usual else None)


@pytest.mark.parametrize("length", [0, 1, 4, 7, 13, MAX_MESSAGE + 1])
def test_receiver_leaves_wrong_lengths_to_the_parser(length: int) -> None:
    message = build_compact(Envelope(7, 300, None, bytes(MAX_MESSAGE)))
    assert receiver().open_usual(message[:length], UP) is None


def test_receiver_leaves_long_forms_of_small_numbers_to_the_parser() -> None:
    message = bytearray(build_compact(Envelope(7, 300, None, bytes(8))))
    message[2] = 0
    assert receiver().open_usual(bytes(message), UP) is None


OTHERS = {
    "secret": receiver(secret=b"s" * 16),
    "epoch": receiver(epoch=8),
    "sender": receiver(sender_id=b"abcdf"),
    "direction": receiver(sender_id=b""),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_receiver_of_another_sender_opens_nothing(other: EpochReceiver) -> None:
    made = EpochSender(SECRET, 7, KID).seal(0, UP, b"x")
    with pytest.raises(Rejected) as caught:
        other.open(0, made.ciphertext, UP)
    assert caught.value.reason is RejectReason.WRONG_TAG
    assert (other.high, other.window) == (-1, 0)


def test_receiver_refuses_another_channel_and_number() -> None:
    made, ours = EpochSender(SECRET, 7, KID).seal(3, UP, b"x"), receiver()
    for sequence, channel in ((3, b"up/state"), (4, UP), (259, UP)):
        with pytest.raises(Rejected):
            ours.open(sequence, made.ciphertext, channel)
    assert ours.open(3, made.ciphertext, UP) == b"x"


def test_sender_keeps_its_limits() -> None:
    sender = EpochSender(SECRET, 7, KID)
    assert sender.seal(MAX_SEQUENCE, UP, bytes(MAX_PLAINTEXT)).sequence == MAX_SEQUENCE
    with pytest.raises(EpochExhausted) as caught:
        sender.seal(MAX_SEQUENCE + 1, UP, b"x")
    assert caught.value.next_step
    with pytest.raises(MisuseError):
        sender.seal(0, UP, bytes(MAX_PLAINTEXT + 1))
