import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.wire.monitor import MAX_FRAME, DataFrame, parse_monitor

PHONE, AP, ALL = b"\x02phone", b"\x02acces", b"\xff" * 6
PLAIN = struct.pack("<BBHI", 0, 0, 8, 0)


def frame(control: bytes, *addresses: bytes, sequence: int = 7, body: bytes = b"x" * 40) -> bytes:
    return control + bytes(2) + b"".join(addresses) + struct.pack("<H", sequence << 4) + body


UP = frame(b"\x08\x41", AP, PHONE, ALL)


def test_board_reads_an_uplink_frame() -> None:
    assert parse_monitor(PLAIN + UP) == DataFrame(PHONE, PHONE, ALL, AP, 64, 7)


def test_board_reads_a_relayed_frame_with_quality_of_service_sent_again() -> None:
    relayed = frame(b"\x88\x4a", ALL, AP, PHONE)
    assert parse_monitor(PLAIN + relayed) == DataFrame(AP, PHONE, ALL, AP, 64, 7, retry=True)


def test_board_tells_groups_from_single_stations() -> None:
    single = parse_monitor(PLAIN + frame(b"\x08\x01", AP, PHONE, b"\x02other"))
    group = parse_monitor(PLAIN + frame(b"\x08\x01", AP, PHONE, b"\x01\x00\x5e\x01\x01\x01"))
    assert single is not None
    assert group is not None
    assert (single.to_group, group.to_group) == (False, True)


RADIOTAPS = {
    "flags with a checksum": struct.pack("<BBHIB", 0, 0, 9, 2, 0x10),
    "time stamp, flags with a checksum": struct.pack("<BBHIQB", 0, 0, 17, 3, 1, 0x10),
    "two words of fields": struct.pack("<BBHIIB", 0, 0, 13, 1 << 31 | 2, 0, 0x10),
    "time stamp aligned behind two words": struct.pack("<BBHIIIQB", 0, 0, 25, 1 << 31 | 3, 0, 0, 1, 0x10),
}


@pytest.mark.parametrize("radiotap", RADIOTAPS.values(), ids=RADIOTAPS)
def test_board_leaves_the_checksum_out(radiotap: bytes) -> None:
    heard = parse_monitor(radiotap + UP + b"CRC!")
    assert heard is not None
    assert heard.size == len(UP)


def test_board_keeps_a_frame_without_a_checksum_whole() -> None:
    heard = parse_monitor(struct.pack("<BBHIB", 0, 0, 9, 2, 0) + UP)
    assert heard is not None
    assert heard.size == len(UP)


OTHERS = {
    "a beacon": frame(b"\x80\x00", ALL, AP, AP),
    "a frame without content": frame(b"\x48\x01", AP, PHONE, ALL),
    "between two access points": frame(b"\x08\x03", AP, PHONE, ALL),
    "beside any access point": frame(b"\x08\x00", AP, PHONE, ALL),
    "an acknowledgement": b"\xd4\x00",
    "one byte": b"\x08",
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_board_passes_over_other_frames(other: bytes) -> None:
    assert parse_monitor(PLAIN + other) is None


BAD = {
    "nothing": b"",
    "another version": b"\x01" + PLAIN[1:] + UP,
    "longer than the frame": struct.pack("<BBHI", 0, 0, 200, 0),
    "shorter than itself": struct.pack("<BBHI", 0, 0, 4, 0) + UP,
    "endless list of fields": struct.pack("<BBHI", 0, 0, 8, 1 << 31) + UP,
    "no flags where they should be": struct.pack("<BBHI", 0, 0, 8, 2) + UP,
    "head cut": PLAIN + UP[:20],
    "too long": bytes(MAX_FRAME + 1),
}


@pytest.mark.parametrize("octets", BAD.values(), ids=BAD)
def test_board_refuses_malformed_frames(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_monitor(octets)


@given(st.binary(max_size=80))
def test_board_never_breaks_on_what_it_hears(octets: bytes) -> None:
    for radiotap in (b"", PLAIN):
        try:
            parse_monitor(radiotap + octets)
        except MalformedMessage:
            continue
