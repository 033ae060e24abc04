"""``doorstep doctor`` names each thing that would stop a start, with the next step."""

import json
import os
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from doorstep.cli.doctor import Finding, doctor, examine
from doorstep.runtime import supervised
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder
from doorstep.testing.ports import free_ports

PORTS = (
    "portal_port",
    "device_api_port",
    "mqtt_tls_port",
    "mqtt_plain_port",
    "nats_secure_port",
    "nats_plain_port",
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state", **dict(zip(PORTS, free_ports(len(PORTS)), strict=True)))  # type: ignore[arg-type]


def findings(settings: Settings, now: float | None = None) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(settings, now or time.time())}


def test_healthy_machine_has_nothing_to_mend(settings: Settings) -> None:
    found = findings(settings)
    assert [finding for finding in found.values() if not finding.well] == []
    assert {"Python", "clock", "state folder", "key file", "disk", "database", "NATS server", *PORTS} == set(
        found
    )


def test_taken_port_is_found(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.portal_port)):
        finding = findings(settings)["portal_port"]
    assert not finding.well
    assert "DOORSTEP_PORTAL_PORT" in finding.next_step


def test_ports_of_a_running_doorstep_are_its_own(settings: Settings) -> None:
    supervised.write(StateFolder.open(settings.state), supervised.Status(os.getpid(), 0.0, {}))
    assert "in use by Doorstep itself" in findings(settings)["ports"].detail


def test_clock_in_the_past_is_found(settings: Settings) -> None:
    assert "Set the clock" in findings(settings, now=1.0)["clock"].next_step


def test_folder_open_to_others_is_found(settings: Settings) -> None:
    StateFolder.open(settings.state)
    settings.state.chmod(0o755)
    found = findings(settings)
    assert "chmod 700" in found["state folder"].next_step
    assert "database" not in found


def test_key_file_open_to_others_is_found(settings: Settings) -> None:
    findings(settings)
    StateFolder.open(settings.state).key_file.chmod(0o644)
    assert "chmod 600" in findings(settings)["key file"].next_step


def test_database_that_is_down_is_found(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state", database_url="postgresql://d:secret@127.0.0.1:1/d")
    finding = findings(settings)["database"]
    assert not finding.well
    assert "secret" not in f"{finding.detail} {finding.next_step}"


@pytest.mark.postgres
def test_postgresql_that_answers_is_well(tmp_path: Path, postgres_url: str) -> None:
    settings = Settings(state=tmp_path / "state", database_url=postgres_url)
    assert findings(settings)["database"] == Finding("database", well=True, detail="PostgreSQL answers")


def test_missing_nats_server_is_found(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state", nats_server="/nonexistent/nats-server")
    assert not findings(settings)["NATS server"].well


def test_own_nats_servers_are_left_alone(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "s", nats_secure_url="nats://a", nats_plain_url="nats://b")
    found = findings(settings)
    assert found["NATS server"].detail == "your own servers, by URL"
    assert "mqtt_tls_port" not in found


def test_command_fails_and_says_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORSTEP_STATE", str(settings.state))
    monkeypatch.setenv("DOORSTEP_NATS_SERVER", "/nonexistent/nats-server")
    done = CliRunner().invoke(doctor, ["--json"])
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert not document["well"]
    assert "✗ NATS server" in done.stderr
    assert "Next:" in done.stderr
