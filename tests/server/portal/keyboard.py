"""Somebody at a page with a keyboard and nothing else."""

from typing import Final

import pytest
from playwright.sync_api import Page

from doorstep.server.accounts.models import User
from tests.server.portal.world import PASSWORD

__all__ = ["follow", "log_in_by_keyboard", "open_menu", "press", "tab_to", "type_into"]

_MANY_TABS: Final = 60
_FOCUSED: Final = """() => {
    const element = document.activeElement;
    const label = element.labels?.[0]?.textContent ?? element.textContent;
    return [label.replace(/\\s+/g, " ").trim(), getComputedStyle(element).outlineStyle];
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something with this name has the focus; it must show where the focus is."""
    for _ in range(_MANY_TABS):
        page.keyboard.press("Tab")
        text, outline = page.evaluate(_FOCUSED)
        if text.startswith(name):
            assert outline != "none", f"{name} shows no focus"
            return
    pytest.fail(f"no Tab reaches {name!r} on {page.url}")


def press(page: Page, name: str) -> None:
    """Go to something that acts on this page, and press it."""
    tab_to(page, name)
    page.keyboard.press("Enter")


def follow(page: Page, name: str) -> None:
    """Go to something that leads to another page, press it, and be there."""
    tab_to(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def type_into(page: Page, label: str, text: str) -> None:
    """Go to a field and type; in a list this chooses what begins so."""
    tab_to(page, label)
    page.keyboard.type(text)


def open_menu(page: Page, name: str) -> None:
    """Go to a place by the menu of small screens."""
    press(page, "Menu")
    follow(page, name)


def log_in_by_keyboard(page: Page, portal: str, user: User) -> None:
    """Log in with the password of all."""
    page.goto(f"{portal}/accounts/login/")
    type_into(page, "E-mail address", user.email)
    type_into(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/accounts/" not in url)
