"""axe-core looks at every page, on a phone and on a desktop, light and dark.

With PORTAL_SCREENSHOTS=folder each page is also photographed into that folder.
"""

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.server.portal.browsing import (
    anonymous_pages,
    axe_source,
    log_in,
    member_pages,
    shots_folder,
    staff_pages,
    violations,
)
from tests.server.portal.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Theme = Literal["light", "dark"]
_WIDTHS: Final = {"phone": 390, "desktop": 1280}


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


def _look(page: Page, portal: str, paths: Mapping[str, str], axe: str, name: str) -> list[str]:
    found = []
    for title, path in paths.items():
        answer = page.goto(portal + path)
        assert answer is not None
        assert answer.status < 500, path
        page.wait_for_load_state()
        found += _check(page, axe, f"{title}-{name}")
    return found


def _check(page: Page, axe: str, name: str) -> list[str]:
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    found = [f"{page.url} is wider than its window: {width}"] if width[0] > width[1] else []
    if folder := shots_folder():
        page.screenshot(path=folder / f"{name}.png", full_page=True)
    return found + violations(page, axe)


def test_axe_finds_what_is_wrong_on_purpose(chromium: Browser, axe: str) -> None:
    page = chromium.new_page()
    page.set_content("<html><body><img src='x'><input></body></html>")
    found = "\n".join(violations(page, axe))
    page.close()
    for rule in ("image-alt", "label", "html-has-lang", "document-title"):
        assert rule in found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", _WIDTHS)
def test_axe_finds_nothing(  # noqa: PLR0913, PLR0917 - what the page stands on
    portal: str, lasting_world: World, chromium: Browser, axe: str, theme: Theme, width: str
) -> None:
    def fresh() -> Page:
        size = {"width": _WIDTHS[width], "height": 844}
        return chromium.new_context(color_scheme=theme, viewport=size, reduced_motion="reduce").new_page()  # type: ignore[arg-type]  # a TypedDict by another name

    name = f"{width}-{theme}"
    page = fresh()
    found = _look(page, portal, anonymous_pages(), axe, name)
    page.goto(f"{portal}/accounts/signup/")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    found += _check(page, axe, f"sign-up-errors-{name}")
    found += _reset(page, portal, lasting_world, axe, name)
    page.context.close()
    for user, paths in (
        (lasting_world.owner, member_pages(lasting_world)),
        (lasting_world.staff, staff_pages(lasting_world)),
    ):
        page = fresh()
        log_in(page, portal, user)
        found += _look(page, portal, paths, axe, name)
        if user is lasting_world.owner:
            found += _make_token(page, portal, axe, name)
        page.context.close()
    assert not found, "\n".join(found)


def _reset(page: Page, portal: str, world: World, axe: str, name: str) -> list[str]:
    page.goto(f"{portal}/accounts/password/reset/")
    page.get_by_label("E-mail address").fill(world.viewer.email)
    page.get_by_role("button", name="Send the link").click()
    page.wait_for_url("**/done/")
    page.goto(f"{portal}/developer/")
    found = _check(page, axe, f"outgoing-mail-{name}")
    page.get_by_role("link", name="Choose a new password").first.click()
    page.wait_for_url("**/mail/**")
    found += _check(page, axe, f"letter-{name}")
    link = page.get_by_role("article").get_by_role("link").first.text_content() or ""
    page.goto(portal + urlsplit(link.strip()).path)
    page.get_by_role("heading", name="Choose a new password").wait_for()
    return found + _check(page, axe, f"new-password-{name}")


def _make_token(page: Page, portal: str, axe: str, name: str) -> list[str]:
    page.goto(f"{portal}/devices/add/")
    page.get_by_role("button", name="Make a token").click()
    found = _check(page, axe, f"token-{name}")
    page.get_by_role("link", name="Look whether it has come").click()
    return found + _check(page, axe, f"added-{name}")
