import pytest

from doorstep.crypto.keystream import SharedKeystream
from doorstep.errors import MisuseError

KEY, BLOCK = bytes(range(32)), bytes(range(16))


def test_both_directions_take_turns_on_one_stream() -> None:
    phone, device = SharedKeystream(KEY, BLOCK), SharedKeystream(KEY, BLOCK)
    for text in (b"hello", b"", b"a longer message than one block holds"):
        assert device.open(phone.seal(text)) == text
        assert phone.open(device.seal(text)) == text


def test_no_part_of_the_stream_is_used_twice() -> None:
    stream = SharedKeystream(KEY, BLOCK)
    whole = SharedKeystream(KEY, BLOCK).seal(bytes(48))
    assert stream.seal(bytes(20)) + stream.open(bytes(28)) == whole


def test_lost_message_leaves_both_sides_apart() -> None:
    phone, device = SharedKeystream(KEY, BLOCK), SharedKeystream(KEY, BLOCK)
    phone.seal(b"lost")
    assert device.open(phone.seal(b"hello")) != b"hello"


@pytest.mark.parametrize(("key", "block"), [(KEY[:16], BLOCK), (KEY, BLOCK[:12])])
def test_other_sizes_are_refused(key: bytes, block: bytes) -> None:
    with pytest.raises(MisuseError):
        SharedKeystream(key, block)
