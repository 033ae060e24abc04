import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.messaging import envelope
from doorstep.messaging.envelope import Envelope, build_compact, build_full, parse
from doorstep.messaging.errors import MalformedEnvelope, RejectReason
from doorstep.messaging.keys import MAX_EPOCH

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sealed.json").read_text(encoding="utf-8"))
MESSAGES = {case["name"]: case for case in VECTORS["messages"]}
REFUSED = {
    case["name"]: bytes.fromhex(case["steps"][0]["message"])
    for case in VECTORS["uplink"]
    if case["steps"][0].get("reason") == RejectReason.MALFORMED
}
KIDS = st.binary(min_size=5, max_size=5) | st.just(b"")
ENVELOPES = st.builds(
    Envelope,
    st.integers(0, MAX_EPOCH) | st.integers(0, 300),
    st.integers(0, envelope.MAX_SEQUENCE) | st.integers(0, 300),
    KIDS,
    st.binary(min_size=8, max_size=60),
)


@pytest.mark.parametrize("case", MESSAGES.values(), ids=MESSAGES)
def test_converter_needs_no_key(case: dict[str, Any]) -> None:
    kid = bytes.fromhex(case["kid"])
    bare, compact, full = (bytes.fromhex(case[form]) for form in ("compact", "compact_with_kid", "full"))
    assert build_full(parse(bare), kid) == build_full(parse(compact), kid) == full
    assert build_compact(parse(full)) == compact
    assert build_compact(parse(full)._replace(kid=None)) == bare
    assert parse(bare)._replace(kid=kid) == parse(compact) == parse(full)


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_parser_refuses_what_the_vectors_refuse(message: bytes) -> None:
    with pytest.raises(MalformedEnvelope) as caught:
        parse(message)
    assert caught.value.reason is RejectReason.MALFORMED


@given(ENVELOPES)
def test_parser_returns_what_was_built(made: Envelope) -> None:
    assert made.kid is not None
    assert parse(build_compact(made)) == parse(build_full(made, made.kid)) == made
    bare = made._replace(kid=None)
    assert parse(build_compact(bare)) == bare


@given(st.binary(max_size=40) | ENVELOPES.map(build_compact), st.integers(0, 39), st.binary(max_size=2))
def test_parser_takes_only_what_builds_to_the_same_bytes(data: bytes, place: int, change: bytes) -> None:
    message = data[:place] + change + data[place + 1 :]
    try:
        made = parse(message)
    except MalformedEnvelope:
        return
    assert message == (build_full(made, made.kid or b"") if message[0] == 0xD0 else build_compact(made))


@given(ENVELOPES, st.integers(0, 60), st.binary(max_size=3))
def test_parser_takes_only_one_full_form(made: Envelope, place: int, change: bytes) -> None:
    whole = build_full(made, made.kid or b"")
    message = whole[:place] + change + whole[place + 1 :]
    try:
        parsed = parse(message)
    except MalformedEnvelope:
        return
    assert message in {build_full(parsed, parsed.kid or b""), build_compact(parsed)}


def test_parser_refuses_more_than_the_cap_unread() -> None:
    with pytest.raises(MalformedEnvelope) as caught:
        parse(bytes(envelope.MAX_MESSAGE + 1))
    assert caught.value.reason is RejectReason.OVERSIZE


def test_longest_message_fits_the_cap() -> None:
    made = Envelope(MAX_EPOCH, envelope.MAX_SEQUENCE, b"abcde", bytes(envelope.MAX_PLAINTEXT + 8))
    for message in (build_full(made, b"abcde"), build_compact(made)):
        assert len(message) <= envelope.MAX_MESSAGE
        assert parse(message) == made


@pytest.mark.parametrize("channel", [b"", b"c" * 65])
def test_channel_name_has_a_cap(channel: bytes) -> None:
    assert envelope.aad(b"c" * 64).endswith(b"c" * 64)
    with pytest.raises(MalformedMessage):
        envelope.aad(channel)
