import json
from pathlib import Path
from typing import Any

import pytest

from doorstep.crypto.p256 import PublicKey
from doorstep.crypto.x509 import Certificate
from doorstep.errors import MalformedMessage, VerificationFailed
from doorstep.identity import release, statement
from doorstep.identity.release import StaleRelease
from doorstep.identity.statement import Purpose
from doorstep.onboarding.attestation.phone import attest
from doorstep.onboarding.attestation.transcript import NO_SESSION, in_words, session_hash

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "attestation.json").read_text("utf-8")
)
KEY = PublicKey.from_point(bytes.fromhex(STORED["public_key"]))
RELEASES = STORED["releases"]
REFUSALS = {"refused": VerificationFailed, "stale": StaleRelease, "malformed": MalformedMessage}


def _named(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", STORED["conversations"], ids=_named)
def test_phone_has_the_stored_conversations(case: dict[str, Any]) -> None:
    messages = [bytes.fromhex(message) for message in case["handshake"]]
    session = session_hash(messages) if messages else NO_SESSION
    assert session.hex() == case["session"]
    phone = attest(bytes.fromhex(case["challenge"]), lambda _: bytes.fromhex(case["nonce"]), session)
    assert next(phone).body.hex() == case["requests"][0]
    assert phone.send(bytes.fromhex(case["device_nonce"])).body.hex() == case["requests"][1]
    with pytest.raises(StopIteration) as done:
        phone.send(bytes.fromhex(case["statement"]))
    learnt = done.value.value
    assert (learnt.transcript.hex(), list(learnt.pattern)) == (case["transcript"], case["pattern"])
    assert in_words(learnt.pattern) == case["words"]


@pytest.mark.parametrize("case", STORED["conversations"], ids=_named)
def test_platform_takes_the_stored_statements(case: dict[str, Any]) -> None:
    said = statement.verify(bytes.fromhex(case["statement"]), KEY, purpose=Purpose.ATTEST)
    assert (said.device, said.nonce.hex()) == (STORED["device"], case["challenge"])
    assert said.transcript is not None
    assert (said.transcript.hex(), said.presence) == (case["transcript"], case["presence"])


@pytest.mark.parametrize("case", RELEASES["cases"], ids=_named)
def test_device_judges_the_stored_releases(case: dict[str, Any]) -> None:
    def judge() -> None:
        release.verify(
            bytes.fromhex(case["release"]),
            Certificate(bytes.fromhex(RELEASES["root"])),
            STORED["device"],
            claimed_at=RELEASES["claimed_at"],
            at_least=RELEASES["at_least"],
        )

    if case["outcome"] == "taken":
        judge()
        return
    with pytest.raises(REFUSALS[case["outcome"]]):
        judge()
