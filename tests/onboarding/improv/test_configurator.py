import pytest

from doorstep.errors import MalformedMessage
from doorstep.onboarding.improv.configurator import (
    DeviceInfo,
    ImprovRefused,
    read_info,
    read_networks,
    read_page,
    settings,
    step_of,
)
from doorstep.onboarding.improv.gatt import parse_service_data, put_service_data
from doorstep.onboarding.improv.rpc import Capability, Command, ErrorCode, ImprovState, Result
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.steps import Step
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry


def test_client_sends_octets() -> None:
    assert settings(NetworkCredentials(b"\xff\0", b"")).octets() == b"\1\4\2\xff\0\0"


def test_client_reads_who_a_device_is_fit_for_a_screen() -> None:
    strings = (b"Door\x1bstep", b"1.0", b"chip", "läm\u0000p".encode(), b"OS", b"2")
    assert read_info(Result(Command.DEVICE_INFO, strings)) == DeviceInfo("Doorstep", "1.0", "chip", "lämp")
    with pytest.raises(MalformedMessage):
        read_info(Result(Command.DEVICE_INFO, strings[:3]))


def test_client_reads_networks() -> None:
    strings = (b"home", b"-40", b"YES", b"open", b"-50", b"NO", b"old", b"-60", b"WEP")
    assert read_networks(strings) == (
        ScanEntry(b"home", rssi=-40, auth=AuthMode.WPA2),
        ScanEntry(b"open", rssi=-50),
        ScanEntry(b"old", rssi=-60, auth=AuthMode.WEP),
    )


BAD = {
    "two strings": (b"home", b"-40"),
    "a strength in words": (b"home", b"good", b"NO"),
    "a name longer than any": (b"x" * 33, b"-40", b"NO"),
}


@pytest.mark.parametrize("strings", BAD.values(), ids=BAD)
def test_client_refuses_a_list(strings: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedMessage):
        read_networks(strings)


def test_client_reads_the_page_where_there_is_one() -> None:
    assert read_page(Result(1, (b"https://portal.example",))) == "https://portal.example"
    assert read_page(Result(1)) == ""


def test_client_takes_a_failed_attempt_for_a_wrong_password_and_refuses_the_rest() -> None:
    assert step_of(ErrorCode.UNABLE_TO_CONNECT) is Step.WRONG_PASSWORD
    for code in (ErrorCode.NOT_AUTHORIZED, ErrorCode.UNKNOWN):
        with pytest.raises(ImprovRefused) as caught:
            step_of(code)
        assert caught.value.code is code
        assert caught.value.next_step


def test_advertised_data_come_back() -> None:
    data = put_service_data(ImprovState.AUTHORIZED, Capability.SCAN)
    assert data == b"\2\4\0\0\0\0"
    assert parse_service_data(data) == (ImprovState.AUTHORIZED, Capability.SCAN)


@pytest.mark.parametrize("octets", [b"", b"\2\4\0\0\0", b"\x09\4\0\0\0\0"])
def test_client_refuses_advertised_data(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_service_data(octets)
