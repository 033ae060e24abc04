"""The web role as a process: it comes up, beats, serves files, stops cleanly, and says when its port is taken."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from django.conf import settings

from doorstep.errors import UnavailableError
from doorstep.runtime import heartbeat
from doorstep.runtime.settings import load
from doorstep.server.web import run

_CODE = "import os; from doorstep.runtime.settings import load; from doorstep.server.web import run; run(load(os.environ))"
_WITHIN_S = 30


@contextmanager
def _web(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    environ = os.environ | {"DOORSTEP_PORTAL_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-c", _CODE], env=environ, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_beat(process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        pulse = heartbeat.read(settings.STATE, "web")
        if pulse is not None and pulse.pid == process.pid:
            return
        time.sleep(0.05)
    pytest.fail("the web role never beat")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_web_serves_beats_and_stops_cleanly(how: signal.Signals) -> None:
    port = _free_port()
    with _web(port) as process:
        _wait_for_beat(process)
        css = httpx.get(f"http://127.0.0.1:{port}/static/portal/portal.css")
        page = httpx.get(f"http://127.0.0.1:{port}/no-such-page/")
        process.send_signal(how)
        _, said = process.communicate(timeout=_WITHIN_S)
    assert css.headers["content-type"].startswith("text/css")
    assert "--accent" in css.text
    assert page.status_code == 404
    assert "Nothing is here" in page.text
    assert "server" not in page.headers
    assert (process.returncode, said) == (0, b"")


def test_web_says_that_its_port_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = load(os.environ | {"DOORSTEP_PORTAL_PORT": str(other.getsockname()[1])})
        with pytest.raises(UnavailableError, match="is taken by another program") as caught:
            run(taken)
    assert "DOORSTEP_PORTAL_PORT" in caught.value.next_step


def test_web_says_that_its_address_is_not_here() -> None:
    elsewhere = load(os.environ | {"DOORSTEP_BIND": "203.0.113.1", "DOORSTEP_DEVELOPER_PAGE": "false"})
    with pytest.raises(UnavailableError, match="can't be opened"):
        run(elsewhere)
