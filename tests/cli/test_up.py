"""``doorstep up`` as an operator meets it: what it refuses, and that it starts, heals and stops whole."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorstep.cli.role import BROKERS, ROLES
from doorstep.runtime.state import StateFolder
from doorstep.testing.ports import free_ports

pytestmark = pytest.mark.roles

PATIENCE_S = 60.0
PORTS = (
    "PORTAL_PORT",
    "DEVICE_API_PORT",
    "MQTT_TLS_PORT",
    "MQTT_PLAIN_PORT",
    "NATS_SECURE_PORT",
    "NATS_PLAIN_PORT",
)
COMMAND = [sys.executable, "-m", "doorstep"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    ports = {f"DOORSTEP_{name}": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    return os.environ | ports | {"DOORSTEP_STATE": str(tmp_path / "state")}


def refused(environ: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [*COMMAND, "up"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


def test_taken_port_is_refused_with_its_setting(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environ["DOORSTEP_MQTT_TLS_PORT"]))):
        code, message = refused(environ)
    assert code == 5
    assert "(mqtt_tls_port) is taken" in message
    assert "DOORSTEP_MQTT_TLS_PORT" in message


def test_second_up_on_the_same_state_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    with StateFolder.open(tmp_path / "state").locked():
        code, message = refused(environ)
    assert code == 2
    assert f"another `doorstep up` (process {os.getpid()})" in message
    assert "DOORSTEP_STATE" in message


def test_database_that_is_down_is_refused(environ: dict[str, str]) -> None:
    environ["DOORSTEP_DATABASE_URL"] = "postgresql://doorstep:secret@127.0.0.1:1/doorstep"
    code, message = refused(environ)
    assert code == 5
    assert "PostgreSQL does not answer" in message
    assert "secret" not in message


def test_role_that_runs_elsewhere_is_refused(environ: dict[str, str]) -> None:
    done = subprocess.run([*COMMAND, "role", "nonsense"], env=environ, capture_output=True, check=False)
    assert done.returncode == 2


class Up:
    """A running ``doorstep up``."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        # As a script's shell starts a command in the background: with SIGINT ignored.
        background = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
        self.process = subprocess.Popen(
            [*background, *COMMAND, "up", "--json"], env=environ, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"up ended with {self.process.wait()}"
        self.addresses: dict[str, str] = json.loads(line)

    def status(self) -> dict[str, Any]:
        done = subprocess.run(
            [*COMMAND, "status", "--json"], env=self.environ, capture_output=True, text=True, check=False
        )
        document: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 0) == document["healthy"]
        return document

    def roles(self) -> dict[str, dict[str, Any]]:
        return {role["role"]: role for role in self.status()["roles"]}

    def end(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        assert self.process.wait(PATIENCE_S) == 0
        if self.process.stdout:
            self.process.stdout.close()

    def pids(self) -> list[int]:
        return [role["pid"] for role in self.roles().values()]


@pytest.fixture
def up(environ: dict[str, str]) -> Iterator[Up]:
    running = Up(environ)
    yield running
    running.process.kill()
    running.process.wait(PATIENCE_S)
    if running.process.stdout:
        running.process.stdout.close()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_platform_starts_heals_and_stops_whole(up: Up, environ: dict[str, str]) -> None:
    roles = up.roles()
    assert list(roles) == [*BROKERS, *ROLES]
    assert up.status()["healthy"]
    assert up.addresses["portal"] == f"http://localhost:{environ['DOORSTEP_PORTAL_PORT']}"
    assert refused(environ)[0] == 2
    for name, role in roles.items():
        os.kill(role["pid"], signal.SIGKILL)
        wait_for(lambda name=name: up.roles()[name]["restarts"] == 1 and up.status()["healthy"])  # type: ignore[misc]
    pids = up.pids()
    up.end(signal.SIGINT)
    assert not any(is_alive(pid) for pid in pids)


@pytest.mark.slow
@pytest.mark.postgres
def test_platform_starts_on_postgresql(environ: dict[str, str], fresh_postgres_url: str) -> None:
    running = Up(environ | {"DOORSTEP_DATABASE_URL": fresh_postgres_url})
    assert running.status()["healthy"]
    running.end()


@pytest.mark.slow
def test_killed_platform_leaves_no_orphan_and_starts_again(up: Up, environ: dict[str, str]) -> None:
    pids = up.pids()
    up.process.kill()
    up.process.wait(PATIENCE_S)
    wait_for(lambda: not any(is_alive(pid) for pid in pids))
    again = Up(environ)
    assert again.status()["healthy"]
    again.end()
