import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.ble.exchange import LONG, MAX_BODY, Exchanges, goes_on_at, in_parts
from doorstep.wire.provisioning.common import MAX_MESSAGE


@pytest.fixture
def exchanges() -> Exchanges:
    begun = Exchanges()
    begun.begin(1)
    return begun


def test_answer_can_be_fetched_more_than_once(exchanges: Exchanges) -> None:
    assert exchanges.asked(1, "prov-scan", b"request") == b"request"
    exchanges.answered(1, "prov-scan", b"reply")
    assert [exchanges.fetched(1, "prov-scan") for _ in range(2)] == [b"reply", b"reply"]
    assert exchanges.fetched(1, "prov-config") == b""


def test_next_request_drops_the_last_answer_and_an_empty_one_does_not(exchanges: Exchanges) -> None:
    exchanges.answered(1, "prov-scan", b"reply")
    assert exchanges.asked(1, "prov-scan", b"") is None
    assert exchanges.fetched(1, "prov-scan") == b"reply"
    assert exchanges.asked(1, "prov-scan", b"again")
    assert exchanges.fetched(1, "prov-scan") == b""


def test_session_ends_with_its_connection(exchanges: Exchanges) -> None:
    exchanges.answered(1, "prov-scan", b"reply")
    assert not exchanges.end(2)
    assert exchanges.end(1)
    assert exchanges.fetched(1, "prov-scan") == b""
    with pytest.raises(ProtocolViolation):
        exchanges.asked(1, "prov-scan", b"request")


def test_late_answer_goes_to_nobody_else(exchanges: Exchanges) -> None:
    exchanges.begin(2)
    exchanges.answered(1, "prov-scan", b"reply")
    assert exchanges.fetched(2, "prov-scan") == b""
    assert exchanges.fetched(1, "prov-scan") == b""


def test_what_no_value_holds_is_refused(exchanges: Exchanges) -> None:
    assert exchanges.asked(1, "prov-scan", bytes(MAX_BODY)) == bytes(MAX_BODY)
    with pytest.raises(MalformedMessage):
        exchanges.asked(1, "prov-scan", bytes(MAX_BODY + 1))
    with pytest.raises(MalformedMessage):
        exchanges.answered(1, "prov-scan", bytes(MAX_MESSAGE + 1))


def _carried(exchanges: Exchanges, body: bytes) -> bytes | None:
    parts, last = in_parts(body)
    for part in parts:
        assert exchanges.asked(1, LONG, part) is None
    return exchanges.asked(1, "doorstep-sealed", last)


@given(st.integers(1, MAX_MESSAGE))
def test_long_request_comes_whole(size: int) -> None:
    begun = Exchanges()
    begun.begin(1)
    body = bytes(number % 251 for number in range(size))
    assert _carried(begun, body) == body
    assert begun.asked(1, "prov-scan", b"next") == b"next"


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, MAX_MESSAGE])
def test_long_reply_is_fetched_whole(exchanges: Exchanges, size: int) -> None:
    reply = bytes(number % 251 for number in range(size))
    exchanges.answered(1, "doorstep-sealed", reply)
    got = piece = exchanges.fetched(1, "doorstep-sealed")
    while len(piece) == MAX_BODY:
        exchanges.asked(1, LONG, goes_on_at(len(got)))
        piece = exchanges.fetched(1, LONG)
        got += piece
    assert got == reply


NO_PARTS = {
    "nothing": b"",
    "empty part": b"\x01",
    "unknown kind": b"\x03x",
    "short offset": b"\x02\x00",
    "long offset": b"\x02\x00\x00\x00",
}


@pytest.mark.parametrize("value", NO_PARTS.values(), ids=NO_PARTS)
def test_what_is_no_part_drops_those_before(exchanges: Exchanges, value: bytes) -> None:
    exchanges.asked(1, LONG, b"\x01begun")
    with pytest.raises(MalformedMessage):
        exchanges.asked(1, LONG, value)
    assert exchanges.asked(1, "prov-scan", b"request") == b"request"


def test_endless_request_is_refused(exchanges: Exchanges) -> None:
    for _ in range(7):
        exchanges.asked(1, LONG, b"\x01" + bytes(MAX_BODY - 1))
    with pytest.raises(MalformedMessage):
        exchanges.asked(1, LONG, b"\x01" + bytes(MAX_BODY - 1))
