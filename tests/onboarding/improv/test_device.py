import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import IllegalTransition, SettingsError
from doorstep.onboarding.improv.configurator import settings
from doorstep.onboarding.improv.device import (
    AUTHORIZED_S,
    TRANSITIONS,
    IdentifyWanted,
    ImprovDevice,
    ImprovEvent,
    ImprovProfile,
    JoinWanted,
    Line,
    ScanWanted,
    advance,
)
from doorstep.onboarding.improv.rpc import Command, ErrorCode, ImprovState, Result, Rpc
from doorstep.onboarding.joining import Joining, JoinState
from doorstep.onboarding.network import Joined, JoinFailure, NetworkCredentials
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry

PAGE = "https://portal.example/d/binsypko"
PROFILE = ImprovProfile("Doorstep", "1.0", "ESP32-C3", "lamp", PAGE)
CABLE = ImprovProfile("Doorstep", "1.0", "ESP32-C3", "lamp", PAGE, button=False)
HOME = NetworkCredentials(b"caf\xc3\xa9", b"correct horse")
SEND = settings(HOME).octets()
INFO = Rpc(Command.DEVICE_INFO).octets()


def device(profile: ImprovProfile = PROFILE, line: Line = Line.BLUETOOTH) -> ImprovDevice:
    return ImprovDevice(profile, Joining(), line)


def test_table_knows_every_state_that_moves() -> None:
    assert TRANSITIONS.keys() == set(ImprovState) - {ImprovState.STOPPED}
    with pytest.raises(IllegalTransition):
        advance(ImprovState.AUTHORIZATION_REQUIRED, ImprovEvent.SETTINGS)


def test_device_takes_settings_once_its_button_was_pressed() -> None:
    board = device()
    assert board.receive(SEND, 0.0).updates == (ErrorCode.NOT_AUTHORIZED,)
    assert board.press(1.0) == (ImprovState.AUTHORIZED,)
    answer = board.receive(SEND, 2.0)
    assert answer.updates == (ErrorCode.NONE, ImprovState.PROVISIONING)
    assert answer.wishes == (JoinWanted(HOME),)
    assert board.finished(Joined("10.0.0.2"), 3.0) == (
        ImprovState.PROVISIONED,
        Result(Command.SETTINGS, (PAGE.encode(),)),
    )


def test_press_lasts_a_minute() -> None:
    board = device()
    board.press(0.0)
    assert board.tick(AUTHORIZED_S - 1) == ()
    board.press(AUTHORIZED_S - 1)
    assert board.tick(AUTHORIZED_S) == ()
    assert board.tick(2 * AUTHORIZED_S) == (ImprovState.AUTHORIZATION_REQUIRED,)
    assert board.receive(SEND, 2 * AUTHORIZED_S).updates == (ErrorCode.NOT_AUTHORIZED,)


def test_expired_press_is_told_before_the_refusal() -> None:
    board = device()
    board.press(0.0)
    answer = board.receive(SEND, AUTHORIZED_S)
    assert answer.updates == (ImprovState.AUTHORIZATION_REQUIRED, ErrorCode.NOT_AUTHORIZED)


def test_device_that_could_not_join_takes_settings_again_without_another_press() -> None:
    board = device()
    board.press(0.0)
    board.receive(SEND, 50.0)
    board._joining.finish(JoinFailure.WRONG_PASSWORD)
    assert board.tick(100.0) == ()
    told = board.finished(JoinFailure.WRONG_PASSWORD, 100.0)
    assert told == (ErrorCode.UNABLE_TO_CONNECT, ImprovState.AUTHORIZED)
    assert board.receive(SEND, 150.0).wishes == (JoinWanted(HOME),)


def test_press_does_nothing_while_an_attempt_runs() -> None:
    board = device(CABLE)
    board.receive(SEND, 0.0)
    assert board.press(1.0) == ()


def test_press_opens_a_provisioned_device_again() -> None:
    board = device(CABLE)
    board.receive(SEND, 0.0)
    board._joining.finish(Joined("10.0.0.2"))
    board.finished(Joined("10.0.0.2"), 1.0)
    assert board.receive(SEND, 2.0).updates == (ErrorCode.NOT_AUTHORIZED,)
    assert board.press(3.0) == (ImprovState.AUTHORIZED,)
    assert board.receive(SEND, 4.0).wishes == (JoinWanted(HOME),)


def test_device_says_who_it_is_and_identifies_itself_without_a_press() -> None:
    board = device()
    assert board.receive(INFO, 0.0).updates == (
        Result(Command.DEVICE_INFO, (b"Doorstep", b"1.0", b"ESP32-C3", b"lamp")),
    )
    assert board.receive(Rpc(Command.IDENTIFY_OR_STATE).octets(), 0.0).wishes == (IdentifyWanted(),)


