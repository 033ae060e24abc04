import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.wire.dpp import (
    MAX_ATTRIBUTES,
    MAX_FRAME,
    ActionFrame,
    Attribute,
    Attributes,
    FrameReader,
    FrameType,
    GasRequest,
    GasResponse,
    Message,
    decode_message,
    encode_attributes,
    encode_frame,
)

BODY = encode_attributes([(Attribute.STATUS, b"\0"), (Attribute.WRAPPED_DATA, b"sealed")])
PROTOCOL = bytes.fromhex("6c087fdd05506f9a1a01")

queries = st.binary(max_size=200)
tokens = st.integers(0, 255)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(ActionFrame, st.sampled_from(FrameType), queries),
    st.builds(GasRequest, tokens, queries),
    st.builds(GasResponse, tokens, queries),
)


def test_frame_has_the_layout_of_the_specification() -> None:
    frame = ActionFrame(FrameType.AUTHENTICATION_CONFIRM, b"body")
    assert encode_frame(frame) == bytes.fromhex("0000000b09506f9a1a0102") + b"body"


def test_query_has_the_layout_of_the_specification() -> None:
    assert encode_frame(GasRequest(7, b"ab")) == bytes.fromhex("000000100a07") + PROTOCOL + b"\2\0ab"
    assert encode_frame(GasResponse(7, b"ab")) == bytes.fromhex("000000140b0700000000") + PROTOCOL + b"\2\0ab"


@given(messages)
def test_reader_returns_what_was_framed(message: Message) -> None:
    assert list(FrameReader().feed(encode_frame(message))) == [message]


@given(st.lists(messages, max_size=3), st.integers(1, 7))
def test_reader_takes_a_stream_in_any_pieces(sent: list[Message], size: int) -> None:
    stream = b"".join(map(encode_frame, sent))
    reader = FrameReader()
    heard = [message for at in range(0, len(stream), size) for message in reader.feed(stream[at : at + size])]
    assert heard == sent


@given(st.binary(max_size=300))
def test_decoder_answers_anything_with_a_message_or_a_documented_error(octets: bytes) -> None:
    try:
        message = decode_message(octets)
    except MalformedMessage:
        return
    assert encode_frame(message)[4:] == octets


@given(st.binary(max_size=300))
def test_attributes_answer_anything_with_values_or_a_documented_error(octets: bytes) -> None:
    try:
        found = Attributes.decode(octets)
    except MalformedMessage:
        return
    assert b"".join(struct.pack("<HH", number, len(value)) + value for number, value in found.items) == octets


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "1 to"),
        (b"\x09" + bytes(MAX_FRAME), "1 to"),
        (b"\x07", "unknown action 7"),
        (bytes.fromhex("09506f9a1a01"), "not Easy Connect's"),
        (bytes.fromhex("09506f9a1b0100"), "not Easy Connect's"),
        (bytes.fromhex("09506f9a1a0200"), "crypto suite 2"),
        (bytes.fromhex("09506f9a1a0163"), "unsupported type 99"),
        (b"\x0a\x01" + PROTOCOL + b"\2", "cut"),
        (b"\x0a\x01" + PROTOCOL[:-1] + b"\2" + b"\2\0ab", "not Easy Connect's"),
        (b"\x0a\x01" + PROTOCOL + b"\2\0abc", "length that it claims"),
        (b"\x0a\x01" + PROTOCOL + b"\2\0a", "length that it claims"),
        (b"\x0b\x01\x01\0\0\0" + PROTOCOL + b"\0\0", "refused"),
        (b"\x0b\x01\0\0\xf4\x01" + PROTOCOL + b"\0\0", "put off"),
    ],
    ids=[
        "nothing",
        "too long",
        "action",
        "cut header",
        "foreign maker",
        "suite",
        "type",
        "cut query",
        "foreign protocol",
        "long query",
        "short query",
        "refused query",
        "delayed query",
    ],
)
def test_decoder_refuses_frame(octets: bytes, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says):
        decode_message(octets)


def test_reader_refuses_a_length_above_the_cap_before_the_frame_came() -> None:
    with pytest.raises(MalformedMessage, match="claims"):
        list(FrameReader().feed((MAX_FRAME + 1).to_bytes(4)))


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (BODY[:3], "cut"),
        (BODY[:-1], "longer than its frame"),
        (BODY + BODY, "follows the wrapped data"),
        (encode_attributes([(Attribute.STATUS, b"")] * (MAX_ATTRIBUTES + 1)), "more than 32"),
    ],
    ids=["cut head", "cut value", "after wrapped data", "too many"],
)
def test_attributes_refuse(octets: bytes, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says):
        Attributes.decode(octets)


def test_attributes_know_what_stands_before_wrapped_data() -> None:
    found = Attributes.decode(BODY)
    assert found.before_wrapped == BODY[:5]
    assert found.get(Attribute.WRAPPED_DATA) == b"sealed"
    assert found.find(Attribute.CONFIGURATION) is None


@pytest.mark.parametrize(
    ("attribute", "size"), [(Attribute.STATUS, 2), (Attribute.CONFIGURATION, None)], ids=["size", "missing"]
)
def test_attributes_refuse_to_give_an_unusable_value(attribute: Attribute, size: int | None) -> None:
    with pytest.raises(MalformedMessage, match=f"no usable {attribute.name.lower()}"):
        Attributes.decode(BODY).get(attribute, size)
