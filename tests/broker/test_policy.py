from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.broker.policy import (
    PLAIN_SESSION_US,
    Admission,
    ConnectRefused,
    ConnectRequest,
    CredentialFacts,
    DeviceFacts,
    LegacyFacts,
    Reason,
    admit_certificate,
    admit_legacy,
    admit_proof,
    claimed_device,
)
from doorstep.identity.ids import kid_of
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.legacy.login import password_hash
from doorstep.messaging.proof import NO_PROOF_YET, Counter, Standing, seal_connect_proof
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState
from doorstep.runtime.brokers import Broker

NOW = 1_000_000
DEVICE = DeviceFacts("abcdefgh", blocked=False, life="owned")
CREDENTIAL = CredentialFacts("active", NOW - 1, NOW + 1)
ROOT = bytes(range(32))
STATE = SealedState.first(ROOT)
REQUEST = ConnectRequest(
    broker=Broker.SECURE,
    kind="mqtt",
    client_id=DEVICE.device_id,
    username="",
    password="",
    fingerprint="f" * 64,
    user_nkey="U",
    server_id="N",
    connection=7,
)
WRONG_REQUESTS = {
    "a NATS client": (replace(REQUEST, kind="nats"), Reason.NOT_MQTT),
    "another's client id": (replace(REQUEST, client_id="bbbbbbbb"), Reason.FOREIGN_CLIENT_ID),
    "no client id": (replace(REQUEST, client_id=""), Reason.FOREIGN_CLIENT_ID),
}
WRONG_DEVICES = {
    "blocked": (replace(DEVICE, blocked=True), Reason.REVOKED),
    "not owned": (replace(DEVICE, life="sold"), Reason.NOT_OWNED),
}


def proof(sealer: DeviceSealer | None = None) -> str:
    return seal_connect_proof(sealer or DeviceSealer(kid_of(DEVICE.device_id), DeviceState(ROOT)))


def stands(last: Counter) -> Standing:
    return Standing(STATE, last, Allowance())


def refusal(
    request: ConnectRequest,
    device: DeviceFacts | None,
    credential: CredentialFacts | None = CREDENTIAL,
    now: int = NOW,
) -> Reason:
    with pytest.raises(ConnectRefused) as caught:
        admit_certificate(request, device, credential, now)
    return caught.value.reason


def proof_refusal(request: ConnectRequest, device: DeviceFacts | None, sealed: Standing | None) -> Reason:
    with pytest.raises(ConnectRefused) as caught:
        admit_proof(request, device, sealed, NOW)
    return caught.value.reason


def test_policy_admits_an_owned_device_until_its_certificate_ends() -> None:
    assert admit_certificate(REQUEST, DEVICE, CREDENTIAL, NOW) == Admission(DEVICE.device_id, NOW + 1)


@pytest.mark.parametrize("case", WRONG_REQUESTS)
def test_policy_refuses_wrong_requests_on_both_listeners(case: str) -> None:
    request, reason = WRONG_REQUESTS[case]
    assert refusal(request, DEVICE) == reason
    assert proof_refusal(replace(request, password=proof()), DEVICE, stands(NO_PROOF_YET)) == reason


@pytest.mark.parametrize("case", WRONG_DEVICES)
def test_policy_refuses_wrong_devices_on_both_listeners(case: str) -> None:
    device, reason = WRONG_DEVICES[case]
    assert refusal(REQUEST, device) == reason
    assert proof_refusal(replace(REQUEST, password=proof()), device, stands(NO_PROOF_YET)) == reason


def test_policy_refuses_a_certificate_that_nobody_issued() -> None:
    assert refusal(REQUEST, None, None) == Reason.UNKNOWN_CREDENTIAL
    assert refusal(REQUEST, DEVICE, None) == Reason.UNKNOWN_CREDENTIAL


@pytest.mark.parametrize("state", ["revoked", "superseded", ""])
def test_policy_refuses_a_certificate_that_is_not_active(state: str) -> None:
    assert refusal(REQUEST, DEVICE, replace(CREDENTIAL, state=state)) == Reason.REVOKED


@pytest.mark.parametrize("now", [NOW - 2, NOW + 1])
def test_policy_refuses_a_certificate_outside_its_time(now: int) -> None:
    assert refusal(REQUEST, DEVICE, now=now) == Reason.EXPIRED


