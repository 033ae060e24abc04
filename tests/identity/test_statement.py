import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.crypto.p256 import PublicKey, SignatureRefused
from doorstep.crypto.x509 import build_request
from doorstep.errors import MalformedMessage, MisuseError, PeerError
from doorstep.identity import ids, statement
from doorstep.identity.statement import MalformedStatement, Purpose, Statement, StatementRefused
from doorstep.wire import cbor
from tests.peers import printed, pycose_folder

KEY = p256.generate(lambda count: b"\x31" * count)
OTHER = p256.generate(lambda count: b"\x32" * count)
REGISTER = Statement(
    Purpose.REGISTER, "abcdefgh", bytes(range(16)), token="T0KEN", csr=build_request(KEY, "device")
)
RENEW = Statement(Purpose.RENEW, "abcdefgh", bytes(range(64)))

statements = st.builds(
    Statement,
    purpose=st.sampled_from([Purpose.REGISTER, Purpose.RENEW]),
    device=st.binary(min_size=5, max_size=5).map(ids.device_id_of),
    nonce=st.binary(min_size=16, max_size=64),
    token=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128),
    csr=st.none() | st.binary(min_size=1, max_size=2048),
)


@given(statements)
def test_platform_reads_what_device_signs(said: Statement) -> None:
    sent = statement.sign(said, KEY.sign)
    assert len(sent) <= statement.STATEMENT_CAP
    assert statement.claimed_device(sent) == said.device
    assert statement.read(sent).proved(KEY.public_key, purpose=said.purpose) == said
    assert statement.verify(sent, KEY.public_key, purpose=said.purpose) == said


@given(
    nonce=st.binary(min_size=16, max_size=64),
    transcript=st.binary(min_size=32, max_size=32),
    presence=st.booleans(),
)
def test_platform_reads_attestations(nonce: bytes, transcript: bytes, presence: bool) -> None:  # noqa: FBT001
    said = Statement(Purpose.ATTEST, "abcdefgh", nonce, transcript=transcript, presence=presence)
    assert statement.verify(statement.sign(said, KEY.sign), KEY.public_key, purpose=Purpose.ATTEST) == said


def test_platform_refuses_statement_of_another_key() -> None:
    with pytest.raises(SignatureRefused):
        statement.verify(statement.sign(REGISTER, OTHER.sign), KEY.public_key, purpose=Purpose.REGISTER)


def test_platform_refuses_statement_for_another_purpose() -> None:
    with pytest.raises(StatementRefused, match="to renew, not to register"):
        statement.verify(statement.sign(RENEW, KEY.sign), KEY.public_key, purpose=Purpose.REGISTER)


def test_platform_refuses_every_flipped_bit() -> None:
    sent = statement.sign(RENEW, KEY.sign)
    for at in range(len(sent)):
        for bit in (1, 0x80):
            with pytest.raises(PeerError):
                statement.verify(
                    sent[:at] + bytes([sent[at] ^ bit]) + sent[at + 1 :],
                    KEY.public_key,
                    purpose=Purpose.RENEW,
                )


def test_platform_refuses_every_cut_statement() -> None:
    sent = statement.sign(RENEW, KEY.sign)
    for length in range(len(sent)):
        with pytest.raises(MalformedMessage):
            statement.claimed_device(sent[:length])


def test_signature_for_another_context_is_no_statement() -> None:
    sent: Any = cbor.decode(statement.sign(RENEW, KEY.sign))
    protected, _, payload, _ = sent.value
    foreign = KEY.sign(cbor.encode(["Signature1", protected, b"", payload]))
    forged = cbor.encode(cbor.Tag(18, [protected, {}, payload, foreign]))
    with pytest.raises(SignatureRefused):
        statement.verify(forged, KEY.public_key, purpose=Purpose.RENEW)


