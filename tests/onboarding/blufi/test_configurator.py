import pytest

from doorstep.errors import MalformedMessage, ProtocolViolation
from doorstep.onboarding.blufi.configurator import BlufiConfigurator, DeviceError
from doorstep.onboarding.blufi.frames import ErrorCode, FrameRefused, FrameWriter, Kind, Mode
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.provisioning.delivery import StageQuery
from tests.onboarding.blufi.link import OLD, BlufiLink
from tests.onboarding.helpers import counted_rng


def app() -> BlufiConfigurator:
    return BlufiConfigurator(counted_rng(b"app"), 128)


def say(kind: Kind, content: bytes) -> bytes:
    (frame,) = FrameWriter(from_device=True, room=255).write(kind, content)
    return frame


def test_app_sends_no_secret_without_a_key() -> None:
    with pytest.raises(ProtocolViolation):
        app().join(NetworkCredentials(b"home"))
    with pytest.raises(ProtocolViolation):
        app().deliver(StageQuery())


def test_app_takes_no_key_that_it_did_not_ask_for() -> None:
    with pytest.raises(ProtocolViolation):
        app().receive(say(Kind.NEGOTIATION, bytes(128)))
    link = BlufiLink().secured()
    (again,) = link.device._writer.write(Kind.NEGOTIATION, bytes(128))
    with pytest.raises(ProtocolViolation):
        link.app.receive(again)


@pytest.mark.parametrize("public", [b"", bytes(128), b"\1" * 127])
def test_app_takes_no_public_value_that_is_none(public: bytes) -> None:
    there = app()
    there.negotiate(OLD)
    with pytest.raises(MalformedMessage):
        there.receive(say(Kind.NEGOTIATION, public))


def test_app_takes_no_unprotected_answer_once_there_is_a_key() -> None:
    """Somebody in between could else say that all is well."""
    link = BlufiLink().secured()
    (plain,) = link.device._writer.write(Kind.STATUS, b"\1\0\0", Mode(0))
    with pytest.raises(MalformedMessage):
        link.app.receive(plain)


def test_app_hears_errors_in_the_open() -> None:
    link = BlufiLink().secured()
    (error,) = link.device._writer.write(Kind.ERROR, b"\x09", Mode(0))
    assert link.app.receive(error) == DeviceError(ErrorCode.FORMAT)


BAD = {
    "a version of three bytes": say(Kind.VERSION, b"\1\4\0"),
    "an error of no number": say(Kind.ERROR, b""),
    "an unknown error": say(Kind.ERROR, b"\x77"),
    "what only apps say": say(Kind.SSID, b"home"),
    "a cut report": say(Kind.STATUS, b"\1"),
    "a cut list": say(Kind.NETWORKS, b"\5"),
    "custom data of another kind": say(Kind.CUSTOM, b"\xff"),
}


@pytest.mark.parametrize("frame", BAD.values(), ids=BAD)
def test_app_refuses(frame: bytes) -> None:
    with pytest.raises(MalformedMessage):
        app().receive(frame)


def test_app_passes_over_acknowledgements_and_waits_for_fragments() -> None:
    there = app()
    assert there.receive(say(Kind.ACK, b"\0")) is None
    assert there.receive(b"\x4d\x14\x01\x03\x05\x00a") is None


def test_app_refuses_its_own_frames_sent_back() -> None:
    there = app()
    with pytest.raises(FrameRefused):
        there.receive(there.ask_version()[0])
