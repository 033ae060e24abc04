"""`doorstep provision --touch`: what it needs, and what it says when the platform does not go along."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep.cli.provision import provision
from doorstep.cli.provision.network import SharedNetwork
from doorstep.cli.provision.platform import Platform
from doorstep.cli.provision.touch import Account, Touch, set_up_by_touch
from doorstep.errors import DoorstepError, RefusedError, SettingsError, UnavailableError
from doorstep.provisioner.http import HttpLink
from tests.web import QuietHandler, listening

NEEDED = ("--server", "https://example.test", "--api-key", "key", "--ssid", "home", "--open")


@contextmanager
def portal(status: int, answer: Any) -> Iterator[str]:
    """A platform that always says the same."""

    class Handler(QuietHandler):
        def get(self) -> None:
            self.answer_json(status, answer)

    with listening(Handler) as url:
        yield url


def _error(*arguments: str) -> BaseException | None:
    return CliRunner().invoke(provision, ["--touch", *NEEDED, *arguments], standalone_mode=False).exception


MISUSE = {
    "no platform": ((), "needs --portal-url"),
    "two serials": (("--portal-url", "http://a", "--serial", "1", "--serial", "2"), "one device at a time"),
    "two addresses": (("--portal-url", "http://a", "--url", "http://b", "--url", "http://c"), "one device"),
    "no address": (("--portal-url", "http://a", "--url", "ftp://b"), "no place of a device"),
}


@pytest.mark.parametrize(("arguments", "words"), MISUSE.values(), ids=MISUSE)
def test_touch_asks_for_what_is_missing(arguments: tuple[str, ...], words: str) -> None:
    error = _error(*arguments)
    assert isinstance(error, SettingsError)
    assert words in error.message


ANSWERS: dict[str, tuple[int, Any, type[DoorstepError], str]] = {
    "unknown serial": (404, {"detail": "there is no device 'x' here"}, RefusedError, "there is no device"),
    "no detail": (409, {}, RefusedError, "status 409"),
    "a refused key": (403, {"detail": "no"}, SettingsError, "API key"),
    "a list": (200, [], UnavailableError, "omething else than a platform"),
    "nonsense": (200, {"device_id": "abcdefgh"}, UnavailableError, "makes no sense"),
    "no key": (
        200,
        {"device_id": "abcdefgh", "serial": "1", "public_key": "AAAA"},
        UnavailableError,
        "makes no sense",
    ),
    "no base64url": (
        200,
        {"device_id": "abcdefgh", "serial": "1", "public_key": "A"},
        UnavailableError,
        "makes no sense",
    ),
}


@pytest.mark.parametrize(("status", "answer", "error", "words"), ANSWERS.values(), ids=ANSWERS)
def test_platforms_word_is_told_and_nothing_is_sent_to_the_device(
    status: int, answer: Any, error: type[DoorstepError], words: str
) -> None:
    with portal(status, answer) as url:
        raised = _error("--portal-url", url, "--serial", "x", "--url", "http://127.0.0.1:1")
    assert isinstance(raised, error), raised
    assert words in raised.message


def test_platform_that_is_away_is_named() -> None:
    raised = _error("--portal-url", "http://127.0.0.1:1", "--serial", "x")
    assert isinstance(raised, UnavailableError)
    assert "does not answer" in raised.message


def test_without_serial_a_person_must_compare() -> None:
    async def run() -> None:
        network = SharedNetwork(b"home", b"", may_ask=False, pausing=nullcontext)
        account = Account(Platform("http://127.0.0.1:1", "key"))
        touch = Touch(account, "", "https://a", "", network, may_ask=False, tell=lambda _step: None)
        await set_up_by_touch(touch, HttpLink("http://127.0.0.1:1"))

    with pytest.raises(SettingsError, match="compare the device's pattern"):
        asyncio.run(run())
