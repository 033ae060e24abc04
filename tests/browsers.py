"""What all tests with a real browser share: the program, its flags, and axe."""

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page

__all__ = ["CHROMIUM", "FLAGS", "axe_source", "violations"]

PEERS: Final = Path(__file__).parents[1] / ".cache" / "peers"
_AXE: Final = "axe-core@4"
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


def axe_source() -> str:
    """Return axe-core's script, fetched once with npm; skip where there is no npm or no network."""
    folder = PEERS / "axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), _AXE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=100)
        except FileNotFoundError:
            pytest.skip("no npm to install axe-core with")
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("npm can't install axe-core here")
    return script.read_text(encoding="utf-8")


def violations(page: Page, axe: str) -> list[str]:
    """Return what axe finds on the page, a line each."""
    # By the debugger, which the page's own security policy does not concern.
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{page.url}: {rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found
        for node in rule["nodes"]
    ]
