"""``doorstep command``."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.command import command
from doorstep.errors import MisuseError, RefusedError, UnavailableError
from doorstep.server.channels.models import DesiredSettings, Downlink
from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device
from tests.server.making import MadeDevice, customer, devices


@pytest.fixture
def device(rolled_back: None) -> MadeDevice:
    [made] = devices()
    Device.objects.filter(device_id=made.device_id).update(
        life="owned", owner=customer()[1], ownership_period=1
    )
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def said(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exception is None, done.exception
    return json.loads(done.stdout)


def test_operator_sends_a_command_and_sees_it_in_the_list(device: MadeDevice) -> None:
    sent = said("send", device.serial, "relay", "on=true", "for=30", 'code="007"')
    assert (sent["state"], sent["device"], sent["name"]) == ("queued", device.device_id, "relay")
    assert [one["command_id"] for one in said("list", device.device_id)["commands"]] == [sent["command_id"]]
    assert "cmd relay  queued" in run("list", device.device_id).stdout


def test_operator_cancels(device: MadeDevice) -> None:
    sent = said("send", device.serial, "relay")
    assert said("cancel", device.serial, sent["command_id"])["state"] == "cancelled"
    assert isinstance(run("cancel", device.serial, sent["command_id"]).exception, RefusedError)
    assert isinstance(run("cancel", device.serial, "0" * 16).exception, RefusedError)


def test_waiting_for_a_device_that_sleeps_is_unavailable(device: MadeDevice) -> None:
    done = run("send", device.serial, "relay", "--wait", "0")
    assert isinstance(done.exception, UnavailableError)
    assert "queued" in done.exception.message


@pytest.mark.parametrize(("state", "error"), [("acknowledged", None), ("refused", RefusedError)])
def test_waiting_tells_what_the_device_said(
    device: MadeDevice, monkeypatch: pytest.MonkeyPatch, state: str, error: type[Exception] | None
) -> None:
    """The role's part is played here: it closes the command at the first look."""

    def close(_: float) -> None:
        Downlink.objects.update(state=state, detail=b"no such relay", closed_us=now_us(), tries=2)

    monkeypatch.setattr("doorstep.cli.command.time.sleep", close)
    done = run("send", device.serial, "relay", "--wait", "5")
    assert f"{state} after 2 tries: no such relay" in done.stdout
    assert (done.exception is None) if error is None else isinstance(done.exception, error)


def test_operator_changes_some_settings_and_keeps_the_others(device: MadeDevice) -> None:
    said("settings", device.serial, "interval=30", "name=Cellar", "led=false")
    said("settings", device.serial, "interval=60", "led=")
    shown = said("settings", device.serial)
    assert (shown["version"], shown["settings"]) == (2, {"interval": 60.0, "name": "Cellar"})
    assert DesiredSettings.objects.get().asked_by == "operator"


def test_what_is_no_value_is_refused(device: MadeDevice) -> None:
    assert isinstance(run("send", device.serial, "relay", "on").exception, MisuseError)
    assert isinstance(run("settings", device.serial, "a b=1").exception, MisuseError)
    assert not Downlink.objects.exists()


def test_empty_list_says_what_to_do(device: MadeDevice) -> None:
    assert "doorstep command send" in run("list", device.serial).stdout
