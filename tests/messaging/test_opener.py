import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage, ReplayRefused, VerificationFailed
from doorstep.messaging import keys
from doorstep.messaging.envelope import build_compact
from doorstep.messaging.errors import Forged, MalformedEnvelope, Rejected, RejectReason, Replayed
from doorstep.messaging.opener import PREVIOUS_EPOCH_US, Opener, Progress
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot
from doorstep.messaging.state import SealedState, StoredState

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sealed.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["uplink"]}
MESSAGES = {case["name"]: case for case in VECTORS["messages"] if case["kid"]}
ROOT, KID, UP = bytes(range(32)), b"abcde", b"up/data"
STATE = SealedState.first(ROOT)


def boots(count: int) -> DeviceState:
    return DeviceState(keys.run_ahead(ROOT, count), count)


def device(boot: int = 0) -> DeviceSealer:
    return DeviceSealer(KID, boots(boot))


def changed(opener: Opener) -> bool:
    return opener.epoch_changed


def refused(opener: Opener, message: bytes, channel: bytes = UP, now_us: int = 0) -> RejectReason:
    """Return why ``message`` is refused, having checked that nothing moved."""
    before = opener.snapshot()
    with pytest.raises(Rejected) as caught:
        opener.open(message, channel, now_us)
    assert opener.snapshot() == before
    return caught.value.reason


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_platform_answers_as_the_vectors_say(case: dict[str, Any]) -> None:
    opener = Opener(bytes.fromhex(case["kid"]), SealedState.first(bytes.fromhex(case["root"]), case["epoch"]))
    for step in case["steps"]:
        message, channel = bytes.fromhex(step["message"]), step["channel"].encode()
        if "reason" in step:
            with pytest.raises(Rejected) as caught:
                opener.open(message, channel, step["at_us"])
            assert caught.value.reason == step["reason"]
        else:
            expected = (step["epoch"], step["sequence"], bytes.fromhex(step["plaintext"]))
            assert opener.open(message, channel, step["at_us"]) == expected


def test_vectors_hold_every_reason_of_the_platform() -> None:
    reasons = {step.get("reason") for case in CASES.values() for step in case["steps"]}
    assert reasons == {None, *RejectReason} - {RejectReason.BAD_PAYLOAD}


