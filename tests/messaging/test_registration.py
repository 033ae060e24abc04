"""BIND-01, BIND-06: a request or reply that was sniffed, moved, repeated or made up is worth nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto.ccm import AesCcm
from doorstep.errors import MisuseError
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.envelope import aad
from doorstep.messaging.errors import Rejected, RejectReason
from doorstep.messaging.exchange import Exchange
from doorstep.messaging.keys import derive_sender_keys, master_secret
from doorstep.messaging.proof import (
    NO_PROOF_YET,
    Counter,
    Standing,
    open_connect_proof,
    seal_connect_proof,
)
from doorstep.messaging.registration import (
    MAX_REPLY,
    MAX_REQUEST,
    REGISTER_CHANNEL,
    OpenedRequest,
    Place,
    Reply,
    Request,
    open_reply,
    open_request,
    seal_reply,
    seal_request,
)
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState

REPOSITORY = Path(__file__).parents[2]
SPEC = (REPOSITORY / "docs" / "spec" / "registration.md").read_text(encoding="utf-8")
VECTORS = json.loads((REPOSITORY / "vectors" / "registration.json").read_text(encoding="utf-8"))
REQUESTS = {case["name"]: case for case in VECTORS["requests"]}
REPLIES = {case["name"]: case for case in VECTORS["replies"]}
ROOT, KID, TOKEN = bytes(range(32)), b"abcde", "T" * 43
BOUND = Reply("bound", 1_763_765_000, "", epoch=0, mqtt=Place("broker", 1883))


def device(root: bytes = ROOT) -> DeviceSealer:
    return DeviceSealer(KID, DeviceState(root))


def taken(message: bytes, last: Counter = NO_PROOF_YET, kid: bytes = KID) -> OpenedRequest:
    return open_request(kid, Standing(SealedState.first(ROOT), last, Allowance()), message, 0)


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
def test_platform_answers_requests_as_the_vectors_say(case: dict[str, Any]) -> None:
    kid, state = bytes.fromhex(case["kid"]), SealedState.first(bytes.fromhex(case["root"]), case["epoch"])
    epoch, sequence = case["last"]
    stands = Standing(state, (epoch, sequence), Allowance())
    if "reason" in case:
        with pytest.raises(Rejected) as caught:
            open_request(kid, stands, bytes.fromhex(case["request"]), 0)
        assert caught.value.reason == case["reason"]
    else:
        opened = open_request(kid, stands, bytes.fromhex(case["request"]), 0)
        assert (list(opened.counter), opened.request.token) == (case["counter"], case["token"])


@pytest.mark.parametrize("case", REPLIES.values(), ids=REPLIES)
def test_device_answers_replies_as_the_vectors_say(case: dict[str, Any]) -> None:
    secret = master_secret(bytes.fromhex(case["root"]))
    exchange = Exchange(secret, case["epoch"], case["sequence"], bytes.fromhex(case["kid"]), REGISTER_CHANNEL)
    sealed = bytes.fromhex(case["reply"])
    if "reason" in case:
        with pytest.raises(Rejected) as caught:
            open_reply(exchange, sealed)
        assert caught.value.reason == case["reason"]
    else:
        assert open_reply(exchange, sealed).status == case["status"]
        assert exchange.open_reply(sealed).hex() == case["plaintext"]


def test_request_and_proof_share_one_counter() -> None:
    sealer = device()
    request, proof, later = seal_request(sealer, Request(TOKEN))[0], seal_connect_proof(sealer), sealer
    counter = taken(request).counter
    stands = Standing(SealedState.first(ROOT), counter, Allowance())
    assert open_connect_proof(KID, stands, proof, 0) == (0, 1)
    with pytest.raises(Rejected) as caught:
        taken(request, (0, 1))
    assert caught.value.reason is RejectReason.REPLAYED
    assert taken(seal_request(later, Request())[0], (0, 1)).counter == (0, 2)


def test_reply_opens_for_its_request_alone() -> None:
    sealer = device()
    first, second = (seal_request(sealer, Request(TOKEN)) for _ in range(2))
    reply = seal_reply(taken(first[0]).exchange, BOUND)
    assert open_reply(first[1], reply) == BOUND
    for other in (second[1], seal_request(device(bytes(32)), Request(TOKEN))[1]):
        with pytest.raises(Rejected) as caught:
            open_reply(other, reply)
        assert caught.value.reason is RejectReason.WRONG_TAG


@given(st.binary(max_size=MAX_REQUEST + 8))
def test_bytes_of_strangers_open_nothing(message: bytes) -> None:
    with pytest.raises(Rejected):
        taken(message)
    with pytest.raises(Rejected):
        open_reply(seal_request(device(), Request(TOKEN))[1], message)


@given(st.text() | st.just('"' * 400) | st.just("\n" * 400))
def test_reply_fits_its_cap_whatever_people_wrote(reason: str) -> None:
    exchange = seal_request(device(), Request(TOKEN))[1]
    said = Reply("bound", 1 << 40, reason, epoch=1 << 31, mqtt=Place("h" * 253, 65_535))
    sealed = seal_reply(exchange, said)
    assert len(exchange.open_reply(sealed)) <= MAX_REPLY
    assert "".join(filter(str.isprintable, reason)).startswith(open_reply(exchange, sealed).reason)


@pytest.mark.parametrize("token", ["a b", "é", "~" * 129, "a\n"])
def test_device_seals_no_token_that_none_would_take(token: str) -> None:
    with pytest.raises(MisuseError, match="token"):
        seal_request(device(), Request(token))


def test_secrets_stay_out_of_reprs() -> None:
    request, exchange = seal_request(device(), Request(TOKEN))
    opened = taken(request)
    assert TOKEN not in repr(opened)
    assert master_secret(ROOT).hex() not in repr(exchange)
    assert repr(master_secret(ROOT)) not in repr(exchange)


def test_worked_example_equals_the_vectors() -> None:
    request, reply = VECTORS["requests"][0], VECTORS["replies"][0]
    up = derive_sender_keys(master_secret(bytes.fromhex(request["root"])), 300, bytes.fromhex(request["kid"]))
    down = derive_sender_keys(master_secret(bytes.fromhex(request["root"])), 300, b"")
    nonce, context = up.nonce(5), aad(REGISTER_CHANNEL)
    for value in (
        request["root"],
        request["token"],
        request["request"],
        bytes.fromhex(reply["plaintext"]).decode(),
        down.key.hex(),
        nonce.hex(),
        context.hex(),
        reply["reply"],
    ):
        assert f"`{value}`" in SPEC
    sealed = bytes.fromhex(reply["reply"])
    assert AesCcm(down.key, 8).open(nonce, sealed, context).hex() == reply["plaintext"]


def test_spec_names_the_limits_of_the_code() -> None:
    assert f"at most {MAX_REQUEST} bytes" in SPEC
    assert f"at most {MAX_REPLY:,} bytes" in SPEC
