"""A person's way through the board's page in a real Chromium: a phone's window, mostly without scripts."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from doorstep.onboarding.captive.exchange import Air
from doorstep.testing.wifi import SimulatedWifi
from doorstep.wire.provisioning.delivery import DeviceStage
from tests.browsers import CHROMIUM, FLAGS, axe_source, violations
from tests.device.page_serving import STREET, serving_page
from tests.device.serving import Served
from tests.onboarding.helpers import CREDENTIALS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_WITHIN_MS = 15_000
_MANY_TABS = 30


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium in PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


def _phone(
    chromium: Browser, *, scripts: bool = False, language: str = "en-GB", dark: bool = False
) -> BrowserContext:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        java_script_enabled=scripts,
        locale=language,
        color_scheme="dark" if dark else "light",
    )
    context.set_default_timeout(_WITHIN_MS)
    return context


def _shot(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them."""
    folder = os.environ.get("BOARD_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def _open(page: Page, served: Served) -> None:
    page.goto(served.url)
    while page.locator("input[type=radio]").count() == 0:  # the page loads again by itself
        time.sleep(0.2)


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, and check that it shows that."""
    for _ in range(_MANY_TABS):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            outline = page.locator(f"{selector}:focus").evaluate(
                "element => getComputedStyle(element).outlineStyle"
            )
            assert outline != "none"
            return
    pytest.fail(f"no Tab reaches {selector} on {page.url}")


def test_person_sets_up_by_keyboard_without_scripts_and_mends_a_wrong_password(chromium: Browser) -> None:
    with serving_page() as served, _phone(chromium) as context:
        page = context.new_page()
        _open(page, served)
        _shot(page, "choose")
        _tab_to(page, "input[type=radio]")
        page.keyboard.press("Space")
        expect(page.get_by_role("radio", name="home")).to_be_checked()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Password of home")
        page.keyboard.type("wrong horse")
        _shot(page, "password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The network refused the password.")
        assert page.get_by_label("Wi-Fi password").input_value() == ""
        _shot(page, "wrong")
        page.keyboard.type("correct horse")
        _tab_to(page, "summary")
        page.keyboard.press("Enter")
        _tab_to(page, "#token")
        page.keyboard.type("single-use-token")
        assert page.get_by_label("Server address").input_value() == "https://portal.example:8443"
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("The device is on the network.")
        served.report(DeviceStage.REGISTERED)
        expect(page.get_by_role("status")).to_contain_text("The device belongs to you now.")  # by itself
        _shot(page, "registered")
        (onboarded,) = served.outcomes
        assert (onboarded.network.ssid, onboarded.network.passphrase) == (b"home", b"correct horse")
        assert onboarded.order is not None
        assert onboarded.order.token == b"single-use-token"


def test_person_sees_the_password_and_types_a_hidden_network(chromium: Browser) -> None:
    with serving_page() as served, _phone(chromium) as context:
        page = context.new_page()
        _open(page, served)
        page.get_by_label("Name of the network").fill("attic")
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Wi-Fi password").fill("hidden away")
        page.get_by_role("button", name="Show password").click()
        field = page.get_by_label("Wi-Fi password")
        expect(field).to_have_attribute("type", "text")
        expect(field).to_have_value("hidden away")
        _shot(page, "visible")
        page.get_by_role("button", name="Hide password").click()
        expect(field).to_have_attribute("type", "password")
        page.get_by_role("button", name="Connect the device").click()
        expect(page.get_by_role("status")).to_contain_text("The device is on the network.")
        assert served.outcomes[0].network.ssid == b"attic"


def test_names_of_networks_are_octets_and_never_markup(chromium: Browser) -> None:
    with serving_page() as served, _phone(chromium) as context:
        page = context.new_page()
        _open(page, served)
        expect(page.get_by_text("<b>\"&'")).to_be_visible()
        page.get_by_role("radio", name=re.compile("raw")).check()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Password of \\xff\\x00raw")
        page.get_by_label("Wi-Fi password").fill("octets only")
        page.get_by_role("button", name="Connect the device").click()
        expect(page.get_by_role("status")).to_contain_text("on the network")
        assert served.outcomes[0].network.ssid == b"\xff\x00raw"


@pytest.mark.parametrize(
    ("language", "title"),
    [("en-US", "Choose your Wi-Fi"), ("de-AT", "WLAN wählen"), ("fr-CH", "Choisissez votre Wi-Fi")],
)
def test_page_speaks_the_phones_language_and_another_on_request(
    chromium: Browser, language: str, title: str
) -> None:
    with serving_page() as served, _phone(chromium, language=language) as context:
        page = context.new_page()
        _open(page, served)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        _shot(page, f"choose-{language}")
        page.get_by_role("link", name="Deutsch").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("WLAN wählen")
        expect(page.locator("html")).to_have_attribute("lang", "de")


def test_link_from_the_portal_fills_in_the_token_and_leaves_the_address_bar(chromium: Browser) -> None:
    with serving_page() as served, _phone(chromium) as context:
        page = context.new_page()
        page.goto(f"{served.url}/?token=from-the-link&server=https%3A%2F%2Fown.example")
        assert "from-the-link" not in page.url
        _open(page, served)
        page.get_by_role("radio", name="guests").check()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("A registration token is ready.")).to_be_visible()
        expect(page.get_by_text("This network has no password.")).to_be_visible()
        page.get_by_role("button", name="Connect the device").click()
        expect(page.get_by_role("status")).to_contain_text("on the network")
        order = served.outcomes[0].order
        assert order is not None
        assert (order.token, order.server) == (b"from-the-link", "https://own.example")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_on_any_page(chromium: Browser, axe: str, dark: bool) -> None:  # noqa: FBT001
    shade = "dark" if dark else "light"
    with (
        serving_page(station=SimulatedWifi(STREET, delay=1.0)) as served,
        _phone(chromium, scripts=True, dark=dark) as context,
    ):
        page, found = context.new_page(), list[str]()

        def check(name: str) -> None:
            _shot(page, f"{name}-{shade}")
            found.extend(violations(page, axe, colours=dark))

        page.goto(served.url)
        check("searching")
        _open(page, served)
        check("choose")
        page.get_by_role("button", name="Continue").click()
        check("no-choice")
        page.get_by_role("radio", name="home").check()
        page.get_by_role("button", name="Continue").click()
        page.locator("summary").click()
        check("password")
        page.get_by_label("Wi-Fi password").fill("wrong horse")
        page.get_by_role("button", name="Connect the device").click()
        check("trying")
        expect(page.get_by_role("alert")).to_contain_text("refused")
        check("wrong")
        page.get_by_label("Wi-Fi password").fill("correct horse")
        page.get_by_role("button", name="Connect the device").click()
        expect(page.get_by_role("status")).to_contain_text("on the network")
        check("connected")
        served.report(DeviceStage.REFUSED)
        page.get_by_role("link", name="Check now").click()
        check("refused")
        page.goto(f"{served.url}/nothing-here")
        check("missing")
    assert not found, "\n".join(found)


def test_person_with_a_code_sets_up_over_an_open_air_by_script(chromium: Browser, axe: str) -> None:
    with serving_page(Air.CODE) as served, _phone(chromium, scripts=True) as context:
        page, sent = context.new_page(), list[bytes]()
        broken = list[str]()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
        page.goto(served.url)
        page.get_by_label("Set-up code or PIN").fill("not the code")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("status")).to_contain_text("does not belong to this device")
        _shot(page, "script-wrong")
        page.get_by_label("Set-up code or PIN").fill(CREDENTIALS.pop.upper())
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("radio", name="home").check()
        _shot(page, "script-networks")
        assert violations(page, axe) == []
        page.get_by_label("Wi-Fi password").fill("wrong horse")
        page.get_by_role("button", name="Connect the device").click()
        expect(page.get_by_role("status")).to_contain_text("refused the password")
        page.get_by_label("Wi-Fi password").fill("correct horse")
        page.get_by_label("Show password").check()
        page.locator("summary").click()
        page.get_by_label("Registration token").fill("single-use-token")
        page.get_by_role("button", name="Connect the device").click()
        expect(page.get_by_role("status")).to_contain_text("on the network")
        served.report(DeviceStage.REFUSED)
        expect(page.get_by_role("status")).to_contain_text("Make a new registration token")
        expect(page.get_by_label("Registration token")).to_be_focused()
        _shot(page, "script-refused")
        expect(page.get_by_label("Wi-Fi password")).to_be_hidden()
        page.get_by_label("Registration token").fill("another-token")
        page.get_by_role("button", name="Send the token").click()
        while len(served.outcomes) < 2:
            time.sleep(0.1)
        served.report(DeviceStage.REGISTERED)
        expect(page.get_by_role("status")).to_contain_text("belongs to you now. You can go back")
        _shot(page, "script-registered")
        expect(page.get_by_role("button", name="Choose another network")).to_be_hidden()
        orders = [outcome.order.token for outcome in served.outcomes if outcome.order is not None]
        assert orders == [b"single-use-token", b"another-token"]
        assert served.outcomes[0].network.ssid == b"home"
        everything = b"".join(sent)
        for secret in (CREDENTIALS.pop.encode(), b"correct horse", b"single-use-token"):
            assert secret not in everything
        assert not broken


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_open_air_without_scripts_says_what_to_do(chromium: Browser, language: str) -> None:
    with serving_page(Air.CODE) as served, _phone(chromium, language=language) as context:
        page = context.new_page()
        page.goto(served.url)
        expect(page.get_by_text("doorstep provision")).to_be_visible()
        expect(page.get_by_role("textbox")).to_have_count(0)
        _shot(page, f"no-script-{language}")
