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
from tests.server.making import wholesaler
from tests.server.portal.browsing import (
    anonymous_pages,
    axe_source,
    claimant_pages,
    log_in,
    member_pages,
    shots_folder,
    staff_pages,
    violations,
    wholesaler_with_pages,
)
from tests.server.portal.world import PASSWORD, World, furnish, person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

_THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_WIDTHS: Final = {"phone": 390, "desktop": 1280}
_CUT_OFF: Final = """() => [...document.querySelectorAll(".card-table")]
  .filter((card) => card.scrollWidth > card.clientWidth)
  .map((card) => [card.querySelector("caption")?.textContent, card.scrollWidth, card.clientWidth])"""
"""Cards whose table is wider than they are: they hide what stands out."""


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
        page.goto(portal + path)
        if "/reauthenticate/" in page.url:
            _prove(page)
        assert page.url in {portal + path, portal + path.partition("?")[0]}, "this is another page"
        found += _check(page, axe, title)
    return found


def _prove(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(lambda url: "/reauthenticate/" not in url)


def _check(page: Page, axe: str, name: str) -> list[str]:
    """Look at a page in every size and theme; a dark one differs in nothing but its colours."""
    found = []
    for theme, (size, width) in itertools.product(_THEMES, _WIDTHS.items()):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 844})
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if wide[0] > wide[1]:
            found.append(f"{page.url} is wider than its window: {wide}")
        found += [f"{page.url} cuts a table off at {size}: {cut}" for cut in page.evaluate(_CUT_OFF)]
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


def test_width_check_finds_a_table_that_is_cut_off(chromium: Browser) -> None:
    page = chromium.new_page()
    style = ".card-table { overflow: clip; inline-size: 200px } td { white-space: nowrap }"
    table = f"<table><caption>Keys</caption><tr><td>{'wide ' * 40}</td></tr></table>"
    page.set_content(f"<style>{style}</style><div class='card-table'>{table}</div>")
    [(caption, *_)] = page.evaluate(_CUT_OFF)
    page.close()
    assert caption == "Keys"


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


def test_axe_finds_nothing_for_a_claimant(portal: str, visited: World, fresh: Page, axe: str) -> None:
    log_in(fresh, portal, visited.stranger)
    found = _look(fresh, portal, claimant_pages(visited), axe)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_for_the_makers_staff(portal: str, visited: World, fresh: Page, axe: str) -> None:
    log_in(fresh, portal, visited.staff)
    found = _look(fresh, portal, staff_pages(visited), axe)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_for_a_wholesaler(portal: str, visited: World, fresh: Page, axe: str) -> None:
    owner, paths = wholesaler_with_pages()
    log_in(fresh, portal, owner)
    found = _look(fresh, portal, paths, axe)
    fresh.context.clear_cookies()
    log_in(fresh, portal, person(wholesaler(), Role.OWNER))
    found += _look(fresh, portal, {"stock-empty": "/stock/", "orders-empty": "/orders/"}, axe)
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
