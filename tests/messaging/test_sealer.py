import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MisuseError
from doorstep.messaging.envelope import MAX_PLAINTEXT, MAX_SEQUENCE, parse
from doorstep.messaging.errors import EpochExhausted, Rejected
from doorstep.messaging.keys import MAX_EPOCH, next_root
from doorstep.messaging.opener import Opener
from doorstep.messaging.sealer import DeviceSealer, DeviceState, next_boot, seal_downlink
from doorstep.messaging.state import SealedState

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sealed.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["downlink"]}
UPLINK = {case["name"]: case for case in VECTORS["messages"] if case["kid"]}
DOWN = {case["name"]: case for case in VECTORS["messages"] if not case["kid"]}
ROOT, KID, UP, CMD = bytes(range(32)), b"abcde", b"up/data", b"down/cmd"


@pytest.mark.parametrize("case", UPLINK.values(), ids=UPLINK)
def test_device_seals_as_the_vectors_say(case: dict[str, Any]) -> None:
    sealer = DeviceSealer(bytes.fromhex(case["kid"]), DeviceState(bytes.fromhex(case["root"]), case["epoch"]))
    sealer.next_sequence = case["sequence"]
    assert sealer.seal(case["channel"].encode(), bytes.fromhex(case["plaintext"])).hex() == case["compact"]


@pytest.mark.parametrize("case", DOWN.values(), ids=DOWN)
def test_platform_seals_as_the_vectors_say(case: dict[str, Any]) -> None:
    state = SealedState.first(bytes.fromhex(case["root"]), case["epoch"])
    plaintext = bytes.fromhex(case["plaintext"])
    assert (
        seal_downlink(state, case["sequence"], case["channel"].encode(), plaintext).hex() == case["compact"]
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_device_answers_as_the_vectors_say(case: dict[str, Any]) -> None:
    sealer = DeviceSealer(bytes.fromhex(case["kid"]), DeviceState(bytes.fromhex(case["root"]), case["epoch"]))
    for step in case["steps"]:
        message, channel = bytes.fromhex(step["message"]), step["channel"].encode()
        if "reason" in step:
            with pytest.raises(Rejected) as caught:
                sealer.open(message, channel)
            assert caught.value.reason == step["reason"]
        else:
            assert sealer.open(message, channel).hex() == step["plaintext"]


@given(st.binary(max_size=80))
def test_device_refuses_noise_with_the_documented_errors(noise: bytes) -> None:
    with pytest.raises(Rejected):
        DeviceSealer(KID, DeviceState(ROOT)).open(noise, CMD)


def test_boot_moves_root_and_epoch() -> None:
    state = next_boot(DeviceState(ROOT, 7))
    assert state == DeviceState(next_root(ROOT), 8)
    assert repr(state) == "DeviceState(epoch=8)"


def test_device_stops_after_its_last_epoch() -> None:
    with pytest.raises(EpochExhausted):
        next_boot(DeviceState(ROOT, MAX_EPOCH))


def test_device_never_repeats_a_sequence_number() -> None:
    sealer = DeviceSealer(KID, DeviceState(ROOT))
    assert [parse(sealer.seal(UP, b"x")).sequence for _ in range(300)] == list(range(300))


def test_device_stops_at_the_last_sequence_number() -> None:
    sealer = DeviceSealer(KID, DeviceState(ROOT))
    sealer.next_sequence = MAX_SEQUENCE
    before = sealer.exhausted
    sealer.seal(UP, b"x")
    assert (before, sealer.exhausted) == (False, True)
    with pytest.raises(EpochExhausted, match="epoch 0"):
        sealer.seal(UP, b"x")
    assert sealer.next_sequence == MAX_SEQUENCE + 1


def test_device_does_not_spend_a_number_on_an_oversize_plaintext() -> None:
    sealer = DeviceSealer(KID, DeviceState(ROOT))
    with pytest.raises(MisuseError, match="4096"):
        sealer.seal(UP, bytes(MAX_PLAINTEXT + 1))
    assert sealer.next_sequence == 0


def test_platform_and_device_talk_both_ways() -> None:
    sealer = DeviceSealer(KID, next_boot(DeviceState(ROOT)))
    opener = Opener(KID, SealedState.first(ROOT))
    assert opener.open(sealer.seal(UP, b"up"), UP, 0)[2] == b"up"
    assert sealer.open(seal_downlink(opener.snapshot(), 0, CMD, b"down"), CMD) == b"down"
    with pytest.raises(EpochExhausted):
        seal_downlink(opener.snapshot(), MAX_SEQUENCE + 1, CMD, b"down")
