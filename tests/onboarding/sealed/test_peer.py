"""A stranger's HPKE opens what we seal and seals what we open; a stranger's ECDSA verifies what we sign."""

import json
import shutil
from pathlib import Path

import pytest

from doorstep.crypto import p256
from doorstep.onboarding.sealed.opening import BlobMemory, KnownTime, Recipient
from tests.peers import install_peer, printed

VECTORS = Path(__file__).parents[3] / "vectors"
SEALED, ATTESTED = VECTORS / "sealed-credentials.json", VECTORS / "attestation.json"


@pytest.fixture(scope="session")
def hpke_js() -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("peer @hpke/core needs node and npm, which are not installed here")
    return install_peer(
        "hpke-core", [npm, "install", "--no-audit", "--no-fund", "--prefix", "TARGET", "@hpke/core@1.9.0"]
    )


@pytest.mark.peer
def test_hpke_js_and_doorstep_read_each_other(hpke_js: Path) -> None:
    lines = printed(["node", VECTORS / "verify_singletouch_js.cjs", SEALED, ATTESTED, hpke_js])
    blobs, statements = json.loads(SEALED.read_text("utf-8")), json.loads(ATTESTED.read_text("utf-8"))
    names = [case["name"] for case in blobs["blobs"] + statements["conversations"]]
    assert lines[:-1] == names
    word, theirs = lines[-1].split()
    assert word == "sealed"
    key = p256.generate(lambda _: bytes.fromhex(blobs["private_key"]))
    here = Recipient(blobs["device"], key.public_key, key.agree)
    opened = here.open(bytes.fromhex(theirs), BlobMemory(), KnownTime(blobs["now"]))
    assert opened.content.encode().hex() == blobs["blobs"][0]["content"]
