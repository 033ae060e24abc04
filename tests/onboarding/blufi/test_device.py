import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorstep.errors import IllegalTransition
from doorstep.onboarding.blufi.configurator import (
    BlufiConfigurator,
    DeviceError,
    KeyAgreed,
    NetworksHeard,
    VersionTold,
)
from doorstep.onboarding.blufi.device import (
    TRANSITIONS,
    BlufiDevice,
    BlufiProfile,
    HangUp,
    JoinWanted,
    KeyEvent,
    KeyState,
    ScanWanted,
    advance,
)
from doorstep.onboarding.blufi.frames import ErrorCode, FrameReader, FrameWriter, Kind, Message, Mode
from doorstep.onboarding.blufi.negotiation import SUITES, offer
from doorstep.onboarding.blufi.reports import StationStatus, StatusReport
from doorstep.onboarding.joining import Joining, JoinState, Onboarded
from doorstep.onboarding.network import Joined, JoinFailure, NetworkCredentials
from doorstep.wire.provisioning.delivery import Deliver, Delivered, DeviceStage, StageQuery, StageReport
from doorstep.wire.provisioning.scan import ScanEntry
from tests.onboarding.blufi.link import NEW, OLD, BlufiLink
from tests.onboarding.helpers import counted_rng

HOME = NetworkCredentials(b"caf\xc3\xa9", b"correct horse")
PLAIN = BlufiProfile("dev1", allow_plain=True)


def test_table_knows_every_state_and_refuses_the_rest() -> None:
    assert TRANSITIONS.keys() == set(KeyState)
    with pytest.raises(IllegalTransition):
        advance(KeyState.NONE, KeyEvent.PARAMETERS)


@pytest.mark.parametrize("version", [OLD, NEW], ids=["1024 bits", "3072 bits"])
def test_app_sets_the_device_up(version: tuple[int, int]) -> None:
    link = BlufiLink()
    assert link.write(link.app.ask_version()) == [VersionTold((1, 4))]
    link.secured(version)
    order = Deliver(b"token", "https://maker.example")
    assert link.write(link.app.deliver(order)) == [Delivered("dev1")]
    assert link.write(link.app.join(HOME)) == []
    assert link.wishes == [JoinWanted(HOME)]
    assert link.write(link.app.ask_status()) == [StatusReport(StationStatus.CONNECTING, HOME.ssid)]
    onboarded = link.joining.finish(Joined("10.0.0.2"))
    assert onboarded is not None
    assert onboarded.order is not None
    assert link.notify(link.device.status()) == [StatusReport(StationStatus.CONNECTED, HOME.ssid)]
    assert not any(HOME.passphrase in frame or b"token" in frame for frame in link.sent)


def test_wrong_password_is_told_and_tried_again_in_the_same_session() -> None:
    link = BlufiLink().secured()
    link.write(link.app.join(NetworkCredentials(HOME.ssid, b"wrong horse")))
    link.joining.finish(JoinFailure.WRONG_PASSWORD)
    (report,) = link.notify(link.device.status())
    assert report == StatusReport(StationStatus.DISCONNECTED, HOME.ssid, reason=15)
    link.write(link.app.join(HOME))
    assert link.wishes[-1] == JoinWanted(HOME)


def test_device_lists_what_it_hears_or_says_that_it_cannot() -> None:
    link = BlufiLink().secured()
    link.write(link.app.ask_networks())
    assert link.wishes == [ScanWanted()]
    heard = (ScanEntry(b"home", rssi=-40), ScanEntry(b"far", rssi=-80))
    assert link.notify(link.device.scanned(heard)) == [NetworksHeard(heard)]
    assert link.notify(link.device.scanned(None)) == [DeviceError(ErrorCode.SCAN)]


def test_device_hands_on_an_order_that_comes_once_it_is_connected() -> None:
    link = BlufiLink().secured()
    link.write(link.app.join(HOME))
    link.joining.finish(Joined("10.0.0.2"))
    link.write(link.app.deliver(Deliver(b"token", "https://maker.example")))
    assert isinstance(link.wishes[-1], Onboarded)
    assert link.write(link.app.deliver(StageQuery())) == [StageReport(DeviceStage.REGISTERING)]


