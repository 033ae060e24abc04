import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.onboarding.blufi.reports import (
    EndReason,
    StationStatus,
    StatusReport,
    parse_networks,
    put_networks,
)
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.network import Joined, JoinFailure, JoinOutcome, NetworkCredentials
from doorstep.wire.provisioning.scan import ScanEntry

HOME = NetworkCredentials(b"caf\xc3\xa9 \xff", b"correct horse")
OUTCOMES: dict[JoinOutcome, StatusReport] = {
    Joined("10.0.0.2", bssid=b"\2" * 6): StatusReport(StationStatus.CONNECTED, HOME.ssid, b"\2" * 6),
    JoinFailure.NO_ADDRESS: StatusReport(StationStatus.NO_ADDRESS, HOME.ssid),
    JoinFailure.WRONG_PASSWORD: StatusReport(StationStatus.DISCONNECTED, HOME.ssid, reason=15),
    JoinFailure.NO_SUCH_NETWORK: StatusReport(StationStatus.DISCONNECTED, HOME.ssid, reason=201),
    JoinFailure.RADIO_FAILED: StatusReport(StationStatus.DISCONNECTED, HOME.ssid, reason=EndReason.FAILED),
}


@pytest.mark.parametrize("outcome", OUTCOMES, ids=str)
def test_device_tells_how_the_attempt_went_and_never_the_password(outcome: JoinOutcome) -> None:
    joining = Joining()
    assert StatusReport.of(joining) == StatusReport(StationStatus.DISCONNECTED)
    joining.stage(HOME)
    joining.apply()
    assert StatusReport.of(joining).status is StationStatus.CONNECTING
    joining.finish(outcome)
    report = StatusReport.of(joining)
    assert report == OUTCOMES[outcome]
    assert StatusReport.decode(report.octets()) == report
    assert HOME.passphrase not in report.octets()


def test_app_passes_over_fields_that_it_does_not_know() -> None:
    assert StatusReport.decode(b"\1\0\0\x16\x01\xc4\x02\x01x") == StatusReport(StationStatus.CONNECTED, b"x")


BAD = {
    "cut": b"\1\0",
    "unknown status": b"\1\x09\0",
    "field without a length": b"\1\0\0\2",
    "field cut": b"\1\0\0\2\5home",
    "SSID too long": b"\1\0\0\2\x21" + bytes(33),
    "BSSID too short": b"\1\0\0\1\1x",
    "reason of two bytes": b"\1\0\0\x15\2xx",
}


@pytest.mark.parametrize("octets", BAD.values(), ids=BAD)
def test_app_refuses_a_report(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        StatusReport.decode(octets)


@given(st.lists(st.builds(ScanEntry, st.binary(max_size=32), rssi=st.integers(-128, 127)), max_size=30))
def test_list_of_networks_comes_back_strongest_first(entries: list[ScanEntry]) -> None:
    assert parse_networks(put_networks(entries)) == tuple(sorted(entries, key=lambda each: -each.rssi))


def test_list_holds_the_strongest_thirty() -> None:
    entries = [ScanEntry(b"x", rssi=-number) for number in range(200)]
    assert [entry.rssi for entry in parse_networks(put_networks(entries))] == [-n for n in range(30)]


@pytest.mark.parametrize("octets", [b"\0", b"\5\xc4ho", b"\x22\xc4" + bytes(33)])
def test_app_refuses_a_list(octets: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_networks(octets)