def test_serial_device_tells_its_state_and_then_its_page() -> None:
    ask = Rpc(Command.IDENTIFY_OR_STATE).octets()
    board = device(CABLE, Line.SERIAL)
    assert board.receive(ask, 0.0).updates == (ImprovState.AUTHORIZED,)
    assert board.tick(1000.0) == ()
    board.receive(SEND, 0.0)
    board.finished(Joined("10.0.0.2"), 0.0)
    assert board.receive(ask, 0.0).updates == (
        ImprovState.PROVISIONED,
        Result(Command.IDENTIFY_OR_STATE, (PAGE.encode(),)),
    )


def test_serial_device_with_a_button_is_stopped_until_it_is_pressed() -> None:
    ask = Rpc(Command.IDENTIFY_OR_STATE).octets()
    assert device(PROFILE, Line.SERIAL).receive(ask, 0.0).updates == (ImprovState.STOPPED,)


HEARD = (
    ScanEntry(b"home", rssi=-80, auth=AuthMode.WPA2),
    ScanEntry(b"home", rssi=-40, auth=AuthMode.WPA2),
    ScanEntry(b"open", rssi=-50),
    ScanEntry(b"old", rssi=-60, auth=AuthMode.WEP),
    ScanEntry(b"", rssi=-30),
)


def test_device_lists_each_network_once() -> None:
    board = device()
    assert board.receive(Rpc(Command.SCAN).octets(), 0.0).wishes == (ScanWanted(),)
    strings = (b"home", b"-40", b"WPA2", b"open", b"-50", b"NO", b"old", b"-60", b"WEP")
    assert board.scanned(HEARD) == (Result(Command.SCAN, strings),)
    assert board.scanned(HEARD, room=20) == (Result(Command.SCAN, strings[:3]),)
    assert board.scanned(None) == (ErrorCode.UNKNOWN,)


def test_serial_device_lists_one_network_a_result_and_an_empty_one() -> None:
    assert device(CABLE, Line.SERIAL).scanned(HEARD) == (
        Result(Command.SCAN, (b"home", b"-40", b"YES")),
        Result(Command.SCAN, (b"open", b"-50", b"NO")),
        Result(Command.SCAN, (b"old", b"-60", b"YES")),
        Result(Command.SCAN),
    )


BAD = {
    "nothing": (b"", ErrorCode.INVALID_RPC),
    "longer than it says": (b"\1\0x", ErrorCode.INVALID_RPC),
    "an unknown command": (b"\x63\0", ErrorCode.UNKNOWN_COMMAND),
    "the hostname, which we have not": (b"\5\0", ErrorCode.UNKNOWN_COMMAND),
    "settings without a password": (b"\1\5\4home", ErrorCode.INVALID_RPC),
    "settings cut": (b"\1\5\5home", ErrorCode.INVALID_RPC),
    "settings with more": (b"\1\3\0\0\0", ErrorCode.INVALID_RPC),
    "a name longer than any": (Rpc(1, b"\x21" + bytes(33) + b"\0").octets(), ErrorCode.UNABLE_TO_CONNECT),
    "a password that no network has": (b"\1\4\0\2ab", ErrorCode.UNABLE_TO_CONNECT),
}


@pytest.mark.parametrize(("octets", "code"), BAD.values(), ids=BAD)
def test_device_refuses_a_command_and_forgets_the_error_with_the_next(octets: bytes, code: ErrorCode) -> None:
    board = device(CABLE)
    answer = board.receive(octets, 0.0)
    assert (answer.updates, answer.wishes) == ((code,), ())
    assert board.receive(INFO, 0.0).updates[0] is ErrorCode.NONE
    assert board.state is ImprovState.AUTHORIZED


def test_device_that_another_door_is_connecting_says_that_it_failed() -> None:
    board = device(CABLE)
    board._joining.state = JoinState.TRYING
    assert board.receive(SEND, 0.0).updates == (ErrorCode.UNKNOWN,)


def test_profile_must_fit_into_an_answer_and_tells_its_risk() -> None:
    with pytest.raises(SettingsError):
        ImprovProfile("x" * 33, "", "", "", "")
    with pytest.raises(SettingsError):
        ImprovProfile("", "", "", "", "h" * 201)
    assert "button" in PROFILE.risk
    assert "at the line" in CABLE.risk


@given(st.lists(st.binary(max_size=40), max_size=6), st.sampled_from(Line))
def test_device_survives_any_commands(commands: list[bytes], line: Line) -> None:
    board = device(CABLE, line)
    for octets in commands:
        board.receive(octets, 0.0)
    assert board.capabilities
