from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import DoorstepError, PeerError, ProtocolViolation, SettingsError, VerificationFailed
from doorstep.onboarding.failures import RequestRefused, TooManyGuesses, UnknownEndpoint, WrongCode
from doorstep.onboarding.joining import Onboarded
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.lock import LockState, SetupLocked
from doorstep.onboarding.network import (
    EapMethod,
    Enterprise,
    Joined,
    JoinFailure,
    NetworkCredentials,
    StaticAddress,
)
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.capabilities import OWN_LABEL, AppCapabilities, Capabilities
from doorstep.onboarding.protocomm.configurator import Configurator, Request
from doorstep.onboarding.protocomm.device import JoinWanted, ScanWanted, Secured
from doorstep.onboarding.steps import Step
from doorstep.wire.protobuf import put_message, put_octets, put_uint
from doorstep.wire.provisioning.config import (
    ConfigSet,
    StationReport,
    StationState,
    decode_config,
    encode_config,
)
from doorstep.wire.provisioning.ctrl import ResetDone, encode_ctrl
from doorstep.wire.provisioning.delivery import DeviceStage, StageReport, encode_delivery
from doorstep.wire.provisioning.scan import ScanStart, ScanStarted, ScanState, decode_scan, encode_scan
from tests.onboarding.helpers import LABEL, NETWORKS, Link, counted_rng

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = NetworkCredentials(b"home", b"correct horse")
JOINED = Joined("10.0.0.2")
ORDER = RegistrationOrder(b"token", "https://example.test", "lamp")


def _ask(link: Link, endpoint: str, plain: bytes) -> bytes:
    return link.hold(link.phone._ask(endpoint, plain, bytes, bytes))


def test_device_walks_the_whole_path() -> None:
    link = Link()
    link.hold(link.phone.find())
    link.hold(link.phone.secure())
    assert link.hold(link.phone.deliver(ORDER)) == "dev1"
    assert link.hold(link.phone.networks()) == NETWORKS
    link.hold(link.phone.put_forward(HOME))
    assert link.hold(link.phone.progress()) is Step.TRYING
    assert link.joining.finish(JOINED) == Onboarded(HOME, JOINED, ORDER)
    assert link.hold(link.phone.progress()) is Step.CONNECTED
    link.joining.report(DeviceStage.REGISTERED)
    assert link.hold(link.phone.progress()) is Step.REGISTERED
    assert [type(wish) for wish in link.wishes] == [Secured, ScanWanted, JoinWanted]


def test_device_stores_nothing_before_the_network_worked() -> None:
    link = Link().secured()
    link.hold(link.phone.put_forward(HOME))
    assert link.joining.finish(JoinFailure.WRONG_PASSWORD) is None
    assert link.hold(link.phone.progress()) is Step.WRONG_PASSWORD
    link.hold(link.phone.put_forward(HOME))
    assert link.joining.finish(JOINED) == Onboarded(HOME, JOINED, None)


def test_device_keeps_trying_when_the_session_is_lost() -> None:
    link = Link().secured()
    link.hold(link.phone.put_forward(HOME))
    link.device.end_session()
    link.joining.finish(JoinFailure.NO_SUCH_NETWORK)
    link.secured()
    assert link.hold(link.phone.progress()) is Step.NO_SUCH_NETWORK


def test_registration_order_is_handed_over_once_and_may_be_replaced_later() -> None:
    link = Link().secured()
    link.hold(link.phone.deliver(ORDER))
    link.hold(link.phone.put_forward(HOME))
    link.joining.finish(JOINED)
    later = RegistrationOrder(b"another", "https://example.test")
    link.hold(link.phone.deliver(later))
    assert link.wishes[-1] == Onboarded(HOME, JOINED, later)


def test_stage_is_reported_only_once_connected() -> None:
    link = Link().secured()
    link.joining.report(DeviceStage.REGISTERED)
    assert link.hold(link.phone.progress()) is Step.WAITING


def test_reprovision_opens_a_connected_device() -> None:
    link = Link().secured()
    link.hold(link.phone.put_forward(HOME))
    link.joining.finish(JOINED)
    with pytest.raises(RequestRefused):
        link.hold(link.phone.put_forward(HOME))
    link.hold(link.phone.reprovision())
    link.hold(link.phone.put_forward(HOME))
    assert link.wishes[-1] == JoinWanted(HOME)


def test_reset_is_refused_while_trying() -> None:
    link = Link().secured()
    link.hold(link.phone.reset())
    link.hold(link.phone.put_forward(HOME))
    with pytest.raises(RequestRefused):
        link.hold(link.phone.reset())


def test_apply_without_network_is_refused_and_the_session_goes_on() -> None:
    link = Link().secured()
    reply = _ask(link, "prov-config", put_uint(1, 4))
    assert reply == put_uint(1, 5) + put_message(15, put_uint(1, 5))
    assert link.hold(link.phone.progress()) is Step.WAITING


def test_impossible_network_is_refused_and_the_session_goes_on() -> None:
    link = Link().secured()
    too_long = put_uint(1, 2) + put_message(12, put_octets(1, b"n" * 33))
    assert _ask(link, "prov-config", too_long) == put_uint(1, 3) + put_message(13, put_uint(1, 4))
    link.hold(link.phone.put_forward(HOME))


