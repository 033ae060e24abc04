import pytest

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.ble.exchange import MAX_BODY, Exchanges


@pytest.fixture
def exchanges() -> Exchanges:
    begun = Exchanges()
    begun.begin(1)
    return begun


def test_answer_can_be_fetched_more_than_once(exchanges: Exchanges) -> None:
    assert exchanges.asked(1, "prov-scan", b"request")
    exchanges.answered(1, "prov-scan", b"reply")
    assert [exchanges.fetched(1, "prov-scan") for _ in range(2)] == [b"reply", b"reply"]
    assert exchanges.fetched(1, "prov-config") == b""


def test_next_request_drops_the_last_answer_and_an_empty_one_does_not(exchanges: Exchanges) -> None:
    exchanges.answered(1, "prov-scan", b"reply")
    assert not exchanges.asked(1, "prov-scan", b"")
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
    assert exchanges.asked(1, "prov-scan", bytes(MAX_BODY))
    with pytest.raises(MalformedMessage):
        exchanges.asked(1, "prov-scan", bytes(MAX_BODY + 1))
    with pytest.raises(MalformedMessage):
        exchanges.answered(1, "prov-scan", bytes(MAX_BODY + 1))
