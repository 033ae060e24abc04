"""The world for each test of pages, and a real web role in front of a real browser for the others."""

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Final

import httpx
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, override_settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browsers import CHROMIUM, FLAGS
from tests.server.portal.browsing import WITHIN_MS, phone
from tests.server.portal.world import World, furnish
from tests.server.web_process import free_port, start_web

_START_WITHIN_S: Final = 30


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hash what tests set in no time; the furnished people's passwords are hashed as in life."""
    real = settings.PASSWORD_HASHERS
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher", *real]):
        yield


@pytest.fixture
def world(lasting_world: World, rolled_back: None) -> World:
    """The furnished deployment; what the test changes in it is undone."""
    cache.clear()
    fresh = copy.deepcopy(lasting_world)
    for user in (fresh.staff, fresh.owner, fresh.viewer, fresh.colleague, fresh.stranger):
        user.refresh_from_db()  # a log-in in a browser hashes the password anew
    return fresh


@pytest.fixture
def client() -> Client:
    """A browser without a screen."""
    return Client()


@pytest.fixture(scope="session")
def lasting_world() -> World:
    """A furnished deployment; tests that keep changes furnish their own."""
    return furnish()


@pytest.fixture(scope="session")
def portal(lasting_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running web role on this state."""
    port, log = free_port(), tmp_path_factory.mktemp("web") / "web.log"
    process = start_web(port, log)
    url = f"http://localhost:{port}"
    try:
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        assert process.wait(15) == 0, log.read_text()


def _wait(url: str, process: Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/accounts/login/")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the web role did not come up: {log.read_text()}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real Chromium, or a skip that says what is missing."""
    if CHROMIUM is None:
        pytest.skip("no chromium in PATH")
    # Playwright keeps a loop in this thread: Django's tests share the thread, and the next file's may want
    # a loop of their own.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=WITHIN_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A phone's window; a script error fails the test."""
    with phone(chromium) as window:
        yield window
