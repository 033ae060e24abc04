"""axe-core looks at every page, on a phone and on a desktop, light and dark.

With PORTAL_SCREENSHOTS=folder each page is also photographed into that folder.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from doorstep.server.accounts.models import Role
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import import_file, receive, record_sale
from doorstep.server.custody.models import Sale
from tests.server.making import devices, wholesaler
from tests.server.portal.browsing import (
    anonymous_pages,
    axe_source,
    log_in,
    member_pages,
    shots_folder,
    staff_pages,
    violations,
    wholesaler_pages,
)
from tests.server.portal.world import World, furnish, person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

_THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_WIDTHS: Final = {"phone": 390, "desktop": 1280}


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


@pytest.fixture(scope="module")
def visited() -> World:
    """A deployment of its own: the tokens and mails that are made on the way stay in it."""
    return furnish()


def _look(page: Page, portal: str, paths: Mapping[str, str], axe: str) -> list[str]:
    found = []
    for title, path in paths.items():
        answer = page.goto(portal + path)
        assert answer is not None
        assert answer.status < 500, path
        page.wait_for_load_state()
        found += _check(page, axe, title)
    return found


def _check(page: Page, axe: str, name: str) -> list[str]:
    """Look at a page in every size and theme; a dark one differs in nothing but its colours."""
    found = []
    for theme, (size, width) in itertools.product(_THEMES, _WIDTHS.items()):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 844})
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if wide[0] > wide[1]:
            found.append(f"{page.url} is wider than its window: {wide}")
        if folder := shots_folder():
            page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=True)
        found += violations(page, axe, colours=theme == "dark")
    return found


def test_axe_finds_what_is_wrong_on_purpose(chromium: Browser, axe: str) -> None:
    page = chromium.new_page()
    page.set_content("<html><body><img src='x'><input></body></html>")
    found = "\n".join(violations(page, axe))
    page.close()
    for rule in ("image-alt", "label", "html-has-lang", "document-title"):
        assert rule in found


@pytest.fixture
def fresh(chromium: Browser) -> Iterator[Page]:
    """A window of somebody whom nobody knows yet."""
    context = chromium.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_axe_finds_nothing_before_the_door(portal: str, visited: World, fresh: Page, axe: str) -> None:
    found = _look(fresh, portal, anonymous_pages(), axe)
    fresh.goto(f"{portal}/accounts/signup/")
    fresh.get_by_role("main").get_by_role("button", name="Sign up").click()
    found += _check(fresh, axe, "sign-up-errors")
    found += _reset(fresh, portal, visited, axe)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_for_a_customer(portal: str, visited: World, fresh: Page, axe: str) -> None:
    log_in(fresh, portal, visited.owner)
    found = _look(fresh, portal, member_pages(visited), axe)
    found += _make_token(fresh, portal, axe)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_for_the_makers_staff(portal: str, visited: World, fresh: Page, axe: str) -> None:
    log_in(fresh, portal, visited.staff)
    found = _look(fresh, portal, staff_pages(visited), axe)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_for_a_wholesaler(portal: str, visited: World, fresh: Page, axe: str) -> None:
    shop, empty = wholesaler(), wholesaler()
    serials = [one.serial for one in devices(4)]
    number = f"D-{shop.pk}"
    record_sale(number, serials, shop, actor="operator", source="api", now_us=now_us(), box="BOX-7")
    receive(shop, serials[:2], actor="operator", now_us=now_us())
    content = (
        f"order,serial,buyer_email\n{number},{serials[0]},ada@example.org\n{number},SN-X,ada@example.org\n"
    )
    run = import_file(content.encode(), shop, actor="operator", source="csv", now_us=now_us())
    order, delivery = Sale.objects.get(seller=shop), Sale.objects.get(wholesaler=shop)
    log_in(fresh, portal, person(empty, Role.OWNER))
    found = _look(fresh, portal, {"stock-empty": "/stock/"}, axe)
    fresh.context.clear_cookies()
    log_in(fresh, portal, person(shop, Role.OWNER))
    found += _look(fresh, portal, wholesaler_pages(order.pk, delivery.pk, run.pk), axe)
    fresh.goto(f"{portal}/stock/dispatch/")
    fresh.get_by_label("Devices").fill(f"{serials[1]}\nSN-nobody")
    fresh.get_by_label("E-mail address of the wholesaler").fill(empty.email)
    fresh.get_by_label("Order number").fill(f"{number}-2")
    fresh.keyboard.press("Tab")
    fresh.keyboard.press("Tab")
    fresh.keyboard.press("Enter")
    fresh.get_by_text("1 device dispatched").wait_for()
    found += _check(fresh, axe, "dispatched")
    assert not found, "\n".join(found)


def _reset(page: Page, portal: str, world: World, axe: str) -> list[str]:
    page.goto(f"{portal}/accounts/password/reset/")
    page.get_by_label("E-mail address").fill(world.viewer.email)
    page.get_by_role("button", name="Send the link").click()
    page.wait_for_url("**/done/")
    page.goto(f"{portal}/developer/")
    found = _check(page, axe, "outgoing-mail")
    page.get_by_role("link", name="Choose a new password").first.click()
    page.wait_for_url("**/mail/**")
    found += _check(page, axe, "letter")
    link = page.get_by_role("article").get_by_role("link").first.text_content() or ""
    page.goto(portal + urlsplit(link.strip()).path)
    page.get_by_role("heading", name="Choose a new password").wait_for()
    return found + _check(page, axe, "new-password")


def _make_token(page: Page, portal: str, axe: str) -> list[str]:
    page.goto(f"{portal}/devices/add/")
    page.get_by_role("button", name="Make a token").click()
    found = _check(page, axe, "token")
    page.get_by_role("link", name="Look whether it has come").click()
    return found + _check(page, axe, "added")
