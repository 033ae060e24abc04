"""Pages in a real Chromium: what moves by itself, by keyboard, and what is left with scripts off."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from doorstep.server.channels.models import Downlink
from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device, Revocation
from tests.server.portal.browsing import (
    claimant_pages,
    log_in,
    member_pages,
    staff_pages,
    wholesaler_with_pages,
)
from tests.server.portal.keyboard import press
from tests.server.portal.world import World, furnish, send

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_WITHIN_MS = 10_000


@pytest.fixture(scope="module")
def changing() -> World:
    """A deployment that these tests change for good."""
    return furnish()


def test_owner_revokes_by_keyboard_and_is_led_to_what_is_missing(
    page: Page, portal: str, changing: World
) -> None:
    log_in(page, portal, changing.owner)
    page.goto(f"{portal}/devices/{changing.disputed.device_id}/")
    press(page, "Revoke this device …")
    page.wait_for_url("**/revoke/")
    press(page, "Revoke for good")
    expect(page.locator(".summary")).to_be_focused()
    press(page, "Reason: ")
    expect(page.locator("#id_reason")).to_be_focused()
    page.keyboard.type("only a test")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This device is revoked")).to_be_visible()
    _finish(changing.disputed)
    expect(page.locator("#revocation")).to_contain_text("Finished in 0.2", timeout=_WITHIN_MS)


def _finish(device: Device) -> None:
    revocation = Revocation.objects.get(device=device)
    revocation.kicked_us = revocation.purged_us = revocation.asked_us + 200_000
    revocation.save()


def test_skip_link_comes_first_and_goes_to_the_content(page: Page, portal: str) -> None:
    page.goto(f"{portal}/accounts/login/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_menu_opens_and_closes_by_keyboard(page: Page, portal: str, changing: World) -> None:
    log_in(page, portal, changing.owner)
    press(page, "Menu")
    expect(page.get_by_role("link", name="People")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="People")).to_be_hidden()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Menu"


def test_chart_moves_without_reload(page: Page, portal: str, changing: World) -> None:
    log_in(page, portal, changing.owner)
    page.goto(f"{portal}/devices/{changing.live.device_id}/")
    page.evaluate("window.sameDocument = true")
    curve = page.locator(".chart").first.locator(".curve")
    before = curve.get_attribute("points")
    send(changing.live, now_us(), temperature=31.75, humidity=40.5)
    tile = page.locator(".value", has_text="Temperature").locator("dd")
    expect(tile).to_have_text("31.75 °C", timeout=_WITHIN_MS)
    assert curve.get_attribute("points") != before
    expect(page.locator(".chart").first.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(r"now 31\.75 °C")
    )
    page.get_by_text("The same as a table").click()
    expect(page.locator("#rows tr").first).to_contain_text("40.5 % RH")
    expect(page.locator("#live-note")).to_contain_text("Live")
    assert page.evaluate("window.sameDocument")


def test_first_reading_appears_on_a_waiting_page(page: Page, portal: str, changing: World) -> None:
    log_in(page, portal, changing.owner)
    page.goto(f"{portal}/devices/{changing.waiting.device_id}/")
    expect(page.locator("#live-note")).to_have_text("This page shows new readings by itself.")
    send(changing.waiting, now_us(), door=True, temperature=3.5)
    expect(page.locator(".value", has_text="Door").locator("dd")).to_contain_text("yes", timeout=_WITHIN_MS)
    expect(page.locator("#status")).to_have_text("Live")
    send(changing.waiting, now_us(), temperature=3.75)
    expect(page.locator(".chart .curve")).to_have_count(1, timeout=_WITHIN_MS)


def test_page_says_for_how_long_there_was_no_data(page: Page, portal: str, changing: World) -> None:
    log_in(page, portal, changing.owner)
    page.goto(f"{portal}/devices/{changing.quiet.device_id}/")
    expect(page.locator("#live-note")).to_have_text(re.compile(r"^Last reading \d+ (min|h) ago\.$"))


def test_theme_switch_is_remembered(page: Page, portal: str) -> None:
    page.goto(f"{portal}/accounts/login/")
    button = page.get_by_role("button", name="Colours")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    button.click()
    button.click()
    expect(button).to_have_text("Colours: dark")
    page.reload()
    assert page.evaluate(paper) != light
    expect(page.get_by_role("button", name="Colours")).to_have_text("Colours: dark")


def test_everything_can_be_read_with_scripts_off(
    portal: str, chromium: Browser, lasting_world: World
) -> None:
    for user, paths in (
        (lasting_world.owner, member_pages(lasting_world)),
        (lasting_world.stranger, claimant_pages(lasting_world)),
        (lasting_world.staff, staff_pages(lasting_world)),
        wholesaler_with_pages(),
    ):
        context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
        page = context.new_page()
        log_in(page, portal, user)
        for path in paths.values():
            page.goto(portal + path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.locator(".needs-js").first).to_be_hidden()
        context.close()


def test_readings_stand_in_a_table_with_scripts_off(
    portal: str, chromium: Browser, lasting_world: World
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, portal, lasting_world.owner)
    page.goto(f"{portal}/devices/{lasting_world.live.device_id}/")
    expect(page.locator(".value").first).to_contain_text("°C")
    page.get_by_text("The same as a table").click()
    expect(page.locator("#rows tr").first).to_be_visible()
    assert page.locator("#rows tr").count() == 60
    context.close()


def test_command_is_sent_by_keyboard_and_its_answer_appears(page: Page, portal: str, changing: World) -> None:
    log_in(page, portal, changing.owner)
    page.goto(f"{portal}/devices/{changing.quiet.device_id}/")
    press(page, "Make it show itself")
    row = page.locator("#commands tbody tr").first
    expect(row).to_contain_text("Queued")
    Downlink.objects.filter(device=changing.quiet).update(state="acknowledged", detail=b"here I am")
    expect(row).to_contain_text("Acknowledged", timeout=_WITHIN_MS)
    expect(row).to_contain_text("here I am")
    expect(page.locator("#command-state")).to_have_text("identify: Acknowledged.")
    expect(row.get_by_role("button")).to_have_count(0)
