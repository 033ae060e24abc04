"""Run another ``doorstep`` command as its user would, and read its JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from doorstep.errors import UnavailableError

__all__ = ["run_json"]

_SHOWN: Final = 400
"""Characters of a failed command's words that are repeated."""


def run_json(*arguments: str, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what ``doorstep ARGUMENTS --json`` prints; raise UnavailableError with its words if it fails."""
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        [sys.executable, "-m", "doorstep", *arguments, "--json"],
        env=os.environ | dict(environ or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UnavailableError(f"doorstep {' '.join(arguments[:2])} failed: {done.stderr.strip()[-_SHOWN:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
