"""The browser's link over Bluetooth under Node, against the device's own bookkeeping of values and parts."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from doorstep.onboarding.ble.exchange import LONG, MAX_BODY, Exchanges
from doorstep.wire.provisioning.common import MAX_MESSAGE
from tests.onboarding.web.node import Browser, Json

WITH_PARTS = ("prov-session", "echo", LONG)
STOCK = ("prov-session", "echo")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        yield running


class Board:
    """A device whose endpoint ``echo`` answers with ``reply``."""

    def __init__(self, reply: bytes) -> None:
        self.reply, self.requests, self.exchanges = reply, list[bytes](), Exchanges()
        self.exchanges.begin(1)

    def ask(self, question: str, value: bytes) -> bytes:
        kind, _, name = question.partition(" ")
        if kind == "read":
            return self.exchanges.fetched(1, name)
        request = self.exchanges.asked(1, name, value)
        if request is not None:
            self.requests.append(request)
            self.exchanges.answered(1, name, self.reply)
        return b""


def exchange(
    browser: Browser, ask: Callable[[str, bytes], bytes], body: bytes, characteristics: tuple[str, ...]
) -> Json:
    job = {"characteristics": characteristics, "endpoint": "echo", "body": body.hex()}
    (result,) = browser.run(job, ask)
    return result


def octets(size: int) -> bytes:
    """Octets of which no two pieces are alike."""
    return b"".join(number.to_bytes(2) for number in range(size // 2 + 1))[:size]


SIZES = sorted(
    {1, MAX_BODY - 1, MAX_BODY, MAX_BODY + 1, 2 * MAX_BODY - 1, 2 * MAX_BODY, 2 * MAX_BODY + 1, MAX_MESSAGE}
)


@pytest.mark.parametrize("size", SIZES)
def test_browser_and_device_exchange_long_messages(browser: Browser, size: int) -> None:
    board = Board(octets(size))
    assert exchange(browser, board.ask, octets(size), WITH_PARTS)["learnt"] == octets(size).hex()
    assert board.requests == [octets(size)]


@given(request=st.integers(1, MAX_MESSAGE), reply=st.integers(0, MAX_MESSAGE))
@hypothesis_settings(max_examples=20)
def test_browser_and_device_exchange_messages_of_any_length(
    browser: Browser, request: int, reply: int
) -> None:
    board = Board(octets(reply))
    assert exchange(browser, board.ask, octets(request), WITH_PARTS)["learnt"] == octets(reply).hex()
    assert board.requests == [octets(request)]


def test_browser_sends_stock_devices_one_value_and_no_more(browser: Browser) -> None:
    board = Board(b"x" * MAX_BODY)
    assert exchange(browser, board.ask, octets(MAX_BODY), STOCK)["learnt"] == board.reply.hex()
    assert exchange(browser, board.ask, octets(MAX_BODY + 1), STOCK)["failure"] == "too-long"
    assert exchange(browser, board.ask, octets(MAX_MESSAGE + 1), WITH_PARTS)["failure"] == "too-long"
    assert board.requests == [octets(MAX_BODY)]


def test_browser_refuses_a_reply_without_end(browser: Browser) -> None:
    def ask(question: str, value: bytes) -> bytes:
        return b"x" * MAX_BODY if question.startswith("read") else b""

    assert exchange(browser, ask, b"?", WITH_PARTS)["failure"] == "malformed"


def test_browser_hangs_up_on_a_device_that_may_have_kept_parts(browser: Browser) -> None:
    def ask(question: str, value: bytes) -> bytes:
        if question == f"write {LONG}":
            raise TimeoutError
        return b""

    assert exchange(browser, ask, octets(MAX_BODY + 1), WITH_PARTS) == {"failure": "lost", "connected": False}
    assert exchange(browser, ask, b"?", WITH_PARTS)["connected"]
