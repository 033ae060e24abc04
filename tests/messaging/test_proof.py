import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.messaging.errors import Rejected, RejectReason
from doorstep.messaging.keys import run_ahead
from doorstep.messaging.opener import MAX_AHEAD, Opener
from doorstep.messaging.proof import (
    CONNECT_CHANNEL,
    MAX_PROOF,
    NO_PROOF_YET,
    Counter,
    open_connect_proof,
    seal_connect_proof,
)
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sealed.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["proofs"]}
ROOT, KID = bytes(range(32)), b"abcde"
STATE = SealedState.first(ROOT)


def device(boot: int = 0) -> DeviceSealer:
    return DeviceSealer(KID, DeviceState(run_ahead(ROOT, boot), boot))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_verifier_answers_as_the_vectors_say(case: dict[str, Any]) -> None:
    kid, state = bytes.fromhex(case["kid"]), SealedState.first(bytes.fromhex(case["root"]), case["epoch"])
    epoch, sequence = case["last"]
    if "reason" in case:
        with pytest.raises(Rejected) as caught:
            open_connect_proof(kid, state, case["proof"], (epoch, sequence))
        assert caught.value.reason == case["reason"]
    else:
        assert open_connect_proof(kid, state, case["proof"], (epoch, sequence)) == tuple(case["counter"])


def test_each_proof_is_good_once_and_in_order() -> None:
    last: Counter = NO_PROOF_YET
    used: list[str] = []
    for boot in (0, 0, 1, 5):
        sealer = device(boot)
        sealer.next_sequence = 1 + len(used)
        proof = seal_connect_proof(sealer)
        last = open_connect_proof(KID, STATE, proof, last)
        used.append(proof)
        for old in used:
            with pytest.raises(Rejected) as caught:
                open_connect_proof(KID, STATE, old, last)
            assert caught.value.reason is RejectReason.REPLAYED
    assert last == (5, 4)


def test_proof_leaves_the_message_epoch_alone() -> None:
    opener = Opener(KID, STATE)
    opener.open(device(0).seal(b"up/data", b"x"), b"up/data", 0)
    state = opener.snapshot()
    assert open_connect_proof(KID, state, seal_connect_proof(device(9)), NO_PROOF_YET) == (9, 0)
    assert opener.snapshot() == state


def test_proof_is_no_data_message() -> None:
    sealer = device()
    message = sealer.seal(CONNECT_CHANNEL, b"v1")
    with pytest.raises(Rejected):
        Opener(KID, STATE).open(message, b"up/data", 0)


def test_proof_runs_ahead_no_further_than_messages() -> None:
    assert open_connect_proof(KID, STATE, seal_connect_proof(device(MAX_AHEAD)), NO_PROOF_YET)[0] == MAX_AHEAD
    with pytest.raises(Rejected) as caught:
        open_connect_proof(KID, STATE, seal_connect_proof(device(MAX_AHEAD + 1)), NO_PROOF_YET)
    assert caught.value.reason is RejectReason.EPOCH_TOO_FAR


@given(st.text(max_size=MAX_PROOF + 2) | st.text("AQgw-_", max_size=MAX_PROOF))
def test_verifier_refuses_noise_with_the_documented_errors(text: str) -> None:
    with pytest.raises(Rejected):
        open_connect_proof(KID, STATE, text, NO_PROOF_YET)
