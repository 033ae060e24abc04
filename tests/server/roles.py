"""A role's real process, for tests that speak to it over its real socket."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from doorstep.runtime import heartbeat

__all__ = ["environment", "free_port", "running_role"]

_START_S = 30.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**more: str) -> dict[str, str]:
    """What a process needs to work on the tests' state folder and database."""
    own = {
        "DOORSTEP_STATE": str(settings.STATE.root),
        "DOORSTEP_DATABASE_URL": settings.DOORSTEP.database_url,
    }
    return {**os.environ, **own, **more}


@contextmanager
def running_role(role: str, entry: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``module:function`` on the tests' state folder until the block ends; it must stop by itself."""
    module, function = entry.split(":")
    code = (
        "import os; from doorstep.runtime.settings import load; "
        f"from {module} import {function}; {function}(load(os.environ))"
    )
    (settings.STATE.run / f"{role}.json").unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment(**more), stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + _START_S
        while (pulse := heartbeat.read(settings.STATE, role)) is None or pulse.pid != process.pid:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, f"{role} did not come up"
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=15)
    assert process.returncode == 0, errors
