"""The web role as a process: it beats, serves files, stops cleanly, and says when its port is taken."""

import os
import signal
import socket
import time
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
from django.conf import settings

from doorstep.errors import UnavailableError
from doorstep.runtime import heartbeat
from doorstep.runtime.settings import load
from doorstep.server.web import run
from tests.server.web_process import free_port, start_web

pytestmark = pytest.mark.roles

_WITHIN_S = 30


def _wait_for_beat(process: Popen[bytes]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        pulse = heartbeat.read(settings.STATE, "web")
        if pulse is not None and pulse.pid == process.pid:
            return
        time.sleep(0.05)
    pytest.fail("the web role never beat")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_web_serves_beats_and_stops_cleanly(how: signal.Signals, tmp_path: Path) -> None:
    port, errors = free_port(), tmp_path / "web.log"
    process = start_web(port, errors)
    try:
        _wait_for_beat(process)
        css = httpx.get(f"http://127.0.0.1:{port}/static/portal/portal.css", timeout=_WITHIN_S)
        page = httpx.get(f"http://127.0.0.1:{port}/no-such-page/", timeout=_WITHIN_S)
        process.send_signal(how)
        process.wait(_WITHIN_S)
    finally:
        process.kill()
        process.wait()
    assert css.headers["content-type"].startswith("text/css")
    assert "--accent" in css.text
    assert page.status_code == 404
    assert "Nothing is here" in page.text
    assert "server" not in page.headers
    assert (process.returncode, errors.read_text()) == (0, "")


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
