import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.provision import provision
from doorstep.errors import DoorstepError, MalformedMessage, RefusedError, SettingsError, UnavailableError
from doorstep.onboarding.failures import OldSecurityRefused, WrongCode
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.protocomm import device
from doorstep.onboarding.protocomm.capabilities import Capabilities
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.schemes import RISKS, Scheme
from doorstep.wire.provisioning.delivery import DeviceStage
from tests.cli.terminal import Terminal
from tests.device.serving import serving
from tests.onboarding.helpers import LABEL
from tests.web import QuietHandler, listening

KEY = "key-of-the-owner"


def _run(*arguments: str, label: str = LABEL.encode()) -> Result:
    return CliRunner().invoke(provision, ["--label", label, *arguments], standalone_mode=False)


def _lines(result: Result) -> list[dict[str, Any]]:
    assert result.exception is None, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def password(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_bytes(b"correct horse\n")
    return str(file)


@contextmanager
def _portal(owned: list[bool], status: int = 200) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(QuietHandler):
        def get(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            self.answer_json(status, {"owned": owned.pop(0) if len(owned) > 1 else owned[0]})

    with listening(Handler) as url:
        yield url, asked


ORDER = ("--token", "t0ken", "--server", "https://example.test", "--alias", "lamp")


def test_command_onboards_and_shows_both_signals(password: str) -> None:
    with serving(stage=DeviceStage.REGISTERED) as served, _portal([False, True]) as (url, asked):
        network = ("--url", served.url, "--ssid", "home", "--passphrase-file", password)
        result = _run(*network, *ORDER, "--portal-url", url, "--api-key", KEY, "--json")
        lines = _lines(result)
        assert served.outcomes[0].order is not None
    steps = [line["step"] for line in lines[:-1]]
    assert steps[:4] == ["found", "secured", "delivered", "trying"]
    assert steps[-1] == "registered"
    assert lines[-1] == {"outcome": "registered", "signals": {"device": True, "platform": True}}
    assert asked == [f"/api/v1/devices/dev1 Bearer {KEY}"] * 2
    assert "correct horse" not in result.output
    assert "t0ken" not in result.output


def test_command_without_portal_says_what_it_did_not_check(password: str) -> None:
    with serving() as served:
        result = _run("--url", served.url, "--ssid", "home", "--passphrase-file", password)
    assert result.exception is None
    assert "The device is on the network." in result.output
    assert "was not checked" in result.stderr


def test_registration_turned_down_is_refused_with_or_without_portal(password: str) -> None:
    with serving(stage=DeviceStage.HELD) as served, _portal([False]) as (url, _):
        network = ("--url", served.url, "--ssid", "home", "--passphrase-file", password)
        result = _run(*network, *ORDER, "--portal-url", url, "--api-key", KEY, "--json")
    assert isinstance(result.exception, RefusedError)
    assert "mail" in result.exception.next_step
    with serving(stage=DeviceStage.REFUSED) as served:
        result = _run("--url", served.url, "--ssid", "home", "--passphrase-file", password, *ORDER)
    assert isinstance(result.exception, RefusedError)
    assert "new registration token" in result.exception.next_step


def test_command_without_portal_follows_the_device_to_its_registration(password: str) -> None:
    with serving(stage=DeviceStage.REGISTERED) as served:
        network = ("--url", served.url, "--ssid", "home", "--passphrase-file", password)
        lines = _lines(_run(*network, *ORDER, "--json"))
    assert lines[-1] == {"outcome": "registered", "signals": {"device": True, "platform": False}}


def test_registered_device_needs_no_second_look(password: str) -> None:
    with serving(stage=DeviceStage.REGISTERED) as served:
        result = _run("--url", served.url, "--ssid", "home", "--passphrase-file", password, *ORDER)
    assert result.stdout == "The device belongs to you now.\n"
    assert "was not checked" not in result.stderr


def test_printed_code_sets_up_without_a_scanner(password: str) -> None:
    network = ("--ssid", "home", "--passphrase-file", password, "--json")
    with serving() as served:
        command = ["--code", f" {LABEL.pop.upper()} ", "--url", served.url, *network]
        result = CliRunner().invoke(provision, command, standalone_mode=False)
    assert _lines(result)[-1]["outcome"] == "connected"


@pytest.mark.parametrize("label", [(), ("--label", LABEL.encode(), "--code", LABEL.pop)])
def test_set_up_takes_the_label_or_its_code(label: tuple[str, ...]) -> None:
    result = CliRunner().invoke(provision, [*label, "--ssid", "home", "--open"], standalone_mode=False)
    assert isinstance(result.exception, SettingsError)
    assert "one of --label, --code and --pin" in str(result.exception)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_is_told_from_device_that_is_not_there_yet(password: str, status: int) -> None:
    with serving(stage=DeviceStage.REGISTERED) as served, _portal([True], status) as (url, _):
        network = ("--url", served.url, "--ssid", "home", "--passphrase-file", password)
        result = _run(*network, *ORDER, "--portal-url", url, "--api-key", KEY, "--json")
    assert isinstance(result.exception, SettingsError), result.exception


FAILURES: dict[str, tuple[tuple[str, ...], type[DoorstepError], str]] = {
    "wrong network": (("--ssid", "elsewhere", "--open"), UnavailableError, "no network of that name"),
    "router full": (("--ssid", "full", "--open"), UnavailableError, "no address"),
    "password needed": (("--ssid", "home", "--json"), SettingsError, "password is missing"),
    "no network and no questions": (("--json",), SettingsError, "needs a network"),
    "password too short": (("--ssid", "home", "--passphrase-prompt"), SettingsError, "8 to 63"),
    "token without server": (("--ssid", "home", "--token", "t"), SettingsError, "belong together"),
    "server without token": (("--server", "https://example.test"), SettingsError, "belong together"),
    "portal without key": (("--portal-url", "http://127.0.0.1:1"), SettingsError, "API key"),
    "password file not there": (("--passphrase-file", "/nonexistent"), SettingsError, "cannot be read"),
}


@pytest.mark.parametrize(("arguments", "error", "words"), FAILURES.values(), ids=FAILURES)
def test_command_names_what_is_wrong(
    arguments: tuple[str, ...], error: type[DoorstepError], words: str
) -> None:
    with serving() as served:
        command = ["--label", LABEL.encode(), "--url", served.url, *arguments]
        result = CliRunner().invoke(provision, command, input="short\n", standalone_mode=False)
    assert isinstance(result.exception, error), result.exception
    assert words in str(result.exception)


def test_command_names_wrong_code(password: str) -> None:
    wrong = SetupLabel(LABEL.name, LABEL.username, "wrong").encode()
    with serving() as served:
        result = _run("--url", served.url, "--ssid", "home", "--passphrase-file", password, label=wrong)
    assert isinstance(result.exception, WrongCode)


def test_command_reads_label_from_file(tmp_path: Path) -> None:
    file = tmp_path / "label.json"
    file.write_text(LABEL.encode())
    with serving() as served:
        result = _run("--url", served.url, "--ssid", "guests", "--open", label=str(file))
    assert result.exception is None


@pytest.mark.parametrize(("label", "error"), [("/nonexistent", SettingsError), ("{}", MalformedMessage)])
def test_command_refuses_what_is_no_label(label: str, error: type[Exception]) -> None:
    assert isinstance(_run("--ssid", "home", "--open", label=label).exception, error)


def test_stock_device_takes_no_order(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_stock_firmware(core: device.DeviceOnboarding) -> Capabilities:
        return replace(device.CAPABILITIES, apps={}, sec_ver=2, sec_patch_ver=1)

    monkeypatch.setattr(device.DeviceOnboarding, "_capabilities", as_stock_firmware)
    with serving() as served:
        network = ("--url", served.url, "--ssid", "home", "--passphrase-file", password)
        assert isinstance(_run(*network, *ORDER).exception, SettingsError)
        assert _run(*network).exception is None


def test_person_chooses_from_the_list_and_corrects_the_password() -> None:
    with serving() as served:
        terminal = Terminal("--label", LABEL.encode(), "--url", served.url)
        table = terminal.wait_for("Number or name of your network")
        assert "home" in table
        assert "Café ☕" in table
        terminal.type("1")
        terminal.wait_for("Password of home")
        terminal.type("wrong password")
        terminal.wait_for("refused the password")
        terminal.wait_for("Password of home")
        terminal.type("correct horse")
        shown = terminal.wait_for("is on the network")
        assert "correct horse" not in shown
        assert terminal.leave() == 0
        assert served.outcomes[0].network.passphrase == b"correct horse"


OLD_LABEL = SetupLabel("PROV_1", "", "abcd1234", security=1).encode()
OLD_BOARD = device.DeviceProfile("dev1", Sec1Code("abcd1234"), allow_old_security=True)


def test_old_security_is_refused_without_consent_and_nothing_is_sent(password: str) -> None:
    with serving(profile=OLD_BOARD) as served:
        network = ("--url", served.url, "--ssid", "home", "--passphrase-file", password)
        result = _run(*network, label=OLD_LABEL)
        assert not served.outcomes
    assert isinstance(result.exception, OldSecurityRefused)
    assert "--allow-old-security" in result.exception.next_step


@pytest.mark.parametrize("as_json", [False, True])
def test_old_security_is_warned_of_once_where_it_is_accepted(password: str, *, as_json: bool) -> None:
    with serving(profile=OLD_BOARD) as served:
        network = ("--url", served.url, "--ssid", "home", "--passphrase-file", password)
        result = _run(*network, "--allow-old-security", *(["--json"] if as_json else []), label=OLD_LABEL)
        assert result.exception is None, result.exception
        assert len(served.outcomes) == 1
    assert result.output.count(RISKS[Scheme.SEC1]) == 1
    if as_json:
        assert _lines(result)[0] == {"warning": RISKS[Scheme.SEC1]}


def test_consent_changes_nothing_for_a_device_of_security_2(password: str) -> None:
    with serving() as served:
        network = ("--url", served.url, "--ssid", "home", "--passphrase-file", password)
        result = _run(*network, "--allow-old-security")
    assert result.exception is None
    assert "Warning" not in result.output
