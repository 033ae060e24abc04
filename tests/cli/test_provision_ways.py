"""`doorstep provision` finds devices over Bluetooth, on serial lines and at addresses, or says why not."""

import asyncio
import json
import os
import pty
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.provision import finding, provision
from doorstep.cli.provision.finding import connections, look_around
from doorstep.cli.provision.labels import Target
from doorstep.cli.provision.network import SharedNetwork
from doorstep.cli.provision.onboarding import Run, set_up_all
from doorstep.cli.provision.reporting import JsonReporter
from doorstep.cli.provision.results import DeviceResult, Ending
from doorstep.cli.provision.resume import Progress
from doorstep.crypto.p256 import generate
from doorstep.device.setup.console import ConsoleServer
from doorstep.device.setup.dpp import DppDoor
from doorstep.device.setup.joiner import Joiner
from doorstep.errors import SettingsError, UnavailableError
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.label import SetupLabel, Transport
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.pin.secret import make_pin
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.device import DeviceProfile
from doorstep.onboarding.steps import Step
from doorstep.provisioner import ble
from doorstep.provisioner.console import ConsoleLink
from doorstep.provisioner.provisioner import Provisioner
from doorstep.provisioner.serialport import open_serial, streams_of
from doorstep.testing.wifi import SimulatedWifi
from tests.device.serving import NEIGHBOURS, serving
from tests.onboarding.ble.radio import room
from tests.onboarding.helpers import LABEL

pytestmark = pytest.mark.roles

NOBODY = SetupLabel("PROV_nobody", "doorstep", "abc", Transport.BLE)


async def _no_order(_target: Target) -> None:
    return None


async def _set_up(targets: Sequence[Target], *, by_bluetooth: bool) -> list[DeviceResult]:
    network = SharedNetwork(b"home", b"correct horse", may_ask=False, pausing=nullcontext)
    run = Run(network, _no_order, None, JsonReporter(), allow_old_security=False, at_once=3)
    ways = await connections(targets, by_bluetooth=by_bluetooth)
    return await set_up_all(run, targets, ways, Progress(None))


def test_devices_are_found_by_the_names_on_their_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[DeviceResult]:
        async with room(stage=None) as shared:
            monkeypatch.setattr(ble, "computer_radio", lambda: shared.phone)
            monkeypatch.setattr(ble.scan, "__defaults__", (1.0,))
            targets = (Target("GH-1", LABEL), Target("GH-2", NOBODY))
            return await _set_up(targets, by_bluetooth=True)

    here, away = asyncio.run(run())
    assert (here.ending, away.ending) == (Ending.DONE, Ending.NOT_FOUND)
    assert "PROV_nobody is not heard" in away.sentence


def test_label_that_says_bluetooth_is_looked_for_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_radio() -> None:
        raise UnavailableError("This installation cannot speak Bluetooth.")

    monkeypatch.setattr(ble, "computer_radio", no_radio)
    arguments = ["--label", NOBODY.encode(), "--ssid", "home", "--open"]
    result = CliRunner().invoke(provision, arguments, standalone_mode=False)
    assert isinstance(result.exception, UnavailableError)
    assert "Bluetooth" in str(result.exception)


CODE = "abcdefghijklm"
OLD = DeviceProfile("dev1", Sec1Code(CODE), allow_old_security=True)
OLD_LABEL = SetupLabel("PROV_1", "", CODE, security=1)


def test_device_is_set_up_over_a_serial_line() -> None:
    async def run() -> Step:
        board, line = pty.openpty()
        joiner = Joiner(SimulatedWifi(NEIGHBOURS))
        ours = await open_serial(os.ttyname(line))
        theirs = await streams_of(board)
        serving_it = asyncio.create_task(ConsoleServer(OLD, joiner).serve(*theirs))
        warned: list[str] = []
        async with Provisioner(ConsoleLink(*ours), OLD_LABEL, warn=warned.append) as provisioner:
            await provisioner.secure()
            step = await provisioner.join(NetworkCredentials(b"home", b"correct horse"))
        serving_it.cancel()
        await asyncio.gather(serving_it, return_exceptions=True)
        theirs[1].close()
        await theirs[1].wait_closed()
        os.close(line)
        await joiner.close()
        assert warned
        return step

    assert asyncio.run(run()) is Step.CONNECTED