def test_impossible_order_is_refused_and_the_session_goes_on() -> None:
    link = Link().secured()
    reply = _ask(link, "doorstep", put_message(10, put_octets(2, b"ftp://example.test")))
    assert reply == put_uint(1, 1) + put_uint(2, 4) + put_message(11, b"")
    assert link.hold(link.phone.deliver(ORDER)) == "dev1"


def test_device_scans_in_the_background_when_asked_to() -> None:
    link = Link().secured()
    started = _ask(link, "prov-scan", encode_scan(ScanStart(blocking=False)))
    assert decode_scan(started) == ScanStarted()
    assert decode_scan(_ask(link, "prov-scan", put_uint(1, 2))) == ScanState(finished=False, count=0)
    assert link.device.scanned(NETWORKS) is None
    assert decode_scan(_ask(link, "prov-scan", put_uint(1, 2))) == ScanState(finished=True, count=20)


def test_failed_scan_is_told() -> None:
    link = Link(networks=None).secured()
    with pytest.raises(RequestRefused, match="scan"):
        link.hold(link.phone.networks())


def test_scan_results_beyond_the_end_are_refused() -> None:
    link = Link().secured()
    link.hold(link.phone.networks())
    beyond = put_uint(1, 4) + put_message(14, put_uint(1, 20) + put_uint(2, 1))
    assert _ask(link, "prov-scan", beyond) == put_uint(1, 5) + put_uint(2, 4) + put_message(15, b"")


def test_strongest_networks_come_first_and_are_capped() -> None:
    link = Link(networks=tuple(reversed(NETWORKS)) * 4).secured()
    found = link.hold(link.phone.networks())
    assert len(found) == 64
    assert [entry.rssi for entry in found] == sorted((entry.rssi for entry in found), reverse=True)


def test_request_during_blocking_scan_ends_the_session() -> None:
    link = Link().secured()
    asking = link.phone._ask("prov-scan", encode_scan(ScanStart()), bytes, bytes)
    request = next(asking)
    assert link.device.receive(request.endpoint, request.body, 0.0).reply is None
    with pytest.raises(ProtocolViolation, match="still being answered"):
        link.device.receive("prov-config", b"anything", 0.0)
    assert link.device.scanned(NETWORKS) is None


def test_handshake_during_blocking_scan_drops_the_waiting_reply() -> None:
    link = Link().secured()
    request = next(link.phone._ask("prov-scan", encode_scan(ScanStart()), bytes, bytes))
    link.device.receive(request.endpoint, request.body, 0.0)
    link.hold(link.phone.secure())
    assert link.device.scanned(NETWORKS) is None
    assert link.hold(link.phone.progress()) is Step.WAITING


@pytest.mark.parametrize("endpoint", ["prov-scan", "prov-config", "prov-ctrl", "doorstep"])
def test_device_refuses_application_endpoint_before_session(endpoint: str) -> None:
    link = Link()
    with pytest.raises(ProtocolViolation):
        link.device.receive(endpoint, put_uint(1, 2), 0.0)


def test_stock_client_is_told_how_the_joining_goes() -> None:
    link = Link().secured()
    assert decode_config(_ask(link, "prov-config", b"")) == StationReport(StationState.DISCONNECTED)
    link.hold(link.phone.put_forward(HOME))
    assert decode_config(_ask(link, "prov-config", b"")) == StationReport(StationState.CONNECTING)


def test_unknown_endpoint_ends_the_session() -> None:
    link = Link().secured()
    with pytest.raises(UnknownEndpoint):
        link.device.receive("custom-data", b"x", 0.0)
    assert not link.device.busy


def test_replayed_request_ends_the_session() -> None:
    link = Link().secured()
    link.hold(link.phone.progress())
    with pytest.raises(VerificationFailed):
        link.device.receive(*link.sent[-1], 0.0)
    assert not link.device.busy


REPLIES = {
    "prov-scan": encode_scan(ScanStarted()),
    "prov-config": encode_config(ConfigSet()),
    "prov-ctrl": encode_ctrl(ResetDone()),
    "doorstep": encode_delivery(StageReport(DeviceStage.WAITING)),
}


@pytest.mark.parametrize(("endpoint", "plain"), REPLIES.items())
def test_device_refuses_replies_as_requests(endpoint: str, plain: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="reply"):
        _ask(Link().secured(), endpoint, plain)


def test_device_answers_wrong_codes_then_makes_the_guesser_wait() -> None:
    link = Link()
    link.phone = _with_code("wrong")
    for _ in range(5):
        with pytest.raises(WrongCode):
            link.hold(link.phone.secure())
    with pytest.raises(TooManyGuesses):
        link.hold(link.phone.secure())
    link.phone, link.now = _with_code(LABEL.pop), 6.0
    link.hold(link.phone.secure())
    link.phone = _with_code("wrong")
    with pytest.raises(WrongCode):
        link.hold(link.phone.secure())


