"""Where the browser's side of onboarding lies: plain modules that the portal and a board's own page serve."""

from pathlib import Path

import doorstep.onboarding

__all__ = ["web_folder"]


def web_folder() -> Path:
    """Return the scripts' folder; it is flat, and they import each other by relative name: serve them all."""
    return Path(doorstep.onboarding.__file__).parent / "web"
