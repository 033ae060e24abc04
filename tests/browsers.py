"""What all tests with a real browser share: the program, its flags, and axe."""

import shutil
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.peers import install_peer

__all__ = ["CHROMIUM", "COLOURS", "FLAGS", "axe_source", "violations"]

_AXE: Final = "axe-core@4"
_NPM: Final = ["npm", "install", "--no-audit", "--no-fund", "--prefix", "TARGET"]
CHROMIUM: Final = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


COLOURS: Final = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""Options of axe for a page that differs from one it has seen in its colours alone, as a dark one does."""


def axe_source() -> str:
    """Return axe-core's script, fetched once with npm; skip where there is no npm or no network."""
    if shutil.which("npm") is None:
        pytest.skip("no npm to install axe-core with")
    folder = install_peer("axe", [*_NPM, _AXE])
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, axe: str, *, colours: bool = False) -> list[str]:
    """Return what axe finds on the page, or in its colours alone, a line each."""
    # By the debugger, which the page's own security policy does not concern.
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate(
        "async (options) => (await axe.run(options)).violations", COLOURS if colours else {}
    )
    return [
        f"{page.url}: {rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found
        for node in rule["nodes"]
    ]
