"""The web role in a process of its own, on the state and the database of these tests."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from django.conf import settings

__all__ = ["free_port", "start_web"]

_CODE = (
    "import os; from doorstep.runtime.settings import load; from doorstep.server.web import run; "
    "run(load(os.environ))"
)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_web(port: int, errors: Path) -> "subprocess.Popen[bytes]":
    """Start the role; what it says goes to the file."""
    environ = os.environ | {
        "DOORSTEP_STATE": str(settings.STATE.root),
        "DOORSTEP_DATABASE_URL": settings.DOORSTEP.database_url,
        "DOORSTEP_PORTAL_PORT": str(port),
    }
    with errors.open("wb") as output:
        return subprocess.Popen([sys.executable, "-c", _CODE], env=environ, stdout=output, stderr=output)