@pytest.mark.parametrize("case", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize("form", ["compact", "compact_with_kid", "full"])
def test_platform_opens_every_encoding(case: dict[str, Any], form: str) -> None:
    state = SealedState.first(bytes.fromhex(case["root"]), case["epoch"])
    opened = Opener(bytes.fromhex(case["kid"]), state).open(
        bytes.fromhex(case[form]), case["channel"].encode(), 0
    )
    assert opened == (case["epoch"], case["sequence"], bytes.fromhex(case["plaintext"]))


@given(st.binary(max_size=80))
def test_platform_refuses_noise_with_the_documented_errors(noise: bytes) -> None:
    assert refused(Opener(KID, STATE), noise) in {*RejectReason}


@settings(max_examples=50)
@given(st.sampled_from(["compact", "compact_with_kid", "full"]), st.data())
def test_platform_refuses_every_flipped_bit(form: str, data: st.DataObject) -> None:
    case = MESSAGES["worked example"]
    message = bytearray(bytes.fromhex(case[form]))
    place = data.draw(st.integers(0, 8 * len(message) - 1))
    message[place // 8] ^= 1 << place % 8
    opener = Opener(bytes.fromhex(case["kid"]), SealedState.first(bytes.fromhex(case["root"]), case["epoch"]))
    assert refused(opener, bytes(message)) is not RejectReason.REPLAYED


def test_errors_stand_in_the_tree() -> None:
    opener = Opener(KID, STATE)
    message = device().seal(UP, b"x")
    opener.open(message, UP, 0)
    for bad, leaf, category in (
        (b"", MalformedEnvelope, MalformedMessage),
        (message, Replayed, ReplayRefused),
        (device(2000).seal(UP, b"x"), Forged, VerificationFailed),
    ):
        with pytest.raises(leaf) as caught:
            opener.open(bad, UP, 0)
        assert isinstance(caught.value, category)


def test_platform_keeps_the_window_of_each_epoch() -> None:
    first, second = device(0), device(1)
    old = [first.seal(UP, b"old") for _ in range(70)]
    opener = Opener(KID, STATE)
    opener.open(old[69], UP, 0)
    opener.open(second.seal(UP, b"new"), UP, 0)
    assert opener.open(old[6], UP, PREVIOUS_EPOCH_US - 1) == (0, 6, b"old")
    assert refused(opener, old[6]) is RejectReason.REPLAYED
    assert refused(opener, old[5]) is RejectReason.TOO_OLD
    assert opener.open(second.seal(UP, b"new"), UP, 0)[1] == 1


def test_platform_forgets_the_previous_epoch_at_its_deadline() -> None:
    opener = Opener(KID, STATE)
    opener.open(device(0).seal(UP, b"x"), UP, 0)
    opener.open(device(1).seal(UP, b"x"), UP, 5)
    opener.snapshot()
    opener.expire(PREVIOUS_EPOCH_US + 4)
    assert not changed(opener)
    assert opener.snapshot().previous is not None
    opener.expire(PREVIOUS_EPOCH_US + 5)
    assert changed(opener)
    assert opener.snapshot().previous is None
    assert opener.snapshot().columns().previous_master is None


def test_platform_tells_what_to_store() -> None:
    opener = Opener(KID, STATE)
    assert changed(opener)  # no row holds the keys of a new device yet
    opener.snapshot()
    sender = device(0)
    for _ in range(3):
        opener.open(sender.seal(UP, b"x"), UP, 0)
    assert not changed(opener)
    assert opener.progress() == Progress(2, 0b111, -1, 0)
    opener.open(device(4).seal(UP, b"x"), UP, 0)
    assert changed(opener)
    assert opener.progress() == Progress(0, 1, 2, 0b111)
    assert opener.snapshot().current.epoch == 4
    assert not changed(opener)


def test_progress_and_columns_agree() -> None:
    opener = Opener(KID, STATE)
    sender = device(0)
    for _ in range(100):
        opener.open(sender.seal(UP, b"x"), UP, 0)
    opener.open(device(1).seal(UP, b"x"), UP, 0)
    row = opener.snapshot().columns()
    assert row.previous_window_bits == -1  # all 64 seen, as a signed column
    assert opener.progress() == (
        row.seq_high,
        row.window_bits,
        row.previous_seq_high,
        row.previous_window_bits,
    )


@pytest.mark.parametrize("boot", [0, 1, 3])
def test_platform_goes_on_from_stored_columns(boot: int) -> None:
    opener = Opener(KID, STATE)
    opener.open(device(0).seal(UP, b"x"), UP, 0)
    sender = device(boot)
    message = sender.seal(UP, b"x")
    if boot:
        opener.open(message, UP, 7)
    row = opener.snapshot().columns()
    again = Opener(KID, SealedState.from_columns(StoredState(*row)))
    assert again.snapshot() == opener.snapshot()
    assert refused(again, message) is RejectReason.REPLAYED
    assert again.open(sender.seal(UP, b"y"), UP, 7)[2] == b"y"
    assert again.open(device(boot + 1).seal(UP, b"z"), UP, 7)[0] == boot + 1


def test_platform_starts_from_the_factory_root_alone() -> None:
    state = SealedState.from_columns(StoredState(epoch=0, root=ROOT))
    assert state == STATE
    assert Opener(KID, state).epoch_changed


def test_stolen_state_opens_nothing_of_yesterday() -> None:
    captured = device(3).seal(UP, b"secret")
    opener = Opener(KID, STATE)
    opener.open(captured, UP, 0)
    opener.open(device(4).seal(UP, b"x"), UP, 0)
    opener.expire(PREVIOUS_EPOCH_US)
    stolen = opener.snapshot()
    flash = next_boot(boots(4))
    assert refused(Opener(KID, stolen), captured) is RejectReason.EPOCH_PAST
    for root in (stolen.root, flash.root):
        for epoch in (3, 4, 5):
            thief = Opener(KID, SealedState.first(root, epoch))
            with pytest.raises(Rejected):
                thief.open(captured, UP, 0)


def test_platform_opens_the_last_epoch() -> None:
    state = SealedState.first(ROOT, keys.MAX_EPOCH)
    sender = DeviceSealer(KID, DeviceState(ROOT, keys.MAX_EPOCH))
    assert Opener(KID, state).open(sender.seal(UP, b"x"), UP, 0)[0] == keys.MAX_EPOCH


def test_kid_inside_must_be_the_carriers() -> None:
    made = device().seal_envelope(UP, b"x")._replace(kid=KID)
    assert refused(Opener(KID, STATE), build_compact(made._replace(kid=b"abcdf"))) is RejectReason.UNKNOWN_KID
    assert Opener(KID, STATE).open(build_compact(made), UP, 0)[2] == b"x"
