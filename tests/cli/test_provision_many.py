"""`doorstep provision` with many devices: bad rows are named, failures stay apart, nothing is done twice."""

import asyncio
import csv
import json
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.provision import provision
from doorstep.cli.provision.results import Ending, failed
from doorstep.device.wifi.station import WifiStation
from doorstep.errors import (
    DoorstepError,
    RefusedError,
    SettingsError,
    UnavailableError,
    VerificationFailed,
)
from doorstep.onboarding.failures import DowngradeRefused, OldSecurityRefused, WrongCode
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.steps import Step
from doorstep.provisioner.link import DeviceUnreachable
from doorstep.testing.boards import Board, boards
from doorstep.testing.wifi import SimulatedNetwork, SimulatedWifi
from doorstep.wire.provisioning.delivery import DeviceStage
from tests.cli.terminal import Terminal
from tests.web import QuietHandler, listening

pytestmark = pytest.mark.roles

HOME = SimulatedNetwork(b"home", b"correct horse")


@contextmanager
def served(stations: Sequence[WifiStation], stage: DeviceStage | None = None) -> Iterator[list[Board]]:
    """Serve boards in a thread."""
    started, stop, held = threading.Event(), asyncio.Event(), []
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        async with boards(stations, stage=stage) as made:
            held.extend(made)
            loops.append(asyncio.get_running_loop())
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert started.wait(10)
    try:
        yield held
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()


def _stations(count: int, **options: Any) -> list[SimulatedWifi]:
    return [SimulatedWifi([HOME], **options) for _ in range(count)]


def _labels(folder: Path, made: Sequence[Board], *more: dict[str, str]) -> str:
    path = folder / "labels.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["serial", "setup", "claim_code", "address"])
        writer.writeheader()
        for number, board in enumerate(made, 1):
            row = {"serial": f"GH-{number:05}", "setup": board.label.encode(), "address": board.url}
            writer.writerow(row | {"claim_code": "not ours to use"})
        writer.writerows(more)
    return str(path)


@pytest.fixture
def password(tmp_path: Path) -> str:
    (tmp_path / "password").write_text("correct horse\n")
    return str(tmp_path / "password")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(provision, ["--ssid", "home", *arguments], standalone_mode=False)


def _lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def _ends(result: Result) -> dict[str, str]:
    return {line["device"]: line["result"] for line in _lines(result) if "result" in line}


def test_all_devices_of_a_file_are_set_up_at_once(tmp_path: Path, password: str) -> None:
    with served(_stations(5, delay=0.3)) as made:
        labels = _labels(tmp_path, made)
        begin = time.monotonic()
        result = _run("--labels", labels, "--all", "--passphrase-file", password, "--json")
        took = time.monotonic() - begin
        assert [len(board.onboarded) for board in made] == [1] * 5
    assert result.exception is None, result.exception
    assert set(_ends(result).values()) == {"done"}
    assert _lines(result)[-1]["summary"]["done"] == 5
    steps = [line["step"] for line in _lines(result) if line.get("device") == "GH-00003" and "step" in line]
    assert steps == ["found", "secured", "trying", "connected"]
    assert took < 5 * 0.5 + 2
    assert "correct horse" not in result.output


def test_no_more_than_the_asked_number_run_at_once(tmp_path: Path, password: str) -> None:
    busy: list[int] = []

    class Counting(SimulatedWifi):
        async def try_connect(self, network: Any) -> Any:
            busy.append(1)
            most.append(len(busy))
            try:
                return await super().try_connect(network)
            finally:
                busy.pop()

    most: list[int] = []
    with served([Counting([HOME], delay=0.1) for _ in range(4)]) as made:
        labels = _labels(tmp_path, made)
        result = _run("--labels", labels, "--all", "--passphrase-file", password, "--json", "--at-once", "2")
    assert result.exception is None
    assert max(most) <= 2


