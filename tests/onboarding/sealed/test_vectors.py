import json
from pathlib import Path
from typing import Any

import pytest

from doorstep.crypto import p256
from doorstep.errors import MalformedMessage, VerificationFailed
from doorstep.onboarding.sealed.blob import INFO, seal
from doorstep.onboarding.sealed.content import SealedContent
from doorstep.onboarding.sealed.failures import BlobExpired, BlobUsed, ForAnotherDevice
from doorstep.onboarding.sealed.opening import BlobMemory, KnownTime, Recipient

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "sealed-credentials.json").read_text("utf-8")
)
KEY = p256.generate(lambda _: bytes.fromhex(STORED["private_key"]))
HERE = Recipient(STORED["device"], KEY.public_key, KEY.agree)
NOW = KnownTime(STORED["now"], sure=True)
OUTCOMES = {
    "replayed": BlobUsed,
    "expired": BlobExpired,
    "other device": ForAnotherDevice,
    "refused": VerificationFailed,
    "malformed": MalformedMessage,
}


def _named(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", STORED["blobs"], ids=_named)
def test_device_opens_stored_blobs_as_bytes_and_as_text(case: dict[str, Any]) -> None:
    for sent in (bytes.fromhex(case["blob"]), case["text"].encode()):
        content = HERE.open(sent, BlobMemory(), NOW).content
        networks = [{"ssid": n.ssid.hex(), "passphrase": n.passphrase.hex()} for n in content.networks]
        order = content.order
        told = order and {"token": order.token.decode(), "server": order.server, "alias": order.alias}
        assert (networks, told) == (case["networks"], case["order"])
        assert content.release.hex() == (case["release"] or "")


@pytest.mark.parametrize("case", STORED["blobs"], ids=_named)
def test_portal_seals_stored_blobs(case: dict[str, Any]) -> None:
    draws = [bytes.fromhex(case["nonce"]), bytes.fromhex(case["ephemeral_private_key"])]
    content = SealedContent.decode(bytes.fromhex(case["content"]))
    assert content.encode().hex() == case["content"]
    blob = seal(HERE.device_id, HERE.key, content, expires=case["expires"], rng=lambda _: draws.pop(0))
    assert (blob.header.hex(), blob.encode().hex()) == (case["aad"], case["blob"])
    assert blob.to_text() == case["text"]


@pytest.mark.parametrize("case", STORED["refused"], ids=_named)
def test_device_refuses_stored_blobs(case: dict[str, Any]) -> None:
    memory = HERE.open(bytes.fromhex(STORED["blobs"][0]["blob"]), BlobMemory(), NOW).memory
    with pytest.raises(OUTCOMES[case["outcome"]]):
        HERE.open(bytes.fromhex(case["blob"]), memory, NOW)


def test_file_names_the_label_of_the_code() -> None:
    assert STORED["info"].encode() == INFO