def test_policy_admits_a_fresh_proof_for_a_day_and_tells_its_counter() -> None:
    sealer = DeviceSealer(kid_of(DEVICE.device_id), DeviceState(ROOT))
    first, second = proof(sealer), proof(sealer)
    admission = admit_proof(replace(REQUEST, password=second), DEVICE, stands(NO_PROOF_YET), NOW)
    assert admission == Admission(DEVICE.device_id, NOW + PLAIN_SESSION_US, (0, 1))
    for used in (first, second):
        reason = proof_refusal(replace(REQUEST, password=used), DEVICE, stands((0, 1)))
        assert reason == Reason.BAD_PROOF


@pytest.mark.parametrize("password", ["", "x", "A" * 30, "é" * 20, "A" * 300])
def test_policy_refuses_what_is_no_proof(password: str) -> None:
    reason = proof_refusal(replace(REQUEST, password=password), DEVICE, stands(NO_PROOF_YET))
    assert reason == Reason.BAD_PROOF


def test_policy_refuses_a_name_that_is_no_device() -> None:
    assert proof_refusal(REQUEST, None, None) == Reason.UNKNOWN_DEVICE
    assert proof_refusal(REQUEST, DEVICE, None) == Reason.UNKNOWN_DEVICE


def test_refusal_never_repeats_the_password() -> None:
    secret = proof()
    request = replace(REQUEST, password=secret)
    with pytest.raises(ConnectRefused) as caught:
        admit_proof(request, DEVICE, stands((5, 0)), NOW)
    assert secret not in repr(request) + str(caught.value)


@given(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=8, max_size=8))
def test_admission_names_only_subjects_of_its_device(device_id: str) -> None:
    admission = Admission(device_id, 0)
    assert all(f".{device_id}." in subject + "." for subject in admission.publish + admission.subscribe)
    assert not any("*" in subject or ">" in subject for subject in admission.publish)


def test_claimed_device_is_the_client_id_else_the_user_name() -> None:
    assert claimed_device(REQUEST) == DEVICE.device_id
    assert claimed_device(replace(REQUEST, client_id="", username="somebody")) == "somebody"


LEGACY_REQUEST = replace(REQUEST, broker=Broker.PLAIN, username=DEVICE.device_id, password="legacy.right")
LEGACY = LegacyFacts("article", password_hash("legacy.right"), "article", is_owners=True, is_migrated=False)


def legacy_refusal(request: ConnectRequest, device: DeviceFacts | None, legacy: LegacyFacts | None) -> Reason:
    with pytest.raises(ConnectRefused) as caught:
        admit_legacy(request, device, legacy, NOW)
    return caught.value.reason


def test_policy_admits_a_legacy_board_for_a_day_to_its_two_topics() -> None:
    admission = admit_legacy(LEGACY_REQUEST, DEVICE, LEGACY, NOW)
    assert [subject.rpartition(".")[2] for subject in admission.publish] == ["article", "session"]
    assert (admission.expires_us, admission.proof, admission.is_legacy) == (
        NOW + PLAIN_SESSION_US,
        None,
        True,
    )


WRONG_BOARDS = {
    "wrong password": (replace(LEGACY, login_hash=password_hash("legacy.other")), Reason.BAD_LOGIN),
    "product takes none": (replace(LEGACY, taken=""), Reason.LEGACY_OFF),
    "product takes another": (replace(LEGACY, taken="iot1-aessha1"), Reason.LEGACY_OFF),
    "an earlier owner's keys": (replace(LEGACY, is_owners=False), Reason.LEGACY_OFF),
    "migrated": (replace(LEGACY, is_migrated=True), Reason.MIGRATED),
    "no legacy board": (None, Reason.UNKNOWN_DEVICE),
}


@pytest.mark.parametrize(("legacy", "reason"), WRONG_BOARDS.values(), ids=WRONG_BOARDS)
def test_policy_refuses_wrong_legacy_boards(legacy: LegacyFacts | None, reason: Reason) -> None:
    assert legacy_refusal(LEGACY_REQUEST, DEVICE, legacy) is reason


@pytest.mark.parametrize("case", WRONG_DEVICES)
def test_policy_refuses_legacy_boards_that_are_not_owned_or_blocked(case: str) -> None:
    device, reason = WRONG_DEVICES[case]
    assert legacy_refusal(LEGACY_REQUEST, device, LEGACY) is reason


@pytest.mark.parametrize("case", WRONG_REQUESTS)
def test_policy_refuses_wrong_requests_of_legacy_boards(case: str) -> None:
    request, reason = WRONG_REQUESTS[case]
    wrong = replace(LEGACY_REQUEST, kind=request.kind, client_id=request.client_id)
    assert legacy_refusal(wrong, DEVICE, LEGACY) is reason
