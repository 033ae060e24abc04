import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.onboarding.blufi.frames import (
    MAX_CONTENT,
    ErrorCode,
    FrameReader,
    FrameRefused,
    FrameWriter,
    Kind,
    Message,
    Mode,
    SessionSpent,
)

KEY = bytes(range(16))
BOTH = Mode.CHECKED | Mode.ENCRYPTED


def pair(key: bytes = b"", room: int = 20) -> tuple[FrameWriter, FrameReader]:
    writer, reader = FrameWriter(from_device=False, room=room), FrameReader(from_device=False)
    writer.key = reader.key = key
    return writer, reader


def reason(reader: FrameReader, *frames: bytes) -> ErrorCode:
    with pytest.raises(FrameRefused) as caught:
        list(map(reader.take, frames))
    return caught.value.code


def test_writer_writes_the_bytes_that_the_format_says() -> None:
    writer, _ = pair()
    assert writer.write(Kind.GET_VERSION) == [b"\x1c\x00\x00\x00"]
    assert writer.write(Kind.SSID, b"home") == [b"\x09\x00\x01\x04home"]
    (checked,) = writer.write(Kind.SSID, b"", Mode.CHECKED)
    assert checked[:4] == b"\x09\x02\x02\x00"
    first, second = writer.write(Kind.CUSTOM, b"0123456789abcdef")
    assert first == b"\x4d\x10\x03\x0e\x10\x000123456789ab"
    assert second == b"\x4d\x00\x04\x04cdef"


@given(
    st.binary(max_size=MAX_CONTENT),
    st.sampled_from([Mode(0), Mode.CHECKED, Mode.ENCRYPTED, BOTH]),
    st.integers(0, 512),
)
def test_reader_puts_together_what_the_writer_cut(content: bytes, mode: Mode, room: int) -> None:
    frames = pair(room=room)[0].write(Kind.CUSTOM, content[:1800])
    writer, reader = pair(KEY if len(frames) < 250 else b"", room)
    if mode & Mode.ENCRYPTED and not writer.key:
        mode = Mode.CHECKED
    frames = writer.write(Kind.CUSTOM, content[:1800], mode)
    assert max(map(len, frames)) <= max(room, 20)
    messages = [reader.take(frame) for frame in frames]
    assert messages[:-1] == [None] * (len(frames) - 1)
    assert messages[-1] == Message(Kind.CUSTOM, content[:1800], protected=mode == BOTH)


def test_message_counts_as_protected_only_where_every_frame_was() -> None:
    writer, reader = pair(KEY)
    first, _ = writer.write(Kind.CUSTOM, b"x" * 16, BOTH)
    (plain,) = FrameWriter(from_device=False).write(Kind.CUSTOM, b"x" * 4)
    reader.take(first)
    message = reader.take(plain[:2] + b"\x01" + plain[3:])
    assert message is not None
    assert not message.protected
    (last,) = FrameWriter(from_device=False).write(Kind.GET_VERSION)
    again = reader.take(last[:2] + b"\x02" + last[3:])
    assert again is not None
    assert not again.protected


def test_reader_keeps_who_wants_an_acknowledgement() -> None:
    _, reader = pair()
    assert reader.take(b"\x08\x08\x00\x01\x01") == Message(Kind.SET_MODE, b"\x01", acks=(0,))
    reader.take(b"\x4d\x18\x01\x03\x02\x00a")
    assert reader.take(b"\x4d\x08\x02\x01b") == Message(Kind.CUSTOM, b"ab", acks=(1, 2))


