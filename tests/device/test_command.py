import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from doorstep.cli.device import device
from doorstep.device.store import Store, Ticket
from doorstep.errors import MisuseError, SettingsError, UnavailableError
from doorstep.identity.ids import kid_of
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.opener import Opener
from doorstep.messaging.proof import NO_PROOF_YET, Standing, open_connect_proof
from doorstep.messaging.state import SealedState
from doorstep.onboarding.network import NetworkCredentials
from doorstep.runtime.authority import Authority
from tests.device.test_store import BROKER, certificate_for


def called(*arguments: str | Path) -> str:
    result = CliRunner().invoke(device, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def folder(tmp_path: Path, made: Provisioning) -> Path:
    store = Store.open(tmp_path / "device")
    store.adopt(made)
    store.close()
    return tmp_path / "device"


def test_show_tells_who_it_is_and_what_comes_next(folder: Path, made: Provisioning) -> None:
    shown = json.loads(called("show", "--state", folder, "--json"))
    assert (shown["device"], shown["serial"]) == (made.device_id, made.serial)
    assert (shown["next_epoch"], shown["network"], shown["certificate"]) == (0, None, None)
    assert "set up its Wi-Fi" in shown["next_step"]
    assert made.device_id in called("show", "--state", folder)


def test_show_works_while_the_agent_runs_and_tells_no_secret(folder: Path, made: Provisioning) -> None:
    store = Store.open(folder)
    store.keep_network(NetworkCredentials(b"home", b"correct horse"))
    store.keep_ticket(Ticket("the-secret-token", "https://localhost"))
    output = called("show", "--state", folder, "--json")
    store.close()
    assert json.loads(output)["token"] is True
    assert "registers itself" in json.loads(output)["next_step"]
    for secret in ("correct horse", "the-secret-token", "PRIVATE"):
        assert secret not in output


def test_registered_once_but_without_certificate_needs_a_new_token(folder: Path) -> None:
    store = Store.open(folder)
    store.keep_network(NetworkCredentials(b"home"))
    store.close()
    assert "registration token in the portal" in called("show", "--state", folder)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--wifi", "networkmanager"], id="no interface"),
        pytest.param(["--interface", "wlan0"], id="an interface that nobody uses"),
        pytest.param(["--access-point", "wpa2"], id="an access point without a radio"),
        pytest.param(["--simulate-wifi", "home", "--wifi", "host"], id="a simulated and a real one"),
    ],
)
def test_run_refuses_contradicting_radios_before_it_touches_anything(
    tmp_path: Path, arguments: list[str]
) -> None:
    with pytest.raises(SettingsError) as refusal:
        called("run", "--state", tmp_path / "device", *arguments)
    assert refusal.value.next_step
    assert not (tmp_path / "device").exists()


def test_forget_network_makes_the_next_start_wait_for_a_set_up(folder: Path) -> None:
    store = Store.open(folder)
    store.keep_network(NetworkCredentials(b"home"))
    store.close()
    assert json.loads(called("forget-network", "--state", folder, "--json"))["network"] is None
    assert "set up its Wi-Fi" in called("forget-network", "--state", folder)
    assert Store(folder).network() is None


@pytest.fixture
def registered(folder: Path, made: Provisioning, authority: Authority) -> Path:
    store = Store.open(folder)
    chain = certificate_for(authority, store.staged_key(os.urandom), made.device_id)
    store.stage_operational(chain, "https://localhost", BROKER, now_us=7)
    store.close()
    return folder


def test_seal_writes_a_message_that_the_platform_opens(registered: Path, made: Provisioning) -> None:
    result = CliRunner().invoke(device, ["seal", "--state", str(registered), '{"t":1}'])
    assert f"d/{made.device_id}/up/data" in result.stderr
    opener = Opener(kid_of(made.device_id), SealedState.first(made.root_key))
    assert opener.open(result.stdout_bytes, b"up/data", 0)[2] == b'{"t":1}'


def test_each_sealed_message_begins_an_epoch_that_was_stored_first(registered: Path) -> None:
    for epoch in range(2):
        sealed = json.loads(called("seal", "--state", registered, "--channel", "event", "x", "--json"))
        assert (sealed["epoch"], Store(registered).next_epoch()) == (epoch, epoch + 1)
        assert sealed["topic"].endswith("/up/event")


def test_password_of_a_sealed_message_is_good_for_a_connect(registered: Path, made: Provisioning) -> None:
    sealed = json.loads(called("seal", "--state", registered, "x", "--json"))
    stands = Standing(SealedState.first(made.root_key), NO_PROOF_YET, Allowance())
    assert open_connect_proof(kid_of(made.device_id), stands, sealed["password"], 0) == (0, 0)


def test_unregistered_device_seals_nothing(folder: Path) -> None:
    with pytest.raises(MisuseError, match="is not registered"):
        called("seal", "--state", folder, "x")
    assert Store(folder).next_epoch() == 0


def test_nothing_is_sealed_beside_a_running_agent(registered: Path) -> None:
    store = Store.open(registered)
    with pytest.raises(MisuseError, match="another agent runs"):
        called("seal", "--state", registered, "x")
    store.close()


@pytest.mark.parametrize("command", ["show", "forget-network", "run"])
def test_folder_without_a_device_is_named(tmp_path: Path, command: str) -> None:
    with pytest.raises(MisuseError, match="holds no device") as raised:
        called(command, "--state", tmp_path / "empty")
    assert "--provisioning" in raised.value.next_step


def test_missing_provisioning_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="can't be read"):
        called("run", "--state", tmp_path / "d", "--provisioning", tmp_path / "none.json")


def test_run_waits_for_a_set_up_and_stops_cleanly(tmp_path: Path, made: Provisioning) -> None:
    (tmp_path / "made.json").write_bytes(made.to_json())
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "doorstep", "device", "run", "--json"),
            *("--state", str(tmp_path / "d"), "--provisioning", str(tmp_path / "made.json")),
            *("--simulate-wifi", "home", "--setup-host", "127.0.0.1", "--setup-port", "0"),
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    assert process.stdout is not None
    told = [json.loads(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert [line["notice"] for line in told] == ["Moved", "SetupOpened"]
    assert told[0]["state"] == "waiting"
    assert json.loads(rest.splitlines()[-1])["state"] == "stopped"
    assert Store(tmp_path / "d").next_epoch() == 1


def test_run_over_bluetooth_that_is_not_there_is_told(
    tmp_path: Path, made: Provisioning, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "other")
    store.adopt(replace(made, onboarding=("protocomm-sec2-ble", "ble-passkey")))
    store.close()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/system_bus_socket")
    with pytest.raises(UnavailableError, match="no system bus") as told:
        called("run", "--state", tmp_path / "other", "--ble")
    assert "bluetooth" in told.value.next_step


def test_run_over_bluetooth_is_refused_where_the_product_has_none(folder: Path) -> None:
    with pytest.raises(MisuseError, match="no set-up over Bluetooth"):
        called("run", "--state", folder, "--ble")
