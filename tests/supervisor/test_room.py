"""A start that has no room is refused with the setting to change."""

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from doorstep.errors import UnavailableError
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder
from doorstep.supervisor import room


def test_taken_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(UnavailableError, match=rf"port {port} \(portal_port\) is taken") as refused:
            room.check_port("portal_port", "127.0.0.1", port)
    assert "DOORSTEP_PORTAL_PORT" in refused.value.next_step
    room.check_port("portal_port", "127.0.0.1", port)


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UnavailableError, match="can't be bound") as refused:
        room.check_port("portal_port", "192.0.2.1", 8080)
    assert "DOORSTEP_BIND" in refused.value.next_step


def test_port_that_needs_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(UnavailableError, match="may not be used without root"):
        room.check_port("portal_port", "127.0.0.1", 80)


def test_listeners_are_those_that_the_roles_bind() -> None:
    ports = {"portal_port", "device_api_port", "mqtt_tls_port", "mqtt_plain_port"}
    assert set(room.listeners(Settings())) == ports | {"nats_secure_port", "nats_plain_port"}
    external = Settings(nats_secure_url="nats://a", nats_plain_url="nats://b")
    assert set(room.listeners(external)) == {"portal_port", "device_api_port"}


def test_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateFolder.open(tmp_path / "state")
    assert room.check_disk(state) >= room.LEAST_FREE_BYTES
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1024**2))
    with pytest.raises(UnavailableError, match="has 1 MiB left") as refused:
        room.check_disk(state)
    assert "DOORSTEP_STATE" in refused.value.next_step
