import os
import random
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorstep.crypto.unauthenticated import cbc_seal
from doorstep.errors import SettingsError
from doorstep.onboarding.esptouch import v2
from doorstep.onboarding.esptouch.listening import Listener
from doorstep.onboarding.esptouch.v2 import (
    KEY_SIZE,
    PACE,
    AnnouncementRefused,
    SyncLock,
    V2Decoder,
    encode_v2,
)
from doorstep.onboarding.esptouch.v2_head import CONSTANT_IV, Head
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.crc import crc8_maxim
from tests.onboarding.esptouch.air import Air, listen
from tests.onboarding.esptouch.test_v1 import BSSID, HOME, NETWORKS

KEY = bytes(range(KEY_SIZE))
TOKEN = b"k3J5h2mNbv7qWx4zk3J5h2mNbv7qWx4zk3J5h2mNbv7"
ASCII = NetworkCredentials(b"home", b"correct horse", BSSID)


def listener(key: bytes = b"") -> Listener:
    return Listener(0.0, channels=(6,), key=key)


def test_sender_writes_the_lengths_that_the_format_says() -> None:
    """The head's block worked by hand: bit i of six octets in 128 i + 64 + value."""
    lengths = encode_v2(ASCII, bytes)
    blocks = 1 + 3 + 1
    assert lengths[:4] == (1048, 1071 + blocks) * 2
    head = bytes((4, 13, 0, crc8_maxim(BSSID), 1))
    octets = head + bytes((crc8_maxim(head),))
    for bit in range(8):
        value = int("".join(str(octet >> bit & 1) for octet in octets), 2)
        assert lengths[4 + bit] == 128 * bit + 64 + value
    assert lengths[12:15] == (128,) * 3
    assert len(lengths) == 12 + (blocks - 1) * 11


@settings(max_examples=15, deadline=None)
@given(NETWORKS, st.binary(max_size=127), st.sampled_from([b"", KEY]), st.integers(60, 140))
def test_board_hears_any_octets(network: NetworkCredentials, along: bytes, key: bytes, overhead: int) -> None:
    lengths = encode_v2(network, os.urandom, reserved=along, key=key)
    frames = Air(overhead=overhead).frames(cycle(lengths))
    heard = listen(listener(key), frames, pace=PACE, most=4 * len(lengths))
    assert heard is not None
    assert (heard.network.ssid, heard.network.passphrase) == (network.ssid, network.passphrase)
    assert heard.reserved == along


@settings(max_examples=6, deadline=None)
@given(NETWORKS, st.integers(0, 2**32), st.sampled_from([b"", KEY]))
def test_board_hears_in_sixteen_rounds_what_loses_a_fifth_and_is_swapped_and_repeated(
    network: NetworkCredentials, seed: int, key: bytes
) -> None:
    lengths = encode_v2(network, os.urandom, reserved=TOKEN, key=key)
    air = Air(loss=0.2, swaps=0.03, repeats=0.1, seed=seed)
    heard = listen(listener(key), air.frames(cycle(lengths)), pace=PACE, most=16 * len(lengths))
    assert heard is not None
    assert heard.network.passphrase == network.passphrase
    assert heard.reserved == TOKEN


def read(lengths: tuple[int, ...], key: bytes = b"") -> object:
    decoder = V2Decoder(0, key)
    return next((heard for heard in map(decoder.take, lengths * 2) if heard is not None), None)


def test_eavesdropper_reads_the_password_of_esptouch_v2_in_the_open() -> None:
    heard = read(encode_v2(HOME, bytes))
    assert getattr(heard, "network", None) == NetworkCredentials(HOME.ssid, HOME.passphrase)


def test_eavesdropper_without_the_key_reads_no_password_but_the_name() -> None:
    """What a key gives; but it is the same in every device of the product, and in its app."""
    lengths = encode_v2(ASCII, os.urandom, key=KEY)
    with pytest.raises(AnnouncementRefused):
        read(lengths)
    with pytest.raises(AnnouncementRefused):
        read(lengths, bytes(KEY_SIZE))
    decoder = V2Decoder(0)
    for length in lengths:
        decoder.take(length) if length < 1048 else decoder.take(127)
    parts = decoder._parts(Head(4, 13, 0, crc8_maxim(BSSID), 5))
    assert parts is not None
    assert parts[-1][18:22] == b"home"


