import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.messaging.allowance import Allowance
from doorstep.messaging.errors import Rejected, RejectReason
from doorstep.messaging.keys import run_ahead
from doorstep.messaging.opener import MAX_AHEAD, Opener
from doorstep.messaging.proof import (
    CONNECT_CHANNEL,
    MAX_PROOF,
    NO_PROOF_YET,
    Counter,
    Standing,
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


def admitted(state: SealedState, proof: str, last: Counter = NO_PROOF_YET, kid: bytes = KID) -> Counter:
    return open_connect_proof(kid, Standing(state, last, Allowance()), proof, 0)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_verifier_answers_as_the_vectors_say(case: dict[str, Any]) -> None:
    kid, state = bytes.fromhex(case["kid"]), SealedState.first(bytes.fromhex(case["root"]), case["epoch"])
    epoch, sequence = case["last"]
    if "reason" in case:
        with pytest.raises(Rejected) as caught:
            admitted(state, case["proof"], (epoch, sequence), kid)
        assert caught.value.reason == case["reason"]
    else:
        assert admitted(state, case["proof"], (epoch, sequence), kid) == tuple(case["counter"])


def test_each_proof_is_good_once_and_in_order() -> None:
    last: Counter = NO_PROOF_YET
    used: list[str] = []
    for boot in (0, 0, 1, 5):
        sealer = device(boot)
        sealer.next_sequence = 1 + len(used)
        proof = seal_connect_proof(sealer)
        last = admitted(STATE, proof, last)
        used.append(proof)
        for old in used:
            with pytest.raises(Rejected) as caught:
                admitted(STATE, old, last)
            assert caught.value.reason is RejectReason.REPLAYED
    assert last == (5, 4)


def test_proof_leaves_the_message_epoch_alone() -> None:
    opener = Opener(KID, STATE)
    opener.open(device(0).seal(b"up/data", b"x"), b"up/data", 0)
    state = opener.snapshot()
    assert admitted(state, seal_connect_proof(device(9))) == (
        9,
        0,
    )
    assert opener.snapshot() == state


def test_proof_is_no_data_message() -> None:
    sealer = device()
    message = sealer.seal(CONNECT_CHANNEL, b"v1")
    with pytest.raises(Rejected):
        Opener(KID, STATE).open(message, b"up/data", 0)


def test_proof_runs_ahead_no_further_than_messages() -> None:
    assert admitted(STATE, seal_connect_proof(device(MAX_AHEAD)))[0] == MAX_AHEAD
    with pytest.raises(Rejected) as caught:
        admitted(STATE, seal_connect_proof(device(MAX_AHEAD + 1)))
    assert caught.value.reason is RejectReason.EPOCH_TOO_FAR


@given(st.text(max_size=MAX_PROOF + 2) | st.text("AQgw-_", max_size=MAX_PROOF))
def test_verifier_refuses_noise_with_the_documented_errors(text: str) -> None:
    with pytest.raises(Rejected):
        admitted(STATE, text)
