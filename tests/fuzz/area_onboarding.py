"""The doors of a board's set-up and what its configurators read."""

import asyncio

from doorstep.device.setup.httpd import MAX_HEAD, HttpRefusal, read_request
from doorstep.errors import PeerError, RefusedError, SettingsError
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.protocomm.capabilities import AppCapabilities, Capabilities, parse_capabilities
from doorstep.onboarding.protocomm.console import MAX_REQUEST_LINE, Lines, decode_reply, decode_request
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.device import DeviceOnboarding
from doorstep.onboarding.protocomm.schemes import open_device_session
from tests.fuzz.targets import stored_vectors, target
from tests.onboarding.helpers import LABEL, PROFILE, counted_rng

_POST = (
    b"POST /prov-session HTTP/1.1\r\nHost: 192.168.4.1\r\nCookie: session=1\r\nContent-Length: 4\r\n\r\n1234"
)
_SESSION = stored_vectors("onboarding.json", "command0", "command1", "message")
_CONVERSATIONS = [b"\x01\xff" + body for body in _SESSION]
_LIMITS = (PeerError, RefusedError, SettingsError)
_ENDPOINTS = (b"proto-ver", b"prov-session", b"prov-scan", b"prov-config", b"prov-ctrl", b"doorstep")


@target("setup-label", [LABEL.encode().encode()], allowed=_LIMITS)
def fuzz_setup_label(data: bytes) -> None:
    label = SetupLabel.decode(data.decode("utf-8", "replace"))
    assert SetupLabel.decode(label.encode()) == label


@target("capabilities", [Capabilities("v1.1", 2, 1, ("wifi_scan",), {"x": AppCapabilities("1")}).encode()])
def fuzz_capabilities(data: bytes) -> None:
    parse_capabilities(data)


@target("console", [b"prov-session 0 0a0b\n", b"proto-ver 4294967295 2d2d2d\r\n", b"! no\n", b"0a0b\n"])
def fuzz_console(data: bytes) -> None:
    for line in Lines(MAX_REQUEST_LINE).feed(data):
        for decode in (decode_reply, decode_request):
            decode(line)


@target("setup-http", [_POST, _POST.replace(b"Cookie", b"X-Cookie")], allowed=(HttpRefusal,))
def fuzz_setup_http(data: bytes) -> None:
    async def read() -> None:
        reader = asyncio.StreamReader(limit=MAX_HEAD)
        reader.feed_data(data)
        reader.feed_eof()
        await read_request(reader)

    asyncio.run(read())


@target("setup-device", [bytes((number, 9)) + b"9" * 9 for number in range(6)] + _CONVERSATIONS)
def fuzz_setup_device(data: bytes) -> None:
    """Take ``data`` for a conversation: endpoint, length, body, and again."""
    session = open_device_session(PROFILE.secret, counted_rng(b"device"))
    device = DeviceOnboarding("dev1", session, Joining())
    _converse(device, data)


@target("setup-device-1", _CONVERSATIONS)
def fuzz_setup_device_1(data: bytes) -> None:
    session = open_device_session(Sec1Code("abcd1234"), counted_rng(b"device"))
    _converse(DeviceOnboarding("dev1", session, Joining()), data)


def _converse(device: DeviceOnboarding, data: bytes) -> None:
    while len(data) > 1:
        endpoint, size = _ENDPOINTS[data[0] % len(_ENDPOINTS)], data[1] if data[1] < 255 else len(data)
        try:
            device.receive(endpoint.decode(), data[2 : 2 + size], now=0.0)
        except PeerError:
            device.end_session()
        data = data[2 + size :]