def test_app_asks_the_device_to_hang_up() -> None:
    link = BlufiLink()
    link.write(link.app.hang_up())
    assert link.wishes == [HangUp()]


def test_device_acknowledges_what_the_app_wants_acknowledged() -> None:
    link = BlufiLink()
    (frame,) = link.device.receive(b"\x08\x08\x00\x01\x01").frames
    assert FrameReader(from_device=True).take(frame) == Message(Kind.ACK, b"\0")
    assert link.device.receive(b"\x00\x00\x01\x01\x00").frames == []


# What attackers tried on stock firmware.


def write_plain(link: BlufiLink, kind: Kind, content: bytes) -> list[object]:
    """Write what an app without encryption writes, with the device's next sequence number."""
    return list(link.write(link.app._writer.write(kind, content, Mode(0))))


SECRETS = (Kind.SSID, Kind.PASSWORD, Kind.BSSID, Kind.CUSTOM)


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("mode", [Mode(0), Mode.ENCRYPTED, Mode.CHECKED])
def test_device_takes_no_secret_that_is_not_encrypted_and_checked(kind: Kind, mode: Mode) -> None:
    link = BlufiLink().secured()
    assert link.write(link.app._writer.write(kind, b"x", mode)) == [DeviceError(ErrorCode.NOT_READY)]
    assert link.wishes == []


LONG = {
    Kind.SSID: b"x" * 33,
    Kind.PASSWORD: b"x" * 65,
    Kind.BSSID: b"x" * 7,
}


@pytest.mark.parametrize("kind", LONG)
def test_device_refuses_what_is_longer_than_its_buffer(kind: Kind) -> None:
    """CVE-2025-55297: the stock example copied any length into fixed buffers."""
    link = BlufiLink().secured()
    assert link.write(link.app._writer.write(kind, LONG[kind])) == [DeviceError(ErrorCode.FORMAT)]


def test_device_refuses_parameters_longer_than_announced() -> None:
    """CVE-2025-55297: the announced length sized the buffer, the frame's own length was copied."""
    link = BlufiLink()
    announcement, parameters = offer(SUITES[0], bytes(128))
    write_plain(link, Kind.NEGOTIATION, announcement[:-1] + b"\x01")
    assert write_plain(link, Kind.NEGOTIATION, parameters) == [DeviceError(ErrorCode.PARAMETERS)]
    assert link.device.state is KeyState.ANNOUNCED


def test_device_refuses_parameters_without_their_length() -> None:
    link = BlufiLink()
    assert write_plain(link, Kind.NEGOTIATION, offer(SUITES[0], bytes(128))[1]) == [
        DeviceError(ErrorCode.STATE)
    ]


def test_device_refuses_a_second_negotiation() -> None:
    link = BlufiLink().secured()
    assert write_plain(link, Kind.NEGOTIATION, b"\x00\x01\x07") == [DeviceError(ErrorCode.STATE)]


@pytest.mark.parametrize("mode", [b"", b"\x03\x03", b"\x04", b"\x40"])
def test_device_refuses_a_security_mode_that_is_none(mode: bytes) -> None:
    link = BlufiLink().secured()
    assert link.write(link.app._writer.write(Kind.SET_SECURITY, mode)) == [DeviceError(ErrorCode.FORMAT)]


def test_device_encrypts_nothing_before_there_is_a_key() -> None:
    link = BlufiLink()
    assert write_plain(link, Kind.SET_SECURITY, b"\x03") == [DeviceError(ErrorCode.NOT_READY)]
    assert write_plain(link, Kind.SET_SECURITY, b"\x11") == []


@pytest.mark.parametrize("kind", [Kind.DISCONNECT, Kind.DEAUTHENTICATE, Kind.STATUS])
def test_device_does_nothing_that_it_does_not_know(kind: Kind) -> None:
    assert write_plain(BlufiLink(), kind, b"") == [DeviceError(ErrorCode.FORMAT)]


