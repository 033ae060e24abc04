"""Each variant opens its own messages and no other's; static sessions repeat nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MisuseError
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.envelope import parse, parse_session
from doorstep.messaging.errors import Rejected, RejectReason
from doorstep.messaging.opener import Opener
from doorstep.messaging.proof import Standing, open_connect_proof
from doorstep.messaging.registration import Reply, Request, open_reply, open_request, seal_reply, seal_request
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState
from doorstep.messaging.static import EPOCH_ZERO_S, StaticOpener, StaticSealer, epoch_at, opener_for
from doorstep.messaging.variant import STATIC_8, STATIC_16, VARIANTS, Variant

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "sealed-variants.json").read_text(encoding="utf-8")
)
UPLINK = {case["name"]: case for case in VECTORS["uplink"]}
PROOFS = {case["name"]: case for case in VECTORS["proofs"]}
DOWNLINK = {case["name"]: case for case in VECTORS["downlink"]}
ROOT, KID, UP, NOW_S = bytes(range(32)), b"abcde", b"up/data", 1_763_765_000
NOW_US = NOW_S * 1_000_000


def state(case: dict[str, Any]) -> SealedState:
    return SealedState.first(bytes.fromhex(case["root"]), case["epoch"], VARIANTS[case["variant"]])


def boot(variant: Variant, now_s: int = NOW_S, session: bytes = b"8 random") -> DeviceSealer:
    if variant.is_static:
        return StaticSealer(KID, ROOT, variant, now_s, lambda count: session[:count])
    return DeviceSealer(KID, DeviceState(ROOT), variant)


def opener(variant: Variant) -> Opener:
    return opener_for(KID, SealedState.first(ROOT, 0, variant))


@pytest.mark.parametrize("case", UPLINK.values(), ids=UPLINK)
def test_platform_answers_as_the_vectors_say(case: dict[str, Any]) -> None:
    ours = opener_for(bytes.fromhex(case["kid"]), state(case))
    for step in case["steps"]:
        given = bytes.fromhex(step["message"]), step["channel"].encode(), step["at_us"]
        if "reason" in step:
            with pytest.raises(Rejected) as caught:
                ours.open(*given)
            assert caught.value.reason == step["reason"]
        else:
            epoch, sequence, plaintext = ours.open(*given)
            assert (epoch, sequence, plaintext.hex()) == (step["epoch"], step["sequence"], step["plaintext"])


@pytest.mark.parametrize("case", PROOFS.values(), ids=PROOFS)
def test_verifier_answers_as_the_vectors_say(case: dict[str, Any]) -> None:
    epoch, sequence = case["last"]
    stands = Standing(state(case), (epoch, sequence), Allowance())
    if "reason" in case:
        with pytest.raises(Rejected) as caught:
            open_connect_proof(bytes.fromhex(case["kid"]), stands, case["proof"], case["at_us"])
        assert caught.value.reason == case["reason"]
    else:
        counter = open_connect_proof(bytes.fromhex(case["kid"]), stands, case["proof"], case["at_us"])
        assert counter == tuple(case["counter"])


@pytest.mark.parametrize("case", DOWNLINK.values(), ids=DOWNLINK)
def test_device_opens_the_command_of_the_vectors_once(case: dict[str, Any]) -> None:
    kid, root, variant = bytes.fromhex(case["kid"]), bytes.fromhex(case["root"]), VARIANTS[case["variant"]]
    device: DeviceSealer
    if variant.is_static:
        session = bytes.fromhex(case["session"])
        device = StaticSealer(kid, root, variant, case["epoch"] + EPOCH_ZERO_S, lambda _: session)
    else:
        device = DeviceSealer(kid, DeviceState(root, case["epoch"]), variant)
    message, channel = bytes.fromhex(case["message"]), case["channel"].encode()
    assert device.open(message, channel).hex() == case["plaintext"]
    with pytest.raises(Rejected) as caught:
        device.open(message, channel)
    assert caught.value.reason is RejectReason.REPLAYED


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_state_survives_its_columns(variant: Variant) -> None:
    ours = opener(variant)
    device = boot(variant)
    first, second = device.seal(UP, b"1"), device.seal(UP, b"2")
    ours.open(first, UP, NOW_US)
    row = ours.snapshot().columns()
    assert row.variant == variant.name
    again = opener_for(KID, SealedState.from_columns(row))
    assert isinstance(again, StaticOpener) == variant.is_static
    assert again.variant is variant
    assert again.open(second, UP, NOW_US)[2] == b"2"
    with pytest.raises(Rejected) as caught:
        again.open(first, UP, NOW_US)
    assert caught.value.reason is RejectReason.REPLAYED
    later = boot(variant, NOW_S + 1, b"another!")
    if variant.is_static:
        assert again.open(later.seal(UP, b"3"), UP, NOW_US)[2] == b"3"
        assert SealedState.from_columns(again.snapshot().columns()).root == ROOT


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_device_of_each_variant_registers(variant: Variant) -> None:
    message, exchange = seal_request(boot(variant), Request("token"))
    stands = Standing(SealedState.first(ROOT, 0, variant), (0, -1), Allowance())
    opened = open_request(KID, stands, message, NOW_US)
    assert opened.request.token == "token"
    assert open_reply(exchange, seal_reply(opened.exchange, Reply("held", 1, ""))).status == "held"
    with pytest.raises(Rejected):
        open_request(KID, stands._replace(last=opened.counter), message, NOW_US)


@pytest.mark.parametrize("variant", [STATIC_8, STATIC_16], ids=["8", "16"])
def test_proof_stays_in_the_session_or_begins_a_later_one(variant: Variant) -> None:
    ours = opener(variant)
    earlier, device = boot(variant, NOW_S - 1), boot(variant)
    ours.open(device.seal(UP, b"1"), UP, NOW_US)
    stands = Standing(ours.snapshot(), (0, -1), Allowance())
    assert open_request(KID, stands, seal_request(device, Request())[0], NOW_US).counter[1] == 1
    with pytest.raises(Rejected) as caught:
        open_request(KID, stands, seal_request(earlier, Request())[0], NOW_US)
    assert caught.value.reason is RejectReason.EPOCH_PAST


@given(st.integers(1, 2**31 - 1), st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_lie_about_the_time_repeats_no_key(second: int, one: bytes, other: bytes) -> None:
    """S-28: whoever makes a device boot twice in the same second, by its clock, gets two unlike messages."""
    sent = [
        boot(STATIC_8, EPOCH_ZERO_S + second, session).seal(UP, b"the same").replace(session, b"")
        for session in (one, other)
    ]
    assert (sent[0] == sent[1]) == (one == other)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@given(data=st.binary(max_size=80))
def test_bytes_of_strangers_are_refused(variant: Variant, data: bytes) -> None:
    with pytest.raises(Rejected):
        opener(variant).open(data, UP, NOW_US)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("other", VARIANTS.values(), ids=VARIANTS)
def test_message_of_another_variant_never_opens(variant: Variant, other: Variant) -> None:
    """No downgrade: not by the shorter tag, not by the static keys."""
    if variant is not other:
        with pytest.raises(Rejected) as caught:
            opener(variant).open(boot(other).seal(UP, b"x" * 8), UP, NOW_US)
        assert caught.value.reason in {RejectReason.MALFORMED, RejectReason.WRONG_TAG}


def test_session_is_told_apart_from_the_epoch() -> None:
    message = boot(STATIC_8).seal(UP, b"x")
    envelope, session = parse_session(message, STATIC_8)
    assert (envelope.epoch, session) == (epoch_at(NOW_S), b"8 random")
    assert parse(message, STATIC_8) == envelope


@pytest.mark.parametrize("second", [0, EPOCH_ZERO_S, EPOCH_ZERO_S + 2**31])
def test_device_begins_no_session_at_an_impossible_time(second: int) -> None:
    with pytest.raises(MisuseError, match="no session"):
        epoch_at(second)