def _with_code(pop: str) -> Configurator:
    phone = Configurator(SetupLabel(LABEL.name, LABEL.username, pop), counted_rng(b"phone"))
    Link(phone=phone).hold(phone.find())
    return phone


def test_proto_ver_disturbs_no_session() -> None:
    link = Link().secured()
    link.device.receive("proto-ver", b"wifi_prov", 0.0)
    assert link.hold(link.phone.progress()) is Step.WAITING


MALFORMED_PLAIN: dict[str, tuple[str, bytes]] = {
    "scan without its body": ("prov-scan", b""),
    "config with the body of another": ("prov-config", put_uint(1, 2) + put_message(14, b"")),
    "ctrl reserved": ("prov-ctrl", b""),
    "delivery cut off": ("doorstep", b"\x52\x80"),
}


@pytest.mark.parametrize(("endpoint", "plain"), MALFORMED_PLAIN.values(), ids=MALFORMED_PLAIN)
def test_malformed_request_ends_the_session_even_when_sealed(endpoint: str, plain: bytes) -> None:
    link = Link().secured()
    with pytest.raises(PeerError):
        _ask(link, endpoint, plain)
    assert not link.device.busy


def test_profile_and_wishes_keep_secrets_out_of_their_reprs() -> None:
    link = Link().secured()
    link.hold(link.phone.deliver(ORDER))
    link.hold(link.phone.put_forward(HOME))
    shown = repr(link.wishes) + repr(link.joining.finish(JOINED)) + repr(Request("prov-config", b""))
    assert "correct horse" not in shown
    assert "b'token'" not in shown


def test_errors_of_the_core_are_all_of_the_tree() -> None:
    refused: list[Callable[[], object]] = [
        lambda: Link().device.receive("prov-session", b"\xff", 0.0),
        lambda: Link().device.receive("nonsense", b"", 0.0),
    ]
    for act in refused:
        with pytest.raises(DoorstepError):
            act()


KNOWN = ("proto-ver", "prov-session", "prov-scan", "prov-config", "prov-ctrl", "doorstep")
ENDPOINTS = st.sampled_from(KNOWN) | st.text(max_size=9)


@given(st.lists(st.tuples(ENDPOINTS, st.binary(max_size=90), st.booleans()), max_size=6))
def test_device_answers_anything_with_a_reply_or_a_documented_error(
    requests: list[tuple[str, bytes, bool]],
) -> None:
    link = Link().secured()
    for endpoint, octets, sealed in requests:
        cipher = link.phone._cipher
        try:
            body = cipher.seal(octets) if sealed and cipher is not None else octets
            reply = link.device.receive(endpoint, body, 0.0).reply
            if sealed and cipher is not None and reply is not None and endpoint != "proto-ver":
                cipher.open(reply)
        except DoorstepError:
            link.secured()


def test_owned_device_tells_how_its_set_up_ended_and_starts_no_other() -> None:
    link = Link()
    link.joining.stage(HOME)
    link.joining.apply()
    link.joining.finish(JOINED)
    link.joining.lock = LockState.CLAIMED
    link.hold(link.phone.find())
    link.hold(link.phone.secure())
    assert link.hold(link.phone.progress()) is Step.CONNECTED
    link = Link()
    link.joining.lock = LockState.CLAIMED
    link.hold(link.phone.find())
    with pytest.raises(SetupLocked):
        link.hold(link.phone.secure())


def test_transcript_is_of_the_session_under_way() -> None:
    link = Link()
    assert link.device.transcript == bytes(32)
    link.hold(link.phone.find())
    link.hold(link.phone.secure())
    assert link.device.transcript != bytes(32)
    link.device.end_session()
    assert link.device.transcript == bytes(32)


def test_device_names_what_can_be_asked() -> None:
    assert Link().device.endpoints == (
        "proto-ver",
        "prov-session",
        "prov-scan",
        "prov-config",
        "prov-ctrl",
        "doorstep",
    )


OFFICE = NetworkCredentials(
    b"office",
    enterprise=Enterprise(EapMethod.PEAP, "lamp", b"\x30ca", password=b"secret"),
    static=StaticAddress("192.0.2.7/24", "192.0.2.1"),
)


def test_device_joins_with_the_details_it_was_given() -> None:
    link = Link().secured()
    link.hold(link.phone.put_forward(OFFICE))
    assert link.wishes[-1] == JoinWanted(OFFICE)
    link.joining.finish(JoinFailure.WRONG_PASSWORD)
    link.hold(link.phone.put_forward(HOME))
    assert link.wishes[-1] == JoinWanted(HOME)


def test_configurator_sends_nothing_of_such_a_network_to_a_device_that_takes_no_details() -> None:
    link = Link()
    link.hold(link.phone.find())
    link.hold(link.phone.secure())
    link.phone._capabilities = Capabilities(
        "v1.1", 2, 1, (), {OWN_LABEL: AppCapabilities("1", ("delivery",))}
    )
    before = len(link.sent)
    with pytest.raises(SettingsError, match="firmware"):
        link.hold(link.phone.put_forward(OFFICE))
    assert len(link.sent) == before