@pytest.mark.parametrize("path", ["/dev/nonexistent", "/dev/null"])
def test_line_that_is_none_is_named(path: str) -> None:
    with pytest.raises(UnavailableError, match=path):
        asyncio.run(open_serial(path))


def test_command_shows_what_waits_nearby(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    monkeypatch.setattr(finding, "DEVICES", tmp_path)
    with serving() as served:
        monkeypatch.setattr(finding, "SOFTAP", served.url)
        result = CliRunner().invoke(provision, ["--find", "--json"], standalone_mode=False)
        shown = CliRunner().invoke(provision, ["--find"], standalone_mode=False)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["transport"] for each in found] == ["access point", "console"]
    assert f"--url {tmp_path / 'ttyUSB0'}" in shown.stdout


def test_nothing_nearby_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(finding, "DEVICES", tmp_path)
    monkeypatch.setattr(finding, "SOFTAP", "http://127.0.0.1:1")
    result = CliRunner().invoke(provision, ["--find"], standalone_mode=False)
    assert "Nothing waits" in result.stdout
    assert asyncio.run(look_around()) == []


def test_easy_connect_label_gives_the_network_to_its_device(tmp_path: Path) -> None:
    key = generate(os.urandom)
    label = tmp_path / "label.txt"
    label.write_text(BootstrapUri(key.public_key, info="GH-1").encode() + "\n", encoding="utf-8")
    password = tmp_path / "password"
    password.write_bytes(b"correct horse\n")

    async def run() -> tuple[Onboarded, Result]:
        joiner = Joiner(SimulatedWifi(NEIGHBOURS))
        async with DppDoor(key, "kettle", joiner, host="127.0.0.1", port=0) as door:
            options = ["--url", f"tcp://127.0.0.1:{door.port}", "--ssid", "home", "--passphrase-file"]
            said = ["--label", str(label), *options, str(password), "--json"]
            ordered = ["--token", "token", "--server", "https://example.org", "--alias", "kettle"]
            result = await asyncio.to_thread(CliRunner().invoke, provision, [*said, *ordered])
            return await asyncio.wait_for(joiner.wait_connected(), 5), result

    onboarded, result = asyncio.run(run())
    assert onboarded.network == NetworkCredentials(b"home", b"correct horse")
    assert onboarded.order == RegistrationOrder(b"token", "https://example.org", "kettle")
    last = json.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code, last["outcome"]) == (0, "checking")


@pytest.mark.parametrize("address", ["http://127.0.0.1", "tcp://", "tcp://host:x"])
def test_easy_connect_label_takes_no_other_address(address: str) -> None:
    uri = BootstrapUri(generate(os.urandom).public_key).encode()
    result = CliRunner().invoke(
        provision, ["--label", uri, "--url", address, "--ssid", "home", "--open", "--json"]
    )
    assert isinstance(result.exception, SettingsError)
    assert "tcp://HOST" in result.exception.message


def test_pin_sets_a_device_up_without_its_label() -> None:
    secret = make_pin(os.urandom)
    with serving(profile=DeviceProfile("dev1", secret.for_device())) as served:
        options = [
            "--pin",
            f"{secret.pop[:4]} {secret.pop[4:]}",
            "--url",
            served.url,
            "--ssid",
            "guests",
            "--open",
            "--json",
        ]
        result = CliRunner().invoke(provision, options)
    assert result.exit_code == 0, result.output
    assert served.outcomes[0].network == NetworkCredentials(b"guests", b"")