def test_sender_never_encrypts_twice_with_one_iv() -> None:
    """CVE-2024-53845: with a constant IV equal passwords give equal frames."""
    assert encode_v2(HOME, os.urandom, key=KEY) != encode_v2(HOME, os.urandom, key=KEY)


def test_board_refuses_an_announcement_in_the_open_where_it_has_a_key() -> None:
    with pytest.raises(AnnouncementRefused):
        read(encode_v2(HOME, bytes), KEY)


def test_board_with_a_key_takes_an_open_network_which_has_no_secret() -> None:
    heard = read(encode_v2(NetworkCredentials(b"open", b"", BSSID), bytes, key=KEY), KEY)
    assert getattr(heard, "network", None) == NetworkCredentials(b"open")


def test_board_refuses_the_constant_iv() -> None:
    head = Head(4, 13, 0, crc8_maxim(BSSID), 1 | CONSTANT_IV << 1)
    secret = cbc_seal(KEY, bytes(16), b"correct horse")
    parts = [secret + bytes(4), b"home\x00\x00"]
    blocks = [v2._block(head.octets(), tail=False)]
    for part, (size, wide) in zip(parts, head.sections(), strict=True):
        step = 5 if wide else 6
        blocks += [v2._checked(part[at : at + step], wide=wide) for at in range(0, size, step)]
    with pytest.raises(AnnouncementRefused, match="CVE-2024-53845"):
        read(tuple(v2._lengths(blocks)), KEY)


def test_board_passes_over_frames_of_other_lengths() -> None:
    assert read(tuple(length for size in encode_v2(HOME, bytes) for length in (0, size, 1047))) is not None


def test_sender_says_on_which_port_it_waits() -> None:
    heard = read(encode_v2(HOME, bytes, port=38266))
    assert getattr(heard, "port", 0) == 38266


def with_head(*octets: int) -> tuple[int, ...]:
    """Return an announcement under another head, its own checksum right."""
    lengths = list(encode_v2(ASCII, bytes))
    block = v2._block(Head(*octets).octets(), tail=False)
    lengths[4:12] = [bit << 7 | 64 | value for bit, value in enumerate(block)]
    return tuple(lengths)


WRONG = {
    "SSID longer than any": with_head(40, 13, 0, 0, 1),
    "password longer than any": with_head(4, 70, 0, 0, 1),
    "password that no network has": with_head(4, 5, 8, 0, 1),
    "more blocks than came": with_head(4, 60, 0, 0, 1),
    "name beyond ASCII that came as ASCII": with_head(0x84, 13, 0, 0, 1),
}


@pytest.mark.parametrize("lengths", WRONG.values(), ids=WRONG)
def test_board_takes_nothing_that_its_checks_refuse(lengths: tuple[int, ...]) -> None:
    assert read(lengths) is None


def test_board_takes_no_head_with_a_wrong_checksum() -> None:
    lengths = list(encode_v2(ASCII, bytes))
    lengths[5] ^= 1
    assert read(tuple(lengths)) is None


def test_board_takes_no_block_with_a_wrong_checksum() -> None:
    for place in (16, -3):
        lengths = list(encode_v2(ASCII, bytes))
        lengths[place] ^= 1
        assert read(tuple(lengths)) is None


BAD = {
    "no BSSID": (NetworkCredentials(b"x"), b"", b""),
    "too much along": (HOME, b"x" * 128, b""),
    "a short key": (HOME, b"", b"key"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_sender_refuses_what_it_cannot_announce(case: tuple[NetworkCredentials, bytes, bytes]) -> None:
    network, along, key = case
    with pytest.raises(SettingsError):
        encode_v2(network, bytes, reserved=along, key=key)


def test_lock_takes_no_noise_for_a_begin() -> None:
    rng, lock = random.Random(1), SyncLock()
    assert not any(lock.take(rng.randrange(60, 1100)) for _ in range(3000))
