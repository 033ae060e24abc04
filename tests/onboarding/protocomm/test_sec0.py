import pytest

from doorstep.errors import PeerError, ProtocolViolation
from doorstep.onboarding.failures import DowngradeRefused, RequestRefused
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import Joined, NetworkCredentials
from doorstep.onboarding.protocomm.sec0 import Sec0Device, handshake_as_configurator
from doorstep.onboarding.steps import Step
from doorstep.testing.unprotected import UnprotectedConfigurator, unprotected_session
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.session import Sec0Command, Sec0Response, Sec1Command0, encode_session
from tests.onboarding.helpers import NETWORKS, Link, counted_rng

LABEL = SetupLabel("PROV_1", "", "", security=0)


def _link() -> Link:
    phone = UnprotectedConfigurator(LABEL, counted_rng(b"phone"))
    return Link(session=unprotected_session(), phone=phone)


def test_simulator_walks_the_whole_path_in_the_open() -> None:
    link = _link()
    found = link.hold(link.phone.find())
    assert (found.sec_ver, found.sec_patch_ver) == (0, 0)
    assert "no_sec" in found.caps
    link.hold(link.phone.secure())
    assert link.hold(link.phone.networks()) == NETWORKS
    link.hold(link.phone.put_forward(NetworkCredentials(b"home", b"correct horse")))
    assert link.joining.finish(Joined("10.0.0.2")) is not None
    assert link.hold(link.phone.progress()) is Step.CONNECTED
    assert any(b"correct horse" in body for _, body in link.sent)


def test_configurator_refuses_device_without_security_whatever_the_label_and_the_consent() -> None:
    for label in (LABEL, Link().phone._label, SetupLabel("PROV_1", "doorstep", "abc", security=0)):
        for allow_old in (False, True):
            phone = type(Link().phone)(label, counted_rng(b"phone"), allow_old_security=allow_old)
            link = Link(session=unprotected_session(), phone=phone)
            with pytest.raises(DowngradeRefused):
                link.hold(phone.find())
            assert [endpoint for endpoint, _ in link.sent] == ["proto-ver"]


def test_simulators_configurator_leaves_protected_devices_alone() -> None:
    link = Link(phone=_link().phone)
    with pytest.raises(ProtocolViolation, match="security 0 alone"):
        link.hold(link.phone.find())


def test_device_refuses_other_schemes_and_requests_before_the_session() -> None:
    device = Sec0Device()
    with pytest.raises(PeerError, match="before the session"):
        device.open(b"")
    with pytest.raises(ProtocolViolation, match="security 0"):
        device.answer(encode_session(Sec1Command0(b"\x01" * 32)))


BAD_REPLIES = {
    "not a reply": (Sec0Command(), ProtocolViolation),
    "refused": (Sec0Response(Status.INVALID_SCHEME), RequestRefused),
}


@pytest.mark.parametrize(("reply", "error"), BAD_REPLIES.values(), ids=BAD_REPLIES)
def test_configurator_refuses_bad_reply(reply: Sec0Command | Sec0Response, error: type[Exception]) -> None:
    phone = handshake_as_configurator()
    assert next(phone) == bytes.fromhex("5203a20100")
    with pytest.raises(error):
        phone.send(encode_session(reply))