def test_bad_rows_are_named_and_the_rest_is_set_up(tmp_path: Path, password: str) -> None:
    with served(_stations(1)) as made:
        rows = (
            {"serial": "GH-00002", "setup": '{"ver":"v9"}'},
            {"serial": "", "setup": made[0].label.encode()},
            {"serial": "GH-3"},
            {"serial": "gh 00001", "setup": made[0].label.encode()},
        )
        labels = _labels(tmp_path, made, *rows)
        result = _run("--labels", labels, "--all", "--passphrase-file", password, "--json")
    assert result.exception is None
    assert _ends(result) == {"GH-00001": "done"}
    for line, words in ((3, "lacks"), (4, "serial is missing"), (5, "neither"), (6, "there twice")):
        assert f"line {line} refused: " in result.stderr
        assert words in result.stderr


def test_each_device_ends_on_its_own_and_the_worst_is_the_exit_code(tmp_path: Path, password: str) -> None:
    stations = [*_stations(2), SimulatedWifi([SimulatedNetwork(b"elsewhere")])]
    with served(stations) as made:
        stranger = replace(made[1].label, pop="wrong")
        made[1].label = stranger
        gone = SetupLabel("PROV_gone", "doorstep", "abc").encode()
        nowhere = {"serial": "GH-00004", "setup": gone, "address": "http://127.0.0.1:1"}
        unplaced = {"serial": "GH-00005", "setup": gone}
        labels = _labels(tmp_path, made, nowhere, unplaced)
        result = _run("--labels", labels, "--all", "--passphrase-file", password, "--json")
    assert _ends(result) == {
        "GH-00001": "done",
        "GH-00002": "wrong code",
        "GH-00003": "failed",
        "GH-00004": "not found",
        "GH-00005": "not found",
    }
    assert isinstance(result.exception, VerificationFailed)
    assert "4 of 5 devices are not done" in str(result.exception)
    ends = {line["device"]: line for line in _lines(result) if "result" in line}
    assert "no network of that name" in ends["GH-00003"]["sentence"]
    assert all(line["next_step"] for name, line in ends.items() if name != "GH-00001")


STAGES: dict[str, tuple[DeviceStage, type[DoorstepError], str]] = {
    "held": (DeviceStage.HELD, RefusedError, "held"),
    "refused": (DeviceStage.REFUSED, RefusedError, "refused"),
}


@contextmanager
def _portal(*, owned: bool) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(QuietHandler):
        def get(self) -> None:
            self.answer_json(200, {"owned": owned})

        def post(self) -> None:
            asked.append(self.body().decode())
            self.answer_json(201, {"token": f"token{len(asked)}", "expires_us": 1})

    with listening(Handler) as url:
        yield url, asked


SERVER = ("--server", "https://example.test")


@pytest.mark.parametrize("name", STAGES)
def test_turned_down_registration_is_in_the_summary(tmp_path: Path, password: str, name: str) -> None:
    stage, error, ending = STAGES[name]
    with served(_stations(2), stage) as made, _portal(owned=False) as (url, asked):
        labels = _labels(tmp_path, made)
        platform = (*SERVER, "--portal-url", url, "--api-key", "key")
        result = _run("--labels", labels, "--all", "--passphrase-file", password, "--json", *platform)
        tokens = {board.onboarded[0].order.token for board in made if board.onboarded[0].order}
    assert isinstance(result.exception, error), result.exception
    assert set(_ends(result).values()) == {ending}
    assert len(asked) == 2
    assert tokens == {b"token1", b"token2"}


def test_each_device_gets_its_own_token_and_both_signals_make_it_done(tmp_path: Path, password: str) -> None:
    with served(_stations(2), DeviceStage.REGISTERED) as made, _portal(owned=True) as (url, _):
        labels = _labels(tmp_path, made)
        platform = (*SERVER, "--portal-url", url, "--api-key", "key")
        result = _run("--labels", labels, "--all", "--passphrase-file", password, "--json", *platform)
    assert result.exception is None, result.exception
    ends = [line for line in _lines(result) if "result" in line]
    assert [line["signals"] for line in ends] == [{"device": True, "platform": True}] * 2
    assert "token1" not in result.output


