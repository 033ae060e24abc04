"""CoAP datagrams, against the figures of RFC 7252 and every way to spoil one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.wire.coap import MAX_DATAGRAM, MAX_OPTIONS, Code, Kind, Message, Option, decode, encode

# RFC 7252 appendix A, figures 16 and 17: GET /temperature, and its piggybacked answer "22.3 C".
GET = bytes.fromhex("40017d34bb") + b"temperature"
CONTENT = bytes.fromhex("60457d34ff") + b"22.3 C"


def test_figure_16_is_read_and_written() -> None:
    message = Message(Kind.CONFIRMABLE, Code.GET, 0x7D34, options=((Option.URI_PATH, b"temperature"),))
    assert decode(GET) == message
    assert encode(message) == GET
    assert decode(GET).values(Option.URI_PATH) == (b"temperature",)


def test_figure_16s_answer_is_read_and_written() -> None:
    message = Message(Kind.ACKNOWLEDGEMENT, Code.CONTENT, 0x7D34, payload=b"22.3 C")
    assert decode(CONTENT) == message
    assert encode(message) == CONTENT


_OPTIONS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=255)), max_size=3).map(
    lambda found: tuple(sorted(found, key=lambda option: option[0]))
)


@given(
    st.sampled_from(Kind),
    st.integers(1, 255),
    st.integers(0, 0xFFFF),
    st.binary(max_size=8),
    _OPTIONS,
    st.binary(max_size=200),
)
def test_message_comes_back(  # noqa: PLR0913, PLR0917 - one for each field
    kind: Kind, code: int, number: int, token: bytes, options: tuple[tuple[int, bytes], ...], payload: bytes
) -> None:
    message = Message(kind, code, number, token, options, payload)
    assert decode(encode(message)) == message


@given(st.binary(max_size=80))
def test_bytes_are_refused_or_come_back_the_same(data: bytes) -> None:
    try:
        message = decode(data)
    except MalformedMessage:
        return
    assert encode(message) == data


SPOILT = {
    "nothing": b"",
    "header cut": GET[:3],
    "too long": GET + bytes(MAX_DATAGRAM),
    "version 2": b"\x80" + GET[1:],
    "token length 9": b"\x49" + GET[1:] + bytes(9),
    "token cut": bytes.fromhex("44017d34aabb"),
    "empty with a token": bytes.fromhex("41007d34aa"),
    "option cut": GET[:-1],
    "delta cut": bytes.fromhex("40017d34d0"),
    "length cut": bytes.fromhex("40017d340e01"),
    "reserved delta": bytes.fromhex("40017d34f0"),
    "reserved length": bytes.fromhex("40017d340f"),
    "option number beyond 65535": bytes.fromhex("40017d34e0ffff"),
    "option of 256 bytes": bytes.fromhex("40017d340df3") + bytes(256),
    "too many options": bytes.fromhex("40017d34") + bytes(MAX_OPTIONS + 1),
    "marker without payload": GET + b"\xff",
}


@pytest.mark.parametrize("case", SPOILT)
def test_spoilt_datagram_is_refused(case: str) -> None:
    with pytest.raises(MalformedMessage):
        decode(SPOILT[case])