@pytest.mark.parametrize("mode", [b"", b"\x00", b"\x02", b"\x03"])
def test_device_opens_no_access_point(mode: bytes) -> None:
    assert write_plain(BlufiLink(), Kind.SET_MODE, mode) == [DeviceError(ErrorCode.FORMAT)]


def test_device_connects_to_nothing_that_cannot_be_and_not_twice() -> None:
    link = BlufiLink().secured()
    link.write(link.app._writer.write(Kind.PASSWORD, b"short"))
    assert link.write(link.app._writer.write(Kind.CONNECT)) == [DeviceError(ErrorCode.FORMAT)]
    link.joining.state = JoinState.TRYING
    assert link.write(link.app.join(HOME)) == [DeviceError(ErrorCode.STATE)]


def test_device_takes_no_rubbish_for_an_order() -> None:
    link = BlufiLink().secured()
    assert link.write(link.app._writer.write(Kind.CUSTOM, b"\xff")) == [DeviceError(ErrorCode.FORMAT)]


def test_broken_frame_ends_the_connection() -> None:
    link = BlufiLink()
    answer_ = link.device.receive(b"\x1c\x00\x05\x00")
    assert answer_.wishes == (HangUp(),)
    assert link.notify(answer_.frames) == [DeviceError(ErrorCode.SEQUENCE)]


def test_replayed_frame_ends_the_connection() -> None:
    link = BlufiLink().secured()
    link.write(link.app.join(HOME))
    answer_ = link.device.receive(link.sent[-1])
    assert answer_.wishes == (HangUp(),)


def test_session_without_numbers_left_ends() -> None:
    link = BlufiLink().secured()
    while HangUp() not in link.wishes:
        link.write(link.app.ask_status() if link.app._writer._count < 250 else [b""])
    link.device._writer._count = 256
    assert link.device.receive(b"").wishes == (HangUp(),)


def test_fake_device_in_the_middle_reads_the_password_of_blufi() -> None:
    """The demonstration: the key agreement authenticates nobody, so the app encrypts for the attacker."""
    app, attacker = BlufiConfigurator(counted_rng(b"app"), 182), BlufiDevice(
        BlufiProfile("fake"), Joining(), counted_rng(b"attacker")
    )  # fmt: skip
    attacker.room(182)
    agreed = None
    for frame in app.negotiate(OLD):
        for reply in attacker.receive(frame).frames:
            agreed = app.receive(reply) or agreed
    assert isinstance(agreed, KeyAgreed)
    wishes = [wish for frame in agreed.frames + app.join(HOME) for wish in attacker.receive(frame).wishes]
    assert wishes == [JoinWanted(HOME)]


def test_listener_reads_no_password_of_blufi() -> None:
    """What it is good for: both public values and every frame are not enough (1024 bits are for the rich)."""
    link = BlufiLink().secured()
    link.write(link.app.join(HOME))
    assert not any(HOME.passphrase in frame or HOME.ssid in frame for frame in link.sent)


def test_listener_reads_everything_where_the_product_allows_plain() -> None:
    link = BlufiLink(profile=PLAIN)
    for kind, content in ((Kind.SSID, HOME.ssid), (Kind.PASSWORD, HOME.passphrase), (Kind.CONNECT, b"")):
        write_plain(link, kind, content)
    assert link.wishes == [JoinWanted(HOME)]
    assert any(HOME.passphrase in frame for frame in link.sent)


def test_profile_tells_its_risk() -> None:
    assert "sits between" in BlufiProfile("dev1").risk
    assert "anybody in reach reads" in PLAIN.risk


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=64)), max_size=8))
def test_device_survives_any_messages(messages: list[tuple[Kind, bytes]]) -> None:
    link, writer = BlufiLink(profile=PLAIN), FrameWriter(from_device=False, room=255)
    for kind, content in messages:
        for frame in writer.write(kind, content):
            link.device.receive(frame)
