"""A private deployment on free ports: real brokers, authorizer and ingest as processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from doorstep.broker.processes import BrokerProcess, prepare
from doorstep.errors import UnavailableError
from doorstep.runtime import heartbeat
from doorstep.runtime.authority import Authority, open_authority
from doorstep.runtime.database import PostgresConnection, SqliteConnection, connect
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder
from doorstep.testing.ports import free_ports

__all__ = ["PYTHON_ROLES", "Plant", "migrate"]

PYTHON_ROLES: Final = {
    "authorizer": "doorstep.broker.authorizer",
    "ingest": "doorstep.ingest.worker",
    "downlink": "doorstep.downlink.worker",
    "null-ingest": "doorstep.testing.null_ingest",
    "device-api": "doorstep.server.device_api.app",
    "web": "doorstep.server.web",
}

_RUN: Final = (
    "import os, logging; from doorstep.runtime.settings import load; from {module} import run;"
    " logging.basicConfig(level='INFO'); run(load(os.environ))"
)
_MIGRATE: Final = "from doorstep.server.setup import migrate; migrate()"
_START_S: Final = 30.0
_STOP_S: Final = 20.0


@dataclass(slots=True)
class Plant:
    """One state folder, its settings, and what runs on it. Use as a context manager: it stops everything."""

    settings: Settings
    state: StateFolder
    key_file: KeyFile
    authority: Authority
    _brokers: dict[str, BrokerProcess] = field(default_factory=dict)
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def build(cls, root: Path, **chosen: object) -> "Plant":
        """Make the folder, the key file and the authority; the database must be migrated by the caller."""
        names = (
            "mqtt_tls_port",
            "mqtt_plain_port",
            "nats_secure_port",
            "nats_plain_port",
            "portal_port",
            "device_api_port",
            "device_api_plain_port",
        )
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        settings = Settings(**{"state": root, **ports, **chosen})  # type: ignore[arg-type]
        state = StateFolder.open(settings.state)
        key_file = KeyFile.open(state.key_file)
        authority = open_authority(state.ca, "Test Maker", now=datetime.now(UTC))
        return cls(settings, state, key_file, authority)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for role in reversed(list(self._children)):
            self.stop(role)

    @property
    def environment(self) -> dict[str, str]:
        """The settings as a child process reads them."""
        mine = {
            f"DOORSTEP_{item.name.upper()}": str(getattr(self.settings, item.name))
            for item in fields(self.settings)
        }
        return {**os.environ, **mine}

    def connect(self) -> SqliteConnection | PostgresConnection:
        """Open the deployment's database."""
        return connect(self.settings, self.state)

    def start(self, *roles: str) -> None:
        """Start roles and wait until each serves."""
        for role in roles:
            self.launch(role)
        for role in roles:
            self.await_ready(role)

    def launch(self, role: str) -> None:
        """Start a role without waiting."""
        (self.state.run / f"{_beats_as(role)}.json").unlink(missing_ok=True)
        with (self.state.logs / f"{role}.log").open("ab") as log:
            self._children[role] = subprocess.Popen(  # noqa: S603 - our own arguments
                self._argv(role), env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def await_ready(self, role: str) -> None:
        """Wait until a role serves; raise UnavailableError with the end of its log when it does not."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._children[role].poll() is None:
            if self._is_ready(role):
                return
            time.sleep(0.02)
        raise UnavailableError(f"{role} does not serve: {self.log(role)[-2000:]}")

    def stop(self, role: str) -> None:
        """Stop a role as the supervisor does."""
        self._end(role, signal.SIGTERM)

    def kill(self, role: str) -> None:
        """Kill a role with SIGKILL."""
        self._end(role, signal.SIGKILL)

    def send(self, role: str, number: signal.Signals) -> None:
        """Send a signal to a running role."""
        self._children[role].send_signal(number)

    def pid(self, role: str) -> int:
        """Return the process id of a running role."""
        return self._children[role].pid

    def log(self, role: str) -> str:
        """Return what a role printed."""
        path = self.state.logs / f"{role}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _end(self, role: str, number: signal.Signals) -> None:
        child = self._children.pop(role)
        child.send_signal(number)
        try:
            child.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise UnavailableError(f"{role} did not stop: {self.log(role)[-2000:]}") from None

    def _argv(self, role: str) -> Sequence[str]:
        if role in PYTHON_ROLES:
            return [sys.executable, "-c", _RUN.format(module=PYTHON_ROLES[role])]
        if not self._brokers:
            processes = prepare(self.settings, self.state, self.key_file)
            self._brokers = {process.role: process for process in processes}
        return self._brokers[role].argv

    def _is_ready(self, role: str) -> bool:
        if role in self._brokers:
            return self._brokers[role].is_ready()
        pulse = heartbeat.read(self.state, _beats_as(role))
        return pulse is not None and pulse.pid == self._children[role].pid


def _beats_as(role: str) -> str:
    return role.removeprefix("null-")


def migrate(plant: Plant) -> None:
    """Bring the deployment's tables up to date, in a process of its own: this package knows no Django."""
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-c", _MIGRATE], env=plant.environment, capture_output=True, check=False
    )
    if done.returncode:
        raise UnavailableError(f"the tables can't be made: {done.stderr.decode(errors='replace')[-2000:]}")
