import json
from collections.abc import Callable

import pytest

from doorstep.crypto.aead import LockstepGcm
from doorstep.errors import MalformedMessage, PeerError, ProtocolViolation
from doorstep.onboarding.failures import DowngradeRefused, RequestRefused
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm.configurator import Configurator, Conversation
from doorstep.onboarding.steps import STEP_OF_STAGE, Step
from doorstep.wire.provisioning.common import Status
from doorstep.wire.provisioning.config import (
    ConfigApplied,
    ConfigSet,
    ConnectFailure,
    StationReport,
    StationState,
    encode_config,
)
from doorstep.wire.provisioning.delivery import DeviceStage
from doorstep.wire.provisioning.scan import ScanEntry, ScanPage, ScanStarted, ScanState, encode_scan
from tests.onboarding.helpers import LABEL, counted_rng

KEY, NONCE = bytes(32), bytes(11) + b"\x01"
HOME = NetworkCredentials(b"home", b"correct horse")


def _phone() -> tuple[Configurator, LockstepGcm]:
    """Return a configurator in a session with a device of stock firmware, and the device's cipher."""
    phone = Configurator(LABEL, counted_rng(b"phone"))
    phone._cipher = LockstepGcm(KEY, NONCE)
    return phone, LockstepGcm(KEY, NONCE)


def _hold(conversation: Conversation[object], device: LockstepGcm, *replies: bytes) -> object:
    left = list(replies)
    try:
        request = next(conversation)
        while True:
            device.open(request.body)
            request = conversation.send(device.seal(left.pop(0)))
    except StopIteration as done:
        assert not left
        return done.value


def test_configurator_asks_nothing_before_the_session() -> None:
    phone = Configurator(LABEL, counted_rng(b"phone"))
    assert not phone.takes_orders
    with pytest.raises(ProtocolViolation, match="not secured"):
        next(phone.progress())


@pytest.mark.parametrize("consent", [False, True])
def test_configurator_refuses_downgrade_by_proto_ver_also_with_consent(*, consent: bool) -> None:
    conversation = Configurator(LABEL, counted_rng(b"phone"), allow_old_security=consent).find()
    assert next(conversation).endpoint == "proto-ver"
    with pytest.raises(DowngradeRefused):
        conversation.send(json.dumps({"prov": {"ver": "v1.1", "sec_ver": 1, "cap": ["no_pop"]}}).encode())


STOCK_REPORTS = {
    "connected": (StationReport(StationState.CONNECTED), Step.CONNECTED),
    "connecting": (StationReport(StationState.CONNECTING), Step.TRYING),
    "disconnected": (StationReport(StationState.DISCONNECTED), Step.NO_ADDRESS),
    "refused": (StationReport(StationState.FAILED, ConnectFailure.AUTHENTICATION), Step.WRONG_PASSWORD),
    "absent": (StationReport(StationState.FAILED, ConnectFailure.NETWORK_NOT_FOUND), Step.NO_SUCH_NETWORK),
}


@pytest.mark.parametrize(("report", "step"), STOCK_REPORTS.values(), ids=STOCK_REPORTS)
def test_configurator_understands_stock_firmware(report: StationReport, step: Step) -> None:
    phone, device = _phone()
    assert _hold(phone.progress(), device, encode_config(report)) is step


STARTED, TWO = encode_scan(ScanStarted()), encode_scan(ScanState(finished=True, count=2))
Ask = Callable[[Configurator], Conversation[object]]
BAD_REPLIES: dict[str, tuple[Ask, list[bytes], type[Exception]]] = {
    "scan answered with a page": (Configurator.networks, [encode_scan(ScanPage(()))], ProtocolViolation),
    "scan refused": (
        Configurator.networks,
        [encode_scan(ScanStarted(Status.INTERNAL_ERROR))],
        RequestRefused,
    ),
    "empty page": (Configurator.networks, [STARTED, TWO, encode_scan(ScanPage(()))], MalformedMessage),
    "page too long": (
        Configurator.networks,
        [STARTED, TWO, encode_scan(ScanPage((ScanEntry(b"a"),) * 3))],
        MalformedMessage,
    ),
    "network refused": (
        lambda phone: phone.put_forward(HOME),
        [encode_config(ConfigSet(Status.INVALID_ARGUMENT))],
        RequestRefused,
    ),
    "apply refused": (
        lambda phone: phone.put_forward(HOME),
        [encode_config(ConfigSet()), encode_config(ConfigApplied(Status.INTERNAL_ERROR))],
        RequestRefused,
    ),
}


@pytest.mark.parametrize(("ask", "replies", "error"), BAD_REPLIES.values(), ids=BAD_REPLIES)
def test_configurator_refuses_bad_replies(ask: Ask, replies: list[bytes], error: type[Exception]) -> None:
    phone, device = _phone()
    with pytest.raises(error):
        _hold(ask(phone), device, *replies)


def test_configurator_refuses_reply_of_another_session() -> None:
    phone, _ = _phone()
    conversation = phone.progress()
    next(conversation)
    with pytest.raises(PeerError):
        conversation.send(LockstepGcm(b"\x01" * 32, NONCE).seal(b""))
    assert not phone.secured


def test_lost_reply_leaves_no_session_behind() -> None:
    phone, _ = _phone()
    assert phone.secured
    conversation = phone.progress()
    next(conversation)
    conversation.close()
    assert not phone.secured


def test_every_stage_of_a_device_reads_as_a_step() -> None:
    assert set(STEP_OF_STAGE) == set(DeviceStage)


@pytest.mark.parametrize("step", Step)
def test_every_step_has_a_sentence_and_every_trouble_a_next_step(step: Step) -> None:
    assert step.sentence.endswith((".", "?"))
    trouble = {"wrong", "no", "refused", "radio", "checking", "held"}
    if step.key.split("-")[0] in trouble:
        assert step.next_step.endswith(".")