@given(st.binary(max_size=300))
def test_platform_accepts_garbage_never(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        statement.claimed_device(data)


def envelope(
    payload: object, *, tag: int = 18, protected: bytes = b"\xa1\x01\x26", extra: object = None
) -> bytes:
    encoded = payload if isinstance(payload, bytes) else cbor.encode(payload)  # type: ignore[arg-type]
    signature = KEY.sign(cbor.encode(["Signature1", protected, statement.STATEMENT_CONTEXT, encoded]))
    return cbor.encode(cbor.Tag(tag, [protected, extra or {}, encoded, signature]))  # type: ignore[list-item]


GOOD: dict[str, object] = {"purpose": "renew", "device": "abcdefgh", "nonce": bytes(16)}

ATTESTATION = GOOD | {"purpose": "attest", "transcript": bytes(32), "presence": True}

MALFORMED = {
    "empty": b"",
    "too long": bytes(5000),
    "untagged": cbor.encode([b"\xa1\x01\x26", {}, b"", bytes(64)]),
    "COSE_Encrypt0": envelope(GOOD, tag=16),
    "EdDSA": envelope(GOOD, protected=b"\xa1\x01\x27"),
    "unprotected header": envelope(GOOD, extra={4: b"kid"}),
    "three parts": cbor.encode(cbor.Tag(18, [b"\xa1\x01\x26", {}, b""])),
    "payload is no map": envelope([1]),
    "payload is no CBOR": envelope(b"\xff"),
    "no purpose": envelope({key: GOOD[key] for key in ("device", "nonce")}),
    "unknown field": envelope(GOOD | {"more": 1}),
    "unknown purpose": envelope(GOOD | {"purpose": "give"}),
    "purpose is a number": envelope(GOOD | {"purpose": 1}),
    "device is bytes": envelope(GOOD | {"device": b"abcdefgh"}),
    "device is no id": envelope(GOOD | {"device": "ABCDEFGH"}),
    "nonce is text": envelope(GOOD | {"nonce": "x" * 16}),
    "nonce too short": envelope(GOOD | {"nonce": bytes(15)}),
    "nonce too long": envelope(GOOD | {"nonce": bytes(65)}),
    "token is null": envelope(GOOD | {"token": None}),
    "token is bytes": envelope(GOOD | {"token": b"x"}),
    "token is empty": envelope(GOOD | {"token": ""}),
    "token has a blank": envelope(GOOD | {"token": "a b"}),
    "token has a line end": envelope(GOOD | {"token": "a\n"}),
    "token too long": envelope(GOOD | {"token": "x" * 129}),
    "csr is text": envelope(GOOD | {"csr": "x"}),
    "csr is empty": envelope(GOOD | {"csr": b""}),
    "csr too long": envelope(GOOD | {"csr": bytes(2049)}),
    "renewal with a transcript": envelope(GOOD | {"transcript": bytes(32)}),
    "renewal with presence": envelope(GOOD | {"presence": True}),
    "attestation without a transcript": envelope(GOOD | {"purpose": "attest", "presence": True}),
    "attestation without presence": envelope(GOOD | {"purpose": "attest", "transcript": bytes(32)}),
    "attestation with a token": envelope(ATTESTATION | {"token": "T"}),
    "attestation with a csr": envelope(ATTESTATION | {"csr": b"x"}),
    "transcript too short": envelope(ATTESTATION | {"transcript": bytes(31)}),
    "presence is a number": envelope(ATTESTATION | {"presence": 1}),
}


def test_table_of_malformed_statements_starts_from_a_good_one() -> None:
    assert statement.verify(envelope(GOOD), KEY.public_key, purpose=Purpose.RENEW).device == "abcdefgh"


@pytest.mark.parametrize("name", MALFORMED)
def test_platform_refuses_malformed_statement(name: str) -> None:
    with pytest.raises(MalformedMessage):
        statement.verify(MALFORMED[name], KEY.public_key, purpose=Purpose.RENEW)


def test_device_refuses_signer_that_returns_der() -> None:
    with pytest.raises(MisuseError, match="not DER"):
        statement.sign(RENEW, KEY.sign_der)


def test_device_refuses_to_say_what_cannot_be_read() -> None:
    with pytest.raises(MalformedStatement):
        Statement(Purpose.RENEW, "abcdefgh", b"short")


def test_token_never_shows_in_repr() -> None:
    assert "T0KEN" not in repr(REGISTER)


PYCOSE_READS = """
import sys
from pycose.keys import EC2Key
from pycose.messages import CoseMessage
for line in sys.argv[1:]:
    key, context, sent = (bytes.fromhex(value) for value in line.split())
    message = CoseMessage.decode(sent)
    message.external_aad = context
    message.key = EC2Key(crv="P_256", x=key[1:33], y=key[33:])
    assert message.verify_signature()
    print(message.payload.hex())
"""

PYCOSE_SIGNS = """
import sys
from pycose.algorithms import Es256
from pycose.headers import Algorithm
from pycose.keys import EC2Key
from pycose.messages import Sign1Message
scalar, key, context, payload = (bytes.fromhex(value) for value in sys.argv[1:])
message = Sign1Message(phdr={Algorithm: Es256}, payload=payload, external_aad=context)
message.key = EC2Key(crv="P_256", x=key[1:33], y=key[33:], d=scalar)
print(message.encode().hex())
"""


def run_pycose(script: str, *arguments: str) -> list[str]:
    environment = {"PYTHONPATH": str(pycose_folder()), "PYTHONDONTWRITEBYTECODE": "1"}
    return printed([sys.executable, "-c", script, *arguments], environment)


@pytest.mark.peer
def test_pycose_and_doorstep_read_each_other() -> None:
    key = p256.generate(os.urandom)
    point, context = key.public_key.point.hex(), statement.STATEMENT_CONTEXT.hex()
    sent = statement.sign(REGISTER, key.sign)
    (payload,) = run_pycose(PYCOSE_READS, f"{point} {context} {sent.hex()}")
    scalar = key.key.private_numbers().private_value.to_bytes(32, "big").hex()
    (theirs,) = run_pycose(PYCOSE_SIGNS, scalar, point, context, payload)
    read = statement.verify(bytes.fromhex(theirs), key.public_key, purpose=Purpose.REGISTER)
    assert read == REGISTER


VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "statement.json").read_text(encoding="utf-8")
)
VECTOR_KEY = PublicKey.from_point(bytes.fromhex(VECTORS["public_key"]))


@pytest.mark.parametrize("case", VECTORS["statements"], ids=lambda case: case["name"])
def test_stored_vector_says_what_it_should(case: dict[str, Any]) -> None:
    read = statement.verify(bytes.fromhex(case["statement"]), VECTOR_KEY, purpose=Purpose(case["purpose"]))
    assert (read.device, read.nonce.hex(), read.token) == (case["device"], case["nonce"], case["token"])
    assert (read.csr.hex() if read.csr else None) == case["csr"]


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_stored_vector_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(PeerError) as caught:
        statement.verify(bytes.fromhex(case["statement"]), VECTOR_KEY, purpose=Purpose.REGISTER)
    kind = "malformed" if isinstance(caught.value, MalformedMessage) else "refused"
    assert kind == case["outcome"]


@pytest.mark.peer
def test_pycose_verifies_every_stored_vector() -> None:
    context = VECTORS["context"].encode().hex()
    lines = [f"{VECTORS['public_key']} {context} {case['statement']}" for case in VECTORS["statements"]]
    assert run_pycose(PYCOSE_READS, *lines) == [case["payload"] for case in VECTORS["statements"]]
