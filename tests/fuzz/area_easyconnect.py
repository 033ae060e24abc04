"""What configurators, devices, relays and labels of Easy Connect send, and what WPS registrars hand over."""

import json

from doorstep.crypto.p256 import generate
from doorstep.errors import DoorstepError, PeerError, SettingsError
from doorstep.onboarding.dpp.configuration import Configuration, EnrolleeRequest, decode_network
from doorstep.onboarding.dpp.configurator import Configurator
from doorstep.onboarding.dpp.enrollee import Enrollee
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.wps.session import DeviceSession, RouterSession
from doorstep.wire.dpp import Attributes, FrameReader, encode_frame
from doorstep.wire.wpa_control import decode_event
from doorstep.wire.wps import decode_credentials
from tests.fuzz.targets import target
from tests.onboarding.dpp.record import NETWORK, RECORDED, SEED
from tests.onboarding.dpp.test_uri import TEXT
from tests.onboarding.helpers import counted_rng
from tests.wire.test_wps import SENT

_STORED = json.loads(RECORDED.read_text())
_FRAMES = [bytes.fromhex(frame) for frame in _STORED["frames"]]
_KEY = generate(counted_rng(b"label"))
_ASKING = Configurator(BootstrapUri(_KEY.public_key), Configuration(NETWORK), counted_rng(SEED))
_HOLDER = generate(counted_rng(b"holder")).public_key


@target("dpp-uri", [TEXT.encode(), _STORED["uri"].encode()])
def fuzz_dpp_uri(data: bytes) -> None:
    BootstrapUri.decode(data.decode("utf-8", "replace"))


@target("dpp-frames", [*_FRAMES, b"".join(_FRAMES)])
def fuzz_dpp_frames(data: bytes) -> None:
    for message in FrameReader().feed(data):
        body = getattr(message, "body", b"") or getattr(message, "query", b"")
        Attributes.decode(body)


@target("dpp-configurator", [_FRAMES[1], _FRAMES[1] + _FRAMES[3], _FRAMES[1] + _FRAMES[3] + _FRAMES[5]])
def fuzz_dpp_configurator(data: bytes) -> None:
    core = Configurator(BootstrapUri.decode(_STORED["uri"]), Configuration(NETWORK), counted_rng(SEED))
    core.start()
    for message in FrameReader().feed(data):
        if core.receive(message).failure is not None:
            return


@target("dpp-enrollee", [encode_frame(_ASKING.start())])
def fuzz_dpp_enrollee(data: bytes) -> None:
    core = Enrollee(_KEY, "kettle", counted_rng(b"device"))
    for message in FrameReader().feed(data):
        core.receive(message)


@target(
    "dpp-network",
    [
        Configuration(NETWORK).encode(_HOLDER),
        Configuration(NetworkCredentials(b"\xff", b"0a" * 32)).encode(_HOLDER),
    ],
    allowed=(PeerError, SettingsError),
)
def fuzz_dpp_network(data: bytes) -> None:
    decode_network(data)


@target("dpp-request", [EnrolleeRequest("kettle").encode()])
def fuzz_dpp_request(data: bytes) -> None:
    EnrolleeRequest.decode(data)


@target("wps-credentials", [SENT])
def fuzz_wps_credentials(data: bytes) -> None:
    decode_credentials(data)


@target(
    "wps-session",
    [
        b"<3>WPS-CRED-RECEIVED " + SENT.hex().encode() + b"\0<3>WPS-SUCCESS ",
        b"<3>WPS-FAIL msg=8 config_error=18",
    ],
    allowed=(DoorstepError,),
)
def fuzz_wps_session(data: bytes) -> None:
    sides = DeviceSession(), RouterSession()
    for side in sides:
        side.open(0.0)
        for line in data.split(b"\0"):
            event = decode_event(line)
            if event.name.startswith("WPS-"):
                try:
                    side.hear(event)
                except ValueError:
                    return  # a name that is none of the session's events: its shell never hands it over
