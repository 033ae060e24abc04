import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.wire.protobuf import parse, put_int, put_message, put_octets, put_uint

MOST = 4096

MALFORMED = {
    "tag without value": b"\x08",
    "varint cut off": b"\x08\x80",
    "varint never ends": b"\x08" + b"\xff" * 11,
    "varint beyond 64 bits": b"\x08" + b"\xff" * 9 + b"\x02",
    "varint longer than its number": b"\x08\x81\x00",
    "length after the end": b"\x0a\x05abc",
    "fixed32 cut off": b"\x0d\x00\x00",
    "fixed64 cut off": b"\x09\x00\x00\x00\x00",
    "group": b"\x0b\x0c",
    "wire type 7": b"\x0f",
    "field 0": b"\x02\x00",
    "field number too large": b"\x80\x80\x80\x80\x80\x01\x00",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_reader_refuses_malformed_bytes(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(data, most=MOST)


def test_reader_refuses_message_above_cap() -> None:
    with pytest.raises(MalformedMessage, match="5 bytes"):
        parse(b"\x0a\x03abc", most=4)


def test_reader_skips_unknown_fields_of_every_wire_type() -> None:
    unknown = put_uint(90, 7) + put_octets(91, b"x") + b"\xe5\x05abcd" + b"\xe9\x05abcdefgh"
    fields = parse(unknown + put_uint(1, 5), most=MOST)
    assert fields.uint(1) == 5


def test_reader_gives_proto3_defaults() -> None:
    fields = parse(b"", most=MOST)
    assert (fields.uint(1), fields.int32(1), fields.octets(1, most=1), fields.text(1, most=1)) == (
        0,
        0,
        b"",
        "",
    )
    assert fields.messages(1) == ()
    assert not fields.has(1)


def test_reader_demands_message_that_is_never_empty() -> None:
    with pytest.raises(MalformedMessage, match="missing"):
        parse(b"", most=MOST).message(3)


def test_reader_refuses_repeated_singular_field() -> None:
    fields = parse(put_uint(1, 5) + put_uint(1, 6), most=MOST)
    with pytest.raises(MalformedMessage, match="2 times"):
        fields.uint(1)


def test_reader_refuses_wrong_wire_type() -> None:
    number, text = parse(put_uint(1, 5), most=MOST), parse(put_octets(1, b"x"), most=MOST)
    for read in (
        lambda: text.uint(1),
        lambda: number.octets(1, most=9),
        lambda: number.message(1),
        lambda: number.messages(1),
    ):
        with pytest.raises(MalformedMessage):
            read()


def test_reader_refuses_values_above_their_caps() -> None:
    fields = parse(put_uint(1, 9) + put_octets(2, b"abc") + put_uint(3, 2**31), most=MOST)
    for read in (lambda: fields.uint(1, most=8), lambda: fields.octets(2, most=2), lambda: fields.int32(3)):
        with pytest.raises(MalformedMessage):
            read()


def test_reader_refuses_text_that_is_not_utf8() -> None:
    with pytest.raises(MalformedMessage, match="UTF-8"):
        parse(put_octets(1, b"\xff"), most=MOST).text(1, most=9)


def test_writer_omits_defaults_except_in_a_oneof() -> None:
    assert put_uint(1, 0) == b""
    assert put_uint(1, 0, explicit=True) == b"\x08\x00"
    assert put_octets(1, b"") == b""
    assert put_message(1, b"") == b"\x0a\x00"


@given(st.integers(1, 2**29 - 1), st.integers(0, 2**32 - 1))
def test_unsigned_numbers_come_back(number: int, value: int) -> None:
    assert parse(put_uint(number, value, explicit=True), most=MOST).uint(number) == value


@given(st.integers(-(2**31), 2**31 - 1))
def test_signed_numbers_come_back(value: int) -> None:
    assert parse(put_int(4, value), most=MOST).int32(4) == value


@given(st.binary(max_size=300), st.lists(st.binary(max_size=40), max_size=5))
def test_octets_and_messages_come_back(octets: bytes, bodies: list[bytes]) -> None:
    inner = [put_octets(1, body) for body in bodies]
    fields = parse(put_octets(2, octets) + b"".join(put_message(3, body) for body in inner), most=MOST)
    assert fields.octets(2, most=300) == octets
    assert [message.octets(1, most=40) for message in fields.messages(3)] == bodies


@given(st.binary(max_size=64))
def test_reader_gives_fields_or_malformed_and_nothing_else(data: bytes) -> None:
    try:
        parse(data, most=MOST)
    except MalformedMessage:
        return
