"""MQTT packets of clients, whole and in pieces, and every way to spoil one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, PeerError, ProtocolViolation
from doorstep.wire.mqtt import (
    MAX_FILTERS,
    MAX_PACKET,
    Connect,
    Disconnect,
    Packet,
    Ping,
    Publish,
    Reader,
    Subscribe,
    Unsubscribe,
    connack,
    encode_publish,
    puback,
    suback,
    unsuback,
)

CONNECT = b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08abcdefgh"
NAMED = b"\x10\x1a\x00\x04MQTT\x04\xc2\x00\x3c\x00\x08abcdefgh\x00\x01u\x00\x01p"
PUBLISH = b"\x32\x0d\x00\x05t/a/b\x00\x0721.5"
SUBSCRIBE = b"\x82\x08\x00\x01\x00\x03a/b\x01"

GOOD: dict[str, tuple[bytes, Packet]] = {
    "connect": (CONNECT, Connect("abcdefgh", 60)),
    "connect with a name and a password": (NAMED, Connect("abcdefgh", 60, True, "u", b"p")),
    "publish": (PUBLISH, Publish("t/a/b", b"21.5", 7)),
    "publish again": (b"\x3a" + PUBLISH[1:], Publish("t/a/b", b"21.5", 7)),
    "publish without acknowledgement": (b"\x30\x05\x00\x01a\x01\x02", Publish("a", b"\x01\x02")),
    "subscribe": (SUBSCRIBE, Subscribe(1, ("a/b",))),
    "unsubscribe": (b"\xa2\x07\x00\x02\x00\x03a/b", Unsubscribe(2, ("a/b",))),
    "ping": (b"\xc0\x00", Ping()),
    "disconnect": (b"\xe0\x00", Disconnect()),
}


@pytest.mark.parametrize("case", GOOD)
def test_packet_is_read(case: str) -> None:
    data, packet = GOOD[case]
    assert Reader().feed(data) == [packet]


def test_packets_are_read_byte_by_byte_as_at_once() -> None:
    whole = b"".join(data for data, _ in GOOD.values())
    reader = Reader()
    found = [packet for byte in whole for packet in reader.feed(bytes((byte,)))]
    assert found == Reader().feed(whole) == [packet for _, packet in GOOD.values()]


@given(st.binary(max_size=300).filter(bool), st.text("ab/", min_size=1, max_size=20))
def test_publish_of_ours_is_read_by_the_same_reader(payload: bytes, topic: str) -> None:
    assert Reader().feed(encode_publish(topic, payload)) == [Publish(topic, payload)]


@given(st.binary(max_size=60))
def test_any_bytes_give_packets_or_a_documented_error(data: bytes) -> None:
    try:
        Reader().feed(data)
    except PeerError:
        return


SPOILT: dict[str, tuple[bytes, type[PeerError]]] = {
    "another protocol": (CONNECT.replace(b"MQTT", b"MQIs"), MalformedMessage),
    "MQTT 5": (CONNECT.replace(b"MQTT\x04", b"MQTT\x05"), MalformedMessage),
    "reserved flag": (CONNECT.replace(b"\x04\x02\x00", b"\x04\x03\x00"), MalformedMessage),
    "password without a name": (CONNECT.replace(b"\x04\x02\x00", b"\x04\x42\x00"), MalformedMessage),
    "a will": (CONNECT.replace(b"\x04\x02\x00", b"\x04\x06\x00"), ProtocolViolation),
    "bytes behind": (b"\x10\x15" + CONNECT[2:] + b"x", MalformedMessage),
    "cut": (b"\x10\x13" + CONNECT[2:-1], MalformedMessage),
    "no UTF-8": (CONNECT[:-1] + b"\xff", MalformedMessage),
    "NUL in a text": (CONNECT[:-1] + b"\x00", MalformedMessage),
    "too long": (b"\x30\xff\xff\x03", MalformedMessage),
    "length of five bytes": (b"\x30\x80\x80\x80\x80\x01", MalformedMessage),
    "QoS 2": (b"\x34" + PUBLISH[1:], ProtocolViolation),
    "duplicate of QoS 0": (b"\x38\x03\x00\x01a", MalformedMessage),
    "wildcard": (b"\x30\x03\x00\x01#", MalformedMessage),
    "no topic": (b"\x30\x02\x00\x00", MalformedMessage),
    "packet id 0": (b"\x32\x05\x00\x01a\x00\x00", MalformedMessage),
    "no filter": (b"\x82\x02\x00\x01", MalformedMessage),
    "empty filter": (b"\x82\x05\x00\x01\x00\x00\x00", MalformedMessage),
    "filter of QoS 3": (b"\x82\x06\x00\x01\x00\x01a\x03", MalformedMessage),
    "too many filters": (
        bytes((0x82, 2 + 4 * (MAX_FILTERS + 1))) + b"\x00\x01" + b"\x00\x01a\x00" * (MAX_FILTERS + 1),
        MalformedMessage,
    ),
    "too many filters to leave": (
        bytes((0xA2, 2 + 3 * (MAX_FILTERS + 1))) + b"\x00\x01" + b"\x00\x01a" * (MAX_FILTERS + 1),
        MalformedMessage,
    ),
    "ping with content": (b"\xc0\x01\x00", MalformedMessage),
    "a packet of servers": (connack(0), ProtocolViolation),
    "an acknowledgement that nobody waits for": (puback(1), ProtocolViolation),
}


@pytest.mark.parametrize("case", SPOILT)
def test_spoilt_packet_is_refused(case: str) -> None:
    data, kind = SPOILT[case]
    with pytest.raises(kind):
        Reader().feed(data)


def test_answers_are_the_standards_bytes() -> None:
    assert connack(5) == b"\x20\x02\x00\x05"
    assert puback(0x0102) == b"\x40\x02\x01\x02"
    assert suback(1, b"\x00\x80") == b"\x90\x04\x00\x01\x00\x80"
    assert unsuback(9) == b"\xb0\x02\x00\x09"
    assert len(encode_publish("t", bytes(MAX_PACKET - 3))) == MAX_PACKET + 3
