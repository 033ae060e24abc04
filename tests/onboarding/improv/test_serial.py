from hypothesis import given
from hypothesis import strategies as st

from doorstep.onboarding.improv.serial import BROKEN, Packet, PacketKind, PacketReader

PACKETS = st.builds(Packet, st.sampled_from(PacketKind), st.binary(max_size=255))
NOISE = st.sampled_from([b"", b"\n", b"I (312) boot: IMPROV\n", b"IMPRO", b"IMPROVIMPROV", b"\xff\x00"])


def test_packet_has_the_bytes_of_the_specification() -> None:
    assert Packet(PacketKind.STATE, b"\2").octets() == b"IMPROV\x01\x01\x01\x02\xe2\n"


@given(st.lists(st.tuples(NOISE, PACKETS), max_size=4), st.integers(1, 50))
def test_reader_finds_packets_among_the_log_wherever_it_is_cut(
    parts: list[tuple[bytes, Packet]], step: int
) -> None:
    stream = b"".join(noise + packet.octets() for noise, packet in parts)
    reader, found = PacketReader(), []
    for at in range(0, len(stream), step):
        found += reader.feed(stream[at : at + step])
    assert found == [packet for _, packet in parts]


def test_reader_tells_of_something_broken_and_goes_on() -> None:
    good = Packet(PacketKind.COMMAND, b"\2\0").octets()
    assert PacketReader().feed(good[:-2] + b"\0\n" + good) == [BROKEN, Packet(PacketKind.COMMAND, b"\2\0")]
    assert PacketReader().feed(
        Packet(PacketKind.STATE, b"").octets().replace(b"\1\1\0\xdf", b"\1\x09\0\xe7")
    ) == [BROKEN]


def test_reader_keeps_no_more_than_one_packet() -> None:
    reader = PacketReader()
    for _ in range(1000):
        assert reader.feed(b"a log without end " * 10) == []
    assert len(reader._begun) < 300
