import random
from itertools import chain, islice, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorstep.errors import SettingsError
from doorstep.onboarding.esptouch.listening import Listener
from doorstep.onboarding.esptouch.v1 import GUIDE, PACE, GuideLock, V1Decoder, encode_v1, rounds_v1
from doorstep.onboarding.network import NetworkCredentials
from tests.onboarding.esptouch.air import Air, listen

BSSID = b"\x02\x00\x00\x00\x00\x01"
IP = bytes((192, 168, 1, 7))
HOME = NetworkCredentials("Café \x00".encode(), b"correct horse", BSSID)
ROUND = 750
"""Frames of one guide and one stretch of data."""
NETWORKS = st.builds(
    NetworkCredentials,
    st.binary(max_size=32),
    st.one_of(
        st.just(b""),
        st.binary(min_size=8, max_size=63),
        st.binary(min_size=32, max_size=32).map(lambda key: key.hex().encode()),
    ),
    st.binary(min_size=6, max_size=6),
)


def listener() -> Listener:
    return Listener(0.0, channels=(6,))


def test_sender_writes_the_lengths_that_the_format_says() -> None:
    """One octet worked out: total length 29 at index 0; CRC-8/MAXIM of 1d 00 is 65."""
    data = encode_v1(HOME, IP)
    assert len(data) == 3 * (9 + 13 + len(HOME.ssid) + 6)
    assert 9 + 13 + len(HOME.ssid) == 29
    crc, octet = 0x65, 29
    assert data[:3] == (40 + (crc & 0xF0 | octet >> 4), 296, 40 + (crc << 4 & 0xF0 | octet & 0x0F))
    assert min(data) >= 40
    assert max(data) < GUIDE[-1]


def test_turns_begin_with_the_guide() -> None:
    turns = list(islice(rounds_v1((40, 300, 41)), ROUND + 4))
    assert turns[:4] == list(GUIDE) == turns[-4:]
    assert turns[252:255] == [40, 300, 41]


@settings(max_examples=12, deadline=None)
@given(NETWORKS, st.integers(60, 140))
def test_board_hears_any_octets(network: NetworkCredentials, overhead: int) -> None:
    frames = Air(overhead=overhead).frames(rounds_v1(encode_v1(network, IP)))
    heard = listen(listener(), frames, pace=PACE, most=3 * ROUND)
    assert heard is not None
    assert (heard.network.ssid, heard.network.passphrase) == (network.ssid, network.passphrase)
    assert heard.phone == "192.168.1.7"


@settings(max_examples=6, deadline=None)
@given(NETWORKS, st.integers(0, 2**32))
def test_board_hears_in_eight_turns_what_loses_a_fifth_and_is_swapped_and_repeated(
    network: NetworkCredentials, seed: int
) -> None:
    air = Air(loss=0.2, swaps=0.03, repeats=0.1, seed=seed)
    heard = listen(listener(), air.frames(rounds_v1(encode_v1(network, IP))), pace=PACE, most=8 * ROUND)
    assert heard is not None
    assert (heard.network.ssid, heard.network.passphrase) == (network.ssid, network.passphrase)


def test_eavesdropper_reads_the_password_of_esptouch_v1() -> None:
    """The demonstration: nothing but the sizes of frames that this listener has no key for."""
    sizes = [frame.size for frame in Air().frames(islice(rounds_v1(encode_v1(HOME, IP)), 3 * ROUND))]
    eavesdropper, lock = V1Decoder(78), GuideLock()
    overhead = next(found for found in map(lock.take, sizes) if found is not None)
    assert overhead == 78
    heard = next(found for found in map(eavesdropper.take, sizes) if found is not None)
    assert heard.network.passphrase == b"correct horse"
    assert heard.network.ssid == HOME.ssid


def test_board_takes_the_bssid_along_where_it_came() -> None:
    sizes = (*encode_v1(HOME, IP)[-18:], *encode_v1(HOME, IP))
    decoder = V1Decoder(0)
    assert [heard.network for heard in map(decoder.take, sizes) if heard] == [HOME] * (1 + 6)


def test_board_leaves_a_wrong_bssid_out() -> None:
    lengths = list(encode_v1(HOME, IP))
    other = encode_v1(NetworkCredentials(HOME.ssid, HOME.passphrase, b"\x04" * 6), IP)
    decoder = V1Decoder(0)
    heard = [decoder.take(size) for size in (*other[-18:], *lengths[:-18])][-1]
    assert heard is not None
    assert heard.network == NetworkCredentials(HOME.ssid, HOME.passphrase)


def without_ssid(network: NetworkCredentials) -> tuple[int, ...]:
    """Return what an older app sends for a network that shows its name."""
    data = encode_v1(network, IP)
    return data[: 3 * (9 + len(network.passphrase))]


def test_board_finds_the_name_that_an_older_app_left_out() -> None:
    decoder = V1Decoder(0, (b"other net", b"Cafe! \x00", HOME.ssid))
    heard = [decoder.take(size) for size in without_ssid(HOME)][-1]
    assert heard is not None
    assert heard.network.ssid == HOME.ssid


def test_board_waits_where_no_network_in_reach_has_that_name() -> None:
    decoder = V1Decoder(0, (b"other net",))
    assert not any(map(decoder.take, without_ssid(HOME) * 3))


def forged(index: int, octet: int) -> tuple[int, ...]:
    """Return an announcement with one octet changed, its own checksum right."""
    from doorstep.onboarding.esptouch import v1  # noqa: PLC0415

    data = list(encode_v1(HOME, IP))
    data[3 * index : 3 * index + 3] = v1._three(index, octet)
    return tuple(data)


WRONG = {
    "password longer than any": forged(1, 90),
    "SSID longer than any": forged(0, 120),
    "total shorter than its parts": forged(0, 3),
    "another checksum over all": forged(4, 0x55),
    "another password": forged(9, 0x11),
    "another SSID": forged(22, 0x11),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_board_takes_nothing_that_its_checks_refuse(data: tuple[int, ...]) -> None:
    assert not any(map(V1Decoder(0).take, data * 2))


def test_board_takes_no_password_that_no_network_can_have() -> None:
    from doorstep.onboarding.esptouch import v1  # noqa: PLC0415

    network = object.__new__(NetworkCredentials)
    values = {"ssid": b"x", "passphrase": b"short", "bssid": BSSID, "enterprise": None, "static": None}
    for name, value in values.items():
        object.__setattr__(network, name, value)
    assert not any(map(V1Decoder(0).take, v1.encode_v1(network, IP)))


def test_two_values_with_as_many_votes_are_none() -> None:
    decoder = V1Decoder(0)
    assert not any(map(decoder.take, chain(forged(9, 0x11), encode_v1(HOME, IP))))
    assert any(map(decoder.take, encode_v1(HOME, IP)))


@pytest.mark.parametrize(("network", "phone"), [(HOME, b"\x01"), (NetworkCredentials(b"x"), IP)])
def test_sender_refuses_what_it_cannot_announce(network: NetworkCredentials, phone: bytes) -> None:
    with pytest.raises(SettingsError):
        encode_v1(network, phone)


def test_lock_takes_no_noise_for_a_guide() -> None:
    rng, lock = random.Random(1), GuideLock()
    assert not any(lock.take(rng.randrange(60, 1500)) for _ in range(3000))
    assert not any(lock.take(size) for size in repeat(515 + 78, 100))