BAD = {
    "nothing": (b"", ErrorCode.FORMAT),
    "a head cut": (b"\x1c\x00\x00", ErrorCode.FORMAT),
    "an unknown type": (b"\xff\x00\x00\x00", ErrorCode.FORMAT),
    "a type that is neither": (b"\x02\x00\x00\x00", ErrorCode.FORMAT),
    "a reserved control bit": (b"\x1c\x20\x00\x00", ErrorCode.FORMAT),
    "the wrong direction: a reflected frame": (b"\x1c\x04\x00\x00", ErrorCode.FORMAT),
    "longer than it says": (b"\x09\x00\x00\x01ab", ErrorCode.FORMAT),
    "shorter than it says": (b"\x09\x00\x00\xffab", ErrorCode.FORMAT),
    "a checksum promised and missing": (b"\x09\x02\x00\x01a", ErrorCode.FORMAT),
    "a wrong checksum": (b"\x09\x02\x00\x01a\x00\x00", ErrorCode.CHECKSUM),
    "out of order": (b"\x1c\x00\x01\x00", ErrorCode.SEQUENCE),
    "encrypted without a key": (b"\x09\x01\x00\x01a", ErrorCode.DECRYPTION),
    "a fragment without its length": (b"\x4d\x10\x00\x01\x05", ErrorCode.FORMAT),
    "a fragment of nothing": (b"\x4d\x10\x00\x02\x05\x00", ErrorCode.FORMAT),
    "a fragment of a message of nothing": (b"\x4d\x10\x00\x03\x00\x00a", ErrorCode.FORMAT),
    "a fragment that is all": (b"\x4d\x10\x00\x03\x01\x00a", ErrorCode.FORMAT),
    "a message beyond the cap": (b"\x4d\x10\x00\x03\x01\x08a", ErrorCode.FORMAT),
}


@pytest.mark.parametrize(("frame", "code"), BAD.values(), ids=BAD)
def test_reader_refuses(frame: bytes, code: ErrorCode) -> None:
    assert reason(pair()[1], frame) is code


FIRST = b"\x4d\x10\x00\x05\x06\x00abc"
OVERFLOWS = {
    "the rest is longer than announced": (b"\x4d\x00\x01\x04defg", ErrorCode.FORMAT),
    "the rest is shorter than announced": (b"\x4d\x00\x01\x02de", ErrorCode.FORMAT),
    "a fragment that runs over": (b"\x4d\x10\x01\x06\x03\x00defg", ErrorCode.FORMAT),
    "a fragment that counts otherwise": (b"\x4d\x10\x01\x03\xff\x00d", ErrorCode.FORMAT),
    "another message within": (b"\x09\x00\x01\x03def", ErrorCode.STATE),
}


@pytest.mark.parametrize(("frame", "code"), OVERFLOWS.values(), ids=OVERFLOWS)
def test_reader_refuses_fragments_that_overflow(frame: bytes, code: ErrorCode) -> None:
    reader = pair()[1]
    assert reader.take(FIRST) is None
    assert reason(reader, frame) is code


def test_reader_refuses_a_replay_after_the_sequence_wrapped() -> None:
    """With one key, frame 256 has the number, IV and key of frame 0: stock BluFi takes either."""
    writer, reader = pair(KEY)
    frames = [writer.write(Kind.GET_VERSION, b"", Mode.CHECKED)[0] for _ in range(256)]
    for frame in frames:
        reader.take(frame)
    assert reason(reader, frames[0]) is ErrorCode.SEQUENCE
    with pytest.raises(SessionSpent):
        writer.write(Kind.GET_VERSION)


def test_without_a_key_the_sequence_goes_round() -> None:
    writer, reader = pair()
    for _ in range(600):
        for frame in writer.write(Kind.GET_VERSION):
            assert reader.take(frame) is not None


def test_modes_are_for_their_kinds() -> None:
    writer, _ = pair(KEY)
    writer.data_mode, writer.control_mode = BOTH, Mode.CHECKED
    assert writer.write(Kind.SSID, b"x")[0][1] == 3
    assert writer.write(Kind.GET_VERSION)[0][1] == 2


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_reader_lets_out_nothing_but_refusals(frames: list[bytes]) -> None:
    reader = pair(KEY)[1]
    for number, frame in enumerate(frames):
        try:
            reader.take(frame[:2] + bytes((number,)) + frame[3:])
        except FrameRefused:
            return