def test_finished_devices_are_skipped_the_next_time(tmp_path: Path, password: str) -> None:
    with served(_stations(2)) as made:
        labels = _labels(tmp_path, made)
        first = _run("--labels", labels, "--serial", "gh 00002", "--passphrase-file", password, "--json")
        assert _ends(first) == {"GH-00002": "done"}
        with Path(f"{labels}.done").open("a") as file:
            file.write('{"done": "GH-000')  # a power cut in the middle of a line
        again = _run("--labels", labels, "--all", "--passphrase-file", password, "--json")
        assert [len(board.onboarded) for board in made] == [1, 1]
    assert again.exception is None
    assert _ends(again) == {"GH-00001": "done", "GH-00002": "done before"}
    kept = Path(f"{labels}.done").read_text().splitlines()
    assert kept == ['{"done": "GH-00002"}', '{"done": "GH-000', '{"done": "GH-00001"}']


SAID = {
    "as printed": "GH-00001",
    "small and apart": "gh 0 0 0 0 1",
    "with other dashes": "gh\u201300001",
    "its end alone": "0 1",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_serial_is_understood_as_people_say_it(tmp_path: Path, password: str, said: str) -> None:
    with served(_stations(2)) as made:
        labels = _labels(tmp_path, made)
        result = _run("--labels", labels, "--serial", said, "--passphrase-file", password, "--json")
    assert _ends(result) == {"GH-00001": "done"}


def test_lines_say_it_all_without_bars(tmp_path: Path, password: str) -> None:
    with served(_stations(2)) as made:
        labels = _labels(tmp_path, made)
        result = _run("--labels", labels, "--all", "--passphrase-file", password, "--plain")
    assert "GH-00001: The device answers." in result.stderr
    assert "GH-00002: done. The device is on the network." in result.stdout
    assert result.stdout.endswith("2 devices: 2 done\n")
    assert "\x1b" not in result.output


MISUSE: dict[str, tuple[tuple[str, ...], str]] = {
    "neither all nor some": (("--labels", "LABELS"), "which devices are meant"),
    "all and some": (("--labels", "LABELS", "--all", "--serial", "1"), "which devices are meant"),
    "some of nothing": (("--serial", "1", "--label", "x"), "choose from --labels"),
    "label and labels": (("--labels", "LABELS", "--all", "--code", "x"), "instead of"),
    "unknown serial": (("--labels", "LABELS", "--serial", "XX"), "No label has the serial"),
    "several serials": (("--labels", "LABELS", "--serial", "0000"), "can be"),
    "one token for many": (("--labels", "LABELS", "--all", "--token", "t", *SERVER), "for one device"),
    "whose address": (("--labels", "LABELS", "--all", "--url", "http://a"), "whose address"),
    "no address": (("--labels", "LABELS", "--all", "--url", "GH-00001=ftp://a"), "no place of a device"),
    "no such file": (("--labels", "/nonexistent", "--all"), "cannot be read"),
    "no labels": (("--labels", "PASSWORD", "--all"), "needs the columns"),
    "two addresses for one": (("--code", "x", "--url", "http://a", "--url", "http://b"), "for one device"),
}


@pytest.mark.parametrize(("arguments", "words"), MISUSE.values(), ids=MISUSE)
def test_command_asks_for_what_is_missing(
    tmp_path: Path, password: str, arguments: tuple[str, ...], words: str
) -> None:
    label = SetupLabel("PROV_1", "doorstep", "abc").encode()
    path = tmp_path / "l.csv"
    rows = "".join(
        f'{serial},"{label.replace(chr(34), chr(34) * 2)}"\n' for serial in ("GH-00001", "GH-10000")
    )
    rows += f'0000A,"{label.replace(chr(34), chr(34) * 2)}"\nB-0000,"{label.replace(chr(34), chr(34) * 2)}"\n'
    rows += f'C-0000,"{label.replace(chr(34), chr(34) * 2)}"\n'
    path.write_text(f"serial,setup\n{rows}")
    given = [str(path) if one == "LABELS" else password if one == "PASSWORD" else one for one in arguments]
    result = _run(*given, "--open")
    assert isinstance(result.exception, SettingsError), result.exception
    assert words in f"{result.exception}"


def test_token_on_the_command_line_is_warned_of_and_a_file_is_not(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    with served(_stations(1), DeviceStage.REGISTERED) as made:
        place = ("--label", made[0].label.encode(), "--url", made[0].url, "--open", *SERVER)
        made[0].joiner._station.networks[0] = SimulatedNetwork(b"home")  # type: ignore[attr-defined]
        quiet = _run(*place, "--token-file", str(token))
        loud = _run(*place[:-2], *SERVER, "--token", "other")
        orders = [done.order for done in made[0].onboarded]
    assert quiet.exception is None, quiet.exception
    assert orders[0] is not None
    assert orders[0].token == b"t0ken"
    assert "can be read by everybody" not in quiet.stderr
    assert "can be read by everybody" in loud.stderr


def test_wrong_password_is_asked_for_once_for_all_devices(tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong password")
    with served(_stations(4)) as made:
        labels = _labels(tmp_path, made)
        terminal = Terminal(
            "--labels", labels, "--all", "--ssid", "home", "--passphrase-file", str(tmp_path / "wrong")
        )
        terminal.wait_for("Password of home")
        terminal.type("correct horse")
        assert terminal.leave() == 0, terminal.shown
        assert terminal.shown.count("Password of home") == 1
        assert "4 devices: 4 done" in terminal.shown
        assert "correct horse" not in terminal.shown
        assert all(board.onboarded for board in made)


def test_interrupted_run_keeps_who_is_done_and_goes_on_later(tmp_path: Path, password: str) -> None:
    class Slow(SimulatedWifi):
        async def try_connect(self, network: Any) -> Any:
            await asyncio.sleep(60)
            return await super().try_connect(network)

    with served([*_stations(1), Slow([HOME])]) as made:
        labels = _labels(tmp_path, made)
        terminal = Terminal(
            "--labels", labels, "--all", "--ssid", "home", "--passphrase-file", password, "--plain"
        )
        terminal.wait_for("GH-00001: done")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.leave() != 0
    assert Path(f"{labels}.done").read_text() == '{"done": "GH-00001"}\n'


def test_unwritable_progress_names_the_file(tmp_path: Path, password: str) -> None:
    with served(_stations(1)) as made:
        labels = _labels(tmp_path, made)
        there = ("--resume", str(tmp_path / "no folder" / "x"), "--json")
        result = _run("--labels", labels, "--all", "--passphrase-file", password, *there)
    assert isinstance(result.exception, UnavailableError)
    assert "done all the same" in _lines(result)[-2]["sentence"]


def test_person_who_gives_no_password_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong password")
    with served(_stations(2)) as made:
        labels = _labels(tmp_path, made)
        terminal = Terminal(
            "--labels", labels, "--all", "--ssid", "home", "--passphrase-file", str(tmp_path / "wrong")
        )
        terminal.wait_for("Password of home")
        terminal.type("\x04")
        assert terminal.leave() != 0
        assert "Traceback" not in terminal.shown


ERRORS: dict[str, tuple[DoorstepError, tuple[Step, ...], Ending]] = {
    "nobody there": (DeviceUnreachable("silent"), (), Ending.NOT_FOUND),
    "gone before it had the network": (DeviceUnreachable("silent"), (Step.FOUND,), Ending.FAILED),
    "silent while it joins": (DeviceUnreachable("silent"), (Step.FOUND, Step.TRYING), Ending.CHECKING),
    "less security than promised": (DowngradeRefused("2", "1"), (), Ending.REFUSED),
    "old security": (OldSecurityRefused("risk"), (), Ending.REFUSED),
    "wrong code": (WrongCode(), (Step.FOUND,), Ending.WRONG_CODE),
    "anything else": (UnavailableError("no room"), (Step.FOUND,), Ending.FAILED),
}


@pytest.mark.parametrize(("error", "heard", "ending"), ERRORS.values(), ids=ERRORS)
def test_silence_is_called_a_failure_only_before_the_device_has_its_network(
    error: DoorstepError, heard: tuple[Step, ...], ending: Ending
) -> None:
    assert failed("GH-1", error, heard).ending is ending
