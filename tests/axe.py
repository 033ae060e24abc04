"""axe-core, which finds what keeps people out of a page."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

__all__ = ["AXE_RUN", "axe_source", "lines_of"]

AXE_RUN: Final = "async () => (await axe.run()).violations"
_FOLDER: Final = Path(__file__).parents[1] / ".cache" / "peers" / "axe"
_AXE: Final = "axe-core@4"


def axe_source() -> str:
    """Return axe-core's script, fetched once with npm; skip where there is no npm or no network."""
    script = _FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(_FOLDER), _AXE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=100)
        except FileNotFoundError:
            pytest.skip("no npm to install axe-core with")
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("npm can't install axe-core here")
    return script.read_text(encoding="utf-8")


def lines_of(url: str, violations: list[dict[str, object]]) -> list[str]:
    """Return what `AXE_RUN` found, a line each."""
    return [
        f"{url}: {rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in violations
        for node in rule["nodes"]  # type: ignore[attr-defined]  # axe's own form
    ]
