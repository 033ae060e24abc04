"""BluFi's frames and messages, both roles."""

from doorstep.errors import PeerError
from doorstep.onboarding.blufi.configurator import BlufiConfigurator
from doorstep.onboarding.blufi.device import BlufiDevice, BlufiProfile
from doorstep.onboarding.blufi.frames import FrameReader, FrameWriter, Kind, Mode
from doorstep.onboarding.blufi.negotiation import SUITES, offer, open_offer
from doorstep.onboarding.blufi.reports import StatusReport, parse_networks, put_networks
from doorstep.onboarding.joining import Joining
from doorstep.wire.provisioning.delivery import Deliver, encode_delivery
from doorstep.wire.provisioning.scan import ScanEntry
from tests.fuzz.targets import target
from tests.onboarding.blufi.test_negotiation import GOOD, LENGTH
from tests.onboarding.blufi.test_reports import OUTCOMES
from tests.onboarding.helpers import counted_rng

_KEY = bytes(16)


def _written(*messages: tuple[Kind, bytes], key: bytes = b"", from_device: bool = False) -> bytes:
    """Write messages as the targets read them: each frame behind its length."""
    writer = FrameWriter(from_device=from_device, room=64)
    writer.key = key
    mode = Mode.CHECKED | Mode.ENCRYPTED if key else Mode(0)
    frames = [frame for kind, content in messages for frame in writer.write(kind, content, mode)]
    return b"".join(bytes((len(frame),)) + frame for frame in frames)


def _frames(data: bytes) -> list[bytes]:
    frames = []
    while data:
        frames.append(data[1 : 1 + data[0]])
        data = data[1 + data[0] :]
    return frames


_OFFER = offer(SUITES[0], bytes(128))
_SETUP = (
    (Kind.GET_VERSION, b""), (Kind.SET_MODE, b"\1"), (Kind.SSID, b"home"), (Kind.PASSWORD, b"correct horse"),
    (Kind.CUSTOM, encode_delivery(Deliver(b"token", "https://maker.example"))), (Kind.CONNECT, b""),
    (Kind.GET_STATUS, b""), (Kind.GET_NETWORKS, b""), (Kind.HANG_UP, b""),
)  # fmt: skip


@target("blufi-frames", [_written(*_SETUP, key=_KEY), _written(*_SETUP)])
def fuzz_blufi_frames(data: bytes) -> None:
    reader = FrameReader(from_device=False)
    reader.key = _KEY
    for frame in _frames(data):
        reader.take(frame)


@target("blufi-device", [_written(*_SETUP), _written(*((Kind.NEGOTIATION, part) for part in _OFFER))])
def fuzz_blufi_device(data: bytes) -> None:
    device = BlufiDevice(BlufiProfile("dev1", allow_plain=True), Joining(), counted_rng(b"device"))
    for frame in _frames(data):
        device.receive(frame)


@target("blufi-app", [_written((Kind.VERSION, b"\1\4"), (Kind.STATUS, b"\1\0\0"), from_device=True)])
def fuzz_blufi_app(data: bytes) -> None:
    app = BlufiConfigurator(counted_rng(b"app"), 64)
    for frame in _frames(data):
        app.receive(frame)


@target("blufi-offer", [GOOD, offer(SUITES[1], bytes(384))[1]], allowed=(PeerError,))
def fuzz_blufi_offer(data: bytes) -> None:
    open_offer(data, LENGTH if len(data) < 500 else 775)


@target("blufi-status", [report.octets() for report in OUTCOMES.values()])
def fuzz_blufi_status(data: bytes) -> None:
    report = StatusReport.decode(data)
    assert StatusReport.decode(report.octets()) == report


@target("blufi-networks", [put_networks([ScanEntry(b"home", rssi=-40), ScanEntry(b"", rssi=-90)])])
def fuzz_blufi_networks(data: bytes) -> None:
    parse_networks(data)
